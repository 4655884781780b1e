// SPDX-License-Identifier: Apache-2.0
// STATISTICS section 4: where a statistic has no value it says why, and what stays defined stays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/stats/accord.h"
#include "common/stats/agreement.h"
#include "common/stats/components.h"
#include "common/stats/contrast.h"
#include "common/stats/icc.h"
#include "common/stats/interval.h"
#include "common/stats/meta.h"
#include "common/stats/oddlab.h"
#include "common/stats/precision.h"

#define REASON(value, name) assert_int_equal((value).reason, RT_REASON_##name)
#define NUMBER(value, want)                                                                        \
    do {                                                                                           \
        struct rt_value have_ = (value);                                                           \
        assert_int_equal(have_.reason, RT_REASON_NONE);                                            \
        assert_true(have_.number == (want));                                                       \
    } while (0)

static void without_trials(void **state)
{
    (void)state;
    struct rt_counts none[3] = {{0, 0}};
    struct rt_precision p;
    struct rt_accord a;
    struct rt_homogeneity h;
    struct rt_lab_precision labs[3];
    REASON(rt_rate(none[0]), NO_TRIALS);
    REASON(rt_interval_wilson(none[0], 0.95), NO_TRIALS);
    rt_precision_binary(none, 3, &p, labs);
    REASON(p.s_r, NO_TRIALS);
    REASON(p.mean, NO_TRIALS);
    REASON(labs[2].h, NO_TRIALS);
    rt_accord(none, 3, &a);
    REASON(a.accordance, NO_TRIALS);
    REASON(a.odds_ratio, NO_TRIALS);
    rt_homogeneity(none, 3, &h);
    REASON(h.chi2, NO_TRIALS);
    struct rt_interval all = rt_interval_sequence(none[0], 1, 1, 0.05);
    assert_true(all.lower == 0 && all.upper == 1);
}

static void one_lab(void **state)
{
    (void)state;
    struct rt_counts labs[3] = {{0, 0}, {10, 4}, {0, 0}};
    struct rt_precision p;
    struct rt_accord a;
    struct rt_homogeneity h;
    struct rt_beta_binomial b;
    rt_precision_binary(labs, 3, &p, NULL);
    assert_true(rt_value_ok(p.s_r));
    REASON(p.s_rr, SINGLE_LAB);
    REASON(p.s_l2_raw, SINGLE_LAB);
    rt_accord(labs, 3, &a);
    assert_true(rt_value_ok(a.accordance));
    REASON(a.concordance, SINGLE_LAB);
    REASON(a.odds_ratio, SINGLE_LAB);
    rt_homogeneity(labs, 3, &h);
    REASON(h.p_lower, SINGLE_LAB);
    rt_beta_binomial(labs, 3, &b);
    REASON(b.rho, SINGLE_LAB);
    struct rt_effect effect = {0.4, 0.02};
    struct rt_meta m;
    rt_meta(&effect, 1, RT_TAU2_REML, 0.95, &m);
    NUMBER(m.fixed_mu, 0.4);
    REASON(m.tau, SINGLE_LAB);
    REASON(m.prediction, SINGLE_LAB);
    rt_meta(&effect, 0, RT_TAU2_REML, 0.95, &m);
    REASON(m.fixed_mu, NO_TRIALS);
}

static void no_lab_repeated_a_trial(void **state)
{
    (void)state;
    struct rt_counts labs[3] = {{1, 0}, {1, 1}, {1, 1}};
    struct rt_precision p;
    struct rt_lab_precision each[3];
    struct rt_accord a;
    struct rt_homogeneity h;
    struct rt_beta_binomial b;
    rt_precision_binary(labs, 3, &p, each);
    REASON(p.s_r, NO_REPLICATES);
    REASON(p.s_rr, NO_REPLICATES);
    REASON(p.icc, NO_REPLICATES);
    REASON(each[0].k, SINGLE_TRIAL);
    assert_true(rt_value_ok(each[0].h));
    rt_accord(labs, 3, &a);
    REASON(a.accordance, NO_REPLICATES);
    assert_true(rt_value_ok(a.concordance));
    rt_homogeneity(labs, 3, &h);
    assert_true(rt_value_ok(h.chi2));
    rt_beta_binomial(labs, 3, &b);
    REASON(b.mu, NO_REPLICATES);
}

static void all_outcomes_equal(void **state)
{
    (void)state;
    // Rates such as 7/7 in labs of different sizes, so that rounding has its chance.
    struct rt_counts labs[4] = {{7, 7}, {3, 3}, {11, 11}, {49, 49}};
    struct rt_precision p;
    struct rt_lab_precision each[4];
    struct rt_accord a;
    struct rt_homogeneity h;
    struct rt_beta_binomial b;
    rt_precision_binary(labs, 4, &p, each);
    NUMBER(p.s_r, 0);
    NUMBER(p.s_l, 0);
    NUMBER(p.s_rr, 0);
    REASON(p.f, ZERO_WITHIN_VARIANCE);
    REASON(p.icc, NO_VARIATION);
    REASON(each[1].k, ZERO_WITHIN_VARIANCE);
    REASON(each[1].h, ZERO_BETWEEN_SPREAD);
    rt_accord(labs, 4, &a);
    NUMBER(a.accordance, 1);
    NUMBER(a.concordance, 1);
    REASON(a.odds_ratio, NO_DISAGREEMENT);
    rt_homogeneity(labs, 4, &h);
    REASON(h.chi2, NO_VARIATION);
    assert_int_equal(h.df, 3);
    rt_beta_binomial(labs, 4, &b);
    REASON(b.mu, NO_VARIATION);
}

static void equal_rates_have_no_spread(void **state)
{
    (void)state;
    // 1/3 in labs of every size: no rounding may turn into a between-lab variance.
    struct rt_counts labs[5] = {{3, 1}, {9, 3}, {21, 7}, {300, 100}, {999999, 333333}};
    struct rt_precision p;
    struct rt_lab_precision each[5];
    struct rt_homogeneity h;
    rt_precision_binary(labs, 5, &p, each);
    NUMBER(p.sd_of_labs, 0);
    NUMBER(p.f, 0);
    REASON(each[0].h, ZERO_BETWEEN_SPREAD);
    assert_int_equal(p.note, RT_REASON_TRUNCATED_AT_ZERO);
    rt_homogeneity(labs, 5, &h);
    NUMBER(h.chi2, 0);
    NUMBER(h.p_lower, 0);
}

static void odds_ratios_at_the_edge(void **state)
{
    (void)state;
    struct rt_counts split[2] = {{5, 5}, {5, 0}};
    struct rt_accord a;
    struct rt_beta_binomial b;
    rt_accord(split, 2, &a);
    NUMBER(a.concordance, 0);
    REASON(a.odds_ratio, ACCORDANCE_IS_ONE);
    rt_beta_binomial(split, 2, &b);
    REASON(b.rho, BOUNDARY_RHO_ONE);
    REASON(rt_accord_odds_ratio(0.5, 1), CONCORDANCE_IS_ZERO);
    struct rt_stratum up = {{4, 4}, {4, 0}}, down = {{4, 0}, {4, 4}}, flat = {{4, 0}, {4, 0}};
    struct rt_mantel_haenszel mh;
    rt_mantel_haenszel(&up, 1, &mh);
    REASON(mh.log_or, POSITIVE_INFINITE);
    assert_true(rt_value_ok(mh.chi2));
    rt_mantel_haenszel(&down, 1, &mh);
    REASON(mh.log_or, NEGATIVE_INFINITE);
    rt_mantel_haenszel(&flat, 1, &mh);
    REASON(mh.log_or, NO_INFORMATIVE_STRATA);
    REASON(mh.chi2, NO_INFORMATIVE_STRATA);
    struct rt_effect effect;
    struct rt_stratum half = {{4, 1}, {0, 0}};
    assert_int_equal(rt_risk_difference(&half, 1, &effect, NULL), RT_REASON_NO_INFORMATIVE_STRATA);
}

static void ratings_without_information(void **state)
{
    (void)state;
    const uint32_t unanimous[] = {3, 0, 3, 0, 3, 0}, single[] = {1, 0, 0, 1};
    struct rt_ratings same = {unanimous, NULL, 3, 2}, alone = {single, NULL, 2, 2};
    struct rt_coefficient c;
    REASON(rt_krippendorff_alpha(&same, RT_METRIC_NOMINAL), NO_VARIATION);
    REASON(rt_krippendorff_alpha(&alone, RT_METRIC_NOMINAL), NO_PAIRABLE_VALUES);
    REASON(rt_percent_agreement(&alone), NO_PAIRABLE_VALUES);
    rt_agreement_coefficient(&same, RT_FLEISS_KAPPA, RT_WEIGHT_IDENTITY, 0.95, &c);
    REASON(c.estimate, NO_VARIATION);
    rt_agreement_coefficient(&same, RT_GWET_AC, RT_WEIGHT_IDENTITY, 0.95, &c);
    NUMBER(c.estimate, 1);
    rt_agreement_coefficient(&alone, RT_GWET_AC, RT_WEIGHT_IDENTITY, 0.95, &c);
    REASON(c.estimate, NO_PAIRABLE_VALUES);
    // A verdict exactly on the threshold is missing, decided on integers.
    struct rt_counts third = {3, 1};
    assert_int_equal(rt_verdict_binary((struct rt_counts){2000000, 1000000}, 500000), -1);
    assert_int_equal(rt_verdict_binary((struct rt_counts){2000001, 1000001}, 500000), 1);
    assert_int_equal(rt_verdict_binary(third, 333333), 1);
    assert_int_equal(rt_verdict_binary(third, 333334), 0);
}

static void pools_at_the_edge(void **state)
{
    (void)state;
    struct rt_effect same[3] = {{0.25, 0.01}, {0.25, 0.02}, {0.25, 0.005}};
    struct rt_meta m;
    for (int method = RT_TAU2_DL; method <= RT_TAU2_REML; method++) {
        rt_meta(same, 3, (enum rt_tau2_method)method, 0.95, &m);
        NUMBER(m.q, 0);
        NUMBER(m.tau2, 0);
        NUMBER(m.mu, 0.25);
        assert_int_equal(m.note, RT_REASON_ZERO_WIDTH);
        assert_true(m.hk.lower == m.hk.upper && m.wald.lower < m.wald.upper);
    }
    struct rt_effect exact[2] = {{0.1, 0}, {0.2, 0.01}};
    rt_meta(exact, 2, RT_TAU2_DL, 0.95, &m);
    REASON(m.mu, ZERO_WITHIN_VARIANCE);
    struct rt_effect far[2] = {{-1e308, 1}, {1e308, 1}};
    rt_meta(far, 2, RT_TAU2_REML, 0.95, &m);
    REASON(m.q, NOT_FINITE);
}

static void other_statistics(void **state)
{
    (void)state;
    double workspace[5], flat[] = {1, 1, 1, 1, 9}, two[] = {1, 2};
    struct rt_robust robust;
    rt_algorithm_a(two, 2, workspace, &robust);
    REASON(robust.mean, FEWER_THAN_3_LABS);
    rt_algorithm_a(flat, 5, workspace, &robust);
    NUMBER(robust.mean, 1);
    REASON(robust.sd, ZERO_MAD);
    NUMBER(rt_z_prime(9, &robust, 2), 4);
    REASON(rt_z_prime(9, &robust, 0), ZERO_BETWEEN_SPREAD);
    double matrix[] = {1, 2, 2, 3, 3, 4}, tied[] = {5, 6, 5, 6}, sums[3];
    size_t order[3];
    struct rt_icc icc;
    struct rt_kendall w;
    rt_icc(matrix, 3, 2, 0.95, &icc);
    NUMBER(icc.c1, 1);
    REASON(icc.c1_interval, ZERO_RESIDUAL);
    rt_kendall_w(tied, 2, 2, sums, order, &w);
    REASON(w.w, ALL_TIED);
    double doses[] = {0, 1};
    struct rt_counts cells[] = {{5, 0}, {5, 5}};
    struct rt_trend trend;
    rt_trend(doses, cells, 2, &trend);
    REASON(trend.slope, SEPARATION);
    assert_true(rt_value_ok(trend.z));
}

static void components_that_cannot_be_told_apart(void **state)
{
    (void)state;
    const uint32_t codes[] = {0, 0, 0, 1, 0, 1}; // (lab, scenario, copy) of two cells
    struct rt_factor_table table = {codes, 2, 3};
    struct rt_sample samples[] = {{4, 0.5, 1}, {4, 0.25, 0.75}};
    const unsigned effects[] = {1, 2, 4};
    struct rt_components c;
    struct rt_arena arena;
    rt_arena_init(&arena, 1 << 20);
    assert_int_equal(rt_components(&table, samples, effects, 3, &arena, &c), RT_OK);
    assert_true(rt_value_ok(c.effect[0].raw));
    REASON(c.effect[1].raw, SINGLE_LEVEL);
    REASON(c.effect[2].raw, ALIASED);
    samples[0].n = samples[1].n = 1;
    samples[0].m2 = samples[1].m2 = 0;
    assert_int_equal(rt_components(&table, samples, effects, 1, &arena, &c), RT_OK);
    REASON(c.effect[0].raw, CONFOUNDED_WITH_RESIDUAL);
    assert_true(rt_value_ok(c.effect[1].raw));
    rt_arena_release(&arena);
    rt_arena_init(&arena, 64);
    assert_int_equal(rt_components(&table, samples, effects, 1, &arena, &c), RT_NO_MEMORY);
    rt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_trials),
        cmocka_unit_test(one_lab),
        cmocka_unit_test(no_lab_repeated_a_trial),
        cmocka_unit_test(all_outcomes_equal),
        cmocka_unit_test(equal_rates_have_no_spread),
        cmocka_unit_test(odds_ratios_at_the_edge),
        cmocka_unit_test(ratings_without_information),
        cmocka_unit_test(pools_at_the_edge),
        cmocka_unit_test(other_statistics),
        cmocka_unit_test(components_that_cannot_be_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
