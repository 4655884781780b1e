// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auditor/csv_levels.h"
#include "common/base/csv.h"

// Rows as "field|field;field|field", or "! message".
static const char *read_all(const char *text, size_t size)
{
    static char out[4096];
    struct rt_csv csv;
    struct rt_error err = {0};
    bool row = true;
    char *copy = malloc(size ? size : 1); // exact size, so that a sanitizer sees any overrun
    memcpy(copy, text, size);
    out[0] = 0;
    rt_csv_init(&csv, "t.csv", rt_bytes(copy, size));
    while (true) {
        if (rt_csv_next(&csv, &row, &err)) {
            snprintf(out, sizeof out, "! %s", err.text);
            break;
        }
        if (!row)
            break;
        size_t at = strlen(out);
        for (size_t i = 0; i < csv.columns; i++) {
            assert_int_equal(strlen(csv.fields[i].text), csv.fields[i].size);
            at += (size_t)snprintf(out + at, sizeof out - at, "%s%s",
                                   i    ? "|"
                                   : at ? ";"
                                        : "",
                                   csv.fields[i].text);
        }
    }
    rt_csv_release(&csv);
    free(copy);
    return out;
}

static void reads(const char *text, const char *want)
{
    assert_string_equal(read_all(text, strlen(text)), want);
}

static void rfc_4180_is_read(void **state)
{
    (void)state;
    reads("", "");
    reads("a,b\n1,2\n", "a|b;1|2");
    reads("a,b\r\n1,2\r\n", "a|b;1|2");
    reads("a,b\n1,2", "a|b;1|2");
    reads("\xef\xbb\xbf"
          "a,b\n1,2\n",
          "a|b;1|2");
    reads("a,b\n\n\n1,2\n\n", "a|b;1|2");
    reads("a,b\n,\n", "a|b;|");
    reads("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", "a|b;x,y|say \"hi\"");
    reads("a,b\n\"two\r\nlines\",2\n", "a|b;two\r\nlines|2");
    reads("a\n\"\"\n", "a;");
    reads("\"a\"\n\"1\"", "a;1");
    reads("h\xc3\xa9,\xe2\x82\xac\n", "h\xc3\xa9|\xe2\x82\xac");
}

static void faults_name_their_line(void **state)
{
    (void)state;
    reads("a,b\n1,2,3\n", "! t.csv:2: 3 fields where the header has 2");
    reads("a,b\n1\n", "! t.csv:2: 1 fields where the header has 2");
    reads("a,b\n1,x\"y\n", "! t.csv:2: a quote inside a field that does not start with one");
    reads("a,b\n\"1\"x,2\n", "! t.csv:2: text after a closing quote");
    reads("a,b\n1,2\n\"never\nends\n", "! t.csv:3: a quoted field is never closed");
    reads("a,b\n\"one\ntwo\",2\n3\n", "! t.csv:4: 1 fields where the header has 2");
    reads("a,b\r1,2\r", "! t.csv:1: a carriage return that ends no line");
    reads("a,b\n1,\xff\n", "! t.csv:2: the text is not UTF-8; save the table as UTF-8");
    assert_string_equal(read_all("a,b\n1,\0z\n", 9), "! t.csv:2: a NUL byte");
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    size_t size = RT_CSV_ROW_BYTES_MAX + 10;
    char *wide = malloc(size);
    memset(wide, 'x', size);
    assert_string_equal(read_all(wide, size), "! t.csv:1: the row is longer than 1 MiB");
    memset(wide, ',', size);
    assert_string_equal(read_all(wide, RT_CSV_COLUMNS_MAX), "! t.csv:1: more than 128 columns");
    read_all(wide, RT_CSV_COLUMNS_MAX - 1); // 128 empty fields
    free(wide);
}

static void levels_sort_as_people_count(void **state)
{
    (void)state;
    static const char *const given[] = {"p10", "p2", "p1", "q", "p02", "p2"};
    static const char *const sorted[] = {"p1", "p02", "p2", "p10", "q"};
    struct rt_arena arena;
    rt_arena_init(&arena, 1 << 20);
    struct rt_csv_levels levels = {.arena = &arena};
    for (size_t i = 0; i < 6; i++)
        assert_non_null(rt_csv_levels_take(&levels, given[i], 10));
    rt_csv_levels_sort(&levels);
    assert_int_equal(levels.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(levels.items[i].text, sorted[i]);
    struct rt_csv_levels few = {.arena = &arena};
    assert_non_null(rt_csv_levels_take(&few, "a", 1));
    assert_non_null(rt_csv_levels_take(&few, "a", 1));
    assert_null(rt_csv_levels_take(&few, "b", 1));
    rt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4180_is_read), cmocka_unit_test(faults_name_their_line),
        cmocka_unit_test(sizes_are_bounded), cmocka_unit_test(levels_sort_as_people_count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
