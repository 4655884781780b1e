// SPDX-License-Identifier: Apache-2.0
#include "worker/evidence.h"

enum rt_status rt_seen_check(const struct rt_seen *seen, const struct rt_checkpoint *checkpoint)
{
    const struct rt_checkpoint *old = &seen->checkpoint;
    if (old->size && strcmp(old->origin, checkpoint->origin))
        return RT_CONFLICT;
    if (old->size && old->size == checkpoint->size &&
        !rt_digest_equal(&old->root, &checkpoint->root))
        return RT_CONFLICT;
    return RT_OK;
}

enum rt_status rt_seen_advance(struct rt_seen *seen, const struct rt_checkpoint *checkpoint,
                               const struct rt_digest *proof, size_t proof_count)
{
    const struct rt_checkpoint *old = &seen->checkpoint;
    enum rt_status status = rt_seen_check(seen, checkpoint);
    if (status)
        return status;
    if (checkpoint->size < old->size)
        return RT_CONFLICT;
    if (old->size) {
        status = rt_tree_verify_consistency(old->size, checkpoint->size, proof, proof_count,
                                            &old->root, &checkpoint->root);
        if (status)
            return status;
    }
    seen->checkpoint = *checkpoint;
    return RT_OK;
}

enum rt_status rt_evidence_leaf(struct rt_bytes leaf, uint64_t index, struct rt_bytes proof,
                                struct rt_log_reader *log, struct rt_digest *ret_leaf_hash,
                                struct rt_checkpoint *ret_checkpoint)
{
    struct rt_tlog_proof parsed;
    enum rt_status status = rt_tlog_proof_parse(proof, &parsed);
    if (status)
        return status;
    if (parsed.index != index)
        return RT_BAD_PROOF;
    rt_leaf_hash(leaf, ret_leaf_hash);
    if (log->note_size && rt_bytes_equal(parsed.checkpoint, rt_bytes(log->note, log->note_size))) {
        status = rt_tree_verify_inclusion(ret_leaf_hash, index, log->checkpoint.size,
                                          parsed.proof.hashes, parsed.proof.count,
                                          &log->checkpoint.root);
        if (!status)
            *ret_checkpoint = log->checkpoint;
        return status;
    }
    status = rt_tlog_proof_verify_log(&parsed, ret_leaf_hash, &log->key, ret_checkpoint);
    if (!status && parsed.checkpoint.size <= sizeof log->note) {
        memcpy(log->note, parsed.checkpoint.data, parsed.checkpoint.size);
        log->note_size = parsed.checkpoint.size;
        log->checkpoint = *ret_checkpoint;
    }
    return status;
}

enum rt_status rt_evidence_receipt(struct rt_bytes statement, int64_t received_ms, uint64_t index,
                                   struct rt_bytes proof, struct rt_log_reader *log,
                                   struct rt_digest *ret_leaf_hash,
                                   struct rt_checkpoint *ret_checkpoint)
{
    struct rt_statement parsed;
    struct rt_buf leaf;
    rt_buf_init(&leaf, RT_STATEMENT_MOST);
    enum rt_status status = rt_statement_parse(statement, &parsed, NULL);
    if (!status)
        status = rt_statement_leaf(&parsed, received_ms, &leaf);
    if (!status)
        status = rt_evidence_leaf(rt_buf_bytes(&leaf), index, proof, log, ret_leaf_hash,
                                  ret_checkpoint);
    rt_buf_release(&leaf);
    return status;
}

// ---- who signed

// Keys of one or two rosters at a moment: a roster's leaf is signed by those of the one before and
// of its own.
struct lookup {
    const struct rt_roster *rosters[2];
    int64_t at_ms;
    uint64_t index;
};

static enum rt_status look_up(void *ctx, const char *key_id,
                              struct rt_statement_signer *ret_signer)
{
    const struct lookup *lookup = ctx;
    enum rt_status status = RT_UNKNOWN_KEY;
    for (size_t i = 0; i < 2; i++) {
        const struct rt_roster *roster = lookup->rosters[i];
        const struct rt_signer *signer = roster ? rt_roster_signer(roster, key_id) : NULL;
        if (!signer)
            continue;
        status = rt_signer_valid(signer, lookup->at_ms, lookup->index);
        if (status)
            continue;
        *ret_signer = (struct rt_statement_signer){.key = signer->key, .roles = signer->roles};
        if (signer->lab != RT_NONE)
            ret_signer->lab = rt_bytes_str(signer->name);
        return RT_OK;
    }
    return status;
}

static enum rt_status verified_keys(const struct rt_statement *statement, struct lookup *lookup,
                                    struct rt_public_key *ret_keys)
{
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];
    enum rt_status status = rt_statement_verify(statement, look_up, lookup, signers);
    if (!status)
        status = rt_statement_permitted(statement, signers, statement->signature_count, 1);
    for (size_t i = 0; !status && i < statement->signature_count; i++)
        ret_keys[i] = signers[i].key;
    return status;
}

enum rt_status rt_evidence_campaign(struct rt_bytes leaf, uint64_t index,
                                    const struct rt_digest *campaign,
                                    const struct rt_roster *roster,
                                    struct rt_statement *ret_statement)
{
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    enum rt_status status = rt_statement_parse_leaf(leaf, 0, ret_statement, NULL);
    if (status)
        return status;
    if (ret_statement->kind != RT_STATEMENT_CAMPAIGN ||
        !rt_digest_equal(&ret_statement->campaign, campaign) ||
        !rt_digest_equal(&ret_statement->roster, &roster->digest))
        return RT_CONFLICT;
    struct lookup lookup = {{roster, NULL}, ret_statement->received_ms, index};
    status = verified_keys(ret_statement, &lookup, keys);
    return status ? status
                  : rt_roster_threshold(roster, "campaign", keys, ret_statement->signature_count,
                                        ret_statement->received_ms, index);
}

static void roster_statement(const struct rt_roster *roster, struct rt_statement *ret_statement)
{
    memset(ret_statement, 0, sizeof *ret_statement);
    ret_statement->kind = RT_STATEMENT_ROSTER;
    ret_statement->roster = roster->digest;
    ret_statement->consortium = rt_bytes_str(roster->id);
    ret_statement->version = roster->version;
    ret_statement->has_previous = roster->has_previous;
    ret_statement->previous = roster->previous;
}

enum rt_status rt_evidence_roster_name(const struct rt_roster *roster,
                                       struct rt_digest *ret_statement)
{
    struct rt_statement statement;
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    roster_statement(roster, &statement);
    enum rt_status status = rt_statement_build(&statement, &text);
    if (!status)
        rt_sha256(rt_buf_bytes(&text), ret_statement);
    rt_buf_release(&text);
    return status;
}

enum rt_status rt_evidence_roster(struct rt_bytes leaf, const struct rt_roster *current,
                                  const struct rt_roster *next)
{
    struct rt_statement statement;
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    struct rt_digest expected, found;
    enum rt_status status = rt_statement_parse_leaf(leaf, 0, &statement, NULL);
    if (!status)
        status = rt_evidence_roster_name(next, &expected);
    if (status)
        return status;
    rt_statement_digest(&statement, &found);
    if (!rt_digest_equal(&expected, &found))
        return RT_CONFLICT;
    struct lookup lookup = {{current, next}, statement.received_ms, UINT64_MAX};
    status = verified_keys(&statement, &lookup, keys);
    return status ? status
                  : rt_roster_follows(current, next, keys, statement.signature_count,
                                      statement.received_ms, UINT64_MAX);
}

// ---- units

static enum rt_status log_only(void *ctx, const char *key_id,
                               struct rt_statement_signer *ret_signer)
{
    const struct rt_vkey *log = ctx;
    char id[RT_KEY_ID_BYTES];
    rt_key_id(&log->key, id);
    if (strcmp(id, key_id))
        return RT_UNKNOWN_KEY;
    *ret_signer =
        (struct rt_statement_signer){.key = log->key, .roles = RT_ROLE_COORDINATOR};
    return RT_OK;
}

enum rt_status rt_evidence_unit(struct rt_bytes statement, const struct rt_evidence_unit *expected,
                                const struct rt_vkey *log)
{
    struct rt_statement parsed;
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];
    struct rt_vkey key = *log;
    enum rt_status status = rt_statement_parse(statement, &parsed, NULL);
    if (status)
        return status;
    if (parsed.kind != RT_STATEMENT_UNIT || parsed.has_received ||
        !rt_digest_equal(&parsed.unit, expected->unit) ||
        !rt_digest_equal(&parsed.campaign, expected->campaign) ||
        !rt_bytes_equal_str(parsed.lab, expected->lab))
        return RT_CONFLICT;
    status = rt_statement_verify(&parsed, log_only, &key, signers);
    return status ? status
                  : rt_statement_permitted(&parsed, signers, parsed.signature_count, 1);
}
