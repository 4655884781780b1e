// SPDX-License-Identifier: Apache-2.0
// The canonical objects of documents. The first byte chooses: scenario, bench, roster, campaign.
// What decodes encodes to exactly the bytes it came from, and trial arithmetic over it holds
// together.
#include "proto/roster.h"
#include "proto/trial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_trials(const struct rt_campaign *campaign)
{
    struct rt_digest draw = {{0}};
    struct rt_lab_plan plan;
    struct rt_lab_order order = {0};
    for (uint32_t lab = 0; lab < campaign->lab_count && lab < 4; lab++) {
        rt_lab_plan_init(&plan, campaign, lab, &draw);
        memset(&order, 0, sizeof order);
        for (uint64_t i = 0; i < 8 && plan.count; i++) {
            uint64_t position = (plan.count - 1) / 7 * i % plan.count, number, back;
            struct rt_trial trial;
            RT_ASSERT(rt_lab_trial(&plan, &order, position, &number) == RT_OK);
            RT_ASSERT(rt_lab_position(&plan, &order, number, &back) == RT_OK && back == position);
            RT_ASSERT(rt_trial_of(campaign, number, &trial) == RT_OK);
            RT_ASSERT(rt_trial_number(campaign, trial) == number);
        }
    }
}

static enum rt_status decode(uint8_t which, struct rt_bytes object, struct rt_arena *arena,
                             struct rt_buf *again)
{
    struct rt_scenario *scenario;
    struct rt_bench *bench;
    struct rt_roster *roster;
    struct rt_campaign *campaign;
    enum rt_status status;
    switch (which % 4) {
    case 0:
        status = rt_scenario_decode(object, arena, &scenario);
        return status ? status : rt_scenario_encode(scenario, object.data, again);
    case 1:
        status = rt_bench_decode(object, arena, &bench);
        return status ? status : rt_bench_encode(bench, again);
    case 2:
        status = rt_roster_decode(object, arena, &roster);
        return status ? status : rt_roster_encode(roster, again);
    default:
        status = rt_campaign_decode(object, arena, &campaign);
        if (status)
            return status;
        check_trials(campaign);
        return rt_campaign_encode(campaign, again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_buf again;
    rt_arena_init(&arena, (size_t)64 << 20);
    rt_buf_init(&again, (size_t)16 << 20);
    if (size > 0 && decode(data[0], rt_bytes(data + 1, size - 1), &arena, &again) == RT_OK)
        RT_ASSERT(rt_bytes_equal(rt_bytes(data + 1, size - 1), rt_buf_bytes(&again)));
    rt_buf_release(&again);
    rt_arena_release(&arena);
    return 0;
}
