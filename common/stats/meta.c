// SPDX-License-Identifier: Apache-2.0
#include "common/stats/meta.h"

#include <float.h>
#include <math.h>

#include "common/stats/real.h"
#include "common/stats/special.h"
#include "common/stats/summary.h"

#define HALF_PI 1.57079632679489661923
#define LOG_2   0.69314718055994530942
// Five points a decade for the scan of the restricted likelihood.
#define GRID_RATIO    1.58489319246111348520
#define GRID_START    1e-10
#define GRID_SPAN     1e6
#define DOUBLINGS_MAX 2000

// The labs and a target for a search over tau^2.
struct pool {
    const struct rt_effect *labs;
    size_t count;
    double target;
};

// Weighted sums at one tau^2.
struct fit {
    double weight;         // sum of W
    double weight_squares; // sum of W^2
    double mu;
    double q;     // sum of W (y - mu)^2
    double score; // derivative of twice the restricted log likelihood
};

static struct fit fit_at(const struct pool *pool, double tau2)
{
    struct fit f = {0};
    double first = pool->labs[0].y, shift = 0, squares = 0;
    for (size_t i = 0; i < pool->count; i++) {
        double w = 1 / (pool->labs[i].v + tau2);
        f.weight += w;
        f.weight_squares += w * w;
        shift += w * (pool->labs[i].y - first);
    }
    f.mu = first + shift / f.weight;
    for (size_t i = 0; i < pool->count; i++) {
        double w = 1 / (pool->labs[i].v + tau2);
        double gap = pool->labs[i].y - f.mu;
        f.q += w * gap * gap;
        squares += w * gap * (w * gap);
    }
    f.score = squares - f.weight + f.weight_squares / f.weight;
    return f;
}

static bool q_above(double tau2, const void *context)
{
    const struct pool *pool = context;
    return fit_at(pool, tau2).q > pool->target;
}

// The tau^2 at which Q falls to target; 0 where it is not above it to begin with.
static double solve_q(const struct pool *labs, double target)
{
    struct pool pool = *labs;
    pool.target = target;
    if (!q_above(0, &pool))
        return 0;
    double high = 0;
    for (size_t i = 0; i < pool.count; i++)
        high = fmax(high, pool.labs[i].v);
    for (int i = 0; i < DOUBLINGS_MAX && isfinite(high) && q_above(high, &pool); i++)
        high *= 2;
    return isfinite(high) ? rt_bisect(0, high, q_above, &pool) : high;
}

static double tau2_dl(const struct pool *pool)
{
    struct fit f = fit_at(pool, 0);
    double excess = f.q - (double)(pool->count - 1);
    return fmax(0, excess / (f.weight - f.weight_squares / f.weight));
}

// Restricted log likelihood up to a constant. The product of variances is kept as mantissa and
// exponent, which takes one logarithm instead of one a lab.
static double restricted(const struct pool *pool, double tau2)
{
    double mantissa = 1;
    long exponent = 0;
    for (size_t i = 0; i < pool->count; i++) {
        int power;
        mantissa = frexp(mantissa * (pool->labs[i].v + tau2), &power);
        exponent += power;
    }
    struct fit f = fit_at(pool, tau2);
    double log_variances = rt_real_log(mantissa) + (double)exponent * LOG_2;
    return -(log_variances + rt_real_log(f.weight) + f.q) / 2;
}

static bool score_positive(double tau2, const void *context)
{
    return fit_at(context, tau2).score > 0;
}

static double tau2_reml(const struct pool *pool)
{
    double largest = 0, low_y = pool->labs[0].y, high_y = low_y;
    for (size_t i = 0; i < pool->count; i++) {
        largest = fmax(largest, pool->labs[i].v);
        low_y = fmin(low_y, pool->labs[i].y);
        high_y = fmax(high_y, pool->labs[i].y);
    }
    // Beyond ten times the squared range the likelihood only falls, however small the variances
    // are.
    double end = fmax(GRID_SPAN * largest, 10 * (high_y - low_y) * (high_y - low_y));
    double at_zero = restricted(pool, 0);
    double best = at_zero, before_best = 0, after_best = GRID_START * largest;
    double before = 0;
    for (double t = GRID_START * largest; t <= end; t *= GRID_RATIO) {
        double value = restricted(pool, t);
        if (value > best) {
            best = value;
            before_best = before;
            after_best = t * GRID_RATIO;
        }
        before = t;
    }
    if (!score_positive(before_best, pool))
        return before_best;
    double tau2 = rt_bisect(before_best, after_best, score_positive, pool);
    return restricted(pool, tau2) > at_zero ? tau2 : 0;
}

static void every_value(struct rt_meta *ret, enum rt_reason reason)
{
    struct rt_value none = rt_undefined(reason);
    struct rt_interval no_interval = rt_interval_undefined(reason);
    ret->fixed_mu = ret->fixed_se = ret->q = ret->q_p = ret->typical_variance = none;
    ret->tau2 = ret->tau = ret->i2_percent = ret->h2 = none;
    ret->mu = ret->se_wald = ret->se_hk = ret->hk_factor = none;
    ret->wald = ret->hk = ret->prediction = no_interval;
    ret->tau2_profile = ret->tau_profile = no_interval;
}

static void random_effects(const struct pool *pool, double tau2, double confidence,
                           struct rt_meta *ret)
{
    double freedom = (double)(pool->count - 1);
    double typical = ret->typical_variance.number;
    double tail = rt_tail(confidence);
    double z = rt_normal_upper(tail), t = rt_t_upper(tail, freedom);
    struct fit f = fit_at(pool, tau2);
    double se_wald = sqrt(1 / f.weight);
    double factor = f.q / freedom;
    double se_hk = sqrt(factor / f.weight);
    double next = t * sqrt(tau2 + se_hk * se_hk);
    ret->tau2 = rt_value(tau2);
    ret->tau = rt_value(sqrt(tau2));
    ret->i2_percent = rt_value(100 * tau2 / (tau2 + typical));
    ret->h2 = rt_value((tau2 + typical) / typical);
    ret->mu = rt_value(f.mu);
    ret->se_wald = rt_value(se_wald);
    ret->se_hk = rt_value(se_hk);
    ret->hk_factor = rt_value(factor);
    ret->wald = rt_interval(f.mu - z * se_wald, f.mu + z * se_wald);
    ret->hk = rt_interval(f.mu - t * se_hk, f.mu + t * se_hk);
    ret->prediction = rt_interval(f.mu - next, f.mu + next);
    if (se_hk == 0)
        ret->note = RT_REASON_ZERO_WIDTH;
    else if (factor < 1)
        ret->note = RT_REASON_NARROWER_THAN_WALD;
}

void rt_meta(const struct rt_effect *labs, size_t count, enum rt_tau2_method method,
             double confidence, struct rt_meta *ret)
{
    struct pool pool = {labs, count, 0};
    *ret = (struct rt_meta){.labs = count};
    every_value(ret, count == 0 ? RT_REASON_NO_TRIALS : RT_REASON_SINGLE_LAB);
    for (size_t i = 0; i < count; i++)
        if (!(labs[i].v > 0))
            every_value(ret, RT_REASON_ZERO_WITHIN_VARIANCE);
    if (count == 0 || ret->q.reason == RT_REASON_ZERO_WITHIN_VARIANCE)
        return;
    struct fit f = fit_at(&pool, 0);
    ret->fixed_mu = rt_value(f.mu);
    ret->fixed_se = rt_value(sqrt(1 / f.weight));
    if (count < 2)
        return;
    double freedom = (double)(count - 1);
    double tail = rt_tail(confidence);
    ret->q = rt_value(f.q);
    if (!rt_value_ok(ret->q)) {
        every_value(ret, RT_REASON_NOT_FINITE);
        return;
    }
    ret->q_p = rt_value(rt_chi2_cdf(f.q, freedom).upper);
    ret->typical_variance = rt_value(freedom * f.weight / (f.weight * f.weight - f.weight_squares));
    double low = solve_q(&pool, rt_chi2_upper(tail, freedom));
    double high = solve_q(&pool, rt_chi2_lower(tail, freedom));
    ret->tau2_profile = rt_interval(low, high);
    ret->tau_profile = rt_interval(sqrt(low), sqrt(high));
    double tau2 = 0;
    switch (method) {
    case RT_TAU2_DL:
        tau2 = tau2_dl(&pool);
        break;
    case RT_TAU2_PM:
        tau2 = solve_q(&pool, freedom);
        break;
    case RT_TAU2_REML:
        tau2 = tau2_reml(&pool);
        break;
    }
    random_effects(&pool, tau2, confidence, ret);
}

bool rt_effect_logit(struct rt_counts counts, struct rt_effect *ret)
{
    if (counts.n == 0)
        return false;
    double add = counts.k == 0 || counts.k == counts.n ? 0.5 : 0;
    double events = (double)counts.k + add;
    double others = (double)(counts.n - counts.k) + add;
    *ret = (struct rt_effect){rt_real_log(events / others), 1 / events + 1 / others};
    return true;
}

bool rt_effect_arcsine(struct rt_counts counts, struct rt_effect *ret)
{
    if (counts.n == 0)
        return false;
    double n = (double)counts.n;
    *ret = (struct rt_effect){rt_real_asin(sqrt((double)counts.k / n)), 1 / (4 * n)};
    return true;
}

double rt_logit_inverse(double x)
{
    // The exponential of a negative number never overflows.
    double e = rt_real_exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

double rt_arcsine_inverse(double x)
{
    double s = rt_real_sin(fmin(fmax(x, 0), HALF_PI));
    return s * s;
}
