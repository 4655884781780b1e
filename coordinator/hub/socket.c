// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/socket.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include "common/base/time.h"

// libzmq 4.3.4 has this option but declares it under ZMQ_BUILD_DRAFT_API alone; without it a
// missing handler admits everybody.
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#define MESSAGE_MOST (1 << 20)
// Frames that wait per peer while the ring is full: what one peer can make us hold is this many
// messages of the largest size. What we send is small, and credit lets 1,024 units go out at once.
#define RECEIVE_MOST 128

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool bound_router(void *socket)
{
    int64_t most = MESSAGE_MOST;
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most) == 0 &&
           set(socket, ZMQ_LINGER, 0) && set(socket, ZMQ_SNDHWM, 4096) &&
           set(socket, ZMQ_RCVHWM, RECEIVE_MOST) && set(socket, ZMQ_BACKLOG, 128) &&
           set(socket, ZMQ_ROUTER_MANDATORY, 1) && set(socket, ZMQ_ROUTER_HANDOVER, 0) &&
           set(socket, ZMQ_HANDSHAKE_IVL, 5000) && set(socket, ZMQ_IPV6, 1);
}

static enum rt_status failed(void *socket, const char *what, struct rt_error *err)
{
    int saved = errno;
    if (socket)
        zmq_close(socket);
    return rt_error_set(err, RT_NETWORK, "%s: %s", what, zmq_strerror(saved));
}

enum rt_status rt_socket_public(void *context, const char *endpoint,
                                const struct rt_curve_secret *key, void **ret_socket,
                                struct rt_error *err)
{
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    if (!socket || !bound_router(socket) || !set(socket, ZMQ_CURVE_SERVER, 1) ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, rt_curve_secret_bytes(key),
                       RT_CURVE_KEY_BYTES) ||
        zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, RT_ZAP_DOMAIN, strlen(RT_ZAP_DOMAIN)) ||
        !set(socket, ZMQ_ZAP_ENFORCE_DOMAIN, 1) || !set(socket, ZMQ_HEARTBEAT_IVL, 15000) ||
        !set(socket, ZMQ_HEARTBEAT_TIMEOUT, 45000) || !set(socket, ZMQ_HEARTBEAT_TTL, 60000) ||
        !set(socket, ZMQ_TCP_KEEPALIVE, 1))
        return failed(socket, "cannot prepare the public socket", err);
    if (zmq_bind(socket, endpoint)) {
        char what[300];
        snprintf(what, sizeof what,
                 "cannot listen at %.200s (another one running? --listen moves it)", endpoint);
        return failed(socket, what, err);
    }
    *ret_socket = socket;
    return RT_OK;
}

enum rt_status rt_socket_local(void *context, const char *path, void **ret_socket,
                               struct rt_error *err)
{
    char endpoint[300];
    if (snprintf(endpoint, sizeof endpoint, "ipc://%s", path) >= (int)sizeof endpoint ||
        strlen(path) > 100)
        return rt_error_set(err, RT_TOO_LARGE,
                            "%s: path too long for a local socket; use a shorter state folder",
                            path);
    // The store's lock says that no other coordinator is alive here, so a leftover socket is dead.
    unlink(path);
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    if (!socket || !bound_router(socket))
        return failed(socket, "cannot prepare the local socket", err);
    if (zmq_bind(socket, endpoint))
        return failed(socket, "cannot bind the local socket", err);
    *ret_socket = socket;
    return RT_OK;
}

static bool dial(void *dealer, const char *endpoint, const struct rt_curve_public *server,
                 const struct rt_curve_secret *key)
{
    return set(dealer, ZMQ_LINGER, 0) &&
           !zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, server->bytes, RT_CURVE_KEY_BYTES) &&
           !zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, rt_curve_secret_public(key)->bytes,
                           RT_CURVE_KEY_BYTES) &&
           !zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, rt_curve_secret_bytes(key),
                           RT_CURVE_KEY_BYTES) &&
           !zmq_connect(dealer, endpoint) && zmq_send(dealer, "?", 1, ZMQ_DONTWAIT) == 1;
}

enum rt_status rt_socket_self_test(void *context, const char *endpoint,
                                   const struct rt_curve_public *server, void *router,
                                   struct rt_zap *zap, struct rt_error *err)
{
    struct rt_curve_secret *key = NULL;
    if (rt_curve_generate(&key))
        return rt_error_set(err, RT_IO, "cannot make a key for the start-up test");
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    bool dialled = dealer && dial(dealer, endpoint, server, key);
    // Labs that dial in meanwhile are told to come back, so that any frame is the stranger's.
    zap->testing = rt_curve_secret_public(key)->bytes;
    zap->test_refused = 0;
    bool got_in = false;
    int64_t refused_at = 0;
    // After the refusal, a moment more: a frame that slipped through would be here by then.
    for (int64_t start = rt_time_mono_ms(); dialled && rt_time_mono_ms() - start < 2000;) {
        zmq_pollitem_t items[] = {{zap->socket, 0, ZMQ_POLLIN, 0}, {router, 0, ZMQ_POLLIN, 0}};
        zmq_poll(items, 2, 20);
        rt_zap_serve(zap);
        got_in = got_in || (items[1].revents & ZMQ_POLLIN);
        if (!refused_at && zap->test_refused)
            refused_at = rt_time_mono_ms();
        if (got_in || (refused_at && rt_time_mono_ms() - refused_at > 150))
            break;
    }
    zap->testing = NULL;
    if (dealer)
        zmq_close(dealer);
    rt_curve_free(key);
    if (!dialled)
        return rt_error_set(err, RT_NETWORK, "the start-up test could not dial %s", endpoint);
    if (got_in || !refused_at)
        return rt_error_set(
            err, RT_NOT_PERMITTED,
            "start-up test: a random key was %s at %s; refusing to serve with admission broken",
            got_in ? "let in" : "not refused", endpoint);
    return RT_OK;
}

enum rt_status rt_socket_raise_nofile(unsigned least, struct rt_error *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return rt_error_errno(err, errno, "cannot read the limit of open files");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < least)
        return rt_error_set(
            err, RT_NOT_PERMITTED,
            "the limit of open files is %llu and %u are needed; raise it (ulimit -n, LimitNOFILE=)",
            (unsigned long long)limit.rlim_cur, least);
    return RT_OK;
}
