// SPDX-License-Identifier: Apache-2.0
// What the store is made of; for its own files and nobody else. Caches belong to the writing thread
// and are dropped whenever a batch is, so that they never show what was not committed.
#ifndef RT_STORE_INTERNAL_H
#define RT_STORE_INTERNAL_H

#include <lmdb.h>

#include "coordinator/store/store.h"

// ---- tables. Integers in keys are big-endian, so that key order is numeric order. Every value of
// a table marked `sealed` ends in the first 8 bytes of SHA-256(table ‖ key ‖ value), because LMDB
// has no checksums; leaves, nodes and objects are checked by the hashes that name them.
//  X(NAME, name, key and value)
#define STORE_TABLES(X)                                                                            \
    X(META, "meta", "name -> value; sealed")                                                       \
    X(LEAF, "leaf", "u64 index -> leaf hash, leaf")                                                \
    X(NODE, "node", "u8 level from 1 on, u64 index -> hash")                                       \
    X(OBJECT, "object", "digest -> bytes")                                                         \
    X(UNIT, "unit", "digest of unit object -> u32 size of statement, statement, object")           \
    X(STATEMENT, "statement", "statement digest -> u64 leaf; sealed")                              \
    X(CAMPAIGN, "campaign", "u32 campaign -> row; sealed")                                         \
    X(LAB, "lab", "u32 campaign, u32 lab -> row, counters, compact range; sealed")                 \
    X(CHUNK, "chunk", "u32 campaign, u32 lab, u64 chunk -> bitmap, sealed")                        \
    X(TENTATIVE, "tentative", "u32 campaign, u32 lab, u64 position -> value; sealed")              \
    X(CELL, "cell", "u32 campaign, lab, prompt, group of configurations -> cells; sealed")         \
    X(FINGERPRINT, "fingerprint", "u32 index -> digest; sealed")                                   \
    X(RATER, "rater", "u32 campaign, u16 rater -> u8 kind, id; sealed")                            \
    X(RATED, "rated", "u32 campaign, u32 lab, u64 trial, u16 rater -> label; sealed")              \
    X(SPARE, "spare", "u32 campaign, u32 lab, u64 trial, u64 leaf -> u8 1; sealed")                \
    X(NOTED, "noted", "u32 campaign, u64 leaf -> u8 1; sealed")                                    \
    X(INSTANCE, "instance", "instance, lab name -> i64 seen; sealed")

enum store_table {
#define X(NAME, name, doc) TABLE_##NAME,
    STORE_TABLES(X)
#undef X
        TABLE_COUNT
};

#define SEAL_BYTES       8
#define CELL_GROUP       8 // configurations whose cells share a row
#define CHUNKS_KEPT_MOST 8192
#define GROUPS_KEPT_MOST 65536

// ---- rows as bytes (row.c)

struct row {
    uint8_t bytes[160];
    size_t size;
};
void row_u8(struct row *row, uint8_t value);
void row_u16(struct row *row, uint16_t value);
void row_u32(struct row *row, uint32_t value);
void row_u64(struct row *row, uint64_t value);
void row_bytes(struct row *row, const void *bytes, size_t size);

struct scan {
    const uint8_t *at;
    size_t left;
    bool bad; // ran past the end
};
uint8_t scan_u8(struct scan *scan);
uint16_t scan_u16(struct scan *scan);
uint32_t scan_u32(struct scan *scan);
uint64_t scan_u64(struct scan *scan);
void scan_bytes(struct scan *scan, void *ret_bytes, size_t size);
static inline struct scan scan_of(struct rt_bytes bytes)
{
    return (struct scan){bytes.data, bytes.size, false};
}
// All read and nothing left.
static inline bool scan_done(const struct scan *scan)
{
    return !scan->bad && scan->left == 0;
}

struct row key_u32(uint32_t a);
struct row key_u64(uint64_t a);
struct row key_lab(uint32_t campaign, uint32_t lab);
struct row key_place(uint32_t campaign, uint32_t lab, uint64_t place);
struct row key_rated(uint32_t campaign, uint32_t lab, uint64_t number, uint16_t rater);
struct row key_spare(uint32_t campaign, uint32_t lab, uint64_t number, uint64_t leaf);
struct row key_node(uint8_t level, uint64_t index);
struct row key_instance(struct rt_bytes lab, const struct rt_instance *instance);

void row_campaign(struct row *row, const struct rt_core_campaign_row *campaign);
bool scan_campaign(struct scan *scan, struct rt_core_campaign_row *ret_campaign);
void row_tentative(struct row *row, const struct rt_core_tentative *value);
bool scan_tentative(struct scan *scan, uint32_t campaign, uint32_t lab,
                    struct rt_core_tentative *ret_value);
void row_sum(struct row *row, const struct rt_cell_sum *sum);
void scan_sum(struct scan *scan, struct rt_cell_sum *ret_sum);

// ---- caches of the writing thread

// A lab's row, its counters and the compact range of its result leaves.
struct store_lab {
    struct rt_core_lab_row row;
    struct rt_core_counters counters;
    struct rt_tree results;
    bool dirty;
};
// The row of a lab; appends to out.
void store_lab_encode(const struct store_lab *lab, struct rt_buf *out);
bool store_lab_decode(struct rt_bytes value, uint32_t campaign, uint32_t lab,
                      struct store_lab *ret_lab);

struct store_chunk {
    uint32_t campaign, lab;
    uint64_t chunk;
    bool used, dirty;
    uint8_t bitmap[RT_CORE_CHUNK_BYTES];
};

struct store_cell {
    struct rt_cell_key key;
    struct rt_cell_sum sum;
};
struct store_group { // cells of one lab, prompt and CELL_GROUP configurations, sorted
    uint32_t campaign, lab, prompt, group;
    bool dirty;
    uint32_t count, room;
    struct store_cell *cells;
};
struct row key_group(uint32_t campaign, uint32_t lab, uint32_t prompt, uint32_t group);
void row_cell(struct row *row, const struct store_cell *cell);
bool scan_cell(struct scan *scan, uint32_t campaign, uint32_t lab, uint32_t prompt,
               struct store_cell *ret_cell);
// Key order of cells.
int store_cell_compare(const struct rt_cell_key *a, const struct rt_cell_key *b);

#define NODE_CACHE_LEVELS 32
#define NODE_CACHE_EACH   1024
struct store_node {
    uint64_t index_plus_one; // 0: empty
    struct rt_digest hash;
};

struct rt_view {
    struct rt_store *store;
    MDB_txn *txn;
    bool batch;
    struct rt_store_head head;
};

struct rt_store {
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    int lock_fd;
    bool read_only;
    uint64_t epoch;
    // What is committed, and the batch on top of it.
    struct rt_tree committed_tree;
    int64_t committed_received_ms;
    struct rt_tree tree;
    struct rt_digest root;
    int64_t received_ms;
    MDB_txn *txn;        // of the batch, or NULL
    MDB_txn *reader;     // of the writing thread, reset between uses
    struct rt_view view; // of the batch
    enum rt_status poison;
    struct store_lab **labs[RT_CORE_CAMPAIGNS_MOST]; // RT_LABS_MOST pointers each
    struct store_chunk **chunks;                     // open addressing
    uint32_t chunk_size, chunk_count;
    struct store_group **groups;
    uint32_t group_size, group_count;
    struct store_node *nodes; // [NODE_CACHE_LEVELS][NODE_CACHE_EACH]
    struct rt_buf buffer;
};

// ---- LMDB (open.c)

enum rt_status store_status(int rc);
enum rt_status store_error(struct rt_error *err, int rc, const char *what);

// Put and get with sealing where the table wants it. A value that is read lives until the
// transaction changes or ends.
enum rt_status store_put(struct rt_store *store, enum store_table table, const struct row *key,
                         struct rt_bytes value, unsigned flags,
                         struct rt_error *err) RT_WARN_UNUSED;
enum rt_status store_get(struct rt_store *store, MDB_txn *txn, enum store_table table,
                         const struct row *key, struct rt_bytes *ret_value) RT_WARN_UNUSED;
enum rt_status store_delete(struct rt_store *store, enum store_table table, const struct row *key,
                            struct rt_error *err) RT_WARN_UNUSED;
// Take the seal off a value read by a cursor; RT_CORRUPT when it is broken.
enum rt_status store_unseal(enum store_table table, struct rt_bytes key,
                            struct rt_bytes *value) RT_WARN_UNUSED;
bool store_sealed(enum store_table table);
struct row store_name(const char *name);

enum rt_status store_head_get(struct rt_store *store, MDB_txn *txn, struct rt_store_head *ret_head,
                              struct rt_error *err) RT_WARN_UNUSED;
// Record the tree as it stands in the batch.
enum rt_status store_head_put(struct rt_store *store, struct rt_error *err) RT_WARN_UNUSED;
// The writing thread's transaction to read from: the batch's, or a fresh snapshot.
enum rt_status store_read_txn(struct rt_store *store, MDB_txn **ret_txn) RT_WARN_UNUSED;
void store_read_done(struct rt_store *store);

// Told each row whose key begins with prefix, in key order; the seal is off (view.c).
typedef enum rt_status store_row_fn(void *ctx, struct scan *key, struct rt_bytes value);
enum rt_status store_each(struct rt_view *view, enum store_table table, const struct row *prefix,
                          store_row_fn *told, void *ctx) RT_WARN_UNUSED;
// Feed the instances to a new core (view.c).
enum rt_status store_load_instances(struct rt_view *view, struct rt_core *core) RT_WARN_UNUSED;

// ---- caches (cache.c)

void store_cache_drop(struct rt_store *store);
// Write what is dirty into the batch.
enum rt_status store_cache_flush(struct rt_store *store, struct rt_error *err) RT_WARN_UNUSED;
// Keep the caches within their bounds, after a commit.
void store_cache_trim(struct rt_store *store);
// RT_NOT_FOUND, RT_CORRUPT, RT_OUT_OF_RANGE. Owned by the cache.
enum rt_status store_cache_lab(struct rt_store *store, uint32_t campaign, uint32_t lab, bool make,
                               struct store_lab **ret_lab) RT_WARN_UNUSED;
enum rt_status store_cache_final(struct rt_store *store, uint32_t campaign, uint32_t lab,
                                 const struct rt_unit_run *run) RT_WARN_UNUSED;
enum rt_status store_cache_cell(struct rt_store *store, const struct rt_cell_key *key,
                                const struct rt_cell_sum *delta) RT_WARN_UNUSED;

#endif
