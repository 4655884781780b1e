// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "coordinator/hub/lines.h"
#include "coordinator/hub/serve_object.h"
#include "coordinator/hub/socket.h"

#define VERIFIERS_MOST 16
#define BANNED_MOST    256
#define NOFILE_LEAST   1024

struct rt_hub {
    const struct rt_hub_settings *settings;
    void *context;
    void *public_socket, *local_socket;
    struct rt_zap zap;
    struct rt_admission admission;
    struct rt_rosters rosters;
    struct rt_shelf shelf;
    struct rt_lines lines;
    uint64_t admission_seen; // its generation when the lines were last swept
    struct rt_hub_counters counters;
    struct rt_ring *ring;
    struct rt_writer writer;
    bool writer_ready;
    pthread_t verifiers[VERIFIERS_MOST];
    unsigned verifier_count;
    pthread_t writer_thread;
    bool writer_started;

    pthread_mutex_t out_mutex; // of the three below
    struct rt_outgoing *out, **out_end;
    uint64_t banned[BANNED_MOST];
    size_t banned_count;
    int out_event; // an eventfd that wakes the network thread

    atomic_bool writer_failed;
    struct rt_error writer_error;
};

// ---- threads behind the ring

static void *verify_thread(void *argument)
{
    struct rt_hub *hub = argument;
    pthread_setname_np(pthread_self(), "verify");
    uint64_t first;
    for (size_t count; (count = rt_ring_claim(hub->ring, 4, &first));) {
        for (size_t i = 0; i < count; i++)
            rt_intake_verify(rt_ring_slot(hub->ring, first + i), &hub->writer.context);
        rt_ring_verified(hub->ring, first, count);
    }
    return NULL;
}

static void wake(struct rt_hub *hub)
{
    uint64_t one = 1;
    ssize_t size = write(hub->out_event, &one, sizeof one);
    (void)size; // a full counter is awake enough
}

static void *writer_thread(void *argument)
{
    struct rt_hub *hub = argument;
    pthread_setname_np(pthread_self(), "writer");
    enum rt_status status;
    while ((status = rt_writer_turn(&hub->writer, &hub->writer_error)) == RT_OK)
        ;
    if (status != RT_CANCELLED)
        atomic_store(&hub->writer_failed, true);
    wake(hub);
    return NULL;
}

static void send_list(void *ctx, struct rt_outgoing *list)
{
    struct rt_hub *hub = ctx;
    pthread_mutex_lock(&hub->out_mutex);
    *hub->out_end = list;
    while (*hub->out_end)
        hub->out_end = &(*hub->out_end)->next;
    pthread_mutex_unlock(&hub->out_mutex);
    wake(hub);
}

static void ban(void *ctx, uint64_t peer)
{
    struct rt_hub *hub = ctx;
    pthread_mutex_lock(&hub->out_mutex);
    hub->banned[hub->banned_count++ % BANNED_MOST] = peer;
    pthread_mutex_unlock(&hub->out_mutex);
}

static bool is_banned(struct rt_hub *hub, uint64_t peer)
{
    bool found = false;
    pthread_mutex_lock(&hub->out_mutex);
    size_t count = hub->banned_count < BANNED_MOST ? hub->banned_count : BANNED_MOST;
    for (size_t i = 0; i < count && !found; i++)
        found = hub->banned[i] == peer;
    pthread_mutex_unlock(&hub->out_mutex);
    return found;
}

// ---- sending

static void send_one(struct rt_hub *hub, struct rt_outgoing *outgoing)
{
    void *socket = outgoing->peer & RT_PEER_ADMIN ? hub->local_socket : hub->public_socket;
    uint8_t routing[RT_ROUTING_ID_BYTES] = {0};
    rt_put_u32be(routing + 1, RT_PEER_ROUTING(outgoing->peer));
    if (rt_failpoint(RT_FAILPOINT_COORDINATOR_BEFORE_SEND))
        return;
    size_t size = zmq_msg_size(&outgoing->payload);
    // A peer that is gone or whose queue is full gets nothing: leases and receipts come back by
    // HELLO and resend.
    if (zmq_send(socket, routing, sizeof routing, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_msg_send(&outgoing->payload, socket, ZMQ_DONTWAIT) < 0) {
        RT_COUNT(&hub->counters, unsent);
        return;
    }
    RT_COUNT(&hub->counters, frames_out);
    atomic_fetch_add_explicit(&hub->counters.bytes_out, size, memory_order_relaxed);
    (void)rt_failpoint(RT_FAILPOINT_COORDINATOR_AFTER_SEND);
}

static void send_waiting(struct rt_hub *hub)
{
    uint64_t drained;
    ssize_t ignored = read(hub->out_event, &drained, sizeof drained);
    (void)ignored;
    pthread_mutex_lock(&hub->out_mutex);
    struct rt_outgoing *list = hub->out;
    hub->out = NULL;
    hub->out_end = &hub->out;
    pthread_mutex_unlock(&hub->out_mutex);
    while (list) {
        struct rt_outgoing *next = list->next;
        send_one(hub, list);
        rt_outgoing_free(list);
        list = next;
    }
}

// ---- receiving

// Is this frame from somebody who may speak? Fills lab ("" on the local socket).
static bool admitted(struct rt_hub *hub, bool local, uint64_t peer, zmq_msg_t *payload,
                     char *ret_lab)
{
    ret_lab[0] = 0;
    if (local)
        return true;
    rt_lines_note(&hub->lines, peer, payload);
    if (is_banned(hub, peer)) {
        rt_lines_cut(&hub->lines, peer);
        return false;
    }
    if (!rt_admission_find_user(&hub->admission, zmq_msg_gets(payload, "User-Id"), ret_lab)) {
        RT_COUNT(&hub->counters, refused_key);
        rt_log_warn("frame over a key that is not in the roster any more", "peer=%08x",
                    RT_PEER_ROUTING(peer));
        rt_lines_cut(&hub->lines, peer);
        return false;
    }
    return true;
}

// Drop the rest of a multipart message that has more parts than ours ever do.
static void drop_parts(void *socket)
{
    for (int more = 1; more;) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        more = zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
}

// One message from a socket into a free slot; false when nothing waits.
static bool receive_one(struct rt_hub *hub, void *socket, struct rt_intake *slot)
{
    bool local = socket == hub->local_socket;
    zmq_msg_t routing;
    zmq_msg_init(&routing);
    if (zmq_msg_recv(&routing, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&routing);
        return false;
    }
    const uint8_t *id = zmq_msg_data(&routing);
    bool ours = zmq_msg_size(&routing) == RT_ROUTING_ID_BYTES && id[0] == 0;
    uint64_t peer = ours ? rt_get_u32be(id + 1) | (local ? RT_PEER_ADMIN : 0) : 0;
    bool more = zmq_msg_more(&routing);
    zmq_msg_close(&routing);
    if (!more || zmq_msg_recv(&slot->frame, socket, ZMQ_DONTWAIT) < 0)
        return true;
    if (zmq_msg_more(&slot->frame)) {
        drop_parts(socket);
        RT_COUNT(&hub->counters, refused_malformed);
        return true;
    }
    RT_COUNT(&hub->counters, frames_in);
    atomic_fetch_add_explicit(&hub->counters.bytes_in, zmq_msg_size(&slot->frame),
                              memory_order_relaxed);
    if (!ours) {
        RT_COUNT(&hub->counters, refused_routing);
        return true;
    }
    if (!admitted(hub, local, peer, &slot->frame, slot->lab))
        return true;
    slot->peer = peer;
    rt_ring_publish(hub->ring);
    return true;
}

// Take what waits, as far as the ring has room; true when it was full.
static bool receive_waiting(struct rt_hub *hub, void *socket)
{
    for (unsigned i = 0; i < 256; i++) {
        struct rt_intake *slot = rt_ring_free_slot(hub->ring);
        if (!slot)
            return true;
        if (!receive_one(hub, socket, slot))
            return false;
    }
    return false;
}

// After a change of roster, shut the connections of keys that are gone.
static void sweep_lines(struct rt_hub *hub)
{
    uint64_t generation = atomic_load(&hub->admission.generation);
    if (generation == hub->admission_seen)
        return;
    hub->admission_seen = generation;
    size_t count = rt_lines_sweep(&hub->lines, &hub->admission);
    if (count)
        rt_log_info("connections shut because their keys left the roster", "count=%zu", count);
}

static enum rt_status network_loop(struct rt_hub *hub, const atomic_bool *stop,
                                   struct rt_error *err)
{
    bool full = false;
    while (!atomic_load(stop)) {
        // While the ring is full the sockets are left out of the poll, or it would spin.
        zmq_pollitem_t items[] = {
            {hub->zap.socket, 0, ZMQ_POLLIN, 0},
            {NULL, hub->out_event, ZMQ_POLLIN, 0},
            {hub->public_socket, 0, ZMQ_POLLIN, 0},
            {hub->local_socket, 0, ZMQ_POLLIN, 0},
        };
        if (zmq_poll(items, full ? 2 : 4, full ? 1 : 100) < 0 && errno != EINTR)
            return rt_error_set(err, RT_NETWORK, "poll: %s", zmq_strerror(errno));
        if (atomic_load(&hub->writer_failed)) {
            if (err)
                *err = hub->writer_error;
            return hub->writer_error.status;
        }
        rt_zap_serve(&hub->zap);
        sweep_lines(hub);
        send_waiting(hub);
        full = receive_waiting(hub, hub->local_socket);
        full = receive_waiting(hub, hub->public_socket) || full;
    }
    return RT_OK;
}

// ---- start and stop

// Every roster of the chain can be fetched: labs and auditors follow it from the first.
static enum rt_status shelve_rosters(struct rt_hub *hub, const struct rt_roster *roster)
{
    struct rt_arena arena;
    struct rt_buf object;
    struct rt_view *view = NULL;
    rt_arena_init(&arena, (size_t)256 << 20);
    rt_buf_init(&object, RT_PAYLOAD_MOST);
    enum rt_status status = rt_shelf_add(&hub->shelf, &roster->digest);
    if (!status)
        status = rt_view_begin(hub->settings->store, &view, NULL);
    while (!status && roster->has_previous) {
        struct rt_roster *previous = NULL;
        rt_buf_clear(&object);
        status = rt_shelf_add(&hub->shelf, &roster->previous);
        if (!status)
            status = rt_view_object(view, &roster->previous, &object);
        if (!status)
            status = rt_roster_decode(rt_buf_bytes(&object), &arena, &previous);
        roster = previous;
    }
    rt_view_end(view);
    rt_buf_release(&object);
    rt_arena_release(&arena);
    return status;
}

static enum rt_status prepare(struct rt_hub *hub, struct rt_error *err)
{
    const struct rt_hub_settings *settings = hub->settings;
    const struct rt_roster *roster = NULL;
    enum rt_status status = rt_rosters_push(&hub->rosters, settings->roster, &roster);
    if (status)
        return rt_error_set(err, status, "the stored roster does not decode: %s",
                            rt_status_text(status));
    status = rt_admission_replace(&hub->admission, roster, rt_time_wall_ms());
    if (!status)
        status = shelve_rosters(hub, roster);
    if (!status)
        status = rt_ring_new(&hub->ring);
    if (!status)
        status = rt_lines_init(&hub->lines);
    hub->out_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (status || hub->out_event < 0)
        return rt_error_set(err, RT_NO_MEMORY, "starting the hub");
    struct rt_writer *writer = &hub->writer;
    writer->ring = hub->ring;
    writer->context = (struct rt_intake_context){.rosters = &hub->rosters,
                                                 .store = settings->store,
                                                 .shelf = &hub->shelf,
                                                 .gate = settings->gate,
                                                 .counters = &hub->counters};
    writer->admission = &hub->admission;
    writer->log_key = settings->log_key;
    snprintf(writer->origin, sizeof writer->origin, "%s", roster->log.name);
    writer->board = settings->board;
    writer->send = send_list;
    writer->ban = ban;
    writer->ctx = hub;
    hub->writer_ready = true;
    return rt_writer_init(writer, err);
}

static enum rt_status open_sockets(struct rt_hub *hub, struct rt_error *err)
{
    const struct rt_hub_settings *settings = hub->settings;
    enum rt_status status = rt_socket_raise_nofile(NOFILE_LEAST, err);
    if (status)
        return status;
    hub->context = zmq_ctx_new();
    if (!hub->context)
        return rt_error_set(err, RT_NO_MEMORY, "starting ZeroMQ");
    zmq_ctx_set(hub->context, ZMQ_MAX_SOCKETS, 1024);
    status = rt_zap_open(&hub->zap, hub->context, &hub->admission, err);
    if (!status)
        status = rt_socket_public(hub->context, settings->listen, settings->curve_key,
                                  &hub->public_socket, err);
    if (!status)
        status = rt_socket_self_test(hub->context, settings->listen,
                                     rt_curve_secret_public(settings->curve_key),
                                     hub->public_socket, &hub->zap, err);
    if (!status)
        status = rt_socket_local(hub->context, settings->admin_path, &hub->local_socket, err);
    return status;
}

static enum rt_status start_threads(struct rt_hub *hub, struct rt_error *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted =
        hub->settings->verifiers ? hub->settings->verifiers : (unsigned)(cores > 0 ? cores : 1);
    wanted = wanted > VERIFIERS_MOST ? VERIFIERS_MOST : wanted;
    for (; hub->verifier_count < wanted; hub->verifier_count++)
        if (pthread_create(&hub->verifiers[hub->verifier_count], NULL, verify_thread, hub))
            return rt_error_set(err, RT_NO_MEMORY, "starting threads");
    if (pthread_create(&hub->writer_thread, NULL, writer_thread, hub))
        return rt_error_set(err, RT_NO_MEMORY, "starting threads");
    hub->writer_started = true;
    return RT_OK;
}

static void stop_all(struct rt_hub *hub)
{
    if (hub->ring)
        rt_ring_stop(hub->ring);
    for (unsigned i = 0; i < hub->verifier_count; i++)
        pthread_join(hub->verifiers[i], NULL);
    if (hub->writer_started)
        pthread_join(hub->writer_thread, NULL);
    if (hub->out_event > 0 && hub->public_socket && hub->local_socket)
        send_waiting(hub);
    if (hub->writer_ready)
        rt_writer_release(&hub->writer);
    if (hub->public_socket)
        zmq_close(hub->public_socket);
    if (hub->local_socket)
        zmq_close(hub->local_socket);
    rt_zap_close(&hub->zap);
    if (hub->context)
        zmq_ctx_term(hub->context);
    unlink(hub->settings->admin_path);
    rt_ring_free(hub->ring);
    rt_rosters_release(&hub->rosters);
    rt_admission_release(&hub->admission);
    rt_shelf_release(&hub->shelf);
    rt_lines_release(&hub->lines);
    pthread_mutex_destroy(&hub->out_mutex);
    if (hub->out_event > 0)
        close(hub->out_event);
}

enum rt_status rt_hub_run(const struct rt_hub_settings *settings, const atomic_bool *stop,
                          struct rt_error *err)
{
    struct rt_hub *hub = calloc(1, sizeof *hub);
    if (!hub)
        return rt_error_set(err, RT_NO_MEMORY, "starting the hub");
    hub->settings = settings;
    hub->out_end = &hub->out;
    pthread_mutex_init(&hub->out_mutex, NULL);
    rt_admission_init(&hub->admission);
    rt_rosters_init(&hub->rosters);
    rt_shelf_init(&hub->shelf);
    enum rt_status status = prepare(hub, err);
    if (!status)
        status = open_sockets(hub, err);
    if (!status)
        status = start_threads(hub, err);
    if (!status) {
        if (settings->ready)
            settings->ready(settings->ctx);
        pthread_setname_np(pthread_self(), "network");
        status = network_loop(hub, stop, err);
    }
    stop_all(hub);
    free(hub);
    return status;
}
