// SPDX-License-Identifier: Apache-2.0
// Checkpoints of C2SP tlog-checkpoint: origin, size and root as a signed note. Ours have no
// extension lines; others' are read and flagged. Does no I/O. Pure; any thread.
#ifndef RT_TLOG_CHECKPOINT_H
#define RT_TLOG_CHECKPOINT_H

#include "common/crypto/note.h"
#include "common/tlog/tree.h"

struct rt_checkpoint {
    char origin[RT_NOTE_NAME_BYTES];
    uint64_t size; // at most RT_TREE_SIZE_MOST
    struct rt_digest root;
    bool extended; // read with extension lines; never written
};

// A checkpoint's note, at most, with one signature.
#define RT_CHECKPOINT_BYTES 512

// Append the three lines. origin must be a valid note name (RT_MALFORMED).
enum rt_status rt_checkpoint_format(const struct rt_checkpoint *checkpoint,
                                    struct rt_buf *out) RT_WARN_UNUSED;
// The text of a note. Size 0 must come with the empty root.
enum rt_status rt_checkpoint_parse(struct rt_bytes text,
                                   struct rt_checkpoint *ret_checkpoint) RT_WARN_UNUSED;
// Append the whole note, signed under the origin as name (type 0x01).
enum rt_status rt_checkpoint_sign(const struct rt_checkpoint *checkpoint,
                                  const struct rt_secret_key *key,
                                  struct rt_buf *out) RT_WARN_UNUSED;
// Parse a whole note, require the log's signature and the log's name as origin. Cosignatures are
// not looked at (policy.h does that). RT_UNKNOWN_KEY when the log did not sign, RT_CONFLICT when
// the origin is another.
enum rt_status rt_checkpoint_open(struct rt_bytes note, const struct rt_vkey *log,
                                  struct rt_checkpoint *ret_checkpoint) RT_WARN_UNUSED;

#endif
