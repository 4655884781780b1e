// SPDX-License-Identifier: Apache-2.0
// What fsck rebuilds from the log alone, to hold beside what is stored. For fsck's own files. It
// shares no counting code with the core but proto/counting.h. One thread.
#ifndef RT_STORE_FSCK_INTERNAL_H
#define RT_STORE_FSCK_INTERNAL_H

#include "common/base/arena.h"
#include "coordinator/store/fsck.h"
#include "coordinator/store/internal.h"
#include "proto/campaign.h"
#include "proto/rating_book.h"
#include "proto/trial.h"

// A trial whose last word is an error; position UINT64_MAX: empty slot.
struct fsck_tentative {
    uint64_t position;
    struct rt_count count;
    struct rt_cell_key key;
    struct rt_cell_sum sum;
};

struct fsck_lab {
    struct rt_core_lab_row row;
    struct rt_lab_plan *plan; // with the draw, once started
    struct rt_lab_order order;
    uint64_t total;
    uint8_t **chunks; // final bits, RT_CORE_CHUNK_BYTES each, made when touched
    uint64_t chunk_count;
    uint64_t chunks_touched;
    struct fsck_tentative *tentatives; // open addressing; removed ones become NONE standing
    uint64_t tentative_size, tentative_used;
    struct rt_tree results;
    struct rt_core_counters counters; // late, duplicate, retried
};

struct fsck_campaign {
    const struct rt_campaign *campaign;
    struct rt_core_campaign_row row;
    struct fsck_lab *labs;
    struct rt_digest leaf_hash;
    struct rt_digest *accepts; // leaf hashes before start
    size_t accept_count;
    struct rt_core_rater raters[RT_RATERS_MOST]; // from 1 on
    uint16_t rater_count;
    uint64_t noted, noted_sum; // leaves of incidents and releases, and the sum of their indices
};

struct fsck_state {
    struct rt_store *store;
    struct rt_view *view;
    const struct rt_fsck *options;
    struct rt_fsck_report report;
    struct fsck_campaign campaigns[RT_CORE_CAMPAIGNS_MOST];
    uint32_t campaign_count;
    struct store_cell *cells; // open addressing; key.status RT_TRIAL_STATUS_COUNT: empty
    uint64_t cell_size, cell_used;
    struct rt_digest *fingerprints; // in order of their first result
    uint32_t fingerprint_count, fingerprint_room;
    struct rt_rating_book book;
    struct rt_arena arena; // of one pair
    struct rt_buf leaf, unit, result;
    bool no_memory;
};

// Tell a finding.
void fsck_say(struct fsck_state *state, const char *format, ...) RT_PRINTF(2, 3);

// ---- tables (fsck_count.c)

struct store_cell *fsck_cell(struct fsck_state *state, const struct rt_cell_key *key, bool make);
struct fsck_tentative *fsck_tentative(struct fsck_state *state, struct fsck_lab *lab,
                                      uint64_t position, bool make);
bool fsck_final(const struct fsck_lab *lab, uint64_t position);
// Count the trials of one pair. unit and result are decoded.
void fsck_count_pair(struct fsck_state *state, uint64_t index, int64_t received_ms,
                     uint32_t campaign, uint32_t lab, const struct rt_object_unit *unit,
                     const struct rt_object_result *result);
// Add one trial's sums to a cell, or take them back.
void fsck_add_cell(struct fsck_state *state, const struct rt_cell_key *key,
                   const struct rt_cell_sum *sum, int64_t sign);
// The number of a fingerprint, given at its first result.
uint32_t fsck_fingerprint(struct fsck_state *state, const struct rt_digest *digest);
void fsck_release(struct fsck_state *state);

// ---- ratings (fsck_rating.c)

static inline uint64_t fsck_group(uint32_t campaign, uint32_t lab)
{
    return (uint64_t)campaign << 32 | lab;
}
// Count a rating of (campaign, lab).
void fsck_replay_rating(struct fsck_state *state, uint64_t index,
                        const struct rt_statement *statement, uint32_t campaign, uint32_t lab);
// Raters, labels and spares as stored, beside those of the log.
enum rt_status fsck_compare_ratings(struct fsck_state *state) RT_WARN_UNUSED;

// ---- the log again (fsck_replay.c)

enum rt_status fsck_replay(struct fsck_state *state, uint64_t index,
                           const struct rt_statement *statement,
                           const struct rt_digest *leaf_hash) RT_WARN_UNUSED;

// ---- beside what is stored (fsck_compare.c)

enum rt_status fsck_compare(struct fsck_state *state) RT_WARN_UNUSED;

#endif
