// SPDX-License-Identifier: Apache-2.0
// An array job's folder in the spool: what its tasks need to know, which is the subject, the
// scenarios in the runner's view and the plan, and nothing of the lab's keys, store or campaign;
// and what they leave there. Everything a node writes is read bounded, from regular files alone,
// and never through a link. Blocks on the disk. One thread.
//
//   job        "ringtrial-array 1 SUBJECT ID": written by the worker, to find its jobs again
//   script, log-TASK, plan, scenario-DIGEST, result-N: see task.h
//   subject.yaml  a worker.yaml with this one subject, as executor command
//   failed-TASK   why a task could not run its trials, one line
#ifndef RT_WORKER_SLURM_ARRAY_SPOOL_H
#define RT_WORKER_SLURM_ARRAY_SPOOL_H

#include "worker/slurm/spool.h"
#include "worker/slurm/task.h"

// Everything but the job file's number.
struct rt_array_files {
    const struct rt_lab_subject *subject;
    const char *worker; // the program that tasks run
    const struct rt_task_plan *plan;
    const struct rt_scenario *const *scenarios; // those of plan's trials, in any order
    size_t scenario_count;
};

// SHA-256 of the object that the folder holds of a scenario.
enum rt_status rt_array_scenario_digest(const struct rt_scenario *scenario,
                                        struct rt_digest *ret_digest) RT_WARN_UNUSED;
enum rt_status rt_array_folder_make(const struct rt_slurm_folder *folder,
                                    const struct rt_array_files *files,
                                    struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_array_folder_job(const struct rt_slurm_folder *folder, const char *subject,
                                   uint64_t id, struct rt_error *err) RT_WARN_UNUSED;
// A job of an earlier run. RT_NOT_FOUND when it is none, or not whole. ret_subject has
// RT_ID_BYTES + 1.
enum rt_status rt_array_folder_load(const struct rt_slurm_folder *folder, struct rt_arena *arena,
                                    char *ret_subject, uint64_t *ret_id,
                                    struct rt_task_plan *ret_plan) RT_WARN_UNUSED;
// Mark in ret_here which of count results are there; returns how many.
size_t rt_array_folder_results(const struct rt_slurm_folder *folder, uint32_t count,
                               bool *ret_here);
// Append a result's bytes. RT_MALFORMED for what is no regular file or too large.
enum rt_status rt_array_folder_result(const struct rt_slurm_folder *folder, uint32_t index,
                                      struct rt_buf *out) RT_WARN_UNUSED;
void rt_array_folder_refuse(const struct rt_slurm_folder *folder, uint32_t index); // unlinks it
// Why a task failed, made printable; "" when it does not say. ret_text has capacity bytes.
void rt_array_folder_failed(const struct rt_slurm_folder *folder, uint32_t task, char *ret_text,
                            size_t capacity);
void rt_array_folder_remove(const struct rt_slurm_folder *folder);
// Append the script.
void rt_array_script(const struct rt_slurm_folder *folder, const struct rt_array_files *files,
                     struct rt_buf *out);

// A task's side: what the worker wrote. Everything lives in arena.
struct rt_array_work {
    struct rt_task_plan plan;
    struct rt_labconfig *config; // with one subject
    struct rt_scenario **scenarios; // one for each trial of the plan
};
enum rt_status rt_array_folder_work(const char *path, struct rt_arena *arena,
                                    struct rt_array_work *ret_work,
                                    struct rt_error *err) RT_WARN_UNUSED;

#endif
