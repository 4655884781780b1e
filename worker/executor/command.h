// SPDX-License-Identifier: Apache-2.0
// The backend that asks a command of the lab's own, one process for each trial, in a sandbox, over
// its standard input and output (docs/EXECUTORS.md). What the command does wrong becomes the
// trial's status and never the worker's; what it started does not outlive the trial. Blocks only
// while it is made (a trial of the sandbox) and freed (processes that are ending). One thread,
// except `wake`.
#ifndef RT_WORKER_EXECUTOR_COMMAND_H
#define RT_WORKER_EXECUTOR_COMMAND_H

#include "worker/executor/backend.h"
#include "worker/sandbox/sandbox.h"

// All of it outlives the backend.
struct rt_backend_command_options {
    enum rt_sandbox sandbox;
    const char *folder;        // absolute: where relative paths start and plain commands run
    const char *const *secret; // absolute paths that no command may see
    size_t secret_count;
};

extern const struct rt_backend_kind rt_backend_command;

// RT_UNSUPPORTED with the remedy where the sandbox does not run here; errors name the subject.
enum rt_status rt_backend_command_new(const struct rt_lab_subject *subject,
                                      const struct rt_backend_command_options *options,
                                      uint32_t slots, struct rt_backend **ret_backend,
                                      struct rt_error *err) RT_WARN_UNUSED;

#endif
