// SPDX-License-Identifier: Apache-2.0
// Each scenario's own rate and effect, plain means over labs and conditions of the comparable
// block: what a later report pairs by scenario, and where one scenario carries the headline.
#include "common/report/parts.h"

// Sums of a block by scenario.
static enum rt_status sums(const struct rt_slice *slice, const struct rt_filter *filter,
                           double *ret_sum, size_t *ret_conditions, size_t *ret_labs)
{
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, filter, &block);
    if (status)
        return status;
    for (size_t c = 0; c < block.conditions; c++) {
        double sum = 0;
        for (size_t l = 0; l < block.labs; l++)
            sum += block.y[c * block.labs + l];
        ret_sum[block.at[c].scenario] += sum;
        ret_conditions[block.at[c].scenario]++;
    }
    *ret_labs = block.labs;
    return RT_OK;
}

enum rt_status rt_scenarios_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    size_t count = study->scenario_count, labs = 0, effect_labs = 0;
    struct rt_scenarios *ret = &part->scenarios;
    double *sum = rt_arena_array(slice->arena, 2 * count, sizeof *sum);
    size_t *conditions = rt_arena_array(slice->arena, 2 * count, sizeof *conditions);
    struct rt_filter filter = RT_FILTER_ALL;
    ret->rows = rt_arena_array(slice->arena, count, sizeof *ret->rows);
    if (!sum || !conditions || !ret->rows)
        return RT_NO_MEMORY;
    enum rt_status status = sums(slice, &filter, sum, conditions, &labs);
    // The first inert arm's contrast, as the looks at labs take it.
    for (uint32_t a = 0; a < study->arm_count && filter.arm == RT_STUDY_NONE; a++)
        if (study->arms[a].role == RT_STUDY_INERT) {
            filter.arm = study->arms[a].inert_of;
            filter.reference = a;
        }
    if (!status && filter.arm != RT_STUDY_NONE)
        status = sums(slice, &filter, &sum[count], &conditions[count], &effect_labs);
    for (uint32_t s = 0; s < count && !status; s++) {
        if (!conditions[s])
            continue;
        struct rt_value none = rt_undefined(RT_REASON_NO_COMMON_CONDITIONS);
        bool effect = conditions[count + s] > 0;
        ret->rows[ret->count++] = (struct rt_scenario_row){
            s, conditions[s], rt_value(sum[s] / (double)(conditions[s] * labs)),
            effect ? rt_value(sum[count + s] / (double)(conditions[count + s] * effect_labs))
                   : none};
    }
    return status;
}
