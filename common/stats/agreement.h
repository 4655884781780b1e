// SPDX-License-Identifier: Apache-2.0
// Chance-corrected agreement of several raters or labs on units: Krippendorff's alpha, Gwet's
// AC1/AC2, Fleiss' kappa, Brennan-Prediger and percent agreement, from counts of ratings per unit
// and category (STATISTICS 3.8). Pure; no allocation; safe from any thread.
#ifndef RT_STATS_AGREEMENT_H
#define RT_STATS_AGREEMENT_H

#include "common/stats/metric.h"
#include "common/stats/value.h"

// counts[unit * categories + c]: how many raters put the unit in category c. scores: one number per
// declared category, ascending (NULL: 0, 1, 2 ...); used by every metric and weight but the nominal
// one. Borrowed.
struct rt_ratings {
    const uint32_t *counts;
    const double *scores;
    size_t units;
    size_t categories; // declared ones, 2 .. RT_CATEGORIES_MAX
};

enum rt_weight { RT_WEIGHT_IDENTITY, RT_WEIGHT_LINEAR, RT_WEIGHT_QUADRATIC };
enum rt_coefficient_kind { RT_GWET_AC, RT_FLEISS_KAPPA, RT_BRENNAN_PREDIGER };

// Krippendorff (2011). no_pairable_values, or no_variation where all pairable values are one
// category.
struct rt_value rt_krippendorff_alpha(const struct rt_ratings *ratings, enum rt_metric metric);

// Units with equal counts under one number: labs agree in few ways, however many conditions there
// are, so a resample is how often each way was drawn.
struct rt_rating_patterns {
    const struct rt_ratings *ratings;
    size_t *of;      // by unit: its pattern
    size_t *example; // by pattern, in the units' order: the first unit that has it
    uint64_t *drawn; // by pattern: workspace
    size_t count;
};
// The caller lends arrays of ratings->units entries each, and keeps them and ratings as long as
// ret.
void rt_rating_patterns(const struct rt_ratings *ratings, size_t *of, size_t *example,
                        uint64_t *drawn, struct rt_rating_patterns *ret);
// Alpha over drawn units (places, possibly repeated), for resampling. Writes patterns->drawn.
struct rt_value rt_krippendorff_alpha_of(const struct rt_rating_patterns *patterns,
                                         enum rt_metric metric, const size_t *drawn, size_t count);

// Standard error, leaving out one unit in turn, every declared unit counted; no random numbers.
struct rt_value rt_krippendorff_jackknife(const struct rt_ratings *ratings, enum rt_metric metric);

struct rt_coefficient {
    struct rt_value estimate;
    struct rt_value se;
    struct rt_interval interval; // estimate +- t(n - 1) se, upper clipped at 1
    struct rt_value observed;    // pa: percent agreement as a share, weighted
    struct rt_value expected;    // pe
    size_t units;                // rated at least once
    size_t units_pairable;       // rated at least twice
};

// Gwet (2008, 2014). confidence as in interval.h.
void rt_agreement_coefficient(const struct rt_ratings *ratings, enum rt_coefficient_kind kind,
                              enum rt_weight weight, double confidence, struct rt_coefficient *ret);
struct rt_value rt_percent_agreement(const struct rt_ratings *ratings);

// A lab's verdict on one cell at a threshold in micro-units (500000 = 0.5), decided on integers: 1
// above, 0 below, -1 (missing) exactly on it or without trials.
int rt_verdict_binary(struct rt_counts counts, uint32_t threshold_micro);
// The lower median category of ordinal counts; -1 without trials.
int rt_verdict_ordinal(const uint64_t *counts, size_t categories);

struct rt_verdicts {
    size_t ties;     // cells exactly on the threshold
    size_t verdicts; // cells with a verdict
    size_t minority; // verdicts in the rarer of the two categories
};
// Verdicts of every cell as ratings of conditions by labs: ret_counts has table->conditions * 2
// entries (category 0: below, 1: above).
void rt_verdicts_binary(const struct rt_count_table *table, uint32_t threshold_micro,
                        uint32_t *ret_counts, struct rt_verdicts *ret);

#endif
