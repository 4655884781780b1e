// SPDX-License-Identifier: Apache-2.0
// The test of equal text distributions: exact on small cases, its level kept and its power there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/stats/bootstrap.h"
#include "common/stats/equality.h"

#define PROMPTS 4
#define EACH    10

static void test_kernel(void **state)
{
    (void)state;
    struct rt_arena arena;
    double value;
    rt_arena_init(&arena, 1 << 20);
    // "ab": a, b, ab. "aa": a twice, aa. The product is 1 * 2; the norms are 3 and 4 + 1.
    assert_int_equal(
        rt_equality_kernel(rt_bytes_str("ab"), rt_bytes_str("aa"), &arena, &value), RT_OK);
    assert_true(fabs(value - 2 / sqrt(15)) < 1e-15);
    assert_int_equal(
        rt_equality_kernel(rt_bytes_str("same"), rt_bytes_str("same"), &arena, &value), RT_OK);
    assert_true(fabs(value - 1) < 1e-15);
    assert_int_equal(rt_equality_kernel(rt_bytes_str(""), rt_bytes_str("x"), &arena, &value),
                     RT_OK);
    assert_true(value == 0);
    rt_arena_release(&arena);
}

// Four texts, two kinds, sides apart: the discrepancy is 2 (1 - k), and of the six ways to deal the
// sides two are as large.
static void test_small(void **state)
{
    (void)state;
    const struct rt_bytes a[] = {rt_bytes_str("xx"), rt_bytes_str("xx")};
    const struct rt_bytes b[] = {rt_bytes_str("yy"), rt_bytes_str("yy")};
    struct rt_equality_group group = {a, 2, b, 2};
    struct rt_equality result, again;
    struct rt_arena arena;
    rt_arena_init(&arena, 1 << 20);
    assert_int_equal(rt_equality_test(&group, 1, 6000, 7, &arena, &result), RT_OK);
    assert_true(fabs(result.statistic - 2) < 1e-12);
    assert_true(fabs(result.p - 1.0 / 3) < 0.02);
    assert_int_equal(rt_equality_test(&group, 1, 6000, 7, &arena, &again), RT_OK);
    assert_true(result.p == again.p);
    assert_int_equal(rt_equality_test(&group, 1, 0, 7, &arena, &result), RT_OUT_OF_RANGE);
    group.sample_count = 1;
    assert_int_equal(rt_equality_test(&group, 1, 10, 7, &arena, &result), RT_OUT_OF_RANGE);
    rt_arena_release(&arena);
}

// A text of a toy subject: three words, each one of eight; `shift` moves that share of the weight
// to other words.
static void speak(uint64_t seed, uint64_t run, uint64_t side, uint64_t at, double shift,
                  char ret_text[64])
{
    static const char *const words[] = {"amber", "birch", "cedar", "delta",
                                        "ember", "fjord", "grove", "heath"};
    const uint64_t key[2] = {seed, side}, counter[4] = {run, at, 1, 0};
    uint64_t drawn[4];
    size_t chosen[3];
    rt_philox(counter, key, drawn);
    double u = (double)(drawn[3] >> 11) / 9007199254740992.0;
    for (int w = 0; w < 3; w++)
        chosen[w] = u < shift ? 4 + drawn[w] % 4 : drawn[w] % 4;
    snprintf(ret_text, 64, "The %s, the %s and the %s.", words[chosen[0]], words[chosen[1]],
             words[chosen[2]]);
}

static bool rejects(uint64_t run, double shift)
{
    static char texts[2][PROMPTS][EACH][64];
    struct rt_bytes views[2][PROMPTS][EACH];
    struct rt_equality_group groups[PROMPTS];
    struct rt_equality result;
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)16 << 20);
    for (size_t p = 0; p < PROMPTS; p++) {
        for (size_t s = 0; s < 2; s++)
            for (size_t i = 0; i < EACH; i++) {
                speak(11, run, s, p * EACH + i, s ? shift : 0, texts[s][p][i]);
                views[s][p][i] = rt_bytes_str(texts[s][p][i]);
            }
        groups[p] = (struct rt_equality_group){views[0][p], EACH, views[1][p], EACH};
    }
    assert_int_equal(rt_equality_test(groups, PROMPTS, 99, run, &arena, &result), RT_OK);
    rt_arena_release(&arena);
    return result.p <= 0.05;
}

static void test_level_and_power(void **state)
{
    (void)state;
    int false_alarms = 0, found = 0, small = 0;
    for (uint64_t run = 0; run < 400; run++)
        false_alarms += rejects(run, 0);
    for (uint64_t run = 0; run < 100; run++) {
        found += rejects(run, 0.5);
        small += rejects(run, 0.15);
    }
    print_message("rejected at 5 %%: equal %d of 400, a half moved %d of 100, 15 %% moved %d\n",
                  false_alarms, found, small);
    // Binomial(400, 0.05) lies in 5..36 but for one run in ten thousand.
    assert_in_range(false_alarms, 5, 36);
    assert_in_range(found, 95, 100);
    assert_true(small > 10 && small < found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernel), cmocka_unit_test(test_small),
                                       cmocka_unit_test(test_level_and_power)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
