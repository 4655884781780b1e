// SPDX-License-Identifier: Apache-2.0
// What an HTTP path asks for: one spelling a resource, everything else is not found. Percent signs,
// dots that climb, doubled slashes and query strings never reach a file or a key. Pure; any thread.
#ifndef RT_COORDINATOR_HTTP_ROUTE_H
#define RT_COORDINATOR_HTTP_ROUTE_H

#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "common/tlog/tile.h"

#define RT_ROUTE_PATH_MOST 256

//  X(NAME, path, what it is)
#define RT_ROUTE_TABLE(X)                                                                          \
    X(PAGE, "/", "the dashboard")                                                                  \
    X(METRICS, "/metrics", "OpenMetrics")                                                          \
    X(STATUS, "/api/v1/status", "progress as JSON")                                                \
    X(CAMPAIGN, "/api/v1/campaigns/ID", "one campaign's progress")                                 \
    X(REPORT, "/api/v1/campaigns/ID/report", "one campaign's report, once it may be seen")         \
    X(CHECKPOINT, "/log/checkpoint", "the newest checkpoint")                                      \
    X(VKEY, "/log/vkey", "the log's verifier key: to be compared, not to be trusted")              \
    X(TILE, "/log/tile/…", "a tile or an entry bundle of C2SP tlog-tiles")                         \
    X(OBJECT, "/objects/ab/cdef…", "an object by its digest")                                      \
    X(UNIT, "/units/ab/cdef…", "the signed statement that dealt a unit, by the unit's digest")
enum rt_route_kind {
#define X(name, path, doc) RT_ROUTE_##name,
    RT_ROUTE_TABLE(X)
#undef X
        RT_ROUTE_COUNT
};
const char *rt_route_word(enum rt_route_kind kind); // "page"

struct rt_route {
    enum rt_route_kind kind;
    char id[RT_ID_BYTES + 1]; // CAMPAIGN, REPORT
    struct rt_tile tile;      // TILE
    struct rt_digest digest;  // OBJECT, UNIT
};

// RT_NOT_FOUND for anything but exactly one of the forms above.
enum rt_status rt_route_parse(struct rt_bytes path, struct rt_route *ret_route) RT_WARN_UNUSED;

#endif
