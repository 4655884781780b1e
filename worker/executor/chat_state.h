// SPDX-License-Identifier: Apache-2.0
// The inside of the chat backend, shared by chat.c (endpoints, attempts, waiting) and chat_end.c
// (what the end of a transfer means) and nobody else. One thread.
#ifndef RT_WORKER_EXECUTOR_CHAT_STATE_H
#define RT_WORKER_EXECUTOR_CHAT_STATE_H

#include "worker/executor/backend.h"
#include "worker/executor/chat_json.h"
#include "worker/executor/endpoint.h"
#include "worker/executor/executor.h"
#include "worker/executor/pool.h"

#define RT_CHAT_HEADERS_MOST 65536 // bytes of one response's
#define RT_CHAT_FACT_MOST    256

_Static_assert(RT_POOL_MOST == RT_EXEC_ENDPOINTS_MOST, "a member for each endpoint");

enum rt_chat_phase {
    RT_CHAT_IDLE,
    RT_CHAT_RUNNING, // in curl's hands
    RT_CHAT_WAITING, // for its time and for an endpoint
    RT_CHAT_OVER,    // to be answered with its failure
};

// Why a request was not answered, so far.
struct rt_chat_failure {
    bool unserved, timeout;
    enum rt_error_kind error;
    char text[200];
};

struct rt_chat_slot {
    struct rt_backend *backend;
    CURL *easy; // made when first needed
    enum rt_chat_phase phase;
    uint32_t index;
    uint32_t member; // the endpoint that is asked, or was last
    uint32_t attempts;
    uint64_t ticket;     // while waiting: the longest waiting goes first
    int64_t timeout_ms;  // of one attempt
    int64_t deadline_ms; // monotonic; of all attempts together
    int64_t resume_ms;   // while waiting: when the next attempt may start
    int64_t asked_ms;    // while running: since when
    int64_t wished_ms;   // how long the server asks to wait
    size_t header_bytes;
    struct rt_buf request, response;
    struct rt_chat_failure failure;
};

struct rt_backend {
    const struct rt_lab_subject *subject;
    struct rt_endpoint_files files;
    CURLM *multi;
    struct rt_pool pool;
    struct rt_endpoint endpoints[RT_POOL_MOST];
    uint64_t jitter; // xorshift state
    uint64_t ticket;
    char server[RT_CHAT_FACT_MOST];
    char model[256];
    char system_fingerprint[128];
    uint32_t slot_count;
    struct rt_chat_slot slots[];
};

// What is delivered, and how much of it so far.
struct rt_chat_delivery {
    rt_backend_answer_fn *deliver;
    void *ctx;
    size_t count;
};

// chat.c
// Wait for an endpoint, behind all others that do.
void rt_chat_enqueue(struct rt_chat_slot *slot, int64_t resume_ms);
// What the request will be answered with, unless another attempt does better.
void rt_chat_fail(struct rt_chat_slot *slot, enum rt_error_kind error, const char *text);
void rt_chat_fail_unserved(struct rt_chat_slot *slot, const char *text);
// A server's word about itself, for the fingerprint: printable ASCII, cut to fit.
void rt_chat_keep_fact(char *ret_text, size_t capacity, const char *text, size_t size);

// chat_end.c
// A transfer has ended: answer it, let it wait for another attempt, or leave it OVER.
void rt_chat_end(struct rt_chat_delivery *delivery, struct rt_chat_slot *slot, CURLcode code);
// Answer what is OVER with its failure.
void rt_chat_deliver_over(struct rt_backend *backend, struct rt_chat_delivery *delivery);
// Back to IDLE, and the memory of the request is freed.
void rt_chat_rest(struct rt_chat_slot *slot);

#endif
