// SPDX-License-Identifier: Apache-2.0
// Shapes of a study that change the model: phrasings nested in their scenario, cells of unequal
// size, and labs that know their weights in different ways.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/report/render.h"
#include "tests/unit/report/sample.h"

struct made {
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
};

static json_t *p22(void)
{
    struct rt_buf bytes;
    struct rt_error err = {0};
    json_t *root = NULL;
    rt_buf_init(&bytes, 1 << 20);
    if (rt_file_read(RT_VECTORS "/statistics/p22_varcomp_phrasing_nested.json", &bytes, &err) ||
        rt_json_parse(rt_buf_bytes(&bytes), &root, &err))
        fail_msg("%s", err.text);
    rt_buf_release(&bytes);
    return root;
}

static const json_t *case_of(const json_t *root, const char *side)
{
    return json_object_get(json_object_get(json_object_get(root, side), "cases"),
                           "phrasing_in_scenario");
}

// The vector's cells as a study. Its phrasing S2.P1 is P1 of S2: the same id in every scenario,
// which only the study's own flag keeps apart.
static void make(const json_t *rows, bool nested, uint64_t least, struct made *ret)
{
    const int64_t zero = 700000;
    char id[32];
    rt_arena_init(&ret->arena, (size_t)256 << 20);
    SAMPLE_MUST(rt_study_init(&ret->study, &ret->arena, "s", "Nested?"));
    ret->study.phrasings_nested = nested;
    SAMPLE_MUST(rt_study_add_subject(&ret->study, &(struct rt_study_subject){.id = "m"}, NULL));
    SAMPLE_MUST(rt_study_add_arm(
        &ret->study, &(struct rt_study_arm){"self", RT_STUDY_TREATMENT, RT_STUDY_NONE}, NULL));
    SAMPLE_MUST(rt_study_add_rater(&ret->study, "rules", true, NULL));
    SAMPLE_MUST(
        rt_study_add_status(&ret->study, &(struct rt_study_status){"ok", RT_STUDY_COUNTED}, NULL));
    SAMPLE_MUST(
        rt_study_add_outcome(&ret->study, &(struct rt_study_outcome){"no", 0, false}, NULL));
    SAMPLE_MUST(
        rt_study_add_outcome(&ret->study, &(struct rt_study_outcome){"yes", 1, true}, NULL));
    for (int i = 1; i <= 5; i++) {
        snprintf(id, sizeof id, "L%d", i);
        SAMPLE_MUST(rt_study_add_lab(&ret->study, &(struct rt_study_lab){.id = id}, NULL));
        snprintf(id, sizeof id, "S%d", i);
        if (i <= 4)
            SAMPLE_MUST(
                rt_study_add_scenario(&ret->study, &(struct rt_study_scenario){.id = id}, NULL));
        snprintf(id, sizeof id, "P%d", i);
        if (i <= 3)
            SAMPLE_MUST(rt_study_add_phrasing(
                &ret->study, &(struct rt_study_phrasing){.id = id, .same_as = RT_STUDY_NONE},
                NULL));
    }
    SAMPLE_MUST(rt_study_set_temperatures(&ret->study, &zero, 1));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        uint64_t n = (uint64_t)json_integer_value(json_array_get(row, 3));
        uint64_t k = (uint64_t)json_integer_value(json_array_get(row, 4));
        struct rt_study_cell cell = {
            .condition = {.scenario = rt_study_find_scenario(
                              &ret->study, json_string_value(json_array_get(row, 1))),
                          .phrasing = rt_study_find_phrasing(
                              &ret->study,
                              strchr(json_string_value(json_array_get(row, 2)), '.') + 1)},
            .lab = rt_study_find_lab(&ret->study, json_string_value(json_array_get(row, 0))),
            .fingerprint = RT_STUDY_NONE};
        if (n < least)
            continue;
        for (cell.outcome = 0; cell.outcome < 2; cell.outcome++) {
            cell.count = cell.outcome ? k : n - k;
            SAMPLE_MUST(rt_study_add_cell(&ret->study, &cell));
        }
    }
    SAMPLE_MUST(rt_study_seal(&ret->study));
    SAMPLE_MUST(rt_report_make(&ret->arena, &ret->study, &ret->report));
}

static const struct rt_component *effect(const struct rt_variance_row *row, unsigned mask)
{
    for (size_t e = 0; e < row->components.effects; e++)
        if (row->components.effect[e].effect == mask)
            return &row->components.effect[e];
    return NULL;
}

// Cells of 4 to 9 trials: 9 is more than twice 4, so the three-way interaction goes.
static void unequal_cells_reduce_the_model(void **state)
{
    (void)state;
    json_t *root = p22();
    const json_t *rows = json_object_get(json_object_get(case_of(root, "inputs"), "cells"), "rows");
    struct made made;
    make(rows, true, 0, &made);
    const struct rt_variance_row *row = &made.report.parts[0].variance[0];
    assert_true(row->nested);
    assert_true(row->reduced);
    assert_int_equal(row->components.trials, 360);
    assert_int_equal(row->components.cells, 60);
    assert_int_equal(row->phrasings, 3);
    assert_null(effect(row, RT_VARIANCE_LAB | RT_VARIANCE_SCENARIO | RT_VARIANCE_PHRASING));
    assert_null(effect(row, RT_VARIANCE_PHRASING));
    assert_int_equal(effect(row, RT_VARIANCE_SCENARIO | RT_VARIANCE_PHRASING)->levels, 12);
    assert_int_equal(effect(row, RT_VARIANCE_LAB)->levels, 5);
    // The rest moves little: main effects stay near the full model's reference values.
    const json_t *want = json_object_get(case_of(root, "expected"), "components_raw");
    double lab = json_number_value(json_object_get(want, "lab"));
    double scenario = json_number_value(json_object_get(want, "scenario"));
    assert_true(fabs(effect(row, RT_VARIANCE_LAB)->raw.number - lab) < 0.002);
    assert_true(fabs(effect(row, RT_VARIANCE_SCENARIO)->raw.number - scenario) < 0.002);
    rt_arena_release(&made.arena);
    make(rows, false, 0, &made);
    row = &made.report.parts[0].variance[0];
    assert_false(row->nested);
    assert_int_equal(effect(row, RT_VARIANCE_PHRASING)->levels, 3);
    rt_arena_release(&made.arena);
    json_decref(root);
}

// The same events among equally many trials: nothing is unequal, so all interactions stay.
static void nested_phrasings_as_the_reference_has_them(void **state)
{
    (void)state;
    json_t *root = p22();
    const json_t *expected = json_object_get(case_of(root, "expected"), "components_raw");
    json_t *rows =
        json_deep_copy(json_object_get(json_object_get(case_of(root, "inputs"), "cells"), "rows"));
    struct made made;
    for (size_t i = 0; i < json_array_size(rows); i++)
        json_array_set_new(json_array_get(rows, i), 3, json_integer(9));
    make(rows, true, 0, &made);
    const struct rt_variance_row *row = &made.report.parts[0].variance[0];
    assert_false(row->reduced);
    assert_int_equal(row->components.effects, json_object_size(expected));
    assert_int_equal(
        effect(row, RT_VARIANCE_LAB | RT_VARIANCE_SCENARIO | RT_VARIANCE_PHRASING)->levels, 60);
    // Balanced data: the classical mean squares, by hand over the 12 phrasings within scenarios.
    double rate[4][3][5], of_phrasing[4][3] = {{0}}, of_scenario[4] = {0}, between = 0, within = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *cell = json_array_get(rows, i);
        const char *lab = json_string_value(json_array_get(cell, 0));
        const char *phrasing = json_string_value(json_array_get(cell, 2));
        rate[phrasing[1] - '1'][phrasing[4] - '1'][lab[1] - '1'] =
            json_number_value(json_array_get(cell, 4)) / 9;
    }
    for (int s = 0; s < 4; s++)
        for (int p = 0; p < 3; p++)
            for (int l = 0; l < 5; l++) {
                of_phrasing[s][p] += rate[s][p][l] / 5;
                of_scenario[s] += rate[s][p][l] / 15;
            }
    for (int s = 0; s < 4; s++)
        for (int l = 0; l < 5; l++) {
            double own = 0;
            for (int p = 0; p < 3; p++)
                own += rate[s][p][l] / 3;
            for (int p = 0; p < 3; p++) {
                double rest = rate[s][p][l] - own - of_phrasing[s][p] + of_scenario[s];
                within += 9 * rest * rest / (4 * 2 * 4);
            }
        }
    for (int s = 0; s < 4; s++)
        for (int p = 0; p < 3; p++) {
            double off = of_phrasing[s][p] - of_scenario[s];
            between += 45 * off * off / (4 * 2);
        }
    double got = effect(row, RT_VARIANCE_SCENARIO | RT_VARIANCE_PHRASING)->raw.number;
    assert_true(fabs(got - (between - within) / 45) < 1e-12);
    rt_arena_release(&made.arena);
    json_decref(rows);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unequal_cells_reduce_the_model),
        cmocka_unit_test(nested_phrasings_as_the_reference_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
