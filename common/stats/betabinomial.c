// SPDX-License-Identifier: Apache-2.0
// Maximum likelihood of the beta-binomial over labs. With g = rho / (1 - rho) the log likelihood is
// sum log(mu + r g) over r < k, plus sum log(1 - mu + r g) over r < n - k, minus sum log(1 + r g)
// over r < n: regular at g = 0, where it is the binomial. It is concave in mu, so mu is profiled
// out by bisection and g found where the profile's slope changes sign.
#include <math.h>

#include "common/stats/accord.h"
#include "common/stats/real.h"
#include "common/stats/summary.h"

// Up to here sums over r are added one by one.
#define DIRECT_TERMS 64
#define GRID_FIRST   1e-9
#define GRID_LAST    1e6
#define GRID_RATIO   3.16227766016837933200

struct data {
    const struct rt_counts *labs;
    size_t count;
    double g;
};

// psi(x) - log x for x >= 10 (Abramowitz and Stegun 6.3.18).
static double digamma_rest(double x)
{
    double u = 1 / (x * x);
    double series = u * (1.0 / 12 - u * (1.0 / 120 - u * (1.0 / 252 - u * (1.0 / 240 - u / 132))));
    return -1 / (2 * x) - series;
}

// sum of 1 / (a + r) over r < k.
static double sum_inverse(double a, uint64_t k)
{
    double sum = 0;
    uint64_t direct = 0;
    while (direct < k && (k <= DIRECT_TERMS || a + (double)direct < 10))
        sum += 1 / (a + (double)direct++);
    if (direct == k)
        return sum;
    double from = a + (double)direct, length = (double)(k - direct);
    return sum + rt_real_log1p(length / from) + digamma_rest(from + length) - digamma_rest(from);
}

// sum of 1 / (m + r g) over r < k, which is k / m at g = 0.
static double slope_mu(double m, double g, uint64_t k)
{
    return g > 0 ? sum_inverse(m / g, k) / g : (double)k / m;
}

// sum of r / (m + r g) over r < k.
static double slope_g(double m, double g, uint64_t k)
{
    if (k < 2)
        return 0;
    if (g == 0)
        return rt_product(k, k - 1) / (2 * m);
    double sum = 0;
    if (k > DIRECT_TERMS)
        return ((double)k - m / g * sum_inverse(m / g, k)) / g;
    for (uint64_t r = 1; r < k; r++)
        sum += (double)r / (m + (double)r * g);
    return sum;
}

static bool mu_is_higher(double mu, const void *context)
{
    const struct data *d = context;
    double slope = 0;
    if (mu <= 0 || mu >= 1)
        return mu <= 0;
    for (size_t i = 0; i < d->count; i++)
        slope +=
            slope_mu(mu, d->g, d->labs[i].k) - slope_mu(1 - mu, d->g, d->labs[i].n - d->labs[i].k);
    return slope > 0;
}

static double best_mu(const struct data *data, double g)
{
    struct data at = *data;
    at.g = g;
    return rt_bisect(0, 1, mu_is_higher, &at);
}

static bool g_is_higher(double g, const void *context)
{
    const struct data *d = context;
    double mu = best_mu(d, g), slope = 0;
    for (size_t i = 0; i < d->count; i++)
        slope += slope_g(mu, g, d->labs[i].k) + slope_g(1 - mu, g, d->labs[i].n - d->labs[i].k) -
                 slope_g(1, g, d->labs[i].n);
    return slope > 0;
}

static double likelihood(const struct data *d, double mu, double g)
{
    double sum = 0;
    for (size_t i = 0; i < d->count; i++) {
        double n = (double)d->labs[i].n, k = (double)d->labs[i].k;
        if (d->labs[i].n == 0)
            continue;
        sum += rt_real_lchoose(n, k);
        if (g > 0) {
            double a = mu / g, b = (1 - mu) / g;
            sum += rt_real_lbeta(a + k, b + n - k) - rt_real_lbeta(a, b);
        } else {
            sum += k > 0 ? k * rt_real_log(mu) : 0;
            sum += n > k ? (n - k) * rt_real_log1p(-mu) : 0;
        }
    }
    return sum;
}

static enum rt_reason unusable(const struct rt_counts *labs, size_t count, double *ret_rate)
{
    uint64_t trials = 0, events = 0;
    size_t used = 0;
    bool repeated = false, mixed = false;
    for (size_t i = 0; i < count; i++) {
        used += labs[i].n > 0;
        trials += labs[i].n;
        events += labs[i].k;
        repeated = repeated || labs[i].n > 1;
        mixed = mixed || (labs[i].k > 0 && labs[i].k < labs[i].n);
    }
    if (used == 0)
        return RT_REASON_NO_TRIALS;
    *ret_rate = (double)events / (double)trials;
    if (used == 1)
        return RT_REASON_SINGLE_LAB;
    if (!repeated)
        return RT_REASON_NO_REPLICATES;
    if (events == 0 || events == trials)
        return RT_REASON_NO_VARIATION;
    return mixed ? RT_REASON_NONE : RT_REASON_BOUNDARY_RHO_ONE;
}

void rt_beta_binomial(const struct rt_counts *labs, size_t count, struct rt_beta_binomial *ret)
{
    struct data data = {labs, count, 0};
    double mu = 0, g = 0;
    enum rt_reason reason = unusable(labs, count, &mu);
    if (reason != RT_REASON_NONE) {
        struct rt_value none = rt_undefined(reason);
        *ret = (struct rt_beta_binomial){none, none, none, RT_REASON_NONE};
        return;
    }
    double best = likelihood(&data, mu, 0);
    double before = 0;
    bool rising = g_is_higher(0, &data);
    for (double next = GRID_FIRST; next <= GRID_LAST; next *= GRID_RATIO) {
        bool still = g_is_higher(next, &data);
        if (rising && !still) {
            double top = rt_bisect(before, next, g_is_higher, &data);
            double top_mu = best_mu(&data, top);
            double value = likelihood(&data, top_mu, top);
            if (top > 0 && value > best) {
                best = value;
                g = top;
                mu = top_mu;
            }
        }
        rising = still;
        before = next;
    }
    ret->mu = rt_value(mu);
    ret->rho = rt_value(g / (1 + g));
    ret->loglik = rt_value(best);
    ret->note = g > 0 ? RT_REASON_NONE : RT_REASON_BOUNDARY_RHO_ZERO;
}
