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
    bool asked; // a backend owes an answer; a play without one has ended
    uint32_t whom; // which of the executor's
    bool unrun; // there was nobody to ask
    uint32_t requests;
    char detail[200];
};

struct rt_exec_probe; // probe.c's own

#define RT_EXEC_ROLES_MOST 16

// What plays a role of the campaign's scenarios: another of the lab's subjects.
struct rt_exec_role {
    const char *id;
    const struct rt_lab_subject *subject;
    const struct rt_backend_kind *kind;
    struct rt_backend *backend;
    size_t asked; // slots it owes an answer
};

struct rt_exec {
    struct rt_exec_options options;
    const struct rt_backend_kind *kind; // NULL with options.whole, as is backend
    struct rt_backend *backend;
    int64_t top_p_micro;
    int64_t timeout_ms;
    struct rt_buf fingerprint;
    struct rt_digest facts; // what the backend said of the server when it was taken
    struct rt_exec_probe *probe; // NULL: none goes on
    struct rt_exec_role roles[RT_EXEC_ROLES_MOST]; // slot->whom - 1
    size_t role_count;
    size_t in_flight;
    uint64_t heard; // answers, ever
    atomic_bool woken;
    uint32_t slot_count;
    struct rt_exec_slot slots[];
};

// serving.c
// A backend for one of the lab's subjects with so many slots.
enum rt_status rt_exec_serve(const struct rt_exec_options *options,
                             const struct rt_lab_subject *subject, uint32_t slots,
                             const struct rt_backend_kind **ret_kind,
                             struct rt_backend **ret_backend, struct rt_error *err) RT_WARN_UNUSED;
// Backends for the roles that models play in options->scenarios. RT_NOT_FOUND names the role that
// worker.yaml has no subject for.
enum rt_status rt_exec_serve_roles(struct rt_exec *exec, struct rt_error *err) RT_WARN_UNUSED;
void rt_exec_free_roles(struct rt_exec *exec);
// Who answers a request of a role of the slot's scenario: 0 the subject's own backend, else an
// index in roles plus 1.
uint32_t rt_exec_whom(const struct rt_exec *exec, const struct rt_scenario *scenario,
                      uint32_t role);
// Deliver what is ready from every backend, waiting for at most wait_ms.
void rt_exec_hear(struct rt_exec *exec, int wait_ms, rt_backend_answer_fn *deliver);

#endif
