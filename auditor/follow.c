// SPDX-License-Identifier: Apache-2.0
#include "auditor/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/time.h"

static const struct {
    const char *word, *says;
} table[] = {
#define X(NAME, word, says) {word, says},
    RT_FOLLOW_TABLE(X)
#undef X
};

const char *rt_follow_word(enum rt_follow_verdict verdict)
{
    return table[verdict].word;
}

void rt_seen_init(struct rt_seen *seen)
{
    *seen = (struct rt_seen){.checkpoint = {.size = 0}};
    rt_buf_init(&seen->note, RT_FOLLOW_NOTE_MOST);
}

void rt_seen_release(struct rt_seen *seen)
{
    rt_buf_release(&seen->note);
}

enum rt_status rt_seen_take(struct rt_seen *seen, struct rt_bytes note, const struct rt_vkey *log)
{
    enum rt_status status = rt_checkpoint_open(note, log, &seen->checkpoint);
    if (status)
        return status;
    rt_buf_clear(&seen->note);
    rt_buf_add_bytes(&seen->note, note);
    return rt_buf_ok(&seen->note);
}

// The root at the smaller size, and the proof of it, from tiles that hash to the larger root.
static enum rt_status prove(struct rt_follow *follow, rt_tile_get_fn *get, void *ctx)
{
    const struct rt_checkpoint *small = &follow->smaller->checkpoint,
                               *large = &follow->larger->checkpoint;
    struct rt_tile_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return RT_NO_MEMORY;
    struct rt_tree tree;
    rt_tile_reader_init(reader, large->size, get, ctx);
    enum rt_status status = rt_tree_load(&tree, small->size, rt_tile_reader_read, reader);
    if (!status)
        status = rt_tree_consistency(small->size, large->size, rt_tile_reader_read, reader,
                                     &follow->proof);
    if (!status) {
        rt_tree_root(&tree, &follow->root);
        status = rt_tree_verify_consistency(small->size, large->size, follow->proof.hashes,
                                            follow->proof.count, &follow->root, &large->root);
    }
    free(reader);
    follow->has_root = status == RT_OK;
    return status;
}

enum rt_status rt_follow_judge(const struct rt_seen *old, const struct rt_seen *now,
                               rt_tile_get_fn *get, void *ctx, struct rt_follow *ret_follow)
{
    *ret_follow = (struct rt_follow){.verdict = RT_FOLLOW_FIRST, .smaller = now, .larger = now};
    if (!old || old->checkpoint.size == 0)
        return RT_OK;
    bool back = now->checkpoint.size < old->checkpoint.size;
    ret_follow->smaller = back ? now : old;
    ret_follow->larger = back ? old : now;
    if (now->checkpoint.size == old->checkpoint.size) {
        bool same = rt_digest_equal(&now->checkpoint.root, &old->checkpoint.root);
        ret_follow->verdict = same ? RT_FOLLOW_SAME : RT_FOLLOW_FORKED;
        return RT_OK;
    }
    enum rt_status status = RT_OK;
    if (ret_follow->smaller->checkpoint.size)
        status = prove(ret_follow, get, ctx);
    bool contained =
        !ret_follow->smaller->checkpoint.size ||
        (ret_follow->has_root &&
         rt_digest_equal(&ret_follow->root, &ret_follow->smaller->checkpoint.root));
    ret_follow->verdict = back ? RT_FOLLOW_ROLLED_BACK : RT_FOLLOW_GROWN;
    if (!status && !contained)
        ret_follow->verdict = RT_FOLLOW_FORKED;
    // A smaller log is a rollback whether its tiles can still be had or not.
    return back ? RT_OK : status;
}

static void add_digest(struct rt_buf *out, const struct rt_digest *digest)
{
    rt_base64_add(out, digest->bytes, sizeof digest->bytes);
    rt_buf_add_u8(out, '\n');
}

void rt_follow_evidence(const struct rt_follow *follow, const char *from, struct rt_buf *out)
{
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(rt_time_wall_ms(), stamp);
    rt_buf_printf(out,
                  "ringtrial evidence/v1\n%s: %s\norigin %s\nserved by %s\nfound %s\n\n"
                  "==== checkpoint of %" PRIu64 " leaves\n",
                  table[follow->verdict].word, table[follow->verdict].says,
                  follow->smaller->checkpoint.origin, from, stamp,
                  follow->smaller->checkpoint.size);
    rt_buf_add_bytes(out, rt_buf_bytes(&follow->smaller->note));
    rt_buf_printf(out, "==== checkpoint of %" PRIu64 " leaves\n", follow->larger->checkpoint.size);
    rt_buf_add_bytes(out, rt_buf_bytes(&follow->larger->note));
    if (!follow->has_root)
        return;
    rt_buf_printf(out, "==== root of the first %" PRIu64 " leaves of the second\n",
                  follow->smaller->checkpoint.size);
    add_digest(out, &follow->root);
    rt_buf_add_str(out, "==== RFC 6962 consistency proof from that root to the second\n");
    for (size_t i = 0; i < follow->proof.count; i++)
        add_digest(out, &follow->proof.hashes[i]);
}

enum rt_status rt_follow_keep(const struct rt_follow *follow, const char *from, const char *folder,
                              char *ret_path, size_t capacity, struct rt_error *err)
{
    char path[4096], roots[17], origin[17];
    struct rt_digest hash;
    struct rt_buf text;
    rt_sha256(rt_bytes_str(follow->smaller->checkpoint.origin), &hash);
    rt_hex_encode(hash.bytes, 8, origin);
    rt_hex_encode(follow->smaller->checkpoint.root.bytes, 4, roots);
    rt_hex_encode(follow->larger->checkpoint.root.bytes, 4, roots + 8);
    if ((size_t)snprintf(path, sizeof path, "%s/%s-%s-%" PRIu64 "-%" PRIu64 "-%s.txt", folder,
                         table[follow->verdict].word, origin, follow->smaller->checkpoint.size,
                         follow->larger->checkpoint.size, roots) >= sizeof path)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    rt_buf_init(&text, 4 * RT_FOLLOW_NOTE_MOST);
    rt_follow_evidence(follow, from, &text);
    enum rt_status status = rt_buf_ok(&text);
    if (status)
        rt_error_set(err, status, "writing down what was found");
    if (!status)
        status = rt_file_mkdir(folder, 0755, err);
    if (!status)
        status = rt_file_create(path, rt_buf_bytes(&text), 0644, err);
    if (status == RT_EXISTS)
        status = RT_OK;
    if (!status && ret_path)
        snprintf(ret_path, capacity, "%s", path);
    rt_buf_release(&text);
    return status;
}
