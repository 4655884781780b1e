// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "coordinator/http/answer.h"
#include "coordinator/http/token.h"

#define BODY_MOST ((size_t)32 << 20)
#define BEARER    "Bearer "
#define CLOSED    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

#define COUNT(http, name)                                                                          \
    atomic_fetch_add_explicit(&(http)->counters.name, 1, memory_order_relaxed)

// ---- one answer on its way

static void add_headers(struct MHD_Response *response, const struct rt_http_answer *answer)
{
    static const char *const caching[] = {"no-store", "no-cache",
                                          "public, max-age=31536000, immutable"};
    MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "Cache-Control", caching[answer->caching]);
    MHD_add_response_header(response, "Vary", "Authorization");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Content-Security-Policy",
                            answer->page ? rt_http_page_policy() : CLOSED);
    if (answer->code == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer realm=\"ringtrial\"");
    if (answer->code == 405)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    if (answer->code == 503)
        MHD_add_response_header(response, "Retry-After", "1");
}

static void count(struct rt_http *http, const struct rt_http_answer *answer)
{
    switch (answer->code) {
    case 200:
        COUNT(http, answered);
        break;
    case 401:
        COUNT(http, bad_token);
        break;
    case 403:
        COUNT(http, withheld);
        break;
    case 404:
        COUNT(http, not_found);
        break;
    case 405:
        COUNT(http, bad_method);
        break;
    default:
        COUNT(http, failed);
    }
    atomic_fetch_add_explicit(&http->counters.bytes, answer->body.size, memory_order_relaxed);
}

// Takes the body's memory.
static enum MHD_Result send_answer(struct rt_http *http, struct MHD_Connection *connection,
                                   struct rt_http_answer *answer)
{
    count(http, answer);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.size, answer->body.data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        rt_buf_release(&answer->body);
        return MHD_NO;
    }
    add_headers(response, answer);
    enum MHD_Result result = MHD_queue_response(connection, answer->code, response);
    MHD_destroy_response(response);
    return result;
}

// ---- requests

// Who asks. False when a token was given that is none of ours: better said than served less.
static bool find_reader(struct rt_http *http, struct MHD_Connection *connection,
                        enum rt_reader *ret_reader)
{
    const char *given =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    *ret_reader = RT_READER_PUBLIC;
    if (!given)
        return true;
    size_t head = strlen(BEARER);
    if (strncmp(given, BEARER, head) != 0 ||
        !rt_token_known(http->tokens, rt_bytes_str(given + head)))
        return false;
    *ret_reader = RT_READER_TRUSTED;
    return true;
}

// Called when the headers have come, and again when the request is complete.
static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    static int begun;
    struct rt_http *http = ctx;
    struct rt_route route;
    enum rt_reader reader;
    (void)version;
    (void)upload;
    bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
                 strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (!*request && reads) {
        *request = &begun;
        return MHD_YES;
    }
    if (*upload_size)
        return MHD_NO; // nobody has anything to tell us
    struct rt_http_answer answer = {.code = 500, .type = "text/plain"};
    rt_buf_init(&answer.body, BODY_MOST);
    *request = &begun;
    if (!reads) // said before a body is sent
        rt_http_refuse(&answer, 405, "GET and HEAD only");
    else if (!find_reader(http, connection, &reader))
        rt_http_refuse(&answer, 401, "this token is not known here");
    else if (rt_route_parse(rt_bytes_str(url), &route))
        rt_http_refuse(&answer, 404, "not found");
    else
        rt_http_answer(http, &route, reader, &answer);
    return send_answer(http, connection, &answer);
}

// Paths are taken as they were sent: what is written with percent signs is no path of ours.
static size_t keep_as_sent(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text);
}

// ---- where

struct place {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address;
    socklen_t size;
    bool loopback;
};

static bool read_place(const char *listen, struct place *ret_place)
{
    char host[64];
    uint64_t port = 0;
    const char *colon = strrchr(listen, ':');
    bool six = listen[0] == '[';
    size_t skip = six, size = colon ? (size_t)(colon - listen) : 0;
    memset(ret_place, 0, sizeof *ret_place);
    if (!colon || size <= 2 * skip || size - 2 * skip >= sizeof host || (six && colon[-1] != ']') ||
        rt_parse_u64(colon + 1, &port) || port > 65535)
        return false;
    memcpy(host, listen + skip, size - 2 * skip);
    host[size - 2 * skip] = 0;
    if (six) {
        ret_place->address.six.sin6_family = AF_INET6;
        ret_place->address.six.sin6_port = htons((uint16_t)port);
        ret_place->size = sizeof ret_place->address.six;
        bool good = inet_pton(AF_INET6, host, &ret_place->address.six.sin6_addr) == 1;
        ret_place->loopback = good && IN6_IS_ADDR_LOOPBACK(&ret_place->address.six.sin6_addr);
        return good;
    }
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof host, "127.0.0.1");
    ret_place->address.four.sin_family = AF_INET;
    ret_place->address.four.sin_port = htons((uint16_t)port);
    ret_place->size = sizeof ret_place->address.four;
    bool good = inet_pton(AF_INET, host, &ret_place->address.four.sin_addr) == 1;
    ret_place->loopback = good && ntohl(ret_place->address.four.sin_addr.s_addr) >> 24 == 127;
    return good;
}

static void write_url(struct rt_http *http, const char *listen)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    int host = (int)(strrchr(listen, ':') - listen);
    snprintf(http->url, sizeof http->url, "http://%.*s:%u/", host, listen,
             info ? (unsigned)info->port : 0);
}

enum rt_status rt_http_start(struct rt_http *http, const char *listen, struct rt_error *err)
{
    struct place place;
    pthread_mutex_init(&http->report_mutex, NULL);
    if (!read_place(listen, &place))
        return rt_error_set(err, RT_USAGE,
                            "--http %s: give an address and a port, such as 127.0.0.1:8080",
                            listen);
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC |
                     (place.address.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    // The port is in the address; MHD ignores the one beside it.
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, http, MHD_OPTION_SOCK_ADDR, &place.address.any,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)RT_HTTP_CONNECTIONS_MOST,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)RT_HTTP_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)RT_HTTP_MEMORY_BYTES,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)RT_HTTP_THREADS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_as_sent, NULL, MHD_OPTION_END);
    if (!http->daemon)
        return rt_error_set(err, RT_NETWORK, "--http %s: cannot listen there; is the port taken?",
                            listen);
    write_url(http, listen);
    if (!place.loopback)
        rt_log_warn("HTTP listens beyond this machine; tokens travel unencrypted unless a proxy "
                    "in front adds TLS",
                    "address=%s", listen);
    return RT_OK;
}

void rt_http_stop(struct rt_http *http)
{
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    http->daemon = NULL;
    pthread_mutex_destroy(&http->report_mutex);
}
