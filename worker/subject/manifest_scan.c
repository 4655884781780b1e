// SPDX-License-Identifier: Apache-2.0
// Walking and hashing; what was hashed is remembered in a cache of lines
// "device inode size mtime_ns ctime_ns sha256:digest", which is a help and never a proof of more
// than that the file system saw no change.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "worker/subject/manifest.h"

#define CHUNK_BYTES    ((size_t)1 << 20)
#define CACHE_BYTES    ((size_t)8 << 20)
#define CACHE_WRITE_MS 5000
// A file written so shortly before it was read may change again within the clock's grain.
#define SETTLED_NS INT64_C(2000000000)

struct stamp {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
};
struct known {
    struct stamp stamp;
    struct rt_digest digest;
};
struct item {
    struct rt_manifest_file file;
    const char *place; // path to open
    struct stamp stamp;
    bool done;
};

struct rt_manifest_scan {
    struct rt_arena arena;
    char root[PATH_MAX];  // as resolved
    char cache[PATH_MAX]; // "" none
    struct item *items;
    size_t count, room, next;
    struct known *known;
    size_t known_count, known_room;
    bool unsaved;
    int64_t saved_ms;
    int fd; // of the file that is hashed, -1 none
    struct rt_sha256_state hash;
    uint64_t hashed; // bytes of it
    uint64_t done_bytes, total_bytes, read_bytes;
    struct rt_manifest_file *files;
    size_t folders; // walked
    uint8_t *chunk;
};

static struct stamp stamp_of(const struct stat *st)
{
    return (struct stamp){(uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size,
                          (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
                          (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

// ---- the cache

static enum rt_status remember(struct rt_manifest_scan *scan, const struct stamp *stamp,
                               const struct rt_digest *digest)
{
    if (scan->known_count == scan->known_room) {
        size_t room = scan->known_room ? 2 * scan->known_room : 64;
        struct known *grown = realloc(scan->known, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        scan->known = grown;
        scan->known_room = room;
    }
    scan->known[scan->known_count++] = (struct known){*stamp, *digest};
    return RT_OK;
}

// A cache that cannot be read is no cache: everything is hashed.
static void load_cache(struct rt_manifest_scan *scan)
{
    struct rt_buf text;
    rt_buf_init(&text, CACHE_BYTES);
    if (*scan->cache && rt_file_exists(scan->cache) &&
        rt_file_read(scan->cache, &text, NULL) == RT_OK) {
        char *line = (char *)(uintptr_t)rt_buf_str(&text), *save = NULL;
        for (line = strtok_r(line, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
            struct known known;
            char digest[80];
            if (scan->known_count < 2 * RT_MANIFEST_FILES_MOST &&
                sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64 " %79s",
                       &known.stamp.device, &known.stamp.inode, &known.stamp.size,
                       &known.stamp.mtime_ns, &known.stamp.ctime_ns, digest) == 6 &&
                rt_digest_parse(rt_bytes_str(digest), &known.digest) == RT_OK &&
                remember(scan, &known.stamp, &known.digest))
                break;
        }
    }
    rt_buf_release(&text);
}

// What cannot be written is hashed again the next time.
static void save_cache(struct rt_manifest_scan *scan)
{
    struct rt_buf text;
    struct rt_error err;
    char digest[RT_DIGEST_TEXT_BYTES];
    if (!scan->unsaved || !*scan->cache)
        return;
    rt_buf_init(&text, CACHE_BYTES);
    // The scan's own files alone: what is no longer there is forgotten.
    for (size_t i = 0; i < scan->count; i++) {
        const struct item *item = &scan->items[i];
        const struct known *known = NULL;
        for (size_t k = 0; k < scan->known_count && !known; k++)
            if (same_stamp(&scan->known[k].stamp, &item->stamp))
                known = &scan->known[k];
        if (!known)
            continue;
        rt_digest_format(&known->digest, digest);
        rt_buf_printf(&text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %s\n",
                      item->stamp.device, item->stamp.inode, item->stamp.size,
                      item->stamp.mtime_ns, item->stamp.ctime_ns, digest);
    }
    if (rt_buf_ok(&text) == RT_OK &&
        rt_file_write(scan->cache, rt_buf_bytes(&text), 0600, &err) == RT_OK)
        scan->unsaved = false;
    scan->saved_ms = rt_time_mono_ms();
    rt_buf_release(&text);
}

// ---- the walk

static enum rt_status add_file(struct rt_manifest_scan *scan, const char *place, const char *path,
                               const struct stat *st, struct rt_error *err)
{
    if (scan->count >= RT_MANIFEST_FILES_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "%s: over %d files", scan->root,
                            RT_MANIFEST_FILES_MOST);
    if (scan->count == scan->room) {
        size_t room = scan->room ? 2 * scan->room : 64;
        struct item *grown = realloc(scan->items, room * sizeof *grown);
        if (!grown)
            return rt_error_set(err, RT_NO_MEMORY, "out of memory");
        scan->items = grown;
        scan->room = room;
    }
    struct item item = {.file = {.path = rt_arena_strdup(&scan->arena, path),
                                 .size = (uint64_t)st->st_size},
                        .place = rt_arena_strdup(&scan->arena, place),
                        .stamp = stamp_of(st)};
    if (!item.file.path || !item.place)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    scan->items[scan->count++] = item;
    scan->total_bytes += item.file.size;
    return RT_OK;
}

// A link's target, when it lies inside the root.
static enum rt_status follow(const struct rt_manifest_scan *scan, const char *place,
                             struct stat *ret_st, struct rt_error *err)
{
    char target[PATH_MAX];
    size_t size = strlen(scan->root);
    if (!realpath(place, target))
        return rt_error_set(err, RT_NOT_FOUND, "%s: a link that leads nowhere", place);
    if (strncmp(target, scan->root, size) != 0 || (target[size] && target[size] != '/' && size > 1))
        return rt_error_set(err, RT_POLICY,
                            "%s is a link to %s, outside of %s: name the files themselves with "
                            "--weights, or a folder that has them all",
                            place, target, scan->root);
    if (stat(target, ret_st) != 0)
        return rt_error_set(err, RT_IO, "%s: %s", target, strerror(errno));
    return RT_OK;
}

static enum rt_status walk(struct rt_manifest_scan *scan, const char *folder, const char *prefix,
                           int depth, struct rt_error *err);

static enum rt_status walk_entry(struct rt_manifest_scan *scan, const char *folder,
                                 const char *prefix, const char *name, int depth,
                                 struct rt_error *err)
{
    char place[PATH_MAX], path[RT_MANIFEST_PATH_MOST + 1];
    struct stat st;
    int size = snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "/" : "", name);
    if (size < 0 || (size_t)size >= sizeof path || rt_path_join(place, sizeof place, folder, name))
        return rt_error_set(err, RT_TOO_LARGE, "%s/%s: the path is too long", folder, name);
    if (lstat(place, &st) != 0)
        return rt_error_set(err, RT_IO, "%s: %s", place, strerror(errno));
    enum rt_status status = S_ISLNK(st.st_mode) ? follow(scan, place, &st, err) : RT_OK;
    if (status)
        return status;
    if (S_ISDIR(st.st_mode))
        return walk(scan, place, path, depth + 1, err);
    if (!S_ISREG(st.st_mode))
        return rt_error_set(err, RT_MALFORMED, "%s is neither a file nor a folder", place);
    return add_file(scan, place, path, &st, err);
}

static enum rt_status walk(struct rt_manifest_scan *scan, const char *folder, const char *prefix,
                           int depth, struct rt_error *err)
{
    char **names = NULL;
    size_t count = 0;
    // Links may form a ring; its depth ends it.
    if (depth > RT_MANIFEST_DEPTH_MOST || ++scan->folders > RT_MANIFEST_FILES_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "%s: over %d folders deep, or too many", folder,
                            RT_MANIFEST_DEPTH_MOST);
    enum rt_status status = rt_file_list(folder, RT_MANIFEST_FILES_MOST, &names, &count, err);
    if (status)
        return status;
    for (size_t i = 0; i < count && !status; i++)
        if (names[i][0] != '.')
            status = walk_entry(scan, folder, prefix, names[i], depth, err);
    rt_file_list_free(names, count);
    return status;
}

static enum rt_status add_named(struct rt_manifest_scan *scan, const char *name,
                                struct rt_error *err)
{
    char place[PATH_MAX];
    struct stat st;
    if (rt_path_join(place, sizeof place, scan->root, name))
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", name);
    if (stat(place, &st) != 0)
        return rt_error_set(err, errno == ENOENT ? RT_NOT_FOUND : RT_IO, "%s: %s", place,
                            strerror(errno));
    if (!S_ISREG(st.st_mode))
        return rt_error_set(err, RT_MALFORMED, "%s is not a file", place);
    return add_file(scan, place, name, &st, err);
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const struct item *)left)->file.path, ((const struct item *)right)->file.path);
}

static enum rt_status list_files(struct rt_manifest_scan *scan, const char *root,
                                 const char *const *files, size_t file_count, struct rt_error *err)
{
    struct stat st;
    enum rt_status status = RT_OK;
    if (!realpath(root, scan->root) || stat(scan->root, &st) != 0)
        return rt_error_set(err, errno == ENOENT ? RT_NOT_FOUND : RT_IO, "%s: %s", root,
                            strerror(errno));
    if (S_ISREG(st.st_mode)) {
        // The name the lab gave it counts, not that of what a link leads to.
        const char *name = strrchr(root, '/');
        return add_file(scan, scan->root, name ? name + 1 : root, &st, err);
    }
    for (size_t i = 0; i < file_count && !status; i++)
        status = add_named(scan, files[i], err);
    if (!status && !file_count)
        status = walk(scan, scan->root, "", 0, err);
    if (!status && !scan->count)
        status = rt_error_set(err, RT_NOT_FOUND, "%s: there are no files", root);
    if (!status)
        qsort(scan->items, scan->count, sizeof *scan->items, by_path);
    for (size_t i = 1; i < scan->count && !status; i++)
        if (by_path(&scan->items[i - 1], &scan->items[i]) == 0)
            status = rt_error_set(err, RT_MALFORMED, "%s is named twice",
                                  scan->items[i].file.path);
    return status;
}

enum rt_status rt_manifest_begin(const char *root, const char *const *files, size_t file_count,
                                 const char *cache, struct rt_manifest_scan **ret_scan,
                                 struct rt_error *err)
{
    struct rt_manifest_scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    scan->fd = -1;
    scan->saved_ms = rt_time_mono_ms();
    rt_arena_init(&scan->arena, 2 * RT_MANIFEST_MOST);
    snprintf(scan->cache, sizeof scan->cache, "%s", cache ? cache : "");
    scan->chunk = malloc(CHUNK_BYTES);
    enum rt_status status = scan->chunk ? list_files(scan, root, files, file_count, err)
                                        : rt_error_set(err, RT_NO_MEMORY, "out of memory");
    if (!status) {
        scan->files = rt_arena_array(&scan->arena, scan->count, sizeof *scan->files);
        if (!scan->files)
            status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    if (status) {
        rt_manifest_scan_free(scan);
        return status;
    }
    load_cache(scan);
    *ret_scan = scan;
    return RT_OK;
}

// ---- hashing

static bool settled(const struct stamp *stamp)
{
    int64_t newest = stamp->mtime_ns > stamp->ctime_ns ? stamp->mtime_ns : stamp->ctime_ns;
    return rt_time_wall_ms() * 1000000 - newest > SETTLED_NS;
}

static void finish(struct rt_manifest_scan *scan, struct item *item)
{
    item->done = true;
    scan->files[scan->next++] = item->file;
}

static enum rt_status end_file(struct rt_manifest_scan *scan, struct item *item,
                               struct rt_error *err)
{
    struct stat st;
    bool changed = fstat(scan->fd, &st) != 0;
    close(scan->fd);
    scan->fd = -1;
    struct stamp stamp = changed ? (struct stamp){0} : stamp_of(&st);
    if (changed || !same_stamp(&stamp, &item->stamp) || scan->hashed != item->file.size)
        return rt_error_set(err, RT_CONFLICT, "%s changed while it was read", item->place);
    rt_sha256_final(&scan->hash, &item->file.digest);
    if (settled(&stamp)) {
        scan->unsaved = true;
        if (remember(scan, &stamp, &item->file.digest))
            return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    finish(scan, item);
    return RT_OK;
}

// One chunk of the present file, or what the cache knows of it.
static enum rt_status work(struct rt_manifest_scan *scan, struct rt_error *err)
{
    struct item *item = &scan->items[scan->next];
    if (scan->fd < 0) {
        for (size_t k = 0; k < scan->known_count; k++)
            if (same_stamp(&scan->known[k].stamp, &item->stamp)) {
                item->file.digest = scan->known[k].digest;
                scan->done_bytes += item->file.size;
                finish(scan, item);
                return RT_OK;
            }
        scan->fd = open(item->place, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (scan->fd < 0)
            return rt_error_set(err, errno == EACCES ? RT_NOT_PERMITTED : RT_IO, "%s: %s",
                                item->place, strerror(errno));
        rt_sha256_init(&scan->hash);
        scan->hashed = 0;
    }
    ssize_t size = read(scan->fd, scan->chunk, CHUNK_BYTES);
    if (size < 0 && errno == EINTR)
        return RT_OK;
    if (size < 0)
        return rt_error_set(err, RT_IO, "%s: %s", item->place, strerror(errno));
    if (size == 0 || scan->hashed + (uint64_t)size > item->file.size)
        return end_file(scan, item, err);
    rt_sha256_update(&scan->hash, scan->chunk, (size_t)size);
    scan->hashed += (uint64_t)size;
    scan->done_bytes += (uint64_t)size;
    scan->read_bytes += (uint64_t)size;
    return RT_OK;
}

enum rt_status rt_manifest_step(struct rt_manifest_scan *scan, int64_t budget_ms,
                                struct rt_error *err)
{
    int64_t until_ms = rt_time_mono_ms() + budget_ms;
    enum rt_status status = RT_OK;
    while (!status && scan->next < scan->count) {
        status = work(scan, err);
        int64_t now_ms = rt_time_mono_ms();
        if (now_ms - scan->saved_ms > CACHE_WRITE_MS)
            save_cache(scan);
        if (!status && now_ms >= until_ms && scan->next < scan->count)
            return RT_AGAIN;
    }
    save_cache(scan);
    return status;
}

void rt_manifest_progress(const struct rt_manifest_scan *scan,
                          struct rt_manifest_progress *ret_progress)
{
    *ret_progress = (struct rt_manifest_progress){
        scan->done_bytes, scan->total_bytes, scan->read_bytes,
        scan->next < scan->count ? scan->items[scan->next].file.path : ""};
}

void rt_manifest_result(const struct rt_manifest_scan *scan, struct rt_manifest *ret_manifest)
{
    RT_ASSERT(scan->next == scan->count);
    *ret_manifest = (struct rt_manifest){scan->files, scan->count};
}

void rt_manifest_scan_free(struct rt_manifest_scan *scan)
{
    if (!scan)
        return;
    save_cache(scan);
    if (scan->fd >= 0)
        close(scan->fd);
    free(scan->items);
    free(scan->known);
    free(scan->chunk);
    rt_arena_release(&scan->arena);
    free(scan);
}
