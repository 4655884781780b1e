// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "coordinator/core/internal.h"

// Worker instances of one lab at a time; one that is gone and holds nothing makes room.
#define LAB_INSTANCES_MOST 64

// ---- labs by name

// Where id is, or would be, in the sorted order.
static uint32_t name_place(const struct rt_core *core, struct rt_bytes id, bool *ret_found)
{
    uint32_t low = 0, high = core->name_count;
    *ret_found = false;
    while (low < high && !*ret_found) {
        uint32_t middle = low + (high - low) / 2;
        const char *name = core->names[core->name_order[middle]].id;
        int order = rt_bytes_compare(id, rt_bytes_str(name));
        if (order == 0)
            *ret_found = true;
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

uint32_t core_name_find(const struct rt_core *core, struct rt_bytes id)
{
    bool found;
    uint32_t place = name_place(core, id, &found);
    return found ? core->name_order[place] : NONE;
}

static uint32_t lab_in(const struct rt_campaign *campaign, const char *id)
{
    uint32_t l = 0;
    while (l < campaign->lab_count && strcmp(campaign->labs[l].id, id))
        l++;
    return l < campaign->lab_count ? l : NONE;
}

uint32_t core_name_make(struct rt_core *core, struct rt_bytes id)
{
    bool found;
    uint32_t place = name_place(core, id, &found);
    if (found)
        return core->name_order[place];
    char text[RT_ID_BYTES + 1] = {0};
    if (id.size > RT_ID_BYTES || core->name_count == RT_CORE_NAMES_MOST)
        return NONE;
    memcpy(text, id.data, id.size);
    if (strlen(text) != id.size || !rt_id_valid(text))
        return NONE;
    uint32_t index = core->name_count++;
    memmove(core->name_order + place + 1, core->name_order + place,
            (index - place) * sizeof *core->name_order);
    core->name_order[place] = index;
    struct core_name *name = &core->names[index];
    *name = (struct core_name){.instances = NONE};
    memcpy(name->id, text, sizeof text);
    for (uint32_t c = 0; c < RT_CORE_CAMPAIGNS_MOST; c++)
        name->labs[c] =
            c < core->campaign_count ? lab_in(core->campaigns[c].campaign, name->id) : NONE;
    return index;
}

// ---- instances

uint32_t core_instance_find(const struct rt_core *core, uint32_t name, const struct rt_instance *id)
{
    if (name == NONE)
        return NONE;
    uint32_t index = core->names[name].instances;
    while (index != NONE && memcmp(core->instances[index].id.bytes, id->bytes, sizeof id->bytes))
        index = core->instances[index].next;
    return index;
}

uint32_t core_instance_make(struct rt_core *core, uint32_t name, const struct rt_instance *id)
{
    struct core_name *of = &core->names[name];
    uint32_t index = 0;
    while (index < core->instance_count && core->instances[index].used)
        index++;
    if (index == RT_CORE_INSTANCES_MOST || of->instance_count == LAB_INSTANCES_MOST)
        return NONE;
    if (index == core->instance_count)
        core->instance_count++;
    core->instances[index] = (struct core_instance){
        .used = true, .id = *id, .name = name, .leases = NONE, .prev = NONE, .next = of->instances};
    if (of->instances != NONE)
        core->instances[of->instances].prev = index;
    of->instances = index;
    of->instance_count++;
    return index;
}

static void forget_wants(struct rt_core *core, uint32_t instance)
{
    const struct core_name *name = &core->names[core->instances[instance].name];
    for (uint32_t c = 0; c < core->campaign_count; c++) {
        if (name->labs[c] == NONE)
            continue;
        struct core_lab *lab = &core->campaigns[c].labs[name->labs[c]];
        for (uint32_t w = 0; w < lab->want_count; w++) {
            if (lab->wants[w].instance == instance) {
                lab->wants[w] = lab->wants[--lab->want_count];
                break;
            }
        }
    }
}

void core_instance_settle(struct rt_core *core, struct rt_core_effects *effects, uint32_t index)
{
    struct core_instance *instance = &core->instances[index];
    struct core_name *name = &core->names[instance->name];
    if (instance->connected || instance->awaited || instance->lease_count)
        return;
    struct rt_core_effect *effect =
        core_effect(core, effects, RT_DO_INSTANCE_END, NONE, RT_CORE_ALL_LABS);
    effect->instance.lab = rt_bytes_str(name->id);
    effect->instance.instance = instance->id;
    effect->instance.seen_ms = instance->seen_ms;
    forget_wants(core, index);
    if (instance->prev != NONE)
        core->instances[instance->prev].next = instance->next;
    else
        name->instances = instance->next;
    if (instance->next != NONE)
        core->instances[instance->next].prev = instance->prev;
    name->instance_count--;
    instance->used = false;
}

void core_instances_stop_waiting(struct rt_core *core, struct rt_core_effects *effects)
{
    core->gathering = false;
    for (uint32_t i = 0; i < core->instance_count; i++) {
        struct core_instance *instance = &core->instances[i];
        if (!instance->used || !instance->awaited)
            continue;
        instance->awaited = false;
        core->names[instance->name].awaited--;
        core_instance_settle(core, effects, i);
    }
}

void core_instances_forget_silent(struct rt_core *core, struct rt_core_effects *effects)
{
    core->silent_check_ms = core->now_ms + core->limits.silent_ms / 4;
    for (uint32_t i = 0; i < core->instance_count; i++) {
        struct core_instance *instance = &core->instances[i];
        if (!instance->used || !instance->connected ||
            core->now_ms - instance->seen_ms < core->limits.silent_ms)
            continue;
        instance->connected = false;
        forget_wants(core, i);
        core_instance_settle(core, effects, i);
    }
}

uint32_t core_speaker(struct rt_core *core, const struct rt_core_event *event)
{
    uint32_t name = core_name_find(core, event->lab);
    uint32_t index = core_instance_find(core, name, &event->instance);
    if (index == NONE || !core->instances[index].connected ||
        core->instances[index].peer != event->peer)
        return NONE;
    core->instances[index].seen_ms = core->now_ms;
    return index;
}

void core_lab_drop(struct rt_core *core, uint32_t campaign, uint32_t index,
                   struct rt_core_effects *effects)
{
    struct core_lab *lab = &core->campaigns[campaign].labs[index];
    lab->want_count = 0;
    if (lab->name == NONE)
        return;
    uint32_t next_instance;
    for (uint32_t i = core->names[lab->name].instances; i != NONE; i = next_instance) {
        uint32_t next_lease;
        next_instance = core->instances[i].next;
        for (uint32_t l = core->instances[i].leases; l != NONE; l = next_lease) {
            next_lease = core->leases[l].next;
            if (core->leases[l].campaign == campaign)
                core_lease_end(core, l, false);
        }
        core_instance_settle(core, effects, i);
    }
}

// ---- HELLO

// What of a unit nobody has yet: a lease never covers a position that another one covers. False
// when nothing is left, or a run is none of the lab's.
static bool still_free(const struct core_lab *lab, const struct rt_object_unit *unit,
                       struct rt_unit_run runs[RT_CORE_RUNS_MOST], uint32_t *ret_count)
{
    uint32_t count = 0;
    for (size_t i = 0; i < unit->runs_count; i++) {
        uint64_t first = unit->runs[i].first, most = lab->bitmap.total;
        if (first >= most || unit->runs[i].count > most - first ||
            unit->runs[i].count > RT_TRIALS_MOST)
            return false;
        for (uint64_t p = first; p < first + unit->runs[i].count; p++) {
            if (core_bitmap_busy(&lab->bitmap, p))
                continue;
            if (count && runs[count - 1].first + runs[count - 1].count == p)
                runs[count - 1].count++;
            else if (count < RT_CORE_RUNS_MOST)
                runs[count++] = (struct rt_unit_run){p, 1};
        }
    }
    *ret_count = count;
    return count != 0;
}

// A unit of an earlier epoch that the worker still holds is leased again for what is left of its
// time. One of this epoch that is not among the leases was given up here and stays so.
static void restore(struct rt_core *core, uint32_t instance, const struct rt_core_held *held)
{
    const struct rt_object_unit *unit = held->unit;
    struct rt_unit_run runs[RT_CORE_RUNS_MOST];
    uint32_t campaign, count;
    if (!unit || unit->epoch >= core->epoch || unit->reissue_at_ms <= core->now_ms ||
        rt_core_find_campaign(core, &unit->campaign, &campaign) != RT_OK)
        return;
    const struct core_name *name = &core->names[core->instances[instance].name];
    if (name->labs[campaign] == NONE || !rt_bytes_equal_str(unit->lab, name->id))
        return;
    struct core_lab *lab = &core->campaigns[campaign].labs[name->labs[campaign]];
    if (lab->row.state != RT_LAB_ACCEPTED || !core->campaigns[campaign].row.drawn ||
        !rt_digest_equal(&unit->accept, &lab->row.accept) || !still_free(lab, unit, runs, &count))
        return;
    struct core_lease *lease = core_lease_new(core, campaign, name->labs[campaign], instance, runs,
                                              count, unit->reissue_at_ms);
    if (!lease)
        return;
    lease->mark = core->step;
    core_lease_bind(core, (uint32_t)(lease - core->leases), &held->digest);
}

// The barrier: what this instance was sent and does not have is free at once.
static void reconcile(struct rt_core *core, uint32_t instance, const struct rt_core_event *event,
                      struct rt_core_effects *effects)
{
    for (size_t i = 0; i < event->hello.held_count; i++) {
        const struct rt_core_held *held = &event->hello.held[i];
        uint32_t lease = core_digest_map_get(&core->lease_map, &held->digest);
        if (lease == NONE)
            restore(core, instance, held);
        else if (core->leases[lease].instance == instance)
            core->leases[lease].mark = core->step;
    }
    uint32_t next;
    for (uint32_t l = core->instances[instance].leases; l != NONE; l = next) {
        const struct core_lease *lease = &core->leases[l];
        next = lease->next;
        if (lease->mark == core->step)
            continue;
        uint32_t campaign = lease->campaign, lab = lease->lab;
        core_effect_counters(core, effects, campaign, lab)->reissued +=
            (int64_t)core_lease_end(core, l, false);
    }
}

enum rt_status core_step_hello(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects)
{
    if (event->hello.held_count > RT_INVENTORY_MOST)
        return RT_TOO_LARGE;
    uint32_t name = core_name_make(core, event->lab);
    if (name == NONE)
        return RT_NOT_PERMITTED;
    uint32_t index = core_instance_find(core, name, &event->instance);
    if (index == NONE) {
        index = core_instance_make(core, name, &event->instance);
        if (index == NONE)
            return RT_TOO_LARGE;
        struct rt_core_effect *effect =
            core_effect(core, effects, RT_DO_INSTANCE, NONE, RT_CORE_ALL_LABS);
        effect->instance.lab = rt_bytes_str(core->names[name].id);
        effect->instance.instance = event->instance;
        effect->instance.seen_ms = core->now_ms;
    }
    struct core_instance *instance = &core->instances[index];
    instance->connected = true;
    instance->peer = event->peer;
    instance->seen_ms = core->now_ms;
    if (instance->awaited) {
        instance->awaited = false;
        core->names[name].awaited--;
    }
    forget_wants(core, index);
    reconcile(core, index, event, effects);
    for (uint32_t c = 0; c < core->campaign_count; c++) {
        if (core->names[name].labs[c] != NONE)
            core_effect_offer(core, effects, c, core->names[name].labs[c], event->peer);
    }
    for (uint32_t c = 0; c < core->campaign_count; c++) {
        if (core->names[name].labs[c] != NONE)
            core_serve(core, c, core->names[name].labs[c], effects);
    }
    return RT_OK;
}

// ---- WANT, RETURN, PULSE, DISCONNECT

enum rt_status core_step_want(struct rt_core *core, const struct rt_core_event *event,
                              struct rt_core_effects *effects)
{
    uint32_t instance = core_speaker(core, event), campaign, index;
    if (instance == NONE)
        return RT_AGAIN;
    enum rt_status status = core_find(core, event, &campaign, &index);
    if (status != RT_OK)
        return status;
    if (event->want.units > RT_CREDIT_MOST)
        return RT_OUT_OF_RANGE;
    struct core_lab *lab = &core->campaigns[campaign].labs[index];
    uint32_t w = 0;
    while (w < lab->want_count && lab->wants[w].instance != instance)
        w++;
    if (w == lab->want_room) {
        uint32_t room = w ? w * 2 : 4;
        struct core_want *wants = realloc(lab->wants, room * sizeof *wants);
        if (!wants) {
            core->failed = true;
            return RT_NO_MEMORY;
        }
        lab->wants = wants;
        lab->want_room = room;
    }
    lab->want_count += w == lab->want_count;
    lab->wants[w] = (struct core_want){instance, event->want.units, event->want.trials};
    core_serve(core, campaign, index, effects);
    return RT_OK;
}

enum rt_status core_step_return(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects)
{
    uint32_t instance = core_speaker(core, event);
    if (instance == NONE)
        return RT_AGAIN;
    uint32_t index = core_digest_map_get(&core->lease_map, &event->give_back.unit);
    if (index == NONE)
        return RT_OK; // already free
    if (core->leases[index].instance != instance)
        return RT_NOT_PERMITTED;
    uint32_t campaign = core->leases[index].campaign, lab = core->leases[index].lab;
    core_effect_counters(core, effects, campaign, lab)->reissued +=
        (int64_t)core_lease_end(core, index, false);
    // Whoever gives a unit back does not want the same one again this moment: its credit is gone.
    struct core_lab *of = &core->campaigns[campaign].labs[lab];
    for (uint32_t w = 0; w < of->want_count; w++) {
        if (of->wants[w].instance == instance)
            of->wants[w].units = 0;
    }
    core_serve(core, campaign, lab, effects);
    return RT_OK;
}

enum rt_status core_step_pulse(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects)
{
    (void)effects;
    uint32_t instance = core_speaker(core, event);
    if (instance == NONE)
        return RT_AGAIN;
    for (size_t i = 0; i < event->pulse.unit_count; i++) {
        const struct rt_pulse_unit *unit = &event->pulse.units[i];
        uint32_t index = core_digest_map_get(&core->lease_map, &unit->unit);
        if (index == NONE || core->leases[index].instance != instance)
            continue;
        struct core_lease *lease = &core->leases[index];
        lease->done = unit->done < lease->trials ? (uint32_t)unit->done : lease->trials;
    }
    return RT_OK;
}

enum rt_status core_step_disconnect(struct rt_core *core, const struct rt_core_event *event,
                                    struct rt_core_effects *effects)
{
    // A connection that was replaced by a newer HELLO of the same instance ends unnoticed.
    uint32_t instance = core_speaker(core, event);
    if (instance == NONE)
        return RT_OK;
    core->instances[instance].connected = false;
    forget_wants(core, instance);
    core_instance_settle(core, effects, instance);
    return RT_OK;
}
