// SPDX-License-Identifier: Apache-2.0
// The one-shot EVP calls of OpenSSL 3 fetch an algorithm and allocate a context each time, which
// costs several times the hash of a short leaf; the SHA256_* functions reach the same assembly with
// neither.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#define TEXT_PREFIX "sha256:"
#define BLOCK_BYTES 64

_Static_assert(sizeof(struct rt_sha256_state) >= sizeof(SHA256_CTX), "state holds the context");
_Static_assert(_Alignof(struct rt_sha256_state) >= _Alignof(SHA256_CTX), "and is aligned for it");

static SHA256_CTX *context(struct rt_sha256_state *state)
{
    return (SHA256_CTX *)(void *)state;
}

void rt_sha256_init(struct rt_sha256_state *state)
{
    RT_ASSERT(SHA256_Init(context(state)) == 1);
}

void rt_sha256_update(struct rt_sha256_state *state, const void *data, size_t size)
{
    if (size)
        RT_ASSERT(SHA256_Update(context(state), data, size) == 1);
}

void rt_sha256_final(struct rt_sha256_state *state, struct rt_digest *ret_digest)
{
    RT_ASSERT(SHA256_Final(ret_digest->bytes, context(state)) == 1);
}

void rt_sha256(struct rt_bytes data, struct rt_digest *ret_digest)
{
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    rt_sha256_update(&state, data.data, data.size);
    rt_sha256_final(&state, ret_digest);
}

void rt_hmac_sha256(struct rt_bytes key, struct rt_bytes data, struct rt_digest *ret_digest)
{
    uint8_t padded[BLOCK_BYTES] = {0};
    struct rt_digest hashed;
    if (key.size > BLOCK_BYTES) {
        rt_sha256(key, &hashed);
        memcpy(padded, hashed.bytes, sizeof hashed.bytes);
    } else if (key.size) {
        memcpy(padded, key.data, key.size);
    }
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        padded[i] ^= 0x36;
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    rt_sha256_update(&state, padded, BLOCK_BYTES);
    rt_sha256_update(&state, data.data, data.size);
    rt_sha256_final(&state, &hashed);
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        padded[i] ^= 0x36 ^ 0x5c;
    rt_sha256_init(&state);
    rt_sha256_update(&state, padded, BLOCK_BYTES);
    rt_sha256_update(&state, hashed.bytes, sizeof hashed.bytes);
    rt_sha256_final(&state, ret_digest);
    // The padded key is as good as the key.
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(&state, sizeof state);
}

void rt_digest_format(const struct rt_digest *digest, char *ret_text)
{
    memcpy(ret_text, TEXT_PREFIX, sizeof TEXT_PREFIX - 1);
    rt_hex_encode(digest->bytes, sizeof digest->bytes, ret_text + sizeof TEXT_PREFIX - 1);
}

enum rt_status rt_digest_parse(struct rt_bytes text, struct rt_digest *ret_digest)
{
    if (text.size != RT_DIGEST_TEXT_BYTES - 1 ||
        memcmp(text.data, TEXT_PREFIX, sizeof TEXT_PREFIX - 1) != 0)
        return RT_MALFORMED;
    struct rt_digest digest;
    if (rt_hex_decode((const char *)text.data + sizeof TEXT_PREFIX - 1, 2 * RT_DIGEST_BYTES,
                      digest.bytes, sizeof digest.bytes))
        return RT_MALFORMED;
    *ret_digest = digest;
    return RT_OK;
}

bool rt_digest_equal(const struct rt_digest *a, const struct rt_digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int rt_digest_compare(const struct rt_digest *a, const struct rt_digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}
