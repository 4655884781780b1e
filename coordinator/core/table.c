// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "coordinator/core/internal.h"

// ---- digests

void core_digest_map_release(struct core_digest_map *map)
{
    free(map->slots);
    *map = (struct core_digest_map){0};
}

// Some digests are of bytes that a lab chose, so all of the value is stirred in, not its first
// bytes.
static uint32_t digest_home(const struct core_digest_map *map, const struct rt_digest *key)
{
    uint64_t hash = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < RT_DIGEST_BYTES; i += 8) {
        uint64_t word;
        memcpy(&word, key->bytes + i, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return (uint32_t)hash & (map->size - 1);
}

static struct core_digest_slot *digest_slot(const struct core_digest_map *map,
                                            const struct rt_digest *key)
{
    uint32_t at = digest_home(map, key);
    while (map->slots[at].value != NONE &&
           memcmp(map->slots[at].key.bytes, key->bytes, RT_DIGEST_BYTES))
        at = (at + 1) & (map->size - 1);
    return &map->slots[at];
}

uint32_t core_digest_map_get(const struct core_digest_map *map, const struct rt_digest *key)
{
    return map->size ? digest_slot(map, key)->value : NONE;
}

static bool digest_grow(struct core_digest_map *map)
{
    struct core_digest_map grown = {.size = map->size ? map->size * 2 : 64, .count = map->count};
    grown.slots = malloc(grown.size * sizeof *grown.slots);
    if (!grown.slots)
        return false;
    for (uint32_t i = 0; i < grown.size; i++)
        grown.slots[i].value = NONE;
    for (uint32_t i = 0; i < map->size; i++) {
        if (map->slots[i].value != NONE)
            *digest_slot(&grown, &map->slots[i].key) = map->slots[i];
    }
    free(map->slots);
    *map = grown;
    return true;
}

enum rt_status core_digest_map_put(struct core_digest_map *map, const struct rt_digest *key,
                                   uint32_t value)
{
    if (map->count * 2 >= map->size && !digest_grow(map))
        return RT_NO_MEMORY;
    struct core_digest_slot *slot = digest_slot(map, key);
    map->count += slot->value == NONE;
    *slot = (struct core_digest_slot){*key, value};
    return RT_OK;
}

void core_digest_map_remove(struct core_digest_map *map, const struct rt_digest *key)
{
    struct core_digest_slot *slot = map->size ? digest_slot(map, key) : NULL;
    if (!slot || slot->value == NONE)
        return;
    map->count--;
    uint32_t hole = (uint32_t)(slot - map->slots), mask = map->size - 1;
    for (uint32_t at = (hole + 1) & mask; map->slots[at].value != NONE; at = (at + 1) & mask) {
        // An entry may fill the hole unless its home lies after the hole.
        uint32_t home = digest_home(map, &map->slots[at].key);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole].value = NONE;
}

// ---- tentative trials

void core_tentative_map_release(struct core_tentative_map *map)
{
    free(map->slots);
    *map = (struct core_tentative_map){0};
}

static uint32_t position_home(const struct core_tentative_map *map, uint64_t position)
{
    uint64_t hash = position * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32) & (map->size - 1);
}

static struct core_tentative_slot *position_slot(const struct core_tentative_map *map,
                                                 uint64_t position)
{
    uint32_t at = position_home(map, position);
    while (map->slots[at].position != UINT64_MAX && map->slots[at].position != position)
        at = (at + 1) & (map->size - 1);
    return &map->slots[at];
}

struct rt_core_tentative *core_tentative_map_get(const struct core_tentative_map *map,
                                                 uint64_t position)
{
    struct core_tentative_slot *slot = map->count ? position_slot(map, position) : NULL;
    return slot && slot->position == position ? &slot->value : NULL;
}

static bool tentative_grow(struct core_tentative_map *map)
{
    struct core_tentative_map grown = {.size = map->size ? map->size * 2 : 64, .count = map->count};
    grown.slots = malloc(grown.size * sizeof *grown.slots);
    if (!grown.slots)
        return false;
    for (uint32_t i = 0; i < grown.size; i++)
        grown.slots[i].position = UINT64_MAX;
    for (uint32_t i = 0; i < map->size; i++) {
        if (map->slots[i].position != UINT64_MAX)
            *position_slot(&grown, map->slots[i].position) = map->slots[i];
    }
    free(map->slots);
    *map = grown;
    return true;
}

enum rt_status core_tentative_map_put(struct core_tentative_map *map, uint64_t position,
                                      const struct rt_core_tentative *value)
{
    if ((uint64_t)map->count * 3 >= (uint64_t)map->size * 2 && !tentative_grow(map))
        return RT_NO_MEMORY;
    struct core_tentative_slot *slot = position_slot(map, position);
    map->count += slot->position == UINT64_MAX;
    *slot = (struct core_tentative_slot){position, *value};
    return RT_OK;
}

void core_tentative_map_remove(struct core_tentative_map *map, uint64_t position)
{
    struct core_tentative_slot *slot = map->count ? position_slot(map, position) : NULL;
    if (!slot || slot->position != position)
        return;
    map->count--;
    uint32_t hole = (uint32_t)(slot - map->slots), mask = map->size - 1;
    for (uint32_t at = (hole + 1) & mask; map->slots[at].position != UINT64_MAX;
         at = (at + 1) & mask) {
        uint32_t home = position_home(map, map->slots[at].position);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole].position = UINT64_MAX;
}

// ---- rings of freed runs

void core_ring_release(struct core_ring *ring)
{
    free(ring->runs);
    *ring = (struct core_ring){0};
}

bool core_ring_push(struct core_ring *ring, uint64_t first, uint64_t count)
{
    if (!ring->runs && !(ring->runs = malloc(RING_RUNS * sizeof *ring->runs)))
        return false;
    if (ring->count) {
        struct rt_unit_run *last = &ring->runs[(ring->first + ring->count - 1) % RING_RUNS];
        if (last->first + last->count == first) {
            last->count += count;
            return true;
        }
    }
    if (ring->count == RING_RUNS)
        return false;
    ring->runs[(ring->first + ring->count++) % RING_RUNS] = (struct rt_unit_run){first, count};
    return true;
}
