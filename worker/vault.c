// SPDX-License-Identifier: Apache-2.0
#include "worker/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/file.h"
#include "common/base/text.h"

// A record: "RTV1", u32be size of the object, u32be size of the zstd frame, digest, frame.
#define HEAD_BYTES  44
#define FRAME_MOST  (RT_VAULT_OBJECT_MOST + (RT_VAULT_OBJECT_MOST >> 8) + 1024)
#define ZSTD_LEVEL  3
#define PACKS_MOST  1000000
static const uint8_t magic[4] = {'R', 'T', 'V', '1'};

struct rt_vault {
    char folder[PATH_MAX];
    bool read_only;
    int fd;         // the newest pack, -1 before the first append
    uint64_t pack;  // its number, from 1 on; 0 before the first
    uint64_t size;  // of it, with what is not kept yet
    uint64_t kept_pack, kept_size;
    bool dirty; // not synced
    ZSTD_CCtx *zstd;
};

static enum rt_status pack_path(const struct rt_vault *vault, uint64_t pack, char *ret_path,
                                size_t capacity)
{
    char name[32];
    snprintf(name, sizeof name, "pack-%08" PRIu64, pack);
    return rt_path_join(ret_path, capacity, vault->folder, name);
}

static enum rt_status open_pack(struct rt_vault *vault, uint64_t pack, int flags, int *ret_fd,
                                struct rt_error *err)
{
    char path[PATH_MAX];
    if (pack_path(vault, pack, path, sizeof path))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", vault->folder);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ENOENT
                   ? rt_error_set(err, RT_NOT_FOUND, "%s: no such pack", path)
                   : rt_error_errno(err, errno, "cannot open %s", path);
    *ret_fd = fd;
    return RT_OK;
}

static enum rt_status read_at(int fd, uint64_t offset, void *out, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = pread(fd, (uint8_t *)out + at, size - at, (off_t)(offset + at));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return RT_IO;
        if (!got)
            return RT_NOT_FOUND;
        at += (size_t)got;
    }
    return RT_OK;
}

struct head {
    size_t object_size;
    size_t frame_size;
    struct rt_digest digest;
};

static enum rt_status parse_head(const uint8_t bytes[HEAD_BYTES], struct head *ret_head)
{
    if (memcmp(bytes, magic, sizeof magic))
        return RT_CORRUPT;
    struct head head = {rt_get_u32be(bytes + 4), rt_get_u32be(bytes + 8), {{0}}};
    if (head.object_size > RT_VAULT_OBJECT_MOST || head.frame_size > FRAME_MOST)
        return RT_CORRUPT;
    memcpy(head.digest.bytes, bytes + 12, RT_DIGEST_BYTES);
    *ret_head = head;
    return RT_OK;
}

// The end of the last whole record: a crash of the machine may leave a torn one behind it.
static enum rt_status valid_end(int fd, uint64_t size, uint64_t *ret_end)
{
    uint64_t at = 0;
    while (size - at >= HEAD_BYTES) {
        uint8_t bytes[HEAD_BYTES];
        struct head head;
        enum rt_status status = read_at(fd, at, bytes, sizeof bytes);
        if (status)
            return status;
        if (parse_head(bytes, &head) || head.frame_size > size - at - HEAD_BYTES)
            break;
        at += HEAD_BYTES + head.frame_size;
    }
    *ret_end = at;
    return RT_OK;
}

static enum rt_status newest_pack(struct rt_vault *vault, struct rt_error *err)
{
    char **names;
    size_t count;
    enum rt_status status = rt_file_list(vault->folder, PACKS_MOST, &names, &count, err);
    if (status)
        return status;
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        const char *digits = names[i] + 5;
        if (strncmp(names[i], "pack-", 5))
            continue;
        while (*digits == '0' && digits[1])
            digits++;
        if (!rt_parse_u64(digits, &number) && number > vault->pack)
            vault->pack = number;
    }
    rt_file_list_free(names, count);
    return RT_OK;
}

static enum rt_status open_newest(struct rt_vault *vault, struct rt_error *err)
{
    enum rt_status status = newest_pack(vault, err);
    if (status || !vault->pack)
        return status;
    status = open_pack(vault, vault->pack, O_RDWR, &vault->fd, err);
    if (status)
        return status;
    struct stat info;
    if (fstat(vault->fd, &info))
        return rt_error_errno(err, errno, "cannot read the size of %s/pack-%08" PRIu64,
                              vault->folder, vault->pack);
    status = valid_end(vault->fd, (uint64_t)info.st_size, &vault->size);
    if (status)
        return rt_error_set(err, status, "cannot read %s/pack-%08" PRIu64, vault->folder,
                            vault->pack);
    if (vault->size < (uint64_t)info.st_size && ftruncate(vault->fd, (off_t)vault->size))
        return rt_error_errno(err, errno, "cannot cut the torn end off %s/pack-%08" PRIu64,
                              vault->folder, vault->pack);
    rt_vault_keep(vault);
    return RT_OK;
}

enum rt_status rt_vault_open(const char *folder, bool read_only, struct rt_vault **ret_vault,
                             struct rt_error *err)
{
    struct rt_vault *vault = calloc(1, sizeof *vault);
    if (!vault || strlen(folder) >= sizeof vault->folder) {
        free(vault);
        return rt_error_set(err, RT_NO_MEMORY, "cannot open the vault %s", folder);
    }
    memcpy(vault->folder, folder, strlen(folder) + 1);
    vault->read_only = read_only;
    vault->fd = -1;
    enum rt_status status = RT_OK;
    if (!read_only) {
        vault->zstd = ZSTD_createCCtx();
        status = vault->zstd ? rt_file_mkdir(folder, 0700, err)
                             : rt_error_set(err, RT_NO_MEMORY, "out of memory");
        if (!status)
            status = open_newest(vault, err);
    }
    if (status) {
        rt_vault_free(vault);
        return status;
    }
    *ret_vault = vault;
    return RT_OK;
}

void rt_vault_free(struct rt_vault *vault)
{
    if (!vault)
        return;
    if (vault->fd >= 0)
        close(vault->fd);
    ZSTD_freeCCtx(vault->zstd);
    free(vault);
}

enum rt_status rt_vault_pack(struct rt_vault *vault, struct rt_bytes object,
                             struct rt_digest *ret_digest, struct rt_buf *out)
{
    RT_ASSERT(!vault->read_only);
    if (object.size > RT_VAULT_OBJECT_MOST)
        return RT_TOO_LARGE;
    rt_sha256(object, ret_digest);
    size_t start = out->size;
    size_t bound = ZSTD_compressBound(object.size);
    uint8_t *room = rt_buf_extend(out, HEAD_BYTES + bound);
    if (!room)
        return rt_buf_ok(out);
    size_t size = ZSTD_compressCCtx(vault->zstd, room + HEAD_BYTES, bound, object.data,
                                    object.size, ZSTD_LEVEL);
    if (ZSTD_isError(size)) {
        rt_buf_truncate(out, start);
        return RT_NO_MEMORY;
    }
    memcpy(room, magic, sizeof magic);
    rt_put_u32be(room + 4, (uint32_t)object.size);
    rt_put_u32be(room + 8, (uint32_t)size);
    memcpy(room + 12, ret_digest->bytes, RT_DIGEST_BYTES);
    rt_buf_truncate(out, start + HEAD_BYTES + size);
    return RT_OK;
}

static enum rt_status sync_folder(struct rt_vault *vault, struct rt_error *err)
{
    int fd = open(vault->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return rt_error_errno(err, errno, "cannot open %s", vault->folder);
    int rc = fsync(fd), saved = errno;
    close(fd);
    return rc ? rt_error_errno(err, saved, "cannot sync %s", vault->folder) : RT_OK;
}

static enum rt_status next_pack(struct rt_vault *vault, struct rt_error *err)
{
    int fd;
    if (vault->fd >= 0 && fdatasync(vault->fd))
        return rt_error_errno(err, errno, "cannot sync %s/pack-%08" PRIu64, vault->folder,
                              vault->pack);
    enum rt_status status = open_pack(vault, vault->pack + 1, O_RDWR | O_CREAT | O_TRUNC, &fd,
                                      err);
    if (status)
        return status;
    status = sync_folder(vault, err);
    if (status) {
        close(fd);
        return status;
    }
    if (vault->fd >= 0)
        close(vault->fd);
    vault->fd = fd;
    vault->pack++;
    vault->size = 0;
    return RT_OK;
}

enum rt_status rt_vault_append(struct rt_vault *vault, struct rt_bytes record,
                               struct rt_vault_place *ret_place, struct rt_error *err)
{
    RT_ASSERT(!vault->read_only && record.size > HEAD_BYTES);
    if (vault->fd < 0 || vault->size >= RT_VAULT_PACK_MOST) {
        enum rt_status status = next_pack(vault, err);
        if (status)
            return status;
    }
    for (size_t at = 0; at < record.size;) {
        ssize_t size = pwrite(vault->fd, record.data + at, record.size - at,
                              (off_t)(vault->size + at));
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0) {
            int saved = size ? errno : EIO;
            if (ftruncate(vault->fd, (off_t)vault->size))
                saved = errno;
            return rt_error_errno(err, saved, "cannot write %s/pack-%08" PRIu64, vault->folder,
                                  vault->pack);
        }
        at += (size_t)size;
    }
    vault->dirty = true;
    *ret_place = (struct rt_vault_place){vault->pack, vault->size, record.size};
    vault->size += record.size;
    return RT_OK;
}

enum rt_status rt_vault_sync(struct rt_vault *vault, struct rt_error *err)
{
    if (!vault->dirty)
        return RT_OK;
    if (fdatasync(vault->fd))
        return rt_error_errno(err, errno, "cannot sync %s/pack-%08" PRIu64, vault->folder,
                              vault->pack);
    vault->dirty = false;
    return RT_OK;
}

void rt_vault_keep(struct rt_vault *vault)
{
    vault->kept_pack = vault->pack;
    vault->kept_size = vault->size;
}

void rt_vault_rollback(struct rt_vault *vault)
{
    // In a pack begun since then everything goes; dead records at the end of the one before it
    // are harmless, for nobody knows their places.
    uint64_t size = vault->pack == vault->kept_pack ? vault->kept_size : 0;
    if (vault->fd < 0 || vault->size == size)
        return;
    if (!ftruncate(vault->fd, (off_t)size))
        vault->size = size;
}

static enum rt_status unpack(const uint8_t *record, size_t size, const struct rt_digest *digest,
                             struct rt_buf *out)
{
    struct head head;
    if (size < HEAD_BYTES || parse_head(record, &head) || head.frame_size != size - HEAD_BYTES ||
        !rt_digest_equal(&head.digest, digest))
        return RT_CORRUPT;
    size_t start = out->size;
    uint8_t *room = rt_buf_extend(out, head.object_size);
    if (!room && head.object_size)
        return rt_buf_ok(out);
    size_t got = ZSTD_decompress(room, head.object_size, record + HEAD_BYTES, head.frame_size);
    struct rt_digest found;
    if (!ZSTD_isError(got) && got == head.object_size) {
        rt_sha256(rt_bytes(room, got), &found);
        if (rt_digest_equal(&found, digest))
            return RT_OK;
    }
    rt_buf_truncate(out, start);
    return RT_CORRUPT;
}

enum rt_status rt_vault_read(struct rt_vault *vault, const struct rt_vault_place *place,
                             const struct rt_digest *digest, struct rt_buf *out,
                             struct rt_error *err)
{
    int fd;
    if (place->size < HEAD_BYTES || place->size > HEAD_BYTES + FRAME_MOST)
        return rt_error_set(err, RT_CORRUPT, "%s: impossible place", vault->folder);
    enum rt_status status = open_pack(vault, place->pack, O_RDONLY, &fd, err);
    if (status)
        return status;
    uint8_t *record = malloc(place->size);
    status = record ? read_at(fd, place->offset, record, place->size) : RT_NO_MEMORY;
    close(fd);
    if (!status)
        status = unpack(record, place->size, digest, out);
    free(record);
    if (status)
        return rt_error_set(err, status, "%s/pack-%08" PRIu64 ": the record at byte %" PRIu64
                            " is not what its digest says", vault->folder, place->pack,
                            place->offset);
    return RT_OK;
}
