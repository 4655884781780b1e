// SPDX-License-Identifier: Apache-2.0
// Errors below are relative to the result, u = 2^-53. The sums of two and products of two are
// exact (Knuth; Dekker), as long as nothing contracts or reorders them, which the build forbids and
// tests/golden/stats/test_bits.c would notice.
//
// log: x = 2^e m, m from sqrt(1/2) to sqrt(2); a table has r near 1/m with |z| < 2^-7.2 for
// z = m r - 1, which is exact in two doubles. log x = e ln 2 - log r + log1p(z), where
// log1p(z) = z - z^2/2 + z^3 q(z). z and z^2/2 are pairs (errors below 2^-100); z^3 q(z) is a
// double of a size of at most 2^-16 |z| and has an error of at most 8 u of its own, plus 4 u from
// leaving out the low part of z: below 2^-65 |z|. Where r = 1 and e = 0 the result is z (1 + 2^-8);
// where r != 1 and e = 0 it is at least 2^-8.1 and |z| below 2^-7.2, which costs one bit: 2^-64.
// Where e != 0 it is at least 0.34. The series ends at z^10: the rest is below 2^-75 |z|. Together
// below 2^-63.
//
// exp: x = k ln2/32 + r, |r| < 0.0109, r a pair with an error below 2^-80 for |k| < 2^15;
// exp(r) - 1 = r + r^2/2 + r^3 p(r), the first two as pairs, the last below 2^-22 with an error
// below 8 u of its own: 2^-72. The rest of the series is below 2^-76. The product with 2^(j/32) as
// a pair loses below 2^-73. Together below 2^-70; 2^-66 is claimed.
#include "common/stats/real_fast.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/stats/real_table.h"

_Static_assert(FLT_EVAL_METHOD == 0, "doubles are computed as doubles");

#define EXP_MAX   700
#define SQRT_HALF 0x1.6a09e667f3bcdp-1

static struct rt_pair two_sum(double a, double b)
{
    double sum = a + b;
    double part = sum - a;
    return (struct rt_pair){sum, (a - (sum - part)) + (b - part)};
}

// |a| >= |b| or a is 0.
static struct rt_pair fast_two_sum(double a, double b)
{
    double sum = a + b;
    return (struct rt_pair){sum, b - (sum - a)};
}

// The upper 26 bits; the rest fits in 26 bits too.
static double upper_half(double a)
{
    double wide = 0x1.0000002p27 * a;
    return wide - (wide - a);
}

static struct rt_pair two_product(double a, double b)
{
    double product = a * b;
    double ah = upper_half(a), bh = upper_half(b);
    double al = a - ah, bl = b - bh;
    return (struct rt_pair){product, ((ah * bh - product) + ah * bl + al * bh) + al * bl};
}

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

// e ln 2 - log(scale) + log1p(z).
static struct rt_pair log_sum(int e, const struct rt_log_entry *entry, struct rt_pair z)
{
    double w = z.high;
    double q = 1.0 / 9 - w * (1.0 / 10);
    q = 1.0 / 7 - w * (1.0 / 8 - w * q);
    q = 1.0 / 5 - w * (1.0 / 6 - w * q);
    q = 1.0 / 3 - w * (1.0 / 4 - w * q);
    struct rt_pair square = two_product(w, w);
    double square_low = (square.low + 2 * w * z.low) / 2;
    struct rt_pair sum = two_sum((double)e * RT_LN2_HIGH, entry->high);
    double low = sum.low + ((double)e * RT_LN2_LOW + entry->low);
    sum = two_sum(sum.high, w);
    low += sum.low + z.low;
    sum = two_sum(sum.high, -square.high / 2);
    low += sum.low - square_low;
    low += w * (w * w) * q;
    return fast_two_sum(sum.high, low);
}

// x = 2^e m with m from sqrt(1/2) to sqrt(2), and the entry for m.
static const struct rt_log_entry *reduce(double x, int *ret_e, double *ret_m)
{
    uint64_t bits = bits_of(x);
    *ret_e = (int)(bits >> 52) - 1022;
    *ret_m = double_of((bits & 0xfffffffffffff) | UINT64_C(1022) << 52);
    if (*ret_m < SQRT_HALF) {
        *ret_m *= 2;
        --*ret_e;
    }
    return &rt_log_table[(int)(*ret_m * 128 + 0.5) - RT_LOG_FIRST];
}

static struct rt_pair reduced(double m, double scale)
{
    double top = double_of(bits_of(m) & ~UINT64_C(0x7ffffff));
    return two_sum(top * scale - 1, (m - top) * scale);
}

bool rt_log_pair(double x, struct rt_pair *ret)
{
    if (!(x >= DBL_MIN && x <= DBL_MAX))
        return false;
    int e;
    double m;
    const struct rt_log_entry *entry = reduce(x, &e, &m);
    *ret = log_sum(e, entry, reduced(m, entry->scale));
    return true;
}

bool rt_log1p_pair(double x, struct rt_pair *ret)
{
    // Below, squares could lose bits to underflow; above, 2^-e would.
    if (!(x > -1 && x < 0x1p1000 && fabs(x) > 0x1p-200))
        return false;
    struct rt_pair sum = two_sum(1, x);
    int e;
    double m;
    const struct rt_log_entry *entry = reduce(sum.high, &e, &m);
    struct rt_pair z = {x, 0};
    if (e != 0 || entry->scale != 1) {
        z = reduced(m, entry->scale);
        z.low += sum.low * double_of((uint64_t)(1023 - e) << 52) * entry->scale;
        z = two_sum(z.high, z.low); // its low part is left out of z^3
    }
    *ret = log_sum(e, entry, z);
    return true;
}

bool rt_exp_pair(double x, struct rt_pair *ret, int *ret_scale)
{
    if (!(fabs(x) <= EXP_MAX))
        return false;
    double k = floor(x * RT_32_LN2 + 0.5);
    struct rt_pair r = two_sum(x, -k * RT_LN2_32_HIGH);
    double low = r.low;
    r = two_sum(r.high, -k * RT_LN2_32_LOW);
    low += r.low;
    double w = r.high;
    double p = 1.0 / 5040 + w * (1.0 / 40320);
    p = 1.0 / 120 + w * (1.0 / 720 + w * p);
    p = 1.0 / 6 + w * (1.0 / 24 + w * p);
    struct rt_pair square = two_product(w, w);
    struct rt_pair less_one = two_sum(w, square.high / 2);
    double less_one_low = less_one.low + (low + (square.low / 2 + w * low)) + w * (w * w) * p;
    less_one = fast_two_sum(less_one.high, less_one_low);
    int whole = (int)k;
    int j = whole & 31;
    const struct rt_exp_entry *entry = &rt_exp_table[j];
    struct rt_pair product = two_product(entry->high, less_one.high);
    struct rt_pair sum = two_sum(entry->high, product.high);
    double tail = product.low + (entry->high * less_one.low + entry->low * less_one.high);
    *ret = fast_two_sum(sum.high, sum.low + (entry->low + tail));
    *ret_scale = (whole - j) / 32;
    return true;
}

// Whether high + low rounds the same wherever in its error the true value lies.
static bool settled(struct rt_pair pair, double error, double *ret)
{
    double margin = fabs(pair.high) * error;
    *ret = pair.high + (pair.low - margin);
    return *ret == pair.high + (pair.low + margin);
}

bool rt_log_fast(double x, double *ret)
{
    struct rt_pair pair;
    return rt_log_pair(x, &pair) && settled(pair, RT_LOG_PAIR_ERROR, ret);
}

bool rt_log1p_fast(double x, double *ret)
{
    struct rt_pair pair;
    return rt_log1p_pair(x, &pair) && settled(pair, RT_LOG_PAIR_ERROR, ret);
}

bool rt_exp_fast(double x, double *ret)
{
    struct rt_pair pair;
    int scale;
    if (!rt_exp_pair(x, &pair, &scale) || !settled(pair, RT_EXP_PAIR_ERROR, ret))
        return false;
    *ret *= double_of((uint64_t)(1023 + scale) << 52);
    return true;
}
