// SPDX-License-Identifier: Apache-2.0
// A campaign's trials out of its log: every result that counts (proto/counting.h), found by reading
// the leaves once, and each trial with its transcript on request. The log comes from a store or a
// bundle behind callbacks. Checks objects against their digests and results against their units;
// verifies no signature (that is the auditor's work). One thread.
#ifndef RT_INTEROP_COLLECT_H
#define RT_INTEROP_COLLECT_H

#include "common/base/error.h"
#include "common/tlog/tile.h"
#include "interop/trial.h"
#include "proto/campaign.h"
#include "proto/study.h"
#include "proto/trial.h"

#define RT_COLLECT_TRIALS_MOST ((uint64_t)1 << 24) // positions of all labs together

// A log of size leaves with the objects it names. object appends the bytes to out: RT_NOT_FOUND
// where they are not at hand.
struct rt_interop_source {
    void *ctx;
    uint64_t size;
    rt_leaf_read_fn *leaf;
    enum rt_status (*object)(void *ctx, const struct rt_digest *digest, struct rt_buf *out);
};

struct rt_collected {
    const struct rt_campaign *campaign;
    const struct rt_scenario **scenarios; // the campaign's order; NULL where not at hand
    struct rt_digest draw;
    int64_t started_ms;
    size_t trial_count;          // trials with a result that counts, by lab, then number
    uint64_t planned;            // trials of all labs
    struct rt_collector *inside; // of rt_collect; NULL where the two below stand for it
    // How somebody else's set of trials (a lab's own vault) answers the calls below.
    void *ctx;
    enum rt_status (*trial)(void *ctx, size_t i, bool with_transcript, struct rt_arena *arena,
                            struct rt_interop_trial *ret_trial, struct rt_error *err);
    void (*place)(const void *ctx, size_t i, uint32_t *ret_lab, struct rt_trial *ret_trial);
};

// name: the campaign's id or the start of its digest; NULL where the source has only one whose
// document is at hand. The caller frees *ret_collected with rt_collected_free in any case.
enum rt_status rt_collect(const struct rt_interop_source *source, const char *name,
                          struct rt_collected **ret_collected, struct rt_error *err) RT_WARN_UNUSED;
void rt_collected_free(struct rt_collected *collected); // takes NULL

// Trial i in the order above. Its texts and transcript live in arena, which the caller clears when
// it likes. with_transcript false leaves the transcript unread. RT_CORRUPT for one that is not what
// the result commits to.
enum rt_status rt_collected_trial(struct rt_collected *collected, size_t i, bool with_transcript,
                                  struct rt_arena *arena, struct rt_interop_trial *ret_trial,
                                  struct rt_error *err) RT_WARN_UNUSED;
// The place of trial i without reading its result.
void rt_collected_place(const struct rt_collected *collected, size_t i, uint32_t *ret_lab,
                        struct rt_trial *ret_trial);
// What the campaign and a trial's own result say of it; the evidence is left zero. outcome is ""
// for one that is not in the taxonomy.
void rt_collected_fill(const struct rt_collected *collected, uint32_t lab, struct rt_trial place,
                       const struct rt_trial_result *of, struct rt_interop_trial *ret_trial);
// Append an object of the log's, checked against its digest.
enum rt_status rt_collected_object(struct rt_collected *collected, const struct rt_digest *digest,
                                   struct rt_buf *out) RT_WARN_UNUSED;
// The cells of a study of these trials and nothing else of the campaign's, for the tidy table.
enum rt_status rt_collected_study(struct rt_collected *collected, struct rt_arena *arena,
                                  struct rt_study *ret_study, struct rt_error *err) RT_WARN_UNUSED;

// A bundle as a source. Opens only paths that proto/evidence.h makes, and follows no link.
struct rt_bundle_source {
    int fd;
    uint64_t size; // leaves
    struct rt_buf entries;
    uint64_t entries_first; // index of the first leaf of entries
    bool has_entries;
};
enum rt_status rt_bundle_source_open(const char *folder, struct rt_bundle_source *ret_bundle,
                                     struct rt_interop_source *ret_source,
                                     struct rt_error *err) RT_WARN_UNUSED;
void rt_bundle_source_close(struct rt_bundle_source *bundle);

#endif
