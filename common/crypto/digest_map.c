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
    rt_digest_map_init(map);
}

// Where the digest is, or the free place where it belongs.
static struct rt_digest_entry *place(const struct rt_digest_map *map,
                                     const struct rt_digest *digest)
{
    size_t at = (size_t)rt_get_u64be(digest->bytes) & (map->capacity - 1);
    while (map->entries[at].used && !rt_digest_equal(&map->entries[at].digest, digest))
        at = (at + 1) & (map->capacity - 1);
    return &map->entries[at];
}

struct rt_digest_entry *rt_digest_map_find(const struct rt_digest_map *map,
                                           const struct rt_digest *digest)
{
    if (!map->capacity)
        return NULL;
    struct rt_digest_entry *entry = place(map, digest);
    return entry->used ? entry : NULL;
}

static enum rt_status grow(struct rt_digest_map *map)
{
    struct rt_digest_map wider = {.capacity = map->capacity ? map->capacity * 2 : 64,
                                  .count = map->count};
    if (wider.capacity > SIZE_MAX / 2 / sizeof *wider.entries)
        return RT_NO_MEMORY;
    wider.entries = calloc(wider.capacity, sizeof *wider.entries);
    if (!wider.entries)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].used)
            *place(&wider, &map->entries[i].digest) = map->entries[i];
    free(map->entries);
    *map = wider;
    return RT_OK;
}

enum rt_status rt_digest_map_put(struct rt_digest_map *map, const struct rt_digest *digest,
                                 uint64_t value)
{
    if (rt_digest_map_find(map, digest))
        return RT_EXISTS;
    if (2 * (map->count + 1) > map->capacity) {
        enum rt_status status = grow(map);
        if (status)
            return status;
    }
    *place(map, digest) = (struct rt_digest_entry){*digest, value, true};
    map->count++;
    return RT_OK;
}
