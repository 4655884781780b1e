// SPDX-License-Identifier: Apache-2.0
// A zero-work lab for the coordinator's `speed`: takes real units over the real link and signs real
// results whose trial outcomes are made up, as fast as it can. It keeps nothing, checks little and
// measures no model, so it is of use only in the throw-away consortium that `speed` makes. One
// thread.
#ifndef RT_WORKER_LOAD_H
#define RT_WORKER_LOAD_H

#include <stdint.h>

#include "common/base/error.h"

struct rt_load_settings {
    const char *config; // worker.yaml
    uint64_t units;     // results to be receipted before it ends
    uint64_t corrupt;   // every so many results goes out with a broken signature first; 0: none
    uint32_t window;    // units wanted at once
};

struct rt_load_result {
    uint64_t receipted, refused;
    int64_t elapsed_us; // from the first unit to the last receipt
};

// Ends when all are receipted, or at SIGTERM. RT_CHECK_FAILED when a broken signature was taken.
enum rt_status rt_load(const struct rt_load_settings *settings, struct rt_load_result *ret_result,
                       struct rt_error *err) RT_WARN_UNUSED;

#endif
