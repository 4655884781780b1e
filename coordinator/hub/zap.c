// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/zap.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "common/base/bytes.h"

// Frames of a request: version, request id, domain, address, identity, mechanism, credentials.
enum {
    PART_VERSION,
    PART_REQUEST,
    PART_DOMAIN,
    PART_ADDRESS,
    PART_IDENTITY,
    PART_MECHANISM,
    PART_KEY,
    PART_COUNT
};
#define PART_BYTES 256

struct request {
    char parts[PART_COUNT][PART_BYTES];
    size_t sizes[PART_COUNT];
    size_t count;
    bool oversized;
};

enum rt_status rt_zap_open(struct rt_zap *zap, void *context, struct rt_admission *admission,
                           struct rt_error *err)
{
    *zap = (struct rt_zap){.admission = admission, .socket = zmq_socket(context, ZMQ_REP)};
    int linger = 0;
    if (!zap->socket || zmq_setsockopt(zap->socket, ZMQ_LINGER, &linger, sizeof linger) ||
        zmq_bind(zap->socket, "inproc://zeromq.zap.01")) {
        int saved = errno;
        rt_zap_close(zap);
        return rt_error_set(err, RT_NETWORK, "cannot bind the ZAP handler: %s",
                            zmq_strerror(saved));
    }
    return RT_OK;
}

void rt_zap_close(struct rt_zap *zap)
{
    if (zap->socket)
        zmq_close(zap->socket);
    zap->socket = NULL;
}

static bool receive(void *socket, struct request *request)
{
    memset(request, 0, sizeof *request);
    for (int more = 1; more;) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        if (zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&message);
            return false;
        }
        size_t size = zmq_msg_size(&message);
        if (request->count < PART_COUNT && size < PART_BYTES) {
            memcpy(request->parts[request->count], zmq_msg_data(&message), size);
            request->sizes[request->count] = size;
        } else {
            request->oversized = true;
        }
        request->count++;
        more = zmq_msg_more(&message);
        zmq_msg_close(&message);
    }
    return true;
}

static bool part_is(const struct request *request, size_t part, const char *text)
{
    return request->sizes[part] == strlen(text) &&
           memcmp(request->parts[part], text, request->sizes[part]) == 0;
}

void rt_zap_serve(struct rt_zap *zap)
{
    struct request request;
    while (receive(zap->socket, &request)) {
        char lab[RT_ID_BYTES + 1];
        bool known =
            !request.oversized && request.count == PART_COUNT &&
            part_is(&request, PART_VERSION, "1.0") &&
            part_is(&request, PART_DOMAIN, RT_ZAP_DOMAIN) &&
            part_is(&request, PART_MECHANISM, "CURVE") &&
            request.sizes[PART_KEY] == RT_CURVE_KEY_BYTES &&
            rt_admission_find(zap->admission, (const uint8_t *)request.parts[PART_KEY], lab);
        bool tested = zap->testing && request.sizes[PART_KEY] == RT_CURVE_KEY_BYTES &&
                      memcmp(request.parts[PART_KEY], zap->testing, RT_CURVE_KEY_BYTES) == 0;
        known = known && (tested || !zap->testing);
        zap->test_refused += tested && !known;
        char user_id[RT_USER_ID_BYTES] = "";
        if (known)
            rt_hex_encode(request.parts[PART_KEY], RT_CURVE_KEY_BYTES, user_id);
        known ? zap->admitted++ : zap->refused++;
        zmq_send(zap->socket, "1.0", 3, ZMQ_SNDMORE);
        zmq_send(zap->socket, request.parts[PART_REQUEST], request.sizes[PART_REQUEST],
                 ZMQ_SNDMORE);
        zmq_send(zap->socket, known ? "200" : "300", 3, ZMQ_SNDMORE);
        zmq_send(zap->socket, known ? "ok" : "key is not in the roster", known ? 2 : 24,
                 ZMQ_SNDMORE);
        zmq_send(zap->socket, user_id, strlen(user_id), ZMQ_SNDMORE);
        zmq_send(zap->socket, "", 0, 0);
    }
}
