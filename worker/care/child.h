// SPDX-License-Identifier: Apache-2.0
// A lab's own command beside the loop: started, looked at, ended, and never waited for. It gets its
// input whole from a file in memory, so that one that does not read holds nobody up, and a process
// group of its own, so that its children end with it. What it says goes to standard error. One
// thread.
#ifndef RT_WORKER_CARE_CHILD_H
#define RT_WORKER_CARE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

struct rt_child {
    pid_t pid;      // 0: none
    int64_t end_ms; // monotonic: killed then
};

// How it ended.
struct rt_child_end {
    bool timed_out;
    int code; // exit code, or 128 + the signal's number
};

// Start argv (NULL-terminated; argv[0] is looked up in PATH) with the environment of this process
// and env ("NAME=value", NULL-terminated, may be NULL) before it. No child may be running.
enum rt_status rt_child_start(struct rt_child *child, char *const *argv, char *const *env,
                              struct rt_bytes input, int64_t timeout_ms,
                              struct rt_error *err) RT_WARN_UNUSED;
// True once when it ended; kills one whose time is over. Never waits.
bool rt_child_ended(struct rt_child *child, struct rt_child_end *ret_end);
// Kill what runs, with its group, and reap it.
void rt_child_stop(struct rt_child *child);

#endif
