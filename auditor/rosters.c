// SPDX-License-Identifier: Apache-2.0
// The chain of rosters, and the registration of campaigns under them.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"

static void refuse(struct rt_audit *audit, const char *text)
{
    rt_checks_fail(&audit->checks, RT_CHECK_ROSTERS, audit->place, "%s", text);
}

static enum rt_status adopt(struct rt_audit *audit, struct rt_roster *roster)
{
    if (audit->roster_count == audit->roster_room) {
        size_t room = audit->roster_room ? 2 * audit->roster_room : 8;
        struct rt_roster **grown = realloc(audit->rosters, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        audit->rosters = grown;
        audit->roster_room = room;
    }
    audit->rosters[audit->roster_count++] = roster;
    struct rt_ahead_sources sources = {.folder = &audit->folder,
                                       .units = &audit->units,
                                       .roster = roster,
                                       .pool = audit->pool};
    rt_ahead_again(audit->ahead, &sources);
    return RT_OK;
}

static size_t keys_of(const struct rt_audit *audit, struct rt_public_key *ret_keys)
{
    for (size_t i = 0; i < audit->statement.signature_count; i++)
        ret_keys[i] = audit->signers[i].key;
    return audit->statement.signature_count;
}

// The object is the one named, and says what the statement says of it.
static bool agrees(struct rt_audit *audit, const struct rt_roster *next)
{
    const struct rt_statement *statement = &audit->statement;
    const struct rt_roster *first = audit->roster_count ? audit->rosters[0] : next;
    if (!rt_digest_equal(&next->digest, &statement->roster) ||
        next->version != statement->version ||
        !rt_bytes_equal_str(statement->consortium, next->id) ||
        next->has_previous != statement->has_previous ||
        (next->has_previous && !rt_digest_equal(&next->previous, &statement->previous))) {
        refuse(audit, "the roster is not what the statement says of it");
        return false;
    }
    if (!rt_vkey_equal(&next->log, &first->log) ||
        strcmp(next->log.name, audit->checkpoint.origin) != 0) {
        refuse(audit, "the roster names another log's key than the first roster or the checkpoint");
        return false;
    }
    return true;
}

enum rt_status audit_take_roster(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    rt_checks_look(&audit->checks, RT_CHECK_ROSTERS);
    if (!audit_object(audit, &statement->roster, audit->place, &audit->object))
        return RT_OK;
    struct rt_bytes copy = rt_arena_bytes(&audit->arena, rt_buf_bytes(&audit->object));
    if (!copy.data)
        return RT_NO_MEMORY;
    struct rt_roster *next = NULL;
    enum rt_status status = rt_roster_decode(copy, &audit->arena, &next);
    if (status == RT_NO_MEMORY)
        return status;
    if (status) {
        refuse(audit, "the roster's object is not a roster");
        return RT_OK;
    }
    if (!agrees(audit, next) ||
        !audit_signed(audit, statement, audit->place, next, statement->received_ms, audit->index,
                      NULL))
        return RT_OK;
    status = rt_roster_follows(audit_roster_now(audit), next, keys, keys_of(audit, keys),
                               statement->received_ms, audit->index);
    if (status) {
        refuse(audit, status == RT_CONFLICT
                          ? "does not follow the roster before it"
                          : "is not signed by as many root keys as the rosters ask for");
        return RT_OK;
    }
    return adopt(audit, next);
}

// ---- campaigns

static struct audit_campaign *add_campaign(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    if (audit->campaign_count == audit->campaign_room) {
        size_t room = audit->campaign_room ? 2 * audit->campaign_room : 8;
        struct audit_campaign **grown =
            realloc(audit->campaigns, room * sizeof(struct audit_campaign *));
        if (!grown)
            return NULL;
        audit->campaigns = grown;
        audit->campaign_room = room;
    }
    struct audit_campaign *campaign = rt_arena_alloc(&audit->arena, sizeof *campaign);
    if (!campaign || statement->name.size >= sizeof campaign->name ||
        rt_digest_map_put(&audit->campaign_of, &statement->campaign, audit->campaign_count))
        return NULL;
    campaign->digest = statement->campaign;
    campaign->index = audit->index;
    campaign->hash = *audit->hash;
    campaign->registered_ms = statement->received_ms;
    memcpy(campaign->name, statement->name.data, statement->name.size);
    audit->campaigns[audit->campaign_count++] = campaign;
    return campaign;
}

enum rt_status audit_take_campaign(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    const struct rt_roster *roster = audit_roster_now(audit);
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    rt_checks_look(&audit->checks, RT_CHECK_ORDER);
    if (audit_find_campaign(audit, &statement->campaign)) {
        rt_checks_fail(&audit->checks, RT_CHECK_ORDER, audit->place,
                       "a campaign that is in the log already");
        return RT_OK;
    }
    if (!rt_digest_equal(&statement->roster, &roster->digest)) {
        rt_checks_fail(&audit->checks, RT_CHECK_ORDER, audit->place,
                       "a campaign under another roster than the one in force");
        return RT_OK;
    }
    if (rt_roster_threshold(roster, "campaign", keys, keys_of(audit, keys), statement->received_ms,
                            audit->index)) {
        rt_checks_fail(&audit->checks, RT_CHECK_SIGNATURES, audit->place,
                       "the campaign is not signed by as many of the board as the roster asks for");
        return RT_OK;
    }
    struct audit_campaign *campaign = add_campaign(audit);
    return campaign ? audit_adopt_campaign(audit, campaign) : RT_NO_MEMORY;
}
