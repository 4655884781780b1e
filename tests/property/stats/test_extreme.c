// SPDX-License-Identifier: Apache-2.0
// Whatever the counts, up to 2^53 in a cell: a finite value or a reason, in range, and soon.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/stats/accord.h"
#include "common/stats/contrast.h"
#include "common/stats/interval.h"
#include "common/stats/meta.h"
#include "common/stats/precision.h"
#include "tests/property/stats/random.h"

#define LABS   5
#define ROUNDS 300

static struct rt_counts extreme(struct rng *rng)
{
    uint64_t n = rng_next(rng) >> (11 + rng_below(rng, 53));
    uint64_t kind = rng_below(rng, 6), k = n ? rng_below(rng, n + 1) : 0;
    if (kind == 0)
        k = 0;
    else if (kind == 1)
        k = n;
    else if (kind == 2)
        k = n ? 1 : 0;
    return (struct rt_counts){n, k};
}

static void in_range(struct rt_value value, double low, double high)
{
    assert_true(value.reason < RT_REASON_COUNT);
    if (!rt_value_ok(value))
        assert_true(value.number == 0);
    else if (!(value.number >= low && value.number <= high))
        fail_msg("%.17g is outside [%g, %g]", value.number, low, high);
}

static void proportion(struct rt_interval interval, struct rt_counts counts)
{
    if (counts.n == 0) {
        assert_int_equal(interval.reason, RT_REASON_NO_TRIALS);
        return;
    }
    double rate = (double)counts.k / (double)counts.n;
    assert_int_equal(interval.reason, RT_REASON_NONE);
    assert_true(interval.lower >= 0 && interval.upper <= 1);
    assert_true(interval.lower <= rate && rate <= interval.upper);
}

static void conditions(void **state)
{
    (void)state;
    struct rng rng = {21};
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_counts labs[LABS];
        struct rt_precision p;
        struct rt_lab_precision each[LABS];
        struct rt_accord a;
        struct rt_homogeneity h;
        for (size_t i = 0; i < LABS; i++)
            labs[i] = extreme(&rng);
        proportion(rt_interval_wilson(labs[0], 0.95), labs[0]);
        proportion(rt_interval_jeffreys((struct rt_counts){labs[1].n >> 20, labs[1].k >> 20}, 0.95),
                   (struct rt_counts){labs[1].n >> 20, labs[1].k >> 20});
        rt_precision_binary(labs, LABS, &p, each);
        rt_accord(labs, LABS, &a);
        rt_homogeneity(labs, LABS, &h);
        in_range(p.mean, 0, 1);
        in_range(p.s_r, 0, 1);
        in_range(p.s_rr, 0, 1.5);
        in_range(p.icc, -1, 1);
        in_range(p.f_p, 0, 1);
        in_range(a.accordance, 0, 1);
        in_range(a.concordance, 0, 1);
        in_range(a.odds_ratio, 0, 1e300);
        in_range(h.chi2, 0, 1e300);
        in_range(h.p_upper, 0, 1);
        in_range(h.p_lower, 0, 1);
        for (size_t i = 0; i < LABS; i++) {
            in_range(each[i].h, -2, 2);
            in_range(each[i].k, 0, 3);
        }
    }
}

static void pools(void **state)
{
    (void)state;
    struct rng rng = {22};
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_effect labs[LABS];
        struct rt_stratum strata[LABS];
        struct rt_mantel_haenszel mh;
        struct rt_meta m;
        size_t count = 0;
        for (size_t i = 0; i < LABS; i++) {
            count += rt_effect_logit(extreme(&rng), &labs[count]);
            strata[i].target = extreme(&rng);
            strata[i].reference = extreme(&rng);
        }
        for (int method = RT_TAU2_DL; method <= RT_TAU2_REML; method++) {
            rt_meta(labs, count, (enum rt_tau2_method)method, 0.95, &m);
            in_range(m.tau2, 0, 1e6);
            in_range(m.mu, -40, 40);
            in_range(m.q_p, 0, 1);
            in_range(m.i2_percent, 0, 100);
            if (rt_interval_ok(m.tau2_profile))
                assert_true(m.tau2_profile.lower <= m.tau2_profile.upper);
        }
        rt_mantel_haenszel(strata, LABS, &mh);
        in_range(mh.log_or, -100, 100);
        in_range(mh.se, 0, 1e6);
        in_range(mh.p, 0, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions),
        cmocka_unit_test(pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
