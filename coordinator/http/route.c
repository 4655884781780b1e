// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/route.h"

#include "proto/evidence.h"

#define CAMPAIGNS "/api/v1/campaigns/"
#define REPORT    "/report"
#define UNITS     "/units/"

const char *rt_route_word(enum rt_route_kind kind)
{
    static const char *const words[] = {"page",   "metrics",    "status", "campaign", "report",
                                        "checkpoint", "vkey", "tile",   "object",   "unit"};
    return words[kind];
}

// What follows prefix, or nothing.
static bool after(struct rt_bytes path, const char *prefix, struct rt_bytes *ret_rest)
{
    size_t size = strlen(prefix);
    if (path.size <= size || memcmp(path.data, prefix, size) != 0)
        return false;
    *ret_rest = rt_bytes(path.data + size, path.size - size);
    return true;
}

static enum rt_status parse_campaign(struct rt_bytes rest, struct rt_route *route)
{
    size_t tail = strlen(REPORT);
    route->kind = RT_ROUTE_CAMPAIGN;
    if (rest.size > tail && memcmp(rest.data + rest.size - tail, REPORT, tail) == 0) {
        route->kind = RT_ROUTE_REPORT;
        rest.size -= tail;
    }
    if (rest.size > RT_ID_BYTES || memchr(rest.data, 0, rest.size))
        return RT_NOT_FOUND;
    memcpy(route->id, rest.data, rest.size);
    route->id[rest.size] = 0;
    return rt_id_valid(route->id) ? RT_OK : RT_NOT_FOUND;
}

// "ab/cdef…" as the objects of a bundle are named.
static enum rt_status parse_digest(struct rt_bytes rest, struct rt_route *route)
{
    char path[RT_EVIDENCE_PATH_BYTES] = "objects/";
    if (rest.size >= sizeof path - 8)
        return RT_NOT_FOUND;
    memcpy(path + 8, rest.data, rest.size);
    return rt_evidence_object_parse(rt_bytes(path, 8 + rest.size), &route->digest) ? RT_NOT_FOUND
                                                                                   : RT_OK;
}

enum rt_status rt_route_parse(struct rt_bytes path, struct rt_route *ret_route)
{
    static const struct {
        const char *path;
        enum rt_route_kind kind;
    } whole[] = {{"/", RT_ROUTE_PAGE},
                 {"/metrics", RT_ROUTE_METRICS},
                 {"/api/v1/status", RT_ROUTE_STATUS},
                 {"/log/checkpoint", RT_ROUTE_CHECKPOINT},
                 {"/log/vkey", RT_ROUTE_VKEY}};
    struct rt_route route = {.kind = RT_ROUTE_PAGE};
    struct rt_bytes rest;
    enum rt_status status = RT_NOT_FOUND;
    if (path.size > RT_ROUTE_PATH_MOST)
        return RT_NOT_FOUND;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (rt_bytes_equal_str(path, whole[i].path)) {
            route.kind = whole[i].kind;
            status = RT_OK;
        }
    if (status && after(path, CAMPAIGNS, &rest)) {
        status = parse_campaign(rest, &route);
    } else if (status && after(path, "/log/", &rest)) {
        route.kind = RT_ROUTE_TILE;
        status = rt_tile_parse_path(rest, &route.tile) ? RT_NOT_FOUND : RT_OK;
    } else if (status && after(path, "/objects/", &rest)) {
        route.kind = RT_ROUTE_OBJECT;
        status = parse_digest(rest, &route);
    } else if (status && after(path, UNITS, &rest)) {
        route.kind = RT_ROUTE_UNIT;
        status = parse_digest(rest, &route);
    }
    if (!status)
        *ret_route = route;
    return status;
}
