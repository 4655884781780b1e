// SPDX-License-Identifier: Apache-2.0
// Where what happened departs from what was registered, as far as a study shows it, and which
// results were registered at all.
#include <string.h>

#include "common/report/parts.h"
#include "common/report/words.h"

const char *const rt_report_confirmatory[] = {"hypotheses", NULL};
const char *const rt_report_exploratory[] = {"contrasts",
                                             "by_arm",
                                             "by_phrasing",
                                             "by_temperature",
                                             "by_phrasing_and_temperature",
                                             "phrasings_compared",
                                             "temperatures_compared",
                                             "without",
                                             "agreement_on_verdicts",
                                             "heterogeneity",
                                             "variance_components",
                                             "sensitivity",
                                             "severity",
                                             "odd_lab_tests",
                                             "bootstrap",
                                             "reliability",
                                             "odds_ratios",
                                             "serving_stacks",
                                             "languages",
                                             "by_scenario",
                                             NULL};

struct list {
    struct rt_report *report;
    size_t room;
    bool failed;
};

static void add(struct list *list, const char *topic, const char *text)
{
    RT_ASSERT(list->report->deviation_count < list->room);
    list->failed |= !text;
    list->report->deviations[list->report->deviation_count++] = (struct rt_sentence){topic, text};
}

static void add_lab(struct list *list, uint32_t l)
{
    const struct rt_study_lab *lab = &list->report->study->labs[l];
    const struct rt_participation *row = &list->report->participation[l];
    struct rt_arena *arena = list->report->arena;
    const char *missing = rt_words_count(arena, row->missing);
    const char *planned = rt_words_count(arena, row->planned);
    if (lab->state == RT_STUDY_LAB_WITHDREW || lab->state == RT_STUDY_LAB_NO_RESPONSE ||
        lab->state == RT_STUDY_LAB_DECLINED)
        add(list, "lab",
            rt_arena_printf(arena, "%s: %s.", lab->id, rt_study_lab_state_text(lab->state)));
    if (lab->late)
        add(list, "lab", rt_arena_printf(arena, "%s joined after the start.", lab->id));
    if (lab->quarantined)
        add(list, "lab",
            rt_arena_printf(arena,
                            "%s is quarantined; it stays in the figures, which are also "
                            "given without it.",
                            lab->id));
    if (list->report->study->plan_known && row->missing)
        add(list, "missing",
            missing && planned ? rt_arena_printf(arena, "%s: %s of %s planned trials are missing.",
                                                 lab->id, missing, planned)
                               : NULL);
}

// Trials beyond the plan of a condition at a lab, summed.
static uint64_t surplus(const struct rt_study *study)
{
    uint64_t more = 0, got = 0;
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        const struct rt_study_cell *next = i + 1 < study->cell_count ? cell + 1 : NULL;
        if (cell->rater != rt_study_primary_rater(study))
            continue;
        got += cell->count;
        // Cells of one condition and lab follow one another in the canonical order.
        if (next && next->rater == cell->rater && next->lab == cell->lab &&
            rt_study_place(study, &next->condition) == rt_study_place(study, &cell->condition))
            continue;
        uint64_t planned = rt_study_planned(study, &cell->condition, cell->lab);
        more += got > planned ? got - planned : 0;
        got = 0;
    }
    return more;
}

static void add_analysis(struct list *list)
{
    const struct rt_study *study = list->report->study;
    struct rt_arena *arena = list->report->arena;
    uint64_t more = study->plan_known ? surplus(study) : 0;
    if (more) {
        const char *count = rt_words_count(arena, more);
        add(list, "surplus",
            count ? rt_arena_printf(arena, "%s trials more than planned were run.", count) : NULL);
    }
    if (study->plan.multiplicity && strcmp(study->plan.multiplicity, "holm") != 0)
        add(list, "multiplicity",
            rt_arena_printf(arena,
                            "The plan says %s for several looks; labs are named by Holm's rule, "
                            "which names no more of them.",
                            study->plan.multiplicity));
    for (size_t p = 0; p < list->report->part_count; p++)
        for (size_t l = 0; list->report->parts[p].primary && l < study->lab_count; l++) {
            const struct rt_lab_row *row = &list->report->parts[p].labs[l];
            if (row->covered && !row->compared)
                add(list, "compared",
                    rt_arena_printf(arena,
                                    "%s has trials in %zu of %zu conditions of %s: too few to be "
                                    "compared.",
                                    study->labs[l].id, row->covered, row->covered_by_any,
                                    study->subjects[list->report->parts[p].subject].id));
        }
}

enum rt_status rt_deviations_make(struct rt_report *report)
{
    const struct rt_study *study = report->study;
    struct list list = {.report = report};
    list.room = study->lab_count * (4 + report->part_count) + 2;
    report->deviations = rt_arena_array(report->arena, list.room, sizeof *report->deviations);
    if (!report->deviations)
        return RT_NO_MEMORY;
    if (!study->plan.registered)
        return RT_OK; // nothing was registered, so nothing can depart from it
    for (uint32_t l = 0; l < study->lab_count; l++)
        add_lab(&list, l);
    add_analysis(&list);
    return list.failed ? RT_NO_MEMORY : RT_OK;
}
