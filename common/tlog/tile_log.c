// SPDX-License-Identifier: Apache-2.0
// A whole log as tiles: written out, and read back with everything recomputed.
#include <stdlib.h>

#include "common/tlog/tile.h"

// Tiles of one level (or the entries, level -1) from what a log of first_size leaves had in full.
static enum rt_status write_level(int level, uint64_t first_size, uint64_t size,
                                  const struct rt_tile_source *source, rt_tile_put_fn *put,
                                  void *ctx)
{
    unsigned shift = level > 0 ? RT_TILE_HEIGHT * (unsigned)level : 0;
    uint64_t there = size >> shift;
    uint64_t index = (first_size >> shift) / RT_TILE_WIDTH;
    enum rt_status status = RT_OK;
    for (; !status && index * RT_TILE_WIDTH < there; index++) {
        uint64_t left = there - index * RT_TILE_WIDTH;
        struct rt_tile tile = {.entries = level < 0,
                               .level = (uint8_t)(level < 0 ? 0 : level),
                               .index = index,
                               .width = (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH)};
        struct rt_buf content;
        rt_buf_init(&content, RT_BUNDLE_MOST);
        char path[RT_TILE_PATH_BYTES];
        rt_tile_path(&tile, path);
        status = tile.entries ? rt_bundle_build(&tile, source->read_leaf, source->ctx, &content)
                              : rt_tile_build(&tile, source->read_node, source->ctx, &content);
        if (!status)
            status = put(ctx, path, rt_buf_bytes(&content));
        rt_buf_release(&content);
    }
    return status;
}

enum rt_status rt_tiles_write(uint64_t first_size, uint64_t size,
                              const struct rt_tile_source *source, rt_tile_put_fn *put, void *ctx)
{
    if (size > RT_TREE_SIZE_MOST || first_size > size)
        return RT_OUT_OF_RANGE;
    enum rt_status status = RT_OK;
    for (int level = 0; !status && level <= RT_TILE_LEVEL_MOST; level++)
        status = write_level(level, first_size, size, source, put, ctx);
    return status ? status : write_level(-1, first_size, size, source, put, ctx);
}

// ---- reading back

// Hashes gather in one open tile a level; a full one is compared and starts anew.
struct check {
    rt_tile_get_fn *get;
    void *ctx;
    char *path;
    struct rt_buf stored;
    struct {
        uint64_t index;
        uint16_t width;
        struct rt_digest hashes[RT_TILE_WIDTH];
    } open[RT_TILE_LEVEL_MOST + 1];
};

static enum rt_status get_content(struct check *check, const struct rt_tile *tile)
{
    rt_tile_path(tile, check->path);
    rt_buf_clear(&check->stored);
    enum rt_status status = check->get(check->ctx, check->path, &check->stored);
    return status ? status : rt_buf_ok(&check->stored);
}

static enum rt_status compare_open(struct check *check, uint8_t level)
{
    struct rt_tile tile = {
        .level = level, .index = check->open[level].index, .width = check->open[level].width};
    enum rt_status status = get_content(check, &tile);
    if (status)
        return status;
    struct rt_bytes computed =
        rt_bytes(check->open[level].hashes, (size_t)tile.width * RT_DIGEST_BYTES);
    if (!rt_bytes_equal(rt_buf_bytes(&check->stored), computed))
        return RT_CORRUPT;
    check->open[level].index++;
    check->open[level].width = 0;
    return RT_OK;
}

static enum rt_status on_node(void *ctx, uint8_t level, uint64_t index,
                              const struct rt_digest *hash)
{
    struct check *check = ctx;
    (void)index; // nodes of a level come in order
    if (level % RT_TILE_HEIGHT)
        return RT_OK;
    uint8_t tile_level = level / RT_TILE_HEIGHT;
    check->open[tile_level].hashes[check->open[tile_level].width++] = *hash;
    return RT_OK;
}

static enum rt_status compare_full(struct check *check)
{
    enum rt_status status = RT_OK;
    for (uint8_t level = 0; !status && level <= RT_TILE_LEVEL_MOST; level++)
        if (check->open[level].width == RT_TILE_WIDTH)
            status = compare_open(check, level);
    return status;
}

// The leaves of one bundle: exactly width entries and nothing after them.
static enum rt_status read_bundle(struct check *check, const struct rt_tile *tile,
                                  struct rt_tree *tree, rt_leaf_fn *leaf_fn, void *leaf_ctx)
{
    enum rt_status status = get_content(check, tile);
    if (status)
        return status;
    // Tiles that fill up are compared after the bundle, when check->stored is free again; a bundle
    // fills one tile a level at most.
    struct rt_bytes rest = rt_buf_bytes(&check->stored), leaf;
    for (uint16_t i = 0; i < tile->width; i++) {
        if (rt_bundle_next(&rest, &leaf))
            return RT_CORRUPT;
        struct rt_digest hash;
        rt_leaf_hash(leaf, &hash);
        if (leaf_fn && (status = leaf_fn(leaf_ctx, tree->size, leaf, &hash)))
            return status;
        if ((status = rt_tree_append(tree, &hash, on_node, check)))
            return status;
    }
    return rest.size ? RT_CORRUPT : compare_full(check);
}

enum rt_status rt_tiles_verify(uint64_t size, const struct rt_digest *root, rt_tile_get_fn *get,
                               void *get_ctx, rt_leaf_fn *leaf, void *leaf_ctx, char *ret_path)
{
    char path[RT_TILE_PATH_BYTES];
    struct check *check = size <= RT_TREE_SIZE_MOST ? calloc(1, sizeof *check) : NULL;
    if (!check)
        return size <= RT_TREE_SIZE_MOST ? RT_NO_MEMORY : RT_OUT_OF_RANGE;
    check->get = get;
    check->ctx = get_ctx;
    check->path = ret_path ? ret_path : path;
    check->path[0] = 0;
    rt_buf_init(&check->stored, RT_BUNDLE_MOST);
    struct rt_tree tree;
    rt_tree_init(&tree);
    enum rt_status status = RT_OK;
    while (!status && tree.size < size) {
        uint64_t left = size - tree.size;
        struct rt_tile tile = {.entries = true,
                               .index = tree.size / RT_TILE_WIDTH,
                               .width = (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH)};
        status = read_bundle(check, &tile, &tree, leaf, leaf_ctx);
    }
    for (uint8_t level = 0; !status && level <= RT_TILE_LEVEL_MOST; level++)
        if (check->open[level].width)
            status = compare_open(check, level);
    struct rt_digest computed;
    rt_tree_root(&tree, &computed);
    if (!status && !rt_digest_equal(&computed, root)) {
        check->path[0] = 0;
        status = RT_BAD_PROOF;
    }
    rt_buf_release(&check->stored);
    free(check);
    return status;
}
