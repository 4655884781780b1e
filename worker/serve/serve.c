// SPDX-License-Identifier: Apache-2.0
#include "worker/serve/serve.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "worker/serve/quirk.h"
#include "worker/serve/wire.h"

#define HANGS_MOST       256
#define CONNECTIONS_MOST 1024
#define REQUEST_MEMORY   (4 * RT_SERVE_BODY_MOST)
#define HUGE_BYTES       9000000
#define FAULT_EVERY      3
#define NO_FAULT         RT_SERVE_FAULT_COUNT

struct rt_serve {
    struct rt_serve_options options;
    struct rt_synthetic *subject;
    struct MHD_Daemon *daemon;
    uint16_t port;
    atomic_uint_fast64_t requests;
    pthread_mutex_t lock; // faults left, connections that hang
    uint32_t faults[RT_SERVE_FAULT_COUNT];
    uint32_t next_fault;
    struct MHD_Connection *hanging[HANGS_MOST];
    size_t hanging_count;
    bool stopping;
};

// One request as it arrives.
struct request {
    struct rt_buf body;
    bool too_large;
    bool hung; // was suspended: only the end of the server brings it back
};

// ---- faults

static const char *const fault_words[] = {
#define X(name, word, what) word,
    RT_SERVE_FAULT_TABLE(X)
#undef X
        NULL};

enum rt_status rt_serve_faults_read(const char *text, uint32_t ret_faults[RT_SERVE_FAULT_COUNT],
                                    struct rt_error *err)
{
    uint32_t faults[RT_SERVE_FAULT_COUNT] = {0};
    while (*text) {
        char word[32];
        uint64_t count = 1;
        size_t size = strcspn(text, ",");
        if (size >= sizeof word)
            return rt_error_set(err, RT_MALFORMED, "a fault is WORD:COUNT, such as 429:3");
        memcpy(word, text, size);
        word[size] = 0;
        char *colon = strchr(word, ':');
        if (colon)
            *colon++ = 0;
        if (colon && (rt_parse_u64(colon, &count) || count > 1000000))
            return rt_error_set(err, RT_MALFORMED, "a fault is WORD:COUNT, such as 429:3");
        size_t kind = 0;
        while (fault_words[kind] && strcmp(fault_words[kind], word) != 0)
            kind++;
        if (!fault_words[kind])
            return rt_error_set(err, RT_NOT_FOUND,
                                "no fault `%s`; there are 429, 429date, 408, 500, 503, 400, "
                                "garbage, html, empty, huge, hang and close",
                                word);
        faults[kind] += (uint32_t)count;
        text += size + (text[size] == ',');
    }
    memcpy(ret_faults, faults, sizeof faults);
    return RT_OK;
}

// The fault this request meets: every n-th takes the next kind that is left, in turn.
static enum rt_serve_fault take_fault(struct rt_serve *serve, uint64_t number)
{
    uint32_t every = serve->options.fault_every ? serve->options.fault_every : FAULT_EVERY;
    enum rt_serve_fault fault = NO_FAULT;
    if (number % every)
        return NO_FAULT;
    pthread_mutex_lock(&serve->lock);
    for (uint32_t i = 0; i < RT_SERVE_FAULT_COUNT && fault == NO_FAULT; i++) {
        uint32_t kind = (serve->next_fault + i) % RT_SERVE_FAULT_COUNT;
        if (!serve->faults[kind])
            continue;
        serve->faults[kind]--;
        serve->next_fault = kind + 1;
        fault = (enum rt_serve_fault)kind;
    }
    pthread_mutex_unlock(&serve->lock);
    return fault;
}

// ---- responses

static enum MHD_Result send_bytes(struct MHD_Connection *connection, unsigned code,
                                  const char *type, struct rt_bytes body, const char *header,
                                  const char *value)
{
    void *bytes = malloc(body.size + 1);
    struct MHD_Response *response = NULL;
    if (bytes && body.size)
        memcpy(bytes, body.data, body.size);
    if (bytes)
        response = MHD_create_response_from_buffer(body.size, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Server", "ringtrial-synthetic/" RT_VERSION);
    if (header)
        MHD_add_response_header(response, header, value);
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_error(struct MHD_Connection *connection, unsigned code,
                                  const char *message, const char *type)
{
    struct rt_buf out;
    rt_buf_init(&out, 1 << 16);
    rt_serve_write_error(message, type, (int)code, &out);
    enum MHD_Result result =
        send_bytes(connection, code, "application/json", rt_buf_bytes(&out), NULL, NULL);
    rt_buf_release(&out);
    return result;
}

// An answer that breaks off: a promised length, a little of it, and the end of the connection.
static ssize_t broken_body(void *ctx, uint64_t position, char *buffer, size_t capacity)
{
    static const char start[] = "{\"id\":\"chatcmpl-";
    (void)ctx;
    if (position)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t size = sizeof start - 1 < capacity ? sizeof start - 1 : capacity;
    memcpy(buffer, start, size);
    return (ssize_t)size;
}

static enum MHD_Result send_broken(struct MHD_Connection *connection)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(4096, 1024, broken_body, NULL, NULL);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_huge(struct MHD_Connection *connection)
{
    char *body = malloc(HUGE_BYTES);
    if (!body)
        return MHD_NO;
    memset(body, ' ', HUGE_BYTES);
    enum MHD_Result result =
        send_bytes(connection, 200, "application/json", rt_bytes(body, HUGE_BYTES), NULL, NULL);
    free(body);
    return result;
}

static enum MHD_Result hang(struct rt_serve *serve, struct MHD_Connection *connection,
                            struct request *request)
{
    pthread_mutex_lock(&serve->lock);
    bool room = serve->hanging_count < HANGS_MOST && !serve->stopping;
    if (room) {
        request->hung = true;
        serve->hanging[serve->hanging_count++] = connection;
        MHD_suspend_connection(connection);
    }
    pthread_mutex_unlock(&serve->lock);
    return room ? MHD_YES : MHD_NO;
}

static enum MHD_Result send_too_many(struct MHD_Connection *connection, bool date)
{
    static const char body[] = "{\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit\","
                               "\"param\":null,\"code\":\"rate_limit_exceeded\"}}";
    char when[64] = "0";
    time_t soon = (time_t)(rt_time_wall_ms() / 1000 + 2);
    struct tm parts;
    if (date && gmtime_r(&soon, &parts))
        strftime(when, sizeof when, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return send_bytes(connection, 429, "application/json", rt_bytes_str(body), "Retry-After", when);
}

static enum MHD_Result send_fault(struct rt_serve *serve, struct MHD_Connection *connection,
                                  struct request *request, enum rt_serve_fault fault)
{
    switch (fault) {
    case RT_SERVE_FAULT_TOO_MANY:
    case RT_SERVE_FAULT_TOO_MANY_DATE:
        return send_too_many(connection, fault == RT_SERVE_FAULT_TOO_MANY_DATE);
    case RT_SERVE_FAULT_REQUEST_TIMEOUT:
        return send_bytes(connection, 408, "application/json",
                          rt_bytes_str("{\"error\":\"too slow\"}"), NULL, NULL);
    case RT_SERVE_FAULT_SERVER_ERROR:
        return send_error(connection, 500, "planted failure", "server_error");
    case RT_SERVE_FAULT_UNAVAILABLE:
        return send_error(connection, 503, "loading", "unavailable_error");
    case RT_SERVE_FAULT_BAD_REQUEST:
        return send_error(connection, 400, "planted refusal", "invalid_request_error");
    case RT_SERVE_FAULT_GARBAGE:
        return send_bytes(connection, 200, "application/json",
                          rt_bytes_str("{\"id\": \"chatcmpl-1\", \"choices\": [{\"mess"), NULL,
                          NULL);
    case RT_SERVE_FAULT_HTML:
        return send_bytes(connection, 200, "text/html",
                          rt_bytes_str("<!doctype html><title>Bad gateway</title>"), NULL, NULL);
    case RT_SERVE_FAULT_EMPTY:
        return send_bytes(connection, 200, "application/json", rt_bytes(NULL, 0), NULL, NULL);
    case RT_SERVE_FAULT_HUGE:
        return send_huge(connection);
    case RT_SERVE_FAULT_HANG:
        return hang(serve, connection, request);
    default:
        return send_broken(connection);
    }
}

// ---- requests

static bool authorised(const struct rt_serve *serve, struct MHD_Connection *connection)
{
    const char *key = serve->options.key;
    if (!key || !*key)
        return true;
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    if (!given || strncmp(given, "Bearer ", 7) != 0 || strlen(given + 7) != strlen(key))
        return false;
    unsigned differs = 0;
    for (size_t i = 0; key[i]; i++)
        differs |= (unsigned char)given[7 + i] ^ (unsigned char)key[i];
    return differs == 0;
}

static enum MHD_Result complete(struct rt_serve *serve, struct MHD_Connection *connection,
                                const struct request *request)
{
    struct rt_arena arena;
    struct rt_chat_request asked;
    struct rt_chat_reply reply;
    struct rt_buf out;
    struct rt_error err = {RT_OK, ""};
    enum MHD_Result result;
    rt_arena_init(&arena, REQUEST_MEMORY);
    rt_buf_init(&out, RT_SERVE_BODY_MOST);
    enum rt_status status = rt_serve_read(rt_buf_bytes(&request->body), &arena, &asked, &err);
    bool understood = status == RT_OK;
    if (!status) {
        rt_serve_quirk_request(serve->options.quirks, serve->requests, &asked);
        status = rt_synthetic_answer(serve->subject, &asked, &arena, &reply);
    }
    if (!status)
        status = rt_serve_quirk_reply(serve->options.quirks, &arena, &reply);
    if (!status)
        status = rt_serve_write(&reply, serve->options.model, rt_time_wall_ms() / 1000, &out);
    if (!status)
        result = send_bytes(connection, 200, "application/json", rt_buf_bytes(&out), NULL, NULL);
    else if (!understood)
        result = send_error(connection, 400, err.text, "invalid_request_error");
    else
        result = send_error(connection, 500, rt_status_text(status), "server_error");
    rt_buf_release(&out);
    rt_arena_release(&arena);
    return result;
}

static enum MHD_Result respond(struct rt_serve *serve, struct MHD_Connection *connection,
                               const char *url, const char *method, struct request *request)
{
    bool post = strcmp(method, "POST") == 0;
    if (strcmp(url, "/health") == 0 && !post)
        return send_bytes(connection, 200, "application/json", rt_bytes_str("{\"status\":\"ok\"}"),
                          NULL, NULL);
    if (!authorised(serve, connection))
        return send_error(connection, 401, "wrong or missing key", "authentication_error");
    if (strcmp(url, "/v1/models") == 0 && !post) {
        struct rt_buf out;
        rt_buf_init(&out, 1 << 16);
        rt_serve_write_models(serve->options.model, &out);
        enum MHD_Result result =
            send_bytes(connection, 200, "application/json", rt_buf_bytes(&out), NULL, NULL);
        rt_buf_release(&out);
        return result;
    }
    if (strcmp(url, "/v1/chat/completions") != 0)
        return send_error(connection, 404, "no such path", "not_found_error");
    if (!post)
        return send_error(connection, 405, "use POST", "invalid_request_error");
    if (request->too_large)
        return send_error(connection, 413, "the request is over 8 MiB", "invalid_request_error");
    enum rt_serve_fault fault = take_fault(serve, atomic_fetch_add(&serve->requests, 1) + 1);
    return fault == NO_FAULT ? complete(serve, connection, request)
                             : send_fault(serve, connection, request, fault);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct request *request = *state;
    (void)version;
    if (!request) {
        request = calloc(1, sizeof *request);
        if (!request)
            return MHD_NO;
        rt_buf_init(&request->body, RT_SERVE_BODY_MOST);
        *state = request;
        return MHD_YES;
    }
    if (*upload_size) {
        rt_buf_add(&request->body, upload, *upload_size);
        request->too_large = rt_buf_ok(&request->body) != RT_OK;
        *upload_size = 0;
        return MHD_YES;
    }
    return request->hung ? MHD_NO : respond(ctx, connection, url, method, request);
}

static void forget(void *ctx, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct request *request = *state;
    (void)ctx, (void)connection, (void)why;
    if (!request)
        return;
    rt_buf_release(&request->body);
    free(request);
    *state = NULL;
}

// ---- start and stop

enum rt_status rt_serve_start(const struct rt_serve_options *options, struct rt_serve **ret_serve,
                              struct rt_error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    if (inet_pton(AF_INET, options->host, &address.sin_addr) != 1)
        return rt_error_set(err, RT_MALFORMED, "%s is not an IPv4 address", options->host);
    struct rt_serve *serve = calloc(1, sizeof *serve);
    if (!serve)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    serve->options = *options;
    memcpy(serve->faults, options->faults, sizeof serve->faults);
    pthread_mutex_init(&serve->lock, NULL);
    enum rt_status status = rt_synthetic_new(&options->effects, options->scenarios,
                                             options->scenario_count, &serve->subject);
    if (!status) {
        serve->daemon = MHD_start_daemon(
            MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, options->port, NULL, NULL,
            handle, serve, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
            MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_CONNECTION_LIMIT,
            (unsigned)CONNECTIONS_MOST, MHD_OPTION_END);
        status = serve->daemon ? RT_OK : RT_NETWORK;
    }
    const union MHD_DaemonInfo *info =
        serve->daemon ? MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (status || !info) {
        rt_serve_stop(serve);
        return rt_error_set(err, status ? status : RT_NETWORK, "cannot serve on %s port %u: %s",
                            options->host, options->port, rt_status_text(status));
    }
    serve->port = info->port;
    *ret_serve = serve;
    return RT_OK;
}

uint16_t rt_serve_port(const struct rt_serve *serve)
{
    return serve->port;
}

uint64_t rt_serve_requests(const struct rt_serve *serve)
{
    return atomic_load(&serve->requests);
}

void rt_serve_stop(struct rt_serve *serve)
{
    if (!serve)
        return;
    pthread_mutex_lock(&serve->lock);
    serve->stopping = true;
    for (size_t i = 0; i < serve->hanging_count; i++)
        MHD_resume_connection(serve->hanging[i]);
    serve->hanging_count = 0;
    pthread_mutex_unlock(&serve->lock);
    if (serve->daemon)
        MHD_stop_daemon(serve->daemon);
    rt_synthetic_free(serve->subject);
    pthread_mutex_destroy(&serve->lock);
    free(serve);
}
