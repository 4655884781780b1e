// SPDX-License-Identifier: Apache-2.0
#include "auditor/tally.h"

#include <stdlib.h>

enum rt_status rt_tally_init(struct rt_tally *tally, const uint64_t *totals, size_t lab_count)
{
    *tally = (struct rt_tally){.lab_count = lab_count};
    tally->labs = calloc(lab_count + 1, sizeof *tally->labs);
    if (!tally->labs)
        return RT_NO_MEMORY;
    for (size_t l = 0; l < lab_count; l++) {
        uint64_t chunks = totals[l] / RT_TALLY_CHUNK + 1;
        if (chunks > SIZE_MAX / 2 / sizeof(uint32_t *))
            return RT_TOO_LARGE;
        tally->labs[l].total = totals[l];
        tally->labs[l].chunks = calloc((size_t)chunks, sizeof(uint32_t *));
        if (!tally->labs[l].chunks)
            return RT_NO_MEMORY;
    }
    return RT_OK;
}

void rt_tally_release(struct rt_tally *tally)
{
    for (size_t l = 0; tally->labs && l < tally->lab_count; l++) {
        struct rt_tally_lab *lab = &tally->labs[l];
        for (uint64_t c = 0; lab->chunks && c <= lab->total / RT_TALLY_CHUNK; c++)
            free(lab->chunks[c]);
        free(lab->chunks);
    }
    free(tally->labs);
    free(tally->tentatives);
    free(tally->free);
    free(tally->cells);
    *tally = (struct rt_tally){.labs = NULL};
}

// ---- cells

static bool same_cell(const struct rt_facts_cell *a, const struct rt_facts_cell *b)
{
    return a->prompt == b->prompt && a->configuration == b->configuration && a->lab == b->lab &&
           a->fingerprint == b->fingerprint && a->outcome == b->outcome &&
           a->severity == b->severity && a->status == b->status && a->rater == b->rater &&
           a->beside == b->beside && a->beside_label == b->beside_label;
}

static size_t hash_cell(const struct rt_facts_cell *cell)
{
    const uint32_t labels[] = {cell->prompt,          cell->configuration, cell->lab,
                               cell->outcome,         cell->fingerprint,   cell->severity,
                               (uint32_t)cell->status, cell->rater,        cell->beside,
                               cell->beside_label};
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        hash = (hash ^ labels[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return (size_t)hash;
}

// A place is taken for good: `lab` of a free one is UINT32_MAX.
static struct rt_facts_cell *place(struct rt_facts_cell *cells, size_t capacity,
                                   const struct rt_facts_cell *cell)
{
    size_t at = hash_cell(cell) & (capacity - 1);
    while (cells[at].lab != UINT32_MAX && !same_cell(&cells[at], cell))
        at = (at + 1) & (capacity - 1);
    return &cells[at];
}

static enum rt_status grow_cells(struct rt_tally *tally)
{
    size_t capacity = tally->cell_capacity ? 2 * tally->cell_capacity : 1024;
    struct rt_facts_cell *wider = malloc(capacity * sizeof *wider);
    if (!wider)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < capacity; i++)
        wider[i] = (struct rt_facts_cell){.lab = UINT32_MAX};
    for (size_t i = 0; i < tally->cell_capacity; i++)
        if (tally->cells[i].lab != UINT32_MAX)
            *place(wider, capacity, &tally->cells[i]) = tally->cells[i];
    free(tally->cells);
    tally->cells = wider;
    tally->cell_capacity = capacity;
    return RT_OK;
}

static enum rt_status add_to_cell(struct rt_tally *tally, const struct rt_facts_cell *cell,
                                  bool take_back)
{
    if (2 * (tally->cell_count + 1) > tally->cell_capacity) {
        enum rt_status status = grow_cells(tally);
        if (status)
            return status;
    }
    struct rt_facts_cell *mine = place(tally->cells, tally->cell_capacity, cell);
    if (mine->lab == UINT32_MAX) {
        *mine = *cell;
        mine->count = mine->same_as = 0;
        mine->score_micro = 0;
        tally->cell_count++;
    }
    mine->count += take_back ? -cell->count : cell->count;
    mine->same_as += take_back ? -cell->same_as : cell->same_as;
    mine->score_micro += take_back ? -cell->score_micro : cell->score_micro;
    return RT_OK;
}

// ---- trials

static uint32_t *slot_of(struct rt_tally_lab *lab, uint64_t position)
{
    uint32_t **chunk = &lab->chunks[position / RT_TALLY_CHUNK];
    if (!*chunk)
        *chunk = calloc(RT_TALLY_CHUNK, sizeof **chunk);
    return *chunk ? &(*chunk)[position % RT_TALLY_CHUNK] : NULL;
}

static enum rt_status new_tentative(struct rt_tally *tally, uint32_t *ret_place)
{
    if (tally->free_count) {
        *ret_place = tally->free[--tally->free_count];
        return RT_OK;
    }
    if (tally->tentative_count == tally->tentative_room) {
        size_t room = tally->tentative_room ? 2 * tally->tentative_room : 64;
        struct rt_tally_tentative *grown = realloc(tally->tentatives, room * sizeof *grown);
        if (!grown || room >= RT_TALLY_FINAL)
            return RT_NO_MEMORY;
        tally->tentatives = grown;
        tally->tentative_room = room;
    }
    *ret_place = (uint32_t)tally->tentative_count++;
    return RT_OK;
}

static enum rt_status free_tentative(struct rt_tally *tally, uint32_t at)
{
    if (tally->free_count == tally->free_room) {
        size_t room = tally->free_room ? 2 * tally->free_room : 64;
        uint32_t *grown = realloc(tally->free, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        tally->free = grown;
        tally->free_room = room;
    }
    tally->free[tally->free_count++] = at;
    return RT_OK;
}

// The arrival counts: what counted before is taken back.
static enum rt_status count_it(struct rt_tally *tally, uint32_t *slot, const struct rt_count *count,
                               const struct rt_facts_cell *cell)
{
    struct rt_tally_lab *lab = &tally->labs[cell->lab];
    bool was_tentative = *slot != 0, final = count->standing == RT_STANDING_FINAL;
    uint32_t at = *slot - 1;
    enum rt_status status = RT_OK;
    if (was_tentative)
        status = add_to_cell(tally, &tally->tentatives[at].cell, true);
    else if (!final)
        status = new_tentative(tally, &at);
    if (!status)
        status = add_to_cell(tally, cell, false);
    if (!status && was_tentative && final)
        status = free_tentative(tally, at);
    if (status)
        return status;
    lab->tentative -= was_tentative;
    lab->tentative += !final;
    lab->final += final;
    if (!final)
        tally->tentatives[at] = (struct rt_tally_tentative){*count, *cell};
    *slot = final ? RT_TALLY_FINAL : at + 1;
    return RT_OK;
}

enum rt_status rt_tally_add(struct rt_tally *tally, uint64_t position,
                            const struct rt_arrival *arrival, const struct rt_facts_cell *cell,
                            bool *ret_spare)
{
    if (cell->lab >= tally->lab_count || position >= tally->labs[cell->lab].total)
        return RT_OUT_OF_RANGE;
    struct rt_tally_lab *lab = &tally->labs[cell->lab];
    uint32_t *slot = slot_of(lab, position);
    if (!slot)
        return RT_NO_MEMORY;
    struct rt_count count = {.standing = RT_STANDING_NONE};
    if (*slot == RT_TALLY_FINAL)
        count.standing = RT_STANDING_FINAL;
    else if (*slot)
        count = tally->tentatives[*slot - 1].count;
    enum rt_count_effect effect = rt_count_step(&count, arrival);
    if (ret_spare)
        *ret_spare = effect == RT_COUNT_LATE || effect == RT_COUNT_DUPLICATE;
    switch (effect) {
    case RT_COUNT_LATE:
        lab->counters.late++;
        return RT_OK;
    case RT_COUNT_DUPLICATE:
        lab->counters.duplicate++;
        return RT_OK;
    case RT_COUNT_REPLACES:
        lab->counters.retried++;
        return count_it(tally, slot, &count, cell);
    case RT_COUNT_FIRST:
        return count_it(tally, slot, &count, cell);
    }
    return RT_UNSUPPORTED;
}

enum rt_status rt_tally_add_cell(struct rt_tally *tally, const struct rt_facts_cell *cell)
{
    return add_to_cell(tally, cell, false);
}

enum rt_standing rt_tally_standing(const struct rt_tally *tally, uint32_t lab, uint64_t position)
{
    const uint32_t *chunk = tally->labs[lab].chunks[position / RT_TALLY_CHUNK];
    uint32_t slot = chunk ? chunk[position % RT_TALLY_CHUNK] : 0;
    return slot == RT_TALLY_FINAL ? RT_STANDING_FINAL
           : slot                 ? RT_STANDING_TENTATIVE
                                  : RT_STANDING_NONE;
}

void rt_tally_finish(struct rt_tally *tally)
{
    size_t kept = 0;
    for (size_t i = 0; i < tally->cell_capacity; i++)
        if (tally->cells[i].lab != UINT32_MAX && tally->cells[i].count)
            tally->cells[kept++] = tally->cells[i];
    tally->cell_count = kept;
    tally->cell_capacity = 0;
}
