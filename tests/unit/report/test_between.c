// SPDX-License-Identifier: Apache-2.0
// Resampling, reliability, odds ratios, serving stacks, languages and repeated outputs.
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
    const struct rt_report_part *part;
};

static struct made *make(const struct sample *sample)
{
    struct made *made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, (size_t)1 << 30);
    sample_make(sample, &made->arena, &made->study);
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    made->part = &made->report.parts[0];
    return made;
}

static void drop(struct made *made)
{
    rt_arena_release(&made->arena);
    free(made);
}

static bool inside(struct rt_interval interval, struct rt_value value)
{
    return rt_interval_ok(interval) && interval.lower <= value.number &&
           value.number <= interval.upper;
}

static void resampling_is_registered_and_repeatable(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.scenarios = 12;
    sample.base = -1;
    struct made *a = make(&sample), *b = make(&sample);
    const struct rt_resampled *x = &a->part->resampled, *y = &b->part->resampled;
    const struct rt_accord *accord = &a->part->spread.accord;
    assert_int_equal(x->replicates, 1999);
    assert_int_equal(x->scenarios, 12);
    assert_true(inside(x->accordance.interval, accord->accordance));
    assert_true(inside(x->concordance.interval, accord->concordance));
    assert_true(inside(x->odds_ratio.interval, accord->odds_ratio));
    assert_true(a->part->agreement.shown);
    assert_true(inside(x->alpha.interval, a->part->agreement.alpha));
    assert_true(x->alpha.interval.lower == y->alpha.interval.lower);
    assert_true(x->alpha.interval.upper == y->alpha.interval.upper);
    drop(a);
    drop(b);
}

static void no_replicates_registered_no_interval(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = make(&sample);
    struct rt_study_plan plan = made->study.plan;
    struct rt_report other;
    plan.bootstrap = 0;
    made->study.plan = plan;
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &other));
    assert_int_equal(other.parts[0].resampled.accordance.interval.reason, RT_REASON_NOT_REGISTERED);
    plan.bootstrap = 999;
    plan.bootstrap_seed = 7;
    made->study.plan = plan;
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &other));
    assert_int_equal(other.parts[0].resampled.replicates, 999);
    // Another seed, another draw, much the same interval.
    struct rt_interval first = made->part->resampled.accordance.interval;
    struct rt_interval second = other.parts[0].resampled.accordance.interval;
    assert_true(first.lower != second.lower || first.upper != second.upper);
    assert_true(fabs(first.lower - second.lower) < 0.02);
    drop(made);
}

static void temperature_has_an_odds_ratio_in_every_lab(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.temperature_slope = 1;
    sample.scenarios = 20;
    sample.replicates = 30;
    struct made *made = make(&sample);
    const struct rt_odds *odds = &made->part->odds;
    assert_int_equal(odds->count, 1 + 4); // temperature, and p2, p3, p4, p1b against p1
    const struct rt_odds_row *row = &odds->rows[0];
    assert_int_equal(row->factor, RT_MOVE_TEMPERATURE);
    assert_int_equal(row->level, 2);
    assert_int_equal(row->pooled, 5);
    // Conditional on the stratum the planted slope is one logit from 0 to 1.
    assert_true(fabs(row->reml.mu.number - 1) < 0.25);
    assert_true(inside(row->reml.hk, rt_value(1)));
    const struct rt_odds_row *null = &odds->rows[4];
    assert_string_equal(made->study.phrasings[null->level].id, "p1b");
    assert_true(inside(null->reml.hk, rt_value(0)));
    drop(made);
}

static void labs_that_order_conditions_alike_have_a_high_icc(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.scenario_sd = 2;
    sample.replicates = 40;
    sample.base = -1.5;
    struct made *made = make(&sample);
    const struct rt_reliability *r = &made->part->reliability;
    assert_int_equal(r->labs, 5);
    assert_int_equal(r->conditions, 8 * 5 * 3);
    assert_true(r->icc.c1.number > 0.6);
    assert_true(inside(r->icc.c1_interval, r->icc.c1));
    assert_true(r->kendall.w.number > 0.6);
    // What two labs agree on is bounded by what one lab agrees on with itself.
    assert_true(r->behaviour.alpha_between.number <= r->behaviour.alpha_within.number + 0.02);
    double behaviour = 1 - made->part->spread.accord.concordance.number;
    assert_true(fabs(r->behaviour.between.number - behaviour) < 1e-9);
    drop(made);
}

static const struct rt_stack_key *key(const struct made *made, const char *name)
{
    for (size_t i = 0; i < made->part->stacks.count; i++)
        if (strcmp(made->part->stacks.rows[i].name, name) == 0)
            return &made->part->stacks.rows[i];
    return NULL;
}

static void the_stack_that_goes_with_the_disagreement_explains_it(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.labs = 6;
    sample.odd_lab = 3;
    sample.lab_sd = 0;
    sample.replicates = 20;
    struct made *made = make(&sample);
    const struct rt_stack_key *canary = key(made, "canary.system");
    const struct rt_stack_key *server = key(made, "server");
    assert_non_null(canary);
    assert_non_null(server);
    assert_null(key(made, "quantisation")); // one value everywhere
    assert_int_equal(canary->stratum_count, 2);
    assert_true(made->part->stacks.tau.number > 0.1);
    assert_true(canary->explained.number > 0.9);
    assert_true(server->explained.number < 0.5);
    assert_true(canary->tau_within.number < server->tau_within.number);
    drop(made);
}

static void repeated_outputs_count_once(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    rt_arena_init(&arena, (size_t)1 << 30);
    sample_make(&sample, &arena, &study);
    // All of a cell's outputs at temperature 0 are one output.
    study.repeats_known = true;
    for (size_t i = 0; i < study.cell_count; i++)
        if (study.temperatures_micro[study.cells[i].condition.temperature] == 0 &&
            study.cells[i].count)
            study.cells[i].repeated = study.cells[i].count - 1;
    SAMPLE_MUST(rt_report_make(&arena, &study, &report));
    const struct rt_report_part *part = &report.parts[0];
    assert_string_equal(part->without[1].label, "identical outputs counted once");
    assert_int_equal(part->without[1].labs, 5);
    const struct rt_variance_row *zero = &part->variance[0];
    assert_true(zero->components.trials <= 2 * zero->components.cells);
    assert_true(part->moves.temperatures[0].margin.counts.n == zero->components.trials);
    rt_arena_release(&arena);
}

static void languages_are_a_factor(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = make(&sample);
    struct rt_report other;
    assert_int_equal(made->part->languages.count, 0); // all phrasings are in one
    made->study.phrasings[1].language = "de";
    made->study.phrasings[2].language = "de";
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &other));
    const struct rt_languages *languages = &other.parts[0].languages;
    const struct rt_report_part *part = &other.parts[0];
    assert_int_equal(languages->count, 2);
    assert_string_equal(languages->rows[1].language, "de");
    assert_int_equal(languages->rows[0].phrasings, 2); // p1 and p4; p1b is p1
    assert_int_equal(languages->rows[1].phrasings, 2);
    double de = (part->by_phrasing.rows[1].estimate.cell_mean.number +
                 part->by_phrasing.rows[2].estimate.cell_mean.number) /
                2;
    assert_true(fabs(languages->rows[1].mean.number - de) < 1e-9);
    assert_true(
        fabs(languages->pairs[0].difference.number - (languages->rows[0].mean.number - de)) < 1e-9);
    drop(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resampling_is_registered_and_repeatable),
        cmocka_unit_test(no_replicates_registered_no_interval),
        cmocka_unit_test(temperature_has_an_odds_ratio_in_every_lab),
        cmocka_unit_test(labs_that_order_conditions_alike_have_a_high_icc),
        cmocka_unit_test(the_stack_that_goes_with_the_disagreement_explains_it),
        cmocka_unit_test(repeated_outputs_count_once),
        cmocka_unit_test(languages_are_a_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
