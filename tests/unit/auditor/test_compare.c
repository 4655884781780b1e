// SPDX-License-Identifier: Apache-2.0
// Two reports beside each other: differences and their intervals by hand, what is in common, which
// interval decides, and documents that are no reports.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <math.h>
#include <cmocka.h>

#include "auditor/compare_report.h"
#include "common/base/json.h"

static json_t *parse(const char *text)
{
    struct rt_error err = {0};
    json_t *json = NULL;
    if (rt_json_parse(rt_bytes_str(text), &json, &err))
        fail_msg("%s", err.text);
    return json;
}

// A report with one subject; scenarios: the ids of its two scenarios' list as JSON.
static json_t *report(const char *subject, const char *scenarios, double mean, double reach)
{
    char text[2000];
    snprintf(text, sizeof text,
             "{\"schema\":\"ringtrial-report/1\",\"study\":{\"id\":\"s\"},\"factors\":{"
             "\"scenarios\":%s,\"phrasings\":[{\"id\":\"p1\"}],\"temperatures\":[0,1],\"arms\":["
             "{\"id\":\"self\"}]},\"participation\":{\"labs\":[{\"lab\":\"a\"}],\"total\":{"
             "\"received\":10,\"missing_share\":0}},\"results\":[{\"subject\":\"%s\","
             "\"primary_rater\":true,\"rate\":{\"mean\":%g,\"this_bench\":[%g,%g],"
             "\"scenarios_like_these\":[%g,%g],\"tau\":0.02,\"tau_interval\":[0.01,0.05]},"
             "\"contrasts\":[{\"treatment\":\"self\",\"inert\":\"other\",\"difference\":{\"mean\":"
             "%g}}]}]}",
             scenarios, subject, mean, mean - reach, mean + reach, mean - 10 * reach,
             mean + 10 * reach, mean / 2);
    return parse(text);
}

static json_t *compare(json_t *a, json_t *b)
{
    struct rt_error err = {0};
    json_t *comparison = NULL;
    if (rt_compare_reports(a, b, "a.json", "b.json", &comparison, &err))
        fail_msg("%s", err.text);
    json_decref(a);
    json_decref(b);
    return comparison;
}

static double limit(const json_t *row, const char *interval, size_t index)
{
    return json_number_value(json_array_get(json_object_get(row, interval), index));
}

static const char both[] = "[{\"id\":\"s1\"},{\"id\":\"s2\"}]";
static const char other[] = "[{\"id\":\"s1\"},{\"id\":\"s3\"}]";

static void intervals_are_put_together(void **state)
{
    (void)state;
    json_t *comparison = compare(report("m", both, 0.2, 0.03), report("m", both, 0.3, 0.04));
    const json_t *row = json_array_get(json_object_get(comparison, "rows"), 0);
    assert_true(fabs(json_number_value(json_object_get(row, "difference")) - 0.1) < 1e-12);
    assert_true(fabs(limit(row, "this_bench", 0) - 0.05) < 1e-12);
    assert_true(fabs(limit(row, "this_bench", 1) - 0.15) < 1e-12);
    assert_true(fabs(limit(row, "tau_interval", 0) + hypot(0.01, 0.03)) < 1e-12);
    assert_string_equal(json_string_value(json_object_get(row, "change")), "rose");
    assert_true(json_is_true(json_object_get(comparison, "same_bench")));
    json_decref(comparison);
}

static void another_bench_is_judged_by_its_scenarios(void **state)
{
    (void)state;
    json_t *comparison = compare(report("m", both, 0.3, 0.03), report("m", other, 0.2, 0.04));
    const json_t *row = json_array_get(json_object_get(comparison, "rows"), 0);
    const json_t *scenarios =
        json_object_get(json_object_get(comparison, "in_common"), "scenarios");
    assert_int_equal(json_integer_value(json_object_get(scenarios, "both")), 1);
    assert_true(json_is_false(json_object_get(comparison, "same_bench")));
    assert_true(limit(row, "this_bench", 1) < 0); // would say that it fell
    assert_string_equal(json_string_value(json_object_get(row, "change")), "no change seen");
    json_decref(comparison);
}

static void a_new_model_is_compared_and_an_effect_without_limits_shown(void **state)
{
    (void)state;
    struct rt_buf out;
    json_t *comparison = compare(report("old", both, 0.2, 0.01), report("new", both, 0.1, 0.01));
    const json_t *rows = json_object_get(comparison, "rows");
    const json_t *effect = json_array_get(rows, 1);
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(json_string_value(json_object_get(effect, "subject")), "old -> new");
    assert_string_equal(json_string_value(json_object_get(effect, "level")), "self / other");
    assert_true(json_is_null(json_object_get(effect, "this_bench")));
    assert_true(json_is_null(json_object_get(effect, "change")));
    rt_buf_init(&out, 1 << 20);
    rt_compare_print(comparison, &out);
    assert_non_null(strstr((const char *)out.data, "nothing can be said"));
    assert_non_null(strstr((const char *)out.data, "fell"));
    rt_buf_release(&out);
    json_decref(comparison);
}

static void what_is_no_report_is_refused(void **state)
{
    (void)state;
    struct rt_error err = {0};
    json_t *good = report("m", both, 0.2, 0.03), *comparison = NULL;
    const char *const bad[] = {"{}", "[]", "{\"schema\":\"ringtrial-report/2\"}",
                               "{\"schema\":1,\"results\":[]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *json = parse(bad[i]);
        assert_int_equal(rt_compare_reports(good, json, "a", "b", &comparison, &err), RT_MALFORMED);
        assert_null(comparison);
        json_decref(json);
    }
    json_decref(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_put_together),
        cmocka_unit_test(another_bench_is_judged_by_its_scenarios),
        cmocka_unit_test(a_new_model_is_compared_and_an_effect_without_limits_shown),
        cmocka_unit_test(what_is_no_report_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
