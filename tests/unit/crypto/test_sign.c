// SPDX-License-Identifier: Apache-2.0
// Statement signatures against the DSSE vectors, and raw Ed25519 against libsodium's verdicts,
// which are the normative ones.
#include "common/crypto/key.h"

#include "tests/unit/crypto/vectors.h"

static int start(void **state)
{
    (void)state;
    return rt_crypto_init();
}

static void signature_from(const json_t *json, uint8_t ret_signature[RT_SIGNATURE_BYTES])
{
    const char *text = vector_str(json, "ed25519_sig_b64");
    size_t size = 0;
    assert_int_equal(rt_base64_decode(text, strlen(text), ret_signature, RT_SIGNATURE_BYTES, &size),
                     RT_OK);
    assert_int_equal(size, RT_SIGNATURE_BYTES);
}

static void test_pae(void **state)
{
    (void)state;
    json_t *json = vector_json("dsse/pae.json"), *item;
    struct rt_public_key key;
    vector_fixed(json, "public_key_hex", key.bytes, sizeof key.bytes);
    size_t i, count = 0;
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        const char *type = vector_str(item, "payloadType");
        struct rt_buf body = vector_hex(vector_str(item, "body_hex"));
        struct rt_buf pae = vector_hex(vector_str(item, "pae_hex")), ours;
        rt_buf_init(&ours, 1 << 20);
        rt_pae(type, rt_buf_bytes(&body), &ours);
        assert_true(rt_bytes_equal(rt_buf_bytes(&ours), rt_buf_bytes(&pae)));
        uint8_t signature[RT_SIGNATURE_BYTES];
        signature_from(item, signature);
        assert_int_equal(rt_verify(&key, type, rt_buf_bytes(&body), signature), RT_OK);
        signature[i % RT_SIGNATURE_BYTES] ^= 1;
        assert_int_equal(rt_verify(&key, type, rt_buf_bytes(&body), signature), RT_BAD_SIGNATURE);
        rt_buf_release(&body);
        rt_buf_release(&pae);
        rt_buf_release(&ours);
        count++;
    }
    assert_int_equal(count, 7);
    json_array_foreach(json_object_get(json, "must_reject"), i, item)
    {
        struct rt_buf body = vector_hex(vector_str(item, "body_hex"));
        uint8_t signature[RT_SIGNATURE_BYTES];
        signature_from(item, signature);
        assert_int_equal(
            rt_verify(&key, vector_str(item, "payloadType"), rt_buf_bytes(&body), signature),
            RT_BAD_SIGNATURE);
        rt_buf_release(&body);
    }
    json_decref(json);
}

static void test_verdicts(void **state)
{
    (void)state;
    json_t *json = vector_json("ed25519/random.json"), *item;
    size_t i, accepted = 0, rejected = 0;
    json_array_foreach(json, i, item)
    {
        struct rt_public_key key;
        uint8_t signature[RT_SIGNATURE_BYTES];
        vector_fixed(item, "pk", key.bytes, sizeof key.bytes);
        vector_fixed(item, "sig", signature, sizeof signature);
        struct rt_buf message = vector_hex(vector_str(item, "msg"));
        bool want = strcmp(vector_str(item, "libsodium_1_0_18"), "1") == 0;
        enum rt_status got = rt_ed25519_verify(&key, rt_buf_bytes(&message), signature);
        assert_int_equal(got, want ? RT_OK : RT_BAD_SIGNATURE);
        if (strcmp(vector_str(item, "why"), "pk identity point") == 0)
            assert_int_equal(rt_public_key_check(&key), RT_MALFORMED);
        if (want) {
            assert_int_equal(rt_public_key_check(&key), RT_OK);
            accepted++;
        } else {
            rejected++;
        }
        rt_buf_release(&message);
    }
    assert_int_equal(accepted, 120);
    assert_int_equal(rejected, 120);
    json_decref(json);
}

static void check_verdict(const json_t *verdicts, const char *set, json_int_t id, const char *pk,
                          const char *sig, const char *msg, bool msg_is_hex, size_t *checked)
{
    size_t i;
    json_t *item;
    json_array_foreach(verdicts, i, item)
    {
        if (strcmp(vector_str(item, "set"), set) != 0 ||
            json_integer_value(json_object_get(item, "id")) != id)
            continue;
        bool want = strcmp(vector_str(item, "libsodium_1_0_18"), "1") == 0;
        struct rt_public_key key;
        uint8_t signature[RT_SIGNATURE_BYTES];
        assert_int_equal(rt_hex_decode(pk, strlen(pk), key.bytes, sizeof key.bytes), RT_OK);
        // A signature of another length cannot reach our interface.
        enum rt_status got = RT_BAD_SIGNATURE;
        if (rt_hex_decode(sig, strlen(sig), signature, sizeof signature) == RT_OK) {
            struct rt_buf message;
            if (msg_is_hex) {
                message = vector_hex(msg);
            } else {
                rt_buf_init(&message, 1 << 20);
                rt_buf_add_str(&message, msg);
            }
            got = rt_ed25519_verify(&key, rt_buf_bytes(&message), signature);
            rt_buf_release(&message);
        }
        if ((got == RT_OK) != want)
            fail_msg("%s %d: verdict %d", set, (int)id, got);
        (*checked)++;
    }
}

static void test_third_party_verdicts(void **state)
{
    (void)state;
    const char *base = vector_third_party();
    json_t *verdicts = vector_json("ed25519/verdicts.json");
    size_t i, j, checked = 0;
    json_t *item, *group;
    json_t *cctv = vector_json_at(base, "cctv-ed25519/ed25519vectors.json");
    json_array_foreach(cctv, i, item)
    {
        check_verdict(verdicts, "cctv", json_integer_value(json_object_get(item, "number")),
                      vector_str(item, "key"), vector_str(item, "sig"), vector_str(item, "msg"),
                      false, &checked);
    }
    json_t *speccheck = vector_json_at(base, "speccheck/cases.json");
    json_array_foreach(speccheck, i, item)
    {
        check_verdict(verdicts, "speccheck", (json_int_t)i, vector_str(item, "pub_key"),
                      vector_str(item, "signature"), vector_str(item, "message"), true, &checked);
    }
    json_t *wycheproof = vector_json_at(base, "wycheproof/ed25519_test.json");
    json_array_foreach(json_object_get(wycheproof, "testGroups"), i, group)
    {
        const char *pk = vector_str(json_object_get(group, "publicKey"), "pk");
        json_array_foreach(json_object_get(group, "tests"), j, item)
        {
            check_verdict(verdicts, "wycheproof", json_integer_value(json_object_get(item, "tcId")),
                          pk, vector_str(item, "sig"), vector_str(item, "msg"), true, &checked);
        }
    }
    assert_int_equal(checked, json_array_size(verdicts));
    json_decref(verdicts);
    json_decref(cctv);
    json_decref(speccheck);
    json_decref(wycheproof);
}

// Sizes on both sides of the stack buffer, and the bounds.
static void test_round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 4000, 4096, 5000, 65535, 1 << 20};
    struct rt_secret_key *key = NULL, *other = NULL;
    assert_int_equal(rt_secret_key_generate(&key), RT_OK);
    assert_int_equal(rt_secret_key_generate(&other), RT_OK);
    const struct rt_public_key *public_key = rt_secret_key_public(key);
    uint8_t *body = calloc(1, 1 << 20);
    assert_non_null(body);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct rt_bytes bytes = rt_bytes(body, sizes[i]);
        uint8_t signature[RT_SIGNATURE_BYTES];
        assert_int_equal(rt_sign(key, RT_TYPE("result"), bytes, signature), RT_OK);
        assert_int_equal(rt_verify(public_key, RT_TYPE("result"), bytes, signature), RT_OK);
        assert_int_equal(rt_verify(public_key, RT_TYPE("unit"), bytes, signature),
                         RT_BAD_SIGNATURE);
        assert_int_equal(
            rt_verify(rt_secret_key_public(other), RT_TYPE("result"), bytes, signature),
            RT_BAD_SIGNATURE);
        if (sizes[i]) {
            body[sizes[i] - 1] ^= 1;
            assert_int_equal(rt_verify(public_key, RT_TYPE("result"), bytes, signature),
                             RT_BAD_SIGNATURE);
            body[sizes[i] - 1] ^= 1;
        }
        assert_int_equal(rt_ed25519_verify(public_key, bytes, signature), RT_BAD_SIGNATURE);
    }
    uint8_t signature[RT_SIGNATURE_BYTES];
    assert_int_equal(
        rt_sign(key, RT_TYPE("unit"), rt_bytes(body, RT_SIGN_BODY_MOST + 1), signature),
        RT_TOO_LARGE);
    free(body);
    rt_secret_key_free(key);
    rt_secret_key_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pae),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_third_party_verdicts),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests_name("sign", tests, start, NULL);
}
