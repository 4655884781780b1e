// SPDX-License-Identifier: Apache-2.0
// Paths of HTTP requests. What is taken names one thing with one spelling, and nothing that is
// taken has a percent sign, a query or a part that climbs.
#include <stdio.h>

#include "coordinator/http/route.h"
#include "proto/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void spell(const struct rt_route *route, char *ret_path, size_t capacity)
{
    char part[RT_EVIDENCE_PATH_BYTES] = "";
    switch (route->kind) {
    case RT_ROUTE_PAGE:
        snprintf(ret_path, capacity, "/");
        return;
    case RT_ROUTE_STATUS:
        snprintf(ret_path, capacity, "/api/v1/status");
        return;
    case RT_ROUTE_CAMPAIGN:
        snprintf(ret_path, capacity, "/api/v1/campaigns/%s", route->id);
        return;
    case RT_ROUTE_REPORT:
        snprintf(ret_path, capacity, "/api/v1/campaigns/%s/report", route->id);
        return;
    case RT_ROUTE_METRICS:
        snprintf(ret_path, capacity, "/metrics");
        return;
    case RT_ROUTE_CHECKPOINT:
    case RT_ROUTE_VKEY:
        snprintf(ret_path, capacity, "/log/%s", rt_route_word(route->kind));
        return;
    case RT_ROUTE_TILE:
        rt_tile_path(&route->tile, part);
        snprintf(ret_path, capacity, "/log/%s", part);
        return;
    case RT_ROUTE_OBJECT:
    case RT_ROUTE_UNIT:
        rt_evidence_object_path(&route->digest, part);
        snprintf(ret_path, capacity, "/%s%s", route->kind == RT_ROUTE_UNIT ? "units" : "objects",
                 part + 7);
        return;
    case RT_ROUTE_COUNT:
        break;
    }
    RT_ASSERT(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_route route;
    char path[2 * RT_ROUTE_PATH_MOST];
    struct rt_bytes bytes = rt_bytes(data, size);
    if (rt_route_parse(bytes, &route))
        return 0;
    spell(&route, path, sizeof path);
    RT_ASSERT(rt_bytes_equal_str(bytes, path));
    RT_ASSERT(!memchr(data, '%', size) && !memchr(data, '?', size) && !strstr(path, "/../") &&
              !strstr(path, "//"));
    return 0;
}
