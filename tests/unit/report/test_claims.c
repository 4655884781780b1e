// SPDX-License-Identifier: Apache-2.0
// Tests for odd labs, replication criteria, equivalence and departures from the plan.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/stats/interval.h"
#include "common/stats/special.h"
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

static const struct rt_odd_test *find(const struct made *made, const char *test, uint32_t lab)
{
    for (size_t i = 0; i < made->part->odd_tests.count; i++) {
        const struct rt_odd_test *row = &made->part->odd_tests.rows[i];
        if (strcmp(row->test, test) == 0 && (lab == RT_STUDY_NONE || row->lab == lab))
            return row;
    }
    fail_msg("no test %s for lab %u", test, lab);
    return NULL;
}

static void every_test_is_adjusted_for_all_of_them(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.odd_lab = 3;
    struct made *made = make(&sample);
    const struct rt_odd_tests *tests = &made->part->odd_tests;
    assert_int_equal(tests->count, 2 + 5 * 5);
    for (size_t i = 0; i < tests->count; i++) {
        const struct rt_odd_test *row = &tests->rows[i];
        if (!rt_value_ok(row->p))
            continue;
        assert_true(row->holm.number >= row->p.number);
        assert_true(row->benjamini_hochberg.number >= row->p.number);
        assert_true(row->benjamini_hochberg.number <= row->holm.number);
        assert_int_equal(row->flagged, row->holm.number <= 0.05);
        // On 0/1 results a lab's variance follows its rate, so that C and k may point at others.
        if (!strstr(row->test, " k") && !strstr(row->test, " C"))
            assert_true(!row->flagged || row->lab == 3);
    }
    assert_true(find(made, "z' (rate)", 3)->flagged);
    const struct rt_odd_test *grubbs = find(made, "Grubbs", RT_STUDY_NONE);
    assert_int_equal(grubbs->lab, 3);
    // Grubbs is h with a factor for having looked at all labs.
    double h = find(made, "Mandel h", 3)->p.number;
    assert_true(fabs(grubbs->p.number - fmin(1, 5 * h)) < 1e-9);
    drop(made);
}

// At its critical value a test's p is the error it was made for.
static void p_and_critical_values_agree(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    for (sample.seed = 1; sample.seed <= 6; sample.seed++) {
        struct made *made = make(&sample);
        for (size_t i = 0; i < made->part->odd_tests.count; i++) {
            const struct rt_odd_test *row = &made->part->odd_tests.rows[i];
            if (strcmp(row->test, "Mandel h") == 0 || strcmp(row->test, "Mandel k") == 0)
                assert_int_equal(fabs(row->statistic.number) > row->critical.number,
                                 row->p.number < 0.05);
        }
        drop(made);
    }
}

static void an_original_is_held_against_the_labs(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = make(&sample);
    const struct rt_hypothesis_result *h1 = &made->part->hypotheses[0];
    const struct rt_replication *c = &h1->check.criteria;
    assert_true(h1->check.has_original);
    assert_int_equal(h1->check.labs, 5);
    assert_int_equal(c->labs_same_sign, 5);
    double se = c->pooled.se_wald.number, gap = c->pooled.mu.number - 0.21;
    double both = se * se + 0.03 * 0.03;
    assert_true(fabs(c->q.number - gap * gap / both) < 1e-9);
    double tau = c->pooled.tau.number;
    double p = 2 * rt_normal_cdf(fabs(gap) / sqrt(tau * tau + both)).upper;
    assert_true(fabs(c->p_orig.number - p) < 1e-9);
    assert_non_null(strstr(h1->check.sentence, "5 of 5 labs have the sign of the original"));
    assert_false(made->part->hypotheses[1].check.has_original);
    assert_null(made->part->hypotheses[1].check.sentence);
    drop(made);
    sample.labs = 1;
    made = make(&sample);
    h1 = &made->part->hypotheses[0];
    assert_int_equal(h1->check.criteria.p_orig.reason, RT_REASON_SINGLE_LAB);
    assert_int_equal(h1->check.criteria.pooled_in_prediction, RT_ANSWER_UNKNOWN);
    assert_non_null(strstr(h1->check.sentence, "need two labs"));
    drop(made);
}

static void equivalence_needs_the_margin_to_hold_the_interval(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = make(&sample);
    const struct rt_claim_check *check = &made->part->hypotheses[0].check;
    const struct rt_estimate *e = &made->part->hypotheses[0].estimate;
    assert_true(check->has_margin);
    assert_false(check->equivalent);
    // At 90 % inside the 95 % interval around the same scenario means.
    assert_true(check->tost.lower > e->like_these.lower && check->tost.upper < e->like_these.upper);
    // Valid at every look, so wider than the interval for one look.
    assert_true(check->sequence.lower < check->newcombe.lower);
    assert_true(check->sequence.upper > check->newcombe.upper);
    // Both arms at half the error.
    struct rt_interval up = rt_interval_sequence((struct rt_counts){e->n, e->k}, 1, 1, 0.025);
    struct rt_interval down =
        rt_interval_sequence((struct rt_counts){e->reference_n, e->reference_k}, 1, 1, 0.025);
    assert_true(fabs(check->sequence.lower - (up.lower - down.upper)) < 1e-9);
    assert_true(fabs(check->sequence.upper - (up.upper - down.lower)) < 1e-9);
    drop(made);
    sample.effect = 0;
    sample.scenarios = 30;
    sample.replicates = 40;
    made = make(&sample);
    check = &made->part->hypotheses[0].check;
    assert_true(check->equivalent);
    assert_true(check->tost.lower > -0.03 && check->tost.upper < 0.03);
    assert_false(made->part->hypotheses[1].check.has_margin);
    assert_int_equal(made->part->hypotheses[1].check.tost.reason, RT_REASON_NOT_REGISTERED);
    drop(made);
}

static bool mentions(const struct made *made, const char *text)
{
    for (size_t i = 0; i < made->report.deviation_count; i++)
        if (strstr(made->report.deviations[i].text, text))
            return true;
    return false;
}

static void departures_from_the_plan_are_listed(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.labs = 3;
    struct made *made = make(&sample);
    assert_int_equal(made->report.deviation_count, 0);
    drop(made);
    sample.labs = 5;
    sample.withdrawn_lab = 2;
    made = make(&sample);
    assert_true(mentions(made, "uni-c: withdrew."));
    assert_true(mentions(made, "planned trials are missing"));
    assert_true(mentions(made, "uni-b joined after the start."));
    assert_int_equal(made->report.deviation_count, 3);
    drop(made);
    sample.plan = false; // nothing registered, nothing to depart from
    made = make(&sample);
    assert_int_equal(made->report.deviation_count, 0);
    drop(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_test_is_adjusted_for_all_of_them),
        cmocka_unit_test(p_and_critical_values_agree),
        cmocka_unit_test(an_original_is_held_against_the_labs),
        cmocka_unit_test(equivalence_needs_the_margin_to_hold_the_interval),
        cmocka_unit_test(departures_from_the_plan_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
