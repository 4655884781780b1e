// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "worker/executor/backend.h"
#include "worker/executor/chat_json.h"
#include "worker/executor/executor.h"

#define ATTEMPTS_MOST      6   // of one request
#define BACKOFF_LEAST_MS   250 // doubled by every attempt, then jittered to 50..100 %
#define BACKOFF_MOST_MS    30000
#define CONNECT_TIMEOUT_MS 10000
#define HEADER_MOST        200
#define REPLY_MEMORY_MOST  (4 * RT_CHAT_BODY_MOST)

enum phase {
    IDLE,
    RUNNING, // in curl's hands
    WAITING, // for its next attempt
    UNSERVED, // the last endpoint is gone
};

struct slot {
    struct rt_backend *backend;
    CURL *easy;
    enum phase phase;
    uint32_t index;
    uint32_t endpoint; // RUNNING: the one that is asked
    uint32_t attempts;
    int64_t timeout_ms;
    int64_t deadline_ms; // monotonic; of all attempts together
    int64_t resume_ms;   // WAITING: when the next attempt may start
    struct rt_buf request, response;
    char retry_after[HEADER_MOST], reset_requests[HEADER_MOST], reset_tokens[HEADER_MOST];
};

struct endpoint {
    char *name; // as it was added; NULL: free
    char *url;
    struct curl_slist *headers; // what every request carries, the key among them
    uint32_t running;
};

struct rt_backend {
    const struct rt_lab_subject *subject;
    CURLM *multi;
    const char *key_file;
    struct endpoint endpoints[RT_EXEC_ENDPOINTS_MOST];
    size_t endpoint_count;
    uint64_t jitter; // xorshift state
    char server[HEADER_MOST];
    char model[256];
    char system_fingerprint[128];
    uint32_t slot_count;
    struct slot slots[];
};

// ---- making one

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void endpoint_release(struct endpoint *endpoint)
{
    for (struct curl_slist *line = endpoint->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(endpoint->headers);
    free(endpoint->name);
    free(endpoint->url);
    *endpoint = (struct endpoint){0};
}

static void chat_free(struct rt_backend *backend)
{
    if (!backend)
        return;
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        struct slot *slot = &backend->slots[i];
        if (slot->phase == RUNNING)
            curl_multi_remove_handle(backend->multi, slot->easy);
        curl_easy_cleanup(slot->easy);
        rt_buf_release(&slot->request);
        rt_buf_release(&slot->response);
    }
    for (size_t i = 0; i < RT_EXEC_ENDPOINTS_MOST; i++)
        endpoint_release(&backend->endpoints[i]);
    curl_multi_cleanup(backend->multi);
    free(backend);
}

static size_t take_body(char *data, size_t each, size_t count, void *ctx)
{
    struct slot *slot = ctx;
    rt_buf_add(&slot->response, data, each * count);
    return rt_buf_ok(&slot->response) ? 0 : each * count; // a short count makes curl give up
}

static void take_header(char *ret_value, const char *line, size_t size, const char *name)
{
    size_t length = strlen(name);
    if (size <= length || strncasecmp(line, name, length) != 0)
        return;
    line += length, size -= length;
    while (size && (*line == ' ' || *line == '\t'))
        line++, size--;
    while (size && (line[size - 1] == '\r' || line[size - 1] == '\n' || line[size - 1] == ' '))
        size--;
    size = size < HEADER_MOST - 1 ? size : HEADER_MOST - 1;
    for (size_t i = 0; i < size; i++)
        ret_value[i] = line[i] >= 0x20 && line[i] < 0x7f ? line[i] : '?';
    ret_value[size] = 0;
}

static size_t take_headers(char *line, size_t each, size_t count, void *ctx)
{
    struct slot *slot = ctx;
    size_t size = each * count;
    take_header(slot->retry_after, line, size, "retry-after:");
    take_header(slot->reset_requests, line, size, "x-ratelimit-reset-requests:");
    take_header(slot->reset_tokens, line, size, "x-ratelimit-reset-tokens:");
    take_header(slot->backend->server, line, size, "server:");
    return size;
}

static CURLcode set_options(struct slot *slot)
{
    CURL *easy = slot->easy;
    CURLcode code = CURLE_OK;
#define SET(option, value) code = code ? code : curl_easy_setopt(easy, option, value)
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, ""); // the endpoint is the lab's own; no environment variable redirects it
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, slot);
    SET(CURLOPT_HEADERFUNCTION, take_headers);
    SET(CURLOPT_HEADERDATA, slot);
    SET(CURLOPT_PRIVATE, slot);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
#undef SET
    return code;
}

static enum rt_status add_header(struct endpoint *endpoint, const char *line)
{
    struct curl_slist *longer = curl_slist_append(endpoint->headers, line);
    if (!longer)
        return RT_NO_MEMORY;
    endpoint->headers = longer;
    return RT_OK;
}

static enum rt_status add_key(struct endpoint *endpoint, const char *key, size_t size)
{
    char *line = NULL;
    if (asprintf(&line, "Authorization: Bearer %.*s", (int)size, key) < 0)
        return RT_NO_MEMORY;
    enum rt_status status = add_header(endpoint, line);
    explicit_bzero(line, strlen(line));
    free(line);
    return status;
}

// The first word of the key file.
static enum rt_status add_key_file(struct endpoint *endpoint, const char *key_file,
                                   struct rt_error *err)
{
    struct rt_buf key;
    enum rt_status status = rt_file_check_private(key_file, err);
    if (status)
        return status;
    rt_buf_init(&key, 8192);
    status = rt_file_read(key_file, &key, err);
    if (!status) {
        size_t size = strcspn(rt_buf_str(&key), " \t\r\n");
        if (!size)
            status = rt_error_set(err, RT_MALFORMED, "%s: holds no key", key_file);
        else if (add_key(endpoint, rt_buf_str(&key), size))
            status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    if (key.data)
        explicit_bzero(key.data, key.size);
    rt_buf_release(&key);
    return status;
}

static enum rt_status add_headers(struct endpoint *endpoint)
{
    // No Expect: bodies go out at once. curl sends no User-Agent by itself, and neither do we: the
    // server is told nothing about who asks.
    static const char *const lines[] = {"Content-Type: application/json",
                                        "Accept: application/json", "Expect:"};
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && !status; i++)
        status = add_header(endpoint, lines[i]);
    return status;
}

// ---- endpoints

static struct endpoint *find_endpoint(struct rt_backend *backend, const char *name)
{
    for (size_t i = 0; i < RT_EXEC_ENDPOINTS_MOST; i++)
        if (backend->endpoints[i].name && strcmp(backend->endpoints[i].name, name) == 0)
            return &backend->endpoints[i];
    return NULL;
}

static enum rt_status chat_endpoint_add(struct rt_backend *backend, const char *url,
                                        const char *key, struct rt_error *err)
{
    const char *id = backend->subject->id;
    struct endpoint made = {0};
    enum rt_status status = RT_OK;
    size_t place = 0, size = strlen(url);
    while (place < RT_EXEC_ENDPOINTS_MOST && backend->endpoints[place].name)
        place++;
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return rt_error_set(err, RT_MALFORMED,
                            "subject %s: endpoint must start with http:// or https://, such as "
                            "http://127.0.0.1:8000/v1",
                            id);
    if (find_endpoint(backend, url))
        return rt_error_set(err, RT_EXISTS, "subject %s: endpoint %s is there already", id, url);
    if (place == RT_EXEC_ENDPOINTS_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "subject %s: more than %d endpoints", id,
                            RT_EXEC_ENDPOINTS_MOST);
    while (size && url[size - 1] == '/')
        size--;
    made.name = strdup(url);
    if (asprintf(&made.url, "%.*s/chat/completions", (int)size, url) < 0)
        made.url = NULL;
    if (!made.name || !made.url || add_headers(&made) ||
        (key && add_key(&made, key, strlen(key))))
        status = rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", id);
    if (!status && !key && backend->key_file && *backend->key_file)
        status = add_key_file(&made, backend->key_file, err);
    if (status) {
        endpoint_release(&made);
        return status;
    }
    backend->endpoints[place] = made;
    backend->endpoint_count++;
    return RT_OK;
}

static size_t chat_endpoint_count(const struct rt_backend *backend)
{
    return backend->endpoint_count;
}

static size_t chat_limit(const struct rt_backend *backend)
{
    return backend->endpoint_count ? backend->slot_count : 0;
}

static void stop_attempt(struct slot *slot, enum phase phase)
{
    curl_multi_remove_handle(slot->backend->multi, slot->easy);
    slot->backend->endpoints[slot->endpoint].running--;
    slot->phase = phase;
}

static bool chat_endpoint_drop(struct rt_backend *backend, const char *url)
{
    struct endpoint *endpoint = find_endpoint(backend, url);
    if (!endpoint)
        return false;
    uint32_t index = (uint32_t)(endpoint - backend->endpoints);
    backend->endpoint_count--;
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        struct slot *slot = &backend->slots[i];
        if (slot->phase == RUNNING && slot->endpoint == index) {
            stop_attempt(slot, WAITING);
            slot->resume_ms = 0;
        }
        if (slot->phase == WAITING && !backend->endpoint_count)
            slot->phase = UNSERVED;
    }
    endpoint_release(endpoint);
    return true;
}

enum rt_status rt_backend_chat_new(const struct rt_lab_subject *subject, const char *key_file,
                                   uint32_t slots, struct rt_backend **ret_backend,
                                   struct rt_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    struct rt_backend *backend = calloc(1, sizeof *backend + slots * sizeof backend->slots[0]);
    if (!backend)
        return rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", subject->id);
    backend->subject = subject;
    backend->jitter = (uint64_t)rt_time_mono_us() | 1;
    backend->key_file = key_file;
    backend->multi = curl_multi_init();
    enum rt_status status = RT_OK;
    if (!backend->multi)
        status = rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", subject->id);
    // A job's endpoints come once the job runs; the address in worker.yaml is their pattern.
    if (!status && subject->executor == RT_EXECUTOR_CHAT && !subject->slurm)
        status = chat_endpoint_add(backend, subject->endpoint, NULL, err);
    for (uint32_t i = 0; i < slots && !status; i++) {
        struct slot *slot = &backend->slots[i];
        backend->slot_count = i + 1;
        slot->backend = backend;
        slot->index = i;
        rt_buf_init(&slot->request, RT_CHAT_BODY_MOST);
        rt_buf_init(&slot->response, RT_CHAT_BODY_MOST);
        slot->easy = curl_easy_init();
        if (!slot->easy || set_options(slot))
            status = rt_error_set(err, RT_NO_MEMORY, "subject %s: curl", subject->id);
    }
    if (status) {
        chat_free(backend);
        return status;
    }
    *ret_backend = backend;
    return RT_OK;
}

// ---- attempts

static struct endpoint *least_loaded(struct rt_backend *backend)
{
    struct endpoint *best = NULL;
    for (size_t i = 0; i < RT_EXEC_ENDPOINTS_MOST; i++)
        if (backend->endpoints[i].name &&
            (!best || backend->endpoints[i].running < best->running))
            best = &backend->endpoints[i];
    return best;
}

static void start_attempt(struct slot *slot, int64_t now_ms)
{
    struct endpoint *endpoint = least_loaded(slot->backend);
    if (!endpoint) {
        slot->phase = UNSERVED;
        return;
    }
    slot->endpoint = (uint32_t)(endpoint - slot->backend->endpoints);
    endpoint->running++;
    curl_easy_setopt(slot->easy, CURLOPT_URL, endpoint->url);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, endpoint->headers);
    int64_t left_ms = slot->deadline_ms - now_ms;
    int64_t timeout_ms = slot->timeout_ms < left_ms ? slot->timeout_ms : left_ms;
    rt_buf_clear(&slot->response);
    slot->retry_after[0] = slot->reset_requests[0] = slot->reset_tokens[0] = 0;
    slot->attempts++;
    slot->phase = RUNNING;
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, rt_buf_str(&slot->request));
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)slot->request.size);
    curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, (long)(timeout_ms > 1 ? timeout_ms : 1));
    curl_multi_add_handle(slot->backend->multi, slot->easy);
}

static enum rt_status chat_ask(struct rt_backend *backend, uint32_t index,
                               const struct rt_chat_request *request, int64_t timeout_ms,
                               int64_t left_ms)
{
    struct slot *slot = &backend->slots[index];
    int64_t now_ms = rt_time_mono_ms();
    RT_ASSERT(slot->phase == IDLE);
    rt_buf_clear(&slot->request);
    enum rt_status status = rt_chat_json_request(backend->subject, request, &slot->request);
    if (status)
        return status;
    slot->attempts = 0;
    slot->timeout_ms = timeout_ms;
    slot->deadline_ms = left_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + left_ms;
    start_attempt(slot, now_ms);
    return RT_OK;
}

static void chat_drop(struct rt_backend *backend, uint32_t index)
{
    struct slot *slot = &backend->slots[index];
    if (slot->phase == RUNNING)
        stop_attempt(slot, IDLE);
    slot->phase = IDLE;
}

static int64_t backoff_ms(struct slot *slot)
{
    struct rt_backend *backend = slot->backend;
    uint64_t x = backend->jitter;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    backend->jitter = x;
    int64_t step_ms = (int64_t)BACKOFF_LEAST_MS << (slot->attempts - 1);
    step_ms = step_ms > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : step_ms;
    return step_ms / 2 + (int64_t)(x % (uint64_t)(step_ms / 2 + 1));
}

// ---- answers

struct delivery {
    rt_backend_answer_fn *deliver;
    void *ctx;
    size_t count;
};

static void answer(struct delivery *delivery, struct slot *slot, struct rt_backend_answer answer)
{
    slot->phase = IDLE;
    answer.slot = slot->index;
    answer.requests = slot->attempts;
    delivery->count++;
    delivery->deliver(delivery->ctx, &answer);
}

static void refuse(struct delivery *delivery, struct slot *slot, enum rt_error_kind error,
                   const char *text)
{
    answer(delivery, slot, (struct rt_backend_answer){.error = error, .text = text});
}

static bool retryable(long code)
{
    return code == 408 || code == 429 || (code >= 500 && code <= 599);
}

// Try again later; false when attempts or time are used up. The server's wish is a floor.
static bool try_later(struct slot *slot, bool asked, int64_t now_ms)
{
    if (slot->attempts >= ATTEMPTS_MOST)
        return false;
    int64_t wait_ms = backoff_ms(slot);
    int64_t asked_ms =
        asked ? rt_chat_retry_after(*slot->retry_after ? slot->retry_after : NULL,
                                    *slot->reset_requests ? slot->reset_requests : NULL,
                                    *slot->reset_tokens ? slot->reset_tokens : NULL,
                                    rt_time_wall_ms())
              : -1;
    if (asked_ms > 0)
        wait_ms = asked_ms + wait_ms / 4;
    if (now_ms > slot->deadline_ms - wait_ms)
        return false;
    slot->phase = WAITING;
    slot->resume_ms = now_ms + wait_ms;
    return true;
}

// A server's word about itself, for the fingerprint: printable ASCII, cut to fit.
static void keep_fact(char *ret_text, size_t capacity, const char *text)
{
    size_t size = 0;
    for (; text[size] && size < capacity - 1; size++)
        ret_text[size] = text[size] >= 0x20 && text[size] < 0x7f ? text[size] : '?';
    ret_text[size] = 0;
}

static void accept_response(struct delivery *delivery, struct slot *slot)
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
        refuse(delivery, slot, RT_ERROR_KIND_PROTOCOL, *reason ? reason : rt_status_text(status));
    } else {
        keep_fact(backend->model, sizeof backend->model, facts.model);
        keep_fact(backend->system_fingerprint, sizeof backend->system_fingerprint,
                  facts.system_fingerprint);
        answer(delivery, slot, (struct rt_backend_answer){.reply = &reply, .text = ""});
    }
    rt_arena_release(&arena);
}

static void finish_transfer(struct delivery *delivery, struct slot *slot, CURLcode code)
{
    int64_t now_ms = rt_time_mono_ms();
    long http = 0;
    char message[160], text[256];
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &http);
    stop_attempt(slot, IDLE);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        answer(delivery, slot,
               (struct rt_backend_answer){.timeout = true, .text = "no reply in time"});
    } else if (code == CURLE_WRITE_ERROR) {
        refuse(delivery, slot, RT_ERROR_KIND_PROTOCOL, "the response is over 8 MiB");
    } else if (code) {
        if (!try_later(slot, false, now_ms))
            refuse(delivery, slot, RT_ERROR_KIND_NETWORK, curl_easy_strerror(code));
    } else if (http == 200) {
        accept_response(delivery, slot);
    } else if (!retryable(http) || !try_later(slot, true, now_ms)) {
        rt_chat_json_error(rt_buf_bytes(&slot->response), message, sizeof message);
        snprintf(text, sizeof text, "HTTP %ld%s%s", http, *message ? ": " : "", message);
        refuse(delivery, slot, RT_ERROR_KIND_HTTP, text);
    }
}

// Start what has waited long enough; returns how long the next one still has to wait.
static int resume(struct rt_backend *backend, int wait_ms)
{
    int64_t now_ms = rt_time_mono_ms();
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        struct slot *slot = &backend->slots[i];
        if (slot->phase != WAITING)
            continue;
        if (slot->resume_ms <= now_ms)
            start_attempt(slot, now_ms);
        else if (slot->resume_ms - now_ms < wait_ms)
            wait_ms = (int)(slot->resume_ms - now_ms);
    }
    return wait_ms;
}

static void answer_unserved(struct rt_backend *backend, struct delivery *delivery)
{
    for (uint32_t i = 0; i < backend->slot_count; i++)
        if (backend->slots[i].phase == UNSERVED)
            answer(delivery, &backend->slots[i],
                   (struct rt_backend_answer){.unserved = true, .text = "no endpoint is left"});
}

static void chat_poll(struct rt_backend *backend, int timeout_ms, rt_backend_answer_fn *deliver,
                      void *ctx)
{
    struct delivery delivery = {deliver, ctx, 0};
    int wait_ms = resume(backend, timeout_ms);
    answer_unserved(backend, &delivery);
    for (int round = 0; round < 2 && !delivery.count; round++) {
        int running, left;
        CURLMsg *message;
        if (round && wait_ms > 0)
            curl_multi_poll(backend->multi, NULL, 0, wait_ms, NULL);
        curl_multi_perform(backend->multi, &running);
        while ((message = curl_multi_info_read(backend->multi, &left))) {
            struct slot *slot = NULL;
            CURLcode code = message->data.result;
            if (message->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
            finish_transfer(&delivery, slot, code);
        }
    }
}

static void chat_wake(struct rt_backend *backend)
{
    curl_multi_wakeup(backend->multi);
}

static void chat_facts(const struct rt_backend *backend, struct rt_backend_facts *ret_facts)
{
    *ret_facts =
        (struct rt_backend_facts){backend->server, backend->model, backend->system_fingerprint,
                                  NULL, NULL};
}

const struct rt_backend_kind rt_backend_chat = {
    .word = "chat",
    .ask = chat_ask,
    .poll = chat_poll,
    .drop = chat_drop,
    .wake = chat_wake,
    .facts = chat_facts,
    .free = chat_free,
    .endpoint_add = chat_endpoint_add,
    .endpoint_drop = chat_endpoint_drop,
    .endpoint_count = chat_endpoint_count,
    .limit = chat_limit,
};
