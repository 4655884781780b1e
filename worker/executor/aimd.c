// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/aimd.h"

#define BUSY_FACTOR   0.5
#define SLOW_FACTOR   0.75
#define SMOOTHING     0.125
#define CUT_LEAST_MS  1000.0 // between two cuts
#define GROW_BELOW    0.5    // of the goal; between this and the goal the limit stays

void rt_aimd_init(struct rt_aimd *aimd, uint32_t most, int64_t timeout_ms)
{
    most = most ? most : 1;
    *aimd = (struct rt_aimd){
        .limit = most < RT_AIMD_START ? most : RT_AIMD_START,
        .goal_ms = timeout_ms > 2 ? (double)timeout_ms / 2 : 1,
        .most = most,
    };
}

uint32_t rt_aimd_limit(const struct rt_aimd *aimd)
{
    return aimd->limit < 1 ? 1 : (uint32_t)aimd->limit;
}

static void cut(struct rt_aimd *aimd, double factor, int64_t now_ms)
{
    double apart_ms = aimd->latency_ms > CUT_LEAST_MS ? aimd->latency_ms : CUT_LEAST_MS;
    if (aimd->cut && (double)(now_ms - aimd->cut_ms) < apart_ms)
        return;
    aimd->limit *= factor;
    aimd->limit = aimd->limit < 1 ? 1 : aimd->limit;
    aimd->started = aimd->cut = true;
    aimd->cut_ms = now_ms;
}

void rt_aimd_good(struct rt_aimd *aimd, int64_t latency_ms, uint32_t out, int64_t now_ms)
{
    double latency = latency_ms > 0 ? (double)latency_ms : 0;
    aimd->latency_ms = aimd->latency_ms > 0
                           ? aimd->latency_ms + SMOOTHING * (latency - aimd->latency_ms)
                           : latency;
    if (aimd->latency_ms > aimd->goal_ms) {
        cut(aimd, SLOW_FACTOR, now_ms);
        return;
    }
    // Replies come in bunches, so the last of a full round finds half of it gone already.
    if (aimd->latency_ms > GROW_BELOW * aimd->goal_ms || 2 * out < rt_aimd_limit(aimd))
        return;
    // One for every reply doubles it in a round; later one for every round.
    aimd->limit += aimd->started ? 1 / aimd->limit : 1;
    aimd->limit = aimd->limit > aimd->most ? aimd->most : aimd->limit;
}

void rt_aimd_busy(struct rt_aimd *aimd, int64_t now_ms)
{
    cut(aimd, BUSY_FACTOR, now_ms);
}
