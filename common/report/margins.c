// SPDX-License-Identifier: Apache-2.0
// Rates by arm, phrasing, temperature and phrasing x temperature, and the treatment - inert
// contrasts.
#include "common/report/parts.h"

static enum rt_status fill(const struct rt_slice *slice, struct rt_filter filter,
                           struct rt_margin *ret)
{
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    *ret = (struct rt_margin){.arm = filter.arm,
                              .phrasing = filter.phrasing,
                              .temperature = filter.temperature,
                              .lab = RT_STUDY_NONE,
                              .null_twin = RT_STUDY_NONE};
    if (filter.phrasing != RT_STUDY_NONE)
        ret->null_twin = slice->study->phrasings[filter.phrasing].same_as;
    status = rt_estimate_block(slice, &filter, &block, &ret->estimate);
    if (status)
        return status;
    return rt_spread_block(slice->arena, &block, &ret->spread);
}

// Adds a line unless nothing was planned or received there.
static enum rt_status add(const struct rt_slice *slice, struct rt_filter filter,
                          struct rt_margin_list *list)
{
    enum rt_status status = fill(slice, filter, &list->rows[list->count]);
    if (status)
        return status;
    const struct rt_estimate *estimate = &list->rows[list->count].estimate;
    list->count += rt_value_ok(estimate->mean) || rt_interval_ok(estimate->missing);
    return RT_OK;
}

static enum rt_status reserve(const struct rt_slice *slice, size_t count,
                              struct rt_margin_list *ret)
{
    *ret = (struct rt_margin_list){rt_arena_array(slice->arena, count, sizeof *ret->rows), 0};
    return ret->rows ? RT_OK : RT_NO_MEMORY;
}

static enum rt_status by_phrasing(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    enum rt_status status = RT_OK;
    for (uint32_t p = 0; p < study->phrasing_count && !status; p++) {
        struct rt_filter filter = RT_FILTER_ALL;
        filter.phrasing = p;
        status = add(slice, filter, &part->by_phrasing);
        for (uint32_t t = 0; t < study->temperature_count && !status; t++) {
            filter.temperature = t;
            status = add(slice, filter, &part->grid);
        }
    }
    return status;
}

enum rt_status rt_margins_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    struct rt_margin overall;
    if (reserve(slice, study->arm_count, &part->by_arm) ||
        reserve(slice, study->phrasing_count, &part->by_phrasing) ||
        reserve(slice, study->temperature_count, &part->by_temperature) ||
        reserve(slice, study->phrasing_count * study->temperature_count, &part->grid))
        return RT_NO_MEMORY;
    enum rt_status status = fill(slice, RT_FILTER_ALL, &overall);
    part->overall = overall.estimate;
    part->spread = overall.spread;
    for (uint32_t arm = 0; arm < study->arm_count && !status; arm++) {
        struct rt_filter filter = RT_FILTER_ALL;
        filter.arm = arm;
        status = add(slice, filter, &part->by_arm);
    }
    for (uint32_t t = 0; t < study->temperature_count && !status; t++) {
        struct rt_filter filter = RT_FILTER_ALL;
        filter.temperature = t;
        status = add(slice, filter, &part->by_temperature);
    }
    // Nested phrasings mean something else in each scenario, so there is no margin over them.
    return status || study->phrasings_nested ? status : by_phrasing(slice, part);
}

// ---- contrasts

static enum rt_status contrast(const struct rt_slice *slice, struct rt_filter filter,
                               struct rt_contrast *ret)
{
    struct rt_block block;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    struct rt_contrast mine = {
        .arm = filter.arm, .reference = filter.reference, .temperature = filter.temperature};
    mine.labs = rt_arena_array(slice->arena, block.labs + 1, sizeof *mine.labs);
    mine.intervals = rt_arena_array(slice->arena, block.labs + 1, sizeof *mine.intervals);
    mine.lab = block.lab;
    if (!mine.labs || !mine.intervals)
        return RT_NO_MEMORY;
    status = rt_estimate_block(slice, &filter, &block, &mine.effect);
    if (status)
        return status;
    enum rt_reason reason = rt_block_effects(&block, slice->study, slice->arena, mine.labs);
    double target = 0, reference = 0;
    for (size_t c = 0; c < block.conditions; c++) {
        struct rt_slice_place at = block.at[c];
        at.arm = filter.reference;
        size_t place = rt_slice_place(slice, at);
        for (size_t l = 0; l < block.labs; l++) {
            size_t entry = place * slice->labs + block.lab[l];
            struct rt_counts r = slice->counts[entry];
            double own = slice->samples ? slice->samples[entry].mean : (double)r.k / (double)r.n;
            reference += own;
            target += block.y[c * block.labs + l] + own;
        }
    }
    if (reason != RT_REASON_NONE) {
        mine.target_rate = mine.reference_rate = rt_undefined(reason);
    } else {
        double cells = (double)block.conditions * (double)block.labs;
        for (size_t l = 0; l < block.labs; l++)
            mine.intervals[l] = rt_lab_interval(mine.labs[l], slice->study->plan.confidence,
                                                slice->study->scores);
        mine.target_rate = rt_value(target / cells);
        mine.reference_rate = rt_value(reference / cells);
    }
    *ret = mine;
    return RT_OK;
}

static enum rt_status add_contrasts(const struct rt_slice *slice, uint32_t inert,
                                    struct rt_contrast_list *list)
{
    const struct rt_study *study = slice->study;
    struct rt_filter filter = RT_FILTER_ALL;
    filter.arm = study->arms[inert].inert_of;
    filter.reference = inert;
    enum rt_status status = contrast(slice, filter, &list->rows[list->count]);
    if (status)
        return status;
    const struct rt_estimate *effect = &list->rows[list->count].effect;
    if (!rt_value_ok(effect->mean) && !rt_interval_ok(effect->missing))
        return RT_OK;
    size_t first = list->count++;
    for (uint32_t t = 0; t < study->temperature_count && !status; t++) {
        filter.temperature = t;
        status = contrast(slice, filter, &list->rows[list->count]);
        effect = &list->rows[list->count].effect;
        if (!status && (rt_value_ok(effect->mean) || rt_interval_ok(effect->missing)))
            list->count++;
    }
    // With one temperature the line over all of them would say the same again.
    if (list->count == first + 2)
        list->count--;
    return status;
}

enum rt_status rt_contrasts_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    size_t most = study->arm_count * (study->temperature_count + 1);
    struct rt_contrast_list *list = &part->contrasts;
    list->rows = rt_arena_array(slice->arena, most, sizeof *list->rows);
    if (!list->rows)
        return RT_NO_MEMORY;
    enum rt_status status = RT_OK;
    for (uint32_t arm = 0; arm < study->arm_count && !status; arm++)
        if (study->arms[arm].role == RT_STUDY_INERT)
            status = add_contrasts(slice, arm, list);
    return status;
}
