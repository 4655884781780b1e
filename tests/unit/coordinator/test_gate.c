// SPDX-License-Identifier: Apache-2.0
// The rule of who sees what, by hand: every reader, every matter, before and after.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/gate.h"

static const struct rt_gate_facts running = {.state = RT_OFFER_STARTED, .published = true};
static const struct rt_gate_facts closed = {.state = RT_OFFER_CLOSED, .published = true};
static const struct rt_gate_facts embargoed = {
    .state = RT_OFFER_CLOSED, .embargo_until_ms = 1000, .published = true};

static void test_trusted_see_all(void **state)
{
    (void)state;
    for (int matter = RT_MATTER_PROGRESS; matter <= RT_MATTER_OUTCOME; matter++)
        assert_true(rt_gate_allows(RT_READER_TRUSTED, (enum rt_matter)matter, &running, 0));
}

static void test_progress_and_plan_are_for_all(void **state)
{
    (void)state;
    for (int reader = RT_READER_PUBLIC; reader <= RT_READER_LAB; reader++) {
        assert_true(rt_gate_allows((enum rt_reader)reader, RT_MATTER_PROGRESS, &running, 0));
        assert_true(rt_gate_allows((enum rt_reader)reader, RT_MATTER_PLAN, &running, 0));
    }
}

static void test_outcomes_wait_for_every_end(void **state)
{
    (void)state;
    for (int reader = RT_READER_PUBLIC; reader <= RT_READER_LAB; reader++) {
        for (int word = 0; word < RT_OFFER_STATE_COUNT; word++) {
            struct rt_gate_facts facts = {.state = (enum rt_offer_state)word, .published = true};
            assert_int_equal(
                rt_gate_allows((enum rt_reader)reader, RT_MATTER_OUTCOME, &facts, INT64_MAX),
                word == RT_OFFER_CLOSED);
        }
        enum rt_reader who = (enum rt_reader)reader;
        assert_false(rt_gate_allows(who, RT_MATTER_OUTCOME, &embargoed, 999));
        assert_true(rt_gate_allows(who, RT_MATTER_OUTCOME, &embargoed, 1000));
        struct rt_gate_facts released = embargoed;
        released.released = true;
        assert_true(rt_gate_allows(who, RT_MATTER_OUTCOME, &released, 0));
        // A release does not end the blindness of labs that still run.
        released.state = RT_OFFER_STARTED;
        assert_false(rt_gate_allows(who, RT_MATTER_OUTCOME, &released, 0));
    }
}

static void test_scenarios(void **state)
{
    (void)state;
    assert_true(rt_gate_allows(RT_READER_LAB, RT_MATTER_CONTENT, &running, 0));
    assert_false(rt_gate_allows(RT_READER_PUBLIC, RT_MATTER_CONTENT, &running, 0));
    assert_true(rt_gate_allows(RT_READER_PUBLIC, RT_MATTER_CONTENT, &closed, 0));
    struct rt_gate_facts restricted = closed;
    restricted.published = false;
    assert_false(rt_gate_allows(RT_READER_PUBLIC, RT_MATTER_CONTENT, &restricted, INT64_MAX));
    assert_true(rt_gate_allows(RT_READER_PUBLIC, RT_MATTER_OUTCOME, &restricted, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trusted_see_all),
        cmocka_unit_test(test_progress_and_plan_are_for_all),
        cmocka_unit_test(test_outcomes_wait_for_every_end),
        cmocka_unit_test(test_scenarios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
