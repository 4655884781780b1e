// SPDX-License-Identifier: Apache-2.0
// Bootstrap intervals anyone can recompute: scenarios as clusters for agreement inside and between
// labs, conditions for alpha (STATISTICS 7). Trials are never resampled.
#include "common/report/parts.h"
#include "common/stats/bootstrap.h"

// A table that came without a plan is explored with the usual number of replicates.
static size_t replicates_of(const struct rt_study_plan *plan)
{
    return plan->bootstrap || plan->registered ? plan->bootstrap : RT_BOOTSTRAP_REPLICATES;
}

struct space {
    size_t *drawn;
    double *values;
};

static enum rt_status over_scenarios(const struct rt_slice *slice, const struct rt_block *block,
                                     struct rt_bootstrap_plan plan, struct space space,
                                     struct rt_resampled *ret)
{
    const struct rt_study *study = slice->study;
    size_t *clusters = rt_arena_array(slice->arena, block->rows + 1, sizeof *clusters);
    size_t *number = rt_arena_array(slice->arena, study->scenario_count, sizeof *number);
    struct rt_accord_cluster *sums =
        rt_arena_array(slice->arena, study->scenario_count, sizeof *sums);
    if (!clusters || !number || !sums)
        return RT_NO_MEMORY;
    for (size_t r = 0; r < block->rows; r++) {
        uint32_t scenario = block->row_at[r].scenario;
        if (!number[scenario])
            number[scenario] = ++ret->scenarios;
        clusters[r] = number[scenario] - 1;
    }
    struct rt_count_table table = {block->cells, block->rows, block->labs};
    rt_accord_clusters(&table, clusters, ret->scenarios, sums);
    plan.stream = rt_bootstrap_stream("scenarios");
    rt_bootstrap_run(&plan, ret->scenarios, rt_bootstrap_accordance, sums, space.drawn,
                     space.values, &ret->accordance);
    rt_bootstrap_run(&plan, ret->scenarios, rt_bootstrap_concordance, sums, space.drawn,
                     space.values, &ret->concordance);
    rt_bootstrap_run(&plan, ret->scenarios, rt_bootstrap_odds_ratio, sums, space.drawn,
                     space.values, &ret->odds_ratio);
    return RT_OK;
}

static enum rt_status over_conditions(const struct rt_slice *slice, const struct rt_block *block,
                                      struct rt_bootstrap_plan plan, struct space space,
                                      struct rt_resampled *ret)
{
    uint32_t *counts = rt_arena_array(slice->arena, block->rows * 2 + 1, sizeof *counts);
    size_t *of = rt_arena_array(slice->arena, block->rows * 2 + 1, sizeof *of);
    uint64_t *drawn = rt_arena_array(slice->arena, block->rows + 1, sizeof *drawn);
    if (!counts || !of || !drawn)
        return RT_NO_MEMORY;
    struct rt_count_table table = {block->cells, block->rows, block->labs};
    struct rt_verdicts verdicts;
    rt_verdicts_binary(&table, slice->study->plan.verdict_threshold_micro, counts, &verdicts);
    struct rt_ratings ratings = {.counts = counts, .units = block->rows, .categories = 2};
    struct rt_rating_patterns patterns;
    rt_rating_patterns(&ratings, of, of + block->rows, drawn, &patterns);
    struct rt_bootstrap_alpha alpha = {&patterns, RT_METRIC_NOMINAL};
    plan.stream = rt_bootstrap_stream("units");
    ret->units = block->rows;
    rt_bootstrap_run(&plan, block->rows, rt_bootstrap_alpha, &alpha, space.drawn, space.values,
                     &ret->alpha);
    return RT_OK;
}

enum rt_status rt_resampled_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study_plan *registered = &slice->study->plan;
    struct rt_resampled *ret = &part->resampled;
    bool scores = slice->study->scores;
    const struct rt_bootstrap none = {
        rt_interval_undefined(scores ? RT_REASON_NOT_BINARY : RT_REASON_NOT_REGISTERED), 0};
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    ret->replicates = scores ? 0 : replicates_of(registered);
    ret->seed = registered->bootstrap_seed;
    ret->accordance = ret->concordance = ret->odds_ratio = ret->alpha = none;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status || !ret->replicates || !block.rows)
        return status;
    struct rt_bootstrap_plan plan = {
        .seed = ret->seed, .replicates = ret->replicates, .confidence = registered->confidence};
    struct space space = {rt_arena_array(slice->arena, block.rows, sizeof *space.drawn),
                          rt_arena_array(slice->arena, plan.replicates, sizeof *space.values)};
    if (!space.drawn || !space.values)
        return RT_NO_MEMORY;
    status = over_scenarios(slice, &block, plan, space, ret);
    if (!status && part->agreement.shown)
        status = over_conditions(slice, &block, plan, space, ret);
    return status;
}
