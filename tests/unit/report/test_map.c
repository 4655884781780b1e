// SPDX-License-Identifier: Apache-2.0
// The missing-trials map against counts made by hand, and each scenario's own figures.
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

static void make(const struct sample *sample, struct made *ret)
{
    rt_arena_init(&ret->arena, (size_t)1 << 30);
    sample_make(sample, &ret->arena, &ret->study);
    SAMPLE_MUST(rt_report_make(&ret->arena, &ret->study, &ret->report));
}

static uint64_t sum(const struct rt_map *map, size_t labs, uint32_t lab, bool missing)
{
    uint64_t total = 0;
    for (size_t g = 0; g < map->group_count; g++)
        total += missing ? map->cells[g * labs + lab].missing : map->cells[g * labs + lab].planned;
    return total;
}

static void maps_add_up_to_participation(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made made;
    sample.withdrawn_lab = 3;
    make(&sample, &made);
    const struct rt_report *report = &made.report;
    size_t labs = made.study.lab_count;
    for (size_t by = 0; by < 2; by++) {
        const struct rt_map *map = &report->maps[by];
        for (uint32_t l = 0; l < labs; l++) {
            assert_int_equal(sum(map, labs, l, false), report->participation[l].planned);
            assert_int_equal(sum(map, labs, l, true), report->participation[l].missing);
        }
        assert_true(report->participation[3].missing > 0);
        assert_int_equal(map->with_missing, map->group_count);
        assert_int_equal(map->with_holes, 0);
    }
    assert_int_equal(report->maps[RT_MAP_SCENARIO].group_count, made.study.scenario_count);
    rt_arena_release(&made.arena);
}

static void nothing_missing_is_no_table(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made made;
    struct rt_buf text;
    rt_buf_init(&text, 64 << 20);
    make(&sample, &made);
    assert_int_equal(made.report.maps[0].with_missing, 0);
    assert_int_equal(rt_report_html(&made.report, &text), RT_OK);
    rt_buf_add_u8(&text, 0);
    assert_null(strstr((const char *)text.data, "<caption>Missing trials by"));
    rt_buf_clear(&text);
    rt_arena_release(&made.arena);
    sample.withdrawn_lab = 0;
    make(&sample, &made);
    assert_int_equal(rt_report_html(&made.report, &text), RT_OK);
    rt_buf_add_u8(&text, 0);
    assert_non_null(strstr((const char *)text.data, "<caption>Missing trials by scenario and lab"));
    rt_buf_release(&text);
    rt_arena_release(&made.arena);
}

// One vote a condition: with equally many conditions in each scenario the scenarios' plain mean is
// the plain mean of all cells, for rates and for effects.
static void scenarios_average_to_the_whole(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made made;
    make(&sample, &made);
    const struct rt_report_part *part = &made.report.parts[0];
    const struct rt_scenarios *all = &part->scenarios;
    double mean = 0, effect = 0;
    assert_int_equal(all->count, sample.scenarios);
    for (size_t i = 0; i < all->count; i++) {
        mean += all->rows[i].mean.number / (double)all->count;
        effect += all->rows[i].effect.number / (double)all->count;
    }
    assert_true(fabs(mean - part->overall.cell_mean.number) < 1e-12);
    assert_true(fabs(effect - part->contrasts.rows[0].effect.cell_mean.number) < 1e-12);
    assert_true(effect > 0.05);
    rt_arena_release(&made.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_add_up_to_participation),
        cmocka_unit_test(nothing_missing_is_no_table),
        cmocka_unit_test(scenarios_average_to_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
