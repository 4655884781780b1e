// SPDX-License-Identifier: Apache-2.0
// Rates and their intervals (STATISTICS 3.1, 3.14) and the t interval of a mean. Pure functions of
// counts; no allocation; safe from any thread. confidence is the two-sided level, in (0, 1), 0.95
// for 95 %.
#ifndef RT_STATS_INTERVAL_H
#define RT_STATS_INTERVAL_H

#include "common/stats/value.h"

// k/n; undefined (no_trials) where n = 0, as is every interval below but the confidence sequence.
struct rt_value rt_rate(struct rt_counts counts);

// Wilson (1927) score interval. Lower is exactly 0 where k = 0, upper exactly 1 where k = n.
struct rt_interval rt_interval_wilson(struct rt_counts counts, double confidence);
// Clopper and Pearson (1934), exact; closed form at k = 0 and k = n.
struct rt_interval rt_interval_clopper_pearson(struct rt_counts counts, double confidence);
// Quantiles of Beta(k + 1/2, n - k + 1/2), with 0 and 1 at the ends (Brown, Cai and DasGupta 2001).
struct rt_interval rt_interval_jeffreys(struct rt_counts counts, double confidence);

// The two extreme rates missing trials allow: none of them events, all of them events. n + missing
// = 0: no_trials.
struct rt_interval rt_interval_missing(struct rt_counts counts, uint64_t missing);

// a/n_a - b/n_b and Newcombe's (1998) method 10 interval for it.
struct rt_value rt_rate_difference(struct rt_counts a, struct rt_counts b);
struct rt_interval rt_interval_rate_difference(struct rt_counts a, struct rt_counts b,
                                               double confidence);
// Two one-sided tests: the interval at level 1 - 2 alpha lies strictly inside (-margin, margin).
bool rt_interval_equivalent(struct rt_interval interval, double margin);

// Plain mean; undefined (no_trials) where count is 0.
struct rt_value rt_mean(const double *values, size_t count);
// Sample standard deviation (divisor count - 1); undefined (single_level) where count < 2.
struct rt_value rt_sd(const double *values, size_t count);
// mean +- t(count - 1) sd / sqrt(count): "scenarios like these" on scenario means. Undefined
// (single_level) where count < 2. Not clamped: rt_interval_clamp does that.
struct rt_interval rt_interval_mean_t(const double *values, size_t count, double confidence);
// Both limits moved into [lowest, highest]; *ret_clamped (may be NULL) tells whether one moved.
struct rt_interval rt_interval_clamp(struct rt_interval interval, double lowest, double highest,
                                     bool *ret_clamped);

// Robbins mixture confidence sequence with Beta(a, b) prior, valid under any stopping rule: covers
// at every n at once with probability 1 - alpha. n = 0 gives [0, 1].
struct rt_interval rt_interval_sequence(struct rt_counts counts, double a, double b, double alpha);

#endif
