// SPDX-License-Identifier: Apache-2.0
// How far apart two categories are: the squared difference functions of Krippendorff's alpha
// (STATISTICS 3.8), shared by everything that measures disagreement. Pure; safe from any thread.
#ifndef RT_STATS_METRIC_H
#define RT_STATS_METRIC_H

#include <stddef.h>

#define RT_CATEGORIES_MAX 32

enum rt_metric { RT_METRIC_NOMINAL, RT_METRIC_ORDINAL, RT_METRIC_INTERVAL, RT_METRIC_RATIO };

// delta^2 between categories low < high. scores may be NULL (0, 1, 2 ...); marginals (counts or
// shares of every category) matter to the ordinal metric alone.
double rt_metric_distance(enum rt_metric metric, const double *scores, const double *marginals,
                          size_t low, size_t high);

#endif
