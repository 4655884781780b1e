// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/pool.h"

#include "common/base/status.h"

void rt_pool_init(struct rt_pool *pool, uint32_t most, int64_t timeout_ms)
{
    *pool = (struct rt_pool){.most = most ? most : 1, .timeout_ms = timeout_ms};
}

uint32_t rt_pool_add(struct rt_pool *pool)
{
    for (uint32_t m = 0; m < RT_POOL_MOST; m++) {
        struct rt_pool_member *member = &pool->members[m];
        if (member->used)
            continue;
        *member = (struct rt_pool_member){.used = true};
        rt_aimd_init(&member->aimd, pool->most, pool->timeout_ms);
        pool->count++;
        return m;
    }
    return RT_POOL_NONE;
}

static struct rt_pool_member *at(struct rt_pool *pool, uint32_t member)
{
    RT_ASSERT(member < RT_POOL_MOST && pool->members[member].used);
    return &pool->members[member];
}

void rt_pool_remove(struct rt_pool *pool, uint32_t member)
{
    *at(pool, member) = (struct rt_pool_member){.used = false};
    pool->count--;
}

// ---- whom to ask

// How many requests it may have at once; one alone is the test of a member that was left out.
static uint32_t capacity(const struct rt_pool_member *member, int64_t now_ms)
{
    if (!member->used || (member->held && now_ms < member->held_until_ms))
        return 0;
    if (member->ejected)
        return now_ms < member->ejected_until_ms ? 0 : 1;
    return rt_aimd_limit(&member->aimd);
}

// When it could be asked, requests finishing or not.
static int64_t free_at_ms(const struct rt_pool_member *member, int64_t now_ms)
{
    int64_t at_ms = now_ms;
    if (member->held && member->held_until_ms > at_ms)
        at_ms = member->held_until_ms;
    if (member->ejected && member->ejected_until_ms > at_ms)
        at_ms = member->ejected_until_ms;
    return at_ms > now_ms ? at_ms : RT_POOL_NEVER;
}

// Less loaded: out / limit, without dividing; the first of equals.
static bool lighter(const struct rt_pool_member *a, uint32_t a_limit,
                    const struct rt_pool_member *b, uint32_t b_limit)
{
    return (uint64_t)a->out * b_limit < (uint64_t)b->out * a_limit;
}

uint32_t rt_pool_take(struct rt_pool *pool, uint32_t avoid, int64_t now_ms, int64_t *ret_at_ms)
{
    uint32_t best = RT_POOL_NONE, best_limit = 0;
    int64_t soonest_ms = RT_POOL_NEVER;
    for (uint32_t m = 0; m < RT_POOL_MOST; m++) {
        const struct rt_pool_member *member = &pool->members[m];
        if (!member->used)
            continue;
        uint32_t limit = capacity(member, now_ms);
        if (limit <= member->out) {
            int64_t at_ms = free_at_ms(member, now_ms);
            soonest_ms = at_ms < soonest_ms ? at_ms : soonest_ms;
            continue;
        }
        bool better = best == RT_POOL_NONE || best == avoid ||
                      (m != avoid && lighter(member, limit, &pool->members[best], best_limit));
        if (better)
            best = m, best_limit = limit;
    }
    if (best == RT_POOL_NONE)
        *ret_at_ms = soonest_ms;
    else
        pool->members[best].out++;
    return best;
}

// ---- how it went

void rt_pool_back(struct rt_pool *pool, uint32_t member)
{
    RT_ASSERT(at(pool, member)->out > 0);
    pool->members[member].out--;
}

void rt_pool_good(struct rt_pool *pool, uint32_t member, int64_t latency_ms, int64_t now_ms)
{
    struct rt_pool_member *it = at(pool, member);
    rt_aimd_good(&it->aimd, latency_ms, it->out, now_ms);
    it->failures = 0;
    it->ejected = false;
    it->ejected_for_ms = 0;
    rt_pool_back(pool, member);
}

void rt_pool_busy(struct rt_pool *pool, uint32_t member, int64_t hold_ms, int64_t now_ms)
{
    struct rt_pool_member *it = at(pool, member);
    rt_aimd_busy(&it->aimd, now_ms);
    it->failures = 0; // who says that it is busy is there
    it->ejected = false;
    if (hold_ms > 0 && (!it->held || now_ms + hold_ms > it->held_until_ms)) {
        it->held = true;
        it->held_until_ms = now_ms + hold_ms;
    }
    rt_pool_back(pool, member);
}

static void eject(const struct rt_pool *pool, struct rt_pool_member *member, int64_t now_ms)
{
    // One that is alone is asked all the same: its requests' own pauses are patience enough.
    if (pool->count < 2)
        return;
    // Requests that were out when it was left out fail one after the other: that is one failure.
    if (member->ejected && now_ms < member->ejected_until_ms)
        return;
    int64_t for_ms = member->ejected_for_ms ? 2 * member->ejected_for_ms : RT_POOL_OUT_LEAST_MS;
    member->ejected_for_ms = for_ms < RT_POOL_OUT_MOST_MS ? for_ms : RT_POOL_OUT_MOST_MS;
    member->ejected_until_ms = now_ms + member->ejected_for_ms;
    member->ejected = true;
}

void rt_pool_failed(struct rt_pool *pool, uint32_t member, bool broken, int64_t now_ms)
{
    struct rt_pool_member *it = at(pool, member);
    if (++it->failures >= RT_POOL_FAILURES || broken || it->ejected)
        eject(pool, it, now_ms);
    rt_pool_back(pool, member);
}

void rt_pool_late(struct rt_pool *pool, uint32_t member, int64_t now_ms)
{
    rt_aimd_busy(&at(pool, member)->aimd, now_ms);
    rt_pool_failed(pool, member, false, now_ms);
}

size_t rt_pool_limit(const struct rt_pool *pool, int64_t now_ms)
{
    size_t limit = 0;
    for (uint32_t m = 0; m < RT_POOL_MOST; m++)
        limit += capacity(&pool->members[m], now_ms);
    return limit;
}

bool rt_pool_others(const struct rt_pool *pool, uint32_t member, int64_t now_ms)
{
    for (uint32_t m = 0; m < RT_POOL_MOST; m++) {
        const struct rt_pool_member *it = &pool->members[m];
        if (m != member && it->used && !(it->ejected && now_ms < it->ejected_until_ms))
            return true;
    }
    return false;
}
