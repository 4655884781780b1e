// SPDX-License-Identifier: Apache-2.0
// The static layout of C2SP tlog-tiles: hash tiles of height 8 (256 hashes of 32 bytes), partial
// tiles at the right edge, and entry bundles of 256 leaves, each with a u16be length before it.
// Makes and checks contents and paths; what stores and fetches them is behind callbacks. Pure; any
// thread on distinct values.
#ifndef RT_TLOG_TILE_H
#define RT_TLOG_TILE_H

#include "common/tlog/tree.h"

#define RT_TILE_HEIGHT     8
#define RT_TILE_WIDTH      256
#define RT_TILE_BYTES      (RT_TILE_WIDTH * RT_DIGEST_BYTES)
#define RT_TILE_LEVEL_MOST 7
#define RT_TILE_PATH_BYTES 64
#define RT_LEAF_MOST       65535 // bytes of one leaf
#define RT_BUNDLE_MOST     (RT_TILE_WIDTH * (RT_LEAF_MOST + 2))

// Names one tile: a hash tile holds nodes (8·level, 256·index + i) for i < width; an entry bundle
// holds leaves 256·index + i.
struct rt_tile {
    bool entries;  // an entry bundle; level is 0
    uint8_t level; // 0 to RT_TILE_LEVEL_MOST
    uint64_t index;
    uint16_t width; // 1 to 256; 256 is a full tile
};

// "tile/<level>/x001/x234/067[.p/<width>]", or "tile/entries/" and the same; ret_path needs
// RT_TILE_PATH_BYTES.
void rt_tile_path(const struct rt_tile *tile, char *ret_path);
// Exactly that form, one spelling a tile (RT_MALFORMED).
enum rt_status rt_tile_parse_path(struct rt_bytes path, struct rt_tile *ret_tile) RT_WARN_UNUSED;
// Whether a log of that many leaves has the tile: a full one, or a partial one not wider than what
// is there (older partial tiles stay valid).
bool rt_tile_exists(const struct rt_tile *tile, uint64_t tree_size);
// The tile that holds node (level, index) in a log of tree_size leaves, as wide as it is by then;
// false when the log does not have the node yet.
bool rt_tile_of_node(uint8_t level, uint64_t index, uint64_t tree_size, struct rt_tile *ret_tile);

// ---- one tile

// Gives leaf index by appending its bytes to out.
typedef enum rt_status rt_leaf_read_fn(void *ctx, uint64_t index, struct rt_buf *out);
// Append a hash tile's bytes (32·width) from stored nodes of level 8·tile->level alone.
enum rt_status rt_tile_build(const struct rt_tile *tile, rt_tree_read_fn *read, void *ctx,
                             struct rt_buf *out) RT_WARN_UNUSED;
// Append an entry bundle.
enum rt_status rt_bundle_build(const struct rt_tile *tile, rt_leaf_read_fn *read, void *ctx,
                               struct rt_buf *out) RT_WARN_UNUSED;
// Append one entry; RT_TOO_LARGE above RT_LEAF_MOST bytes.
enum rt_status rt_bundle_add(struct rt_buf *bundle, struct rt_bytes leaf) RT_WARN_UNUSED;
// Take the first entry off *rest. RT_NOT_FOUND at the clean end, RT_MALFORMED when cut short.
enum rt_status rt_bundle_next(struct rt_bytes *rest, struct rt_bytes *ret_leaf) RT_WARN_UNUSED;

// ---- a whole log

typedef enum rt_status rt_tile_put_fn(void *ctx, const char *path, struct rt_bytes content);
// Appends the content found at path to out (whose limit bounds it).
typedef enum rt_status rt_tile_get_fn(void *ctx, const char *path, struct rt_buf *out);
// Told each leaf in order while a log is verified, with its hash.
typedef enum rt_status rt_leaf_fn(void *ctx, uint64_t index, struct rt_bytes leaf,
                                  const struct rt_digest *hash);

// What holds a log: stored nodes and leaves.
struct rt_tile_source {
    rt_tree_read_fn *read_node;
    rt_leaf_read_fn *read_leaf;
    void *ctx;
};
// Put every hash tile and entry bundle of the log's first size leaves, full ones and the partial
// one at each level's right edge, in the order of levels, then entries. first_size leaves out what
// a log of first_size leaves already had in full (0: all), so a mirror grows in place.
enum rt_status rt_tiles_write(uint64_t first_size, uint64_t size,
                              const struct rt_tile_source *source, rt_tile_put_fn *put,
                              void *ctx) RT_WARN_UNUSED;
// Read the log of size leaves from its entry bundles, recompute every tile and the root, and
// compare each with what is stored: RT_BAD_PROOF for the root, RT_CORRUPT for a tile or bundle.
// ret_path (RT_TILE_PATH_BYTES, may be NULL) names the offender. leaf may be NULL. Holds one bundle
// and one tile a level in memory.
enum rt_status rt_tiles_verify(uint64_t size, const struct rt_digest *root, rt_tile_get_fn *get,
                               void *get_ctx, rt_leaf_fn *leaf, void *leaf_ctx,
                               char *ret_path) RT_WARN_UNUSED;

// A reader of any node (rt_tree_read_fn) from tiles alone: fetches the tile that holds the node's
// descendants, and hashes up. Remembers two tiles a level (130 KB in all). Trusts the tiles: check
// what is made from them against a root.
struct rt_tile_slot {
    uint64_t index;
    uint16_t width; // 0: nothing held
    struct rt_digest hashes[RT_TILE_WIDTH];
};
struct rt_tile_reader {
    rt_tile_get_fn *get;
    void *ctx;
    uint64_t tree_size;
    struct rt_tile_slot slots[RT_TILE_LEVEL_MOST + 1][2]; // a full tile, the partial one
};
void rt_tile_reader_init(struct rt_tile_reader *reader, uint64_t tree_size, rt_tile_get_fn *get,
                         void *ctx);
enum rt_status rt_tile_reader_read(void *reader, uint8_t level, uint64_t index,
                                   struct rt_digest *ret_hash);

#endif
