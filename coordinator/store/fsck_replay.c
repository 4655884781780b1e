// SPDX-License-Identifier: Apache-2.0
// What each statement of the log did, worked out again in log order.
#include <inttypes.h>
#include <stdlib.h>

#include "coordinator/store/fsck_internal.h"

// ---- finding

static struct fsck_campaign *find_campaign(struct fsck_state *state, uint64_t index,
                                           const struct rt_digest *digest)
{
    for (uint32_t c = 0; c < state->campaign_count; c++) {
        if (rt_digest_equal(&state->campaigns[c].row.digest, digest))
            return &state->campaigns[c];
    }
    fsck_say(state, "leaf %" PRIu64 ": its campaign is not in the log before it", index);
    return NULL;
}

static struct fsck_lab *find_lab(struct fsck_state *state, uint64_t index,
                                 const struct rt_statement *statement,
                                 struct fsck_campaign **ret_campaign)
{
    struct fsck_campaign *campaign = find_campaign(state, index, &statement->campaign);
    *ret_campaign = campaign;
    for (size_t l = 0; campaign && l < campaign->campaign->lab_count; l++) {
        if (rt_bytes_equal_str(statement->lab, campaign->campaign->labs[l].id))
            return &campaign->labs[l];
    }
    if (campaign)
        fsck_say(state, "leaf %" PRIu64 ": its lab is not in the campaign", index);
    return NULL;
}

// ---- campaign, accept, state

static enum rt_status make_lab(const struct rt_campaign *campaign, uint32_t c, uint32_t l,
                               struct fsck_lab *lab)
{
    const struct rt_digest no_draw = {{0}};
    lab->row = (struct rt_core_lab_row){.campaign = c, .lab = l};
    lab->plan = malloc(sizeof *lab->plan);
    if (!lab->plan)
        return RT_NO_MEMORY;
    rt_lab_plan_init(lab->plan, campaign, l, &no_draw);
    lab->total = lab->plan->count;
    lab->chunk_count = (lab->total + RT_CORE_CHUNK_POSITIONS - 1) / RT_CORE_CHUNK_POSITIONS;
    lab->chunks = calloc(lab->chunk_count + 1, sizeof *lab->chunks);
    rt_tree_init(&lab->results);
    return lab->chunks ? RT_OK : RT_NO_MEMORY;
}

static enum rt_status replay_campaign(struct fsck_state *state, uint64_t index,
                                      const struct rt_statement *statement,
                                      const struct rt_digest *leaf_hash)
{
    const struct rt_campaign *campaign = NULL;
    enum rt_status status =
        state->options->find(state->options->ctx, &statement->campaign, &campaign);
    if (status != RT_OK || state->campaign_count == RT_CORE_CAMPAIGNS_MOST) {
        fsck_say(state, "leaf %" PRIu64 ": the campaign's document: %s", index,
                 rt_status_text(status));
        return status == RT_NO_MEMORY ? status : RT_OK;
    }
    struct fsck_campaign *of = &state->campaigns[state->campaign_count];
    *of = (struct fsck_campaign){.campaign = campaign, .leaf_hash = *leaf_hash};
    of->row.index = state->campaign_count++;
    of->row.digest = statement->campaign;
    of->row.leaf_index = index;
    of->row.registered_ms = statement->received_ms;
    of->labs = calloc(campaign->lab_count, sizeof *of->labs);
    of->accepts = calloc(campaign->lab_count, sizeof *of->accepts);
    if (!of->labs || !of->accepts)
        return RT_NO_MEMORY;
    for (uint32_t l = 0; l < campaign->lab_count && status == RT_OK; l++)
        status = make_lab(campaign, of->row.index, l, &of->labs[l]);
    return status;
}

static enum rt_status replay_accept(struct fsck_state *state, uint64_t index,
                                    const struct rt_statement *statement,
                                    const struct rt_digest *leaf_hash)
{
    struct fsck_campaign *campaign;
    struct rt_digest root;
    struct fsck_lab *lab = find_lab(state, index, statement, &campaign);
    if (!lab)
        return RT_OK;
    if (lab->row.state != RT_LAB_INVITED)
        fsck_say(state, "leaf %" PRIu64 ": this lab had accepted or left before", index);
    if (statement->seen.size <= campaign->row.leaf_index || statement->seen.size > index ||
        rt_view_root_at(state->view, statement->seen.size, &root) != RT_OK ||
        !rt_digest_equal(&root, &statement->seen.root))
        fsck_say(state, "leaf %" PRIu64 ": the checkpoint it saw is not this log's", index);
    lab->row.state = RT_LAB_ACCEPTED;
    lab->row.accept_index = index;
    lab->row.changed_ms = statement->received_ms;
    rt_statement_digest(statement, &lab->row.accept);
    if (!campaign->row.drawn && campaign->accept_count < campaign->campaign->lab_count)
        campaign->accepts[campaign->accept_count++] = *leaf_hash;
    return RT_OK;
}

static void start(struct fsck_campaign *campaign, int64_t received_ms)
{
    campaign->row.drawn = true;
    campaign->row.started_ms = received_ms;
    rt_trial_draw(&campaign->leaf_hash, campaign->accepts, campaign->accept_count,
                  &campaign->row.draw);
    for (uint32_t l = 0; l < campaign->campaign->lab_count; l++) {
        rt_lab_plan_init(campaign->labs[l].plan, campaign->campaign, l, &campaign->row.draw);
        campaign->labs[l].order = (struct rt_lab_order){0};
    }
}

static void replay_state(struct fsck_state *state, uint64_t index,
                         const struct rt_statement *statement)
{
    static const enum rt_offer_state states[RT_STATEMENT_ACTION_COUNT] = {
        [RT_STATEMENT_ACTION_START] = RT_OFFER_STARTED,
        [RT_STATEMENT_ACTION_PAUSE] = RT_OFFER_PAUSED,
        [RT_STATEMENT_ACTION_RESUME] = RT_OFFER_STARTED,
        [RT_STATEMENT_ACTION_CANCEL] = RT_OFFER_CANCELLED,
        [RT_STATEMENT_ACTION_CLOSE] = RT_OFFER_CLOSING,
    };
    struct fsck_campaign *campaign = find_campaign(state, index, &statement->campaign);
    if (!campaign)
        return;
    if (statement->seq <= campaign->row.seq)
        fsck_say(state, "leaf %" PRIu64 ": its seq is not above the one before", index);
    campaign->row.seq = statement->seq;
    campaign->row.state = states[statement->action];
    if (statement->action == RT_STATEMENT_ACTION_START && !campaign->row.drawn)
        start(campaign, statement->received_ms);
    if (statement->action == RT_STATEMENT_ACTION_CLOSE)
        campaign->row.close_deadline_ms =
            statement->received_ms + campaign->campaign->close_within_ms;
}

// ---- results and ends

static bool load_pair(struct fsck_state *state, uint64_t index,
                      const struct rt_statement_pair *pair, struct rt_object_unit *ret_unit,
                      struct rt_object_result *ret_result)
{
    rt_buf_clear(&state->unit);
    rt_buf_clear(&state->result);
    if (rt_view_object(state->view, &pair->unit, &state->unit) != RT_OK ||
        rt_view_object(state->view, &pair->result, &state->result) != RT_OK) {
        fsck_say(state, "leaf %" PRIu64 ": the unit or the result it names is not stored", index);
        return false;
    }
    if (rt_object_unit_decode(rt_buf_bytes(&state->unit), &state->arena, ret_unit, NULL) != RT_OK ||
        rt_object_result_decode(rt_buf_bytes(&state->result), &state->arena, ret_result, NULL) !=
            RT_OK) {
        fsck_say(state, "leaf %" PRIu64 ": the unit or the result it names does not decode", index);
        return false;
    }
    return true;
}

static void replay_result(struct fsck_state *state, uint64_t index,
                          const struct rt_statement *statement, const struct rt_digest *leaf_hash)
{
    struct fsck_campaign *campaign;
    struct fsck_lab *lab = find_lab(state, index, statement, &campaign);
    if (!lab)
        return;
    if (!campaign->row.drawn || lab->row.state != RT_LAB_ACCEPTED)
        fsck_say(state, "leaf %" PRIu64 ": a result outside the lab's time", index);
    if (rt_tree_append(&lab->results, leaf_hash, NULL, NULL) != RT_OK || !campaign->row.drawn)
        return;
    for (size_t i = 0; i < statement->pair_count; i++) {
        struct rt_object_unit unit;
        struct rt_object_result result;
        rt_arena_clear(&state->arena);
        if (!load_pair(state, index, &statement->pairs[i], &unit, &result))
            continue;
        if (!rt_digest_equal(&unit.campaign, &statement->campaign) ||
            !rt_bytes_equal(unit.lab, statement->lab) ||
            !rt_digest_equal(&unit.accept, &lab->row.accept) ||
            !rt_digest_equal(&result.unit, &statement->pairs[i].unit)) {
            fsck_say(state,
                     "leaf %" PRIu64 ": a unit that is not this lab's, or a result to another",
                     index);
            continue;
        }
        fsck_count_pair(state, index, statement->received_ms, campaign->row.index, lab->row.lab,
                        &unit, &result);
    }
}

static void replay_rating(struct fsck_state *state, uint64_t index,
                          const struct rt_statement *statement)
{
    struct fsck_campaign *campaign;
    struct fsck_lab *lab = find_lab(state, index, statement, &campaign);
    if (!lab)
        return;
    if (!campaign->row.drawn || lab->row.state == RT_LAB_INVITED)
        fsck_say(state, "leaf %" PRIu64 ": a rating before there is anything to rate", index);
    else
        fsck_replay_rating(state, index, statement, campaign->row.index, lab->row.lab);
}

static void replay_end(struct fsck_state *state, uint64_t index,
                       const struct rt_statement *statement)
{
    struct fsck_campaign *campaign;
    struct rt_digest root;
    struct fsck_lab *lab = find_lab(state, index, statement, &campaign);
    if (!lab)
        return;
    if (lab->row.state > RT_LAB_ACCEPTED)
        fsck_say(state, "leaf %" PRIu64 ": this lab had ended before", index);
    rt_tree_root(&lab->results, &root);
    if (statement->kind != RT_STATEMENT_NO_RESPONSE &&
        (statement->results != lab->results.size || !rt_digest_equal(&statement->root, &root)))
        fsck_say(state, "leaf %" PRIu64 ": it states %" PRIu64 " results, the log has %" PRIu64,
                 index, statement->results, lab->results.size);
    lab->row.state = statement->kind == RT_STATEMENT_CLOSE      ? RT_LAB_CLOSED
                     : statement->kind == RT_STATEMENT_WITHDRAW ? RT_LAB_WITHDRAWN
                                                                : RT_LAB_NO_RESPONSE;
    lab->row.changed_ms = statement->received_ms;
}

static void replay_hold(struct fsck_state *state, uint64_t index,
                        const struct rt_statement *statement)
{
    struct fsck_campaign *campaign;
    struct fsck_lab *lab = find_lab(state, index, statement, &campaign);
    bool hold = statement->kind == RT_STATEMENT_HOLD;
    if (!lab)
        return;
    if (lab->row.held == hold)
        fsck_say(state, "leaf %" PRIu64 ": the lab was %s before", index,
                 hold ? "held" : "not held");
    if (!hold && statement->seq <= campaign->row.seq)
        fsck_say(state, "leaf %" PRIu64 ": its seq is not above the one before", index);
    if (!hold)
        campaign->row.seq = statement->seq;
    lab->row.held = hold;
}

// Each such leaf has its row; that there are no others is told by their number at the end.
static void replay_noted(struct fsck_state *state, uint64_t index,
                         const struct rt_statement *statement)
{
    struct fsck_campaign *campaign = find_campaign(state, index, &statement->campaign);
    if (!campaign)
        return;
    if (statement->kind == RT_STATEMENT_INCIDENT) {
        if (statement->seq <= campaign->row.seq)
            fsck_say(state, "leaf %" PRIu64 ": its seq is not above the one before", index);
        campaign->row.seq = statement->seq;
        rt_buf_clear(&state->result);
        if (rt_view_object(state->view, &statement->record, &state->result) != RT_OK)
            fsck_say(state, "leaf %" PRIu64 ": the record it names is not stored", index);
    }
    campaign->noted++;
    campaign->noted_sum += index;
}

static void settle(struct fsck_state *state)
{
    for (uint32_t c = 0; c < state->campaign_count; c++) {
        struct fsck_campaign *campaign = &state->campaigns[c];
        bool open = campaign->row.state != RT_OFFER_CLOSING;
        for (size_t l = 0; l < campaign->campaign->lab_count && !open; l++)
            open = campaign->labs[l].row.state <= RT_LAB_ACCEPTED;
        if (!open)
            campaign->row.state = RT_OFFER_CLOSED;
    }
}

enum rt_status fsck_replay(struct fsck_state *state, uint64_t index,
                           const struct rt_statement *statement, const struct rt_digest *leaf_hash)
{
    enum rt_status status = RT_OK;
    switch (statement->kind) {
    case RT_STATEMENT_CAMPAIGN:
        status = replay_campaign(state, index, statement, leaf_hash);
        break;
    case RT_STATEMENT_ACCEPT:
        status = replay_accept(state, index, statement, leaf_hash);
        break;
    case RT_STATEMENT_STATE:
        replay_state(state, index, statement);
        break;
    case RT_STATEMENT_RESULT:
        replay_result(state, index, statement, leaf_hash);
        break;
    case RT_STATEMENT_RATING:
        replay_rating(state, index, statement);
        break;
    case RT_STATEMENT_HOLD:
    case RT_STATEMENT_LIFT:
        replay_hold(state, index, statement);
        break;
    case RT_STATEMENT_INCIDENT:
    case RT_STATEMENT_RELEASE:
    case RT_STATEMENT_REVOKE:
        replay_noted(state, index, statement);
        break;
    case RT_STATEMENT_CLOSE:
    case RT_STATEMENT_WITHDRAW:
    case RT_STATEMENT_NO_RESPONSE:
        replay_end(state, index, statement);
        break;
    default:
        break;
    }
    settle(state);
    return state->no_memory ? RT_NO_MEMORY : status;
}
