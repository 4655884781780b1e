// SPDX-License-Identifier: Apache-2.0
// A store in a folder of its own under /tmp, for the store's tests, with ways to damage its file.
#ifndef RT_TESTS_STORE_SHELTER_H
#define RT_TESTS_STORE_SHELTER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/store/store.h"

#define SHELTER_ORIGIN "test.example/log"

struct shelter {
    char folder[256];
    struct rt_store *store;
};

static inline void shelter_open(struct shelter *shelter, enum rt_store_mode mode)
{
    struct rt_error err = {RT_OK, ""};
    if (rt_store_open(shelter->folder, mode, SHELTER_ORIGIN, &shelter->store, &err) != RT_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

static inline void shelter_make_in(struct shelter *shelter, const char *parent)
{
    snprintf(shelter->folder, sizeof shelter->folder, "%s/rt-store-XXXXXX", parent);
    if (!mkdtemp(shelter->folder))
        abort();
    shelter_open(shelter, RT_STORE_CREATE);
}

static inline void shelter_make(struct shelter *shelter)
{
    shelter_make_in(shelter, "/tmp");
}

static inline void shelter_reopen(struct shelter *shelter)
{
    rt_store_close(shelter->store);
    shelter_open(shelter, RT_STORE_WRITE);
}

static inline void shelter_remove(struct shelter *shelter)
{
    static const char *const files[] = {"store.mdb", "store.mdb-lock", "store.lock"};
    char path[300];
    rt_store_close(shelter->store);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", shelter->folder, files[i]);
        unlink(path);
    }
    rmdir(shelter->folder);
}

static inline struct rt_digest shelter_digest(const char *text)
{
    struct rt_digest digest;
    rt_sha256(rt_bytes_str(text), &digest);
    return digest;
}

// Flip the lowest bit of byte `offset` of every place where the file has this text.
static inline bool shelter_flip(const struct shelter *shelter, const char *text, size_t offset)
{
    char path[300];
    bool found = false;
    size_t size = strlen(text);
    snprintf(path, sizeof path, "%s/store.mdb", shelter->folder);
    FILE *file = fopen(path, "r+b");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        abort();
    long end = ftell(file);
    char *bytes = malloc((size_t)end);
    rewind(file);
    if (!bytes || fread(bytes, 1, (size_t)end, file) != (size_t)end)
        abort();
    for (long i = 0; i + (long)size <= end; i++) {
        if (memcmp(bytes + i, text, size) != 0)
            continue;
        found = true;
        fseek(file, i + (long)offset, SEEK_SET);
        fputc(bytes[i + (long)offset] ^ 1, file);
    }
    fclose(file);
    free(bytes);
    return found;
}

struct shelter_cells {
    size_t count;
    struct rt_cell_key keys[64];
    struct rt_cell_sum sums[64];
};

static inline enum rt_status shelter_note_cell(void *ctx, const struct rt_cell_key *key,
                                               const struct rt_cell_sum *sum)
{
    struct shelter_cells *cells = ctx;
    if (cells->count == 64)
        return RT_TOO_LARGE;
    cells->keys[cells->count] = *key;
    cells->sums[cells->count++] = *sum;
    return RT_OK;
}

static inline void shelter_read_cells(struct shelter *shelter, uint32_t campaign,
                                      struct shelter_cells *ret_cells)
{
    struct rt_error err;
    struct rt_view *view;
    ret_cells->count = 0;
    if (rt_view_begin(shelter->store, &view, &err) != RT_OK ||
        rt_view_cells(view, campaign, shelter_note_cell, ret_cells) != RT_OK)
        abort();
    rt_view_end(view);
}

#endif
