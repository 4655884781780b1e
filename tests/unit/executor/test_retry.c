// SPDX-License-Identifier: Apache-2.0
// How long servers ask to wait, in every form in use.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "worker/executor/retry.h"

#define NOW_MS 784111777000 // Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 section 5.6.7)

static int64_t wish(const char *lines)
{
    int64_t wait_ms = RT_RETRY_NONE;
    while (*lines) {
        size_t size = strcspn(lines, "\n") + 1;
        rt_retry_read(rt_bytes(lines, size), NOW_MS, &wait_ms);
        lines += size;
    }
    return wait_ms;
}

static void spans(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},          {"90", 90000},    {"1.5", 1500},        {"250ms", 250},
        {"6m0s", 360000},  {"1m30s", 90000}, {"1h", 3600000},      {"2h", 3600000},
        {"0.0001s", 1},    {"59.9s", 59900}, {"99999999", 3600000}, {"", -1},
        {"soon", -1},      {"-1", -1},       {"1x", -1},           {"1ss", -1},
        {"1.2.3s", -1},    {"s", -1},        {"1m30", 90000},      {"1 m", -1},
        {"1234567890123456789012345678s", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rt_retry_span_ms(rows[i].text) != rows[i].ms)
            fail_msg("%s: %lld", rows[i].text, (long long)rt_retry_span_ms(rows[i].text));
}

static void dates(void **state)
{
    (void)state;
    assert_int_equal(rt_retry_date_ms("Sun, 06 Nov 1994 08:49:37 GMT", NOW_MS), NOW_MS);
    assert_int_equal(rt_retry_date_ms("Sunday, 06-Nov-94 08:49:37 GMT", NOW_MS), NOW_MS);
    assert_int_equal(rt_retry_date_ms("Sun Nov  6 08:49:37 1994", NOW_MS), NOW_MS);
    // Two digits: 94 is the past century's only from 2044 on back.
    assert_int_equal(rt_retry_date_ms("Sunday, 06-Nov-94 08:49:37 GMT", 1795200000000), NOW_MS);
    static const char *const wrong[] = {"",
                                        "Sun, 06 Foo 1994",
                                        "Sun, 06 Nov 1994 08:49:37 GMT+1",
                                        "Sun, 31 Feb 1994 08:49:37 GMT",
                                        "Sun, 06 anF 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 25:49:37 GMT",
                                        "Sun, 06 Nov 1994 08:49:37 CET",
                                        "Sun Nov  6 08:49:37 1994 x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(rt_retry_date_ms(wrong[i], NOW_MS), RT_RETRY_NONE);
}

static void the_largest_wish_wins(void **state)
{
    (void)state;
    assert_int_equal(wish("Retry-After: 2\r\nx-ratelimit-reset-requests: 1m30s\r\n"
                          "X-RateLimit-Reset-Tokens: 250ms\r\n"),
                     90000);
    assert_int_equal(wish("x-ratelimit-reset-tokens: 6ms\r\nRETRY-AFTER:  7 \r\n"), 7000);
    assert_int_equal(wish("Retry-After: Sun, 06 Nov 1994 08:50:00 GMT\r\n"), 23000);
    assert_int_equal(wish("Retry-After: Sun, 06 Nov 1994 08:49:00 GMT\r\n"), 0);
    // Seconds since 1970, as some gateways write it.
    assert_int_equal(wish("x-ratelimit-reset: 1000000000\r\n"), 3600000);
    assert_int_equal(wish("retry-after: 12\n"), 12000);
    assert_int_equal(wish("HTTP/1.1 429 Too Many\r\nContent-Length: 5\r\n\r\n"), RT_RETRY_NONE);
    assert_int_equal(wish("x-ratelimit-remaining-requests: 5\r\n"), RT_RETRY_NONE);
    assert_int_equal(wish("Retry-After:\r\n"), RT_RETRY_NONE);
    assert_int_equal(wish("Retry-After: 000000000000000000000000000000000000000000000000000000000"
                          "0000000000000000005\r\n"),
                     RT_RETRY_NONE);
    int64_t wait_ms = RT_RETRY_NONE;
    assert_false(rt_retry_read(rt_bytes("Retry-After: 5\0", 15), NOW_MS, &wait_ms));
    assert_int_equal(wait_ms, RT_RETRY_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans),
        cmocka_unit_test(dates),
        cmocka_unit_test(the_largest_wish_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
