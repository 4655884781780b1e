// SPDX-License-Identifier: Apache-2.0
#include "common/stats/accord.h"

#include <math.h>

#include "common/stats/real.h"
#include "common/stats/special.h"
#include "common/stats/summary.h"

// Works on disagreement, 1 - A and 1 - C, which keeps its digits where agreement is near 1.
struct disagreement {
    double within;
    double between;
    size_t repeated; // labs with n >= 2
    size_t labs;     // labs with n >= 1
};

static struct disagreement condition(const struct rt_counts *labs, size_t count)
{
    struct disagreement d = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t n = labs[i].n, k = labs[i].k;
        if (n == 0)
            continue;
        d.labs++;
        if (n >= 2) {
            d.repeated++;
            d.within += 2 * rt_product(k, n - k) / rt_product(n, n - 1);
        }
        double p = (double)k / (double)n, q = (double)(n - k) / (double)n;
        for (size_t j = 0; j < i; j++) {
            if (labs[j].n == 0)
                continue;
            double other_n = (double)labs[j].n;
            double other_p = (double)labs[j].k / other_n;
            double other_q = (double)(labs[j].n - labs[j].k) / other_n;
            d.between += p * other_q + q * other_p;
        }
    }
    if (d.repeated > 0)
        d.within /= (double)d.repeated;
    if (d.labs > 1)
        d.between /= (double)d.labs * (double)(d.labs - 1) / 2;
    return d;
}

struct rt_value rt_accord_odds_ratio(double within, double between)
{
    if (within == 0 && between == 0)
        return rt_undefined(RT_REASON_NO_DISAGREEMENT);
    if (within == 0)
        return rt_undefined(RT_REASON_ACCORDANCE_IS_ONE);
    if (between == 1)
        return rt_undefined(RT_REASON_CONCORDANCE_IS_ZERO);
    return rt_value((1 - within) * between / ((1 - between) * within));
}

static void fill(struct rt_accord *ret, const struct disagreement *d, enum rt_reason no_within,
                 enum rt_reason no_between)
{
    ret->accordance = d->repeated ? rt_value(1 - d->within) : rt_undefined(no_within);
    ret->concordance = d->labs > 1 ? rt_value(1 - d->between) : rt_undefined(no_between);
    if (!rt_value_ok(ret->accordance))
        ret->odds_ratio = ret->accordance;
    else if (!rt_value_ok(ret->concordance))
        ret->odds_ratio = ret->concordance;
    else
        ret->odds_ratio = rt_accord_odds_ratio(d->within, d->between);
}

void rt_accord(const struct rt_counts *labs, size_t count, struct rt_accord *ret)
{
    struct disagreement d = condition(labs, count);
    bool empty = d.labs == 0;
    fill(ret, &d, empty ? RT_REASON_NO_TRIALS : RT_REASON_NO_REPLICATES,
         empty ? RT_REASON_NO_TRIALS : RT_REASON_SINGLE_LAB);
    ret->within = d.repeated;
    ret->between = d.labs;
}

void rt_accord_study(const struct rt_count_table *table, struct rt_accord *ret)
{
    double within = 0, between = 0;
    size_t conditions_within = 0, conditions_between = 0;
    bool empty = true;
    for (size_t c = 0; c < table->conditions; c++) {
        struct disagreement d = condition(table->cells + c * table->labs, table->labs);
        empty = empty && d.labs == 0;
        if (d.repeated > 0) {
            within += d.within;
            conditions_within++;
        }
        if (d.labs > 1) {
            between += d.between;
            conditions_between++;
        }
    }
    // The study reads like one condition whose disagreements are the means.
    struct disagreement mean = {.repeated = conditions_within > 0,
                                .labs = conditions_between ? 2 : 1};
    if (conditions_within)
        mean.within = within / (double)conditions_within;
    if (conditions_between)
        mean.between = between / (double)conditions_between;
    fill(ret, &mean, empty ? RT_REASON_NO_TRIALS : RT_REASON_NO_REPLICATES,
         empty ? RT_REASON_NO_TRIALS : RT_REASON_SINGLE_LAB);
    ret->within = conditions_within;
    ret->between = conditions_between;
}

static double g_term(uint64_t observed, double expected)
{
    double o = (double)observed;
    return observed ? 2 * o * rt_real_log(o / expected) : 0;
}

struct pearson {
    double chi2;
    double g;
    uint64_t df;
    size_t labs;
    bool varies;
};

static struct pearson pearson(const struct rt_counts *labs, size_t count)
{
    struct pearson ret = {0};
    uint64_t trials = 0, events = 0;
    for (size_t i = 0; i < count; i++) {
        ret.labs += labs[i].n > 0;
        trials += labs[i].n;
        events += labs[i].k;
    }
    ret.df = ret.labs ? ret.labs - 1 : 0;
    ret.varies = events > 0 && events < trials;
    if (ret.labs < 2 || !ret.varies)
        return ret;
    double scale = rt_product(events, trials - events);
    double p = (double)events / (double)trials, q = (double)(trials - events) / (double)trials;
    for (size_t i = 0; i < count; i++) {
        uint64_t n = labs[i].n, k = labs[i].k;
        if (n == 0)
            continue;
        // k N - n K is exact, so equal rates give exactly 0.
        __int128 gap = (__int128)k * trials - (__int128)n * events;
        ret.chi2 += (double)gap / (double)n * (double)gap / scale;
        ret.g += g_term(k, (double)n * p) + g_term(n - k, (double)n * q);
    }
    return ret;
}

static void homogeneity(const struct pearson *sum, enum rt_reason reason,
                        struct rt_homogeneity *ret)
{
    *ret = (struct rt_homogeneity){.df = sum->df};
    if (reason != RT_REASON_NONE) {
        ret->chi2 = ret->p_upper = ret->p_lower = rt_undefined(reason);
        ret->g = ret->g_p = rt_undefined(reason);
        return;
    }
    struct rt_tails tails = rt_chi2_cdf(sum->chi2, (double)sum->df);
    // Rounding can leave a likelihood ratio of equal rates a hair below 0.
    double g = fmax(0, sum->g);
    ret->chi2 = rt_value(sum->chi2);
    ret->p_upper = rt_value(tails.upper);
    ret->p_lower = rt_value(tails.lower);
    ret->g = rt_value(g);
    ret->g_p = rt_value(rt_chi2_cdf(g, (double)sum->df).upper);
}

static enum rt_reason pearson_reason(const struct pearson *one)
{
    if (one->labs == 0)
        return RT_REASON_NO_TRIALS;
    if (one->labs == 1)
        return RT_REASON_SINGLE_LAB;
    return one->varies ? RT_REASON_NONE : RT_REASON_NO_VARIATION;
}

void rt_homogeneity(const struct rt_counts *labs, size_t count, struct rt_homogeneity *ret)
{
    struct pearson one = pearson(labs, count);
    homogeneity(&one, pearson_reason(&one), ret);
}

void rt_homogeneity_study(const struct rt_count_table *table, struct rt_homogeneity *ret)
{
    struct pearson sum = {0};
    enum rt_reason reason = RT_REASON_NO_TRIALS;
    for (size_t c = 0; c < table->conditions; c++) {
        struct pearson one = pearson(table->cells + c * table->labs, table->labs);
        enum rt_reason own = pearson_reason(&one);
        if (own == RT_REASON_NONE) {
            sum.chi2 += one.chi2;
            sum.g += one.g;
            sum.df += one.df;
        }
        // Defined if any condition is; otherwise the reason of the condition that came nearest.
        if (own == RT_REASON_NONE || reason == RT_REASON_NO_TRIALS ||
            (own == RT_REASON_NO_VARIATION && reason != RT_REASON_NONE))
            reason = reason == RT_REASON_NONE ? reason : own;
    }
    homogeneity(&sum, reason, ret);
}
