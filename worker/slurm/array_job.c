// SPDX-License-Identifier: Apache-2.0
// Array jobs and the commands about them.
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/slurm/array_state.h"
#include "worker/slurm/sbatch.h"

#define CALL_MS    30000
#define GATHER_MS  500  // trials that come within it of one another go into one job
#define TASKS_LIKE 1001 // Slurm's own default of MaxArraySize (slurm.conf)

bool array_mine(const struct array_entry *entry, uint32_t job)
{
    return entry->job == job && (entry->state == ENTRY_SENT || entry->state == ENTRY_HERE);
}

void array_cancel(struct array_job *job)
{
    job->cancelled_ms = rt_time_mono_ms();
    job->submit = false;
    job->cancel = job->known.id != 0;
    job->known.stage = RT_ARRAY_ENDING;
}

void array_forget(struct rt_array *array, uint32_t index)
{
    struct array_job *job = &array->jobs[index];
    rt_log_info("slurm array job over", "job=%" PRIu64 " name=%s", job->known.id,
                job->folder.name);
    rt_array_folder_remove(&job->folder);
    memset(job, 0, sizeof *job);
}

// ---- from trials to a job

static uint32_t trials_most(const struct rt_array *array, uint32_t pool)
{
    uint32_t tasks = array->tasks_most < RT_ARRAY_TASKS_MOST ? array->tasks_most
                                                             : RT_ARRAY_TASKS_MOST;
    uint64_t most =
        (uint64_t)(tasks ? tasks : 1) * array->pools[pool].subject->slurm->trials_per_task;
    return most < RT_TASK_TRIALS_MOST ? (uint32_t)most : RT_TASK_TRIALS_MOST;
}

// The trials of one client that wait; returns how many.
static uint32_t gather(struct rt_array *array, uint32_t pool, struct array_entry **ret_list,
                       uint32_t most)
{
    const struct rt_exec_whole *client = NULL;
    uint32_t count = 0;
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST && count < most; e++) {
        struct array_entry *entry = &array->entries[e];
        if (entry->state != ENTRY_GATHERED || entry->pool != pool ||
            (client && entry->client != client))
            continue;
        client = entry->client;
        ret_list[count++] = entry;
    }
    return count;
}

static enum rt_status make_folder(struct rt_array *array, struct array_job *job,
                                  struct array_entry **list, uint32_t count, struct rt_error *err)
{
    const struct array_pool *pool = &array->pools[job->pool];
    struct rt_task_plan plan = {.count = count, .per_task = job->per_task};
    const struct rt_scenario **scenarios = calloc(count, sizeof *scenarios);
    size_t scenario_count = 0;
    plan.folder = list[0]->client->folder;
    plan.trials = calloc(count, sizeof *plan.trials);
    enum rt_status status = RT_NO_MEMORY;
    if (plan.trials && scenarios) {
        for (uint32_t i = 0; i < count; i++) {
            size_t s = 0;
            plan.trials[i] = list[i]->trial;
            while (s < scenario_count && scenarios[s] != list[i]->scenario)
                s++;
            scenarios[s] = list[i]->scenario;
            scenario_count += s == scenario_count;
        }
        const char *worker = pool->subject->slurm->worker;
        struct rt_array_files files = {.subject = pool->subject,
                                       .worker = *worker ? worker : array->worker,
                                       .plan = &plan,
                                       .scenarios = scenarios,
                                       .scenario_count = scenario_count};
        status = rt_array_folder_make(&job->folder, &files, err);
    } else {
        (void)rt_error_set(err, status, "out of memory");
    }
    free(plan.trials);
    free(scenarios);
    return status;
}

static enum rt_status begin_job(struct rt_array *array, uint32_t pool, uint32_t index,
                                struct array_entry **list, uint32_t count, struct rt_error *err)
{
    struct array_job *job = &array->jobs[index];
    uint64_t token = 0;
    while (!token)
        randombytes_buf(&token, sizeof token);
    *job = (struct array_job){.pool = pool,
                              .trials = count,
                              .per_task = array->pools[pool].subject->slurm->trials_per_task,
                              .submit = true};
    rt_array_job_begin(&job->known, token, rt_task_count(count, job->per_task));
    enum rt_status status = rt_slurm_folder_of(array->pools[pool].spool, array->prefix, token,
                                               &job->folder);
    if (status)
        (void)rt_error_set(err, status, "the spool's path is too long");
    else
        status = make_folder(array, job, list, count, err);
    if (status) {
        if (*job->folder.path)
            rt_array_folder_remove(&job->folder);
        memset(job, 0, sizeof *job);
        return status;
    }
    for (uint32_t i = 0; i < count; i++) {
        list[i]->state = ENTRY_SENT;
        list[i]->job = index;
        list[i]->index = i;
    }
    return RT_OK;
}

void array_submit(struct rt_array *array, uint32_t pool, int64_t mono_ms)
{
    struct array_pool *own = &array->pools[pool];
    struct array_entry *list[RT_TASK_TRIALS_MOST];
    uint32_t jobs = 0, spare = ARRAY_JOBS_MOST, most = trials_most(array, pool);
    for (uint32_t j = ARRAY_JOBS_MOST; j-- > 0;) {
        const struct array_job *job = &array->jobs[j];
        if (job->known.stage == RT_ARRAY_FREE)
            spare = j;
        else // one whose trials were all taken holds nothing any more
            jobs += job->pool == pool && !job->empty_ms;
    }
    if (!array->tasks_most || spare == ARRAY_JOBS_MOST || mono_ms < own->not_before_ms ||
        jobs >= own->subject->slurm->jobs_at_most)
        return;
    uint32_t count = gather(array, pool, list, most);
    struct rt_error err;
    if (!count || (count < most && mono_ms - own->gathered_ms < GATHER_MS))
        return;
    if (begin_job(array, pool, spare, list, count, &err)) {
        rt_log_error("an array job's folder cannot be written", "subject=%s why=%s",
                     own->subject->id, rt_log_quote(err.text));
        own->not_before_ms = mono_ms + CALL_MS;
    }
}

// ---- commands

static bool start(struct rt_array *array, struct rt_slurm_call *call, enum array_command doing,
                  uint32_t index, const char *const *argv)
{
    struct rt_error err;
    array->doing = doing;
    array->doing_job = index;
    array->doing_token = array->jobs[index].known.token;
    enum rt_status status = rt_slurm_call_start(call, argv, CALL_MS, &err);
    if (status)
        rt_array_answer(array, status, call, &err);
    return !status;
}

static bool start_submit(struct rt_array *array, struct rt_slurm_call *call, uint32_t index)
{
    const struct array_job *job = &array->jobs[index];
    struct rt_sbatch *words = calloc(1, sizeof *words);
    bool array_job = array->tasks_most > 1;
    if (!words)
        return false;
    rt_sbatch_words(&job->folder, array->pools[job->pool].subject,
                    array_job ? job->known.tasks : 0, words);
    bool started = start(array, call, ARRAY_SUBMIT, index, words->argv);
    free(words);
    return started;
}

static bool start_about(struct rt_array *array, struct rt_slurm_call *call,
                        enum array_command doing, uint32_t index)
{
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, array->jobs[index].known.id);
    const char *const cancel[] = {"scancel", id, NULL};
    const char *const account[] = {"sacct", "--noheader", "--parsable2", "--allocations", "--jobs",
                                   id, "--format=" RT_SLURM_ACCOUNT_FORMAT, NULL};
    return start(array, call, doing, index, doing == ARRAY_CANCEL ? cancel : account);
}

bool rt_array_call(struct rt_array *array, struct rt_slurm_call *call)
{
    static const char *const config[] = {"scontrol", "show", "config", NULL};
    bool any = false;
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST && !any; e++)
        any = array->entries[e].state == ENTRY_GATHERED;
    if (!array->tasks_most && any)
        return start(array, call, ARRAY_CONFIG, 0, config);
    for (uint32_t j = 0; j < ARRAY_JOBS_MOST; j++) {
        struct array_job *job = &array->jobs[j];
        if (job->submit) {
            job->submit = false;
            return start_submit(array, call, j);
        }
        if (job->cancel) {
            job->cancel = false;
            return start_about(array, call, ARRAY_CANCEL, j);
        }
        if (rt_array_job_vanished(&job->known)) {
            job->known.asked = true;
            return start_about(array, call, ARRAY_ACCOUNT, j);
        }
    }
    return false;
}

static void take_config(struct rt_array *array, enum rt_status status,
                        const struct rt_slurm_call *call)
{
    uint32_t most = 0;
    if (status || rt_slurm_config_read(rt_buf_bytes(&call->output), "MaxArraySize", &most))
        most = TASKS_LIKE;
    array->tasks_most = most ? most : 1; // 0: arrays are switched off, a job is one task
}

// sbatch took nothing: its trials wait for another job.
static void not_submitted(struct rt_array *array, uint32_t index, const char *why)
{
    struct array_pool *pool = &array->pools[array->jobs[index].pool];
    rt_log_error("sbatch did not take the array job", "subject=%s why=%s", pool->subject->id,
                 rt_log_quote(why));
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST; e++)
        if (array_mine(&array->entries[e], index))
            array_lose(array, &array->entries[e], why);
    pool->not_before_ms = rt_time_mono_ms() + CALL_MS;
    array_forget(array, index);
}

static void take_submitted(struct rt_array *array, enum rt_status status,
                           const struct rt_slurm_call *call, const struct rt_error *err)
{
    uint64_t id = 0;
    struct rt_error local;
    struct array_job *job = &array->jobs[array->doing_job];
    const char *subject = array->pools[job->pool].subject->id;
    if (job->known.token != array->doing_token)
        return;
    bool said = !status && !rt_slurm_submitted_read(rt_buf_bytes(&call->output), &id);
    if (!said) {
        not_submitted(array, array->doing_job, status ? err->text : "it said no job's number");
        return;
    }
    if (rt_array_folder_job(&job->folder, subject, id, &local))
        rt_log_warn("the job's number could not be written", "why=%s", rt_log_quote(local.text));
    rt_log_info("slurm array job submitted",
                "job=%" PRIu64 " subject=%s name=%s trials=%" PRIu32 " tasks=%" PRIu32, id, subject,
                job->folder.name, job->trials, job->known.tasks);
    rt_array_job_submitted(&job->known, id, rt_time_mono_ms());
    job->cancel = job->known.stage == RT_ARRAY_ENDING; // cancelled before it had a number
}

void rt_array_answer(struct rt_array *array, enum rt_status status,
                     const struct rt_slurm_call *call, const struct rt_error *err)
{
    struct array_job *job = &array->jobs[array->doing_job];
    bool same = job->known.token == array->doing_token;
    enum rt_slurm_state state = RT_SLURM_STATE_UNKNOWN;
    switch (array->doing) {
    case ARRAY_CONFIG:
        take_config(array, status, call);
        break;
    case ARRAY_SUBMIT:
        take_submitted(array, status, call, err);
        break;
    case ARRAY_ACCOUNT:
        if (same && (status || rt_slurm_account_read(rt_buf_bytes(&call->output), job->known.id,
                                                     &state)))
            state = RT_SLURM_STATE_UNKNOWN; // no accounting: squeue's silence has to do
        if (same)
            rt_array_job_account(&job->known, state);
        break;
    case ARRAY_CANCEL:
        if (status)
            rt_log_warn("scancel failed", "job=%" PRIu64 " why=%s", job->known.id,
                        rt_log_quote(err->text));
        if (same && job->stopped)
            array_forget(array, array->doing_job);
        break;
    default:
        break;
    }
    array->doing = ARRAY_NOTHING;
}

// ---- what squeue says

void rt_array_snapshot(struct rt_array *array, const struct rt_slurm_queue_row *rows, size_t count,
                       int64_t asked_ms)
{
    for (uint32_t j = 0; j < ARRAY_JOBS_MOST; j++)
        rt_array_job_snapshot(&array->jobs[j].known, rows, count, asked_ms, rt_time_mono_ms());
}

bool rt_array_wants_queue(const struct rt_array *array, bool *ret_soon)
{
    bool any = false;
    *ret_soon = false;
    for (uint32_t j = 0; j < ARRAY_JOBS_MOST; j++) {
        enum rt_array_stage stage = array->jobs[j].known.stage;
        any |= stage > RT_ARRAY_SUBMITTING;
        *ret_soon |= stage == RT_ARRAY_UNKNOWN || stage == RT_ARRAY_ENDING;
    }
    return any;
}

// ---- the end

void rt_array_stop(struct rt_array *array)
{
    array->stopping = true;
    for (uint32_t j = 0; j < ARRAY_JOBS_MOST; j++) {
        struct array_job *job = &array->jobs[j];
        if (job->known.stage == RT_ARRAY_FREE)
            continue;
        bool asked = array->doing == ARRAY_SUBMIT && array->doing_job == j;
        array_cancel(job);
        job->stopped = true;
        if (!job->cancel && !asked)
            array_forget(array, j);
    }
}

bool rt_array_busy(const struct rt_array *array)
{
    bool busy = array->doing != ARRAY_NOTHING;
    for (uint32_t j = 0; j < ARRAY_JOBS_MOST; j++)
        busy |= array->jobs[j].cancel;
    return busy;
}

// ---- for others

static bool about(const struct rt_array *array, const struct array_job *job, const char *subject)
{
    return job->known.stage != RT_ARRAY_FREE &&
           !strcmp(array->pools[job->pool].subject->id, subject);
}

bool rt_array_runs(const struct rt_array *array, const char *subject)
{
    return rt_array_holding(array, subject) > 0;
}

uint32_t rt_array_holding(const struct rt_array *array, const char *subject)
{
    uint32_t count = 0;
    for (uint32_t j = 0; j < ARRAY_JOBS_MOST; j++)
        if (about(array, &array->jobs[j], subject))
            for (uint32_t t = 0; t < array->jobs[j].known.tasks; t++)
                count += array->jobs[j].known.task[t].state == RT_ARRAY_TASK_RUNNING;
    return count;
}

bool rt_array_rests(const struct rt_array *array, const char *subject)
{
    for (uint32_t p = 0; p < array->pool_count; p++)
        if (!strcmp(array->pools[p].subject->id, subject))
            return rt_time_mono_ms() < array->pools[p].not_before_ms;
    return false;
}

void rt_array_describe(const struct rt_array *array, char *out, size_t capacity)
{
    uint32_t jobs = 0, trials = 0;
    for (uint32_t j = 0; j < ARRAY_JOBS_MOST; j++)
        jobs += array->jobs[j].known.stage != RT_ARRAY_FREE && !array->jobs[j].empty_ms;
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST; e++)
        trials += array->entries[e].state == ENTRY_SENT || array->entries[e].state == ENTRY_HERE;
    out[0] = 0;
    if (jobs)
        snprintf(out, capacity, "%" PRIu32 " trials in %" PRIu32 " array jobs", trials, jobs);
}
