// SPDX-License-Identifier: Apache-2.0
#include "common/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Blocks double from the first to the last size: some arenas hold a few hundred bytes and there are
// thousands of them, others grow to megabytes.
#define BLOCK_FIRST_BYTES (4 * 1024)
#define BLOCK_BYTES       (64 * 1024)

struct rt_arena_block {
    struct rt_arena_block *next;
    size_t used;
    size_t capacity;
    _Alignas(16) uint8_t data[];
};

void rt_arena_init(struct rt_arena *arena, size_t limit_bytes)
{
    *arena = (struct rt_arena){.limit_bytes = limit_bytes};
}

void rt_arena_release(struct rt_arena *arena)
{
    for (struct rt_arena_block *block = arena->blocks; block;) {
        struct rt_arena_block *next = block->next;
        free(block);
        block = next;
    }
    rt_arena_init(arena, arena->limit_bytes);
}

void rt_arena_clear(struct rt_arena *arena)
{
    struct rt_arena_block *keep = NULL;
    for (struct rt_arena_block *block = arena->blocks; block;) {
        struct rt_arena_block *next = block->next;
        bool better = block->capacity <= BLOCK_BYTES && (!keep || block->capacity > keep->capacity);
        if (better)
            free(keep), keep = block;
        else
            free(block);
        block = next;
    }
    if (keep) {
        memset(keep->data, 0, keep->used);
        keep->used = 0;
        keep->next = NULL;
    }
    arena->blocks = keep;
    arena->used_bytes = 0;
}

// Of the next block; the current one is at the head.
static size_t next_capacity(const struct rt_arena *arena, size_t rounded)
{
    size_t last = arena->blocks ? arena->blocks->capacity : BLOCK_FIRST_BYTES / 2;
    size_t capacity = last < BLOCK_BYTES / 2 ? 2 * last : BLOCK_BYTES;
    while (capacity < BLOCK_BYTES && capacity < 4 * rounded)
        capacity *= 2;
    return capacity;
}

void *rt_arena_alloc(struct rt_arena *arena, size_t size)
{
    if (size > arena->limit_bytes || arena->used_bytes > arena->limit_bytes - size)
        return NULL;
    size_t rounded = (size + 15) & ~(size_t)15;
    struct rt_arena_block *block = arena->blocks;
    if (!block || block->capacity - block->used < rounded) {
        bool own = rounded > BLOCK_BYTES / 4;
        size_t capacity = own ? rounded : next_capacity(arena, rounded);
        block = calloc(1, sizeof *block + capacity);
        if (!block)
            return NULL;
        block->capacity = capacity;
        // A large allocation gets a block of its own behind the current one, which keeps its free
        // space.
        if (own && arena->blocks) {
            block->next = arena->blocks->next;
            arena->blocks->next = block;
        } else {
            block->next = arena->blocks;
            arena->blocks = block;
        }
    }
    void *place = block->data + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    return place;
}

void *rt_arena_array(struct rt_arena *arena, size_t count, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size))
        return NULL;
    return rt_arena_alloc(arena, size);
}

char *rt_arena_strndup(struct rt_arena *arena, const char *text, size_t size)
{
    char *copy = rt_arena_alloc(arena, size + 1);
    if (copy && size)
        memcpy(copy, text, size);
    return copy;
}

char *rt_arena_strdup(struct rt_arena *arena, const char *text)
{
    return rt_arena_strndup(arena, text, strlen(text));
}

char *rt_arena_printf(struct rt_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    RT_ASSERT(size >= 0);
    char *text = rt_arena_alloc(arena, (size_t)size + 1);
    if (text)
        vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

struct rt_bytes rt_arena_bytes(struct rt_arena *arena, struct rt_bytes bytes)
{
    char *copy = rt_arena_strndup(arena, (const char *)bytes.data, bytes.size);
    return copy ? rt_bytes(copy, bytes.size) : rt_bytes(NULL, 0);
}
