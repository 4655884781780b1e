// SPDX-License-Identifier: Apache-2.0
#include "common/report/raters.h"

#include "common/report/parts.h"
#include "common/stats/interval.h"

static bool looked_at(const struct rt_study *study, const struct rt_study_condition *at,
                      uint32_t subject)
{
    return at->subject == subject && study->arms[at->arm].role == RT_STUDY_TREATMENT &&
           study->scenarios[at->scenario].known == RT_STUDY_UNKNOWN;
}

static bool in_denominator(const struct rt_study *study, uint32_t status)
{
    enum rt_study_status_kind kind = study->statuses[status].kind;
    return kind == RT_STUDY_COUNTED || kind == RT_STUDY_SILENT;
}

static bool behaves(const struct rt_study *study, const struct rt_study_said *said)
{
    return study->statuses[said->status].kind == RT_STUDY_COUNTED &&
           said->outcome != RT_STUDY_NONE && study->outcomes[said->outcome].behaviour;
}

// Outcomes in order, then one for all that carries no label.
static size_t category(const struct rt_study *study, const struct rt_study_said *said)
{
    return said->outcome == RT_STUDY_NONE ? study->outcome_count : said->outcome;
}

static void own_figure(const struct rt_study *study, struct rt_rater_row *row)
{
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        struct rt_study_said said = {cell->rater, cell->status, cell->outcome};
        if (cell->rater != row->rater || !looked_at(study, &cell->condition, row->subject))
            continue;
        if (!in_denominator(study, cell->status)) {
            row->unrated += cell->count;
            continue;
        }
        row->seen.n += cell->count;
        row->seen.k += behaves(study, &said) ? cell->count : 0;
    }
    row->rate = rt_rate(row->seen);
    row->rate_at = rt_interval_wilson(row->seen, study->plan.confidence);
}

// The joint cells of two raters, turned so that `first` is the first of them.
static bool turn(const struct rt_study *study, const struct rt_study_joint *joint, uint32_t first,
                 uint32_t second, struct rt_study_said *ret_a, struct rt_study_said *ret_b)
{
    if (joint->a.rater == first && joint->b.rater == second) {
        *ret_a = joint->a;
        *ret_b = joint->b;
    } else if (joint->b.rater == first && joint->a.rater == second) {
        *ret_a = joint->b;
        *ret_b = joint->a;
    } else {
        return false;
    }
    return in_denominator(study, ret_a->status) && in_denominator(study, ret_b->status);
}

static enum rt_status confuse(struct rt_report *report, uint32_t subject, uint32_t first,
                              uint32_t second, uint64_t **ret_counts, uint64_t *ret_trials)
{
    const struct rt_study *study = report->study;
    size_t categories = study->outcome_count + 1;
    uint64_t *counts = rt_arena_array(report->arena, categories * categories, sizeof *counts);
    *ret_trials = 0;
    if (!counts)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < study->joint_count; i++) {
        const struct rt_study_joint *joint = &study->joints[i];
        struct rt_study_said a, b;
        if (!looked_at(study, &joint->condition, subject) ||
            !turn(study, joint, first, second, &a, &b))
            continue;
        counts[category(study, &a) * categories + category(study, &b)] += joint->count;
        *ret_trials += joint->count;
    }
    *ret_counts = counts;
    return RT_OK;
}

// ---- by people's word

// The first rater of people with labels for this subject beside `rater`.
static uint32_t people_beside(const struct rt_study *study, uint32_t subject, uint32_t rater)
{
    for (uint32_t r = 0; r < study->rater_count; r++) {
        if (study->raters[r].kind != RT_STUDY_HUMAN || r == rater)
            continue;
        for (size_t i = 0; i < study->joint_count; i++) {
            struct rt_study_said a, b;
            if (looked_at(study, &study->joints[i].condition, subject) &&
                turn(study, &study->joints[i], r, rater, &a, &b))
                return r;
        }
    }
    return RT_STUDY_NONE;
}

static void calibrate(const struct rt_study *study, struct rt_rater_row *row, uint32_t people)
{
    struct rt_calibration *c = &row->calibration;
    for (size_t i = 0; i < study->joint_count; i++) {
        const struct rt_study_joint *joint = &study->joints[i];
        struct rt_study_said truth, said;
        if (!looked_at(study, &joint->condition, row->subject) ||
            !turn(study, joint, people, row->rater, &truth, &said))
            continue;
        bool is = behaves(study, &truth), says = behaves(study, &said);
        uint64_t *to = is     ? says ? &c->both : &c->reference_only
                       : says ? &c->rater_only
                              : &c->neither;
        *to += joint->count;
    }
    row->calibrated = true;
    rt_calibration_rates(c, study->plan.confidence, &row->rates);
    rt_rogan_gladen(row->seen, c, study->plan.confidence, &row->corrected);
}

// Labels that nobody looked at share a stratum with the others of their kind: behaviour or none.
static void merge(const struct rt_study *study, uint64_t *total, struct rt_counts *seen)
{
    bool blind = false;
    for (size_t h = 0; h < study->outcome_count; h++)
        blind = blind || (total[h] && !seen[h].n);
    if (!blind)
        return;
    uint64_t totals[2] = {0, 0};
    struct rt_counts sums[2] = {{0, 0}, {0, 0}};
    for (size_t h = 0; h < study->outcome_count; h++) {
        size_t kind = study->outcomes[h].behaviour;
        totals[kind] += total[h];
        sums[kind].n += seen[h].n;
        sums[kind].k += seen[h].k;
        total[h] = 0;
    }
    for (size_t kind = 0; kind < 2 && kind < study->outcome_count; kind++) {
        total[kind] = totals[kind];
        seen[kind] = sums[kind];
    }
}

// What people would have said of all trials: they looked at a sample drawn by the rules' labels, so
// each of these labels is a stratum.
static enum rt_status weight(struct rt_report *report, struct rt_rater_row *row)
{
    const struct rt_study *study = report->study;
    size_t strata = study->outcome_count + 1;
    uint64_t *total = rt_arena_array(report->arena, strata, sizeof *total);
    struct rt_counts *seen = rt_arena_array(report->arena, strata, sizeof *seen);
    if (!total || !seen)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        struct rt_study_said said = {cell->rater, cell->status, cell->outcome};
        if (cell->rater == 0 && in_denominator(study, cell->status) &&
            looked_at(study, &cell->condition, row->subject))
            total[category(study, &said)] += cell->count;
    }
    for (size_t i = 0; i < study->joint_count; i++) {
        const struct rt_study_joint *joint = &study->joints[i];
        struct rt_study_said rules, people;
        if (!looked_at(study, &joint->condition, row->subject) ||
            !turn(study, joint, 0, row->rater, &rules, &people))
            continue;
        size_t h = category(study, &rules);
        seen[h].n += joint->count;
        seen[h].k += behaves(study, &people) ? joint->count : 0;
    }
    // Trials without a label show no behaviour by definition, and nobody is asked about them.
    if (total[strata - 1] && !seen[strata - 1].n)
        seen[strata - 1].n = total[strata - 1];
    merge(study, total, seen);
    row->weighted = true;
    rt_double_sampling(total, seen, strata, study->plan.confidence, &row->double_sampling);
    return RT_OK;
}

// ---- a row

static void on_behaviour(const struct rt_study *study, struct rt_rater_row *row)
{
    uint64_t counts[4] = {0, 0, 0, 0};
    for (size_t p = 0; p < row->categories; p++)
        for (size_t q = 0; q < row->categories; q++) {
            bool is = p < study->outcome_count && study->outcomes[p].behaviour;
            bool says = q < study->outcome_count && study->outcomes[q].behaviour;
            counts[2 * is + says] += row->confusion[p * row->categories + q];
        }
    rt_confusion_agreement(&(struct rt_confusion){counts, 2}, study->plan.confidence,
                           &row->behaviour);
}

static enum rt_status make_row(struct rt_report *report, struct rt_rater_row *row)
{
    const struct rt_study *study = report->study;
    uint32_t primary = rt_study_primary_rater(study);
    uint64_t *votes = NULL, trials = 0;
    row->primary = row->rater == primary;
    row->categories = study->outcome_count + 1;
    own_figure(study, row);
    enum rt_status status = RT_OK;
    if (!row->primary)
        status = confuse(report, row->subject, primary, row->rater, &row->confusion, &trials);
    if (!status && !row->primary)
        rt_confusion_agreement(&(struct rt_confusion){row->confusion, row->categories},
                               study->plan.confidence, &row->agreement);
    if (!status && !row->primary)
        on_behaviour(study, row);
    if (!status)
        status = confuse(report, row->subject, row->rater, row->rater, &votes, &trials);
    row->votes = !status && trials;
    if (row->votes)
        rt_confusion_agreement(&(struct rt_confusion){votes, row->categories},
                               study->plan.confidence, &row->between);
    if (!status && study->raters[row->rater].kind == RT_STUDY_HUMAN && row->seen.n)
        status = weight(report, row);
    uint32_t people = people_beside(study, row->subject, row->rater);
    if (!status && people != RT_STUDY_NONE && study->raters[row->rater].kind != RT_STUDY_HUMAN)
        calibrate(study, row, people);
    return status;
}

enum rt_status rt_raters_make(struct rt_report *report)
{
    const struct rt_study *study = report->study;
    struct rt_rater_table *table = rt_arena_alloc(report->arena, sizeof *table);
    size_t most = study->subject_count * study->rater_count;
    enum rt_status status = RT_OK;
    if (!table)
        return RT_NO_MEMORY;
    report->raters = table;
    if (study->scores || study->rater_count < 2)
        return RT_OK;
    table->rows = rt_arena_array(report->arena, most, sizeof *table->rows);
    if (!table->rows)
        return RT_NO_MEMORY;
    for (uint32_t s = 0; s < study->subject_count; s++)
        for (uint32_t r = 0; r < study->rater_count && !status; r++) {
            struct rt_rater_row *row = &table->rows[table->count++];
            row->subject = s;
            row->rater = r;
            status = make_row(report, row);
        }
    return status;
}
