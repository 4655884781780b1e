// SPDX-License-Identifier: Apache-2.0
// The running coordinator: sockets on a network thread, a pool that decodes and verifies, one
// writer that steps the core, commits, signs one checkpoint and lets the answers go. Everything
// here is started and stopped by rt_hub_run, which blocks its caller until it is asked to stop.
#ifndef RT_COORDINATOR_HUB_HUB_H
#define RT_COORDINATOR_HUB_HUB_H

#include <stdatomic.h>

#include "common/base/error.h"
#include "common/crypto/curve.h"
#include "coordinator/hub/board.h"
#include "coordinator/hub/writer.h"

struct rt_hub_settings {
    struct rt_store *store; // open for writing
    const struct rt_secret_key *log_key;
    const struct rt_curve_secret *curve_key;
    struct rt_bytes roster;   // the object in force
    const char *listen;       // "tcp://127.0.0.1:7443"
    const char *admin_path;   // of the local socket
    unsigned verifiers;       // threads of the pool; 0: one a core
    struct rt_gate *gate;     // decides what labs may fetch
    struct rt_board *board;   // what HTTP shows; NULL: nothing is pinned
    void (*ready)(void *ctx); // once peers may dial; may be NULL
    void *ctx;
};

// Serve until *stop becomes true (checked ten times a second) or something is beyond repair.
enum rt_status rt_hub_run(const struct rt_hub_settings *settings, const atomic_bool *stop,
                          struct rt_error *err) RT_WARN_UNUSED;

#endif
