// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/report/sample.h"

struct fixture {
    struct rt_arena arena;
    struct rt_study study;
};

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    rt_arena_init(&f->arena, 64 << 20);
    SAMPLE_MUST(rt_study_init(&f->study, &f->arena, "x", "a question"));
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    rt_arena_release(&f->arena);
    free(f);
    return 0;
}

static void small(struct rt_study *study)
{
    const int64_t micro[] = {700000, 0, 700000};
    SAMPLE_MUST(rt_study_add_subject(study, &(struct rt_study_subject){.id = "m"}, NULL));
    SAMPLE_MUST(rt_study_add_arm(study, &(struct rt_study_arm){.id = "t"}, NULL));
    SAMPLE_MUST(rt_study_add_scenario(study, &(struct rt_study_scenario){.id = "s1"}, NULL));
    SAMPLE_MUST(rt_study_add_scenario(study, &(struct rt_study_scenario){.id = "s2"}, NULL));
    SAMPLE_MUST(rt_study_add_phrasing(
        study, &(struct rt_study_phrasing){.id = "p1", .same_as = RT_STUDY_NONE}, NULL));
    SAMPLE_MUST(rt_study_set_temperatures(study, micro, 3));
    SAMPLE_MUST(rt_study_add_lab(study, &(struct rt_study_lab){.id = "a"}, NULL));
    SAMPLE_MUST(rt_study_add_lab(study, &(struct rt_study_lab){.id = "b"}, NULL));
    SAMPLE_MUST(rt_study_add_rater(study, "rules", true, NULL));
    SAMPLE_MUST(rt_study_add_outcome(study, &(struct rt_study_outcome){"yes", 2, true}, NULL));
    SAMPLE_MUST(
        rt_study_add_status(study, &(struct rt_study_status){"ok", RT_STUDY_COUNTED}, NULL));
}

static void labels_are_checked(void **state)
{
    struct rt_study *study = &((struct fixture *)*state)->study;
    char longest[RT_STUDY_LABEL_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    static const char *const wrong[] = {"", "a\nb", "\xff", "tab\there"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(rt_study_add_lab(study, &(struct rt_study_lab){.id = wrong[i]}, NULL),
                         RT_MALFORMED);
    assert_int_equal(rt_study_add_lab(study, &(struct rt_study_lab){.id = longest}, NULL),
                     RT_MALFORMED);
    longest[RT_STUDY_LABEL_MAX] = 0;
    uint32_t index = 99;
    assert_int_equal(rt_study_add_lab(study, &(struct rt_study_lab){.id = longest}, &index), RT_OK);
    assert_int_equal(index, 0);
    assert_int_equal(rt_study_add_lab(study, &(struct rt_study_lab){.id = longest}, NULL),
                     RT_EXISTS);
    // The same text is free in another factor.
    assert_int_equal(rt_study_add_rater(study, longest, true, NULL), RT_OK);
    assert_int_equal(rt_study_find_lab(study, longest), 0);
    assert_int_equal(rt_study_find_lab(study, "nobody"), RT_STUDY_NONE);
}

static void many_labels_stay_findable(void **state)
{
    struct rt_study *study = &((struct fixture *)*state)->study;
    char id[32];
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t index;
        snprintf(id, sizeof id, "scenario %u", i);
        assert_int_equal(
            rt_study_add_scenario(study, &(struct rt_study_scenario){.id = id}, &index), RT_OK);
        assert_int_equal(index, i);
    }
    for (uint32_t i = 0; i < 5000; i += 7) {
        snprintf(id, sizeof id, "scenario %u", i);
        assert_int_equal(rt_study_find_scenario(study, id), i);
    }
}

static void cells_merge_and_sort(void **state)
{
    struct rt_study *study = &((struct fixture *)*state)->study;
    small(study);
    assert_int_equal(study->temperature_count, 2);
    assert_int_equal(rt_study_find_temperature(study, 700000), 1);
    struct rt_study_cell cell = {
        .condition = {.scenario = 1}, .lab = 1, .count = 3, .score_sum_micro = -5};
    cell.fingerprint = RT_STUDY_NONE;
    assert_int_equal(rt_study_add_cell(study, &cell), RT_OK);
    cell.count = 4;
    cell.repeated = 2;
    assert_int_equal(rt_study_add_cell(study, &cell), RT_OK);
    cell.lab = 0;
    assert_int_equal(rt_study_add_cell(study, &cell), RT_OK);
    cell.condition.scenario = 0;
    assert_int_equal(rt_study_add_cell(study, &cell), RT_OK);
    cell.count = 0;
    cell.repeated = 0;
    cell.condition.temperature = 1;
    assert_int_equal(rt_study_add_cell(study, &cell), RT_OK);
    assert_int_equal(rt_study_seal(study), RT_OK);
    assert_int_equal(study->cell_count, 3);
    assert_int_equal(study->cells[0].condition.scenario, 0);
    assert_int_equal(study->cells[1].lab, 0);
    assert_int_equal(study->cells[2].lab, 1);
    assert_int_equal(study->cells[2].count, 7);
    assert_int_equal(study->cells[2].repeated, 2);
    assert_int_equal(study->cells[2].score_sum_micro, -10);
}

static void cells_are_checked(void **state)
{
    struct rt_study *study = &((struct fixture *)*state)->study;
    small(study);
    struct rt_study_cell good = {.count = 1, .fingerprint = RT_STUDY_NONE}, bad = good;
    bad.lab = 2;
    assert_int_equal(rt_study_add_cell(study, &bad), RT_OUT_OF_RANGE);
    bad = good, bad.condition.temperature = 2;
    assert_int_equal(rt_study_add_cell(study, &bad), RT_OUT_OF_RANGE);
    bad = good, bad.fingerprint = 0;
    assert_int_equal(rt_study_add_cell(study, &bad), RT_OUT_OF_RANGE);
    bad = good, bad.severity = 5;
    assert_int_equal(rt_study_add_cell(study, &bad), RT_OUT_OF_RANGE);
    bad = good, bad.repeated = 2;
    assert_int_equal(rt_study_add_cell(study, &bad), RT_OUT_OF_RANGE);
    good.count = UINT64_MAX;
    assert_int_equal(rt_study_add_cell(study, &good), RT_OK);
    assert_int_equal(rt_study_add_cell(study, &good), RT_OUT_OF_RANGE);
    good.count = 1, good.status = 0, good.score_sum_micro = INT64_MIN, good.lab = 1;
    assert_int_equal(rt_study_add_cell(study, &good), RT_OK);
    good.score_sum_micro = -1;
    assert_int_equal(rt_study_add_cell(study, &good), RT_OUT_OF_RANGE);
}

static void the_seal_checks_the_whole(void **state)
{
    struct rt_study *study = &((struct fixture *)*state)->study;
    assert_int_equal(rt_study_seal(study), RT_MALFORMED); // nothing there
    small(study);
    SAMPLE_MUST(rt_study_add_rater(study, "judge", true, NULL));
    assert_int_equal(rt_study_seal(study), RT_MALFORMED); // two primary raters
    study->raters[1].primary = false;
    SAMPLE_MUST(rt_study_add_arm(
        study, &(struct rt_study_arm){.id = "i", .role = RT_STUDY_INERT, .inert_of = 1}, NULL));
    assert_int_equal(rt_study_seal(study), RT_MALFORMED); // inert of itself
    study->arms[1].inert_of = 0;
    assert_int_equal(rt_study_seal(study), RT_OK);
}

static void fingerprints_are_sorted_and_unique(void **state)
{
    struct rt_study *study = &((struct fixture *)*state)->study;
    const struct rt_study_pair pairs[] = {{"server", "x"}, {"canary.system", "ok"}};
    const struct rt_study_pair twice[] = {{"server", "x"}, {"server", "y"}};
    assert_int_equal(rt_study_add_fingerprint(study, "sha256:1", pairs, 2, NULL), RT_OK);
    assert_string_equal(study->fingerprints[0].pairs[0].name, "canary.system");
    assert_int_equal(rt_study_add_fingerprint(study, "sha256:1", pairs, 2, NULL), RT_EXISTS);
    assert_int_equal(rt_study_add_fingerprint(study, "sha256:2", twice, 2, NULL), RT_CONFLICT);
}

static void plans_are_checked(void **state)
{
    struct rt_study *study = &((struct fixture *)*state)->study;
    small(study);
    struct rt_study_hypothesis h = {
        .id = "H", .measure = RT_STUDY_RISK_DIFFERENCE, .arm = 0, .reference = 0};
    struct rt_study_plan plan = study->plan;
    plan.hypotheses = &h;
    plan.hypothesis_count = 1;
    assert_int_equal(rt_study_set_plan(study, &plan), RT_OUT_OF_RANGE); // an arm against itself
    h.measure = RT_STUDY_PREVALENCE;
    h.arm = RT_STUDY_NONE;
    assert_int_equal(rt_study_set_plan(study, &plan), RT_OK);
    plan.has_sigma_pt = true;
    assert_int_equal(rt_study_set_plan(study, &plan), RT_OUT_OF_RANGE); // sigma_pt 0
    plan.sigma_pt = 0.03;
    plan.confidence = 1;
    assert_int_equal(rt_study_set_plan(study, &plan), RT_OUT_OF_RANGE);
    plan.confidence = 0.9;
    assert_int_equal(rt_study_set_plan(study, &plan), RT_OK);
}

static void too_many_places_are_refused(void **state)
{
    struct rt_study *study = &((struct fixture *)*state)->study;
    char id[32];
    small(study);
    for (uint32_t i = 0; i < 3000; i++) {
        snprintf(id, sizeof id, "s-%u", i);
        SAMPLE_MUST(rt_study_add_scenario(study, &(struct rt_study_scenario){.id = id}, NULL));
        snprintf(id, sizeof id, "p-%u", i);
        SAMPLE_MUST(rt_study_add_phrasing(
            study, &(struct rt_study_phrasing){.id = id, .same_as = RT_STUDY_NONE}, NULL));
    }
    struct rt_study_cell cell = {.count = 1, .fingerprint = RT_STUDY_NONE};
    assert_int_equal(rt_study_add_cell(study, &cell), RT_TOO_LARGE);
    assert_int_equal(rt_study_add_planned(study, &cell.condition, 0, 1), RT_TOO_LARGE);
    assert_int_equal(rt_study_seal(study), RT_TOO_LARGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(labels_are_checked),        TEST(many_labels_stay_findable),
        TEST(cells_merge_and_sort),      TEST(cells_are_checked),
        TEST(the_seal_checks_the_whole), TEST(fingerprints_are_sorted_and_unique),
        TEST(plans_are_checked),         TEST(too_many_places_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
