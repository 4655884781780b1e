// SPDX-License-Identifier: Apache-2.0
// One leaf of the log: its form, its signatures, and to whom it goes.
#include <inttypes.h>
#include <stdio.h>

#include "auditor/audit.h"

const struct rt_roster *audit_roster_now(const struct rt_audit *audit)
{
    return audit->roster_count ? audit->rosters[audit->roster_count - 1] : NULL;
}

enum rt_status audit_root_at(struct rt_audit *audit, uint64_t size, struct rt_digest *ret_root)
{
    if (size > audit->tree.size)
        return RT_OUT_OF_RANGE;
    if (size == audit->tree.size) {
        rt_tree_root(&audit->tree, ret_root);
        return RT_OK;
    }
    // The tiles are compared with the leaves themselves under TREE.
    struct rt_tree tree;
    enum rt_status status = rt_tree_load(&tree, size, rt_tile_reader_read, audit->reader);
    if (!status)
        rt_tree_root(&tree, ret_root);
    return status;
}

// ---- signatures

struct moment {
    const struct rt_roster *roster, *next;
    int64_t at_ms;
    uint64_t index;
};

static enum rt_status lookup(void *ctx, const char *key_id, struct rt_statement_signer *ret_signer)
{
    const struct moment *moment = ctx;
    const struct rt_roster *roster = moment->roster;
    const struct rt_signer *signer = roster ? rt_roster_signer(roster, key_id) : NULL;
    if (!signer && moment->next) {
        roster = moment->next;
        signer = rt_roster_signer(roster, key_id);
    }
    if (!signer)
        return RT_UNKNOWN_KEY;
    enum rt_status status = rt_signer_valid(signer, moment->at_ms, moment->index);
    if (status)
        return status;
    ret_signer->key = signer->key;
    ret_signer->roles = signer->roles;
    ret_signer->lab =
        signer->lab == RT_NONE ? rt_bytes(NULL, 0) : rt_bytes_str(roster->labs[signer->lab]->id);
    return RT_OK;
}

bool audit_signed(struct rt_audit *audit, const struct rt_statement *statement, const char *place,
                  const struct rt_roster *next, int64_t at_ms, uint64_t index,
                  const struct rt_public_key *proved)
{
    struct moment moment = {audit_roster_now(audit), next, at_ms, index};
    rt_checks_look(&audit->checks, RT_CHECK_SIGNATURES);
    if (!moment.roster && !next) {
        rt_checks_fail(&audit->checks, RT_CHECK_SIGNATURES, place,
                       "a %s statement, and no roster is in force",
                       rt_statement_kind_word(statement->kind));
        return false;
    }
    enum rt_status status =
        rt_statement_verify_proved(statement, lookup, &moment, proved, audit->signers);
    if (status) {
        rt_checks_fail(&audit->checks, RT_CHECK_SIGNATURES, place, "%s statement: %s",
                       rt_statement_kind_word(statement->kind), rt_status_text(status));
        return false;
    }
    if (rt_statement_permitted(statement, audit->signers, statement->signature_count, 1)) {
        rt_checks_fail(&audit->checks, RT_CHECK_SIGNATURES, place,
                       "a %s statement is not this key's to make",
                       rt_statement_kind_word(statement->kind));
        return false;
    }
    return true;
}

// ---- the leaf

static enum rt_status dispatch(struct rt_audit *audit)
{
    switch (audit->statement.kind) {
    case RT_STATEMENT_CAMPAIGN:
        return audit_take_campaign(audit);
    case RT_STATEMENT_ACCEPT:
        return audit_take_accept(audit);
    case RT_STATEMENT_STATE:
        return audit_take_state(audit);
    case RT_STATEMENT_RESULT:
        return audit_take_result(audit);
    case RT_STATEMENT_RATING:
        return audit_take_rating(audit);
    case RT_STATEMENT_INCIDENT:
    case RT_STATEMENT_RELEASE:
    case RT_STATEMENT_REVOKE:
        return audit_take_noted(audit);
    case RT_STATEMENT_HOLD:
    case RT_STATEMENT_LIFT:
        return audit_take_hold(audit);
    case RT_STATEMENT_CLOSE:
    case RT_STATEMENT_WITHDRAW:
    case RT_STATEMENT_NO_RESPONSE:
        return audit_take_end(audit);
    case RT_STATEMENT_REPORT:
        return audit_take_report(audit);
    default:
        rt_checks_fail(&audit->checks, RT_CHECK_LEAVES, audit->place,
                       "a %s statement is no leaf of a log",
                       rt_statement_kind_word(audit->statement.kind));
        return RT_OK;
    }
}

static enum rt_status take(struct rt_audit *audit)
{
    struct rt_statement *statement = &audit->statement;
    struct rt_digest digest;
    rt_statement_digest(statement, &digest);
    enum rt_status status = rt_digest_map_put(&audit->statements, &digest, audit->index);
    if (status == RT_EXISTS) {
        rt_checks_fail(&audit->checks, RT_CHECK_LEAVES, audit->place,
                       "says what log index %" PRIu64 " said",
                       rt_digest_map_find(&audit->statements, &digest)->value);
        return RT_OK;
    }
    if (status)
        return status;
    if (audit->index == 0 && statement->kind != RT_STATEMENT_ROSTER)
        rt_checks_fail(&audit->checks, RT_CHECK_ROSTERS, audit->place,
                       "the first leaf is no roster");
    if (statement->kind == RT_STATEMENT_ROSTER)
        return audit_take_roster(audit);
    if (!audit_signed(audit, statement, audit->place, NULL, statement->received_ms, audit->index,
                      rt_ahead_key(audit->ahead, audit->index)))
        return RT_OK;
    return dispatch(audit);
}

enum rt_status audit_leaf(void *ctx, uint64_t index, struct rt_bytes leaf,
                          const struct rt_digest *hash)
{
    struct rt_audit *audit = ctx;
    size_t line = 0;
    audit->index = index;
    audit->hash = hash;
    snprintf(audit->place, sizeof audit->place, "log index %" PRIu64, index);
    rt_arena_clear(&audit->scratch);
    rt_checks_look(&audit->checks, RT_CHECK_LEAVES);
    enum rt_status status = rt_statement_parse_leaf(leaf, audit->last_ms, &audit->statement, &line);
    if (status == RT_CONFLICT) {
        rt_checks_fail(&audit->checks, RT_CHECK_LEAVES, audit->place,
                       "received before the leaf in front of it");
        status = RT_OK;
    } else if (status) {
        rt_checks_fail(&audit->checks, RT_CHECK_LEAVES, audit->place, "line %zu: %s", line,
                       rt_status_text(status));
        status = RT_OK;
    } else {
        audit->last_ms = audit->statement.received_ms;
        status = take(audit);
    }
    return status ? status : rt_tree_append(&audit->tree, hash, NULL, NULL);
}
