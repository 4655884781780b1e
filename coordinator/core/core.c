// SPDX-License-Identifier: Apache-2.0
#include "coordinator/core/core.h"

#include <stdlib.h>

#include "coordinator/core/internal.h"

// Leases that one TICK gives up; the rest follow with the next, which is due at once.
#define TICK_LEASES_MOST 4096

void rt_core_limits_default(struct rt_core_limits *limits)
{
    *limits = (struct rt_core_limits){.leases_most = 65536,
                                      .lab_leases_most = 4096,
                                      .tentative_most = 262144,
                                      .gather_ms = 120000,
                                      .silent_ms = 60000};
}

struct rt_core *rt_core_new(const struct rt_core_limits *limits, uint64_t epoch, int64_t now_ms)
{
    struct rt_core *core = calloc(1, sizeof *core);
    if (!core)
        return NULL;
    if (limits)
        core->limits = *limits;
    else
        rt_core_limits_default(&core->limits);
    core->epoch = epoch;
    core->now_ms = now_ms;
    core->gather_until_ms = now_ms + core->limits.gather_ms;
    core->silent_check_ms = now_ms + core->limits.silent_ms;
    core->lease_free = NONE;
    core->names = calloc(RT_CORE_NAMES_MOST, sizeof *core->names);
    core->name_order = calloc(RT_CORE_NAMES_MOST, sizeof *core->name_order);
    core->instances = calloc(RT_CORE_INSTANCES_MOST, sizeof *core->instances);
    if (core->names && core->name_order && core->instances)
        return core;
    rt_core_free(core);
    return NULL;
}

void rt_core_free(struct rt_core *core)
{
    if (!core)
        return;
    for (uint32_t c = 0; c < core->campaign_count; c++) {
        for (uint32_t l = 0; l < core->campaigns[c].campaign->lab_count; l++) {
            struct core_lab *lab = &core->campaigns[c].labs[l];
            core_bitmap_release(&lab->bitmap);
            core_tentative_map_release(&lab->tentatives);
            core_ring_release(&lab->freed);
            core_ring_release(&lab->retry);
            free(lab->wants);
            free(lab->served);
        }
        free(core->campaigns[c].labs);
    }
    free(core->names);
    free(core->name_order);
    free(core->instances);
    free(core->leases);
    free(core->heap);
    core_digest_map_release(&core->lease_map);
    for (uint32_t i = 0; i < core->print_room; i++)
        core_print_release(&core->prints[i]);
    free(core->prints);
    core_digest_map_release(&core->fingerprints);
    free(core->unbound);
    free(core->arrivals);
    free(core);
}

// ---- time passing

static void expire_leases(struct rt_core *core, struct rt_core_effects *effects)
{
    for (uint32_t n = 0; n < TICK_LEASES_MOST && core->lease_count; n++) {
        uint32_t index = core->heap[0];
        const struct core_lease *lease = &core->leases[index];
        if (lease->reissue_at_ms > core->now_ms)
            return;
        uint32_t campaign = lease->campaign, lab = lease->lab, instance = lease->instance;
        core_effect_counters(core, effects, campaign, lab)->reissued +=
            (int64_t)core_lease_end(core, index, false);
        core_instance_settle(core, effects, instance);
    }
}

static enum rt_status step_tick(struct rt_core *core, struct rt_core_effects *effects)
{
    expire_leases(core, effects);
    for (uint32_t c = 0; c < core->campaign_count; c++)
        core_close_overdue(core, c, effects);
    if (core->gathering && core->now_ms >= core->gather_until_ms)
        core_instances_stop_waiting(core, effects);
    if (core->limits.silent_ms && core->now_ms >= core->silent_check_ms)
        core_instances_forget_silent(core, effects);
    core_serve_all(core, effects);
    return RT_OK;
}

static int64_t next_wake_ms(const struct rt_core *core, const struct rt_core_effects *effects)
{
    int64_t wake = INT64_MAX;
    if (core->lease_count)
        wake = core->leases[core->heap[0]].reissue_at_ms;
    if (core->gathering && core->gather_until_ms < wake)
        wake = core->gather_until_ms;
    for (uint32_t c = 0; c < core->campaign_count; c++) {
        const struct rt_core_campaign_row *row = &core->campaigns[c].row;
        if (row->state == RT_OFFER_CLOSING && row->close_deadline_ms < wake)
            wake = row->close_deadline_ms;
    }
    if (core->limits.silent_ms && core->instance_count && core->silent_check_ms < wake)
        wake = core->silent_check_ms;
    return core_effects_room(effects) < RT_CORE_EFFECTS_MOST / 2 ? core->now_ms : wake;
}

// ---- a step

static enum rt_status dispatch(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects)
{
    switch (event->kind) {
    case RT_CORE_HELLO:
        return core_step_hello(core, event, effects);
    case RT_CORE_WANT:
        return core_step_want(core, event, effects);
    case RT_CORE_RESULT:
        return core_step_result(core, event, effects);
    case RT_CORE_LIFT:
        return core_step_lift(core, event, effects);
    case RT_CORE_NOTED:
        return core_step_noted(core, event, effects);
    case RT_CORE_RATING:
        return core_step_rating(core, event, effects);
    case RT_CORE_RETURN:
        return core_step_return(core, event, effects);
    case RT_CORE_PULSE:
        return core_step_pulse(core, event, effects);
    case RT_CORE_DISCONNECT:
        return core_step_disconnect(core, event, effects);
    case RT_CORE_TICK:
        return step_tick(core, effects);
    case RT_CORE_CAMPAIGN:
        return core_step_campaign(core, event, effects);
    case RT_CORE_ACCEPT:
        return core_step_accept(core, event, effects);
    case RT_CORE_STATE:
        return core_step_state(core, event, effects);
    case RT_CORE_CLOSE:
    case RT_CORE_WITHDRAW:
        return core_step_end(core, event, effects);
    case RT_CORE_ROSTER:
        return core_step_roster(core, event, effects);
    }
    return RT_UNSUPPORTED;
}

enum rt_status rt_core_step(struct rt_core *core, const struct rt_core_event *event,
                            struct rt_core_effects *effects)
{
    RT_ASSERT(!core->failed);
    effects->log = effects->is_result = false;
    effects->campaign = NONE;
    effects->lab = RT_CORE_ALL_LABS;
    effects->count = 0;
    core->step++;
    core->unbound_count = 0;
    if (event->time_ms > core->now_ms)
        core->now_ms = event->time_ms;
    effects->verdict = dispatch(core, event, effects);
    effects->wake_ms = next_wake_ms(core, effects);
    return core->failed ? RT_NO_MEMORY : RT_OK;
}

void rt_core_bind(struct rt_core *core, uint64_t serial, const struct rt_digest *unit_digest)
{
    uint64_t place = serial - core->unbound_serial;
    RT_ASSERT(place < core->unbound_count);
    uint32_t index = core->unbound[place];
    RT_ASSERT(core->leases[index].serial == serial && !core->leases[index].bound);
    core_lease_bind(core, index, unit_digest);
}

bool rt_core_knows_unit(const struct rt_core *core, const struct rt_digest *unit_digest)
{
    return core_digest_map_get(&core->lease_map, unit_digest) != NONE;
}

bool rt_core_knows_fingerprint(const struct rt_core *core, const struct rt_digest *digest)
{
    return core_digest_map_get(&core->fingerprints, digest) != NONE;
}
