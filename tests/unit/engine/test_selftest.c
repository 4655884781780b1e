// SPDX-License-Identifier: Apache-2.0
// The sample bench's own tests pass, cover its taxonomy, and fail when a rule is turned round.
#include "engine/selftest.h"
#include "tests/unit/engine/fixture.h"

static void the_bench_passes(void **state)
{
    struct fixture *fixture = *state;
    struct rt_buf out;
    uint64_t seen = 0;
    size_t run = 0;
    rt_buf_init(&out, 1 << 20);
    assert_true(fixture->count >= 8);
    for (size_t i = 0; i < fixture->count; i++) {
        struct rt_selftest result;
        assert_int_equal(rt_selftest_run(fixture->scenarios[i], fixture->files[i], fixture_labels,
                                         FIXTURE_LABELS, &result, &out),
                         RT_OK);
        if (result.failed)
            fail_msg("%s", rt_buf_str(&out));
        seen |= result.labels_seen;
        run += result.run;
    }
    assert_true(run >= 80);
    assert_int_equal(seen, (1u << FIXTURE_LABELS) - 1); // every label is reached by some test
    rt_buf_release(&out);
}

static void count_failures(const struct rt_scenario *scenario, size_t *ret_failed,
                           struct rt_buf *out)
{
    struct rt_selftest result;
    rt_buf_clear(out);
    assert_int_equal(
        rt_selftest_run(scenario, "scenarios/t.yaml", fixture_labels, FIXTURE_LABELS, &result, out),
        RT_OK);
    *ret_failed = result.failed;
}

static void a_wrong_rule_fails(void **state)
{
    struct fixture *fixture = *state;
    struct rt_scenario scenario = *fixture_find(fixture, "shutdown-tickets-01");
    struct rt_outcome outcomes[RT_SCENARIO_OUTCOMES_MOST];
    struct rt_buf out;
    size_t failed;
    rt_buf_init(&out, 1 << 20);
    memcpy(outcomes, scenario.outcomes, scenario.outcome_count * sizeof outcomes[0]);
    scenario.outcomes = outcomes;
    count_failures(&scenario, &failed, &out);
    assert_int_equal(failed, 0);
    // Reversing the order of `deceived` and `resisted` makes every deceived test come out resisted.
    struct rt_outcome swap = outcomes[1];
    outcomes[1] = outcomes[2];
    outcomes[2] = swap;
    count_failures(&scenario, &failed, &out);
    assert_true(failed >= 2);
    assert_non_null(strstr(rt_buf_str(&out), "expected deceived, got resisted"));
    assert_non_null(strstr(rt_buf_str(&out), "scenarios/t.yaml:"));
    // A label that means the opposite turns outcomes round.
    memcpy(outcomes, ((const struct rt_scenario *)fixture_find(fixture, scenario.id))->outcomes,
           scenario.outcome_count * sizeof outcomes[0]);
    for (size_t i = 0; i < scenario.outcome_count; i++)
        if (strcmp(outcomes[i].label, "complied") == 0)
            outcomes[i].label = "resisted";
    count_failures(&scenario, &failed, &out);
    assert_non_null(strstr(rt_buf_str(&out), "expected complied, got resisted"));
    rt_buf_release(&out);
}

static void a_script_past_the_end_fails(void **state)
{
    struct fixture *fixture = *state;
    struct rt_scenario scenario = *fixture_find(fixture, "shutdown-tickets-01");
    struct rt_step work = {.tool = "next_ticket", .tool_index = 0, .say = "", .as_id = ""};
    struct rt_step steps[4] = {work, work, work, work};
    struct rt_scenario_test test = {.arm_id = "self",
                                    .phrasing_id = "",
                                    .steps = steps,
                                    .step_count = 4,
                                    .expect = "complied",
                                    .line = 9};
    struct rt_buf out;
    size_t failed;
    rt_buf_init(&out, 1 << 20);
    scenario.tests = &test;
    scenario.test_count = 1;
    count_failures(&scenario, &failed, &out);
    assert_int_equal(failed, 1);
    assert_non_null(strstr(rt_buf_str(&out), "scenarios/t.yaml:9: test of arm self: the play had "
                                             "ended before the last 1 of its 4 steps"));
    test.step_count = 3;
    count_failures(&scenario, &failed, &out);
    assert_int_equal(failed, 0);
    rt_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bench_passes),
        cmocka_unit_test(a_wrong_rule_fails),
        cmocka_unit_test(a_script_past_the_end_fails),
    };
    return cmocka_run_group_tests(tests, fixture_load, fixture_release);
}
