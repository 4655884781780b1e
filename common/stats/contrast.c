// SPDX-License-Identifier: Apache-2.0
#include "common/stats/contrast.h"

#include <float.h>
#include <math.h>

#include "common/stats/real.h"
#include "common/stats/special.h"
#include "common/stats/summary.h"

#define LOGISTIC_STEPS_MAX 200

size_t rt_common_conditions(const struct rt_count_table *table, bool *ret_common)
{
    size_t common = 0;
    for (size_t c = 0; c < table->conditions; c++) {
        bool all = table->labs > 0;
        for (size_t l = 0; l < table->labs && all; l++)
            all = rt_count_table_at(table, c, l).n > 0;
        ret_common[c] = all;
        common += all;
    }
    return common;
}

// Variance of Beta(k + 1/2, n - k + 1/2): never 0, so cells that are all or nothing do no harm.
static double posterior_variance(struct rt_counts cell)
{
    double n = (double)cell.n;
    double p = ((double)cell.k + 0.5) / (n + 1);
    double q = ((double)(cell.n - cell.k) + 0.5) / (n + 1);
    return p * q / (n + 2);
}

// A complete conditions x labs matrix, given as numbers or as the common cells of a table.
struct matrix {
    const double *values;
    const struct rt_count_table *table;
    const bool *common;
    size_t conditions; // rows to look at, of which some may not be common
    size_t labs;
};

static bool row_used(const struct matrix *m, size_t condition)
{
    return !m->common || m->common[condition];
}

static double entry(const struct matrix *m, size_t condition, size_t lab)
{
    if (m->values)
        return m->values[condition * m->labs + lab];
    struct rt_counts cell = rt_count_table_at(m->table, condition, lab);
    return (double)cell.k / (double)cell.n;
}

static double column_mean(const struct matrix *m, size_t lab, size_t *ret_rows)
{
    double first = 0, sum = 0;
    size_t rows = 0;
    for (size_t c = 0; c < m->conditions; c++) {
        if (!row_used(m, c))
            continue;
        double x = entry(m, c, lab);
        if (rows++ == 0)
            first = x;
        sum += x - first;
    }
    *ret_rows = rows;
    return rows ? first + sum / (double)rows : 0;
}

static double row_mean(const struct matrix *m, size_t condition)
{
    double first = entry(m, condition, 0), sum = 0;
    for (size_t l = 1; l < m->labs; l++)
        sum += entry(m, condition, l) - first;
    return first + sum / (double)m->labs;
}

static struct rt_value interaction_variance(const struct matrix *m)
{
    size_t rows = 0;
    double grand = 0, squares = 0;
    for (size_t l = 0; l < m->labs; l++)
        grand += column_mean(m, l, &rows) / (double)m->labs;
    if (m->labs < 2 || rows < 2)
        return rt_undefined(RT_REASON_SINGLE_LEVEL);
    for (size_t l = 0; l < m->labs; l++) {
        double column = column_mean(m, l, &rows);
        for (size_t c = 0; c < m->conditions; c++) {
            if (!row_used(m, c))
                continue;
            double residual = (entry(m, c, l) - column) - (row_mean(m, c) - grand);
            squares += residual * residual;
        }
    }
    double freedom = (double)(rows - 1) * (double)(m->labs - 1);
    return rt_value(squares / freedom / (double)rows);
}

struct rt_value rt_interaction_variance(const double *values, size_t conditions, size_t labs)
{
    struct matrix m = {.values = values, .conditions = conditions, .labs = labs};
    return interaction_variance(&m);
}

enum rt_reason rt_standardised_rates(const struct rt_count_table *table, const bool *common,
                                     enum rt_rate_variance variance, struct rt_effect *ret_labs)
{
    struct matrix m = {
        .table = table, .common = common, .conditions = table->conditions, .labs = table->labs};
    size_t rows = 0;
    for (size_t c = 0; c < table->conditions; c++)
        rows += common[c];
    if (rows == 0)
        return RT_REASON_NO_COMMON_CONDITIONS;
    struct rt_value shared = rt_value(0);
    if (variance == RT_RATE_VARIANCE_INTERACTION) {
        if (table->labs < 2)
            return RT_REASON_SINGLE_LAB;
        shared = interaction_variance(&m);
        if (!rt_value_ok(shared))
            return shared.reason;
    }
    for (size_t l = 0; l < table->labs; l++) {
        double sum = 0;
        ret_labs[l].y = column_mean(&m, l, &rows);
        for (size_t c = 0; c < table->conditions; c++)
            sum += common[c] ? posterior_variance(rt_count_table_at(table, c, l)) : 0;
        ret_labs[l].v = sum / ((double)rows * (double)rows);
        if (variance == RT_RATE_VARIANCE_INTERACTION)
            ret_labs[l].v = shared.number;
    }
    return RT_REASON_NONE;
}

static bool stratum_used(const struct rt_stratum *stratum)
{
    return stratum->target.n > 0 && stratum->reference.n > 0;
}

enum rt_reason rt_risk_difference(const struct rt_stratum *strata, size_t count,
                                  struct rt_effect *ret, size_t *ret_used)
{
    double first = 0, sum = 0, variance = 0;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!stratum_used(&strata[i]))
            continue;
        double gap = rt_rate_of(strata[i].target) - rt_rate_of(strata[i].reference);
        if (used++ == 0)
            first = gap;
        sum += gap - first;
        variance += posterior_variance(strata[i].target) + posterior_variance(strata[i].reference);
    }
    if (ret_used)
        *ret_used = used;
    if (used == 0)
        return RT_REASON_NO_INFORMATIVE_STRATA;
    double n = (double)used;
    *ret = (struct rt_effect){first + sum / n, variance / (n * n)};
    return RT_REASON_NONE;
}

// Sums of Robins, Breslow and Greenland (1986) and of the Cochran-Mantel-Haenszel test.
struct mh_sums {
    double r, s;
    double pr, ps_qr, qs;
    double gap, variance;
};

static void mh_add(const struct rt_stratum *stratum, struct mh_sums *sums)
{
    double n1 = (double)stratum->target.n, n2 = (double)stratum->reference.n, n = n1 + n2;
    double a = (double)stratum->target.k, b = n1 - a;
    double c = (double)stratum->reference.k, d = n2 - c;
    double r = a * d / n, s = b * c / n;
    double p = (a + d) / n, q = (b + c) / n;
    sums->r += r;
    sums->s += s;
    sums->pr += p * r;
    sums->ps_qr += p * s + q * r;
    sums->qs += q * s;
    // a - E(a) = (a d - b c) / n.
    sums->gap += r - s;
    if (n >= 2)
        sums->variance += n1 / n * (n2 / n) * (a + c) * (b + d) / (n - 1);
}

void rt_mantel_haenszel(const struct rt_stratum *strata, size_t count,
                        struct rt_mantel_haenszel *ret)
{
    struct mh_sums sums = {0};
    *ret = (struct rt_mantel_haenszel){0};
    for (size_t i = 0; i < count; i++) {
        if (!stratum_used(&strata[i]))
            continue;
        mh_add(&strata[i], &sums);
        ret->strata++;
    }
    enum rt_reason reason = RT_REASON_NONE;
    if (sums.r == 0 && sums.s == 0)
        reason = RT_REASON_NO_INFORMATIVE_STRATA;
    else if (sums.s == 0)
        reason = RT_REASON_POSITIVE_INFINITE;
    else if (sums.r == 0)
        reason = RT_REASON_NEGATIVE_INFINITE;
    if (reason != RT_REASON_NONE) {
        ret->log_or = ret->se = rt_undefined(reason);
    } else {
        double variance = sums.pr / (2 * sums.r * sums.r) + sums.ps_qr / (2 * sums.r * sums.s) +
                          sums.qs / (2 * sums.s * sums.s);
        ret->log_or = rt_value(rt_real_log(sums.r / sums.s));
        ret->se = rt_value(sqrt(variance));
    }
    if (sums.variance > 0) {
        double chi2 = sums.gap * sums.gap / sums.variance;
        ret->chi2 = rt_value(chi2);
        ret->p = rt_value(rt_chi2_cdf(chi2, 1).upper);
    } else {
        ret->chi2 = ret->p = rt_undefined(RT_REASON_NO_INFORMATIVE_STRATA);
    }
}

// The doses at which there are events and others, and the totals.
struct doses {
    double trials, events;
    double mean;
    double squares; // sum of n (t - mean)^2
    double event_low, event_high;
    double other_low, other_high;
};

static struct doses dose_sums(const double *doses, const struct rt_counts *cells, size_t count)
{
    struct doses d = {
        .event_low = DBL_MAX, .event_high = -DBL_MAX, .other_low = DBL_MAX, .other_high = -DBL_MAX};
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        d.trials += (double)cells[i].n;
        d.events += (double)cells[i].k;
        sum += (double)cells[i].n * (doses[i] - doses[0]);
        if (cells[i].k > 0) {
            d.event_low = fmin(d.event_low, doses[i]);
            d.event_high = fmax(d.event_high, doses[i]);
        }
        if (cells[i].k < cells[i].n) {
            d.other_low = fmin(d.other_low, doses[i]);
            d.other_high = fmax(d.other_high, doses[i]);
        }
    }
    if (d.trials > 0)
        d.mean = doses[0] + sum / d.trials;
    for (size_t i = 0; i < count; i++)
        d.squares += (double)cells[i].n * (doses[i] - d.mean) * (doses[i] - d.mean);
    return d;
}

// Logistic regression on the centred dose.
struct logistic {
    double level;
    double slope;
    double information[3]; // of (level, slope): 11, 12, 22
};

static double logistic_likelihood(const double *doses, const struct rt_counts *cells, size_t count,
                                  double mean, double level, double slope)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double eta = level + slope * (doses[i] - mean);
        // log(1 + e^eta) without overflow.
        double log_both = fmax(eta, 0) + rt_real_log1p(rt_real_exp(-fabs(eta)));
        sum += (double)cells[i].k * eta - (double)cells[i].n * log_both;
    }
    return sum;
}

static void logistic_fit(const double *doses, const struct rt_counts *cells, size_t count,
                         const struct doses *d, struct logistic *fit)
{
    *fit = (struct logistic){.level = rt_real_log(d->events / (d->trials - d->events))};
    double best = logistic_likelihood(doses, cells, count, d->mean, fit->level, 0);
    for (int step = 0; step < LOGISTIC_STEPS_MAX; step++) {
        double g0 = 0, g1 = 0, i00 = 0, i01 = 0, i11 = 0;
        for (size_t i = 0; i < count; i++) {
            double x = doses[i] - d->mean, n = (double)cells[i].n;
            double p = rt_logit_inverse(fit->level + fit->slope * x);
            double w = n * p * rt_logit_inverse(-(fit->level + fit->slope * x));
            double gap = (double)cells[i].k - n * p;
            g0 += gap;
            g1 += gap * x;
            i00 += w;
            i01 += w * x;
            i11 += w * x * x;
        }
        double det = i00 * i11 - i01 * i01;
        fit->information[0] = i00;
        fit->information[1] = i01;
        fit->information[2] = i11;
        if (!(det > 0))
            break;
        double move0 = (i11 * g0 - i01 * g1) / det, move1 = (i00 * g1 - i01 * g0) / det;
        double scale = 1, value = 0;
        for (int half = 0; half < 60; half++, scale /= 2) {
            value = logistic_likelihood(doses, cells, count, d->mean, fit->level + scale * move0,
                                        fit->slope + scale * move1);
            if (value >= best - fabs(best) * 1e-14)
                break;
        }
        best = fmax(best, value);
        fit->level += scale * move0;
        fit->slope += scale * move1;
        if (fabs(move0) <= 1e-14 * fmax(1, fabs(fit->level)) &&
            fabs(move1) <= 1e-14 * fmax(1, fabs(fit->slope)))
            break;
    }
}

void rt_trend(const double *doses, const struct rt_counts *cells, size_t count,
              struct rt_trend *ret)
{
    struct doses d = count ? dose_sums(doses, cells, count) : (struct doses){0};
    enum rt_reason reason = RT_REASON_NONE;
    if (d.trials == 0)
        reason = RT_REASON_NO_TRIALS;
    else if (d.events == 0 || d.events == d.trials)
        reason = RT_REASON_NO_VARIATION;
    else if (!(d.squares > 0))
        reason = RT_REASON_SINGLE_LEVEL;
    if (reason != RT_REASON_NONE) {
        struct rt_value none = rt_undefined(reason);
        *ret = (struct rt_trend){none, none, none, none, none};
        return;
    }
    double p = d.events / d.trials, q = (d.trials - d.events) / d.trials, sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)cells[i].k * (doses[i] - d.mean);
    double z = sum / sqrt(p * q * d.squares);
    ret->z = rt_value(z);
    ret->p = rt_value(2 * rt_normal_cdf(fabs(z)).upper);
    if (d.event_low >= d.other_high || d.other_low >= d.event_high) {
        ret->intercept = ret->slope = ret->slope_se = rt_undefined(RT_REASON_SEPARATION);
        return;
    }
    struct logistic fit;
    logistic_fit(doses, cells, count, &d, &fit);
    double det = fit.information[0] * fit.information[2] - fit.information[1] * fit.information[1];
    ret->slope = rt_value(fit.slope);
    ret->intercept = rt_value(fit.level - fit.slope * d.mean);
    ret->slope_se = rt_value(sqrt(fit.information[0] / det));
}
