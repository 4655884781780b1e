// SPDX-License-Identifier: Apache-2.0
// What a worker checks before it believes its coordinator (EVIDENCE): that a campaign is in the
// log, that a receipt proves the very leaf that was sent, that the log only grows, that rosters
// follow one another and that the board signed. Does no I/O and keeps nothing but what it is given.
// Pure; any thread on distinct values.
#ifndef RT_WORKER_EVIDENCE_H
#define RT_WORKER_EVIDENCE_H

#include "common/tlog/checkpoint.h"
#include "common/tlog/proof.h"
#include "proto/roster.h"
#include "proto/statement.h"

// The newest checkpoint seen of one log: what must never be contradicted. size 0: none yet.
struct rt_seen {
    struct rt_checkpoint checkpoint;
};

// Take a checkpoint that is not newer than what was seen, or newer without a proof in hand: checks
// what can be checked (same size, same root; a larger one replaces nothing). RT_CONFLICT for
// another root at the same size: two histories, and both are signed.
enum rt_status rt_seen_check(const struct rt_seen *seen,
                             const struct rt_checkpoint *checkpoint) RT_WARN_UNUSED;
// Move on to a newer checkpoint by its consistency proof. RT_CONFLICT for a rollback (a smaller
// log) or another root, RT_BAD_PROOF.
enum rt_status rt_seen_advance(struct rt_seen *seen, const struct rt_checkpoint *checkpoint,
                               const struct rt_digest *proof, size_t proof_count) RT_WARN_UNUSED;

// The log a worker reads: its key, and the newest note that was verified with it, because all
// receipts of one commit carry the same note. Zero it and set key.
struct rt_log_reader {
    struct rt_vkey key;
    struct rt_checkpoint checkpoint; // of the note; size 0 before the first
    size_t note_size;
    uint8_t note[RT_CHECKPOINT_BYTES];
};

// That leaf stands in the log at index, by a .tlog-proof text. *ret_checkpoint is the proof's own.
enum rt_status rt_evidence_leaf(struct rt_bytes leaf, uint64_t index, struct rt_bytes proof,
                                struct rt_log_reader *log, struct rt_digest *ret_leaf_hash,
                                struct rt_checkpoint *ret_checkpoint) RT_WARN_UNUSED;

// The same for a statement that was sent: rebuilds the leaf with `received`.
enum rt_status rt_evidence_receipt(struct rt_bytes statement, int64_t received_ms, uint64_t index,
                                   struct rt_bytes proof, struct rt_log_reader *log,
                                   struct rt_digest *ret_leaf_hash,
                                   struct rt_checkpoint *ret_checkpoint) RT_WARN_UNUSED;

// A campaign's leaf under a roster: kind, digests, every signature valid when it was received, and
// the board's threshold. Fills *ret_statement (views into leaf).
enum rt_status rt_evidence_campaign(struct rt_bytes leaf, uint64_t index,
                                    const struct rt_digest *campaign,
                                    const struct rt_roster *roster,
                                    struct rt_statement *ret_statement) RT_WARN_UNUSED;
// May next follow current (NULL: the first)? Its leaf must be the statement about it, and be signed
// by the thresholds of both.
enum rt_status rt_evidence_roster(struct rt_bytes leaf, const struct rt_roster *current,
                                  const struct rt_roster *next) RT_WARN_UNUSED;
// The digest of the statement that puts a roster in force: made of the roster's own facts.
enum rt_status rt_evidence_roster_name(const struct rt_roster *roster,
                                       struct rt_digest *ret_statement) RT_WARN_UNUSED;

// A UNIT's statement: signed by the log key, about this unit, for this lab and campaign.
struct rt_evidence_unit {
    const struct rt_digest *campaign;
    const char *lab;
    const struct rt_digest *unit; // of the object that came with it
};
enum rt_status rt_evidence_unit(struct rt_bytes statement, const struct rt_evidence_unit *expected,
                                const struct rt_vkey *log) RT_WARN_UNUSED;

#endif
