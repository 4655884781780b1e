// SPDX-License-Identifier: Apache-2.0
// How many requests one endpoint gets at once: additive increase while it keeps up, multiplicative
// decrease when it says that it is busy or takes too long (Chiu and Jain 1989, "Analysis of the
// increase and decrease algorithms for congestion avoidance"). Latency is judged against the time a
// request may take and not against an idle server's: a server that batches is slower and better
// used under load, and what must not happen is that replies come too late. Pure; no clock.
#ifndef RT_WORKER_EXECUTOR_AIMD_H
#define RT_WORKER_EXECUTOR_AIMD_H

#include <stdbool.h>
#include <stdint.h>

#define RT_AIMD_START 16 // requests at once before anything is known

struct rt_aimd {
    double limit;      // 1 to most
    double latency_ms; // smoothed, 0 before the first reply
    double goal_ms;    // latency to stay below: half of what a request may take
    uint32_t most;
    bool started; // slow start is over: something was too much once
    int64_t cut_ms;
    bool cut; // at cut_ms
};

// most: the lab's own ceiling, at least 1. timeout_ms: what one request may take.
void rt_aimd_init(struct rt_aimd *aimd, uint32_t most, int64_t timeout_ms);
uint32_t rt_aimd_limit(const struct rt_aimd *aimd); // 1 to most

// A reply came after latency_ms while `out` requests, this one included, were out. The limit grows
// only when at least half of it is used.
void rt_aimd_good(struct rt_aimd *aimd, int64_t latency_ms, uint32_t out, int64_t now_ms);
// 429, 503 or no reply in time. What was asked before a cut says nothing about it, so there is at
// most one in the time of a reply.
void rt_aimd_busy(struct rt_aimd *aimd, int64_t now_ms);

#endif
