// SPDX-License-Identifier: Apache-2.0
// Distributions against closed forms and published digits, above all at the sizes where other
// libraries fail (STATISTICS section 5).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "common/stats/real.h"
#include "common/stats/special.h"

static void near(double have, double want, double relative)
{
    if (!(fabs(have - want) <= relative * fabs(want)))
        fail_msg("have %.17g, want %.17g", have, want);
}

static void quantiles_have_the_printed_digits(void **state)
{
    (void)state;
    near(rt_normal_upper(0.025), 1.959963984540054, 1e-15);
    near(rt_normal_upper(0.975), -1.959963984540054, 1e-14);
    near(rt_normal_upper(1e-300), 37.0470962993612, 1e-13);
    near(rt_t_upper(0.025, 4), 2.776445105197793, 1e-14);
    near(rt_t_upper(0.025, 1), 12.706204736174698, 1e-14);
    near(rt_chi2_upper(0.025, 5), 12.832501994030027, 1e-14);
    // The square of a normal.
    double z = rt_normal_upper(0.4875);
    near(rt_chi2_lower(0.025, 1), z * z, 1e-12);
}

static void closed_forms(void **state)
{
    (void)state;
    for (double q = 1e-12; q < 1; q = q < 0.1 ? q * 7 : q + 0.09) {
        near(rt_chi2_upper(q, 2), -2 * rt_real_log(q), 1e-13);
        // Beta(1, b): 1 - (1 - x)^b; F(2, d).
        near(rt_beta_lower(q, 1, 9), -rt_real_expm1(rt_real_log1p(-q) / 9), 1e-12);
        near(rt_f_upper(q, 2, 10), 5 * rt_real_expm1(-rt_real_log(q) / 5), 1e-12);
        double t = q < 0.5 ? rt_t_upper(q / 2, 7) : 0;
        if (q < 0.5)
            near(t * t, rt_f_upper(q, 1, 7), 1e-12);
    }
}

static void sizes_at_which_others_fail(void **state)
{
    (void)state;
    near(rt_chi2_upper(0.025, 1e5), 100878, 1e-5);
    near(rt_chi2_upper(0.025, 1e6), 1002774, 1e-6);
    double f = rt_f_upper(0.05, 9999, 69993);
    near(rt_f_cdf(f, 9999, 69993).upper, 0.05, 1e-11);
    for (double n = 10; n <= 1e9; n *= 10) {
        double x = rt_beta_lower(0.025, n / 2, n / 2 + 1);
        near(rt_beta_cdf(x, n / 2, n / 2 + 1).lower, 0.025, 1e-10);
        x = rt_beta_upper(0.025, 1, n);
        near(rt_beta_cdf(x, 1, n).upper, 0.025, 1e-12);
        near(x, -rt_real_expm1(rt_real_log(0.025) / n), 1e-14);
        // P(X < 1/2) of Beta(a, a + 1) is 1/2 + C(2a, a) / 2^(2a + 1), by Stirling.
        double a = n / 2;
        double stirling = (1 - 1 / (8 * a) + 1 / (128 * a * a)) / sqrt(3.14159265358979323846 * a);
        near(rt_beta_cdf(0.5, a, a + 1).lower - 0.5, stirling / 2, n < 100 ? 1e-4 : 1e-7);
    }
}

static void both_tails_are_exact(void **state)
{
    (void)state;
    near(rt_normal_cdf(10).upper, 7.619853024160527e-24, 1e-14);
    near(rt_normal_cdf(-10).lower, 7.619853024160527e-24, 1e-14);
    near(rt_chi2_cdf(2000, 2).upper, 0, 0 + 1e-300);
    near(rt_chi2_cdf(1000, 2).upper, rt_real_exp(-500), 1e-13);
    near(rt_t_cdf(-1e6, 2).lower, rt_t_cdf(1e6, 2).upper, 0);
    assert_true(rt_beta_cdf(0, 2, 3).lower == 0 && rt_beta_cdf(1, 2, 3).upper == 0);
    assert_true(rt_f_cdf(0, 2, 3).upper == 1);
}

static void logarithms_of_counts(void **state)
{
    (void)state;
    near(rt_real_lchoose(5, 2), rt_real_log(10), 1e-15);
    near(rt_real_lchoose(1e9, 1), rt_real_log(1e9), 1e-13);
    assert_true(rt_real_lchoose(7, 0) == 0 && rt_real_lchoose(7, 7) == 0);
    near(rt_real_lbeta(2, 3), -rt_real_log(12), 1e-15);
    near(rt_real_pow(2, 0.5), sqrt(2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_have_the_printed_digits),
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(sizes_at_which_others_fail),
        cmocka_unit_test(both_tails_are_exact),
        cmocka_unit_test(logarithms_of_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
