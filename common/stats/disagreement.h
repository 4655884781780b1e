// SPDX-License-Identifier: Apache-2.0
// Disagreement of two trials of one lab, of two labs, and by chance, on any scale with categories,
// over a whole study (STATISTICS 3.4). alpha_within and alpha_between are our own construction,
// which generalises accordance and concordance. Pure; no allocation; safe from any thread.
#ifndef RT_STATS_DISAGREEMENT_H
#define RT_STATS_DISAGREEMENT_H

#include "common/stats/metric.h"
#include "common/stats/value.h"

// Trials per category of every (unit, lab) cell, at counts[(unit * labs + lab) * categories +
// category]; a cell without trials is missing. A unit is a condition. Borrowed.
struct rt_category_table {
    const uint64_t *counts;
    const double *scores; // NULL: 0, 1, 2 ...
    size_t units;
    size_t labs;
    size_t categories; // 2 .. RT_CATEGORIES_MAX
};

struct rt_disagreement {
    struct rt_value within;   // D_w, mean over units_within
    struct rt_value between;  // D_b, mean over units_between
    struct rt_value expected; // D_e
    size_t units_within;      // units with a lab of two trials
    size_t units_between;     // units with two labs
    struct rt_value alpha_within;
    struct rt_value alpha_between;
    struct rt_value alpha_trials; // canonical alpha, all trials of a unit pairable
};

void rt_disagreement(const struct rt_category_table *table, enum rt_metric metric,
                     struct rt_disagreement *ret);

#endif
