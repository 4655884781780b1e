// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/report/render.h"
#include "common/web/web.h"
#include "tests/unit/report/sample.h"

struct made {
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    struct rt_buf json, html, text, tidy;
};

static void render(struct made *made)
{
    struct rt_report_style style = {.width = 80};
    struct rt_buf *const bufs[] = {&made->json, &made->html, &made->text, &made->tidy};
    for (size_t i = 0; i < 4; i++)
        rt_buf_init(bufs[i], 64 << 20);
    SAMPLE_MUST(rt_report_json(&made->report, &made->json));
    SAMPLE_MUST(rt_report_html(&made->report, &made->html));
    SAMPLE_MUST(rt_report_terminal(&made->report, &style, &made->text));
    SAMPLE_MUST(rt_report_tidy(&made->study, &made->tidy));
}

static struct made *make(const struct sample *sample)
{
    struct made *made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, (size_t)1 << 30);
    sample_make(sample, &made->arena, &made->study);
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    render(made);
    return made;
}

static void drop(struct made *made)
{
    struct rt_buf *const bufs[] = {&made->json, &made->html, &made->text, &made->tidy};
    for (size_t i = 0; i < 4; i++)
        rt_buf_release(bufs[i]);
    rt_arena_release(&made->arena);
    free(made);
}

static void the_same_study_has_the_same_bytes(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.odd_lab = 3;
    sample.withdrawn_lab = 2;
    struct made *a = make(&sample);
    sample.reversed = true;
    struct made *b = make(&sample);
    assert_true(rt_bytes_equal(rt_buf_bytes(&a->json), rt_buf_bytes(&b->json)));
    assert_true(rt_bytes_equal(rt_buf_bytes(&a->html), rt_buf_bytes(&b->html)));
    assert_true(rt_bytes_equal(rt_buf_bytes(&a->text), rt_buf_bytes(&b->text)));
    assert_true(rt_bytes_equal(rt_buf_bytes(&a->tidy), rt_buf_bytes(&b->tidy)));
    sample.seed++;
    struct made *c = make(&sample);
    assert_false(rt_bytes_equal(rt_buf_bytes(&a->json), rt_buf_bytes(&c->json)));
    drop(a);
    drop(b);
    drop(c);
}

// Every null has a reason beside it, and every reason a null.
static void check_nulls(const json_t *json, unsigned *nulls)
{
    const char *name;
    json_t *value;
    size_t i;
    char key[128];
    if (json_is_array(json)) {
        json_array_foreach(json, i, value) check_nulls(value, nulls);
    }
    if (!json_is_object(json))
        return;
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        check_nulls(value, nulls);
        if (!json_is_null(value) || strcmp(name, "sigma_pt") == 0 ||
            strcmp(name, "tau_at_most") == 0)
            continue;
        (*nulls)++;
        snprintf(key, sizeof key, "%s_reason", name);
        const json_t *reason = json_object_get(json, key);
        if (!reason)
            reason = json_object_get(json, "reason");
        if (!json_string_length(reason))
            fail_msg("%s is null without a reason", name);
    }
}

static void json_is_whole(void **state)
{
    (void)state;
    for (uint32_t labs = 1; labs <= 3; labs++) {
        struct sample sample = SAMPLE;
        unsigned nulls = 0;
        json_t *json = NULL;
        sample.labs = labs;
        sample.base = -40;
        sample.plan = labs > 1;
        struct made *made = make(&sample);
        assert_int_equal(rt_json_parse(rt_buf_bytes(&made->json), &json, NULL), RT_OK);
        assert_string_equal(json_string_value(json_object_get(json, "schema")),
                            "ringtrial-report/1");
        check_nulls(json, &nulls);
        assert_true(nulls > 0);
        assert_null(strstr(rt_buf_str(&made->json), ":nan"));
        json_decref(json);
        drop(made);
    }
}

static void html_is_self_contained_and_escaped(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, 64 << 20);
    SAMPLE_MUST(rt_study_init(&made->study, &made->arena, "x", "<script>alert('&\"')</script>"));
    sample.labs = 2;
    sample_factors(&sample, &made->study);
    SAMPLE_MUST(rt_study_add_lab(&made->study, &(struct rt_study_lab){.id = "<img src=x>"}, NULL));
    struct rt_study_cell cell = {.lab = 2, .count = 3, .fingerprint = RT_STUDY_NONE};
    SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
    SAMPLE_MUST(rt_study_add_provenance(&made->study, "note", "a \"quoted\" & <b>bold</b> claim"));
    SAMPLE_MUST(rt_study_seal(&made->study));
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    render(made);
    char *html = (char *)made->html.data;
    static const char data[] = "<script type=\"application/json\" id=\"report-data\">{";
    char *scripts = strstr(html, "<script");
    assert_true(!scripts == !rt_web_report_script().size);
    if (scripts) {
        assert_memory_equal(scripts, data, sizeof data - 1);
        char *chart = strstr(scripts + 1, "</script>\n<script>");
        assert_non_null(chart);
        *chart = 0; // no text of the study ends the data early
        assert_null(strchr(scripts + 1, '<'));
        assert_null(strstr(chart + strlen("</script>\n<script>"), "<script"));
        assert_non_null(strstr(scripts, "\\u003cscript>alert("));
        assert_non_null(strstr(html, "default-src 'none'; "));
        assert_non_null(strstr(html, "; script-src 'sha256-"));
        *scripts = 0;
    }
    static const char *const never[] = {
        "<script", "<img", "<b>bold", "http:", "https:", "url(", "@import", "src=\"", "<link"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(html, never[i]))
            fail_msg("the page holds %s", never[i]);
    assert_non_null(strstr(html, "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)"));
    assert_non_null(strstr(html, "&lt;img src=x&gt;"));
    assert_non_null(strstr(html, "prefers-color-scheme:dark"));
    drop(made);
}

static size_t occurrences(const char *text, const char *piece)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, piece)); at++)
        count++;
    return count;
}

static void html_tables_are_labelled(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.odd_lab = 1;
    struct made *made = make(&sample);
    const char *html = rt_buf_str(&made->html);
    size_t tables = occurrences(html, "<table");
    assert_true(tables > 10);
    assert_int_equal(occurrences(html, "<caption>") + occurrences(html, "<summary>"), tables);
    assert_int_equal(occurrences(html, "<thead>"), tables);
    assert_int_equal(occurrences(html, "<th scope=\"row\""),
                     occurrences(html, "<tr>") + occurrences(html, "<tr class=") - tables);
    assert_int_equal(occurrences(html, "</table>"), tables);
    assert_int_equal(occurrences(html, "<section"), occurrences(html, "</section>"));
    drop(made);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.odd_lab = 1;
    sample.withdrawn_lab = 2;
    struct made *made = make(&sample);
    for (unsigned width = 60; width <= 200; width += 35) {
        struct rt_report_style style = {.width = width};
        unsigned columns = 0, widest = 0;
        rt_buf_clear(&made->text);
        SAMPLE_MUST(rt_report_terminal(&made->report, &style, &made->text));
        for (const char *c = rt_buf_str(&made->text); *c; c++) {
            columns = *c == '\n' ? 0 : columns + (((unsigned char)*c & 0xc0) != 0x80);
            widest = columns > widest ? columns : widest;
            assert_false(*c == '\033');
            assert_false(*c == ' ' && c[1] == '\n');
        }
        if (widest > width)
            fail_msg("a line of %u columns at width %u", widest, width);
    }
    struct rt_report_style style = {.width = 80, .colour = true};
    SAMPLE_MUST(rt_report_terminal(&made->report, &style, &made->text));
    assert_non_null(strstr(rt_buf_str(&made->text), "\033[31m"));
    drop(made);
}

static void tidy_has_one_row_a_cell_and_quotes(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = make(&sample);
    assert_int_equal(occurrences(rt_buf_str(&made->tidy), "\n"), made->study.cell_count + 1);
    drop(made);
    made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, 64 << 20);
    SAMPLE_MUST(rt_study_init(&made->study, &made->arena, "x", "x"));
    sample.labs = 1;
    sample_factors(&sample, &made->study);
    SAMPLE_MUST(rt_study_add_lab(&made->study, &(struct rt_study_lab){.id = "a \"b\", c"}, NULL));
    struct rt_study_cell cell = {.lab = 1, .count = 3, .fingerprint = RT_STUDY_NONE};
    SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
    SAMPLE_MUST(rt_study_seal(&made->study));
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    render(made);
    assert_non_null(
        strstr(rt_buf_str(&made->tidy), ",\"a \"\"b\"\", c\",rules,,ok,complied,0,0,3,"));
    drop(made);
}

static void a_full_arena_is_an_error_and_no_crash(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct rt_arena big;
    struct rt_study study;
    rt_arena_init(&big, (size_t)1 << 30);
    sample.labs = 3, sample.scenarios = 2, sample.odd_lab = 1;
    sample_make(&sample, &big, &study);
    unsigned failures = 0;
    for (size_t limit = 0; limit < 400000; limit += 5003) {
        struct rt_arena arena;
        struct rt_report report;
        struct rt_buf out;
        rt_arena_init(&arena, limit);
        rt_buf_init(&out, 64 << 20);
        enum rt_status status = rt_report_make(&arena, &study, &report);
        if (!status)
            status = rt_report_html(&report, &out);
        assert_true(status == RT_OK || status == RT_NO_MEMORY);
        failures += status != RT_OK;
        rt_buf_release(&out);
        rt_arena_release(&arena);
    }
    assert_true(failures > 20);
    rt_arena_release(&big);
}

static void the_card_has_the_figures_and_no_markup_of_others(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct rt_buf card;
    sample.withdrawn_lab = 2;
    struct made *made = make(&sample);
    rt_buf_init(&card, 1 << 20);
    made->study.labs[1].id = "uni|b <b>*x*";
    assert_int_equal(rt_report_card(&made->report, &card), RT_OK);
    rt_buf_add_u8(&card, 0);
    const char *text = (const char *)card.data;
    const struct rt_estimate *e = &made->report.parts[0].overall;
    char row[256];
    snprintf(row, sizeof row, "| all treatment arms | %s | %.3f | %.3f to %.3f | %.3f to %.3f |",
             "1,656", e->mean.number, e->this_bench.lower, e->this_bench.upper, e->like_these.lower,
             e->like_these.upper);
    const char *at = strstr(text, "| all treatment arms | ");
    assert_non_null(at);
    assert_non_null(strstr(at, strchr(row + 23, '|')));
    assert_non_null(strstr(text, "| uni\\|b \\<b\\>\\*x\\* | completed, joined late |"));
    assert_null(strstr(text, "<b>"));
    assert_non_null(strstr(text, "| H1 | \\> 0.05 | "));
    assert_non_null(strstr(text, "withdrew"));
    assert_non_null(strstr(text, "cells: sha256:"));
    rt_buf_release(&card);
    drop(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_study_has_the_same_bytes),
        cmocka_unit_test(json_is_whole),
        cmocka_unit_test(html_is_self_contained_and_escaped),
        cmocka_unit_test(html_tables_are_labelled),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(tidy_has_one_row_a_cell_and_quotes),
        cmocka_unit_test(the_card_has_the_figures_and_no_markup_of_others),
        cmocka_unit_test(a_full_arena_is_an_error_and_no_crash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
