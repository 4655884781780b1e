// SPDX-License-Identifier: Apache-2.0
#include "common/stats/special.h"

#include <float.h>
#include <math.h>
#include <mpfr.h>
#include <stdint.h>
#include <string.h>

#include "common/base/status.h"
#include "common/stats/real.h"

// The logarithm of a density's prefactor is a small difference of terms as large as the shapes; at
// this precision the difference is exact to the double for shapes far beyond 1e9.
#define WIDE_BITS 160
// A continued fraction or series needs a few times sqrt(shape) steps; this ends a loop that cannot
// end otherwise.
#define STEPS_MAX          20000000
#define QUANTILE_STEPS_MAX 400

// A wide number that lives in the struct itself.
struct wide {
    mp_limb_t limbs[(WIDE_BITS - 1) / GMP_NUMB_BITS + 1];
    mpfr_t number;
};

// log B(a, b) kept wide, since inversion evaluates one shape many times, and a table's F tests
// share one; likewise log Gamma(a) of the incomplete gamma function.
struct beta_shape {
    double a;
    double b;
    struct wide log_norm;
};

struct gamma_shape {
    double a;
    struct wide log_norm;
};

// The last shape of each kind: valid until the next one is asked for. A shape is in use only within
// one call, and no call needs two at a time.
static _Thread_local struct beta_shape last_beta;
static _Thread_local struct gamma_shape last_gamma;

static mpfr_ptr wide_init(struct wide *wide)
{
    mpfr_custom_init(wide->limbs, WIDE_BITS);
    mpfr_custom_init_set(wide->number, MPFR_ZERO_KIND, 0, WIDE_BITS, wide->limbs);
    return wide->number;
}

static const struct beta_shape *beta_shape(double a, double b)
{
    if (last_beta.a == a && last_beta.b == b && a > 0)
        return &last_beta;
    mpfr_ptr log_norm = wide_init(&last_beta.log_norm);
    last_beta.a = a;
    last_beta.b = b;
    MPFR_DECL_INIT(sum, WIDE_BITS);
    MPFR_DECL_INIT(term, WIDE_BITS);
    mpfr_set_d(sum, a, MPFR_RNDN);
    mpfr_lngamma(log_norm, sum, MPFR_RNDN);
    mpfr_add_d(sum, sum, b, MPFR_RNDN);
    mpfr_set_d(term, b, MPFR_RNDN);
    mpfr_lngamma(term, term, MPFR_RNDN);
    mpfr_add(log_norm, log_norm, term, MPFR_RNDN);
    mpfr_lngamma(term, sum, MPFR_RNDN);
    mpfr_sub(log_norm, log_norm, term, MPFR_RNDN);
    return &last_beta;
}

static const struct gamma_shape *gamma_shape(double a)
{
    if (last_gamma.a == a && a > 0)
        return &last_gamma;
    mpfr_ptr log_norm = wide_init(&last_gamma.log_norm);
    last_gamma.a = a;
    mpfr_set_d(log_norm, a, MPFR_RNDN);
    mpfr_lngamma(log_norm, log_norm, MPFR_RNDN);
    return &last_gamma;
}

// ---- quantiles asked for before

enum quantile { NO_QUANTILE, BETA_LOWER, BETA_UPPER, GAMMA_LOWER, GAMMA_UPPER, NORMAL_UPPER };

struct known_quantile {
    enum quantile kind;
    double target, a, b;
    double x, y;
};

#define KNOWN_QUANTILES 128
static _Thread_local struct known_quantile known_quantiles[KNOWN_QUANTILES];

// The place where this quantile is or goes; the key is filled in and the kind is NO_QUANTILE where
// it is not there yet.
static struct known_quantile *recall(enum quantile kind, double target, double a, double b)
{
    const double parts[3] = {target, a, b};
    uint64_t bits[3], hash = (uint64_t)kind;
    memcpy(bits, parts, sizeof bits);
    for (int i = 0; i < 3; i++)
        hash = (hash ^ bits[i] ^ bits[i] >> 29) * 0x9E3779B97F4A7C15u;
    struct known_quantile *place = &known_quantiles[(hash >> 40) % KNOWN_QUANTILES];
    if (place->kind != kind || place->target != target || place->a != a || place->b != b)
        *place = (struct known_quantile){NO_QUANTILE, target, a, b, 0, 0};
    return place;
}

void rt_quantile_forget(void)
{
    memset(known_quantiles, 0, sizeof known_quantiles);
    last_beta.a = 0;
    last_gamma.a = 0;
}

// x^a y^b / B(a, b), where x + y = 1 and the smaller of the two is the exact one.
static double beta_prefactor(const struct beta_shape *shape, double x, double y)
{
    MPFR_DECL_INIT(log_x, WIDE_BITS);
    MPFR_DECL_INIT(log_y, WIDE_BITS);
    if (x <= y) {
        mpfr_set_d(log_y, -x, MPFR_RNDN);
        mpfr_log1p(log_y, log_y, MPFR_RNDN);
        mpfr_set_d(log_x, x, MPFR_RNDN);
        mpfr_log(log_x, log_x, MPFR_RNDN);
    } else {
        mpfr_set_d(log_x, -y, MPFR_RNDN);
        mpfr_log1p(log_x, log_x, MPFR_RNDN);
        mpfr_set_d(log_y, y, MPFR_RNDN);
        mpfr_log(log_y, log_y, MPFR_RNDN);
    }
    mpfr_mul_d(log_x, log_x, shape->a, MPFR_RNDN);
    mpfr_mul_d(log_y, log_y, shape->b, MPFR_RNDN);
    mpfr_add(log_x, log_x, log_y, MPFR_RNDN);
    mpfr_sub(log_x, log_x, shape->log_norm.number, MPFR_RNDN);
    mpfr_exp(log_x, log_x, MPFR_RNDN);
    return mpfr_get_d(log_x, MPFR_RNDN);
}

static double away_from_zero(double x)
{
    return fabs(x) < DBL_MIN / DBL_EPSILON ? DBL_MIN / DBL_EPSILON : x;
}

// prefactor / I_x(a, b) as the even part of the continued fraction of DLMF 8.17.22 (DiDonato and
// Morris 1992), by modified Lentz. In this form nothing cancels where y is small: it enters by
// itself, not as 1 - x.
static double beta_fraction(double x, double y, double a, double b)
{
    double value = away_from_zero(a * (a * y - b * x + 1) / (a + 1));
    double c = value;
    double d = 0;
    for (double m = 1; m < STEPS_MAX; m++) {
        double lower = a + 2 * m - 1;
        double top = (a + m - 1) / lower * ((a + b + m - 1) / lower) * (m * (b - m)) * x * x;
        double bottom = m + m * (b - m) * x / lower +
                        (a + m) * (a * y - b * x + 1 + m * (1 + y)) / (a + 2 * m + 1);
        d = 1 / away_from_zero(bottom + top * d);
        c = away_from_zero(bottom + top / c);
        double step = c * d;
        value *= step;
        if (fabs(step - 1) <= DBL_EPSILON)
            break;
    }
    return value;
}

// Both tails at x, with y = 1 - x; ret_prefactor: x y times the density.
static struct rt_tails beta_tails(const struct beta_shape *shape, double x, double y,
                                  double *ret_prefactor)
{
    double a = shape->a;
    double b = shape->b;
    *ret_prefactor = 0;
    if (x <= 0)
        return (struct rt_tails){0, 1};
    if (y <= 0)
        return (struct rt_tails){1, 0};
    double prefactor = beta_prefactor(shape, x, y);
    *ret_prefactor = prefactor;
    if (x < (a + 1) / (a + b + 2)) {
        double lower = fmin(1, prefactor / beta_fraction(x, y, a, b));
        return (struct rt_tails){lower, 1 - lower};
    }
    double upper = fmin(1, prefactor / beta_fraction(y, x, b, a));
    return (struct rt_tails){1 - upper, upper};
}

struct rt_tails rt_beta_cdf(double x, double a, double b)
{
    double unused;
    return beta_tails(beta_shape(a, b), x, 1 - x, &unused);
}

// One step of a safeguarded Newton search on u = log x for log(tail / target) = 0. The bracket
// shrinks at every call; false once x can move no further.
struct search {
    double low;
    double high;
    double x;
};

static bool search_step(struct search *search, double tail, double slope, double target, bool lower)
{
    // slope is x times the density: d tail / d log x is +slope for the lower tail and -slope for
    // the upper one.
    bool above = lower ? tail > target : tail < target;
    if (tail == target)
        return false;
    if (above)
        search->high = search->x;
    else
        search->low = search->x;
    double next = -1;
    if (tail > 0 && slope > 0) {
        double move = rt_real_log(target / tail) * tail / slope;
        if (fabs(move) < 50)
            next = search->x * rt_real_exp(lower ? move : -move);
    }
    bool inside = next > search->low && next < search->high;
    if (!inside) {
        next = search->low > 0 ? sqrt(search->low) * sqrt(search->high) : search->high / 16;
        inside = next > search->low && next < search->high;
    }
    bool moved = inside && fabs(next - search->x) > DBL_EPSILON * search->x;
    if (inside)
        search->x = next;
    return moved;
}

// x and y = 1 - x of the point whose lower (or upper) tail is target. Solves for the smaller of the
// two.
static void beta_quantile(double target, bool lower, double a, double b, double *ret_x,
                          double *ret_y)
{
    enum quantile kind = lower ? BETA_LOWER : BETA_UPPER;
    struct known_quantile *known = recall(kind, target, a, b);
    if (known->kind != NO_QUANTILE) {
        *ret_x = known->x;
        *ret_y = known->y;
        return;
    }
    double slope;
    const struct beta_shape *shape = beta_shape(a, b);
    struct rt_tails middle = beta_tails(shape, 0.5, 0.5, &slope);
    bool left = lower ? middle.lower >= target : middle.upper <= target;
    if (!left) {
        shape = beta_shape(b, a);
        lower = !lower;
    }
    double mean = shape->a / (shape->a + shape->b);
    struct search search = {0, 0.5, mean < 0.5 ? mean : 0.25};
    for (int step = 0; step < QUANTILE_STEPS_MAX; step++) {
        struct rt_tails tails = beta_tails(shape, search.x, 1 - search.x, &slope);
        double tail = lower ? tails.lower : tails.upper;
        if (!search_step(&search, tail, slope / (1 - search.x), target, lower))
            break;
    }
    *ret_x = known->x = left ? search.x : 1 - search.x;
    *ret_y = known->y = left ? 1 - search.x : search.x;
    known->kind = kind;
}

double rt_beta_lower(double p, double a, double b)
{
    double x, y;
    beta_quantile(p, true, a, b, &x, &y);
    return x;
}

double rt_beta_upper(double q, double a, double b)
{
    double x, y;
    beta_quantile(q, false, a, b, &x, &y);
    return x;
}

// x^a e^-x / Gamma(a).
static double gamma_prefactor(const struct gamma_shape *shape, double x)
{
    MPFR_DECL_INIT(total, WIDE_BITS);
    mpfr_set_d(total, x, MPFR_RNDN);
    mpfr_log(total, total, MPFR_RNDN);
    mpfr_mul_d(total, total, shape->a, MPFR_RNDN);
    mpfr_sub_d(total, total, x, MPFR_RNDN);
    mpfr_sub(total, total, shape->log_norm.number, MPFR_RNDN);
    mpfr_exp(total, total, MPFR_RNDN);
    return mpfr_get_d(total, MPFR_RNDN);
}

static double gamma_series(double x, double a)
{
    double term = 1 / a;
    double sum = term;
    for (double n = 1; n < STEPS_MAX && term > sum * (DBL_EPSILON / 4); n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum;
}

// Lentz on DLMF 8.9.2.
static double gamma_fraction(double x, double a)
{
    double b = x + 1 - a;
    double c = 1 / (DBL_MIN / DBL_EPSILON);
    double d = 1 / away_from_zero(b);
    double value = d;
    for (double n = 1; n < STEPS_MAX; n++) {
        double an = -n * (n - a);
        b += 2;
        d = 1 / away_from_zero(an * d + b);
        c = away_from_zero(b + an / c);
        double step = d * c;
        value *= step;
        if (fabs(step - 1) <= DBL_EPSILON)
            break;
    }
    return value;
}

static struct rt_tails gamma_tails(const struct gamma_shape *shape, double x, double *ret_prefactor)
{
    double a = shape->a;
    *ret_prefactor = 0;
    if (x <= 0)
        return (struct rt_tails){0, 1};
    double prefactor = gamma_prefactor(shape, x);
    *ret_prefactor = prefactor;
    if (x < a + 1) {
        double lower = fmin(1, prefactor * gamma_series(x, a));
        return (struct rt_tails){lower, 1 - lower};
    }
    double upper = fmin(1, prefactor * gamma_fraction(x, a));
    return (struct rt_tails){1 - upper, upper};
}

struct rt_tails rt_gamma_cdf(double x, double a)
{
    double unused;
    return gamma_tails(gamma_shape(a), x, &unused);
}

static double gamma_quantile(double target, bool lower, double a)
{
    enum quantile kind = lower ? GAMMA_LOWER : GAMMA_UPPER;
    struct known_quantile *known = recall(kind, target, a, 0);
    if (known->kind != NO_QUANTILE)
        return known->x;
    const struct gamma_shape *shape = gamma_shape(a);
    struct search search = {0, DBL_MAX, a};
    for (int step = 0; step < QUANTILE_STEPS_MAX; step++) {
        double slope;
        struct rt_tails tails = gamma_tails(shape, search.x, &slope);
        if (!search_step(&search, lower ? tails.lower : tails.upper, slope, target, lower))
            break;
    }
    known->x = search.x;
    known->kind = kind;
    return search.x;
}

struct rt_tails rt_chi2_cdf(double x, double df)
{
    return rt_gamma_cdf(x / 2, df / 2);
}

double rt_chi2_lower(double p, double df)
{
    return 2 * gamma_quantile(p, true, df / 2);
}

double rt_chi2_upper(double q, double df)
{
    return 2 * gamma_quantile(q, false, df / 2);
}

// erfc(x / sqrt 2) / 2.
static double normal_upper_tail(double z)
{
    MPFR_DECL_INIT(x, WIDE_BITS);
    MPFR_DECL_INIT(tail, 53);
    mpfr_set_d(x, z, MPFR_RNDN);
    mpfr_sqr(x, x, MPFR_RNDN);
    mpfr_div_2ui(x, x, 1, MPFR_RNDN);
    mpfr_sqrt(x, x, MPFR_RNDN);
    if (z < 0)
        mpfr_neg(x, x, MPFR_RNDN);
    mpfr_erfc(tail, x, MPFR_RNDN);
    return mpfr_get_d(tail, MPFR_RNDN) / 2;
}

struct rt_tails rt_normal_cdf(double z)
{
    return (struct rt_tails){normal_upper_tail(-z), normal_upper_tail(z)};
}

double rt_normal_upper(double q)
{
    if (q > 0.5)
        return -rt_normal_upper(1 - q);
    if (q == 0.5)
        return 0;
    struct known_quantile *known = recall(NORMAL_UPPER, q, 0, 0);
    if (known->kind != NO_QUANTILE)
        return known->x;
    // Abramowitz and Stegun 26.2.23 is within 4.5e-4; Newton on log Q does the rest.
    double t = sqrt(-2 * rt_real_log(q));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int step = 0; step < QUANTILE_STEPS_MAX; step++) {
        double tail = normal_upper_tail(z);
        double density = rt_real_exp(-z * z / 2) * 0.39894228040143267794;
        double move = rt_real_log(q / tail) * tail / density;
        z -= move;
        if (fabs(move) <= DBL_EPSILON * fabs(z))
            break;
    }
    known->x = z;
    known->kind = NORMAL_UPPER;
    return z;
}

// Beta tails from x and y of which neither is the other's rounded complement.
static struct rt_tails beta_cdf_pair(double x, double y, double a, double b)
{
    double unused;
    return beta_tails(beta_shape(a, b), x, y, &unused);
}

struct rt_tails rt_t_cdf(double t, double df)
{
    double square = t * t;
    double tail = 0.5;
    if (square > 0)
        tail = beta_cdf_pair(df / (df + square), square / (df + square), df / 2, 0.5).lower / 2;
    if (t < 0)
        return (struct rt_tails){tail, 1 - tail};
    return (struct rt_tails){1 - tail, tail};
}

double rt_t_upper(double q, double df)
{
    double x, y;
    if (q > 0.5)
        return -rt_t_upper(1 - q, df);
    if (q == 0.5)
        return 0;
    beta_quantile(2 * q, true, df / 2, 0.5, &x, &y);
    return sqrt(df * y / x);
}

struct rt_tails rt_f_cdf(double f, double df1, double df2)
{
    if (f <= 0)
        return (struct rt_tails){0, 1};
    double a = df1 * f;
    return beta_cdf_pair(a / (a + df2), df2 / (a + df2), df1 / 2, df2 / 2);
}

double rt_f_upper(double q, double df1, double df2)
{
    double x, y;
    beta_quantile(q, false, df1 / 2, df2 / 2, &x, &y);
    return df2 * x / (df1 * y);
}
