// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "coordinator/core/internal.h"

void rt_core_effects_init(struct rt_core_effects *effects)
{
    *effects = (struct rt_core_effects){0};
}

void rt_core_effects_release(struct rt_core_effects *effects)
{
    free(effects->list);
    *effects = (struct rt_core_effects){0};
}

size_t core_effects_room(const struct rt_core_effects *effects)
{
    return RT_CORE_EFFECTS_MOST - effects->count;
}

struct rt_core_effect *core_effect(struct rt_core *core, struct rt_core_effects *effects,
                                   enum rt_core_effect_kind kind, uint32_t campaign, uint32_t lab)
{
    if (effects->count == effects->capacity) {
        size_t capacity = effects->capacity ? effects->capacity * 2 : 64;
        struct rt_core_effect *list = effects->count < RT_CORE_EFFECTS_MOST
                                          ? realloc(effects->list, capacity * sizeof *effects->list)
                                          : NULL;
        if (!list) {
            core->failed = true;
            return &core->sink;
        }
        effects->list = list;
        effects->capacity = capacity;
    }
    struct rt_core_effect *effect = &effects->list[effects->count++];
    effect->kind = kind;
    effect->campaign = campaign;
    effect->lab = lab;
    return effect;
}

void core_effect_campaign(struct rt_core *core, struct rt_core_effects *effects, uint32_t campaign)
{
    core_effect(core, effects, RT_DO_CAMPAIGN, campaign, RT_CORE_ALL_LABS)->campaign_row =
        core->campaigns[campaign].row;
}

void core_effect_lab(struct rt_core *core, struct rt_core_effects *effects, uint32_t campaign,
                     uint32_t lab)
{
    core_effect(core, effects, RT_DO_LAB, campaign, lab)->lab_row =
        core->campaigns[campaign].labs[lab].row;
}

struct rt_core_counters *core_effect_counters(struct rt_core *core, struct rt_core_effects *effects,
                                              uint32_t campaign, uint32_t lab)
{
    // One effect a lab and step; a step makes its counters early or makes few effects.
    for (size_t i = effects->count; i-- > 0;) {
        struct rt_core_effect *effect = &effects->list[i];
        if (effect->kind == RT_DO_COUNTERS && effect->campaign == campaign && effect->lab == lab)
            return &effect->counters;
        if (effects->count - i > 64)
            break;
    }
    struct rt_core_effect *effect = core_effect(core, effects, RT_DO_COUNTERS, campaign, lab);
    effect->counters = (struct rt_core_counters){0};
    return &effect->counters;
}

void core_effect_notice(struct rt_core *core, struct rt_core_effects *effects, uint32_t campaign,
                        uint32_t lab, enum rt_notice_kind kind)
{
    core_effect(core, effects, RT_DO_NOTICE, campaign, lab)->notice.kind = kind;
}

void core_effect_offer(struct rt_core *core, struct rt_core_effects *effects, uint32_t campaign,
                       uint32_t lab, uint64_t peer)
{
    core_effect(core, effects, RT_DO_OFFER, campaign, lab)->offer.peer = peer;
}
