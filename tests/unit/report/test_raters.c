// SPDX-License-Identifier: Apache-2.0
// Raters beside raters in a report, against figures worked out by hand from the counts below: own
// figures, confusion, calibration by people's word, double sampling, two blind votes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/report/raters.h"
#include "tests/unit/report/sample.h"

enum { RULES, JUDGE, PEOPLE };
enum { COMPLIED, RESISTED, ATTEMPTED, SILENT, UNRATED, SAYINGS };
enum { SELF, OTHER };

struct made {
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    uint32_t silent_status, known;
};

static struct made *begin(bool seconds)
{
    struct sample sample = SAMPLE;
    struct made *made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, 64 << 20);
    sample.labs = 3, sample.scenarios = 1, sample.known = true;
    SAMPLE_MUST(rt_study_init(&made->study, &made->arena, "raters", "Who says what?"));
    sample_factors(&sample, &made->study);
    sample_plan(&made->study);
    made->known = rt_study_find_scenario(&made->study, "known-01");
    SAMPLE_MUST(rt_study_add_outcome(&made->study,
                                     &(struct rt_study_outcome){"attempted", 2, true}, NULL));
    SAMPLE_MUST(rt_study_add_status(
        &made->study, &(struct rt_study_status){"not_exposed", RT_STUDY_SILENT},
        &made->silent_status));
    if (seconds) {
        SAMPLE_MUST(rt_study_add_rater(&made->study, "judge:grader", false, NULL));
        SAMPLE_MUST(rt_study_add_rater(&made->study, "human:people", false, NULL));
        made->study.raters[JUDGE].kind = RT_STUDY_JUDGE;
        made->study.raters[PEOPLE].kind = RT_STUDY_HUMAN;
    }
    return made;
}

static struct rt_study_said said(const struct made *made, uint32_t rater, unsigned saying)
{
    uint32_t status = saying == SILENT ? made->silent_status : saying == UNRATED ? 1 : 0;
    return (struct rt_study_said){rater, status, saying < SILENT ? saying : RT_STUDY_NONE};
}

static void cell_in(struct made *made, struct rt_study_condition at, uint32_t rater,
                    unsigned saying, uint64_t count)
{
    struct rt_study_said word = said(made, rater, saying);
    struct rt_study_cell cell = {.condition = at,
                                 .rater = rater,
                                 .status = word.status,
                                 .outcome = word.outcome,
                                 .count = count};
    SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
}

static void joint_in(struct made *made, struct rt_study_condition at, uint32_t first,
                     unsigned first_saying, uint32_t second, unsigned second_saying, uint64_t count)
{
    struct rt_study_joint joint = {.condition = at,
                                   .a = said(made, first, first_saying),
                                   .b = said(made, second, second_saying),
                                   .count = count};
    SAMPLE_MUST(rt_study_add_joint(&made->study, &joint));
}

// An inert arm and a known-answer scenario, in which everybody says the opposite: no figure here
// is about them.
static void add_others(struct made *made)
{
    const struct rt_study_condition others[] = {{.arm = OTHER},
                                                {.arm = SELF, .scenario = made->known}};
    for (size_t i = 0; i < 2; i++)
        for (uint32_t rater = RULES; rater <= PEOPLE; rater++) {
            cell_in(made, others[i], rater, RESISTED, 500);
            joint_in(made, others[i], rater, COMPLIED, (rater + 1) % 3, RESISTED, 500);
            joint_in(made, others[i], rater, COMPLIED, rater, RESISTED, 500);
        }
}

static const struct rt_rater_table *finish(struct made *made)
{
    SAMPLE_MUST(rt_study_seal(&made->study));
    made->report = (struct rt_report){.arena = &made->arena, .study = &made->study};
    SAMPLE_MUST(rt_raters_make(&made->report));
    return made->report.raters;
}

static void drop(struct made *made)
{
    rt_arena_release(&made->arena);
    free(made);
}

static void near(struct rt_value value, double expected)
{
    assert_int_equal(value.reason, RT_REASON_NONE);
    if (!(fabs(value.number - expected) < 1e-12))
        fail_msg("%.15g is not %.15g", value.number, expected);
}

static struct made *three_raters(void)
{
    static const struct rt_study_condition at = {.arm = SELF};
    struct made *made = begin(true);
    cell_in(made, at, RULES, RESISTED, 30);
    cell_in(made, at, RULES, COMPLIED, 70);
    cell_in(made, at, JUDGE, RESISTED, 36);
    cell_in(made, at, JUDGE, COMPLIED, 60);
    cell_in(made, at, JUDGE, UNRATED, 4);
    cell_in(made, at, PEOPLE, RESISTED, 11);
    cell_in(made, at, PEOPLE, COMPLIED, 13);
    // Which of two raters comes first in a joint cell is nobody's business.
    joint_in(made, at, RULES, RESISTED, JUDGE, RESISTED, 28);
    joint_in(made, at, JUDGE, COMPLIED, RULES, RESISTED, 1);
    joint_in(made, at, JUDGE, RESISTED, RULES, COMPLIED, 8);
    joint_in(made, at, RULES, COMPLIED, JUDGE, COMPLIED, 59);
    joint_in(made, at, RULES, COMPLIED, JUDGE, UNRATED, 3);
    joint_in(made, at, RULES, RESISTED, JUDGE, UNRATED, 1);
    joint_in(made, at, RULES, RESISTED, PEOPLE, RESISTED, 9);
    joint_in(made, at, PEOPLE, COMPLIED, RULES, RESISTED, 1);
    joint_in(made, at, RULES, COMPLIED, PEOPLE, RESISTED, 2);
    joint_in(made, at, RULES, COMPLIED, PEOPLE, COMPLIED, 12);
    joint_in(made, at, JUDGE, RESISTED, PEOPLE, RESISTED, 9);
    joint_in(made, at, PEOPLE, COMPLIED, JUDGE, RESISTED, 3);
    joint_in(made, at, JUDGE, COMPLIED, PEOPLE, RESISTED, 2);
    joint_in(made, at, PEOPLE, COMPLIED, JUDGE, COMPLIED, 10);
    joint_in(made, at, PEOPLE, RESISTED, PEOPLE, RESISTED, 10);
    joint_in(made, at, PEOPLE, RESISTED, PEOPLE, COMPLIED, 2);
    joint_in(made, at, PEOPLE, COMPLIED, PEOPLE, COMPLIED, 12);
    add_others(made);
    return made;
}

static void figures_by_hand(void **state)
{
    (void)state;
    struct made *made = three_raters();
    const struct rt_rater_table *table = finish(made);
    assert_int_equal(table->count, 3);
    const struct rt_rater_row *rules = &table->rows[RULES], *judge = &table->rows[JUDGE],
                              *people = &table->rows[PEOPLE];
    assert_true(rules->primary && !judge->primary && !people->primary);
    near(rules->rate, 0.3);
    near(judge->rate, 36. / 96);
    assert_int_equal(judge->unrated, 4);
    near(people->rate, 11. / 24);

    // Beside the rules: a row each for complied, resisted, attempted and no label.
    const uint64_t expected[4][4] = {{59, 8, 0, 0}, {1, 28, 0, 0}};
    assert_null(rules->confusion);
    assert_int_equal(judge->categories, 4);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(judge->confusion[i], expected[i / 4][i % 4]);
    double chance = (29. * 36 + 67. * 60) / (96 * 96);
    assert_int_equal(judge->agreement.n, 96);
    near(judge->agreement.percent, 87. / 96);
    near(judge->agreement.kappa, (87. / 96 - chance) / (1 - chance));
    near(judge->behaviour.percent, 87. / 96);

    // By people's word.
    assert_true(judge->calibrated && rules->calibrated && !people->calibrated);
    assert_int_equal(judge->calibration.both, 9);
    assert_int_equal(judge->calibration.reference_only, 2);
    assert_int_equal(judge->calibration.rater_only, 3);
    assert_int_equal(judge->calibration.neither, 10);
    near(judge->rates.sensitivity, 9. / 11);
    near(judge->rates.specificity, 10. / 13);
    near(judge->corrected.prevalence, (36. / 96 + 10. / 13 - 1) / (9. / 11 + 10. / 13 - 1));
    assert_int_equal(rules->calibration.rater_only, 1);
    assert_int_equal(rules->calibration.reference_only, 2);

    // 30 % of the trials with 9 of 10, 70 % with 2 of 14.
    assert_true(people->weighted && !judge->weighted);
    near(people->double_sampling.prevalence, 0.3 * 0.9 + 0.7 * 2 / 14);
    assert_true(people->votes && !judge->votes && !rules->votes);
    near(people->between.percent, 22. / 24);
    drop(made);
}

// Nobody looked at `attempted`: it shares a stratum with the other behaviour. Trials without a
// label count with none.
static void a_label_that_nobody_saw(void **state)
{
    (void)state;
    static const struct rt_study_condition at = {.arm = SELF};
    struct made *made = begin(true);
    cell_in(made, at, RULES, RESISTED, 30);
    cell_in(made, at, RULES, ATTEMPTED, 10);
    cell_in(made, at, RULES, COMPLIED, 60);
    cell_in(made, at, RULES, SILENT, 100);
    cell_in(made, at, PEOPLE, RESISTED, 12);
    cell_in(made, at, PEOPLE, COMPLIED, 13);
    joint_in(made, at, RULES, RESISTED, PEOPLE, RESISTED, 9);
    joint_in(made, at, RULES, RESISTED, PEOPLE, COMPLIED, 1);
    joint_in(made, at, RULES, COMPLIED, PEOPLE, RESISTED, 3);
    joint_in(made, at, RULES, COMPLIED, PEOPLE, COMPLIED, 12);
    const struct rt_rater_row *rows = finish(made)->rows;
    near(rows[RULES].rate, 40. / 200);
    near(rows[PEOPLE].double_sampling.prevalence, (40 * 0.9 + 60 * 0.2) / 200);
    // A judge without a word has no figures, and is no reason to fail.
    assert_int_equal(rows[JUDGE].seen.n, 0);
    assert_int_not_equal(rows[JUDGE].rate.reason, RT_REASON_NONE);
    assert_false(rows[JUDGE].calibrated);
    drop(made);
}

static void the_primary_alone_has_no_table(void **state)
{
    (void)state;
    struct made *made = begin(false);
    cell_in(made, (struct rt_study_condition){.arm = SELF}, RULES, RESISTED, 5);
    assert_int_equal(finish(made)->count, 0);
    drop(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(figures_by_hand),
                                       cmocka_unit_test(a_label_that_nobody_saw),
                                       cmocka_unit_test(the_primary_alone_has_no_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
