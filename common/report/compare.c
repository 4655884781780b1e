// SPDX-License-Identifier: Apache-2.0
// Does the rate depend on phrasing or temperature? Levels are compared in pairs within scenarios;
// null pairs (one text twice) give the noise floor.
#include <math.h>
#include <stdlib.h>

#include "common/report/parts.h"
#include "common/stats/interval.h"

enum factor { BY_PHRASING, BY_TEMPERATURE };

// Mean over labs of every complete condition, looked up by place; undefined places are not known.
struct surface {
    const struct rt_slice *slice;
    double *mean;
    bool *known;
};

static enum rt_status make_surface(const struct rt_slice *slice, struct surface *ret)
{
    struct rt_block block;
    struct rt_filter filter = RT_FILTER_ALL;
    enum rt_status status = rt_block_make(slice, &filter, &block);
    if (status)
        return status;
    ret->slice = slice;
    ret->mean = rt_arena_array(slice->arena, slice->places, sizeof *ret->mean);
    ret->known = rt_arena_array(slice->arena, slice->places, sizeof *ret->known);
    if (!ret->mean || !ret->known)
        return RT_NO_MEMORY;
    for (size_t c = 0; c < block.conditions; c++) {
        size_t place = rt_slice_place(slice, block.at[c]);
        double sum = 0;
        for (size_t l = 0; l < block.labs; l++)
            sum += block.y[c * block.labs + l];
        ret->mean[place] = sum / (double)block.labs;
        ret->known[place] = true;
    }
    return RT_OK;
}

// Differences a - b, one per scenario that has both, averaged over everything else.
static size_t scenario_differences(const struct surface *surface, enum factor factor, uint32_t a,
                                   uint32_t b, double *ret)
{
    const struct rt_study *study = surface->slice->study;
    size_t others = factor == BY_PHRASING ? study->temperature_count : study->phrasing_count;
    size_t count = 0;
    for (uint32_t scenario = 0; scenario < study->scenario_count; scenario++) {
        double sum = 0, pairs = 0;
        for (uint32_t arm = 0; arm < study->arm_count; arm++)
            for (uint32_t other = 0; other < others; other++) {
                struct rt_slice_place x = {arm, scenario, a, other}, y = {arm, scenario, b, other};
                if (factor == BY_TEMPERATURE) {
                    x = (struct rt_slice_place){arm, scenario, other, a};
                    y = (struct rt_slice_place){arm, scenario, other, b};
                }
                size_t px = rt_slice_place(surface->slice, x);
                size_t py = rt_slice_place(surface->slice, y);
                if (!surface->known[px] || !surface->known[py])
                    continue;
                sum += surface->mean[px] - surface->mean[py];
                pairs++;
            }
        if (pairs > 0)
            ret[count++] = sum / pairs;
    }
    return count;
}

// The phrasing whose words these are.
static uint32_t original(const struct rt_study *study, uint32_t phrasing)
{
    for (size_t steps = 0; steps < study->phrasing_count; steps++) {
        if (study->phrasings[phrasing].same_as == RT_STUDY_NONE)
            break;
        phrasing = study->phrasings[phrasing].same_as;
    }
    return phrasing;
}

static int by_size(const void *left, const void *right)
{
    const struct rt_comparison *a = left, *b = right;
    if (a->null_pair != b->null_pair)
        return a->null_pair ? 1 : -1;
    double x = fabs(rt_value_or(a->difference, -1)), y = fabs(rt_value_or(b->difference, -1));
    if (x != y)
        return x > y ? -1 : 1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static void judge(struct rt_dependence *all)
{
    double floor = 0;
    bool has_floor = false;
    for (size_t i = 0; i < all->count; i++) {
        const struct rt_comparison *row = &all->rows[i];
        if (!row->null_pair || !rt_interval_ok(row->interval))
            continue;
        floor = fmax(floor, fmax(fabs(row->interval.lower), fabs(row->interval.upper)));
        has_floor = true;
    }
    all->noise_floor = has_floor ? rt_value(floor) : rt_undefined(RT_REASON_SINGLE_LEVEL);
    all->strongest = all->count;
    for (size_t i = all->count; i-- > 0;) {
        struct rt_comparison *row = &all->rows[i];
        row->clear = rt_interval_ok(row->interval) &&
                     (row->interval.lower > 0 || row->interval.upper < 0) &&
                     (row->null_pair || !has_floor || fabs(row->difference.number) > floor);
        if (row->clear && !row->null_pair)
            all->strongest = i;
    }
}

static enum rt_status compare(const struct surface *surface, enum factor factor, size_t levels,
                              struct rt_dependence *ret)
{
    const struct rt_study *study = surface->slice->study;
    struct rt_arena *arena = surface->slice->arena;
    struct rt_dependence all = {0};
    double *differences = rt_arena_array(arena, study->scenario_count, sizeof *differences);
    all.rows = rt_arena_array(arena, levels * levels / 2 + 1, sizeof *all.rows);
    if (!differences || !all.rows)
        return RT_NO_MEMORY;
    for (uint32_t a = 0; a < levels; a++)
        for (uint32_t b = a + 1; b < levels; b++) {
            // Temperatures read better as higher minus lower.
            bool swap = factor == BY_TEMPERATURE;
            struct rt_comparison row = {.a = swap ? b : a, .b = swap ? a : b};
            row.null_pair = factor == BY_PHRASING && original(study, a) == original(study, b);
            row.scenarios = scenario_differences(surface, factor, row.a, row.b, differences);
            if (!row.scenarios)
                continue;
            all.pairs += !row.null_pair;
            all.rows[all.count++] = row;
        }
    for (size_t i = 0; i < all.count; i++) {
        struct rt_comparison *row = &all.rows[i];
        // Null pairs share the correction: an alarm about the instrument is a claim like any other.
        double error = (1 - study->plan.confidence) / (double)all.count;
        size_t count = scenario_differences(surface, factor, row->a, row->b, differences);
        row->difference = rt_mean(differences, count);
        row->interval = rt_interval_mean_t(differences, count, 1 - error);
    }
    qsort(all.rows, all.count, sizeof *all.rows, by_size);
    judge(&all);
    *ret = all;
    return RT_OK;
}

enum rt_status rt_dependence_make(const struct rt_slice *slice, struct rt_report_part *part)
{
    const struct rt_study *study = slice->study;
    struct surface surface;
    part->phrasings.noise_floor = rt_undefined(RT_REASON_SINGLE_LEVEL);
    enum rt_status status = make_surface(slice, &surface);
    if (!status && !study->phrasings_nested)
        status = compare(&surface, BY_PHRASING, study->phrasing_count, &part->phrasings);
    if (!status)
        status = compare(&surface, BY_TEMPERATURE, study->temperature_count, &part->temperatures);
    return status;
}
