// SPDX-License-Identifier: Apache-2.0
// The link against a small CURVE ROUTER: frames both ways, loss and return, the wrong key, frames
// in parts, and a SOCKS5 proxy.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <zmq.h>

#include "common/base/time.h"
#include "common/crypto/key.h"
#include "worker/link.h"

struct peer {
    void *context, *router;
    char address[64];
    struct rt_curve_secret *key;
};

static void peer_bind(struct peer *peer, const char *address)
{
    int yes = 1, zero = 0;
    peer->router = zmq_socket(peer->context, ZMQ_ROUTER);
    zmq_setsockopt(peer->router, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    zmq_setsockopt(peer->router, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(peer->router, ZMQ_CURVE_SECRETKEY, rt_curve_secret_bytes(peer->key), 32);
    for (int i = 0; i < 100 && zmq_bind(peer->router, address); i++)
        usleep(20000);
    size_t size = sizeof peer->address;
    assert_int_equal(
        zmq_getsockopt(peer->router, ZMQ_LAST_ENDPOINT, peer->address, &size), 0);
}

static void peer_open(struct peer *peer)
{
    assert_int_equal(rt_curve_generate(&peer->key), RT_OK);
    peer->context = zmq_ctx_new();
    peer_bind(peer, "tcp://127.0.0.1:*");
}

static void peer_close(struct peer *peer)
{
    zmq_close(peer->router);
    zmq_ctx_term(peer->context);
    rt_curve_free(peer->key);
}

static struct rt_link *link_to(const struct peer *peer, struct rt_curve_secret *own,
                               const char *via)
{
    struct rt_link_settings settings;
    struct rt_error err;
    struct rt_link *link;
    rt_link_settings_init(&settings);
    settings.address = peer->address;
    settings.via = via;
    settings.server = *rt_curve_secret_public(peer->key);
    settings.own = own;
    settings.heartbeat_ms = 100;
    settings.heartbeat_timeout_ms = 300;
    settings.redial_least_ms = 20;
    settings.redial_most_ms = 100;
    settings.connect_timeout_ms = 1000;
    if (rt_link_new(&settings, &link, &err))
        fail_msg("%s", err.text);
    return link;
}

// The next event that is not a failed attempt, within five seconds.
static enum rt_link_event next(struct rt_link *link, struct rt_bytes *ret_frame)
{
    int64_t end = rt_time_mono_ms() + 5000;
    while (rt_time_mono_ms() < end) {
        enum rt_link_event event = rt_link_wait(link, 100, ret_frame);
        if (event != RT_LINK_NOTHING)
            return event;
    }
    return RT_LINK_NOTHING;
}

static void echo(struct peer *peer, struct rt_link *link, const char *text)
{
    char id[64], body[64];
    struct rt_bytes frame;
    assert_int_equal(rt_link_send(link, rt_bytes_str(text)), RT_OK);
    int id_size = zmq_recv(peer->router, id, sizeof id, 0);
    int size = zmq_recv(peer->router, body, sizeof body, 0);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(body, text, strlen(text));
    zmq_send(peer->router, id, (size_t)id_size, ZMQ_SNDMORE);
    zmq_send(peer->router, body, (size_t)size, 0);
    assert_int_equal(next(link, &frame), RT_LINK_FRAME);
    assert_true(rt_bytes_equal_str(frame, text));
}

static void test_frames_pass_and_a_lost_peer_is_dialled_again(void **state)
{
    (void)state;
    struct peer peer;
    struct rt_curve_secret *own;
    struct rt_bytes frame;
    peer_open(&peer);
    assert_int_equal(rt_curve_generate(&own), RT_OK);
    struct rt_link *link = link_to(&peer, own, "");
    assert_int_equal(rt_link_send(link, rt_bytes_str("early")), RT_AGAIN);
    assert_int_equal(next(link, &frame), RT_LINK_OPENED);
    echo(&peer, link, "hello");

    char address[64];
    strcpy(address, peer.address);
    zmq_close(peer.router);
    assert_int_equal(next(link, &frame), RT_LINK_CLOSED);
    assert_int_equal(rt_link_send(link, rt_bytes_str("lost")), RT_AGAIN);
    assert_int_equal(next(link, &frame), RT_LINK_CLOSED); // refused while nobody listens
    assert_true(rt_link_failures(link) >= 1);
    peer_bind(&peer, address);
    enum rt_link_event event;
    while ((event = next(link, &frame)) == RT_LINK_CLOSED)
        ;
    assert_int_equal(event, RT_LINK_OPENED);
    assert_int_equal(rt_link_failures(link), 0);
    echo(&peer, link, "again");

    rt_link_drop(link, NULL);
    assert_int_equal(rt_link_state(link), RT_LINK_WAITING);
    assert_int_equal(next(link, &frame), RT_LINK_OPENED);
    echo(&peer, link, "third");
    rt_link_free(link);
    rt_curve_free(own);
    peer_close(&peer);
}

static void test_another_servers_key_does_not_get_through(void **state)
{
    (void)state;
    struct peer peer;
    struct rt_curve_secret *own, *other;
    struct rt_bytes frame;
    peer_open(&peer);
    assert_int_equal(rt_curve_generate(&own), RT_OK);
    assert_int_equal(rt_curve_generate(&other), RT_OK);
    struct rt_curve_secret *right = peer.key;
    peer.key = other;
    struct rt_link *link = link_to(&peer, own, "");
    peer.key = right;
    assert_int_equal(next(link, &frame), RT_LINK_CLOSED);
    assert_true(*rt_link_why(link));
    assert_int_not_equal(rt_link_state(link), RT_LINK_UP);
    rt_link_free(link);
    rt_curve_free(own);
    rt_curve_free(other);
    peer_close(&peer);
}

static void test_a_frame_in_parts_ends_the_connection(void **state)
{
    (void)state;
    struct peer peer;
    struct rt_curve_secret *own;
    struct rt_bytes frame;
    peer_open(&peer);
    assert_int_equal(rt_curve_generate(&own), RT_OK);
    struct rt_link *link = link_to(&peer, own, "");
    assert_int_equal(next(link, &frame), RT_LINK_OPENED);
    assert_int_equal(rt_link_send(link, rt_bytes_str("x")), RT_OK);
    char id[64];
    int id_size = zmq_recv(peer.router, id, sizeof id, 0);
    zmq_send(peer.router, id, (size_t)id_size, ZMQ_SNDMORE);
    zmq_send(peer.router, "a", 1, ZMQ_SNDMORE);
    zmq_send(peer.router, "b", 1, 0);
    assert_int_equal(next(link, &frame), RT_LINK_CLOSED);
    assert_non_null(strstr(rt_link_why(link), "parts"));
    rt_link_free(link);
    rt_curve_free(own);
    peer_close(&peer);
}

// A SOCKS5 proxy (RFC 1928) for one connection without authentication; counts what passes it.
struct proxy {
    int listener;
    int port;
    size_t passed;
    pthread_t thread;
};

static void *proxy_run(void *arg)
{
    struct proxy *proxy = arg;
    uint8_t bytes[65536];
    int in = accept(proxy->listener, NULL, NULL);
    if (recv(in, bytes, 3, MSG_WAITALL) != 3)
        return NULL;
    send(in, "\5\0", 2, 0);
    if (recv(in, bytes, 4, MSG_WAITALL) != 4)
        return NULL;
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (bytes[3] == 1) { // an IPv4 address
        recv(in, &to.sin_addr, 4, MSG_WAITALL);
    } else { // a name: here always this machine
        uint8_t size;
        recv(in, &size, 1, MSG_WAITALL);
        recv(in, bytes, size, MSG_WAITALL);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    recv(in, &to.sin_port, 2, MSG_WAITALL);
    int out = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(out, (struct sockaddr *)&to, sizeof to))
        return NULL;
    send(in, "\5\0\0\1\0\0\0\0\0\0", 10, 0);
    zmq_pollitem_t items[2] = {{NULL, in, ZMQ_POLLIN, 0}, {NULL, out, ZMQ_POLLIN, 0}};
    while (zmq_poll(items, 2, 5000) > 0) {
        int from = items[0].revents ? in : out;
        ssize_t size = recv(from, bytes, sizeof bytes, 0);
        if (size <= 0)
            break;
        proxy->passed += (size_t)size;
        send(from == in ? out : in, bytes, (size_t)size, MSG_NOSIGNAL);
    }
    close(in);
    close(out);
    return NULL;
}

static void test_through_a_socks5_proxy(void **state)
{
    (void)state;
    struct proxy proxy = {0};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_size = sizeof at;
    proxy.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(proxy.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(proxy.listener, 4), 0);
    getsockname(proxy.listener, (struct sockaddr *)&at, &at_size);
    pthread_create(&proxy.thread, NULL, proxy_run, &proxy);

    struct peer peer;
    struct rt_curve_secret *own;
    struct rt_bytes frame;
    char via[64];
    peer_open(&peer);
    assert_int_equal(rt_curve_generate(&own), RT_OK);
    snprintf(via, sizeof via, "127.0.0.1:%d", ntohs(at.sin_port));
    struct rt_link *link = link_to(&peer, own, via);
    assert_int_equal(next(link, &frame), RT_LINK_OPENED);
    echo(&peer, link, "by way of the proxy");
    rt_link_free(link);
    pthread_join(proxy.thread, NULL);
    assert_true(proxy.passed > 200);
    close(proxy.listener);
    rt_curve_free(own);
    peer_close(&peer);
}

static void test_addresses_are_checked(void **state)
{
    (void)state;
    struct rt_link_settings settings;
    struct rt_error err;
    struct rt_link *link;
    static const char *const bad[] = {"ipc:///tmp/x", "tcp://", "tcp://host", "tcp://host:0",
                                      "tcp://host:65536", "tcp://:1", "tcp://host:1x"};
    rt_link_settings_init(&settings);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        settings.address = bad[i];
        assert_int_equal(rt_link_new(&settings, &link, &err), RT_MALFORMED);
    }
    settings.address = "tcp://host:1";
    settings.via = "proxy";
    assert_int_equal(rt_link_new(&settings, &link, &err), RT_MALFORMED);
}

int main(void)
{
    if (rt_crypto_init())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_pass_and_a_lost_peer_is_dialled_again),
        cmocka_unit_test(test_another_servers_key_does_not_get_through),
        cmocka_unit_test(test_a_frame_in_parts_ends_the_connection),
        cmocka_unit_test(test_through_a_socks5_proxy),
        cmocka_unit_test(test_addresses_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
