// SPDX-License-Identifier: Apache-2.0
// What a command's line means: replies, introductions, errors, and everything else.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/executor/command_line.h"

static struct rt_arena arena;

static struct rt_command_line read_line(const char *text)
{
    struct rt_command_line line;
    rt_arena_clear(&arena);
    assert_int_equal(rt_command_line_read(rt_bytes_str(text), &arena, &line), RT_OK);
    return line;
}

static int setup(void **state)
{
    (void)state;
    rt_arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    return 0;
}

static void replies(void **state)
{
    (void)state;
    struct rt_command_line line =
        read_line("{\"model\":\"m-1\",\"error\":null,\"choices\":[{\"finish_reason\":\"stop\","
                  "\"message\":{\"content\":\"Done.\"}}]}");
    assert_int_equal(line.kind, RT_COMMAND_LINE_REPLY);
    assert_string_equal(line.reply.text, "Done.");
    assert_string_equal(line.facts.model, "m-1");
}

static void introductions(void **state)
{
    (void)state;
    struct rt_command_line line = read_line("{\"ringtrial_command\":1,\"server\":\"my agent\","
                                            "\"version\":\"2.0\",\"model\":\"m\"}");
    assert_int_equal(line.kind, RT_COMMAND_LINE_INTRODUCTION);
    assert_string_equal(line.server, "my agent 2.0");
    assert_string_equal(line.model, "m");
    line = read_line("{\"ringtrial_command\":1,\"version\":\"2.0\"}");
    assert_int_equal(line.kind, RT_COMMAND_LINE_INTRODUCTION);
    assert_string_equal(line.server, "");
    static const char *const others[] = {"2", "\"1\"", "1.0", "null", "{}"};
    for (size_t i = 0; i < 5; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"ringtrial_command\":%s}", others[i]);
        line = read_line(text);
        assert_int_equal(line.kind, RT_COMMAND_LINE_FAILURE);
        assert_int_equal(line.failure, RT_COMMAND_CONTRACT_VERSION);
    }
}

static void errors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rt_error_kind kind;
        const char *says;
    } cases[] = {
        {"{\"error\":\"no model\"}", RT_ERROR_KIND_NETWORK, "no model"},
        {"{\"error\":{\"message\":\"x\"}}", RT_ERROR_KIND_NETWORK, "x"},
        {"{\"error\":{\"message\":\"x\",\"kind\":\"http\"}}", RT_ERROR_KIND_HTTP, "x"},
        {"{\"error\":{\"message\":\"x\",\"kind\":\"budget\"}}", RT_ERROR_KIND_BUDGET, "x"},
        {"{\"error\":{\"message\":\"x\",\"kind\":\"policy\"}}", RT_ERROR_KIND_POLICY, "x"},
        {"{\"error\":{\"message\":\"x\",\"kind\":\"timeout\"}}", RT_ERROR_KIND_NONE, "x"},
        {"{\"error\":{\"kind\":7}}", RT_ERROR_KIND_NETWORK, ""},
        // An error beside a reply is an error: half an answer is none.
        {"{\"error\":{\"message\":\"cut\"},\"choices\":[{\"message\":{\"content\":\"a\"}}]}",
         RT_ERROR_KIND_NETWORK, "cut"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rt_command_line line = read_line(cases[i].text);
        assert_int_equal(line.kind, RT_COMMAND_LINE_FAILURE);
        assert_int_equal(line.failure, RT_COMMAND_ERROR);
        assert_int_equal(line.error, cases[i].kind);
        assert_string_equal(line.text, cases[i].says);
    }
}

static void anything_else(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "", " ", "null", "[]", "7", "{", "{}", "{\"choices\":[]}", "{\"choices\":[{}]}",
        "{\"choices\":[{\"message\":7}]}", "{} {}", "{\"a\":1,\"a\":2}", "Loading model...",
        "{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct rt_command_line line = read_line(lines[i]);
        if (line.kind != RT_COMMAND_LINE_FAILURE || line.failure != RT_COMMAND_REPLY ||
            line.error != RT_ERROR_KIND_PROTOCOL || !*line.text)
            fail_msg("`%s` was read as something", lines[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(introductions),
        cmocka_unit_test(errors),
        cmocka_unit_test(anything_else),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
