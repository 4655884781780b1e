// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/slurm.h"

#include <inttypes.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "worker/slurm/array.h"
#include "worker/slurm/call.h"
#include "worker/slurm/health.h"
#include "worker/slurm/parse.h"
#include "worker/slurm/sbatch.h"
#include "worker/slurm/spool.h"

#define CALL_MS      30000
#define LOOK_MS      500   // between two looks into the jobs' folders
#define ALIVE_MS     30000 // between two signs of life for the jobs
#define ASK_MS       500   // a server that is starting or does not answer
#define ASK_READY_MS 2000  // one that answered
#define QUEUE_MOST   512
#define URL_BYTES    1400

struct place {
    struct rt_slurm_folder folder;
    char key[RT_SLURM_KEY_BYTES];
    char url[URL_BYTES], ready[URL_BYTES];
    int64_t asked_ms;
};

struct pool {
    const struct rt_lab_subject *subject;
    char spool[PATH_MAX];
};

struct rt_slurm {
    struct rt_slurm_core core;
    char prefix[RT_SLURM_PREFIX_BYTES];
    struct pool pools[RT_SLURM_POOLS_MOST];
    struct place places[RT_SLURM_JOBS_MOST];
    struct rt_slurm_call call;
    struct rt_slurm_effect doing; // what the call is for
    struct rt_slurm_effect queue[QUEUE_MOST];
    size_t queue_count;
    struct rt_slurm_health *health;
    struct rt_slurm_queue_row rows[RT_SLURM_ROWS_MOST];
    struct rt_slurm_row known[RT_SLURM_ROWS_MOST];
    int64_t look_ms, alive_ms;
    enum rt_status queue_status; // squeue's last, logged when it changes
    struct rt_array *array;      // array jobs; NULL: no subject has them
    bool array_calls;            // the call is theirs
};

// ---- events in, effects out

static void give(struct rt_slurm *slurm, struct rt_slurm_event event)
{
    struct rt_slurm_effects effects;
    event.mono_ms = rt_time_mono_ms();
    rt_slurm_core_step(&slurm->core, &event, &effects);
    for (size_t e = 0; e < effects.count; e++) {
        if (effects.items[e].kind == RT_SLURM_DO_FORGET) {
            struct place *place = &slurm->places[effects.items[e].job];
            rt_log_info("slurm job over", "job=%" PRIu64 " name=%s", effects.items[e].was.id,
                        place->folder.name);
            rt_slurm_health_drop(slurm->health, effects.items[e].job);
            if (*place->folder.path)
                rt_slurm_folder_remove(&place->folder);
            memset(place, 0, sizeof *place);
        } else if (slurm->queue_count < QUEUE_MOST) {
            slurm->queue[slurm->queue_count++] = effects.items[e];
        }
    }
}

static void about(struct rt_slurm *slurm, enum rt_slurm_event_kind kind, uint32_t job,
                  uint64_t number, bool yes)
{
    give(slurm, (struct rt_slurm_event){.kind = kind, .job = job, .number = number, .yes = yes});
}

// ---- starting

static enum rt_status add_pool(struct rt_slurm *slurm, const struct rt_lab_subject *subject,
                               const char *folder, const char *state, struct rt_error *err)
{
    const struct rt_lab_slurm *config = subject->slurm;
    struct rt_slurm_pool pool = {
        .jobs_at_most = config->jobs_at_most,
        .trials_a_job = subject->concurrency,
        .idle_exit_ms = config->idle_exit_ms,
        .ready_within_ms = config->ready_within_ms,
        .margin_ms = config->margin_ms,
        .demand_ms = rt_time_mono_ms(),
    };
    char expanded[PATH_MAX];
    if (slurm->core.pool_count == RT_SLURM_POOLS_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "more than %d subjects with pilots",
                            RT_SLURM_POOLS_MOST);
    struct pool *own = &slurm->pools[slurm->core.pool_count];
    own->subject = subject;
    bool fits = !rt_path_expand(expanded, sizeof expanded,
                                *config->spool ? config->spool : "slurm") &&
                !rt_path_join(own->spool, sizeof own->spool, *config->spool ? folder : state,
                              expanded);
    if (fits && expanded[0] == '/')
        memcpy(own->spool, expanded, sizeof expanded);
    if (!fits)
        return rt_error_set(err, RT_TOO_LARGE, "subject %s: the spool's path is too long",
                            subject->id);
    if (!slurm->core.pool_count || config->poll_ms < slurm->core.poll_ms)
        slurm->core.poll_ms = config->poll_ms;
    rt_slurm_core_pool(&slurm->core, &pool);
    return rt_file_mkdir(own->spool, 0700, err);
}

static void fill_urls(struct rt_slurm *slurm, uint32_t index, const struct rt_slurm_where *where)
{
    const struct rt_lab_subject *subject = slurm->pools[slurm->core.jobs[index].pool].subject;
    struct place *place = &slurm->places[index];
    struct rt_buf text;
    rt_buf_init(&text, URL_BYTES - 1);
    rt_slurm_fill(subject->endpoint, where, &text);
    snprintf(place->url, sizeof place->url, "%s", rt_buf_ok(&text) ? "" : rt_buf_str(&text));
    rt_buf_clear(&text);
    bool own = *subject->slurm->ready_url != 0;
    rt_slurm_fill(own ? subject->slurm->ready_url : subject->endpoint, where, &text);
    if (!own)
        rt_buf_add_str(&text, "/models");
    snprintf(place->ready, sizeof place->ready, "%s", rt_buf_ok(&text) ? "" : rt_buf_str(&text));
    rt_buf_release(&text);
}

// A job of an earlier run, known by its folder; which stage it is in, squeue will tell.
static void find_job(struct rt_slurm *slurm, uint32_t pool, const char *name)
{
    struct rt_slurm_folder folder;
    char subject[RT_ID_BYTES + 1], key[RT_SLURM_KEY_BYTES];
    uint64_t id = 0, token = rt_slurm_token_of(slurm->prefix, rt_bytes_str(name));
    if (!token || rt_slurm_folder_of(slurm->pools[pool].spool, slurm->prefix, token, &folder) ||
        rt_slurm_folder_load(&folder, subject, &id, key) ||
        strcmp(subject, slurm->pools[pool].subject->id))
        return;
    give(slurm, (struct rt_slurm_event){
                    .kind = RT_SLURM_FOUND, .pool = pool, .token = token, .number = id});
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        if (slurm->core.jobs[j].stage != RT_SLURM_FREE && slurm->core.jobs[j].token == token) {
            slurm->places[j].folder = folder;
            memcpy(slurm->places[j].key, key, sizeof key);
            rt_log_info("slurm job of an earlier run", "job=%" PRIu64 " name=%s", id, folder.name);
        }
}

static void find_jobs(struct rt_slurm *slurm)
{
    for (uint32_t p = 0; p < slurm->core.pool_count; p++) {
        char **names;
        size_t count;
        struct rt_error err;
        if (rt_file_list(slurm->pools[p].spool, 65536, &names, &count, &err)) {
            rt_log_warn("the spool cannot be read", "why=%s", rt_log_quote(err.text));
            continue;
        }
        for (size_t i = 0; i < count; i++)
            find_job(slurm, p, names[i]);
        rt_file_list_free(names, count);
    }
}

// Array jobs, and the word by which all jobs of this worker are known.
static enum rt_status add_array(struct rt_slurm *slurm, const struct rt_labconfig *config,
                                const char *folder, const char *state, struct rt_error *err)
{
    bool any = slurm->core.pool_count > 0;
    for (size_t s = 0; s < config->subject_count; s++) {
        const struct rt_lab_subject *subject = &config->subjects[s];
        if (!subject->slurm)
            continue;
        any = true;
        if (subject->slurm->poll_ms < slurm->core.poll_ms)
            slurm->core.poll_ms = subject->slurm->poll_ms;
    }
    if (!any)
        return RT_NOT_FOUND;
    enum rt_status status = rt_slurm_prefix(config->lab, state, slurm->prefix, err);
    if (!status)
        status = rt_array_new(config, folder, state, slurm->prefix, &slurm->array, err);
    return status == RT_NOT_FOUND ? RT_OK : status;
}

enum rt_status rt_slurm_new(const struct rt_labconfig *config, const char *folder,
                            const char *state, struct rt_slurm **ret_slurm, struct rt_error *err)
{
    struct rt_slurm *slurm = calloc(1, sizeof *slurm);
    if (!slurm)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    rt_slurm_call_init(&slurm->call, RT_SLURM_OUTPUT_MOST);
    rt_slurm_core_init(&slurm->core, 60000);
    enum rt_status status = RT_OK;
    for (size_t s = 0; s < config->subject_count && !status; s++)
        if (rt_lab_pilot(&config->subjects[s]))
            status = add_pool(slurm, &config->subjects[s], folder, state, err);
    if (!status)
        status = add_array(slurm, config, folder, state, err);
    if (!status)
        status = rt_slurm_health_new(&slurm->health, err);
    if (status) {
        rt_slurm_free(slurm);
        return status;
    }
    find_jobs(slurm);
    *ret_slurm = slurm;
    return RT_OK;
}

void rt_slurm_free(struct rt_slurm *slurm)
{
    if (!slurm)
        return;
    rt_slurm_call_release(&slurm->call);
    rt_array_free(slurm->array);
    rt_slurm_health_free(slurm->health);
    sodium_memzero(slurm->places, sizeof slurm->places);
    free(slurm);
}

// ---- Slurm's commands

static const char *user_name(void)
{
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_name : "root";
}

// Make the job's folder and start sbatch for it.
static enum rt_status submit(struct rt_slurm *slurm, struct rt_slurm_effect *effect,
                             struct rt_error *err)
{
    struct rt_slurm_job *job = &slurm->core.jobs[effect->job];
    struct place *place = &slurm->places[effect->job];
    const struct pool *pool = &slurm->pools[job->pool];
    memset(place, 0, sizeof *place);
    do {
        randombytes_buf(&job->token, sizeof job->token);
    } while (!job->token);
    effect->was.token = job->token;
    if (rt_slurm_folder_of(pool->spool, slurm->prefix, job->token, &place->folder))
        return rt_error_set(err, RT_TOO_LARGE, "the spool's path is too long");
    enum rt_status status =
        rt_slurm_folder_make(&place->folder, pool->subject, place->key, err);
    if (status)
        return status;
    struct rt_sbatch *words = calloc(1, sizeof *words);
    if (!words)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    rt_sbatch_words(&place->folder, pool->subject, 0, words);
    status = rt_slurm_call_start(&slurm->call, words->argv, CALL_MS, err);
    free(words);
    return status;
}

static enum rt_status start_call(struct rt_slurm *slurm, struct rt_slurm_effect *effect,
                                 struct rt_error *err)
{
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, effect->was.id);
    const char *const cancel[] = {"scancel", id, NULL};
    const char *const account[] = {"sacct", "--noheader", "--parsable2", "--allocations",
                                   "--jobs", id, "--format=" RT_SLURM_ACCOUNT_FORMAT, NULL};
    const char *const queue[] = {"squeue", "--noheader", "--array", "--user", user_name(),
                                 "--format=" RT_SLURM_QUEUE_FORMAT, NULL};
    switch (effect->kind) {
    case RT_SLURM_DO_SUBMIT:
        return submit(slurm, effect, err);
    case RT_SLURM_DO_CANCEL:
        return rt_slurm_call_start(&slurm->call, cancel, CALL_MS, err);
    case RT_SLURM_DO_ACCOUNT:
        return rt_slurm_call_start(&slurm->call, account, CALL_MS, err);
    default:
        return rt_slurm_call_start(&slurm->call, queue, CALL_MS, err);
    }
}

static void take_submitted(struct rt_slurm *slurm, enum rt_status status, struct rt_error *err)
{
    uint64_t id = 0;
    uint32_t index = slurm->doing.job;
    const struct rt_slurm_job *job = &slurm->core.jobs[index];
    const struct place *place = &slurm->places[index];
    if (!status && rt_slurm_submitted_read(rt_buf_bytes(&slurm->call.output), &id))
        status = rt_error_set(err, RT_MALFORMED, "it said no job's number");
    bool ours = job->stage != RT_SLURM_FREE && job->token == slurm->doing.was.token;
    if (!status && !ours) { // forgotten meanwhile
        slurm->queue[slurm->queue_count++] = (struct rt_slurm_effect){
            .kind = RT_SLURM_DO_CANCEL, .job = index, .was = {.id = id}};
        return;
    }
    if (!ours)
        return;
    if (status) {
        rt_log_error("sbatch did not take the job", "subject=%s why=%s",
                     slurm->pools[job->pool].subject->id, rt_log_quote(err->text));
        about(slurm, RT_SLURM_NOT_SUBMITTED, index, 0, false);
        return;
    }
    if (rt_slurm_folder_job(&place->folder, slurm->pools[job->pool].subject->id, id, err))
        rt_log_warn("the job's number could not be written", "why=%s", rt_log_quote(err->text));
    rt_log_info("slurm job submitted", "job=%" PRIu64 " subject=%s name=%s", id,
                slurm->pools[job->pool].subject->id, place->folder.name);
    about(slurm, RT_SLURM_SUBMITTED, index, id, false);
}

static void take_queue(struct rt_slurm *slurm, enum rt_status status, struct rt_error *err)
{
    size_t count = 0;
    if (!status) {
        status = rt_slurm_queue_read(rt_buf_bytes(&slurm->call.output), slurm->prefix, slurm->rows,
                                     RT_SLURM_ROWS_MOST, &count);
        if (status)
            (void)rt_error_set(err, status, "its answer: %s", rt_status_text(status));
    }
    if (status != slurm->queue_status) {
        if (status)
            rt_log_warn("squeue does not answer: jobs are taken to be as they were", "why=%s",
                        rt_log_quote(err->text));
        else
            rt_log_info("squeue answers again", NULL);
    }
    slurm->queue_status = status;
    if (!status && slurm->array)
        rt_array_snapshot(slurm->array, slurm->rows, count, slurm->core.polled_ms);
    for (size_t r = 0; r < count; r++)
        slurm->known[r] = slurm->rows[r].row;
    give(slurm, (struct rt_slurm_event){.kind = status ? RT_SLURM_NO_SNAPSHOT : RT_SLURM_SNAPSHOT,
                                        .rows = slurm->known,
                                        .row_count = count});
}

static void take_account(struct rt_slurm *slurm, enum rt_status status)
{
    enum rt_slurm_state state = RT_SLURM_STATE_UNKNOWN;
    const struct rt_slurm_job *job = &slurm->core.jobs[slurm->doing.job];
    if (job->id != slurm->doing.was.id)
        return;
    // A cluster without accounting has nothing to say, and the job is gone all the same.
    if (!status && rt_slurm_account_read(rt_buf_bytes(&slurm->call.output), job->id, &state))
        state = RT_SLURM_STATE_UNKNOWN;
    give(slurm, (struct rt_slurm_event){
                    .kind = RT_SLURM_ACCOUNT, .job = slurm->doing.job, .state = state});
}

static void take_answer(struct rt_slurm *slurm, enum rt_status status, struct rt_error *err)
{
    switch (slurm->doing.kind) {
    case RT_SLURM_DO_SUBMIT:
        take_submitted(slurm, status, err);
        break;
    case RT_SLURM_DO_QUEUE:
        take_queue(slurm, status, err);
        break;
    case RT_SLURM_DO_ACCOUNT:
        take_account(slurm, status);
        break;
    default:
        if (status)
            rt_log_warn("scancel failed", "job=%" PRIu64 " why=%s", slurm->doing.was.id,
                        rt_log_quote(err->text));
    }
}

static void run_calls(struct rt_slurm *slurm)
{
    struct rt_error err = {0};
    if (slurm->call.pid) {
        enum rt_status status = rt_slurm_call_step(&slurm->call, &err);
        if (status == RT_AGAIN)
            return;
        if (slurm->array_calls)
            rt_array_answer(slurm->array, status, &slurm->call, &err);
        else
            take_answer(slurm, status, &err);
        slurm->array_calls = false;
    }
    while (!slurm->call.pid && slurm->queue_count) {
        slurm->doing = slurm->queue[0];
        slurm->queue_count--;
        memmove(slurm->queue, slurm->queue + 1, slurm->queue_count * sizeof slurm->queue[0]);
        // One that was cancelled before its turn came is not submitted.
        if (slurm->doing.kind == RT_SLURM_DO_SUBMIT &&
            slurm->core.jobs[slurm->doing.job].stage != RT_SLURM_SUBMITTING)
            continue;
        enum rt_status status = start_call(slurm, &slurm->doing, &err);
        if (status)
            take_answer(slurm, status, &err);
    }
    if (!slurm->call.pid && slurm->array)
        slurm->array_calls = rt_array_call(slurm->array, &slurm->call);
}

// ---- what the jobs say

static void look(struct rt_slurm *slurm, uint32_t index)
{
    const struct rt_slurm_job *job = &slurm->core.jobs[index];
    const struct place *place = &slurm->places[index];
    struct rt_slurm_where where;
    if (job->stage <= RT_SLURM_SUBMITTING || !*place->folder.path ||
        rt_slurm_folder_where(&place->folder, &where) || (job->id && where.job != job->id))
        return;
    uint64_t before = job->start;
    about(slurm, RT_SLURM_STARTED, index, where.start, false);
    if (job->start != before)
        rt_slurm_health_drop(slurm->health, index);
    fill_urls(slurm, index, &where);
    if (rt_slurm_folder_mark(&place->folder, "ended") == where.start)
        about(slurm, RT_SLURM_SERVER_ENDED, index, where.start, false);
    else if (rt_slurm_folder_mark(&place->folder, "warned") == where.start)
        about(slurm, RT_SLURM_WARNED, index, where.start, false);
}

static void ask(struct rt_slurm *slurm, uint32_t index, int64_t mono_ms)
{
    const struct rt_slurm_job *job = &slurm->core.jobs[index];
    struct place *place = &slurm->places[index];
    bool ready = rt_slurm_job_serves(job);
    if ((job->stage != RT_SLURM_STARTING && job->stage != RT_SLURM_READY) || !*place->ready ||
        rt_slurm_health_asked(slurm->health, index) ||
        mono_ms - place->asked_ms < (ready ? ASK_READY_MS : ASK_MS))
        return;
    place->asked_ms = mono_ms;
    rt_slurm_health_ask(slurm->health, index, place->ready, place->key);
}

static void hear(struct rt_slurm *slurm)
{
    uint32_t index;
    bool yes;
    while (rt_slurm_health_next(slurm->health, &index, &yes)) {
        const struct rt_slurm_job *job = &slurm->core.jobs[index];
        bool before = rt_slurm_job_serves(job);
        about(slurm, RT_SLURM_HEALTH, index, 0, yes);
        if (before != rt_slurm_job_serves(job))
            rt_log_info(yes ? "slurm job ready" : "slurm job does not answer",
                        "job=%" PRIu64 " url=%s", job->id, slurm->places[index].url);
    }
}

// The jobs' scripts look at this file, and end when it is old.
static void show_life(const struct rt_slurm *slurm)
{
    for (uint32_t p = 0; p < slurm->core.pool_count; p++) {
        char path[PATH_MAX];
        struct rt_error err;
        if (rt_path_join(path, sizeof path, slurm->pools[p].spool, "alive"))
            continue;
        if (utime(path, NULL) && rt_file_write(path, rt_bytes_str("\n"), 0600, &err))
            rt_log_warn("the spool cannot be written", "why=%s", rt_log_quote(err.text));
    }
}

void rt_slurm_turn(struct rt_slurm *slurm)
{
    int64_t mono_ms = rt_time_mono_ms();
    run_calls(slurm);
    hear(slurm);
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        ask(slurm, j, mono_ms);
    if (mono_ms < slurm->look_ms)
        return;
    slurm->look_ms = mono_ms + LOOK_MS;
    if (mono_ms >= slurm->alive_ms) {
        slurm->alive_ms = mono_ms + ALIVE_MS;
        show_life(slurm);
    }
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        look(slurm, j);
    if (slurm->array) {
        bool soon;
        rt_array_turn(slurm->array, mono_ms);
        slurm->core.others = rt_array_wants_queue(slurm->array, &soon);
        slurm->core.hurry |= soon;
    }
    give(slurm, (struct rt_slurm_event){.kind = RT_SLURM_TICK});
    run_calls(slurm);
}

// ---- those who have trials

int rt_slurm_pool_of(const struct rt_slurm *slurm, const char *subject)
{
    for (uint32_t p = 0; slurm && p < slurm->core.pool_count; p++)
        if (strcmp(slurm->pools[p].subject->id, subject) == 0)
            return (int)p;
    return -1;
}

bool rt_slurm_has_pool(const struct rt_slurm *slurm, uint32_t pool)
{
    return pool < slurm->core.pool_count;
}

void rt_slurm_demand(struct rt_slurm *slurm, uint32_t pool, uint64_t trials)
{
    give(slurm, (struct rt_slurm_event){.kind = RT_SLURM_DEMAND, .pool = pool, .number = trials});
}

size_t rt_slurm_servers(const struct rt_slurm *slurm, uint32_t pool,
                        struct rt_slurm_server ret_servers[RT_SLURM_JOBS_MOST])
{
    size_t count = 0;
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++) {
        const struct rt_slurm_job *job = &slurm->core.jobs[j];
        bool draining = job->stage == RT_SLURM_DRAINING;
        if (job->pool != pool || (!rt_slurm_job_serves(job) && !draining) ||
            !*slurm->places[j].url)
            continue;
        ret_servers[count++] = (struct rt_slurm_server){
            job->token, job->start, !draining, draining, slurm->places[j].url,
            slurm->places[j].key};
    }
    return count;
}

void rt_slurm_drained(struct rt_slurm *slurm, uint64_t token)
{
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        if (slurm->core.jobs[j].stage == RT_SLURM_DRAINING && slurm->core.jobs[j].token == token)
            about(slurm, RT_SLURM_DRAINED, j, 0, true);
}

uint32_t rt_slurm_holding(const struct rt_slurm *slurm, uint32_t pool)
{
    uint32_t count = 0;
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++) {
        const struct rt_slurm_job *job = &slurm->core.jobs[j];
        bool holds = job->stage == RT_SLURM_STARTING || job->stage == RT_SLURM_READY ||
                     job->stage == RT_SLURM_DRAINING || job->stage == RT_SLURM_VANISHED ||
                     (job->stage == RT_SLURM_ENDING && job->start);
        count += holds && job->pool == pool;
    }
    return count;
}

void rt_slurm_end_jobs(struct rt_slurm *slurm)
{
    give(slurm, (struct rt_slurm_event){.kind = RT_SLURM_STOP});
}

void rt_slurm_stop(struct rt_slurm *slurm, int64_t timeout_ms)
{
    int64_t end_ms = rt_time_mono_ms() + timeout_ms;
    give(slurm, (struct rt_slurm_event){.kind = RT_SLURM_STOP});
    if (slurm->array)
        rt_array_stop(slurm->array);
    do {
        run_calls(slurm);
        usleep(20000);
    } while ((slurm->call.pid || slurm->queue_count ||
              (slurm->array && rt_array_busy(slurm->array))) &&
             rt_time_mono_ms() < end_ms);
}

void rt_slurm_describe(const struct rt_slurm *slurm, char *out, size_t capacity)
{
    uint32_t counts[RT_SLURM_STAGE_COUNT] = {0};
    size_t used = 0;
    out[0] = 0;
    for (uint32_t j = 0; j < RT_SLURM_JOBS_MOST; j++)
        counts[slurm->core.jobs[j].stage]++;
    for (int s = RT_SLURM_FREE + 1; s < RT_SLURM_STAGE_COUNT; s++)
        if (counts[s] && used + 32 < capacity)
            used += (size_t)snprintf(out + used, capacity - used, "%s%u %s", used ? ", " : "",
                                     counts[s], rt_slurm_stage_words[s]);
    char arrays[64] = "";
    if (slurm->array)
        rt_array_describe(slurm->array, arrays, sizeof arrays);
    if (*arrays && used + 70 < capacity)
        snprintf(out + used, capacity - used, "%s%s", used ? ", " : "", arrays);
}

struct rt_array *rt_slurm_array(struct rt_slurm *slurm)
{
    return slurm->array;
}
