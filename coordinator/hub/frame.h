// SPDX-License-Identifier: Apache-2.0
// What passes between the hub's threads: a peer handle, a frame on its way out, and the counts of
// what was refused. A peer handle is the routing id that our own ROUTER made, as a number, so that
// sending needs no table; the admin socket's peers have the top bit set. Plain data.
#ifndef RT_COORDINATOR_HUB_FRAME_H
#define RT_COORDINATOR_HUB_FRAME_H

#include <stdatomic.h>
#include <stdint.h>
#include <zmq.h>

#include "common/base/bytes.h"

#define RT_PEER_ADMIN         (UINT64_C(1) << 63)
#define RT_ROUTING_ID_BYTES   5 // a zero byte and 32 bits: what libzmq gives a peer that sets none
#define RT_PEER_ROUTING(peer) ((uint32_t)(peer))

struct rt_outgoing {
    struct rt_outgoing *next;
    uint64_t peer;
    zmq_msg_t payload;
};

// Events of the hub, counted since start.
//  X(name, doc)
#define RT_HUB_COUNTER_TABLE(X)                                                                    \
    X(frames_in, "frames received")                                                                \
    X(frames_out, "frames sent")                                                                   \
    X(bytes_in, "payload bytes received")                                                          \
    X(bytes_out, "payload bytes sent")                                                             \
    X(unsent, "frames whose peer was gone or full")                                                \
    X(refused_routing, "frames from peers that chose their own routing id")                        \
    X(refused_key, "frames over a connection whose key is no longer in the roster")                \
    X(refused_oversized, "frames above the payload limit")                                         \
    X(refused_malformed, "frames that do not decode")                                              \
    X(refused_signature, "statements whose signature does not verify")                             \
    X(refused_statement, "statements or results refused for what they say")                        \
    X(refused_session, "messages before HELLO, or not for this side")                              \
    X(refused_full, "messages turned away while the disk was full")                                \
    X(cut_off, "connections shut for repeated refusals")                                           \
    X(batches, "transactions committed")                                                           \
    X(units_sent, "units issued")                                                                  \
    X(results_in, "result statements taken")                                                       \
    X(receipts_out, "receipts sent")

struct rt_hub_counters {
#define X(name, doc) atomic_uint_fast64_t name;
    RT_HUB_COUNTER_TABLE(X)
#undef X
};

#define RT_COUNT(counters, name)                                                                   \
    atomic_fetch_add_explicit(&(counters)->name, 1, memory_order_relaxed)

#endif
