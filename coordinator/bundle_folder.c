// SPDX-License-Identifier: Apache-2.0
#include "coordinator/bundle_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"

#define PATH_BYTES 4096

enum rt_status rt_bundle_folder_make(const char *path, struct rt_bundle_folder *ret_folder,
                                     struct rt_error *err)
{
    *ret_folder = (struct rt_bundle_folder){.final = NULL};
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    if (size == 0 || size + RT_EVIDENCE_PATH_BYTES + 10 > PATH_BYTES)
        return rt_error_set(err, RT_USAGE, "'%.100s' is no name for a folder", path);
    struct rt_bundle_folder folder = {.final = strndup(path, size),
                                      .partial = malloc(size + sizeof ".partial")};
    if (!folder.final || !folder.partial) {
        free(folder.final);
        free(folder.partial);
        return rt_error_set(err, RT_NO_MEMORY, "making %s", path);
    }
    memcpy(folder.partial, path, size);
    memcpy(folder.partial + size, ".partial", sizeof ".partial");
    enum rt_status status = RT_OK;
    if (rt_file_exists(folder.final))
        status =
            rt_error_set(err, RT_EXISTS, "%s is there already; give another --out", folder.final);
    else if (rt_file_exists(folder.partial))
        status = rt_error_set(err, RT_EXISTS,
                              "%s is left from a bundle that was not finished; remove it",
                              folder.partial);
    else
        status = rt_file_mkdir(folder.partial, 0755, err);
    if (status) {
        free(folder.final);
        free(folder.partial);
        return status;
    }
    *ret_folder = folder;
    return RT_OK;
}

static enum rt_status remember(struct rt_bundle_folder *folder, const char *path,
                               struct rt_bytes content)
{
    if (folder->count == folder->room) {
        size_t room = folder->room ? 2 * folder->room : 256;
        struct rt_bundle_file *grown = realloc(folder->files, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        folder->files = grown;
        folder->room = room;
    }
    struct rt_bundle_file *file = &folder->files[folder->count];
    file->path = strdup(path);
    if (!file->path)
        return RT_NO_MEMORY;
    rt_sha256(content, &file->digest);
    folder->count++;
    folder->bytes += content.size;
    return RT_OK;
}

static int create(const char *full)
{
    return open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
}

enum rt_status rt_bundle_folder_put(struct rt_bundle_folder *folder, const char *path,
                                    struct rt_bytes content, struct rt_error *err)
{
    char full[PATH_BYTES];
    if (!rt_evidence_path_valid(rt_bytes_str(path)) ||
        rt_path_join(full, sizeof full, folder->partial, path))
        return rt_error_set(err, RT_TOO_LARGE, "%s: no path for a bundle", path);
    int fd = create(full);
    if (fd < 0 && errno == ENOENT) {
        char *slash = strrchr(full, '/');
        *slash = 0;
        enum rt_status status = rt_file_mkdir(full, 0755, err);
        if (status)
            return status;
        *slash = '/';
        fd = create(full);
    }
    if (fd < 0)
        return rt_error_errno(err, errno, "cannot create %s", full);
    size_t at = 0;
    int failed = 0;
    while (at < content.size && !failed) {
        ssize_t size = write(fd, content.data + at, content.size - at);
        if (size >= 0)
            at += (size_t)size;
        else if (errno != EINTR)
            failed = errno;
    }
    if (close(fd) && !failed)
        failed = errno;
    if (failed)
        return rt_error_errno(err, failed, "cannot write %s", full);
    enum rt_status status = remember(folder, path, content);
    return status ? rt_error_set(err, status, "%s", full) : RT_OK;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct rt_bundle_file *)a)->path,
                  ((const struct rt_bundle_file *)b)->path);
}

enum rt_status rt_bundle_folder_manifest(struct rt_bundle_folder *folder, struct rt_buf *out)
{
    if (folder->count)
        qsort(folder->files, folder->count, sizeof *folder->files, by_path);
    for (size_t i = 0; i < folder->count; i++)
        rt_evidence_manifest_add(folder->files[i].path, &folder->files[i].digest, out);
    return rt_buf_ok(out);
}

static void forget(struct rt_bundle_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        free(folder->files[i].path);
    free(folder->files);
    free(folder->final);
    free(folder->partial);
    *folder = (struct rt_bundle_folder){.final = NULL};
}

enum rt_status rt_bundle_folder_finish(struct rt_bundle_folder *folder, struct rt_error *err)
{
    // Thousands of small files: one sync of the file system costs less than one each.
    int fd = open(folder->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return rt_error_errno(err, errno, "cannot open %s", folder->partial);
    int failed = syncfs(fd) ? errno : 0;
    close(fd);
    if (!failed && rename(folder->partial, folder->final))
        failed = errno;
    if (failed)
        return rt_error_errno(err, failed, "cannot finish %s", folder->final);
    forget(folder);
    return RT_OK;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void rt_bundle_folder_release(struct rt_bundle_folder *folder)
{
    if (folder->partial)
        nftw(folder->partial, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    forget(folder);
}
