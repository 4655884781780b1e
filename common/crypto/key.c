// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/key.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/crypto/key_internal.h"

_Static_assert(RT_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "libsodium's secret key");
_Static_assert(RT_SIGNATURE_BYTES == crypto_sign_BYTES, "libsodium's signature");

enum rt_status rt_crypto_init(void)
{
    if (sodium_init() < 0)
        return RT_IO;
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none))
        return RT_IO;
#ifndef RT_SANITIZED // the leak checker attaches to its own process, which this would forbid
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return RT_IO;
#endif
    return RT_OK;
}

void rt_key_number_derive(const struct rt_public_key *key, struct rt_key_number *ret_number)
{
    struct rt_digest digest;
    rt_sha256(rt_bytes(key->bytes, sizeof key->bytes), &digest);
    memcpy(ret_number->bytes, digest.bytes, sizeof ret_number->bytes);
}

enum rt_status rt_secret_key_make(const uint8_t seed[RT_KEY_SEED_BYTES],
                                  const struct rt_key_number *number,
                                  struct rt_secret_key **ret_key)
{
    struct rt_secret_key *key = sodium_malloc(sizeof *key);
    if (!key)
        return RT_NO_MEMORY;
    RT_ASSERT(crypto_sign_seed_keypair(key->public_key.bytes, key->secret, seed) == 0);
    if (number)
        key->number = *number;
    else
        rt_key_number_derive(&key->public_key, &key->number);
    // A stray write must not turn a key into another one. Failure leaves it writable, no worse.
    (void)sodium_mprotect_readonly(key);
    *ret_key = key;
    return RT_OK;
}

enum rt_status rt_secret_key_from_seed(const uint8_t seed[RT_KEY_SEED_BYTES],
                                       struct rt_secret_key **ret_key)
{
    return rt_secret_key_make(seed, NULL, ret_key);
}

enum rt_status rt_secret_key_generate(struct rt_secret_key **ret_key)
{
    uint8_t seed[RT_KEY_SEED_BYTES];
    randombytes_buf(seed, sizeof seed);
    enum rt_status status = rt_secret_key_make(seed, NULL, ret_key);
    sodium_memzero(seed, sizeof seed);
    return status;
}

void rt_secret_key_free(struct rt_secret_key *key)
{
    sodium_free(key); // wipes first, and takes NULL
}

const struct rt_public_key *rt_secret_key_public(const struct rt_secret_key *key)
{
    return &key->public_key;
}

const struct rt_key_number *rt_secret_key_number(const struct rt_secret_key *key)
{
    return &key->number;
}

bool rt_public_key_equal(const struct rt_public_key *a, const struct rt_public_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

enum rt_status rt_public_key_check(const struct rt_public_key *key)
{
    return crypto_core_ed25519_is_valid_point(key->bytes) == 1 ? RT_OK : RT_MALFORMED;
}

void rt_key_id(const struct rt_public_key *key, char *ret_text)
{
    struct rt_key_number number;
    rt_key_number_derive(key, &number);
    rt_hex_encode(number.bytes, sizeof number.bytes, ret_text);
}

void rt_key_words(const struct rt_public_key *key, char *ret_text)
{
    struct rt_digest digest;
    rt_sha256(rt_bytes(key->bytes, sizeof key->bytes), &digest);
    rt_digest_words(&digest, ret_text);
}
