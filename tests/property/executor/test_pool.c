// SPDX-License-Identifier: Apache-2.0
// Whatever happens to the endpoints, in whatever order: nobody gets more than its limit, nobody is
// asked before its time, waiting always ends, and once all is well again all of it is used.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "worker/executor/pool.h"

#define SEEDS 60
#define STEPS 3000
#define MOST  48

static uint64_t state64;

static uint32_t below(uint32_t n)
{
    state64 ^= state64 << 13, state64 ^= state64 >> 7, state64 ^= state64 << 17;
    return (uint32_t)(state64 >> 32) % n;
}

// What the pool should know, kept apart from it.
struct shadow {
    bool used;
    uint32_t out;
    int64_t held_until_ms;
};

static void check(const struct rt_pool *pool, const struct shadow *shadow)
{
    size_t count = 0;
    for (uint32_t m = 0; m < RT_POOL_MOST; m++) {
        const struct rt_pool_member *member = &pool->members[m];
        assert_int_equal(member->used, shadow[m].used);
        count += member->used;
        if (!member->used)
            continue;
        assert_int_equal(member->out, shadow[m].out);
        uint32_t limit = rt_aimd_limit(&member->aimd);
        assert_true(limit >= 1 && limit <= MOST && member->out <= MOST);
    }
    assert_int_equal(pool->count, count);
}

static void ask(struct rt_pool *pool, struct shadow *shadow, int64_t now_ms)
{
    int64_t at_ms = 0;
    size_t limit = rt_pool_limit(pool, now_ms), others;
    uint32_t m = rt_pool_take(pool, below(RT_POOL_MOST), now_ms, &at_ms);
    if (m != RT_POOL_NONE) {
        assert_true(shadow[m].used && limit > 0 && shadow[m].held_until_ms <= now_ms);
        shadow[m].out++;
        assert_true(shadow[m].out <= rt_aimd_limit(&pool->members[m].aimd));
        return;
    }
    // It changes by itself at that time, and not before.
    assert_true(at_ms > now_ms);
    if (at_ms == RT_POOL_NEVER)
        return;
    others = rt_pool_limit(pool, at_ms);
    assert_true(others > 0);
    assert_int_equal(rt_pool_take(pool, RT_POOL_NONE, at_ms - 1, &at_ms), RT_POOL_NONE);
}

static void end_one(struct rt_pool *pool, struct shadow *shadow, uint32_t m, int64_t now_ms)
{
    int64_t hold_ms = (int64_t)below(4000) - 1000;
    if (!shadow[m].out)
        return;
    shadow[m].out--;
    switch (below(6)) {
    case 0:
        rt_pool_busy(pool, m, hold_ms, now_ms);
        if (hold_ms > 0 && now_ms + hold_ms > shadow[m].held_until_ms)
            shadow[m].held_until_ms = now_ms + hold_ms;
        break;
    case 1:
        rt_pool_failed(pool, m, below(4) == 0, now_ms);
        break;
    case 2:
        rt_pool_late(pool, m, now_ms);
        break;
    case 3:
        rt_pool_back(pool, m);
        break;
    default:
        rt_pool_good(pool, m, below(3000), now_ms);
    }
}

// Everything is answered well from now on: in the end all the room there is gets used.
static void recover(struct rt_pool *pool, struct shadow *shadow, int64_t now_ms)
{
    for (uint32_t m = 0; m < RT_POOL_MOST; m++)
        for (; shadow[m].out; shadow[m].out--)
            rt_pool_good(pool, m, 1, now_ms);
    for (int round = 0; round < 2000; round++) {
        uint32_t taken[RT_POOL_MOST * MOST], count = 0;
        int64_t at_ms = now_ms + 1000;
        while ((taken[count] = rt_pool_take(pool, RT_POOL_NONE, now_ms, &at_ms)) != RT_POOL_NONE)
            count++;
        for (uint32_t i = 0; i < count; i++)
            rt_pool_good(pool, taken[i], 1, now_ms);
        now_ms += 1000;
    }
    assert_int_equal(rt_pool_limit(pool, now_ms), pool->count * MOST);
}

static void pools_keep_their_promises(void **state)
{
    (void)state;
    size_t refused = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct rt_pool pool;
        struct shadow shadow[RT_POOL_MOST];
        int64_t now_ms = 1000000;
        memset(shadow, 0, sizeof shadow);
        state64 = seed * 0x9e3779b97f4a7c15u;
        rt_pool_init(&pool, MOST, 8000);
        for (int step = 0; step < STEPS; step++) {
            uint32_t m = below(RT_POOL_MOST), what = below(100);
            now_ms += below(3) ? 0 : below(200);
            if (what < 2 && pool.count < 6) {
                m = rt_pool_add(&pool);
                shadow[m] = (struct shadow){.used = true};
            } else if (what < 3 && shadow[m].used) {
                rt_pool_remove(&pool, m);
                shadow[m] = (struct shadow){.used = false}; // what was out is asked elsewhere
            } else if (what < 55) {
                ask(&pool, shadow, now_ms);
            } else {
                end_one(&pool, shadow, below(8), now_ms);
            }
            refused += rt_pool_limit(&pool, now_ms) == 0;
            check(&pool, shadow);
        }
        recover(&pool, shadow, now_ms);
    }
    assert_true(refused > 1000); // the walks did reach the hard places
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pools_keep_their_promises)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
