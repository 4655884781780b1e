// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "common/base/time.h"
#include "worker/executor/chat_state.h"
#include "worker/executor/retry.h"

#define ATTEMPTS_MOST     6   // of one request
#define UNREACHED_MOST    4   // of one that nothing took: the trial can wait better than we can
#define BACKOFF_LEAST_MS  250 // doubled by every attempt, then jittered to 50..100 %
#define BACKOFF_MOST_MS   30000
#define REPLY_MEMORY_MOST (4 * RT_CHAT_BODY_MOST)

void rt_chat_rest(struct rt_chat_slot *slot)
{
    slot->phase = RT_CHAT_IDLE;
    rt_buf_release(&slot->request);
    rt_buf_release(&slot->response);
    rt_buf_init(&slot->request, RT_CHAT_BODY_MOST);
    rt_buf_init(&slot->response, RT_CHAT_BODY_MOST);
}

// ---- attempts

static int64_t backoff_ms(struct rt_chat_slot *slot)
{
    struct rt_backend *backend = slot->backend;
    uint64_t x = backend->jitter;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    backend->jitter = x;
    int64_t step_ms = (int64_t)BACKOFF_LEAST_MS << (slot->attempts - 1);
    step_ms = step_ms > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : step_ms;
    return step_ms / 2 + (int64_t)(x % (uint64_t)(step_ms / 2 + 1));
}

// Ask again later, or give up when attempts or time are used up. What the server wishes is a floor
// where there is no other to ask.
static void try_later(struct rt_chat_slot *slot, int64_t now_ms)
{
    int64_t wait_ms = backoff_ms(slot);
    bool others = rt_pool_others(&slot->backend->pool, slot->member, now_ms);
    if (slot->wished_ms > 0 && !others)
        wait_ms = slot->wished_ms + wait_ms / 4;
    uint32_t most = slot->failure.unserved ? UNREACHED_MOST : ATTEMPTS_MOST;
    if (slot->attempts >= most || now_ms > slot->deadline_ms - wait_ms)
        slot->phase = RT_CHAT_OVER;
    else
        rt_chat_enqueue(slot, now_ms + wait_ms);
}

// ---- answers

static void answer(struct rt_chat_delivery *delivery, struct rt_chat_slot *slot,
                   struct rt_backend_answer answer)
{
    answer.slot = slot->index;
    answer.requests = slot->attempts;
    rt_chat_rest(slot); // the callback may ask again
    delivery->count++;
    delivery->deliver(delivery->ctx, &answer);
}

void rt_chat_deliver_over(struct rt_backend *backend, struct rt_chat_delivery *delivery)
{
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        struct rt_chat_slot *slot = &backend->slots[i];
        if (slot->phase != RT_CHAT_OVER)
            continue;
        struct rt_chat_failure failure = slot->failure;
        answer(delivery, slot,
               (struct rt_backend_answer){.timeout = failure.timeout,
                                          .unserved = failure.unserved,
                                          .error = failure.error,
                                          .text = failure.text});
    }
}

// Is this reply by the model that answered before? A lab's server may be swapped under its worker;
// what another model says must not count as this one's.
static bool same_model(struct rt_chat_slot *slot, const char *model, int64_t now_ms)
{
    struct rt_backend *backend = slot->backend;
    char told[sizeof backend->model], text[sizeof slot->failure.text];
    rt_chat_keep_fact(told, sizeof told, model, strlen(model));
    if (!*told || !*backend->model || strcmp(told, backend->model) == 0) {
        if (*told)
            memcpy(backend->model, told, sizeof told);
        return true;
    }
    snprintf(text, sizeof text, "%.60s answers as model %.50s now, and as %.50s before",
             backend->endpoints[slot->member].name, told, backend->model);
    rt_chat_fail_unserved(slot, text);
    if (rt_pool_others(&backend->pool, slot->member, now_ms)) {
        rt_pool_failed(&backend->pool, slot->member, true, now_ms);
        try_later(slot, now_ms);
    } else {
        rt_pool_back(&backend->pool, slot->member);
        memcpy(backend->model, told, sizeof told);
        slot->phase = RT_CHAT_OVER;
    }
    return false;
}

static void accept_response(struct rt_chat_delivery *delivery, struct rt_chat_slot *slot,
                            int64_t now_ms)
{
    struct rt_backend *backend = slot->backend;
    struct rt_arena arena;
    struct rt_chat_reply reply;
    struct rt_chat_facts facts;
    const char *reason = "";
    rt_arena_init(&arena, REPLY_MEMORY_MOST);
    enum rt_status status =
        rt_chat_json_reply(rt_buf_bytes(&slot->response), &arena, &reply, &facts, &reason);
    if (status) {
        rt_pool_failed(&backend->pool, slot->member, false, now_ms);
        rt_chat_fail(slot, RT_ERROR_KIND_PROTOCOL, *reason ? reason : rt_status_text(status));
        slot->phase = RT_CHAT_OVER;
    } else if (same_model(slot, facts.model, now_ms)) {
        rt_pool_good(&backend->pool, slot->member, now_ms - slot->asked_ms, now_ms);
        rt_chat_keep_fact(backend->system_fingerprint, sizeof backend->system_fingerprint,
                  facts.system_fingerprint, strlen(facts.system_fingerprint));
        answer(delivery, slot, (struct rt_backend_answer){.reply = &reply, .text = ""});
    }
    rt_arena_release(&arena);
}

static void refuse_http(struct rt_chat_slot *slot, long http)
{
    char message[160], text[200];
    rt_chat_json_error(rt_buf_bytes(&slot->response), message, sizeof message);
    snprintf(text, sizeof text, "HTTP %ld%s%s", http, *message ? ": " : "", message);
    rt_chat_fail(slot, RT_ERROR_KIND_HTTP, text);
}

// Answers that say that this address is the wrong place to ask, whatever is asked: moved, locked,
// no such path.
static bool wrong_place(long http)
{
    return (http >= 300 && http < 400) || http == 401 || http == 403 || http == 404 ||
           http == 405 || http == 407;
}

static void finish_http(struct rt_chat_slot *slot, long http, int64_t now_ms)
{
    struct rt_pool *pool = &slot->backend->pool;
    refuse_http(slot, http);
    if (http == 429 || http == 503) {
        rt_pool_busy(pool, slot->member, slot->wished_ms, now_ms);
        try_later(slot, now_ms);
    } else if (http == 408 || (http >= 500 && http < 600)) {
        rt_pool_failed(pool, slot->member, false, now_ms);
        try_later(slot, now_ms);
    } else if (wrong_place(http) && rt_pool_others(pool, slot->member, now_ms)) {
        rt_pool_failed(pool, slot->member, true, now_ms);
        try_later(slot, now_ms);
    } else {
        rt_pool_back(pool, slot->member);
        slot->phase = RT_CHAT_OVER;
    }
}

// Transfers that ended before the server could have seen the request.
static bool unreached(const struct rt_chat_slot *slot, CURLcode code)
{
    long sent_bytes = 0;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return true;
    case CURLE_OPERATION_TIMEDOUT:
        curl_easy_getinfo(slot->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
        return sent_bytes <= 0;
    default:
        return false;
    }
}

static void finish_broken(struct rt_chat_slot *slot, CURLcode code, int64_t now_ms)
{
    struct rt_pool *pool = &slot->backend->pool;
    if (unreached(slot, code)) {
        // The trial has not been seen by anything, so its loss is no result.
        rt_chat_fail_unserved(slot, curl_easy_strerror(code));
        rt_pool_failed(pool, slot->member, true, now_ms);
        try_later(slot, now_ms);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        rt_chat_fail(slot, RT_ERROR_KIND_NONE, "no reply in time");
        slot->failure.timeout = true;
        rt_pool_late(pool, slot->member, now_ms);
        slot->phase = RT_CHAT_OVER;
    } else if (code == CURLE_WRITE_ERROR) {
        rt_chat_fail(slot, RT_ERROR_KIND_PROTOCOL,
             slot->header_bytes > RT_CHAT_HEADERS_MOST ? "the response's header is over 64 KiB"
                                               : "the response is over 8 MiB");
        rt_pool_failed(pool, slot->member, false, now_ms);
        slot->phase = RT_CHAT_OVER;
    } else {
        rt_chat_fail(slot, RT_ERROR_KIND_NETWORK, curl_easy_strerror(code));
        rt_pool_failed(pool, slot->member, false, now_ms);
        try_later(slot, now_ms);
    }
}

void rt_chat_end(struct rt_chat_delivery *delivery, struct rt_chat_slot *slot, CURLcode code)
{
    int64_t now_ms = rt_time_mono_ms();
    long http = 0;
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &http);
    curl_multi_remove_handle(slot->backend->multi, slot->easy);
    rt_endpoint_scrub(&slot->backend->endpoints[slot->member], &slot->response);
    if (code)
        finish_broken(slot, code, now_ms);
    else if (http == 200)
        accept_response(delivery, slot, now_ms);
    else
        finish_http(slot, http, now_ms);
}
