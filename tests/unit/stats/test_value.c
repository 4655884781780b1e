// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "common/stats/value.h"

static void what_is_not_finite_becomes_a_reason(void **state)
{
    (void)state;
    assert_int_equal(rt_value(NAN).reason, RT_REASON_NOT_FINITE);
    assert_int_equal(rt_value(INFINITY).reason, RT_REASON_NOT_FINITE);
    assert_true(rt_value(NAN).number == 0);
    assert_int_equal(rt_interval(0, INFINITY).reason, RT_REASON_NOT_FINITE);
    assert_true(rt_value_ok(rt_value(1.5)));
    assert_false(signbit(rt_value(-0.0).number));
    assert_true(rt_value_or(rt_undefined(RT_REASON_NO_TRIALS), 7) == 7);
}

static void codes_are_unique_words(void **state)
{
    (void)state;
    for (int i = 0; i < RT_REASON_COUNT; i++) {
        const char *code = rt_reason_code((enum rt_reason)i);
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(code));
        assert_true(i == RT_REASON_NONE || *code);
        assert_true(*rt_reason_text((enum rt_reason)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(code, rt_reason_code((enum rt_reason)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_finite_becomes_a_reason),
        cmocka_unit_test(codes_are_unique_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
