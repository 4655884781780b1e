// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "coordinator/core/internal.h"

enum rt_status core_find(const struct rt_core *core, const struct rt_core_event *event,
                         uint32_t *ret_campaign, uint32_t *ret_lab)
{
    uint32_t name = core_name_find(core, event->lab);
    if (rt_core_find_campaign(core, &event->campaign, ret_campaign) != RT_OK)
        return RT_NOT_FOUND;
    if (name == NONE || core->names[name].labs[*ret_campaign] == NONE)
        return RT_NOT_PERMITTED;
    *ret_lab = core->names[name].labs[*ret_campaign];
    return RT_OK;
}

uint64_t core_log(struct rt_core *core, struct rt_core_effects *effects)
{
    effects->log = true;
    return core->log_size++;
}

// ---- campaign

static enum rt_status add_lab(struct rt_core *core, const struct rt_campaign *campaign, uint32_t c,
                              uint32_t l)
{
    struct core_lab *lab = &core->campaigns[c].labs[l];
    const struct rt_digest no_draw = {{0}};
    lab->row = (struct rt_core_lab_row){.campaign = c, .lab = l};
    lab->rescan = UINT64_MAX;
    lab->name = core_name_make(core, rt_bytes_str(campaign->labs[l].id));
    if (lab->name == NONE)
        return RT_TOO_LARGE;
    core->names[lab->name].labs[c] = l;
    // How many trials a lab has does not depend on the draw, only their order does.
    rt_lab_plan_init(&lab->plan, campaign, l, &no_draw);
    return core_bitmap_init(&lab->bitmap, lab->plan.count);
}

enum rt_status core_campaign_add(struct rt_core *core, const struct rt_campaign *campaign)
{
    if (core->campaign_count == RT_CORE_CAMPAIGNS_MOST ||
        core->name_count + campaign->lab_count > RT_CORE_NAMES_MOST)
        return RT_TOO_LARGE;
    uint32_t c = core->campaign_count;
    struct core_campaign *of = &core->campaigns[c];
    *of = (struct core_campaign){.campaign = campaign, .open_labs = (uint32_t)campaign->lab_count};
    of->row.index = c;
    of->row.digest = campaign->digest;
    of->labs = calloc(campaign->lab_count, sizeof *of->labs);
    enum rt_status status = of->labs ? RT_OK : RT_NO_MEMORY;
    for (uint32_t l = 0; l < campaign->lab_count && status == RT_OK; l++)
        status = add_lab(core, campaign, c, l);
    if (status != RT_OK) {
        for (uint32_t l = 0; of->labs && l < campaign->lab_count; l++)
            core_bitmap_release(&of->labs[l].bitmap);
        free(of->labs);
        for (uint32_t n = 0; n < core->name_count; n++)
            core->names[n].labs[c] = NONE;
        *of = (struct core_campaign){0};
        return status;
    }
    core->campaign_count++;
    return RT_OK;
}

void core_campaign_draw(struct rt_core *core, uint32_t campaign)
{
    struct core_campaign *of = &core->campaigns[campaign];
    for (uint32_t l = 0; l < of->campaign->lab_count; l++) {
        rt_lab_plan_init(&of->labs[l].plan, of->campaign, l, &of->row.draw);
        of->labs[l].order = (struct rt_lab_order){0};
    }
}

enum rt_status core_step_campaign(struct rt_core *core, const struct rt_core_event *event,
                                  struct rt_core_effects *effects)
{
    const struct rt_campaign *campaign = event->campaign_new.campaign;
    uint32_t index;
    if (event->logged)
        return RT_DUPLICATE;
    if (!rt_digest_equal(&campaign->digest, &event->campaign))
        return RT_CONFLICT;
    if (rt_core_find_campaign(core, &event->campaign, &index) == RT_OK)
        return RT_EXISTS;
    if (core->roster_version && !rt_digest_equal(&campaign->roster_digest, &core->roster))
        return RT_CONFLICT;
    enum rt_status status = core_campaign_add(core, campaign);
    if (status != RT_OK)
        return status;
    index = core->campaign_count - 1;
    core->campaigns[index].row.registered_ms = core->now_ms;
    core->campaigns[index].row.leaf_index = core_log(core, effects);
    effects->campaign = index;
    core_effect_campaign(core, effects, index);
    for (uint32_t l = 0; l < campaign->lab_count; l++)
        core_effect_lab(core, effects, index, l);
    for (uint32_t l = 0; l < campaign->lab_count; l++)
        core_effect_offer(core, effects, index, l, 0);
    return RT_OK;
}

// ---- accept

enum rt_status core_step_accept(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects)
{
    uint32_t c, l;
    enum rt_status status = core_find(core, event, &c, &l);
    if (status != RT_OK)
        return status;
    if (event->logged)
        return RT_DUPLICATE;
    if (!rt_bytes_equal(event->signer, event->lab))
        return RT_NOT_PERMITTED;
    struct core_campaign *campaign = &core->campaigns[c];
    struct core_lab *lab = &campaign->labs[l];
    if (lab->row.state == RT_LAB_ACCEPTED)
        return RT_EXISTS;
    if (lab->row.state != RT_LAB_INVITED || campaign->row.state >= RT_OFFER_CANCELLED)
        return RT_TOO_LATE;
    // What it saw must hold the campaign, or it witnesses nothing.
    if (event->accept.seen_size <= campaign->row.leaf_index)
        return RT_CONFLICT;
    lab->row.state = RT_LAB_ACCEPTED;
    lab->row.accept = event->digest;
    lab->row.accept_index = core_log(core, effects);
    lab->row.changed_ms = core->now_ms;
    effects->campaign = c;
    effects->lab = l;
    core_effect_lab(core, effects, c, l);
    core_effect_offer(core, effects, c, l, 0);
    core_serve(core, c, l, effects);
    return RT_OK;
}

// ---- state

static bool any_accepted(const struct core_campaign *campaign)
{
    for (uint32_t l = 0; l < campaign->campaign->lab_count; l++) {
        if (campaign->labs[l].row.state == RT_LAB_ACCEPTED)
            return true;
    }
    return false;
}

// The state an action leads to from where the campaign is; RT_CONFLICT when it leads nowhere.
static enum rt_status next_state(const struct core_campaign *campaign,
                                 enum rt_statement_action action, enum rt_offer_state *ret_state)
{
    enum rt_offer_state now = campaign->row.state;
    bool allowed = false;
    switch (action) {
    case RT_STATEMENT_ACTION_START:
        // With no accept in the log the operator alone would have chosen the draw.
        allowed = now == RT_OFFER_REGISTERED && any_accepted(campaign);
        *ret_state = RT_OFFER_STARTED;
        break;
    case RT_STATEMENT_ACTION_PAUSE:
        allowed = now == RT_OFFER_STARTED;
        *ret_state = RT_OFFER_PAUSED;
        break;
    case RT_STATEMENT_ACTION_RESUME:
        allowed = now == RT_OFFER_PAUSED;
        *ret_state = RT_OFFER_STARTED;
        break;
    case RT_STATEMENT_ACTION_CANCEL:
        allowed = now <= RT_OFFER_PAUSED;
        *ret_state = RT_OFFER_CANCELLED;
        break;
    case RT_STATEMENT_ACTION_CLOSE:
        allowed = now >= RT_OFFER_STARTED && now <= RT_OFFER_CANCELLED;
        *ret_state = RT_OFFER_CLOSING;
        break;
    default:
        break;
    }
    return allowed ? RT_OK : RT_CONFLICT;
}

// A campaign whose every lab has ended is closed, once the operator has asked for it.
static void settle(struct rt_core *core, uint32_t c, struct rt_core_effects *effects)
{
    struct core_campaign *campaign = &core->campaigns[c];
    if (campaign->row.state != RT_OFFER_CLOSING || campaign->open_labs)
        return;
    campaign->row.state = RT_OFFER_CLOSED;
    core_effect_campaign(core, effects, c);
    for (uint32_t l = 0; l < campaign->campaign->lab_count; l++)
        core_effect_offer(core, effects, c, l, 0);
}

enum rt_status core_step_state(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects)
{
    uint32_t c;
    enum rt_offer_state state;
    enum rt_status status = rt_core_find_campaign(core, &event->campaign, &c);
    if (status != RT_OK)
        return status;
    if (event->logged)
        return RT_DUPLICATE;
    struct core_campaign *campaign = &core->campaigns[c];
    if (event->state.seq <= campaign->row.seq)
        return RT_CONFLICT;
    status = next_state(campaign, event->state.action, &state);
    if (status != RT_OK)
        return status;
    campaign->row.seq = event->state.seq;
    campaign->row.state = state;
    if (event->state.action == RT_STATEMENT_ACTION_START) {
        campaign->row.drawn = true;
        campaign->row.draw = event->state.draw;
        campaign->row.started_ms = core->now_ms;
        core_campaign_draw(core, c);
    }
    if (state == RT_OFFER_CLOSING)
        campaign->row.close_deadline_ms = core->now_ms + campaign->campaign->close_within_ms;
    core_log(core, effects);
    effects->campaign = c;
    core_effect_campaign(core, effects, c);
    core_effect_notice(core, effects, c, RT_CORE_ALL_LABS,
                       (enum rt_notice_kind)event->state.action);
    // The offer carries the draw, without which no lab can order its trials.
    if (event->state.action == RT_STATEMENT_ACTION_START)
        for (uint32_t l = 0; l < campaign->campaign->lab_count; l++)
            core_effect_offer(core, effects, c, l, 0);
    settle(core, c, effects);
    for (uint32_t l = 0; l < campaign->campaign->lab_count; l++)
        core_serve(core, c, l, effects);
    return RT_OK;
}

_Static_assert((int)RT_NOTICE_KIND_START == (int)RT_STATEMENT_ACTION_START &&
                   (int)RT_NOTICE_KIND_CLOSE == (int)RT_STATEMENT_ACTION_CLOSE,
               "a notice has the number of the action it tells of");

// ---- incidents and releases

// They change nothing about what runs; the log has them, and the store finds them again. Whether a
// step may follow the one before is for whoever reads them (proto/incident.h).
enum rt_status core_step_noted(struct rt_core *core, const struct rt_core_event *event,
                               struct rt_core_effects *effects)
{
    uint32_t c;
    enum rt_status status = rt_core_find_campaign(core, &event->campaign, &c);
    if (status != RT_OK)
        return status;
    if (event->logged)
        return RT_DUPLICATE;
    struct core_campaign *campaign = &core->campaigns[c];
    if (event->state.seq && event->state.seq <= campaign->row.seq)
        return RT_CONFLICT;
    core_log(core, effects);
    effects->campaign = c;
    if (event->state.seq) {
        campaign->row.seq = event->state.seq;
        core_effect_campaign(core, effects, c);
    }
    core_effect(core, effects, RT_DO_NOTED, c, RT_CORE_ALL_LABS);
    return RT_OK;
}

// ---- close and withdraw

static void end_lab(struct rt_core *core, uint32_t c, uint32_t l, enum rt_core_lab_state state,
                    struct rt_core_effects *effects)
{
    struct core_lab *lab = &core->campaigns[c].labs[l];
    lab->row.state = state;
    lab->row.changed_ms = core->now_ms;
    core->campaigns[c].open_labs--;
    core_lab_drop(core, c, l, effects);
    core_effect_lab(core, effects, c, l);
}

enum rt_status core_step_end(struct rt_core *core, const struct rt_core_event *event,
                             struct rt_core_effects *effects)
{
    uint32_t c, l;
    bool close = event->kind == RT_CORE_CLOSE;
    enum rt_status status = core_find(core, event, &c, &l);
    if (status != RT_OK)
        return status;
    if (event->logged)
        return RT_DUPLICATE;
    if (!rt_bytes_equal(event->signer, event->lab))
        return RT_NOT_PERMITTED;
    struct core_campaign *campaign = &core->campaigns[c];
    if (campaign->labs[l].row.state > RT_LAB_ACCEPTED)
        return RT_TOO_LATE;
    // A lab closes when the operator asks; it may leave at any time.
    if (close && campaign->row.state != RT_OFFER_CLOSING)
        return RT_CONFLICT;
    if (event->end.results != event->end.log_results ||
        !rt_digest_equal(&event->end.root, &event->end.log_root))
        return RT_CONFLICT;
    core_log(core, effects);
    effects->campaign = c;
    effects->lab = l;
    end_lab(core, c, l, close ? RT_LAB_CLOSED : RT_LAB_WITHDRAWN, effects);
    core_effect_offer(core, effects, c, l, 0);
    settle(core, c, effects);
    return RT_OK;
}

void core_close_overdue(struct rt_core *core, uint32_t c, struct rt_core_effects *effects)
{
    struct core_campaign *campaign = &core->campaigns[c];
    if (campaign->row.state != RT_OFFER_CLOSING || core->now_ms < campaign->row.close_deadline_ms)
        return;
    for (uint32_t l = 0; l < campaign->campaign->lab_count; l++) {
        if (campaign->labs[l].row.state > RT_LAB_ACCEPTED)
            continue;
        core_effect(core, effects, RT_DO_NO_RESPONSE, c, l);
        core->log_size++;
        end_lab(core, c, l, RT_LAB_NO_RESPONSE, effects);
    }
    settle(core, c, effects);
}

// ---- roster

enum rt_status core_step_roster(struct rt_core *core, const struct rt_core_event *event,
                                struct rt_core_effects *effects)
{
    if (event->logged)
        return RT_DUPLICATE;
    bool follows =
        event->roster.version == core->roster_version + 1 &&
        event->roster.has_previous == (core->roster_version != 0) &&
        (!event->roster.has_previous || rt_digest_equal(&event->roster.previous, &core->roster));
    if (!follows)
        return RT_CONFLICT;
    core->roster_version = event->roster.version;
    core->roster = event->roster.roster;
    core_log(core, effects);
    struct rt_core_effect *effect =
        core_effect(core, effects, RT_DO_ROSTER, NONE, RT_CORE_ALL_LABS);
    effect->roster.version = core->roster_version;
    effect->roster.digest = core->roster;
    core_effect_notice(core, effects, NONE, RT_CORE_ALL_LABS, RT_NOTICE_KIND_ROSTER);
    return RT_OK;
}
