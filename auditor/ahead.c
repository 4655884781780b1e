// SPDX-License-Identifier: Apache-2.0
#include "auditor/ahead.h"

#include <stdlib.h>

#include "common/tlog/tile.h"
#include "proto/statement.h"

#define FILES_MOST (3 * RT_STATEMENT_PAIRS_MOST) // unit, its dealing, result
#define BYTES_MOST ((size_t)96 << 10)            // of one leaf's files

struct leaf {
    struct rt_bytes bytes; // of the bundle, while it is taken
    bool proved;
    struct rt_public_key key;
    struct rt_buf text;
    size_t count;
    struct rt_ahead_file files[FILES_MOST];
};

struct rt_ahead {
    const struct rt_ahead_sources *sources;
    uint64_t first;
    size_t count; // leaves that are ready
    struct leaf leaves[RT_TILE_WIDTH];
};

struct rt_ahead *rt_ahead_new(void)
{
    struct rt_ahead *ahead = calloc(1, sizeof *ahead);
    for (size_t i = 0; ahead && i < RT_TILE_WIDTH; i++)
        rt_buf_init(&ahead->leaves[i].text, BYTES_MOST);
    return ahead;
}

void rt_ahead_free(struct rt_ahead *ahead)
{
    for (size_t i = 0; ahead && i < RT_TILE_WIDTH; i++)
        rt_buf_release(&ahead->leaves[i].text);
    free(ahead);
}

// ---- one leaf, in any thread: everything but the leaf itself is only read

static bool is_proved(const struct rt_statement *statement, const struct rt_roster *roster,
                      struct rt_public_key *ret_key)
{
    const struct rt_statement_signature *signature = &statement->signatures[0];
    const struct rt_signer *signer = roster && statement->signature_count == 1
                                         ? rt_roster_signer(roster, signature->key_id)
                                         : NULL;
    if (!signer || rt_verify(&signer->key, rt_statement_type(statement->kind), statement->body,
                             signature->bytes))
        return false;
    *ret_key = signer->key;
    return true;
}

static struct rt_bytes bytes_of(const struct leaf *leaf, const struct rt_ahead_file *file)
{
    return file->size ? rt_bytes(leaf->text.data + file->at, file->size) : rt_bytes(NULL, 0);
}

// The file just appended to the leaf's text, or NULL.
static struct rt_ahead_file *read_file(const struct rt_folder *folder, struct leaf *leaf,
                                       size_t place, struct rt_bytes *ret_bytes)
{
    size_t before = leaf->text.size;
    if (leaf->count == FILES_MOST || folder->files[place].size > BYTES_MOST - before)
        return NULL;
    if (rt_folder_read_file(folder, &folder->files[place], &leaf->text)) {
        rt_buf_truncate(&leaf->text, before);
        return NULL;
    }
    struct rt_ahead_file *file = &leaf->files[leaf->count];
    *file = (struct rt_ahead_file){.place = (uint32_t)place,
                                   .at = before,
                                   .size = (uint32_t)(leaf->text.size - before)};
    *ret_bytes = bytes_of(leaf, file);
    return file;
}

static void read_object(const struct rt_folder *folder, struct leaf *leaf,
                        const struct rt_digest *digest)
{
    char path[RT_EVIDENCE_PATH_BYTES];
    struct rt_bytes bytes;
    struct rt_digest own;
    rt_evidence_object_path(digest, path);
    const struct rt_folder_file *found = rt_folder_find(folder, path);
    if (!found || !read_file(folder, leaf, (size_t)(found - folder->files), &bytes))
        return;
    rt_sha256(bytes, &own);
    leaf->count += rt_digest_equal(&own, digest);
}

static void read_dealing(const struct rt_ahead_sources *sources, struct leaf *leaf,
                         const struct rt_digest *unit)
{
    const struct rt_digest_entry *entry = rt_digest_map_find(sources->units, unit);
    struct rt_statement statement;
    struct rt_bytes bytes;
    // One that is used already was looked at with an earlier result of the unit.
    if (!entry || sources->folder->files[entry->value].used)
        return;
    struct rt_ahead_file *file = read_file(sources->folder, leaf, (size_t)entry->value, &bytes);
    if (!file)
        return;
    leaf->count++;
    if (!rt_statement_parse(bytes, &statement, NULL))
        file->proved = is_proved(&statement, sources->roster, &file->key);
}

static void take_leaf(void *ctx, size_t item)
{
    struct rt_ahead *ahead = ctx;
    const struct rt_ahead_sources *sources = ahead->sources;
    struct leaf *leaf = &ahead->leaves[item];
    struct rt_statement statement;
    leaf->proved = false;
    leaf->count = 0;
    rt_buf_clear(&leaf->text);
    if (rt_statement_parse(leaf->bytes, &statement, NULL))
        return;
    leaf->proved = is_proved(&statement, sources->roster, &leaf->key);
    if (!leaf->proved || statement.kind != RT_STATEMENT_RESULT)
        return;
    for (size_t i = 0; i < statement.pair_count; i++) {
        read_object(sources->folder, leaf, &statement.pairs[i].unit);
        read_dealing(sources, leaf, &statement.pairs[i].unit);
        read_object(sources->folder, leaf, &statement.pairs[i].result);
    }
}

// ---- the owner's side

void rt_ahead_take(struct rt_ahead *ahead, const struct rt_ahead_sources *sources, uint64_t first,
                   struct rt_bytes bundle)
{
    size_t count = 0;
    ahead->count = 0;
    while (count < RT_TILE_WIDTH && !rt_bundle_next(&bundle, &ahead->leaves[count].bytes))
        count++;
    ahead->first = first;
    ahead->count = count;
    rt_ahead_again(ahead, sources);
}

void rt_ahead_again(struct rt_ahead *ahead, const struct rt_ahead_sources *sources)
{
    ahead->sources = sources;
    rt_pool_run(sources->pool, ahead->count, take_leaf, ahead);
    ahead->sources = NULL;
}

void rt_ahead_end(struct rt_ahead *ahead)
{
    ahead->count = 0;
}

static const struct leaf *leaf_of(const struct rt_ahead *ahead, uint64_t index)
{
    return ahead && index >= ahead->first && index - ahead->first < ahead->count
               ? &ahead->leaves[index - ahead->first]
               : NULL;
}

const struct rt_public_key *rt_ahead_key(const struct rt_ahead *ahead, uint64_t index)
{
    const struct leaf *leaf = leaf_of(ahead, index);
    return leaf && leaf->proved ? &leaf->key : NULL;
}

const struct rt_ahead_file *rt_ahead_find(const struct rt_ahead *ahead, uint64_t index,
                                          size_t place, struct rt_bytes *ret_bytes)
{
    const struct leaf *leaf = leaf_of(ahead, index);
    for (size_t i = 0; leaf && i < leaf->count; i++)
        if (leaf->files[i].place == place) {
            *ret_bytes = bytes_of(leaf, &leaf->files[i]);
            return &leaf->files[i];
        }
    return NULL;
}
