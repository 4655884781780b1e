// SPDX-License-Identifier: Apache-2.0
// The order of labs, the names of categories and the way cells were split do not matter.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/stats/accord.h"
#include "common/stats/agreement.h"
#include "common/stats/disagreement.h"
#include "common/stats/meta.h"
#include "common/stats/precision.h"
#include "tests/property/stats/random.h"

#define LABS        6
#define ROUNDS      2000
#define CLOSE(a, b) assert_true(close_values((a), (b), 1e-10))

static void lab_order(void **state)
{
    (void)state;
    struct rng rng = {1};
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_counts labs[LABS], moved[LABS];
        struct rt_precision p, q;
        struct rt_lab_precision each[LABS], each_moved[LABS];
        struct rt_accord a, b;
        struct rt_homogeneity g, h;
        size_t order[LABS];
        rng_shuffle(&rng, order, LABS);
        for (size_t i = 0; i < LABS; i++)
            labs[i] = rng_counts(&rng, 12);
        for (size_t i = 0; i < LABS; i++)
            moved[i] = labs[order[i]];
        rt_precision_binary(labs, LABS, &p, each);
        rt_precision_binary(moved, LABS, &q, each_moved);
        CLOSE(p.s_r, q.s_r);
        CLOSE(p.s_l2_raw, q.s_l2_raw);
        CLOSE(p.s_rr, q.s_rr);
        for (size_t i = 0; i < LABS; i++) {
            CLOSE(each[order[i]].h, each_moved[i].h);
            CLOSE(each[order[i]].k, each_moved[i].k);
        }
        rt_accord(labs, LABS, &a);
        rt_accord(moved, LABS, &b);
        CLOSE(a.accordance, b.accordance);
        CLOSE(a.concordance, b.concordance);
        rt_homogeneity(labs, LABS, &g);
        rt_homogeneity(moved, LABS, &h);
        CLOSE(g.chi2, h.chi2);
        CLOSE(g.p_upper, h.p_upper);
    }
}

static void outcome_names(void **state)
{
    (void)state;
    // Calling events non-events leaves every measure of agreement where it was.
    struct rng rng = {2};
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_counts labs[LABS], mirrored[LABS];
        struct rt_precision p, q;
        struct rt_accord a, b;
        for (size_t i = 0; i < LABS; i++) {
            labs[i] = rng_counts(&rng, 9);
            mirrored[i] = (struct rt_counts){labs[i].n, labs[i].n - labs[i].k};
        }
        rt_precision_binary(labs, LABS, &p, NULL);
        rt_precision_binary(mirrored, LABS, &q, NULL);
        CLOSE(p.s_r, q.s_r);
        CLOSE(p.s_rr, q.s_rr);
        rt_accord(labs, LABS, &a);
        rt_accord(mirrored, LABS, &b);
        CLOSE(a.accordance, b.accordance);
        CLOSE(a.concordance, b.concordance);
        CLOSE(a.odds_ratio, b.odds_ratio);
    }
}

static void category_names(void **state)
{
    (void)state;
    struct rng rng = {3};
    for (int round = 0; round < ROUNDS / 4; round++) {
        enum { UNITS = 8, CATEGORIES = 4 };
        uint32_t counts[UNITS * CATEGORIES], moved[UNITS * CATEGORIES];
        size_t names[CATEGORIES], units[UNITS];
        rng_shuffle(&rng, names, CATEGORIES);
        rng_shuffle(&rng, units, UNITS);
        for (size_t i = 0; i < UNITS * CATEGORIES; i++)
            counts[i] = (uint32_t)rng_below(&rng, 3);
        for (size_t u = 0; u < UNITS; u++)
            for (size_t c = 0; c < CATEGORIES; c++)
                moved[u * CATEGORIES + c] = counts[units[u] * CATEGORIES + names[c]];
        struct rt_ratings a = {counts, NULL, UNITS, CATEGORIES};
        struct rt_ratings b = {moved, NULL, UNITS, CATEGORIES};
        CLOSE(rt_krippendorff_alpha(&a, RT_METRIC_NOMINAL),
              rt_krippendorff_alpha(&b, RT_METRIC_NOMINAL));
        CLOSE(rt_krippendorff_jackknife(&a, RT_METRIC_NOMINAL),
              rt_krippendorff_jackknife(&b, RT_METRIC_NOMINAL));
        for (int kind = RT_GWET_AC; kind <= RT_BRENNAN_PREDIGER; kind++) {
            struct rt_coefficient x, y;
            rt_agreement_coefficient(&a, (enum rt_coefficient_kind)kind, RT_WEIGHT_IDENTITY, 0.95,
                                     &x);
            rt_agreement_coefficient(&b, (enum rt_coefficient_kind)kind, RT_WEIGHT_IDENTITY, 0.95,
                                     &y);
            CLOSE(x.estimate, y.estimate);
            CLOSE(x.se, y.se);
            assert_true(x.estimate.reason != RT_REASON_NONE || x.estimate.number <= 1);
        }
    }
}

static void merging_a_split_cell(void **state)
{
    (void)state;
    struct rng rng = {4};
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_counts x = rng_counts(&rng, 40), y = rng_counts(&rng, 40);
        struct rt_counts sum = {x.n + y.n, x.k + y.k};
        struct rt_sample whole = rt_sample_binary(sum);
        struct rt_sample merged = rt_sample_merge(rt_sample_binary(x), rt_sample_binary(y));
        assert_int_equal(whole.n, merged.n);
        assert_true(fabs(whole.mean - merged.mean) < 1e-14);
        assert_true(fabs(whole.m2 - merged.m2) < 1e-12);
    }
}

static void binary_and_category_counts_agree(void **state)
{
    (void)state;
    struct rng rng = {5};
    for (int round = 0; round < ROUNDS; round++) {
        enum { CONDITIONS = 5 };
        struct rt_counts cells[CONDITIONS * LABS];
        uint64_t both[2 * CONDITIONS * LABS];
        for (size_t i = 0; i < CONDITIONS * LABS; i++) {
            cells[i] = rng_counts(&rng, 6);
            both[2 * i] = cells[i].n - cells[i].k;
            both[2 * i + 1] = cells[i].k;
        }
        struct rt_count_table table = {cells, CONDITIONS, LABS};
        struct rt_category_table categories = {both, NULL, CONDITIONS, LABS, 2};
        struct rt_accord a;
        struct rt_disagreement d;
        rt_accord_study(&table, &a);
        rt_disagreement(&categories, RT_METRIC_NOMINAL, &d);
        CLOSE(rt_value(1 - a.accordance.number), rt_value(d.within.number));
        CLOSE(rt_value(1 - a.concordance.number), rt_value(d.between.number));
    }
}

static void pool_order_and_shift(void **state)
{
    (void)state;
    struct rng rng = {6};
    for (int round = 0; round < ROUNDS / 10; round++) {
        struct rt_effect labs[LABS], moved[LABS];
        size_t order[LABS];
        double shift = rng_unit(&rng) * 10;
        rng_shuffle(&rng, order, LABS);
        for (size_t i = 0; i < LABS; i++)
            labs[i] = (struct rt_effect){rng_unit(&rng), 0.001 + 0.1 * rng_unit(&rng)};
        for (size_t i = 0; i < LABS; i++)
            moved[i] = (struct rt_effect){labs[order[i]].y + shift, labs[order[i]].v};
        for (int method = RT_TAU2_DL; method <= RT_TAU2_REML; method++) {
            struct rt_meta a, b;
            rt_meta(labs, LABS, (enum rt_tau2_method)method, 0.95, &a);
            rt_meta(moved, LABS, (enum rt_tau2_method)method, 0.95, &b);
            assert_true(close_values(a.tau2, b.tau2, 1e-8));
            assert_true(fabs(a.mu.number + shift - b.mu.number) < 1e-8);
            assert_true(close_values(a.se_hk, b.se_hk, 1e-8));
            // The interval of tau^2 holds the Paule-Mandel estimate, whose target lies between.
            if (method == RT_TAU2_PM)
                assert_true(a.tau2_profile.lower <= a.tau2.number &&
                            a.tau2.number <= a.tau2_profile.upper);
            assert_true(a.prediction.lower <= a.hk.lower && a.hk.upper <= a.prediction.upper);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lab_order),
        cmocka_unit_test(outcome_names),
        cmocka_unit_test(category_names),
        cmocka_unit_test(merging_a_split_cell),
        cmocka_unit_test(binary_and_category_counts_agree),
        cmocka_unit_test(pool_order_and_shift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
