// SPDX-License-Identifier: Apache-2.0
// What is answered to a route: a status, bytes, their type and how long they may be kept. Knows
// nothing of connections. Any thread.
#ifndef RT_COORDINATOR_HTTP_ANSWER_H
#define RT_COORDINATOR_HTTP_ANSWER_H

#include "coordinator/http/http.h"
#include "coordinator/http/route.h"

enum rt_http_caching {
    RT_HTTP_NOT_KEPT, // no-store
    RT_HTTP_FRESH,    // no-cache: to be asked for again
    RT_HTTP_FOREVER,  // immutable
};

struct rt_http_answer {
    unsigned code;
    const char *type;
    enum rt_http_caching caching;
    bool page; // with the page's own content security policy
    struct rt_buf body;
};

// Fill answer; a failure is an answer too. body must be initialised.
void rt_http_answer(struct rt_http *http, const struct rt_route *route, enum rt_reader reader,
                    struct rt_http_answer *answer);
// A refusal in JSON: {"error": text}.
void rt_http_refuse(struct rt_http_answer *answer, unsigned code, const char *text);

// OpenMetrics 1.0 text from the status JSON and the counters of HTTP (metrics.c).
enum rt_status rt_http_metrics(struct rt_bytes status_json, struct rt_http_counters *counters,
                               struct rt_buf *out) RT_WARN_UNUSED;
// The status JSON as a reader may see it (status.c): campaign NULL for all, else that one's entry.
enum rt_status rt_http_status(struct rt_bytes status_json, enum rt_reader reader,
                              const char *campaign, struct rt_buf *out) RT_WARN_UNUSED;
// The dashboard (page.c): HTML with its style and script, and the policy that allows just those.
struct rt_bytes rt_http_page(void);
const char *rt_http_page_policy(void);

#endif
