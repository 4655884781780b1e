// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "coordinator/core/internal.h"

enum rt_status core_bitmap_init(struct core_bitmap *map, uint64_t total)
{
    *map = (struct core_bitmap){.total = total};
    if (total > RT_CORE_POSITIONS_MOST)
        return RT_TOO_LARGE;
    map->chunk_count = (total + RT_CORE_CHUNK_POSITIONS - 1) / RT_CORE_CHUNK_POSITIONS;
    map->chunks = calloc(map->chunk_count ? map->chunk_count : 1, sizeof *map->chunks);
    return map->chunks ? RT_OK : RT_NO_MEMORY;
}

void core_bitmap_release(struct core_bitmap *map)
{
    for (uint64_t i = 0; map->chunks && i < map->chunk_count; i++)
        free(map->chunks[i].words);
    free(map->chunks);
    *map = (struct core_bitmap){0};
}

static uint64_t chunk_size(const struct core_bitmap *map, uint64_t chunk)
{
    uint64_t rest = map->total - chunk * RT_CORE_CHUNK_POSITIONS;
    return rest < RT_CORE_CHUNK_POSITIONS ? rest : RT_CORE_CHUNK_POSITIONS;
}

static bool test_bit(const uint64_t *words, uint64_t bit)
{
    return words[bit / 64] >> (bit % 64) & 1;
}

bool core_bitmap_final(const struct core_bitmap *map, uint64_t position)
{
    const struct core_chunk *chunk = &map->chunks[position / RT_CORE_CHUNK_POSITIONS];
    return chunk->words ? test_bit(chunk->words, position % RT_CORE_CHUNK_POSITIONS) : chunk->full;
}

bool core_bitmap_busy(const struct core_bitmap *map, uint64_t position)
{
    const struct core_chunk *chunk = &map->chunks[position / RT_CORE_CHUNK_POSITIONS];
    return chunk->words ? test_bit(chunk->words + CHUNK_WORDS, position % RT_CORE_CHUNK_POSITIONS)
                        : chunk->full;
}

static bool touch(struct core_chunk *chunk)
{
    if (!chunk->words)
        chunk->words = calloc(2 * CHUNK_WORDS, sizeof *chunk->words);
    return chunk->words != NULL;
}

enum rt_status core_bitmap_set_busy(struct core_bitmap *map, uint64_t position)
{
    struct core_chunk *chunk = &map->chunks[position / RT_CORE_CHUNK_POSITIONS];
    uint64_t bit = position % RT_CORE_CHUNK_POSITIONS;
    if (chunk->full)
        return RT_OK;
    if (!touch(chunk))
        return RT_NO_MEMORY;
    uint64_t *busy = chunk->words + CHUNK_WORDS;
    if (!test_bit(busy, bit)) {
        busy[bit / 64] |= UINT64_C(1) << (bit % 64);
        chunk->busy++;
    }
    return RT_OK;
}

void core_bitmap_clear_busy(struct core_bitmap *map, uint64_t position)
{
    struct core_chunk *chunk = &map->chunks[position / RT_CORE_CHUNK_POSITIONS];
    uint64_t bit = position % RT_CORE_CHUNK_POSITIONS;
    if (!chunk->words || test_bit(chunk->words, bit) || !test_bit(chunk->words + CHUNK_WORDS, bit))
        return;
    chunk->words[CHUNK_WORDS + bit / 64] &= ~(UINT64_C(1) << (bit % 64));
    chunk->busy--;
}

enum rt_status core_bitmap_set_final(struct core_bitmap *map, uint64_t position)
{
    uint64_t index = position / RT_CORE_CHUNK_POSITIONS;
    struct core_chunk *chunk = &map->chunks[index];
    uint64_t bit = position % RT_CORE_CHUNK_POSITIONS;
    enum rt_status status = core_bitmap_set_busy(map, position);
    if (status != RT_OK || chunk->full || test_bit(chunk->words, bit))
        return status;
    chunk->words[bit / 64] |= UINT64_C(1) << (bit % 64);
    chunk->finals++;
    map->finals++;
    if (chunk->finals == chunk_size(map, index)) {
        free(chunk->words);
        chunk->words = NULL;
        chunk->full = true;
    }
    return RT_OK;
}

// The first bit that is clear at or after `from` below `size`, or size.
static uint64_t next_clear(const uint64_t *words, uint64_t from, uint64_t size)
{
    for (uint64_t word = from / 64; word * 64 < size; word++) {
        uint64_t clear = ~words[word];
        if (word == from / 64)
            clear &= ~UINT64_C(0) << (from % 64);
        if (clear) {
            uint64_t bit = word * 64 + (uint64_t)__builtin_ctzll(clear);
            return bit < size ? bit : size;
        }
    }
    return size;
}

uint64_t core_bitmap_next_free(const struct core_bitmap *map, uint64_t from)
{
    while (from < map->total) {
        uint64_t index = from / RT_CORE_CHUNK_POSITIONS;
        const struct core_chunk *chunk = &map->chunks[index];
        uint64_t size = chunk_size(map, index);
        if (!chunk->full) {
            if (!chunk->words)
                return from;
            uint64_t bit = chunk->busy == size ? size
                                               : next_clear(chunk->words + CHUNK_WORDS,
                                                            from % RT_CORE_CHUNK_POSITIONS, size);
            if (bit < size)
                return index * RT_CORE_CHUNK_POSITIONS + bit;
        }
        from = (index + 1) * RT_CORE_CHUNK_POSITIONS;
    }
    return map->total;
}

enum rt_status core_bitmap_load(struct core_bitmap *map, uint64_t index,
                                const uint8_t bits[RT_CORE_CHUNK_BYTES])
{
    if (index >= map->chunk_count || map->chunks[index].finals || map->chunks[index].full)
        return RT_CORRUPT;
    struct core_chunk *chunk = &map->chunks[index];
    uint64_t size = chunk_size(map, index);
    uint64_t words[CHUNK_WORDS] = {0}, finals = 0;
    for (size_t i = 0; i < RT_CORE_CHUNK_BYTES; i++)
        words[i / 8] |= (uint64_t)bits[i] << (i % 8 * 8);
    for (size_t i = 0; i < CHUNK_WORDS; i++)
        finals += (uint64_t)__builtin_popcountll(words[i]);
    for (uint64_t bit = size; bit < RT_CORE_CHUNK_POSITIONS; bit++) {
        if (test_bit(words, bit))
            return RT_CORRUPT;
    }
    if (finals == size) {
        chunk->full = true;
    } else {
        if (!touch(chunk))
            return RT_NO_MEMORY;
        uint64_t busy = 0;
        for (size_t i = 0; i < CHUNK_WORDS; i++) {
            // Tentative trials may have been loaded before: their busy bits stay.
            chunk->words[i] = words[i];
            chunk->words[CHUNK_WORDS + i] |= words[i];
            busy += (uint64_t)__builtin_popcountll(chunk->words[CHUNK_WORDS + i]);
        }
        chunk->busy = (uint16_t)busy;
    }
    chunk->finals = (uint16_t)finals;
    map->finals += finals;
    return RT_OK;
}
