// SPDX-License-Identifier: Apache-2.0
#include "proto/roster.h"
#include "proto/statement.h"

enum rt_status rt_statement_verify(const struct rt_statement *statement, rt_key_lookup_fn lookup,
                                   void *ctx, struct rt_statement_signer *ret_signers)
{
    return rt_statement_verify_proved(statement, lookup, ctx, NULL, ret_signers);
}

enum rt_status rt_statement_verify_proved(const struct rt_statement *statement,
                                          rt_key_lookup_fn lookup, void *ctx,
                                          const struct rt_public_key *proved,
                                          struct rt_statement_signer *ret_signers)
{
    if (statement->signature_count == 0)
        return RT_BAD_SIGNATURE;
    const char *type = rt_statement_type(statement->kind);
    for (size_t i = 0; i < statement->signature_count; i++) {
        const struct rt_statement_signature *signature = &statement->signatures[i];
        struct rt_statement_signer signer = {.roles = 0};
        enum rt_status status = lookup(ctx, signature->key_id, &signer);
        if (status)
            return status;
        // Whatever the callback looked in, the key must be the one the line names: key ids are
        // unique within a statement, so this also makes the keys unique.
        char key_id[RT_KEY_ID_BYTES];
        rt_key_id(&signer.key, key_id);
        if (strcmp(key_id, signature->key_id) != 0)
            return RT_UNKNOWN_KEY;
        if (i > 0 || !proved || !rt_public_key_equal(proved, &signer.key))
            status = rt_verify(&signer.key, type, statement->body, signature->bytes);
        if (status)
            return status;
        if (ret_signers)
            ret_signers[i] = signer;
    }
    return RT_OK;
}

// The role that may speak under a rule.
static uint32_t role_of(enum rt_statement_rule rule)
{
    switch (rule) {
    case RT_STATEMENT_RULE_ROOT:
        return RT_ROLE_ROOT;
    case RT_STATEMENT_RULE_BOARD:
        return RT_ROLE_BOARD;
    case RT_STATEMENT_RULE_LAB:
        return RT_ROLE_LAB;
    case RT_STATEMENT_RULE_RATER:
        return RT_ROLE_LAB | RT_ROLE_RATER;
    case RT_STATEMENT_RULE_COMMITTEE:
        return RT_ROLE_DATA_COMMITTEE;
    case RT_STATEMENT_RULE_COORDINATOR:
        return RT_ROLE_COORDINATOR;
    case RT_STATEMENT_RULE_OPERATOR:
        return RT_ROLE_OPERATOR;
    }
    return 0;
}

// Whether a key like this one comes before signers[at].
static bool seen_before(const struct rt_statement_signer *signers, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (rt_public_key_equal(&signers[i].key, &signers[at].key))
            return true;
    return false;
}

enum rt_status rt_statement_permitted(const struct rt_statement *statement,
                                      const struct rt_statement_signer *signers, size_t count,
                                      size_t threshold)
{
    enum rt_statement_rule rule = rt_statement_rule(statement->kind);
    uint32_t role = role_of(rule);
    bool by_threshold = rule == RT_STATEMENT_RULE_ROOT || rule == RT_STATEMENT_RULE_BOARD ||
                        rule == RT_STATEMENT_RULE_COMMITTEE;
    size_t unique = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(signers[i].roles & role))
            return RT_NOT_PERMITTED;
        if (rule == RT_STATEMENT_RULE_LAB && !rt_bytes_equal(signers[i].lab, statement->lab))
            return RT_NOT_PERMITTED;
        // A lab speaks of its own trials; whom the roster calls a rater, of anybody's.
        if (rule == RT_STATEMENT_RULE_RATER && !(signers[i].roles & RT_ROLE_RATER) &&
            !rt_bytes_equal(signers[i].lab, statement->lab))
            return RT_NOT_PERMITTED;
        // A threshold counts keys, never signatures (CVE-2020-6174).
        if (!seen_before(signers, i))
            unique++;
    }
    size_t needed = by_threshold && threshold ? threshold : 1;
    return unique >= needed ? RT_OK : RT_NOT_PERMITTED;
}
