// SPDX-License-Identifier: Apache-2.0
// Which of a subject's endpoints is asked next: the least loaded among those that are well, not
// told to wait and below their limit. Where there are several, one that fails several times in a
// row is left out for a while, then tried with one request alone; each time in vain doubles the
// while. Members are numbers; what they stand for is the caller's. Pure; time is passed in
// (monotonic milliseconds).
#ifndef RT_WORKER_EXECUTOR_POOL_H
#define RT_WORKER_EXECUTOR_POOL_H

#include <stddef.h>

#include "worker/executor/aimd.h"

#define RT_POOL_MOST         64
#define RT_POOL_FAILURES     3     // in a row, then it is left out
#define RT_POOL_OUT_LEAST_MS 1000  // for this long the first time
#define RT_POOL_OUT_MOST_MS  5000 // and at most
#define RT_POOL_NONE         UINT32_MAX
#define RT_POOL_NEVER        INT64_MAX

struct rt_pool_member {
    bool used;
    struct rt_aimd aimd;
    uint32_t out; // requests at it now
    uint32_t failures;
    bool ejected;
    int64_t ejected_until_ms;
    int64_t ejected_for_ms;
    bool held;
    int64_t held_until_ms; // it asked for patience
};

struct rt_pool {
    uint32_t most; // requests at one member
    int64_t timeout_ms;
    size_t count;
    struct rt_pool_member members[RT_POOL_MOST];
};

void rt_pool_init(struct rt_pool *pool, uint32_t most, int64_t timeout_ms);
uint32_t rt_pool_add(struct rt_pool *pool); // RT_POOL_NONE when full
void rt_pool_remove(struct rt_pool *pool, uint32_t member);

// The member to ask now; its `out` is raised. `avoid` (or RT_POOL_NONE) is taken only where no
// other will do. RT_POOL_NONE when nobody can be asked: ret_at_ms is then when to try again,
// RT_POOL_NEVER when only a finished request can change it.
uint32_t rt_pool_take(struct rt_pool *pool, uint32_t avoid, int64_t now_ms, int64_t *ret_at_ms);

// How that request ended; each lowers `out`.
void rt_pool_good(struct rt_pool *pool, uint32_t member, int64_t latency_ms, int64_t now_ms);
// hold_ms: for how long it asked to be left alone, at most 0 when it did not say.
void rt_pool_busy(struct rt_pool *pool, uint32_t member, int64_t hold_ms, int64_t now_ms);
// broken: beyond what a retry could help, so one time is enough to leave it out.
void rt_pool_failed(struct rt_pool *pool, uint32_t member, bool broken, int64_t now_ms);
void rt_pool_late(struct rt_pool *pool, uint32_t member, int64_t now_ms); // no reply in time
void rt_pool_back(struct rt_pool *pool, uint32_t member); // taken back; says nothing about it

// How many requests all of them together should have at once, those that are out included.
size_t rt_pool_limit(const struct rt_pool *pool, int64_t now_ms);
// Is any member other than this one well?
bool rt_pool_others(const struct rt_pool *pool, uint32_t member, int64_t now_ms);

#endif
