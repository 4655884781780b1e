// SPDX-License-Identifier: Apache-2.0
// The store by itself: what a batch shows, what a commit keeps, what a broken file says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "common/base/file.h"
#include "coordinator/store/fsck.h"
#include "proto/statement.h"
#include "tests/unit/store/shelter.h"

#define NOW INT64_C(1789000000000)

static struct rt_error err;

static void ok(enum rt_status status)
{
    if (status != RT_OK)
        fprintf(stderr, "%s: %s\n", rt_status_text(status), err.text);
    assert_int_equal(status, RT_OK);
}

static uint64_t append(struct rt_store *store, const char *text, int64_t now)
{
    uint64_t index;
    struct rt_store_leaf leaf = {.statement = rt_bytes_str(text), .digest = shelter_digest(text)};
    ok(rt_store_append(store, &leaf, now, &index, NULL, &err));
    return index;
}

static void a_batch_is_all_or_nothing(void **state)
{
    (void)state;
    struct shelter shelter;
    struct rt_store_head head, after;
    struct rt_buf out;
    uint64_t index;
    rt_buf_init(&out, 4096);
    shelter_make(&shelter);
    ok(rt_store_begin(shelter.store, &err));
    assert_int_equal(append(shelter.store, "one\n", NOW), 0);
    // The batch shows itself; a view does not see it before the commit.
    struct rt_digest digest = shelter_digest("one\n");
    ok(rt_view_statement(rt_store_batch_view(shelter.store), &digest, &index));
    struct rt_view *view;
    ok(rt_view_begin(shelter.store, &view, &err));
    assert_int_equal(rt_view_statement(view, &digest, &index), RT_NOT_FOUND);
    rt_view_end(view);
    struct rt_store_leaf again = {.statement = rt_bytes_str("one\n"), .digest = digest};
    assert_int_equal(rt_store_append(shelter.store, &again, NOW, NULL, NULL, &err), RT_EXISTS);
    ok(rt_store_commit(shelter.store, &err));
    rt_store_head(shelter.store, &head);
    assert_int_equal(head.size, 1);
    // An aborted batch leaves no trace, in memory or on disk.
    ok(rt_store_begin(shelter.store, &err));
    append(shelter.store, "two\n", NOW + 5);
    rt_store_abort(shelter.store);
    rt_store_head(shelter.store, &after);
    assert_int_equal(after.size, 1);
    assert_true(rt_digest_equal(&head.root, &after.root));
    assert_int_equal(after.received_ms, NOW);
    shelter_reopen(&shelter);
    rt_store_head(shelter.store, &after);
    assert_true(after.size == 1 && rt_digest_equal(&head.root, &after.root));
    ok(rt_view_begin(shelter.store, &view, &err));
    ok(rt_view_leaf(view, 0, &out));
    assert_string_equal(rt_buf_str(&out), "one\nreceived 2026-09-10T00:26:40.000Z\n");
    assert_int_equal(rt_view_leaf(view, 1, &out), RT_NOT_FOUND);
    rt_view_end(view);
    rt_buf_release(&out);
    shelter_remove(&shelter);
}

static void received_never_runs_backwards(void **state)
{
    (void)state;
    struct shelter shelter;
    struct rt_store_head head;
    shelter_make(&shelter);
    ok(rt_store_begin(shelter.store, &err));
    append(shelter.store, "one\n", NOW);
    append(shelter.store, "two\n", NOW - 1000);
    rt_store_head(shelter.store, &head);
    assert_int_equal(head.received_ms, NOW);
    assert_int_equal(rt_store_now(shelter.store, NOW - 1000), NOW);
    assert_int_equal(rt_store_now(shelter.store, NOW + 1), NOW + 1);
    ok(rt_store_commit(shelter.store, &err));
    shelter_remove(&shelter);
}

// The tree agrees with the hashes computed all at once, and every proof verifies, at every size and
// after a restart that empties the cache of nodes.
static void proofs_hold(void **state)
{
    (void)state;
    struct shelter shelter;
    struct rt_digest hashes[300], root;
    struct rt_store_head head;
    struct rt_proof proof;
    char text[32];
    shelter_make(&shelter);
    for (size_t i = 0; i < 300; i++) {
        if (i % 7 == 0)
            ok(rt_store_begin(shelter.store, &err));
        snprintf(text, sizeof text, "leaf %zu\n", i);
        append(shelter.store, text, NOW);
        if (i % 7 == 6 || i == 299)
            ok(rt_store_commit(shelter.store, &err));
    }
    for (int round = 0; round < 2; round++) {
        struct rt_view *view;
        ok(rt_view_begin(shelter.store, &view, &err));
        for (uint64_t i = 0; i < 300; i++)
            ok(rt_view_node(view, 0, i, &hashes[i]));
        rt_store_head(shelter.store, &head);
        rt_tree_root_of(hashes, 300, &root);
        assert_true(rt_digest_equal(&root, &head.root));
        for (uint64_t size = 1; size <= 300; size += 37) {
            ok(rt_view_root_at(view, size, &root));
            struct rt_digest expected;
            rt_tree_root_of(hashes, size, &expected);
            assert_true(rt_digest_equal(&root, &expected));
        }
        assert_int_equal(rt_view_root_at(view, 301, &root), RT_OUT_OF_RANGE);
        rt_view_end(view);
        for (uint64_t i = 0; i < 300; i++) {
            ok(rt_store_prove(shelter.store, i, &proof));
            ok(rt_tree_verify_inclusion(&hashes[i], i, 300, proof.hashes, proof.count, &head.root));
        }
        assert_int_equal(rt_store_prove(shelter.store, 300, &proof), RT_OUT_OF_RANGE);
        shelter_reopen(&shelter);
    }
    shelter_remove(&shelter);
}

static void cells_add_up_and_vanish_at_zero(void **state)
{
    (void)state;
    struct shelter shelter;
    struct rt_core_effects effects;
    struct rt_core_effect list[3] = {
        {.kind = RT_DO_CELL}, {.kind = RT_DO_CELL}, {.kind = RT_DO_CELL}};
    struct shelter_cells cells = {0};
    shelter_make(&shelter);
    rt_core_effects_init(&effects);
    effects.list = list;
    effects.count = 3;
    list[0].cell.key = (struct rt_cell_key){.prompt = 9, .configuration = 30, .outcome = 2};
    list[0].cell.sum = (struct rt_cell_sum){1, 0, -500000, 10, 20, 30};
    list[1].cell.key = (struct rt_cell_key){.prompt = 9, .configuration = 30, .outcome = 1};
    list[1].cell.sum = (struct rt_cell_sum){1, 1, 7, 1, 1, 1};
    list[2] = list[0];
    for (int batch = 0; batch < 3; batch++) {
        ok(rt_store_begin(shelter.store, &err));
        ok(rt_store_apply(shelter.store, &effects, 0, &err));
        if (batch == 1)
            rt_store_abort(shelter.store); // added to nothing
        else
            ok(rt_store_commit(shelter.store, &err));
        if (batch == 0)
            shelter_reopen(&shelter);
    }
    shelter_read_cells(&shelter, 0, &cells);
    assert_int_equal(cells.count, 2);
    assert_int_equal(cells.keys[0].outcome, 1);
    assert_int_equal(cells.sums[0].count, 2);
    assert_int_equal(cells.sums[1].count, 4);
    assert_int_equal(cells.sums[1].score_micro, -2000000);
    assert_int_equal(cells.sums[1].latency_ms, 120);
    // What is taken back to the last trial leaves no row.
    list[0].cell.sum = (struct rt_cell_sum){-4, 0, 2000000, -40, -80, -120};
    list[1].cell.sum = (struct rt_cell_sum){-2, -2, -14, -2, -2, -2};
    effects.count = 2;
    ok(rt_store_begin(shelter.store, &err));
    ok(rt_store_apply(shelter.store, &effects, 0, &err));
    ok(rt_store_commit(shelter.store, &err));
    shelter_read_cells(&shelter, 0, &cells);
    assert_int_equal(cells.count, 0);
    shelter_remove(&shelter);
}

static void objects_units_and_values(void **state)
{
    (void)state;
    struct shelter shelter;
    struct rt_digest object = shelter_digest("object"), unit = shelter_digest("unit");
    struct rt_view *view;
    struct rt_buf out;
    rt_buf_init(&out, 4096);
    shelter_make(&shelter);
    ok(rt_store_begin(shelter.store, &err));
    ok(rt_store_put_object(shelter.store, &object, rt_bytes_str("object"), &err));
    ok(rt_store_put_object(shelter.store, &object, rt_bytes_str("object"), &err));
    ok(rt_store_put_unit(shelter.store, &unit, rt_bytes_str("statement"), rt_bytes_str("unit"),
                         &err));
    ok(rt_store_put_unit(shelter.store, &unit, rt_bytes_str("statement"), rt_bytes_str("unit"),
                         &err));
    ok(rt_store_put_meta(shelter.store, "head", rt_bytes_str("of the shell"), &err));
    ok(rt_store_put_checkpoint(shelter.store, rt_bytes_str("note"), &err));
    ok(rt_store_commit(shelter.store, &err));
    shelter_reopen(&shelter);
    ok(rt_view_begin(shelter.store, &view, &err));
    ok(rt_view_object(view, &object, &out));
    ok(rt_view_object(view, &unit, &out));
    ok(rt_view_unit_statement(view, &unit, &out));
    ok(rt_view_meta(view, "head", &out));
    ok(rt_view_checkpoint(view, &out));
    ok(rt_view_origin(view, &out));
    assert_string_equal(rt_buf_str(&out), "objectunitstatementof the shellnotetest.example/log");
    assert_int_equal(rt_view_unit_statement(view, &object, &out), RT_NOT_FOUND);
    assert_true(rt_view_has_object(view, &unit));
    assert_int_equal(rt_view_meta(view, "nothing", &out), RT_NOT_FOUND);
    rt_view_end(view);
    rt_buf_release(&out);
    shelter_remove(&shelter);
}

static void opening_is_careful(void **state)
{
    (void)state;
    struct shelter shelter;
    struct rt_store *second = NULL;
    uint64_t epoch = 0;
    shelter_make(&shelter);
    assert_int_equal(rt_store_open(shelter.folder, RT_STORE_CREATE, "x", &second, &err), RT_EXISTS);
    // flock is per open file, so even this process is refused.
    assert_int_equal(rt_store_open(shelter.folder, RT_STORE_WRITE, NULL, &second, &err), RT_BUSY);
    ok(rt_store_raise_epoch(shelter.store, &epoch, &err));
    assert_int_equal(epoch, 1);
    shelter_reopen(&shelter);
    ok(rt_store_raise_epoch(shelter.store, &epoch, &err));
    assert_int_equal(epoch, 2);
    rt_store_close(shelter.store);
    assert_int_equal(rt_store_open(shelter.folder, RT_STORE_WRITE, "another/log", &second, &err),
                     RT_CONFLICT);
    ok(rt_store_open(shelter.folder, RT_STORE_READ, NULL, &shelter.store, &err));
    assert_int_equal(rt_store_begin(shelter.store, &err), RT_NOT_PERMITTED);
    shelter_remove(&shelter);
    assert_int_equal(rt_store_open("/nonexistent", RT_STORE_WRITE, "x", &second, &err),
                     RT_NOT_FOUND);
}

// Flip one byte of what a leaf says, in the file, behind LMDB's back.
static void a_flipped_bit_is_found_at_the_start(void **state)
{
    (void)state;
    struct shelter shelter;
    struct rt_store *store = NULL;
    shelter_make(&shelter);
    ok(rt_store_begin(shelter.store, &err));
    append(shelter.store, "a leaf that will be damaged\n", NOW);
    append(shelter.store, "another\n", NOW);
    ok(rt_store_commit(shelter.store, &err));
    rt_store_close(shelter.store);
    shelter.store = NULL;
    assert_true(shelter_flip(&shelter, "leaf that will be", 3));
    assert_int_equal(rt_store_open(shelter.folder, RT_STORE_WRITE, NULL, &store, &err), RT_CORRUPT);
    assert_non_null(strstr(err.text, "leaf 0"));
    shelter_remove(&shelter);
}

// A value with a seal, damaged, is reported and never believed.
static void a_flipped_bit_in_a_row_is_found(void **state)
{
    (void)state;
    struct shelter shelter;
    struct rt_view *view;
    struct rt_buf out;
    rt_buf_init(&out, 4096);
    shelter_make(&shelter);
    ok(rt_store_begin(shelter.store, &err));
    ok(rt_store_put_meta(shelter.store, "motto", rt_bytes_str("disagreement is the measurement"),
                         &err));
    ok(rt_store_commit(shelter.store, &err));
    rt_store_close(shelter.store);
    assert_true(shelter_flip(&shelter, "disagreement is", 0));
    ok(rt_store_open(shelter.folder, RT_STORE_WRITE, NULL, &shelter.store, &err));
    ok(rt_view_begin(shelter.store, &view, &err));
    assert_int_equal(rt_view_meta(view, "motto", &out), RT_CORRUPT);
    rt_view_end(view);
    rt_buf_release(&out);
    shelter_remove(&shelter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_all_or_nothing),
        cmocka_unit_test(received_never_runs_backwards),
        cmocka_unit_test(proofs_hold),
        cmocka_unit_test(cells_add_up_and_vanish_at_zero),
        cmocka_unit_test(objects_units_and_values),
        cmocka_unit_test(opening_is_careful),
        cmocka_unit_test(a_flipped_bit_is_found_at_the_start),
        cmocka_unit_test(a_flipped_bit_in_a_row_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
