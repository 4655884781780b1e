// SPDX-License-Identifier: Apache-2.0
// log and exp to about 64 bits in pairs of doubles, and whether that settles how the result rounds
// (Ziv's strategy: a caller falls back to MPFR where it does not, about once in 500). Only sums,
// products and floor of doubles, so the same bits everywhere. Pure; safe from any thread.
#ifndef RT_STATS_REAL_FAST_H
#define RT_STATS_REAL_FAST_H

#include <stdbool.h>

// A number as the sum of two doubles, |low| at most half a unit in the last place of high.
struct rt_pair {
    double high;
    double low;
};

// Bounds on |pair - function| / |function|; the derivation is in real_fast.c, and
// tests/property/stats/test_real.c holds the pairs against MPFR.
#define RT_LOG_PAIR_ERROR 0x1p-63
#define RT_EXP_PAIR_ERROR 0x1p-66

// False where x is outside what they are made for: normal positive x; x above -1, |x| from 2^-200
// to 2^1000; |x| <= 700.
bool rt_log_pair(double x, struct rt_pair *ret);
bool rt_log1p_pair(double x, struct rt_pair *ret);
// ret is the exponential divided by 2^*ret_scale; high is between 0.7 and 2.
bool rt_exp_pair(double x, struct rt_pair *ret, int *ret_scale);

// True with the correctly rounded value, or false where the pair is too close to the middle
// between two doubles to tell.
bool rt_log_fast(double x, double *ret);
bool rt_log1p_fast(double x, double *ret);
bool rt_exp_fast(double x, double *ret);

#endif
