// SPDX-License-Identifier: Apache-2.0
#include "proto/msgpack.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/json.h"

static json_t *load(const char *path)
{
    struct rt_error err = {RT_OK, ""};
    struct rt_buf text;
    rt_buf_init(&text, 1 << 22);
    json_t *json = NULL;
    if (rt_file_read(path, &text, &err) || rt_json_parse(rt_buf_bytes(&text), &json, &err))
        fail_msg("%s", err.text);
    rt_buf_release(&text);
    return json;
}

static size_t unhex(const char *hex, uint8_t **ret_data)
{
    size_t size = strlen(hex) / 2;
    // Exact, so that a sanitizer sees a read past the end.
    *ret_data = malloc(size ? size : 1);
    assert_int_equal(rt_hex_decode(hex, size * 2, *ret_data, size), RT_OK);
    return size;
}

// Verdict and broken clause of every reference case.
static void test_vectors(void **state)
{
    (void)state;
    json_t *cases = load(RT_VECTORS "/evidence/msgpack/strict.json");
    assert_int_equal(json_array_size(cases), 711);
    size_t i, accepted = 0;
    json_t *one;
    json_array_foreach(cases, i, one)
    {
        const char *hex = json_string_value(json_object_get(one, "hex"));
        bool accept = strcmp(json_string_value(json_object_get(one, "want")), "accept") == 0;
        uint8_t *data = NULL;
        size_t size = unhex(hex, &data);
        assert_int_equal(size, json_integer_value(json_object_get(one, "len")));
        const char *reason = "";
        enum rt_status status = rt_msgpack_check(rt_bytes(data, size), &reason);
        if ((status == RT_OK) != accept)
            fail_msg("case %zu (%s): %s", i, hex, reason);
        if (strcmp(reason, json_string_value(json_object_get(one, "reason"))) != 0)
            fail_msg("case %zu (%s): %s, expected %s", i, hex, reason,
                     json_string_value(json_object_get(one, "reason")));
        accepted += accept;
        free(data);
    }
    assert_int_equal(accepted, 400);
    json_decref(cases);
}

static void expect_hex(struct rt_buf *out, const char *hex)
{
    char text[256];
    assert_int_equal(rt_buf_ok(out), RT_OK);
    assert_true(out->size * 2 < sizeof text);
    rt_hex_encode(out->data, out->size, text);
    assert_string_equal(text, hex);
    assert_int_equal(rt_msgpack_check(rt_buf_bytes(out), NULL), RT_OK);
    rt_buf_clear(out);
}

static void test_writer_is_shortest(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *hex;
    } ints[] = {
        {0, "00"},
        {127, "7f"},
        {128, "cc80"},
        {255, "ccff"},
        {256, "cd0100"},
        {65535, "cdffff"},
        {65536, "ce00010000"},
        {UINT32_MAX, "ceffffffff"},
        {INT64_C(4294967296), "cf0000000100000000"},
        {INT64_MAX, "cf7fffffffffffffff"},
        {-1, "ff"},
        {-32, "e0"},
        {-33, "d0df"},
        {-128, "d080"},
        {-129, "d1ff7f"},
        {-32768, "d18000"},
        {-32769, "d2ffff7fff"},
        {INT32_MIN, "d280000000"},
        {INT64_C(-2147483649), "d3ffffffff7fffffff"},
        {INT64_MIN, "d38000000000000000"},
    };
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        rt_msgpack_put_i64(&out, ints[i].value);
        expect_hex(&out, ints[i].hex);
        if (ints[i].value < 0)
            continue;
        rt_msgpack_put_u64(&out, (uint64_t)ints[i].value);
        expect_hex(&out, ints[i].hex);
    }
    rt_msgpack_put_u64(&out, UINT64_MAX);
    expect_hex(&out, "cfffffffffffffffff");
    rt_msgpack_put_nil(&out);
    expect_hex(&out, "c0");
    rt_msgpack_put_bool(&out, true);
    expect_hex(&out, "c3");
    rt_msgpack_put_bool(&out, false);
    expect_hex(&out, "c2");
    rt_msgpack_put_double(&out, -0.0);
    expect_hex(&out, "cb0000000000000000");
    rt_msgpack_put_double(&out, 0.5);
    expect_hex(&out, "cb3fe0000000000000");
    rt_msgpack_put_str(&out, rt_bytes_str("é"));
    expect_hex(&out, "a2c3a9");
    rt_msgpack_put_bin(&out, rt_bytes(NULL, 0));
    expect_hex(&out, "c400");
    rt_msgpack_put_map(&out, 1);
    rt_msgpack_put_str(&out, rt_bytes_str("a"));
    rt_msgpack_put_array(&out, 0);
    expect_hex(&out, "81a16190");
    rt_buf_release(&out);
}

static void test_writer_refuses(void **state)
{
    (void)state;
    const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    struct rt_buf out;
    rt_buf_init(&out, 100);
    for (size_t i = 0; i < 3; i++) {
        rt_msgpack_put_double(&out, bad[i]);
        assert_int_equal(rt_buf_ok(&out), RT_MALFORMED);
        rt_buf_clear(&out);
    }
    rt_msgpack_put_str(&out, rt_bytes("\xff", 1));
    assert_int_equal(rt_buf_ok(&out), RT_MALFORMED);
    rt_buf_clear(&out);
    rt_msgpack_put_str(&out, rt_bytes("a\0b", 3));
    assert_int_equal(rt_buf_ok(&out), RT_MALFORMED);
    rt_buf_clear(&out);
    uint8_t big[200] = {0};
    rt_msgpack_put_bin(&out, rt_bytes(big, sizeof big));
    assert_int_equal(rt_buf_ok(&out), RT_TOO_LARGE);
    rt_buf_release(&out);
}

static void test_reader_sticks(void **state)
{
    (void)state;
    // [-1, 2^63, "a"]
    static const uint8_t bytes[] = {0x93, 0xff, 0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0, 0xa1, 'a'};
    struct rt_msgpack_reader reader;
    rt_msgpack_reader_init(&reader, rt_bytes(bytes, sizeof bytes));
    assert_int_equal(rt_msgpack_array(&reader), 3);
    assert_int_equal(rt_msgpack_peek(&reader), RT_MSGPACK_INT);
    struct rt_msgpack_reader other = reader;
    assert_int_equal(rt_msgpack_u64(&other), 0);
    assert_int_equal(other.failed, RT_OUT_OF_RANGE);
    assert_string_equal(other.reason, "negative number");
    size_t at = other.at;
    assert_int_equal(rt_msgpack_peek(&other), RT_MSGPACK_NONE);
    assert_int_equal(rt_msgpack_str(&other).size, 0);
    assert_int_equal(rt_msgpack_array(&other), 0);
    assert_int_equal(rt_msgpack_skip(&other).size, 0);
    assert_int_equal(other.at, at);
    assert_int_equal(rt_msgpack_end(&other), RT_OUT_OF_RANGE);
    assert_true(rt_msgpack_i64(&reader) == -1);
    other = reader;
    assert_true(rt_msgpack_i64(&other) == 0);
    assert_int_equal(other.failed, RT_OUT_OF_RANGE);
    assert_true(rt_msgpack_u64(&reader) == UINT64_C(1) << 63);
    other = reader;
    assert_int_equal(rt_msgpack_bin(&other).size, 0);
    assert_int_equal(other.failed, RT_MALFORMED);
    other = reader;
    assert_int_equal(rt_msgpack_end(&other), RT_MALFORMED);
    assert_string_equal(other.reason, "trailing bytes");
    assert_true(rt_bytes_equal_str(rt_msgpack_str(&reader), "a"));
    assert_int_equal(rt_msgpack_end(&reader), RT_OK);
    rt_msgpack_fail(&reader, RT_CONFLICT, "mine");
    rt_msgpack_fail(&reader, RT_IO, "later");
    assert_int_equal(rt_msgpack_end(&reader), RT_CONFLICT);
    assert_string_equal(reader.reason, "mine");
}

static void test_keys_ascend(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x83, 0xa1, 'a', 1, 0xa2, 'a', 'a', 2, 0xa1, 'b', 3};
    struct rt_msgpack_reader reader;
    rt_msgpack_reader_init(&reader, rt_bytes(bytes, sizeof bytes));
    assert_int_equal(rt_msgpack_map(&reader), 3);
    struct rt_bytes previous = {NULL, 0};
    for (uint64_t i = 1; i <= 3; i++) {
        assert_true(rt_msgpack_key(&reader, &previous).size > 0);
        assert_true(rt_msgpack_u64(&reader) == i);
    }
    assert_int_equal(rt_msgpack_end(&reader), RT_OK);
    assert_true(rt_bytes_equal_str(previous, "b"));
}

// The five bytes that drive msgpack-c to gigabytes are refused by their count.
static void test_huge_counts(void **state)
{
    (void)state;
    static const uint8_t bytes[][6] = {{0xdd, 0x10, 0, 0, 0, 0},
                                       {0xdf, 0x10, 0, 0, 0, 0},
                                       {0xc6, 0xff, 0, 0, 0, 0},
                                       {0xdb, 0xff, 0, 0, 0, 0}};
    for (size_t i = 0; i < 4; i++) {
        const char *reason = NULL;
        assert_int_equal(rt_msgpack_check(rt_bytes(bytes[i], 5), &reason), RT_MALFORMED);
        assert_string_equal(reason, i < 2 ? "count exceeds remaining bytes" : "truncated");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),        cmocka_unit_test(test_writer_is_shortest),
        cmocka_unit_test(test_writer_refuses), cmocka_unit_test(test_reader_sticks),
        cmocka_unit_test(test_keys_ascend),    cmocka_unit_test(test_huge_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
