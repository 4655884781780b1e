// SPDX-License-Identifier: Apache-2.0
#include "worker/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "common/base/time.h"

#define FRAME_WIRE_MOST (1 << 20) // ZMQ_MAXMSGSIZE: payloads end before it
#define QUEUE_MOST      1024      // frames either way

struct rt_link {
    struct rt_link_settings settings;
    char *address, *via;
    void *context, *socket, *monitor;
    enum rt_link_state state;
    int64_t until_ms; // WAITING: dial then; DIALLING: give up then; UP: renew then
    int64_t pause_ms;
    uint64_t failures;
    uint64_t opened; // sockets made so far: names the monitor's endpoint
    uint64_t random;
    char why[200];
    zmq_msg_t frame;
    bool has_frame;
};

void rt_link_settings_init(struct rt_link_settings *settings)
{
    *settings = (struct rt_link_settings){
        .heartbeat_ms = 15000,
        .heartbeat_timeout_ms = 45000,
        .heartbeat_ttl_ms = 60000,
        .connect_timeout_ms = 20000,
        .redial_least_ms = 250,
        .redial_most_ms = 30000,
        .renew_after_ms = 24 * INT64_C(3600000),
    };
}

// "host:port" with a port of 1 to 65535; the host's spelling is the resolver's business.
static bool host_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || strlen(text) > 255)
        return false;
    uint64_t port = 0;
    for (const char *p = colon + 1; *p; p++) {
        if (*p < '0' || *p > '9' || port > 65535)
            return false;
        port = port * 10 + (uint64_t)(*p - '0');
    }
    return port >= 1 && port <= 65535;
}

enum rt_status rt_link_new(const struct rt_link_settings *settings, struct rt_link **ret_link,
                           struct rt_error *err)
{
    const char *via = settings->via ? settings->via : "";
    if (strncmp(settings->address, "tcp://", 6) || !host_port(settings->address + 6))
        return rt_error_set(err, RT_MALFORMED, "address '%s': write tcp://HOST:PORT",
                            settings->address);
    if (*via && !host_port(via))
        return rt_error_set(err, RT_MALFORMED, "proxy '%s': write HOST:PORT", via);
    struct rt_link *link = calloc(1, sizeof *link);
    if (!link)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    link->settings = *settings;
    link->address = strdup(settings->address);
    link->via = strdup(via);
    link->context = zmq_ctx_new();
    link->pause_ms = settings->redial_least_ms;
    link->random = (uint64_t)rt_time_mono_us() ^ (uint64_t)(uintptr_t)link;
    if (!link->address || !link->via || !link->context) {
        rt_link_free(link);
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    *ret_link = link;
    return RT_OK;
}

static void let_go(struct rt_link *link)
{
    if (link->has_frame)
        zmq_msg_close(&link->frame);
    link->has_frame = false;
    if (link->socket)
        zmq_socket_monitor(link->socket, NULL, 0);
    if (link->monitor)
        zmq_close(link->monitor);
    if (link->socket)
        zmq_close(link->socket);
    link->socket = link->monitor = NULL;
}

void rt_link_free(struct rt_link *link)
{
    if (!link)
        return;
    let_go(link);
    if (link->context)
        zmq_ctx_term(link->context);
    free(link->address);
    free(link->via);
    free(link);
}

enum rt_link_state rt_link_state(const struct rt_link *link)
{
    return link->state;
}

const char *rt_link_why(const struct rt_link *link)
{
    return link->why;
}

uint64_t rt_link_failures(const struct rt_link *link)
{
    return link->failures;
}

// Back off by half to the whole of the present pause, so that labs cut off together do not all
// come back together.
static void pause_before_redial(struct rt_link *link)
{
    link->random ^= link->random << 13;
    link->random ^= link->random >> 7;
    link->random ^= link->random << 17;
    int64_t half = link->pause_ms / 2;
    int64_t pause = half + (int64_t)(link->random % (uint64_t)(half + 1));
    link->until_ms = rt_time_mono_ms() + pause;
    link->pause_ms *= 2;
    if (link->pause_ms > link->settings.redial_most_ms)
        link->pause_ms = link->settings.redial_most_ms;
}

static void lose(struct rt_link *link, const char *why)
{
    let_go(link);
    snprintf(link->why, sizeof link->why, "%s", why);
    if (link->state != RT_LINK_UP)
        link->failures++;
    link->state = RT_LINK_WAITING;
    pause_before_redial(link);
}

void rt_link_drop(struct rt_link *link, const char *why)
{
    if (link->state == RT_LINK_WAITING)
        return;
    lose(link, why ? why : "reconnecting");
    if (!why)
        link->until_ms = 0;
}

static int set_int(void *socket, int option, int64_t value)
{
    int number = (int)value;
    return zmq_setsockopt(socket, option, &number, sizeof number);
}

static int set_options(struct rt_link *link)
{
    const struct rt_link_settings *settings = &link->settings;
    void *socket = link->socket;
    int64_t most = FRAME_WIRE_MOST;
    const struct {
        int option;
        int64_t value;
    } numbers[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_IMMEDIATE, 1},
        {ZMQ_SNDHWM, QUEUE_MOST},
        {ZMQ_RCVHWM, QUEUE_MOST},
        {ZMQ_RECONNECT_IVL, -1}, // this file redials
        {ZMQ_HANDSHAKE_IVL, settings->connect_timeout_ms},
        {ZMQ_CONNECT_TIMEOUT, settings->connect_timeout_ms},
        {ZMQ_HEARTBEAT_IVL, settings->heartbeat_ms},
        {ZMQ_HEARTBEAT_TIMEOUT, settings->heartbeat_timeout_ms},
        {ZMQ_HEARTBEAT_TTL, settings->heartbeat_ttl_ms},
        {ZMQ_IPV6, 1},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (set_int(socket, numbers[i].option, numbers[i].value))
            return -1;
    const struct rt_curve_public *own = rt_curve_secret_public(settings->own);
    if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most) ||
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, settings->server.bytes, RT_CURVE_KEY_BYTES) ||
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->bytes, RT_CURVE_KEY_BYTES) ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, rt_curve_secret_bytes(settings->own),
                       RT_CURVE_KEY_BYTES))
        return -1;
    return *link->via ? zmq_setsockopt(socket, ZMQ_SOCKS_PROXY, link->via, strlen(link->via)) : 0;
}

static int watch(struct rt_link *link)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://link-%llu", (unsigned long long)++link->opened);
    int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    if (zmq_socket_monitor(link->socket, endpoint, events))
        return -1;
    link->monitor = zmq_socket(link->context, ZMQ_PAIR);
    if (!link->monitor || set_int(link->monitor, ZMQ_LINGER, 0))
        return -1;
    return zmq_connect(link->monitor, endpoint);
}

static void dial(struct rt_link *link)
{
    link->state = RT_LINK_DIALLING;
    link->until_ms = rt_time_mono_ms() + link->settings.connect_timeout_ms;
    link->socket = zmq_socket(link->context, ZMQ_DEALER);
    if (!link->socket || set_options(link) || watch(link) ||
        zmq_connect(link->socket, link->address)) {
        char why[200];
        snprintf(why, sizeof why, "cannot dial %s: %s", link->address, zmq_strerror(errno));
        lose(link, why);
    }
}

// One event of the monitor: 16-bit number and 32-bit value in the first frame, the endpoint in the
// second. 0 when nothing is there.
static int monitor_event(struct rt_link *link, uint32_t *ret_value)
{
    zmq_msg_t msg;
    int event = 0;
    zmq_msg_init(&msg);
    if (zmq_msg_recv(&msg, link->monitor, ZMQ_DONTWAIT) >= 6) {
        uint16_t number;
        memcpy(&number, zmq_msg_data(&msg), sizeof number);
        memcpy(ret_value, (const uint8_t *)zmq_msg_data(&msg) + 2, sizeof *ret_value);
        event = number;
    }
    while (zmq_msg_more(&msg))
        if (zmq_msg_recv(&msg, link->monitor, ZMQ_DONTWAIT) < 0)
            break;
    zmq_msg_close(&msg);
    return event;
}

static enum rt_link_event heard(struct rt_link *link, int event, uint32_t value)
{
    char why[200];
    switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        link->state = RT_LINK_UP;
        link->until_ms = rt_time_mono_ms() + link->settings.renew_after_ms;
        link->pause_ms = link->settings.redial_least_ms;
        link->failures = 0;
        return RT_LINK_OPENED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        snprintf(why, sizeof why, "%s answers and does not admit this lab's transport key: it is "
                 "not admitted yet, another one was, or it was revoked (code %u)", link->address,
                 value);
        lose(link, why);
        return RT_LINK_CLOSED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        snprintf(why, sizeof why, "%s broke off the handshake%s%s: this lab is not admitted "
                 "there yet, its key was replaced or revoked, or something else listens there",
                 link->address, value ? ", " : "",
                 !value ? "" : value == EPIPE ? "closing the connection" : "against the protocol");
        lose(link, why);
        return RT_LINK_CLOSED;
    case ZMQ_EVENT_DISCONNECTED:
    case ZMQ_EVENT_CLOSED:
        if (link->state == RT_LINK_UP)
            snprintf(why, sizeof why, "%s closed the connection", link->address);
        else
            snprintf(why, sizeof why, "%s cannot be reached%s%s, or ends the connection before it "
                     "is up", link->address, *link->via ? " through " : "", link->via);
        lose(link, why);
        return RT_LINK_CLOSED;
    default:
        return RT_LINK_NOTHING;
    }
}

static enum rt_link_event receive(struct rt_link *link, struct rt_bytes *ret_frame)
{
    if (link->has_frame)
        zmq_msg_close(&link->frame);
    zmq_msg_init(&link->frame);
    link->has_frame = true;
    if (zmq_msg_recv(&link->frame, link->socket, ZMQ_DONTWAIT) < 0)
        return RT_LINK_NOTHING;
    // One frame is one message: anything else is not our protocol.
    if (zmq_msg_more(&link->frame) || zmq_msg_size(&link->frame) > RT_LINK_FRAME_MOST) {
        lose(link, "the peer does not speak this protocol (frame in parts or too long)");
        return RT_LINK_CLOSED;
    }
    *ret_frame = rt_bytes(zmq_msg_data(&link->frame), zmq_msg_size(&link->frame));
    return RT_LINK_FRAME;
}

// What is due by the clock.
static enum rt_link_event due(struct rt_link *link, int64_t now_ms)
{
    if (now_ms < link->until_ms)
        return RT_LINK_NOTHING;
    char why[200];
    switch (link->state) {
    case RT_LINK_WAITING:
        dial(link);
        return link->state == RT_LINK_WAITING ? RT_LINK_CLOSED : RT_LINK_NOTHING;
    case RT_LINK_DIALLING:
        snprintf(why, sizeof why, "%s did not answer within %lld ms", link->address,
                 (long long)link->settings.connect_timeout_ms);
        lose(link, why);
        return RT_LINK_CLOSED;
    case RT_LINK_UP:
        lose(link, "daily renewal of the connection's keys");
        link->until_ms = 0;
        return RT_LINK_CLOSED;
    }
    return RT_LINK_NOTHING;
}

// What is there now. Frames first: what arrived before a disconnection is still worth having.
static enum rt_link_event ready(struct rt_link *link, struct rt_bytes *ret_frame)
{
    enum rt_link_event event = RT_LINK_NOTHING;
    if (link->state == RT_LINK_UP)
        event = receive(link, ret_frame);
    uint32_t value = 0;
    int number;
    while (event == RT_LINK_NOTHING && link->monitor && (number = monitor_event(link, &value)))
        event = heard(link, number, value);
    return event == RT_LINK_NOTHING ? due(link, rt_time_mono_ms()) : event;
}

enum rt_link_event rt_link_wait(struct rt_link *link, int timeout_ms, struct rt_bytes *ret_frame)
{
    int64_t end_ms = rt_time_mono_ms() + timeout_ms;
    for (;;) {
        enum rt_link_event event = ready(link, ret_frame);
        int64_t now_ms = rt_time_mono_ms();
        if (event != RT_LINK_NOTHING || now_ms >= end_ms)
            return event;
        int64_t until = link->until_ms < end_ms ? link->until_ms : end_ms;
        zmq_pollitem_t items[2] = {{link->monitor, 0, ZMQ_POLLIN, 0},
                                   {link->socket, 0, ZMQ_POLLIN, 0}};
        int count = link->state == RT_LINK_WAITING ? 0 : link->state == RT_LINK_UP ? 2 : 1;
        if (zmq_poll(items, count, until > now_ms ? (long)(until - now_ms) : 0) < 0)
            return RT_LINK_NOTHING; // a signal: the caller looks at its flags
    }
}

enum rt_status rt_link_send(struct rt_link *link, struct rt_bytes frame)
{
    if (frame.size > RT_LINK_FRAME_MOST)
        return RT_TOO_LARGE;
    if (link->state != RT_LINK_UP)
        return RT_AGAIN;
    return zmq_send(link->socket, frame.data, frame.size, ZMQ_DONTWAIT) < 0 ? RT_AGAIN : RT_OK;
}
