// SPDX-License-Identifier: Apache-2.0
// A bump allocator for things that live and die together (a parsed document, one report).
// Allocations are zeroed, aligned to 16 bytes and freed all at once. One thread at a time.
#ifndef RT_BASE_ARENA_H
#define RT_BASE_ARENA_H

#include <stddef.h>

#include "common/base/bytes.h"

struct rt_arena_block;
struct rt_arena {
    struct rt_arena_block *blocks;
    size_t used_bytes;
    size_t limit_bytes;
};

void rt_arena_init(struct rt_arena *arena, size_t limit_bytes);
void rt_arena_release(struct rt_arena *arena);
// Forget everything but keep one block of memory for what comes next (a slot that is used again).
void rt_arena_clear(struct rt_arena *arena);
// NULL when the limit or the memory is reached.
void *rt_arena_alloc(struct rt_arena *arena, size_t size);
void *rt_arena_array(struct rt_arena *arena, size_t count, size_t each); // checks the product
char *rt_arena_strdup(struct rt_arena *arena, const char *text);
char *rt_arena_strndup(struct rt_arena *arena, const char *text, size_t size);
char *rt_arena_printf(struct rt_arena *arena, const char *format, ...) RT_PRINTF(2, 3);
// A copy of bytes in the arena; data is NULL on failure (and size 0).
struct rt_bytes rt_arena_bytes(struct rt_arena *arena, struct rt_bytes bytes);

#endif
