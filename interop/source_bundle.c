// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/note.h"
#include "common/tlog/checkpoint.h"
#include "interop/collect.h"
#include "proto/evidence.h"

// A file below the bundle's folder; every part of the path is one our own functions make.
static enum rt_status read_file(int folder, const char *path, struct rt_buf *out)
{
    struct stat facts;
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? RT_NOT_FOUND : RT_IO;
    enum rt_status status = fstat(fd, &facts) || !S_ISREG(facts.st_mode) ? RT_IO : RT_OK;
    uint8_t block[65536];
    while (!status) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = RT_IO;
        if (got <= 0)
            break;
        rt_buf_add(out, block, (size_t)got);
        status = rt_buf_ok(out);
    }
    close(fd);
    return status;
}

static enum rt_status read_leaf(void *ctx, uint64_t index, struct rt_buf *out)
{
    struct rt_bundle_source *bundle = ctx;
    uint64_t first = index / RT_TILE_WIDTH * RT_TILE_WIDTH;
    if (!bundle->has_entries || bundle->entries_first != first) {
        char path[RT_TILE_PATH_BYTES], full[RT_EVIDENCE_PATH_BYTES];
        uint64_t left = bundle->size - first;
        struct rt_tile tile = {.entries = true,
                               .index = index / RT_TILE_WIDTH,
                               .width = (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH)};
        rt_tile_path(&tile, path);
        snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
        bundle->has_entries = false;
        rt_buf_clear(&bundle->entries);
        enum rt_status status = read_file(bundle->fd, full, &bundle->entries);
        if (status)
            return status;
        bundle->has_entries = true;
        bundle->entries_first = first;
    }
    struct rt_bytes rest = rt_buf_bytes(&bundle->entries), leaf = {NULL, 0};
    for (uint64_t i = first; i <= index; i++) {
        enum rt_status status = rt_bundle_next(&rest, &leaf);
        if (status)
            return RT_CORRUPT;
    }
    rt_buf_add_bytes(out, leaf);
    return rt_buf_ok(out);
}

static enum rt_status read_object(void *ctx, const struct rt_digest *digest, struct rt_buf *out)
{
    struct rt_bundle_source *bundle = ctx;
    char path[RT_EVIDENCE_PATH_BYTES];
    rt_evidence_object_path(digest, path);
    return read_file(bundle->fd, path, out);
}

enum rt_status rt_bundle_source_open(const char *folder, struct rt_bundle_source *ret_bundle,
                                     struct rt_interop_source *ret_source, struct rt_error *err)
{
    struct rt_checkpoint checkpoint;
    struct rt_note *note = malloc(sizeof *note);
    struct rt_buf text;
    *ret_bundle = (struct rt_bundle_source){.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    rt_buf_init(&ret_bundle->entries, RT_BUNDLE_MOST);
    rt_buf_init(&text, RT_NOTE_MOST);
    enum rt_status status = note ? RT_OK : RT_NO_MEMORY;
    if (ret_bundle->fd < 0)
        status = rt_error_errno(err, errno, "%s", folder);
    if (!status)
        status = read_file(ret_bundle->fd, RT_EVIDENCE_CHECKPOINT, &text);
    if (!status)
        status = rt_note_parse(rt_buf_bytes(&text), note);
    if (!status)
        status = rt_checkpoint_parse(note->text, &checkpoint);
    if (status && ret_bundle->fd >= 0)
        rt_error_set(err, status, "%s/" RT_EVIDENCE_CHECKPOINT ": %s; is this a bundle?", folder,
                     rt_status_text(status));
    if (!status) {
        ret_bundle->size = checkpoint.size;
        *ret_source =
            (struct rt_interop_source){ret_bundle, checkpoint.size, read_leaf, read_object};
    }
    rt_buf_release(&text);
    free(note);
    return status;
}

void rt_bundle_source_close(struct rt_bundle_source *bundle)
{
    if (bundle->fd >= 0)
        close(bundle->fd);
    rt_buf_release(&bundle->entries);
}
