// SPDX-License-Identifier: Apache-2.0
// The one writer: takes verified frames in arrival order, steps the core, puts everything that
// follows into one store transaction, commits, signs one checkpoint, and only then lets anything be
// sent. If a commit fails nothing of the batch is sent; the core is thrown away and loaded again
// under a new epoch, and peers are asked to HELLO. Runs on a thread of its own; the rest of the hub
// sees it through the ring and the send callback.
#ifndef RT_COORDINATOR_HUB_WRITER_H
#define RT_COORDINATOR_HUB_WRITER_H

#include "coordinator/hub/admission.h"
#include "coordinator/hub/board.h"
#include "coordinator/hub/intake.h"
#include "coordinator/hub/ring.h"
#include "coordinator/hub/session.h"

// Hands a list of frames (linked by next, in order) to the network thread, which frees them.
typedef void rt_send_fn(void *ctx, struct rt_outgoing *list);
// The peer has been refused too often: shut its connection at its next frame.
typedef void rt_ban_fn(void *ctx, uint64_t peer);

// What is sent once the batch is on disk; the parts that need the new checkpoint are made then.
enum rt_after_kind { RT_AFTER_FRAME, RT_AFTER_RECEIPT, RT_AFTER_OFFER, RT_AFTER_WELCOME };
struct rt_after {
    enum rt_after_kind kind;
    uint64_t peer;
    struct rt_outgoing *frame;  // FRAME
    struct rt_digest statement; // RECEIPT
    uint64_t index;             // RECEIPT
    int64_t received_ms;        // RECEIPT
    bool duplicate;             // RECEIPT
    uint32_t campaign;          // OFFER
    bool accepted;              // OFFER
    uint64_t seen;              // WELCOME: the checkpoint the worker remembers
};

struct rt_writer {
    struct rt_ring *ring;
    struct rt_intake_context context; // rosters, store, shelf, counters
    struct rt_admission *admission;
    const struct rt_secret_key *log_key;
    char origin[RT_NOTE_NAME_BYTES];
    struct rt_board *board; // may be NULL
    int64_t pinned_mono_ms; // when its status was last made
    rt_send_fn *send;
    rt_ban_fn *ban;
    void *ctx;

    struct rt_core *core;
    struct rt_core_effects effects;
    struct rt_core_limits limits;
    struct rt_sessions sessions;
    struct rt_campaign_holder *campaigns;
    uint64_t epoch;
    int64_t now_ms;             // of the batch; never runs backwards
    int64_t wake_ms;            // the core wants a TICK by then
    int64_t full_until_mono_ms; // the disk was full: turn writes away until then
    struct rt_buf checkpoint;   // the newest signed note
    uint64_t checkpoint_size;
    int64_t started_mono_ms;
    int64_t readers_checked_mono_ms; // 0: at the first turn

    struct rt_after *after; // of the batch
    size_t after_count, after_capacity;
    struct rt_buf next_roster; // object that takes force after this commit; empty for none
    struct rt_buf scratch, payload;
    struct rt_arena arena; // of one event
    uint64_t batch_events;
};

// log_key and everything in context must outlive the writer. Loads the core from the store under a
// new epoch.
enum rt_status rt_writer_init(struct rt_writer *writer, struct rt_error *err) RT_WARN_UNUSED;
void rt_writer_release(struct rt_writer *writer);
// One turn: wait for work (or a timer), run one batch. RT_CANCELLED when the ring was stopped and
// is empty; any other failure is beyond repair and ends the program.
enum rt_status rt_writer_turn(struct rt_writer *writer, struct rt_error *err) RT_WARN_UNUSED;

// ---- for the files of the writer itself

enum rt_status rt_writer_after(struct rt_writer *writer, struct rt_after item) RT_WARN_UNUSED;
// Encode a message and queue it behind the commit.
enum rt_status rt_writer_queue(struct rt_writer *writer, uint64_t peer,
                               const struct rt_schema *schema, const void *message) RT_WARN_UNUSED;
enum rt_status rt_writer_queue_error(struct rt_writer *writer, uint64_t peer, enum rt_status code,
                                     const struct rt_digest *about,
                                     const char *text) RT_WARN_UNUSED;
// One verified frame (event.c): steps the core and stores what follows. A failure poisons the
// batch.
enum rt_status rt_writer_event(struct rt_writer *writer, struct rt_intake *intake,
                               struct rt_error *err) RT_WARN_UNUSED;
// A TICK of the core.
enum rt_status rt_writer_tick(struct rt_writer *writer, struct rt_error *err) RT_WARN_UNUSED;
// The effects of the last step, for the store and for peers (effect.c). leaf_index: of the leaf the
// event appended.
enum rt_status rt_writer_apply(struct rt_writer *writer, uint64_t leaf_index,
                               struct rt_error *err) RT_WARN_UNUSED;
// After the commit: sign the checkpoint, make receipts, offers and welcomes, and send (after.c).
enum rt_status rt_writer_release_batch(struct rt_writer *writer,
                                       struct rt_error *err) RT_WARN_UNUSED;
// Answer an ADMIN request from the core's and the store's present state (admin.c). Appends JSON to
// out.
enum rt_status rt_writer_admin(struct rt_writer *writer, struct rt_bytes request,
                               struct rt_buf *out) RT_WARN_UNUSED;
// Pin the newest status to the board, now and then (admin.c).
void rt_writer_pin(struct rt_writer *writer);
// Find a decoded campaign of this process by digest (an rt_store_campaign_fn with the writer as
// ctx).
enum rt_status rt_writer_campaign(void *ctx, const struct rt_digest *digest,
                                  const struct rt_campaign **ret_campaign);

#endif
