// SPDX-License-Identifier: Apache-2.0
#include "common/tlog/tile.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/text.h"

// The index in groups of three digits, all but the last with an x before it (C2SP tlog-tiles,
// "Merkle Tree").
static char *put_index(char *at, uint64_t index)
{
    unsigned groups[8], count = 0;
    do {
        groups[count++] = (unsigned)(index % 1000);
        index /= 1000;
    } while (index);
    while (count--)
        at += snprintf(at, 6, "/%s%03u", count ? "x" : "", groups[count]);
    return at;
}

void rt_tile_path(const struct rt_tile *tile, char *ret_path)
{
    RT_ASSERT(tile->level <= RT_TILE_LEVEL_MOST && tile->width >= 1 &&
              tile->width <= RT_TILE_WIDTH);
    char *at = ret_path;
    if (tile->entries)
        at += snprintf(at, 13, "tile/entries");
    else
        at += snprintf(at, 16, "tile/%u", tile->level);
    at = put_index(at, tile->index);
    if (tile->width < RT_TILE_WIDTH)
        snprintf(at, 8, ".p/%u", tile->width);
}

enum rt_status rt_tile_parse_path(struct rt_bytes path, struct rt_tile *ret_tile)
{
    char text[RT_TILE_PATH_BYTES], again[RT_TILE_PATH_BYTES];
    if (path.size >= sizeof text || (path.size && memchr(path.data, 0, path.size)))
        return RT_MALFORMED;
    if (path.size)
        memcpy(text, path.data, path.size);
    text[path.size] = 0;
    struct rt_tile tile = {.width = RT_TILE_WIDTH};
    const char *at = text;
    if (strncmp(at, "tile/entries", 12) == 0) {
        tile.entries = true;
        at += 12;
    } else if (strncmp(at, "tile/", 5) == 0 && at[5] >= '0' && at[5] <= '0' + RT_TILE_LEVEL_MOST) {
        tile.level = (uint8_t)(at[5] - '0');
        at += 6;
    } else {
        return RT_MALFORMED;
    }
    // Read loosely, write again, compare: whatever is not the one spelling differs.
    for (; *at && *at != '.'; at++) {
        if (*at >= '0' && *at <= '9') {
            uint64_t digit = (uint64_t)(*at - '0');
            if (tile.index > (UINT64_MAX - digit) / 10)
                return RT_MALFORMED;
            tile.index = tile.index * 10 + digit;
        }
    }
    if (*at == '.') {
        unsigned width = 0;
        if (sscanf(at, ".p/%3u", &width) != 1 || width < 1 || width >= RT_TILE_WIDTH)
            return RT_MALFORMED;
        tile.width = (uint16_t)width;
    }
    rt_tile_path(&tile, again);
    if (strcmp(text, again) != 0)
        return RT_MALFORMED;
    *ret_tile = tile;
    return RT_OK;
}

// How many hashes (or leaves) of the tile's level a log of tree_size leaves has, and how many of
// them are in the tile.
static uint16_t width_at(const struct rt_tile *tile, uint64_t tree_size)
{
    uint64_t there = tree_size >> (tile->entries ? 0 : RT_TILE_HEIGHT * tile->level);
    if (tile->index > there / RT_TILE_WIDTH)
        return 0;
    uint64_t left = there - tile->index * RT_TILE_WIDTH;
    return (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH);
}

bool rt_tile_exists(const struct rt_tile *tile, uint64_t tree_size)
{
    return tile->level <= RT_TILE_LEVEL_MOST && tile->width >= 1 &&
           tile->width <= width_at(tile, tree_size);
}

bool rt_tile_of_node(uint8_t level, uint64_t index, uint64_t tree_size, struct rt_tile *ret_tile)
{
    if (level >= RT_TREE_LEVELS || index >= tree_size >> level)
        return false;
    uint8_t within = level % RT_TILE_HEIGHT;
    struct rt_tile tile = {.level = level / RT_TILE_HEIGHT,
                           .index = index >> (RT_TILE_HEIGHT - within)};
    tile.width = width_at(&tile, tree_size);
    *ret_tile = tile;
    return true;
}

enum rt_status rt_tile_build(const struct rt_tile *tile, rt_tree_read_fn *read, void *ctx,
                             struct rt_buf *out)
{
    uint64_t first = tile->index * RT_TILE_WIDTH;
    for (uint64_t i = first; i < first + tile->width; i++) {
        struct rt_digest hash;
        enum rt_status status = read(ctx, (uint8_t)(RT_TILE_HEIGHT * tile->level), i, &hash);
        if (status)
            return status;
        rt_buf_add(out, hash.bytes, sizeof hash.bytes);
    }
    return rt_buf_ok(out);
}

enum rt_status rt_bundle_add(struct rt_buf *bundle, struct rt_bytes leaf)
{
    if (leaf.size > RT_LEAF_MOST)
        return RT_TOO_LARGE;
    uint8_t size[2];
    rt_put_u16be(size, (uint16_t)leaf.size);
    rt_buf_add(bundle, size, sizeof size);
    rt_buf_add_bytes(bundle, leaf);
    return rt_buf_ok(bundle);
}

enum rt_status rt_bundle_next(struct rt_bytes *rest, struct rt_bytes *ret_leaf)
{
    if (rest->size == 0)
        return RT_NOT_FOUND;
    if (rest->size < 2)
        return RT_MALFORMED;
    size_t size = rt_get_u16be(rest->data);
    if (rest->size - 2 < size)
        return RT_MALFORMED;
    *ret_leaf = rt_bytes(rest->data + 2, size);
    *rest = rt_bytes(rest->data + 2 + size, rest->size - 2 - size);
    return RT_OK;
}

enum rt_status rt_bundle_build(const struct rt_tile *tile, rt_leaf_read_fn *read, void *ctx,
                               struct rt_buf *out)
{
    uint64_t first = tile->index * RT_TILE_WIDTH;
    for (uint64_t i = first; i < first + tile->width; i++) {
        // The leaf goes straight to its place; its length is known only afterwards.
        size_t at = out->size;
        if (!rt_buf_extend(out, 2))
            return rt_buf_ok(out);
        enum rt_status status = read(ctx, i, out);
        if (status)
            return status;
        if ((status = rt_buf_ok(out)))
            return status;
        if (out->size < at + 2 || out->size - at - 2 > RT_LEAF_MOST)
            return RT_TOO_LARGE;
        rt_put_u16be(out->data + at, (uint16_t)(out->size - at - 2));
    }
    return RT_OK;
}

// ---- any node from tiles

void rt_tile_reader_init(struct rt_tile_reader *reader, uint64_t tree_size, rt_tile_get_fn *get,
                         void *ctx)
{
    reader->get = get;
    reader->ctx = ctx;
    reader->tree_size = tree_size;
    for (size_t i = 0; i <= RT_TILE_LEVEL_MOST; i++)
        reader->slots[i][0].width = reader->slots[i][1].width = 0;
}

static enum rt_status fetch(struct rt_tile_reader *reader, const struct rt_tile *tile,
                            struct rt_tile_slot *slot)
{
    char path[RT_TILE_PATH_BYTES];
    rt_tile_path(tile, path);
    struct rt_buf content;
    rt_buf_init(&content, RT_TILE_BYTES);
    enum rt_status status = reader->get(reader->ctx, path, &content);
    if (!status)
        status = rt_buf_ok(&content);
    if (!status && content.size != (size_t)tile->width * RT_DIGEST_BYTES)
        status = RT_CORRUPT;
    if (!status) {
        memcpy(slot->hashes, content.data, content.size);
        slot->index = tile->index;
        slot->width = tile->width;
    }
    rt_buf_release(&content);
    return status;
}

enum rt_status rt_tile_reader_read(void *ctx, uint8_t level, uint64_t index,
                                   struct rt_digest *ret_hash)
{
    struct rt_tile_reader *reader = ctx;
    struct rt_tile tile;
    if (!rt_tile_of_node(level, index, reader->tree_size, &tile))
        return RT_NOT_FOUND;
    // Every proof needs the partial tiles of the right edge as well as those above its leaf, so
    // they have a place of their own.
    struct rt_tile_slot *slot = &reader->slots[tile.level][tile.width < RT_TILE_WIDTH];
    if (slot->width != tile.width || slot->index != tile.index) {
        enum rt_status status = fetch(reader, &tile, slot);
        if (status)
            return status;
    }
    unsigned within = level % RT_TILE_HEIGHT;
    uint64_t first = (index << within) - tile.index * RT_TILE_WIDTH;
    if (within == 0)
        *ret_hash = slot->hashes[first];
    else
        rt_tree_root_of(slot->hashes + first, (size_t)1 << within, ret_hash);
    return RT_OK;
}
