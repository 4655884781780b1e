// SPDX-License-Identifier: Apache-2.0
// The coordinator's store: one LMDB environment with the log (leaves and RFC 6962 nodes), the
// content-addressed objects, and everything the core and the reports stand on (campaigns, labs,
// bitmaps, cells). One write transaction a batch; nothing is true before rt_store_commit returned
// RT_OK. It never decides what counts (coordinator/core does), never signs and never sends. Writes
// and the receipts after them belong to one thread; views may be made on any thread. Never keep a
// view open across network or file output, and never open an environment across fork.
#ifndef RT_STORE_STORE_H
#define RT_STORE_STORE_H

#include "common/base/error.h"
#include "common/tlog/tree.h"
#include "coordinator/core/core.h"

struct rt_store;

enum rt_store_mode {
    RT_STORE_CREATE, // must not exist yet (RT_EXISTS)
    RT_STORE_WRITE,
    RT_STORE_READ, // beside a running writer, or alone; takes no lock
};

// folder holds store.mdb; made (0700) with CREATE. origin: the log's name, written with CREATE and
// compared otherwise (NULL: any). Takes the folder's lock (RT_BUSY with who holds it), refuses
// network file systems (RT_POLICY), reserves 1 TiB of map (16 GiB under sanitizers), recomputes the
// root from the stored nodes and the last leaves and compares it with the recorded head: RT_CORRUPT
// names the place. Blocks on the disk.
enum rt_status rt_store_open(const char *folder, enum rt_store_mode mode, const char *origin,
                             struct rt_store **ret_store, struct rt_error *err) RT_WARN_UNUSED;
void rt_store_close(struct rt_store *store);

// Raise the epoch, durably, before serving; returns the new one.
enum rt_status rt_store_raise_epoch(struct rt_store *store, uint64_t *ret_epoch,
                                    struct rt_error *err) RT_WARN_UNUSED;

// The time to step and append with: wall_ms, but never before the last leaf's.
int64_t rt_store_now(const struct rt_store *store, int64_t wall_ms);
// Free the slots of readers whose process has died; now and then, from any thread.
void rt_store_check_readers(struct rt_store *store);

// ---- the batch (one thread)

// Begin a batch. Then, for every event in order: find / step the core / append / put / apply; then
// commit. Any failure but RT_NOT_FOUND poisons the batch: rt_store_abort it, throw the core away
// and load it again. After RT_NO_SPACE the store is usable as before the batch.
enum rt_status rt_store_begin(struct rt_store *store, struct rt_error *err) RT_WARN_UNUSED;
// Durable when RT_OK. RT_NO_SPACE when the disk or the map is full; the batch is gone then and the
// tree is back at what was committed before.
enum rt_status rt_store_commit(struct rt_store *store, struct rt_error *err) RT_WARN_UNUSED;
void rt_store_abort(struct rt_store *store);

struct rt_store_leaf {
    struct rt_bytes statement; // the signed text with its `signed` lines, no `received`
    struct rt_digest digest;   // of the signed bytes: the statement's identity
    bool is_result;            // also append it to the result leaves of (campaign, lab)
    uint32_t campaign, lab;
};
// Append a leaf: adds the `received` line for the later of now_ms and the previous leaf's.
// RT_EXISTS when the statement is in the log (nothing changed). Outputs may be NULL.
enum rt_status rt_store_append(struct rt_store *store, const struct rt_store_leaf *leaf,
                               int64_t now_ms, uint64_t *ret_index, int64_t *ret_received_ms,
                               struct rt_error *err) RT_WARN_UNUSED;
// Store bytes under their SHA-256, which the caller has computed. Once is enough; again is
// harmless.
enum rt_status rt_store_put_object(struct rt_store *store, const struct rt_digest *digest,
                                   struct rt_bytes object, struct rt_error *err) RT_WARN_UNUSED;
// A unit as issued: its object and its signed statement, under the object's digest. A view finds
// the object by rt_view_object too.
enum rt_status rt_store_put_unit(struct rt_store *store, const struct rt_digest *digest,
                                 struct rt_bytes statement, struct rt_bytes object,
                                 struct rt_error *err) RT_WARN_UNUSED;
// Persist what a step decided (the effects meant for the store; the others are skipped), after the
// event's leaf was appended. leaf_index: of that leaf, where there is one; it must be the one the
// core counted (RT_CORRUPT).
enum rt_status rt_store_apply(struct rt_store *store, const struct rt_core_effects *effects,
                              uint64_t leaf_index, struct rt_error *err) RT_WARN_UNUSED;
// The signed note of an earlier head, kept for offline commands. Sign after a commit, put it in the
// next batch.
enum rt_status rt_store_put_checkpoint(struct rt_store *store, struct rt_bytes note,
                                       struct rt_error *err) RT_WARN_UNUSED;
// Small named values of the shell (at most 64 bytes of name, 64 KiB of value).
enum rt_status rt_store_put_meta(struct rt_store *store, const char *name, struct rt_bytes value,
                                 struct rt_error *err) RT_WARN_UNUSED;

// ---- of the writing thread, in or after a batch

// Where the log stands, this batch included.
struct rt_store_head {
    uint64_t size;
    struct rt_digest root;
    int64_t received_ms; // of the last leaf
};
void rt_store_head(const struct rt_store *store, struct rt_store_head *ret_head);
// Inclusion of leaf index in the log as it stands: the receipt's proof. Mostly from memory.
enum rt_status rt_store_prove(struct rt_store *store, uint64_t index,
                              struct rt_proof *ret_proof) RT_WARN_UNUSED;
// Result leaves of (campaign, lab) and the RFC 6962 root over them in log order; for the events
// CLOSE and WITHDRAW.
enum rt_status rt_store_lab_results(struct rt_store *store, uint32_t campaign, uint32_t lab,
                                    uint64_t *ret_results,
                                    struct rt_digest *ret_root) RT_WARN_UNUSED;
// The draw of a campaign if it started now (proto/trial.h): from its leaf and the accept leaves.
enum rt_status rt_store_draw(struct rt_store *store, uint32_t campaign,
                             struct rt_digest *ret_draw) RT_WARN_UNUSED;

// ---- views (any thread)

// A consistent snapshot; or, by rt_store_batch_view, the batch itself (writing thread, valid until
// its end, and not to be ended), which shows the batch's leaves, nodes, statements, objects and
// units, and labs, cells and bitmaps as of the last commit. Everything a view gives is a copy.
struct rt_view;
enum rt_status rt_view_begin(struct rt_store *store, struct rt_view **ret_view,
                             struct rt_error *err) RT_WARN_UNUSED;
void rt_view_end(struct rt_view *view); // takes NULL
struct rt_view *rt_store_batch_view(struct rt_store *store);

void rt_view_head(const struct rt_view *view, struct rt_store_head *ret_head);
// "" where no checkpoint is stored.
enum rt_status rt_view_checkpoint(struct rt_view *view, struct rt_buf *out) RT_WARN_UNUSED;
enum rt_status rt_view_meta(struct rt_view *view, const char *name,
                            struct rt_buf *out) RT_WARN_UNUSED;
// The roster in force: RT_NOT_FOUND before the first.
enum rt_status rt_view_roster(struct rt_view *view, uint64_t *ret_version,
                              struct rt_digest *ret_digest) RT_WARN_UNUSED;
enum rt_status rt_view_origin(struct rt_view *view, struct rt_buf *out) RT_WARN_UNUSED;
// All of these append to out and give RT_NOT_FOUND, RT_CORRUPT, or what the buffer says.
enum rt_status rt_view_leaf(void *view, uint64_t index, struct rt_buf *out) RT_WARN_UNUSED;
enum rt_status rt_view_object(struct rt_view *view, const struct rt_digest *digest,
                              struct rt_buf *out) RT_WARN_UNUSED;
enum rt_status rt_view_unit_statement(struct rt_view *view, const struct rt_digest *unit_digest,
                                      struct rt_buf *out) RT_WARN_UNUSED;
bool rt_view_has_object(struct rt_view *view, const struct rt_digest *digest);
// The leaf of a statement, by the statement's digest.
enum rt_status rt_view_statement(struct rt_view *view, const struct rt_digest *digest,
                                 uint64_t *ret_index) RT_WARN_UNUSED;
// Any complete node: an rt_tree_read_fn whose ctx is the view.
enum rt_status rt_view_node(void *view, uint8_t level, uint64_t index, struct rt_digest *ret_hash);
// The root when the log had size leaves (to check what an accept says it saw).
enum rt_status rt_view_root_at(struct rt_view *view, uint64_t size,
                               struct rt_digest *ret_root) RT_WARN_UNUSED;

// Visitors are called in key order and may stop with any status but RT_OK, which is then returned.
struct rt_store_lab {
    struct rt_core_lab_row row;
    struct rt_core_counters counters;
    uint64_t results; // result leaves
    struct rt_digest results_root;
};
struct rt_store_fingerprint {
    uint32_t index;
    struct rt_digest digest;
};
struct rt_store_tentative {
    uint32_t campaign, lab;
    uint64_t position;
    struct rt_core_tentative value;
};
struct rt_store_chunk {
    uint32_t campaign, lab;
    uint64_t chunk;
    uint8_t bitmap[RT_CORE_CHUNK_BYTES];
};
struct rt_store_object {
    struct rt_digest digest;
    struct rt_bytes bytes;     // borrowed for the call
    struct rt_bytes statement; // a unit's; empty for other objects
};
enum rt_status rt_view_campaigns(struct rt_view *view,
                                 enum rt_status (*visit)(void *ctx,
                                                         const struct rt_core_campaign_row *row),
                                 void *ctx) RT_WARN_UNUSED;
// By digest: RT_NOT_FOUND.
enum rt_status rt_view_find_campaign(struct rt_view *view, const struct rt_digest *digest,
                                     struct rt_core_campaign_row *ret_row) RT_WARN_UNUSED;
enum rt_status rt_view_labs(struct rt_view *view, uint32_t campaign,
                            enum rt_status (*visit)(void *ctx, const struct rt_store_lab *lab),
                            void *ctx) RT_WARN_UNUSED;
enum rt_status rt_view_cells(struct rt_view *view, uint32_t campaign,
                             enum rt_status (*visit)(void *ctx, const struct rt_cell_key *key,
                                                     const struct rt_cell_sum *sum),
                             void *ctx) RT_WARN_UNUSED;
enum rt_status rt_view_chunks(struct rt_view *view, uint32_t campaign,
                              enum rt_status (*visit)(void *ctx,
                                                      const struct rt_store_chunk *chunk),
                              void *ctx) RT_WARN_UNUSED;
enum rt_status rt_view_tentatives(struct rt_view *view, uint32_t campaign,
                                  enum rt_status (*visit)(void *ctx,
                                                          const struct rt_store_tentative *value),
                                  void *ctx) RT_WARN_UNUSED;
enum rt_status rt_view_fingerprints(
    struct rt_view *view,
    enum rt_status (*visit)(void *ctx, const struct rt_store_fingerprint *fingerprint),
    void *ctx) RT_WARN_UNUSED;
// The raters of a campaign, in the order of their numbers.
enum rt_status rt_view_raters(struct rt_view *view, uint32_t campaign,
                              enum rt_status (*visit)(void *ctx, const struct rt_core_rater *rater),
                              void *ctx) RT_WARN_UNUSED;
// The leaves of a campaign's incidents, releases and revocations, in log order.
enum rt_status rt_view_noted(struct rt_view *view, uint32_t campaign,
                             enum rt_status (*visit)(void *ctx, uint64_t index),
                             void *ctx) RT_WARN_UNUSED;
// The labels raters gave a trial of a lab, at most RT_RATERS_MOST, by ascending rater.
enum rt_status rt_view_rated(struct rt_view *view, uint32_t campaign, uint32_t lab, uint64_t number,
                             struct rt_rating_label *ret_labels, size_t *ret_count) RT_WARN_UNUSED;
// RT_OK when the result in leaf does not count for the trial, RT_NOT_FOUND when it does.
enum rt_status rt_view_spare(struct rt_view *view, uint32_t campaign, uint32_t lab, uint64_t number,
                             uint64_t leaf) RT_WARN_UNUSED;
enum rt_status rt_view_objects(struct rt_view *view,
                               enum rt_status (*visit)(void *ctx,
                                                       const struct rt_store_object *object),
                               void *ctx) RT_WARN_UNUSED;

// ---- start

// Gives the decoded campaign of a digest, which must outlive the core.
typedef enum rt_status rt_store_campaign_fn(void *ctx, const struct rt_digest *digest,
                                            const struct rt_campaign **ret_campaign);
// Feed a new core everything the store holds. On failure free the core.
enum rt_status rt_store_load(struct rt_store *store, struct rt_core *core,
                             rt_store_campaign_fn *find, void *ctx,
                             struct rt_error *err) RT_WARN_UNUSED;

#endif
