// SPDX-License-Identifier: Apache-2.0
// Failpoints: named places where a crash test ends the process as `kill -9` would, or makes a call
// fail. Armed by the environment variable RT_FAILPOINT="name:action[@n]" (comma-separated), action
// one of `kill` (die here), `fail` (the call reports failure) or `space` (it reports a full disk),
// n = at the n-th passage (default 1; `@rN` = at a random passage among the first N). Compiled out
// without RT_FAILPOINTS. Thread-safe.
#ifndef RT_BASE_FAILPOINT_H
#define RT_BASE_FAILPOINT_H

#include "common/base/status.h"

//  X(name, where it stands)
#define RT_FAILPOINT_TABLE(X)                                                                      \
    X(COORDINATOR_BEFORE_COMMIT, "coordinator: batch stepped, transaction not committed")          \
    X(COORDINATOR_COMMIT, "coordinator: the commit itself")                                        \
    X(COORDINATOR_AFTER_COMMIT, "coordinator: committed, nothing sent")                            \
    X(COORDINATOR_BEFORE_SEND, "coordinator: a frame is about to be sent")                         \
    X(COORDINATOR_AFTER_SEND, "coordinator: a frame was sent")                                     \
    X(WORKER_UNIT_STORED, "worker: unit is in the outbox, not run")                                \
    X(WORKER_TRIAL_DONE, "worker: a trial has finished, not stored")                               \
    X(WORKER_TRIAL_STORED, "worker: a finished trial is stored")                                   \
    X(WORKER_BEFORE_SIGN, "worker: all trials stored, result not signed")                          \
    X(WORKER_AFTER_SIGN, "worker: result signed, not stored")                                      \
    X(WORKER_OUTBOX_COMMIT, "worker: the outbox commit itself")                                    \
    X(WORKER_RESULT_STORED, "worker: result stored, not sent")                                     \
    X(WORKER_AFTER_SEND, "worker: result sent")                                                    \
    X(WORKER_RECEIPT_VERIFIED, "worker: receipt verified, not stored")

enum rt_failpoint {
#define X(name, where) RT_FAILPOINT_##name,
    RT_FAILPOINT_TABLE(X)
#undef X
        RT_FAILPOINT_COUNT
};

#ifdef RT_FAILPOINTS
// RT_OK to go on, RT_IO or RT_NO_SPACE to fail; does not return when armed with kill.
enum rt_status rt_failpoint(enum rt_failpoint point);
#else
static inline enum rt_status rt_failpoint(enum rt_failpoint point)
{
    (void)point;
    return RT_OK;
}
#endif

#endif
