// SPDX-License-Identifier: Apache-2.0
// Agreement on verdicts, the heterogeneity table, and the headline with labs left out.
#include <string.h>

#include "common/report/parts.h"

enum rt_status rt_agreement_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study_plan *plan = &slice->study->plan;
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_agreement *agreement = &part->agreement;
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    uint32_t *counts = rt_arena_array(slice->arena, block.rows * 2 + 1, sizeof *counts);
    if (!counts)
        return RT_NO_MEMORY;
    bool scores = slice->study->scores; // no rate stands above or below a threshold
    struct rt_count_table table = {block.cells, scores ? 0 : block.rows, block.labs};
    rt_verdicts_binary(&table, plan->verdict_threshold_micro, counts, &agreement->verdicts);
    agreement->conditions = block.rows;
    const struct rt_verdicts *verdicts = &agreement->verdicts;
    agreement->reason = "";
    if (scores)
        agreement->reason = rt_reason_code(RT_REASON_NOT_BINARY);
    else if (block.labs < 2)
        agreement->reason = "single_lab";
    else if (!verdicts->verdicts)
        agreement->reason = "no_trials";
    else if (verdicts->minority * 100 < verdicts->verdicts * RT_REPORT_MINORITY_PERCENT)
        agreement->reason = "minority_below_10_percent";
    if (verdicts->verdicts)
        agreement->minority_share = (double)verdicts->minority / (double)verdicts->verdicts;
    agreement->shown = !*agreement->reason;
    if (!agreement->shown)
        return RT_OK;
    struct rt_ratings ratings = {.counts = counts, .units = block.rows, .categories = 2};
    agreement->alpha = rt_krippendorff_alpha(&ratings, RT_METRIC_NOMINAL);
    agreement->alpha_se = rt_krippendorff_jackknife(&ratings, RT_METRIC_NOMINAL);
    agreement->percent = rt_percent_agreement(&ratings);
    rt_agreement_coefficient(&ratings, RT_FLEISS_KAPPA, RT_WEIGHT_IDENTITY, plan->confidence,
                             &agreement->kappa);
    rt_agreement_coefficient(&ratings, RT_GWET_AC, RT_WEIGHT_IDENTITY, plan->confidence,
                             &agreement->ac1);
    return RT_OK;
}

// Rows above temperature 0: deterministic replicates would look like suspiciously equal labs.
static enum rt_status homogeneity(const struct rt_slice *slice, const struct rt_block *block,
                                  struct rt_heterogeneity *ret)
{
    const struct rt_study *study = slice->study;
    struct rt_counts *cells =
        rt_arena_array(slice->arena, block->rows * block->labs + 1, sizeof *cells);
    if (!cells)
        return RT_NO_MEMORY;
    struct rt_count_table table = {cells, 0, block->labs};
    struct rt_value none = rt_undefined(RT_REASON_NOT_BINARY);
    if (study->scores) {
        ret->conditions =
            (struct rt_homogeneity){.chi2 = none, .p_upper = none, .p_lower = none, .g = none};
        return RT_OK;
    }
    for (size_t row = 0; row < block->rows; row++) {
        if (study->temperatures_micro[block->row_at[row].temperature] == 0)
            continue;
        memcpy(&cells[table.conditions++ * block->labs], &block->cells[row * block->labs],
               block->labs * sizeof *cells);
    }
    rt_homogeneity_study(&table, &ret->conditions);
    ret->too_alike = rt_value_ok(ret->conditions.p_lower) && ret->conditions.p_lower.number < 0.001;
    return RT_OK;
}

enum rt_status rt_heterogeneity_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    struct rt_heterogeneity *ret = &part->heterogeneity;
    struct rt_effect *effects = rt_arena_array(slice->arena, block.labs + 1, sizeof *effects);
    if (!effects)
        return RT_NO_MEMORY;
    enum rt_reason reason = rt_block_effects(&block, slice->study, slice->arena, effects);
    struct rt_meta dl, reml;
    if (reason == RT_REASON_NONE) {
        rt_meta(effects, block.labs, RT_TAU2_DL, slice->study->plan.confidence, &dl);
        rt_meta(effects, block.labs, RT_TAU2_REML, slice->study->plan.confidence, &reml);
        *ret = (struct rt_heterogeneity){.tau2_dl = dl.tau2,
                                         .q = dl.q,
                                         .q_p = dl.q_p,
                                         .i2_percent = dl.i2_percent,
                                         .tau2_reml = reml.tau2};
    } else {
        struct rt_value none = rt_undefined(reason);
        *ret = (struct rt_heterogeneity){
            .tau2_dl = none, .q = none, .q_p = none, .i2_percent = none, .tau2_reml = none};
    }
    return homogeneity(slice, &block, ret);
}

// ---- labs left out

static enum rt_status add_without(const struct rt_slice *slice, const bool *labs, uint32_t lab,
                                  const char *label, struct rt_report_part *part)
{
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_estimate estimate;
    filter.labs = labs;
    enum rt_status status = rt_estimate_make(slice, &filter, &estimate);
    if (status)
        return status;
    if (!label)
        return RT_NO_MEMORY;
    part->without[part->without_count++] =
        (struct rt_without){.label = label,
                            .lab = lab,
                            .labs = estimate.labs,
                            .mean = estimate.mean,
                            .this_bench = estimate.this_bench,
                            .tau = estimate.tau,
                            .tau_interval = estimate.tau_interval};
    return RT_OK;
}

enum group { QUARANTINED, LATE, ODD, NOT_HASHED };

static bool in_group(const struct rt_slice *slice, const struct rt_report_part *part, size_t lab,
                     enum group group)
{
    const struct rt_study_lab *it = &slice->study->labs[lab];
    switch (group) {
    case QUARANTINED:
        return it->quarantined;
    case LATE:
        return it->late;
    case ODD:
        return part->labs[lab].odd;
    case NOT_HASHED:
        return *part->labs[lab].identity && strcmp(part->labs[lab].identity, "hashed") != 0;
    }
    return false;
}

static enum rt_status without_group(const struct rt_slice *slice, enum group group,
                                    struct rt_report_part *part)
{
    static const char *const labels[] = {"without quarantined labs", "without late labs",
                                         "without all odd labs",
                                         "without labs whose weights are not hashed"};
    bool *labs = rt_arena_array(slice->arena, slice->labs, sizeof *labs);
    size_t left_out = 0, compared = 0;
    if (!labs)
        return RT_NO_MEMORY;
    for (size_t l = 0; l < slice->labs; l++) {
        labs[l] = !in_group(slice, part, l, group);
        left_out += slice->compared[l] && !labs[l];
        compared += slice->compared[l];
    }
    // One odd lab has its own line already.
    if (left_out < (group == ODD ? 2u : 1u) || left_out >= compared)
        return RT_OK;
    return add_without(slice, labs, RT_STUDY_NONE, labels[group], part);
}

enum rt_status rt_without_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    bool *labs = rt_arena_array(slice->arena, slice->labs, sizeof *labs);
    part->without = rt_arena_array(slice->arena, slice->labs + 6, sizeof *part->without);
    if (!labs || !part->without)
        return RT_NO_MEMORY;
    size_t compared = 0;
    for (size_t l = 0; l < slice->labs; l++)
        compared += slice->compared[l];
    enum rt_status status = add_without(slice, NULL, RT_STUDY_NONE, "all labs", part);
    if (!status && slice->study->repeats_known && part->repeated) {
        struct rt_slice once = *slice;
        once.counts = slice->distinct;
        status = add_without(&once, NULL, RT_STUDY_NONE, "identical outputs counted once", part);
    }
    for (enum group group = QUARANTINED; group <= NOT_HASHED && !status; group++)
        status = without_group(slice, group, part);
    for (uint32_t l = 0; l < slice->labs && compared > 1 && !status; l++) {
        if (!slice->compared[l])
            continue;
        for (size_t i = 0; i < slice->labs; i++)
            labs[i] = i != l;
        status = add_without(slice, labs, l,
                             rt_arena_printf(slice->arena, "without %s", slice->study->labs[l].id),
                             part);
    }
    return status;
}
