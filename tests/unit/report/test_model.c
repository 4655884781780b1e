// SPDX-License-Identifier: Apache-2.0
// What a report concludes from studies whose truth was planted.
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

static struct made *make(const struct sample *sample)
{
    struct made *made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, (size_t)1 << 30);
    sample_make(sample, &made->arena, &made->study);
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    return made;
}

static void drop(struct made *made)
{
    rt_arena_release(&made->arena);
    free(made);
}

// The first sentence about a topic, "" where there is none.
static const char *sentence(const struct made *made, const char *topic)
{
    for (size_t i = 0; i < made->report.finding_count; i++)
        if (strcmp(made->report.finding[i].topic, topic) == 0)
            return made->report.finding[i].text;
    return "";
}

static void has(const char *text, const char *piece)
{
    if (!strstr(text, piece))
        fail_msg("\"%s\" does not say \"%s\"", text, piece);
}

static void lacks(const char *text, const char *piece)
{
    if (strstr(text, piece))
        fail_msg("\"%s\" says \"%s\"", text, piece);
}

static void the_planted_lab_is_named_with_its_cause(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    for (uint32_t lab = 0; lab < 5; lab++) {
        sample.odd_lab = lab;
        sample.seed = 7 + lab;
        struct made *made = make(&sample);
        const struct rt_report_part *part = &made->report.parts[0];
        const char *id = made->study.labs[lab].id;
        assert_int_equal(part->odd_count, 1);
        assert_true(part->labs[lab].odd);
        assert_string_equal(part->labs[lab].keys[0].name, "canary.system");
        assert_true(part->labs[lab].keys[0].others_agree);
        has(made->report.headline, id);
        has(made->report.headline, "the only one with canary.system = ignored");
        has(sentence(made, "lab"),
            "only lab whose serving fingerprint has canary.system = ignored");
        has(made->report.next, id);
        has(made->report.next, "canary.system");
        for (uint32_t other = 0; other < 5; other++)
            if (other != lab)
                lacks(sentence(made, "lab"), made->study.labs[other].id);
        drop(made);
    }
}

static void a_hidden_cause_is_not_invented(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.odd_lab = 4; // shares server and hardware values with other labs
    sample.hide_cause = true;
    struct made *made = make(&sample);
    assert_true(made->report.parts[0].labs[4].odd);
    assert_int_equal(made->report.parts[0].labs[4].key_count, 0);
    has(sentence(made, "lab"), "holds nothing that the other labs' do not");
    has(made->report.next, "transcript");
    lacks(made->report.headline, "canary");
    drop(made);
}

static void clean_sets_name_nobody(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    unsigned named = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        sample.seed = seed;
        struct made *made = make(&sample);
        bool any = made->report.parts[0].odd_count > 0;
        named += any;
        if (!any) {
            has(made->report.headline, "no lab stands apart");
            has(sentence(made, "lab"), "No lab stands apart");
        }
        drop(made);
    }
    assert_true(named <= 3); // 5 % of 60
}

static void without_sigma_pt_nobody_is_judged(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.plan = false;
    sample.odd_lab = 2;
    struct made *made = make(&sample);
    assert_int_equal(made->report.parts[0].odd_count, 0);
    has(sentence(made, "lab"), "was not asked");
    lacks(made->report.headline, "stands apart");
    has(sentence(made, "rate"), "no hypothesis was preregistered");
    has(sentence(made, "contrast"), "Not preregistered");
    drop(made);
}

static void verdicts_follow_the_effect(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.scenarios = 20;
    sample.base = -1;
    sample.effect = 2;
    struct made *made = make(&sample);
    assert_int_equal(made->report.parts[0].hypotheses[0].verdict, RT_REPLICATES);
    has(made->report.headline, "H1 replicates");
    // A rate of about a quarter is clearly not below 0.02.
    assert_int_equal(made->report.parts[0].hypotheses[1].verdict, RT_DOES_NOT);
    drop(made);
    sample.effect = 0;
    sample.replicates = 20;
    sample.seed = 2;
    made = make(&sample);
    assert_int_equal(made->report.parts[0].hypotheses[0].verdict, RT_DOES_NOT);
    has(made->report.headline, "H1 does not replicate");
    lacks(made->report.headline, "H1 replicates");
    drop(made);
    sample.effect = 0.25; // about 0.05, which is the threshold
    made = make(&sample);
    assert_int_equal(made->report.parts[0].hypotheses[0].verdict, RT_INCONCLUSIVE);
    has(made->report.headline, "H1 is inconclusive");
    drop(made);
}

static void nothing_seen_is_instrument_silent_unless_known_answers_were_seen(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.base = -40;
    struct made *made = make(&sample);
    const struct rt_report_part *part = &made->report.parts[0];
    assert_true(part->silent);
    assert_int_equal(part->hypotheses[0].verdict, RT_INSTRUMENT_SILENT);
    has(made->report.headline, "H1 has no answer, instrument silent");
    drop(made);
    sample.known = true;
    made = make(&sample);
    part = &made->report.parts[0];
    assert_false(part->silent);
    assert_int_equal(part->known_right, part->known_n);
    assert_int_equal(part->k, 0); // known-answer trials are in no rate
    assert_int_equal(part->hypotheses[0].verdict, RT_DOES_NOT);
    assert_int_equal(part->hypotheses[1].verdict, RT_REPLICATES);
    drop(made);
}

static void a_withdrawal_is_counted_and_bounded(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.withdrawn_lab = 2;
    struct made *made = make(&sample);
    const struct rt_report *report = &made->report;
    const struct rt_estimate *e = &report->parts[0].overall;
    uint64_t conditions = 2 * 8 * 5, planned = conditions * (3 + 10 + 10);
    uint64_t received = conditions * (2 + 5 + 5);
    assert_int_equal(report->participation[2].planned, planned);
    assert_int_equal(report->participation[2].missing, planned - received);
    assert_int_equal(report->total.missing, planned - received);
    assert_true(e->missing.lower < e->cell_mean.number && e->cell_mean.number < e->missing.upper);
    // One lab of five lacks 1/3 of its trials at temperature 0 and half of the rest.
    double width = (1.0 / 3 + 0.5 + 0.5) / 3 / 5;
    assert_true(fabs(e->missing.upper - e->missing.lower - width) < 1e-12);
    has(sentence(made, "missing"), "uni-c 880 (withdrew)");
    drop(made);
}

static void missing_trials_that_could_turn_it_leave_no_verdict(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.withdrawn_lab = 2;
    sample.labs = 4;
    sample.scenarios = 20;
    sample.replicates = 20;
    sample.effect = 0.9; // near 0.17, and an eighth of all trials is missing
    struct made *made = make(&sample);
    const struct rt_hypothesis_result *h = &made->report.parts[0].hypotheses[0];
    assert_true(h->estimate.missing.lower < 0.05 && h->estimate.like_these.lower > 0.05);
    assert_true(h->bounds_straddle);
    assert_int_equal(h->verdict, RT_INCONCLUSIVE);
    has(made->report.next, "missing trials");
    drop(made);
}

static void the_null_pair_is_the_noise_floor(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.scenarios = 20;
    struct made *made = make(&sample);
    const struct rt_dependence *all = &made->report.parts[0].phrasings;
    size_t null_pairs = 0;
    for (size_t i = 0; i < all->count; i++)
        null_pairs += all->rows[i].null_pair;
    assert_int_equal(null_pairs, 1);
    assert_int_equal(all->pairs, 9);
    assert_true(rt_value_ok(all->noise_floor));
    assert_false(all->rows[all->count - 1].clear);
    drop(made);
    sample.phrasing_sd = 1;
    made = make(&sample);
    all = &made->report.parts[0].phrasings;
    assert_int_equal(all->strongest, 0);
    assert_true(fabs(all->rows[0].difference.number) > all->noise_floor.number);
    has(sentence(made, "phrasing"), "the rate depends on phrasing");
    has(sentence(made, "temperature"), "1 minus 0 is");
    drop(made);
}

static void rare_behaviour_hides_chance_corrected_agreement(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.base = -4;
    sample.effect = 0;
    struct made *made = make(&sample);
    const struct rt_agreement *a = &made->report.parts[0].agreement;
    assert_false(a->shown);
    assert_string_equal(a->reason, "minority_below_10_percent");
    drop(made);
}

static void one_lab_is_not_compared_with_anybody(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.labs = 1;
    struct made *made = make(&sample);
    const struct rt_report_part *part = &made->report.parts[0];
    assert_int_equal(part->overall.tau.reason, RT_REASON_SINGLE_LAB);
    assert_true(rt_interval_ok(part->overall.this_bench));
    assert_int_equal(part->hypotheses[0].verdict, RT_INCONCLUSIVE);
    assert_string_equal(part->agreement.reason, "single_lab");
    has(sentence(made, "agreement"), "Nothing can be said about agreement");
    drop(made);
}

static void two_labs_cannot_be_odd(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.labs = 2;
    sample.odd_lab = 1;
    struct made *made = make(&sample);
    assert_int_equal(made->report.parts[0].odd_count, 0);
    has(sentence(made, "lab"), "Fewer than three");
    lacks(made->report.headline, "stands apart");
    drop(made);
}

// By hand: one scenario, phrasing and temperature, two labs, 8/10 and 6/10 against 2/10 and 1/10.
static void a_contrast_by_hand(void **state)
{
    (void)state;
    static const uint64_t events[2][2] = {{8, 6}, {2, 1}};
    struct sample sample = SAMPLE;
    struct made *made = calloc(1, sizeof *made);
    sample.labs = 2, sample.scenarios = 1, sample.phrasings = 1, sample.null_pair = false;
    rt_arena_init(&made->arena, 16 << 20);
    SAMPLE_MUST(rt_study_init(&made->study, &made->arena, "hand", "By hand"));
    sample_factors(&sample, &made->study);
    for (uint32_t arm = 0; arm < 2; arm++)
        for (uint32_t lab = 0; lab < 2; lab++) {
            struct rt_study_cell cell = {.condition = {.arm = arm, .temperature = 2}, .lab = lab};
            cell.outcome = 1, cell.count = events[arm][lab];
            SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
            cell.outcome = 0, cell.count = 10 - events[arm][lab];
            SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
        }
    SAMPLE_MUST(rt_study_seal(&made->study));
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    const struct rt_report_part *part = &made->report.parts[0];
    assert_int_equal(part->contrasts.count, 1);
    const struct rt_contrast *c = &part->contrasts.rows[0];
    assert_true(fabs(c->target_rate.number - 0.7) < 1e-15);
    assert_true(fabs(c->reference_rate.number - 0.15) < 1e-15);
    assert_true(fabs(c->effect.cell_mean.number - 0.55) < 1e-15);
    assert_true(fabs(c->labs[0].y - 0.6) < 1e-15 && fabs(c->labs[1].y - 0.5) < 1e-15);
    // Beta posterior variances of both sides: p~ q~ / 12 with p~ = (k + 1/2)/11.
    double v = (8.5 * 2.5 + 2.5 * 8.5) / 121 / 12;
    assert_true(fabs(c->labs[0].v - v) < 1e-15);
    assert_int_equal(c->effect.like_these.reason, RT_REASON_SINGLE_LEVEL);
    drop(made);
}

static void seconds_raters_stand_on_their_own(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made *made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, 64 << 20);
    sample.labs = 3, sample.scenarios = 2;
    SAMPLE_MUST(rt_study_init(&made->study, &made->arena, "raters", "Two raters"));
    sample_factors(&sample, &made->study);
    SAMPLE_MUST(rt_study_add_rater(&made->study, "judge", false, NULL));
    for (uint32_t rater = 0; rater < 2; rater++)
        for (uint32_t lab = 0; lab < 3; lab++) {
            struct rt_study_cell cell = {.lab = lab, .rater = rater, .outcome = rater, .count = 4};
            SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
        }
    SAMPLE_MUST(rt_study_seal(&made->study));
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    assert_int_equal(made->report.part_count, 2);
    assert_true(made->report.parts[0].primary);
    assert_true(made->report.parts[0].overall.cell_mean.number == 0);
    assert_true(made->report.parts[1].overall.cell_mean.number == 1);
    assert_int_equal(made->report.total.received, 12); // the primary rater's trials, once
    drop(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_planted_lab_is_named_with_its_cause),
        cmocka_unit_test(a_hidden_cause_is_not_invented),
        cmocka_unit_test(clean_sets_name_nobody),
        cmocka_unit_test(without_sigma_pt_nobody_is_judged),
        cmocka_unit_test(verdicts_follow_the_effect),
        cmocka_unit_test(nothing_seen_is_instrument_silent_unless_known_answers_were_seen),
        cmocka_unit_test(a_withdrawal_is_counted_and_bounded),
        cmocka_unit_test(missing_trials_that_could_turn_it_leave_no_verdict),
        cmocka_unit_test(the_null_pair_is_the_noise_floor),
        cmocka_unit_test(rare_behaviour_hides_chance_corrected_agreement),
        cmocka_unit_test(one_lab_is_not_compared_with_anybody),
        cmocka_unit_test(two_labs_cannot_be_odd),
        cmocka_unit_test(a_contrast_by_hand),
        cmocka_unit_test(seconds_raters_stand_on_their_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
