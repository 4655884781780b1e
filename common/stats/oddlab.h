// SPDX-License-Identifier: Apache-2.0
// Labs that stand out: ISO 13528 Algorithm A and z', and the adjustment of p values for many looks
// (STATISTICS 3.15 and decision 5). Flags, never drops. Pure; the caller lends the workspace; safe
// from any thread.
#ifndef RT_STATS_ODDLAB_H
#define RT_STATS_ODDLAB_H

#include "common/stats/value.h"

struct rt_robust {
    struct rt_value mean;        // x*
    struct rt_value sd;          // s*
    struct rt_value uncertainty; // u(x*) = 1.25 s* / sqrt(count)
};

// Algorithm A to its fixed point, ISO constants. workspace: count doubles. fewer_than_3_labs or
// zero_mad; with zero_mad the mean is still defined: the median.
void rt_algorithm_a(const double *values, size_t count, double *workspace, struct rt_robust *ret);
// (value - x*) / s*.
struct rt_value rt_robust_z(double value, const struct rt_robust *robust);
// z' = (value - x*) / sqrt(sigma_pt^2 + u^2), ISO 13528 clause 9.5; sigma_pt is the preregistered
// standard deviation for the assessment of proficiency. With zero_mad u counts as 0. Undefined
// where x* is, or where sigma_pt is not above zero (zero_between_spread).
struct rt_value rt_z_prime(double value, const struct rt_robust *robust, double sigma_pt);

// The middle value (mean of the two middle ones). workspace: count doubles.
struct rt_value rt_median(const double *values, size_t count, double *workspace);

// Holm (1979) and Benjamini-Hochberg (1995) adjusted p values, in the order of p. workspace: count
// sizes.
void rt_adjust_holm(const double *p, size_t count, size_t *workspace, double *ret);
void rt_adjust_benjamini_hochberg(const double *p, size_t count, size_t *workspace, double *ret);

// Two-sided normal p value of a z score.
double rt_z_p(double z);

#endif
