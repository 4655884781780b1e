// SPDX-License-Identifier: Apache-2.0
// What came out of the log beside what is stored.
#include <inttypes.h>

#include "coordinator/store/fsck_internal.h"

struct compare {
    struct fsck_state *state;
    struct fsck_campaign *campaign; // the one being looked at
    uint64_t seen;                  // rows visited
};

static struct fsck_lab *lab_of(struct compare *compare, uint32_t lab, const char *what)
{
    if (lab < compare->campaign->campaign->lab_count)
        return &compare->campaign->labs[lab];
    fsck_say(compare->state, "%s: of a lab %" PRIu32 " that campaign %s does not have", what, lab,
             compare->campaign->campaign->id);
    return NULL;
}

static enum rt_status compare_campaign(void *ctx, const struct rt_core_campaign_row *row)
{
    struct compare *compare = ctx;
    compare->seen++;
    if (row->index >= compare->state->campaign_count) {
        fsck_say(compare->state, "campaign %" PRIu32 ": not in the log", row->index);
        return RT_OK;
    }
    const struct rt_core_campaign_row *mine = &compare->state->campaigns[row->index].row;
    if (!rt_digest_equal(&row->digest, &mine->digest) || row->leaf_index != mine->leaf_index ||
        row->state != mine->state || row->seq != mine->seq || row->drawn != mine->drawn ||
        row->started_ms != mine->started_ms || row->registered_ms != mine->registered_ms ||
        row->close_deadline_ms != mine->close_deadline_ms)
        fsck_say(compare->state, "campaign %s: its state is not what the log says",
                 compare->state->campaigns[row->index].campaign->id);
    if (mine->drawn && !rt_digest_equal(&row->draw, &mine->draw))
        fsck_say(compare->state, "campaign %s: its draw is not the log's",
                 compare->state->campaigns[row->index].campaign->id);
    return RT_OK;
}

static enum rt_status compare_lab(void *ctx, const struct rt_store_lab *row)
{
    struct compare *compare = ctx;
    struct rt_digest root;
    struct fsck_lab *lab = lab_of(compare, row->row.lab, "lab row");
    compare->seen++;
    if (!lab)
        return RT_OK;
    const char *id = compare->campaign->campaign->labs[row->row.lab].id;
    if (row->row.state != lab->row.state || row->row.accept_index != lab->row.accept_index ||
        row->row.changed_ms != lab->row.changed_ms || row->row.held != lab->row.held ||
        !rt_digest_equal(&row->row.accept, &lab->row.accept))
        fsck_say(compare->state, "lab %s: its state is not what the log says", id);
    rt_tree_root(&lab->results, &root);
    if (row->results != lab->results.size || !rt_digest_equal(&row->results_root, &root))
        fsck_say(compare->state, "lab %s: its result leaves are not the log's", id);
    const struct rt_core_counters *has = &row->counters, *log = &lab->counters;
    if (has->late != log->late || has->duplicate != log->duplicate || has->retried != log->retried)
        fsck_say(compare->state,
                 "lab %s: late, duplicate, retried are %" PRId64 ", %" PRId64 ", %" PRId64
                 "; the log has %" PRId64 ", %" PRId64 ", %" PRId64,
                 id, has->late, has->duplicate, has->retried, log->late, log->duplicate,
                 log->retried);
    return RT_OK;
}

static enum rt_status compare_chunk(void *ctx, const struct rt_store_chunk *chunk)
{
    struct compare *compare = ctx;
    struct fsck_lab *lab = lab_of(compare, chunk->lab, "bitmap");
    compare->seen++;
    if (!lab)
        return RT_OK;
    const uint8_t *mine = chunk->chunk < lab->chunk_count ? lab->chunks[chunk->chunk] : NULL;
    if (!mine || memcmp(mine, chunk->bitmap, RT_CORE_CHUNK_BYTES))
        fsck_say(compare->state, "lab %s: bitmap chunk %" PRIu64 " is not what the log says",
                 compare->campaign->campaign->labs[chunk->lab].id, chunk->chunk);
    return RT_OK;
}

static bool same_sum(const struct rt_cell_sum *a, const struct rt_cell_sum *b)
{
    return a->count == b->count && a->same_as == b->same_as && a->score_micro == b->score_micro &&
           a->tokens_in == b->tokens_in && a->tokens_out == b->tokens_out &&
           a->latency_ms == b->latency_ms;
}

static enum rt_status compare_tentative(void *ctx, const struct rt_store_tentative *row)
{
    struct compare *compare = ctx;
    struct fsck_lab *lab = lab_of(compare, row->lab, "trial in error");
    compare->seen++;
    if (!lab)
        return RT_OK;
    const struct fsck_tentative *mine = fsck_tentative(compare->state, lab, row->position, false);
    if (!mine || mine->count.standing != RT_STANDING_TENTATIVE ||
        mine->count.attempts != row->value.attempts ||
        store_cell_compare(&mine->key, &row->value.key) != 0 ||
        !same_sum(&mine->sum, &row->value.sum))
        fsck_say(compare->state,
                 "lab %s: the trial at position %" PRIu64 " does not stand as the log says",
                 compare->campaign->campaign->labs[row->lab].id, row->position);
    return RT_OK;
}

static enum rt_status compare_cell(void *ctx, const struct rt_cell_key *key,
                                   const struct rt_cell_sum *sum)
{
    struct compare *compare = ctx;
    const struct store_cell *mine = fsck_cell(compare->state, key, false);
    compare->seen++;
    compare->state->report.cells++;
    if (!mine || !same_sum(&mine->sum, sum))
        fsck_say(compare->state,
                 "cell of lab %" PRIu32 ", prompt %" PRIu32 ", configuration %" PRIu32
                 ", rater %u beside %u, outcome %u, status %u: %" PRId64
                 " trials; the log has %" PRId64,
                 key->lab, key->prompt, key->configuration, key->rater, key->beside, key->outcome,
                 key->status, sum->count, mine ? mine->sum.count : 0);
    return RT_OK;
}

static enum rt_status compare_fingerprint(void *ctx, const struct rt_store_fingerprint *row)
{
    struct compare *compare = ctx;
    compare->seen++;
    if (row->index >= compare->state->fingerprint_count ||
        !rt_digest_equal(&row->digest, &compare->state->fingerprints[row->index]))
        fsck_say(compare->state, "fingerprint %" PRIu32 ": not the log's", row->index);
    return RT_OK;
}

// ---- nothing may be missing either

static void expect(struct compare *compare, const char *what, uint64_t expected)
{
    if (compare->seen != expected)
        fsck_say(compare->state, "%s: %" PRIu64 " rows are stored, the log makes %" PRIu64, what,
                 compare->seen, expected);
    compare->seen = 0;
}

static uint64_t expected_chunks(const struct fsck_campaign *campaign)
{
    uint64_t count = 0;
    for (size_t l = 0; l < campaign->campaign->lab_count; l++)
        count += campaign->labs[l].chunks_touched;
    return count;
}

static uint64_t expected_tentatives(const struct fsck_campaign *campaign)
{
    uint64_t count = 0;
    for (size_t l = 0; l < campaign->campaign->lab_count; l++) {
        const struct fsck_lab *lab = &campaign->labs[l];
        for (uint64_t i = 0; i < lab->tentative_size; i++)
            count += lab->tentatives[i].position != UINT64_MAX &&
                     lab->tentatives[i].count.standing == RT_STANDING_TENTATIVE;
    }
    return count;
}

static uint64_t expected_cells(const struct fsck_state *state, uint32_t campaign)
{
    static const struct rt_cell_sum zero;
    uint64_t count = 0;
    for (uint64_t i = 0; i < state->cell_size; i++) {
        const struct store_cell *cell = &state->cells[i];
        count += cell->key.status != RT_TRIAL_STATUS_COUNT && cell->key.campaign == campaign &&
                 !same_sum(&cell->sum, &zero);
    }
    return count;
}

static enum rt_status damaged(struct fsck_state *state, const char *what, enum rt_status status)
{
    if (status != RT_CORRUPT)
        return status;
    fsck_say(state, "%s: a row is damaged", what);
    return RT_OK;
}

static enum rt_status compare_one(struct compare *compare)
{
    struct fsck_state *state = compare->state;
    uint32_t index = compare->campaign->row.index;
    enum rt_status status =
        damaged(state, "labs", rt_view_labs(state->view, index, compare_lab, compare));
    expect(compare, "labs", compare->campaign->campaign->lab_count);
    if (status == RT_OK)
        status =
            damaged(state, "bitmaps", rt_view_chunks(state->view, index, compare_chunk, compare));
    expect(compare, "bitmaps", expected_chunks(compare->campaign));
    if (status == RT_OK)
        status = damaged(state, "trials in error",
                         rt_view_tentatives(state->view, index, compare_tentative, compare));
    expect(compare, "trials in error", expected_tentatives(compare->campaign));
    if (status == RT_OK)
        status = damaged(state, "cells", rt_view_cells(state->view, index, compare_cell, compare));
    expect(compare, "cells", expected_cells(state, index));
    return status;
}

enum rt_status fsck_compare(struct fsck_state *state)
{
    struct compare compare = {.state = state};
    enum rt_status status =
        damaged(state, "campaigns", rt_view_campaigns(state->view, compare_campaign, &compare));
    expect(&compare, "campaigns", state->campaign_count);
    if (status == RT_OK)
        status = damaged(state, "fingerprints",
                         rt_view_fingerprints(state->view, compare_fingerprint, &compare));
    expect(&compare, "fingerprints", state->fingerprint_count);
    for (uint32_t c = 0; c < state->campaign_count && status == RT_OK; c++) {
        compare.campaign = &state->campaigns[c];
        status = compare_one(&compare);
    }
    return status == RT_OK ? fsck_compare_ratings(state) : status;
}
