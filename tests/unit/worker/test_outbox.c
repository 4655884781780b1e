// SPDX-License-Identifier: Apache-2.0
// The outbox's own rules: one instance for ever, keys in number order, the root over own results,
// receipts as files, and requests left in the inbox.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/base/file.h"
#include "common/crypto/key.h"
#include "common/tlog/tree.h"
#include "worker/inbox.h"
#include "worker/outbox.h"

static char folder[64];

static int fresh_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rt-outbox-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int no_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct rt_outbox *opened(void)
{
    struct rt_outbox *outbox = NULL;
    struct rt_error err;
    if (rt_outbox_open(folder, false, &outbox, &err))
        fail_msg("%s", err.text);
    return outbox;
}

static void commit_ok(struct rt_outbox *outbox)
{
    struct rt_error err;
    if (rt_outbox_commit(outbox, &err))
        fail_msg("%s", err.text);
}

static void test_an_instance_stays(void **state)
{
    (void)state;
    struct rt_outbox *outbox = opened();
    struct rt_instance first = outbox->instance;
    rt_outbox_use(outbox, 20000, 3, 500, 7);
    commit_ok(outbox);
    rt_outbox_free(outbox);
    outbox = opened();
    assert_memory_equal(first.bytes, outbox->instance.bytes, sizeof first.bytes);
    assert_int_equal(outbox->usage.trials_total, 3);
    assert_int_equal(outbox->usage.tokens_today, 500);
    rt_outbox_free(outbox);
}

static void count_one(void *ctx, uint64_t index, enum rt_statement_kind kind, int64_t received_ms,
                      const struct rt_digest *leaf)
{
    (void)kind;
    (void)received_ms;
    (void)leaf;
    assert_int_equal(index, 42);
    ++*(size_t *)ctx;
}

// Receipts arrive in any order; the root is over the leaves in the log's.
static void test_own_results_in_log_order(void **state)
{
    (void)state;
    static const uint64_t order[] = {70000, 3, 512, 255, 256};
    static const uint64_t sorted[] = {3, 255, 256, 512, 70000};
    struct rt_outbox *outbox = opened();
    struct rt_digest campaign = {{9}}, other = {{10}}, root, expected, hashes[5];
    uint64_t count = 0;
    for (size_t i = 0; i < 5; i++) {
        struct rt_digest hash = {{(uint8_t)order[i], (uint8_t)(order[i] >> 8), 7}};
        struct rt_key key = rt_key_of_number(&campaign, order[i]);
        rt_ledger_put(outbox->ledger, RT_TABLE_LEAF, rt_key_bytes(&key), rt_bytes(hash.bytes, 32));
        key = rt_key_of_number(&other, order[i]);
        rt_ledger_put(outbox->ledger, RT_TABLE_LEAF, rt_key_bytes(&key), rt_bytes(hash.bytes, 32));
        hashes[i] = (struct rt_digest){{(uint8_t)sorted[i], (uint8_t)(sorted[i] >> 8), 7}};
    }
    commit_ok(outbox);
    assert_int_equal(rt_outbox_results(outbox, &campaign, &count, &root), RT_OK);
    rt_tree_root_of(hashes, 5, &expected);
    assert_int_equal(count, 5);
    assert_true(rt_digest_equal(&root, &expected));
    struct rt_digest nobody = {{11}};
    assert_int_equal(rt_outbox_results(outbox, &nobody, &count, &root), RT_OK);
    rt_sha256(rt_bytes(NULL, 0), &expected);
    assert_int_equal(count, 0);
    assert_true(rt_digest_equal(&root, &expected));
    rt_outbox_free(outbox);
}

static void test_rows_come_back_and_receipts_become_files(void **state)
{
    (void)state;
    struct rt_outbox *outbox = opened();
    struct rt_secret_key *key;
    struct rt_digest campaign = {{9}};
    struct rt_statement statement = {.kind = RT_STATEMENT_CLOSE,
                                     .campaign = campaign,
                                     .lab = rt_bytes_str("uni-a")};
    struct rt_buf text;
    rt_buf_init(&text, 1 << 16);
    assert_int_equal(rt_secret_key_generate(&key), RT_OK);
    assert_int_equal(rt_statement_make(&statement, key, &text), RT_OK);
    struct rt_row_receipt row = {.kind = RT_STATEMENT_CLOSE,
                                 .index = 42,
                                 .received_ms = 1234567890123,
                                 .proof = rt_bytes_str("c2sp.org/tlog-proof@v1\n"),
                                 .statement = rt_buf_bytes(&text)};
    rt_outbox_put(outbox, RT_TABLE_RECEIPT, rt_key_of_number(&campaign, 42),
                  rt_row_receipt_schema(), &row);
    commit_ok(outbox);
    struct rt_arena arena;
    struct rt_row_receipt back;
    rt_arena_init(&arena, 1 << 20);
    assert_int_equal(rt_outbox_get(outbox, RT_TABLE_RECEIPT, rt_key_of_number(&campaign, 42),
                                   rt_row_receipt_schema(), &arena, &back), RT_OK);
    assert_int_equal(back.index, 42);
    assert_true(rt_bytes_equal(back.statement, row.statement));
    rt_arena_release(&arena);

    char path[128];
    size_t count = 0;
    struct rt_error err;
    struct rt_buf leaf;
    snprintf(path, sizeof path, "%s/receipts", folder);
    assert_int_equal(rt_outbox_export(outbox, &campaign, path, count_one, &count, &err), RT_OK);
    assert_int_equal(count, 1);
    rt_buf_init(&leaf, 1 << 16);
    snprintf(path, sizeof path, "%s/receipts/42.leaf", folder);
    assert_int_equal(rt_file_read(path, &leaf, &err), RT_OK);
    struct rt_statement parsed;
    assert_int_equal(rt_statement_parse_leaf(rt_buf_bytes(&leaf), 0, &parsed, NULL), RT_OK);
    assert_true(parsed.received_ms == 1234567890123);
    snprintf(path, sizeof path, "%s/receipts/42.tlog-proof", folder);
    assert_true(rt_file_exists(path));
    rt_buf_release(&leaf);
    rt_buf_release(&text);
    rt_secret_key_free(key);
    rt_outbox_free(outbox);
}

static enum rt_status take_accepts(void *ctx, const struct rt_inbox_request *request)
{
    (*(int *)ctx)++;
    assert_string_equal(request->reason, "because");
    return strcmp(request->action, "accept") ? RT_NOT_FOUND : RT_OK;
}

static void test_requests_wait_until_they_can_be_carried_out(void **state)
{
    (void)state;
    struct rt_error err;
    size_t carried = 0;
    int seen = 0;
    assert_int_equal(rt_inbox_each(folder, take_accepts, &seen, &carried, &err), RT_OK);
    assert_int_equal(seen, 0);
    assert_int_equal(
        rt_inbox_put(folder, &(struct rt_inbox_request){"demo", "accept", "because"}, &err),
        RT_OK);
    usleep(2000); // names are milliseconds
    assert_int_equal(
        rt_inbox_put(folder, &(struct rt_inbox_request){"demo", "leave", "because"}, &err), RT_OK);
    assert_int_equal(
        rt_inbox_put(folder, &(struct rt_inbox_request){"demo", "leave", "two\nlines"}, &err),
        RT_USAGE);
    assert_int_equal(rt_inbox_each(folder, take_accepts, &seen, &carried, &err), RT_OK);
    assert_int_equal(seen, 2);
    assert_int_equal(carried, 1);
    assert_int_equal(rt_inbox_each(folder, take_accepts, &seen, &carried, &err), RT_OK);
    assert_int_equal(seen, 3);
    assert_int_equal(carried, 0);
    // Rubbish is reported and removed.
    char path[128];
    snprintf(path, sizeof path, "%s/inbox/0000-1.json", folder);
    assert_int_equal(rt_file_write(path, rt_bytes_str("{\"action\": \"format c:\"}"), 0600, &err),
                     RT_OK);
    assert_int_equal(rt_inbox_each(folder, take_accepts, &seen, &carried, &err), RT_MALFORMED);
    assert_false(rt_file_exists(path));
}

int main(void)
{
    if (rt_crypto_init())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_instance_stays, fresh_folder, no_folder),
        cmocka_unit_test_setup_teardown(test_own_results_in_log_order, fresh_folder, no_folder),
        cmocka_unit_test_setup_teardown(test_rows_come_back_and_receipts_become_files,
                                        fresh_folder, no_folder),
        cmocka_unit_test_setup_teardown(test_requests_wait_until_they_can_be_carried_out,
                                        fresh_folder, no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
