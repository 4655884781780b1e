// SPDX-License-Identifier: Apache-2.0
// Following one log over time: the newest checkpoint against the highest one remembered. A log may
// only grow; a smaller one is a rollback, and one that does not contain what was there is a fork.
// Both are written down so that others can check them. Decides; remembers nothing itself. One
// thread.
#ifndef RT_AUDITOR_FOLLOW_H
#define RT_AUDITOR_FOLLOW_H

#include "common/base/error.h"
#include "common/tlog/checkpoint.h"
#include "common/tlog/tile.h"

#define RT_FOLLOW_NOTE_MOST 65536

//  X(NAME, word, what it means)
#define RT_FOLLOW_TABLE(X)                                                                         \
    X(FIRST, "first", "nothing was remembered")                                                    \
    X(SAME, "same", "the log is as it was")                                                        \
    X(GROWN, "grown", "the log contains what was there before")                                    \
    X(ROLLED_BACK, "rollback", "the log shows less than it has shown before")                      \
    X(FORKED, "fork", "the log has signed two histories that exclude one another")
enum rt_follow_verdict {
#define X(NAME, word, says) RT_FOLLOW_##NAME,
    RT_FOLLOW_TABLE(X)
#undef X
};
const char *rt_follow_word(enum rt_follow_verdict verdict);

// One checkpoint as it was signed.
struct rt_seen {
    struct rt_buf note;
    struct rt_checkpoint checkpoint;
};
void rt_seen_init(struct rt_seen *seen);
void rt_seen_release(struct rt_seen *seen);
// Take over note's bytes if the log signed them: what rt_checkpoint_open says.
enum rt_status rt_seen_take(struct rt_seen *seen, struct rt_bytes note,
                            const struct rt_vkey *log) RT_WARN_UNUSED;

// What is found between an earlier and a later look, and the proof of a fork: the larger tree has
// another root at the smaller size, and the RFC 6962 consistency proof shows that it has.
struct rt_follow {
    enum rt_follow_verdict verdict;
    const struct rt_seen *smaller, *larger;
    bool has_root;
    struct rt_digest root; // at the smaller size, in the larger tree
    struct rt_proof proof; // from there to the larger checkpoint
};

// old NULL: none was remembered. get reads tiles of the larger of the two logs; they are believed
// only as far as they hash to its root. RT_OK with a verdict; RT_BAD_PROOF when the tiles are not
// those of the checkpoint, or what get said.
enum rt_status rt_follow_judge(const struct rt_seen *old, const struct rt_seen *now,
                               rt_tile_get_fn *get, void *ctx,
                               struct rt_follow *ret_follow) RT_WARN_UNUSED;

// The text of the evidence for a rollback or a fork: both notes to the byte, and the proof.
void rt_follow_evidence(const struct rt_follow *follow, const char *from, struct rt_buf *out);
// Write it as FOLDER/VERDICT-ORIGINHASH-SIZE-SIZE-ROOT.txt (made if need be; never overwritten:
// the same evidence has the same name). ret_path may be NULL.
enum rt_status rt_follow_keep(const struct rt_follow *follow, const char *from, const char *folder,
                              char *ret_path, size_t capacity,
                              struct rt_error *err) RT_WARN_UNUSED;

#endif
