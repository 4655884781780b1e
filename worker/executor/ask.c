// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/time.h"
#include "worker/executor/exec_state.h"

struct asking {
    struct rt_arena *arena;
    struct rt_exec_reply *replies;
    size_t *of_slot; // request in each slot, SIZE_MAX: free
    int64_t *began_ms;
    size_t in_flight;
    bool no_memory;
};

static void take(void *ctx, const struct rt_backend_answer *answer)
{
    struct asking *asking = ctx;
    size_t at = asking->of_slot[answer->slot];
    struct rt_exec_reply *reply = &asking->replies[at];
    reply->done = true;
    reply->ok = answer->reply != NULL;
    reply->timeout = answer->timeout;
    reply->error = answer->error;
    reply->requests = answer->requests;
    reply->latency_ms = rt_time_mono_ms() - asking->began_ms[answer->slot];
    if (!answer->reply)
        snprintf(reply->text, sizeof reply->text, "%s", answer->text);
    else if (rt_chat_reply_copy(asking->arena, answer->reply, &reply->reply))
        asking->no_memory = true;
    asking->of_slot[answer->slot] = SIZE_MAX;
    asking->in_flight--;
}

static enum rt_status fill(struct rt_exec *exec, struct asking *asking,
                           const struct rt_chat_request *requests, size_t count, size_t at_once,
                           int64_t timeout_ms, size_t *next)
{
    for (uint32_t s = 0; s < exec->slot_count && *next < count; s++) {
        if (asking->in_flight >= at_once)
            break;
        if (asking->of_slot[s] != SIZE_MAX)
            continue;
        int64_t once_ms = exec->timeout_ms < timeout_ms ? exec->timeout_ms : timeout_ms;
        asking->of_slot[s] = *next;
        asking->began_ms[s] = rt_time_mono_ms();
        if (exec->kind->ask(exec->backend, s, &requests[*next], once_ms, timeout_ms)) {
            asking->of_slot[s] = SIZE_MAX;
            return RT_NO_MEMORY;
        }
        asking->in_flight++;
        ++*next;
    }
    return RT_OK;
}

static enum rt_status ask_all(struct rt_exec *exec, struct asking *asking,
                              const struct rt_chat_request *requests, size_t count, size_t at_once,
                              int64_t timeout_ms)
{
    size_t next = 0;
    enum rt_status status = RT_OK;
    while (!status && (next < count || asking->in_flight)) {
        status = fill(exec, asking, requests, count, at_once, timeout_ms, &next);
        if (!status)
            exec->kind->poll(exec->backend, 200, take, asking);
        if (!status && asking->no_memory)
            status = RT_NO_MEMORY;
        if (!status && exec->options.stopping && exec->options.stopping())
            status = RT_CANCELLED;
    }
    for (uint32_t s = 0; s < exec->slot_count; s++)
        if (asking->of_slot[s] != SIZE_MAX)
            exec->kind->drop(exec->backend, s);
    return status;
}

enum rt_status rt_exec_ask(struct rt_exec *exec, const struct rt_chat_request *requests,
                           size_t count, size_t at_once, int64_t timeout_ms,
                           struct rt_arena *arena, struct rt_exec_reply *ret_replies,
                           uint64_t *ret_requests, struct rt_error *err)
{
    const char *id = exec->options.subject->id;
    if (exec->in_flight || exec->probe)
        return rt_error_set(err, RT_BUSY, "subject %s: trials are in flight", id);
    if (!rt_exec_endpoint_count(exec))
        return rt_error_set(err, RT_NETWORK, "subject %s: there is no endpoint to ask", id);
    struct asking asking = {.arena = arena, .replies = ret_replies};
    asking.of_slot = calloc(exec->slot_count, sizeof *asking.of_slot);
    asking.began_ms = calloc(exec->slot_count, sizeof *asking.began_ms);
    enum rt_status status = asking.of_slot && asking.began_ms ? RT_OK : RT_NO_MEMORY;
    memset(ret_replies, 0, count * sizeof *ret_replies);
    if (!status) {
        for (uint32_t s = 0; s < exec->slot_count; s++)
            asking.of_slot[s] = SIZE_MAX;
        status = ask_all(exec, &asking, requests, count, at_once, timeout_ms);
    }
    for (size_t i = 0; i < count; i++)
        *ret_requests += ret_replies[i].requests;
    free(asking.of_slot);
    free(asking.began_ms);
    return status ? rt_error_set(err, status, "subject %s: %s", id, rt_status_text(status))
                  : RT_OK;
}

int64_t rt_exec_top_p_micro(const struct rt_exec *exec)
{
    return exec->top_p_micro;
}
