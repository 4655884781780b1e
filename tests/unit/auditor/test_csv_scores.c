// SPDX-License-Identifier: Apache-2.0
// Tables of continuous values: the whole report of means, against reference values for the ISO 5725
// figures of the ASTM E691 glucose table and for a study of phrasings and temperatures.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "auditor/csv_study.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/report/render.h"

struct made {
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
};

static json_t *vectors(const char *name)
{
    struct rt_buf bytes;
    struct rt_error err = {0};
    json_t *root = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s/statistics/%s", RT_VECTORS, name);
    rt_buf_init(&bytes, 16 << 20);
    if (rt_file_read(path, &bytes, &err) || rt_json_parse(rt_buf_bytes(&bytes), &root, &err))
        fail_msg("%s", err.text);
    rt_buf_release(&bytes);
    return root;
}

static void make(const struct rt_buf *table, struct made *ret)
{
    const struct rt_csv_reading reading = {.sigma_pt = 2.5, .title = "Glucose"};
    struct rt_error err = {0};
    const char *unused;
    rt_arena_init(&ret->arena, (size_t)256 << 20);
    if (rt_csv_study(rt_buf_bytes(table), "scores.csv", &reading, &ret->arena, &ret->study, &unused,
                     &err))
        fail_msg("%s", err.text);
    assert_true(ret->study.scores);
    assert_int_equal(rt_report_make(&ret->arena, &ret->study, &ret->report), RT_OK);
}

static double at(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_number(value))
        fail_msg("no number %s", name);
    return json_number_value(value);
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-8 * fmax(1, fabs(want))))
        fail_msg("%.12g where the reference is %.12g", got, want);
}

// ---- one condition: glucose in serum, level C

static void glucose(const char *level, struct rt_buf *table)
{
    json_t *root = vectors("p03_iso5725_astm_e691_glucose.json");
    const json_t *rows = json_object_get(
        json_object_get(json_object_get(json_object_get(root, "inputs"), "levels"), level), "rows");
    rt_buf_init(table, 1 << 20);
    rt_buf_add_str(table, "lab,scenario,phrasing,temperature,value\n");
    for (size_t i = json_array_size(rows); i-- > 0;) // the order of rows is nothing
        rt_buf_printf(table, "%s,%s,p,0.5,%.10g\n",
                      json_string_value(json_array_get(json_array_get(rows, i), 0)), level,
                      json_number_value(json_array_get(json_array_get(rows, i), 1)));
    assert_true(json_array_size(rows) > 20);
    json_decref(root);
}

static void glucose_as_astm_prints_it(void **state)
{
    (void)state;
    json_t *root = vectors("p03_iso5725_astm_e691_glucose.json");
    const json_t *all = json_object_get(json_object_get(root, "expected"), "levels");
    const char *level;
    json_t *want;
    json_object_foreach((json_t *)(uintptr_t)all, level, want)
    {
        struct rt_buf table;
        struct made made;
        glucose(level, &table);
        make(&table, &made);
        const struct rt_report_part *part = &made.report.parts[0];
        near(part->spread.s_r.number, at(want, "s_r"));
        near(part->spread.s_l.number, at(want, "s_L"));
        near(part->spread.s_rr.number, at(want, "s_R"));
        near(part->overall.cell_mean.number, at(want, "mean_of_lab_means"));
        for (size_t l = 0; l < part->lab_count; l++) {
            near(part->labs[l].h.number,
                 json_number_value(json_array_get(json_object_get(want, "mandel_h"), l)));
            near(part->labs[l].k.number,
                 json_number_value(json_array_get(json_object_get(want, "mandel_k"), l)));
        }
        near(part->h_critical.number, at(want, "h_crit_05"));
        near(part->k_critical.number, at(want, "k_crit_05"));
        assert_int_equal(part->spread.accord.accordance.reason, RT_REASON_NOT_BINARY);
        assert_int_equal(part->overall.missing.reason, RT_REASON_NOT_BINARY);
        rt_arena_release(&made.arena);
        rt_buf_release(&table);
    }
    json_decref(root);
}

// ---- a study

static void study_table(struct rt_buf *table)
{
    json_t *root = vectors("p33_study_continuous.json");
    const json_t *rows =
        json_object_get(json_object_get(json_object_get(root, "inputs"), "trials"), "rows");
    rt_buf_init(table, 1 << 20);
    rt_buf_add_str(table, "lab,scenario,phrasing,temperature,value\n");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        rt_buf_printf(
            table, "%s,%s,%s,%.10g,%.10g\n", json_string_value(json_array_get(row, 0)),
            json_string_value(json_array_get(row, 1)), json_string_value(json_array_get(row, 2)),
            json_number_value(json_array_get(row, 3)), json_number_value(json_array_get(row, 4)));
    }
    json_decref(root);
}

// The grid's line is over the scenarios: means of variances.
static void check_precision(const struct made *made, const json_t *conditions)
{
    const struct rt_margin_list *grid = &made->report.parts[0].grid;
    assert_int_equal(grid->count, 4);
    for (size_t i = 0; i < grid->count; i++) {
        double within = 0, between = 0;
        for (int s = 1; s <= 3; s++) {
            char name[32];
            snprintf(name, sizeof name, "S%d|%s|%d", s,
                     made->study.phrasings[grid->rows[i].phrasing].id,
                     (int)(made->study.temperatures_micro[grid->rows[i].temperature] / 1000000));
            const json_t *want = json_object_get(conditions, name);
            within += at(want, "s_r") * at(want, "s_r") / 3;
            between += at(want, "s_L2_raw") / 3;
        }
        near(grid->rows[i].spread.s_r.number, sqrt(within));
        near(grid->rows[i].spread.s_l.number, sqrt(fmax(0, between)));
    }
}

static void study_of_scores(void **state)
{
    (void)state;
    static const struct {
        unsigned effect;
        const char *name;
    } effects[] = {{1, "lab"},
                   {2, "scenario"},
                   {4, "phrasing"},
                   {3, "lab:scenario"},
                   {5, "lab:phrasing"},
                   {6, "scenario:phrasing"},
                   {7, "lab:scenario:phrasing"},
                   {0, "residual"}};
    json_t *root = vectors("p33_study_continuous.json");
    const json_t *expected = json_object_get(root, "expected");
    struct rt_buf table;
    struct made made;
    study_table(&table);
    make(&table, &made);
    check_precision(&made, json_object_get(expected, "per_condition"));
    const struct rt_report_part *part = &made.report.parts[0];
    assert_int_equal(part->variance_count, 2);
    for (size_t t = 0; t < 2; t++) {
        const json_t *want = json_object_get(
            json_object_get(expected, "variance_components_by_temperature"), t ? "1" : "0");
        for (size_t e = 0; e < part->variance[t].components.effects; e++)
            for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
                if (effects[i].effect == part->variance[t].components.effect[e].effect)
                    near(part->variance[t].components.effect[e].raw.number,
                         at(want, effects[i].name));
    }
    assert_true(rt_interval_ok(part->overall.like_these));
    assert_true(rt_interval_ok(part->overall.tau_interval));
    assert_true(rt_value_ok(part->reliability.icc.a1));
    assert_int_equal(part->odds.count, 0);
    assert_non_null(strstr(made.report.finding[0].text, "mean score"));
    for (size_t i = 0; i < made.report.finding_count; i++)
        assert_null(strstr(made.report.finding[i].text, "behaviour"));
    rt_arena_release(&made.arena);
    rt_buf_release(&table);
    json_decref(root);
}

// One value a cell: how sure a lab's mean is then comes from the lab x condition mean square.
static void single_values(void **state)
{
    (void)state;
    struct rt_buf table;
    struct made made;
    rt_buf_init(&table, 1 << 20);
    rt_buf_add_str(&table, "lab,scenario,phrasing,temperature,value\n");
    for (int l = 0; l < 4; l++)
        for (int s = 0; s < 6; s++)
            rt_buf_printf(&table, "l%d,s%d,p,1,%.6f\n", l, s,
                          10.0 + l + 0.3 * ((l * 5 + s * 3) % 7));
    make(&table, &made);
    const struct rt_report_part *part = &made.report.parts[0];
    assert_true(rt_interval_ok(part->overall.this_bench));
    assert_true(part->overall.tau.number > 0.5);
    assert_int_equal(part->spread.s_r.reason, RT_REASON_NO_REPLICATES);
    rt_buf_clear(&table);
    rt_buf_add_str(&table, "lab,scenario,phrasing,temperature,value\na,s,p,1,-2.5\n");
    rt_arena_release(&made.arena);
    make(&table, &made);
    assert_int_equal(made.report.parts[0].overall.mean.reason, RT_REASON_NO_REPLICATES);
    rt_arena_release(&made.arena);
    rt_buf_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glucose_as_astm_prints_it),
        cmocka_unit_test(study_of_scores),
        cmocka_unit_test(single_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
