// SPDX-License-Identifier: Apache-2.0
// Receipts and the policies they are judged by.
#include "common/tlog/proof.h"

#include "tests/unit/crypto/vectors.h"

static struct rt_policy policy; // 60 KB, too much for a stack frame

static int start(void **state)
{
    (void)state;
    return rt_crypto_init();
}

static void test_policies(void **state)
{
    (void)state;
    json_t *json = vector_json("c2sp/cosignature_policy.json"), *item;
    size_t i, line = 0;
    assert_int_equal(json_array_size(json_object_get(json, "cases")), 15);
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        struct rt_checkpoint checkpoint;
        enum rt_status status = rt_policy_parse(vector_text(item, "policy"), &policy, &line);
        if (status)
            fail_msg("%s: line %zu: %s", vector_str(item, "id"), line, rt_status_name(status));
        status = rt_policy_check(&policy, vector_text(item, "checkpoint"), &checkpoint);
        if ((status == RT_OK) != vector_wants(item, "accept"))
            fail_msg("%s: %s", vector_str(item, "id"), rt_status_name(status));
    }
    assert_int_equal(json_array_size(json_object_get(json, "malformed_policies")), 9);
    json_array_foreach(json_object_get(json, "malformed_policies"), i, item)
    {
        if (rt_policy_parse(vector_text(item, "policy"), &policy, &line) == RT_OK)
            fail_msg("accepted: %s", vector_str(item, "why"));
        bool whole = strcmp(vector_str(item, "id"), "no-quorum") == 0;
        assert_int_equal(line == 0, whole); // the message can name the line
    }
    json_decref(json);
}

// A log's key vouches for its own origin alone, whatever else it signed.
static void test_other_origin(void **state)
{
    (void)state;
    json_t *json = vector_json("c2sp/checkpoint.json"), *item;
    struct rt_vkey log;
    struct rt_checkpoint checkpoint;
    assert_int_equal(rt_vkey_parse(vector_text(json, "log_vkey"), &log), RT_OK);
    rt_policy_of_log(&log, &policy);
    size_t i;
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        enum rt_status status =
            rt_policy_check(&policy, vector_text(item, "checkpoint"), &checkpoint);
        if ((status == RT_OK) != vector_wants(item, "accept"))
            fail_msg("%s: %s", vector_str(item, "id"), rt_status_name(status));
    }
    json_decref(json);
}

#define VKEY  "replicate.example/log/2026a+1a7b4e36+AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk"
#define LAB_A "lab-a.example/w1+2679e9e3+BDOvE8lF65nv24BPeRVEMsU0Qr6HZY29pckgmrFu4gHO"

static void test_policy_text(void **state)
{
    (void)state;
    size_t line = 0;
    assert_int_equal(rt_policy_parse(rt_bytes_str("# ours\n\n \t\nlog\t" VKEY "  https://x/ \n"
                                                  " witness a " LAB_A " https://y/\n\tquorum a\n"),
                                     &policy, &line),
                     RT_OK);
    assert_int_equal(policy.log_count, 1);
    assert_int_equal(policy.node_count, 1);
    assert_int_equal(policy.quorum, 0);
    static const struct {
        const char *text;
        size_t line;
    } wrong[] = {
        {"", 0},
        {"log " VKEY "\nquorum none", 2},                     // no final newline
        {"log " VKEY "\r\nquorum none\n", 1},                 // CRLF
        {"quorum none\nlog " VKEY " a b\n", 2},               // one word too many
        {"log " VKEY "\nlog " VKEY "\nquorum none\n", 2},     // the same log twice
        {"log " LAB_A "\nquorum none\n", 1},                  // a witness key as a log
        {"witness a " VKEY "\nquorum none\n", 1},             // and the other way round
        {"witness none " LAB_A "\nquorum none\n", 1},         // the reserved name
        {"witness a " LAB_A "\ngroup a 1 a\nquorum a\n", 2},  // a name taken
        {"witness a " LAB_A "\ngroup g 01 a\nquorum g\n", 2}, // leading zero
        {"witness a " LAB_A "\ngroup g 1\nquorum g\n", 2},    // no member
        {"group g 1 g\nquorum g\n", 1},                       // itself
        {"quorum\n", 1},
        {"quorum nobody\n", 1},
        {"threshold 3\nquorum none\n", 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (rt_policy_parse(rt_bytes_str(wrong[i].text), &policy, &line) == RT_OK)
            fail_msg("accepted: %s", wrong[i].text);
        assert_int_equal(line, wrong[i].line);
    }
}

static void test_proofs(void **state)
{
    (void)state;
    json_t *json = vector_json("c2sp/tlog_proof.json"), *item;
    assert_int_equal(rt_policy_parse(vector_text(json, "policy"), &policy, NULL), RT_OK);
    size_t i, accepted = 0;
    assert_int_equal(json_array_size(json_object_get(json, "cases")), 24);
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        struct rt_digest leaf;
        rt_leaf_hash(vector_text(item, "leaf_data"), &leaf);
        struct rt_bytes text = vector_text(item, "proof");
        struct rt_tlog_proof proof;
        struct rt_checkpoint checkpoint;
        enum rt_status status = rt_tlog_proof_parse(text, &proof);
        if (!status)
            status = rt_tlog_proof_verify(&proof, &leaf, &policy, &checkpoint);
        if ((status == RT_OK) != vector_wants(item, "accept"))
            fail_msg("%s: %s", vector_str(item, "id"), rt_status_name(status));
        if (status)
            continue;
        accepted++;
        assert_int_equal(checkpoint.size, 13);
        bool extra = strcmp(vector_str(item, "id"), "ok-extra") == 0;
        assert_int_equal(proof.has_extra, extra);
        assert_int_equal(rt_tlog_proof_verify_log(&proof, &leaf, &policy.logs[0], NULL), RT_OK);
        struct rt_buf out;
        rt_buf_init(&out, RT_TLOG_PROOF_MOST);
        rt_tlog_proof_format(proof.index, &proof.proof, proof.checkpoint, &out);
        assert_int_equal(rt_bytes_equal(rt_buf_bytes(&out), text), !extra);
        rt_buf_release(&out);
    }
    assert_int_equal(accepted, 14);
    json_decref(json);
}

static void test_example_files(void **state)
{
    (void)state;
    struct rt_buf text = vector_file("c2sp/policy.txt"), file = vector_file("c2sp/leaf-4.bin");
    struct rt_buf receipt = vector_file("c2sp/receipt-4.tlog-proof");
    assert_int_equal(rt_policy_parse(rt_buf_bytes(&text), &policy, NULL), RT_OK);
    struct rt_digest leaf;
    rt_leaf_hash(rt_buf_bytes(&file), &leaf);
    struct rt_tlog_proof proof;
    assert_int_equal(rt_tlog_proof_parse(rt_buf_bytes(&receipt), &proof), RT_OK);
    assert_int_equal(rt_tlog_proof_verify(&proof, &leaf, &policy, NULL), RT_OK);
    leaf.bytes[0] ^= 1;
    assert_int_equal(rt_tlog_proof_verify(&proof, &leaf, &policy, NULL), RT_BAD_PROOF);
    leaf.bytes[0] ^= 1;
    // A policy of another log does not believe it.
    policy.logs[0].id[0] ^= 1;
    assert_int_equal(rt_tlog_proof_verify(&proof, &leaf, &policy, NULL), RT_UNKNOWN_KEY);
    // Every flipped bit of the receipt makes it fail; the policy here is the log alone, so only the
    // log's part of the file counts, up to the first cosignature.
    policy.logs[0].id[0] ^= 1;
    struct rt_vkey log = policy.logs[0];
    const char *end = strstr((const char *)receipt.data, "lab-a.example");
    assert_non_null(end);
    size_t size = (size_t)(end - (const char *)receipt.data) - 4;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        receipt.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (rt_tlog_proof_parse(rt_bytes(receipt.data, size), &proof) == RT_OK &&
            rt_tlog_proof_verify_log(&proof, &leaf, &log, NULL) == RT_OK)
            fail_msg("bit %zu does not matter", bit);
        receipt.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(rt_tlog_proof_parse(rt_bytes(receipt.data, size), &proof), RT_OK);
    assert_int_equal(rt_tlog_proof_verify_log(&proof, &leaf, &log, NULL), RT_OK);
    rt_policy_of_log(&log, &policy);
    assert_int_equal(rt_tlog_proof_verify(&proof, &leaf, &policy, NULL), RT_OK);
    rt_buf_release(&text);
    rt_buf_release(&file);
    rt_buf_release(&receipt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),      cmocka_unit_test(test_other_origin),
        cmocka_unit_test(test_policy_text),   cmocka_unit_test(test_proofs),
        cmocka_unit_test(test_example_files),
    };
    return cmocka_run_group_tests_name("proof", tests, start, NULL);
}
