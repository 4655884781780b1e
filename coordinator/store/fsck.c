// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/fsck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/store/fsck_internal.h"

#define PROGRESS_EACH 4096

void fsck_say(struct fsck_state *state, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    state->report.findings++;
    if (state->options->finding)
        state->options->finding(state->options->ctx, text);
}

// ---- the tree

static enum rt_status check_node(void *ctx, uint8_t level, uint64_t index,
                                 const struct rt_digest *hash)
{
    struct fsck_state *state = ctx;
    struct rt_digest stored;
    state->report.nodes += level > 0;
    enum rt_status status = rt_view_node(state->view, level, index, &stored);
    if (status == RT_NOT_FOUND)
        fsck_say(state, "node %u/%" PRIu64 ": missing", level, index);
    else if (status == RT_CORRUPT || (status == RT_OK && !rt_digest_equal(hash, &stored)))
        fsck_say(state, "node %u/%" PRIu64 ": is not the hash of what is below it", level, index);
    else if (status != RT_OK)
        return status;
    return RT_OK;
}

static void check_statement(struct fsck_state *state, uint64_t index,
                            const struct rt_statement *statement)
{
    struct rt_digest digest;
    uint64_t found;
    rt_statement_digest(statement, &digest);
    enum rt_status status = rt_view_statement(state->view, &digest, &found);
    if (status != RT_OK)
        fsck_say(state, "leaf %" PRIu64 ": its statement is not in the index: %s", index,
                 rt_status_text(status));
    else if (found != index)
        fsck_say(state, "leaf %" PRIu64 ": the index of statements says leaf %" PRIu64, index,
                 found);
    if (state->options->verify) {
        status = state->options->verify(state->options->ctx, index, statement);
        if (status != RT_OK)
            fsck_say(state, "leaf %" PRIu64 ": signature: %s", index, rt_status_text(status));
    }
}

static enum rt_status check_leaf(struct fsck_state *state, struct rt_tree *tree, uint64_t index,
                                 int64_t *received_ms)
{
    static _Thread_local struct rt_statement statement;
    struct rt_digest hash;
    size_t line = 0;
    rt_buf_clear(&state->leaf);
    enum rt_status status = rt_view_leaf(state->view, index, &state->leaf);
    if (status == RT_NOT_FOUND || status == RT_CORRUPT) {
        fsck_say(state, "leaf %" PRIu64 ": missing or cut", index);
        return RT_CORRUPT; // nothing after it can be placed
    }
    if (status != RT_OK)
        return status;
    rt_leaf_hash(rt_buf_bytes(&state->leaf), &hash);
    status = rt_tree_append(tree, &hash, check_node, state);
    if (status != RT_OK)
        return status;
    status = rt_statement_parse_leaf(rt_buf_bytes(&state->leaf), *received_ms, &statement, &line);
    if (status != RT_OK) {
        fsck_say(state, "leaf %" PRIu64 ", line %zu: %s", index, line, rt_status_text(status));
        return RT_OK;
    }
    *received_ms = statement.received_ms;
    check_statement(state, index, &statement);
    return fsck_replay(state, index, &statement, &hash);
}

static uint64_t entries(struct fsck_state *state, enum store_table table)
{
    MDB_stat stat = {0};
    return mdb_stat(state->view->txn, state->store->tables[table], &stat) == MDB_SUCCESS
               ? stat.ms_entries
               : UINT64_MAX;
}

static enum rt_status check_log(struct fsck_state *state)
{
    struct rt_store_head head;
    struct rt_tree tree;
    struct rt_digest root;
    int64_t received_ms = 0;
    rt_view_head(state->view, &head);
    rt_tree_init(&tree);
    for (uint64_t i = 0; i < head.size; i++) {
        if (state->options->progress && i % PROGRESS_EACH == 0)
            state->options->progress(state->options->ctx, i, head.size);
        enum rt_status status = check_leaf(state, &tree, i, &received_ms);
        if (status != RT_OK)
            return status;
        state->report.leaves++;
    }
    rt_tree_root(&tree, &root);
    if (!rt_digest_equal(&root, &head.root))
        fsck_say(state, "head: its root is not the root over the %" PRIu64 " leaves", head.size);
    if (head.size && received_ms != head.received_ms)
        fsck_say(state, "head: its time is not the last leaf's");
    if (entries(state, TABLE_LEAF) != head.size)
        fsck_say(state, "head: %" PRIu64 " leaves are stored, %" PRIu64 " are in the log",
                 entries(state, TABLE_LEAF), head.size);
    if (entries(state, TABLE_STATEMENT) != head.size)
        fsck_say(state, "index of statements: %" PRIu64 " entries for %" PRIu64 " leaves",
                 entries(state, TABLE_STATEMENT), head.size);
    if (entries(state, TABLE_NODE) != state->report.nodes)
        fsck_say(state, "tree: %" PRIu64 " nodes are stored, %" PRIu64 " belong to the log",
                 entries(state, TABLE_NODE), state->report.nodes);
    return RT_OK;
}

// ---- objects

static void check_unit(struct fsck_state *state, const char *name,
                       const struct rt_store_object *object)
{
    static _Thread_local struct rt_statement statement;
    enum rt_status status = rt_statement_parse(object->statement, &statement, NULL);
    if (status != RT_OK || statement.kind != RT_STATEMENT_UNIT) {
        fsck_say(state, "unit %s: its statement does not parse", name);
        return;
    }
    if (!rt_digest_equal(&statement.unit, &object->digest))
        fsck_say(state, "unit %s: its statement names another unit", name);
    if (state->options->verify) {
        status = state->options->verify(state->options->ctx, UINT64_MAX, &statement);
        if (status != RT_OK)
            fsck_say(state, "unit %s: signature: %s", name, rt_status_text(status));
    }
}

static enum rt_status check_object(void *ctx, const struct rt_store_object *object)
{
    struct fsck_state *state = ctx;
    struct rt_digest digest;
    char name[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&object->digest, name);
    rt_sha256(object->bytes, &digest);
    state->report.objects++;
    if (!rt_digest_equal(&digest, &object->digest))
        fsck_say(state, "object %s: its bytes have another digest", name);
    if (object->statement.size)
        check_unit(state, name, object);
    return RT_OK;
}

// ---- all

static enum rt_status check_all(struct fsck_state *state)
{
    enum rt_status status = check_log(state);
    if (status == RT_OK)
        status = rt_view_objects(state->view, check_object, state);
    if (status == RT_CORRUPT)
        fsck_say(state, "objects: a row is damaged");
    if (status == RT_OK)
        status = fsck_compare(state);
    if (state->no_memory)
        return RT_NO_MEMORY;
    return status == RT_OK && state->report.findings ? RT_CORRUPT : status;
}

enum rt_status rt_store_fsck(struct rt_store *store, const struct rt_fsck *fsck,
                             struct rt_fsck_report *ret_report, struct rt_error *err)
{
    struct fsck_state *state = calloc(1, sizeof *state);
    if (!state)
        return rt_error_set(err, RT_NO_MEMORY, "fsck: out of memory");
    state->store = store;
    state->options = fsck;
    rt_arena_init(&state->arena, (size_t)16 << 20);
    rt_buf_init(&state->leaf, 1 << 17);
    rt_buf_init(&state->unit, 1 << 20);
    rt_buf_init(&state->result, 1 << 20);
    enum rt_status status = rt_view_begin(store, &state->view, err);
    if (status == RT_OK) {
        status = check_all(state);
        rt_view_end(state->view);
        *ret_report = state->report;
        if (status == RT_CORRUPT)
            rt_error_set(err, status, "fsck: %" PRIu64 " things are wrong", state->report.findings);
        else if (status != RT_OK)
            rt_error_set(err, status, "fsck: %s", rt_status_text(status));
    }
    fsck_release(state);
    free(state);
    return status;
}
