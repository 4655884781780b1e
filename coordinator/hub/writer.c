// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "coordinator/hub/serve_object.h"

#define BATCH_MOST       256
#define FULL_PAUSE_MS    2000
#define READERS_CHECK_MS 60000
#define SCRATCH_MOST     ((size_t)4 << 20)
#define ARENA_MOST       ((size_t)64 << 20)

enum rt_status rt_writer_campaign(void *ctx, const struct rt_digest *digest,
                                  const struct rt_campaign **ret_campaign)
{
    struct rt_writer *writer = ctx;
    for (struct rt_campaign_holder *h = writer->campaigns; h; h = h->next)
        if (rt_digest_equal(&h->campaign->digest, digest)) {
            *ret_campaign = h->campaign;
            return RT_OK;
        }
    struct rt_view *view = NULL;
    struct rt_buf object;
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    enum rt_status status = rt_view_begin(writer->context.store, &view, NULL);
    if (!status)
        status = rt_view_object(view, digest, &object);
    rt_view_end(view);
    struct rt_campaign_holder *holder = NULL;
    if (!status)
        status = rt_campaign_holder_new(rt_buf_bytes(&object), &holder);
    rt_buf_release(&object);
    if (status)
        return status;
    holder->next = writer->campaigns;
    writer->campaigns = holder;
    *ret_campaign = holder->campaign;
    return rt_shelf_add_campaign(writer->context.shelf, holder->campaign);
}

// A new core with everything the store holds, under a new epoch.
static enum rt_status load_core(struct rt_writer *writer, struct rt_error *err)
{
    rt_core_free(writer->core);
    writer->core = NULL;
    enum rt_status status = rt_store_raise_epoch(writer->context.store, &writer->epoch, err);
    if (status)
        return status;
    writer->core = rt_core_new(&writer->limits, writer->epoch, rt_time_wall_ms());
    if (!writer->core)
        return rt_error_set(err, RT_NO_MEMORY, "loading the scheduler");
    writer->wake_ms = 0;
    return rt_store_load(writer->context.store, writer->core, rt_writer_campaign, writer, err);
}

enum rt_status rt_writer_init(struct rt_writer *writer, struct rt_error *err)
{
    rt_core_limits_default(&writer->limits);
    rt_core_effects_init(&writer->effects);
    rt_buf_init(&writer->checkpoint, 8192);
    rt_buf_init(&writer->next_roster, RT_PAYLOAD_MOST);
    rt_buf_init(&writer->scratch, SCRATCH_MOST);
    rt_buf_init(&writer->payload, RT_PAYLOAD_MOST);
    rt_arena_init(&writer->arena, ARENA_MOST);
    writer->started_mono_ms = rt_time_mono_ms();
    enum rt_status status = rt_sessions_init(&writer->sessions);
    if (status)
        return rt_error_set(err, status, "starting the writer");
    status = load_core(writer, err);
    // The first checkpoint of this run, so that WELCOME has one before anything is committed.
    return status ? status : rt_writer_release_batch(writer, err);
}

static void drop_after(struct rt_writer *writer)
{
    for (size_t i = 0; i < writer->after_count; i++)
        rt_outgoing_free(writer->after[i].frame);
    writer->after_count = 0;
}

void rt_writer_release(struct rt_writer *writer)
{
    drop_after(writer);
    free(writer->after);
    rt_core_free(writer->core);
    rt_core_effects_release(&writer->effects);
    rt_sessions_release(&writer->sessions);
    while (writer->campaigns) {
        struct rt_campaign_holder *next = writer->campaigns->next;
        rt_campaign_holder_free(writer->campaigns);
        writer->campaigns = next;
    }
    rt_buf_release(&writer->checkpoint);
    rt_buf_release(&writer->next_roster);
    rt_buf_release(&writer->scratch);
    rt_buf_release(&writer->payload);
    rt_arena_release(&writer->arena);
}

enum rt_status rt_writer_after(struct rt_writer *writer, struct rt_after item)
{
    if (writer->after_count == writer->after_capacity) {
        size_t capacity = writer->after_capacity ? 2 * writer->after_capacity : 256;
        struct rt_after *grown = realloc(writer->after, capacity * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        writer->after = grown;
        writer->after_capacity = capacity;
    }
    writer->after[writer->after_count++] = item;
    return RT_OK;
}

enum rt_status rt_writer_queue(struct rt_writer *writer, uint64_t peer,
                               const struct rt_schema *schema, const void *message)
{
    rt_buf_clear(&writer->payload);
    const char *field = "";
    enum rt_status status =
        rt_schema_encode(schema, message, RT_PAYLOAD_MOST, &writer->payload, &field);
    if (status) {
        rt_log_error("cannot encode a message", "message=%s field=%s", schema->name, field);
        return status;
    }
    struct rt_outgoing *frame = rt_outgoing_new(peer, rt_buf_bytes(&writer->payload));
    if (!frame)
        return RT_NO_MEMORY;
    status = rt_writer_after(
        writer, (struct rt_after){.kind = RT_AFTER_FRAME, .peer = peer, .frame = frame});
    if (status)
        rt_outgoing_free(frame);
    return status;
}

enum rt_status rt_writer_queue_error(struct rt_writer *writer, uint64_t peer, enum rt_status code,
                                     const struct rt_digest *about, const char *text)
{
    struct rt_message_error message = {
        .code = rt_wire_status(code),
        .about = about ? rt_bytes(about->bytes, sizeof about->bytes) : rt_bytes(NULL, 0),
        .text = rt_bytes_str(text),
    };
    return rt_writer_queue(writer, peer, rt_message_error_schema(), &message);
}

// Everything of the batch is void: say so, rebuild the core from the store and ask everybody to
// HELLO again.
static enum rt_status start_over(struct rt_writer *writer, uint64_t first, size_t count,
                                 const struct rt_error *cause, struct rt_error *err)
{
    rt_log_error("batch failed; nothing of it was sent, the scheduler is loaded again", "cause=%s",
                 rt_log_quote(cause->text));
    drop_after(writer);
    rt_buf_clear(&writer->next_roster);
    if (cause->status == RT_NO_SPACE)
        writer->full_until_mono_ms = rt_time_mono_ms() + FULL_PAUSE_MS;
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++) {
        struct rt_intake *intake = rt_ring_slot(writer->ring, first + i);
        if (!intake->answered && !intake->status && intake->message.type != RT_MESSAGE_ADMIN)
            status = rt_writer_queue_error(
                writer, intake->peer, cause->status == RT_NO_SPACE ? RT_NO_SPACE : RT_AGAIN,
                intake->has_about ? &intake->about : NULL,
                "it could not be written and was not taken; send it again");
    }
    size_t cursor = 0;
    for (struct rt_session *s; !status && (s = rt_sessions_next(&writer->sessions, &cursor));) {
        s->greeted = false;
        status = rt_writer_queue_error(writer, s->peer, RT_AGAIN, NULL, "say HELLO again");
    }
    if (status)
        return rt_error_set(err, status, "starting over");
    // A full disk can refuse the new epoch too; wait for room rather than die with leases unsaved.
    while ((status = load_core(writer, err)) == RT_NO_SPACE) {
        if (writer->ring->stopped)
            return RT_CANCELLED;
        rt_log_warn("disk full; intake stands still until there is room", NULL);
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    // A question is no part of what failed: it gets the answer of the core as it is now.
    for (size_t i = 0; i < count && !status; i++) {
        struct rt_intake *intake = rt_ring_slot(writer->ring, first + i);
        if (!intake->answered && !intake->status && intake->message.type == RT_MESSAGE_ADMIN)
            status = rt_writer_event(writer, intake, err);
    }
    return status ? status : rt_writer_release_batch(writer, err);
}

static bool writes(const struct rt_intake *intake)
{
    return !intake->answered && !intake->status && intake->message.type != RT_MESSAGE_ADMIN;
}

// A new roster ends its batch: whatever stands behind it in the log is judged by it, and it is in
// force only once it is on disk. *count becomes how many frames the batch took.
static enum rt_status run_events(struct rt_writer *writer, uint64_t first, size_t *count,
                                 struct rt_error *err)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < *count && !status; i++) {
        status = rt_writer_event(writer, rt_ring_slot(writer->ring, first + i), err);
        if (!status && writer->next_roster.size)
            *count = i + 1;
    }
    if (!status && writer->now_ms >= writer->wake_ms)
        status = rt_writer_tick(writer, err);
    return status;
}

// While the disk is full only reads are answered; one batch every two seconds tries whether there
// is room.
static enum rt_status turn_away(struct rt_writer *writer, uint64_t first, size_t count)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++) {
        struct rt_intake *intake = rt_ring_slot(writer->ring, first + i);
        if (!writes(intake))
            continue;
        RT_COUNT(writer->context.counters, refused_full);
        status = rt_writer_queue_error(writer, intake->peer, RT_NO_SPACE,
                                       intake->has_about ? &intake->about : NULL,
                                       "the coordinator's disk is full; keep it and send it again");
        intake->answered = true;
    }
    return status;
}

static enum rt_status run_batch(struct rt_writer *writer, uint64_t first, size_t *count,
                                struct rt_error *err)
{
    struct rt_error cause = {RT_OK, ""};
    int64_t wall = rt_time_wall_ms();
    // Never before the last leaf's time: what the core calculates with is what the log will say.
    writer->now_ms =
        rt_store_now(writer->context.store, wall > writer->now_ms ? wall : writer->now_ms);
    if (rt_time_mono_ms() < writer->full_until_mono_ms && turn_away(writer, first, *count))
        return rt_error_set(err, RT_NO_MEMORY, "writer");
    enum rt_status status = rt_store_begin(writer->context.store, &cause);
    if (!status)
        status = run_events(writer, first, count, &cause);
    if (!status)
        status = rt_failpoint(RT_FAILPOINT_COORDINATOR_BEFORE_COMMIT);
    if (status) {
        rt_store_abort(writer->context.store);
        if (!cause.text[0])
            rt_error_set(&cause, status, "%s", rt_status_text(status));
        return start_over(writer, first, *count, &cause, err);
    }
    status = rt_store_commit(writer->context.store, &cause);
    if (status)
        return start_over(writer, first, *count, &cause, err);
    RT_COUNT(writer->context.counters, batches);
    status = rt_failpoint(RT_FAILPOINT_COORDINATOR_AFTER_COMMIT);
    return status ? rt_error_set(err, status, "after the commit")
                  : rt_writer_release_batch(writer, err);
}

enum rt_status rt_writer_turn(struct rt_writer *writer, struct rt_error *err)
{
    int64_t pause = writer->wake_ms - rt_time_wall_ms();
    pause = pause < 0 ? 0 : pause > 500 ? 500 : pause;
    uint64_t first;
    size_t count = rt_ring_wait(writer->ring, BATCH_MOST, rt_time_mono_ms() + pause, &first);
    if (count == 0 && writer->ring->stopped)
        return RT_CANCELLED;
    rt_writer_pin(writer);
    if (count == 0 && rt_time_wall_ms() < writer->wake_ms)
        return RT_OK;
    // A reader that died (a report killed half-way) would keep old pages from being used again.
    if (rt_time_mono_ms() - writer->readers_checked_mono_ms > READERS_CHECK_MS) {
        writer->readers_checked_mono_ms = rt_time_mono_ms();
        rt_store_check_readers(writer->context.store);
    }
    enum rt_status status = run_batch(writer, first, &count, err);
    rt_ring_finish(writer->ring, count);
    return status;
}
