// SPDX-License-Identifier: Apache-2.0
// Identities between statistics that were derived independently, and the shape of intervals.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/stats/accord.h"
#include "common/stats/bootstrap.h"
#include "common/stats/components.h"
#include "common/stats/interval.h"
#include "common/stats/meta.h"
#include "common/stats/precision.h"
#include "common/stats/real.h"
#include "tests/property/stats/random.h"

#define ROUNDS 2000

static void accordance_is_iso_5725(void **state)
{
    (void)state;
    // Equal n: 1 - A = 2 s_r^2 and 1 - C = 2 (s_r^2 + raw s_L^2), STATISTICS 3.3.
    struct rng rng = {11};
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_counts labs[7];
        size_t count = 2 + rng_below(&rng, 6);
        uint64_t n = 2 + rng_below(&rng, 30);
        for (size_t i = 0; i < count; i++)
            labs[i] = (struct rt_counts){n, rng_below(&rng, n + 1)};
        struct rt_precision p;
        struct rt_accord a;
        rt_precision_binary(labs, count, &p, NULL);
        rt_accord(labs, count, &a);
        double s_r2 = p.s_r.number * p.s_r.number;
        assert_true(fabs(1 - a.accordance.number - 2 * s_r2) < 1e-12);
        assert_true(fabs(1 - a.concordance.number - 2 * (s_r2 + p.s_l2_raw.number)) < 1e-12);
    }
}

typedef struct rt_interval interval_of(struct rt_counts counts, double confidence);

static void intervals_are_monotone(void **state)
{
    (void)state;
    static interval_of *const kinds[] = {rt_interval_wilson, rt_interval_clopper_pearson,
                                         rt_interval_jeffreys};
    static const uint64_t sizes[] = {1, 2, 7, 40};
    for (size_t kind = 0; kind < 3; kind++) {
        for (size_t s = 0; s < 4; s++) {
            struct rt_interval before = {0, 0, RT_REASON_NONE};
            for (uint64_t k = 0; k <= sizes[s]; k++) {
                struct rt_counts counts = {sizes[s], k};
                double rate = (double)k / (double)sizes[s];
                struct rt_interval wide = kinds[kind](counts, 0.99);
                struct rt_interval now = kinds[kind](counts, 0.95);
                struct rt_interval mirror =
                    kinds[kind]((struct rt_counts){sizes[s], sizes[s] - k}, 0.95);
                assert_true(0 <= now.lower && now.lower <= rate && rate <= now.upper &&
                            now.upper <= 1);
                assert_true(wide.lower <= now.lower && now.upper <= wide.upper);
                assert_true(before.lower <= now.lower && before.upper <= now.upper);
                assert_true(fabs(mirror.lower - (1 - now.upper)) < 1e-12);
                assert_true((k == 0) == (now.lower == 0) && (k == sizes[s]) == (now.upper == 1));
                before = now;
            }
        }
    }
}

static void exact_intervals_cover(void **state)
{
    (void)state;
    // Clopper-Pearson covers every rate with at least its level: summed exactly over outcomes.
    const uint64_t n = 25;
    struct rt_interval intervals[26];
    for (uint64_t k = 0; k <= n; k++)
        intervals[k] = rt_interval_clopper_pearson((struct rt_counts){n, k}, 0.95);
    for (double p = 0.005; p < 1; p += 0.005) {
        double covered = 0;
        for (uint64_t k = 0; k <= n; k++)
            if (intervals[k].lower <= p && p <= intervals[k].upper)
                covered +=
                    rt_real_exp(rt_real_lchoose((double)n, (double)k) + (double)k * rt_real_log(p) +
                                (double)(n - k) * rt_real_log1p(-p));
        assert_true(covered >= 0.95);
    }
}

static void sequences_are_wider_and_nested(void **state)
{
    (void)state;
    struct rng rng = {12};
    for (int round = 0; round < 300; round++) {
        struct rt_counts counts = {1 + rng_below(&rng, 500), 0};
        counts.k = rng_below(&rng, counts.n + 1);
        struct rt_interval wide = rt_interval_sequence(counts, 1, 1, 0.01);
        struct rt_interval now = rt_interval_sequence(counts, 1, 1, 0.05);
        struct rt_interval wilson = rt_interval_wilson(counts, 0.95);
        assert_true(wide.lower <= now.lower && now.upper <= wide.upper);
        assert_true(now.upper - now.lower > wilson.upper - wilson.lower);
    }
}

static void balanced_components_are_mean_squares(void **state)
{
    (void)state;
    // One factor, equal n: the component of labs is ISO 5725's raw between-lab variance.
    struct rng rng = {13};
    struct rt_arena arena;
    for (int round = 0; round < 200; round++) {
        struct rt_counts labs[6];
        struct rt_sample samples[6];
        uint32_t codes[6];
        const unsigned lab_effect = 1;
        struct rt_precision p;
        struct rt_components c;
        uint64_t n = 2 + rng_below(&rng, 9);
        for (uint32_t i = 0; i < 6; i++) {
            labs[i] = (struct rt_counts){n + (round % 2 ? rng_below(&rng, 5) : 0), 0};
            labs[i].k = rng_below(&rng, labs[i].n + 1);
            samples[i] = rt_sample_binary(labs[i]);
            codes[i] = i;
        }
        struct rt_factor_table table = {codes, 6, 1};
        rt_arena_init(&arena, 1 << 20);
        assert_int_equal(rt_components(&table, samples, &lab_effect, 1, &arena, &c), RT_OK);
        rt_precision_binary(labs, 6, &p, NULL);
        assert_true(fabs(c.effect[0].raw.number - p.s_l2_raw.number) < 1e-12);
        assert_true(fabs(c.effect[1].raw.number - p.s_r.number * p.s_r.number) < 1e-12);
        rt_arena_release(&arena);
    }
}

static double profile_score(const struct rt_effect *labs, size_t count, double tau2)
{
    double w = 0, w2 = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        w += 1 / (labs[i].v + tau2);
        w2 += 1 / (labs[i].v + tau2) / (labs[i].v + tau2);
        sum += labs[i].y / (labs[i].v + tau2);
    }
    for (size_t i = 0; i < count; i++) {
        double gap = (labs[i].y - sum / w) / (labs[i].v + tau2);
        squares += gap * gap;
    }
    return squares - w + w2 / w;
}

static void reml_is_stationary(void **state)
{
    (void)state;
    // Down to the variances of 1e8 trials, where tau^2 is millions of times larger than they are.
    struct rng rng = {14};
    for (int round = 0; round < 500; round++) {
        struct rt_effect labs[5];
        double scale = rt_real_pow(10, -10 * rng_unit(&rng));
        for (size_t i = 0; i < 5; i++)
            labs[i] = (struct rt_effect){rng_unit(&rng), scale * (0.1 + rng_unit(&rng))};
        struct rt_meta m;
        rt_meta(labs, 5, RT_TAU2_REML, 0.95, &m);
        double tau2 = m.tau2.number;
        if (tau2 > 0) {
            assert_true(profile_score(labs, 5, tau2 * (1 - 1e-6)) > 0);
            assert_true(profile_score(labs, 5, tau2 * (1 + 1e-6)) < 0);
        } else {
            assert_true(profile_score(labs, 5, 0) <= 0);
        }
    }
}

static struct rt_value first_drawn(const size_t *drawn, size_t count, const void *context)
{
    (void)context;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)drawn[i];
    return rt_value(sum);
}

static void replicates_can_be_computed_alone(void **state)
{
    (void)state;
    struct rt_bootstrap_plan plan = {7, rt_bootstrap_stream("scenarios"), 50, 0.9};
    size_t drawn[9], alone[9];
    for (size_t b = plan.replicates; b-- > 0;) {
        struct rt_value sum = rt_bootstrap_replicate(&plan, b, 9, first_drawn, NULL, drawn);
        double again = 0;
        for (size_t i = 9; i-- > 0;) {
            alone[i] = rt_bootstrap_index(&plan, b, i, 9);
            assert_true(alone[i] < 9 && alone[i] == drawn[i]);
            again += (double)alone[i];
        }
        assert_true(again == sum.number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accordance_is_iso_5725),
        cmocka_unit_test(intervals_are_monotone),
        cmocka_unit_test(exact_intervals_cover),
        cmocka_unit_test(sequences_are_wider_and_nested),
        cmocka_unit_test(balanced_components_are_mean_squares),
        cmocka_unit_test(reml_is_stationary),
        cmocka_unit_test(replicates_can_be_computed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
