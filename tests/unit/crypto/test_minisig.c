// SPDX-License-Identifier: Apache-2.0
// minisign's signature files: those of the minisign program verify, every altered one does not.
#include "common/crypto/minisig.h"

#include "tests/unit/crypto/vectors.h"

static struct rt_public_key lab_key;
static struct rt_key_number lab_number;

static int start(void **state)
{
    (void)state;
    struct rt_error err = {RT_OK, ""};
    return rt_crypto_init() ||
           rt_public_key_load(RT_VECTORS "/evidence/minisign/lab.pub", &lab_key, &lab_number, &err);
}

static enum rt_status check(const char *signature_name, const char *file_name)
{
    char path[128];
    snprintf(path, sizeof path, "minisign/%s", signature_name);
    struct rt_buf text = vector_file(path);
    snprintf(path, sizeof path, "minisign/%s", file_name);
    struct rt_buf file = vector_file(path);
    struct rt_minisig minisig;
    enum rt_status status = rt_minisig_parse(rt_buf_bytes(&text), &minisig);
    if (!status)
        status = rt_minisig_verify(&minisig, rt_buf_bytes(&file), &lab_key, &lab_number);
    rt_buf_release(&text);
    rt_buf_release(&file);
    return status;
}

static void test_vectors(void **state)
{
    (void)state;
    static const char *const files[] = {"file.txt", "empty.bin", "big.bin"};
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.minisig", files[i]);
        assert_int_equal(check(name, files[i]), RT_OK);
        assert_int_equal(check(name, files[(i + 1) % 3]), RT_BAD_SIGNATURE);
        snprintf(name, sizeof name, "%s.legacy.minisig", files[i]);
        assert_int_equal(check(name, files[i]), RT_UNSUPPORTED);
    }
    json_t *json = vector_json("minisign/must_reject.json"), *item;
    size_t i;
    assert_int_equal(json_array_size(json), 7);
    json_array_foreach(json, i, item)
    {
        if (check(vector_str(item, "file"), "file.txt") == RT_OK)
            fail_msg("accepted: %s", vector_str(item, "why"));
    }
    json_decref(json);
    assert_int_equal(check("bad-keyid.minisig", "file.txt"), RT_UNKNOWN_KEY);
    assert_int_equal(check("bad-trusted-comment.minisig", "file.txt"), RT_BAD_SIGNATURE);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct rt_secret_key *key = NULL;
    assert_int_equal(rt_secret_key_generate(&key), RT_OK);
    struct rt_buf out;
    rt_buf_init(&out, RT_MINISIG_MOST);
    struct rt_bytes file = rt_bytes_str("sha256:… manifest\n");
    struct rt_minisig minisig;
    assert_int_equal(rt_minisig_sign(key, file, "timestamp:1\tfile:manifest.sha256", &out), RT_OK);
    assert_int_equal(rt_minisig_parse(rt_buf_bytes(&out), &minisig), RT_OK);
    assert_true(rt_bytes_equal_str(minisig.trusted_comment, "timestamp:1\tfile:manifest.sha256"));
    const struct rt_public_key *public_key = rt_secret_key_public(key);
    assert_int_equal(rt_minisig_verify(&minisig, file, public_key, rt_secret_key_number(key)),
                     RT_OK);
    assert_int_equal(rt_minisig_verify(&minisig, file, public_key, &lab_number), RT_UNKNOWN_KEY);
    assert_int_equal(rt_minisig_verify(&minisig, file, &lab_key, NULL), RT_BAD_SIGNATURE);
    // Any one bit of the file, save in the untrusted comment, makes it fail.
    size_t from = (size_t)(strchr((const char *)out.data, '\n') - (const char *)out.data);
    for (size_t bit = 8 * from; bit < 8 * out.size; bit++) {
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct rt_minisig changed;
        if (!rt_minisig_parse(rt_buf_bytes(&out), &changed) &&
            !rt_minisig_verify(&changed, file, public_key, rt_secret_key_number(key)))
            fail_msg("bit %zu does not matter", bit);
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    rt_buf_clear(&out);
    assert_int_equal(rt_minisig_sign(key, file, "two\nlines", &out), RT_MALFORMED);
    assert_int_equal(rt_minisig_sign(key, file, "\xff", &out), RT_MALFORMED);
    rt_buf_release(&out);
    rt_secret_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests_name("minisig", tests, start, NULL);
}
