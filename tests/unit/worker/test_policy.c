// SPDX-License-Identifier: Apache-2.0
// The lab's word: every cause, in its order, and when a no can become a yes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "worker/policy.h"

static struct rt_labconfig config;

static int read_config(void **state)
{
    static struct rt_arena arena;
    struct rt_labconfig *read = NULL;
    struct rt_error err;
    static const char text[] =
        "lab: uni-a\nnetwork: {mode: direct}\n"
        "subjects:\n  llama: {executor: builtin}\n"
        "policy:\n  classes: [public, synthetic]\n"
        "  campaigns: {approve: by-hand, trust_board: false}\n"
        "  hours: [\"mon-fri 19:00-07:00\", \"sat-sun all\"]\n"
        "  per_day: {trials: 100, tokens: 1000, requests: 300}\n"
        "  total: {trials: 500, tokens: 9000}\n"
        "  concurrency: 4\n";
    rt_arena_init(&arena, 1 << 20);
    if (rt_labconfig_read(rt_bytes_str(text), "worker.yaml", &arena, &read, NULL, &err)) {
        print_error("%s\n", err.text);
        return -1;
    }
    config = *read;
    *state = NULL;
    return 0;
}

static enum rt_permit_cause campaign(const char *class, const char *subject,
                                     enum rt_decision decision, bool automatic)
{
    struct rt_permit_campaign question = {.classes = &class,
                                          .class_count = 1,
                                          .subjects = &subject,
                                          .subject_count = 1,
                                          .decision = decision,
                                          .board_signed = true,
                                          .automatic = automatic};
    return rt_permit_campaign(&config, &question).cause;
}

static void test_campaigns(void **state)
{
    (void)state;
    assert_int_equal(campaign("public", "llama", RT_DECISION_NONE, false), RT_PERMIT_UNDECIDED);
    assert_int_equal(campaign("public", "llama", RT_DECISION_NONE, true), RT_PERMIT_YES);
    assert_int_equal(campaign("public", "llama", RT_DECISION_ACCEPT, false), RT_PERMIT_YES);
    assert_int_equal(campaign("public", "llama", RT_DECISION_DECLINE, true), RT_PERMIT_DECLINED);
    assert_int_equal(campaign("secret", "llama", RT_DECISION_ACCEPT, true), RT_PERMIT_CLASS);
    assert_int_equal(campaign("public", "gpt", RT_DECISION_ACCEPT, true), RT_PERMIT_SUBJECT);
    config.policy.trust_board = true;
    assert_int_equal(campaign("public", "llama", RT_DECISION_NONE, false), RT_PERMIT_YES);
    config.policy.trust_board = false;
    config.policy.approve = RT_APPROVE_AUTOMATIC;
    assert_int_equal(campaign("public", "llama", RT_DECISION_NONE, false), RT_PERMIT_YES);
    assert_int_equal(campaign("secret", "llama", RT_DECISION_NONE, false), RT_PERMIT_CLASS);
    config.policy.approve = RT_APPROVE_BY_HAND;
}

// Saturday noon: inside the hours whatever the minute.
static struct rt_permit_now open_moment(void)
{
    return (struct rt_permit_now){.weekday = 5, .minute = 720};
}

static void test_hours_and_when_they_come(void **state)
{
    (void)state;
    struct rt_permit_now now = {.weekday = 2, .minute = 18 * 60, .ms = 1500};
    struct rt_permit permit = rt_permit_unit(&config.policy, &now, NULL);
    assert_int_equal(permit.cause, RT_PERMIT_HOURS);
    assert_int_equal(permit.wait_ms, 3600000 - 1500);
    now.minute = 19 * 60;
    assert_int_equal(rt_permit_unit(&config.policy, &now, NULL).cause, RT_PERMIT_YES);
    // The window that began on Friday evening runs into Saturday, and Monday's small hours follow
    // no window.
    now = (struct rt_permit_now){.weekday = 0, .minute = 60};
    permit = rt_permit_trial(&config.policy, &now);
    assert_int_equal(permit.cause, RT_PERMIT_HOURS);
    assert_int_equal(permit.wait_ms, INT64_C(18) * 3600000);
}

static void test_units_count_what_is_in_hand(void **state)
{
    (void)state;
    struct rt_permit_now now = open_moment();
    uint64_t room = 0;
    assert_int_equal(rt_permit_unit(&config.policy, &now, &room).cause, RT_PERMIT_YES);
    assert_int_equal(room, 100);
    now.reserved = 30;
    now.usage.trials_today = 60;
    assert_int_equal(rt_permit_unit(&config.policy, &now, &room).cause, RT_PERMIT_YES);
    assert_int_equal(room, 10);
    now.reserved = 40;
    struct rt_permit permit = rt_permit_unit(&config.policy, &now, &room);
    assert_int_equal(permit.cause, RT_PERMIT_TRIALS_DAY);
    assert_int_equal(permit.wait_ms, 12 * 3600000);
    assert_int_equal(room, 0);
    now.usage.trials_total = 470;
    assert_int_equal(rt_permit_unit(&config.policy, &now, &room).cause, RT_PERMIT_TRIALS_TOTAL);
    now = open_moment();
    now.usage.trials_total = 495;
    assert_int_equal(rt_permit_unit(&config.policy, &now, &room).cause, RT_PERMIT_YES);
    assert_int_equal(room, 5);
}

static void test_trials_count_what_is_running(void **state)
{
    (void)state;
    struct rt_permit_now now = open_moment();
    now.running = 3;
    assert_int_equal(rt_permit_trial(&config.policy, &now).cause, RT_PERMIT_YES);
    now.running = 4;
    assert_int_equal(rt_permit_trial(&config.policy, &now).cause, RT_PERMIT_BUSY);
    now.running = 2;
    now.usage.trials_today = 98;
    assert_int_equal(rt_permit_trial(&config.policy, &now).cause, RT_PERMIT_TRIALS_DAY);
    now.usage.trials_today = 97;
    assert_int_equal(rt_permit_trial(&config.policy, &now).cause, RT_PERMIT_YES);
    // Units in hand are no reason to stop running them.
    now.reserved = 1000;
    assert_int_equal(rt_permit_trial(&config.policy, &now).cause, RT_PERMIT_YES);
}

static void test_other_budgets(void **state)
{
    (void)state;
    struct rt_permit_now now = open_moment();
    now.held = true;
    assert_int_equal(rt_permit_trial(&config.policy, &now).cause, RT_PERMIT_HELD);
    now = open_moment();
    now.usage.tokens_today = 1000;
    assert_int_equal(rt_permit_trial(&config.policy, &now).cause, RT_PERMIT_TOKENS_DAY);
    now.usage.tokens_total = 9000;
    assert_int_equal(rt_permit_trial(&config.policy, &now).cause, RT_PERMIT_TOKENS_TOTAL);
    assert_true(rt_permit_trial(&config.policy, &now).wait_ms == RT_PERMIT_NEVER);
    now = open_moment();
    now.usage.requests_today = 300;
    assert_int_equal(rt_permit_unit(&config.policy, &now, NULL).cause, RT_PERMIT_REQUESTS_DAY);
}

static void test_usage_by_days(void **state)
{
    (void)state;
    struct rt_usage usage = {0};
    rt_usage_add(&usage, 10, 2, 30, 4);
    rt_usage_add(&usage, 10, 1, 5, 1);
    assert_int_equal(usage.trials_today, 3);
    assert_int_equal(usage.tokens_today, 35);
    rt_usage_add(&usage, 11, 1, 1, 1);
    assert_int_equal(usage.trials_today, 1);
    assert_int_equal(usage.trials_total, 4);
    // A clock set back frees nothing.
    rt_usage_add(&usage, 10, 1, 1, 1);
    assert_int_equal(usage.day, 11);
    assert_int_equal(usage.trials_today, 2);
    rt_usage_add(&usage, 12, UINT64_MAX, 0, 0);
    assert_true(usage.trials_total == UINT64_MAX);
}

static void test_the_answer_in_words(void **state)
{
    (void)state;
    struct rt_buf out;
    rt_buf_init(&out, 4096);
    struct rt_permit_now now = {.weekday = 2, .minute = 18 * 60};
    rt_permit_explain(rt_permit_unit(&config.policy, &now, NULL), &out);
    assert_string_equal(rt_buf_str(&out), "hours: outside policy.hours; again in 1 h 0 min");
    rt_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaigns),
        cmocka_unit_test(test_hours_and_when_they_come),
        cmocka_unit_test(test_units_count_what_is_in_hand),
        cmocka_unit_test(test_trials_count_what_is_running),
        cmocka_unit_test(test_other_budgets),
        cmocka_unit_test(test_usage_by_days),
        cmocka_unit_test(test_the_answer_in_words),
    };
    return cmocka_run_group_tests(tests, read_config, NULL);
}
