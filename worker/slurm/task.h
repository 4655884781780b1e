// SPDX-License-Identifier: Apache-2.0
// What an array job and the worker say to one another in the job's folder: the plan, which the
// worker writes and a task reads, and one result for each trial, which a task writes and the worker
// reads. Both are input from outside on the other side: bounded, strict, and nothing in a result is
// believed that can be worked out again (the score, the counts). No I/O. Pure; any thread.
//
//   plan      "ringtrial-array 1 TRIALS PER_TASK\n" "folder PATH\n", then for each trial
//             "trial KEY SCENARIO ARM PHRASING TEMPERATURE_MICRO SEED TRY\n", then "end\n"
//   result-N  "ringtrial-trial 1 KEY REQUESTS FINGERPRINT_BYTES TRANSCRIPT_BYTES\n", then the
//             fingerprint object, then the canonical transcript, and nothing more
//
// KEY and SCENARIO are 64 hex digits: what the caller calls the trial, and SHA-256 of the object of
// its scenario, which lies beside the plan as scenario-SCENARIO.
#ifndef RT_WORKER_SLURM_TASK_H
#define RT_WORKER_SLURM_TASK_H

#include "engine/score.h"
#include "worker/executor/executor.h"

#define RT_TASK_TRIALS_MOST 2048 // of one job, and of all jobs together
#define RT_TASK_PLAN_MOST   ((size_t)1 << 20)
#define RT_TASK_HEAD_MOST   256
#define RT_TASK_RESULT_MOST (RT_TRANSCRIPT_MOST + RT_FINGERPRINT_MOST + RT_TASK_HEAD_MOST)

struct rt_task_trial {
    struct rt_digest key, scenario;
    uint32_t arm, phrasing;
    int64_t temperature_micro;
    uint32_t seed;
    uint32_t try; // from 1: in how many jobs it has been, this one included
};

struct rt_task_plan {
    uint32_t count, per_task;
    const char *folder; // absolute: where a command's paths begin
    struct rt_task_trial *trials;
};
static inline uint32_t rt_task_count(uint32_t trials, uint32_t per_task)
{
    return (trials + per_task - 1) / per_task;
}

void rt_task_plan_write(const struct rt_task_plan *plan, struct rt_buf *out);
// RT_MALFORMED, RT_OUT_OF_RANGE, RT_NO_MEMORY. Strings and trials in arena.
enum rt_status rt_task_plan_read(struct rt_bytes text, struct rt_arena *arena,
                                 struct rt_task_plan *ret_plan) RT_WARN_UNUSED;
// The same trial, whichever job it is in.
bool rt_task_trial_same(const struct rt_task_trial *a, const struct rt_task_trial *b);

void rt_task_result_write(const struct rt_digest *key, uint32_t requests,
                          struct rt_bytes fingerprint, struct rt_bytes transcript,
                          struct rt_buf *out);

// What a result has to be about.
struct rt_task_expected {
    const struct rt_task_trial *trial;
    const struct rt_scenario *scenario;
    const struct rt_label *labels;
    size_t label_count;
    const char *subject;
    int64_t now_ms; // wall clock
};
// Read, replay and score. Fills all of ret_done but its tag; the caller releases it. Anything wrong
// is RT_MALFORMED (its form), RT_CONFLICT (another trial, subject or sandbox, or a play that the
// engine does not repeat) or RT_NO_MEMORY, and ret_why says what, for people.
enum rt_status rt_task_result_read(struct rt_bytes bytes, const struct rt_task_expected *expected,
                                   struct rt_exec_done *ret_done,
                                   const char **ret_why) RT_WARN_UNUSED;

#endif
