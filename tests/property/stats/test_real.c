// SPDX-License-Identifier: Apache-2.0
// log and exp are correctly rounded: bit for bit MPFR's on random arguments and on arguments made
// to lie next to the middle between two doubles; the pairs behind them keep their error bounds; the
// tables hold what they say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <float.h>
#include <mpfr.h>
#include <string.h>
#include <cmocka.h>

#include "common/stats/real.h"
#include "common/stats/real_fast.h"
#include "common/stats/real_table.h"
#include "tests/property/stats/random.h"

#define ARGUMENTS 1000000
#define HARD      100000
#define BOUNDED   200000

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

typedef int mpfr_function(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

static double reference(mpfr_function *function, double x)
{
    MPFR_DECL_INIT(number, 53);
    mpfr_set_d(number, x, MPFR_RNDN);
    function(number, number, MPFR_RNDN);
    return mpfr_get_d(number, MPFR_RNDN);
}

// Positive doubles of every size, or close to 1, or like a ratio of counts.
static double log_argument(struct rng *rng)
{
    double x;
    uint64_t bits = rng_next(rng) & INT64_MAX;
    switch (rng_below(rng, 4)) {
    case 0:
        memcpy(&x, &bits, sizeof x);
        return isfinite(x) ? x : 2;
    case 1:
        return 1 + (rng_unit(rng) - 0.5) * pow(2, -(double)rng_below(rng, 52));
    case 2:
        return (double)(1 + rng_below(rng, 1000)) / (double)(1 + rng_below(rng, 1000));
    default:
        return rng_unit(rng) * 4;
    }
}

static double exp_argument(struct rng *rng)
{
    double u = 2 * rng_unit(rng) - 1;
    switch (rng_below(rng, 3)) {
    case 0:
        return u * 760;
    case 1:
        return u * pow(2, -(double)rng_below(rng, 60));
    default:
        return u * 8;
    }
}

// Above -1: close to it, close to 0 on either side, or large.
static double log1p_argument(struct rng *rng)
{
    double tiny = pow(2, -(double)rng_below(rng, 220)) * (0.5 + rng_unit(rng));
    switch (rng_below(rng, 3)) {
    case 0:
        return rng_below(rng, 2) ? tiny : fmax(-tiny, -1 + DBL_EPSILON / 2);
    case 1:
        return fmax(-1 + tiny, -1 + DBL_EPSILON / 2);
    default:
        return log_argument(rng);
    }
}

static void assert_same(const char *name, mpfr_function *function, double (*mine)(double), double x)
{
    double expected = reference(function, x), got = mine(x);
    if (!same_bits(got, expected))
        fail_msg("%s(%a) is %a, not %a", name, x, expected, got);
}

static void the_bits_are_those_of_mpfr(void **state)
{
    (void)state;
    struct rng rng = {1};
    const double corners[] = {1, DBL_MIN, DBL_MAX, DBL_TRUE_MIN, 0.5, 2, 0x1.6a09e667f3bcdp-1};
    for (size_t i = 0; i < sizeof corners / sizeof *corners; i++)
        assert_same("log", mpfr_log, rt_real_log, corners[i]);
    const double edges[] = {0, -0.0, 700, -700, 709.9, -745.2, -800, DBL_TRUE_MIN, -DBL_MIN};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        assert_same("exp", mpfr_exp, rt_real_exp, edges[i]);
    for (int i = 0; i < ARGUMENTS; i++) {
        assert_same("log", mpfr_log, rt_real_log, log_argument(&rng));
        assert_same("exp", mpfr_exp, rt_real_exp, exp_argument(&rng));
        assert_same("log1p", mpfr_log1p, rt_real_log1p, log1p_argument(&rng));
    }
}

// A double x whose function value is as close as x's own spacing allows to the middle between the
// doubles from and the next.
static double aim(mpfr_function *inverse, double from)
{
    MPFR_DECL_INIT(middle, 54);
    MPFR_DECL_INIT(next, 53);
    MPFR_DECL_INIT(x, 53);
    mpfr_set_d(next, from, MPFR_RNDN);
    mpfr_nextabove(next);
    mpfr_add_d(middle, next, from, MPFR_RNDN);
    mpfr_div_2ui(middle, middle, 1, MPFR_RNDN);
    inverse(x, middle, MPFR_RNDN);
    return mpfr_get_d(x, MPFR_RNDN);
}

static void hard_cases_are_too(void **state)
{
    (void)state;
    struct rng rng = {2};
    int undecided = 0;
    for (int i = 0; i < HARD; i++) {
        double ignored;
        // Large logarithms, and exponentials next to 1, depend least on their argument's rounding.
        double x = aim(mpfr_exp, (2 * rng_unit(&rng) - 1) * 690);
        assert_same("log", mpfr_log, rt_real_log, x);
        double y = aim(mpfr_log, 1 + rng_unit(&rng) * pow(2, -(double)rng_below(&rng, 30)));
        assert_same("exp", mpfr_exp, rt_real_exp, y);
        undecided += !rt_log_fast(x, &ignored) + !rt_exp_fast(y, &ignored);
    }
    assert_true(undecided > HARD / 10); // else these were no hard cases
}

static double pair_error(mpfr_function *function, double x, struct rt_pair pair, int scale)
{
    MPFR_DECL_INIT(exact, 240);
    MPFR_DECL_INIT(error, 240);
    mpfr_set_d(exact, x, MPFR_RNDN);
    function(exact, exact, MPFR_RNDN);
    mpfr_set_d(error, pair.high, MPFR_RNDN);
    mpfr_add_d(error, error, pair.low, MPFR_RNDN);
    mpfr_mul_2si(error, error, scale, MPFR_RNDN);
    mpfr_sub(error, error, exact, MPFR_RNDN);
    if (mpfr_zero_p(error))
        return 0;
    mpfr_div(error, error, exact, MPFR_RNDN);
    return fabs(mpfr_get_d(error, MPFR_RNDN));
}

static void the_pairs_keep_their_bounds(void **state)
{
    (void)state;
    struct rng rng = {3};
    double worst_log = 0, worst_exp = 0;
    int undecided = 0;
    for (int i = 0; i < BOUNDED; i++) {
        struct rt_pair pair;
        int scale;
        double x = log_argument(&rng), y = exp_argument(&rng), ignored;
        if (rt_log_pair(x, &pair)) {
            worst_log = fmax(worst_log, pair_error(mpfr_log, x, pair, 0));
            undecided += !rt_log_fast(x, &ignored);
        }
        double z = log1p_argument(&rng);
        if (rt_log1p_pair(z, &pair))
            worst_log = fmax(worst_log, pair_error(mpfr_log1p, z, pair, 0));
        if (rt_exp_pair(y, &pair, &scale)) {
            worst_exp = fmax(worst_exp, pair_error(mpfr_exp, y, pair, scale));
            undecided += !rt_exp_fast(y, &ignored);
        }
    }
    print_message("worst: log %.3g of %.3g, exp %.3g of %.3g; undecided: %d of %d\n", worst_log,
                  RT_LOG_PAIR_ERROR, worst_exp, RT_EXP_PAIR_ERROR, undecided, 2 * BOUNDED);
    assert_true(worst_log < RT_LOG_PAIR_ERROR);
    assert_true(worst_exp < RT_EXP_PAIR_ERROR);
    assert_true(undecided < 2 * BOUNDED / 200);
}

// high + low against what mpfr computed, to bits bits of it.
static void assert_entry(mpfr_srcptr exact, double high, double low, int bits)
{
    MPFR_DECL_INIT(gap, 240);
    mpfr_sub_d(gap, exact, high, MPFR_RNDN);
    if (low == 0 && mpfr_zero_p(gap))
        return;
    mpfr_sub_d(gap, gap, low, MPFR_RNDN);
    assert_true(mpfr_zero_p(gap) || mpfr_get_exp(gap) <= mpfr_get_exp(exact) - bits);
}

static void the_tables_hold_what_they_say(void **state)
{
    (void)state;
    MPFR_DECL_INIT(exact, 240);
    for (int i = RT_LOG_FIRST; i <= RT_LOG_LAST; i++) {
        const struct rt_log_entry *entry = &rt_log_table[i - RT_LOG_FIRST];
        assert_true(fabs(entry->scale - 128.0 / i) <= 0x1p-11);
        assert_true(entry->scale * 1024 == floor(entry->scale * 1024));
        mpfr_set_d(exact, entry->scale, MPFR_RNDN);
        mpfr_log(exact, exact, MPFR_RNDN);
        mpfr_neg(exact, exact, MPFR_RNDN);
        assert_entry(exact, entry->high, entry->low, 104);
    }
    assert_true(rt_log_table[128 - RT_LOG_FIRST].scale == 1);
    for (int j = 0; j < 32; j++) {
        mpfr_set_si_2exp(exact, j, -5, MPFR_RNDN);
        mpfr_exp2(exact, exact, MPFR_RNDN);
        assert_entry(exact, rt_exp_table[j].high, rt_exp_table[j].low, 104);
    }
    mpfr_const_log2(exact, MPFR_RNDN);
    assert_entry(exact, RT_LN2_HIGH, RT_LN2_LOW, 94);
    mpfr_div_2ui(exact, exact, 5, MPFR_RNDN);
    assert_entry(exact, RT_LN2_32_HIGH, RT_LN2_32_LOW, 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_are_those_of_mpfr),
        cmocka_unit_test(hard_cases_are_too),
        cmocka_unit_test(the_pairs_keep_their_bounds),
        cmocka_unit_test(the_tables_hold_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
