// SPDX-License-Identifier: Apache-2.0
#include "worker/outbox.h"

#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/tlog/tree.h"
#include "proto/schema_define.h"

// usage.c
enum rt_status rt_outbox_load_usage(struct rt_outbox *outbox) RT_WARN_UNUSED;

#define VALUE_MOST ((size_t)64 << 20)

const char *const rt_stage_words[RT_STAGE_COUNT + 1] = {
#define X(name, word) word,
    RT_STAGE_TABLE(X)
#undef X
        NULL,
};
const char *const rt_decision_words[4] = {"none", "accept", "decline", NULL};

RT_RECORD_DEFINE(rt_row_campaign, "campaign", 1, RT_ROW_CAMPAIGN_FIELDS, NULL, NULL,
                 "A campaign as this lab sees it.")
RT_RECORD_DEFINE(rt_row_unit, "unit", 1, RT_ROW_UNIT_FIELDS, NULL, NULL, "A unit in hand.")
RT_RECORD_DEFINE(rt_row_trial, "trial", 1, RT_ROW_TRIAL_FIELDS, NULL, NULL, "A finished trial.")
RT_RECORD_DEFINE(rt_row_out, "out", 1, RT_ROW_OUT_FIELDS, NULL, NULL,
                 "A signed statement without a receipt.")
RT_RECORD_DEFINE(rt_row_receipt, "receipt", 1, RT_ROW_RECEIPT_FIELDS, NULL, NULL,
                 "A statement in the log, with the proof.")
RT_RECORD_DEFINE(rt_row_usage, "usage", 1, RT_ROW_USAGE_FIELDS, NULL, NULL,
                 "What policy counts.")

// ---- keys

struct rt_key rt_key_of(const struct rt_digest *digest)
{
    struct rt_key key = {.size = RT_DIGEST_BYTES};
    memcpy(key.bytes, digest->bytes, RT_DIGEST_BYTES);
    return key;
}

struct rt_key rt_key_of_number(const struct rt_digest *digest, uint64_t number)
{
    struct rt_key key = rt_key_of(digest);
    rt_put_u64be(key.bytes + key.size, number);
    key.size += 8;
    return key;
}

struct rt_key rt_key_of_output(const struct rt_digest *campaign, uint64_t cell,
                               const struct rt_digest *output)
{
    struct rt_key key = rt_key_of_number(campaign, cell);
    memcpy(key.bytes + key.size, output->bytes, RT_DIGEST_BYTES);
    key.size += RT_DIGEST_BYTES;
    return key;
}

// ---- rows

void rt_outbox_put(struct rt_outbox *outbox, enum rt_table table, struct rt_key key,
                   const struct rt_schema *schema, const void *row)
{
    struct rt_buf value;
    rt_buf_init(&value, VALUE_MOST);
    enum rt_status status = rt_schema_encode(schema, row, VALUE_MOST, &value, NULL);
    RT_ASSERT(status == RT_OK || status == RT_NO_MEMORY);
    rt_ledger_put(outbox->ledger, table, rt_key_bytes(&key), rt_buf_bytes(&value));
    rt_buf_release(&value);
}

enum rt_status rt_outbox_read(const struct rt_schema *schema, struct rt_bytes value,
                              struct rt_arena *arena, void *ret_row)
{
    enum rt_status status = rt_schema_decode(schema, value, arena, ret_row, NULL);
    return status && status != RT_NO_MEMORY ? RT_CORRUPT : status;
}

static enum rt_status get_value(struct rt_outbox *outbox, enum rt_table table, struct rt_key key,
                                struct rt_arena *arena, struct rt_bytes *ret_value)
{
    struct rt_buf value;
    rt_buf_init(&value, VALUE_MOST);
    enum rt_status status = rt_ledger_get(outbox->ledger, table, rt_key_bytes(&key), &value);
    if (!status) {
        *ret_value = rt_arena_bytes(arena, rt_buf_bytes(&value));
        status = value.size && !ret_value->data ? RT_NO_MEMORY : RT_OK;
    }
    rt_buf_release(&value);
    return status;
}

enum rt_status rt_outbox_get(struct rt_outbox *outbox, enum rt_table table, struct rt_key key,
                             const struct rt_schema *schema, struct rt_arena *arena,
                             void *ret_row)
{
    struct rt_bytes value = {NULL, 0};
    enum rt_status status = get_value(outbox, table, key, arena, &value);
    return status ? status : rt_outbox_read(schema, value, arena, ret_row);
}

void rt_outbox_del(struct rt_outbox *outbox, enum rt_table table, struct rt_key key)
{
    rt_ledger_del(outbox->ledger, table, rt_key_bytes(&key));
}

void rt_outbox_put_object(struct rt_outbox *outbox, const struct rt_digest *digest,
                          struct rt_bytes object)
{
    rt_ledger_put(outbox->ledger, RT_TABLE_OBJECT, rt_bytes(digest, RT_DIGEST_BYTES), object);
}

enum rt_status rt_outbox_object(struct rt_outbox *outbox, const struct rt_digest *digest,
                                struct rt_arena *arena, struct rt_bytes *ret_object)
{
    struct rt_digest found;
    enum rt_status status =
        get_value(outbox, RT_TABLE_OBJECT, rt_key_of(digest), arena, ret_object);
    if (status)
        return status;
    rt_sha256(*ret_object, &found);
    return rt_digest_equal(&found, digest) ? RT_OK : RT_CORRUPT;
}

void rt_outbox_put_meta(struct rt_outbox *outbox, const char *name, struct rt_bytes value)
{
    rt_ledger_put(outbox->ledger, RT_TABLE_META, rt_bytes_str(name), value);
}

enum rt_status rt_outbox_meta(struct rt_outbox *outbox, const char *name, struct rt_buf *out)
{
    return rt_ledger_get(outbox->ledger, RT_TABLE_META, rt_bytes_str(name), out);
}

// ---- opening

static enum rt_status load_instance(struct rt_outbox *outbox, bool read_only)
{
    struct rt_buf value;
    rt_buf_init(&value, 64);
    enum rt_status status = rt_outbox_meta(outbox, "instance", &value);
    if (!status && value.size != sizeof outbox->instance)
        status = RT_CORRUPT;
    if (!status)
        memcpy(outbox->instance.bytes, value.data, value.size);
    rt_buf_release(&value);
    if (status != RT_NOT_FOUND)
        return status;
    if (!read_only) {
        randombytes_buf(outbox->instance.bytes, sizeof outbox->instance.bytes);
        rt_outbox_put_meta(outbox, "instance",
                           rt_bytes(outbox->instance.bytes, sizeof outbox->instance.bytes));
    }
    return RT_OK;
}

enum rt_status rt_outbox_open(const char *state, bool read_only, struct rt_outbox **ret_outbox,
                              struct rt_error *err)
{
    struct rt_outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    enum rt_status status = rt_ledger_open(state, read_only, &outbox->ledger, err);
    if (!status) {
        status = load_instance(outbox, read_only);
        if (!status)
            status = rt_outbox_load_usage(outbox);
        if (status)
            rt_error_set(err, status, "%s: %s", state, rt_status_text(status));
    }
    if (!status && !read_only)
        status = rt_outbox_commit(outbox, err);
    if (status) {
        rt_outbox_free(outbox);
        return status;
    }
    *ret_outbox = outbox;
    return RT_OK;
}

void rt_outbox_free(struct rt_outbox *outbox)
{
    if (!outbox)
        return;
    rt_ledger_close(outbox->ledger);
    free(outbox->shares);
    free(outbox);
}

enum rt_status rt_outbox_commit(struct rt_outbox *outbox, struct rt_error *err)
{
    rt_outbox_flush_usage(outbox);
    return rt_ledger_commit(outbox->ledger, err);
}

// ---- own results

static enum rt_status add_leaf(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct rt_digest hash;
    (void)key;
    if (value.size != sizeof hash.bytes)
        return RT_CORRUPT;
    memcpy(hash.bytes, value.data, sizeof hash.bytes);
    return rt_tree_append(ctx, &hash, NULL, NULL);
}

enum rt_status rt_outbox_results(struct rt_outbox *outbox, const struct rt_digest *campaign,
                                 uint64_t *ret_count, struct rt_digest *ret_root)
{
    struct rt_tree tree;
    rt_tree_init(&tree);
    enum rt_status status =
        rt_ledger_each(outbox->ledger, RT_TABLE_LEAF, rt_bytes(campaign->bytes, RT_DIGEST_BYTES),
                       add_leaf, &tree);
    if (status)
        return status;
    *ret_count = tree.size;
    rt_tree_root(&tree, ret_root);
    return RT_OK;
}

// ---- receipts as files

struct export {
    const char *folder;
    rt_outbox_exported_fn *visit;
    void *ctx;
    struct rt_error *err;
};

static enum rt_status write_file(const struct export *export, uint64_t index, const char *ending,
                                 struct rt_bytes bytes)
{
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "%" PRIu64 "%s", index, ending);
    if (rt_path_join(path, sizeof path, export->folder, name))
        return rt_error_set(export->err, RT_TOO_LARGE, "%s: path too long", export->folder);
    return rt_file_write(path, bytes, 0600, export->err);
}

static enum rt_status export_receipt(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    static struct rt_statement statement; // 8 KB, one thread
    struct export *export = ctx;
    struct rt_row_receipt row;
    struct rt_arena arena;
    struct rt_buf leaf;
    (void)key;
    rt_arena_init(&arena, VALUE_MOST);
    rt_buf_init(&leaf, RT_STATEMENT_MOST);
    enum rt_status status = rt_outbox_read(rt_row_receipt_schema(), value, &arena, &row);
    if (!status)
        status = rt_statement_parse(row.statement, &statement, NULL);
    if (!status)
        status = rt_statement_leaf(&statement, row.received_ms, &leaf);
    if (status)
        rt_error_set(export->err, status, "a stored receipt: %s", rt_status_text(status));
    if (!status)
        status = write_file(export, row.index, ".tlog-proof", row.proof);
    if (!status)
        status = write_file(export, row.index, ".leaf", rt_buf_bytes(&leaf));
    struct rt_digest digest;
    rt_sha256(rt_buf_bytes(&leaf), &digest);
    if (!status)
        export->visit(export->ctx, row.index, (enum rt_statement_kind)row.kind, row.received_ms,
                      &digest);
    rt_buf_release(&leaf);
    rt_arena_release(&arena);
    return status;
}

enum rt_status rt_outbox_export(struct rt_outbox *outbox, const struct rt_digest *campaign,
                                const char *folder, rt_outbox_exported_fn *visit, void *ctx,
                                struct rt_error *err)
{
    struct export export = {folder, visit, ctx, err};
    enum rt_status status = rt_file_mkdir(folder, 0700, err);
    if (!status)
        status = rt_ledger_each(outbox->ledger, RT_TABLE_RECEIPT,
                                rt_bytes(campaign->bytes, RT_DIGEST_BYTES), export_receipt,
                                &export);
    return status;
}
