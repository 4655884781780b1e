// SPDX-License-Identifier: Apache-2.0
#include "worker/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/file.h"
#include "common/base/text.h"

// A record: "RTV1", u32be size of the object, u32be size of the body, digest, body: a zstd frame.
// "RTV2" is sealed: the body is the key's id, a nonce, and the frame under XChaCha20-Poly1305 with
// the head as additional data.
#define HEAD_BYTES  44
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SEAL_BYTES  (RT_VAULT_KEY_ID + NONCE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define FRAME_MOST  (RT_VAULT_OBJECT_MOST + (RT_VAULT_OBJECT_MOST >> 8) + 1024 + SEAL_BYTES)
#define ZSTD_LEVEL  3
#define PACKS_MOST  1000000
static const uint8_t magic[4] = {'R', 'T', 'V', '1'};
static const uint8_t sealed_magic[4] = {'R', 'T', 'V', '2'};

struct rt_vault {
    char folder[PATH_MAX];
    bool read_only;
    int fd;         // the newest pack, -1 before the first append
    uint64_t pack;  // its number, from 1 on; 0 before the first
    uint64_t size;  // of it, with what is not kept yet
    uint64_t kept_pack, kept_size;
    bool dirty; // not synced
    bool full;  // the next record begins another pack
    ZSTD_CCtx *zstd;
    struct rt_vault_key *key; // sodium_malloc; NULL none
    bool seal;                // new records
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
    bool sealed;
    size_t object_size;
    size_t frame_size;
    struct rt_digest digest;
};

static enum rt_status parse_head(const uint8_t bytes[HEAD_BYTES], struct head *ret_head)
{
    bool sealed = memcmp(bytes, sealed_magic, sizeof sealed_magic) == 0;
    if (!sealed && memcmp(bytes, magic, sizeof magic))
        return RT_CORRUPT;
    struct head head = {sealed, rt_get_u32be(bytes + 4), rt_get_u32be(bytes + 8), {{0}}};
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

static bool pack_number(const char *name, uint64_t *ret_number)
{
    const char *digits = name + 5;
    if (strncmp(name, "pack-", 5))
        return false;
    while (*digits == '0' && digits[1])
        digits++;
    return rt_parse_u64(digits, ret_number) == RT_OK;
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
        if (pack_number(names[i], &number) && number > vault->pack)
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
    sodium_free(vault->key);
    free(vault);
}

void rt_vault_key_id(struct rt_vault_key *key)
{
    static const char domain[] = "ringtrial/vault-key/v1";
    struct rt_sha256_state state;
    struct rt_digest digest;
    rt_sha256_init(&state);
    rt_sha256_update(&state, domain, sizeof domain); // with its NUL
    rt_sha256_update(&state, key->bytes, sizeof key->bytes);
    rt_sha256_final(&state, &digest);
    memcpy(key->id, digest.bytes, sizeof key->id);
}

enum rt_status rt_vault_seal(struct rt_vault *vault, const struct rt_vault_key *key, bool seal)
{
    if (!vault->key)
        vault->key = sodium_malloc(sizeof *vault->key);
    if (!vault->key)
        return RT_NO_MEMORY;
    *vault->key = *key;
    vault->seal = seal;
    return RT_OK;
}

// Seal the frame of `size` bytes that stands SEAL_BYTES before its place, in place: body has room
// for SEAL_BYTES more. Returns the body's size.
static size_t seal_frame(const struct rt_vault *vault, const uint8_t head[HEAD_BYTES],
                         uint8_t *body, size_t size)
{
    unsigned long long sealed = 0;
    uint8_t *nonce = body + RT_VAULT_KEY_ID, *text = nonce + NONCE_BYTES;
    memmove(text, body, size);
    memcpy(body, vault->key->id, RT_VAULT_KEY_ID);
    randombytes_buf(nonce, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(text, &sealed, text, size, head, HEAD_BYTES, NULL,
                                               nonce, vault->key->bytes);
    return RT_VAULT_KEY_ID + NONCE_BYTES + (size_t)sealed;
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
    uint8_t *room = rt_buf_extend(out, HEAD_BYTES + bound + (vault->seal ? SEAL_BYTES : 0));
    if (!room)
        return rt_buf_ok(out);
    size_t size = ZSTD_compressCCtx(vault->zstd, room + HEAD_BYTES, bound, object.data,
                                    object.size, ZSTD_LEVEL);
    if (ZSTD_isError(size)) {
        rt_buf_truncate(out, start);
        return RT_NO_MEMORY;
    }
    size_t body = size + (vault->seal ? SEAL_BYTES : 0);
    memcpy(room, vault->seal ? sealed_magic : magic, sizeof magic);
    rt_put_u32be(room + 4, (uint32_t)object.size);
    rt_put_u32be(room + 8, (uint32_t)body);
    memcpy(room + 12, ret_digest->bytes, RT_DIGEST_BYTES);
    if (vault->seal)
        body = seal_frame(vault, room, room + HEAD_BYTES, size);
    rt_buf_truncate(out, start + HEAD_BYTES + body);
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
    vault->full = false;
    return RT_OK;
}

enum rt_status rt_vault_append(struct rt_vault *vault, struct rt_bytes record,
                               struct rt_vault_place *ret_place, struct rt_error *err)
{
    RT_ASSERT(!vault->read_only && record.size > HEAD_BYTES);
    if (vault->fd < 0 || vault->size >= RT_VAULT_PACK_MOST || vault->full) {
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

// Open a sealed body into its zstd frame, in place.
static enum rt_status open_frame(const struct rt_vault *vault, uint8_t *record, size_t size,
                                 uint8_t **ret_frame, size_t *ret_size)
{
    uint8_t *body = record + HEAD_BYTES, *nonce = body + RT_VAULT_KEY_ID;
    uint8_t *text = nonce + NONCE_BYTES;
    unsigned long long opened = 0;
    if (size < HEAD_BYTES + SEAL_BYTES)
        return RT_CORRUPT;
    if (!vault->key || memcmp(vault->key->id, body, RT_VAULT_KEY_ID))
        return RT_UNKNOWN_KEY;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            text, &opened, NULL, text, size - HEAD_BYTES - RT_VAULT_KEY_ID - NONCE_BYTES, record,
            HEAD_BYTES, nonce, vault->key->bytes))
        return RT_CORRUPT;
    *ret_frame = text;
    *ret_size = (size_t)opened;
    return RT_OK;
}

static enum rt_status unpack(const struct rt_vault *vault, uint8_t *record, size_t size,
                             const struct rt_digest *digest, struct rt_buf *out)
{
    struct head head;
    if (size < HEAD_BYTES || parse_head(record, &head) || head.frame_size != size - HEAD_BYTES ||
        !rt_digest_equal(&head.digest, digest))
        return RT_CORRUPT;
    uint8_t *frame = record + HEAD_BYTES;
    size_t frame_size = head.frame_size;
    enum rt_status status =
        head.sealed ? open_frame(vault, record, size, &frame, &frame_size) : RT_OK;
    if (status)
        return status;
    size_t start = out->size;
    uint8_t *room = rt_buf_extend(out, head.object_size);
    if (!room && head.object_size)
        return rt_buf_ok(out);
    size_t got = ZSTD_decompress(room, head.object_size, frame, frame_size);
    struct rt_digest found;
    if (!ZSTD_isError(got) && got == head.object_size) {
        rt_sha256(rt_bytes(room, got), &found);
        if (rt_digest_equal(&found, digest))
            return RT_OK;
    }
    rt_buf_truncate(out, start);
    return RT_CORRUPT;
}

static enum rt_status key_error(const struct rt_vault *vault, const uint8_t *record,
                                struct rt_error *err)
{
    char wanted[2 * RT_VAULT_KEY_ID + 1], have[2 * RT_VAULT_KEY_ID + 1];
    rt_hex_encode(record + HEAD_BYTES, RT_VAULT_KEY_ID, wanted);
    if (!vault->key)
        return rt_error_set(err, RT_UNKNOWN_KEY, "the transcript is encrypted under key %s, and "
                            "there is no vault.key in the keys folder", wanted);
    rt_hex_encode(vault->key->id, RT_VAULT_KEY_ID, have);
    return rt_error_set(err, RT_UNKNOWN_KEY, "the transcript is encrypted under key %s, and "
                        "vault.key in the keys folder is key %s", wanted, have);
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
        status = unpack(vault, record, place->size, digest, out);
    if (status == RT_UNKNOWN_KEY)
        key_error(vault, record, err);
    free(record);
    if (status && status != RT_UNKNOWN_KEY)
        rt_error_set(err, status, "%s/pack-%08" PRIu64 ": the record at byte %" PRIu64
                     " is not what its digest says", vault->folder, place->pack, place->offset);
    return status;
}

// ---- whole packs

static enum rt_status inspect(struct rt_vault *vault, uint64_t pack,
                              struct rt_vault_pack_info *ret_info, struct rt_error *err)
{
    int fd;
    struct stat info;
    enum rt_status status = open_pack(vault, pack, O_RDONLY, &fd, err);
    if (status)
        return status;
    *ret_info = (struct rt_vault_pack_info){.pack = pack};
    if (!fstat(fd, &info)) {
        ret_info->size_bytes = (uint64_t)info.st_size;
        ret_info->written_ms =
            (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
    }
    uint64_t at = 0;
    while (ret_info->size_bytes - at >= HEAD_BYTES) {
        uint8_t bytes[HEAD_BYTES];
        struct head head;
        if (read_at(fd, at, bytes, sizeof bytes) || parse_head(bytes, &head) ||
            head.frame_size > ret_info->size_bytes - at - HEAD_BYTES)
            break;
        ret_info->records++;
        ret_info->sealed += head.sealed;
        ret_info->object_bytes += head.object_size;
        at += HEAD_BYTES + head.frame_size;
    }
    ret_info->torn = at != ret_info->size_bytes;
    close(fd);
    return RT_OK;
}

static int by_number(const void *left, const void *right)
{
    uint64_t a = ((const struct rt_vault_pack_info *)left)->pack;
    uint64_t b = ((const struct rt_vault_pack_info *)right)->pack;
    return a < b ? -1 : a > b;
}

enum rt_status rt_vault_packs(struct rt_vault *vault, struct rt_vault_pack_info **ret_infos,
                              size_t *ret_count, struct rt_error *err)
{
    char **names;
    size_t count, found = 0;
    if (!rt_file_exists(vault->folder)) {
        *ret_infos = NULL;
        *ret_count = 0;
        return RT_OK;
    }
    enum rt_status status = rt_file_list(vault->folder, PACKS_MOST, &names, &count, err);
    if (status)
        return status;
    struct rt_vault_pack_info *infos = calloc(count ? count : 1, sizeof *infos);
    if (!infos)
        status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count && !status; i++) {
        uint64_t number;
        if (!pack_number(names[i], &number))
            continue;
        status = inspect(vault, number, &infos[found], err);
        if (status == RT_NOT_FOUND) // deleted in this very moment
            status = RT_OK;
        else
            found++;
    }
    rt_file_list_free(names, count);
    if (status) {
        free(infos);
        return status;
    }
    if (found) {
        qsort(infos, found, sizeof *infos, by_number);
        infos[found - 1].newest = !vault->full;
    }
    *ret_infos = infos;
    *ret_count = found;
    return RT_OK;
}

void rt_vault_rotate(struct rt_vault *vault)
{
    vault->full = vault->fd >= 0 && vault->size > 0;
}

enum rt_status rt_vault_delete(struct rt_vault *vault, uint64_t pack, struct rt_error *err)
{
    char path[PATH_MAX];
    RT_ASSERT(!vault->read_only);
    if (pack == vault->pack && !vault->full)
        return rt_error_set(err, RT_BUSY, "pack %" PRIu64 " is being written", pack);
    if (pack == vault->pack) {
        // Its number is not given out again: the next pack has a higher one.
        enum rt_status status = next_pack(vault, err);
        if (status)
            return status;
        rt_vault_keep(vault);
    }
    if (pack_path(vault, pack, path, sizeof path))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", vault->folder);
    if (unlink(path) && errno != ENOENT)
        return rt_error_errno(err, errno, "cannot delete %s", path);
    return sync_folder(vault, err);
}
