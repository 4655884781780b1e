// SPDX-License-Identifier: Apache-2.0
// Cells of a factorial table and the levels of every subset of its factors: what variance
// components and sensitivity stand on. Working memory comes from the caller's arena. Pure; safe
// from any thread on different arenas.
#ifndef RT_STATS_FACTOR_H
#define RT_STATS_FACTOR_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define RT_FACTORS_MAX 5

// codes[cell * factors + factor] is the level, numbered from 0. Borrowed.
struct rt_factor_table {
    const uint32_t *codes;
    size_t cells;
    size_t factors;
};

// The partition of the cells by a subset of factors (bit f of mask: factor f). Levels are numbered
// by first appearance.
struct rt_partition {
    uint32_t *ids; // one per cell
    size_t levels;
};

// RT_NO_MEMORY when the arena is full.
enum rt_status rt_partition(const struct rt_factor_table *table, unsigned mask,
                            struct rt_arena *arena, struct rt_partition *ret) RT_WARN_UNUSED;

#endif
