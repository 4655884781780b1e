// SPDX-License-Identifier: Apache-2.0
// Budgets under random policies and random loads: what policy lets happen never goes over a limit
// by more than the trials that were in flight when it was reached, days free what days took, totals
// free nothing, and the outlook promises no more than policy would allow.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "worker/care/outlook.h"

#define ROUNDS 400

static uint64_t state_of_random = 0x9e3779b97f4a7c15u;

static uint64_t below(uint64_t limit)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return limit ? state_of_random % limit : 0;
}

static uint64_t limit_or_none(uint64_t most)
{
    return below(3) ? 1 + below(most) : 0;
}

static struct rt_lab_policy random_policy(struct rt_hours *hours)
{
    struct rt_lab_policy policy = {
        .trials_per_day = limit_or_none(300),
        .tokens_per_day = limit_or_none(30000),
        .requests_per_day = limit_or_none(600),
        .gpu_hours_per_day = limit_or_none(3),
        .trials_total = limit_or_none(900),
        .tokens_total = limit_or_none(90000),
        .gpu_hours_total = limit_or_none(9),
        .concurrency = (uint32_t)(1 + below(16)),
    };
    if (below(2)) {
        *hours = (struct rt_hours){.days = (uint8_t)(1 + below(127)),
                                   .from_min = (uint16_t)below(1440),
                                   .until_min = (uint16_t)below(1440)};
        if (hours->from_min == hours->until_min)
            hours->until_min = (uint16_t)((hours->from_min + 1) % 1440);
        policy.hours = hours;
        policy.hour_count = 1;
    }
    return policy;
}

static bool within(uint64_t used, uint64_t limit, uint64_t slack)
{
    return !limit || used <= limit + slack;
}

// A lab at work for some days: trials start when policy says yes and cost something when they end.
static void live(const struct rt_lab_policy *policy)
{
    const uint64_t tokens = below(400), requests = 1 + below(4), gpu_ms = below(60000);
    struct rt_permit_now now = {.gpus = true, .weekday = (unsigned)below(7)};
    uint64_t day = 1, most = policy->concurrency;
    for (int step = 0; step < 3000; step++) {
        if (rt_permit_yes(rt_permit_trial(policy, &now))) {
            now.running++;
            assert_true(now.running <= most);
            assert_true(!policy->hour_count ||
                        rt_labconfig_open(policy, now.weekday, now.minute));
        }
        if (now.running && !below(3)) {
            now.running--;
            rt_usage_add(&now.usage, (int64_t)day, 1, tokens, requests);
            rt_usage_add_gpu(&now.usage, (int64_t)day, gpu_ms);
        }
        if (!below(4) && ++now.minute == 1440) {
            now.minute = 0;
            now.weekday = (now.weekday + 1) % 7;
            rt_usage_roll(&now.usage, (int64_t)++day);
        }
        // Trials are counted before they start, so theirs is exact but for those that cross
        // midnight; what a trial costs is known afterwards.
        assert_true(within(now.usage.trials_total, policy->trials_total, 0));
        assert_true(within(now.usage.trials_today, policy->trials_per_day, most));
        assert_true(within(now.usage.tokens_today, policy->tokens_per_day, 2 * most * tokens));
        assert_true(within(now.usage.tokens_total, policy->tokens_total, most * tokens));
        assert_true(
            within(now.usage.requests_today, policy->requests_per_day, 2 * most * requests));
        assert_true(within(now.usage.gpu_total_ms, policy->gpu_hours_total * RT_GPU_HOUR_MS,
                           most * gpu_ms));
    }
}

static void test_limits_hold(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_hours hours;
        struct rt_lab_policy policy = random_policy(&hours);
        live(&policy);
    }
}

static void test_units_never_promise_more_than_trials(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct rt_hours hours;
        struct rt_lab_policy policy = random_policy(&hours);
        struct rt_permit_now now = {.gpus = below(2),
                                    .weekday = (unsigned)below(7),
                                    .minute = (unsigned)below(1440),
                                    .held = !below(8),
                                    .running = (uint32_t)below(8),
                                    .usage = {.trials_today = below(400),
                                              .tokens_today = below(40000),
                                              .gpu_today_ms = below(4 * RT_GPU_HOUR_MS),
                                              .trials_total = below(1000)}};
        now.reserved = now.running + below(100);
        uint64_t room = 77;
        struct rt_permit unit = rt_permit_unit(&policy, &now, &room);
        struct rt_permit trial = rt_permit_trial(&policy, &now);
        assert_true(rt_permit_yes(unit) == (room > 0));
        // No unit is taken whose trials could not start for another reason than how many run.
        if (rt_permit_yes(unit))
            assert_true(rt_permit_yes(trial) || trial.cause == RT_PERMIT_BUSY);
        assert_true(within(now.usage.trials_today + now.reserved + (room == UINT64_MAX ? 0 : room),
                           room && room != UINT64_MAX ? policy.trials_per_day : 0, 0));
        assert_true(unit.wait_ms == 0 || !rt_permit_yes(unit));
        if (unit.wait_ms && unit.wait_ms != RT_PERMIT_NEVER)
            assert_true(unit.wait_ms > 0 && unit.wait_ms <= 7 * 1440 * 60000LL);
    }
}

static void test_outlook_stays_within(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct rt_hours hours;
        struct rt_lab_policy policy = random_policy(&hours);
        struct rt_trial_cost cost = {.seconds = 0.5 + (double)below(100),
                                     .tokens = (double)below(400),
                                     .requests = 1 + (double)below(4),
                                     .gpu_hours = (double)below(100) / 1000};
        struct rt_permit_now now = {.gpus = true,
                                    .weekday = (unsigned)below(7),
                                    .minute = (unsigned)below(1440),
                                    .usage = {.trials_today = below(300),
                                              .trials_total = below(900)}};
        uint64_t left = below(5000);
        struct rt_outlook outlook;
        rt_outlook(&policy, &now, &cost, left, &outlook);
        assert_true(outlook.trials <= left);
        // At most the rest of today and all of tomorrow.
        assert_true(within(outlook.trials, 2 * policy.trials_per_day, 0));
        assert_true(within(outlook.trials + now.usage.trials_total,
                           policy.trials_total ? policy.trials_total : 0,
                           now.usage.trials_total > policy.trials_total ? now.usage.trials_total
                                                                        : 0));
        assert_true((double)outlook.trials * cost.seconds <= 86400 + cost.seconds);
        if (outlook.opens_in_ms == RT_PERMIT_NEVER)
            assert_int_equal(outlook.trials, 0);
        else
            assert_true(outlook.opens_in_ms <= outlook.shuts_in_ms);
        if (outlook.opens_in_ms == 0)
            assert_true(rt_permit_yes(rt_permit_unit(&policy, &now, NULL)));
    }
}

static void test_outlook_of_a_night(void **state)
{
    (void)state;
    // Open from 20:00 to 06:00; it is noon: ten hours from eight hours on, a trial a minute.
    struct rt_hours hours = {.days = 0x7f, .from_min = 20 * 60, .until_min = 6 * 60};
    struct rt_lab_policy policy = {.hours = &hours, .hour_count = 1};
    struct rt_permit_now now = {.minute = 12 * 60};
    struct rt_trial_cost cost = {.seconds = 60, .tokens = 100, .requests = 2};
    struct rt_outlook outlook;
    rt_outlook(&policy, &now, &cost, 100000, &outlook);
    assert_int_equal(outlook.trials, 600);
    assert_int_equal(outlook.opens_in_ms, 8 * 3600000);
    assert_int_equal(outlook.shuts_in_ms, 18 * 3600000);
    assert_int_equal(outlook.ended_by, RT_PERMIT_HOURS);
    // Tokens for 50 trials end it.
    policy.tokens_total = 5000;
    rt_outlook(&policy, &now, &cost, 100000, &outlook);
    assert_int_equal(outlook.trials, 50);
    assert_int_equal(outlook.ended_by, RT_PERMIT_TOKENS_TOTAL);
    // A day's trials, twice: midnight lies within the window.
    policy = (struct rt_lab_policy){.hours = &hours, .hour_count = 1, .trials_per_day = 250};
    rt_outlook(&policy, &now, &cost, 100000, &outlook);
    assert_int_equal(outlook.trials, 490); // 240 minutes until midnight, then 250
    rt_outlook(&policy, &now, &cost, 7, &outlook);
    assert_int_equal(outlook.trials, 7);
    assert_true(outlook.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_hold),
        cmocka_unit_test(test_units_never_promise_more_than_trials),
        cmocka_unit_test(test_outlook_stays_within),
        cmocka_unit_test(test_outlook_of_a_night),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
