// SPDX-License-Identifier: Apache-2.0
#include "coordinator/core/internal.h"

#include <stdlib.h>

const char *core_held(const struct rt_core *core, uint32_t c, uint32_t l)
{
    const struct core_campaign *campaign = &core->campaigns[c];
    const struct core_lab *lab = &campaign->labs[l];
    switch (campaign->row.state) {
    case RT_OFFER_REGISTERED:
        return "the campaign has not been started";
    case RT_OFFER_PAUSED:
        return "the campaign is paused";
    case RT_OFFER_CANCELLED:
        return "the campaign is cancelled";
    case RT_OFFER_CLOSING:
        return "the campaign is closing";
    case RT_OFFER_CLOSED:
        return "the campaign is closed";
    default:
        break;
    }
    switch (lab->row.state) {
    case RT_LAB_INVITED:
        return "the lab has not accepted";
    case RT_LAB_ACCEPTED:
        break;
    case RT_LAB_CLOSED:
        return "the lab has closed";
    case RT_LAB_WITHDRAWN:
        return "the lab has withdrawn";
    default:
        return "the lab did not respond";
    }
    if (lab->bitmap.finals + lab->exhausted >= lab->bitmap.total)
        return "every trial is done";
    if (lab->row.held)
        return "held: what serves a subject there has changed; see the log's `hold`, then "
               "`campaign lift`";
    if (core->gathering && lab->name != NONE && core->names[lab->name].awaited)
        return "waiting for the lab's other workers after a restart";
    if (lab->tentatives.count + lab->outstanding >= core->limits.tentative_most)
        return "too many trials ended in errors";
    if (lab->lease_count >= core->limits.lab_leases_most ||
        core->lease_count >= core->limits.leases_most)
        return "as many units are out as may be";
    return NULL;
}

// ---- collecting positions

struct collection {
    struct rt_unit_run runs[RT_CORE_RUNS_MOST];
    uint32_t run_count;
    uint64_t trials;
    uint64_t most;
};

static bool full(const struct collection *collection)
{
    return collection->trials == collection->most || collection->run_count == RT_CORE_RUNS_MOST;
}

// Take what is free in [first, end); returns where it stopped, because the collection was full.
// Positions are marked busy at once, so that none is taken twice.
static uint64_t collect(struct rt_core *core, struct core_lab *lab, struct collection *into,
                        uint64_t first, uint64_t end)
{
    uint64_t at = core_bitmap_next_free(&lab->bitmap, first);
    while (at < end && !full(into)) {
        struct rt_unit_run *run = &into->runs[into->run_count++];
        *run = (struct rt_unit_run){at, 0};
        while (at < end && into->trials < into->most && !core_bitmap_busy(&lab->bitmap, at)) {
            if (core_bitmap_set_busy(&lab->bitmap, at) != RT_OK)
                core->failed = true;
            run->count++;
            into->trials++;
            at++;
        }
        at = core_bitmap_next_free(&lab->bitmap, at);
    }
    return at < end ? at : end;
}

static void collect_ring(struct rt_core *core, struct core_lab *lab, struct core_ring *ring,
                         struct collection *into)
{
    while (ring->count && !full(into)) {
        struct rt_unit_run *run = &ring->runs[ring->first];
        uint64_t end = run->first + run->count;
        uint64_t at = collect(core, lab, into, run->first, end);
        if (at < end) {
            *run = (struct rt_unit_run){at, end - at};
        } else {
            ring->first = (ring->first + 1) % RING_RUNS;
            ring->count--;
        }
    }
}

// Lost and returned trials first, then new ones in run order, then those that ended in an error: a
// lab whose server is down does not burn its attempts in a minute.
static void collect_all(struct rt_core *core, struct core_lab *lab, struct collection *into)
{
    collect_ring(core, lab, &lab->freed, into);
    if (!full(into))
        lab->cursor = collect(core, lab, into, lab->cursor, lab->bitmap.total);
    collect_ring(core, lab, &lab->retry, into);
    if (!into->trials && lab->rescan < lab->bitmap.total) {
        lab->cursor = lab->rescan;
        lab->rescan = UINT64_MAX;
        lab->cursor = collect(core, lab, into, lab->cursor, lab->bitmap.total);
    }
}

// Runs ascending, and joined where they touch.
static void tidy(struct collection *collection)
{
    struct rt_unit_run *runs = collection->runs;
    for (uint32_t i = 1; i < collection->run_count; i++) {
        for (uint32_t j = i; j && runs[j - 1].first > runs[j].first; j--) {
            struct rt_unit_run run = runs[j];
            runs[j] = runs[j - 1];
            runs[j - 1] = run;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 1; i < collection->run_count; i++) {
        if (runs[kept].first + runs[kept].count == runs[i].first)
            runs[kept].count += runs[i].count;
        else
            runs[++kept] = runs[i];
    }
    collection->run_count = kept + 1;
}

// ---- units

static void remember(struct rt_core *core, uint32_t lease)
{
    if (core->unbound_count == core->unbound_room) {
        uint32_t room = core->unbound_room ? core->unbound_room * 2 : 64;
        uint32_t *unbound = realloc(core->unbound, room * sizeof *unbound);
        if (!unbound) {
            core->failed = true;
            return;
        }
        core->unbound = unbound;
        core->unbound_room = room;
    }
    core->unbound[core->unbound_count++] = lease;
}

static bool issue(struct rt_core *core, uint32_t c, uint32_t l, const struct core_want *want,
                  struct rt_core_effects *effects)
{
    const struct rt_unit_rule *rule = &core->campaigns[c].campaign->unit;
    struct core_lab *lab = &core->campaigns[c].labs[l];
    struct collection collection = {.most = rule->trials};
    if (want->trials && want->trials < collection.most)
        collection.most = want->trials;
    collect_all(core, lab, &collection);
    if (!collection.trials)
        return false;
    tidy(&collection);
    struct core_lease *lease =
        core_lease_new(core, c, l, want->instance, collection.runs, collection.run_count,
                       core->now_ms + rule->reissue_after_ms);
    if (!lease) {
        core->failed = true;
        return false;
    }
    lease->serial = core->serial++;
    if (!core->unbound_count)
        core->unbound_serial = lease->serial;
    remember(core, (uint32_t)(lease - core->leases));
    struct rt_core_effect *effect = core_effect(core, effects, RT_DO_UNIT, c, l);
    effect->unit.peer = core->instances[want->instance].peer;
    effect->unit.epoch = core->epoch;
    effect->unit.serial = lease->serial;
    effect->unit.issued_ms = core->now_ms;
    effect->unit.reissue_at_ms = core->now_ms + rule->reissue_after_ms;
    effect->unit.accept_until_ms = core->now_ms + rule->accept_until_ms;
    effect->unit.accept = lab->row.accept;
    effect->unit.run_count = lease->run_count;
    memcpy(effect->unit.runs, lease->runs, lease->run_count * sizeof *lease->runs);
    return true;
}

void core_serve(struct rt_core *core, uint32_t c, uint32_t l, struct rt_core_effects *effects)
{
    struct core_lab *lab = &core->campaigns[c].labs[l];
    // One unit a turn, so that instances of one lab share what is left.
    for (uint32_t idle = 0; idle < lab->want_count && core_effects_room(effects) > 1024;) {
        if (core_held(core, c, l))
            return;
        lab->want_next %= lab->want_count;
        struct core_want *want = &lab->wants[lab->want_next++];
        if (!want->units) {
            idle++;
            continue;
        }
        if (!issue(core, c, l, want, effects))
            return;
        want->units--;
        idle = 0;
    }
}

void core_serve_all(struct rt_core *core, struct rt_core_effects *effects)
{
    for (uint32_t c = 0; c < core->campaign_count; c++) {
        for (uint32_t l = 0; l < core->campaigns[c].campaign->lab_count; l++)
            core_serve(core, c, l, effects);
    }
}
