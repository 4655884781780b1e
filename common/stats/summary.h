// SPDX-License-Identifier: Apache-2.0
// What the other files share: exact products of counts, means that are exact on equal values, and
// bisection to adjacent doubles. Pure; no allocation; safe from any thread.
#ifndef RT_STATS_SUMMARY_H
#define RT_STATS_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/stats/value.h"

// a * b rounded once.
static inline double rt_product(uint64_t a, uint64_t b)
{
    return (double)((unsigned __int128)a * b);
}

// k / n, n > 0.
static inline double rt_rate_of(struct rt_counts counts)
{
    return (double)counts.k / (double)counts.n;
}

// Plain mean, count >= 1; equal values give exactly that value (summed as differences from the
// first).
double rt_summary_mean(const double *values, size_t count);
// Sum of squared deviations from mean.
double rt_summary_squares(const double *values, size_t count, double mean);

// Ascending, in place; qsort may allocate behind the caller's back, this never does.
void rt_sort_doubles(double *values, size_t count);
// ret_order: the places of values[place * stride] in ascending order, equal ones in the order
// given.
void rt_sort_order(const double *values, size_t stride, size_t count, size_t *ret_order);

// The largest double x in [low, high] with below(x, context), which must be true at low and change
// to false at most once; low and high are 0 or above. Ends at adjacent doubles.
double rt_bisect(double low, double high, bool (*below)(double x, const void *context),
                 const void *context);

// Two-sided tail from the level: (1 - confidence) / 2.
static inline double rt_tail(double confidence)
{
    return (1 - confidence) / 2;
}

#endif
