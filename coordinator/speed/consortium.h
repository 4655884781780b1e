// SPDX-License-Identifier: Apache-2.0
// A throw-away consortium for `speed`: a real coordinator and real worker processes on loopback,
// with a bench of one scenario whose campaign has as many trials as wanted. Everything is under one
// temporary folder.
#ifndef RT_COORDINATOR_SPEED_CONSORTIUM_H
#define RT_COORDINATOR_SPEED_CONSORTIUM_H

#include <jansson.h>

#include "coordinator/commands/client.h"
#include "coordinator/speed/process.h"

#define RT_SPEED_WORKERS_MOST 16

struct rt_consortium {
    char folder[4096];
    char address[64];
    unsigned workers;
    uint64_t units_each;    // results each worker hands in
    uint64_t corrupt_every; // the first worker corrupts every such signature; 0: none
    pid_t coordinator;
    pid_t worker[RT_SPEED_WORKERS_MOST];
    struct rt_state state;
};

// Make keys, labs and the campaign, and start the coordinator. folder, workers, units_each and
// corrupt_every are set.
enum rt_status rt_consortium_start(struct rt_consortium *consortium,
                                   struct rt_error *err) RT_WARN_UNUSED;
// Start the load workers, wait for every accept, start the campaign.
enum rt_status rt_consortium_load(struct rt_consortium *consortium,
                                  struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_consortium_status(struct rt_consortium *consortium, json_t **ret_json,
                                    struct rt_error *err) RT_WARN_UNUSED;
void rt_consortium_stop(struct rt_consortium *consortium);

#endif
