// SPDX-License-Identifier: Apache-2.0
// What is known of one array job from the outside: which of its tasks squeue still shows. A task
// that is shown no more is gone once a while has passed in which its last files could be seen; a
// job that is not shown at all is asked about in sacct first, because squeue forgets and accounting
// lags. A task that is shown again (requeued) is back. Levels, not edges: an answer that is lost or
// comes twice changes nothing. No process, clock, disk or allocation.
#ifndef RT_WORKER_SLURM_ARRAY_CORE_H
#define RT_WORKER_SLURM_ARRAY_CORE_H

#include "worker/slurm/parse.h"

#define RT_ARRAY_TASKS_MOST    512
#define RT_ARRAY_ACCOUNTS_MOST 5 // times sacct is believed that a vanished job goes on

enum rt_array_stage {
    RT_ARRAY_FREE,
    RT_ARRAY_SUBMITTING, // sbatch has not answered
    RT_ARRAY_UNKNOWN,    // of an earlier run of this worker, and not looked up yet
    RT_ARRAY_LIVE,       // Slurm has it, or had it
    RT_ARRAY_ENDING,     // cancelled by our own word
};

enum rt_array_task_state {
    RT_ARRAY_TASK_WAITING, // no task has been seen to run yet
    RT_ARRAY_TASK_RUNNING,
    RT_ARRAY_TASK_ABSENT,
};

struct rt_array_job {
    enum rt_array_stage stage;
    uint64_t token, id; // id 0: not known yet
    uint32_t tasks;
    int64_t known_ms;   // monotonic: the id was learned
    bool looked;        // squeue has answered about it
    bool asked;         // sacct is under way or has answered since it vanished
    bool told;          // sacct says it is over, or has nothing to say
    uint32_t accounts;
    struct rt_array_task {
        enum rt_array_task_state state;
        int64_t absent_ms;
    } task[RT_ARRAY_TASKS_MOST];
};

void rt_array_job_begin(struct rt_array_job *job, uint64_t token, uint32_t tasks);
void rt_array_job_submitted(struct rt_array_job *job, uint64_t id, int64_t mono_ms);
// A job of an earlier run; id 0: its submission was never answered.
void rt_array_job_found(struct rt_array_job *job, uint64_t token, uint64_t id, uint32_t tasks);
// squeue's whole answer to a question put at asked_ms. A job that was submitted after the question
// is not in it.
void rt_array_job_snapshot(struct rt_array_job *job, const struct rt_slurm_queue_row *rows,
                           size_t count, int64_t asked_ms, int64_t mono_ms);
// Not shown by squeue any more, and sacct is to be asked.
bool rt_array_job_vanished(const struct rt_array_job *job);
void rt_array_job_account(struct rt_array_job *job, enum rt_slurm_state state);
// Will this task write nothing more, and was there time to see what it wrote? task below tasks.
bool rt_array_task_gone(const struct rt_array_job *job, uint32_t task, int64_t grace_ms,
                        int64_t mono_ms);
bool rt_array_job_gone(const struct rt_array_job *job, int64_t grace_ms, int64_t mono_ms);
bool rt_array_job_runs(const struct rt_array_job *job); // some task of it has a node now

#endif
