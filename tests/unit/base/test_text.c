// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/base/time.h"

static void utf8_rejects_what_rfc3629_rejects(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xff",     "\xc3",         "\x80",         "\xe2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(rt_utf8_valid(rt_bytes_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rt_utf8_valid(rt_bytes_str(bad[i])));
}

static void decimals_are_exact_micro_units(void **state)
{
    (void)state;
    int64_t micro;
    assert_int_equal(rt_parse_micro("0.7", &micro), RT_OK);
    assert_int_equal(micro, 700000);
    assert_int_equal(rt_parse_micro("-1.000001", &micro), RT_OK);
    assert_int_equal(micro, -1000001);
    static const char *const wrong[] = {"",          ".5",  "1.",    "01", "1e3",
                                        "0.1234567", "--1", "1.2.3", "nan"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_not_equal(rt_parse_micro(wrong[i], &micro), RT_OK);
    char text[32];
    rt_format_micro(700000, text);
    assert_string_equal(text, "0.7");
    rt_format_micro(-250000, text);
    assert_string_equal(text, "-0.25");
    rt_format_micro(2000000, text);
    assert_string_equal(text, "2");
    uint64_t value;
    assert_int_equal(rt_parse_u64("18446744073709551615", &value), RT_OK);
    assert_int_equal(rt_parse_u64("18446744073709551616", &value), RT_OUT_OF_RANGE);
    assert_int_equal(rt_parse_u64("007", &value), RT_MALFORMED);
}

static void a_slip_is_recognised(void **state)
{
    (void)state;
    static const char *const list[] = {"resisted", "complied", "refused", NULL};
    assert_string_equal(rt_did_you_mean("resist", list), "resisted");
    assert_string_equal(rt_did_you_mean("complide", list), "complied");
    assert_null(rt_did_you_mean("temperature", list));
}

static void stamps_round_trip_and_reject_impossible_dates(void **state)
{
    (void)state;
    char text[RT_STAMP_BYTES];
    int64_t ms;
    for (int64_t at = 0; at < 4102444800000; at += 86399999999 / 7) {
        rt_stamp_format(at, text);
        assert_int_equal(rt_stamp_parse(text, &ms), RT_OK);
        assert_int_equal(ms, at);
    }
    static const char *const wrong[] = {"2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z",
                                        "2026-11-20T24:00:00.000Z", "2026-11-20T17:35:28.12Z",
                                        "2026-11-20 17:35:28.123Z", "2026-11-20T17:35:28.123"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_not_equal(rt_stamp_parse(wrong[i], &ms), RT_OK);
    assert_int_equal(rt_duration_parse("30m", &ms), RT_OK);
    assert_int_equal(ms, 1800000);
    assert_int_not_equal(rt_duration_parse("30 m", &ms), RT_OK);
    assert_int_not_equal(rt_duration_parse("m", &ms), RT_OK);
}

static void json_has_one_spelling(void **state)
{
    (void)state;
    json_t *json = NULL;
    const char *text =
        "{\"b\": 0.1, \"a\": [1, 2.50, -0.0, 0.30000000000000004, 1e-7], \"c\": \"x\\n\\u0001\"}";
    assert_int_equal(rt_json_parse(rt_bytes_str(text), &json, NULL), RT_OK);
    struct rt_buf out;
    rt_buf_init(&out, 4096);
    assert_int_equal(rt_json_write(json, &out), RT_OK);
    assert_string_equal(rt_buf_str(&out),
                        "{\"a\":[1,2.5,0,0.3,1e-07],\"b\":0.1,\"c\":\"x\\n\\u0001\"}");
    json_decref(json);
    rt_buf_release(&out);
    assert_int_not_equal(rt_json_parse(rt_bytes_str("{\"a\":1,\"a\":2}"), &json, NULL), RT_OK);
    assert_int_not_equal(rt_json_parse(rt_bytes_str("{} x"), &json, NULL), RT_OK);
    char deep[200];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    assert_int_not_equal(rt_json_parse(rt_bytes_str(deep), &json, NULL), RT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_rejects_what_rfc3629_rejects),
        cmocka_unit_test(decimals_are_exact_micro_units),
        cmocka_unit_test(a_slip_is_recognised),
        cmocka_unit_test(stamps_round_trip_and_reject_impossible_dates),
        cmocka_unit_test(json_has_one_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
