// SPDX-License-Identifier: Apache-2.0
// The small version of report-planted: 40 campaigns, one seed. Bounds are those a share of 40 keeps
// in all but about one of a thousand seeds where the targets of the full table hold.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdbool.h>
#include <cmocka.h>

#include "tests/sim/report/planted.h"

#define CAMPAIGNS 40

static struct planted_design small(double odd_shift)
{
    struct planted_design design = PLANTED_DESIGN;
    design.campaigns = CAMPAIGNS;
    design.odd_shift = odd_shift;
    return design;
}

static void intervals_cover_what_was_planted(void **state)
{
    (void)state;
    struct planted_design design = small(0);
    struct planted_tally tally;
    planted_run(&design, &tally);
    assert_in_range(tally.like_these, 33, CAMPAIGNS);
    assert_in_range(tally.this_bench, 33, CAMPAIGNS);
    assert_in_range(tally.effect_like_these, 33, CAMPAIGNS);
    assert_in_range(tally.effect_this_bench, 33, CAMPAIGNS);
    assert_in_range(tally.tau, 33, CAMPAIGNS);
    assert_in_range(tally.clean_flagged, 0, 7);
}

static void a_repeated_phrasing_has_no_variance_of_its_own(void **state)
{
    (void)state;
    struct planted_design design = small(0);
    struct planted_tally tally;
    design.seed = 2;
    planted_run(&design, &tally);
    assert_in_range(tally.null_clear, 0, 7);
    assert_true(planted_null_z(&tally) < 3.5 && planted_null_z(&tally) > -3.5);
    assert_true(tally.real_variance > 10 * tally.null_variance);
    assert_in_range(tally.some_phrasing, 33, CAMPAIGNS);
}

static void an_odd_lab_is_found(void **state)
{
    (void)state;
    struct planted_design design = small(5);
    struct planted_tally tally;
    planted_run(&design, &tally);
    assert_in_range(tally.odd_flagged, 28, CAMPAIGNS);
    assert_in_range(tally.clean_flagged, 0, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_cover_what_was_planted),
        cmocka_unit_test(a_repeated_phrasing_has_no_variance_of_its_own),
        cmocka_unit_test(an_odd_lab_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
