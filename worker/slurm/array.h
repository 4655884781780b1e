// SPDX-License-Identifier: Apache-2.0
// The slurm executor's array mode: trials that are played whole inside array jobs. Trials are
// gathered, written into a job's folder with what a task needs, and collected from there as they
// finish; each transcript is replayed and scored here, whatever the node says of it. This is the
// shell round array_core.h; slurm.c runs the commands and the squeue that it shares with pilots. A
// worker that was killed finds its folders again, and a trial that is submitted under the same key
// is the one in the folder. Never waits. One thread.
#ifndef RT_WORKER_SLURM_ARRAY_H
#define RT_WORKER_SLURM_ARRAY_H

#include "worker/executor/executor.h"
#include "worker/slurm/array_core.h"
#include "worker/slurm/call.h"

struct rt_array;

// For every subject of config with mode array; RT_NOT_FOUND when there is none. config outlives the
// result. prefix: of the jobs' names. Reads what an earlier run left behind.
enum rt_status rt_array_new(const struct rt_labconfig *config, const char *folder,
                            const char *state, const char *prefix, struct rt_array **ret_array,
                            struct rt_error *err) RT_WARN_UNUSED;
void rt_array_free(struct rt_array *array); // takes NULL; jobs go on

// What plays options->subject's trials whole, for rt_exec_open: sets options->whole and
// whole_kind. options' labels, scenarios and folder outlive it. RT_UNSUPPORTED where a model plays
// a role.
enum rt_status rt_array_open(struct rt_array *array, struct rt_exec_options *options,
                             struct rt_error *err) RT_WARN_UNUSED;

// Look into the folders, gather and give up; at most every half second.
void rt_array_turn(struct rt_array *array, int64_t mono_ms);
// Start the next of its commands, if there is one; false when there is none. The call's end is told
// with rt_array_answer.
bool rt_array_call(struct rt_array *array, struct rt_slurm_call *call);
void rt_array_answer(struct rt_array *array, enum rt_status status,
                     const struct rt_slurm_call *call, const struct rt_error *err);
// squeue's answer to what was asked at asked_ms.
void rt_array_snapshot(struct rt_array *array, const struct rt_slurm_queue_row *rows, size_t count,
                       int64_t asked_ms);
bool rt_array_wants_queue(const struct rt_array *array, bool *ret_soon);

// From now on what is cancelled or let go of stays in its job, for a later run of the worker.
void rt_array_keep(struct rt_array *array);
// Cancel every job; busy until Slurm has been told.
void rt_array_stop(struct rt_array *array);
bool rt_array_busy(const struct rt_array *array);

// Does some task of the subject's run now? And is it being waited with, after jobs that gave
// nothing?
bool rt_array_runs(const struct rt_array *array, const char *subject);
bool rt_array_rests(const struct rt_array *array, const char *subject);
// Jobs that hold nodes, as far as squeue has said.
uint32_t rt_array_holding(const struct rt_array *array, const char *subject);
// "12 trials in 2 array jobs" for status, "" none.
void rt_array_describe(const struct rt_array *array, char *out, size_t capacity);

#endif
