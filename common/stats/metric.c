// SPDX-License-Identifier: Apache-2.0
#include "common/stats/metric.h"

static double score_of(const double *scores, size_t category)
{
    return scores ? scores[category] : (double)category;
}

double rt_metric_distance(enum rt_metric metric, const double *scores, const double *marginals,
                          size_t low, size_t high)
{
    double a = score_of(scores, low), b = score_of(scores, high);
    double d = 1;
    switch (metric) {
    case RT_METRIC_NOMINAL:
        break;
    case RT_METRIC_ORDINAL:
        d = (marginals[low] + marginals[high]) / 2;
        for (size_t g = low + 1; g < high; g++)
            d += marginals[g];
        break;
    case RT_METRIC_INTERVAL:
        d = b - a;
        break;
    case RT_METRIC_RATIO:
        d = a + b != 0 ? (b - a) / (a + b) : 0;
        break;
    }
    return d * d;
}
