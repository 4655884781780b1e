// SPDX-License-Identifier: Apache-2.0
// The coordinator's read-only HTTP (libmicrohttpd): the log in C2SP tlog-tiles layout, objects that
// the gate allows, progress as JSON, OpenMetrics and a dashboard. GET and HEAD only; never writes
// the store, never takes a body, never redirects. Threads of its own; every answer reads the store
// through a view that has ended before a byte is sent.
#ifndef RT_COORDINATOR_HTTP_HTTP_H
#define RT_COORDINATOR_HTTP_HTTP_H

#include <stdatomic.h>

#include "common/base/error.h"
#include "coordinator/gate.h"
#include "coordinator/hub/board.h"

#define RT_HTTP_CONNECTIONS_MOST 128
#define RT_HTTP_MEMORY_BYTES     16384 // of one connection: request line and headers fit or fail
#define RT_HTTP_TIMEOUT_S        15    // an idle or slow connection ends
#define RT_HTTP_THREADS          2

// Requests since start, by what became of them.
//  X(name, doc)
#define RT_HTTP_COUNTER_TABLE(X)                                                                   \
    X(answered, "requests answered with 200 or 304")                                               \
    X(withheld, "requests for something that may not be seen yet (403)")                           \
    X(not_found, "requests for something that is not there (404)")                                 \
    X(bad_token, "requests with a bearer token that is none of ours (401)")                        \
    X(bad_method, "requests with a method other than GET and HEAD (405)")                          \
    X(failed, "requests that the coordinator could not answer (500, 503)")                         \
    X(bytes, "bytes of answers")
struct rt_http_counters {
#define X(name, doc) atomic_uint_fast64_t name;
    RT_HTTP_COUNTER_TABLE(X)
#undef X
};

struct rt_http {
    struct rt_store *store;
    struct rt_board *board;
    struct rt_gate *gate;
    const char *tokens; // the folder of bearer tokens
    const char *cosigned; // the folder of cosigned.h
    char vkey[256];     // the log's
    struct rt_http_counters counters;
    pthread_mutex_t report_mutex; // one report at a time
    struct MHD_Daemon *daemon;
    char url[96]; // where it listens, with the port it got
};

// listen: "127.0.0.1:8080" or "[::1]:8080"; port 0 takes a free one. RT_USAGE for anything else,
// RT_NETWORK when it cannot be bound. What http points at must outlive rt_http_stop.
enum rt_status rt_http_start(struct rt_http *http, const char *listen,
                             struct rt_error *err) RT_WARN_UNUSED;
void rt_http_stop(struct rt_http *http); // also after a failed start

#endif
