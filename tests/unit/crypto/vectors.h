// SPDX-License-Identifier: Apache-2.0
// Reads the test vectors: JSON files of tests/vectors/evidence, and the bytes in them. Any failure
// here fails the test. Data sets of other projects are read from the folder that the variable
// RT_THIRD_PARTY_VECTORS names, and those tests are skipped where it is not set.
#ifndef RT_TESTS_CRYPTO_VECTORS_H
#define RT_TESTS_CRYPTO_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/crypto/hash.h"

// The whole file at base/name.
static inline struct rt_buf vector_file_at(const char *base, const char *name)
{
    char path[1024];
    struct rt_error err = {RT_OK, ""};
    struct rt_buf file;
    rt_buf_init(&file, 1 << 24);
    assert_int_equal(rt_path_join(path, sizeof path, base, name), RT_OK);
    if (rt_file_read(path, &file, &err))
        fail_msg("%s", err.text);
    return file;
}

static inline struct rt_buf vector_file(const char *name)
{
    return vector_file_at(RT_VECTORS "/evidence", name);
}

static inline json_t *vector_json_at(const char *base, const char *name)
{
    struct rt_buf file = vector_file_at(base, name);
    struct rt_error err = {RT_OK, ""};
    json_t *json = NULL;
    if (rt_json_parse(rt_buf_bytes(&file), &json, &err))
        fail_msg("%s: %s", name, err.text);
    rt_buf_release(&file);
    return json;
}

static inline json_t *vector_json(const char *name)
{
    return vector_json_at(RT_VECTORS "/evidence", name);
}

static inline const char *vector_str(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    if (!text)
        fail_msg("no text under %s", key);
    return text;
}

static inline struct rt_bytes vector_text(const json_t *json, const char *key)
{
    json_t *value = json_object_get(json, key);
    assert_true(json_is_string(value));
    return rt_bytes(json_string_value(value), json_string_length(value));
}

// The bytes that hex spells; the caller releases them.
static inline struct rt_buf vector_hex(const char *hex)
{
    struct rt_buf out;
    rt_buf_init(&out, 1 << 24);
    size_t size = strlen(hex) / 2;
    if (size) {
        uint8_t *data = rt_buf_extend(&out, size);
        assert_non_null(data);
        assert_int_equal(rt_hex_decode(hex, 2 * size, data, size), RT_OK);
    }
    return out;
}

static inline void vector_fixed(const json_t *json, const char *key, uint8_t *ret_data, size_t size)
{
    const char *hex = vector_str(json, key);
    assert_int_equal(rt_hex_decode(hex, strlen(hex), ret_data, size), RT_OK);
}

static inline struct rt_digest vector_digest(const char *hex)
{
    struct rt_digest digest;
    assert_int_equal(rt_hex_decode(hex, strlen(hex), digest.bytes, sizeof digest.bytes), RT_OK);
    return digest;
}

static inline bool vector_wants(const json_t *json, const char *want)
{
    return strcmp(vector_str(json, "want"), want) == 0;
}

// RT_THIRD_PARTY_VECTORS, or skip the running test.
static inline const char *vector_third_party(void)
{
    const char *base = getenv("RT_THIRD_PARTY_VECTORS");
    if (!base)
        skip();
    return base;
}

#endif
