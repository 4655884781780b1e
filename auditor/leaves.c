// SPDX-License-Identifier: Apache-2.0
#include "auditor/leaves.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/tlog/tile.h"

enum rt_status rt_leaves_open(const char *path, struct rt_leaves *ret_leaves, struct rt_error *err)
{
    struct rt_checks ignored; // what else lies there is verify's concern
    *ret_leaves = (struct rt_leaves){.folder = {.fd = -1}};
    rt_buf_init(&ret_leaves->bundle, RT_BUNDLE_MOST);
    rt_checks_init(&ignored);
    struct rt_note *note = malloc(sizeof *note);
    enum rt_status status = note ? rt_folder_open(path, &ignored, &ret_leaves->folder, err)
                                 : rt_error_set(err, RT_NO_MEMORY, "%s", path);
    if (!status) {
        status = rt_folder_read(&ret_leaves->folder, RT_EVIDENCE_CHECKPOINT, &ret_leaves->bundle);
        if (!status)
            status = rt_note_parse(rt_buf_bytes(&ret_leaves->bundle), note);
        if (!status)
            status = rt_checkpoint_parse(note->text, &ret_leaves->checkpoint);
        if (status)
            rt_error_set(err, status, "%s/" RT_EVIDENCE_CHECKPOINT ": %s", path,
                         rt_status_text(status));
    }
    free(note);
    return status;
}

void rt_leaves_release(struct rt_leaves *leaves)
{
    rt_folder_close(&leaves->folder);
    rt_buf_release(&leaves->bundle);
}

static enum rt_status read_entries(struct rt_leaves *leaves, struct rt_error *err)
{
    char path[RT_TILE_PATH_BYTES], full[RT_EVIDENCE_PATH_BYTES];
    uint64_t left = leaves->checkpoint.size - leaves->next;
    struct rt_tile tile = {.entries = true,
                           .index = leaves->next / RT_TILE_WIDTH,
                           .width = (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH)};
    rt_tile_path(&tile, path);
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    rt_buf_clear(&leaves->bundle);
    enum rt_status status = rt_folder_read(&leaves->folder, full, &leaves->bundle);
    leaves->rest = rt_buf_bytes(&leaves->bundle);
    // A tile that is not there is not the end of the log.
    return status ? rt_error_set(err, status == RT_NOT_FOUND ? RT_CORRUPT : status, "%s: %s", full,
                                 rt_status_text(status))
                  : RT_OK;
}

enum rt_status rt_leaves_next(struct rt_leaves *leaves, struct rt_bytes *ret_leaf,
                              struct rt_error *err)
{
    if (leaves->next == leaves->checkpoint.size)
        return RT_NOT_FOUND;
    if (leaves->next % RT_TILE_WIDTH == 0) {
        enum rt_status status = read_entries(leaves, err);
        if (status)
            return status;
    }
    if (rt_bundle_next(&leaves->rest, ret_leaf))
        return rt_error_set(err, RT_CORRUPT, "log index %" PRIu64 ": its tile is cut short",
                            leaves->next);
    leaves->next++;
    return RT_OK;
}

void rt_leaf_show(const char *indent, struct rt_bytes leaf)
{
    bool fresh = true;
    for (size_t i = 0; i < leaf.size; i++) {
        uint8_t byte = leaf.data[i];
        if (fresh)
            fputs(indent, stdout);
        fresh = byte == '\n';
        putchar(byte == '\n' || (byte >= 0x20 && byte != 0x7f) ? byte : '?');
    }
}
