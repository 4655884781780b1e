// SPDX-License-Identifier: Apache-2.0
// The worker's one connection to the coordinator: a ZeroMQ DEALER that dials out under CURVE,
// directly or through a SOCKS5 proxy (DESIGN.md section 7, EVIDENCE "Hardening"). Every connection
// is a socket of its own, so that no frame queued for one is ever sent on the next; a lost one is
// dialled again with growing, jittered pauses, and a long-lived one is renewed daily because CURVE
// never rekeys. Moves frames and knows nothing of their contents. Never blocks except in
// rt_link_wait. One thread.
#ifndef RT_WORKER_LINK_H
#define RT_WORKER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/curve.h"

#define RT_LINK_FRAME_MOST 1000000 // bytes of a payload, either way

struct rt_link_settings {
    const char *address; // "tcp://host:port"
    const char *via;     // SOCKS5 proxy "host:port"; "" or NULL: direct
    struct rt_curve_public server;
    const struct rt_curve_secret *own; // outlives the link
    int64_t heartbeat_ms, heartbeat_timeout_ms, heartbeat_ttl_ms; // 15, 45 and 60 s
    int64_t connect_timeout_ms; // for connection and handshake together, 20 s
    int64_t redial_least_ms, redial_most_ms; // pauses between attempts, 250 ms to 30 s
    int64_t renew_after_ms; // 24 h
};
void rt_link_settings_init(struct rt_link_settings *settings); // the figures above

enum rt_link_state {
    RT_LINK_WAITING,  // between attempts
    RT_LINK_DIALLING, // connecting, or in the handshake
    RT_LINK_UP,
};

struct rt_link;

// Nothing is dialled before the first rt_link_wait. The strings are copied. RT_MALFORMED for an
// address that is not tcp://host:port or a proxy that is not host:port.
enum rt_status rt_link_new(const struct rt_link_settings *settings, struct rt_link **ret_link,
                           struct rt_error *err) RT_WARN_UNUSED;
void rt_link_free(struct rt_link *link); // drops the connection at once; takes NULL

enum rt_link_event {
    RT_LINK_NOTHING, // the time is over
    RT_LINK_OPENED,  // a new connection is up: say HELLO
    RT_LINK_FRAME,   // *ret_frame is one frame, valid until the next call
    RT_LINK_CLOSED,  // the connection was lost, or could not be made (rt_link_why)
};

// Dial, renew, receive: the next event, waiting for at most timeout_ms (0: none; only what is
// ready). Frames of one connection come between its OPENED and its CLOSED.
enum rt_link_event rt_link_wait(struct rt_link *link, int timeout_ms, struct rt_bytes *ret_frame);
enum rt_link_state rt_link_state(const struct rt_link *link);
// Why the last connection ended or could not be made, for people; "" before the first.
const char *rt_link_why(const struct rt_link *link);
// Failed attempts since a connection was last up.
uint64_t rt_link_failures(const struct rt_link *link);

// Queue one frame. RT_AGAIN when there is no connection or its queue is full: an event like any
// other. RT_TOO_LARGE.
enum rt_status rt_link_send(struct rt_link *link, struct rt_bytes frame) RT_WARN_UNUSED;
// Give up the connection and dial again after a pause, because the peer makes no sense (or, with
// why NULL, at once).
void rt_link_drop(struct rt_link *link, const char *why);

#endif
