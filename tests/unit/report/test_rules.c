// SPDX-License-Identifier: Apache-2.0
// Rules that keep a report from saying more than its numbers, each on a study made to tempt it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/report/sample.h"

struct made {
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
};

static struct made *start(void)
{
    struct made *made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, (size_t)1 << 30);
    return made;
}

static struct made *make(const struct sample *sample)
{
    struct made *made = start();
    sample_make(sample, &made->arena, &made->study);
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    return made;
}

static void drop(struct made *made)
{
    rt_arena_release(&made->arena);
    free(made);
}

// Labs agree to a hair and three scenarios do not: the next lab is sure, other scenarios are not.
static void both_intervals_are_needed(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    unsigned tempted = 0;
    sample.scenarios = 3, sample.scenario_sd = 3, sample.lab_sd = 0, sample.replicates = 60;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        sample.seed = seed;
        struct made *made = make(&sample);
        const struct rt_hypothesis_result *h = &made->report.parts[0].hypotheses[0];
        bool next = h->estimate.prediction.lower > 0.05;
        bool like = h->estimate.like_these.lower > 0.05;
        tempted += next && !like;
        assert_int_equal(h->verdict == RT_REPLICATES, next && like);
        drop(made);
    }
    assert_true(tempted >= 3);
}

// With few trials a lab easily lies three sigma_pt away by chance; it must not be named for that.
static void sampling_noise_names_nobody(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    unsigned far = 0, named = 0;
    sample.scenarios = 3, sample.phrasings = 2, sample.replicates = 2, sample.lab_sd = 0;
    sample.base = -1, sample.labs = 12;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        sample.seed = seed;
        struct made *made = make(&sample);
        const struct rt_report_part *part = &made->report.parts[0];
        for (size_t l = 0; l < part->lab_count; l++)
            far += fabs(part->labs[l].looks[RT_LOOK_RATE].z_prime.number) >= 3;
        named += part->odd_count > 0;
        drop(made);
    }
    assert_true(far >= 5);
    assert_true(named <= 3);
}

static void one_cell(struct made *made, struct rt_study_condition condition, uint32_t lab,
                     uint64_t k, uint64_t n)
{
    struct rt_study_cell cell = {
        .condition = condition, .lab = lab, .fingerprint = lab, .outcome = 1, .count = k};
    SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
    cell.outcome = 0;
    cell.count = n - k;
    SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
}

// At temperature 0 a lab repeats itself: twenty equal trials are one answer. Labs whose answers are
// drawn alike must not look different (STATISTICS, decision 4).
static void repeated_answers_are_no_evidence_between_labs(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    uint64_t random = 99;
    unsigned different = 0;
    for (int round = 0; round < 60; round++) {
        struct made *made = start();
        SAMPLE_MUST(rt_study_init(&made->study, &made->arena, "zero", "Temperature 0"));
        sample_factors(&sample, &made->study);
        for (uint32_t s = 0; s < sample.scenarios; s++)
            for (uint32_t p = 0; p < sample.phrasings; p++)
                for (uint32_t lab = 0; lab < sample.labs; lab++)
                    one_cell(made, (struct rt_study_condition){.scenario = s, .phrasing = p}, lab,
                             sample_uniform(&random) < 0.4 ? 20 : 0, 20);
        SAMPLE_MUST(rt_study_seal(&made->study));
        SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
        different += made->report.parts[0].overall.tau_interval.lower > 0;
        drop(made);
    }
    assert_true(different <= 5);
}

// A difference that is steady over scenarios but smaller than what the same text shows twice.
static void below_the_noise_floor_nothing_is_clear(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = start();
    sample.scenarios = 12, sample.phrasings = 3, sample.labs = 2;
    SAMPLE_MUST(rt_study_init(&made->study, &made->arena, "floor", "Noise floor"));
    sample_factors(&sample, &made->study);
    for (uint32_t s = 0; s < sample.scenarios; s++)
        for (uint32_t lab = 0; lab < 2; lab++) {
            struct rt_study_condition c = {.scenario = s, .temperature = 2};
            one_cell(made, c, lab, 500, 1000);
            c.phrasing = 1;
            one_cell(made, c, lab, 530 + s % 3, 1000);
            c.phrasing = 2; // p1b, the same text as p1
            one_cell(made, c, lab, s % 2 ? 700 : 320, 1000);
        }
    SAMPLE_MUST(rt_study_seal(&made->study));
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    const struct rt_dependence *all = &made->report.parts[0].phrasings;
    bool seen = false;
    for (size_t i = 0; i < all->count; i++)
        if (all->rows[i].a == 0 && all->rows[i].b == 1) {
            assert_true(all->rows[i].interval.upper < 0); // steady
            assert_false(all->rows[i].clear);             // and yet
            seen = true;
        }
    assert_true(seen);
    assert_int_equal(all->strongest, all->count);
    drop(made);
}

// A lab that left after a few conditions must not shrink the common ground of all others.
static void a_lab_with_little_is_not_compared(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = start();
    SAMPLE_MUST(rt_study_init(&made->study, &made->arena, "early", "One lab left early"));
    sample_factors(&sample, &made->study);
    for (uint32_t s = 0; s < sample.scenarios; s++)
        for (uint32_t lab = 0; lab < sample.labs; lab++)
            if (lab != 2 || s < 6) // 6 of 8 scenarios: 75 %
                one_cell(made, (struct rt_study_condition){.scenario = s, .temperature = 2}, lab,
                         lab == 2 ? 10 : 4, 10);
    SAMPLE_MUST(rt_study_seal(&made->study));
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    const struct rt_report_part *part = &made->report.parts[0];
    assert_false(part->labs[2].compared);
    assert_int_equal(part->overall.labs, 4);
    assert_int_equal(part->overall.conditions, 8);
    assert_true(fabs(part->overall.cell_mean.number - 0.4) < 1e-12);
    bool said = false;
    for (size_t i = 0; i < made->report.finding_count; i++)
        said |= strstr(made->report.finding[i].text, "uni-c covers 6 of 8 conditions") != NULL;
    assert_true(said);
    drop(made);
}

// A claim that an effect is nearer to zero than a threshold, on either side.
static void within_is_two_sided(void **state)
{
    (void)state;
    static const struct {
        double effect, threshold;
        enum rt_verdict verdict;
    } cases[] = {{0, 0.06, RT_REPLICATES},
                 {2, 0.06, RT_DOES_NOT},
                 {-2, 0.06, RT_DOES_NOT},
                 {0, 0.003, RT_INCONCLUSIVE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample sample = SAMPLE;
        struct made *made = start();
        sample.scenarios = 20, sample.replicates = 20, sample.lab_sd = 0, sample.plan = false;
        sample.base = 0, sample.effect = cases[i].effect, sample.seed = 5;
        sample_make(&sample, &made->arena, &made->study);
        const struct rt_study_hypothesis h = {.id = "H",
                                              .measure = RT_STUDY_RISK_DIFFERENCE,
                                              .arm = 0,
                                              .reference = 1,
                                              .claim = RT_STUDY_WITHIN,
                                              .threshold = cases[i].threshold};
        made->study.plan.hypotheses = &h;
        made->study.plan.hypothesis_count = 1;
        SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
        assert_int_equal(made->report.parts[0].hypotheses[0].verdict, cases[i].verdict);
        drop(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_intervals_are_needed),
        cmocka_unit_test(sampling_noise_names_nobody),
        cmocka_unit_test(repeated_answers_are_no_evidence_between_labs),
        cmocka_unit_test(below_the_noise_floor_nothing_is_clear),
        cmocka_unit_test(a_lab_with_little_is_not_compared),
        cmocka_unit_test(within_is_two_sided)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
