// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "common/base/failpoint.h"
#include "common/base/time.h"
#include "coordinator/store/internal.h"
#include "proto/campaign.h"
#include "proto/statement.h"
#include "proto/trial.h"

#define FULL_BYTES ((uint64_t)1 << 20) // with less than this a disk is full

// ---- transactions

enum rt_status rt_store_begin(struct rt_store *store, struct rt_error *err)
{
    RT_ASSERT(!store->txn);
    if (store->read_only)
        return rt_error_set(err, RT_NOT_PERMITTED, "store: opened for reading");
    int rc = mdb_txn_begin(store->env, NULL, 0, &store->txn);
    if (rc != MDB_SUCCESS) {
        store->txn = NULL;
        return store_error(err, rc, "beginning a batch");
    }
    store->poison = RT_OK;
    store->view = (struct rt_view){.store = store, .txn = store->txn, .batch = true};
    return RT_OK;
}

static void roll_back(struct rt_store *store)
{
    store->txn = NULL;
    store->tree = store->committed_tree;
    store->received_ms = store->committed_received_ms;
    rt_tree_root(&store->tree, &store->root);
    store_cache_drop(store);
}

void rt_store_abort(struct rt_store *store)
{
    if (!store->txn)
        return;
    mdb_txn_abort(store->txn);
    roll_back(store);
}

// LMDB calls a write that a full disk cut short EIO; what is left on the disk tells the two apart.
static int told_apart(const struct rt_store *store, int rc)
{
    const char *path = NULL;
    struct statvfs info;
    if (rc != EIO || mdb_env_get_path(store->env, &path) || statvfs(path, &info))
        return rc;
    return (uint64_t)info.f_bavail * info.f_frsize < FULL_BYTES ? ENOSPC : rc;
}

enum rt_status rt_store_commit(struct rt_store *store, struct rt_error *err)
{
    RT_ASSERT(store->txn);
    enum rt_status status = store->poison;
    if (status != RT_OK)
        rt_error_set(err, status, "store: the batch had failed: %s", rt_status_text(status));
    if (status == RT_OK)
        status = store_cache_flush(store, err);
    if (status == RT_OK)
        status = store_head_put(store, err);
    if (status == RT_OK) {
        status = rt_failpoint(RT_FAILPOINT_COORDINATOR_COMMIT);
        if (status != RT_OK)
            rt_error_set(err, status, "store: commit: %s", rt_status_text(status));
    }
    if (status != RT_OK) {
        rt_store_abort(store);
        return status;
    }
    int rc = mdb_txn_commit(store->txn);
    if (rc != MDB_SUCCESS) {
        rc = told_apart(store, rc);
        roll_back(store);
        return store_error(err, rc, "commit");
    }
    store->txn = NULL;
    store->committed_tree = store->tree;
    store->committed_received_ms = store->received_ms;
    store_cache_trim(store);
    return RT_OK;
}

enum rt_status store_read_txn(struct rt_store *store, MDB_txn **ret_txn)
{
    int rc = MDB_SUCCESS;
    if (store->txn) {
        *ret_txn = store->txn;
        return RT_OK;
    }
    if (store->reader)
        rc = mdb_txn_renew(store->reader);
    else
        rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reader);
    *ret_txn = store->reader;
    return store_status(rc);
}

void store_read_done(struct rt_store *store)
{
    if (!store->txn)
        mdb_txn_reset(store->reader);
}

// ---- the log

static struct store_node *node_slot(struct rt_store *store, uint8_t level, uint64_t index)
{
    if (level >= NODE_CACHE_LEVELS)
        return NULL;
    return &store->nodes[(size_t)level * NODE_CACHE_EACH + index % NODE_CACHE_EACH];
}

static void remember_node(struct rt_store *store, uint8_t level, uint64_t index,
                          const struct rt_digest *hash)
{
    struct store_node *slot = node_slot(store, level, index);
    if (slot)
        *slot = (struct store_node){index + 1, *hash};
}

struct append_context {
    struct rt_store *store;
    struct rt_error *err;
};

// Level 0 stands with its leaf.
static enum rt_status write_node(void *ctx, uint8_t level, uint64_t index,
                                 const struct rt_digest *hash)
{
    struct append_context *context = ctx;
    remember_node(context->store, level, index, hash);
    if (level == 0)
        return RT_OK;
    struct row key = key_node(level, index);
    return store_put(context->store, TABLE_NODE, &key, rt_bytes(hash->bytes, RT_DIGEST_BYTES), 0,
                     context->err);
}

static enum rt_status put_leaf(struct rt_store *store, const struct rt_store_leaf *leaf,
                               int64_t received_ms, struct rt_digest *ret_hash,
                               struct rt_error *err)
{
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(received_ms, stamp);
    rt_buf_clear(&store->buffer);
    memset(ret_hash, 0, sizeof *ret_hash);
    rt_buf_add(&store->buffer, ret_hash->bytes, RT_DIGEST_BYTES);
    rt_buf_add_bytes(&store->buffer, leaf->statement);
    rt_buf_printf(&store->buffer, "received %s\n", stamp);
    enum rt_status status = rt_buf_ok(&store->buffer);
    if (status == RT_OK && store->buffer.size - RT_DIGEST_BYTES > RT_STATEMENT_MOST)
        status = RT_TOO_LARGE;
    if (status != RT_OK) {
        store->poison = status;
        return rt_error_set(err, status, "store: a leaf of %zu bytes", leaf->statement.size);
    }
    rt_leaf_hash(
        rt_bytes(store->buffer.data + RT_DIGEST_BYTES, store->buffer.size - RT_DIGEST_BYTES),
        ret_hash);
    memcpy(store->buffer.data, ret_hash->bytes, RT_DIGEST_BYTES);
    struct row key = key_u64(store->tree.size);
    return store_put(store, TABLE_LEAF, &key, rt_buf_bytes(&store->buffer), MDB_APPEND, err);
}

enum rt_status rt_store_append(struct rt_store *store, const struct rt_store_leaf *leaf,
                               int64_t now_ms, uint64_t *ret_index, int64_t *ret_received_ms,
                               struct rt_error *err)
{
    struct row key = {.size = 0}, value = key_u64(store->tree.size);
    row_bytes(&key, leaf->digest.bytes, RT_DIGEST_BYTES);
    enum rt_status status = store_put(store, TABLE_STATEMENT, &key,
                                      rt_bytes(value.bytes, value.size), MDB_NOOVERWRITE, err);
    if (status != RT_OK)
        return status;
    uint64_t index = store->tree.size;
    int64_t received_ms = rt_store_now(store, now_ms);
    struct rt_digest hash;
    status = put_leaf(store, leaf, received_ms, &hash, err);
    struct append_context context = {store, err};
    if (status == RT_OK)
        status = rt_tree_append(&store->tree, &hash, write_node, &context);
    if (status == RT_OK && leaf->is_result) {
        struct store_lab *lab;
        status = store_cache_lab(store, leaf->campaign, leaf->lab, true, &lab);
        if (status == RT_OK) {
            status = rt_tree_append(&lab->results, &hash, NULL, NULL);
            lab->dirty = true;
        }
    }
    if (status != RT_OK) {
        store->poison = status;
        return status;
    }
    store->received_ms = received_ms;
    if (ret_index)
        *ret_index = index;
    if (ret_received_ms)
        *ret_received_ms = received_ms;
    return RT_OK;
}

// ---- objects and the shell's values

enum rt_status rt_store_put_object(struct rt_store *store, const struct rt_digest *digest,
                                   struct rt_bytes object, struct rt_error *err)
{
    struct row key = {.size = 0};
    row_bytes(&key, digest->bytes, RT_DIGEST_BYTES);
    enum rt_status status = store_put(store, TABLE_OBJECT, &key, object, MDB_NOOVERWRITE, err);
    return status == RT_EXISTS ? RT_OK : status;
}

enum rt_status rt_store_put_unit(struct rt_store *store, const struct rt_digest *digest,
                                 struct rt_bytes statement, struct rt_bytes object,
                                 struct rt_error *err)
{
    struct row key = {.size = 0};
    uint8_t size[4];
    row_bytes(&key, digest->bytes, RT_DIGEST_BYTES);
    rt_put_u32be(size, (uint32_t)statement.size);
    rt_buf_clear(&store->buffer);
    rt_buf_add(&store->buffer, size, sizeof size);
    rt_buf_add_bytes(&store->buffer, statement);
    rt_buf_add_bytes(&store->buffer, object);
    enum rt_status status = rt_buf_ok(&store->buffer);
    if (status != RT_OK)
        return rt_error_set(err, status, "store: a unit");
    status = store_put(store, TABLE_UNIT, &key, rt_buf_bytes(&store->buffer), MDB_NOOVERWRITE, err);
    return status == RT_EXISTS ? RT_OK : status;
}

enum rt_status rt_store_put_meta(struct rt_store *store, const char *name, struct rt_bytes value,
                                 struct rt_error *err)
{
    char key_text[72];
    if (strlen(name) > 64 || value.size > 65536)
        return rt_error_set(err, RT_TOO_LARGE, "store: value '%.64s'", name);
    // The shell's names have a prefix of their own, so they never meet the store's.
    snprintf(key_text, sizeof key_text, "shell.%s", name);
    struct row key = store_name(key_text);
    return store_put(store, TABLE_META, &key, value, 0, err);
}

enum rt_status rt_store_put_checkpoint(struct rt_store *store, struct rt_bytes note,
                                       struct rt_error *err)
{
    struct row key = store_name("checkpoint");
    return store_put(store, TABLE_META, &key, note, 0, err);
}

// ---- what the writing thread asks

int64_t rt_store_now(const struct rt_store *store, int64_t wall_ms)
{
    return rt_statement_received(store->received_ms, wall_ms);
}

void rt_store_head(const struct rt_store *store, struct rt_store_head *ret_head)
{
    ret_head->size = store->tree.size;
    ret_head->received_ms = store->received_ms;
    rt_tree_root(&store->tree, &ret_head->root);
}

static enum rt_status read_cached_node(void *ctx, uint8_t level, uint64_t index,
                                       struct rt_digest *ret_hash)
{
    struct rt_view *view = ctx;
    const struct store_node *slot = node_slot(view->store, level, index);
    if (slot && slot->index_plus_one == index + 1) {
        *ret_hash = slot->hash;
        return RT_OK;
    }
    enum rt_status status = rt_view_node(view, level, index, ret_hash);
    if (status == RT_OK)
        remember_node(view->store, level, index, ret_hash);
    return status;
}

enum rt_status rt_store_prove(struct rt_store *store, uint64_t index, struct rt_proof *ret_proof)
{
    struct rt_view view = {.store = store};
    enum rt_status status = store_read_txn(store, &view.txn);
    if (status != RT_OK)
        return status;
    status = rt_tree_inclusion(index, store->tree.size, read_cached_node, &view, ret_proof);
    store_read_done(store);
    return status;
}

enum rt_status rt_store_lab_results(struct rt_store *store, uint32_t campaign, uint32_t index,
                                    uint64_t *ret_results, struct rt_digest *ret_root)
{
    struct store_lab *lab;
    enum rt_status status = store_cache_lab(store, campaign, index, false, &lab);
    if (status != RT_OK)
        return status;
    *ret_results = lab->results.size;
    rt_tree_root(&lab->results, ret_root);
    return RT_OK;
}

static int by_index(const void *a, const void *b)
{
    const struct rt_core_lab_row *x = a, *y = b;
    return x->accept_index < y->accept_index ? -1 : x->accept_index > y->accept_index;
}

// The accept leaves of a campaign in log order, those of labs that left again included.
static enum rt_status accepts(struct rt_store *store, uint32_t campaign,
                              struct rt_core_lab_row *rows, size_t *ret_count)
{
    static const struct rt_digest none;
    size_t count = 0;
    for (uint32_t l = 0; l < RT_LABS_MOST; l++) {
        struct store_lab *lab;
        enum rt_status status = store_cache_lab(store, campaign, l, false, &lab);
        if (status == RT_NOT_FOUND)
            break;
        if (status != RT_OK)
            return status;
        if (!rt_digest_equal(&lab->row.accept, &none))
            rows[count++] = lab->row;
    }
    qsort(rows, count, sizeof *rows, by_index);
    *ret_count = count;
    return RT_OK;
}

enum rt_status rt_store_draw(struct rt_store *store, uint32_t campaign, struct rt_digest *ret_draw)
{
    struct rt_core_lab_row rows[RT_LABS_MOST];
    struct rt_digest leaves[RT_LABS_MOST], campaign_leaf;
    struct rt_core_campaign_row row = {0};
    struct rt_view view = {.store = store};
    struct row key = key_u32(campaign);
    struct rt_bytes value;
    size_t count = 0;
    enum rt_status status = accepts(store, campaign, rows, &count);
    if (status == RT_OK)
        status = store_read_txn(store, &view.txn);
    if (status != RT_OK)
        return status;
    status = store_get(store, view.txn, TABLE_CAMPAIGN, &key, &value);
    struct scan scan = scan_of(value);
    if (status == RT_OK && !scan_campaign(&scan, &row))
        status = RT_CORRUPT;
    if (status == RT_OK)
        status = rt_view_node(&view, 0, row.leaf_index, &campaign_leaf);
    for (size_t i = 0; i < count && status == RT_OK; i++)
        status = rt_view_node(&view, 0, rows[i].accept_index, &leaves[i]);
    store_read_done(store);
    if (status == RT_OK)
        rt_trial_draw(&campaign_leaf, leaves, count, ret_draw);
    return status;
}
