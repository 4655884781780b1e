// SPDX-License-Identifier: Apache-2.0
#include "common/stats/rater.h"

#include <math.h>

#include "common/stats/interval.h"
#include "common/stats/special.h"

static double upper_z(double confidence)
{
    return rt_normal_upper((1 - confidence) / 2);
}

// ---- agreement

static uint64_t at(const struct rt_confusion *confusion, size_t a, size_t b)
{
    return confusion->counts[a * confusion->categories + b];
}

// Trials of the reference in category c, and of the rater.
static void margins(const struct rt_confusion *confusion, size_t c, double *ret_a, double *ret_b)
{
    uint64_t a = 0, b = 0;
    for (size_t o = 0; o < confusion->categories; o++) {
        a += at(confusion, c, o);
        b += at(confusion, o, c);
    }
    *ret_a = (double)a;
    *ret_b = (double)b;
}

// Fleiss, Cohen and Everitt (1969), equation 13: the large-sample variance of kappa.
static double kappa_variance(const struct rt_confusion *confusion, double n, double observed,
                             double expected)
{
    double agreeing = 0, differing = 0, kappa = (observed - expected) / (1 - expected);
    for (size_t i = 0; i < confusion->categories; i++) {
        double a_i, b_i;
        margins(confusion, i, &a_i, &b_i);
        double term = 1 - (a_i + b_i) / n * (1 - kappa);
        agreeing += (double)at(confusion, i, i) / n * term * term;
        for (size_t j = 0; j < confusion->categories; j++) {
            double a_j, b_j;
            margins(confusion, j, &a_j, &b_j);
            if (i != j) // the rater's margin of the row's category, the reference's of the column's
                differing += (double)at(confusion, i, j) / n * (b_i + a_j) / n * (b_i + a_j) / n;
        }
    }
    double rest = kappa - expected * (1 - kappa);
    double sum = agreeing + (1 - kappa) * (1 - kappa) * differing - rest * rest;
    return fmax(0, sum) / (n * (1 - expected) * (1 - expected));
}

static void none(struct rt_confusion_agreement *ret, enum rt_reason reason)
{
    ret->percent = ret->kappa = ret->ac1 = ret->alpha = rt_undefined(reason);
    ret->interval = ret->kappa_at = rt_interval_undefined(reason);
}

void rt_confusion_agreement(const struct rt_confusion *confusion, double confidence,
                            struct rt_confusion_agreement *ret)
{
    size_t q = confusion->categories;
    *ret = (struct rt_confusion_agreement){.n = 0};
    for (size_t a = 0; a < q; a++)
        for (size_t b = 0; b < q; b++) {
            ret->n += at(confusion, a, b);
            ret->agreed += a == b ? at(confusion, a, b) : 0;
        }
    if (ret->n == 0) {
        none(ret, RT_REASON_NO_TRIALS);
        return;
    }
    double n = (double)ret->n, observed = (double)ret->agreed / n;
    double cohen = 0, gwet = 0, pairs = 0;
    for (size_t c = 0; c < q; c++) {
        double a, b;
        margins(confusion, c, &a, &b);
        double share = (a + b) / (2 * n);
        cohen += a / n * (b / n);
        gwet += share * (1 - share);
        pairs += (a + b) * (a + b - 1);
    }
    struct rt_counts counts = {ret->n, ret->agreed};
    ret->percent = rt_rate(counts);
    ret->interval = rt_interval_wilson(counts, confidence);
    ret->ac1 = q < 2 ? rt_undefined(RT_REASON_SINGLE_CATEGORY)
                     : rt_value((observed - gwet / (double)(q - 1)) / (1 - gwet / (double)(q - 1)));
    // Two raters a trial: expected agreement of two of the 2 n labels drawn without replacement.
    double expected = pairs / (2 * n * (2 * n - 1));
    ret->alpha = expected < 1 ? rt_value((observed - expected) / (1 - expected))
                              : rt_undefined(RT_REASON_NO_VARIATION);
    if (cohen >= 1) {
        ret->kappa = rt_undefined(RT_REASON_NO_VARIATION);
        ret->kappa_at = rt_interval_undefined(RT_REASON_NO_VARIATION);
        return;
    }
    double kappa = (observed - cohen) / (1 - cohen);
    double half = upper_z(confidence) * sqrt(kappa_variance(confusion, n, observed, cohen));
    ret->kappa = rt_value(kappa);
    ret->kappa_at = rt_interval(kappa - half, fmin(1, kappa + half));
}

// ---- calibration

void rt_calibration_rates(const struct rt_calibration *c, double confidence,
                          struct rt_calibration_rates *ret)
{
    struct rt_counts found = {c->both + c->reference_only, c->both};
    struct rt_counts cleared = {c->neither + c->rater_only, c->neither};
    ret->sensitivity = rt_rate(found);
    ret->sensitivity_at = rt_interval_wilson(found, confidence);
    ret->specificity = rt_rate(cleared);
    ret->specificity_at = rt_interval_wilson(cleared, confidence);
}

static double clamp(double value, bool *clamped)
{
    if (value >= 0 && value <= 1)
        return value;
    *clamped = true;
    return value < 0 ? 0 : 1;
}

void rt_rogan_gladen(struct rt_counts seen, const struct rt_calibration *c, double confidence,
                     struct rt_corrected *ret)
{
    double n_se = (double)(c->both + c->reference_only);
    double n_sp = (double)(c->neither + c->rater_only);
    *ret = (struct rt_corrected){.clamped = false};
    enum rt_reason reason = RT_REASON_NONE;
    if (seen.n == 0 || n_se == 0 || n_sp == 0)
        reason = RT_REASON_NO_TRIALS;
    else if ((double)c->both / n_se + (double)c->neither / n_sp <= 1)
        reason = RT_REASON_UNINFORMATIVE_RATER;
    if (reason) {
        ret->prevalence = rt_undefined(reason);
        ret->interval = rt_interval_undefined(reason);
        return;
    }
    double se = (double)c->both / n_se, sp = (double)c->neither / n_sp;
    double rate = (double)seen.k / (double)seen.n;
    ret->prevalence = rt_value(clamp((rate + sp - 1) / (se + sp - 1), &ret->clamped));
    // Lang and Reiczigel (2014): the three rates moved towards one half, then a shifted interval.
    double z = upper_z(confidence), n = (double)seen.n + z * z;
    rate = ((double)seen.k + z * z / 2) / n;
    n_se += 2;
    n_sp += 2;
    se = ((double)c->both + 1) / n_se;
    sp = ((double)c->neither + 1) / n_sp;
    double youden = se + sp - 1;
    if (youden <= 0) {
        ret->interval = rt_interval_undefined(RT_REASON_UNINFORMATIVE_RATER);
        return;
    }
    double p = (rate + sp - 1) / youden;
    double var_se = se * (1 - se) / n_se, var_sp = sp * (1 - sp) / n_sp;
    double shift = 2 * z * z * (p * var_se - (1 - p) * var_sp);
    double half = z * sqrt(rate * (1 - rate) / n + p * p * var_se + (1 - p) * (1 - p) * var_sp);
    ret->interval = rt_interval(clamp(p + shift - half / youden, &ret->clamped),
                                clamp(p + shift + half / youden, &ret->clamped));
}

void rt_double_sampling(const uint64_t *total, const struct rt_counts *seen, size_t strata,
                        double confidence, struct rt_corrected *ret)
{
    double all = 0, share = 0, variance = 0;
    *ret = (struct rt_corrected){.clamped = false};
    for (size_t h = 0; h < strata; h++)
        all += (double)total[h];
    bool blind = all == 0;
    for (size_t h = 0; h < strata && !blind; h++) {
        if (total[h] == 0)
            continue;
        blind = seen[h].n == 0;
        if (blind)
            break;
        double weight = (double)total[h] / all, n = (double)seen[h].n;
        double rate = (double)seen[h].k / n, smooth = ((double)seen[h].k + 1) / (n + 2);
        // A stratum that was looked at in full adds no error of its own.
        double unseen = fmax(0, 1 - n / (double)total[h]);
        share += weight * rate;
        variance += weight * weight * smooth * (1 - smooth) / (n + 2) * unseen;
    }
    if (blind) {
        ret->prevalence = rt_undefined(RT_REASON_NO_TRIALS);
        ret->interval = rt_interval_undefined(RT_REASON_NO_TRIALS);
        return;
    }
    // The trials themselves are a sample too: the spread of the share over all of them.
    variance += share * (1 - share) / all;
    double half = upper_z(confidence) * sqrt(variance);
    ret->prevalence = rt_value(share);
    ret->interval =
        rt_interval(clamp(share - half, &ret->clamped), clamp(share + half, &ret->clamped));
}
