// SPDX-License-Identifier: Apache-2.0
// One condition on an ordinal scale, several labs: exceedance shares, ordinal dispersion and its
// split between and within labs (ORDANOVA, Gadrich and Bashkansky 2012), Kruskal-Wallis,
// superiority of one lab over the rest and Pearson's X^2 (STATISTICS 3.12). Pure; no allocation;
// safe from any thread.
#ifndef RT_STATS_ORDINAL_H
#define RT_STATS_ORDINAL_H

#include "common/stats/metric.h"
#include "common/stats/value.h"

// counts[lab * categories + category], categories in ascending order, 2 .. RT_CATEGORIES_MAX. A lab
// without trials is missing. Borrowed.
struct rt_ordinal_labs {
    const uint64_t *counts;
    size_t labs;
    size_t categories;
};

// Share of one lab's trials at or above threshold; h^2 = 4/(K-1) sum F(1-F), 0 for one category, 1
// for halves at the ends.
struct rt_value rt_ordinal_exceedance(const uint64_t *counts, size_t categories, size_t threshold);
struct rt_value rt_ordinal_dispersion(const uint64_t *counts, size_t categories);

struct rt_ordinal {
    size_t labs;
    uint64_t trials;
    struct rt_value total; // dispersion of all trials together
    struct rt_value within;
    struct rt_value between;
    struct rt_value between_share; // no_variation where total is 0
    struct rt_value kruskal_h;     // tie-corrected
    struct rt_value kruskal_p;
    struct rt_value chi2; // labs by used categories
    uint64_t chi2_df;
    struct rt_value chi2_p;
};
void rt_ordinal(const struct rt_ordinal_labs *labs, struct rt_ordinal *ret);

// P(a trial of lab is above one of the other labs together) + half the share of ties.
struct rt_value rt_ordinal_superiority(const struct rt_ordinal_labs *labs, size_t lab);

#endif
