// SPDX-License-Identifier: Apache-2.0
// The worker's durable tables: one LMDB environment and the vault beside it. Writes gather in a
// batch in memory and become true together at rt_ledger_commit; a commit that fails for want of
// space keeps the batch, so that nothing is lost and it can be tried again. Every value carries a
// checksum (LMDB has none). Knows nothing of what the tables mean (outbox.h does). Never grows its
// map at run time. One writing process and thread; other processes may read.
#ifndef RT_WORKER_LEDGER_H
#define RT_WORKER_LEDGER_H

#include "common/base/error.h"
#include "worker/vault.h"

//  X(NAME, LMDB's name): what keys and values are is said in outbox_rows.h
#define RT_TABLE_LIST(X)                                                                           \
    X(META, "meta")                                                                                \
    X(OBJECT, "object")                                                                            \
    X(CAMPAIGN, "campaign")                                                                        \
    X(UNIT, "unit")                                                                                \
    X(TRIAL, "trial")                                                                              \
    X(FINAL, "final")                                                                              \
    X(SAME, "same")                                                                                \
    X(OUT, "out")                                                                                  \
    X(RECEIPT, "receipt")                                                                          \
    X(LEAF, "leaf")                                                                                \
    X(PLACE, "place")

enum rt_table {
#define X(name, word) RT_TABLE_##name,
    RT_TABLE_LIST(X)
#undef X
        RT_TABLE_COUNT
};

#define RT_LEDGER_KEY_MOST   128
#define RT_LEDGER_BATCH_MOST ((size_t)512 << 20) // bytes a batch may hold

struct rt_ledger;

// state is the worker's state folder: outbox.mdb and vault/ are inside. RT_POLICY with the remedy
// on a network file system, RT_NOT_FOUND for a read_only ledger that does not exist.
enum rt_status rt_ledger_open(const char *state, bool read_only, struct rt_ledger **ret_ledger,
                              struct rt_error *err) RT_WARN_UNUSED;
void rt_ledger_close(struct rt_ledger *ledger); // drops the batch; takes NULL

// Append the value to out; sees the batch. RT_NOT_FOUND, RT_CORRUPT (checksum), RT_IO.
enum rt_status rt_ledger_get(struct rt_ledger *ledger, enum rt_table table, struct rt_bytes key,
                             struct rt_buf *out) RT_WARN_UNUSED;
bool rt_ledger_has(struct rt_ledger *ledger, enum rt_table table, struct rt_bytes key);

// Into the batch; bytes are copied. Failures (memory) stick and come out of the commit.
void rt_ledger_put(struct rt_ledger *ledger, enum rt_table table, struct rt_bytes key,
                   struct rt_bytes value);
void rt_ledger_del(struct rt_ledger *ledger, enum rt_table table, struct rt_bytes key);
// A vault object (`salt ‖ plaintext`), compressed now and written at the commit, together with its
// place; ret_digest is its name.
void rt_ledger_put_object(struct rt_ledger *ledger, struct rt_bytes object,
                          struct rt_digest *ret_digest);
// Operations waiting.
size_t rt_ledger_pending(const struct rt_ledger *ledger);

// Make the batch true: vault first, synced, then one LMDB transaction. RT_OK with an empty batch.
// RT_NO_SPACE and RT_IO keep the batch; nothing of it is true then.
enum rt_status rt_ledger_commit(struct rt_ledger *ledger, struct rt_error *err) RT_WARN_UNUSED;

// Committed entries whose key starts with prefix, in key order; a visitor's other status than RT_OK
// ends the visit and is returned. Views live for the call. The visitor must not commit.
typedef enum rt_status rt_ledger_visit_fn(void *ctx, struct rt_bytes key, struct rt_bytes value);
enum rt_status rt_ledger_each(struct rt_ledger *ledger, enum rt_table table,
                              struct rt_bytes prefix, rt_ledger_visit_fn *visit,
                              void *ctx) RT_WARN_UNUSED;

// The vault object of a digest, by its committed place.
enum rt_status rt_ledger_object(struct rt_ledger *ledger, const struct rt_digest *digest,
                                struct rt_buf *out, struct rt_error *err) RT_WARN_UNUSED;

// The vault itself, for its packs and its key; borrowed.
struct rt_vault *rt_ledger_vault(struct rt_ledger *ledger);
// A committed place, or RT_NOT_FOUND.
enum rt_status rt_ledger_place(struct rt_ledger *ledger, const struct rt_digest *digest,
                               struct rt_vault_place *ret_place) RT_WARN_UNUSED;
// Read a value of RT_TABLE_PLACE; RT_CORRUPT.
enum rt_status rt_ledger_read_place(struct rt_bytes value,
                                    struct rt_vault_place *ret_place) RT_WARN_UNUSED;

// Take the state folder for this process (flock on STATE/lock); RT_BUSY says who holds it. The
// returned descriptor holds the lock until it is closed.
enum rt_status rt_state_lock(const char *state, int *ret_fd, struct rt_error *err) RT_WARN_UNUSED;

#endif
