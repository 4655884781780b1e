// SPDX-License-Identifier: Apache-2.0
// The inside of an executor, shared by executor.c (trials) and probe.c (canaries, fingerprint) and
// nobody else. One thread, except woken.
#ifndef RT_WORKER_EXECUTOR_EXEC_STATE_H
#define RT_WORKER_EXECUTOR_EXEC_STATE_H

#include <stdatomic.h>

#include "worker/executor/backend.h"
#include "worker/executor/executor.h"

struct rt_exec_slot {
    struct rt_play *play; // NULL: free
    const struct rt_scenario *scenario;
    uint64_t tag;
    bool asked; // the backend owes an answer; a play without one has ended
    bool unrun; // there was nobody to ask
    uint32_t requests;
    char detail[200];
};

struct rt_exec_probe; // probe.c's own

struct rt_exec {
    struct rt_exec_options options;
    const struct rt_backend_kind *kind;
    struct rt_backend *backend;
    int64_t top_p_micro;
    int64_t timeout_ms;
    struct rt_buf fingerprint;
    struct rt_exec_probe *probe; // NULL: none goes on
    size_t in_flight;
    atomic_bool woken;
    uint32_t slot_count;
    struct rt_exec_slot slots[];
};

#endif
