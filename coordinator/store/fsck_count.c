// SPDX-License-Identifier: Apache-2.0
// The trials of the log counted once more.
#include <inttypes.h>
#include <stdlib.h>

#include "coordinator/store/fsck_internal.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t hash = (a ^ (b * 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
    return hash ^ hash >> 29;
}

// ---- cells

static uint64_t cell_place(const struct fsck_state *state, const struct rt_cell_key *key)
{
    uint64_t hash = mix((uint64_t)key->campaign << 32 | key->lab,
                        (uint64_t)key->prompt << 32 | key->configuration);
    hash = mix(hash, (uint64_t)key->fingerprint << 32 | (uint64_t)key->rater << 16 | key->outcome);
    hash = mix(hash, (uint64_t)key->severity << 8 | key->status);
    hash = mix(hash, (uint64_t)key->beside << 16 | key->beside_label);
    uint64_t at = hash & (state->cell_size - 1);
    while (state->cells[at].key.status != RT_TRIAL_STATUS_COUNT &&
           store_cell_compare(&state->cells[at].key, key) != 0)
        at = (at + 1) & (state->cell_size - 1);
    return at;
}

static bool grow_cells(struct fsck_state *state)
{
    uint64_t size = state->cell_size, larger = size ? size * 2 : 1024;
    struct store_cell *old = state->cells, *grown = calloc(larger, sizeof *grown);
    if (!grown)
        return false;
    for (uint64_t i = 0; i < larger; i++)
        grown[i].key.status = RT_TRIAL_STATUS_COUNT;
    state->cells = grown;
    state->cell_size = larger;
    for (uint64_t i = 0; i < size; i++) {
        if (old[i].key.status != RT_TRIAL_STATUS_COUNT)
            grown[cell_place(state, &old[i].key)] = old[i];
    }
    free(old);
    return true;
}

struct store_cell *fsck_cell(struct fsck_state *state, const struct rt_cell_key *key, bool make)
{
    if (make && state->cell_used * 2 >= state->cell_size && !grow_cells(state)) {
        state->no_memory = true;
        return NULL;
    }
    if (!state->cell_size)
        return NULL;
    struct store_cell *cell = &state->cells[cell_place(state, key)];
    if (cell->key.status == RT_TRIAL_STATUS_COUNT) {
        if (!make)
            return NULL;
        *cell = (struct store_cell){.key = *key};
        state->cell_used++;
    }
    return cell;
}

void fsck_add_cell(struct fsck_state *state, const struct rt_cell_key *key,
                   const struct rt_cell_sum *sum, int64_t sign)
{
    struct store_cell *cell = fsck_cell(state, key, true);
    if (!cell)
        return;
    cell->sum.count += sign * sum->count;
    cell->sum.same_as += sign * sum->same_as;
    cell->sum.score_micro += sign * sum->score_micro;
    cell->sum.tokens_in += sign * sum->tokens_in;
    cell->sum.tokens_out += sign * sum->tokens_out;
    cell->sum.latency_ms += sign * sum->latency_ms;
}

// ---- trials

static struct fsck_tentative *tentative_slot(const struct fsck_lab *lab, uint64_t position)
{
    uint64_t at = mix(position, 1) & (lab->tentative_size - 1);
    while (lab->tentatives[at].position != UINT64_MAX && lab->tentatives[at].position != position)
        at = (at + 1) & (lab->tentative_size - 1);
    return &lab->tentatives[at];
}

static bool grow_tentatives(struct fsck_lab *lab)
{
    uint64_t size = lab->tentative_size, larger = size ? size * 2 : 64;
    struct fsck_tentative *old = lab->tentatives, *grown = calloc(larger, sizeof *grown);
    if (!grown)
        return false;
    for (uint64_t i = 0; i < larger; i++)
        grown[i].position = UINT64_MAX;
    lab->tentatives = grown;
    lab->tentative_size = larger;
    for (uint64_t i = 0; i < size; i++) {
        if (old[i].position != UINT64_MAX)
            *tentative_slot(lab, old[i].position) = old[i];
    }
    free(old);
    return true;
}

struct fsck_tentative *fsck_tentative(struct fsck_state *state, struct fsck_lab *lab,
                                      uint64_t position, bool make)
{
    if (make && lab->tentative_used * 2 >= lab->tentative_size && !grow_tentatives(lab)) {
        state->no_memory = true;
        return NULL;
    }
    if (!lab->tentative_size)
        return NULL;
    struct fsck_tentative *slot = tentative_slot(lab, position);
    if (slot->position == UINT64_MAX) {
        if (!make)
            return NULL;
        *slot = (struct fsck_tentative){.position = position};
        lab->tentative_used++;
    }
    return slot;
}

bool fsck_final(const struct fsck_lab *lab, uint64_t position)
{
    const uint8_t *chunk = lab->chunks[position / RT_CORE_CHUNK_POSITIONS];
    return chunk && chunk[position % RT_CORE_CHUNK_POSITIONS / 8] >> (position % 8) & 1;
}

static void set_final(struct fsck_state *state, struct fsck_lab *lab, uint64_t position)
{
    uint8_t **chunk = &lab->chunks[position / RT_CORE_CHUNK_POSITIONS];
    if (!*chunk) {
        *chunk = calloc(1, RT_CORE_CHUNK_BYTES);
        lab->chunks_touched++;
    }
    if (!*chunk) {
        state->no_memory = true;
        return;
    }
    (*chunk)[position % RT_CORE_CHUNK_POSITIONS / 8] |= (uint8_t)(1u << (position % 8));
}

static void count_trial(struct fsck_state *state, struct fsck_lab *lab, uint64_t position,
                        const struct rt_cell_key *where, const struct rt_trial_result *trial,
                        const struct rt_arrival *arrival)
{
    struct rt_count count = {0};
    struct fsck_tentative *before = fsck_tentative(state, lab, position, false);
    if (fsck_final(lab, position))
        count.standing = RT_STANDING_FINAL;
    else if (before)
        count = before->count;
    enum rt_count_effect effect = rt_count_step(&count, arrival);
    lab->counters.late += effect == RT_COUNT_LATE;
    lab->counters.duplicate += effect == RT_COUNT_DUPLICATE;
    lab->counters.retried += effect == RT_COUNT_REPLACES;
    if (effect == RT_COUNT_LATE || effect == RT_COUNT_DUPLICATE) {
        if (rt_rating_book_spare(&state->book, fsck_group(where->campaign, where->lab),
                                 trial->number, arrival->index) != RT_OK)
            state->no_memory = true;
        return;
    }
    struct rt_cell_key key;
    struct rt_cell_sum sum;
    rt_core_trial_cell(trial, where, &key, &sum);
    if (effect == RT_COUNT_REPLACES && before)
        fsck_add_cell(state, &before->key, &before->sum, -1);
    fsck_add_cell(state, &key, &sum, 1);
    state->report.counted += effect == RT_COUNT_FIRST;
    if (count.standing == RT_STANDING_FINAL) {
        set_final(state, lab, position);
        if (before)
            before->count.standing = RT_STANDING_NONE;
        return;
    }
    before = fsck_tentative(state, lab, position, true);
    if (before)
        *before = (struct fsck_tentative){position, count, key, sum};
}

uint32_t fsck_fingerprint(struct fsck_state *state, const struct rt_digest *digest)
{
    for (uint32_t i = 0; i < state->fingerprint_count; i++) {
        if (rt_digest_equal(&state->fingerprints[i], digest))
            return i;
    }
    if (state->fingerprint_count == state->fingerprint_room) {
        uint32_t room = state->fingerprint_room ? state->fingerprint_room * 2 : 16;
        struct rt_digest *grown = realloc(state->fingerprints, room * sizeof *grown);
        if (!grown) {
            state->no_memory = true;
            return 0;
        }
        state->fingerprints = grown;
        state->fingerprint_room = room;
    }
    state->fingerprints[state->fingerprint_count] = *digest;
    return state->fingerprint_count++;
}

void fsck_count_pair(struct fsck_state *state, uint64_t index, int64_t received_ms, uint32_t c,
                     uint32_t l, const struct rt_object_unit *unit,
                     const struct rt_object_result *result)
{
    struct fsck_campaign *campaign = &state->campaigns[c];
    struct fsck_lab *lab = &campaign->labs[l];
    struct rt_cell_key where = {.campaign = c, .lab = l};
    size_t next = 0;
    where.fingerprint = fsck_fingerprint(state, &result->fingerprint);
    state->report.results++;
    for (size_t r = 0; r < unit->runs_count; r++) {
        for (uint64_t i = 0; i < unit->runs[r].count; i++, next++) {
            uint64_t position = unit->runs[r].first + i, number;
            struct rt_trial trial;
            if (next >= result->trials_count || position >= lab->total ||
                rt_lab_trial(lab->plan, &lab->order, position, &number) != RT_OK ||
                number != result->trials[next].number ||
                rt_trial_of(campaign->campaign, number, &trial) != RT_OK) {
                fsck_say(state, "leaf %" PRIu64 ": a result does not match its unit", index);
                return;
            }
            const struct rt_trial_result *of = &result->trials[next];
            where.prompt = trial.prompt;
            where.configuration = trial.configuration;
            struct rt_arrival arrival = {of->status, index, received_ms, unit->accept_until_ms};
            count_trial(state, lab, position, &where, of, &arrival);
            state->report.trials++;
        }
    }
    if (next != result->trials_count)
        fsck_say(state, "leaf %" PRIu64 ": a result has more trials than its unit", index);
}

void fsck_release(struct fsck_state *state)
{
    for (uint32_t c = 0; c < state->campaign_count; c++) {
        struct fsck_campaign *campaign = &state->campaigns[c];
        for (size_t l = 0; campaign->labs && l < campaign->campaign->lab_count; l++) {
            struct fsck_lab *lab = &campaign->labs[l];
            for (uint64_t i = 0; lab->chunks && i < lab->chunk_count; i++)
                free(lab->chunks[i]);
            free(lab->chunks);
            free(lab->tentatives);
            free(lab->plan);
        }
        free(campaign->labs);
        free(campaign->accepts);
    }
    free(state->cells);
    free(state->fingerprints);
    rt_rating_book_release(&state->book);
    rt_arena_release(&state->arena);
    rt_buf_release(&state->leaf);
    rt_buf_release(&state->unit);
    rt_buf_release(&state->result);
}
