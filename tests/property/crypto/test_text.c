// SPDX-License-Identifier: Apache-2.0
// Random keys, names and bodies: whatever is written is read back the same, every text has one
// spelling, and no flipped bit of a signed thing survives. RT_SEED chooses other bodies.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/crypto/curve.h"
#include "common/crypto/note.h"

#define ROUNDS 60

static uint64_t seed = 1;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static int start(void **state)
{
    (void)state;
    const char *text = getenv("RT_SEED");
    if (text && strtoull(text, NULL, 10))
        seed = strtoull(text, NULL, 10);
    printf("RT_SEED=%llu\n", (unsigned long long)seed);
    return rt_crypto_init();
}

static struct rt_secret_key *new_key(void)
{
    uint8_t bytes[RT_KEY_SEED_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)next();
    struct rt_secret_key *key = NULL;
    assert_int_equal(rt_secret_key_from_seed(bytes, &key), RT_OK);
    return key;
}

// A changed text either is refused or stands for something else.
static void test_key_text(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_secret_key *key = new_key();
        const struct rt_public_key *public_key = rt_secret_key_public(key);
        char text[RT_PUBLIC_KEY_TEXT_BYTES];
        struct rt_public_key again;
        struct rt_key_number number;
        rt_public_key_format(public_key, NULL, text);
        assert_int_equal(rt_public_key_parse(rt_bytes_str(text), &again, &number), RT_OK);
        assert_true(rt_public_key_equal(public_key, &again));
        assert_memory_equal(&number, rt_secret_key_number(key), sizeof number);
        for (size_t bit = 0; bit < 8 * (sizeof text - 1); bit++) {
            text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
            if (rt_public_key_parse(rt_bytes(text, sizeof text - 1), &again, &number) == RT_OK)
                assert_false(rt_public_key_equal(public_key, &again) &&
                             memcmp(&number, rt_secret_key_number(key), sizeof number) == 0);
            text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        }
        struct rt_buf file;
        struct rt_secret_key *loaded = NULL;
        rt_buf_init(&file, 4096);
        assert_int_equal(rt_secret_key_file_format(key, NULL, &file), RT_OK);
        assert_int_equal(rt_secret_key_file_parse(rt_buf_bytes(&file), NULL, &loaded), RT_OK);
        assert_true(rt_public_key_equal(public_key, rt_secret_key_public(loaded)));
        rt_buf_release(&file);
        rt_secret_key_free(loaded);
        rt_secret_key_free(key);
    }
}

static void test_signed_bytes(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_secret_key *key = new_key();
        const struct rt_public_key *public_key = rt_secret_key_public(key);
        uint8_t body[64], signature[RT_SIGNATURE_BYTES];
        size_t size = next() % sizeof body;
        for (size_t i = 0; i < size; i++)
            body[i] = (uint8_t)next();
        struct rt_bytes bytes = rt_bytes(body, size);
        assert_int_equal(rt_sign(key, RT_TYPE("result"), bytes, signature), RT_OK);
        assert_int_equal(rt_verify(public_key, RT_TYPE("result"), bytes, signature), RT_OK);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            body[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(rt_verify(public_key, RT_TYPE("result"), bytes, signature),
                             RT_BAD_SIGNATURE);
            body[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * sizeof signature; bit += 5) {
            signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(rt_verify(public_key, RT_TYPE("result"), bytes, signature),
                             RT_BAD_SIGNATURE);
            signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        rt_secret_key_free(key);
    }
}

static void test_notes(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS / 4; round++) {
        struct rt_secret_key *key = new_key();
        struct rt_vkey vkey, again;
        char name[32], text[RT_VKEY_TEXT_BYTES];
        snprintf(name, sizeof name, "log%llu.example/x", (unsigned long long)(next() % 1000000));
        assert_int_equal(rt_vkey_make(name, RT_NOTE_ED25519, rt_secret_key_public(key), &vkey),
                         RT_OK);
        rt_vkey_format(&vkey, text);
        assert_int_equal(rt_vkey_parse(rt_bytes_str(text), &again), RT_OK);
        assert_true(rt_vkey_equal(&vkey, &again));
        // The id covers name, type and key: no changed vkey is accepted.
        size_t size = strlen(text);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
            assert_int_not_equal(rt_vkey_parse(rt_bytes(text, size), &again), RT_OK);
            text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        }
        struct rt_buf note_bytes;
        rt_buf_init(&note_bytes, 4096);
        assert_int_equal(rt_note_sign(key, name, rt_bytes_str("a\nb\n"), &note_bytes), RT_OK);
        for (size_t bit = 0; bit < 8 * note_bytes.size; bit++) {
            struct rt_note note;
            note_bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (rt_note_parse(rt_buf_bytes(&note_bytes), &note) == RT_OK)
                assert_int_not_equal(rt_note_verify(&note, &vkey, NULL), RT_OK);
            note_bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        rt_buf_release(&note_bytes);
        rt_secret_key_free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_text),
        cmocka_unit_test(test_signed_bytes),
        cmocka_unit_test(test_notes),
    };
    return cmocka_run_group_tests_name("text", tests, start, NULL);
}
