// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/digest_map.h"

#include <stdlib.h>

void rt_digest_map_init(struct rt_digest_map *map)
{
    *map = (struct rt_digest_map){.entries = NULL};
}

void rt_digest_map_release(struct rt_digest_map *map)
{
    free(map->entries);
    free(map->slots);
    rt_digest_map_init(map);
}

// The slot of the digest, or the free one where it belongs.
static uint32_t *slot_of(const struct rt_digest_map *map, const struct rt_digest *digest)
{
    size_t at = (size_t)rt_get_u64be(digest->bytes) & (map->capacity - 1);
    while (map->slots[at] && !rt_digest_equal(&map->entries[map->slots[at] - 1].digest, digest))
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

struct rt_digest_entry *rt_digest_map_find(const struct rt_digest_map *map,
                                           const struct rt_digest *digest)
{
    if (!map->capacity)
        return NULL;
    uint32_t slot = *slot_of(map, digest);
    return slot ? &map->entries[slot - 1] : NULL;
}

static enum rt_status grow_slots(struct rt_digest_map *map)
{
    size_t capacity = map->capacity ? map->capacity * 2 : 64;
    uint32_t *slots = capacity <= UINT32_MAX ? calloc(capacity, sizeof *slots) : NULL;
    if (!slots)
        return RT_NO_MEMORY;
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    for (size_t i = 0; i < map->count; i++)
        *slot_of(map, &map->entries[i].digest) = (uint32_t)i + 1;
    return RT_OK;
}

static enum rt_status grow_entries(struct rt_digest_map *map)
{
    size_t room = map->room ? map->room * 2 : 32;
    struct rt_digest_entry *entries = realloc(map->entries, room * sizeof *entries);
    if (!entries)
        return RT_NO_MEMORY;
    map->entries = entries;
    map->room = room;
    return RT_OK;
}

enum rt_status rt_digest_map_put(struct rt_digest_map *map, const struct rt_digest *digest,
                                 uint64_t value)
{
    if (rt_digest_map_find(map, digest))
        return RT_EXISTS;
    enum rt_status status = RT_OK;
    if (2 * (map->count + 1) > map->capacity)
        status = grow_slots(map);
    if (!status && map->count == map->room)
        status = grow_entries(map);
    if (status)
        return status;
    *slot_of(map, digest) = (uint32_t)map->count + 1;
    map->entries[map->count++] = (struct rt_digest_entry){*digest, value};
    return RT_OK;
}
