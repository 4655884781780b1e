// SPDX-License-Identifier: Apache-2.0
// A set of labels seen in a table, found by hash and handed out in natural order (p2 before p10),
// so that a study does not depend on the order of rows. One thread at a time.
#ifndef RT_AUDITOR_CSV_LEVELS_H
#define RT_AUDITOR_CSV_LEVELS_H

#include "common/base/arena.h"

struct rt_csv_level {
    const char *text; // in the arena
    int tag;          // the caller's, -1 at first
    uint32_t number;  // in the order of first appearance, from 0
};

struct rt_csv_levels {
    struct rt_arena *arena;
    struct rt_csv_level *items;
    size_t count, room;
    uint32_t *slots; // item number + 1
    size_t slot_count;
};

// The level of text, added if it is new. NULL when memory is out or there are most of them already.
struct rt_csv_level *rt_csv_levels_take(struct rt_csv_levels *levels, const char *text,
                                        size_t most);
// Puts the items in natural order. Nothing can be taken afterwards.
void rt_csv_levels_sort(struct rt_csv_levels *levels);
// Runs of digits compare as numbers, everything else bytewise.
int rt_csv_natural(const char *a, const char *b);

#endif
