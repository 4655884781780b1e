// SPDX-License-Identifier: Apache-2.0
#include "common/stats/oddlab.h"

#include <math.h>
#include <string.h>

#include "common/stats/special.h"
#include "common/stats/summary.h"

#define ALGORITHM_A_STEPS_MAX 10000

static double middle(const double *sorted, size_t count)
{
    double high = sorted[count / 2];
    return count % 2 ? high : sorted[count / 2 - 1] + (high - sorted[count / 2 - 1]) / 2;
}

struct rt_value rt_median(const double *values, size_t count, double *workspace)
{
    if (count == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    memcpy(workspace, values, count * sizeof *values);
    rt_sort_doubles(workspace, count);
    return rt_value(middle(workspace, count));
}

void rt_algorithm_a(const double *values, size_t count, double *workspace, struct rt_robust *ret)
{
    struct rt_value few = rt_undefined(RT_REASON_FEWER_THAN_3_LABS);
    *ret = (struct rt_robust){few, few, few};
    if (count < 3)
        return;
    double centre = rt_median(values, count, workspace).number;
    for (size_t i = 0; i < count; i++)
        workspace[i] = fabs(values[i] - centre);
    rt_sort_doubles(workspace, count);
    double spread = 1.483 * middle(workspace, count);
    ret->mean = rt_value(centre);
    ret->sd = ret->uncertainty = rt_undefined(RT_REASON_ZERO_MAD);
    if (!(spread > 0))
        return;
    for (int step = 0; step < ALGORITHM_A_STEPS_MAX; step++) {
        double reach = 1.5 * spread;
        for (size_t i = 0; i < count; i++)
            workspace[i] = fmin(fmax(values[i], centre - reach), centre + reach);
        double mean = rt_summary_mean(workspace, count);
        double squares = rt_summary_squares(workspace, count, mean);
        double sd = 1.134 * sqrt(squares / (double)(count - 1));
        bool still =
            fabs(mean - centre) <= 1e-14 * fmax(fabs(mean), sd) && fabs(sd - spread) <= 1e-14 * sd;
        centre = mean;
        spread = sd;
        if (still)
            break;
    }
    ret->mean = rt_value(centre);
    ret->sd = rt_value(spread);
    ret->uncertainty = rt_value(1.25 * spread / sqrt((double)count));
}

struct rt_value rt_robust_z(double value, const struct rt_robust *robust)
{
    if (!rt_value_ok(robust->mean))
        return robust->mean;
    if (!rt_value_ok(robust->sd))
        return robust->sd;
    return rt_value((value - robust->mean.number) / robust->sd.number);
}

struct rt_value rt_z_prime(double value, const struct rt_robust *robust, double sigma_pt)
{
    if (!rt_value_ok(robust->mean))
        return robust->mean;
    if (!(sigma_pt > 0))
        return rt_undefined(RT_REASON_ZERO_BETWEEN_SPREAD);
    double u = rt_value_or(robust->uncertainty, 0);
    return rt_value((value - robust->mean.number) / sqrt(sigma_pt * sigma_pt + u * u));
}

void rt_adjust_holm(const double *p, size_t count, size_t *workspace, double *ret)
{
    double largest = 0;
    rt_sort_order(p, 1, count, workspace);
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, (double)(count - i) * p[workspace[i]]);
        ret[workspace[i]] = fmin(1, largest);
    }
}

void rt_adjust_benjamini_hochberg(const double *p, size_t count, size_t *workspace, double *ret)
{
    double smallest = 1;
    rt_sort_order(p, 1, count, workspace);
    for (size_t i = count; i-- > 0;) {
        smallest = fmin(smallest, (double)count / (double)(i + 1) * p[workspace[i]]);
        ret[workspace[i]] = smallest;
    }
}

double rt_z_p(double z)
{
    return fmin(1, 2 * rt_normal_cdf(fabs(z)).upper);
}
