// SPDX-License-Identifier: Apache-2.0
// After a commit: one checkpoint is signed for the whole batch, receipts, offers and welcomes are
// made against it, and everything is handed to the network thread in order.
#include <stdio.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "common/tlog/proof.h"
#include "coordinator/hub/serve_object.h"
#include "coordinator/hub/writer.h"

static enum rt_status sign_checkpoint(struct rt_writer *writer)
{
    struct rt_store_head head;
    rt_store_head(writer->context.store, &head);
    if (head.size == writer->checkpoint_size && writer->checkpoint.size)
        return RT_OK;
    struct rt_checkpoint checkpoint = {.size = head.size, .root = head.root};
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", writer->origin);
    rt_buf_clear(&writer->checkpoint);
    enum rt_status status = rt_checkpoint_sign(&checkpoint, writer->log_key, &writer->checkpoint);
    writer->checkpoint_size = head.size;
    if (!status && writer->board)
        rt_board_pin_note(writer->board, rt_buf_bytes(&writer->checkpoint));
    return status;
}

static enum rt_status proof_text(struct rt_writer *writer, uint64_t index)
{
    struct rt_proof proof;
    enum rt_status status = rt_store_prove(writer->context.store, index, &proof);
    rt_buf_clear(&writer->scratch);
    if (!status)
        rt_tlog_proof_format(index, &proof, rt_buf_bytes(&writer->checkpoint), &writer->scratch);
    return status ? status : rt_buf_ok(&writer->scratch);
}

static enum rt_status make_receipt(struct rt_writer *writer, const struct rt_after *item)
{
    enum rt_status status = proof_text(writer, item->index);
    struct rt_message_receipt message = {
        .statement = item->statement,
        .index = item->index,
        .received_ms = item->received_ms,
        .proof = rt_buf_bytes(&writer->scratch),
        .duplicate = item->duplicate,
    };
    RT_COUNT(writer->context.counters, receipts_out);
    return status ? status : rt_message_receipt_encode(&message, &writer->payload, NULL);
}

static enum rt_status make_offer(struct rt_writer *writer, const struct rt_after *item)
{
    struct rt_core_campaign_row row;
    enum rt_status status = rt_core_campaign_view(writer->core, item->campaign, &row, NULL);
    struct rt_view *view = NULL;
    struct rt_buf leaf;
    rt_buf_init(&leaf, RT_LEAF_TEXT_MOST);
    if (!status)
        status = rt_view_begin(writer->context.store, &view, NULL);
    // The core numbers leaves only when the store has filled them in, so the row comes from there.
    if (!status)
        status = rt_view_find_campaign(view, &row.digest, &row);
    if (!status)
        status = rt_view_leaf(view, row.leaf_index, &leaf);
    rt_view_end(view);
    if (!status)
        status = proof_text(writer, row.leaf_index);
    struct rt_message_offer message = {
        .campaign = row.digest,
        .state = (enum rt_offer_state)row.state,
        .leaf = rt_buf_bytes(&leaf),
        .index = row.leaf_index,
        .proof = rt_buf_bytes(&writer->scratch),
        .accepted = item->accepted,
        .draw = row.drawn ? rt_bytes(row.draw.bytes, sizeof row.draw.bytes) : rt_bytes(NULL, 0),
    };
    if (!status)
        status = rt_message_offer_encode(&message, &writer->payload, NULL);
    rt_buf_release(&leaf);
    return status;
}

static enum rt_status make_welcome(struct rt_writer *writer, const struct rt_after *item)
{
    struct rt_proof consistency = {.count = 0};
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(writer->context.store, &view, NULL);
    // A worker that remembers a longer log than ours has seen a history that this store lost (a
    // restored backup); it gets no proof and will say so.
    if (!status && item->seen && item->seen <= writer->checkpoint_size)
        status = rt_tree_consistency(item->seen, writer->checkpoint_size, rt_view_node, view,
                                     &consistency);
    rt_view_end(view);
    const struct rt_roster *roster = rt_rosters_current(writer->context.rosters);
    struct rt_message_welcome message = {
        .version = RT_PROTOCOL_VERSION,
        .epoch = writer->epoch,
        .time_ms = writer->now_ms,
        .roster = roster->digest,
        .origin = rt_bytes_str(writer->origin),
        .checkpoint = rt_buf_bytes(&writer->checkpoint),
        .consistency = consistency.hashes,
        .consistency_count = consistency.count,
    };
    return status ? status : rt_message_welcome_encode(&message, &writer->payload, NULL);
}

static enum rt_status make_frame(struct rt_writer *writer, struct rt_after *item,
                                 struct rt_outgoing **ret_frame)
{
    if (item->kind == RT_AFTER_FRAME) {
        *ret_frame = item->frame;
        item->frame = NULL;
        return RT_OK;
    }
    rt_buf_clear(&writer->payload);
    enum rt_status status = item->kind == RT_AFTER_RECEIPT ? make_receipt(writer, item)
                            : item->kind == RT_AFTER_OFFER ? make_offer(writer, item)
                                                           : make_welcome(writer, item);
    if (status)
        return status;
    *ret_frame = rt_outgoing_new(item->peer, rt_buf_bytes(&writer->payload));
    return *ret_frame ? RT_OK : RT_NO_MEMORY;
}

// A roster takes force only now that it is on disk.
static enum rt_status new_roster(struct rt_writer *writer)
{
    if (!writer->next_roster.size)
        return RT_OK;
    const struct rt_roster *roster = NULL;
    enum rt_status status =
        rt_rosters_push(writer->context.rosters, rt_buf_bytes(&writer->next_roster), &roster);
    rt_buf_clear(&writer->next_roster);
    if (!status)
        status = rt_admission_replace(writer->admission, roster, writer->now_ms);
    if (!status)
        status = rt_shelf_add(writer->context.shelf, &roster->digest);
    if (!status)
        rt_log_info("roster in force", "version=%llu labs=%zu", (unsigned long long)roster->version,
                    roster->lab_count);
    return status;
}

enum rt_status rt_writer_release_batch(struct rt_writer *writer, struct rt_error *err)
{
    enum rt_status status = new_roster(writer);
    if (!status)
        status = sign_checkpoint(writer);
    struct rt_outgoing *list = NULL, **end = &list;
    for (size_t i = 0; i < writer->after_count && !status; i++) {
        struct rt_outgoing *frame = NULL;
        status = make_frame(writer, &writer->after[i], &frame);
        if (!status) {
            *end = frame;
            end = &frame->next;
        }
    }
    for (size_t i = 0; i < writer->after_count; i++)
        rt_outgoing_free(writer->after[i].frame);
    writer->after_count = 0;
    if (list)
        writer->send(writer->ctx, list);
    return status ? rt_error_set(err, status, "answering a batch") : RT_OK;
}
