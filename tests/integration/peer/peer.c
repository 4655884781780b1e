// SPDX-License-Identifier: Apache-2.0
// A DEALER under remote control, for tests: it dials a coordinator with a given transport key and
// sends whatever bytes its standard input says, whether or not they make sense. It knows nothing of
// the protocol, so that a test can break every rule of it.
//
//   rt-peer ADDRESS SERVER_KEY [KEY_FILE]     SERVER_KEY "rt-curve:…" or "none" (no CURVE at all);
//                                             without KEY_FILE it makes a key that nobody knows
//   send HEX        sends one frame            → "sent" | "refused"
//   parts HEX HEX…  sends one message of several frames
//   recv MS         waits for one message      → "frame HEX…" | "nothing"
//   event MS        waits for a change of the connection → "event NAME" | "nothing"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/base/text.h"
#include "common/crypto/curve.h"
#include "common/crypto/key.h"

#define LINE_MOST ((size_t)8 << 20)

struct peer {
    void *context, *socket, *monitor;
    char *line;
    uint8_t *frame;
};

static int fail(const char *what)
{
    fprintf(stderr, "rt-peer: %s: %s\n", what, zmq_strerror(errno));
    return EXIT_FAILURE;
}

static int set_keys(void *socket, const char *server, const char *file)
{
    struct rt_curve_public key;
    struct rt_curve_secret *own = NULL;
    if (strcmp(server, "none") == 0)
        return 0;
    struct rt_error err = {0};
    if (rt_curve_public_parse(rt_bytes_str(server), &key) ||
        (file ? rt_curve_load(file, &own, &err) : rt_curve_generate(&own))) {
        fprintf(stderr, "rt-peer: keys: %s\n", err.text);
        return -1;
    }
    int failed =
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, key.bytes, sizeof key.bytes) ||
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, rt_curve_secret_public(own)->bytes,
                       RT_CURVE_KEY_BYTES) ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, rt_curve_secret_bytes(own), RT_CURVE_KEY_BYTES);
    rt_curve_free(own);
    return failed;
}

static int dial(struct peer *peer, int argc, char **argv)
{
    int linger = 0, redial = 200;
    peer->context = zmq_ctx_new();
    peer->socket = zmq_socket(peer->context, ZMQ_DEALER);
    if (!peer->socket || zmq_setsockopt(peer->socket, ZMQ_LINGER, &linger, sizeof linger) ||
        zmq_setsockopt(peer->socket, ZMQ_RECONNECT_IVL, &redial, sizeof redial) ||
        set_keys(peer->socket, argv[2], argc > 3 ? argv[3] : NULL) ||
        zmq_socket_monitor(peer->socket, "inproc://events", ZMQ_EVENT_ALL))
        return fail("socket");
    peer->monitor = zmq_socket(peer->context, ZMQ_PAIR);
    if (!peer->monitor || zmq_connect(peer->monitor, "inproc://events") ||
        zmq_connect(peer->socket, argv[1]))
        return fail(argv[1]);
    return EXIT_SUCCESS;
}

static int digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

// One hexadecimal word into frame; the end of the word, or NULL where it is none.
static const char *unhex(const char *text, uint8_t *frame, size_t *ret_size)
{
    size_t size = 0;
    for (; digit(text[0]) >= 0; text += 2) {
        if (digit(text[1]) < 0)
            return NULL;
        frame[size++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
    }
    *ret_size = size;
    return text;
}

static void send_message(struct peer *peer, const char *words)
{
    int sent = 0;
    while (words && sent >= 0) {
        size_t size;
        words = unhex(words, peer->frame, &size);
        int more = words && *words == ' ' ? ZMQ_SNDMORE : 0;
        sent = words ? zmq_send(peer->socket, peer->frame, size, ZMQ_DONTWAIT | more) : -1;
        words = more ? words + 1 : NULL;
    }
    puts(sent >= 0 ? "sent" : "refused");
}

static void receive(struct peer *peer, int wait_ms)
{
    zmq_setsockopt(peer->socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    int more = 1;
    size_t width = sizeof more;
    for (bool first = true; more; first = false) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, peer->socket, 0) < 0) {
            fputs("nothing", stdout);
            break;
        }
        fputs(first ? "frame " : " ", stdout);
        const uint8_t *data = zmq_msg_data(&frame);
        for (size_t i = 0; i < zmq_msg_size(&frame); i++)
            printf("%02x", data[i]);
        zmq_msg_close(&frame);
        zmq_getsockopt(peer->socket, ZMQ_RCVMORE, &more, &width);
    }
    putchar('\n');
}

static void show_event(struct peer *peer, int wait_ms)
{
    static const struct {
        uint16_t number;
        const char *name;
    } names[] = {
        {ZMQ_EVENT_CONNECTED, "connected"},
        {ZMQ_EVENT_CLOSED, "closed"},
        {ZMQ_EVENT_DISCONNECTED, "disconnected"},
        {ZMQ_EVENT_CONNECT_RETRIED, "retried"},
        {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, "ready"},
        {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, "failed"},
        {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, "failed-protocol"},
        {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, "failed-key"},
    };
    zmq_setsockopt(peer->monitor, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    uint8_t head[6];
    char address[256];
    if (zmq_recv(peer->monitor, head, sizeof head, 0) != sizeof head) {
        puts("nothing");
        return;
    }
    zmq_recv(peer->monitor, address, sizeof address, 0);
    uint16_t number;
    memcpy(&number, head, sizeof number);
    const char *name = "other";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            name = names[i].name;
    printf("event %s\n", name);
}

static int obey(struct peer *peer)
{
    while (fgets(peer->line, LINE_MOST, stdin)) {
        peer->line[strcspn(peer->line, "\n")] = 0;
        if (strncmp(peer->line, "send ", 5) == 0)
            send_message(peer, peer->line + 5);
        else if (strncmp(peer->line, "parts ", 6) == 0)
            send_message(peer, peer->line + 6);
        else if (strncmp(peer->line, "recv ", 5) == 0)
            receive(peer, atoi(peer->line + 5));
        else if (strncmp(peer->line, "event ", 6) == 0)
            show_event(peer, atoi(peer->line + 6));
        else
            puts("unknown");
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct peer peer = {.line = malloc(LINE_MOST), .frame = malloc(LINE_MOST)};
    if (argc < 3 || argc > 4 || rt_crypto_init() || !peer.line || !peer.frame) {
        fputs("usage: rt-peer ADDRESS SERVER_KEY|none [KEY_FILE]\n", stderr);
        return 2;
    }
    int code = dial(&peer, argc, argv);
    if (!code)
        code = obey(&peer);
    free(peer.line);
    free(peer.frame);
    _Exit(code);
}
