// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "coordinator/core/internal.h"

// ---- the heap of leases by reissue_at_ms, the next due on top

static bool sooner(const struct rt_core *core, uint32_t a, uint32_t b)
{
    return core->leases[core->heap[a]].reissue_at_ms < core->leases[core->heap[b]].reissue_at_ms;
}

static void swap(struct rt_core *core, uint32_t a, uint32_t b)
{
    uint32_t lease = core->heap[a];
    core->heap[a] = core->heap[b];
    core->heap[b] = lease;
    core->leases[core->heap[a]].heap = a;
    core->leases[core->heap[b]].heap = b;
}

static void sift_up(struct rt_core *core, uint32_t at)
{
    for (; at && sooner(core, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(core, at, (at - 1) / 2);
}

static void sift_down(struct rt_core *core, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < core->lease_count; child++)
            least = sooner(core, child, least) ? child : least;
        if (least == at)
            return;
        swap(core, at, least);
        at = least;
    }
}

// ---- slots

static bool grow(struct rt_core *core)
{
    uint32_t room = core->lease_room ? core->lease_room * 2 : 256;
    if (room > core->limits.leases_most)
        room = core->limits.leases_most;
    if (room <= core->lease_room)
        return false;
    struct core_lease *leases = realloc(core->leases, room * sizeof *leases);
    if (leases)
        core->leases = leases;
    uint32_t *heap = realloc(core->heap, room * sizeof *heap);
    if (heap)
        core->heap = heap;
    if (!leases || !heap) {
        core->failed = true;
        return false;
    }
    core->lease_room = room;
    return true;
}

struct core_lease *core_lease_new(struct rt_core *core, uint32_t campaign, uint32_t lab,
                                  uint32_t instance, const struct rt_unit_run *runs,
                                  uint32_t run_count, int64_t reissue_at_ms)
{
    struct core_lab *holder = &core->campaigns[campaign].labs[lab];
    if (core->lease_free == NONE && core->lease_slots == core->lease_room && !grow(core))
        return NULL;
    uint32_t index = core->lease_free;
    if (index == NONE)
        index = core->lease_slots++;
    else
        core->lease_free = core->leases[index].next;
    struct core_instance *of = &core->instances[instance];
    struct core_lease *lease = &core->leases[index];
    *lease = (struct core_lease){.campaign = campaign,
                                 .lab = lab,
                                 .instance = instance,
                                 .prev = NONE,
                                 .next = of->leases,
                                 .heap = core->lease_count,
                                 .reissue_at_ms = reissue_at_ms,
                                 .run_count = run_count};
    for (uint32_t i = 0; i < run_count; i++) {
        lease->runs[i] = runs[i];
        lease->trials += (uint32_t)runs[i].count;
        for (uint64_t p = runs[i].first; p < runs[i].first + runs[i].count; p++) {
            if (core_bitmap_set_busy(&holder->bitmap, p) != RT_OK)
                core->failed = true;
        }
    }
    if (of->leases != NONE)
        core->leases[of->leases].prev = index;
    of->leases = index;
    of->lease_count++;
    core->heap[core->lease_count++] = index;
    sift_up(core, lease->heap);
    holder->lease_count++;
    holder->outstanding += lease->trials;
    return lease;
}

void core_lease_bind(struct rt_core *core, uint32_t index, const struct rt_digest *digest)
{
    struct core_lease *lease = &core->leases[index];
    lease->digest = *digest;
    lease->bound = true;
    if (core_digest_map_put(&core->lease_map, digest, index) != RT_OK)
        core->failed = true;
}

// What is free again goes to a ring; where the ring is full, the cursor will come back for it.
static void put_back(struct core_lab *lab, uint64_t first, uint64_t count, bool later)
{
    if (count && !core_ring_push(later ? &lab->retry : &lab->freed, first, count) &&
        first < lab->rescan)
        lab->rescan = first;
}

static uint64_t free_trials(struct rt_core *core, const struct core_lease *lease, bool later)
{
    struct core_campaign *campaign = &core->campaigns[lease->campaign];
    struct core_lab *lab = &campaign->labs[lease->lab];
    uint64_t freed = 0;
    for (uint32_t r = 0; r < lease->run_count; r++) {
        uint64_t start = 0, length = 0;
        for (uint64_t i = 0; i < lease->runs[r].count; i++) {
            uint64_t position = lease->runs[r].first + i;
            const struct rt_core_tentative *value =
                core_tentative_map_get(&lab->tentatives, position);
            if (core_bitmap_final(&lab->bitmap, position) ||
                (value && value->attempts >= campaign->campaign->unit.attempts)) {
                put_back(lab, start, length, later);
                length = 0;
                continue;
            }
            core_bitmap_clear_busy(&lab->bitmap, position);
            start = length++ ? start : position;
            freed++;
        }
        put_back(lab, start, length, later);
    }
    return freed;
}

uint64_t core_lease_end(struct rt_core *core, uint32_t index, bool later)
{
    struct core_lease *lease = &core->leases[index];
    struct core_instance *instance = &core->instances[lease->instance];
    struct core_lab *lab = &core->campaigns[lease->campaign].labs[lease->lab];
    uint64_t freed = free_trials(core, lease, later);

    if (lease->bound && core_digest_map_get(&core->lease_map, &lease->digest) == index)
        core_digest_map_remove(&core->lease_map, &lease->digest);
    if (lease->prev != NONE)
        core->leases[lease->prev].next = lease->next;
    else
        instance->leases = lease->next;
    if (lease->next != NONE)
        core->leases[lease->next].prev = lease->prev;
    instance->lease_count--;
    lab->lease_count--;
    lab->outstanding -= lease->trials;

    uint32_t hole = lease->heap;
    core->lease_count--;
    if (hole != core->lease_count) {
        swap(core, hole, core->lease_count);
        sift_up(core, hole);
        sift_down(core, hole);
    }
    lease->next = core->lease_free;
    core->lease_free = index;
    return freed;
}
