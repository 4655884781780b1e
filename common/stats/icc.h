// SPDX-License-Identifier: Apache-2.0
// Do labs order and scale conditions alike: two-way intraclass correlations ICC(A,1) and ICC(C,1)
// with their intervals (McGraw and Wong 1996) and Kendall's W, on a complete matrix of conditions
// by labs (STATISTICS 3.9). Pure; the caller lends the workspace; safe from any thread.
#ifndef RT_STATS_ICC_H
#define RT_STATS_ICC_H

#include "common/stats/value.h"

struct rt_icc {
    struct rt_value msr; // mean squares of conditions, labs and the residual
    struct rt_value msc;
    struct rt_value mse;
    struct rt_value a1; // absolute agreement
    struct rt_value c1; // consistency
    struct rt_interval a1_interval;
    struct rt_interval c1_interval;
};

// values[unit * labs + lab]. single_level with fewer than two units, single_lab with fewer than two
// labs, no_variation where everything is equal; the intervals are zero_residual where mse is 0.
void rt_icc(const double *values, size_t units, size_t labs, double confidence, struct rt_icc *ret);

struct rt_kendall {
    struct rt_value w;
    struct rt_value chi2;
    struct rt_value p; // upper tail on units - 1
};

// sums: units doubles; order: units sizes, both overwritten. all_tied where every lab ties all
// units.
void rt_kendall_w(const double *values, size_t units, size_t labs, double *sums, size_t *order,
                  struct rt_kendall *ret);

#endif
