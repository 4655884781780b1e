// SPDX-License-Identifier: Apache-2.0
// What a batch touches again and again is kept here and written once: labs, bitmaps, cells.
#include <stdlib.h>

#include "coordinator/store/internal.h"
#include "proto/campaign.h"

#define CELLS_MOST 8192 // cells in one row; beyond it something is wrong

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t hash = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2))) * 0xff51afd7ed558ccdu;
    return hash ^ hash >> 32;
}

// ---- labs

enum rt_status store_cache_lab(struct rt_store *store, uint32_t campaign, uint32_t lab, bool make,
                               struct store_lab **ret_lab)
{
    if (campaign >= RT_CORE_CAMPAIGNS_MOST || lab >= RT_LABS_MOST)
        return RT_OUT_OF_RANGE;
    struct store_lab ***labs = &store->labs[campaign];
    if (!*labs && !(*labs = calloc(RT_LABS_MOST, sizeof **labs)))
        return RT_NO_MEMORY;
    if ((*labs)[lab]) {
        *ret_lab = (*labs)[lab];
        return RT_OK;
    }
    struct store_lab *loaded = calloc(1, sizeof *loaded);
    if (!loaded)
        return RT_NO_MEMORY;
    MDB_txn *txn;
    struct row key = key_lab(campaign, lab);
    struct rt_bytes value;
    enum rt_status status = store_read_txn(store, &txn);
    if (status == RT_OK) {
        status = store_get(store, txn, TABLE_LAB, &key, &value);
        if (status == RT_OK && !store_lab_decode(value, campaign, lab, loaded))
            status = RT_CORRUPT;
        store_read_done(store);
    }
    if (status == RT_NOT_FOUND && make) {
        loaded->row = (struct rt_core_lab_row){.campaign = campaign, .lab = lab};
        rt_tree_init(&loaded->results);
        status = RT_OK;
    }
    if (status != RT_OK) {
        free(loaded);
        return status;
    }
    *ret_lab = (*labs)[lab] = loaded;
    return RT_OK;
}

static enum rt_status flush_labs(struct rt_store *store, struct rt_error *err)
{
    enum rt_status status = RT_OK;
    for (uint32_t c = 0; c < RT_CORE_CAMPAIGNS_MOST; c++) {
        for (uint32_t l = 0; store->labs[c] && l < RT_LABS_MOST && status == RT_OK; l++) {
            struct store_lab *lab = store->labs[c][l];
            if (!lab || !lab->dirty)
                continue;
            struct row key = key_lab(c, l);
            rt_buf_clear(&store->buffer);
            store_lab_encode(lab, &store->buffer);
            status = rt_buf_ok(&store->buffer);
            if (status == RT_OK)
                status = store_put(store, TABLE_LAB, &key, rt_buf_bytes(&store->buffer), 0, err);
            lab->dirty = false;
        }
    }
    return status;
}

// ---- bitmaps

static uint32_t chunk_place(const struct rt_store *store, uint32_t campaign, uint32_t lab,
                            uint64_t chunk)
{
    uint32_t mask = store->chunk_size - 1;
    uint32_t at = (uint32_t)mix((uint64_t)campaign << 32 | lab, chunk) & mask;
    while (store->chunks[at] &&
           (store->chunks[at]->campaign != campaign || store->chunks[at]->lab != lab ||
            store->chunks[at]->chunk != chunk))
        at = (at + 1) & mask;
    return at;
}

static enum rt_status grow_chunks(struct rt_store *store)
{
    uint32_t size = store->chunk_size, larger = size ? size * 2 : 256;
    struct store_chunk **old = store->chunks, **grown = calloc(larger, sizeof *grown);
    if (!grown)
        return RT_NO_MEMORY;
    store->chunks = grown;
    store->chunk_size = larger;
    for (uint32_t i = 0; i < size; i++) {
        if (old[i])
            grown[chunk_place(store, old[i]->campaign, old[i]->lab, old[i]->chunk)] = old[i];
    }
    free(old);
    return RT_OK;
}

static enum rt_status load_chunk(struct rt_store *store, struct store_chunk *chunk)
{
    MDB_txn *txn;
    struct row key = key_place(chunk->campaign, chunk->lab, chunk->chunk);
    struct rt_bytes value;
    enum rt_status status = store_read_txn(store, &txn);
    if (status != RT_OK)
        return status;
    status = store_get(store, txn, TABLE_CHUNK, &key, &value);
    if (status == RT_OK && value.size == RT_CORE_CHUNK_BYTES)
        memcpy(chunk->bitmap, value.data, value.size);
    else if (status == RT_OK)
        status = RT_CORRUPT;
    store_read_done(store);
    return status == RT_NOT_FOUND ? RT_OK : status;
}

static enum rt_status find_chunk(struct rt_store *store, uint32_t campaign, uint32_t lab,
                                 uint64_t index, struct store_chunk **ret_chunk)
{
    if (store->chunk_count * 2 >= store->chunk_size) {
        enum rt_status status = grow_chunks(store);
        if (status != RT_OK)
            return status;
    }
    uint32_t at = chunk_place(store, campaign, lab, index);
    if (!store->chunks[at]) {
        struct store_chunk *chunk = calloc(1, sizeof *chunk);
        if (!chunk)
            return RT_NO_MEMORY;
        chunk->campaign = campaign;
        chunk->lab = lab;
        chunk->chunk = index;
        enum rt_status status = load_chunk(store, chunk);
        if (status != RT_OK) {
            free(chunk);
            return status;
        }
        store->chunks[at] = chunk;
        store->chunk_count++;
    }
    *ret_chunk = store->chunks[at];
    return RT_OK;
}

enum rt_status store_cache_final(struct rt_store *store, uint32_t campaign, uint32_t lab,
                                 const struct rt_unit_run *run)
{
    for (uint64_t p = run->first; p < run->first + run->count;) {
        struct store_chunk *chunk;
        uint64_t index = p / RT_CORE_CHUNK_POSITIONS;
        uint64_t end = (index + 1) * RT_CORE_CHUNK_POSITIONS;
        enum rt_status status = find_chunk(store, campaign, lab, index, &chunk);
        if (status != RT_OK)
            return status;
        chunk->dirty = true;
        for (; p < end && p < run->first + run->count; p++)
            chunk->bitmap[p % RT_CORE_CHUNK_POSITIONS / 8] |= (uint8_t)(1u << (p % 8));
    }
    return RT_OK;
}

static enum rt_status flush_chunks(struct rt_store *store, struct rt_error *err)
{
    enum rt_status status = RT_OK;
    for (uint32_t i = 0; i < store->chunk_size && status == RT_OK; i++) {
        struct store_chunk *chunk = store->chunks[i];
        if (!chunk || !chunk->dirty)
            continue;
        struct row key = key_place(chunk->campaign, chunk->lab, chunk->chunk);
        status = store_put(store, TABLE_CHUNK, &key, rt_bytes(chunk->bitmap, RT_CORE_CHUNK_BYTES),
                           0, err);
        chunk->dirty = false;
    }
    return status;
}

// ---- cells

static uint32_t group_place(const struct rt_store *store, uint32_t campaign, uint32_t lab,
                            uint32_t prompt, uint32_t group)
{
    uint32_t mask = store->group_size - 1;
    uint32_t at =
        (uint32_t)mix((uint64_t)campaign << 32 | lab, (uint64_t)prompt << 32 | group) & mask;
    while (store->groups[at] &&
           (store->groups[at]->prompt != prompt || store->groups[at]->lab != lab ||
            store->groups[at]->group != group || store->groups[at]->campaign != campaign))
        at = (at + 1) & mask;
    return at;
}

static enum rt_status grow_groups(struct rt_store *store)
{
    uint32_t size = store->group_size, larger = size ? size * 2 : 1024;
    struct store_group **old = store->groups, **grown = calloc(larger, sizeof *grown);
    if (!grown)
        return RT_NO_MEMORY;
    store->groups = grown;
    store->group_size = larger;
    for (uint32_t i = 0; i < size; i++) {
        if (old[i])
            grown[group_place(store, old[i]->campaign, old[i]->lab, old[i]->prompt,
                              old[i]->group)] = old[i];
    }
    free(old);
    return RT_OK;
}

static enum rt_status insert_cell(struct store_group *group, uint32_t at,
                                  const struct store_cell *cell)
{
    if (group->count == CELLS_MOST)
        return RT_TOO_LARGE;
    if (group->count == group->room) {
        uint32_t room = group->room ? group->room * 2 : 8;
        struct store_cell *cells = realloc(group->cells, room * sizeof *cells);
        if (!cells)
            return RT_NO_MEMORY;
        group->cells = cells;
        group->room = room;
    }
    memmove(group->cells + at + 1, group->cells + at, (group->count - at) * sizeof *group->cells);
    group->cells[at] = *cell;
    group->count++;
    return RT_OK;
}

static void free_group(struct store_group *group)
{
    if (group)
        free(group->cells);
    free(group);
}

static enum rt_status load_group(struct rt_store *store, struct store_group *group)
{
    MDB_txn *txn;
    struct row key = key_group(group->campaign, group->lab, group->prompt, group->group);
    struct rt_bytes value;
    enum rt_status status = store_read_txn(store, &txn);
    if (status != RT_OK)
        return status;
    status = store_get(store, txn, TABLE_CELL, &key, &value);
    struct scan scan = scan_of(value);
    while (status == RT_OK && scan.left) {
        struct store_cell cell;
        status = scan_cell(&scan, group->campaign, group->lab, group->prompt, &cell)
                     ? insert_cell(group, group->count, &cell)
                     : RT_CORRUPT;
    }
    store_read_done(store);
    return status == RT_NOT_FOUND ? RT_OK : status;
}

static enum rt_status find_group(struct rt_store *store, const struct rt_cell_key *key,
                                 struct store_group **ret_group)
{
    if (store->group_count * 2 >= store->group_size) {
        enum rt_status status = grow_groups(store);
        if (status != RT_OK)
            return status;
    }
    uint32_t group = key->configuration / CELL_GROUP;
    uint32_t at = group_place(store, key->campaign, key->lab, key->prompt, group);
    if (!store->groups[at]) {
        struct store_group *loaded = calloc(1, sizeof *loaded);
        if (!loaded)
            return RT_NO_MEMORY;
        loaded->campaign = key->campaign;
        loaded->lab = key->lab;
        loaded->prompt = key->prompt;
        loaded->group = group;
        enum rt_status status = load_group(store, loaded);
        if (status != RT_OK) {
            free_group(loaded);
            return status;
        }
        store->groups[at] = loaded;
        store->group_count++;
    }
    *ret_group = store->groups[at];
    return RT_OK;
}

static bool sum_zero(const struct rt_cell_sum *sum)
{
    return !sum->count && !sum->same_as && !sum->score_micro && !sum->tokens_in &&
           !sum->tokens_out && !sum->latency_ms;
}

enum rt_status store_cache_cell(struct rt_store *store, const struct rt_cell_key *key,
                                const struct rt_cell_sum *delta)
{
    struct store_group *group;
    enum rt_status status = find_group(store, key, &group);
    if (status != RT_OK)
        return status;
    group->dirty = true;
    uint32_t low = 0, high = group->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (store_cell_compare(&group->cells[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == group->count || store_cell_compare(&group->cells[low].key, key) != 0)
        return insert_cell(group, low, &(struct store_cell){*key, *delta});
    struct rt_cell_sum *sum = &group->cells[low].sum;
    sum->count += delta->count;
    sum->same_as += delta->same_as;
    sum->score_micro += delta->score_micro;
    sum->tokens_in += delta->tokens_in;
    sum->tokens_out += delta->tokens_out;
    sum->latency_ms += delta->latency_ms;
    if (sum_zero(sum)) {
        group->count--;
        memmove(group->cells + low, group->cells + low + 1,
                (group->count - low) * sizeof *group->cells);
    }
    return RT_OK;
}

static enum rt_status flush_group(struct rt_store *store, struct store_group *group,
                                  struct rt_error *err)
{
    struct row key = key_group(group->campaign, group->lab, group->prompt, group->group);
    group->dirty = false;
    if (!group->count)
        return store_delete(store, TABLE_CELL, &key, err);
    rt_buf_clear(&store->buffer);
    for (uint32_t i = 0; i < group->count; i++) {
        struct row row = {.size = 0};
        row_cell(&row, &group->cells[i]);
        rt_buf_add(&store->buffer, row.bytes, row.size);
    }
    enum rt_status status = rt_buf_ok(&store->buffer);
    if (status != RT_OK)
        return rt_error_set(err, status, "store: cells");
    return store_put(store, TABLE_CELL, &key, rt_buf_bytes(&store->buffer), 0, err);
}

static enum rt_status flush_groups(struct rt_store *store, struct rt_error *err)
{
    enum rt_status status = RT_OK;
    for (uint32_t i = 0; i < store->group_size && status == RT_OK; i++) {
        if (store->groups[i] && store->groups[i]->dirty)
            status = flush_group(store, store->groups[i], err);
    }
    return status;
}

// ---- all of them

enum rt_status store_cache_flush(struct rt_store *store, struct rt_error *err)
{
    enum rt_status status = flush_labs(store, err);
    if (status == RT_OK)
        status = flush_chunks(store, err);
    if (status == RT_OK)
        status = flush_groups(store, err);
    return status;
}

static void drop_chunks(struct rt_store *store)
{
    for (uint32_t i = 0; i < store->chunk_size; i++)
        free(store->chunks[i]);
    free(store->chunks);
    store->chunks = NULL;
    store->chunk_size = store->chunk_count = 0;
}

static void drop_groups(struct rt_store *store)
{
    for (uint32_t i = 0; i < store->group_size; i++)
        free_group(store->groups[i]);
    free(store->groups);
    store->groups = NULL;
    store->group_size = store->group_count = 0;
}

void store_cache_drop(struct rt_store *store)
{
    for (uint32_t c = 0; c < RT_CORE_CAMPAIGNS_MOST; c++) {
        for (uint32_t l = 0; store->labs[c] && l < RT_LABS_MOST; l++)
            free(store->labs[c][l]);
        free(store->labs[c]);
        store->labs[c] = NULL;
    }
    drop_chunks(store);
    drop_groups(store);
    if (store->nodes)
        memset(store->nodes, 0, NODE_CACHE_LEVELS * NODE_CACHE_EACH * sizeof *store->nodes);
}

void store_cache_trim(struct rt_store *store)
{
    if (store->chunk_count > CHUNKS_KEPT_MOST)
        drop_chunks(store);
    if (store->group_count > GROUPS_KEPT_MOST)
        drop_groups(store);
}
