// SPDX-License-Identifier: Apache-2.0
#include "common/stats/icc.h"

#include <math.h>

#include "common/stats/special.h"
#include "common/stats/summary.h"

struct squares {
    double rows;
    double columns;
    double residual;
};

// Sums of squares about means that are exact on equal values, so that equal rows give exactly 0.
static struct squares sums_of_squares(const double *x, size_t units, size_t labs)
{
    struct squares s = {0};
    double grand = rt_summary_mean(x, units * labs);
    for (size_t l = 0; l < labs; l++) {
        double sum = 0;
        for (size_t u = 1; u < units; u++)
            sum += x[u * labs + l] - x[l];
        double gap = x[l] + sum / (double)units - grand;
        s.columns += (double)units * gap * gap;
    }
    for (size_t u = 0; u < units; u++) {
        double gap = rt_summary_mean(x + u * labs, labs) - grand;
        s.rows += (double)labs * gap * gap;
    }
    for (size_t l = 0; l < labs; l++) {
        double sum = 0;
        for (size_t u = 1; u < units; u++)
            sum += x[u * labs + l] - x[l];
        double column = x[l] + sum / (double)units - grand;
        for (size_t u = 0; u < units; u++) {
            double rest = x[u * labs + l] - rt_summary_mean(x + u * labs, labs) - column;
            s.residual += rest * rest;
        }
    }
    return s;
}

static struct rt_interval agreement_interval(const struct rt_icc *icc, double n, double k,
                                             double tail)
{
    double msr = icc->msr.number, msc = icc->msc.number, mse = icc->mse.number;
    double rho = icc->a1.number;
    double a = k * rho / (n * (1 - rho)), b = 1 + k * rho * (n - 1) / (n * (1 - rho));
    double both = a * msc + b * mse;
    double v =
        both * both / (a * msc * (a * msc) / (k - 1) + b * mse * (b * mse) / ((n - 1) * (k - 1)));
    if (!(v > 0) || !isfinite(v))
        return rt_interval_undefined(RT_REASON_NOT_FINITE);
    double low = rt_f_upper(tail, n - 1, v), high = rt_f_upper(tail, v, n - 1);
    double rest = k * msc + (k * n - k - n) * mse;
    return rt_interval(n * (msr - low * mse) / (low * rest + n * msr),
                       n * (high * msr - mse) / (rest + n * high * msr));
}

static struct rt_interval consistency_interval(const struct rt_icc *icc, double n, double k,
                                               double tail)
{
    double f = icc->msr.number / icc->mse.number;
    double within = (n - 1) * (k - 1);
    double low = f / rt_f_upper(tail, n - 1, within), high = f * rt_f_upper(tail, within, n - 1);
    return rt_interval((low - 1) / (low + k - 1), (high - 1) / (high + k - 1));
}

static void nothing(struct rt_icc *ret, enum rt_reason reason)
{
    struct rt_value none = rt_undefined(reason);
    *ret = (struct rt_icc){
        none, none, none, none, none, rt_interval_undefined(reason), rt_interval_undefined(reason)};
}

void rt_icc(const double *values, size_t units, size_t labs, double confidence, struct rt_icc *ret)
{
    nothing(ret, labs < 2 ? RT_REASON_SINGLE_LAB : RT_REASON_SINGLE_LEVEL);
    if (labs < 2 || units < 2)
        return;
    struct squares s = sums_of_squares(values, units, labs);
    double n = (double)units, k = (double)labs;
    double msr = s.rows / (n - 1), msc = s.columns / (k - 1);
    double mse = s.residual / ((n - 1) * (k - 1));
    ret->msr = rt_value(msr);
    ret->msc = rt_value(msc);
    ret->mse = rt_value(mse);
    double consistent = msr + (k - 1) * mse;
    double absolute = consistent + k / n * (msc - mse);
    enum rt_reason none = RT_REASON_NO_VARIATION;
    ret->a1 = absolute > 0 ? rt_value((msr - mse) / absolute) : rt_undefined(none);
    ret->c1 = consistent > 0 ? rt_value((msr - mse) / consistent) : rt_undefined(none);
    if (!(mse > 0)) {
        none = absolute > 0 ? RT_REASON_ZERO_RESIDUAL : RT_REASON_NO_VARIATION;
        ret->a1_interval = ret->c1_interval = rt_interval_undefined(none);
        return;
    }
    ret->a1_interval = agreement_interval(ret, n, k, rt_tail(confidence));
    ret->c1_interval = consistency_interval(ret, n, k, rt_tail(confidence));
}

// Adds twice the mid-ranks of one lab's column to sums, so that they stay whole; returns sum t^3 -
// t over ties.
static double add_ranks(const double *values, size_t units, size_t labs, size_t lab, double *sums,
                        size_t *order)
{
    double ties = 0;
    rt_sort_order(values + lab, labs, units, order);
    for (size_t from = 0, to; from < units; from = to) {
        double value = values[order[from] * labs + lab];
        for (to = from + 1; to < units && values[order[to] * labs + lab] == value; to++)
            continue;
        double t = (double)(to - from);
        ties += t * t * t - t;
        for (size_t i = from; i < to; i++)
            sums[order[i]] += (double)(from + to + 1);
    }
    return ties;
}

void rt_kendall_w(const double *values, size_t units, size_t labs, double *sums, size_t *order,
                  struct rt_kendall *ret)
{
    struct rt_value none = rt_undefined(labs < 2 ? RT_REASON_SINGLE_LAB : RT_REASON_SINGLE_LEVEL);
    *ret = (struct rt_kendall){none, none, none};
    if (labs < 2 || units < 2)
        return;
    double n = (double)units, m = (double)labs, ties = 0, spread = 0;
    for (size_t u = 0; u < units; u++)
        sums[u] = 0;
    for (size_t l = 0; l < labs; l++)
        ties += add_ranks(values, units, labs, l, sums, order);
    // Doubled rank sums average m (n + 1).
    for (size_t u = 0; u < units; u++)
        spread += (sums[u] - m * (n + 1)) * (sums[u] - m * (n + 1)) / 4;
    double most = m * m * (n * n * n - n) - m * ties;
    if (!(most > 0)) {
        none = rt_undefined(RT_REASON_ALL_TIED);
        *ret = (struct rt_kendall){none, none, none};
        return;
    }
    double w = 12 * spread / most;
    ret->w = rt_value(w);
    ret->chi2 = rt_value(m * (n - 1) * w);
    ret->p = rt_value(rt_chi2_cdf(m * (n - 1) * w, n - 1).upper);
}
