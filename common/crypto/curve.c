// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/curve.h"

#include <sodium.h>

#include "common/base/file.h"

#define PUBLIC_PREFIX "rt-curve:"
#define SECRET_PREFIX "rt-curve-secret:"
#define BASE64_BYTES  RT_BASE64_SIZE(RT_CURVE_KEY_BYTES)
#define FILE_MOST     256

struct rt_curve_secret {
    uint8_t secret[RT_CURVE_KEY_BYTES];
    struct rt_curve_public public_key;
};

enum rt_status rt_curve_from_bytes(const uint8_t bytes[RT_CURVE_KEY_BYTES],
                                   struct rt_curve_secret **ret_secret)
{
    struct rt_curve_secret *secret = sodium_malloc(sizeof *secret);
    if (!secret)
        return RT_NO_MEMORY;
    memcpy(secret->secret, bytes, sizeof secret->secret);
    RT_ASSERT(crypto_scalarmult_base(secret->public_key.bytes, secret->secret) == 0);
    (void)sodium_mprotect_readonly(secret); // as for signing keys
    *ret_secret = secret;
    return RT_OK;
}

enum rt_status rt_curve_generate(struct rt_curve_secret **ret_secret)
{
    uint8_t bytes[RT_CURVE_KEY_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    enum rt_status status = rt_curve_from_bytes(bytes, ret_secret);
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

void rt_curve_free(struct rt_curve_secret *secret)
{
    sodium_free(secret);
}

const struct rt_curve_public *rt_curve_secret_public(const struct rt_curve_secret *secret)
{
    return &secret->public_key;
}

const uint8_t *rt_curve_secret_bytes(const struct rt_curve_secret *secret)
{
    return secret->secret;
}

bool rt_curve_public_equal(const struct rt_curve_public *a, const struct rt_curve_public *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void rt_curve_public_format(const struct rt_curve_public *key, char *ret_text)
{
    memcpy(ret_text, PUBLIC_PREFIX, sizeof PUBLIC_PREFIX - 1);
    rt_base64_encode(key->bytes, sizeof key->bytes, ret_text + sizeof PUBLIC_PREFIX - 1);
}

// prefix and 44 characters of base64, nothing else.
static enum rt_status parse_text(struct rt_bytes text, const char *prefix,
                                 uint8_t ret_bytes[RT_CURVE_KEY_BYTES])
{
    size_t prefix_size = strlen(prefix), decoded = 0;
    if (text.size != prefix_size + BASE64_BYTES || memcmp(text.data, prefix, prefix_size) != 0 ||
        rt_base64_decode((const char *)text.data + prefix_size, BASE64_BYTES, ret_bytes,
                         RT_CURVE_KEY_BYTES, &decoded) ||
        decoded != RT_CURVE_KEY_BYTES)
        return RT_MALFORMED;
    return RT_OK;
}

enum rt_status rt_curve_public_parse(struct rt_bytes text, struct rt_curve_public *ret_key)
{
    struct rt_curve_public key;
    if (parse_text(text, PUBLIC_PREFIX, key.bytes))
        return RT_MALFORMED;
    // libsodium reports a small-order point by an all-zero shared secret, whatever the scalar.
    static const uint8_t scalar[RT_CURVE_KEY_BYTES] = {1};
    uint8_t shared[RT_CURVE_KEY_BYTES];
    if (crypto_scalarmult(shared, scalar, key.bytes))
        return RT_MALFORMED;
    *ret_key = key;
    return RT_OK;
}

enum rt_status rt_curve_file_parse(struct rt_bytes file, struct rt_curve_secret **ret_secret)
{
    size_t first = sizeof SECRET_PREFIX - 1 + BASE64_BYTES;
    size_t second = sizeof PUBLIC_PREFIX - 1 + BASE64_BYTES;
    if (file.size != first + 1 + second + 1 || file.data[first] != '\n' ||
        file.data[first + 1 + second] != '\n')
        return RT_MALFORMED;
    struct rt_curve_public stated;
    if (rt_curve_public_parse(rt_bytes(file.data + first + 1, second), &stated))
        return RT_MALFORMED;
    uint8_t bytes[RT_CURVE_KEY_BYTES];
    struct rt_curve_secret *secret = NULL;
    enum rt_status status = parse_text(rt_bytes(file.data, first), SECRET_PREFIX, bytes);
    if (!status)
        status = rt_curve_from_bytes(bytes, &secret);
    sodium_memzero(bytes, sizeof bytes);
    if (!status && !rt_curve_public_equal(&stated, &secret->public_key)) {
        rt_curve_free(secret);
        status = RT_MALFORMED;
    }
    if (!status)
        *ret_secret = secret;
    return status;
}

enum rt_status rt_curve_load(const char *path, struct rt_curve_secret **ret_secret,
                             struct rt_error *err)
{
    struct rt_buf file;
    rt_buf_init(&file, FILE_MOST);
    enum rt_status status = rt_file_check_private(path, err);
    if (!status)
        status = rt_file_read(path, &file, err);
    if (!status) {
        status = rt_curve_file_parse(rt_buf_bytes(&file), ret_secret);
        if (status)
            rt_error_set(err, status, "%s: not a usable rt-curve key file (%s)", path,
                         rt_status_text(status));
    }
    if (file.data)
        sodium_memzero(file.data, file.capacity);
    rt_buf_release(&file);
    return status;
}

enum rt_status rt_curve_save(const char *path, const struct rt_curve_secret *secret,
                             struct rt_error *err)
{
    char text[FILE_MOST];
    char *at = text;
    memcpy(at, SECRET_PREFIX, sizeof SECRET_PREFIX - 1);
    at += sizeof SECRET_PREFIX - 1;
    rt_base64_encode(secret->secret, sizeof secret->secret, at);
    at += BASE64_BYTES;
    *at++ = '\n';
    rt_curve_public_format(&secret->public_key, at);
    at += RT_CURVE_TEXT_BYTES - 1;
    *at++ = '\n';
    enum rt_status status = rt_file_create(path, rt_bytes(text, (size_t)(at - text)), 0600, err);
    sodium_memzero(text, sizeof text);
    return status;
}
