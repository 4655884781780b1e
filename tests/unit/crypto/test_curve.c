// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/curve.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/key.h"
#include "tests/unit/crypto/vectors.h"

static char folder[] = "/tmp/rt-curve-XXXXXX";

static int start(void **state)
{
    (void)state;
    return rt_crypto_init() || !mkdtemp(folder);
}

static int end(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/curve.key", folder);
    return unlink(path) || rmdir(folder);
}

// The public half as OpenSSL computes it; the secret is SHA-256("ringtrial curve test").
static void test_known_pair(void **state)
{
    (void)state;
    struct rt_digest seed;
    rt_sha256(rt_bytes_str("ringtrial curve test"), &seed);
    struct rt_curve_secret *secret = NULL;
    assert_int_equal(rt_curve_from_bytes(seed.bytes, &secret), RT_OK);
    assert_memory_equal(rt_curve_secret_bytes(secret), seed.bytes, sizeof seed.bytes);
    char text[RT_CURVE_TEXT_BYTES + 1];
    rt_curve_public_format(rt_curve_secret_public(secret), text);
    assert_string_equal(text, "rt-curve:T/+gda4fmRQUFCXGwI5CGHKf4ykKqK5UMpv18Uh94gM=");
    rt_curve_free(secret);
    rt_curve_free(NULL);
}

static void test_text(void **state)
{
    (void)state;
    struct rt_curve_secret *secret = NULL;
    assert_int_equal(rt_curve_generate(&secret), RT_OK);
    char text[RT_CURVE_TEXT_BYTES];
    struct rt_curve_public again;
    rt_curve_public_format(rt_curve_secret_public(secret), text);
    assert_int_equal(strlen(text) + 1, RT_CURVE_TEXT_BYTES);
    assert_int_equal(rt_curve_public_parse(rt_bytes_str(text), &again), RT_OK);
    assert_true(rt_curve_public_equal(&again, rt_curve_secret_public(secret)));
    static const char *const wrong[] = {
        "",
        "rt-curve:",
        "rt-curve:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", // small order
        "rt-curve:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", // small order
        "rt-curve:4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=", // order 8
        "rt-curve:T/+gda4fmRQUFCXGwI5CGHKf4ykKqK5UMpv18Uh94gMAAA==",
        "rt-Curve:T/+gda4fmRQUFCXGwI5CGHKf4ykKqK5UMpv18Uh94gM=",
        "T/+gda4fmRQUFCXGwI5CGHKf4ykKqK5UMpv18Uh94gM=",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(rt_curve_public_parse(rt_bytes_str(wrong[i]), &again), RT_MALFORMED);
    rt_curve_free(secret);
}

static void test_file(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/curve.key", folder);
    struct rt_error err = {RT_OK, ""};
    struct rt_curve_secret *secret = NULL, *again = NULL;
    assert_int_equal(rt_curve_generate(&secret), RT_OK);
    assert_int_equal(rt_curve_save(path, secret, &err), RT_OK);
    assert_int_equal(rt_curve_save(path, secret, &err), RT_EXISTS);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(rt_curve_load(path, &again, &err), RT_OK);
    assert_memory_equal(rt_curve_secret_bytes(secret), rt_curve_secret_bytes(again), 32);
    assert_true(
        rt_curve_public_equal(rt_curve_secret_public(secret), rt_curve_secret_public(again)));
    rt_curve_free(again);
    again = NULL;

    struct rt_buf file = vector_file_at(folder, "curve.key");
    for (size_t size = 0; size < file.size; size++)
        assert_int_equal(rt_curve_file_parse(rt_bytes(file.data, size), &again), RT_MALFORMED);
    // Another public half than the secret's: taken from another pair.
    struct rt_curve_secret *other = NULL;
    assert_int_equal(rt_curve_generate(&other), RT_OK);
    rt_buf_truncate(&file, file.size - RT_CURVE_TEXT_BYTES);
    char text[RT_CURVE_TEXT_BYTES];
    rt_curve_public_format(rt_curve_secret_public(other), text);
    rt_buf_printf(&file, "%s\n", text);
    assert_int_equal(rt_curve_file_parse(rt_buf_bytes(&file), &again), RT_MALFORMED);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(rt_curve_load(path, &again, &err), RT_NOT_PERMITTED);
    assert_null(again);
    rt_buf_release(&file);
    rt_curve_free(other);
    rt_curve_free(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_pair),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests_name("curve", tests, start, end);
}
