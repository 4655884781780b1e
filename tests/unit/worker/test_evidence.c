// SPDX-License-Identifier: Apache-2.0
// What a worker must not believe: leaves that are not proved, receipts for something else, logs
// that shrink or split, units nobody dealt.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "worker/evidence.h"

#define LEAVES 7

static struct rt_secret_key *log_key, *lab_key, *stranger;
static struct rt_vkey log_vkey;
static struct rt_digest levels[4][LEAVES + 1];

static enum rt_status write_node(void *ctx, uint8_t level, uint64_t index,
                                 const struct rt_digest *hash)
{
    (void)ctx;
    levels[level][index] = *hash;
    return RT_OK;
}

static enum rt_status read_node(void *ctx, uint8_t level, uint64_t index,
                                struct rt_digest *ret_hash)
{
    (void)ctx;
    *ret_hash = levels[level][index];
    return RT_OK;
}

static int make_keys(void **state)
{
    (void)state;
    if (rt_secret_key_generate(&log_key) || rt_secret_key_generate(&lab_key) ||
        rt_secret_key_generate(&stranger))
        return -1;
    return rt_vkey_make("ring.example/log", RT_NOTE_ED25519, rt_secret_key_public(log_key),
                        &log_vkey);
}

// A close statement of uni-a, signed.
static void make_statement(const struct rt_secret_key *key, uint64_t results, struct rt_buf *out)
{
    struct rt_statement statement = {.kind = RT_STATEMENT_CLOSE,
                                     .lab = rt_bytes_str("uni-a"),
                                     .results = results};
    assert_int_equal(rt_statement_make(&statement, key, out), RT_OK);
}

// A log of LEAVES leaves, the fourth of which is leaf; the checkpoint of the first size of them.
static void make_log(struct rt_bytes leaf, uint64_t size, const struct rt_secret_key *key,
                     struct rt_tree *tree, struct rt_buf *note)
{
    rt_tree_init(tree);
    for (uint64_t i = 0; i < size; i++) {
        struct rt_digest hash;
        char other[16] = {(char)('a' + i)};
        rt_leaf_hash(i == 3 ? leaf : rt_bytes(other, 1), &hash);
        assert_int_equal(rt_tree_append(tree, &hash, write_node, NULL), RT_OK);
    }
    struct rt_checkpoint checkpoint = {.origin = "ring.example/log", .size = size};
    rt_tree_root(tree, &checkpoint.root);
    assert_int_equal(rt_checkpoint_sign(&checkpoint, key, note), RT_OK);
}

struct made {
    struct rt_buf statement, leaf, note, proof;
};

static void make(struct made *made, const struct rt_secret_key *key)
{
    struct rt_statement parsed;
    struct rt_tree tree;
    struct rt_proof proof;
    rt_buf_init(&made->statement, 1 << 16);
    rt_buf_init(&made->leaf, 1 << 16);
    rt_buf_init(&made->note, 1 << 16);
    rt_buf_init(&made->proof, 1 << 16);
    make_statement(lab_key, 5, &made->statement);
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&made->statement), &parsed, NULL), RT_OK);
    assert_int_equal(rt_statement_leaf(&parsed, 1234567890123, &made->leaf), RT_OK);
    make_log(rt_buf_bytes(&made->leaf), LEAVES, key, &tree, &made->note);
    assert_int_equal(rt_tree_inclusion(3, LEAVES, read_node, NULL, &proof), RT_OK);
    rt_tlog_proof_format(3, &proof, rt_buf_bytes(&made->note), &made->proof);
}

static void release(struct made *made)
{
    rt_buf_release(&made->statement);
    rt_buf_release(&made->leaf);
    rt_buf_release(&made->note);
    rt_buf_release(&made->proof);
}

static enum rt_status receipt(struct made *made, struct rt_bytes statement, int64_t received_ms,
                              uint64_t index, struct rt_bytes proof, struct rt_log_reader *log)
{
    struct rt_digest hash;
    struct rt_checkpoint checkpoint;
    (void)made;
    return rt_evidence_receipt(statement, received_ms, index, proof, log, &hash, &checkpoint);
}

static void test_a_receipt_proves_the_leaf_that_was_sent(void **state)
{
    (void)state;
    struct made made;
    struct rt_log_reader log = {.key = log_vkey};
    make(&made, log_key);
    struct rt_bytes statement = rt_buf_bytes(&made.statement), proof = rt_buf_bytes(&made.proof);
    // Twice: the second time the note is known.
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receipt(&made, statement, 1234567890123, 3, proof, &log), RT_OK);
        assert_int_not_equal(receipt(&made, statement, 1234567890124, 3, proof, &log), RT_OK);
        assert_int_not_equal(receipt(&made, statement, 1234567890123, 2, proof, &log), RT_OK);
        struct rt_buf other;
        rt_buf_init(&other, 1 << 16);
        make_statement(lab_key, 6, &other);
        assert_int_not_equal(receipt(&made, rt_buf_bytes(&other), 1234567890123, 3, proof, &log),
                             RT_OK);
        rt_buf_release(&other);
    }
    // Any byte of the proof.
    for (size_t i = 0; i < made.proof.size; i++) {
        struct rt_log_reader fresh = {.key = log_vkey};
        made.proof.data[i] ^= 1;
        assert_int_not_equal(receipt(&made, statement, 1234567890123, 3, proof, &fresh), RT_OK);
        assert_int_not_equal(receipt(&made, statement, 1234567890123, 3, proof, &log), RT_OK);
        made.proof.data[i] ^= 1;
    }
    release(&made);
}

static void test_another_logs_receipt_is_none(void **state)
{
    (void)state;
    struct made made;
    struct rt_log_reader log = {.key = log_vkey};
    make(&made, stranger);
    assert_int_not_equal(receipt(&made, rt_buf_bytes(&made.statement), 1234567890123, 3,
                                 rt_buf_bytes(&made.proof), &log), RT_OK);
    release(&made);
}

static struct rt_checkpoint checkpoint_of(const struct rt_tree *tree)
{
    struct rt_checkpoint checkpoint = {.origin = "ring.example/log", .size = tree->size};
    rt_tree_root(tree, &checkpoint.root);
    return checkpoint;
}

static void test_a_log_only_grows(void **state)
{
    (void)state;
    struct rt_tree small, large, split;
    struct rt_buf note;
    struct rt_proof proof;
    struct rt_seen seen = {0};
    rt_buf_init(&note, 1 << 16);
    make_log(rt_bytes_str("x"), 5, log_key, &small, &note);
    struct rt_checkpoint first = checkpoint_of(&small);
    assert_int_equal(rt_seen_advance(&seen, &first, NULL, 0), RT_OK);
    make_log(rt_bytes_str("y"), LEAVES, log_key, &split, &note);
    assert_int_equal(rt_tree_consistency(5, LEAVES, read_node, NULL, &proof), RT_OK);
    struct rt_checkpoint forked = checkpoint_of(&split);
    assert_int_equal(rt_seen_advance(&seen, &forked, proof.hashes, proof.count), RT_BAD_PROOF);
    make_log(rt_bytes_str("x"), LEAVES, log_key, &large, &note);
    assert_int_equal(rt_tree_consistency(5, LEAVES, read_node, NULL, &proof), RT_OK);
    struct rt_checkpoint second = checkpoint_of(&large);
    assert_int_not_equal(rt_seen_advance(&seen, &second, NULL, 0), RT_OK);
    assert_int_equal(rt_seen_advance(&seen, &second, proof.hashes, proof.count), RT_OK);
    assert_int_equal(rt_seen_advance(&seen, &second, NULL, 0), RT_OK);
    assert_int_equal(rt_seen_advance(&seen, &first, NULL, 0), RT_CONFLICT);
    assert_int_equal(rt_seen_check(&seen, &forked), RT_CONFLICT);
    assert_int_equal(seen.checkpoint.size, LEAVES);
    rt_buf_release(&note);
}

static enum rt_status unit(const struct rt_secret_key *key, const char *said_lab,
                           const struct rt_digest *said_unit)
{
    struct rt_digest campaign = {{1}}, digest = {{2}};
    struct rt_statement statement = {.kind = RT_STATEMENT_UNIT,
                                     .campaign = campaign,
                                     .lab = rt_bytes_str(said_lab),
                                     .unit = *said_unit};
    struct rt_evidence_unit expected = {&campaign, "uni-a", &digest};
    struct rt_buf text;
    rt_buf_init(&text, 1 << 16);
    assert_int_equal(rt_statement_make(&statement, key, &text), RT_OK);
    enum rt_status status = rt_evidence_unit(rt_buf_bytes(&text), &expected, &log_vkey);
    if (!status) { // and not with any bit of it changed
        text.data[text.size - 50] ^= 1;
        assert_int_not_equal(rt_evidence_unit(rt_buf_bytes(&text), &expected, &log_vkey), RT_OK);
    }
    rt_buf_release(&text);
    return status;
}

static void test_units_come_from_the_log_key_alone(void **state)
{
    (void)state;
    struct rt_digest right = {{2}}, wrong = {{3}};
    assert_int_equal(unit(log_key, "uni-a", &right), RT_OK);
    assert_int_equal(unit(log_key, "uni-b", &right), RT_CONFLICT);
    assert_int_equal(unit(log_key, "uni-a", &wrong), RT_CONFLICT);
    assert_int_equal(unit(stranger, "uni-a", &right), RT_UNKNOWN_KEY);
    assert_int_equal(unit(lab_key, "uni-a", &right), RT_UNKNOWN_KEY);
}

int main(void)
{
    if (rt_crypto_init())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_receipt_proves_the_leaf_that_was_sent),
        cmocka_unit_test(test_another_logs_receipt_is_none),
        cmocka_unit_test(test_a_log_only_grows),
        cmocka_unit_test(test_units_come_from_the_log_key_alone),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
