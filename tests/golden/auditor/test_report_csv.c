// SPDX-License-Identifier: Apache-2.0
// A committed table gives committed bytes. After a deliberate change of the report, run with
// RT_GOLDEN_WRITE=1 and read the difference before committing it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auditor/csv_study.h"
#include "common/base/file.h"
#include "common/report/render.h"

#define FOLDER RT_SOURCE_DIR "/tests/golden/auditor/"

static void make(struct rt_buf *json, struct rt_buf *text)
{
    const struct rt_csv_reading reading = {.title = "Does the small table give the same bytes?",
                                           .inert = {{"other=self"}, 1},
                                           .same_as = {{"p1b=p1"}, 1},
                                           .sigma_pt = 0.05,
                                           .tau_at_most = 0.1};
    struct rt_buf table;
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    struct rt_error err = {0};
    const char *unused;
    rt_buf_init(&table, 1 << 20);
    rt_arena_init(&arena, 256 << 20);
    if (rt_file_read(FOLDER "small.csv", &table, &err) ||
        rt_csv_study(rt_buf_bytes(&table), "small.csv", &reading, &arena, &study, &unused, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rt_report_make(&arena, &study, &report), RT_OK);
    assert_int_equal(rt_report_json(&report, json), RT_OK);
    rt_buf_add_u8(json, '\n');
    assert_int_equal(rt_report_terminal(&report, &(struct rt_report_style){.width = 120}, text),
                     RT_OK);
    rt_arena_release(&arena);
    rt_buf_release(&table);
}

static void compare(const char *path, const struct rt_buf *got)
{
    struct rt_buf want;
    struct rt_error err = {0};
    rt_buf_init(&want, 64 << 20);
    if (getenv("RT_GOLDEN_WRITE") && rt_file_write(path, rt_buf_bytes(got), 0644, &err))
        fail_msg("%s", err.text);
    if (rt_file_read(path, &want, &err))
        fail_msg("%s", err.text);
    size_t at = 0;
    while (at < want.size && at < got->size && want.data[at] == got->data[at])
        at++;
    if (at < want.size || at < got->size)
        fail_msg("%s: byte %zu: \"%.60s\" where \"%.60s\" was committed", path, at,
                 (const char *)got->data + at, (const char *)want.data + at);
    rt_buf_release(&want);
}

static void the_table_gives_the_committed_bytes(void **state)
{
    (void)state;
    struct rt_buf json, text;
    rt_buf_init(&json, 64 << 20);
    rt_buf_init(&text, 64 << 20);
    make(&json, &text);
    compare(FOLDER "small.json", &json);
    compare(FOLDER "small.txt", &text);
    rt_buf_release(&json);
    rt_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_gives_the_committed_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
