// SPDX-License-Identifier: Apache-2.0
#include "proto/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/msgpack.h"

static struct rt_arena arena;
static struct rt_buf out;

static int start(void **state)
{
    (void)state;
    rt_arena_init(&arena, 8 << 20);
    rt_buf_init(&out, 8 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    rt_buf_release(&out);
    return 0;
}

static struct rt_message_want want(void)
{
    return (struct rt_message_want){.campaign = {{1, 2, 3}}, .units = 16, .trials = 32};
}

static void test_limits_name_the_field(void **state)
{
    (void)state;
    const char *field = NULL;
    struct rt_message_want bad = want();
    bad.units = RT_CREDIT_MOST + 1;
    assert_int_equal(rt_message_want_encode(&bad, &out, &field), RT_OUT_OF_RANGE);
    assert_string_equal(field, "units");
    assert_int_equal(out.size, 0);

    struct rt_message_give_back back = {.reason = rt_bytes_str("line\nbreak")};
    assert_int_equal(rt_message_give_back_encode(&back, &out, &field), RT_MALFORMED);
    assert_string_equal(field, "reason");
    back.reason = rt_bytes("\xff", 1);
    assert_int_equal(rt_message_give_back_encode(&back, &out, &field), RT_MALFORMED);
    assert_string_equal(field, "reason");

    struct rt_message_hello hello = {
        .version_least = 2, .version_most = 1, .software = rt_bytes_str("w/1")};
    assert_int_equal(rt_message_hello_encode(&hello, &out, &field), RT_MALFORMED);
    assert_string_equal(field, "");
    assert_int_equal(out.size, 0);

    struct rt_message_error error = {.code = 12, .about = rt_bytes("0123", 4)};
    assert_int_equal(rt_message_error_encode(&error, &out, &field), RT_OUT_OF_RANGE);
    assert_string_equal(field, "about");

    struct rt_bytes empty = {NULL, 0};
    struct rt_message_submit submit = {
        .statement = rt_bytes_str("x"), .objects = &empty, .objects_count = 1};
    assert_int_equal(rt_message_submit_encode(&submit, &out, &field), RT_OUT_OF_RANGE);
    assert_string_equal(field, "objects");
    assert_int_equal(out.size, 0);
}

// What is in the buffer before stays, and so does a failure that was there.
static void test_appends(void **state)
{
    (void)state;
    struct rt_message_want message = want();
    rt_buf_add_str(&out, "before");
    assert_int_equal(rt_message_want_encode(&message, &out, NULL), RT_OK);
    size_t size = out.size;
    message.units = 5000;
    assert_int_equal(rt_message_want_encode(&message, &out, NULL), RT_OUT_OF_RANGE);
    assert_int_equal(out.size, size);
    assert_int_equal(rt_buf_ok(&out), RT_OK);
    struct rt_message decoded;
    assert_int_equal(
        rt_message_decode(rt_bytes(out.data + 6, out.size - 6), &arena, &decoded, NULL), RT_OK);
    assert_int_equal(decoded.type, RT_MESSAGE_WANT);
    assert_int_equal(decoded.body.want.units, 16);
    out.failed = RT_NO_MEMORY;
    message.units = 1;
    assert_int_equal(rt_message_want_encode(&message, &out, NULL), RT_NO_MEMORY);
    rt_buf_clear(&out);
}

static void test_payload_ends_at_a_million(void **state)
{
    (void)state;
    uint8_t *blob = calloc(1, 600000);
    struct rt_bytes objects[2] = {rt_bytes(blob, 499900), rt_bytes(blob, 500000)};
    struct rt_message_submit submit = {
        .statement = rt_bytes_str("x"), .objects = objects, .objects_count = 2};
    // Everything but the second object's bytes: heads of 1, 1, 2, 1, 5 and 5 bytes, and `x`.
    size_t rest = 16 + objects[0].size;
    objects[1].size = RT_PAYLOAD_MOST - rest;
    assert_int_equal(rt_message_submit_encode(&submit, &out, NULL), RT_OK);
    assert_int_equal(out.size, RT_PAYLOAD_MOST);
    struct rt_message message;
    assert_int_equal(rt_message_decode(rt_buf_bytes(&out), &arena, &message, NULL), RT_OK);
    assert_int_equal(message.body.submit.objects[1].size, objects[1].size);
    rt_buf_add_u8(&out, 0);
    assert_int_equal(rt_message_decode(rt_buf_bytes(&out), &arena, &message, NULL), RT_TOO_LARGE);
    rt_buf_clear(&out);
    objects[1].size++;
    assert_int_equal(rt_message_submit_encode(&submit, &out, NULL), RT_TOO_LARGE);
    assert_int_equal(out.size, 0);
    free(blob);
}

static enum rt_status decode(const char *bytes, size_t size, const char **ret_field)
{
    struct rt_message message;
    return rt_message_decode(rt_bytes(bytes, size), &arena, &message, ret_field);
}

static void test_refused_frames(void **state)
{
    (void)state;
    const char *field = NULL;
    assert_int_equal(decode("", 0, &field), RT_MALFORMED);
    assert_int_equal(decode("\x90", 1, &field), RT_MALFORMED);
    assert_int_equal(decode("\x91\xa1x", 3, &field), RT_MALFORMED);
    assert_int_equal(decode("\x91\x00", 2, &field), RT_UNSUPPORTED);
    assert_int_equal(decode("\x91\x11", 2, &field), RT_UNSUPPORTED);
    assert_int_equal(decode("\x91\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 10, &field),
                     RT_UNSUPPORTED);
    assert_int_equal(decode("\x91\x0e", 2, &field), RT_MALFORMED);           // ADMIN, arity 0
    assert_int_equal(decode("\x93\x0e\xa2{}\xc0", 6, &field), RT_MALFORMED); // and 2
    assert_int_equal(decode("\x92\x0e\xa2{}\xc0", 6, &field), RT_MALFORMED); // trailing byte
    assert_int_equal(decode("\x92\x0e\xc4\x02{}", 6, &field), RT_MALFORMED); // bin for str
    assert_string_equal(field, "request");
    assert_int_equal(decode("\x92\x0e\xa1{", 4, &field), RT_OUT_OF_RANGE);
    assert_string_equal(field, "request");
    assert_int_equal(decode("\x92\x0e\xa2{}", 5, &field), RT_OK);
    assert_int_equal(decode("\x93\x0f\x00\xa2{}", 6, &field), RT_OK);
    assert_int_equal(decode("\x93\x0f\xcd\x01\x00\xa2{}", 8, &field), RT_OUT_OF_RANGE);
    assert_string_equal(field, "status");
}

// Fixed bytes are neither fewer nor more; a part lies within its whole.
static void test_exact_sizes(void **state)
{
    (void)state;
    const uint8_t zero[40] = {0};
    for (size_t size = 31; size <= 33; size++) {
        enum rt_status expected = size == 32 ? RT_OK : RT_OUT_OF_RANGE;
        struct rt_message message;
        const char *field = "";
        rt_buf_clear(&out);
        rt_msgpack_put_array(&out, 3);
        rt_msgpack_put_u64(&out, RT_MESSAGE_FETCH);
        rt_msgpack_put_bin(&out, rt_bytes(zero, size));
        rt_msgpack_put_u64(&out, 0);
        assert_int_equal(rt_message_decode(rt_buf_bytes(&out), &arena, &message, &field), expected);
        rt_buf_clear(&out);
        rt_msgpack_put_array(&out, 8);
        rt_msgpack_put_u64(&out, RT_MESSAGE_HELLO);
        rt_msgpack_put_u64(&out, 1);
        rt_msgpack_put_u64(&out, 1);
        rt_msgpack_put_bin(&out, rt_bytes(zero, 16));
        rt_msgpack_put_str(&out, rt_bytes_str("w"));
        rt_msgpack_put_array(&out, 1);
        rt_msgpack_put_bin(&out, rt_bytes(zero, size));
        rt_msgpack_put_u64(&out, 0);
        rt_msgpack_put_u64(&out, 0);
        assert_int_equal(rt_message_decode(rt_buf_bytes(&out), &arena, &message, &field), expected);
    }
    struct rt_message_part part = {.total = 10, .offset = 6, .data = rt_bytes(zero, 4)};
    assert_int_equal(rt_message_part_encode(&part, &out, NULL), RT_OK);
    part.offset = 7;
    assert_int_equal(rt_message_part_encode(&part, &out, NULL), RT_MALFORMED);
    part = (struct rt_message_part){.total = 10, .offset = 11};
    assert_int_equal(rt_message_part_encode(&part, &out, NULL), RT_MALFORMED);
    struct rt_pulse_unit progress = {.done = 2, .total = 1};
    struct rt_message_pulse pulse = {.units = &progress, .units_count = 1};
    assert_int_equal(rt_message_pulse_encode(&pulse, &out, NULL), RT_MALFORMED);
}

// A list's count is held to its limit before anything is allocated for it.
static void test_counts_before_memory(void **state)
{
    (void)state;
    rt_msgpack_put_array(&out, 8);
    rt_msgpack_put_u64(&out, RT_MESSAGE_HELLO);
    rt_msgpack_put_u64(&out, 1);
    rt_msgpack_put_u64(&out, 1);
    uint8_t zero[16] = {0};
    rt_msgpack_put_bin(&out, rt_bytes(zero, sizeof zero));
    rt_msgpack_put_str(&out, rt_bytes_str("w"));
    rt_msgpack_put_array(&out, 60000);
    rt_buf_extend(&out, 60000);
    struct rt_arena small;
    rt_arena_init(&small, 1000);
    struct rt_message message;
    const char *field = NULL;
    assert_int_equal(rt_message_decode(rt_buf_bytes(&out), &small, &message, &field),
                     RT_OUT_OF_RANGE);
    assert_string_equal(field, "units");
    assert_int_equal(small.used_bytes, 0);
    rt_arena_release(&small);
    rt_buf_clear(&out);

    struct rt_digest units[100] = {0};
    struct rt_message_hello hello = {.version_least = 1,
                                     .version_most = 1,
                                     .software = rt_bytes_str("w"),
                                     .units = units,
                                     .units_count = 100};
    assert_int_equal(rt_message_hello_encode(&hello, &out, NULL), RT_OK);
    rt_arena_init(&small, 1000);
    assert_int_equal(rt_message_decode(rt_buf_bytes(&out), &small, &message, &field), RT_NO_MEMORY);
    rt_arena_release(&small);
}

static void test_print_redacts(void **state)
{
    (void)state;
    struct rt_digest objects[6] = {{{0xab, 0xcd}}};
    struct rt_message message = {.type = RT_MESSAGE_HELLO,
                                 .body.hello = {.version_least = 1,
                                                .version_most = 2,
                                                .software = rt_bytes_str("a\"\x1b[31mé"),
                                                .units = objects,
                                                .units_count = 6,
                                                .time_ms = 1}};
    rt_message_print(&message, &out);
    assert_string_equal(rt_buf_str(&out),
                        "HELLO{version_least=1 version_most=2 instance=0000000000000000 "
                        "software=\"a\\x22\\x1b[31m\\xc3\\xa9\" units=[abcd000000000000 "
                        "0000000000000000 0000000000000000 0000000000000000 and 2 more] "
                        "time_ms=1970-01-01T00:00:00.001Z seen=0}");
    rt_buf_clear(&out);
    message = (struct rt_message){.type = RT_MESSAGE_ADMIN,
                                  .body.admin = {rt_bytes_str("{\"token\":\"secret\"}")}};
    rt_message_print(&message, &out);
    assert_string_equal(rt_buf_str(&out), "ADMIN{request=<18 bytes>}");
    rt_buf_clear(&out);
    message = (struct rt_message){.type = RT_MESSAGE_NOTICE,
                                  .body.notice = {.kind = RT_NOTICE_KIND_PAUSE}};
    rt_message_print(&message, &out);
    assert_string_equal(rt_buf_str(&out), "NOTICE{campaign=none kind=pause text=\"\"}");
}

// These numbers are other people's; the golden list is written out here on purpose.
static void test_wire_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < RT_STATUS_COUNT; i++) {
        uint64_t number = rt_wire_status((enum rt_status)i);
        assert_int_equal(rt_status_of_wire(number), i);
    }
    assert_int_equal(rt_wire_status(RT_OK), 0);
    assert_int_equal(rt_wire_status(RT_MALFORMED), 12);
    assert_int_equal(rt_wire_status(RT_BAD_SIGNATURE), 16);
    assert_int_equal(rt_wire_status(RT_REVOKED), 19);
    assert_int_equal(rt_wire_status(RT_CANCELLED), 27);
    assert_int_equal(rt_status_of_wire(200), RT_UNSUPPORTED);
    static const char *const words[] = {"HELLO",  "WELCOME", "WANT",  "UNIT", "RESULT", "RECEIPT",
                                        "RETURN", "PULSE",   "FETCH", "PART", "SUBMIT", "OFFER",
                                        "NOTICE", "ADMIN",   "REPLY", "ERROR"};
    for (int i = 1; i <= RT_MESSAGE_TYPE_MOST; i++)
        assert_string_equal(rt_message_type_word((enum rt_message_type)i), words[i - 1]);
    assert_string_equal(rt_message_type_word((enum rt_message_type)17), "?");
    assert_string_equal(rt_offer_state_words[RT_OFFER_CLOSED], "closed");
    assert_string_equal(rt_notice_kind_words[RT_NOTICE_KIND_REVOKED], "revoked");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(test_limits_name_the_field),
        TEST(test_appends),
        TEST(test_payload_ends_at_a_million),
        TEST(test_refused_frames),
        TEST(test_exact_sizes),
        TEST(test_counts_before_memory),
        TEST(test_print_redacts),
        TEST(test_wire_numbers),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
