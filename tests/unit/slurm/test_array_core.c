// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/slurm/array_core.h"

#define GRACE 2000

static struct rt_array_job job;
static int64_t now;

static int setup(void **state)
{
    (void)state;
    now = 1000;
    rt_array_job_begin(&job, 77, 3);
    rt_array_job_submitted(&job, 12, now);
    return 0;
}

static struct rt_slurm_queue_row row(int64_t task, enum rt_slurm_state state)
{
    return (struct rt_slurm_queue_row){
        .row = {.id = 12 + (uint64_t)task, .token = 77, .state = state}, .array_id = 12,
        .task = task};
}

static void say(const struct rt_slurm_queue_row *rows, size_t count, int64_t later_ms)
{
    now += later_ms;
    rt_array_job_snapshot(&job, rows, count, now - 1, now);
}

static bool gone(uint32_t task, int64_t later_ms)
{
    now += later_ms;
    return rt_array_task_gone(&job, task, GRACE, now);
}

static void a_task_is_gone_after_a_while(void **state)
{
    (void)state;
    const struct rt_slurm_queue_row rows[] = {row(0, RT_SLURM_STATE_RUNNING),
                                              row(2, RT_SLURM_STATE_WAITING)};
    assert_false(gone(1, 100000)); // nobody has looked yet
    say(rows, 2, 10);
    assert_true(rt_array_job_runs(&job));
    assert_false(gone(1, GRACE - 1));
    assert_true(gone(1, 1));
    assert_false(gone(0, 0));
    assert_false(gone(2, 0));
    assert_false(rt_array_job_vanished(&job)); // two of three are there
}

static void a_requeued_task_is_back(void **state)
{
    (void)state;
    struct rt_slurm_queue_row rows[] = {row(0, RT_SLURM_STATE_RUNNING),
                                        row(1, RT_SLURM_STATE_TAKEN)};
    say(rows, 2, 10);
    assert_int_equal(job.task[1].state, RT_ARRAY_TASK_ABSENT);
    rows[1] = row(1, RT_SLURM_STATE_WAITING);
    say(rows, 2, 1000);
    assert_false(gone(1, GRACE));
    assert_int_equal(job.task[1].state, RT_ARRAY_TASK_WAITING);
}

static void a_vanished_job_is_asked_about(void **state)
{
    (void)state;
    say(NULL, 0, 10);
    assert_true(rt_array_job_vanished(&job));
    job.asked = true;
    assert_false(rt_array_job_vanished(&job));
    assert_false(gone(0, 100000)); // sacct has not answered
    // The accounting lags, but not for ever.
    for (int i = 1; i < RT_ARRAY_ACCOUNTS_MOST; i++) {
        rt_array_job_account(&job, RT_SLURM_STATE_RUNNING);
        assert_true(rt_array_job_vanished(&job));
        assert_false(gone(0, 100000));
    }
    rt_array_job_account(&job, RT_SLURM_STATE_RUNNING);
    assert_false(rt_array_job_vanished(&job));
    assert_true(rt_array_job_gone(&job, GRACE, now));
}

static void a_cluster_without_accounting(void **state)
{
    (void)state;
    say(NULL, 0, 10);
    rt_array_job_account(&job, RT_SLURM_STATE_UNKNOWN);
    assert_false(rt_array_job_gone(&job, GRACE, now));
    assert_true(rt_array_job_gone(&job, GRACE, now + GRACE));
}

static void an_answer_from_before_the_submission_says_nothing(void **state)
{
    (void)state;
    rt_array_job_snapshot(&job, NULL, 0, job.known_ms, now + 50);
    assert_false(job.looked);
    assert_false(rt_array_job_vanished(&job));
}

static void a_job_of_an_earlier_run(void **state)
{
    (void)state;
    // Killed between sbatch and its answer: the name tells, and a job that never was is gone.
    const struct rt_slurm_queue_row rows[] = {row(0, RT_SLURM_STATE_RUNNING)};
    rt_array_job_found(&job, 77, 0, 3);
    say(rows, 1, 10);
    assert_int_equal(job.id, 12);
    assert_int_equal(job.stage, RT_ARRAY_LIVE);
    rt_array_job_found(&job, 77, 0, 3);
    say(NULL, 0, 10);
    assert_false(rt_array_job_vanished(&job));
    assert_true(rt_array_job_gone(&job, GRACE, now + GRACE));
    // Somebody else's job of the same number is not this one.
    rt_array_job_found(&job, 78, 12, 3);
    say(rows, 1, 10);
    assert_false(rt_array_job_runs(&job));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_task_is_gone_after_a_while, setup),
        cmocka_unit_test_setup(a_requeued_task_is_back, setup),
        cmocka_unit_test_setup(a_vanished_job_is_asked_about, setup),
        cmocka_unit_test_setup(a_cluster_without_accounting, setup),
        cmocka_unit_test_setup(an_answer_from_before_the_submission_says_nothing, setup),
        cmocka_unit_test_setup(a_job_of_an_earlier_run, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
