// SPDX-License-Identifier: Apache-2.0
#include "proto/counting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum rt_count_effect step(struct rt_count *count, enum rt_trial_status status,
                                 uint64_t index, int64_t received_ms)
{
    struct rt_arrival arrival = {status, index, received_ms, 100};
    return rt_count_step(count, &arrival);
}

static void test_first_final_stands(void **state)
{
    (void)state;
    struct rt_count count = {0};
    assert_int_equal(step(&count, RT_TRIAL_OK, 7, 100), RT_COUNT_FIRST);
    assert_int_equal(step(&count, RT_TRIAL_WITHHELD, 8, 50), RT_COUNT_DUPLICATE);
    assert_int_equal(step(&count, RT_TRIAL_ERROR, 9, 50), RT_COUNT_DUPLICATE);
    assert_int_equal(count.standing, RT_STANDING_FINAL);
    assert_int_equal(count.status, RT_TRIAL_OK);
    assert_int_equal(count.index, 7);
    assert_int_equal(count.attempts, 1);
    assert_false(rt_count_open(&count, 3));
}

static void test_last_error_until_a_final(void **state)
{
    (void)state;
    struct rt_count count = {0};
    assert_true(rt_count_open(&count, 3));
    assert_int_equal(step(&count, RT_TRIAL_ERROR, 1, 10), RT_COUNT_FIRST);
    assert_int_equal(step(&count, RT_TRIAL_TIMEOUT, 2, 20), RT_COUNT_REPLACES);
    assert_int_equal(count.standing, RT_STANDING_TENTATIVE);
    assert_int_equal(count.status, RT_TRIAL_TIMEOUT);
    assert_int_equal(count.index, 2);
    assert_true(rt_count_open(&count, 3));
    assert_int_equal(step(&count, RT_TRIAL_ERROR, 3, 30), RT_COUNT_REPLACES);
    assert_false(rt_count_open(&count, 3));
    // A final result counts however many attempts were made.
    assert_int_equal(step(&count, RT_TRIAL_BAD_FORMAT, 4, 40), RT_COUNT_REPLACES);
    assert_int_equal(count.standing, RT_STANDING_FINAL);
    assert_int_equal(count.attempts, 4);
}

static void test_late_changes_nothing(void **state)
{
    (void)state;
    struct rt_count count = {0};
    assert_int_equal(step(&count, RT_TRIAL_OK, 1, 101), RT_COUNT_LATE);
    assert_int_equal(count.standing, RT_STANDING_NONE);
    assert_int_equal(step(&count, RT_TRIAL_ERROR, 2, 101), RT_COUNT_LATE);
    assert_int_equal(count.attempts, 0);
    assert_int_equal(step(&count, RT_TRIAL_ERROR, 3, 99), RT_COUNT_FIRST);
    assert_int_equal(step(&count, RT_TRIAL_OK, 4, 101), RT_COUNT_LATE);
    assert_int_equal(count.status, RT_TRIAL_ERROR);
    // Late by its own unit's deadline, not by another's.
    struct rt_arrival arrival = {RT_TRIAL_OK, 5, 500, 500};
    assert_int_equal(rt_count_step(&count, &arrival), RT_COUNT_REPLACES);
    assert_int_equal(count.index, 5);
}

// EVIDENCE, "What counts", word for word over a whole history.
static bool by_the_book(const struct rt_arrival *arrivals, size_t count, uint64_t *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        if (rt_trial_status_flags(arrivals[i].status).final &&
            arrivals[i].received_ms <= arrivals[i].accept_until_ms) {
            *ret_index = arrivals[i].index;
            return true;
        }
    }
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (!rt_trial_status_flags(arrivals[i].status).final &&
            arrivals[i].received_ms <= arrivals[i].accept_until_ms) {
            *ret_index = arrivals[i].index;
            found = true;
        }
    }
    return found;
}

// Every history of up to five results, in time or late.
static void test_all_short_histories(void **state)
{
    (void)state;
    enum { CHOICES = RT_TRIAL_STATUS_COUNT * 2, LENGTH = 5 };
    unsigned total = 1;
    for (int i = 0; i < LENGTH; i++)
        total *= CHOICES;
    for (unsigned history = 0; history < total; history++) {
        struct rt_arrival arrivals[LENGTH];
        struct rt_count count = {0};
        unsigned rest = history;
        for (size_t i = 0; i < LENGTH; i++, rest /= CHOICES) {
            unsigned choice = rest % CHOICES;
            arrivals[i] = (struct rt_arrival){(enum rt_trial_status)(choice / 2), 10 + i,
                                              choice % 2 ? 11 : 10, 10};
            rt_count_step(&count, &arrivals[i]);
            uint64_t index = 0;
            bool counted = by_the_book(arrivals, i + 1, &index);
            assert_int_equal(count.standing != RT_STANDING_NONE, counted);
            if (counted)
                assert_true(count.index == index);
        }
    }
}

static void test_table(void **state)
{
    (void)state;
    for (int i = 0; i < RT_TRIAL_STATUS_COUNT; i++) {
        struct rt_trial_status_flags flags = rt_trial_status_flags((enum rt_trial_status)i);
        assert_true(flags.denominator != flags.missing);
        assert_true(flags.retry != flags.final);
        assert_non_null(rt_trial_status_words[i]);
    }
    assert_null(rt_trial_status_words[RT_TRIAL_STATUS_COUNT]);
    assert_true(rt_trial_status_flags(RT_TRIAL_WITHHELD).missing);
    assert_true(rt_trial_status_flags(RT_TRIAL_NOT_EXPOSED).denominator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_final_stands),
        cmocka_unit_test(test_last_error_until_a_final),
        cmocka_unit_test(test_late_changes_nothing),
        cmocka_unit_test(test_all_short_histories),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
