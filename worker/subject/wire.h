// SPDX-License-Identifier: Apache-2.0
// What a probe asks of an OpenAI-compatible server beside the completions of the executor: its list
// of models, and requests whose fields trials do not use. Bounded answers, the lab's own key, proxy
// and certificates; blocks. One thread.
#ifndef RT_WORKER_SUBJECT_WIRE_H
#define RT_WORKER_SUBJECT_WIRE_H

#include <jansson.h>

#include "common/base/error.h"
#include "worker/executor/endpoint.h"

struct rt_wire_answer {
    long code;    // HTTP status
    json_t *json; // the caller's to decref; NULL when the body is no JSON
    char server[64]; // the Server header, "" none
};

// GET endpoint + path ("/models"), or POST body when it is not NULL (its path is
// "/chat/completions"). RT_NETWORK, RT_TIMEOUT, RT_TOO_LARGE; an HTTP error is an answer.
enum rt_status rt_wire_ask(const struct rt_lab_subject *subject,
                           const struct rt_endpoint_files *files, const char *endpoint,
                           const char *path, const json_t *body, int64_t timeout_ms,
                           struct rt_wire_answer *ret_answer, struct rt_error *err) RT_WARN_UNUSED;

#endif
