// SPDX-License-Identifier: Apache-2.0
// The outbox: everything a lab must not lose, as rows of the ledger. Units are here before they
// run, each finished trial and its transcript as it finishes, signed results before they are sent;
// what was receipted stays with its proof until the campaign's `close` has its own receipt
// (EVIDENCE, Keys). Rows are records (proto/schema.h), so reading one checks it. Writes gather
// until rt_outbox_commit. Sends nothing and decides nothing. One thread, as the ledger.
#ifndef RT_WORKER_OUTBOX_H
#define RT_WORKER_OUTBOX_H

#include "common/base/text.h"
#include "proto/message.h"
#include "proto/object.h"
#include "proto/statement.h"
#include "worker/ledger.h"
#include "worker/policy.h"

// Where this lab stands in a campaign.
//  X(NAME, word)
#define RT_STAGE_TABLE(X)                                                                          \
    X(OFFERED, "offered")       /* known; not verified yet, or waiting for the lab's word */       \
    X(REFUSED, "refused")       /* does not verify, or policy says no; looked at again on OFFER */ \
    X(ACCEPTING, "accepting")   /* `accept` signed, no receipt yet */                              \
    X(ACCEPTED, "accepted")                                                                        \
    X(LEAVING, "leaving")       /* a person wants out; nothing new is taken */                     \
    X(CLOSING, "closing")       /* `close` signed, no receipt yet */                               \
    X(WITHDRAWING, "withdrawing")                                                                  \
    X(CLOSED, "closed")                                                                            \
    X(WITHDRAWN, "withdrawn")                                                                      \
    X(ENDED, "ended")           /* over without this lab: cancelled, closed, or too late */
enum rt_stage {
#define X(name, word) RT_STAGE_##name,
    RT_STAGE_TABLE(X)
#undef X
        RT_STAGE_COUNT
};
extern const char *const rt_stage_words[RT_STAGE_COUNT + 1];
extern const char *const rt_decision_words[4];

#define RT_ROW_CAMPAIGN_FIELDS(F)                                                                  \
    F(STR, name, _, 0, 64, "the campaign's id, once known")                                        \
    F(ENUM, state, rt_offer_state, 0, 0, "where the campaign stands")                              \
    F(ENUM, stage, rt_stage, 0, 0, "where this lab stands in it")                                  \
    F(BYTES, leaf, _, 0, RT_LEAF_TEXT_MOST, "the campaign's leaf")                                 \
    F(U64, index, _, 0, INT64_MAX, "its index")                                                    \
    F(BODY, proof, _, 0, RT_PROOF_TEXT_MOST, ".tlog-proof of the leaf")                            \
    F(MAYBE, draw, _, 0, 32, "the draw, once started")                                             \
    F(MAYBE, accept, _, 0, 32, "statement digest of this lab's accept")                            \
    F(ENUM, decision, rt_decision, 0, 0, "what a person decided")                                  \
    F(STR, reason, _, 0, 200, "the reason they gave")                                              \
    F(STR, held, _, 0, 400, "why it is refused or waits, for people")                              \
    F(U64, results, _, 0, INT64_MAX, "own result leaves with a verified receipt")
RT_RECORD(rt_row_campaign, RT_ROW_CAMPAIGN_FIELDS);

#define RT_ROW_UNIT_FIELDS(F)                                                                      \
    F(BYTES, statement, _, 1, RT_UNIT_STATEMENT_MOST, "as received")                               \
    F(BYTES, object, _, 1, RT_UNIT_MOST, "as received")                                            \
    F(TIME, taken_ms, _, 0, 0, "when it came")
RT_RECORD(rt_row_unit, RT_ROW_UNIT_FIELDS);

#define RT_ROW_TRIAL_FIELDS(F)                                                                     \
    F(LIST, result, rt_trial_result, 1, 1, "as it stands in a result object")                      \
    F(FIXED, fingerprint, rt_digest, 0, 0, "what served it")                                       \
    F(FIXED, unit, rt_digest, 0, 0, "the unit it ran for")                                         \
    F(TIME, started_ms, _, 0, 0, "by the lab's clock")                                             \
    F(TIME, finished_ms, _, 0, 0, "by the lab's clock")
RT_RECORD(rt_row_trial, RT_ROW_TRIAL_FIELDS);

#define RT_ROW_OUT_FIELDS(F)                                                                       \
    F(U64, kind, _, 0, RT_STATEMENT_KIND_COUNT - 1, "statement kind")                              \
    F(FIXED, campaign, rt_digest, 0, 0, "which campaign")                                          \
    F(BYTES, statement, _, 1, RT_STATEMENT_MOST, "signed")                                         \
    F(FIXED, unit_digest, rt_digest, 0, 0, "results: the unit answered")                           \
    F(BYTES, unit_statement, _, 0, RT_UNIT_STATEMENT_MOST, "results: as received")                 \
    F(BYTES, unit, _, 0, RT_UNIT_MOST, "results: the unit object")                                 \
    F(BYTES, result, _, 0, RT_RESULT_MOST, "results: the result object")                           \
    F(FIXED, fingerprint, rt_digest, 0, 0, "results: the object it names")                         \
    F(U64, disconnects, _, 0, INT64_MAX, "connections lost after it was sent on them")             \
    F(BOOL, parked, _, 0, 0, "not sent any more; shown to people")                                 \
    F(STR, why, _, 0, 200, "what the coordinator last said against it")                            \
    F(TIME, made_ms, _, 0, 0, "when it was signed")
RT_RECORD(rt_row_out, RT_ROW_OUT_FIELDS);

#define RT_ROW_RECEIPT_FIELDS(F)                                                                   \
    F(U64, kind, _, 0, RT_STATEMENT_KIND_COUNT - 1, "statement kind")                              \
    F(U64, index, _, 0, INT64_MAX, "of the leaf in the log")                                       \
    F(TIME, received_ms, _, 0, 0, "the leaf's `received` line")                                    \
    F(BODY, proof, _, 1, RT_PROOF_TEXT_MOST, ".tlog-proof text")                                   \
    F(BYTES, statement, _, 1, RT_STATEMENT_MOST, "signed")                                         \
    F(BYTES, unit_statement, _, 0, RT_UNIT_STATEMENT_MOST, "until close is receipted")             \
    F(BYTES, unit, _, 0, RT_UNIT_MOST, "until close is receipted")                                 \
    F(BYTES, result, _, 0, RT_RESULT_MOST, "until close is receipted")
RT_RECORD(rt_row_receipt, RT_ROW_RECEIPT_FIELDS);

#define RT_ROW_USAGE_FIELDS(F)                                                                     \
    F(I64, day, _, INT32_MIN, INT32_MAX, "days since 1970 in the lab's time zone")                 \
    F(U64, trials_today, _, 0, INT64_MAX, "")                                                      \
    F(U64, tokens_today, _, 0, INT64_MAX, "")                                                      \
    F(U64, requests_today, _, 0, INT64_MAX, "")                                                    \
    F(U64, trials_total, _, 0, INT64_MAX, "")                                                      \
    F(U64, tokens_total, _, 0, INT64_MAX, "")                                                      \
    F(U64, requests_total, _, 0, INT64_MAX, "")                                                    \
    F(U64, gpu_today_ms, _, 0, INT64_MAX, "GPUs times milliseconds")                               \
    F(U64, gpu_total_ms, _, 0, INT64_MAX, "GPUs times milliseconds")
RT_RECORD(rt_row_usage, RT_ROW_USAGE_FIELDS);

// Tables and keys (u64 big-endian, so that key order is number order):
//   META      name                          instance (16 bytes), checkpoint (note text),
//                                           roster (digest of the newest one trusted), vault-key
//                                           (id of the key transcripts are sealed under), use and
//                                           use/<campaign><subject> (usage rows), gpu-seen (time
//                                           at which jobs held GPUs), told/<hash> (time at which
//                                           an event was told)
//   OBJECT    digest                        documents by digest: rosters, campaigns, scenarios,
//                                           fingerprints
//   CAMPAIGN  campaign                      campaign row
//   UNIT      unit digest                   unit row; gone when its result is receipted or returned
//   TRIAL     unit digest ‖ number          trial row that ended in error or timeout
//   FINAL     campaign ‖ number             trial row with a final status
//   SAME      campaign ‖ cell ‖ output      number of the first trial with that output (8 bytes)
//   OUT       statement digest              out row
//   RECEIPT   campaign ‖ index              receipt row
//   LEAF      campaign ‖ index              leaf hash of an own result
//   PLACE     transcript digest             where the vault has it (the ledger's own)
#define RT_KEY_BYTES_MOST 72
struct rt_key {
    uint8_t bytes[RT_KEY_BYTES_MOST];
    size_t size;
};
struct rt_key rt_key_of(const struct rt_digest *digest);
struct rt_key rt_key_of_number(const struct rt_digest *digest, uint64_t number);
struct rt_key rt_key_of_output(const struct rt_digest *campaign, uint64_t cell,
                               const struct rt_digest *output);
static inline struct rt_bytes rt_key_bytes(const struct rt_key *key)
{
    return rt_bytes(key->bytes, key->size);
}

// What one subject gave to one campaign.
struct rt_outbox_share {
    struct rt_digest campaign;
    char subject[RT_ID_BYTES + 1];
    struct rt_usage usage;
    bool dirty;
};

struct rt_outbox {
    struct rt_ledger *ledger;
    struct rt_instance instance; // zeros when read only and never run
    struct rt_usage usage;
    bool usage_dirty;
    struct rt_outbox_share *shares;
    size_t share_count;
};

// Open the state folder; a writing outbox makes its instance id on first use.
enum rt_status rt_outbox_open(const char *state, bool read_only, struct rt_outbox **ret_outbox,
                              struct rt_error *err) RT_WARN_UNUSED;
void rt_outbox_free(struct rt_outbox *outbox); // takes NULL
enum rt_status rt_outbox_commit(struct rt_outbox *outbox, struct rt_error *err) RT_WARN_UNUSED;

// One row: into the batch (rows of ours always encode: a failure is a programmer error), or read
// into *ret_row with all its bytes in arena. RT_NOT_FOUND, RT_CORRUPT, RT_NO_MEMORY.
void rt_outbox_put(struct rt_outbox *outbox, enum rt_table table, struct rt_key key,
                   const struct rt_schema *schema, const void *row);
enum rt_status rt_outbox_get(struct rt_outbox *outbox, enum rt_table table, struct rt_key key,
                             const struct rt_schema *schema, struct rt_arena *arena,
                             void *ret_row) RT_WARN_UNUSED;
void rt_outbox_del(struct rt_outbox *outbox, enum rt_table table, struct rt_key key);
// Read a row out of a visited value; views into value.
enum rt_status rt_outbox_read(const struct rt_schema *schema, struct rt_bytes value,
                              struct rt_arena *arena, void *ret_row) RT_WARN_UNUSED;

// Documents by digest; reading one checks the digest again.
void rt_outbox_put_object(struct rt_outbox *outbox, const struct rt_digest *digest,
                          struct rt_bytes object);
enum rt_status rt_outbox_object(struct rt_outbox *outbox, const struct rt_digest *digest,
                                struct rt_arena *arena, struct rt_bytes *ret_object) RT_WARN_UNUSED;

// Small named values.
void rt_outbox_put_meta(struct rt_outbox *outbox, const char *name, struct rt_bytes value);
enum rt_status rt_outbox_meta(struct rt_outbox *outbox, const char *name,
                              struct rt_buf *out) RT_WARN_UNUSED;

// Count what was used, for the lab as a whole; becomes durable with the next commit.
void rt_outbox_use(struct rt_outbox *outbox, int64_t day, uint64_t trials, uint64_t tokens,
                   uint64_t requests);
// And by campaign and subject. The GPU time alone stands for servers: no trial is told apart by it.
void rt_outbox_use_for(struct rt_outbox *outbox, const struct rt_digest *campaign,
                       const char *subject, int64_t day, uint64_t trials, uint64_t tokens,
                       uint64_t requests);
void rt_outbox_use_gpu(struct rt_outbox *outbox, int64_t day, uint64_t gpu_ms);
void rt_outbox_use_gpu_for(struct rt_outbox *outbox, const struct rt_digest *campaign,
                           const char *subject, int64_t day, uint64_t gpu_ms);
// Put what was counted since the last time into the batch; rt_outbox_commit does so itself.
void rt_outbox_flush_usage(struct rt_outbox *outbox);

// The count and RFC 6962 root over this lab's own result leaves in log order; committed ones.
enum rt_status rt_outbox_results(struct rt_outbox *outbox, const struct rt_digest *campaign,
                                 uint64_t *ret_count, struct rt_digest *ret_root) RT_WARN_UNUSED;

// Write every receipt of a campaign to folder (made 0700): <index>.tlog-proof and, beside it,
// <index>.leaf, the very leaf it proves; visit is told of each (SHA-256 of the leaf's bytes).
typedef void rt_outbox_exported_fn(void *ctx, uint64_t index, enum rt_statement_kind kind,
                                   int64_t received_ms, const struct rt_digest *leaf);
enum rt_status rt_outbox_export(struct rt_outbox *outbox, const struct rt_digest *campaign,
                                const char *folder, rt_outbox_exported_fn *visit, void *ctx,
                                struct rt_error *err) RT_WARN_UNUSED;

#endif
