// SPDX-License-Identifier: Apache-2.0
#include "auditor/csv_levels.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *slot_of(const struct rt_csv_levels *levels, const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    hash ^= hash >> 31;
    size_t mask = levels->slot_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &levels->slots[at];
        if (!*slot || strcmp(levels->items[*slot - 1].text, text) == 0)
            return slot;
    }
}

static bool grow(struct rt_csv_levels *levels)
{
    if (levels->count < levels->room)
        return true;
    size_t room = levels->room ? levels->room * 2 : 32;
    struct rt_csv_level *items = rt_arena_array(levels->arena, room, sizeof *items);
    uint32_t *slots = rt_arena_array(levels->arena, room * 2, sizeof *slots);
    if (!items || !slots)
        return false;
    if (levels->count)
        memcpy(items, levels->items, levels->count * sizeof *items);
    levels->items = items;
    levels->room = room;
    levels->slots = slots;
    levels->slot_count = room * 2;
    for (size_t i = 0; i < levels->count; i++)
        *slot_of(levels, items[i].text) = (uint32_t)i + 1;
    return true;
}

struct rt_csv_level *rt_csv_levels_take(struct rt_csv_levels *levels, const char *text, size_t most)
{
    if (!grow(levels))
        return NULL;
    uint32_t *slot = slot_of(levels, text);
    if (*slot)
        return &levels->items[*slot - 1];
    char *mine = rt_arena_strdup(levels->arena, text);
    if (!mine || levels->count >= most)
        return NULL;
    levels->items[levels->count] = (struct rt_csv_level){mine, -1, (uint32_t)levels->count};
    *slot = (uint32_t)++levels->count;
    return &levels->items[*slot - 1];
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

int rt_csv_natural(const char *a, const char *b)
{
    const char *x = a, *y = b;
    while (*x && *y) {
        if (!digit(*x) || !digit(*y)) {
            if (*x != *y)
                return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
            x++, y++;
            continue;
        }
        while (*x == '0')
            x++;
        while (*y == '0')
            y++;
        size_t m = strspn(x, "0123456789"), n = strspn(y, "0123456789");
        int order = m != n ? (m < n ? -1 : 1) : memcmp(x, y, m);
        if (order)
            return order;
        x += m, y += n;
    }
    if (*x || *y)
        return *x ? 1 : -1;
    return strcmp(a, b); // equal but for leading zeros
}

static int by_nature(const void *a, const void *b)
{
    return rt_csv_natural(((const struct rt_csv_level *)a)->text,
                          ((const struct rt_csv_level *)b)->text);
}

void rt_csv_levels_sort(struct rt_csv_levels *levels)
{
    if (levels->count)
        qsort(levels->items, levels->count, sizeof *levels->items, by_nature);
    levels->slots = NULL;
    levels->slot_count = levels->room = 0;
}
