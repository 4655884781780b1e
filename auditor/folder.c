// SPDX-License-Identifier: Apache-2.0
#include "auditor/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MOST 8 // folders within folders; tiles of the largest log need seven

static enum rt_status add(struct rt_folder *folder, const char *path, uint64_t size)
{
    if (folder->count == RT_EVIDENCE_FILES_MOST)
        return RT_TOO_LARGE;
    if (folder->count == folder->room) {
        size_t room = folder->room ? 2 * folder->room : 256;
        struct rt_folder_file *grown = realloc(folder->files, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        folder->files = grown;
        folder->room = room;
    }
    const char *copy = rt_arena_strdup(&folder->arena, path);
    if (!copy)
        return RT_NO_MEMORY;
    folder->files[folder->count++] = (struct rt_folder_file){.path = copy, .size = size};
    return RT_OK;
}

static enum rt_status walk(struct rt_folder *folder, struct rt_checks *checks, int fd,
                           const char *prefix, unsigned depth);

static enum rt_status enter(struct rt_folder *folder, struct rt_checks *checks, int parent,
                            const char *name, const char *path, unsigned depth)
{
    if (depth == DEPTH_MOST) {
        rt_checks_fail(checks, RT_CHECK_LAYOUT, path, "deeper than any folder of a bundle");
        return RT_OK;
    }
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return RT_IO;
    return walk(folder, checks, fd, path, depth + 1);
}

static enum rt_status visit(struct rt_folder *folder, struct rt_checks *checks, int fd,
                            const char *prefix, const char *name, unsigned depth)
{
    char path[2 * RT_EVIDENCE_PATH_BYTES + 256];
    struct stat info;
    snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "/" : "", name);
    if (!rt_evidence_path_valid(rt_bytes_str(path))) {
        rt_checks_fail(checks, RT_CHECK_LAYOUT, path, "no file of a bundle has such a name");
        return RT_OK;
    }
    if (fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW))
        return RT_IO;
    if (S_ISDIR(info.st_mode))
        return enter(folder, checks, fd, name, path, depth);
    if (!S_ISREG(info.st_mode)) {
        rt_checks_fail(checks, RT_CHECK_LAYOUT, path, "neither a file nor a folder");
        return RT_OK;
    }
    return add(folder, path, (uint64_t)info.st_size);
}

// Takes fd over.
static enum rt_status walk(struct rt_folder *folder, struct rt_checks *checks, int fd,
                           const char *prefix, unsigned depth)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return RT_IO;
    }
    size_t entries = 0;
    enum rt_status status = RT_OK;
    errno = 0;
    for (struct dirent *entry; !status && (entry = readdir(dir)); errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        entries++;
        status = visit(folder, checks, fd, prefix, entry->d_name, depth);
    }
    if (!status && errno)
        status = RT_IO;
    closedir(dir);
    if (!status && !entries)
        rt_checks_fail(checks, RT_CHECK_LAYOUT, *prefix ? prefix : ".", "an empty folder");
    return status;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct rt_folder_file *)a)->path,
                  ((const struct rt_folder_file *)b)->path);
}

enum rt_status rt_folder_open(const char *path, struct rt_checks *checks,
                              struct rt_folder *ret_folder, struct rt_error *err)
{
    *ret_folder = (struct rt_folder){.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (ret_folder->fd < 0)
        return rt_error_errno(err, errno, "%s: not a bundle's folder", path);
    rt_arena_init(&ret_folder->arena, RT_EVIDENCE_FILES_MOST * 512);
    int fd = fcntl(ret_folder->fd, F_DUPFD_CLOEXEC, 0);
    enum rt_status status = fd < 0 ? RT_IO : walk(ret_folder, checks, fd, "", 0);
    if (status)
        return rt_error_set(err, status, "%s: listing its files: %s", path, rt_status_text(status));
    if (ret_folder->count)
        qsort(ret_folder->files, ret_folder->count, sizeof *ret_folder->files, by_path);
    return RT_OK;
}

void rt_folder_close(struct rt_folder *folder)
{
    rt_arena_release(&folder->arena);
    free(folder->files);
    if (folder->fd >= 0)
        close(folder->fd);
    *folder = (struct rt_folder){.fd = -1};
}

struct rt_folder_file *rt_folder_find(const struct rt_folder *folder, const char *path)
{
    size_t low = 0, high = folder->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(folder->files[middle].path, path);
        if (order == 0)
            return &folder->files[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

// expected: the size it had when it was listed; one byte more is asked for, so that the usual file
// takes one read.
static enum rt_status read_all(int fd, uint64_t expected, struct rt_buf *out)
{
    size_t start = out->size;
    if (expected < 1 << 20 && expected < out->limit - start) {
        size_t most = (size_t)expected + 1;
        uint8_t *to = rt_buf_extend(out, most);
        ssize_t size = to ? read(fd, to, most) : -1;
        if (!to)
            return rt_buf_ok(out);
        rt_buf_truncate(out, start + (size > 0 ? (size_t)size : 0));
        if (size >= 0 && (uint64_t)size == expected)
            return RT_OK;
        if (size < 0 && errno != EINTR)
            return RT_IO;
    }
    for (;;) {
        size_t before = out->size;
        uint8_t chunk[16384];
        ssize_t size = read(fd, chunk, sizeof chunk);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return RT_IO;
        rt_buf_add(out, chunk, (size_t)size);
        if (size == 0 || out->size == before)
            return rt_buf_ok(out);
    }
}

enum rt_status rt_folder_read_file(const struct rt_folder *folder,
                                   const struct rt_folder_file *file, struct rt_buf *out)
{
    int fd = openat(folder->fd, file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return RT_IO;
    enum rt_status status = read_all(fd, file->size, out);
    close(fd);
    return status;
}

enum rt_status rt_folder_read_parts(const struct rt_folder *folder,
                                    const struct rt_folder_file *file, rt_folder_part_fn *part,
                                    void *ctx)
{
    uint8_t chunk[RT_FOLDER_PART_BYTES];
    int fd = openat(folder->fd, file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum rt_status status = fd < 0 ? RT_IO : RT_OK;
    while (!status) {
        ssize_t size = read(fd, chunk, sizeof chunk);
        if (size == 0)
            break;
        if (size > 0)
            status = part(ctx, rt_bytes(chunk, (size_t)size));
        else if (errno != EINTR)
            status = RT_IO;
    }
    if (fd >= 0)
        close(fd);
    return status;
}

enum rt_status rt_folder_read(struct rt_folder *folder, const char *path, struct rt_buf *out)
{
    struct rt_folder_file *file = rt_folder_find(folder, path);
    if (!file)
        return RT_NOT_FOUND;
    file->used = true;
    return rt_folder_read_file(folder, file, out);
}

enum rt_status rt_folder_object(struct rt_folder *folder, const struct rt_digest *digest,
                                struct rt_buf *out)
{
    char path[RT_EVIDENCE_PATH_BYTES];
    struct rt_digest own;
    size_t before = out->size;
    rt_evidence_object_path(digest, path);
    enum rt_status status = rt_folder_read(folder, path, out);
    if (status)
        return status;
    rt_sha256(out->data ? rt_bytes(out->data + before, out->size - before) : rt_bytes(NULL, 0),
              &own);
    return rt_digest_equal(&own, digest) ? RT_OK : RT_CORRUPT;
}
