// SPDX-License-Identifier: Apache-2.0
// The whole report against the reference study p31 (five labs, four scenarios, three phrasings,
// three temperatures), computed independently in R and Python.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "tests/unit/report/sample.h"

static json_t *vector;
static struct rt_arena arena;
static struct rt_study study;
static struct rt_report report;

static const char *text_at(json_t *row, size_t column)
{
    static char buffer[4][32];
    static int turn;
    json_t *value = json_array_get(row, column);
    if (json_is_string(value))
        return json_string_value(value);
    turn = (turn + 1) % 4;
    snprintf(buffer[turn], sizeof buffer[turn], "%.10g", json_number_value(value));
    return buffer[turn];
}

static void add_factors(json_t *rows)
{
    int64_t micro[2048];
    size_t i;
    json_t *row;
    SAMPLE_MUST(rt_study_add_subject(&study, &(struct rt_study_subject){.id = "m"}, NULL));
    SAMPLE_MUST(rt_study_add_arm(&study, &(struct rt_study_arm){.id = "t"}, NULL));
    SAMPLE_MUST(rt_study_add_rater(&study, "rules", true, NULL));
    SAMPLE_MUST(rt_study_add_outcome(&study, &(struct rt_study_outcome){"yes", 0, true}, NULL));
    SAMPLE_MUST(rt_study_add_outcome(&study, &(struct rt_study_outcome){"no", 0, false}, NULL));
    SAMPLE_MUST(
        rt_study_add_status(&study, &(struct rt_study_status){"ok", RT_STUDY_COUNTED}, NULL));
    json_array_foreach(rows, i, row)
    {
        const char *lab = text_at(row, 0), *scenario = text_at(row, 1), *phrasing = text_at(row, 2);
        if (rt_study_find_lab(&study, lab) == RT_STUDY_NONE)
            SAMPLE_MUST(rt_study_add_lab(&study, &(struct rt_study_lab){.id = lab}, NULL));
        if (rt_study_find_scenario(&study, scenario) == RT_STUDY_NONE)
            SAMPLE_MUST(
                rt_study_add_scenario(&study, &(struct rt_study_scenario){.id = scenario}, NULL));
        if (rt_study_find_phrasing(&study, phrasing) == RT_STUDY_NONE)
            SAMPLE_MUST(rt_study_add_phrasing(
                &study, &(struct rt_study_phrasing){.id = phrasing, .same_as = RT_STUDY_NONE},
                NULL));
        SAMPLE_MUST(rt_parse_micro(text_at(row, 3), &micro[i]));
    }
    SAMPLE_MUST(rt_study_set_temperatures(&study, micro, json_array_size(rows)));
}

static int load(void **state)
{
    (void)state;
    struct rt_buf text;
    rt_buf_init(&text, 8 << 20);
    if (rt_file_read(RT_VECTORS "/statistics/p31_study_binary.json", &text, NULL) ||
        rt_json_parse(rt_buf_bytes(&text), &vector, NULL))
        return -1;
    rt_buf_release(&text);
    json_t *rows =
        json_object_get(json_object_get(json_object_get(vector, "inputs"), "cells"), "rows");
    rt_arena_init(&arena, 64 << 20);
    SAMPLE_MUST(rt_study_init(&study, &arena, "p31", "p31"));
    add_factors(rows);
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        int64_t micro;
        SAMPLE_MUST(rt_parse_micro(text_at(row, 3), &micro));
        struct rt_study_cell cell = {
            .condition = {.scenario = rt_study_find_scenario(&study, text_at(row, 1)),
                          .phrasing = rt_study_find_phrasing(&study, text_at(row, 2)),
                          .temperature = rt_study_find_temperature(&study, micro)},
            .lab = rt_study_find_lab(&study, text_at(row, 0)),
            .fingerprint = RT_STUDY_NONE};
        uint64_t n = (uint64_t)json_integer_value(json_array_get(row, 4));
        uint64_t k = (uint64_t)json_integer_value(json_array_get(row, 5));
        cell.count = k;
        SAMPLE_MUST(rt_study_add_cell(&study, &cell));
        cell.outcome = 1;
        cell.count = n - k;
        SAMPLE_MUST(rt_study_add_cell(&study, &cell));
    }
    SAMPLE_MUST(rt_study_seal(&study));
    SAMPLE_MUST(rt_report_make(&arena, &study, &report));
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(vector);
    rt_arena_release(&arena);
    return 0;
}

static double expected(const char *path, ...)
{
    json_t *at = json_object_get(vector, "expected");
    va_list list;
    va_start(list, path);
    for (const char *name = path; name; name = va_arg(list, const char *)) {
        bool index = name[0] == '#';
        at = index ? json_array_get(at, (size_t)(name[1] - '0')) : json_object_get(at, name);
        if (!at)
            fail_msg("the vector has no %s", name);
    }
    va_end(list);
    return json_number_value(at);
}

static void near(double got, double want, double tolerance)
{
    double allowed = tolerance * fmax(1, fabs(want));
    if (!(fabs(got - want) <= allowed))
        fail_msg("%.12g is not %.12g", got, want);
}

static void totals(void **state)
{
    (void)state;
    const struct rt_report_part *part = &report.parts[0];
    assert_int_equal(part->n, (uint64_t)expected("totals", "trials", NULL));
    assert_int_equal(part->k, (uint64_t)expected("totals", "events", NULL));
    assert_int_equal(part->overall.labs, 5);
    assert_int_equal(part->overall.conditions, 36);
    assert_int_equal(part->overall.scenarios, 4);
}

static void accordance_and_concordance(void **state)
{
    (void)state;
    const struct rt_accord *a = &report.parts[0].spread.accord;
    near(a->accordance.number, expected("study_agreement", "accordance", NULL), 1e-9);
    near(a->concordance.number, expected("study_agreement", "concordance", NULL), 1e-9);
    near(a->odds_ratio.number, expected("study_agreement", "concordance_odds_ratio", NULL), 1e-9);
    static const char *const levels[] = {"0", "0.7", "1"};
    for (size_t t = 0; t < 3; t++) {
        const struct rt_spread *s = &report.parts[0].by_temperature.rows[t].spread;
        near(s->accord.accordance.number, expected("by_temperature", levels[t], "accordance", NULL),
             1e-9);
        near(s->accord.concordance.number,
             expected("by_temperature", levels[t], "concordance", NULL), 1e-9);
        near(s->s_r.number * s->s_r.number,
             expected("by_temperature", levels[t], "repeatability_variance", NULL), 1e-9);
    }
}

// Temperature 0 takes its variance from the lab x condition mean square, so it is not in the
// vector.
static void random_effects(void **state)
{
    (void)state;
    static const char *const levels[] = {"0.7", "1"};
    for (size_t t = 0; t < 2; t++) {
        const struct rt_estimate *e = &report.parts[0].by_temperature.rows[t + 1].estimate;
        const char *top = "standardized_lab_rates_by_temperature", *at = levels[t];
        near(e->mean.number, expected(top, at, "mu_REML", NULL), 1e-6);
        near(e->tau.number * e->tau.number, expected(top, at, "tau2_REML", NULL), 1e-6);
        near(e->this_bench.lower, expected(top, at, "ci_hk_REML", "#0", NULL), 1e-6);
        near(e->this_bench.upper, expected(top, at, "ci_hk_REML", "#1", NULL), 1e-6);
        near(e->prediction.lower, expected(top, at, "pi_hk_REML", "#0", NULL), 1e-6);
        near(e->prediction.upper, expected(top, at, "pi_hk_REML", "#1", NULL), 1e-6);
        double upper = e->tau_interval.upper;
        near(upper * upper, expected(top, at, "tau2_qprofile_ci95", "#1", NULL), 1e-6);
    }
}

static void verdict_agreement(void **state)
{
    (void)state;
    const struct rt_agreement *a = &report.parts[0].agreement;
    assert_true(a->shown);
    assert_int_equal(a->verdicts.ties, (uint64_t)expected("verdicts", "ties", NULL));
    near(a->alpha.number, expected("verdicts", "krippendorff_alpha_nominal", NULL), 1e-9);
    near(a->ac1.estimate.number, expected("verdicts", "gwet_ac1", NULL), 1e-9);
    near(a->kappa.estimate.number, expected("verdicts", "fleiss_kappa", NULL), 1e-9);
    near(a->percent.number, expected("verdicts", "percent_agreement", NULL), 1e-9);
}

static void margins(void **state)
{
    (void)state;
    const struct rt_report_part *part = &report.parts[0];
    static const char *const index[] = {"#0", "#1", "#2", "#3", "#4"};
    for (size_t i = 0; i < 3; i++) {
        near(part->by_phrasing.rows[i].estimate.cell_mean.number,
             expected("marginal", "phrasing", index[i], "cell_mean_rate", NULL), 1e-9);
        assert_int_equal(part->by_phrasing.rows[i].estimate.k,
                         (uint64_t)expected("marginal", "phrasing", index[i], "k", NULL));
        near(part->by_temperature.rows[i].estimate.cell_mean.number,
             expected("marginal", "temperature", index[i], "cell_mean_rate", NULL), 1e-9);
    }
    for (size_t i = 0; i < 5; i++)
        near(part->labs[i].estimate.mean.number,
             expected("marginal", "lab", index[i], "cell_mean_rate", NULL), 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals), cmocka_unit_test(accordance_and_concordance),
        cmocka_unit_test(random_effects), cmocka_unit_test(verdict_agreement),
        cmocka_unit_test(margins)};
    return cmocka_run_group_tests(tests, load, unload);
}
