// SPDX-License-Identifier: Apache-2.0
#include "common/tlog/checkpoint.h"

#include "tests/unit/crypto/vectors.h"

static int start(void **state)
{
    (void)state;
    return rt_crypto_init();
}

static void test_vectors(void **state)
{
    (void)state;
    json_t *json = vector_json("c2sp/checkpoint.json"), *item;
    struct rt_vkey log;
    assert_int_equal(rt_vkey_parse(vector_text(json, "log_vkey"), &log), RT_OK);
    assert_string_equal(log.name, vector_str(json, "origin"));
    size_t i, accepted = 0;
    assert_int_equal(json_array_size(json_object_get(json, "cases")), 18);
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        struct rt_checkpoint checkpoint;
        struct rt_bytes bytes = vector_text(item, "checkpoint");
        enum rt_status status = rt_checkpoint_open(bytes, &log, &checkpoint);
        if ((status == RT_OK) != vector_wants(item, "accept"))
            fail_msg("%s: %s", vector_str(item, "id"), rt_status_name(status));
        if (status)
            continue;
        accepted++;
        assert_int_equal(checkpoint.extended, strcmp(vector_str(item, "id"), "ok-ext") == 0);
        // What was read, written again, is the signed text.
        if (checkpoint.extended)
            continue;
        struct rt_buf out;
        struct rt_note note;
        rt_buf_init(&out, RT_CHECKPOINT_BYTES);
        assert_int_equal(rt_checkpoint_format(&checkpoint, &out), RT_OK);
        assert_int_equal(rt_note_parse(bytes, &note), RT_OK);
        assert_true(rt_bytes_equal(rt_buf_bytes(&out), note.text));
        rt_buf_release(&out);
    }
    assert_int_equal(accepted, 3);
    json_decref(json);
}

// The right refusal, not just any.
static void test_reasons(void **state)
{
    (void)state;
    json_t *json = vector_json("c2sp/checkpoint.json"), *item;
    struct rt_vkey log;
    assert_int_equal(rt_vkey_parse(vector_text(json, "log_vkey"), &log), RT_OK);
    size_t i;
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        struct rt_checkpoint checkpoint;
        if (strcmp(vector_str(item, "id"), "wrongorigin") == 0)
            assert_int_equal(rt_checkpoint_open(vector_text(item, "checkpoint"), &log, &checkpoint),
                             RT_CONFLICT);
    }
    json_decref(json);
}

// Ed25519 is deterministic, so signing with the vector's seed must give the vector's bytes.
static void test_sign_matches_vector(void **state)
{
    (void)state;
    json_t *json = vector_json("c2sp/signed_note.json");
    json_t *item = json_array_get(json_object_get(json, "keys"), 0);
    uint8_t seed[RT_KEY_SEED_BYTES];
    vector_fixed(item, "seed_hex", seed, sizeof seed);
    struct rt_secret_key *key = NULL;
    assert_int_equal(rt_secret_key_from_seed(seed, &key), RT_OK);
    struct rt_vkey log;
    assert_int_equal(rt_vkey_parse(vector_text(item, "vkey"), &log), RT_OK);
    struct rt_buf file = vector_file("c2sp/checkpoint.txt"), out;
    struct rt_checkpoint checkpoint, again;
    assert_int_equal(rt_checkpoint_open(rt_buf_bytes(&file), &log, &checkpoint), RT_OK);
    assert_int_equal(checkpoint.size, 13);
    rt_buf_init(&out, RT_CHECKPOINT_BYTES);
    assert_int_equal(rt_checkpoint_sign(&checkpoint, key, &out), RT_OK);
    assert_true(out.size < file.size);
    assert_memory_equal(out.data, file.data, out.size); // the file goes on with cosignatures
    assert_int_equal(rt_checkpoint_open(rt_buf_bytes(&out), &log, &again), RT_OK);
    assert_memory_equal(&again.root, &checkpoint.root, sizeof again.root);
    // The log's vkey file is this key.
    struct rt_buf vkey = vector_file("c2sp/log.vkey");
    char text[RT_VKEY_TEXT_BYTES];
    rt_vkey_format(&log, text);
    assert_true(rt_bytes_equal_str(rt_bytes(vkey.data, strlen(text)), text));
    rt_buf_release(&vkey);
    rt_buf_release(&file);
    rt_buf_release(&out);
    rt_secret_key_free(key);
    json_decref(json);
}

static void test_format_refuses(void **state)
{
    (void)state;
    struct rt_checkpoint checkpoint = {.origin = "log.example", .size = 0};
    struct rt_buf out;
    rt_buf_init(&out, RT_CHECKPOINT_BYTES);
    assert_int_equal(rt_checkpoint_format(&checkpoint, &out), RT_MALFORMED); // not the empty root
    checkpoint.size = (uint64_t)INT64_MAX + 1;
    assert_int_equal(rt_checkpoint_format(&checkpoint, &out), RT_MALFORMED);
    checkpoint.size = 1;
    memcpy(checkpoint.origin, "a b", 4);
    assert_int_equal(rt_checkpoint_format(&checkpoint, &out), RT_MALFORMED);
    assert_int_equal(out.size, 0);
    // The longest origin still fits what the header promises.
    struct rt_secret_key *key = NULL;
    assert_int_equal(rt_secret_key_generate(&key), RT_OK);
    memset(checkpoint.origin, 'o', RT_NOTE_NAME_BYTES - 1);
    checkpoint.size = INT64_MAX;
    assert_int_equal(rt_checkpoint_sign(&checkpoint, key, &out), RT_OK);
    rt_secret_key_free(key);
    rt_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_sign_matches_vector),
        cmocka_unit_test(test_format_refuses),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, start, NULL);
}
