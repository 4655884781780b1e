// SPDX-License-Identifier: Apache-2.0
// The worker's loop: one thread that dials the coordinator, checks what it is offered, takes units
// as the lab's policy allows, runs their trials, stores everything before it says anything, and
// keeps each result until its receipt has verified (DESIGN.md sections 7 and 9). Each turn gathers
// what happened, commits it to the outbox at once, and only then sends. Logs.
#ifndef RT_WORKER_RUN_H
#define RT_WORKER_RUN_H

#include "worker/home.h"

struct rt_run_settings {
    const char *config;          // worker.yaml, NULL for ./worker.yaml
    const char *passphrase_file; // may be NULL
    bool until_idle;             // return once nothing is left to do
    int64_t give_up_ms;          // until_idle: alone with nothing to do for so long; 0: 60 s
    bool automatic;              // accept campaigns without a person's word
    bool resend_parked;          // try again what was parked
    const char *leave;           // until this lab has left the campaign of this name; NULL
    int64_t heartbeat_ms;        // 0: the link's own 15 s; timeouts follow it
    int64_t redial_most_ms;      // 0: the link's own
};

// Run until SIGINT or SIGTERM, or as the settings say. RT_BUSY when another process runs this lab's
// state; RT_CONFLICT or RT_BAD_PROOF when the log was rolled back or split;
// with until_idle, RT_NETWORK when the coordinator did not welcome this lab for give_up_ms.
enum rt_status rt_run(const struct rt_run_settings *settings, struct rt_error *err) RT_WARN_UNUSED;

#endif
