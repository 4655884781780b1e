// SPDX-License-Identifier: Apache-2.0
// How much one factor (phrasing, temperature, lab) moves the rate with everything else held fixed,
// with and without the noise of counting, and the margins of a table (STATISTICS 3.11). Working
// memory comes from the caller's arena. Pure; safe from any thread on different arenas.
#ifndef RT_STATS_SENSITIVITY_H
#define RT_STATS_SENSITIVITY_H

#include "common/stats/factor.h"
#include "common/stats/value.h"

struct rt_sensitivity {
    size_t blocks;               // all other factors fixed, two levels or more with trials
    struct rt_value mean_spread; // of max - min; biased upwards by noise, never a headline
    struct rt_value max_spread;
    struct rt_value mean_abs_difference; // over pairs within a block, then over blocks
    struct rt_value rms_sd;
    struct rt_value corrected_variance; // noise removed; may be negative; no_replicates if a used
                                        // cell has n < 2
    struct rt_value corrected_sd;
};

// counts: one per cell of table. factor: its number. single_level where there is no block.
enum rt_status rt_sensitivity(const struct rt_factor_table *table, const struct rt_counts *counts,
                              size_t factor, struct rt_arena *arena,
                              struct rt_sensitivity *ret) RT_WARN_UNUSED;

struct rt_level_margin {
    struct rt_counts counts;
    size_t cells; // with trials
    struct rt_value pooled_rate;
    struct rt_value cell_mean_rate; // primary where unbalanced
    struct rt_value repeatability;  // sum k(n-k)/n / sum (n-1) over cells with n >= 2
};

// One margin per level of factor: ret has levels entries, level codes are below levels.
void rt_margins(const struct rt_factor_table *table, const struct rt_counts *counts, size_t factor,
                size_t levels, struct rt_level_margin *ret);

#endif
