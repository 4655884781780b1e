// SPDX-License-Identifier: Apache-2.0
// age files against those of the age program, and shares of a secret.
#include "common/crypto/age.h"

#include "common/base/file.h"
#include "common/crypto/key.h"
#include "common/crypto/shamir.h"
#include "tests/unit/crypto/vectors.h"

#define FOLDER RT_VECTORS "/evidence/age/"

static int start(void **state)
{
    (void)state;
    return rt_crypto_init();
}

static void load(const char *name, struct rt_buf *out)
{
    char path[512];
    rt_buf_clear(out);
    snprintf(path, sizeof path, FOLDER "%s", name);
    assert_int_equal(rt_file_read(path, out, NULL), RT_OK);
}

static struct rt_age_identity *identity_of(int number)
{
    struct rt_buf file;
    struct rt_age_identity *identity = NULL;
    char name[16];
    rt_buf_init(&file, 4096);
    snprintf(name, sizeof name, "m%d.key", number);
    load(name, &file);
    assert_int_equal(rt_age_identity_file_parse(rt_buf_bytes(&file), &identity), RT_OK);
    rt_buf_release(&file);
    return identity;
}

static void test_keys(void **state)
{
    (void)state;
    struct rt_buf file;
    rt_buf_init(&file, 4096);
    for (int i = 1; i <= 3; i++) {
        char name[16], text[RT_AGE_RECIPIENT_BYTES], secret[RT_AGE_IDENTITY_BYTES];
        struct rt_age_identity *identity = identity_of(i), *again = NULL;
        struct rt_age_recipient recipient;
        snprintf(name, sizeof name, "m%d.pub", i);
        load(name, &file);
        rt_age_recipient_format(rt_age_recipient_of(identity), text);
        assert_int_equal(strlen(text) + 1, RT_AGE_RECIPIENT_BYTES);
        assert_memory_equal(text, file.data, strlen(text));
        assert_int_equal(rt_age_recipient_parse(rt_bytes_str(text), &recipient), RT_OK);
        assert_memory_equal(recipient.bytes, rt_age_recipient_of(identity)->bytes, 32);
        rt_age_identity_format(identity, secret);
        assert_int_equal(rt_age_identity_parse(rt_bytes_str(secret), &again), RT_OK);
        assert_memory_equal(rt_age_secret(again), rt_age_secret(identity), 32);
        rt_age_free(again);
        // One character changed, and each case mixed.
        for (size_t c = 4; c < strlen(text); c++) {
            char was = text[c];
            text[c] = was == 'q' ? 'p' : 'q';
            assert_int_equal(rt_age_recipient_parse(rt_bytes_str(text), &recipient), RT_MALFORMED);
            text[c] = was;
        }
        text[0] = 'A';
        assert_int_equal(rt_age_recipient_parse(rt_bytes_str(text), &recipient), RT_MALFORMED);
        secret[0] |= 0x20;
        assert_int_equal(rt_age_identity_parse(rt_bytes_str(secret), &again), RT_MALFORMED);
        rt_age_free(identity);
    }
    struct rt_age_identity *none = NULL;
    assert_int_equal(rt_age_identity_file_parse(rt_bytes_str("# only\n\n"), &none), RT_MALFORMED);
    rt_buf_release(&file);
}

static void test_files(void **state)
{
    (void)state;
    static const char *const names[] = {"empty.bin", "small.txt", "p64k.bin", "plain.bin"};
    struct rt_buf sealed, plain, out;
    rt_buf_init(&sealed, 1 << 22);
    rt_buf_init(&plain, 1 << 22);
    rt_buf_init(&out, 1 << 22);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[32];
        size_t opened = 0;
        load(names[i], &plain);
        snprintf(name, sizeof name, "%s.age", names[i]);
        load(name, &sealed);
        for (int k = 1; k <= 3; k++) {
            struct rt_age_identity *identity = identity_of(k);
            rt_buf_clear(&out);
            enum rt_status status = rt_age_decrypt(identity, rt_buf_bytes(&sealed), &out);
            assert_true(status == RT_OK || status == RT_NOT_PERMITTED);
            if (status == RT_OK)
                assert_true(rt_bytes_equal(rt_buf_bytes(&out), rt_buf_bytes(&plain)));
            else
                assert_int_equal(out.size, 0);
            opened += status == RT_OK;
            rt_age_free(identity);
        }
        assert_true(opened > 0);
    }
    static const char *const bad[] = {"bad-lastbit.age", "bad-stanza.age", "bad-trunc-chunk.age"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        load(bad[i], &sealed);
        for (int k = 1; k <= 3; k++) {
            struct rt_age_identity *identity = identity_of(k);
            rt_buf_clear(&out);
            assert_int_not_equal(rt_age_decrypt(identity, rt_buf_bytes(&sealed), &out), RT_OK);
            assert_int_equal(out.size, 0);
            rt_age_free(identity);
        }
    }
    rt_buf_release(&sealed);
    rt_buf_release(&plain);
    rt_buf_release(&out);
}

// Sizes about the chunk's, every flipped byte and every cut seen.
static void test_own(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 200000};
    struct rt_age_identity *one = identity_of(1), *two = identity_of(2), *three = identity_of(3);
    struct rt_age_recipient both[] = {*rt_age_recipient_of(one), *rt_age_recipient_of(two)};
    uint8_t *plain = calloc(1, 200000);
    struct rt_buf sealed, out;
    rt_buf_init(&sealed, 1 << 20);
    rt_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        rt_buf_clear(&sealed);
        rt_buf_clear(&out);
        assert_int_equal(rt_age_encrypt(both, 2, rt_bytes(plain, sizes[i]), &sealed), RT_OK);
        assert_int_equal(rt_age_decrypt(two, rt_buf_bytes(&sealed), &out), RT_OK);
        assert_true(rt_bytes_equal(rt_buf_bytes(&out), rt_bytes(plain, sizes[i])));
        rt_buf_clear(&out);
        assert_int_equal(rt_age_decrypt(three, rt_buf_bytes(&sealed), &out), RT_NOT_PERMITTED);
    }
    rt_buf_clear(&sealed);
    assert_int_equal(rt_age_encrypt(both, 2, rt_bytes(plain, 40), &sealed), RT_OK);
    for (size_t i = 0; i < sealed.size; i++) {
        sealed.data[i] ^= 1;
        rt_buf_clear(&out);
        assert_int_not_equal(rt_age_decrypt(one, rt_buf_bytes(&sealed), &out), RT_OK);
        sealed.data[i] ^= 1;
        assert_int_not_equal(rt_age_decrypt(one, rt_bytes(sealed.data, i), &out), RT_OK);
        assert_int_equal(out.size, 0);
    }
    assert_int_equal(rt_age_encrypt(both, 0, rt_bytes(plain, 1), &sealed), RT_OUT_OF_RANGE);
    struct rt_age_recipient zero = {{0}};
    size_t before = sealed.size;
    assert_int_equal(rt_age_encrypt(&zero, 1, rt_bytes(plain, 1), &sealed), RT_MALFORMED);
    assert_int_equal(sealed.size, before);
    free(plain);
    rt_buf_release(&sealed);
    rt_buf_release(&out);
    rt_age_free(one);
    rt_age_free(two);
    rt_age_free(three);
}

// Any k of n give it; k - 1 give something else; a share twice is said.
static void test_shares(void **state)
{
    (void)state;
    uint8_t secret[32], again[32];
    struct rt_share shares[RT_SHAMIR_SHARES_MOST], some[5];
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(251 * i + 7);
    assert_int_equal(rt_shamir_split(secret, sizeof secret, 3, 5, shares), RT_OK);
    for (unsigned mask = 0; mask < 32; mask++) {
        size_t count = 0;
        for (size_t i = 0; i < 5; i++)
            if (mask >> i & 1)
                some[count++] = shares[i];
        if (count == 0)
            continue;
        assert_int_equal(rt_shamir_join(some, count, sizeof secret, again), RT_OK);
        if (count >= 3)
            assert_memory_equal(again, secret, sizeof secret);
        else
            assert_memory_not_equal(again, secret, sizeof secret);
    }
    some[1] = some[0];
    assert_int_equal(rt_shamir_join(some, 3, sizeof secret, again), RT_DUPLICATE);
    some[0].x = 0;
    assert_int_equal(rt_shamir_join(some, 1, sizeof secret, again), RT_OUT_OF_RANGE);
    assert_int_equal(rt_shamir_split(secret, 32, 4, 3, shares), RT_OUT_OF_RANGE);
    assert_int_equal(rt_shamir_split(secret, 32, 0, 3, shares), RT_OUT_OF_RANGE);
    assert_int_equal(rt_shamir_split(secret, 65, 2, 3, shares), RT_OUT_OF_RANGE);
    // The field: the line through (1, 0x57) and (2, 0x83) at 0, worked out by hand:
    // (2 * 0x57 + 0x83) / 3 = 0x2d / 3 = 0x1b.
    struct rt_share line[] = {{1, {0x57}}, {2, {0x83}}};
    assert_int_equal(rt_shamir_join(line, 2, 1, again), RT_OK);
    assert_int_equal(again[0], 0x1b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_shares),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
