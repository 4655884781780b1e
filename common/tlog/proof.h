// SPDX-License-Identifier: Apache-2.0
// Receipts: C2SP tlog-proof files, which hold a leaf's index, its inclusion proof and the
// checkpoint it leads to. A receipt needs nothing else to be checked but the leaf and the reader's
// own policy. Does no I/O. Pure; any thread.
#ifndef RT_TLOG_PROOF_H
#define RT_TLOG_PROOF_H

#include "common/tlog/policy.h"

#define RT_TLOG_PROOF_MOST (64 << 10) // bytes of a proof file

// A parsed proof; the views point into the bytes it was parsed from.
struct rt_tlog_proof {
    uint64_t index;
    bool has_extra;
    struct rt_bytes extra_base64; // unauthenticated, as written
    struct rt_proof proof;
    struct rt_bytes checkpoint; // the signed note
};

// Append the file. note is a signed checkpoint as rt_checkpoint_sign writes it.
void rt_tlog_proof_format(uint64_t index, const struct rt_proof *proof, struct rt_bytes note,
                          struct rt_buf *out);
// Form alone: RT_MALFORMED or RT_TOO_LARGE.
enum rt_status rt_tlog_proof_parse(struct rt_bytes text,
                                   struct rt_tlog_proof *ret_proof) RT_WARN_UNUSED;
// That leaf_hash is at the proof's index in a log the policy believes. RT_BAD_PROOF, or what
// rt_policy_check says. ret_checkpoint may be NULL.
enum rt_status rt_tlog_proof_verify(const struct rt_tlog_proof *proof,
                                    const struct rt_digest *leaf_hash,
                                    const struct rt_policy *policy,
                                    struct rt_checkpoint *ret_checkpoint) RT_WARN_UNUSED;
// The same against one log's key alone, without a policy's 60 KB: what a worker does with the
// receipt of its own coordinator.
enum rt_status rt_tlog_proof_verify_log(const struct rt_tlog_proof *proof,
                                        const struct rt_digest *leaf_hash,
                                        const struct rt_vkey *log,
                                        struct rt_checkpoint *ret_checkpoint) RT_WARN_UNUSED;

#endif
