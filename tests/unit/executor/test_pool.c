// SPDX-License-Identifier: Apache-2.0
// Adaptive concurrency of one endpoint, and the choice among several: steps by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "worker/executor/pool.h"

#define TIMEOUT_MS 10000

static void it_doubles_until_told_to_stop(void **state)
{
    (void)state;
    struct rt_aimd aimd;
    rt_aimd_init(&aimd, 512, TIMEOUT_MS);
    assert_int_equal(rt_aimd_limit(&aimd), RT_AIMD_START);
    for (int round = 0; round < 5; round++)
        for (uint32_t n = rt_aimd_limit(&aimd); n; n--)
            rt_aimd_good(&aimd, 100, rt_aimd_limit(&aimd), 1000 * round);
    assert_int_equal(rt_aimd_limit(&aimd), 512);
    rt_aimd_busy(&aimd, 10000);
    assert_int_equal(rt_aimd_limit(&aimd), 256);
    // What was out at the time of the cut cuts no further.
    for (int i = 0; i < 200; i++)
        rt_aimd_busy(&aimd, 10500);
    assert_int_equal(rt_aimd_limit(&aimd), 256);
    rt_aimd_busy(&aimd, 11000);
    assert_int_equal(rt_aimd_limit(&aimd), 128);
    // From now on one for each round.
    for (int i = 0; i < 129; i++)
        rt_aimd_good(&aimd, 100, rt_aimd_limit(&aimd), 12000);
    assert_int_equal(rt_aimd_limit(&aimd), 129);
    for (int i = 0; i < 40; i++)
        rt_aimd_busy(&aimd, 20000 + 1000 * i);
    assert_int_equal(rt_aimd_limit(&aimd), 1);
}

static void it_grows_only_when_used(void **state)
{
    (void)state;
    struct rt_aimd aimd;
    rt_aimd_init(&aimd, 512, TIMEOUT_MS);
    for (int i = 0; i < 100; i++)
        rt_aimd_good(&aimd, 100, 3, i);
    assert_int_equal(rt_aimd_limit(&aimd), RT_AIMD_START);
}

static void late_replies_make_it_smaller(void **state)
{
    (void)state;
    struct rt_aimd aimd;
    rt_aimd_init(&aimd, 512, TIMEOUT_MS);
    for (int i = 0; i < 200; i++)
        rt_aimd_good(&aimd, 100, rt_aimd_limit(&aimd), i);
    uint32_t before = rt_aimd_limit(&aimd);
    // Near the goal of half the time a request may take: neither more nor less.
    for (int i = 0; i < 200; i++)
        rt_aimd_good(&aimd, 4000, rt_aimd_limit(&aimd), 1000 + i);
    uint32_t held = rt_aimd_limit(&aimd);
    assert_true(held >= before && held <= 512);
    for (int i = 0; i < 200; i++)
        rt_aimd_good(&aimd, 9000, rt_aimd_limit(&aimd), 2000 + 100 * i);
    assert_true(rt_aimd_limit(&aimd) < held);
}

static uint32_t take(struct rt_pool *pool, int64_t now_ms)
{
    int64_t at_ms;
    return rt_pool_take(pool, RT_POOL_NONE, now_ms, &at_ms);
}

static void the_least_loaded_is_asked(void **state)
{
    (void)state;
    struct rt_pool pool;
    int64_t at_ms = 0;
    rt_pool_init(&pool, 4, TIMEOUT_MS);
    assert_int_equal(rt_pool_take(&pool, RT_POOL_NONE, 0, &at_ms), RT_POOL_NONE);
    assert_int_equal(at_ms, RT_POOL_NEVER);
    assert_int_equal(rt_pool_add(&pool), 0);
    assert_int_equal(rt_pool_add(&pool), 1);
    assert_int_equal(take(&pool, 0), 0);
    assert_int_equal(take(&pool, 0), 1);
    assert_int_equal(take(&pool, 0), 0);
    rt_pool_good(&pool, 0, 10, 0);
    rt_pool_good(&pool, 0, 10, 0);
    assert_int_equal(take(&pool, 0), 0);
    // The one to avoid is taken where it is the only one with room.
    assert_int_equal(rt_pool_take(&pool, 0, 0, &at_ms), 1);
    for (int i = 0; i < 5; i++)
        assert_true(take(&pool, 0) != RT_POOL_NONE);
    assert_int_equal(take(&pool, 0), RT_POOL_NONE);
    assert_int_equal(rt_pool_limit(&pool, 0), 8);
    rt_pool_back(&pool, 0);
    assert_int_equal(rt_pool_take(&pool, 0, 0, &at_ms), 0);
}

static void who_fails_is_left_out_and_tried_again(void **state)
{
    (void)state;
    struct rt_pool pool;
    int64_t at_ms;
    rt_pool_init(&pool, 4, TIMEOUT_MS);
    rt_pool_add(&pool);
    rt_pool_add(&pool);
    for (int i = 0; i < RT_POOL_FAILURES; i++) {
        assert_true(rt_pool_others(&pool, 1, 0));
        assert_int_equal(rt_pool_take(&pool, 1, 0, &at_ms), 0);
        rt_pool_failed(&pool, 0, false, 0);
    }
    assert_false(rt_pool_others(&pool, 1, 0));
    assert_int_equal(rt_pool_limit(&pool, 0), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(take(&pool, 0), 1);
    assert_int_equal(rt_pool_take(&pool, RT_POOL_NONE, 0, &at_ms), RT_POOL_NONE);
    assert_int_equal(at_ms, RT_POOL_OUT_LEAST_MS);
    // One request alone is the test; in vain, it is left out for twice as long.
    assert_int_equal(take(&pool, RT_POOL_OUT_LEAST_MS), 0);
    assert_int_equal(take(&pool, RT_POOL_OUT_LEAST_MS), RT_POOL_NONE);
    rt_pool_failed(&pool, 0, false, 1000);
    assert_int_equal(take(&pool, 2999), RT_POOL_NONE);
    assert_int_equal(take(&pool, 3000), 0);
    rt_pool_good(&pool, 0, 20, 3020);
    assert_int_equal(rt_pool_limit(&pool, 3020), 8);
    assert_int_equal(take(&pool, 3020), 0);
    // A broken one is left out at once.
    rt_pool_failed(&pool, 0, true, 4000);
    assert_int_equal(rt_pool_limit(&pool, 4000), 4);
}

static void only_failures_in_a_row_count(void **state)
{
    (void)state;
    struct rt_pool pool;
    int64_t at_ms;
    rt_pool_init(&pool, 4, TIMEOUT_MS);
    rt_pool_add(&pool);
    rt_pool_add(&pool);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(rt_pool_take(&pool, 1, i, &at_ms), 0);
        if (i % 3 == 2)
            rt_pool_good(&pool, 0, 10, i);
        else
            rt_pool_failed(&pool, 0, false, i);
    }
    assert_int_equal(rt_pool_limit(&pool, 30), 8);
}

static void who_is_alone_is_not_left_out(void **state)
{
    (void)state;
    struct rt_pool pool;
    rt_pool_init(&pool, 4, TIMEOUT_MS);
    rt_pool_add(&pool);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(take(&pool, i), 0);
        rt_pool_failed(&pool, 0, i % 2, i);
    }
    assert_int_equal(rt_pool_limit(&pool, 20), 4);
}

static void patience_is_kept(void **state)
{
    (void)state;
    struct rt_pool pool;
    int64_t at_ms;
    rt_pool_init(&pool, 8, TIMEOUT_MS);
    rt_pool_add(&pool);
    assert_int_equal(take(&pool, 0), 0);
    assert_int_equal(take(&pool, 0), 0);
    rt_pool_busy(&pool, 0, 5000, 100);
    rt_pool_busy(&pool, 0, 2000, 200); // an earlier moment does not shorten it
    assert_int_equal(rt_pool_take(&pool, RT_POOL_NONE, 5099, &at_ms), RT_POOL_NONE);
    assert_int_equal(at_ms, 5100);
    assert_int_equal(rt_pool_limit(&pool, 5099), 0);
    assert_int_equal(take(&pool, 5100), 0);
    assert_int_equal(rt_pool_limit(&pool, 5100), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_doubles_until_told_to_stop),
        cmocka_unit_test(it_grows_only_when_used),
        cmocka_unit_test(late_replies_make_it_smaller),
        cmocka_unit_test(the_least_loaded_is_asked),
        cmocka_unit_test(who_fails_is_left_out_and_tried_again),
        cmocka_unit_test(only_failures_in_a_row_count),
        cmocka_unit_test(who_is_alone_is_not_left_out),
        cmocka_unit_test(patience_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
