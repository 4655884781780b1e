// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/minisig.h"

#include <sodium.h>

#include "common/crypto/key_internal.h"

#define BLOB_BYTES     (2 + 8 + RT_SIGNATURE_BYTES)
#define PREHASH_BYTES  RT_MINISIG_HASH_BYTES
#define TRUSTED_PREFIX "trusted comment: "
#define GLOBAL_BYTES   (RT_SIGNATURE_BYTES + RT_MINISIG_COMMENT_MOST)

enum rt_status rt_minisig_parse(struct rt_bytes text, struct rt_minisig *ret_minisig)
{
    if (text.size > RT_MINISIG_MOST)
        return RT_TOO_LARGE;
    uint8_t blob[BLOB_BYTES];
    struct rt_bytes comment, line;
    if (rt_minisign_block(&text, blob, sizeof blob) || rt_minisign_line(&text, &comment) ||
        rt_minisign_line(&text, &line) || text.size)
        return RT_MALFORMED;
    size_t prefix = sizeof TRUSTED_PREFIX - 1;
    if (comment.size < prefix || memcmp(comment.data, TRUSTED_PREFIX, prefix) != 0)
        return RT_MALFORMED;
    struct rt_minisig minisig = {.trusted_comment =
                                     rt_bytes(comment.data + prefix, comment.size - prefix)};
    size_t decoded = 0;
    if (minisig.trusted_comment.size > RT_MINISIG_COMMENT_MOST ||
        !rt_minisign_comment_valid(minisig.trusted_comment) ||
        rt_base64_decode((const char *)line.data, line.size, minisig.global_signature,
                         sizeof minisig.global_signature, &decoded) ||
        decoded != sizeof minisig.global_signature)
        return RT_MALFORMED;
    if (memcmp(blob, "Ed", 2) == 0)
        return RT_UNSUPPORTED;
    if (memcmp(blob, "ED", 2) != 0)
        return RT_MALFORMED;
    memcpy(minisig.number.bytes, blob + 2, sizeof minisig.number.bytes);
    memcpy(minisig.signature, blob + 10, sizeof minisig.signature);
    *ret_minisig = minisig;
    return RT_OK;
}

static void prehash(struct rt_bytes file, uint8_t ret_hash[PREHASH_BYTES])
{
    crypto_generichash(ret_hash, PREHASH_BYTES, file.data, file.size, NULL, 0);
}

// The second signature covers the first and the trusted comment.
static struct rt_bytes global_message(const uint8_t signature[RT_SIGNATURE_BYTES],
                                      struct rt_bytes comment, uint8_t ret_message[GLOBAL_BYTES])
{
    memcpy(ret_message, signature, RT_SIGNATURE_BYTES);
    if (comment.size)
        memcpy(ret_message + RT_SIGNATURE_BYTES, comment.data, comment.size);
    return rt_bytes(ret_message, RT_SIGNATURE_BYTES + comment.size);
}

_Static_assert(sizeof(struct rt_minisig_hash) >= sizeof(crypto_generichash_state) &&
                   _Alignof(struct rt_minisig_hash) >= _Alignof(crypto_generichash_state),
               "holds libsodium's state");

static crypto_generichash_state *state_of(struct rt_minisig_hash *hash)
{
    return (crypto_generichash_state *)(void *)hash;
}

void rt_minisig_hash_init(struct rt_minisig_hash *hash)
{
    RT_ASSERT(crypto_generichash_init(state_of(hash), NULL, 0, PREHASH_BYTES) == 0);
}

void rt_minisig_hash_add(struct rt_minisig_hash *hash, struct rt_bytes part)
{
    if (part.size)
        RT_ASSERT(crypto_generichash_update(state_of(hash), part.data, part.size) == 0);
}

void rt_minisig_hash_final(struct rt_minisig_hash *hash, uint8_t ret_hash[PREHASH_BYTES])
{
    RT_ASSERT(crypto_generichash_final(state_of(hash), ret_hash, PREHASH_BYTES) == 0);
}

enum rt_status rt_minisig_verify(const struct rt_minisig *minisig, struct rt_bytes file,
                                 const struct rt_public_key *key,
                                 const struct rt_key_number *number)
{
    uint8_t hash[PREHASH_BYTES];
    prehash(file, hash);
    return rt_minisig_verify_hash(minisig, hash, key, number);
}

enum rt_status rt_minisig_verify_hash(const struct rt_minisig *minisig,
                                      const uint8_t hash[PREHASH_BYTES],
                                      const struct rt_public_key *key,
                                      const struct rt_key_number *number)
{
    if (number && memcmp(number->bytes, minisig->number.bytes, sizeof number->bytes) != 0)
        return RT_UNKNOWN_KEY;
    uint8_t message[GLOBAL_BYTES];
    enum rt_status status =
        rt_ed25519_verify(key, rt_bytes(hash, PREHASH_BYTES), minisig->signature);
    if (status)
        return status;
    return rt_ed25519_verify(key,
                             global_message(minisig->signature, minisig->trusted_comment, message),
                             minisig->global_signature);
}

enum rt_status rt_minisig_sign(const struct rt_secret_key *key, struct rt_bytes file,
                               const char *trusted_comment, struct rt_buf *out)
{
    struct rt_bytes comment = rt_bytes_str(trusted_comment);
    if (comment.size > RT_MINISIG_COMMENT_MOST || !rt_minisign_comment_valid(comment))
        return RT_MALFORMED;
    uint8_t hash[PREHASH_BYTES], message[GLOBAL_BYTES];
    uint8_t blob[BLOB_BYTES], global[RT_SIGNATURE_BYTES];
    prehash(file, hash);
    memcpy(blob, "ED", 2);
    memcpy(blob + 2, key->number.bytes, sizeof key->number.bytes);
    rt_ed25519_sign(key, rt_bytes(hash, sizeof hash), blob + 10);
    rt_ed25519_sign(key, global_message(blob + 10, comment, message), global);
    rt_buf_add_str(out, "untrusted comment: signature from a ringtrial secret key\n");
    rt_base64_add(out, blob, sizeof blob);
    rt_buf_printf(out, "\n" TRUSTED_PREFIX "%s\n", trusted_comment);
    rt_base64_add(out, global, sizeof global);
    rt_buf_add_str(out, "\n");
    return rt_buf_ok(out);
}
