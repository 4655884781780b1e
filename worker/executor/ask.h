// SPDX-License-Identifier: Apache-2.0
// Requests of their own, outside any play: what a probe or a judge asks goes the same way as a
// subject's turns, to the same server, with the same limits. Only while the executor plays no
// trial. Knows nothing of what is asked. One thread, as the executor.
#ifndef RT_WORKER_EXECUTOR_ASK_H
#define RT_WORKER_EXECUTOR_ASK_H

#include "worker/executor/executor.h"

// How one request ended.
struct rt_exec_reply {
    bool done;                 // an answer or a failure came
    bool ok;                   // reply is there; its texts are in the caller's arena
    bool timeout;              // no reply in time
    enum rt_error_kind error;  // why not, unless timeout
    uint32_t requests;         // sent for it, retries included
    int64_t latency_ms;        // from asking to the answer
    struct rt_chat_reply reply;
    char text[200];            // why not, for people
};

// Ask `count` requests, at most at_once of them in flight, and wait for all of them; each may take
// timeout_ms. ret_replies has count entries, in the requests' order; *ret_requests is added to.
// Failures of single requests are replies, not errors. RT_BUSY while trials are in flight or a
// probe goes on, RT_NETWORK without an endpoint, RT_CANCELLED when options->stopping said so,
// RT_NO_MEMORY.
enum rt_status rt_exec_ask(struct rt_exec *exec, const struct rt_chat_request *requests,
                           size_t count, size_t at_once, int64_t timeout_ms,
                           struct rt_arena *arena, struct rt_exec_reply *ret_replies,
                           uint64_t *ret_requests, struct rt_error *err) RT_WARN_UNUSED;

// The top_p every request of this subject is sent with.
int64_t rt_exec_top_p_micro(const struct rt_exec *exec);

#endif
