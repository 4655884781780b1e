// SPDX-License-Identifier: Apache-2.0
// One command of Slurm's at a time, without waiting for it: its output is bounded, its time too,
// and it gets an environment of its own (PATH, HOME, SLURM_*, ... and none of what else this
// program was started with), no standard input, and no shell. One thread.
#ifndef RT_WORKER_SLURM_CALL_H
#define RT_WORKER_SLURM_CALL_H

#include <sys/types.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

struct rt_slurm_call {
    pid_t pid; // 0: none goes on
    int fds[2]; // of its standard output and error
    int64_t end_ms;
    struct rt_buf output, complaint;
};

void rt_slurm_call_init(struct rt_slurm_call *call, size_t output_most);
void rt_slurm_call_release(struct rt_slurm_call *call); // kills what goes on
// Start argv (NULL-terminated, looked up in PATH). Nothing may go on.
enum rt_status rt_slurm_call_start(struct rt_slurm_call *call, const char *const *argv,
                                   int64_t timeout_ms, struct rt_error *err) RT_WARN_UNUSED;
// RT_AGAIN while it goes on. RT_OK when it ended with exit code 0; then call->output is what it
// said. RT_IO with the last line of its complaint otherwise, RT_TIMEOUT, RT_TOO_LARGE. Never waits.
enum rt_status rt_slurm_call_step(struct rt_slurm_call *call, struct rt_error *err) RT_WARN_UNUSED;

#endif
