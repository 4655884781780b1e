// SPDX-License-Identifier: Apache-2.0
// A witness: cosigns a log's checkpoints (C2SP tlog-cosignature, cosignature/v1) only if they
// continue what it cosigned before. Comparing and remembering is one step under a lock, and what is
// remembered is on disk before a cosignature leaves. One key a witness. Any number of processes may
// share its folder.
#ifndef RT_AUDITOR_WITNESS_H
#define RT_AUDITOR_WITNESS_H

#include "auditor/follow.h"

struct rt_witness {
    const char *folder;
    int lock;
    struct rt_secret_key *key;
    struct rt_vkey own;
};

// Open FOLDER/witness.key and witness.vkey; make them (0600, no passphrase: a witness runs
// unattended) when they are not there and name is given. RT_NOT_FOUND without either. Release it in
// any case.
enum rt_status rt_witness_open(struct rt_witness *witness, const char *folder, const char *name,
                               struct rt_error *err) RT_WARN_UNUSED;
void rt_witness_release(struct rt_witness *witness);

// Judge a checkpoint note of this log against the highest one remembered, with tiles from get (of
// the log that serves note), remember it and append it to out with the log's signatures and our
// cosignature at time_s. RT_CHECK_FAILED for a rollback or a fork: nothing is signed or remembered,
// the evidence is in FOLDER/evidence/ and its path in ret_evidence (capacity bytes). Blocks until
// other processes at this folder are done.
enum rt_status rt_witness_cosign(struct rt_witness *witness, const struct rt_vkey *log,
                                 struct rt_bytes note, rt_tile_get_fn *get, void *ctx,
                                 const char *from, uint64_t time_s,
                                 enum rt_follow_verdict *ret_verdict, struct rt_buf *out,
                                 char *ret_evidence, size_t capacity,
                                 struct rt_error *err) RT_WARN_UNUSED;
// Where the highest checkpoint of that log is remembered, with our cosignature.
void rt_witness_memory(const struct rt_witness *witness, const char *origin, char *ret_path,
                       size_t capacity);

#endif
