// SPDX-License-Identifier: Apache-2.0
// Raters beside raters: values worked out by hand and by a second program, edges, and the corrected
// interval's coverage on simulated calibrations.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/stats/rater.h"

#define NEAR(value, expected) assert_true(fabs((value) - (expected)) < 1e-9)

static void test_two_by_two(void **state)
{
    (void)state;
    // Agreement 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5: kappa (0.7 - 0.5) / 0.5 = 0.4.
    static const uint64_t counts[] = {20, 5, 10, 15};
    struct rt_confusion_agreement a;
    rt_confusion_agreement(&(struct rt_confusion){counts, 2}, 0.95, &a);
    assert_int_equal(a.n, 50);
    assert_int_equal(a.agreed, 35);
    NEAR(a.percent.number, 0.7);
    NEAR(a.kappa.number, 0.4);
    NEAR(a.kappa_at.lower, 0.15109229047666112);
    NEAR(a.kappa_at.upper, 0.6489077095233389);
    // pi = 0.55: (0.7 - 0.495) / 0.505; labels 55 and 45 of 100: 1 - 0.3 * 9900 / 4950 = 0.4.
    NEAR(a.ac1.number, 0.205 / 0.505);
    NEAR(a.alpha.number, 0.4);
}

static void test_three_by_three(void **state)
{
    (void)state;
    static const uint64_t counts[] = {10, 2, 1, 3, 8, 2, 0, 4, 20};
    struct rt_confusion_agreement a;
    rt_confusion_agreement(&(struct rt_confusion){counts, 3}, 0.95, &a);
    NEAR(a.percent.number, 0.76);
    NEAR(a.kappa.number, 0.6242955541640576);
    NEAR(a.kappa_at.lower, 0.4430657085051621);
    NEAR(a.ac1.number, 0.6474217717055972);
    NEAR(a.alpha.number, 0.6279361102411525);
}

static void test_edges(void **state)
{
    (void)state;
    static const uint64_t nothing[4], one[] = {7, 0, 0, 0};
    struct rt_confusion_agreement a;
    rt_confusion_agreement(&(struct rt_confusion){nothing, 2}, 0.95, &a);
    assert_int_equal(a.kappa.reason, RT_REASON_NO_TRIALS);
    assert_int_equal(a.interval.reason, RT_REASON_NO_TRIALS);
    rt_confusion_agreement(&(struct rt_confusion){one, 2}, 0.95, &a);
    NEAR(a.percent.number, 1);
    assert_int_equal(a.kappa.reason, RT_REASON_NO_VARIATION);
    assert_int_equal(a.alpha.reason, RT_REASON_NO_VARIATION);
    NEAR(a.ac1.number, 1);
}

static void test_rogan_gladen(void **state)
{
    (void)state;
    // Sensitivity 90/100, specificity 80/100, seen 300 of 1000: (0.3 + 0.8 - 1) / 0.7 = 1/7.
    struct rt_calibration c = {90, 10, 20, 80};
    struct rt_calibration_rates rates;
    struct rt_corrected got;
    rt_calibration_rates(&c, 0.95, &rates);
    NEAR(rates.sensitivity.number, 0.9);
    NEAR(rates.specificity.number, 0.8);
    rt_rogan_gladen((struct rt_counts){1000, 300}, &c, 0.95, &got);
    NEAR(got.prevalence.number, 1.0 / 7);
    NEAR(got.interval.lower, 0.021109468208172458);
    NEAR(got.interval.upper, 0.23618613268805716);
    assert_false(got.clamped);
    // Fewer positives than false alarms alone would give: nothing, and it says so.
    rt_rogan_gladen((struct rt_counts){1000, 100}, &c, 0.95, &got);
    NEAR(got.prevalence.number, 0);
    assert_true(got.clamped);
    // A rater without errors in a large calibration changes nothing but the width.
    c = (struct rt_calibration){100000, 0, 0, 100000};
    rt_rogan_gladen((struct rt_counts){1000, 300}, &c, 0.95, &got);
    NEAR(got.prevalence.number, 0.3);
    c = (struct rt_calibration){50, 50, 50, 50};
    rt_rogan_gladen((struct rt_counts){1000, 300}, &c, 0.95, &got);
    assert_int_equal(got.prevalence.reason, RT_REASON_UNINFORMATIVE_RATER);
    c = (struct rt_calibration){0, 0, 5, 50};
    rt_rogan_gladen((struct rt_counts){1000, 300}, &c, 0.95, &got);
    assert_int_equal(got.interval.reason, RT_REASON_NO_TRIALS);
}

static void test_double_sampling(void **state)
{
    (void)state;
    static const uint64_t total[] = {100, 300, 0};
    static const struct rt_counts seen[] = {{20, 5}, {30, 27}, {0, 0}};
    struct rt_corrected got;
    rt_double_sampling(total, seen, 3, 0.95, &got);
    NEAR(got.prevalence.number, 0.25 * 0.25 + 0.75 * 0.9);
    NEAR(got.interval.lower, 0.6363172520466505);
    NEAR(got.interval.upper, 0.8386827479533496);
    static const struct rt_counts blind[] = {{20, 5}, {0, 0}, {0, 0}};
    rt_double_sampling(total, blind, 3, 0.95, &got);
    assert_int_equal(got.prevalence.reason, RT_REASON_NO_TRIALS);
}

// A small congruential generator: the same studies on every machine.
static uint64_t random_state = 88172645463325252u;

static double uniform(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static uint64_t binomial(uint64_t n, double p)
{
    uint64_t k = 0;
    for (uint64_t i = 0; i < n; i++)
        k += uniform() < p;
    return k;
}

// With a judge of known errors, calibrated on 60 and 60, the interval covers the true prevalence in
// about 95 % of 2,000 studies; the judge's own interval hardly ever does.
static void test_coverage(void **state)
{
    (void)state;
    const double truth = 0.2, se = 0.85, sp = 0.9;
    int covered = 0, naive = 0;
    enum { STUDIES = 2000 };
    for (int s = 0; s < STUDIES; s++) {
        uint64_t found = binomial(60, se), cleared = binomial(60, sp);
        struct rt_calibration c = {found, 60 - found, 60 - cleared, cleared};
        uint64_t k = binomial(1000, truth * se + (1 - truth) * (1 - sp));
        struct rt_corrected got;
        rt_rogan_gladen((struct rt_counts){1000, k}, &c, 0.95, &got);
        covered += got.interval.lower <= truth && truth <= got.interval.upper;
        double rate = (double)k / 1000, half = 1.96 * sqrt(rate * (1 - rate) / 1000);
        naive += rate - half <= truth && truth <= rate + half;
    }
    assert_in_range(covered, 1860, 1970); // 93 to 98.5 %
    assert_true(naive < 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_by_two),      cmocka_unit_test(test_three_by_three),
        cmocka_unit_test(test_edges),           cmocka_unit_test(test_rogan_gladen),
        cmocka_unit_test(test_double_sampling), cmocka_unit_test(test_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
