// SPDX-License-Identifier: Apache-2.0
// The bits of many results, folded into one number. It must be the same on every processor, with
// every compiler and optimisation level; a change here is a change of the formula version.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/stats/accord.h"
#include "common/stats/interval.h"
#include "common/stats/meta.h"
#include "common/stats/precision.h"
#include "common/stats/special.h"
#include "tests/property/stats/random.h"

#define EXPECTED UINT64_C(0xdc401bcf39726ac6)

static uint64_t folded = 0xcbf29ce484222325u;

static void fold(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    for (int shift = 0; shift < 64; shift += 8)
        folded = (folded ^ (bits >> shift & 0xff)) * 0x100000001b3u;
}

static void fold_interval(struct rt_interval interval)
{
    fold(interval.lower);
    fold(interval.upper);
}

static void fold_condition(const struct rt_counts *labs, size_t count)
{
    struct rt_precision p;
    struct rt_accord a;
    struct rt_homogeneity h;
    struct rt_beta_binomial b;
    rt_precision_binary(labs, count, &p, NULL);
    rt_accord(labs, count, &a);
    rt_homogeneity(labs, count, &h);
    rt_beta_binomial(labs, count, &b);
    fold(p.s_rr.number);
    fold(p.f_p.number);
    fold(a.odds_ratio.number);
    fold(h.p_lower.number);
    fold(h.g_p.number);
    fold(b.rho.number);
}

static void fold_pool(const struct rt_counts *labs, size_t count)
{
    struct rt_effect effects[6];
    struct rt_meta m;
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += rt_effect_logit(labs[i], &effects[used]);
    for (int method = RT_TAU2_DL; method <= RT_TAU2_REML; method++) {
        rt_meta(effects, used, (enum rt_tau2_method)method, 0.95, &m);
        fold(m.tau2.number);
        fold_interval(m.prediction);
        fold_interval(m.tau2_profile);
    }
}

static void the_bits_are_the_same_everywhere(void **state)
{
    (void)state;
    struct rng rng = {2026};
    for (int round = 0; round < 160; round++) {
        struct rt_counts labs[6];
        for (size_t i = 0; i < 6; i++)
            labs[i] = rng_counts(&rng, round < 150 ? 30 : 100000000);
        fold_interval(rt_interval_wilson(labs[0], 0.95));
        fold_interval(rt_interval_clopper_pearson(labs[0], 0.95));
        fold_interval(rt_interval_jeffreys(labs[1], 0.9));
        fold_interval(rt_interval_sequence(labs[2], 1, 1, 0.05));
        double tail = rng_unit(&rng) / 2, freedom = 1 + 50 * rng_unit(&rng);
        fold(rt_t_upper(tail, freedom));
        fold_condition(labs, 6);
        fold_pool(labs, 6);
    }
    if (folded != EXPECTED)
        fail_msg("folded bits are 0x%016llx", (unsigned long long)folded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_are_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
