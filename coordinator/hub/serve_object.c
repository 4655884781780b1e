// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/serve_object.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/time.h"

struct rt_outgoing *rt_outgoing_new(uint64_t peer, struct rt_bytes payload)
{
    struct rt_outgoing *outgoing = malloc(sizeof *outgoing);
    if (!outgoing)
        return NULL;
    outgoing->next = NULL;
    outgoing->peer = peer;
    if (zmq_msg_init_size(&outgoing->payload, payload.size)) {
        free(outgoing);
        return NULL;
    }
    memcpy(zmq_msg_data(&outgoing->payload), payload.data, payload.size);
    return outgoing;
}

void rt_outgoing_free(struct rt_outgoing *outgoing)
{
    if (!outgoing)
        return;
    zmq_msg_close(&outgoing->payload);
    free(outgoing);
}

// A roster's leaf, asked for by the digest of its statement: whoever follows the chain of rosters
// needs the signatures, and works the digest out from the roster itself.
static enum rt_status read_roster_leaf(struct rt_store *store, const struct rt_digest *digest,
                                       struct rt_buf *out)
{
    static _Thread_local struct rt_statement statement;
    struct rt_view *view = NULL;
    uint64_t index;
    enum rt_status status = rt_view_begin(store, &view, NULL);
    if (!status)
        status = rt_view_statement(view, digest, &index);
    if (!status)
        status = rt_view_leaf(view, index, out);
    rt_view_end(view);
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(out), &statement, NULL);
    return !status && statement.kind != RT_STATEMENT_ROSTER ? RT_NOT_FOUND : status;
}

// Whether the shelf has it or not, the gate decides; the shelf only spares it the question.
static enum rt_status read_object(const struct rt_intake_context *context, enum rt_reader reader,
                                  const struct rt_digest *digest, struct rt_buf *out)
{
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(context->store, &view, NULL);
    if (!status)
        status = rt_view_object(view, digest, out);
    if (!status && !rt_shelf_has(context->shelf, digest))
        status = rt_gate_object(context->gate, view, digest, rt_buf_bytes(out), reader,
                                rt_time_wall_ms());
    rt_view_end(view);
    return status;
}

void rt_serve_object(struct rt_intake *intake, const struct rt_intake_context *context)
{
    const struct rt_message_fetch *fetch = &intake->message.body.fetch;
    struct rt_buf object, payload;
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    rt_buf_init(&payload, RT_PAYLOAD_MOST);
    intake->about = fetch->digest;
    intake->has_about = true;
    enum rt_reader reader = intake->peer & RT_PEER_ADMIN ? RT_READER_TRUSTED : RT_READER_LAB;
    enum rt_status status = read_object(context, reader, &fetch->digest, &object);
    // That something is there but not yet to be seen is nobody's business either.
    if (status == RT_NOT_FOUND || status == RT_NOT_PERMITTED) {
        rt_buf_clear(&object);
        status = read_roster_leaf(context->store, &fetch->digest, &object);
    }
    if (!status && fetch->offset > object.size)
        status = RT_OUT_OF_RANGE;
    if (!status) {
        size_t left = object.size - (size_t)fetch->offset;
        struct rt_message_part part = {
            .digest = fetch->digest,
            .total = object.size,
            .offset = fetch->offset,
            .data =
                rt_bytes(object.data + fetch->offset, left < RT_PART_MOST ? left : RT_PART_MOST),
        };
        status = rt_message_part_encode(&part, &payload, NULL);
    }
    if (!status)
        intake->reply = rt_outgoing_new(intake->peer, rt_buf_bytes(&payload));
    intake->status = status;
    intake->answered = !status;
    if (status)
        snprintf(intake->text, sizeof intake->text, "object: %s", rt_status_text(status));
    rt_buf_release(&object);
    rt_buf_release(&payload);
}
