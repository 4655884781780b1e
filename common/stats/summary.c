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

// Shell sort with Knuth's gaps.
static size_t first_gap(size_t count)
{
    size_t gap = 1;
    while (gap < count / 3)
        gap = 3 * gap + 1;
    return gap;
}

void rt_sort_doubles(double *values, size_t count)
{
    for (size_t gap = first_gap(count); gap > 0; gap /= 3) {
        for (size_t i = gap; i < count; i++) {
            double value = values[i];
            size_t j = i;
            for (; j >= gap && values[j - gap] > value; j -= gap)
                values[j] = values[j - gap];
            values[j] = value;
        }
    }
}

void rt_sort_order(const double *values, size_t stride, size_t count, size_t *ret_order)
{
    for (size_t i = 0; i < count; i++)
        ret_order[i] = i;
    for (size_t gap = first_gap(count); gap > 0; gap /= 3) {
        for (size_t i = gap; i < count; i++) {
            size_t own = ret_order[i], j = i;
            double value = values[own * stride];
            for (; j >= gap; j -= gap) {
                size_t other = ret_order[j - gap];
                double other_value = values[other * stride];
                if (other_value < value || (other_value == value && other < own))
                    break;
                ret_order[j] = other;
            }
            ret_order[j] = own;
        }
    }
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
