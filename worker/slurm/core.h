// SPDX-License-Identifier: Apache-2.0
// The life of a lab's pilot jobs as a pure state machine: what is known of each job, and what is to
// be done next. Events carry the time; effects are a bounded list that the shell carries out. Jobs
// are levels, not edges: a job that is READY is to be used, in any other stage it is not, so that
// an event that is lost or comes twice changes nothing. No process, clock, disk or allocation.
//
//   SUBMITTING -> PENDING -> STARTING -> READY -> DRAINING -> ENDING -> (forgotten)
//                    ^----------+----------+ requeued          ^ cancelled, idle
//   UNKNOWN (found after a restart) -> by squeue's answer; absent there -> VANISHED -> sacct
#ifndef RT_WORKER_SLURM_CORE_H
#define RT_WORKER_SLURM_CORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define RT_SLURM_POOLS_MOST   32
#define RT_SLURM_JOBS_MOST    64
#define RT_SLURM_EFFECTS_MOST 192

#define RT_SLURM_STAGE_TABLE(X)                                                                    \
    X(FREE, "free")             /* no job in this place */                                         \
    X(SUBMITTING, "submitting") /* sbatch has not answered */                                      \
    X(UNKNOWN, "unknown")       /* of an earlier run of this worker; squeue will tell */           \
    X(PENDING, "pending")       /* waits for nodes */                                              \
    X(STARTING, "starting")     /* runs; its server does not answer yet */                         \
    X(READY, "ready")           /* its server answers */                                           \
    X(DRAINING, "draining")     /* its time is nearly over: no new trials */                       \
    X(ENDING, "ending")         /* cancelled, still shown by squeue */                             \
    X(VANISHED, "vanished")     /* no longer shown by squeue: sacct is asked */

enum rt_slurm_stage {
#define X(name, word) RT_SLURM_##name,
    RT_SLURM_STAGE_TABLE(X)
#undef X
        RT_SLURM_STAGE_COUNT
};
extern const char *const rt_slurm_stage_words[RT_SLURM_STAGE_COUNT];

// What squeue or sacct says of a job, in the few words that matter here.
enum rt_slurm_state {
    RT_SLURM_STATE_WAITING, // PENDING, CONFIGURING, REQUEUED, ... (also of a requeued job)
    RT_SLURM_STATE_RUNNING,
    RT_SLURM_STATE_OVER,      // COMPLETED, FAILED, TIMEOUT, CANCELLED, ...
    RT_SLURM_STATE_TAKEN,     // PREEMPTED, NODE_FAIL, ...: nobody's word against the job
    RT_SLURM_STATE_LEAVING,   // COMPLETING
    RT_SLURM_STATE_UNKNOWN,
};

// One subject's jobs.
struct rt_slurm_pool {
    // How many, and how long; set once.
    uint32_t jobs_at_most;
    uint32_t trials_a_job; // what one server has in flight at once
    int64_t idle_exit_ms, ready_within_ms, margin_ms;
    // Kept by the core.
    uint64_t demand;        // trials in hand that have not finished
    int64_t demand_ms;      // monotonic: the last moment at which there were any
    uint32_t failures;      // jobs in a row that never became ready
    int64_t not_before_ms;  // monotonic: no submission before it
};

struct rt_slurm_job {
    enum rt_slurm_stage stage;
    uint32_t pool;
    uint64_t token;     // ours; part of the job's name, so that it is found again
    uint64_t id;        // Slurm's, 0 until known
    uint64_t start;     // counts the job's starts (requeues), as its script reports them
    int64_t since_ms;   // monotonic: in this stage
    int64_t known_ms;   // monotonic: the id was learned
    int64_t end_ms;     // monotonic: the time limit, 0 unknown
    bool healthy;       // READY: its server answered the last time it was asked
    bool was_ready;     // at any time
    bool asked;         // VANISHED: sacct is under way or has answered once
    bool cancelled;     // ENDING by our own word: it does not come back
    bool excused;       // ended for want of work: no failure if it was never ready
};

struct rt_slurm_core {
    struct rt_slurm_pool pools[RT_SLURM_POOLS_MOST];
    uint32_t pool_count;
    struct rt_slurm_job jobs[RT_SLURM_JOBS_MOST];
    int64_t poll_ms;       // between two squeue
    int64_t polled_ms;     // monotonic: the last was asked
    bool polling;          // it has not answered yet
    bool ever_polled;
    bool hurry;            // something happened that squeue may explain
    bool others;           // somebody else waits for squeue's answers too
};

enum rt_slurm_event_kind {
    RT_SLURM_TICK,
    RT_SLURM_DEMAND,        // pool, number: trials in hand that have not finished
    RT_SLURM_SUBMITTED,     // job, number: Slurm's id
    RT_SLURM_NOT_SUBMITTED, // job
    RT_SLURM_FOUND,         // pool, token, number: id or 0; of an earlier run
    RT_SLURM_SNAPSHOT,      // rows: squeue's whole answer
    RT_SLURM_NO_SNAPSHOT,   // squeue did not answer
    RT_SLURM_ACCOUNT,       // job, state (UNKNOWN: sacct did not answer)
    RT_SLURM_STARTED,       // job, number: its script listens, at its n-th start (from 1)
    RT_SLURM_HEALTH,        // job, yes: the server answered
    RT_SLURM_WARNED,        // job: Slurm's warning signal reached the script
    RT_SLURM_SERVER_ENDED,  // job: the script says that the server is gone
    RT_SLURM_DRAINED,       // job: nothing is in flight there
    RT_SLURM_STOP,          // every job is to end now
};

struct rt_slurm_row {
    uint64_t id;
    uint64_t token; // from the job's name, 0 none of ours
    enum rt_slurm_state state;
    int64_t left_ms; // to the time limit, -1 unknown
};

struct rt_slurm_event {
    enum rt_slurm_event_kind kind;
    int64_t mono_ms;
    uint32_t pool, job;
    uint64_t number, token;
    bool yes;
    enum rt_slurm_state state;
    const struct rt_slurm_row *rows;
    size_t row_count;
};

enum rt_slurm_effect_kind {
    RT_SLURM_DO_SUBMIT,  // job: make a token, a folder and a script, run sbatch
    RT_SLURM_DO_CANCEL,  // job: scancel its id
    RT_SLURM_DO_QUEUE,   // run squeue once for all jobs
    RT_SLURM_DO_ACCOUNT, // job: run sacct for its id
    RT_SLURM_DO_FORGET,  // job: remove its folder; the place is free afterwards
};

struct rt_slurm_effect {
    enum rt_slurm_effect_kind kind;
    uint32_t job;
    struct rt_slurm_job was; // FORGET: the job as it was
};

struct rt_slurm_effects {
    struct rt_slurm_effect items[RT_SLURM_EFFECTS_MOST];
    size_t count;
};

void rt_slurm_core_init(struct rt_slurm_core *core, int64_t poll_ms);
// The place of a new pool; RT_ASSERTs that there is one.
uint32_t rt_slurm_core_pool(struct rt_slurm_core *core, const struct rt_slurm_pool *pool);
// Take an event and list what is to be done, in order. Events about a place that holds no job, and
// answers that no longer fit, change nothing.
void rt_slurm_core_step(struct rt_slurm_core *core, const struct rt_slurm_event *event,
                        struct rt_slurm_effects *ret_effects);
// May the job be asked: READY and healthy. A DRAINING one finishes what it has.
bool rt_slurm_job_serves(const struct rt_slurm_job *job);
// Jobs of a pool in any stage but FREE.
uint32_t rt_slurm_core_jobs(const struct rt_slurm_core *core, uint32_t pool);

#endif
