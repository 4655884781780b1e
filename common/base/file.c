// SPDX-License-Identifier: Apache-2.0
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum rt_status rt_file_read(const char *path, struct rt_buf *buf, struct rt_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rt_error_errno(err, errno, "cannot open %s", path);
    enum rt_status status = RT_OK;
    uint8_t chunk[65536];
    for (;;) {
        ssize_t size = read(fd, chunk, sizeof chunk);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            status = rt_error_errno(err, errno, "cannot read %s", path);
        if (size <= 0)
            break;
        rt_buf_add(buf, chunk, (size_t)size);
        if (rt_buf_ok(buf)) {
            status = rt_error_set(err, buf->failed, "%s: larger than the limit of %zu bytes", path,
                                  buf->limit);
            break;
        }
    }
    close(fd);
    return status;
}

static enum rt_status write_all(int fd, struct rt_bytes bytes)
{
    size_t at = 0;
    while (at < bytes.size) {
        ssize_t size = write(fd, bytes.data + at, bytes.size - at);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return RT_IO;
        at += (size_t)size;
    }
    return RT_OK;
}

// A rename is on disk only when its folder is.
static enum rt_status sync_parent(const char *path, struct rt_error *err)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (size >= sizeof folder)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", path);
    memcpy(folder, path, size);
    folder[size] = 0;
    int fd = open(slash ? (size ? folder : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return rt_error_errno(err, errno, "cannot open the folder of %s", path);
    int rc = fsync(fd);
    int saved = errno;
    close(fd);
    return rc ? rt_error_errno(err, saved, "cannot sync the folder of %s", path) : RT_OK;
}

static enum rt_status put(const char *path, struct rt_bytes bytes, mode_t mode, bool replace,
                          struct rt_error *err)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.tmp.%ld", path, (long)getpid()) >=
        (int)sizeof temporary)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return rt_error_errno(err, errno, "cannot create %s", temporary);
    bool failed = write_all(fd, bytes) || fchmod(fd, mode) || fsync(fd);
    int saved = errno;
    if (close(fd) && !failed) {
        failed = true;
        saved = errno;
    }
    if (!failed && (replace ? rename(temporary, path) : link(temporary, path))) {
        failed = true;
        saved = errno;
    }
    if (failed || !replace)
        unlink(temporary);
    if (failed && !replace && saved == EEXIST)
        return rt_error_set(err, RT_EXISTS, "%s is there already; it was left as it is", path);
    if (failed)
        return rt_error_errno(err, saved, "cannot write %s", path);
    return sync_parent(path, err);
}

enum rt_status rt_file_write(const char *path, struct rt_bytes bytes, mode_t mode,
                             struct rt_error *err)
{
    return put(path, bytes, mode, true, err);
}

enum rt_status rt_file_create(const char *path, struct rt_bytes bytes, mode_t mode,
                              struct rt_error *err)
{
    return put(path, bytes, mode, false, err);
}

enum rt_status rt_file_mkdir(const char *path, mode_t mode, struct rt_error *err)
{
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", path);
    memcpy(part, path, strlen(path) + 1);
    for (char *p = part + 1;; p++) {
        char end = *p;
        if (end != '/' && end != 0)
            continue;
        *p = 0;
        if (mkdir(part, mode) && errno != EEXIST)
            return rt_error_errno(err, errno, "cannot make the folder %s", part);
        *p = end;
        if (!end)
            break;
    }
    struct stat info;
    if (stat(path, &info) || !S_ISDIR(info.st_mode))
        return rt_error_set(err, RT_IO, "%s is not a folder", path);
    return RT_OK;
}

bool rt_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

enum rt_status rt_file_check_private(const char *path, struct rt_error *err)
{
    struct stat info;
    if (stat(path, &info))
        return rt_error_errno(err, errno, "cannot look at %s", path);
    if (info.st_mode & 077)
        return rt_error_set(err, RT_NOT_PERMITTED, "%s can be read by others; run: chmod 600 %s",
                            path, path);
    return RT_OK;
}

enum rt_status rt_file_check_local(const char *path, struct rt_error *err)
{
    static const struct {
        unsigned long type;
        const char *name;
    } unfit[] = {{0x6969, "NFS"},        {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},
                 {0x19830326, "BeeGFS"}, {0xff534d42, "CIFS"},   {0xfe534d42, "SMB2"},
                 {0x5346414f, "AFS"},    {0x00c36400, "Ceph"},   {0x01021997, "9P"},
                 {0x65735546, "FUSE"},   {0x01161970, "GFS2"},   {0x7461636f, "OCFS2"}};
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", path);
    memcpy(part, path, strlen(path) + 1);
    struct statfs info;
    while (statfs(part, &info)) {
        char *slash = strrchr(part, '/');
        if (errno != ENOENT)
            return rt_error_errno(err, errno, "cannot look at %s", part);
        if (!slash)
            memcpy(part, ".", 2);
        else if (slash == part)
            part[1] = 0;
        else
            *slash = 0;
    }
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        if ((unsigned long)info.f_type == unfit[i].type)
            return rt_error_set(err, RT_POLICY,
                                "%s is on %s, where the store's memory map and locks are not safe; "
                                "set `state:` to a "
                                "folder on a local disk such as /var/local/ringtrial",
                                path, unfit[i].name);
    return RT_OK;
}

enum rt_status rt_path_join(char *ret_path, size_t capacity, const char *folder, const char *name)
{
    int size = snprintf(ret_path, capacity, "%s/%s", folder, name);
    return size < 0 || (size_t)size >= capacity ? RT_TOO_LARGE : RT_OK;
}

enum rt_status rt_path_expand(char *ret_path, size_t capacity, const char *path)
{
    const char *home = path[0] == '~' && path[1] == '/' ? getenv("HOME") : NULL;
    int size = snprintf(ret_path, capacity, "%s%s", home ? home : "", home ? path + 1 : path);
    return size < 0 || (size_t)size >= capacity ? RT_TOO_LARGE : RT_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum rt_status rt_file_list(const char *folder, size_t most, char ***ret_names, size_t *ret_count,
                            struct rt_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return rt_error_errno(err, errno, "cannot open the folder %s", folder);
    char **names = NULL;
    size_t count = 0, capacity = 0;
    enum rt_status status = RT_OK;
    for (struct dirent *entry; !status && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count == most) {
            status =
                rt_error_set(err, RT_TOO_LARGE, "%s holds more than %zu entries", folder, most);
            break;
        }
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 32;
            char **grown = realloc(names, capacity * sizeof *names);
            if (!grown) {
                status = rt_error_set(err, RT_NO_MEMORY, "listing %s", folder);
                break;
            }
            names = grown;
        }
        names[count] = strdup(entry->d_name);
        if (!names[count])
            status = rt_error_set(err, RT_NO_MEMORY, "listing %s", folder);
        else
            count++;
    }
    closedir(dir);
    if (status) {
        rt_file_list_free(names, count);
        return status;
    }
    if (count)
        qsort(names, count, sizeof *names, by_name);
    *ret_names = names;
    *ret_count = count;
    return RT_OK;
}

void rt_file_list_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}
