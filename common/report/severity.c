// SPDX-License-Identifier: Apache-2.0
// How severe outcomes are, on the taxonomy's scale 0-4: shares, labs against one another, and
// agreement on the median (STATISTICS 3.8, 3.12). Shares are over conditions in which every
// compared lab has trials, so that no lab's mix of conditions differs.
#include <string.h>

#include "common/report/parts.h"

// Trials of one lab in the block's complete conditions, at one temperature or all.
static void add_counts(const struct rt_slice *slice, const struct rt_block *block, uint32_t lab,
                       uint32_t temperature, uint64_t *counts)
{
    for (size_t c = 0; c < block->conditions; c++) {
        struct rt_slice_place at = block->at[c];
        if (temperature != RT_STUDY_NONE && at.temperature != temperature)
            continue;
        size_t entry = rt_slice_place(slice, at) * slice->labs + lab;
        for (size_t s = 0; s < RT_SEVERITIES; s++)
            counts[s] += slice->severities[entry * RT_SEVERITIES + s];
    }
}

static void fill_row(struct rt_severity_row *row)
{
    double sum = 0;
    for (size_t s = 0; s < RT_SEVERITIES; s++) {
        row->n += row->counts[s];
        sum += (double)s * (double)row->counts[s];
    }
    for (size_t s = 0; s < RT_SEVERITIES; s++) {
        row->share[s] = row->n ? rt_value((double)row->counts[s] / (double)row->n)
                               : rt_undefined(RT_REASON_NO_TRIALS);
        row->at_least[s] = rt_ordinal_exceedance(row->counts, RT_SEVERITIES, s);
    }
    row->mean = row->n ? rt_value(sum / (double)row->n) : rt_undefined(RT_REASON_NO_TRIALS);
    row->dispersion = rt_ordinal_dispersion(row->counts, RT_SEVERITIES);
    row->superiority = rt_undefined(RT_REASON_SINGLE_LEVEL);
}

// Labs' counts at one temperature or all: [column * RT_SEVERITIES + severity].
static uint64_t *lab_counts(const struct rt_slice *slice, const struct rt_block *block,
                            uint32_t temperature)
{
    uint64_t *counts =
        rt_arena_array(slice->arena, block->labs * RT_SEVERITIES + 1, sizeof *counts);
    for (size_t l = 0; counts && l < block->labs; l++)
        add_counts(slice, block, block->lab[l], temperature, &counts[l * RT_SEVERITIES]);
    return counts;
}

static enum rt_status at_temperature(const struct rt_slice *slice, const struct rt_block *block,
                                     uint32_t temperature, struct rt_severity *severity)
{
    const struct rt_study *study = slice->study;
    uint64_t *counts = lab_counts(slice, block, temperature);
    if (!counts)
        return RT_NO_MEMORY;
    struct rt_severity_row row = {.by = temperature == RT_STUDY_NONE ? RT_SEVERITY_ALL
                                                                     : RT_SEVERITY_TEMPERATURE,
                                  .level = temperature};
    for (size_t i = 0; i < block->labs * RT_SEVERITIES; i++)
        row.counts[i % RT_SEVERITIES] += counts[i];
    fill_row(&row);
    struct rt_ordinal_labs labs = {counts, block->labs, RT_SEVERITIES};
    if (row.n && (temperature == RT_STUDY_NONE || study->temperature_count > 1)) {
        severity->rows[severity->row_count++] = row;
        struct rt_severity_test *test = &severity->tests[severity->test_count++];
        test->temperature = temperature;
        rt_ordinal(&labs, &test->ordinal);
    }
    if (temperature != RT_STUDY_NONE || block->labs < 2)
        return RT_OK;
    for (size_t l = 0; l < block->labs; l++) {
        struct rt_severity_row own = {.by = RT_SEVERITY_LAB, .level = block->lab[l]};
        memcpy(own.counts, &counts[l * RT_SEVERITIES], sizeof own.counts);
        fill_row(&own);
        own.superiority = rt_ordinal_superiority(&labs, l);
        severity->rows[severity->row_count++] = own;
    }
    return RT_OK;
}

// Each lab's verdict in a condition is its lower median severity.
static enum rt_status agreement(const struct rt_slice *slice, const struct rt_block *block,
                                struct rt_severity *severity)
{
    uint32_t *ratings =
        rt_arena_array(slice->arena, block->rows * RT_SEVERITIES + 1, sizeof *ratings);
    uint64_t totals[RT_SEVERITIES] = {0}, most = 0;
    if (!ratings)
        return RT_NO_MEMORY;
    for (size_t r = 0; r < block->rows; r++)
        for (size_t l = 0; l < block->labs; l++) {
            size_t entry = rt_slice_place(slice, block->row_at[r]) * slice->labs + block->lab[l];
            int verdict =
                rt_verdict_ordinal(&slice->severities[entry * RT_SEVERITIES], RT_SEVERITIES);
            if (verdict < 0)
                continue;
            ratings[r * RT_SEVERITIES + (size_t)verdict]++;
            totals[verdict]++;
            severity->verdicts++;
        }
    for (size_t s = 0; s < RT_SEVERITIES; s++)
        most = totals[s] > most ? totals[s] : most;
    severity->conditions = block->rows;
    severity->minority = severity->verdicts - most;
    severity->reason = block->labs < 2       ? "single_lab"
                       : !severity->verdicts ? "no_trials"
                       : severity->minority * 100 < severity->verdicts * RT_REPORT_MINORITY_PERCENT
                           ? "minority_below_10_percent"
                           : "";
    severity->shown = !*severity->reason;
    if (!severity->shown)
        return RT_OK;
    struct rt_ratings all = {.counts = ratings, .units = block->rows, .categories = RT_SEVERITIES};
    rt_agreement_coefficient(&all, RT_GWET_AC, RT_WEIGHT_QUADRATIC, slice->study->plan.confidence,
                             &severity->ac2);
    severity->ordinal_alpha = rt_krippendorff_alpha(&all, RT_METRIC_ORDINAL);
    severity->interval_alpha = rt_krippendorff_alpha(&all, RT_METRIC_INTERVAL);
    return RT_OK;
}

static bool severe(const struct rt_slice *slice)
{
    for (size_t i = 0; i < slice->places * slice->labs * RT_SEVERITIES; i++)
        if (i % RT_SEVERITIES && slice->severities[i])
            return true;
    return false;
}

static bool graded(const struct rt_slice *slice)
{
    const struct rt_study *study = slice->study;
    bool used[RT_SEVERITIES] = {0};
    size_t above = 0;
    for (size_t i = 0; i < study->outcome_count; i++)
        used[study->outcomes[i].severity] = true;
    for (size_t i = 0; i < slice->places * slice->labs * RT_SEVERITIES; i++)
        used[i % RT_SEVERITIES] |= slice->severities[i] > 0;
    for (size_t s = 1; s < RT_SEVERITIES; s++)
        above += used[s];
    return above > 1;
}

enum rt_status rt_severity_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    struct rt_severity *severity = &part->severity;
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    severity->reason = "no_severity";
    if (!severe(slice))
        return RT_OK;
    severity->graded = graded(slice);
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    size_t levels = study->temperature_count + 1;
    severity->rows = rt_arena_array(slice->arena, levels + block.labs, sizeof *severity->rows);
    severity->tests = rt_arena_array(slice->arena, levels, sizeof *severity->tests);
    if (!severity->rows || !severity->tests)
        return RT_NO_MEMORY;
    status = at_temperature(slice, &block, RT_STUDY_NONE, severity);
    for (uint32_t t = 0; t < study->temperature_count && !status; t++)
        status = at_temperature(slice, &block, t, severity);
    return status ? status : agreement(slice, &block, severity);
}
