// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/core.h"

#include <string.h>

#define HURRY_MS       2000  // between two squeue, even when something has happened
#define FAILURE_MS     15000 // before the next job after one that never became ready; doubles
#define FAILURES_MOST  7     // doublings: 15 s to 32 min
#define ENDING_MS      60000 // a cancelled job that is still there is cancelled again
#define DRAIN_LEAST_MS 5000  // before the time limit, what is in flight is given up

const char *const rt_slurm_stage_words[RT_SLURM_STAGE_COUNT] = {
#define X(name, word) [RT_SLURM_##name] = word,
    RT_SLURM_STAGE_TABLE(X)
#undef X
};

void rt_slurm_core_init(struct rt_slurm_core *core, int64_t poll_ms)
{
    memset(core, 0, sizeof *core);
    core->poll_ms = poll_ms;
}

uint32_t rt_slurm_core_pool(struct rt_slurm_core *core, const struct rt_slurm_pool *pool)
{
    RT_ASSERT(core->pool_count < RT_SLURM_POOLS_MOST);
    core->pools[core->pool_count] = *pool;
    return core->pool_count++;
}

bool rt_slurm_job_serves(const struct rt_slurm_job *job)
{
    return job->stage == RT_SLURM_READY && job->healthy;
}

uint32_t rt_slurm_core_jobs(const struct rt_slurm_core *core, uint32_t pool)
{
    uint32_t count = 0;
    for (size_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        count += core->jobs[j].stage != RT_SLURM_FREE && core->jobs[j].pool == pool;
    return count;
}

// ---- helpers

static void add(struct rt_slurm_effects *effects, enum rt_slurm_effect_kind kind,
                const struct rt_slurm_core *core, uint32_t job)
{
    RT_ASSERT(effects->count < RT_SLURM_EFFECTS_MOST);
    struct rt_slurm_effect *effect = &effects->items[effects->count++];
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    effect->job = job;
    if (kind != RT_SLURM_DO_QUEUE)
        effect->was = core->jobs[job];
}

static void enter(struct rt_slurm_job *job, enum rt_slurm_stage stage, int64_t mono_ms)
{
    job->stage = stage;
    job->since_ms = mono_ms;
    job->healthy = false;
}

static void failed(struct rt_slurm_pool *pool, int64_t mono_ms)
{
    uint32_t doublings = pool->failures < FAILURES_MOST ? pool->failures : FAILURES_MOST;
    pool->failures++;
    pool->not_before_ms = mono_ms + ((int64_t)FAILURE_MS << doublings);
}

// The job is no more. own: if its server never answered, that is a reason to wait.
static void forget(struct rt_slurm_core *core, uint32_t index, bool own, int64_t mono_ms,
                   struct rt_slurm_effects *effects)
{
    struct rt_slurm_job *job = &core->jobs[index];
    if (own && !job->was_ready)
        failed(&core->pools[job->pool], mono_ms);
    add(effects, RT_SLURM_DO_FORGET, core, index);
    memset(job, 0, sizeof *job);
}

static void cancel(struct rt_slurm_core *core, uint32_t index, int64_t mono_ms,
                   struct rt_slurm_effects *effects)
{
    struct rt_slurm_job *job = &core->jobs[index];
    enter(job, RT_SLURM_ENDING, mono_ms);
    job->cancelled = true;
    if (job->id)
        add(effects, RT_SLURM_DO_CANCEL, core, index);
    core->hurry = true;
}

// ---- what squeue says

static void seen(struct rt_slurm_core *core, uint32_t index, const struct rt_slurm_row *row,
                 int64_t mono_ms)
{
    struct rt_slurm_job *job = &core->jobs[index];
    bool up = job->stage == RT_SLURM_STARTING || job->stage == RT_SLURM_READY ||
              job->stage == RT_SLURM_DRAINING;
    if (!job->id)
        job->known_ms = mono_ms;
    job->id = row->id;
    job->end_ms = row->state == RT_SLURM_STATE_RUNNING && row->left_ms >= 0
                      ? mono_ms + row->left_ms
                      : 0;
    if (job->stage == RT_SLURM_VANISHED)
        enter(job, RT_SLURM_PENDING, mono_ms); // it was requeued between two looks
    // A job that is requeued, by preemption or by a person, is first shown as completing.
    bool off = row->state == RT_SLURM_STATE_WAITING || row->state == RT_SLURM_STATE_LEAVING;
    bool back = row->state == RT_SLURM_STATE_WAITING && job->stage == RT_SLURM_ENDING &&
                !job->cancelled;
    if (back || (off && (up || job->stage == RT_SLURM_UNKNOWN)))
        enter(job, RT_SLURM_PENDING, mono_ms);
    else if (row->state == RT_SLURM_STATE_RUNNING &&
             (job->stage == RT_SLURM_PENDING || job->stage == RT_SLURM_UNKNOWN))
        enter(job, RT_SLURM_STARTING, mono_ms);
}

static const struct rt_slurm_row *row_of(const struct rt_slurm_event *event,
                                         const struct rt_slurm_job *job)
{
    for (size_t r = 0; r < event->row_count; r++)
        if ((job->id && event->rows[r].id == job->id) ||
            (!job->id && event->rows[r].token && event->rows[r].token == job->token))
            return &event->rows[r];
    return NULL;
}

static void absent(struct rt_slurm_core *core, uint32_t index, int64_t mono_ms,
                   struct rt_slurm_effects *effects)
{
    struct rt_slurm_job *job = &core->jobs[index];
    if (job->stage == RT_SLURM_ENDING) {
        // What we cancelled, or saw completing: nothing is to be learned from sacct.
        forget(core, index, !job->excused, mono_ms, effects);
        return;
    }
    if (!job->id) { // a submission that never reached Slurm
        forget(core, index, false, mono_ms, effects);
        return;
    }
    if (job->stage != RT_SLURM_VANISHED) {
        enter(job, RT_SLURM_VANISHED, mono_ms);
        job->asked = false;
    }
    if (!job->asked) {
        job->asked = true;
        add(effects, RT_SLURM_DO_ACCOUNT, core, index);
    }
}

static void snapshot(struct rt_slurm_core *core, const struct rt_slurm_event *event,
                     struct rt_slurm_effects *effects)
{
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++) {
        struct rt_slurm_job *job = &core->jobs[j];
        if (job->stage == RT_SLURM_FREE || job->stage == RT_SLURM_SUBMITTING)
            continue;
        const struct rt_slurm_row *row = row_of(event, job);
        bool over = row && (row->state == RT_SLURM_STATE_OVER ||
                            row->state == RT_SLURM_STATE_TAKEN);
        if (row && !over)
            seen(core, j, row, event->mono_ms);
        else if (over || !job->id || job->known_ms < core->polled_ms)
            absent(core, j, event->mono_ms, effects);
    }
}

static void account(struct rt_slurm_core *core, const struct rt_slurm_event *event,
                    struct rt_slurm_effects *effects)
{
    struct rt_slurm_job *job = &core->jobs[event->job];
    if (job->stage != RT_SLURM_VANISHED)
        return;
    // The accounting lags behind: a job that squeue has forgotten and sacct still calls running is
    // asked about again after the next squeue.
    if (event->state == RT_SLURM_STATE_WAITING || event->state == RT_SLURM_STATE_RUNNING ||
        event->state == RT_SLURM_STATE_LEAVING) {
        job->asked = false;
        return;
    }
    forget(core, event->job, event->state != RT_SLURM_STATE_TAKEN, event->mono_ms, effects);
}

// ---- what the jobs say

static void about_job(struct rt_slurm_core *core, const struct rt_slurm_event *event)
{
    struct rt_slurm_job *job = &core->jobs[event->job];
    bool live = job->stage != RT_SLURM_FREE && job->stage != RT_SLURM_SUBMITTING &&
                !job->cancelled;
    switch (event->kind) {
    case RT_SLURM_STARTED:
        // The same start is told again and again; another one is a requeue.
        if (live && job->start != event->number) {
            core->hurry = true; // for the time limit
            job->start = event->number;
            enter(job, RT_SLURM_STARTING, event->mono_ms);
        }
        break;
    case RT_SLURM_HEALTH:
        if (event->yes && job->stage == RT_SLURM_STARTING) {
            enter(job, RT_SLURM_READY, event->mono_ms);
            job->was_ready = true;
            core->pools[job->pool].failures = 0;
        }
        if (job->stage == RT_SLURM_READY) {
            core->hurry |= job->healthy && !event->yes;
            job->healthy = event->yes;
        }
        break;
    case RT_SLURM_WARNED:
        if (job->stage == RT_SLURM_READY || job->stage == RT_SLURM_STARTING)
            enter(job, RT_SLURM_DRAINING, event->mono_ms);
        break;
    case RT_SLURM_SERVER_ENDED:
        if (live && job->stage != RT_SLURM_VANISHED && job->stage != RT_SLURM_ENDING) {
            enter(job, RT_SLURM_ENDING, event->mono_ms);
            core->hurry = true;
        }
        break;
    default:
        break;
    }
}

// ---- what time does

static void time_passes(struct rt_slurm_core *core, uint32_t index, int64_t mono_ms,
                        struct rt_slurm_effects *effects)
{
    struct rt_slurm_job *job = &core->jobs[index];
    struct rt_slurm_pool *pool = &core->pools[job->pool];
    bool timed = job->end_ms && job->stage != RT_SLURM_ENDING;
    bool idle = !pool->demand && mono_ms - pool->demand_ms >= pool->idle_exit_ms;
    if (idle && (job->stage == RT_SLURM_PENDING || job->stage == RT_SLURM_STARTING ||
                 job->stage == RT_SLURM_READY || job->stage == RT_SLURM_DRAINING)) {
        job->excused = true;
        cancel(core, index, mono_ms, effects);
    } else if (job->stage == RT_SLURM_STARTING &&
               mono_ms - job->since_ms >= pool->ready_within_ms) {
        failed(pool, mono_ms); // now, so that no other takes its place at once
        job->excused = true;
        cancel(core, index, mono_ms, effects);
    } else if (job->stage == RT_SLURM_READY && timed &&
               job->end_ms - mono_ms <= pool->margin_ms) {
        enter(job, RT_SLURM_DRAINING, mono_ms);
    } else if (job->stage == RT_SLURM_DRAINING && timed &&
               job->end_ms - mono_ms <= DRAIN_LEAST_MS) {
        cancel(core, index, mono_ms, effects);
    } else if (job->stage == RT_SLURM_ENDING && mono_ms - job->since_ms >= ENDING_MS) {
        cancel(core, index, mono_ms, effects);
    }
}

static void want_jobs(struct rt_slurm_core *core, uint32_t index, int64_t mono_ms,
                      struct rt_slurm_effects *effects)
{
    struct rt_slurm_pool *pool = &core->pools[index];
    uint64_t each = pool->trials_a_job ? pool->trials_a_job : 1;
    uint64_t wanted = (pool->demand + each - 1) / each;
    if (wanted > pool->jobs_at_most)
        wanted = pool->jobs_at_most;
    if (!pool->demand || mono_ms < pool->not_before_ms)
        return;
    // Jobs that take no new trials count against the ceiling, not against the demand.
    uint64_t all = rt_slurm_core_jobs(core, index), of_use = all;
    for (size_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        of_use -= core->jobs[j].stage != RT_SLURM_FREE && core->jobs[j].pool == index &&
                  core->jobs[j].stage >= RT_SLURM_DRAINING;
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST && of_use < wanted && all < pool->jobs_at_most;
         j++) {
        if (core->jobs[j].stage != RT_SLURM_FREE)
            continue;
        core->jobs[j] = (struct rt_slurm_job){.pool = index};
        enter(&core->jobs[j], RT_SLURM_SUBMITTING, mono_ms);
        add(effects, RT_SLURM_DO_SUBMIT, core, j);
        of_use++;
        all++;
    }
}

static void want_queue(struct rt_slurm_core *core, int64_t mono_ms,
                       struct rt_slurm_effects *effects)
{
    bool any = core->others;
    for (size_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        any |= core->jobs[j].stage != RT_SLURM_FREE && core->jobs[j].stage != RT_SLURM_SUBMITTING;
    int64_t pause_ms = core->hurry && core->poll_ms > HURRY_MS ? HURRY_MS : core->poll_ms;
    if (!any || core->polling || (core->ever_polled && mono_ms - core->polled_ms < pause_ms))
        return;
    core->polling = core->ever_polled = true;
    core->hurry = false;
    core->polled_ms = mono_ms;
    add(effects, RT_SLURM_DO_QUEUE, core, 0);
}

static void submitted(struct rt_slurm_core *core, const struct rt_slurm_event *event,
                      struct rt_slurm_effects *effects)
{
    struct rt_slurm_job *job = &core->jobs[event->job];
    if (job->stage == RT_SLURM_ENDING && !job->id && event->kind == RT_SLURM_SUBMITTED) {
        job->id = event->number; // cancelled before it had one
        cancel(core, event->job, event->mono_ms, effects);
    }
    if (job->stage != RT_SLURM_SUBMITTING)
        return;
    if (event->kind == RT_SLURM_NOT_SUBMITTED) {
        forget(core, event->job, true, event->mono_ms, effects);
        return;
    }
    job->id = event->number;
    job->known_ms = event->mono_ms;
    enter(job, RT_SLURM_PENDING, event->mono_ms);
}

static void found(struct rt_slurm_core *core, const struct rt_slurm_event *event)
{
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        if (core->jobs[j].stage == RT_SLURM_FREE) {
            core->jobs[j] = (struct rt_slurm_job){
                .pool = event->pool, .token = event->token, .id = event->number};
            enter(&core->jobs[j], RT_SLURM_UNKNOWN, event->mono_ms);
            core->jobs[j].known_ms = INT64_MIN;
            core->hurry = true;
            return;
        }
}

static void stop(struct rt_slurm_core *core, int64_t mono_ms, struct rt_slurm_effects *effects)
{
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        if (core->jobs[j].stage != RT_SLURM_FREE && core->jobs[j].stage != RT_SLURM_ENDING) {
            core->jobs[j].excused = true;
            cancel(core, j, mono_ms, effects);
        }
    for (uint32_t p = 0; p < core->pool_count; p++)
        core->pools[p].demand = 0;
}

void rt_slurm_core_step(struct rt_slurm_core *core, const struct rt_slurm_event *event,
                        struct rt_slurm_effects *ret_effects)
{
    RT_ASSERT(event->job < RT_SLURM_JOBS_MOST);
    ret_effects->count = 0;
    switch (event->kind) {
    case RT_SLURM_DEMAND:
        RT_ASSERT(event->pool < core->pool_count);
        core->pools[event->pool].demand = event->number;
        if (event->number || !core->pools[event->pool].demand_ms)
            core->pools[event->pool].demand_ms = event->mono_ms;
        break;
    case RT_SLURM_SUBMITTED:
    case RT_SLURM_NOT_SUBMITTED:
        submitted(core, event, ret_effects);
        break;
    case RT_SLURM_FOUND:
        RT_ASSERT(event->pool < core->pool_count);
        found(core, event);
        break;
    case RT_SLURM_SNAPSHOT:
        core->polling = false;
        snapshot(core, event, ret_effects);
        break;
    case RT_SLURM_NO_SNAPSHOT:
        core->polling = false;
        break;
    case RT_SLURM_ACCOUNT:
        account(core, event, ret_effects);
        break;
    case RT_SLURM_DRAINED:
        if (core->jobs[event->job].stage == RT_SLURM_DRAINING)
            cancel(core, event->job, event->mono_ms, ret_effects);
        break;
    case RT_SLURM_STOP:
        stop(core, event->mono_ms, ret_effects);
        return;
    case RT_SLURM_TICK:
        for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
            if (core->jobs[j].stage != RT_SLURM_FREE)
                time_passes(core, j, event->mono_ms, ret_effects);
        for (uint32_t p = 0; p < core->pool_count; p++)
            want_jobs(core, p, event->mono_ms, ret_effects);
        want_queue(core, event->mono_ms, ret_effects);
        break;
    default:
        about_job(core, event);
    }
}
