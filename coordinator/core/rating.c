// SPDX-License-Identifier: Apache-2.0
// Other raters' labels beside the rules': numbered raters, and what each label adds to the cells.
#include <string.h>

#include "coordinator/core/internal.h"

uint16_t rt_core_rater_number(const struct rt_core *core, uint32_t campaign,
                              enum rt_rater_kind kind, struct rt_bytes id)
{
    const struct core_campaign *of = &core->campaigns[campaign];
    for (uint16_t i = 1; i <= of->rater_count; i++)
        if (of->raters[i].kind == kind && rt_bytes_equal_str(id, of->raters[i].id))
            return i;
    return 0;
}

enum rt_status rt_core_load_rater(struct rt_core *core, const struct rt_core_rater *rater)
{
    if (rater->campaign >= core->campaign_count || rater->index == 0 ||
        rater->index >= RT_RATERS_MOST ||
        rater->index != core->campaigns[rater->campaign].rater_count + 1)
        return RT_CORRUPT;
    struct core_campaign *of = &core->campaigns[rater->campaign];
    of->raters[rater->index] = *rater;
    of->rater_count = rater->index;
    return RT_OK;
}

static uint16_t number_rater(struct rt_core *core, uint32_t campaign,
                             const struct rt_core_event *event, struct rt_core_effects *effects)
{
    uint16_t index =
        rt_core_rater_number(core, campaign, event->rating.kind, event->rating.rater);
    if (index)
        return index;
    struct core_campaign *of = &core->campaigns[campaign];
    struct rt_core_rater *rater = &of->raters[++of->rater_count];
    *rater = (struct rt_core_rater){
        .campaign = campaign, .index = of->rater_count, .kind = (uint8_t)event->rating.kind};
    memcpy(rater->id, event->rating.rater.data, event->rating.rater.size);
    core_effect(core, effects, RT_DO_RATER, campaign, RT_CORE_ALL_LABS)->rater = *rater;
    return rater->index;
}

// Nothing changes here.
static enum rt_status check(const struct rt_core *core, const struct rt_core_event *event,
                            uint32_t c, uint32_t l)
{
    const struct core_campaign *of = &core->campaigns[c];
    size_t made = 1;
    if (!of->row.drawn || of->labs[l].row.state == RT_LAB_INVITED)
        return RT_NOT_PERMITTED;
    if (event->rating.rater.size == 0 || event->rating.rater.size > RT_ID_BYTES ||
        event->rating.trial_count == 0 || event->rating.trial_count > RT_RATED_MOST)
        return RT_OUT_OF_RANGE;
    if (!rt_core_rater_number(core, c, event->rating.kind, event->rating.rater) &&
        of->rater_count + 1 >= RT_RATERS_MOST)
        return RT_TOO_LARGE;
    for (size_t i = 0; i < event->rating.trial_count; i++) {
        const struct rt_core_rated *rated = &event->rating.trials[i];
        struct rt_trial trial;
        if (rt_trial_of(of->campaign, rated->rated->number, &trial) != RT_OK)
            return RT_CONFLICT;
        if (rated->rated->outcome >= of->campaign->label_count ||
            rated->rated->first_vote > of->campaign->label_count ||
            rated->rated->second_vote > of->campaign->label_count)
            return RT_OUT_OF_RANGE;
        if (rated->known_count == 0 || rated->known_count > RT_RATERS_MOST ||
            !rt_core_knows_fingerprint(core, &rated->fingerprint))
            return RT_CONFLICT;
        made += rated->known_count + 3;
    }
    return made > RT_CORE_EFFECTS_MOST ? RT_TOO_LARGE : RT_OK;
}

static void apply_one(struct rt_core *core, uint32_t c, uint32_t l, uint16_t rater,
                      const struct rt_core_rated *rated, struct rt_core_effects *effects)
{
    struct rt_rating_cell cells[RT_RATERS_MOST + 2];
    struct rt_trial trial;
    size_t count = rated->spare ? 0
                                : rt_rating_cells(rater, rated->rated, rated->known,
                                                  rated->known_count, cells);
    if (count == 0 || rt_trial_of(core->campaigns[c].campaign, rated->rated->number, &trial))
        return;
    uint32_t fingerprint = core_digest_map_get(&core->fingerprints, &rated->fingerprint);
    for (size_t i = 0; i < count; i++) {
        struct rt_core_effect *effect = core_effect(core, effects, RT_DO_CELL, c, l);
        effect->cell.key = (struct rt_cell_key){.campaign = c,
                                                .prompt = trial.prompt,
                                                .configuration = trial.configuration,
                                                .lab = l,
                                                .fingerprint = fingerprint,
                                                .rater = cells[i].rater,
                                                .outcome = cells[i].outcome,
                                                .severity = cells[i].severity,
                                                .status = cells[i].status,
                                                .beside = cells[i].beside,
                                                .beside_label = cells[i].beside_label};
        effect->cell.sum = (struct rt_cell_sum){.count = 1};
    }
    struct rt_core_effect *effect = core_effect(core, effects, RT_DO_RATED, c, l);
    effect->rated.number = rated->rated->number;
    effect->rated.label = (struct rt_rating_label){.rater = rater,
                                                   .outcome = cells[0].outcome,
                                                   .severity = cells[0].severity,
                                                   .status = cells[0].status};
}

enum rt_status core_step_rating(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects)
{
    uint32_t c, l;
    enum rt_status status = core_find(core, event, &c, &l);
    if (status != RT_OK)
        return status;
    effects->campaign = c;
    effects->lab = l;
    if (event->logged)
        return RT_DUPLICATE;
    status = check(core, event, c, l);
    if (status != RT_OK)
        return status;
    core_log(core, effects);
    uint16_t rater = number_rater(core, c, event, effects);
    for (size_t i = 0; i < event->rating.trial_count; i++)
        apply_one(core, c, l, rater, &event->rating.trials[i], effects);
    return RT_OK;
}
