// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/hash.h"

#include "tests/unit/crypto/vectors.h"

static void expect(const struct rt_digest *digest, const char *hex)
{
    char text[2 * RT_DIGEST_BYTES + 1];
    rt_hex_encode(digest->bytes, sizeof digest->bytes, text);
    assert_string_equal(text, hex);
}

// FIPS 180-4's examples.
static void test_known_answers(void **state)
{
    (void)state;
    struct rt_digest digest;
    rt_sha256(rt_bytes(NULL, 0), &digest);
    expect(&digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    rt_sha256(rt_bytes_str("abc"), &digest);
    expect(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    rt_sha256(rt_bytes_str("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), &digest);
    expect(&digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_parts(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    struct rt_digest whole, parts;
    rt_sha256(rt_bytes(data, sizeof data), &whole);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        struct rt_sha256_state hash;
        rt_sha256_init(&hash);
        rt_sha256_update(&hash, data, cut);
        struct rt_sha256_state copy = hash; // the state may be copied
        rt_sha256_update(&copy, data + cut, sizeof data - cut);
        rt_sha256_final(&copy, &parts);
        assert_true(rt_digest_equal(&whole, &parts));
    }
}

// RFC 4231 cases 1, 2 and 6 (a key longer than a block).
static void test_hmac(void **state)
{
    (void)state;
    struct rt_digest digest;
    uint8_t key[131];
    memset(key, 0x0b, 20);
    rt_hmac_sha256(rt_bytes(key, 20), rt_bytes_str("Hi There"), &digest);
    expect(&digest, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    rt_hmac_sha256(rt_bytes_str("Jefe"), rt_bytes_str("what do ya want for nothing?"), &digest);
    expect(&digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    rt_hmac_sha256(rt_bytes(key, sizeof key),
                   rt_bytes_str("Test Using Larger Than Block-Size Key - Hash Key First"), &digest);
    expect(&digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_text(void **state)
{
    (void)state;
    struct rt_digest digest, again;
    char text[RT_DIGEST_TEXT_BYTES + 1];
    rt_sha256(rt_bytes_str("abc"), &digest);
    rt_digest_format(&digest, text);
    assert_string_equal(text,
                        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(strlen(text) + 1, RT_DIGEST_TEXT_BYTES);
    assert_int_equal(rt_digest_parse(rt_bytes_str(text), &again), RT_OK);
    assert_true(rt_digest_equal(&digest, &again));
    assert_int_equal(rt_digest_compare(&digest, &again), 0);
    again.bytes[31] ^= 1;
    assert_false(rt_digest_equal(&digest, &again));

    const char *const wrong[] = {
        "",
        "sha256:",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015add",
        "sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(rt_digest_parse(rt_bytes_str(wrong[i]), &again), RT_MALFORMED);
}

// Every byte has a word of its own, in every place, and the longest ten fit.
static void test_words(void **state)
{
    (void)state;
    char last[RT_DIGEST_WORDS_BYTES] = "", text[RT_DIGEST_WORDS_BYTES];
    for (unsigned byte = 0; byte < 256; byte++) {
        struct rt_digest digest;
        memset(digest.bytes, (int)byte, sizeof digest.bytes);
        memset(text, '#', sizeof text);
        rt_digest_words(&digest, text);
        assert_non_null(memchr(text, 0, sizeof text));
        size_t words = 1;
        for (const char *c = text; *c; c++)
            words += *c == ' ';
        assert_int_equal(words, RT_DIGEST_WORDS);
        if (byte)
            assert_true(strcmp(last, text) < 0); // the list is sorted, so no word comes twice
        memcpy(last, text, sizeof last);
    }
    struct rt_digest digest;
    rt_sha256(rt_bytes_str("abc"), &digest);
    rt_digest_words(&digest, text);
    assert_string_equal(text, "pigeon insect basil poem lizard acorn robin tiger crane crane");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_hmac),          cmocka_unit_test(test_text),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
