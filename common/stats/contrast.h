// SPDX-License-Identifier: Apache-2.0
// What is compared between labs and between conditions: design-standardised lab rates, risk
// differences per stratum and lab, Mantel-Haenszel odds ratios and the temperature trend
// (STATISTICS 3.7). Pure; no allocation; safe from any thread.
#ifndef RT_STATS_CONTRAST_H
#define RT_STATS_CONTRAST_H

#include "common/stats/meta.h"
#include "common/stats/value.h"

// Marks the conditions in which every lab has trials: ret_common has table->conditions entries.
// Returns how many.
size_t rt_common_conditions(const struct rt_count_table *table, bool *ret_common);

// Where a standardised rate's variance comes from. At temperature 0 replicates are not independent
// trials, so the lab x condition mean square is the honest one (labs that merely answer each
// condition differently are otherwise called heterogeneous).
enum rt_rate_variance { RT_RATE_VARIANCE_POSTERIOR, RT_RATE_VARIANCE_INTERACTION };

// Design-standardised rate of every lab: y = plain mean of its cell rates over the common
// conditions (rt_common_ conditions' result), v = sum of the cells' Beta posterior variances / C^2,
// or the lab x condition mean square / C. ret_labs has table->labs entries. no_common_conditions,
// single_lab or single_level (interaction only) as reason.
enum rt_reason rt_standardised_rates(const struct rt_count_table *table, const bool *common,
                                     enum rt_rate_variance variance, struct rt_effect *ret_labs);

// Variance of a lab's mean over conditions from the lab x condition mean square: MS / conditions.
// values is conditions x labs as in rt_count_table, complete. Fewer than two of either:
// single_level.
struct rt_value rt_interaction_variance(const double *values, size_t conditions, size_t labs);

// A stratum of a contrast within one lab: the same scenario, phrasing and temperature in both arms
// (or one phrasing at two temperatures ...). Strata with either side missing are left out.
struct rt_stratum {
    struct rt_counts target;    // treatment
    struct rt_counts reference; // inert
};

// Mean over strata of p_target - p_reference, one stratum one vote; v as rt_standardised_rates'
// posterior variance, both sides added. ret_used (may be NULL): strata used. no_informative_strata
// where none has both sides.
enum rt_reason rt_risk_difference(const struct rt_stratum *strata, size_t count,
                                  struct rt_effect *ret, size_t *ret_used);

struct rt_mantel_haenszel {
    size_t strata; // with trials on both sides
    struct rt_value log_or;
    struct rt_value se;   // Robins, Breslow and Greenland (1986)
    struct rt_value chi2; // CMH without continuity correction
    struct rt_value p;
};
void rt_mantel_haenszel(const struct rt_stratum *strata, size_t count,
                        struct rt_mantel_haenszel *ret);

struct rt_trend {
    struct rt_value z;         // Cochran-Armitage, no correction
    struct rt_value p;         // two-sided
    struct rt_value intercept; // logistic regression on the dose
    struct rt_value slope;
    struct rt_value slope_se;
};
// doses: one per cell, in units of the temperature.
void rt_trend(const double *doses, const struct rt_counts *cells, size_t count,
              struct rt_trend *ret);

#endif
