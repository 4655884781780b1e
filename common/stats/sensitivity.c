// SPDX-License-Identifier: Apache-2.0
#include "common/stats/sensitivity.h"

#include <math.h>

#include "common/stats/summary.h"

struct totals {
    double blocks;
    double spread;
    double most;
    double pairs;
    double variance;
    double noise;
    bool repeated;
};

// One block: count rates of the cells members[].
static void add_block(const struct rt_counts *counts, const size_t *members, size_t count,
                      double *rates, struct totals *sum)
{
    double low = 1, high = 0, pairs = 0, noise = 0;
    for (size_t i = 0; i < count; i++) {
        struct rt_counts cell = counts[members[i]];
        rates[i] = rt_rate_of(cell);
        low = fmin(low, rates[i]);
        high = fmax(high, rates[i]);
        for (size_t j = 0; j < i; j++)
            pairs += fabs(rates[i] - rates[j]);
        double n = (double)cell.n;
        if (cell.n >= 2)
            noise += rt_product(cell.k, cell.n - cell.k) / (n * n) / (n - 1);
        else
            sum->repeated = false;
    }
    double levels = (double)count;
    double mean = rt_summary_mean(rates, count);
    sum->blocks++;
    sum->spread += high - low;
    sum->most = fmax(sum->most, high - low);
    sum->pairs += pairs / (levels * (levels - 1) / 2);
    sum->variance += rt_summary_squares(rates, count, mean) / (levels - 1);
    sum->noise += noise / levels;
}

static void fill(const struct totals *sum, struct rt_sensitivity *ret)
{
    struct rt_value none = rt_undefined(RT_REASON_SINGLE_LEVEL);
    *ret = (struct rt_sensitivity){(size_t)sum->blocks, none, none, none, none, none, none};
    if (sum->blocks == 0)
        return;
    double variance = sum->variance / sum->blocks;
    double corrected = variance - sum->noise / sum->blocks;
    ret->mean_spread = rt_value(sum->spread / sum->blocks);
    ret->max_spread = rt_value(sum->most);
    ret->mean_abs_difference = rt_value(sum->pairs / sum->blocks);
    ret->rms_sd = rt_value(sqrt(variance));
    ret->corrected_variance = ret->corrected_sd = rt_undefined(RT_REASON_NO_REPLICATES);
    if (sum->repeated) {
        ret->corrected_variance = rt_value(corrected);
        ret->corrected_sd = rt_value(sqrt(fmax(0, corrected)));
    }
}

enum rt_status rt_sensitivity(const struct rt_factor_table *table, const struct rt_counts *counts,
                              size_t factor, struct rt_arena *arena, struct rt_sensitivity *ret)
{
    struct rt_partition blocks;
    unsigned others = ((1u << table->factors) - 1) & ~(1u << factor);
    enum rt_status status = rt_partition(table, others, arena, &blocks);
    if (status != RT_OK)
        return status;
    // Cells with trials, block after block, each block in cell order.
    size_t *start = rt_arena_array(arena, blocks.levels + 2, sizeof *start);
    size_t *members = rt_arena_array(arena, table->cells + 1, sizeof *members);
    double *rates = rt_arena_array(arena, table->cells + 1, sizeof *rates);
    if (!start || !members || !rates)
        return RT_NO_MEMORY;
    for (size_t cell = 0; cell < table->cells; cell++)
        start[blocks.ids[cell] + 2] += counts[cell].n > 0;
    for (size_t block = 0; block < blocks.levels; block++)
        start[block + 2] += start[block + 1];
    for (size_t cell = 0; cell < table->cells; cell++)
        if (counts[cell].n > 0)
            members[start[blocks.ids[cell] + 1]++] = cell;
    struct totals sum = {.repeated = true};
    for (size_t block = 0; block < blocks.levels; block++) {
        size_t count = start[block + 1] - start[block];
        if (count >= 2)
            add_block(counts, members + start[block], count, rates, &sum);
    }
    fill(&sum, ret);
    return RT_OK;
}

static struct rt_level_margin margin_of(const struct rt_factor_table *table,
                                        const struct rt_counts *counts, size_t factor, size_t level)
{
    struct rt_level_margin ret = {0};
    double first = 0, rates = 0, within = 0, freedom = 0;
    for (size_t cell = 0; cell < table->cells; cell++) {
        struct rt_counts own = counts[cell];
        if (table->codes[cell * table->factors + factor] != level || own.n == 0)
            continue;
        ret.counts.n += own.n;
        ret.counts.k += own.k;
        if (ret.cells++ == 0)
            first = rt_rate_of(own);
        rates += rt_rate_of(own) - first;
        within += rt_product(own.k, own.n - own.k) / (double)own.n;
        freedom += (double)own.n - 1;
    }
    struct rt_value none = rt_undefined(RT_REASON_NO_TRIALS);
    ret.pooled_rate = ret.cells ? rt_value(rt_rate_of(ret.counts)) : none;
    ret.cell_mean_rate = ret.cells ? rt_value(first + rates / (double)ret.cells) : none;
    ret.repeatability = ret.cells ? rt_undefined(RT_REASON_NO_REPLICATES) : none;
    if (freedom > 0)
        ret.repeatability = rt_value(within / freedom);
    return ret;
}

void rt_margins(const struct rt_factor_table *table, const struct rt_counts *counts, size_t factor,
                size_t levels, struct rt_level_margin *ret)
{
    for (size_t level = 0; level < levels; level++)
        ret[level] = margin_of(table, counts, factor, level);
}
