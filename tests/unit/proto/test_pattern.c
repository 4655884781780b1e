// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/proto/documents.h"

#include "proto/pattern.h"

static bool matches(const char *pattern, const char *text)
{
    struct rt_pattern *compiled;
    struct rt_error err;
    bool matched;
    must_be_ok(rt_pattern_compile(pattern, &compiled, &err), &err);
    assert_int_equal(rt_pattern_match(compiled, rt_bytes_str(text), &matched), RT_OK);
    rt_pattern_free(compiled);
    return matched;
}

static void patterns_match(void **state)
{
    (void)state;
    assert_true(matches("^/etc/power/agent\\-7$", "/etc/power/agent-7"));
    assert_false(matches("^/etc/power/agent\\-7$", "/etc/power/agent-71"));
    assert_true(matches("(?i)\\bdid not\\b", "I DID NOT do it"));
    assert_true(matches("más", "nada más"));
    assert_true(matches("^.$", "ñ")); // one character, two bytes
    assert_true(matches("^$", ""));
}

static void bad_patterns_are_named(void **state)
{
    (void)state;
    static const char *const bad[] = {"(", "[a", "a{2,1}", "(?<!a+)b", "\\C", "(?C1)x\\"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rt_pattern *pattern;
        struct rt_error err = {0};
        assert_int_equal(rt_pattern_compile(bad[i], &pattern, &err), RT_MALFORMED);
        assert_non_null(strstr(err.text, "at byte"));
    }
}

static void a_costly_pattern_is_an_error_and_not_a_hang(void **state)
{
    (void)state;
    struct rt_pattern *pattern;
    bool matched;
    assert_int_equal(rt_pattern_compile("^(a+)+$", &pattern, NULL), RT_OK);
    assert_int_equal(rt_pattern_match(pattern,
                                      rt_bytes_str("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                                      &matched),
                     RT_TOO_LARGE);
    assert_int_equal(rt_pattern_match(pattern, rt_bytes("\xff", 1), &matched), RT_MALFORMED);
    rt_pattern_free(pattern);
    rt_pattern_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match),
        cmocka_unit_test(bad_patterns_are_named),
        cmocka_unit_test(a_costly_pattern_is_an_error_and_not_a_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
