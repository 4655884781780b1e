// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"

static void a_buffer_never_grows_past_its_limit(void **state)
{
    (void)state;
    struct rt_buf buf;
    rt_buf_init(&buf, 10);
    rt_buf_add_str(&buf, "0123456789");
    assert_int_equal(rt_buf_ok(&buf), RT_OK);
    rt_buf_add_u8(&buf, 'x');
    assert_int_equal(rt_buf_ok(&buf), RT_TOO_LARGE);
    assert_string_equal(rt_buf_str(&buf), "0123456789");
    rt_buf_clear(&buf);
    rt_buf_printf(&buf, "%d", 42);
    assert_string_equal(rt_buf_str(&buf), "42");
    rt_buf_release(&buf);
}

static void base64_is_strict(void **state)
{
    (void)state;
    // RFC 4648 section 10, then spellings a lenient decoder takes.
    static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    char text[64];
    uint8_t data[64];
    size_t size;
    for (size_t i = 0; i < 7; i++) {
        rt_base64_encode(plain[i], strlen(plain[i]), text);
        assert_string_equal(text, coded[i]);
        assert_int_equal(rt_base64_decode(coded[i], strlen(coded[i]), data, sizeof data, &size),
                         RT_OK);
        assert_int_equal(size, strlen(plain[i]));
        assert_memory_equal(data, plain[i], size);
    }
    static const char *const wrong[] = {"Zg=",   "Zg",   "Zh==", "Zm9=", "Zg==\n",
                                        "Zm9v ", "Z===", "====", "Zm-v", "Zg==Zg=="};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_not_equal(rt_base64_decode(wrong[i], strlen(wrong[i]), data, sizeof data, &size),
                             RT_OK);
    assert_int_equal(rt_base64_decode("Zm9v", 4, data, 2, &size), RT_TOO_LARGE);
}

static void hex_takes_lower_case_of_the_right_length(void **state)
{
    (void)state;
    uint8_t data[2];
    assert_int_equal(rt_hex_decode("00ff", 4, data, 2), RT_OK);
    assert_int_equal(data[1], 255);
    assert_int_equal(rt_hex_decode("00FF", 4, data, 2), RT_MALFORMED);
    assert_int_equal(rt_hex_decode("00f", 3, data, 2), RT_MALFORMED);
    assert_int_equal(rt_hex_decode("00fg", 4, data, 2), RT_MALFORMED);
}

static void an_arena_is_bounded_and_zeroed(void **state)
{
    (void)state;
    struct rt_arena arena;
    rt_arena_init(&arena, 1 << 20);
    for (int i = 0; i < 1000; i++) {
        char *p = rt_arena_alloc(&arena, 100);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (int j = 0; j < 100; j++)
            assert_int_equal(p[j], 0);
        memset(p, 0xee, 100);
    }
    assert_non_null(rt_arena_alloc(&arena, 300000));
    assert_non_null(rt_arena_alloc(&arena, 16));
    assert_null(rt_arena_alloc(&arena, 1 << 20));
    assert_null(rt_arena_array(&arena, SIZE_MAX / 2, 3));
    assert_string_equal(rt_arena_printf(&arena, "%s-%d", "x", 7), "x-7");
    rt_arena_clear(&arena);
    for (int i = 0; i < 500; i++) {
        char *p = rt_arena_alloc(&arena, 100);
        assert_int_equal(p[0] | p[50] | p[99], 0);
    }
    rt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_never_grows_past_its_limit),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(hex_takes_lower_case_of_the_right_length),
        cmocka_unit_test(an_arena_is_bounded_and_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
