// SPDX-License-Identifier: Apache-2.0
// Repeatability and reproducibility of one condition measured by several labs: ISO 5725-2 / ASTM
// E691, with Mandel's h and k, Cochran's C and Grubbs' G (STATISTICS 3.2). Works on any score
// through its per-lab n, mean and sum of squared deviations. Never drops a lab. Pure; no
// allocation; safe from any thread.
#ifndef RT_STATS_PRECISION_H
#define RT_STATS_PRECISION_H

#include "common/stats/value.h"

// One lab's results in one condition: m2 is the sum of (y - mean)^2. n = 0 means the lab is
// missing.
struct rt_sample {
    uint64_t n;
    double mean;
    double m2;
};

// From 0/1 counts: mean k/n, m2 = k(n-k)/n from exact integers.
struct rt_sample rt_sample_binary(struct rt_counts counts);
// From counts per category with integer scores 0 .. categories - 1.
struct rt_sample rt_sample_ordinal(const uint64_t *counts, size_t categories);
// From the values themselves (two passes).
struct rt_sample rt_sample_values(const double *values, size_t count);
// Both samples together (Chan, Golub and LeVeque).
struct rt_sample rt_sample_merge(struct rt_sample a, struct rt_sample b);

struct rt_precision {
    size_t labs;          // with n >= 1
    uint64_t trials;      // N
    struct rt_value mean; // weighted by n
    struct rt_value mean_of_labs;
    struct rt_value sd_of_labs; // s_xbar
    struct rt_value s_r;        // repeatability standard deviation
    struct rt_value s_l2_raw;   // between-lab variance, may be negative
    struct rt_value s_l;        // sqrt(max(0, raw)); note tells whether it was truncated
    struct rt_value s_rr;       // s_R, reproducibility standard deviation
    struct rt_value limit_r;    // 2.8 s_r
    struct rt_value limit_rr;   // 2.8 s_R
    struct rt_value n_bar;
    struct rt_value f;   // s_d^2 / s_r^2 on (L - 1, N - L)
    struct rt_value f_p; // upper tail
    struct rt_value icc; // raw s_L^2 / (s_r^2 + raw s_L^2)
    enum rt_reason note; // RT_REASON_TRUNCATED_AT_ZERO or NONE
};

// One lab against the rest. Undefined values carry their reason (no_trials, single_trial,
// zero_between_spread ...).
struct rt_lab_precision {
    struct rt_value mean;
    struct rt_value sd;
    struct rt_value h;
    struct rt_value k;
};

// samples: one per lab, count of them, missing ones with n = 0. ret_labs: count entries, may be
// NULL.
void rt_precision(const struct rt_sample *samples, size_t count, struct rt_precision *ret,
                  struct rt_lab_precision *ret_labs);
// The same on 0/1 cells, one per lab.
void rt_precision_binary(const struct rt_counts *labs, size_t count, struct rt_precision *ret,
                         struct rt_lab_precision *ret_labs);

// Only the two variances of a condition of 0/1 cells, the same bits as above without the F test,
// which costs a hundred times as much. Reasons as above.
struct rt_variances {
    struct rt_value s_r;
    struct rt_value s_l2_raw;
};
void rt_variances_binary(const struct rt_counts *labs, size_t count, struct rt_variances *ret);

// Critical values. Two-sided for h, one-sided for k (alpha each).
struct rt_value rt_mandel_h_critical(size_t labs, double alpha);
struct rt_value rt_mandel_k_critical(size_t labs, uint64_t n, double alpha);
struct rt_value rt_cochran_critical(size_t labs, uint64_t n, double alpha);
struct rt_value rt_grubbs_critical(size_t labs, double alpha); // two-sided

struct rt_cochran {
    struct rt_value c; // largest variance over the sum of variances; equal n >= 2 only
    struct rt_value p;
    size_t lab; // the first lab with the largest variance
};
void rt_cochran(const struct rt_sample *samples, size_t count, struct rt_cochran *ret);

struct rt_grubbs {
    struct rt_value g_high;
    struct rt_value g_low;
    struct rt_value p; // two-sided, of the larger of the two
    size_t lab_high;
    size_t lab_low;
};
void rt_grubbs(const struct rt_sample *samples, size_t count, struct rt_grubbs *ret);

#endif
