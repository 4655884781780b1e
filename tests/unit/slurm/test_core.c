// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/slurm/core.h"

static struct rt_slurm_core core;
static struct rt_slurm_effects effects;
static int64_t now;

static int setup(void **state)
{
    (void)state;
    struct rt_slurm_pool pool = {.jobs_at_most = 2,
                                 .trials_a_job = 4,
                                 .idle_exit_ms = 600000,
                                 .ready_within_ms = 60000,
                                 .margin_ms = 30000};
    now = 1000;
    rt_slurm_core_init(&core, 60000);
    rt_slurm_core_pool(&core, &pool);
    return 0;
}

static void step(enum rt_slurm_event_kind kind, uint32_t job, uint64_t number, bool yes)
{
    struct rt_slurm_event event = {
        .kind = kind, .mono_ms = now, .job = job, .number = number, .yes = yes};
    rt_slurm_core_step(&core, &event, &effects);
}

static void tick(int64_t later_ms)
{
    now += later_ms;
    step(RT_SLURM_TICK, 0, 0, false);
}

static void say_queue(uint64_t id, enum rt_slurm_state state, int64_t left_ms)
{
    struct rt_slurm_row row = {.id = id, .state = state, .left_ms = left_ms};
    struct rt_slurm_event event = {
        .kind = RT_SLURM_SNAPSHOT, .mono_ms = now, .rows = &row, .row_count = id != 0};
    rt_slurm_core_step(&core, &event, &effects);
}

static bool does(enum rt_slurm_effect_kind kind)
{
    for (size_t e = 0; e < effects.count; e++)
        if (effects.items[e].kind == kind)
            return true;
    return false;
}

// The first job, up to the moment at which its server answers.
static void make_ready(uint64_t id)
{
    step(RT_SLURM_DEMAND, 0, 4, false);
    tick(1);
    assert_true(does(RT_SLURM_DO_SUBMIT));
    assert_false(does(RT_SLURM_DO_QUEUE)); // there is no job to ask about
    step(RT_SLURM_SUBMITTED, 0, id, false);
    tick(1);
    assert_true(does(RT_SLURM_DO_QUEUE));
    say_queue(id, RT_SLURM_STATE_RUNNING, 3600000);
    assert_int_equal(core.jobs[0].stage, RT_SLURM_STARTING);
    step(RT_SLURM_STARTED, 0, 1, false);
    step(RT_SLURM_HEALTH, 0, 0, false);
    assert_false(rt_slurm_job_serves(&core.jobs[0]));
    step(RT_SLURM_HEALTH, 0, 0, true);
    assert_true(rt_slurm_job_serves(&core.jobs[0]));
}

static void as_many_jobs_as_trials_ask_for(void **state)
{
    (void)state;
    step(RT_SLURM_DEMAND, 0, 3, false);
    tick(1);
    assert_int_equal(rt_slurm_core_jobs(&core, 0), 1);
    step(RT_SLURM_DEMAND, 0, 100, false);
    tick(1);
    tick(1);
    assert_int_equal(rt_slurm_core_jobs(&core, 0), 2); // and no more than jobs_at_most
}

static void one_squeue_a_minute(void **state)
{
    (void)state;
    make_ready(7);
    tick(2000); // the start is worth one look of its own
    assert_true(does(RT_SLURM_DO_QUEUE));
    say_queue(7, RT_SLURM_STATE_RUNNING, 3600000);
    unsigned asked = 0;
    for (int s = 0; s < 600; s++) {
        tick(1000);
        if (does(RT_SLURM_DO_QUEUE)) {
            asked++;
            say_queue(7, RT_SLURM_STATE_RUNNING, 3600000);
        }
    }
    assert_int_equal(asked, 10);
}

static void vanished_jobs_are_looked_up(void **state)
{
    (void)state;
    make_ready(7);
    tick(61000);
    say_queue(0, RT_SLURM_STATE_UNKNOWN, 0);
    assert_true(does(RT_SLURM_DO_ACCOUNT));
    assert_int_equal(core.jobs[0].stage, RT_SLURM_VANISHED);
    assert_false(rt_slurm_job_serves(&core.jobs[0]));
    struct rt_slurm_event event = {
        .kind = RT_SLURM_ACCOUNT, .mono_ms = now, .state = RT_SLURM_STATE_TAKEN};
    rt_slurm_core_step(&core, &event, &effects);
    assert_true(does(RT_SLURM_DO_FORGET));
    tick(1);
    assert_true(does(RT_SLURM_DO_SUBMIT)); // there are still trials
}

static void squeue_that_does_not_answer_changes_nothing(void **state)
{
    (void)state;
    make_ready(7);
    tick(61000);
    step(RT_SLURM_NO_SNAPSHOT, 0, 0, false);
    assert_int_equal(effects.count, 0);
    assert_true(rt_slurm_job_serves(&core.jobs[0]));
}

static void requeued_jobs_come_back(void **state)
{
    (void)state;
    make_ready(7);
    say_queue(7, RT_SLURM_STATE_LEAVING, -1); // what squeue shows first
    assert_false(rt_slurm_job_serves(&core.jobs[0]));
    step(RT_SLURM_STARTED, 0, 1, false); // the old file is still there
    assert_int_equal(core.jobs[0].stage, RT_SLURM_PENDING);
    say_queue(7, RT_SLURM_STATE_WAITING, -1);
    step(RT_SLURM_STARTED, 0, 2, false);
    step(RT_SLURM_HEALTH, 0, 0, true);
    assert_true(rt_slurm_job_serves(&core.jobs[0]));
    assert_int_equal(core.jobs[0].start, 2);
}

static void the_time_limit_drains(void **state)
{
    (void)state;
    make_ready(7);
    say_queue(7, RT_SLURM_STATE_RUNNING, 40000);
    tick(9000);
    assert_true(rt_slurm_job_serves(&core.jobs[0]));
    tick(2000);
    assert_int_equal(core.jobs[0].stage, RT_SLURM_DRAINING);
    tick(1000);
    assert_false(does(RT_SLURM_DO_CANCEL));
    step(RT_SLURM_DRAINED, 0, 0, true);
    assert_true(does(RT_SLURM_DO_CANCEL));
    assert_int_equal(core.jobs[0].stage, RT_SLURM_ENDING);
}

static void the_warning_drains(void **state)
{
    (void)state;
    make_ready(7);
    step(RT_SLURM_WARNED, 0, 1, false);
    assert_int_equal(core.jobs[0].stage, RT_SLURM_DRAINING);
    step(RT_SLURM_HEALTH, 0, 0, true);
    assert_false(rt_slurm_job_serves(&core.jobs[0]));
    tick(1); // a second job takes over, within jobs_at_most
    assert_true(does(RT_SLURM_DO_SUBMIT));
}

static void idle_jobs_end(void **state)
{
    (void)state;
    make_ready(7);
    step(RT_SLURM_DEMAND, 0, 0, false);
    tick(590000);
    assert_false(does(RT_SLURM_DO_CANCEL));
    tick(11000);
    assert_true(does(RT_SLURM_DO_CANCEL));
}

static void servers_that_never_answer_are_given_up_with_growing_pauses(void **state)
{
    (void)state;
    int64_t pause_ms = 0;
    for (int round = 0; round < 4; round++) {
        step(RT_SLURM_DEMAND, 0, 1, false);
        int64_t from = now;
        do
            tick(1000);
        while (!does(RT_SLURM_DO_SUBMIT) && now - from < 10000000);
        assert_true(round == 0 || now - from >= 2 * pause_ms - 3000);
        pause_ms = round ? now - from : 8000;
        step(RT_SLURM_SUBMITTED, 0, 10 + (uint64_t)round, false);
        say_queue(10 + (uint64_t)round, RT_SLURM_STATE_RUNNING, -1);
        tick(59000);
        assert_int_equal(core.jobs[0].stage, RT_SLURM_STARTING);
        tick(2000);
        assert_true(does(RT_SLURM_DO_CANCEL));
        say_queue(0, RT_SLURM_STATE_UNKNOWN, 0);
        assert_true(does(RT_SLURM_DO_FORGET));
    }
}

static void jobs_of_an_earlier_run(void **state)
{
    (void)state;
    struct rt_slurm_event event = {.kind = RT_SLURM_FOUND, .mono_ms = now, .token = 99};
    rt_slurm_core_step(&core, &event, &effects); // killed before sbatch had answered
    tick(1);
    assert_true(does(RT_SLURM_DO_QUEUE));
    struct rt_slurm_row row = {
        .id = 5, .token = 99, .state = RT_SLURM_STATE_RUNNING, .left_ms = -1};
    event = (struct rt_slurm_event){
        .kind = RT_SLURM_SNAPSHOT, .mono_ms = now, .rows = &row, .row_count = 1};
    rt_slurm_core_step(&core, &event, &effects);
    assert_int_equal(core.jobs[0].id, 5);
    assert_int_equal(core.jobs[0].stage, RT_SLURM_STARTING);
    // One whose submission never arrived is forgotten, and no job is cancelled for it.
    setup(NULL);
    event = (struct rt_slurm_event){.kind = RT_SLURM_FOUND, .mono_ms = now, .token = 99};
    rt_slurm_core_step(&core, &event, &effects);
    tick(1);
    say_queue(0, RT_SLURM_STATE_UNKNOWN, 0);
    assert_true(does(RT_SLURM_DO_FORGET));
    assert_int_equal(effects.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(as_many_jobs_as_trials_ask_for, setup),
        cmocka_unit_test_setup(one_squeue_a_minute, setup),
        cmocka_unit_test_setup(vanished_jobs_are_looked_up, setup),
        cmocka_unit_test_setup(squeue_that_does_not_answer_changes_nothing, setup),
        cmocka_unit_test_setup(requeued_jobs_come_back, setup),
        cmocka_unit_test_setup(the_time_limit_drains, setup),
        cmocka_unit_test_setup(the_warning_drains, setup),
        cmocka_unit_test_setup(idle_jobs_end, setup),
        cmocka_unit_test_setup(servers_that_never_answer_are_given_up_with_growing_pauses, setup),
        cmocka_unit_test_setup(jobs_of_an_earlier_run, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
