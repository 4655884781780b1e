// SPDX-License-Identifier: Apache-2.0
// What must not change a report: the order and the names of labs, and how cells were split. And
// what must: more events, more lab spread.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/report/render.h"
#include "tests/unit/report/sample.h"

struct made {
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
};

static void drop(struct made *made)
{
    rt_arena_release(&made->arena);
    free(made);
}

static struct made *make(const struct sample *sample)
{
    struct made *made = calloc(1, sizeof *made);
    rt_arena_init(&made->arena, (size_t)1 << 30);
    sample_make(sample, &made->arena, &made->study);
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    return made;
}

// The same cells with labs in reversed order, each count in `pieces` portions.
static struct made *rebuild(const struct sample *sample, const struct rt_study *from, bool reverse,
                            uint64_t pieces)
{
    struct made *made = calloc(1, sizeof *made);
    uint32_t labs = (uint32_t)from->lab_count;
    rt_arena_init(&made->arena, (size_t)1 << 30);
    SAMPLE_MUST(rt_study_init(&made->study, &made->arena, from->id, from->title));
    sample_factors(sample, &made->study);
    sample_plan(&made->study);
    for (size_t place = 0; place < rt_study_places(from); place++)
        for (uint32_t l = 0; l < labs; l++)
            if (from->planned[place * labs + l]) {
                size_t rest = place;
                struct rt_study_condition c = {0};
                c.temperature = (uint32_t)(rest % from->temperature_count);
                rest /= from->temperature_count;
                c.phrasing = (uint32_t)(rest % from->phrasing_count);
                rest /= from->phrasing_count;
                c.scenario = (uint32_t)(rest % from->scenario_count);
                c.arm = (uint32_t)(rest / from->scenario_count);
                SAMPLE_MUST(rt_study_add_planned(&made->study, &c, reverse ? labs - 1 - l : l,
                                                 from->planned[place * labs + l]));
            }
    for (size_t i = from->cell_count; i-- > 0;) {
        struct rt_study_cell cell = from->cells[i];
        uint64_t left = cell.count;
        if (reverse)
            cell.lab = cell.fingerprint = labs - 1 - cell.lab;
        for (uint64_t piece = 0; piece < pieces; piece++) {
            cell.count = piece + 1 == pieces ? left : left / 2;
            left -= cell.count;
            SAMPLE_MUST(rt_study_add_cell(&made->study, &cell));
        }
    }
    SAMPLE_MUST(rt_study_seal(&made->study));
    SAMPLE_MUST(rt_report_make(&made->arena, &made->study, &made->report));
    return made;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 * fmax(1, fabs(a))))
        fail_msg("%.15g is not %.15g", a, b);
}

static void estimates_equal(const struct rt_estimate *a, const struct rt_estimate *b)
{
    near(a->mean.number, b->mean.number);
    near(a->tau.number, b->tau.number);
    near(a->this_bench.lower, b->this_bench.lower);
    near(a->like_these.upper, b->like_these.upper);
    near(a->prediction.upper, b->prediction.upper);
    near(a->missing.lower, b->missing.lower);
    assert_int_equal(a->k, b->k);
}

static void values_equal(struct rt_value a, struct rt_value b)
{
    assert_int_equal(a.reason, b.reason);
    near(a.number, b.number);
}

// Labs of y are those of x in reversed order.
static void further_equal(const struct rt_report_part *x, const struct rt_report_part *y)
{
    assert_int_equal(x->variance_count, y->variance_count);
    for (size_t i = 0; i < x->variance_count; i++) {
        const struct rt_variance_row *a = &x->variance[i], *b = &y->variance[i];
        for (size_t e = 0; e < a->components.effects; e++)
            values_equal(a->components.effect[e].raw, b->components.effect[e].raw);
        values_equal(a->projections[0].projection.new_lab_sd,
                     b->projections[0].projection.new_lab_sd);
    }
    assert_int_equal(x->moves.row_count, y->moves.row_count);
    for (size_t i = 0; i < x->moves.row_count; i++)
        values_equal(x->moves.rows[i].sensitivity.corrected_sd,
                     y->moves.rows[i].sensitivity.corrected_sd);
    values_equal(x->moves.trend.z, y->moves.trend.z);
    for (size_t i = 0; i < x->moves.scenario_count; i++)
        values_equal(x->moves.scenarios[i].spread, y->moves.scenarios[i].spread);
    for (size_t s = 0; s < RT_SEVERITIES; s++)
        assert_int_equal(x->severity.rows[0].counts[s], y->severity.rows[0].counts[s]);
    for (size_t l = 0; l < 5; l++)
        values_equal(x->severity.rows[1 + l].superiority, y->severity.rows[5 - l].superiority);
    values_equal(x->severity.tests[0].ordinal.kruskal_h, y->severity.tests[0].ordinal.kruskal_h);
    assert_int_equal(x->odd_tests.flagged, y->odd_tests.flagged);
    near(x->resampled.odds_ratio.interval.upper, y->resampled.odds_ratio.interval.upper);
    near(x->resampled.alpha.interval.lower, y->resampled.alpha.interval.lower);
    values_equal(x->reliability.icc.a1, y->reliability.icc.a1);
    values_equal(x->reliability.kendall.w, y->reliability.kendall.w);
    values_equal(x->reliability.behaviour.alpha_within, y->reliability.behaviour.alpha_within);
    values_equal(x->odds.rows[0].reml.mu, y->odds.rows[0].reml.mu);
    values_equal(x->stacks.tau, y->stacks.tau);
    values_equal(x->hypotheses[0].check.criteria.p_orig, y->hypotheses[0].check.criteria.p_orig);
}

static void lab_order_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sample sample = SAMPLE;
        sample.seed = seed;
        sample.odd_lab = (uint32_t)(seed % 5);
        struct made *a = make(&sample);
        sample.odd_lab = 4 - sample.odd_lab; // the fingerprint moves with the lab
        struct made *b = rebuild(&sample, &a->study, true, 1);
        const struct rt_report_part *x = &a->report.parts[0], *y = &b->report.parts[0];
        estimates_equal(&x->overall, &y->overall);
        near(x->spread.s_l.number, y->spread.s_l.number);
        near(x->agreement.alpha.number, y->agreement.alpha.number);
        near(x->hypotheses[0].estimate.mean.number, y->hypotheses[0].estimate.mean.number);
        assert_int_equal(x->hypotheses[0].verdict, y->hypotheses[0].verdict);
        further_equal(x, y);
        for (size_t l = 0; l < 5; l++) {
            near(x->labs[l].looks[0].z_prime.number, y->labs[4 - l].looks[0].z_prime.number);
            near(x->labs[l].h.number, y->labs[4 - l].h.number);
            assert_int_equal(x->labs[l].odd, y->labs[4 - l].odd);
        }
        drop(a);
        drop(b);
    }
}

static void same(struct rt_value a, struct rt_value b)
{
    assert_int_equal(a.reason, b.reason);
    assert_true(a.number == b.number);
}

// Names are for people: other names, the same figures to the last bit.
static void labels_change_no_figure(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.odd_lab = 2;
    struct made *a = make(&sample), *b = make(&sample);
    struct rt_study *study = &b->study;
    char names[64][16];
    size_t at = 0;
    for (size_t i = 0; i < study->lab_count; i++, at++)
        study->labs[i].id = names[at];
    for (size_t i = 0; i < study->scenario_count; i++, at++)
        study->scenarios[i].id = names[at];
    for (size_t i = 0; i < study->phrasing_count; i++, at++)
        study->phrasings[i].id = names[at];
    for (size_t i = 0; i < at; i++)
        snprintf(names[i], sizeof names[i], "z%02zu", 63 - i); // in another order
    SAMPLE_MUST(rt_report_make(&b->arena, study, &b->report));
    const struct rt_report_part *x = &a->report.parts[0], *y = &b->report.parts[0];
    same(x->overall.mean, y->overall.mean);
    same(x->overall.tau, y->overall.tau);
    same(x->reliability.icc.a1, y->reliability.icc.a1);
    same(x->reliability.beta_binomial.rho, y->reliability.beta_binomial.rho);
    assert_true(x->resampled.alpha.interval.lower == y->resampled.alpha.interval.lower);
    assert_true(x->resampled.odds_ratio.interval.upper == y->resampled.odds_ratio.interval.upper);
    for (size_t i = 0; i < x->variance_count; i++)
        for (size_t e = 0; e < x->variance[i].components.effects; e++)
            same(x->variance[i].components.effect[e].raw, y->variance[i].components.effect[e].raw);
    assert_int_equal(x->odd_tests.flagged, y->odd_tests.flagged);
    drop(a);
    drop(b);
}

static void split_cells_change_no_byte(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.odd_lab = 2;
    struct made *original = make(&sample);
    struct made *a = rebuild(&sample, &original->study, false, 1);
    struct made *b = rebuild(&sample, &a->study, false, 3);
    struct rt_buf x, y;
    rt_buf_init(&x, 64 << 20);
    rt_buf_init(&y, 64 << 20);
    SAMPLE_MUST(rt_report_json(&a->report, &x));
    SAMPLE_MUST(rt_report_json(&b->report, &y));
    assert_true(rt_bytes_equal(rt_buf_bytes(&x), rt_buf_bytes(&y)));
    rt_buf_release(&x);
    rt_buf_release(&y);
    drop(original);
    drop(a);
    drop(b);
}

static void more_events_raise_the_rate_and_more_spread_raises_tau(void **state)
{
    (void)state;
    double rate = -1, tau = -1;
    for (int step = 0; step < 4; step++) {
        struct sample sample = SAMPLE;
        sample.base = -3 + step;
        struct made *made = make(&sample);
        assert_true(made->report.parts[0].overall.mean.number > rate);
        rate = made->report.parts[0].overall.mean.number;
        drop(made);
        sample = (struct sample)SAMPLE;
        sample.odd_lab = 1;
        sample.odd_shift = 0.7 * step;
        sample.base = -1.5;
        made = make(&sample);
        assert_true(made->report.parts[0].overall.tau.number >= tau);
        tau = made->report.parts[0].overall.tau.number;
        drop(made);
    }
    assert_true(tau > 0.1);
}

// ISO 5725 and accordance say the same where every lab has the same n (STATISTICS 3.3).
static void accordance_is_iso_5725(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct sample sample = SAMPLE;
        sample.seed = seed;
        struct made *made = make(&sample);
        const struct rt_margin_list *list = &made->report.parts[0].by_temperature;
        for (size_t i = 0; i < list->count; i++) {
            const struct rt_spread *s = &list->rows[i].spread;
            near(1 - s->accord.accordance.number, 2 * s->s_r.number * s->s_r.number);
            if (!s->truncated)
                near(1 - s->accord.concordance.number, 2 * s->s_rr.number * s->s_rr.number);
        }
        drop(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lab_order_changes_nothing), cmocka_unit_test(labels_change_no_figure),
        cmocka_unit_test(split_cells_change_no_byte),
        cmocka_unit_test(more_events_raise_the_rate_and_more_spread_raises_tau),
        cmocka_unit_test(accordance_is_iso_5725)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
