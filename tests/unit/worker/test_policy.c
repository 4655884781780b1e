// SPDX-License-Identifier: Apache-2.0
// The lab's word: every cause, in its order, and when a no can become a yes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

static void test_roles_and_context(void **state)
{
    const char *class = "public", *subject = "llama", *roles[] = {"llama", "customer"};
    struct rt_permit_campaign question = {.classes = &class,
                                          .class_count = 1,
                                          .subjects = &subject,
                                          .subject_count = 1,
                                          .roles = roles,
                                          .role_count = 1,
                                          .decision = RT_DECISION_ACCEPT};
    (void)state;
    struct rt_lab_subject *own = &config.subjects[0];
    enum rt_executor executor = own->executor;
    own->executor = RT_EXECUTOR_CHAT;
    assert_int_equal(rt_permit_campaign(&config, &question).cause, RT_PERMIT_YES);
    question.role_count = 2; // not even a person's accept makes up for a model that is not there
    struct rt_permit permit = rt_permit_campaign(&config, &question);
    assert_int_equal(permit.cause, RT_PERMIT_ROLE);
    assert_string_equal(permit.detail, "customer");
    own->executor = RT_EXECUTOR_BUILTIN; // plays every role itself
    assert_int_equal(rt_permit_campaign(&config, &question).cause, RT_PERMIT_YES);
    own->executor = executor;
    question.role_count = 0;
    uint64_t context = own->context;
    question.min_context = 16384;
    own->context = 0; // not said: nothing to hold against it
    assert_int_equal(rt_permit_campaign(&config, &question).cause, RT_PERMIT_YES);
    own->context = 16383;
    assert_int_equal(rt_permit_campaign(&config, &question).cause, RT_PERMIT_CONTEXT);
    own->context = 16384;
    assert_int_equal(rt_permit_campaign(&config, &question).cause, RT_PERMIT_YES);
    own->context = context;
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

// ---- GPU hours

static void test_gpu_caps(void **state)
{
    (void)state;
    struct rt_lab_policy policy = {.gpu_hours_per_day = 2, .gpu_hours_total = 5};
    struct rt_permit_now now = {.minute = 600, .gpus = true};
    assert_true(rt_permit_yes(rt_permit_unit(&policy, &now, NULL)));
    // One GPU millisecond short of two hours is a yes, two hours are a no until midnight.
    rt_usage_add_gpu(&now.usage, 3, 2 * 3600000u - 1);
    assert_true(rt_permit_yes(rt_permit_trial(&policy, &now)));
    rt_usage_add_gpu(&now.usage, 3, 1);
    struct rt_permit permit = rt_permit_trial(&policy, &now);
    assert_int_equal(permit.cause, RT_PERMIT_GPU_DAY);
    assert_int_equal(permit.wait_ms, (1440 - 600) * 60000);
    assert_int_equal(rt_permit_budget(permit.cause), RT_BUDGET_DAY);
    assert_int_equal(rt_permit_unit(&policy, &now, NULL).cause, RT_PERMIT_GPU_DAY);
    // What holds no GPU goes on.
    now.gpus = false;
    assert_true(rt_permit_yes(rt_permit_trial(&policy, &now)));
    now.gpus = true;
    rt_usage_roll(&now.usage, 4);
    assert_true(rt_permit_yes(rt_permit_trial(&policy, &now)));
    rt_usage_add_gpu(&now.usage, 4, 3 * 3600000u);
    permit = rt_permit_trial(&policy, &now);
    assert_int_equal(permit.cause, RT_PERMIT_GPU_TOTAL);
    assert_true(permit.wait_ms == RT_PERMIT_NEVER);
    rt_usage_roll(&now.usage, 5);
    assert_int_equal(rt_permit_trial(&policy, &now).cause, RT_PERMIT_GPU_TOTAL);
    // A limit that no counter can hold is no overflow.
    policy = (struct rt_lab_policy){.gpu_hours_total = UINT64_MAX};
    assert_true(rt_permit_yes(rt_permit_trial(&policy, &now)));
}

static void test_gpu_time(void **state)
{
    (void)state;
    assert_int_equal(rt_usage_gpu_ms(4, 1000, 1250, 60000), 1000);
    assert_int_equal(rt_usage_gpu_ms(4, 1000, 1000, 60000), 0);
    assert_int_equal(rt_usage_gpu_ms(4, 2000, 1000, 60000), 0);
    assert_int_equal(rt_usage_gpu_ms(2, 0, 10000000, 60000), 120000);
    assert_int_equal(rt_usage_gpu_ms(0, 0, 1000, 60000), 0);
    assert_true(rt_usage_gpu_ms(UINT64_MAX, 0, 10, 60000) == UINT64_MAX);
}

static uint32_t gpus_of(const char *subject)
{
    char text[600];
    struct rt_arena arena;
    struct rt_labconfig *read = NULL;
    struct rt_error err;
    uint32_t count = UINT32_MAX;
    snprintf(text, sizeof text,
             "lab: uni-a\nnetwork: {mode: direct}\nsubjects:\n  m: {%s}\n"
             "policy: {classes: [public]}\n", subject);
    rt_arena_init(&arena, 1 << 20);
    if (rt_labconfig_read(rt_bytes_str(text), "worker.yaml", &arena, &read, NULL, &err))
        print_error("%s\n", err.text);
    else
        count = rt_lab_gpus(&read->subjects[0]);
    rt_arena_release(&arena);
    return count;
}

static uint32_t gpus_of_job(const char *sbatch)
{
    char text[400];
    snprintf(text, sizeof text,
             "executor: chat, endpoint: \"http://{node}:1/v1\", model: m, "
             "slurm: {mode: pilot, serve: [/s], sbatch: {%s}}", sbatch);
    return gpus_of(text);
}

static void test_gpus_of_a_subject(void **state)
{
    (void)state;
    assert_int_equal(gpus_of("executor: builtin"), 0);
    assert_int_equal(gpus_of("executor: chat, endpoint: \"http://h:1/v1\", model: m, gpus: 8"), 8);
    assert_int_equal(gpus_of_job("partition: cpu"), 0);
    assert_int_equal(gpus_of_job("gres: gpu"), 1);
    assert_int_equal(gpus_of_job("gres: \"gpu:2\""), 2);
    assert_int_equal(gpus_of_job("gres: \"gpu:a100:4\""), 4);
    assert_int_equal(gpus_of_job("gres: \"gpu:a100\""), 1);
    assert_int_equal(gpus_of_job("gres: \"gpu:h100:2(S:0-1)\""), 2);
    assert_int_equal(gpus_of_job("gres: \"shard:9,gpu:1,gpu:a100:2\""), 3);
    assert_int_equal(gpus_of_job("gres: \"gpumem:9\""), 0);
    assert_int_equal(gpus_of_job("gres: \"gpu:2\", nodes: 3"), 6);
    assert_int_equal(gpus_of_job("gpus: 5, nodes: 3"), 5);
    assert_int_equal(gpus_of_job("gpus: \"a100:2\""), 2);
    assert_int_equal(gpus_of_job("gpus-per-node: 4, nodes: 2"), 8);
    assert_int_equal(gpus_of_job("gpus: 99999999999999999999"), 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaigns),
        cmocka_unit_test(test_roles_and_context),
        cmocka_unit_test(test_hours_and_when_they_come),
        cmocka_unit_test(test_units_count_what_is_in_hand),
        cmocka_unit_test(test_trials_count_what_is_running),
        cmocka_unit_test(test_other_budgets),
        cmocka_unit_test(test_usage_by_days),
        cmocka_unit_test(test_the_answer_in_words),
        cmocka_unit_test(test_gpu_caps),
        cmocka_unit_test(test_gpu_time),
        cmocka_unit_test(test_gpus_of_a_subject),
    };
    return cmocka_run_group_tests(tests, read_config, NULL);
}
