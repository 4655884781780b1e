// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/time.h"
#include "worker/executor/chat_state.h"
#include "worker/executor/retry.h"

// ---- making one

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void chat_free(struct rt_backend *backend)
{
    if (!backend)
        return;
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        struct rt_chat_slot *slot = &backend->slots[i];
        if (slot->phase == RT_CHAT_RUNNING)
            curl_multi_remove_handle(backend->multi, slot->easy);
        curl_easy_cleanup(slot->easy);
        rt_buf_release(&slot->request);
        rt_buf_release(&slot->response);
    }
    curl_multi_cleanup(backend->multi);
    for (size_t i = 0; i < RT_POOL_MOST; i++)
        rt_endpoint_release(&backend->endpoints[i]);
    free((char *)(uintptr_t)backend->files.key_file);
    free((char *)(uintptr_t)backend->files.ca_file);
    free(backend);
}

static size_t take_body(char *data, size_t each, size_t count, void *ctx)
{
    struct rt_chat_slot *slot = ctx;
    rt_buf_add(&slot->response, data, each * count);
    return rt_buf_ok(&slot->response) ? 0 : each * count; // a short count makes curl give up
}

void rt_chat_keep_fact(char *ret_text, size_t capacity, const char *text, size_t size)
{
    size = size < capacity - 1 ? size : capacity - 1;
    for (size_t i = 0; i < size; i++)
        ret_text[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    ret_text[size] = 0;
}

static size_t take_header(char *line, size_t each, size_t count, void *ctx)
{
    struct rt_chat_slot *slot = ctx;
    size_t size = each * count, name = strlen("server:"), end = size;
    slot->header_bytes += size;
    if (slot->header_bytes > RT_CHAT_HEADERS_MOST)
        return 0;
    rt_retry_read(rt_bytes(line, size), rt_time_wall_ms(), &slot->wished_ms);
    if (size > name && strncasecmp(line, "server:", name) == 0) {
        while (name < end && line[name] == ' ')
            name++;
        while (end > name && (line[end - 1] == '\r' || line[end - 1] == '\n'))
            end--;
        rt_chat_keep_fact(slot->backend->server, RT_CHAT_FACT_MOST, line + name, end - name);
    }
    return size;
}

static bool make_easy(struct rt_chat_slot *slot)
{
    CURL *easy = slot->easy ? slot->easy : curl_easy_init();
    if (!easy || slot->easy)
        return easy != NULL;
    bool fine = rt_endpoint_prepare(easy, slot->backend->subject, &slot->backend->files) &&
                !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) &&
                !curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot) &&
                !curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) &&
                !curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot) &&
                !curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    if (!fine) {
        curl_easy_cleanup(easy);
        return false;
    }
    slot->easy = easy;
    return true;
}

// ---- endpoints

static uint32_t find_endpoint(const struct rt_backend *backend, const char *name)
{
    for (uint32_t i = 0; i < RT_POOL_MOST; i++)
        if (backend->endpoints[i].name && strcmp(backend->endpoints[i].name, name) == 0)
            return i;
    return RT_POOL_NONE;
}

static enum rt_status chat_endpoint_add(struct rt_backend *backend, const char *url,
                                        const char *key, struct rt_error *err)
{
    const char *id = backend->subject->id;
    struct rt_endpoint made;
    if (find_endpoint(backend, url) != RT_POOL_NONE)
        return rt_error_set(err, RT_EXISTS, "subject %s: endpoint %s is there already", id, url);
    if (backend->pool.count == RT_POOL_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "subject %s: more than %d endpoints", id,
                            RT_POOL_MOST);
    enum rt_status status = rt_endpoint_make(backend->subject, &backend->files, url, key, &made,
                                             err);
    if (!status)
        backend->endpoints[rt_pool_add(&backend->pool)] = made;
    return status;
}

static size_t chat_endpoint_count(const struct rt_backend *backend)
{
    return backend->pool.count;
}

static size_t chat_limit(const struct rt_backend *backend)
{
    return rt_pool_limit(&backend->pool, rt_time_mono_ms());
}

void rt_chat_fail(struct rt_chat_slot *slot, enum rt_error_kind error, const char *text)
{
    slot->failure = (struct rt_chat_failure){.error = error};
    snprintf(slot->failure.text, sizeof slot->failure.text, "%s", text);
}

void rt_chat_fail_unserved(struct rt_chat_slot *slot, const char *text)
{
    rt_chat_fail(slot, RT_ERROR_KIND_NETWORK, text);
    slot->failure.unserved = true;
}

void rt_chat_enqueue(struct rt_chat_slot *slot, int64_t resume_ms)
{
    slot->phase = RT_CHAT_WAITING;
    slot->resume_ms = resume_ms;
    slot->ticket = ++slot->backend->ticket;
}

static bool chat_endpoint_drop(struct rt_backend *backend, const char *url)
{
    uint32_t member = find_endpoint(backend, url);
    if (member == RT_POOL_NONE)
        return false;
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        struct rt_chat_slot *slot = &backend->slots[i];
        if (slot->phase == RT_CHAT_RUNNING && slot->member == member) {
            curl_multi_remove_handle(backend->multi, slot->easy);
            rt_chat_enqueue(slot, 0);
        }
        if (slot->phase == RT_CHAT_WAITING && backend->pool.count == 1) {
            rt_chat_fail_unserved(slot, "no endpoint is left");
            slot->phase = RT_CHAT_OVER;
        }
    }
    rt_pool_remove(&backend->pool, member);
    rt_endpoint_release(&backend->endpoints[member]);
    return true;
}

static enum rt_status add_own_endpoints(struct rt_backend *backend, struct rt_error *err)
{
    const struct rt_lab_subject *subject = backend->subject;
    enum rt_status status = RT_OK;
    // A job's endpoints come once the job runs; the address in worker.yaml is their pattern.
    if (subject->executor != RT_EXECUTOR_CHAT || subject->slurm)
        return RT_OK;
    if (!subject->endpoint_count)
        return chat_endpoint_add(backend, subject->endpoint, NULL, err);
    for (size_t i = 0; i < subject->endpoint_count && !status; i++)
        status = chat_endpoint_add(backend, subject->endpoints[i], NULL, err);
    return status;
}

static const char *keep_path(const char *path, bool *failed)
{
    char *copy = path ? strdup(path) : NULL;
    *failed = *failed || (path && !copy);
    return copy;
}

enum rt_status rt_backend_chat_new(const struct rt_lab_subject *subject,
                                   const struct rt_endpoint_files *files, uint32_t slots,
                                   struct rt_backend **ret_backend, struct rt_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    struct rt_backend *backend = calloc(1, sizeof *backend + slots * sizeof backend->slots[0]);
    if (!backend)
        return rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", subject->id);
    bool failed = false;
    backend->subject = subject;
    backend->files = (struct rt_endpoint_files){keep_path(files->key_file, &failed),
                                                keep_path(files->ca_file, &failed)};
    backend->jitter = (uint64_t)rt_time_mono_us() | 1;
    backend->slot_count = slots;
    // A pilot's slots are those of several jobs, and `concurrency` is what each of them takes.
    uint32_t most = subject->concurrency;
    most = most && most < slots ? most : slots;
    rt_pool_init(&backend->pool, most, subject->timeout_ms > 0 ? subject->timeout_ms : 120000);
    for (uint32_t i = 0; i < slots; i++) {
        struct rt_chat_slot *slot = &backend->slots[i];
        slot->backend = backend;
        slot->index = i;
        rt_buf_init(&slot->request, RT_CHAT_BODY_MOST);
        rt_buf_init(&slot->response, RT_CHAT_BODY_MOST);
    }
    backend->multi = curl_multi_init();
    enum rt_status status = RT_OK;
    if (!backend->multi || failed)
        status = rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", subject->id);
    else
        curl_multi_setopt(backend->multi, CURLMOPT_MAXCONNECTS, (long)slots);
    if (!status)
        status = add_own_endpoints(backend, err);
    if (status) {
        chat_free(backend);
        return status;
    }
    *ret_backend = backend;
    return RT_OK;
}

// ---- attempts

static void start_attempt(struct rt_chat_slot *slot, uint32_t member, int64_t now_ms)
{
    int64_t left_ms = slot->deadline_ms - now_ms;
    int64_t timeout_ms = slot->timeout_ms < left_ms ? slot->timeout_ms : left_ms;
    rt_buf_clear(&slot->response);
    slot->wished_ms = RT_RETRY_NONE;
    slot->header_bytes = 0;
    slot->attempts++;
    slot->member = member;
    slot->asked_ms = now_ms;
    slot->phase = RT_CHAT_RUNNING;
    rt_endpoint_aim(slot->easy, &slot->backend->endpoints[member]);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, rt_buf_str(&slot->request));
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)slot->request.size);
    curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, (long)(timeout_ms > 1 ? timeout_ms : 1));
    curl_multi_add_handle(slot->backend->multi, slot->easy);
}

// Of those whose time has come, the one that has waited longest; those whose time is up are OVER.
// ret_at_ms is the next moment at which anything changes by itself.
static struct rt_chat_slot *next_due(struct rt_backend *backend, int64_t now_ms, int64_t *ret_at_ms)
{
    struct rt_chat_slot *first = NULL;
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        struct rt_chat_slot *slot = &backend->slots[i];
        if (slot->phase != RT_CHAT_WAITING)
            continue;
        if (slot->deadline_ms <= now_ms) {
            if (!*slot->failure.text)
                rt_chat_fail_unserved(slot, "no endpoint took it in time");
            slot->phase = RT_CHAT_OVER;
            *ret_at_ms = now_ms;
            continue;
        }
        int64_t at_ms = slot->resume_ms > now_ms ? slot->resume_ms : slot->deadline_ms;
        *ret_at_ms = at_ms < *ret_at_ms ? at_ms : *ret_at_ms;
        if (slot->resume_ms <= now_ms && (!first || slot->ticket < first->ticket))
            first = slot;
    }
    return first;
}

// Start what is due as far as the endpoints take it; returns how long to wait at most.
static int start_due(struct rt_backend *backend, int wait_ms)
{
    int64_t now_ms = rt_time_mono_ms(), at_ms = now_ms + wait_ms;
    struct rt_chat_slot *slot;
    while ((slot = next_due(backend, now_ms, &at_ms))) {
        int64_t free_ms = RT_POOL_NEVER;
        uint32_t avoid = slot->attempts ? slot->member : RT_POOL_NONE;
        uint32_t member = rt_pool_take(&backend->pool, avoid, now_ms, &free_ms);
        if (member == RT_POOL_NONE) {
            at_ms = free_ms < at_ms ? free_ms : at_ms;
            break;
        }
        start_attempt(slot, member, now_ms);
    }
    return at_ms > now_ms ? (int)(at_ms - now_ms) : 0;
}

static enum rt_status chat_ask(struct rt_backend *backend, uint32_t index,
                               const struct rt_chat_request *request, int64_t timeout_ms,
                               int64_t left_ms)
{
    struct rt_chat_slot *slot = &backend->slots[index];
    int64_t now_ms = rt_time_mono_ms();
    RT_ASSERT(slot->phase == RT_CHAT_IDLE);
    rt_buf_clear(&slot->request);
    if (!make_easy(slot))
        return RT_NO_MEMORY;
    enum rt_status status = rt_chat_json_request(backend->subject, request, &slot->request);
    if (status)
        return status;
    slot->attempts = 0;
    slot->failure = (struct rt_chat_failure){.text = ""};
    slot->timeout_ms = timeout_ms;
    slot->deadline_ms = left_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + left_ms;
    rt_chat_enqueue(slot, now_ms);
    start_due(backend, 0);
    return RT_OK;
}

static void chat_drop(struct rt_backend *backend, uint32_t index)
{
    struct rt_chat_slot *slot = &backend->slots[index];
    if (slot->phase == RT_CHAT_RUNNING) {
        curl_multi_remove_handle(backend->multi, slot->easy);
        rt_pool_back(&backend->pool, slot->member);
    }
    rt_chat_rest(slot);
}

// ---- waiting

// Sockets beyond FD_SETSIZE are left out by libcurl; their turn comes when the wait is over.
static size_t chat_watch(struct rt_backend *backend, struct pollfd *fds, size_t capacity,
                         int *wait_ms)
{
    fd_set in, out, other;
    long timer_ms = -1;
    int highest = -1;
    size_t count = 0;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&other);
    *wait_ms = start_due(backend, *wait_ms);
    if (curl_multi_fdset(backend->multi, &in, &out, &other, &highest))
        highest = -1;
    for (int fd = 0; fd <= highest && count < capacity; fd++) {
        short events = (short)((FD_ISSET(fd, &in) ? POLLIN : 0) |
                               (FD_ISSET(fd, &out) ? POLLOUT : 0));
        if (events || FD_ISSET(fd, &other))
            fds[count++] = (struct pollfd){.fd = fd, .events = events};
    }
    if (!curl_multi_timeout(backend->multi, &timer_ms) && timer_ms >= 0 && timer_ms < *wait_ms)
        *wait_ms = (int)timer_ms;
    return count;
}

static void chat_poll(struct rt_backend *backend, int timeout_ms, rt_backend_answer_fn *deliver,
                      void *ctx)
{
    struct rt_chat_delivery delivery = {deliver, ctx, 0};
    int wait_ms = start_due(backend, timeout_ms);
    rt_chat_deliver_over(backend, &delivery);
    for (int round = 0; round < 2 && !delivery.count; round++) {
        int running, left;
        CURLMsg *message;
        if (round && wait_ms > 0)
            curl_multi_poll(backend->multi, NULL, 0, wait_ms, NULL);
        curl_multi_perform(backend->multi, &running);
        while ((message = curl_multi_info_read(backend->multi, &left))) {
            struct rt_chat_slot *slot = NULL;
            CURLcode code = message->data.result;
            if (message->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
            rt_chat_end(&delivery, slot, code);
        }
        rt_chat_deliver_over(backend, &delivery);
    }
    start_due(backend, 0);
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
    .watch = chat_watch,
    .endpoint_add = chat_endpoint_add,
    .endpoint_drop = chat_endpoint_drop,
    .endpoint_count = chat_endpoint_count,
    .limit = chat_limit,
};
