// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/note.h"

#include "tests/unit/crypto/vectors.h"

static int start(void **state)
{
    (void)state;
    return rt_crypto_init();
}

static void check_keys(const char *name)
{
    json_t *json = vector_json(name), *item;
    size_t i;
    assert_true(json_array_size(json_object_get(json, "keys")) > 0);
    json_array_foreach(json_object_get(json, "keys"), i, item)
    {
        struct rt_vkey vkey, made;
        struct rt_public_key key;
        uint8_t id[RT_NOTE_ID_BYTES], seed[RT_KEY_SEED_BYTES];
        vector_fixed(item, "public_hex", key.bytes, sizeof key.bytes);
        vector_fixed(item, "key_id_hex", id, sizeof id);
        vector_fixed(item, "seed_hex", seed, sizeof seed);
        assert_int_equal(rt_vkey_parse(vector_text(item, "vkey"), &vkey), RT_OK);
        assert_string_equal(vkey.name, vector_str(item, "name"));
        assert_int_equal(vkey.type, json_integer_value(json_object_get(item, "type")));
        assert_memory_equal(vkey.id, id, sizeof id);
        assert_true(rt_public_key_equal(&vkey.key, &key));
        struct rt_secret_key *secret = NULL;
        assert_int_equal(rt_secret_key_from_seed(seed, &secret), RT_OK);
        assert_int_equal(rt_vkey_make(vkey.name, vkey.type, rt_secret_key_public(secret), &made),
                         RT_OK);
        assert_true(rt_vkey_equal(&vkey, &made));
        char text[RT_VKEY_TEXT_BYTES];
        rt_vkey_format(&made, text);
        assert_string_equal(text, vector_str(item, "vkey"));
        rt_secret_key_free(secret);
    }
    json_decref(json);
}

static void test_vkeys(void **state)
{
    (void)state;
    check_keys("c2sp/signed_note.json");
    check_keys("c2sp/cosignature_policy.json");
    static const char *const wrong[] = {
        "",
        "+",
        "++",
        "a.example/x+1a7b4e36+AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk",
        "replicate.example/log/2026a+1A7B4E36+AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk",
        "replicate.example/log/2026a+1a7b4e3+AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk",
        "replicate.example/log/2026a+1a7b4e36+AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jq",
        "replicate.example/log/2026a+1a7b4e36+AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk\n",
        "replicate.example/log/2026a+1a7b4e36",
        "replicate example+1a7b4e36+AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk",
        // the identity point
        "a+cae63997+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    struct rt_vkey vkey;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(rt_vkey_parse(rt_bytes_str(wrong[i]), &vkey), RT_MALFORMED);
    // A type that is not ours is told apart from nonsense.
    assert_int_equal(rt_vkey_parse(rt_bytes_str("replicate.example/log/2026a+1a7b4e36+"
                                                "Bp+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk"),
                                   &vkey),
                     RT_UNSUPPORTED);
}

static void test_names(void **state)
{
    (void)state;
    assert_true(rt_note_name_valid(rt_bytes_str("lab-a.example/w1")));
    assert_true(rt_note_name_valid(rt_bytes_str("pr\xc3\xbc"
                                                "fer.example")));
    static const char *const wrong[] = {"",
                                        "a b",
                                        "a+b",
                                        "a\tb",
                                        "a\xc2\xa0"
                                        "b",
                                        "a\xe2\x80\x83"
                                        "b",
                                        "a\xe3\x80\x80"
                                        "b",
                                        "a\xff",
                                        "a\x7f"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(rt_note_name_valid(rt_bytes_str(wrong[i])));
    char name[RT_NOTE_NAME_BYTES + 1];
    memset(name, 'a', sizeof name);
    assert_true(rt_note_name_valid(rt_bytes(name, RT_NOTE_NAME_BYTES - 1)));
    assert_false(rt_note_name_valid(rt_bytes(name, RT_NOTE_NAME_BYTES)));
}

static void test_vectors(void **state)
{
    (void)state;
    json_t *json = vector_json("c2sp/signed_note.json"), *item, *text;
    size_t i, n, accepted = 0;
    assert_int_equal(json_array_size(json_object_get(json, "cases")), 27);
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        struct rt_vkey keys[8];
        bool has_signed[8];
        json_t *trusted = json_object_get(item, "trusted_vkeys");
        assert_true(json_array_size(trusted) <= 8);
        json_array_foreach(trusted, n, text)
        {
            assert_int_equal(rt_vkey_parse(rt_bytes_str(json_string_value(text)), &keys[n]), RT_OK);
        }
        struct rt_buf bytes = vector_hex(vector_str(item, "note_hex"));
        struct rt_note note;
        enum rt_status status = rt_note_parse(rt_buf_bytes(&bytes), &note);
        if (!status)
            status = rt_note_verify_any(&note, keys, json_array_size(trusted), has_signed);
        if (vector_wants(item, "either")) // 200 lines: over our limit
            assert_int_equal(status, RT_TOO_LARGE);
        else if ((status == RT_OK) != vector_wants(item, "accept"))
            fail_msg("%s: %s", vector_str(item, "id"), rt_status_name(status));
        if (!status) {
            accepted++;
            for (n = 0; n < json_array_size(trusted); n++)
                assert_true(has_signed[n]);
        }
        rt_buf_release(&bytes);
    }
    assert_int_equal(accepted, 4);
    json_decref(json);
}

static void test_sign(void **state)
{
    (void)state;
    struct rt_secret_key *key = NULL;
    assert_int_equal(rt_secret_key_generate(&key), RT_OK);
    struct rt_vkey log, witness;
    assert_int_equal(rt_vkey_make("log.example", RT_NOTE_ED25519, rt_secret_key_public(key), &log),
                     RT_OK);
    assert_int_equal(
        rt_vkey_make("lab.example/w1", RT_NOTE_COSIGNATURE, rt_secret_key_public(key), &witness),
        RT_OK);
    struct rt_buf out;
    rt_buf_init(&out, 4096);
    struct rt_bytes text = rt_bytes_str("one\n\ntwo\n");
    assert_int_equal(rt_note_sign(key, "log.example", text, &out), RT_OK);
    assert_int_equal(rt_note_cosign(key, "lab.example/w1", 1789000000, text, &out), RT_OK);
    struct rt_note note;
    uint64_t time_s = 0;
    assert_int_equal(rt_note_parse(rt_buf_bytes(&out), &note), RT_OK);
    assert_int_equal(note.count, 2);
    assert_true(rt_bytes_equal(note.text, text));
    assert_int_equal(rt_note_verify(&note, &log, &time_s), RT_OK);
    assert_int_equal(rt_note_verify(&note, &witness, &time_s), RT_OK);
    assert_int_equal(time_s, 1789000000);
    // The text's own lines are covered by both.
    out.data[0] = 'O';
    assert_int_equal(rt_note_verify(&note, &log, NULL), RT_BAD_SIGNATURE);
    assert_int_equal(rt_note_verify(&note, &witness, NULL), RT_BAD_SIGNATURE);
    rt_buf_clear(&out);
    assert_int_equal(rt_note_sign(key, "log.example", rt_bytes_str("no end"), &out), RT_MALFORMED);
    assert_int_equal(rt_note_sign(key, "log.example", rt_bytes_str("a\r\n"), &out), RT_MALFORMED);
    assert_int_equal(rt_note_sign(key, "log example", text, &out), RT_MALFORMED);
    assert_int_equal(rt_note_cosign(key, "w", UINT64_C(1) << 63, text, &out), RT_MALFORMED);
    assert_int_equal(out.size, 0);
    rt_buf_release(&out);
    rt_secret_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vkeys),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_sign),
    };
    return cmocka_run_group_tests_name("note", tests, start, NULL);
}
