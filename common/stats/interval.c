// SPDX-License-Identifier: Apache-2.0
#include "common/stats/interval.h"

#include <math.h>

#include "common/stats/real.h"
#include "common/stats/special.h"
#include "common/stats/summary.h"

struct rt_value rt_rate(struct rt_counts counts)
{
    if (counts.n == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    return rt_value((double)counts.k / (double)counts.n);
}

struct rt_interval rt_interval_wilson(struct rt_counts counts, double confidence)
{
    if (counts.n == 0)
        return rt_interval_undefined(RT_REASON_NO_TRIALS);
    double n = (double)counts.n;
    double k = (double)counts.k;
    double z = rt_normal_upper(rt_tail(confidence));
    double centre = (k + z * z / 2) / (n + z * z);
    double spread = rt_product(counts.k, counts.n - counts.k) / n;
    double half = z / (n + z * z) * sqrt(spread + z * z / 4);
    return rt_interval(counts.k == 0 ? 0 : fmax(0, centre - half),
                       counts.k == counts.n ? 1 : fmin(1, centre + half));
}

struct rt_interval rt_interval_clopper_pearson(struct rt_counts counts, double confidence)
{
    if (counts.n == 0)
        return rt_interval_undefined(RT_REASON_NO_TRIALS);
    double n = (double)counts.n;
    double k = (double)counts.k;
    double tail = rt_tail(confidence);
    if (counts.k == 0)
        return rt_interval(0, -rt_real_expm1(rt_real_log(tail) / n));
    if (counts.k == counts.n)
        return rt_interval(rt_real_exp(rt_real_log(tail) / n), 1);
    return rt_interval(rt_beta_lower(tail, k, n - k + 1), rt_beta_upper(tail, k + 1, n - k));
}

struct rt_interval rt_interval_jeffreys(struct rt_counts counts, double confidence)
{
    if (counts.n == 0)
        return rt_interval_undefined(RT_REASON_NO_TRIALS);
    double a = (double)counts.k + 0.5;
    double b = (double)(counts.n - counts.k) + 0.5;
    double tail = rt_tail(confidence);
    return rt_interval(counts.k == 0 ? 0 : rt_beta_lower(tail, a, b),
                       counts.k == counts.n ? 1 : rt_beta_upper(tail, a, b));
}

struct rt_interval rt_interval_missing(struct rt_counts counts, uint64_t missing)
{
    double all = (double)counts.n + (double)missing;
    if (all == 0)
        return rt_interval_undefined(RT_REASON_NO_TRIALS);
    return rt_interval((double)counts.k / all, ((double)counts.k + (double)missing) / all);
}

struct rt_value rt_rate_difference(struct rt_counts a, struct rt_counts b)
{
    if (a.n == 0 || b.n == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    return rt_value((double)a.k / (double)a.n - (double)b.k / (double)b.n);
}

struct rt_interval rt_interval_rate_difference(struct rt_counts a, struct rt_counts b,
                                               double confidence)
{
    if (a.n == 0 || b.n == 0)
        return rt_interval_undefined(RT_REASON_NO_TRIALS);
    double p1 = (double)a.k / (double)a.n;
    double p2 = (double)b.k / (double)b.n;
    struct rt_interval w1 = rt_interval_wilson(a, confidence);
    struct rt_interval w2 = rt_interval_wilson(b, confidence);
    double below1 = p1 - w1.lower, above1 = w1.upper - p1;
    double below2 = p2 - w2.lower, above2 = w2.upper - p2;
    double difference = p1 - p2;
    return rt_interval(difference - sqrt(below1 * below1 + above2 * above2),
                       difference + sqrt(above1 * above1 + below2 * below2));
}

bool rt_interval_equivalent(struct rt_interval interval, double margin)
{
    return rt_interval_ok(interval) && interval.lower > -margin && interval.upper < margin;
}

struct rt_value rt_mean(const double *values, size_t count)
{
    if (count == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    return rt_value(rt_summary_mean(values, count));
}

struct rt_value rt_sd(const double *values, size_t count)
{
    if (count < 2)
        return rt_undefined(RT_REASON_SINGLE_LEVEL);
    double mean = rt_summary_mean(values, count);
    return rt_value(sqrt(rt_summary_squares(values, count, mean) / (double)(count - 1)));
}

struct rt_interval rt_interval_mean_t(const double *values, size_t count, double confidence)
{
    if (count < 2)
        return rt_interval_undefined(RT_REASON_SINGLE_LEVEL);
    double mean = rt_summary_mean(values, count);
    double sd = sqrt(rt_summary_squares(values, count, mean) / (double)(count - 1));
    double half = rt_t_upper(rt_tail(confidence), (double)(count - 1)) * sd / sqrt((double)count);
    return rt_interval(mean - half, mean + half);
}

struct rt_interval rt_interval_clamp(struct rt_interval interval, double lowest, double highest,
                                     bool *ret_clamped)
{
    bool clamped = false;
    if (rt_interval_ok(interval)) {
        struct rt_interval inside = rt_interval(fmin(fmax(interval.lower, lowest), highest),
                                                fmin(fmax(interval.upper, lowest), highest));
        clamped = inside.lower != interval.lower || inside.upper != interval.upper;
        interval = inside;
    }
    if (ret_clamped)
        *ret_clamped = clamped;
    return interval;
}

struct sequence {
    double k;
    double n;
    double limit; // the log likelihood of k at p must exceed this
    bool rising;  // which side of k/n is searched
};

// Outside the set on the lower side (rising), inside it on the upper side: true first, then false.
static bool sequence_below(double p, const void *context)
{
    const struct sequence *s = context;
    if (p <= 0 || p >= 1)
        return s->rising ? p <= 0 : false;
    double log_p = s->k > 0 ? s->k * rt_real_log(p) : 0;
    double log_q = s->n > s->k ? (s->n - s->k) * rt_real_log1p(-p) : 0;
    bool inside = log_p + log_q > s->limit;
    return s->rising ? !inside : inside;
}

struct rt_interval rt_interval_sequence(struct rt_counts counts, double a, double b, double alpha)
{
    if (counts.n == 0)
        return rt_interval(0, 1);
    double k = (double)counts.k;
    double n = (double)counts.n;
    double limit = rt_real_lbeta(k + a, n - k + b) - rt_real_lbeta(a, b) + rt_real_log(alpha);
    struct sequence low = {k, n, limit, true};
    struct sequence high = {k, n, limit, false};
    double rate = k / n;
    return rt_interval(counts.k == 0 ? 0 : rt_bisect(0, rate, sequence_below, &low),
                       counts.k == counts.n ? 1 : rt_bisect(rate, 1, sequence_below, &high));
}
