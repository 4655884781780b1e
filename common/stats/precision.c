// SPDX-License-Identifier: Apache-2.0
#include "common/stats/precision.h"

#include <math.h>

#include "common/stats/special.h"
#include "common/stats/summary.h"

struct rt_sample rt_sample_binary(struct rt_counts counts)
{
    if (counts.n == 0)
        return (struct rt_sample){0};
    double n = (double)counts.n;
    return (struct rt_sample){counts.n, (double)counts.k / n,
                              rt_product(counts.k, counts.n - counts.k) / n};
}

struct rt_sample rt_sample_ordinal(const uint64_t *counts, size_t categories)
{
    unsigned __int128 n = 0, sum = 0, squares = 0;
    for (size_t j = 0; j < categories; j++) {
        n += counts[j];
        sum += (unsigned __int128)counts[j] * j;
        squares += (unsigned __int128)counts[j] * j * j;
    }
    if (n == 0)
        return (struct rt_sample){0};
    // n sum(y^2) - (sum y)^2 is exact while n < 2^57, and zero exactly where one category was used.
    unsigned __int128 spread = n * squares - sum * sum;
    return (struct rt_sample){(uint64_t)n, (double)sum / (double)n, (double)spread / (double)n};
}

struct rt_sample rt_sample_values(const double *values, size_t count)
{
    if (count == 0)
        return (struct rt_sample){0};
    double mean = rt_summary_mean(values, count);
    return (struct rt_sample){count, mean, rt_summary_squares(values, count, mean)};
}

struct rt_sample rt_sample_merge(struct rt_sample a, struct rt_sample b)
{
    if (a.n == 0)
        return b;
    if (b.n == 0)
        return a;
    double na = (double)a.n, nb = (double)b.n, n = na + nb;
    double gap = b.mean - a.mean;
    return (struct rt_sample){a.n + b.n, a.mean + gap * nb / n,
                              a.m2 + b.m2 + gap * gap * na * nb / n};
}

// One condition's labs, given as samples or as counts.
struct input {
    const struct rt_sample *samples;
    const struct rt_counts *counts;
    size_t count;
};

static struct rt_sample lab_at(const struct input *in, size_t i)
{
    return in->samples ? in->samples[i] : rt_sample_binary(in->counts[i]);
}

// Sums over the labs that have trials, in their order.
struct sums {
    size_t labs;
    size_t repeated;     // labs with n >= 2
    double trials;       // N
    double freedom;      // N - L
    double squares_n;    // sum of n^2
    double within;       // sum of m2
    double variances;    // sum of s_i^2 over repeated labs
    double mean;         // weighted by n
    double mean_of_labs; // plain
    double between;      // sum of n (m_i - mean)^2
    double spread;       // sum of (m_i - mean_of_labs)^2
};

static void add_up(const struct input *in, struct sums *ret)
{
    struct sums s = {0};
    double first = 0, weighted = 0, plain = 0;
    for (size_t i = 0; i < in->count; i++) {
        struct rt_sample lab = lab_at(in, i);
        if (lab.n == 0)
            continue;
        double n = (double)lab.n;
        if (s.labs == 0)
            first = lab.mean;
        s.labs++;
        s.trials += n;
        s.freedom += n - 1;
        s.squares_n += n * n;
        s.within += lab.m2;
        // Differences from the first mean: equal means give exactly that mean and no spread.
        weighted += n * (lab.mean - first);
        plain += lab.mean - first;
        if (lab.n >= 2) {
            s.repeated++;
            s.variances += lab.m2 / (n - 1);
        }
    }
    if (s.labs > 0) {
        s.mean = first + weighted / s.trials;
        s.mean_of_labs = first + plain / (double)s.labs;
    }
    for (size_t i = 0; i < in->count; i++) {
        struct rt_sample lab = lab_at(in, i);
        if (lab.n == 0)
            continue;
        s.between += (double)lab.n * (lab.mean - s.mean) * (lab.mean - s.mean);
        s.spread += (lab.mean - s.mean_of_labs) * (lab.mean - s.mean_of_labs);
    }
    *ret = s;
}

static void every_value(struct rt_precision *ret, enum rt_reason reason)
{
    struct rt_value none = rt_undefined(reason);
    ret->sd_of_labs = none;
    ret->s_r = ret->s_l2_raw = ret->s_l = ret->s_rr = none;
    ret->limit_r = ret->limit_rr = none;
    ret->n_bar = ret->f = ret->f_p = ret->icc = none;
}

// Variances of 2 labs or more.
struct parts {
    double s_r2, s_d2, n_bar, raw;
};

static struct parts parts_of(const struct sums *s)
{
    double labs = (double)s->labs;
    struct parts p;
    p.s_r2 = s->within / s->freedom;
    p.s_d2 = s->between / (labs - 1);
    p.n_bar = (s->trials - s->squares_n / s->trials) / (labs - 1);
    p.raw = (p.s_d2 - p.s_r2) / p.n_bar;
    return p;
}

static void between_labs(const struct sums *s, struct rt_precision *ret)
{
    double labs = (double)s->labs;
    struct parts p = parts_of(s);
    double s_r2 = p.s_r2, s_d2 = p.s_d2, n_bar = p.n_bar, raw = p.raw;
    double s_l2 = fmax(0, raw);
    double s_rr = sqrt(s_r2 + s_l2);
    ret->n_bar = rt_value(n_bar);
    ret->s_l2_raw = rt_value(raw);
    ret->s_l = rt_value(sqrt(s_l2));
    ret->s_rr = rt_value(s_rr);
    ret->limit_rr = rt_value(2.8 * s_rr);
    ret->note = raw < 0 ? RT_REASON_TRUNCATED_AT_ZERO : RT_REASON_NONE;
    if (s_r2 > 0) {
        ret->f = rt_value(s_d2 / s_r2);
        ret->f_p = rt_value(rt_f_cdf(s_d2 / s_r2, labs - 1, s->freedom).upper);
    } else {
        ret->f = ret->f_p = rt_undefined(RT_REASON_ZERO_WITHIN_VARIANCE);
    }
    ret->icc = s_r2 + raw > 0 ? rt_value(raw / (s_r2 + raw)) : rt_undefined(RT_REASON_NO_VARIATION);
}

static struct rt_value mandel_h(const struct rt_sample *lab, const struct sums *s)
{
    if (lab->n == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    if (s->labs < 2)
        return rt_undefined(RT_REASON_SINGLE_LAB);
    if (!(s->spread > 0))
        return rt_undefined(RT_REASON_ZERO_BETWEEN_SPREAD);
    return rt_value((lab->mean - s->mean_of_labs) / sqrt(s->spread / (double)(s->labs - 1)));
}

static struct rt_value mandel_k(const struct rt_sample *lab, const struct sums *s)
{
    if (lab->n == 0)
        return rt_undefined(RT_REASON_NO_TRIALS);
    if (lab->n == 1)
        return rt_undefined(RT_REASON_SINGLE_TRIAL);
    if (s->labs < 2)
        return rt_undefined(RT_REASON_SINGLE_LAB);
    if (!(s->variances > 0))
        return rt_undefined(RT_REASON_ZERO_WITHIN_VARIANCE);
    double own = lab->m2 / ((double)lab->n - 1);
    return rt_value(sqrt(own / (s->variances / (double)s->repeated)));
}

static void each_lab(const struct input *in, const struct sums *s,
                     struct rt_lab_precision *ret_labs)
{
    for (size_t i = 0; i < in->count; i++) {
        struct rt_sample lab = lab_at(in, i);
        struct rt_value missing = rt_undefined(RT_REASON_NO_TRIALS);
        ret_labs[i].mean = lab.n ? rt_value(lab.mean) : missing;
        ret_labs[i].sd = missing;
        if (lab.n == 1)
            ret_labs[i].sd = rt_undefined(RT_REASON_SINGLE_TRIAL);
        else if (lab.n > 1)
            ret_labs[i].sd = rt_value(sqrt(lab.m2 / ((double)lab.n - 1)));
        ret_labs[i].h = mandel_h(&lab, s);
        ret_labs[i].k = mandel_k(&lab, s);
    }
}

static void condition(const struct input *in, struct rt_precision *ret,
                      struct rt_lab_precision *ret_labs)
{
    struct sums s;
    add_up(in, &s);
    *ret = (struct rt_precision){.labs = s.labs, .trials = (uint64_t)s.trials};
    every_value(ret, RT_REASON_NO_TRIALS);
    ret->mean = ret->mean_of_labs = rt_undefined(RT_REASON_NO_TRIALS);
    if (s.labs > 0) {
        ret->mean = rt_value(s.mean);
        ret->mean_of_labs = rt_value(s.mean_of_labs);
        every_value(ret, s.repeated == 0 ? RT_REASON_NO_REPLICATES : RT_REASON_SINGLE_LAB);
        if (s.labs > 1)
            ret->sd_of_labs = rt_value(sqrt(s.spread / (double)(s.labs - 1)));
        else
            ret->sd_of_labs = rt_undefined(RT_REASON_SINGLE_LAB);
        if (s.repeated > 0) {
            ret->s_r = rt_value(sqrt(s.within / s.freedom));
            ret->limit_r = rt_value(2.8 * ret->s_r.number);
            if (s.labs > 1)
                between_labs(&s, ret);
        }
    }
    if (ret_labs)
        each_lab(in, &s, ret_labs);
}

void rt_precision(const struct rt_sample *samples, size_t count, struct rt_precision *ret,
                  struct rt_lab_precision *ret_labs)
{
    struct input in = {samples, NULL, count};
    condition(&in, ret, ret_labs);
}

void rt_precision_binary(const struct rt_counts *labs, size_t count, struct rt_precision *ret,
                         struct rt_lab_precision *ret_labs)
{
    struct input in = {NULL, labs, count};
    condition(&in, ret, ret_labs);
}

void rt_variances_binary(const struct rt_counts *labs, size_t count, struct rt_variances *ret)
{
    struct sums s;
    struct input in = {NULL, labs, count};
    add_up(&in, &s);
    enum rt_reason reason = s.labs == 0       ? RT_REASON_NO_TRIALS
                            : s.repeated == 0 ? RT_REASON_NO_REPLICATES
                                              : RT_REASON_SINGLE_LAB;
    ret->s_r = ret->s_l2_raw = rt_undefined(reason);
    if (s.repeated == 0)
        return;
    ret->s_r = rt_value(sqrt(s.within / s.freedom));
    if (s.labs > 1)
        ret->s_l2_raw = rt_value(parts_of(&s).raw);
}

struct rt_value rt_mandel_h_critical(size_t labs, double alpha)
{
    if (labs < 3)
        return rt_undefined(RT_REASON_FEWER_THAN_3_LABS);
    double l = (double)labs;
    double t = rt_t_upper(alpha / 2, l - 2);
    return rt_value((l - 1) * t / sqrt(l * (t * t + l - 2)));
}

struct rt_value rt_mandel_k_critical(size_t labs, uint64_t n, double alpha)
{
    if (labs < 2)
        return rt_undefined(RT_REASON_SINGLE_LAB);
    if (n < 2)
        return rt_undefined(RT_REASON_NO_REPLICATES);
    double l = (double)labs;
    double f = rt_f_upper(alpha, (double)n - 1, (l - 1) * ((double)n - 1));
    return rt_value(sqrt(l * f / (l - 1 + f)));
}

struct rt_value rt_cochran_critical(size_t labs, uint64_t n, double alpha)
{
    if (labs < 2)
        return rt_undefined(RT_REASON_SINGLE_LAB);
    if (n < 2)
        return rt_undefined(RT_REASON_NO_REPLICATES);
    double l = (double)labs;
    double f = rt_f_upper(alpha / l, (double)n - 1, (l - 1) * ((double)n - 1));
    return rt_value(f / (f + l - 1));
}

struct rt_value rt_grubbs_critical(size_t labs, double alpha)
{
    if (labs < 3)
        return rt_undefined(RT_REASON_FEWER_THAN_3_LABS);
    double l = (double)labs;
    double t = rt_t_upper(alpha / (2 * l), l - 2);
    return rt_value((l - 1) / sqrt(l) * sqrt(t * t / (l - 2 + t * t)));
}

void rt_cochran(const struct rt_sample *samples, size_t count, struct rt_cochran *ret)
{
    *ret = (struct rt_cochran){.c = rt_undefined(RT_REASON_COCHRAN_NOT_APPLICABLE),
                               .p = rt_undefined(RT_REASON_COCHRAN_NOT_APPLICABLE)};
    uint64_t n = 0;
    double labs = 0, largest = -1, sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (samples[i].n == 0)
            continue;
        if (samples[i].n < 2 || (n != 0 && samples[i].n != n))
            return;
        n = samples[i].n;
        labs++;
        sum += samples[i].m2;
        if (samples[i].m2 > largest) {
            largest = samples[i].m2;
            ret->lab = i;
        }
    }
    if (labs < 2 || !(sum > 0))
        return;
    double c = largest / sum;
    ret->c = rt_value(c);
    // The share of the other labs, summed rather than 1 - C, so that it is 0 only where they have
    // none.
    double rest = 0;
    for (size_t i = 0; i < count; i++)
        rest += i == ret->lab || samples[i].n == 0 ? 0 : samples[i].m2;
    double freedom = (double)n - 1;
    double tail = 0;
    if (rest > 0)
        tail = rt_f_cdf((labs - 1) * largest / rest, freedom, (labs - 1) * freedom).upper;
    ret->p = rt_value(fmin(1, labs * tail));
}

void rt_grubbs(const struct rt_sample *samples, size_t count, struct rt_grubbs *ret)
{
    struct sums s;
    struct input in = {samples, NULL, count};
    add_up(&in, &s);
    *ret = (struct rt_grubbs){0};
    if (s.labs < 3 || !(s.spread > 0)) {
        enum rt_reason reason =
            s.labs < 3 ? RT_REASON_FEWER_THAN_3_LABS : RT_REASON_ZERO_BETWEEN_SPREAD;
        ret->g_high = ret->g_low = ret->p = rt_undefined(reason);
        return;
    }
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (samples[i].n == 0)
            continue;
        if (first || samples[i].mean > samples[ret->lab_high].mean)
            ret->lab_high = i;
        if (first || samples[i].mean < samples[ret->lab_low].mean)
            ret->lab_low = i;
        first = false;
    }
    double l = (double)s.labs;
    double sd = sqrt(s.spread / (l - 1));
    double high = (samples[ret->lab_high].mean - s.mean_of_labs) / sd;
    double low = (s.mean_of_labs - samples[ret->lab_low].mean) / sd;
    double g = fmax(high, low);
    double room = (l - 1) * (l - 1) - l * g * g;
    double tail = 0;
    if (room > 0)
        tail = rt_t_cdf(sqrt(l * (l - 2) * g * g / room), l - 2).upper;
    ret->g_high = rt_value(high);
    ret->g_low = rt_value(low);
    ret->p = rt_value(fmin(1, 2 * l * tail));
}
