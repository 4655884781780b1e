// SPDX-License-Identifier: Apache-2.0
// One figure with all its intervals.
#include <math.h>

#include "common/report/parts.h"
#include "common/stats/interval.h"
#include "common/stats/precision.h"
#include "common/stats/special.h"

// Rates live in [0, 1], differences in [-1, 1].
static void clamp(struct rt_interval *interval, double lowest, bool *ret_clamped)
{
    bool moved = false;
    if (!rt_interval_ok(*interval))
        return;
    *interval = rt_interval_clamp(*interval, lowest, 1, &moved);
    *ret_clamped |= moved;
}

static struct rt_interval wider(struct rt_interval a, struct rt_interval b)
{
    if (!rt_interval_ok(a))
        return b;
    if (!rt_interval_ok(b))
        return a;
    return a.upper - a.lower >= b.upper - b.lower ? a : b;
}

static struct rt_interval reach_of(struct rt_effect lab, double confidence)
{
    double reach = rt_normal_upper((1 - confidence) / 2) * sqrt(lab.v);
    return rt_interval(lab.y - reach, lab.y + reach);
}

struct rt_interval rt_lab_interval(struct rt_effect lab, double confidence, bool scores)
{
    bool moved = false;
    struct rt_interval own = reach_of(lab, confidence);
    return scores ? own : rt_interval_clamp(own, -1, 1, &moved);
}

// One lab: no between-lab figure, and a normal interval from its sampling variance alone.
static void single_lab(const struct rt_effect *lab, double confidence, struct rt_estimate *ret)
{
    ret->mean = rt_value(lab->y);
    ret->se = rt_undefined(RT_REASON_SINGLE_LAB);
    ret->this_bench = reach_of(*lab, confidence);
    ret->prediction = rt_interval_undefined(RT_REASON_SINGLE_LAB);
    ret->tau = rt_undefined(RT_REASON_SINGLE_LAB);
    ret->tau_interval = rt_interval_undefined(RT_REASON_SINGLE_LAB);
}

static void many_labs(const struct rt_effect *labs, size_t count, double confidence,
                      struct rt_estimate *ret)
{
    struct rt_meta meta;
    rt_meta(labs, count, RT_TAU2_REML, confidence, &meta);
    ret->mean = rt_value_ok(meta.mu) ? meta.mu : ret->cell_mean;
    ret->se = meta.se_wald;
    ret->this_bench = wider(meta.hk, meta.wald);
    ret->prediction = meta.prediction;
    ret->tau = meta.tau;
    ret->tau_interval = meta.tau_profile;
}

static void undefined(enum rt_reason reason, struct rt_estimate *ret)
{
    ret->mean = ret->se = ret->cell_mean = ret->tau = rt_undefined(reason);
    ret->this_bench = ret->like_these = ret->prediction = ret->tau_interval =
        rt_interval_undefined(reason);
}

enum rt_status rt_estimate_block(const struct rt_slice *slice, const struct rt_filter *filter,
                                 const struct rt_block *block, struct rt_estimate *ret)
{
    const struct rt_study *study = slice->study;
    double confidence = study->plan.confidence;
    struct rt_estimate estimate = {
        .labs = block->labs, .conditions = block->conditions, .n = block->n, .k = block->k};
    estimate.reference_n = block->reference_n;
    estimate.reference_k = block->reference_k;
    struct rt_effect *labs = rt_arena_array(slice->arena, block->labs + 1, sizeof *labs);
    double *means = rt_arena_array(slice->arena, study->scenario_count * 2, sizeof *means);
    if (!labs || !means)
        return RT_NO_MEMORY;
    enum rt_reason reason = rt_block_effects(block, study, slice->arena, labs);
    if (reason != RT_REASON_NONE) {
        undefined(reason, &estimate);
    } else {
        double sum = 0;
        for (size_t l = 0; l < block->labs; l++)
            sum += labs[l].y;
        estimate.cell_mean = rt_value(sum / (double)block->labs);
        estimate.scenarios = rt_block_scenario_means(block, study, RT_STUDY_NONE, means,
                                                     means + study->scenario_count);
        estimate.like_these = rt_interval_mean_t(means, estimate.scenarios, confidence);
        if (block->labs == 1)
            single_lab(labs, confidence, &estimate);
        else
            many_labs(labs, block->labs, confidence, &estimate);
    }
    estimate.few_scenarios = estimate.scenarios < RT_REPORT_SCENARIOS_WARN;
    estimate.missing = rt_slice_bounds(slice, filter);
    double lowest = filter->reference == RT_STUDY_NONE ? 0 : -1;
    if (slice->samples) {
        *ret = estimate;
        return RT_OK;
    }
    clamp(&estimate.this_bench, lowest, &estimate.clamped);
    clamp(&estimate.like_these, lowest, &estimate.clamped);
    clamp(&estimate.prediction, lowest, &estimate.clamped);
    *ret = estimate;
    return RT_OK;
}

enum rt_status rt_estimate_make(const struct rt_slice *slice, const struct rt_filter *filter,
                                struct rt_estimate *ret)
{
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, filter, &block);
    if (status)
        return status;
    return rt_estimate_block(slice, filter, &block, ret);
}

// Means of variances over the rows where they are defined.
struct variance_sum {
    double within, between;
    size_t within_rows, between_rows;
};

static void add_row(const struct rt_block *block, size_t row, struct variance_sum *sum)
{
    struct rt_variances precision;
    if (block->samples) {
        struct rt_precision all;
        rt_precision(&block->samples[row * block->labs], block->labs, &all, NULL);
        precision = (struct rt_variances){all.s_r, all.s_l2_raw};
    } else {
        rt_variances_binary(&block->cells[row * block->labs], block->labs, &precision);
    }
    if (rt_value_ok(precision.s_r)) {
        sum->within += precision.s_r.number * precision.s_r.number;
        sum->within_rows++;
    }
    if (rt_value_ok(precision.s_r) && rt_value_ok(precision.s_l2_raw)) {
        sum->between += precision.s_l2_raw.number;
        sum->between_rows++;
    }
}

enum rt_status rt_spread_block(struct rt_arena *arena, const struct rt_block *block,
                               struct rt_spread *ret)
{
    (void)arena;
    struct rt_spread spread = {0};
    struct variance_sum sum = {0};
    for (size_t row = 0; row < block->rows; row++)
        add_row(block, row, &sum);
    struct rt_count_table table = {block->cells, block->samples ? 0 : block->rows, block->labs};
    rt_accord_study(&table, &spread.accord);
    if (block->samples)
        spread.accord.accordance = spread.accord.concordance = spread.accord.odds_ratio =
            rt_undefined(RT_REASON_NOT_BINARY);
    enum rt_reason none = block->rows ? RT_REASON_NO_REPLICATES : RT_REASON_NO_TRIALS;
    enum rt_reason single = block->labs < 2 ? RT_REASON_SINGLE_LAB : none;
    double within = sum.within_rows ? sum.within / (double)sum.within_rows : 0;
    double between = sum.between_rows ? sum.between / (double)sum.between_rows : 0;
    spread.truncated = between < 0;
    if (between < 0)
        between = 0;
    spread.s_r = sum.within_rows ? rt_value(sqrt(within)) : rt_undefined(none);
    spread.s_l = sum.between_rows ? rt_value(sqrt(between)) : rt_undefined(single);
    spread.s_rr = sum.between_rows ? rt_value(sqrt(within + between)) : rt_undefined(single);
    *ret = spread;
    return RT_OK;
}
