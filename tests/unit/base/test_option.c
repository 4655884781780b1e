// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/option.h"
#include "common/base/progress.h"

struct settings {
    bool force;
    const char *reason;
    uint64_t trials;
    int64_t wait_ms;
    struct rt_text_list labs;
};

static enum rt_status run(const void *settings, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    (void)settings;
    (void)operands;
    (void)err;
    return RT_OK;
}

static const struct rt_option options[] = {{.name = "force",
                                            .letter = 'f',
                                            .kind = RT_OPTION_FLAG,
                                            .offset = offsetof(struct settings, force),
                                            .help = "Do it."},
                                           {.name = "reason",
                                            .kind = RT_OPTION_TEXT,
                                            .offset = offsetof(struct settings, reason),
                                            .value_name = "TEXT",
                                            .help = "Why.",
                                            .required = true},
                                           {.name = "trials",
                                            .kind = RT_OPTION_COUNT,
                                            .offset = offsetof(struct settings, trials),
                                            .value_name = "N",
                                            .help = "How many.",
                                            .least = 1,
                                            .most = 100},
                                           {.name = "wait",
                                            .kind = RT_OPTION_DURATION,
                                            .offset = offsetof(struct settings, wait_ms),
                                            .value_name = "TIME",
                                            .help = "How long."},
                                           {.name = "lab",
                                            .kind = RT_OPTION_LIST,
                                            .offset = offsetof(struct settings, labs),
                                            .value_name = "LAB",
                                            .help = "Which."},
                                           {0}};

static const struct rt_command commands[] = {
    {.name = "campaign", .summary = "short", .operands = "", .run = run},
    {.name = "campaign start",
     .summary = "Start.",
     .operands = "CAMPAIGN",
     .operands_least = 1,
     .operands_most = 1,
     .options = options,
     .settings_size = sizeof(struct settings),
     .run = run,
     .example = "tool campaign start x"},
    {0}};

static const struct rt_program program = {
    .name = "tool", .summary = "a tool", .commands = commands};

static enum rt_status parse(const char *line, struct settings *settings,
                            struct rt_text_list *operands, struct rt_error *err)
{
    static char copy[256];
    strncpy(copy, line, sizeof copy - 1);
    char *argv[32] = {(char *)(uintptr_t) "tool"};
    int argc = 1;
    for (char *rest = copy, *word; (word = strsep(&rest, " "));)
        argv[argc++] = word;
    const struct rt_command *command;
    bool help;
    return rt_cli_parse(&program, argc, argv, &command, settings, sizeof *settings, operands, &help,
                        err);
}

static void options_of_every_kind_are_read(void **state)
{
    (void)state;
    struct settings s;
    struct rt_text_list operands;
    struct rt_error err = {0};
    assert_int_equal(parse("campaign start c1 --reason=x --trials 7 -f --wait 2m --lab a --lab b",
                           &s, &operands, &err),
                     RT_OK);
    assert_true(s.force);
    assert_string_equal(s.reason, "x");
    assert_int_equal(s.trials, 7);
    assert_int_equal(s.wait_ms, 120000);
    assert_int_equal(s.labs.count, 2);
    assert_string_equal(operands.items[0], "c1");
}

static void mistakes_are_named_with_the_remedy(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"campaign start c1", "--reason TEXT is required"},
        {"campaign start --reason x", "takes CAMPAIGN"},
        {"campaign start c1 --reason x --trials 0", "outside 1 to 100"},
        {"campaign start c1 --reason x --trial 3", "did you mean --trials"},
        {"campaign start c1 --reason", "wants a TEXT"},
        {"campaing", "did you mean 'campaign'"},
        {"campaign start c1 --reason x --wait 5", "duration such as"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct settings s;
        struct rt_text_list operands;
        struct rt_error err = {0};
        assert_int_equal(parse(lines[i][0], &s, &operands, &err), RT_USAGE);
        assert_non_null(strstr(err.text, lines[i][1]));
    }
}

static void a_bar_shows_share_and_rate(void **state)
{
    (void)state;
    struct rt_buf out;
    rt_buf_init(&out, 1000);
    struct rt_progress_row row = {.name = "uni-a", .done = 50, .total = 100};
    rt_progress_render(&row, 10000, 80, &out);
    assert_non_null(strstr(rt_buf_str(&out), " 50%        50/100      5/s  10 s"));
    // Held by something else than its speed: why, and no time to go; and never a line that wraps.
    row.note = "the lab has not accepted the campaign that it was offered this morning";
    for (size_t width = 60; width <= 200; width += 20) {
        rt_buf_clear(&out);
        rt_progress_render(&row, 10000, width, &out);
        assert_in_range(out.size, 40, width);
        assert_null(strstr(rt_buf_str(&out), "10 s"));
    }
    assert_non_null(strstr(rt_buf_str(&out), "/s  the lab has not accepted"));
    rt_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_every_kind_are_read),
        cmocka_unit_test(mistakes_are_named_with_the_remedy),
        cmocka_unit_test(a_bar_shows_share_and_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
