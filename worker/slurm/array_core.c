// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/array_core.h"

#include <string.h>

void rt_array_job_begin(struct rt_array_job *job, uint64_t token, uint32_t tasks)
{
    RT_ASSERT(tasks > 0 && tasks <= RT_ARRAY_TASKS_MOST);
    memset(job, 0, sizeof *job);
    job->stage = RT_ARRAY_SUBMITTING;
    job->token = token;
    job->tasks = tasks;
}

void rt_array_job_submitted(struct rt_array_job *job, uint64_t id, int64_t mono_ms)
{
    if (job->stage == RT_ARRAY_SUBMITTING)
        job->stage = RT_ARRAY_LIVE;
    job->id = id;
    job->known_ms = mono_ms;
}

void rt_array_job_found(struct rt_array_job *job, uint64_t token, uint64_t id, uint32_t tasks)
{
    rt_array_job_begin(job, token, tasks);
    job->stage = RT_ARRAY_UNKNOWN;
    job->id = id;
    job->known_ms = INT64_MIN;
}

// The tasks that a row shows: one, or all where it names none.
static void take_row(struct rt_array_job *job, const struct rt_slurm_queue_row *row, bool *present)
{
    enum rt_slurm_state state = row->row.state;
    if (state == RT_SLURM_STATE_OVER || state == RT_SLURM_STATE_TAKEN)
        return;
    for (uint32_t t = 0; t < job->tasks; t++) {
        if (row->task >= 0 && row->task != (int64_t)t)
            continue;
        present[t] = true;
        job->task[t].state = state == RT_SLURM_STATE_WAITING ? RT_ARRAY_TASK_WAITING
                                                             : RT_ARRAY_TASK_RUNNING;
    }
}

static bool is_row(const struct rt_array_job *job, const struct rt_slurm_queue_row *row)
{
    return row->row.token == job->token;
}

void rt_array_job_snapshot(struct rt_array_job *job, const struct rt_slurm_queue_row *rows,
                           size_t count, int64_t asked_ms, int64_t mono_ms)
{
    bool present[RT_ARRAY_TASKS_MOST] = {false};
    bool any = false;
    if (job->stage == RT_ARRAY_FREE || job->stage == RT_ARRAY_SUBMITTING ||
        job->known_ms >= asked_ms)
        return;
    for (size_t r = 0; r < count; r++) {
        if (!is_row(job, &rows[r]))
            continue;
        any = true;
        if (!job->id)
            job->id = rows[r].array_id;
        take_row(job, &rows[r], present);
    }
    if (job->stage == RT_ARRAY_UNKNOWN)
        job->stage = RT_ARRAY_LIVE;
    job->looked = true;
    for (uint32_t t = 0; t < job->tasks; t++) {
        struct rt_array_task *task = &job->task[t];
        if (present[t] || task->state == RT_ARRAY_TASK_ABSENT)
            continue;
        task->state = RT_ARRAY_TASK_ABSENT;
        task->absent_ms = mono_ms;
    }
    if (any) {
        job->asked = job->told = false;
        job->accounts = 0;
    } else if (!job->id || job->stage == RT_ARRAY_ENDING) {
        job->told = true; // it never reached Slurm, or was ended by us: sacct has no news
    }
}

bool rt_array_job_vanished(const struct rt_array_job *job)
{
    if (job->stage != RT_ARRAY_LIVE || !job->id || !job->looked || job->asked || job->told)
        return false;
    for (uint32_t t = 0; t < job->tasks; t++)
        if (job->task[t].state != RT_ARRAY_TASK_ABSENT)
            return false;
    return true;
}

void rt_array_job_account(struct rt_array_job *job, enum rt_slurm_state state)
{
    bool goes_on = state == RT_SLURM_STATE_WAITING || state == RT_SLURM_STATE_RUNNING ||
                   state == RT_SLURM_STATE_LEAVING;
    job->told = !goes_on || ++job->accounts >= RT_ARRAY_ACCOUNTS_MOST;
    job->asked = job->told;
}

bool rt_array_task_gone(const struct rt_array_job *job, uint32_t task, int64_t grace_ms,
                        int64_t mono_ms)
{
    bool others = false;
    RT_ASSERT(task < job->tasks);
    if (!job->looked || job->task[task].state != RT_ARRAY_TASK_ABSENT ||
        mono_ms - job->task[task].absent_ms < grace_ms)
        return false;
    for (uint32_t t = 0; t < job->tasks; t++)
        others |= job->task[t].state != RT_ARRAY_TASK_ABSENT;
    // squeue has just spoken of the others: its silence about this one can be believed.
    return others || job->told;
}

bool rt_array_job_gone(const struct rt_array_job *job, int64_t grace_ms, int64_t mono_ms)
{
    for (uint32_t t = 0; t < job->tasks; t++)
        if (!rt_array_task_gone(job, t, grace_ms, mono_ms))
            return false;
    return true;
}

bool rt_array_job_runs(const struct rt_array_job *job)
{
    for (uint32_t t = 0; t < job->tasks; t++)
        if (job->looked && job->task[t].state == RT_ARRAY_TASK_RUNNING)
            return true;
    return false;
}
