// SPDX-License-Identifier: Apache-2.0
#include "auditor/mirror.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "auditor/folder.h"
#include "common/base/file.h"

#define PATH_BYTES 4096

enum rt_status rt_mirror_path(const struct rt_mirror *mirror, const char *path, char *ret_path,
                              size_t capacity)
{
    int size = snprintf(ret_path, capacity, "%s/%s", mirror->folder, path);
    return size < 0 || (size_t)size >= capacity
               ? rt_error_set(mirror->err, RT_TOO_LARGE, "%s: path too long", mirror->folder)
               : RT_OK;
}

enum rt_status rt_mirror_put(struct rt_mirror *mirror, const char *path, struct rt_bytes content)
{
    char full[PATH_BYTES];
    enum rt_status status = rt_mirror_path(mirror, path, full, sizeof full);
    if (status)
        return status;
    char *slash = strrchr(full, '/');
    *slash = 0;
    status = rt_file_mkdir(full, 0755, mirror->err);
    *slash = '/';
    return status ? status : rt_file_write(full, content, 0644, mirror->err);
}

enum rt_status rt_mirror_get(struct rt_mirror *mirror, const char *path, struct rt_buf *out)
{
    char full[PATH_BYTES];
    enum rt_status status = rt_mirror_path(mirror, path, full, sizeof full);
    if (!status && !rt_file_exists(full))
        return rt_error_set(mirror->err, RT_NOT_FOUND, "%s is not there", full);
    return status ? status : rt_file_read(full, out, mirror->err);
}

static enum rt_status get_local(void *ctx, const char *path, struct rt_buf *out)
{
    char full[RT_EVIDENCE_PATH_BYTES];
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    return rt_mirror_get(ctx, full, out);
}

static enum rt_status get_remote(void *ctx, const char *path, struct rt_buf *out)
{
    struct rt_mirror *mirror = ctx;
    char full[RT_EVIDENCE_PATH_BYTES];
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    return rt_fetch_get(mirror->fetch, full, out, mirror->err);
}

// ---- opening

// Is it a tile of a log of that size, as wide as it is by then?
static bool is_current(const struct rt_tile *tile, uint64_t size)
{
    uint64_t there = tile->entries ? size : size >> (RT_TILE_HEIGHT * tile->level);
    if (tile->width == RT_TILE_WIDTH)
        return tile->index < there / RT_TILE_WIDTH;
    return tile->index == there / RT_TILE_WIDTH && tile->width == there % RT_TILE_WIDTH;
}

// Tiles that the log has outgrown, and what an interrupted run has left.
static enum rt_status sweep(struct rt_mirror *mirror, uint64_t size)
{
    struct rt_folder folder;
    struct rt_checks ignored;
    char full[PATH_BYTES];
    size_t head = strlen(RT_EVIDENCE_LOG);
    rt_checks_init(&ignored);
    enum rt_status status = rt_folder_open(mirror->folder, &ignored, &folder, mirror->err);
    for (size_t i = 0; !status && i < folder.count; i++) {
        const char *path = folder.files[i].path;
        struct rt_tile tile;
        if (strncmp(path, RT_EVIDENCE_LOG, head) != 0 ||
            rt_tile_parse_path(rt_bytes_str(path + head), &tile) || is_current(&tile, size) ||
            rt_mirror_path(mirror, path, full, sizeof full))
            continue;
        if (unlink(full))
            status = rt_error_set(mirror->err, RT_IO, "%s: cannot be removed", full);
        // Folders that are empty now go as well.
        for (char *slash = strrchr(full, '/'); slash; slash = strrchr(full, '/')) {
            *slash = 0;
            if (rmdir(full))
                break;
        }
    }
    rt_folder_close(&folder);
    return status;
}

static enum rt_status read_key(struct rt_mirror *mirror, const struct rt_vkey *log)
{
    struct rt_buf text;
    struct rt_vkey own;
    rt_buf_init(&text, 4096);
    enum rt_status status = rt_mirror_get(mirror, RT_EVIDENCE_VKEY, &text);
    if (status == RT_NOT_FOUND && log) {
        char vkey[RT_VKEY_TEXT_BYTES], line[RT_VKEY_TEXT_BYTES + 1];
        mirror->log = *log;
        rt_vkey_format(log, vkey);
        snprintf(line, sizeof line, "%s\n", vkey);
        status = rt_mirror_put(mirror, RT_EVIDENCE_VKEY, rt_bytes_str(line));
    } else if (status == RT_NOT_FOUND) {
        status = rt_error_set(mirror->err, RT_USAGE,
                              "name the log's key with --log-key; an invitation and the roster "
                              "have it");
    } else if (!status) {
        size_t size = strcspn(rt_buf_str(&text), "\n");
        if (rt_vkey_parse(rt_bytes(text.data, size), &own))
            status = rt_error_set(mirror->err, RT_CORRUPT, "%s/" RT_EVIDENCE_VKEY " is no key",
                                  mirror->folder);
        else if (log && !rt_vkey_equal(log, &own))
            status = rt_error_set(mirror->err, RT_CONFLICT, "%s is a mirror of another log, %s",
                                  mirror->folder, own.name);
        mirror->log = own;
    }
    rt_buf_release(&text);
    return status;
}

// What is there must be what its checkpoint says, or nothing could be built on it.
static enum rt_status read_old(struct rt_mirror *mirror)
{
    struct rt_buf note;
    struct rt_digest root;
    rt_buf_init(&note, RT_FOLLOW_NOTE_MOST);
    enum rt_status status = rt_mirror_get(mirror, RT_EVIDENCE_CHECKPOINT, &note);
    if (status == RT_NOT_FOUND) {
        rt_buf_release(&note);
        return RT_OK;
    }
    if (!status)
        status = rt_seen_take(&mirror->old, rt_buf_bytes(&note), &mirror->log);
    rt_buf_release(&note);
    mirror->has_old = !status;
    rt_tile_reader_init(mirror->reader, mirror->old.checkpoint.size, get_local, mirror);
    if (!status)
        status = rt_tree_load(&mirror->tree, mirror->old.checkpoint.size, rt_tile_reader_read,
                              mirror->reader);
    rt_tree_root(&mirror->tree, &root);
    if (!status && !rt_digest_equal(&root, &mirror->old.checkpoint.root))
        status = RT_CORRUPT;
    return status ? rt_error_set(mirror->err, RT_CORRUPT,
                                 "%s: the log that is there does not hold (%s); keep it aside and "
                                 "mirror into a new folder",
                                 mirror->folder, rt_status_text(status))
                  : RT_OK;
}

enum rt_status rt_mirror_open(struct rt_mirror *mirror, const char *folder,
                              const struct rt_vkey *log, struct rt_fetch *fetch,
                              struct rt_error *err)
{
    *mirror = (struct rt_mirror){.folder = folder, .fetch = fetch, .lock = -1, .err = err};
    rt_seen_init(&mirror->old);
    rt_seen_init(&mirror->now);
    rt_tree_init(&mirror->tree);
    rt_digest_map_init(&mirror->withheld_campaigns);
    rt_buf_init(&mirror->bundle, RT_BUNDLE_MOST);
    rt_buf_init(&mirror->object, (size_t)64 << 20);
    mirror->reader = calloc(1, sizeof *mirror->reader);
    if (!mirror->reader)
        return rt_error_set(err, RT_NO_MEMORY, "mirroring into %s", folder);
    rt_tile_reader_init(mirror->reader, 0, get_local, mirror);
    enum rt_status status = rt_file_mkdir(folder, 0755, err);
    if (status)
        return status;
    mirror->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mirror->lock < 0)
        return rt_error_set(err, RT_IO, "%s: cannot be opened", folder);
    if (flock(mirror->lock, LOCK_EX | LOCK_NB))
        return rt_error_set(err, RT_BUSY, "%s: another program is at work there", folder);
    status = read_key(mirror, log);
    if (!status)
        status = read_old(mirror);
    return status ? status : sweep(mirror, mirror->old.checkpoint.size);
}

void rt_mirror_close(struct rt_mirror *mirror)
{
    for (size_t i = 0; i <= RT_TILE_LEVEL_MOST; i++)
        free(mirror->levels[i].nodes);
    free(mirror->reader);
    rt_seen_release(&mirror->old);
    rt_seen_release(&mirror->now);
    rt_digest_map_release(&mirror->withheld_campaigns);
    rt_buf_release(&mirror->bundle);
    rt_buf_release(&mirror->object);
    if (mirror->lock >= 0)
        close(mirror->lock);
}

// ---- leaves

static enum rt_status note_node(void *ctx, uint8_t level, uint64_t index,
                                const struct rt_digest *hash)
{
    struct rt_mirror *mirror = ctx;
    if (level % RT_TILE_HEIGHT)
        return RT_OK;
    struct rt_mirror_level *to = &mirror->levels[level / RT_TILE_HEIGHT];
    RT_ASSERT(index == to->base + to->count);
    if (to->count == to->room) {
        size_t room = to->room ? 2 * to->room : 512;
        struct rt_digest *grown = realloc(to->nodes, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        to->nodes = grown;
        to->room = room;
    }
    to->nodes[to->count++] = *hash;
    return RT_OK;
}

// One leaf of a bundle: new, or the one that was there before.
static enum rt_status take_leaf(struct rt_mirror *mirror, uint64_t index, struct rt_bytes leaf)
{
    struct rt_digest hash, own;
    rt_leaf_hash(leaf, &hash);
    if (index >= mirror->old.checkpoint.size)
        return rt_tree_append(&mirror->tree, &hash, note_node, mirror);
    enum rt_status status = rt_tile_reader_read(mirror->reader, 0, index, &own);
    return status || rt_digest_equal(&hash, &own) ? status : RT_CORRUPT;
}

static enum rt_status pull_bundle(struct rt_mirror *mirror, const struct rt_tile *tile)
{
    char path[RT_TILE_PATH_BYTES], full[RT_EVIDENCE_PATH_BYTES];
    struct rt_bytes leaf;
    rt_tile_path(tile, path);
    rt_buf_clear(&mirror->bundle);
    enum rt_status status = get_remote(mirror, path, &mirror->bundle);
    if (status)
        return status;
    struct rt_bytes rest = rt_buf_bytes(&mirror->bundle);
    for (uint64_t i = 0; i < tile->width && !status; i++) {
        status = rt_bundle_next(&rest, &leaf);
        if (!status)
            status = take_leaf(mirror, tile->index * RT_TILE_WIDTH + i, leaf);
    }
    if (status || rest.size)
        return rt_error_set(mirror->err, status == RT_NO_MEMORY ? status : RT_CORRUPT,
                            "%s/log/%s is not what the log had there", mirror->fetch->base, path);
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    return rt_mirror_put(mirror, full, rt_buf_bytes(&mirror->bundle));
}

static uint16_t width_of(uint64_t index, uint64_t there)
{
    uint64_t left = there - index * RT_TILE_WIDTH;
    return (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH);
}

static enum rt_status pull_leaves(struct rt_mirror *mirror)
{
    uint64_t size = mirror->now.checkpoint.size;
    struct rt_digest root;
    enum rt_status status = RT_OK;
    for (unsigned level = 0; level <= RT_TILE_LEVEL_MOST; level++)
        mirror->levels[level].base = mirror->old.checkpoint.size >> (RT_TILE_HEIGHT * level);
    for (uint64_t index = mirror->old.checkpoint.size / RT_TILE_WIDTH;
         index * RT_TILE_WIDTH < size && !status; index++) {
        struct rt_tile tile = {.entries = true, .index = index, .width = width_of(index, size)};
        status = pull_bundle(mirror, &tile);
    }
    rt_tree_root(&mirror->tree, &root);
    if (!status && !rt_digest_equal(&root, &mirror->now.checkpoint.root))
        status = rt_error_set(mirror->err, RT_CORRUPT,
                              "%s: the leaves do not give the root of the checkpoint",
                              mirror->fetch->base);
    return status;
}

// ---- tiles, from our own hashes

static enum rt_status read_node(void *ctx, uint8_t level, uint64_t index,
                                struct rt_digest *ret_hash)
{
    struct rt_mirror *mirror = ctx;
    const struct rt_mirror_level *from = &mirror->levels[level / RT_TILE_HEIGHT];
    if (index < from->base)
        return rt_tile_reader_read(mirror->reader, level, index, ret_hash);
    if (index - from->base >= from->count)
        return RT_NOT_FOUND;
    *ret_hash = from->nodes[index - from->base];
    return RT_OK;
}

static enum rt_status write_tile(struct rt_mirror *mirror, const struct rt_tile *tile)
{
    char path[RT_TILE_PATH_BYTES], full[RT_EVIDENCE_PATH_BYTES];
    rt_tile_path(tile, path);
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    rt_buf_clear(&mirror->bundle);
    enum rt_status status = rt_tile_build(tile, read_node, mirror, &mirror->bundle);
    return status ? rt_error_set(mirror->err, status, "%s", path)
                  : rt_mirror_put(mirror, full, rt_buf_bytes(&mirror->bundle));
}

static enum rt_status write_tiles(struct rt_mirror *mirror)
{
    enum rt_status status = RT_OK;
    for (uint8_t level = 0; level <= RT_TILE_LEVEL_MOST && !status; level++) {
        uint64_t there = mirror->now.checkpoint.size >> (RT_TILE_HEIGHT * level);
        for (uint64_t index = mirror->levels[level].base / RT_TILE_WIDTH;
             index * RT_TILE_WIDTH < there && !status; index++) {
            struct rt_tile tile = {
                .level = level, .index = index, .width = width_of(index, there)};
            status = write_tile(mirror, &tile);
        }
    }
    return status;
}

// ---- one pull

static enum rt_status take_over(struct rt_mirror *mirror)
{
    uint64_t old = mirror->old.checkpoint.size;
    char text[512];
    snprintf(text, sizeof text,
             "A mirror of the log %s, as far as it was served: the log in full, and the objects "
             "that could be seen.\nCheck it with: ringtrial-audit verify .\n",
             mirror->log.name);
    enum rt_status status = rt_mirror_put(mirror, RT_EVIDENCE_MIRROR, rt_bytes_str(text));
    if (!status)
        status = pull_leaves(mirror);
    if (!status)
        status = write_tiles(mirror);
    // The checkpoint is last: until then the log is what it was.
    if (!status)
        status = rt_mirror_put(mirror, RT_EVIDENCE_CHECKPOINT, rt_buf_bytes(&mirror->now.note));
    enum rt_status swept = sweep(mirror, status ? old : mirror->now.checkpoint.size);
    return status ? status : swept;
}

enum rt_status rt_mirror_pull(struct rt_mirror *mirror)
{
    struct rt_buf note;
    rt_buf_init(&note, RT_FOLLOW_NOTE_MOST);
    enum rt_status status =
        rt_fetch_get(mirror->fetch, RT_EVIDENCE_CHECKPOINT, &note, mirror->err);
    if (!status) {
        status = rt_seen_take(&mirror->now, rt_buf_bytes(&note), &mirror->log);
        if (status)
            rt_error_set(mirror->err, status, "%s/" RT_EVIDENCE_CHECKPOINT ": %s",
                         mirror->fetch->base,
                         status == RT_CONFLICT      ? "is of another log"
                         : status == RT_UNKNOWN_KEY ? "is not signed by the log's key"
                                                    : rt_status_text(status));
    }
    rt_buf_release(&note);
    if (status)
        return status;
    bool back = mirror->has_old && mirror->now.checkpoint.size < mirror->old.checkpoint.size;
    status = rt_follow_judge(mirror->has_old ? &mirror->old : NULL, &mirror->now,
                             back ? get_local : get_remote, mirror, &mirror->follow);
    if (status)
        return rt_error_set(mirror->err, status == RT_BAD_PROOF ? RT_CORRUPT : status,
                            "%s: its tiles are not those of its checkpoint", mirror->fetch->base);
    switch (mirror->follow.verdict) {
    case RT_FOLLOW_SAME: // its signatures may be more by now
        return rt_mirror_put(mirror, RT_EVIDENCE_CHECKPOINT, rt_buf_bytes(&mirror->now.note));
    case RT_FOLLOW_ROLLED_BACK:
    case RT_FOLLOW_FORKED:
        return RT_CHECK_FAILED;
    case RT_FOLLOW_FIRST:
    case RT_FOLLOW_GROWN:
        break;
    }
    return take_over(mirror);
}
