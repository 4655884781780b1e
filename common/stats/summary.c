// SPDX-License-Identifier: Apache-2.0
#include "common/stats/summary.h"

#include <string.h>

double rt_summary_mean(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 1; i < count; i++)
        sum += values[i] - values[0];
    return values[0] + sum / (double)count;
}

double rt_summary_squares(const double *values, size_t count, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sum;
}

// Doubles of one sign are ordered as their bit patterns are.
static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double rt_bisect(double low, double high, bool (*below)(double x, const void *context),
                 const void *context)
{
    if (below(high, context))
        return high;
    uint64_t from = bits_of(low == 0 ? 0 : low);
    uint64_t to = bits_of(high);
    while (to - from > 1) {
        uint64_t middle = from + (to - from) / 2;
        if (below(double_of(middle), context))
            from = middle;
        else
            to = middle;
    }
    return double_of(from);
}
