// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/store/internal.h"

enum rt_status rt_view_begin(struct rt_store *store, struct rt_view **ret_view,
                             struct rt_error *err)
{
    struct rt_view *view = calloc(1, sizeof *view);
    if (!view)
        return rt_error_set(err, RT_NO_MEMORY, "store: a view");
    view->store = store;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &view->txn);
    if (rc != MDB_SUCCESS) {
        free(view);
        return store_error(err, rc, "beginning to read");
    }
    enum rt_status status = store_head_get(store, view->txn, &view->head, err);
    if (status != RT_OK) {
        rt_view_end(view);
        return status;
    }
    *ret_view = view;
    return RT_OK;
}

void rt_view_end(struct rt_view *view)
{
    if (!view)
        return;
    RT_ASSERT(!view->batch);
    mdb_txn_abort(view->txn);
    free(view);
}

struct rt_view *rt_store_batch_view(struct rt_store *store)
{
    RT_ASSERT(store->txn);
    return &store->view;
}

void rt_view_head(const struct rt_view *view, struct rt_store_head *ret_head)
{
    if (view->batch)
        rt_store_head(view->store, ret_head);
    else
        *ret_head = view->head;
}

// ---- single values

static enum rt_status append(struct rt_view *view, enum store_table table, const struct row *key,
                             size_t skip, struct rt_buf *out)
{
    struct rt_bytes value;
    enum rt_status status = store_get(view->store, view->txn, table, key, &value);
    if (status != RT_OK)
        return status;
    if (value.size < skip)
        return RT_CORRUPT;
    rt_buf_add(out, value.data + skip, value.size - skip);
    return rt_buf_ok(out);
}

static struct row key_digest(const struct rt_digest *digest)
{
    struct row key = {.size = 0};
    row_bytes(&key, digest->bytes, RT_DIGEST_BYTES);
    return key;
}

enum rt_status rt_view_checkpoint(struct rt_view *view, struct rt_buf *out)
{
    struct row key = store_name("checkpoint");
    enum rt_status status = append(view, TABLE_META, &key, 0, out);
    return status == RT_NOT_FOUND ? RT_OK : status;
}

enum rt_status rt_view_meta(struct rt_view *view, const char *name, struct rt_buf *out)
{
    char text[72];
    if (strlen(name) > 64)
        return RT_NOT_FOUND;
    snprintf(text, sizeof text, "shell.%s", name);
    struct row key = store_name(text);
    return append(view, TABLE_META, &key, 0, out);
}

enum rt_status rt_view_roster(struct rt_view *view, uint64_t *ret_version,
                              struct rt_digest *ret_digest)
{
    struct rt_buf value;
    rt_buf_init(&value, 64);
    struct row key = store_name("roster");
    enum rt_status status = append(view, TABLE_META, &key, 0, &value);
    if (!status) {
        struct scan scan = scan_of(rt_buf_bytes(&value));
        *ret_version = scan_u64(&scan);
        scan_bytes(&scan, ret_digest->bytes, RT_DIGEST_BYTES);
        status = scan_done(&scan) ? RT_OK : RT_CORRUPT;
    }
    rt_buf_release(&value);
    return status;
}

enum rt_status rt_view_origin(struct rt_view *view, struct rt_buf *out)
{
    struct row key = store_name("origin");
    return append(view, TABLE_META, &key, 0, out);
}

enum rt_status rt_view_leaf(void *view, uint64_t index, struct rt_buf *out)
{
    struct row key = key_u64(index);
    return append(view, TABLE_LEAF, &key, RT_DIGEST_BYTES, out);
}

// A unit's row is the size of its statement, the statement and the object.
static enum rt_status split_unit(struct rt_bytes value, struct rt_bytes *ret_statement,
                                 struct rt_bytes *ret_object)
{
    if (value.size < 4 || rt_get_u32be(value.data) > value.size - 4)
        return RT_CORRUPT;
    size_t size = rt_get_u32be(value.data);
    *ret_statement = rt_bytes(value.data + 4, size);
    *ret_object = rt_bytes(value.data + 4 + size, value.size - 4 - size);
    return RT_OK;
}

static enum rt_status get_unit(struct rt_view *view, const struct rt_digest *digest,
                               struct rt_bytes *ret_statement, struct rt_bytes *ret_object)
{
    struct row key = key_digest(digest);
    struct rt_bytes value;
    enum rt_status status = store_get(view->store, view->txn, TABLE_UNIT, &key, &value);
    return status == RT_OK ? split_unit(value, ret_statement, ret_object) : status;
}

enum rt_status rt_view_object(struct rt_view *view, const struct rt_digest *digest,
                              struct rt_buf *out)
{
    struct row key = key_digest(digest);
    struct rt_bytes statement, object;
    enum rt_status status = append(view, TABLE_OBJECT, &key, 0, out);
    if (status != RT_NOT_FOUND)
        return status;
    status = get_unit(view, digest, &statement, &object);
    if (status != RT_OK)
        return status;
    rt_buf_add_bytes(out, object);
    return rt_buf_ok(out);
}

enum rt_status rt_view_unit_statement(struct rt_view *view, const struct rt_digest *unit_digest,
                                      struct rt_buf *out)
{
    struct rt_bytes statement, object;
    enum rt_status status = get_unit(view, unit_digest, &statement, &object);
    if (status != RT_OK)
        return status;
    rt_buf_add_bytes(out, statement);
    return rt_buf_ok(out);
}

bool rt_view_has_object(struct rt_view *view, const struct rt_digest *digest)
{
    struct row key = key_digest(digest);
    struct rt_bytes value;
    return store_get(view->store, view->txn, TABLE_OBJECT, &key, &value) == RT_OK ||
           store_get(view->store, view->txn, TABLE_UNIT, &key, &value) == RT_OK;
}

enum rt_status rt_view_statement(struct rt_view *view, const struct rt_digest *digest,
                                 uint64_t *ret_index)
{
    struct row key = key_digest(digest);
    struct rt_bytes value;
    enum rt_status status = store_get(view->store, view->txn, TABLE_STATEMENT, &key, &value);
    if (status != RT_OK)
        return status;
    if (value.size != 8)
        return RT_CORRUPT;
    *ret_index = rt_get_u64be(value.data);
    return RT_OK;
}

enum rt_status rt_view_node(void *ctx, uint8_t level, uint64_t index, struct rt_digest *ret_hash)
{
    struct rt_view *view = ctx;
    struct row key = level ? key_node(level, index) : key_u64(index);
    struct rt_bytes value;
    enum rt_status status =
        store_get(view->store, view->txn, level ? TABLE_NODE : TABLE_LEAF, &key, &value);
    if (status != RT_OK)
        return status;
    if (value.size < RT_DIGEST_BYTES || (level && value.size != RT_DIGEST_BYTES))
        return RT_CORRUPT;
    memcpy(ret_hash->bytes, value.data, RT_DIGEST_BYTES);
    return RT_OK;
}

enum rt_status rt_view_root_at(struct rt_view *view, uint64_t size, struct rt_digest *ret_root)
{
    struct rt_store_head head;
    struct rt_tree tree;
    rt_view_head(view, &head);
    if (size > head.size)
        return RT_OUT_OF_RANGE;
    enum rt_status status = rt_tree_load(&tree, size, rt_view_node, view);
    if (status == RT_OK)
        rt_tree_root(&tree, ret_root);
    return status;
}

// ---- visitors

enum rt_status store_each(struct rt_view *view, enum store_table table, const struct row *prefix,
                          store_row_fn *told, void *ctx)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(view->txn, view->store->tables[table], &cursor);
    if (rc != MDB_SUCCESS)
        return store_status(rc);
    enum rt_status status = RT_OK;
    MDB_val k = {prefix->size, (void *)(uintptr_t)prefix->bytes}, v;
    rc = mdb_cursor_get(cursor, &k, &v, prefix->size ? MDB_SET_RANGE : MDB_FIRST);
    while (rc == MDB_SUCCESS && status == RT_OK) {
        if (k.mv_size < prefix->size || memcmp(k.mv_data, prefix->bytes, prefix->size))
            break;
        struct rt_bytes key = rt_bytes(k.mv_data, k.mv_size),
                        value = rt_bytes(v.mv_data, v.mv_size);
        struct scan scan = scan_of(key);
        status = store_unseal(table, key, &value);
        if (status == RT_OK)
            status = told(ctx, &scan, value);
        rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (status == RT_OK && rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
        status = store_status(rc);
    return status;
}

// What a visitor is called with, whichever it is.
struct visit {
    void *ctx;
    union {
        enum rt_status (*campaign)(void *, const struct rt_core_campaign_row *);
        enum rt_status (*lab)(void *, const struct rt_store_lab *);
        enum rt_status (*cell)(void *, const struct rt_cell_key *, const struct rt_cell_sum *);
        enum rt_status (*chunk)(void *, const struct rt_store_chunk *);
        enum rt_status (*tentative)(void *, const struct rt_store_tentative *);
        enum rt_status (*fingerprint)(void *, const struct rt_store_fingerprint *);
        enum rt_status (*object)(void *, const struct rt_store_object *);
    };
};

static enum rt_status tell_campaign(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct visit *visit = ctx;
    struct rt_core_campaign_row row = {.index = scan_u32(key)};
    struct scan scan = scan_of(value);
    if (!scan_done(key) || !scan_campaign(&scan, &row))
        return RT_CORRUPT;
    return visit->campaign(visit->ctx, &row);
}

enum rt_status rt_view_campaigns(struct rt_view *view,
                                 enum rt_status (*visit)(void *ctx,
                                                         const struct rt_core_campaign_row *row),
                                 void *ctx)
{
    struct visit told = {.ctx = ctx, .campaign = visit};
    struct row all = {.size = 0};
    return store_each(view, TABLE_CAMPAIGN, &all, tell_campaign, &told);
}

struct find {
    const struct rt_digest *digest;
    struct rt_core_campaign_row *ret_row;
    bool found;
};

static enum rt_status match_campaign(void *ctx, const struct rt_core_campaign_row *row)
{
    struct find *find = ctx;
    if (rt_digest_equal(&row->digest, find->digest)) {
        *find->ret_row = *row;
        find->found = true;
    }
    return RT_OK;
}

enum rt_status rt_view_find_campaign(struct rt_view *view, const struct rt_digest *digest,
                                     struct rt_core_campaign_row *ret_row)
{
    struct find find = {digest, ret_row, false};
    enum rt_status status = rt_view_campaigns(view, match_campaign, &find);
    return status == RT_OK && !find.found ? RT_NOT_FOUND : status;
}

static enum rt_status tell_lab(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct visit *visit = ctx;
    uint32_t campaign = scan_u32(key), index = scan_u32(key);
    struct store_lab lab;
    struct rt_store_lab out;
    if (!scan_done(key) || !store_lab_decode(value, campaign, index, &lab))
        return RT_CORRUPT;
    out.row = lab.row;
    out.counters = lab.counters;
    out.results = lab.results.size;
    rt_tree_root(&lab.results, &out.results_root);
    return visit->lab(visit->ctx, &out);
}

enum rt_status rt_view_labs(struct rt_view *view, uint32_t campaign,
                            enum rt_status (*visit)(void *ctx, const struct rt_store_lab *lab),
                            void *ctx)
{
    struct visit told = {.ctx = ctx, .lab = visit};
    struct row prefix = key_u32(campaign);
    return store_each(view, TABLE_LAB, &prefix, tell_lab, &told);
}

static enum rt_status tell_cells(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct visit *visit = ctx;
    uint32_t campaign = scan_u32(key), lab = scan_u32(key), prompt = scan_u32(key);
    struct scan scan = scan_of(value);
    (void)scan_u32(key);
    enum rt_status status = scan_done(key) ? RT_OK : RT_CORRUPT;
    while (status == RT_OK && scan.left) {
        struct store_cell cell;
        if (!scan_cell(&scan, campaign, lab, prompt, &cell))
            return RT_CORRUPT;
        status = visit->cell(visit->ctx, &cell.key, &cell.sum);
    }
    return status;
}

enum rt_status rt_view_cells(struct rt_view *view, uint32_t campaign,
                             enum rt_status (*visit)(void *ctx, const struct rt_cell_key *key,
                                                     const struct rt_cell_sum *sum),
                             void *ctx)
{
    struct visit told = {.ctx = ctx, .cell = visit};
    struct row prefix = key_u32(campaign);
    return store_each(view, TABLE_CELL, &prefix, tell_cells, &told);
}

static enum rt_status tell_chunk(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct visit *visit = ctx;
    struct rt_store_chunk chunk = {.campaign = scan_u32(key), .lab = 0};
    chunk.lab = scan_u32(key);
    chunk.chunk = scan_u64(key);
    if (!scan_done(key) || value.size != RT_CORE_CHUNK_BYTES)
        return RT_CORRUPT;
    memcpy(chunk.bitmap, value.data, RT_CORE_CHUNK_BYTES);
    return visit->chunk(visit->ctx, &chunk);
}

enum rt_status
rt_view_chunks(struct rt_view *view, uint32_t campaign,
               enum rt_status (*visit)(void *ctx, const struct rt_store_chunk *chunk), void *ctx)
{
    struct visit told = {.ctx = ctx, .chunk = visit};
    struct row prefix = key_u32(campaign);
    return store_each(view, TABLE_CHUNK, &prefix, tell_chunk, &told);
}

static enum rt_status tell_tentative(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct visit *visit = ctx;
    struct rt_store_tentative tentative;
    struct scan scan = scan_of(value);
    tentative.campaign = scan_u32(key);
    tentative.lab = scan_u32(key);
    tentative.position = scan_u64(key);
    if (!scan_done(key) ||
        !scan_tentative(&scan, tentative.campaign, tentative.lab, &tentative.value))
        return RT_CORRUPT;
    return visit->tentative(visit->ctx, &tentative);
}

enum rt_status rt_view_tentatives(struct rt_view *view, uint32_t campaign,
                                  enum rt_status (*visit)(void *ctx,
                                                          const struct rt_store_tentative *value),
                                  void *ctx)
{
    struct visit told = {.ctx = ctx, .tentative = visit};
    struct row prefix = key_u32(campaign);
    return store_each(view, TABLE_TENTATIVE, &prefix, tell_tentative, &told);
}

static enum rt_status tell_fingerprint(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct visit *visit = ctx;
    struct rt_store_fingerprint fingerprint = {.index = scan_u32(key)};
    if (!scan_done(key) || value.size != RT_DIGEST_BYTES)
        return RT_CORRUPT;
    memcpy(fingerprint.digest.bytes, value.data, RT_DIGEST_BYTES);
    return visit->fingerprint(visit->ctx, &fingerprint);
}

enum rt_status rt_view_fingerprints(
    struct rt_view *view,
    enum rt_status (*visit)(void *ctx, const struct rt_store_fingerprint *fingerprint), void *ctx)
{
    struct visit told = {.ctx = ctx, .fingerprint = visit};
    struct row all = {.size = 0};
    return store_each(view, TABLE_FINGERPRINT, &all, tell_fingerprint, &told);
}

static enum rt_status tell_object(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct visit *visit = ctx;
    struct rt_store_object object = {.bytes = value};
    scan_bytes(key, object.digest.bytes, RT_DIGEST_BYTES);
    return scan_done(key) ? visit->object(visit->ctx, &object) : RT_CORRUPT;
}

static enum rt_status tell_unit(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct visit *visit = ctx;
    struct rt_store_object object;
    scan_bytes(key, object.digest.bytes, RT_DIGEST_BYTES);
    enum rt_status status = split_unit(value, &object.statement, &object.bytes);
    if (status != RT_OK || !scan_done(key))
        return RT_CORRUPT;
    return visit->object(visit->ctx, &object);
}

enum rt_status
rt_view_objects(struct rt_view *view,
                enum rt_status (*visit)(void *ctx, const struct rt_store_object *object), void *ctx)
{
    struct visit told = {.ctx = ctx, .object = visit};
    struct row all = {.size = 0};
    enum rt_status status = store_each(view, TABLE_OBJECT, &all, tell_object, &told);
    return status == RT_OK ? store_each(view, TABLE_UNIT, &all, tell_unit, &told) : status;
}

// ---- for the start

static enum rt_status tell_instance(void *ctx, struct scan *key, struct rt_bytes value)
{
    struct rt_core *core = ctx;
    struct rt_instance instance;
    scan_bytes(key, instance.bytes, sizeof instance.bytes);
    if (key->bad || value.size != 8)
        return RT_CORRUPT;
    return rt_core_load_instance(core, rt_bytes(key->at, key->left), &instance,
                                 (int64_t)rt_get_u64be(value.data));
}

enum rt_status store_load_instances(struct rt_view *view, struct rt_core *core)
{
    struct row all = {.size = 0};
    return store_each(view, TABLE_INSTANCE, &all, tell_instance, core);
}
