// SPDX-License-Identifier: Apache-2.0
#include "common/report/slice.h"

#include <string.h>

size_t rt_slice_place(const struct rt_slice *slice, struct rt_slice_place at)
{
    const struct rt_study *study = slice->study;
    return ((at.arm * study->scenario_count + at.scenario) * study->phrasing_count + at.phrasing) *
               study->temperature_count +
           at.temperature;
}

struct rt_slice_place rt_slice_at(const struct rt_slice *slice, size_t place)
{
    const struct rt_study *study = slice->study;
    struct rt_slice_place at;
    at.temperature = (uint32_t)(place % study->temperature_count);
    place /= study->temperature_count;
    at.phrasing = (uint32_t)(place % study->phrasing_count);
    place /= study->phrasing_count;
    at.scenario = (uint32_t)(place % study->scenario_count);
    at.arm = (uint32_t)(place / study->scenario_count);
    return at;
}

// Cells of this subject and rater into the dense table; withheld and failed trials are counted as
// missing here and replaced below where the plan says what was expected.
static void count_cells(struct rt_slice *slice)
{
    const struct rt_study *study = slice->study;
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        const struct rt_study_condition *c = &cell->condition;
        if (c->subject != slice->subject || cell->rater != slice->rater)
            continue;
        struct rt_slice_place at = {c->arm, c->scenario, c->phrasing, c->temperature};
        size_t entry = rt_slice_place(slice, at) * slice->labs + cell->lab;
        enum rt_study_status_kind kind = study->statuses[cell->status].kind;
        if (kind == RT_STUDY_WITHHELD || kind == RT_STUDY_FAILED) {
            slice->missing[entry] += cell->count;
            continue;
        }
        slice->counts[entry].n += cell->count;
        slice->repeated[entry] += cell->repeated;
        slice->distinct[entry].n += cell->count - cell->repeated;
        bool zero = study->temperatures_micro[c->temperature] == 0;
        slice->severities[entry * RT_SEVERITIES + cell->severity] +=
            cell->count - (zero ? cell->repeated : 0);
        if (kind == RT_STUDY_COUNTED && cell->outcome != RT_STUDY_NONE &&
            study->outcomes[cell->outcome].behaviour) {
            slice->counts[entry].k += cell->count;
            slice->distinct[entry].k += cell->count - cell->repeated;
            slice->events += cell->count;
        }
    }
    if (study->scores)
        return;
    for (size_t place = 0; place < slice->places; place++) {
        bool zero = study->temperatures_micro[rt_slice_at(slice, place).temperature] == 0;
        memcpy(&slice->independent[place * slice->labs],
               &(zero ? slice->distinct : slice->counts)[place * slice->labs],
               slice->labs * sizeof *slice->counts);
    }
}

static void count_missing(struct rt_slice *slice)
{
    const struct rt_study *study = slice->study;
    for (size_t place = 0; place < slice->places; place++) {
        struct rt_slice_place at = rt_slice_at(slice, place);
        struct rt_study_condition condition = {slice->subject, at.arm, at.scenario, at.phrasing,
                                               at.temperature};
        for (uint32_t lab = 0; lab < slice->labs; lab++) {
            size_t entry = place * slice->labs + lab;
            uint64_t planned = rt_study_planned(study, &condition, lab);
            uint64_t n = slice->counts[entry].n;
            slice->missing[entry] = planned > n ? planned - n : 0;
        }
    }
}

static void decide_compared(struct rt_slice *slice)
{
    const struct rt_study *study = slice->study;
    for (size_t place = 0; place < slice->places; place++) {
        bool any = false;
        if (study->scenarios[rt_slice_at(slice, place).scenario].known != RT_STUDY_UNKNOWN)
            continue;
        for (size_t lab = 0; lab < slice->labs; lab++) {
            bool has = slice->counts[place * slice->labs + lab].n > 0;
            slice->covered[lab] += has;
            any |= has;
        }
        slice->covered_by_any += any;
    }
    for (size_t lab = 0; lab < slice->labs; lab++)
        slice->compared[lab] =
            slice->covered[lab] > 0 &&
            slice->covered[lab] * 100 >= slice->covered_by_any * RT_REPORT_COVERAGE_PERCENT;
}

// Scores in place of counts, and where a cell's own replicates say how sure its mean is.
static enum rt_status take_scores(struct rt_slice *slice)
{
    const struct rt_study *study = slice->study;
    size_t entries = slice->places * slice->labs;
    if (!study->scores)
        return RT_OK;
    slice->score_variance =
        rt_arena_array(slice->arena, study->temperature_count, sizeof *slice->score_variance);
    enum rt_status status = rt_slice_scores(slice);
    if (status || !slice->score_variance)
        return status ? status : RT_NO_MEMORY;
    memcpy(slice->independent, slice->counts, entries * sizeof *slice->counts);
    memcpy(slice->distinct, slice->counts, entries * sizeof *slice->counts);
    for (uint32_t t = 0; t < study->temperature_count; t++)
        slice->score_variance[t] = rt_slice_score_variance(slice, t);
    return RT_OK;
}

struct rt_sample rt_slice_sample(const struct rt_slice *slice, size_t entry)
{
    return slice->samples ? slice->samples[entry] : rt_sample_binary(slice->independent[entry]);
}

enum rt_status rt_slice_make(struct rt_arena *arena, const struct rt_study *study, uint32_t subject,
                             uint32_t rater, struct rt_slice *ret)
{
    RT_ASSERT(study->sealed);
    struct rt_slice slice = {.study = study, .arena = arena, .subject = subject, .rater = rater};
    slice.places =
        study->arm_count * study->scenario_count * study->phrasing_count * study->temperature_count;
    slice.labs = study->lab_count;
    size_t entries = slice.places * slice.labs;
    slice.counts = rt_arena_array(arena, entries, sizeof *slice.counts);
    slice.missing = rt_arena_array(arena, entries, sizeof *slice.missing);
    slice.repeated = rt_arena_array(arena, entries, sizeof *slice.repeated);
    slice.distinct = rt_arena_array(arena, entries, sizeof *slice.distinct);
    slice.independent = rt_arena_array(arena, entries, sizeof *slice.independent);
    slice.severities = rt_arena_array(arena, entries * RT_SEVERITIES, sizeof *slice.severities);
    slice.compared = rt_arena_array(arena, slice.labs, sizeof *slice.compared);
    slice.covered = rt_arena_array(arena, slice.labs, sizeof *slice.covered);
    if (!slice.counts || !slice.missing || !slice.repeated || !slice.compared || !slice.covered ||
        !slice.distinct || !slice.independent || !slice.severities)
        return RT_NO_MEMORY;
    count_cells(&slice);
    enum rt_status status = take_scores(&slice);
    if (status)
        return status;
    if (study->plan_known)
        count_missing(&slice);
    decide_compared(&slice);
    *ret = slice;
    return RT_OK;
}

static bool place_wanted(const struct rt_slice *slice, const struct rt_filter *filter,
                         struct rt_slice_place at)
{
    const struct rt_study *study = slice->study;
    if (study->scenarios[at.scenario].known != RT_STUDY_UNKNOWN)
        return false;
    if (filter->arm == RT_STUDY_NONE ? study->arms[at.arm].role != RT_STUDY_TREATMENT
                                     : at.arm != filter->arm)
        return false;
    return (filter->phrasing == RT_STUDY_NONE || at.phrasing == filter->phrasing) &&
           (filter->temperature == RT_STUDY_NONE || at.temperature == filter->temperature);
}

static size_t reference_place(const struct rt_slice *slice, const struct rt_filter *filter,
                              struct rt_slice_place at)
{
    at.arm = filter->reference;
    return rt_slice_place(slice, at);
}

static double posterior(struct rt_counts cell)
{
    // The stats floor has the formula; a table of one cell gives that cell's own variance.
    struct rt_count_table table = {&cell, 1, 1};
    bool common = true;
    struct rt_effect effect = {0, 0};
    enum rt_reason reason =
        rt_standardised_rates(&table, &common, RT_RATE_VARIANCE_POSTERIOR, &effect);
    RT_ASSERT(reason == RT_REASON_NONE);
    return effect.v;
}

// A cell's rate, or the mean of its scores, and the variance of it.
static struct rt_effect cell_effect(const struct rt_slice *slice, size_t entry,
                                    uint32_t temperature)
{
    struct rt_counts cell = slice->counts[entry];
    if (!slice->samples)
        return (struct rt_effect){(double)cell.k / (double)cell.n, posterior(cell)};
    double variance = slice->score_variance[temperature];
    return (struct rt_effect){slice->samples[entry].mean,
                              variance > 0 ? variance / (double)cell.n : 0};
}

// One row of the matrix, if every lab has trials on the side or sides it needs.
static void add_condition(const struct rt_slice *slice, const struct rt_filter *filter,
                          struct rt_slice_place at, struct rt_block *block)
{
    bool difference = filter->reference != RT_STUDY_NONE;
    size_t place = rt_slice_place(slice, at) * slice->labs;
    size_t other = difference ? reference_place(slice, filter, at) * slice->labs : 0;
    for (size_t i = 0; i < block->labs; i++)
        if (!slice->counts[place + block->lab[i]].n ||
            (difference && !slice->counts[other + block->lab[i]].n))
            return;
    for (size_t i = 0; i < block->labs; i++) {
        size_t entry = block->conditions * block->labs + i;
        struct rt_effect t = cell_effect(slice, place + block->lab[i], at.temperature);
        block->y[entry] = t.y;
        block->v[entry] = t.v;
        block->n += slice->counts[place + block->lab[i]].n;
        block->k += slice->counts[place + block->lab[i]].k;
        if (!difference)
            continue;
        struct rt_effect r = cell_effect(slice, other + block->lab[i], at.temperature);
        block->y[entry] -= r.y;
        block->v[entry] += r.v;
        block->reference_n += slice->counts[other + block->lab[i]].n;
        block->reference_k += slice->counts[other + block->lab[i]].k;
    }
    block->at[block->conditions++] = at;
}

static void add_row(const struct rt_slice *slice, struct rt_slice_place at, struct rt_block *block)
{
    size_t place = rt_slice_place(slice, at) * slice->labs;
    bool any = false;
    for (size_t i = 0; i < block->labs; i++) {
        block->cells[block->rows * block->labs + i] = slice->counts[place + block->lab[i]];
        if (slice->samples)
            block->samples[block->rows * block->labs + i] = slice->samples[place + block->lab[i]];
        any |= slice->counts[place + block->lab[i]].n > 0;
    }
    if (any)
        block->row_at[block->rows++] = at;
}

// Temperatures whose replicates are no independent trials, or are not there at all.
static enum rt_status mark_squares(const struct rt_slice *slice, struct rt_block *block)
{
    const struct rt_study *study = slice->study;
    bool *marks = rt_arena_array(slice->arena, study->temperature_count, sizeof *marks);
    if (!marks)
        return RT_NO_MEMORY;
    for (size_t t = 0; t < study->temperature_count; t++) {
        bool single = slice->samples && slice->score_variance[t] < 0;
        marks[t] = study->temperatures_micro[t] == 0 || single;
        block->unreplicated |= single;
    }
    block->by_square = marks;
    return RT_OK;
}

enum rt_status rt_block_make(const struct rt_slice *slice, const struct rt_filter *filter,
                             struct rt_block *ret)
{
    struct rt_block block = {0};
    struct rt_arena *arena = slice->arena;
    block.lab = rt_arena_array(arena, slice->labs, sizeof *block.lab);
    if (!block.lab)
        return RT_NO_MEMORY;
    for (uint32_t lab = 0; lab < slice->labs; lab++)
        if (slice->compared[lab] && (!filter->labs || filter->labs[lab]))
            block.lab[block.labs++] = lab;
    size_t wanted = 0;
    for (size_t place = 0; place < slice->places; place++)
        wanted += place_wanted(slice, filter, rt_slice_at(slice, place));
    block.at = rt_arena_array(arena, wanted, sizeof *block.at);
    block.row_at = rt_arena_array(arena, wanted, sizeof *block.row_at);
    block.y = rt_arena_array(arena, wanted * block.labs, sizeof *block.y);
    block.v = rt_arena_array(arena, wanted * block.labs, sizeof *block.v);
    block.cells = rt_arena_array(arena, wanted * block.labs, sizeof *block.cells);
    if (slice->samples)
        block.samples = rt_arena_array(arena, wanted * block.labs, sizeof *block.samples);
    if (!block.at || !block.row_at || !block.y || !block.v || !block.cells ||
        (slice->samples && !block.samples) || mark_squares(slice, &block))
        return RT_NO_MEMORY;
    for (size_t place = 0; place < slice->places && block.labs; place++) {
        struct rt_slice_place at = rt_slice_at(slice, place);
        if (!place_wanted(slice, filter, at))
            continue;
        add_condition(slice, filter, at, &block);
        add_row(slice, at, &block);
    }
    *ret = block;
    return RT_OK;
}

// The mean square of the rows marked for it, if it can be had.
static struct rt_value zero_variance(const struct rt_block *block, struct rt_arena *arena,
                                     size_t *ret_rows)
{
    size_t rows = 0;
    double *values = rt_arena_array(arena, block->conditions * block->labs, sizeof *values);
    if (!values)
        return rt_undefined(RT_REASON_SINGLE_LEVEL);
    for (size_t c = 0; c < block->conditions; c++) {
        if (!block->by_square[block->at[c].temperature])
            continue;
        memcpy(&values[rows * block->labs], &block->y[c * block->labs],
               block->labs * sizeof *values);
        rows++;
    }
    *ret_rows = rows;
    return rt_interaction_variance(values, rows, block->labs);
}

enum rt_reason rt_block_effects(const struct rt_block *block, const struct rt_study *study,
                                struct rt_arena *arena, struct rt_effect *ret)
{
    if (!block->conditions || !block->labs)
        return RT_REASON_NO_COMMON_CONDITIONS;
    size_t zero_rows = 0;
    struct rt_value zero = zero_variance(block, arena, &zero_rows);
    (void)study;
    if (block->unreplicated && !rt_value_ok(zero))
        return RT_REASON_NO_REPLICATES;
    double all = (double)block->conditions;
    for (size_t l = 0; l < block->labs; l++) {
        double y = 0, v = 0;
        for (size_t c = 0; c < block->conditions; c++) {
            y += block->y[c * block->labs + l];
            if (!block->by_square[block->at[c].temperature] || !rt_value_ok(zero))
                v += block->v[c * block->labs + l];
        }
        if (rt_value_ok(zero))
            v += zero.number * (double)zero_rows * (double)zero_rows;
        ret[l] = (struct rt_effect){y / all, v / (all * all)};
    }
    return RT_REASON_NONE;
}

size_t rt_block_scenario_means(const struct rt_block *block, const struct rt_study *study,
                               uint32_t column, double *ret, double *workspace)
{
    memset(ret, 0, study->scenario_count * sizeof *ret);
    memset(workspace, 0, study->scenario_count * sizeof *workspace);
    for (size_t c = 0; c < block->conditions; c++)
        for (size_t l = 0; l < block->labs; l++)
            if (column == RT_STUDY_NONE || l == column) {
                ret[block->at[c].scenario] += block->y[c * block->labs + l];
                workspace[block->at[c].scenario]++;
            }
    size_t scenarios = 0;
    for (size_t s = 0; s < study->scenario_count; s++)
        if (workspace[s] > 0)
            ret[scenarios++] = ret[s] / workspace[s];
    return scenarios;
}

struct rt_interval rt_slice_bounds(const struct rt_slice *slice, const struct rt_filter *filter)
{
    bool difference = filter->reference != RT_STUDY_NONE;
    double low = 0, high = 0, cells = 0;
    if (slice->samples)
        return rt_interval_undefined(RT_REASON_NOT_BINARY); // a score has no end to count towards
    for (size_t place = 0; place < slice->places; place++) {
        struct rt_slice_place at = rt_slice_at(slice, place);
        if (!place_wanted(slice, filter, at))
            continue;
        size_t reference = difference ? reference_place(slice, filter, at) : 0;
        for (size_t lab = 0; lab < slice->labs; lab++) {
            if (filter->labs && !filter->labs[lab])
                continue;
            struct rt_counts t = slice->counts[place * slice->labs + lab];
            double m = (double)slice->missing[place * slice->labs + lab];
            double all = (double)t.n + m;
            if (all == 0)
                continue;
            double least = (double)t.k / all, most = ((double)t.k + m) / all;
            if (difference) {
                struct rt_counts r = slice->counts[reference * slice->labs + lab];
                double gone = (double)slice->missing[reference * slice->labs + lab];
                if ((double)r.n + gone == 0)
                    continue;
                least -= ((double)r.k + gone) / ((double)r.n + gone);
                most -= (double)r.k / ((double)r.n + gone);
            }
            low += least;
            high += most;
            cells++;
        }
    }
    return cells > 0 ? rt_interval(low / cells, high / cells)
                     : rt_interval_undefined(RT_REASON_NO_TRIALS);
}
