// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/crypto/key.h"
#include "common/crypto/key_internal.h"

#define STACK_BYTES 4096
#define HEAD_MOST   512 // "DSSEv1", two lengths and a type

// libsodium signs one contiguous message, so the encoding is laid out whole; nearly every statement
// fits on the stack.
struct encoding {
    uint8_t stack[STACK_BYTES];
    uint8_t *heap;
    struct rt_bytes bytes;
};

static enum rt_status encode(struct encoding *encoding, const char *type, struct rt_bytes body)
{
    encoding->heap = NULL;
    if (body.size > RT_SIGN_BODY_MOST)
        return RT_TOO_LARGE;
    char head[HEAD_MOST];
    int written = snprintf(head, sizeof head, "DSSEv1 %zu %s %zu ", strlen(type), type, body.size);
    RT_ASSERT(written > 0 && (size_t)written < sizeof head);
    size_t head_size = (size_t)written;
    uint8_t *data = encoding->stack;
    if (head_size + body.size > sizeof encoding->stack) {
        data = malloc(head_size + body.size);
        if (!data)
            return RT_NO_MEMORY;
        encoding->heap = data;
    }
    memcpy(data, head, head_size);
    if (body.size)
        memcpy(data + head_size, body.data, body.size);
    encoding->bytes = rt_bytes(data, head_size + body.size);
    return RT_OK;
}

void rt_pae(const char *type, struct rt_bytes body, struct rt_buf *out)
{
    rt_buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, body.size);
    rt_buf_add_bytes(out, body);
}

enum rt_status rt_sign(const struct rt_secret_key *key, const char *type, struct rt_bytes body,
                       uint8_t ret_signature[RT_SIGNATURE_BYTES])
{
    struct encoding encoding;
    enum rt_status status = encode(&encoding, type, body);
    if (status)
        return status;
    rt_ed25519_sign(key, encoding.bytes, ret_signature);
    free(encoding.heap);
    return RT_OK;
}

enum rt_status rt_verify(const struct rt_public_key *key, const char *type, struct rt_bytes body,
                         const uint8_t signature[RT_SIGNATURE_BYTES])
{
    struct encoding encoding;
    enum rt_status status = encode(&encoding, type, body);
    if (status)
        return status;
    status = rt_ed25519_verify(key, encoding.bytes, signature);
    free(encoding.heap);
    return status;
}

void rt_ed25519_sign(const struct rt_secret_key *key, struct rt_bytes message,
                     uint8_t ret_signature[RT_SIGNATURE_BYTES])
{
    static const uint8_t nothing[1];
    RT_ASSERT(crypto_sign_detached(ret_signature, NULL, message.size ? message.data : nothing,
                                   message.size, key->secret) == 0);
}

enum rt_status rt_ed25519_verify(const struct rt_public_key *key, struct rt_bytes message,
                                 const uint8_t signature[RT_SIGNATURE_BYTES])
{
    static const uint8_t nothing[1];
    return crypto_sign_verify_detached(signature, message.size ? message.data : nothing,
                                       message.size, key->bytes) == 0
               ? RT_OK
               : RT_BAD_SIGNATURE;
}
