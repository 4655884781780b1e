// SPDX-License-Identifier: Apache-2.0
#include "auditor/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "auditor/log_key.h"
#include "common/base/file.h"

#define PATH_BYTES 4096

static enum rt_status make_key(struct rt_witness *witness, const char *key_path,
                               const char *vkey_path, const char *name, struct rt_error *err)
{
    char text[RT_VKEY_TEXT_BYTES], line[RT_VKEY_TEXT_BYTES + 1];
    if (rt_secret_key_generate(&witness->key))
        return rt_error_set(err, RT_IO, "cannot make a key");
    if (rt_vkey_make(name, RT_NOTE_COSIGNATURE, rt_secret_key_public(witness->key),
                     &witness->own))
        return rt_error_set(err, RT_MALFORMED,
                            "'%s' cannot be a witness' name; use letters, digits, '.', '-' and '/'",
                            name);
    rt_vkey_format(&witness->own, text);
    snprintf(line, sizeof line, "%s\n", text);
    enum rt_status status = rt_secret_key_save(key_path, witness->key, NULL, err);
    return status ? status : rt_file_write(vkey_path, rt_bytes_str(line), 0644, err);
}

static enum rt_status load_key(struct rt_witness *witness, const char *key_path,
                               const char *vkey_path, const char *name, struct rt_error *err)
{
    enum rt_status status = rt_file_check_private(key_path, err);
    if (!status)
        status = rt_secret_key_load(key_path, NULL, &witness->key, err);
    if (!status)
        status = rt_log_key_read(vkey_path, &witness->own, err);
    if (!status && (witness->own.type != RT_NOTE_COSIGNATURE ||
                    !rt_public_key_equal(&witness->own.key, rt_secret_key_public(witness->key))))
        status = rt_error_set(err, RT_CONFLICT, "%s is not the key of %s", vkey_path, key_path);
    if (!status && name && strcmp(name, witness->own.name) != 0)
        status = rt_error_set(err, RT_CONFLICT, "%s is of the witness %s", witness->folder,
                              witness->own.name);
    return status;
}

enum rt_status rt_witness_open(struct rt_witness *witness, const char *folder, const char *name,
                               struct rt_error *err)
{
    char key[PATH_BYTES], vkey[PATH_BYTES];
    *witness = (struct rt_witness){.folder = folder, .lock = -1};
    if (rt_path_join(key, sizeof key, folder, "witness.key") ||
        rt_path_join(vkey, sizeof vkey, folder, "witness.vkey"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    enum rt_status status = rt_file_mkdir(folder, 0755, err);
    if (status)
        return status;
    witness->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (witness->lock < 0)
        return rt_error_set(err, RT_IO, "%s: cannot be opened", folder);
    flock(witness->lock, LOCK_EX); // two that start at once make one key
    if (rt_file_exists(key))
        status = load_key(witness, key, vkey, name, err);
    else if (name)
        status = make_key(witness, key, vkey, name, err);
    else
        status = rt_error_set(err, RT_NOT_FOUND,
                              "%s has no witness' key; give --name to make one", folder);
    flock(witness->lock, LOCK_UN);
    return status;
}

void rt_witness_release(struct rt_witness *witness)
{
    rt_secret_key_free(witness->key);
    if (witness->lock >= 0)
        close(witness->lock);
}

void rt_witness_memory(const struct rt_witness *witness, const char *origin, char *ret_path,
                       size_t capacity)
{
    struct rt_digest hash;
    char hex[2 * RT_DIGEST_BYTES + 1];
    rt_sha256(rt_bytes_str(origin), &hash);
    rt_hex_encode(hash.bytes, sizeof hash.bytes, hex);
    snprintf(ret_path, capacity, "%s/%s.checkpoint", witness->folder, hex);
}

// The log's own lines and ours, whoever else has signed.
static enum rt_status write_note(struct rt_witness *witness, struct rt_bytes bytes,
                                 const char *origin, uint64_t time_s, struct rt_buf *out)
{
    struct rt_note *note = calloc(1, sizeof *note);
    uint8_t line[RT_NOTE_ID_BYTES + 72];
    if (!note)
        return RT_NO_MEMORY;
    enum rt_status status = rt_note_parse(bytes, note);
    if (!status) {
        rt_buf_add_bytes(out, note->text);
        rt_buf_add_u8(out, '\n');
    }
    for (size_t i = 0; !status && i < note->count; i++) {
        const struct rt_note_line *from = &note->lines[i];
        if (!rt_bytes_equal_str(from->name, origin) || from->signature_size > 72)
            continue;
        memcpy(line, from->id, RT_NOTE_ID_BYTES);
        memcpy(line + RT_NOTE_ID_BYTES, from->signature, from->signature_size);
        rt_buf_printf(out, "\xe2\x80\x94 %s ", origin);
        rt_base64_add(out, line, RT_NOTE_ID_BYTES + from->signature_size);
        rt_buf_add_u8(out, '\n');
    }
    if (!status)
        status = rt_note_cosign(witness->key, witness->own.name, time_s, note->text, out);
    free(note);
    return status ? status : rt_buf_ok(out);
}

static enum rt_status recall(struct rt_seen *old, const char *path, const struct rt_vkey *log,
                             bool *ret_any, struct rt_error *err)
{
    struct rt_buf note;
    *ret_any = rt_file_exists(path);
    if (!*ret_any)
        return RT_OK;
    rt_buf_init(&note, RT_FOLLOW_NOTE_MOST);
    enum rt_status status = rt_file_read(path, &note, err);
    if (!status && (status = rt_seen_take(old, rt_buf_bytes(&note), log)))
        rt_error_set(err, RT_CORRUPT, "%s: what was remembered does not hold; nothing is signed",
                     path);
    rt_buf_release(&note);
    return status;
}

// Under the lock: compare, sign, put on disk.
static enum rt_status compare_and_persist(struct rt_witness *witness, const struct rt_vkey *log,
                                          const struct rt_seen *now, rt_tile_get_fn *get,
                                          void *ctx, uint64_t time_s, struct rt_seen *old,
                                          struct rt_follow *follow, struct rt_buf *out,
                                          struct rt_error *err)
{
    char path[PATH_BYTES];
    bool any;
    rt_witness_memory(witness, log->name, path, sizeof path);
    enum rt_status status = recall(old, path, log, &any, err);
    if (status)
        return status;
    status = rt_follow_judge(any ? old : NULL, now, get, ctx, follow);
    if (status)
        return rt_error_set(err, status == RT_BAD_PROOF ? RT_CORRUPT : status,
                            "the tiles of %s are not those of its checkpoint", log->name);
    if (follow->verdict == RT_FOLLOW_ROLLED_BACK || follow->verdict == RT_FOLLOW_FORKED)
        return RT_CHECK_FAILED;
    status = write_note(witness, rt_buf_bytes(&now->note), log->name, time_s, out);
    if (status)
        return rt_error_set(err, status, "cosigning");
    return rt_file_write(path, rt_buf_bytes(out), 0644, err);
}

enum rt_status rt_witness_cosign(struct rt_witness *witness, const struct rt_vkey *log,
                                 struct rt_bytes note, rt_tile_get_fn *get, void *ctx,
                                 const char *from, uint64_t time_s,
                                 enum rt_follow_verdict *ret_verdict, struct rt_buf *out,
                                 char *ret_evidence, size_t capacity, struct rt_error *err)
{
    struct rt_seen old, now;
    struct rt_follow follow = {.verdict = RT_FOLLOW_FIRST};
    char folder[PATH_BYTES];
    rt_seen_init(&old);
    rt_seen_init(&now);
    enum rt_status status = rt_seen_take(&now, note, log);
    if (status)
        rt_error_set(err, status, "%s: the checkpoint is not one of %s: %s", from, log->name,
                     rt_status_text(status));
    while (!status && flock(witness->lock, LOCK_EX))
        status = errno == EINTR ? RT_OK : rt_error_set(err, RT_IO, "%s: locking", witness->folder);
    if (!status) {
        status = compare_and_persist(witness, log, &now, get, ctx, time_s, &old, &follow, out, err);
        flock(witness->lock, LOCK_UN);
    }
    if (status == RT_CHECK_FAILED) {
        snprintf(folder, sizeof folder, "%s/evidence", witness->folder);
        enum rt_status kept =
            rt_follow_keep(&follow, from, folder, ret_evidence, capacity, err);
        status = kept ? kept : status;
    }
    *ret_verdict = follow.verdict;
    rt_seen_release(&old);
    rt_seen_release(&now);
    return status;
}
