// SPDX-License-Identifier: Apache-2.0
#include "common/stats/factor.h"

#include <string.h>

// Open addressing over cells that stand for their level; the codes of the masked factors are the
// key.
static uint64_t hash_codes(const struct rt_factor_table *table, unsigned mask, size_t cell)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t f = 0; f < table->factors; f++) {
        if (!(mask >> f & 1))
            continue;
        hash ^= table->codes[cell * table->factors + f];
        hash *= 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

static bool same_codes(const struct rt_factor_table *table, unsigned mask, size_t a, size_t b)
{
    for (size_t f = 0; f < table->factors; f++)
        if (mask >> f & 1 &&
            table->codes[a * table->factors + f] != table->codes[b * table->factors + f])
            return false;
    return true;
}

enum rt_status rt_partition(const struct rt_factor_table *table, unsigned mask,
                            struct rt_arena *arena, struct rt_partition *ret)
{
    size_t slots = 16;
    while (slots < 2 * table->cells)
        slots *= 2;
    uint32_t *ids = rt_arena_array(arena, table->cells + 1, sizeof *ids);
    // Slot 0 means empty, otherwise the cell's number plus one.
    size_t *first = rt_arena_array(arena, slots, sizeof *first);
    if (!ids || !first)
        return RT_NO_MEMORY;
    size_t levels = 0;
    for (size_t cell = 0; cell < table->cells; cell++) {
        size_t slot = hash_codes(table, mask, cell) & (slots - 1);
        while (first[slot] && !same_codes(table, mask, first[slot] - 1, cell))
            slot = (slot + 1) & (slots - 1);
        if (!first[slot]) {
            first[slot] = cell + 1;
            ids[cell] = (uint32_t)levels++;
        } else {
            ids[cell] = ids[first[slot] - 1];
        }
    }
    *ret = (struct rt_partition){ids, levels};
    return RT_OK;
}
