// SPDX-License-Identifier: Apache-2.0
// Two reports beside each other: differences and their intervals by hand, what is in common, which
// interval decides, and documents that are no reports.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

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

static void prints(const json_t *comparison, const char *const *texts)
{
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    rt_compare_print(comparison, &out);
    rt_buf_add_u8(&out, 0);
    for (; *texts; texts++)
        if (!strstr((const char *)out.data, *texts))
            fail_msg("\"%s\" is not in: %s", *texts, (const char *)out.data);
    rt_buf_release(&out);
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
    assert_string_equal(json_string_value(json_object_get(row, "change")),
                        "not clear: the intervals differ");
    json_decref(comparison);
}

static void the_first_sentence_says_what_changed_most(void **state)
{
    (void)state;
    const char *const clear[] = {"The largest clear change: m, prevalence rose from 0.200 to 0.300 "
                                 "(unpaired interval of the change: +0.050 to +0.150).\n",
                                 NULL};
    const char *const none[] = {"No change is clear; the largest: m, prevalence went from 0.200 to "
                                "0.210 (unpaired",
                                "  no change is clear\n", NULL};
    json_t *comparison = compare(report("m", both, 0.2, 0.03), report("m", both, 0.3, 0.04));
    prints(comparison, clear);
    json_decref(comparison);
    comparison = compare(report("m", both, 0.2, 0.03), report("m", both, 0.21, 0.04));
    prints(comparison, none);
    json_decref(comparison);
}

static void latencies_of_incidents_are_shown_for_both(void **state)
{
    (void)state;
    const char *const texts[] = {"A: 3 incidents in the log, 1 open; triaged after 0.5 days on "
                                 "average; remedied after 12.2 days on average.",
                                 "B: 1 incident in the log, 1 open; triaged after 2.0 days on "
                                 "average.",
                                 NULL};
    json_t *a = report("m", both, 0.2, 0.03), *b = report("m", both, 0.2, 0.03);
    json_object_set_new(a, "incidents",
                        parse("{\"logged\":3,\"open\":1,\"triage\":{\"n\":3,\"mean_days\":0.5},"
                              "\"remediation\":{\"n\":2,\"mean_days\":12.25}}"));
    json_object_set_new(b, "incidents",
                        parse("{\"logged\":1,\"open\":1,\"triage\":{\"n\":1,\"mean_days\":2},"
                              "\"remediation\":{\"n\":0,\"mean_days\":null}}"));
    json_t *comparison = compare(a, b);
    prints(comparison, texts);
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

// Four scenarios and three labs that all move by about as much, from far-apart starting points.
static json_t *paired_report(const char *subject, const char *scenario, double move)
{
    char text[4000];
    snprintf(text, sizeof text,
             "{\"schema\":\"ringtrial-report/1\",\"study\":{\"id\":\"s\"},\"factors\":{"
             "\"subjects\":[{\"id\":\"%s\",\"family\":\"%.5s\"}],\"scenarios\":%s},"
             "\"plan\":{\"confidence\":0.95},\"provenance\":{%s},"
             "\"missing_map\":{\"by_scenario\":{\"planned\":[[10,10],[10,0]],"
             "\"missing\":[[0,4],[10,0]]}},"
             "\"results\":[{\"subject\":\"%s\",\"primary_rater\":true,\"rate\":{\"mean\":%g,"
             "\"this_bench\":[0,1],\"scenarios_like_these\":[0,1]},\"by_scenario\":["
             "{\"scenario\":\"s1\",\"mean\":%g},{\"scenario\":\"s2\",\"mean\":%g},"
             "{\"scenario\":\"s3\",\"mean\":%g},{\"scenario\":\"%s\",\"mean\":%g}],\"labs\":["
             "{\"lab\":\"a\",\"compared\":true,\"on_rate\":{\"value\":%g,\"se\":0.01}},"
             "{\"lab\":\"b\",\"compared\":true,\"on_rate\":{\"value\":%g,\"se\":0.01}},"
             "{\"lab\":\"c\",\"compared\":false,\"on_rate\":{\"value\":0.9,\"se\":0.01}}]}]}",
             subject, subject, scenario[0] == 's' ? both : other,
             move > 0 ? "\"checkpoint\":\"c\"" : "", subject, 0.4 + move, 0.1 + move,
             0.5 + 1.1 * move, 0.8 + 0.9 * move, scenario, 0.3 + move, 0.2 + move,
             0.6 + 1.2 * move);
    return parse(text);
}

// By hand: differences 0.1, 0.11, 0.09 (and 0.1 of s4), so mean 0.1 and t(3) 0.975 = 3.18245.
static void what_is_in_both_is_paired(void **state)
{
    (void)state;
    json_t *comparison =
        compare(paired_report("llama-1", "s4", 0), paired_report("qwen3-1", "s4", 0.1));
    const json_t *row = json_array_get(json_object_get(comparison, "rows"), 0);
    const json_t *scenarios = json_object_get(row, "paired_scenarios");
    const json_t *labs = json_object_get(row, "paired_labs");
    assert_int_equal(json_integer_value(json_object_get(scenarios, "scenarios")), 4);
    double sd = sqrt(2 * 0.01 * 0.01 / 3);
    assert_true(fabs(json_number_value(json_object_get(scenarios, "difference")) - 0.1) < 1e-12);
    assert_true(fabs(limit(scenarios, "interval", 0) - (0.1 - 3.182446305 * sd / 2)) < 1e-8);
    // Labs a and b: 0.1 and 0.12; c is not compared. Equal variances 0.0002, so their plain mean.
    assert_int_equal(json_integer_value(json_object_get(labs, "labs")), 2);
    assert_true(fabs(json_number_value(json_object_get(labs, "difference")) - 0.11) < 1e-9);
    // Unpaired [0, 1] intervals could not tell; the same bench goes by its labs.
    assert_string_equal(json_string_value(json_object_get(row, "decided_by")), "paired_labs");
    const json_t *stability = json_array_get(json_object_get(comparison, "stability"), 0);
    assert_true(fabs(json_number_value(json_object_get(stability, "rank_correlation")) - 1) <
                1e-12);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(stability, "largest"), 0), "scenario")),
                        "s2");
    const json_t *families = json_object_get(comparison, "families");
    assert_int_equal(json_array_size(json_object_get(families, "rows")), 2);
    const json_t *a = json_object_get(comparison, "a"), *b = json_object_get(comparison, "b");
    assert_true(json_is_null(json_object_get(a, "incidents"))); // no log came with it
    assert_int_equal(json_integer_value(json_object_get(json_object_get(b, "incidents"), "logged")),
                     0);
    const json_t *coverage = json_object_get(a, "coverage");
    assert_int_equal(json_integer_value(json_object_get(coverage, "with_trials")), 1);
    assert_int_equal(json_integer_value(json_object_get(coverage, "at_every_lab")), 1);
    assert_true(fabs(json_number_value(json_object_get(coverage, "share_of_planned_trials")) -
                     16.0 / 30) < 1e-12);
    json_decref(comparison);
}

static void another_bench_pairs_what_it_shares(void **state)
{
    (void)state;
    json_t *comparison =
        compare(paired_report("llama-1", "s4", 0), paired_report("llama-1", "x9", 0.1));
    const json_t *row = json_array_get(json_object_get(comparison, "rows"), 0);
    assert_false(json_is_true(json_object_get(comparison, "same_bench")));
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(row, "paired_scenarios"), "scenarios")),
        3);
    assert_string_equal(json_string_value(json_object_get(row, "decided_by")), "paired_scenarios");
    assert_string_equal(json_string_value(json_object_get(row, "change")), "rose");
    assert_true(json_is_null(json_object_get(comparison, "families")));
    struct rt_buf text;
    rt_buf_init(&text, 1 << 20);
    rt_compare_print(comparison, &text);
    rt_buf_add_u8(&text, 0);
    assert_non_null(strstr((const char *)text.data, "paired over 3 scenarios"));
    assert_non_null(strstr((const char *)text.data, "no incidents in the log"));
    rt_buf_release(&text);
    json_decref(comparison);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_put_together),
        cmocka_unit_test(another_bench_is_judged_by_its_scenarios),
        cmocka_unit_test(a_new_model_is_compared_and_an_effect_without_limits_shown),
        cmocka_unit_test(the_first_sentence_says_what_changed_most),
        cmocka_unit_test(latencies_of_incidents_are_shown_for_both),
        cmocka_unit_test(what_is_in_both_is_paired),
        cmocka_unit_test(another_bench_pairs_what_it_shares),
        cmocka_unit_test(what_is_no_report_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
