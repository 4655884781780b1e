// SPDX-License-Identifier: Apache-2.0
// The order of the proof: what each statement about a campaign must find in the log before it.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"

// Said under ORDER; the statement then changes nothing.
#define REFUSE(audit, ...)                                                                         \
    (rt_checks_fail(&(audit)->checks, RT_CHECK_ORDER, (audit)->place, __VA_ARGS__), RT_OK)

static int size_of(struct rt_bytes text)
{
    return (int)(text.size < 200 ? text.size : 200);
}
#define TEXT(bytes) size_of(bytes), (const char *)(bytes).data

struct audit_campaign *audit_find_campaign(const struct rt_audit *audit,
                                           const struct rt_digest *digest)
{
    const struct rt_digest_entry *entry = rt_digest_map_find(&audit->campaign_of, digest);
    return entry ? audit->campaigns[entry->value] : NULL;
}

struct audit_lab *audit_find_lab(const struct audit_campaign *campaign, struct rt_bytes id)
{
    struct audit_lab *lab = campaign->labs;
    while (lab && !rt_bytes_equal_str(id, lab->id))
        lab = lab->next;
    return lab;
}

static struct audit_lab *add_lab(struct rt_audit *audit, struct audit_campaign *campaign,
                                 struct rt_bytes id)
{
    struct audit_lab *lab = rt_arena_alloc(&audit->arena, sizeof *lab);
    if (!lab || id.size >= sizeof lab->id)
        return NULL;
    memcpy(lab->id, id.data, id.size);
    lab->reason = "";
    rt_tree_init(&lab->results);
    lab->next = campaign->labs;
    campaign->labs = lab;
    return lab;
}

// The campaign a statement is about, or the finding that the log has none.
static struct audit_campaign *campaign_of(struct rt_audit *audit)
{
    struct audit_campaign *campaign = audit_find_campaign(audit, &audit->statement.campaign);
    rt_checks_look(&audit->checks, RT_CHECK_ORDER);
    if (!campaign)
        rt_checks_fail(&audit->checks, RT_CHECK_ORDER, audit->place,
                       "a %s statement about a campaign that is not in the log before it",
                       rt_statement_kind_word(audit->statement.kind));
    return campaign;
}

// Is the lab one of the campaign's? Known for the campaign whose object is here.
static bool is_invited(const struct rt_audit *audit, const struct audit_campaign *campaign,
                       struct rt_bytes id)
{
    if (campaign != audit->target)
        return true;
    for (size_t l = 0; l < audit->campaign->lab_count; l++)
        if (rt_bytes_equal_str(id, audit->campaign->labs[l].id))
            return true;
    return false;
}

// ---- accept

static enum rt_status remember_accept(struct rt_audit *audit, struct audit_campaign *campaign)
{
    if (campaign->accept_count == campaign->accept_room) {
        size_t room = campaign->accept_room ? 2 * campaign->accept_room : 16;
        struct rt_digest *grown = realloc(campaign->accepts, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        campaign->accepts = grown;
        campaign->accept_room = room;
    }
    campaign->accepts[campaign->accept_count++] = *audit->hash;
    return RT_OK;
}

// The checkpoint it saw must be this log's, and must hold the campaign: only then is the accept a
// witness that the plan came first.
static bool saw_campaign(struct rt_audit *audit, const struct audit_campaign *campaign)
{
    const struct rt_statement_seen *seen = &audit->statement.seen;
    struct rt_digest root;
    if (!rt_bytes_equal_str(seen->origin, audit->checkpoint.origin)) {
        (void)REFUSE(audit, "accepts by a checkpoint of another log, %.*s", TEXT(seen->origin));
        return false;
    }
    if (seen->size > audit->index || seen->size <= campaign->index) {
        (void)REFUSE(audit,
                     "accepts by a checkpoint of size %" PRIu64
                     ", which does not hold the campaign at log index %" PRIu64,
                     seen->size, campaign->index);
        return false;
    }
    if (audit_root_at(audit, seen->size, &root) || !rt_digest_equal(&root, &seen->root)) {
        (void)REFUSE(audit,
                     "the log that lab %.*s saw at size %" PRIu64
                     " was another: its root is not this log's",
                     TEXT(audit->statement.lab), seen->size);
        return false;
    }
    return true;
}

enum rt_status audit_take_accept(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct audit_campaign *campaign = campaign_of(audit);
    if (!campaign || !saw_campaign(audit, campaign))
        return RT_OK;
    if (!is_invited(audit, campaign, statement->lab))
        return REFUSE(audit, "lab %.*s accepts, and the campaign does not name it",
                      TEXT(statement->lab));
    struct audit_lab *lab = audit_find_lab(campaign, statement->lab);
    if (campaign->state >= RT_OFFER_CANCELLED || (lab && (lab->accepted || lab->end)))
        return REFUSE(audit, "lab %.*s accepts again, or too late", TEXT(statement->lab));
    if (!lab && !(lab = add_lab(audit, campaign, statement->lab)))
        return RT_NO_MEMORY;
    lab->accepted = true;
    lab->accept_index = audit->index;
    rt_statement_digest(statement, &lab->accept);
    return campaign->started ? RT_OK : remember_accept(audit, campaign);
}

// ---- state

// As the coordinator moves: which state an action leads to, or false.
static bool next_state(const struct audit_campaign *campaign, enum rt_statement_action action,
                       enum rt_offer_state *ret_state)
{
    enum rt_offer_state now = campaign->state;
    switch (action) {
    case RT_STATEMENT_ACTION_START:
        *ret_state = RT_OFFER_STARTED;
        return now == RT_OFFER_REGISTERED && campaign->accept_count;
    case RT_STATEMENT_ACTION_PAUSE:
        *ret_state = RT_OFFER_PAUSED;
        return now == RT_OFFER_STARTED;
    case RT_STATEMENT_ACTION_RESUME:
        *ret_state = RT_OFFER_STARTED;
        return now == RT_OFFER_PAUSED;
    case RT_STATEMENT_ACTION_CANCEL:
        *ret_state = RT_OFFER_CANCELLED;
        return now <= RT_OFFER_PAUSED;
    case RT_STATEMENT_ACTION_CLOSE:
        *ret_state = RT_OFFER_CLOSING;
        return now >= RT_OFFER_STARTED && now <= RT_OFFER_CANCELLED;
    default:
        return false;
    }
}

enum rt_status audit_take_state(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct audit_campaign *campaign = campaign_of(audit);
    enum rt_offer_state state;
    if (!campaign)
        return RT_OK;
    if (statement->seq <= campaign->seq)
        return REFUSE(audit, "seq %" PRIu64 " after %" PRIu64, statement->seq, campaign->seq);
    if (!next_state(campaign, statement->action, &state))
        return REFUSE(audit, "%s while the campaign is %s%s",
                      rt_statement_action_word(statement->action),
                      rt_offer_state_words[campaign->state],
                      campaign->accept_count ? "" : ", with no accept before it");
    campaign->seq = statement->seq;
    campaign->state = state;
    if (statement->action == RT_STATEMENT_ACTION_CLOSE)
        campaign->closing_ms = statement->received_ms;
    if (statement->action != RT_STATEMENT_ACTION_START)
        return RT_OK;
    campaign->started = true;
    campaign->start_index = audit->index;
    campaign->started_ms = statement->received_ms;
    return campaign == audit->target ? audit_draw(audit) : RT_OK;
}

// ---- results

enum rt_status audit_take_result(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct audit_campaign *campaign = campaign_of(audit);
    if (!campaign)
        return RT_OK;
    struct audit_lab *lab = audit_find_lab(campaign, statement->lab);
    if (!campaign->started)
        return REFUSE(audit, "a result before the start of its campaign");
    if (!lab || !lab->accepted)
        return REFUSE(audit, "a result of lab %.*s, which has not accepted before it",
                      TEXT(statement->lab));
    if (lab->end)
        return REFUSE(audit, "a result of lab %s after its end at log index %" PRIu64, lab->id,
                      lab->end_index);
    enum rt_status status = rt_tree_append(&lab->results, audit->hash, NULL, NULL);
    if (status || campaign != audit->target)
        return status;
    uint32_t index = rt_campaign_lab(audit->campaign, lab->id);
    return index == RT_NONE ? RT_OK : audit_count_pairs(audit, index, lab);
}

// ---- the end of a lab

// What the lab signed against what the log has: the one thing a coordinator that drops a result and
// signs the log again cannot mend.
static bool sums_hold(struct rt_audit *audit, const struct audit_lab *lab)
{
    const struct rt_statement *statement = &audit->statement;
    struct rt_digest root;
    rt_tree_root(&lab->results, &root);
    rt_checks_look(&audit->checks, RT_CHECK_CLOSES);
    if (statement->results != lab->results.size) {
        rt_checks_fail(&audit->checks, RT_CHECK_CLOSES, audit->place,
                       "lab %s signed that it had %" PRIu64 " result leaves; the log has %" PRIu64,
                       lab->id, statement->results, lab->results.size);
        return false;
    }
    if (!rt_digest_equal(&statement->root, &root)) {
        rt_checks_fail(&audit->checks, RT_CHECK_CLOSES, audit->place,
                       "the %" PRIu64 " result leaves of lab %s are not those it signed for",
                       lab->results.size, lab->id);
        return false;
    }
    return true;
}

static bool deadline_passed(const struct rt_audit *audit, const struct audit_campaign *campaign)
{
    return campaign != audit->target ||
           audit->statement.received_ms - campaign->closing_ms >= audit->campaign->close_within_ms;
}

// Holds and their ends alternate, lab by lab; an operator's end has a seq of its own.
enum rt_status audit_take_hold(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct audit_campaign *campaign = campaign_of(audit);
    const char *word = rt_statement_kind_word(statement->kind);
    bool hold = statement->kind == RT_STATEMENT_HOLD;
    if (!campaign)
        return RT_OK;
    struct audit_lab *lab = audit_find_lab(campaign, statement->lab);
    if (!lab)
        return REFUSE(audit, "%s of lab %.*s, which has not accepted", word, TEXT(statement->lab));
    if (lab->held == hold)
        return REFUSE(audit, "%s of lab %s, which is %s", word, lab->id,
                      hold ? "held already" : "not held");
    if (!hold && statement->seq <= campaign->seq)
        return REFUSE(audit, "%s with seq %" PRIu64 " after %" PRIu64, word, statement->seq,
                      campaign->seq);
    if (!hold)
        campaign->seq = statement->seq;
    lab->held = hold;
    return RT_OK;
}

enum rt_status audit_take_end(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct audit_campaign *campaign = campaign_of(audit);
    const char *word = rt_statement_kind_word(statement->kind);
    if (!campaign)
        return RT_OK;
    if (!is_invited(audit, campaign, statement->lab))
        return REFUSE(audit, "%s of lab %.*s, which the campaign does not name", word,
                      TEXT(statement->lab));
    struct audit_lab *lab = audit_find_lab(campaign, statement->lab);
    if (!lab && !(lab = add_lab(audit, campaign, statement->lab)))
        return RT_NO_MEMORY;
    if (lab->end)
        return REFUSE(audit, "%s of lab %s after its end at log index %" PRIu64, word, lab->id,
                      lab->end_index);
    if (statement->kind != RT_STATEMENT_WITHDRAW && campaign->state != RT_OFFER_CLOSING)
        return REFUSE(audit, "%s of lab %s before the operator asked the labs to close", word,
                      lab->id);
    if (statement->kind == RT_STATEMENT_NO_RESPONSE && !deadline_passed(audit, campaign))
        return REFUSE(audit, "no-response of lab %s before its deadline", lab->id);
    if (statement->kind != RT_STATEMENT_NO_RESPONSE && !sums_hold(audit, lab))
        return RT_OK;
    lab->end = statement->kind == RT_STATEMENT_CLOSE      ? AUDIT_CLOSED
               : statement->kind == RT_STATEMENT_WITHDRAW ? AUDIT_WITHDREW
                                                          : AUDIT_NO_RESPONSE;
    lab->end_index = audit->index;
    if (lab->end != AUDIT_CLOSED)
        lab->reason = rt_arena_strndup(&audit->arena, (const char *)statement->reason.data,
                                       statement->reason.size);
    return lab->reason ? RT_OK : RT_NO_MEMORY;
}

// ---- a published report

enum rt_status audit_take_report(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct rt_digest root;
    if (!campaign_of(audit))
        return RT_OK;
    if (audit_root_at(audit, statement->size, &root) || !rt_digest_equal(&root, &statement->root))
        return REFUSE(audit, "a report from a log of size %" PRIu64 " that was not this one",
                      statement->size);
    return RT_OK;
}
