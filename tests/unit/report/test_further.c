// SPDX-License-Identifier: Apache-2.0
// Variance components, sensitivity and severity against planted effects and against sums made here
// from the study's own cells.
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

static void near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.15g is not %.15g", a, b);
}

static struct rt_component component(const struct rt_variance_row *row, unsigned effect)
{
    for (size_t i = 0; i < row->components.effects; i++)
        if (row->components.effect[i].effect == effect)
            return row->components.effect[i];
    fail_msg("no component %u", effect);
    return row->components.effect[0];
}

static void components_are_per_temperature_and_add_up(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.scenarios = 12;
    sample.replicates = 40;
    sample.scenario_sd = 1.2;
    sample.phrasing_sd = 0;
    sample.lab_sd = 0;
    struct made *made = make(&sample);
    assert_int_equal(made->part->variance_count, 3); // one treatment arm, three temperatures
    for (size_t i = 0; i < 3; i++) {
        const struct rt_variance_row *row = &made->part->variance[i];
        double percent = 0;
        assert_int_equal(row->temperature, i);
        assert_int_equal(row->components.effects, 8);
        assert_int_equal(row->phrasings, 4); // the null pair's second half is none
        for (size_t e = 0; e < 8; e++)
            percent += row->components.effect[e].percent.number;
        near(percent, 100, 1e-9);
    }
    // Scenarios were planted, labs and phrasings were not.
    const struct rt_variance_row *warm = &made->part->variance[2];
    double scenario = component(warm, RT_VARIANCE_SCENARIO).percent.number;
    assert_true(scenario > 5);
    assert_true(component(warm, RT_VARIANCE_LAB).percent.number < 1);
    assert_true(component(warm, RT_VARIANCE_PHRASING).percent.number < 1);
    assert_int_equal(component(warm, 0).levels, 12 * 4 * 5 * 40);
    assert_int_equal(warm->projection_count, 6);
    assert_true(warm->projections[2].projection.grand_mean_se.number <
                warm->projections[0].projection.grand_mean_se.number);
    drop(made);
}

static void a_lab_effect_is_found_where_it_was_planted(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.replicates = 40;
    sample.odd_lab = 3;
    sample.odd_shift = 3;
    struct made *made = make(&sample);
    const struct rt_variance_row *warm = &made->part->variance[2];
    assert_true(component(warm, RT_VARIANCE_LAB).percent.number > 5);
    drop(made);
    sample.labs = 1;
    made = make(&sample);
    warm = &made->part->variance[2];
    assert_int_equal(component(warm, RT_VARIANCE_LAB).raw.reason, RT_REASON_SINGLE_LEVEL);
    assert_int_equal(warm->projections[0].projection.new_lab_sd.reason, RT_REASON_SINGLE_LAB);
    drop(made);
}

static const struct rt_move_row *move(const struct made *made, enum rt_move_factor factor,
                                      uint32_t temperature)
{
    for (size_t i = 0; i < made->part->moves.row_count; i++) {
        const struct rt_move_row *row = &made->part->moves.rows[i];
        if (row->factor == factor && row->temperature == temperature)
            return row;
    }
    fail_msg("no row for factor %d at temperature %u", factor, temperature);
    return NULL;
}

static void only_the_corrected_sd_tells_phrasings_from_noise(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.scenarios = 20;
    sample.phrasing_sd = 0;
    struct made *made = make(&sample);
    const struct rt_sensitivity *nothing = &move(made, RT_MOVE_PHRASING, 2)->sensitivity;
    assert_true(nothing->mean_spread.number > 0.2); // ten trials a cell
    assert_true(nothing->corrected_sd.number < 0.05);
    near(move(made, RT_MOVE_NULL_PAIR, 2)->sensitivity.corrected_sd.number, 0, 0.06);
    drop(made);
    sample.phrasing_sd = 1;
    made = make(&sample);
    assert_true(move(made, RT_MOVE_PHRASING, 2)->sensitivity.corrected_sd.number > 0.1);
    near(move(made, RT_MOVE_NULL_PAIR, 2)->sensitivity.corrected_sd.number, 0, 0.06);
    drop(made);
}

static void temperature_moves_the_trend(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.temperature_slope = 1;
    struct made *made = make(&sample);
    assert_true(made->part->moves.trend.z.number > 3);
    assert_int_equal(made->part->moves.temperature_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct rt_temperature_row *row = &made->part->moves.temperatures[i];
        assert_true(row->margin.repeatability.number > 0);
        assert_int_equal(row->margin.cells, 8 * 4 * 5);
    }
    drop(made);
    sample.temperature_slope = -1;
    made = make(&sample);
    assert_true(made->part->moves.trend.z.number < -3);
    drop(made);
}

static void a_scenario_s_phrasings_have_a_noise_floor(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.phrasing_sd = 0;
    sample.replicates = 20;
    struct made *made = make(&sample);
    const struct rt_moves *moves = &made->part->moves;
    double spread = 0, floor = 0;
    assert_int_equal(moves->scenario_count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(moves->scenarios[i].phrasings, 4);
        assert_true(rt_value_ok(moves->scenarios[i].null_difference));
        spread += moves->scenarios[i].spread.number;
        floor += moves->scenarios[i].counting_floor.number;
    }
    // With equal phrasings the spread is what counting gives.
    near(spread / floor, 1, 0.35);
    drop(made);
    sample.phrasing_sd = 1;
    made = make(&sample);
    moves = &made->part->moves;
    for (size_t i = 0, above = 0; i < 8; i++) {
        above += moves->scenarios[i].spread.number > 2 * moves->scenarios[i].counting_floor.number;
        assert_true(i < 7 || above >= 6);
    }
    drop(made);
}

// Severity 3 goes with the behaviour in the sample, so every figure follows from the rate.
static void severity_follows_from_the_cells(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    sample.odd_lab = 3;
    struct made *made = make(&sample);
    const struct rt_severity *severity = &made->part->severity;
    uint64_t n = 0, k = 0;
    for (size_t i = 0; i < made->study.cell_count; i++) {
        const struct rt_study_cell *cell = &made->study.cells[i];
        if (cell->condition.arm == 0) {
            n += cell->count;
            k += cell->outcome == 1 ? cell->count : 0;
        }
    }
    assert_false(severity->graded);
    assert_int_equal(severity->row_count, 1 + 5 + 3);
    assert_int_equal(severity->rows[0].n, n);
    assert_int_equal(severity->rows[0].counts[3], k);
    near(severity->rows[0].mean.number, 3.0 * (double)k / (double)n, 1e-12);
    near(severity->rows[0].at_least[1].number, (double)k / (double)n, 1e-12);
    near(severity->rows[0].share[0].number, 1 - (double)k / (double)n, 1e-12);
    const struct rt_severity_row *odd = &severity->rows[1 + 3];
    assert_int_equal(odd->by, RT_SEVERITY_LAB);
    assert_int_equal(odd->level, 3);
    assert_true(odd->superiority.number > 0.55);
    assert_true(severity->tests[0].ordinal.kruskal_p.number < 0.001);
    assert_true(severity->tests[0].ordinal.between_share.number > 0.01);
    assert_true(severity->shown);
    // With two categories in use, every distance agrees on what is a disagreement.
    near(severity->ordinal_alpha.number, severity->interval_alpha.number, 1e-9);
    drop(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_are_per_temperature_and_add_up),
        cmocka_unit_test(a_lab_effect_is_found_where_it_was_planted),
        cmocka_unit_test(only_the_corrected_sd_tells_phrasings_from_noise),
        cmocka_unit_test(temperature_moves_the_trend),
        cmocka_unit_test(a_scenario_s_phrasings_have_a_noise_floor),
        cmocka_unit_test(severity_follows_from_the_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
