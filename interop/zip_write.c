// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zip.h>

#include "interop/zip.h"

// What all members of an archive share while it is written.
struct writing {
    rt_zip_make_fn *make;
    void *ctx;
    struct rt_error *err;
    enum rt_status failed;
};

// One member: made when libzip opens it, gone when it closes it.
struct member {
    struct writing *writing;
    size_t index;
    struct rt_buf content;
    size_t taken;
    zip_error_t error;
};

static zip_int64_t open_member(struct member *member)
{
    struct writing *writing = member->writing;
    rt_buf_init(&member->content, RT_ZIP_MEMBER_MOST);
    member->taken = 0;
    if (!writing->failed)
        writing->failed =
            writing->make(writing->ctx, member->index, &member->content, writing->err);
    if (!writing->failed && (writing->failed = rt_buf_ok(&member->content)))
        rt_error_set(writing->err, writing->failed, "one member of the log is too large");
    if (!writing->failed)
        return 0;
    zip_error_set(&member->error, ZIP_ER_INTERNAL, 0);
    return -1;
}

static zip_int64_t read_member(struct member *member, void *data, zip_uint64_t size)
{
    size_t left = member->content.size - member->taken;
    size_t now = size < left ? (size_t)size : left;
    if (now)
        memcpy(data, member->content.data + member->taken, now);
    member->taken += now;
    return (zip_int64_t)now;
}

static zip_int64_t on_member(void *place, void *data, zip_uint64_t size, zip_source_cmd_t command)
{
    struct member *member = place;
    zip_stat_t *facts = data;
    switch (command) {
    case ZIP_SOURCE_OPEN:
        return open_member(member);
    case ZIP_SOURCE_READ:
        return read_member(member, data, size);
    case ZIP_SOURCE_CLOSE:
        rt_buf_release(&member->content);
        return 0;
    case ZIP_SOURCE_STAT:
        zip_stat_init(facts);
        return sizeof *facts;
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&member->error, data, size);
    case ZIP_SOURCE_FREE:
        rt_buf_release(&member->content);
        free(member);
        return 0;
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                              ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
                                              -1);
    default:
        zip_error_set(&member->error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

static enum rt_status add_member(zip_t *zip, struct writing *writing, const char *name, size_t i)
{
    struct member *member = calloc(1, sizeof *member);
    if (!member)
        return RT_NO_MEMORY;
    *member = (struct member){.writing = writing, .index = i};
    zip_error_init(&member->error);
    zip_source_t *source = zip_source_function(zip, on_member, member);
    if (!source) {
        free(member);
        return RT_NO_MEMORY;
    }
    zip_int64_t at = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    if (at < 0) {
        zip_source_free(source);
        return RT_EXISTS;
    }
    // 1980-01-01 00:00, the format's first moment.
    return zip_file_set_dostime(zip, (zip_uint64_t)at, 0, 0x0021, 0) ||
                   zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_DEFLATE, 6)
               ? RT_IO
               : RT_OK;
}

static enum rt_status sync_and_name(const char *partial, const char *path, struct rt_error *err)
{
    int fd = open(partial, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0 && rename(partial, path) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return good ? RT_OK : rt_error_errno(err, why, "%s", path);
}

enum rt_status rt_zip_write(const char *path, const char *const *names, size_t count,
                            rt_zip_make_fn *make, void *ctx, struct rt_error *err)
{
    char partial[PATH_MAX];
    struct writing writing = {make, ctx, err, RT_OK};
    int code = 0, length = snprintf(partial, sizeof partial, "%s.partial", path);
    if (length < 0 || (size_t)length >= sizeof partial)
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", path);
    zip_t *zip = zip_open(partial, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (!zip)
        return rt_error_set(err, RT_IO, "%s: cannot be made", partial);
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++)
        if ((status = add_member(zip, &writing, names[i], i)))
            rt_error_set(err, status, "%s: %s: %s", path, names[i], rt_status_text(status));
    if (status || zip_close(zip)) {
        if (!status)
            status = writing.failed ? writing.failed
                                    : rt_error_set(err, RT_IO, "%s: %s", path, zip_strerror(zip));
        zip_discard(zip);
        unlink(partial);
        return status;
    }
    return sync_and_name(partial, path, err);
}
