// SPDX-License-Identifier: Apache-2.0
// A lab whose instrument changed while the campaign runs gets nothing new until an operator has
// looked at it: its next trials would be measured by something nobody agreed to. What it measured
// counts, in a stratum of its own.
#include <stdlib.h>
#include <string.h>

#include "coordinator/core/internal.h"
#include "proto/campaign.h"

#define SERVED_MOST 256 // instruments of one lab in one campaign that are remembered

// ---- what a fingerprint stands for

void core_print_release(struct core_print *print)
{
    free(print->parts);
    *print = (struct core_print){0};
}

enum rt_status core_print_set(struct rt_core *core, uint32_t index,
                              const struct rt_fingerprint_part *parts, size_t count)
{
    if (index >= core->print_room) {
        uint32_t room = index < 64 ? 64 : 2 * index;
        struct core_print *grown = realloc(core->prints, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        memset(grown + core->print_room, 0, (room - core->print_room) * sizeof *grown);
        core->prints = grown;
        core->print_room = room;
    }
    struct core_print *print = &core->prints[index];
    if (print->parts || !count)
        return RT_OK;
    print->parts = calloc(count, sizeof *print->parts);
    if (!print->parts)
        return RT_NO_MEMORY;
    print->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t size = parts[i].subject.size < RT_ID_BYTES ? parts[i].subject.size : RT_ID_BYTES;
        memcpy(print->parts[i].subject, parts[i].subject.data, size);
        print->parts[i].identity = parts[i].identity;
    }
    return RT_OK;
}

// ---- what a lab served

static uint32_t subject_of(const struct rt_campaign *campaign, const char *id)
{
    for (uint32_t s = 0; s < campaign->subject_count; s++)
        if (rt_bytes_equal_str(rt_bytes_str(id), campaign->subjects[s].id))
            return s;
    return NONE;
}

static enum rt_status remember(struct core_lab *lab, uint32_t subject,
                               const struct rt_digest *identity)
{
    if (lab->served_count == SERVED_MOST)
        return RT_OK;
    if (lab->served_count == lab->served_room) {
        uint32_t room = lab->served_room ? 2 * lab->served_room : 4;
        struct core_served *grown = realloc(lab->served, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        lab->served = grown;
        lab->served_room = room;
    }
    lab->served[lab->served_count++] = (struct core_served){subject, *identity};
    return RT_OK;
}

// Is this instrument new where there was another? ret_before is the one before.
static bool changes(const struct core_lab *lab, uint32_t subject, const struct rt_digest *identity,
                    struct rt_digest *ret_before, bool *ret_known)
{
    bool before = false;
    *ret_known = false;
    for (uint32_t i = 0; i < lab->served_count; i++) {
        if (lab->served[i].subject != subject)
            continue;
        if (rt_digest_equal(&lab->served[i].identity, identity)) {
            *ret_known = true;
            return false;
        }
        before = true;
        *ret_before = lab->served[i].identity;
    }
    return before;
}

void core_served(struct rt_core *core, uint32_t c, uint32_t l, uint32_t index,
                 struct rt_core_effects *effects)
{
    struct core_lab *lab = &core->campaigns[c].labs[l];
    const struct rt_campaign *campaign = core->campaigns[c].campaign;
    if (index >= core->print_room)
        return;
    const struct core_print *print = &core->prints[index];
    for (size_t p = 0; p < print->count; p++) {
        uint32_t subject = subject_of(campaign, print->parts[p].subject);
        struct rt_digest before;
        bool known;
        if (subject == NONE)
            continue;
        bool changed = changes(lab, subject, &print->parts[p].identity, &before, &known);
        if (!known && remember(lab, subject, &print->parts[p].identity) != RT_OK)
            core->failed = true;
        // Everything that is seen while it is held is what the operator looks at.
        if (!changed || !effects || lab->row.held)
            continue;
        lab->row.held = true;
        core_effect_lab(core, effects, c, l);
        struct rt_core_effect *effect = core_effect(core, effects, RT_DO_HOLD, c, l);
        effect->hold.subject = subject;
        effect->hold.before = before;
        effect->hold.now = print->parts[p].identity;
        core->log_size++;
    }
}

enum rt_status core_step_lift(struct rt_core *core, const struct rt_core_event *event,
                              struct rt_core_effects *effects)
{
    uint32_t c, l;
    enum rt_status status = core_find(core, event, &c, &l);
    if (status != RT_OK)
        return status;
    if (event->logged)
        return RT_DUPLICATE;
    struct core_campaign *campaign = &core->campaigns[c];
    if (event->state.seq <= campaign->row.seq || !campaign->labs[l].row.held)
        return RT_CONFLICT;
    campaign->row.seq = event->state.seq;
    campaign->labs[l].row.held = false;
    effects->campaign = c;
    effects->lab = l;
    core_log(core, effects);
    core_effect_campaign(core, effects, c);
    core_effect_lab(core, effects, c, l);
    core_serve(core, c, l, effects);
    return RT_OK;
}

enum rt_status rt_core_load_parts(struct rt_core *core, uint32_t index,
                                  const struct rt_fingerprint_part *parts, size_t count)
{
    return index < core->fingerprints.count ? core_print_set(core, index, parts, count)
                                            : RT_CORRUPT;
}

enum rt_status rt_core_load_served(struct rt_core *core, uint32_t campaign, uint32_t lab,
                                   uint32_t fingerprint)
{
    if (campaign >= core->campaign_count || lab >= core->campaigns[campaign].campaign->lab_count ||
        fingerprint >= core->fingerprints.count)
        return RT_CORRUPT;
    core_served(core, campaign, lab, fingerprint, NULL);
    return core->failed ? RT_NO_MEMORY : RT_OK;
}
