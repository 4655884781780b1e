// SPDX-License-Identifier: Apache-2.0
// Verdicts, contrasts and margins as tables.
#include <string.h>

#include "common/report/document.h"

// Pairs of levels a table shows, and the chart above it.
#define RT_PAIRS_SHOWN 12

#define EACH_PART(document, part)                                                                  \
    for (const struct rt_report_part *part = (document)->report->parts;                            \
         part < (document)->report->parts + (document)->report->part_count; part++)

static enum rt_mark verdict_mark(enum rt_verdict verdict)
{
    return verdict == RT_REPLICATES ? RT_MARK_GOOD
           : verdict == RT_DOES_NOT ? RT_MARK_BAD
                                    : RT_MARK_WARN;
}

static const char *hypothesis_text(struct rt_document *document,
                                   const struct rt_study_hypothesis *h)
{
    const struct rt_study *study = document->report->study;
    if (h->measure == RT_STUDY_RISK_DIFFERENCE)
        return rt_arena_printf(document->arena, "%s - %s", study->arms[h->arm].id,
                               study->arms[h->reference].id);
    return h->arm == RT_STUDY_NONE
               ? "rate, treatment arms"
               : rt_arena_printf(document->arena, "rate, %s", study->arms[h->arm].id);
}

static const char *original_text(struct rt_document *document, const struct rt_study_hypothesis *h)
{
    if (!h->has_original)
        return "-";
    return rt_arena_printf(document->arena, "%.10g (se %.10g)", h->original_estimate,
                           h->original_se);
}

void rt_layout_verdicts(struct rt_document *document)
{
    static const struct rt_page_column columns[] = {
        {"hypothesis", false, 0}, {"measure", false, 1},
        {"claim", false, 0},      {"verdict", false, 0},
        {"estimate", true, 0},    {"scenarios like these", true, 0},
        {"next lab", true, 0},    {"missing bounds", true, 2},
        {"original", true, 4},    {"why", false, 3},
        {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    if (!study->plan.hypothesis_count)
        return;
    struct rt_page_section *section = rt_page_section(
        document, "verdicts", "Preregistered hypotheses",
        "A claim replicates only if both intervals, the one for scenarios like these and the one "
        "for the next lab, lie on its side.");
    EACH_PART(document, part)
    {
        if (!part->hypothesis_count)
            continue;
        struct rt_page_table *table =
            rt_page_table(document, section, rt_page_caption(document, part, "Verdicts"), columns);
        for (size_t i = 0; i < part->hypothesis_count; i++) {
            const struct rt_hypothesis_result *row = &part->hypotheses[i];
            const struct rt_study_hypothesis *h = row->hypothesis;
            rt_page_row(document, table);
            rt_page_text(
                document, table,
                rt_arena_printf(document->arena, "%s%s", h->id, h->primary ? " (primary)" : ""));
            rt_page_text(document, table, hypothesis_text(document, h));
            rt_page_text(document, table,
                         rt_arena_printf(document->arena, "%s %.10g", rt_study_claim_text(h->claim),
                                         h->threshold));
            rt_page_text(document, table, rt_verdict_text(row->verdict));
            rt_page_mark(table, verdict_mark(row->verdict));
            rt_page_value(document, table, row->estimate.mean);
            rt_page_interval(document, table, row->estimate.like_these);
            rt_page_interval(document, table, row->estimate.prediction);
            rt_page_interval(document, table, row->estimate.missing);
            rt_page_text(document, table, original_text(document, h));
            rt_page_text(document, table, row->because);
            if (row->without_lab != RT_STUDY_NONE)
                rt_page_note(document, table,
                             rt_arena_printf(document->arena, "%s without %s: %s.", h->id,
                                             study->labs[row->without_lab].id,
                                             rt_verdict_text(row->without_verdict)));
        }
    }
}

static const char *temperature_text(struct rt_document *document, uint32_t index)
{
    return index == RT_STUDY_NONE
               ? "all"
               : rt_words_temperature(document->arena,
                                      document->report->study->temperatures_micro[index]);
}

// Each compared lab's own difference, over all temperatures.
static void lab_differences(struct rt_document *document, struct rt_page_section *section,
                            const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {{"contrast", false, 0},
                                                    {"lab", false, 0},
                                                    {"difference", true, 0},
                                                    {"this lab's sampling", true, 0},
                                                    {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    struct rt_page_table *table = NULL;
    for (size_t i = 0; i < part->contrasts.count; i++) {
        const struct rt_contrast *row = &part->contrasts.rows[i];
        if (row->temperature != RT_STUDY_NONE || row->effect.labs < 2 || !row->effect.conditions)
            continue;
        if (!table)
            table = rt_page_table(document, section,
                                  rt_page_caption(document, part, "Differences by lab"), columns);
        for (size_t l = 0; l < row->effect.labs; l++) {
            rt_page_row(document, table);
            rt_page_text(document, table,
                         rt_arena_printf(document->arena, "%s - %s", study->arms[row->arm].id,
                                         study->arms[row->reference].id));
            rt_page_text(document, table, study->labs[row->lab[l]].id);
            rt_page_value(document, table, rt_value(row->labs[l].y));
            rt_page_interval(document, table, row->intervals[l]);
            if (part->labs[row->lab[l]].odd)
                rt_page_mark_row(table, RT_MARK_BAD);
        }
    }
}

void rt_layout_contrasts(struct rt_document *document)
{
    static const struct rt_page_column columns[] = {{"treatment - inert", false, 0},
                                                    {"temperature", true, 0},
                                                    {"treatment", true, 2},
                                                    {"inert", true, 2},
                                                    {"difference", true, 0},
                                                    {"this bench", true, 1},
                                                    {"scenarios like these", true, 0},
                                                    {"next lab", true, 1},
                                                    {"tau", true, 3},
                                                    {"missing bounds", true, 4},
                                                    {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    size_t count = 0;
    EACH_PART(document, part) count += part->contrasts.count;
    if (!count)
        return;
    struct rt_page_section *section =
        rt_page_section(document, "contrasts", "Treatment against inert arms",
                        "An inert arm has the same event without the stake: the difference is what "
                        "the stake does. Paired within scenario, phrasing, temperature and lab.");
    EACH_PART(document, part)
    {
        if (!part->contrasts.count)
            continue;
        struct rt_page_table *table = rt_page_table(
            document, section, rt_page_caption(document, part, "Risk differences"), columns);
        for (size_t i = 0; i < part->contrasts.count; i++) {
            const struct rt_contrast *row = &part->contrasts.rows[i];
            rt_page_row(document, table);
            rt_page_text(document, table,
                         rt_arena_printf(document->arena, "%s - %s", study->arms[row->arm].id,
                                         study->arms[row->reference].id));
            rt_page_text(document, table, temperature_text(document, row->temperature));
            rt_page_value(document, table, row->target_rate);
            rt_page_value(document, table, row->reference_rate);
            rt_page_value(document, table, row->effect.mean);
            rt_page_interval(document, table, row->effect.this_bench);
            rt_page_interval(document, table, row->effect.like_these);
            rt_page_interval(document, table, row->effect.prediction);
            rt_page_value(document, table, row->effect.tau);
            rt_page_interval(document, table, row->effect.missing);
            if (!document->failed)
                table->rows[table->row_count - 1].strong = row->temperature == RT_STUDY_NONE;
        }
        lab_differences(document, section, part);
    }
}

// ---- margins

static const struct rt_page_column margin_columns[] = {{"", false, 0},
                                                       {"trials", true, 3},
                                                       {"rate", true, 0},
                                                       {"this bench", true, 0},
                                                       {"scenarios like these", true, 0},
                                                       {"tau", true, 0},
                                                       {"tau interval", true, 2},
                                                       {"s_r", true, 3},
                                                       {"s_L", true, 1},
                                                       {"s_R", true, 3},
                                                       {"missing bounds", true, 4},
                                                       {NULL, false, 0}};

static void margin_row(struct rt_document *document, struct rt_page_table *table, const char *level,
                       const struct rt_estimate *e, const struct rt_spread *spread, bool null_pair)
{
    rt_page_row(document, table);
    rt_page_text(document, table, level);
    rt_page_count(document, table, e->n);
    rt_page_value(document, table, e->mean);
    rt_page_interval(document, table, e->this_bench);
    rt_page_interval(document, table, e->like_these);
    rt_page_value(document, table, e->tau);
    rt_page_interval(document, table, e->tau_interval);
    rt_page_value(document, table, spread->s_r);
    rt_page_value(document, table, spread->s_l);
    rt_page_value(document, table, spread->s_rr);
    rt_page_interval(document, table, e->missing);
    if (null_pair)
        rt_page_mark_row(table, RT_MARK_NULL);
}

static const char *margin_level(struct rt_document *document, const struct rt_margin *row)
{
    const struct rt_study *study = document->report->study;
    const char *phrasing = row->phrasing == RT_STUDY_NONE ? "" : study->phrasings[row->phrasing].id;
    const char *twin = row->null_twin == RT_STUDY_NONE ? "" : study->phrasings[row->null_twin].id;
    const char *words =
        *twin ? rt_arena_printf(document->arena, "%s (= %s)", phrasing, twin) : phrasing;
    if (row->arm != RT_STUDY_NONE)
        return rt_arena_printf(document->arena, "%s%s", study->arms[row->arm].id,
                               study->arms[row->arm].role == RT_STUDY_INERT ? " (inert)" : "");
    if (row->temperature == RT_STUDY_NONE || !words)
        return words;
    const char *degrees = temperature_text(document, row->temperature);
    return rt_arena_printf(document->arena, "%s%s%s", words, *words ? " at " : "",
                           degrees ? degrees : "");
}

static void margin_table(struct rt_document *document, struct rt_page_section *section,
                         const struct rt_report_part *part, const struct rt_margin_list *list,
                         const char *caption, const char *factor)
{
    struct rt_page_column columns[sizeof margin_columns / sizeof *margin_columns];
    memcpy(columns, margin_columns, sizeof columns);
    columns[0].heading = factor;
    if (list->count < 2)
        return;
    struct rt_page_table *table =
        rt_page_table(document, section, rt_page_caption(document, part, caption), columns);
    bool null_pair = false;
    for (size_t i = 0; i < list->count; i++) {
        bool twin = list->rows[i].null_twin != RT_STUDY_NONE;
        margin_row(document, table, margin_level(document, &list->rows[i]), &list->rows[i].estimate,
                   &list->rows[i].spread, twin);
        null_pair |= twin;
    }
    if (list != &part->by_arm) {
        margin_row(document, table, "all", &part->overall, &part->spread, false);
        if (!document->failed)
            table->rows[table->row_count - 1].strong = true;
    }
    if (null_pair)
        rt_page_note(document, table,
                     "(= p): the same text as p, sent again. How far such a pair differs is the "
                     "noise floor of any difference between phrasings.");
    table->folded = list->count > 12;
}

static void comparison_table(struct rt_document *document, struct rt_page_section *section,
                             const struct rt_report_part *part, const struct rt_dependence *all,
                             bool phrasing)
{
    static const struct rt_page_column columns[] = {
        {"pair", false, 0},     {"difference", true, 0}, {"simultaneous interval", true, 0},
        {"scenarios", true, 1}, {"clear", false, 0},     {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    size_t ordinary = 0;
    if (!all->pairs)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(document, part,
                        phrasing ? "Largest differences between phrasings, and null pairs"
                                 : "Differences between temperatures"),
        columns);
    for (size_t i = 0; i < all->count; i++) {
        const struct rt_comparison *row = &all->rows[i];
        ordinary += !row->null_pair;
        if (!row->null_pair && ordinary > RT_PAIRS_SHOWN)
            continue;
        rt_page_row(document, table);
        rt_page_text(document, table,
                     rt_arena_printf(document->arena, "%s - %s",
                                     phrasing ? study->phrasings[row->a].id
                                              : temperature_text(document, row->a),
                                     phrasing ? study->phrasings[row->b].id
                                              : temperature_text(document, row->b)));
        rt_page_value(document, table, row->difference);
        rt_page_interval(document, table, row->interval);
        rt_page_count(document, table, row->scenarios);
        rt_page_text(document, table,
                     row->null_pair ? (row->clear ? "null pair differs" : "null pair")
                     : row->clear   ? "yes"
                                    : "no");
        if (row->null_pair)
            rt_page_mark_row(table, row->clear ? RT_MARK_BAD : RT_MARK_NULL);
    }
    if (ordinary > RT_PAIRS_SHOWN)
        rt_page_note(document, table,
                     rt_arena_printf(document->arena,
                                     "The %d largest of %zu pairs; intervals allow "
                                     "for all of them.",
                                     RT_PAIRS_SHOWN, all->pairs));
}

void rt_layout_margins(struct rt_document *document)
{
    struct rt_page_section *section = rt_page_section(
        document, "margins",
        document->report->study->scores ? "Means by arm, phrasing and temperature"
                                        : "Prevalence by arm, phrasing and temperature",
        "Every figure has two intervals: this bench (these scenarios, labs like these) and "
        "scenarios "
        "like these. tau and s_L say how far labs differ there: tau in the average, s_L in a "
        "single condition.");
    EACH_PART(document, part)
    {
        margin_table(document, section, part, &part->by_arm, "By arm", "arm");
        margin_table(document, section, part, &part->by_phrasing, "By phrasing (treatment arms)",
                     "phrasing");
        comparison_table(document, section, part, &part->phrasings, true);
        rt_layout_languages(document, section, part);
        margin_table(document, section, part, &part->by_temperature,
                     "By temperature (treatment arms)", "temperature");
        comparison_table(document, section, part, &part->temperatures, false);
        if (part->by_phrasing.count > 1 && part->by_temperature.count > 1)
            margin_table(document, section, part, &part->grid,
                         "By phrasing and temperature (treatment arms)", "phrasing at temperature");
    }
    if (!section->table_count)
        document->section_count--;
}
