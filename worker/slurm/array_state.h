// SPDX-License-Identifier: Apache-2.0
// The inside of array mode, shared by array.c (trials) and array_job.c (jobs and their commands)
// and nobody else. One thread.
#ifndef RT_WORKER_SLURM_ARRAY_STATE_H
#define RT_WORKER_SLURM_ARRAY_STATE_H

#include "worker/slurm/array.h"
#include "worker/slurm/array_spool.h"

#define ARRAY_POOLS_MOST 32
#define ARRAY_JOBS_MOST  64
#define ARRAY_NO_JOB     UINT32_MAX

// One subject.
struct array_pool {
    const struct rt_lab_subject *subject;
    char spool[PATH_MAX];
    int64_t grace_ms;
    int64_t gathered_ms;   // monotonic: the last trial was gathered
    uint32_t failures;     // jobs in a row that gave nothing
    int64_t not_before_ms; // monotonic: no submission before it
};

struct array_job {
    struct rt_array_job known;
    uint32_t pool;
    struct rt_slurm_folder folder;
    uint32_t trials, per_task;
    int64_t empty_ms;    // monotonic: since nothing in it is waited for; 0: something is
    int64_t cancelled_ms; // monotonic: the last time; 0 never
    bool submit, cancel; // a command is to be run
    bool gave;           // a result of it was taken
    bool stopped;        // forgotten as soon as Slurm has been told
};

enum array_entry_state {
    ENTRY_FREE,
    ENTRY_GATHERED, // waits for a job
    ENTRY_SENT,
    ENTRY_HERE, // a result is in the folder
    ENTRY_LOST, // to come back unrun
};

struct array_entry {
    enum array_entry_state state;
    struct rt_exec_whole *client; // NULL: of an earlier run, and not asked for yet
    uint64_t tag;
    struct rt_task_trial trial;
    const struct rt_scenario *scenario; // NULL without client
    uint32_t pool, job, index;          // index: in its job's plan
    int64_t orphan_ms;                  // monotonic: without client since
    char why[160];                      // of the last loss
};

// What one executor holds.
struct rt_exec_whole {
    struct rt_array *array;
    struct rt_exec_whole *next;
    uint32_t pool;
    const struct rt_label *labels;
    size_t label_count;
    const char *folder;
    const struct rt_scenario *const *scenarios;
    struct rt_digest *digests; // of the scenarios' objects
    size_t scenario_count;
    size_t in_flight;
};

enum array_command { ARRAY_NOTHING, ARRAY_CONFIG, ARRAY_SUBMIT, ARRAY_CANCEL, ARRAY_ACCOUNT };

struct rt_array {
    const char *prefix;
    char worker[PATH_MAX]; // this program
    struct array_pool pools[ARRAY_POOLS_MOST];
    uint32_t pool_count;
    struct array_job jobs[ARRAY_JOBS_MOST];
    struct array_entry entries[RT_TASK_TRIALS_MOST];
    struct rt_exec_whole *clients;
    uint32_t tasks_most; // of one job; 0: not known yet
    bool keep, stopping;
    int64_t look_ms;
    enum array_command doing;
    uint32_t doing_job;
    uint64_t doing_token;
};

// array_job.c
void array_submit(struct rt_array *array, uint32_t pool, int64_t mono_ms); // if it is time
void array_forget(struct rt_array *array, uint32_t job);
void array_cancel(struct array_job *job);
bool array_mine(const struct array_entry *entry, uint32_t job);
// array.c
void array_lose(struct rt_array *array, struct array_entry *entry, const char *why);

#endif
