// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "worker/slurm/array_state.h"

#define LOOK_MS        500
#define EMPTY_MS       5000   // a folder whose trials were all taken stays until they are stored
#define ADOPT_MS       600000 // for trials of an earlier run to be asked for again
#define GRACE_LEAST_MS 1500
#define GRACE_MOST_MS  60000 // what network file systems take to show a new file
#define FAILURE_MS     15000 // before the next job after one that gave nothing; doubles
#define FAILURES_MOST  7
#define CANCEL_MS      60000

// ---- starting

static enum rt_status add_pool(struct rt_array *array, const struct rt_lab_subject *subject,
                               const char *folder, const char *state, struct rt_error *err)
{
    const struct rt_lab_slurm *slurm = subject->slurm;
    char expanded[PATH_MAX];
    if (array->pool_count == ARRAY_POOLS_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "more than %d subjects with array jobs",
                            ARRAY_POOLS_MOST);
    struct array_pool *pool = &array->pools[array->pool_count];
    pool->subject = subject;
    pool->grace_ms = slurm->poll_ms < GRACE_LEAST_MS  ? GRACE_LEAST_MS
                     : slurm->poll_ms > GRACE_MOST_MS ? GRACE_MOST_MS
                                                      : slurm->poll_ms;
    bool fits = !rt_path_expand(expanded, sizeof expanded,
                                *slurm->spool ? slurm->spool : "slurm") &&
                !rt_path_join(pool->spool, sizeof pool->spool, *slurm->spool ? folder : state,
                              expanded);
    if (fits && expanded[0] == '/')
        memcpy(pool->spool, expanded, sizeof expanded);
    char real[PATH_MAX];
    enum rt_status status =
        fits ? rt_file_mkdir(pool->spool, 0700, err)
             : rt_error_set(err, RT_TOO_LARGE, "subject %s: the spool's path is too long",
                            subject->id);
    if (!status && !realpath(pool->spool, real))
        status = rt_error_set(err, RT_IO, "%s: no such folder", pool->spool);
    if (!status)
        memcpy(pool->spool, real, strlen(real) + 1); // nodes start elsewhere
    array->pool_count += !status;
    return status;
}

// The trials of a job of an earlier run, until they are asked for or given up.
static bool adopt(struct rt_array *array, uint32_t index, const struct rt_task_plan *plan)
{
    int64_t mono_ms = rt_time_mono_ms();
    uint32_t next = 0, made = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        while (next < RT_TASK_TRIALS_MOST && array->entries[next].state != ENTRY_FREE)
            next++;
        if (next == RT_TASK_TRIALS_MOST)
            break;
        array->entries[next] = (struct array_entry){.state = ENTRY_SENT,
                                                    .trial = plan->trials[i],
                                                    .pool = array->jobs[index].pool,
                                                    .job = index,
                                                    .index = i,
                                                    .orphan_ms = mono_ms};
        made++;
    }
    return made == plan->count;
}

static void find_job(struct rt_array *array, uint32_t pool, const char *name)
{
    struct rt_slurm_folder folder;
    char subject[RT_ID_BYTES + 1];
    struct rt_task_plan plan;
    struct rt_arena arena;
    uint32_t index = 0;
    uint64_t id = 0, token = rt_slurm_token_of(array->prefix, rt_bytes_str(name));
    while (index < ARRAY_JOBS_MOST && array->jobs[index].known.stage != RT_ARRAY_FREE)
        index++;
    if (!token || index == ARRAY_JOBS_MOST ||
        rt_slurm_folder_of(array->pools[pool].spool, array->prefix, token, &folder))
        return;
    rt_arena_init(&arena, (size_t)4 << 20);
    if (!rt_array_folder_load(&folder, &arena, subject, &id, &plan) &&
        !strcmp(subject, array->pools[pool].subject->id) &&
        rt_task_count(plan.count, plan.per_task) <= RT_ARRAY_TASKS_MOST) {
        struct array_job *job = &array->jobs[index];
        *job = (struct array_job){.pool = pool,
                                  .folder = folder,
                                  .trials = plan.count,
                                  .per_task = plan.per_task};
        rt_array_job_found(&job->known, token, id, rt_task_count(plan.count, plan.per_task));
        if (!adopt(array, index, &plan))
            rt_log_warn("more trials were left in jobs than can be followed", "name=%s", name);
        rt_log_info("slurm array job of an earlier run", "job=%" PRIu64 " name=%s trials=%" PRIu32,
                    id, name, plan.count);
    }
    rt_arena_release(&arena);
}

static void find_jobs(struct rt_array *array)
{
    for (uint32_t p = 0; p < array->pool_count; p++) {
        char **names;
        size_t count;
        struct rt_error err;
        if (rt_file_list(array->pools[p].spool, 65536, &names, &count, &err)) {
            rt_log_warn("the spool cannot be read", "why=%s", rt_log_quote(err.text));
            continue;
        }
        for (size_t i = 0; i < count; i++)
            find_job(array, p, names[i]);
        rt_file_list_free(names, count);
    }
}

enum rt_status rt_array_new(const struct rt_labconfig *config, const char *folder,
                            const char *state, const char *prefix, struct rt_array **ret_array,
                            struct rt_error *err)
{
    enum rt_status status = RT_OK;
    struct rt_array *array = calloc(1, sizeof *array);
    if (!array)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    array->prefix = prefix;
    ssize_t size = readlink("/proc/self/exe", array->worker, sizeof array->worker - 1);
    if (size < 0)
        status = rt_error_set(err, RT_IO, "/proc/self/exe cannot be read");
    for (size_t s = 0; s < config->subject_count && !status; s++)
        if (rt_lab_array(&config->subjects[s]))
            status = add_pool(array, &config->subjects[s], folder, state, err);
    if (!status && !array->pool_count)
        status = RT_NOT_FOUND;
    if (status) {
        free(array);
        return status;
    }
    find_jobs(array);
    *ret_array = array;
    return RT_OK;
}

void rt_array_free(struct rt_array *array)
{
    if (!array)
        return;
    RT_ASSERT(!array->clients); // executors are freed before
    free(array);
}

// ---- trials

static struct array_entry *entry_of(const struct rt_exec_whole *client, uint64_t tag)
{
    struct array_entry *entries = client->array->entries;
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST; e++)
        if (entries[e].state != ENTRY_FREE && entries[e].client == client && entries[e].tag == tag)
            return &entries[e];
    return NULL;
}

static void let_go(struct array_entry *entry)
{
    entry->client->in_flight--;
    entry->state = ENTRY_FREE;
    entry->client = NULL;
}

static void detach(struct array_entry *entry)
{
    entry->client->in_flight--;
    entry->client = NULL;
    entry->scenario = NULL;
    entry->orphan_ms = rt_time_mono_ms();
}

void array_lose(struct rt_array *array, struct array_entry *entry, const char *why)
{
    struct array_pool *pool = &array->pools[entry->pool];
    snprintf(entry->why, sizeof entry->why, "%s", why);
    entry->job = ARRAY_NO_JOB;
    if (!entry->client) {
        entry->state = ENTRY_FREE;
        return;
    }
    entry->state = entry->trial.try < pool->subject->slurm->tries ? ENTRY_GATHERED : ENTRY_LOST;
    if (entry->state == ENTRY_GATHERED) {
        entry->trial.try++;
        pool->gathered_ms = rt_time_mono_ms();
    }
}

static enum rt_status array_take(struct rt_exec_whole *client, const struct rt_exec_trial *trial,
                                 struct rt_error *err)
{
    struct rt_array *array = client->array;
    struct array_entry *spare = NULL, *found = NULL;
    struct array_entry entry = {.state = ENTRY_GATHERED,
                                .client = client,
                                .tag = trial->tag,
                                .trial = {.key = trial->key,
                                          .arm = trial->arm,
                                          .phrasing = trial->phrasing,
                                          .temperature_micro = trial->temperature_micro,
                                          .seed = trial->seed,
                                          .try = 1},
                                .scenario = trial->scenario,
                                .pool = client->pool,
                                .job = ARRAY_NO_JOB};
    bool known = false;
    for (size_t s = 0; s < client->scenario_count && !known; s++) {
        known = client->scenarios[s] == trial->scenario;
        if (known)
            entry.trial.scenario = client->digests[s];
    }
    if (!known)
        return rt_error_set(err, RT_NOT_FOUND, "scenario %s is not one of the campaign's",
                            trial->scenario->id);
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST; e++) {
        struct array_entry *at = &array->entries[e];
        if (at->state == ENTRY_FREE)
            spare = spare ? spare : at;
        else if (at->client == client && at->tag == trial->tag)
            return rt_error_set(err, RT_EXISTS, "the trial is in flight");
        else if (!at->client && at->pool == client->pool &&
                 rt_task_trial_same(&at->trial, &entry.trial))
            found = at;
    }
    if (found) { // of an earlier run: it is in a job already, and maybe done
        found->client = client;
        found->tag = trial->tag;
        found->scenario = trial->scenario;
    } else if (spare) {
        *spare = entry;
        array->pools[client->pool].gathered_ms = rt_time_mono_ms();
    } else {
        return rt_error_set(err, RT_AGAIN, "no room for another trial");
    }
    client->in_flight++;
    return RT_OK;
}

static size_t array_room(const struct rt_exec_whole *client)
{
    const struct rt_array *array = client->array;
    size_t room = 0;
    if (array->keep || array->stopping ||
        rt_time_mono_ms() < array->pools[client->pool].not_before_ms)
        return 0;
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST; e++)
        room += array->entries[e].state == ENTRY_FREE;
    return room;
}

static size_t array_in_flight(const struct rt_exec_whole *client)
{
    return client->in_flight;
}

static bool array_drop(struct rt_exec_whole *client, uint64_t tag)
{
    struct array_entry *entry = entry_of(client, tag);
    if (!entry)
        return false;
    if (client->array->keep && entry->job != ARRAY_NO_JOB)
        detach(entry);
    else
        let_go(entry);
    return true;
}

// A result that is in the folder; false when it is not to be believed.
static bool read_result(struct array_entry *entry, struct rt_exec_done *ret_done)
{
    struct rt_exec_whole *client = entry->client;
    struct array_job *job = &client->array->jobs[entry->job];
    const struct rt_task_expected expected = {
        .trial = &entry->trial,
        .scenario = entry->scenario,
        .labels = client->labels,
        .label_count = client->label_count,
        .subject = client->array->pools[entry->pool].subject->id,
        .now_ms = rt_time_wall_ms(),
    };
    const char *why = "it is no file, or too large";
    struct rt_buf bytes;
    rt_buf_init(&bytes, RT_TASK_RESULT_MOST);
    enum rt_status status = rt_array_folder_result(&job->folder, entry->index, &bytes);
    if (!status)
        status = rt_task_result_read(rt_buf_bytes(&bytes), &expected, ret_done, &why);
    rt_buf_release(&bytes);
    if (!status) {
        ret_done->tag = entry->tag;
        job->gave = true;
        return true;
    }
    entry->state = ENTRY_SENT; // looked for again until its task is gone
    if (status == RT_NO_MEMORY)
        return false;
    rt_log_error("a result from a job is not taken", "job=%" PRIu64 " result=%" PRIu32 " why=%s",
                 job->known.id, entry->index, rt_log_quote(why));
    rt_array_folder_refuse(&job->folder, entry->index);
    return false;
}

static void come_back(struct array_entry *entry, struct rt_exec_done *ret_done)
{
    *ret_done = (struct rt_exec_done){
        .tag = entry->tag,
        .unrun = true,
        .score = {.status = RT_TRIAL_ERROR, .error = RT_ERROR_KIND_NETWORK, .rule = RT_NONE},
    };
    snprintf(ret_done->detail, sizeof ret_done->detail, "after %" PRIu32 " jobs: %s",
             entry->trial.try, entry->why);
    rt_buf_init(&ret_done->transcript, RT_TRANSCRIPT_MOST);
    rt_buf_init(&ret_done->fingerprint, RT_FINGERPRINT_MOST);
}

static void array_poll(struct rt_exec_whole *client, struct rt_exec_done *ret_done,
                       size_t capacity, size_t *ret_count)
{
    struct rt_array *array = client->array;
    size_t count = 0;
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST && count < capacity; e++) {
        struct array_entry *entry = &array->entries[e];
        if (entry->client != client ||
            (entry->state != ENTRY_HERE && entry->state != ENTRY_LOST))
            continue;
        if (entry->state == ENTRY_LOST)
            come_back(entry, &ret_done[count++]);
        else if (read_result(entry, &ret_done[count]))
            array->pools[entry->pool].failures = 0, count++;
        else
            continue;
        let_go(entry);
    }
    *ret_count = count;
}

static void array_close(struct rt_exec_whole *client)
{
    struct rt_array *array = client->array;
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST; e++)
        if (array->entries[e].state != ENTRY_FREE && array->entries[e].client == client) {
            if (array->entries[e].job == ARRAY_NO_JOB)
                let_go(&array->entries[e]);
            else
                detach(&array->entries[e]);
        }
    for (struct rt_exec_whole **at = &array->clients; *at; at = &(*at)->next)
        if (*at == client) {
            *at = client->next;
            break;
        }
    free(client->digests);
    free(client);
}

static const struct rt_exec_whole_kind array_kind = {
    .word = "slurm array",
    .submit = array_take,
    .room = array_room,
    .in_flight = array_in_flight,
    .poll = array_poll,
    .cancel = array_drop,
    .free = array_close,
};

static enum rt_status check_roles(const struct rt_exec_options *options, struct rt_error *err)
{
    for (size_t s = 0; s < options->scenario_count; s++)
        for (size_t r = 0; r < options->scenarios[s]->role_count; r++)
            if (!options->scenarios[s]->roles[r].reply_count)
                return rt_error_set(err, RT_UNSUPPORTED,
                                    "subject %s: in scenario %s a model plays the role `%s`, which "
                                    "an array job cannot ask; use slurm mode pilot",
                                    options->subject->id, options->scenarios[s]->id,
                                    options->scenarios[s]->roles[r].id);
    return RT_OK;
}

enum rt_status rt_array_open(struct rt_array *array, struct rt_exec_options *options,
                             struct rt_error *err)
{
    uint32_t pool = 0;
    while (pool < array->pool_count && array->pools[pool].subject != options->subject)
        pool++;
    RT_ASSERT(pool < array->pool_count);
    enum rt_status status = check_roles(options, err);
    if (status)
        return status;
    struct rt_exec_whole *client = calloc(1, sizeof *client);
    struct rt_digest *digests = calloc(options->scenario_count + 1, sizeof *digests);
    if (!client || !digests)
        status = RT_NO_MEMORY;
    for (size_t s = 0; s < options->scenario_count && !status; s++)
        status = rt_array_scenario_digest(options->scenarios[s], &digests[s]);
    if (status) {
        free(client);
        free(digests);
        return rt_error_set(err, status, "subject %s: %s", options->subject->id,
                            rt_status_text(status));
    }
    *client = (struct rt_exec_whole){.array = array,
                                     .next = array->clients,
                                     .pool = pool,
                                     .labels = options->labels,
                                     .label_count = options->label_count,
                                     .folder = options->folder,
                                     .scenarios = options->scenarios,
                                     .digests = digests,
                                     .scenario_count = options->scenario_count};
    array->clients = client;
    options->whole = client;
    options->whole_kind = &array_kind;
    return RT_OK;
}

// ---- one look

static void failed(struct array_pool *pool, int64_t mono_ms)
{
    uint32_t doublings = pool->failures < FAILURES_MOST ? pool->failures : FAILURES_MOST;
    pool->failures++;
    pool->not_before_ms = mono_ms + ((int64_t)FAILURE_MS << doublings);
}

static void lose_task(struct rt_array *array, uint32_t index, struct array_entry *entry)
{
    const struct array_job *job = &array->jobs[index];
    char said[120], why[160];
    rt_array_folder_failed(&job->folder, entry->index / job->per_task, said, sizeof said);
    snprintf(why, sizeof why, "its task ended without a result%s%s", *said ? ": " : "", said);
    if (entry->client)
        rt_log_warn("a trial was lost with its task",
                    "job=%" PRIu64 " trial=%" PRIu32 " try=%" PRIu32 " why=%s", job->known.id,
                    entry->index, entry->trial.try, rt_log_quote(why));
    array_lose(array, entry, why);
}

static void look(struct rt_array *array, uint32_t index, int64_t mono_ms)
{
    bool here[RT_TASK_TRIALS_MOST];
    struct array_job *job = &array->jobs[index];
    struct array_pool *pool = &array->pools[job->pool];
    size_t waiting = 0, results = rt_array_folder_results(&job->folder, job->trials, here);
    bool over = rt_array_job_gone(&job->known, pool->grace_ms, mono_ms);
    for (size_t e = 0; e < RT_TASK_TRIALS_MOST; e++) {
        struct array_entry *entry = &array->entries[e];
        if (!array_mine(entry, index))
            continue;
        if (entry->state == ENTRY_SENT && here[entry->index])
            entry->state = ENTRY_HERE;
        else if (entry->state == ENTRY_SENT &&
                 rt_array_task_gone(&job->known, entry->index / job->per_task, pool->grace_ms,
                                    mono_ms))
            lose_task(array, index, entry);
        else if (!entry->client && mono_ms - entry->orphan_ms > ADOPT_MS)
            entry->state = ENTRY_FREE;
        waiting += array_mine(entry, index);
    }
    if (waiting) {
        job->empty_ms = 0;
        return;
    }
    bool first = !job->empty_ms;
    job->empty_ms = first ? mono_ms : job->empty_ms;
    if (first && over && !results && !job->gave && job->known.stage == RT_ARRAY_LIVE)
        failed(pool, mono_ms);
    if (over && mono_ms - job->empty_ms >= EMPTY_MS)
        array_forget(array, index);
    else if (!over && results < job->trials &&
             (!job->cancelled_ms || mono_ms - job->cancelled_ms > CANCEL_MS))
        array_cancel(job); // nobody waits for the rest
}

void rt_array_turn(struct rt_array *array, int64_t mono_ms)
{
    if (mono_ms < array->look_ms || array->stopping)
        return;
    array->look_ms = mono_ms + LOOK_MS;
    for (uint32_t j = 0; j < ARRAY_JOBS_MOST; j++)
        if (array->jobs[j].known.stage > RT_ARRAY_SUBMITTING)
            look(array, j, mono_ms);
    for (uint32_t p = 0; p < array->pool_count && !array->keep; p++)
        array_submit(array, p, mono_ms);
}

void rt_array_keep(struct rt_array *array)
{
    array->keep = true;
}
