// SPDX-License-Identifier: Apache-2.0
// Do labs order and scale conditions alike, how far do trials of one lab and of two disagree, and
// how overdispersed are labs (STATISTICS 3.4, 3.5, 3.9).
#include "common/report/parts.h"

static enum rt_status matrix(const struct rt_slice *slice, const struct rt_block *block,
                             struct rt_reliability *ret)
{
    double *sums = rt_arena_array(slice->arena, block->conditions + 1, sizeof *sums);
    size_t *order = rt_arena_array(slice->arena, block->conditions + 1, sizeof *order);
    if (!sums || !order)
        return RT_NO_MEMORY;
    ret->conditions = block->conditions;
    ret->labs = block->labs;
    rt_icc(block->y, block->conditions, block->labs, slice->study->plan.confidence, &ret->icc);
    rt_kendall_w(block->y, block->conditions, block->labs, sums, order, &ret->kendall);
    return RT_OK;
}

static enum rt_status disagreement(const struct rt_slice *slice, const struct rt_block *block,
                                   struct rt_reliability *ret)
{
    size_t cells = block->rows * block->labs;
    uint64_t *behaviour = rt_arena_array(slice->arena, cells * 2 + 1, sizeof *behaviour);
    uint64_t *severity = rt_arena_array(slice->arena, cells * RT_SEVERITIES + 1, sizeof *severity);
    if (!behaviour || !severity)
        return RT_NO_MEMORY;
    for (size_t r = 0; r < block->rows; r++)
        for (size_t l = 0; l < block->labs; l++) {
            size_t cell = r * block->labs + l;
            size_t entry = rt_slice_place(slice, block->row_at[r]) * slice->labs + block->lab[l];
            struct rt_counts own = slice->independent[entry];
            behaviour[cell * 2] = own.n - own.k;
            behaviour[cell * 2 + 1] = own.k;
            for (size_t s = 0; s < RT_SEVERITIES; s++)
                severity[cell * RT_SEVERITIES + s] = slice->severities[entry * RT_SEVERITIES + s];
        }
    struct rt_category_table table = {behaviour, NULL, block->rows, block->labs, 2};
    rt_disagreement(&table, RT_METRIC_NOMINAL, &ret->behaviour);
    table.counts = severity;
    table.categories = RT_SEVERITIES;
    rt_disagreement(&table, RT_METRIC_ORDINAL, &ret->severity);
    return RT_OK;
}

static enum rt_status overdispersion(const struct rt_slice *slice, const struct rt_block *block,
                                     struct rt_reliability *ret)
{
    struct rt_counts *labs = rt_arena_array(slice->arena, block->labs + 1, sizeof *labs);
    if (!labs)
        return RT_NO_MEMORY;
    for (size_t c = 0; c < block->conditions; c++)
        for (size_t l = 0; l < block->labs; l++) {
            size_t entry = rt_slice_place(slice, block->at[c]) * slice->labs + block->lab[l];
            labs[l].n += slice->independent[entry].n;
            labs[l].k += slice->independent[entry].k;
        }
    rt_beta_binomial(labs, block->labs, &ret->beta_binomial);
    return RT_OK;
}

// What counts trials in categories says nothing of scores.
static void without_categories(struct rt_reliability *ret)
{
    struct rt_value none = rt_undefined(RT_REASON_NOT_BINARY);
    ret->behaviour = ret->severity = (struct rt_disagreement){.within = none,
                                                              .between = none,
                                                              .expected = none,
                                                              .alpha_within = none,
                                                              .alpha_between = none,
                                                              .alpha_trials = none};
    ret->beta_binomial = (struct rt_beta_binomial){.mu = none, .rho = none, .loglik = none};
}

enum rt_status rt_reliability_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    struct rt_filter filter = RT_FILTER_ALL;
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (!status)
        status = matrix(slice, &block, &part->reliability);
    if (slice->study->scores) {
        without_categories(&part->reliability);
        return status;
    }
    if (!status)
        status = disagreement(slice, &block, &part->reliability);
    return status ? status : overdispersion(slice, &block, &part->reliability);
}
