// SPDX-License-Identifier: Apache-2.0
#include "worker/subject/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"

#define TEMPLATE_MOST ((size_t)16 << 20)

struct rt_weights_check {
    struct rt_manifest_scan *scan;
    const struct rt_lab_subject *subject;
    const char *state;
};

enum rt_status rt_weights_place(const char *state, const char *name, char *ret_path,
                                struct rt_error *err)
{
    char folder[PATH_MAX];
    if (rt_path_join(folder, sizeof folder, state, "weights") ||
        rt_path_join(ret_path, PATH_MAX, folder, name))
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", state);
    return rt_file_mkdir(folder, 0700, err);
}

enum rt_status rt_weights_keep(const char *state, const struct rt_manifest *manifest,
                               struct rt_digest *ret_digest, struct rt_error *err)
{
    char path[PATH_MAX], name[2 * RT_DIGEST_BYTES + 1];
    struct rt_buf text;
    rt_buf_init(&text, RT_MANIFEST_MOST);
    enum rt_status status = rt_manifest_write(manifest, &text);
    if (status)
        rt_error_set(err, status, "the manifest cannot be written: a name among the files has "
                                  "characters that no list should have");
    if (!status) {
        rt_sha256(rt_buf_bytes(&text), ret_digest);
        rt_hex_encode(ret_digest->bytes, RT_DIGEST_BYTES, name);
        status = rt_weights_place(state, name, path, err);
    }
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&text), 0600, err);
    rt_buf_release(&text);
    return status;
}

enum rt_status rt_weights_begin(const struct rt_home *home, const struct rt_lab_subject *subject,
                                struct rt_weights_check **ret_check, struct rt_error *err)
{
    char folder[PATH_MAX], cache[PATH_MAX], name[RT_ID_BYTES + 8];
    if (!subject->has_weights || !*subject->weights_dir)
        return rt_error_set(err, RT_NOT_FOUND, "subject %s: worker.yaml names no weights",
                            subject->id);
    struct rt_weights_check *check = calloc(1, sizeof *check);
    if (!check)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    check->subject = subject;
    check->state = home->state;
    snprintf(name, sizeof name, "%s.cache", subject->id);
    enum rt_status status = rt_home_path(home->folder, subject->weights_dir, folder, err);
    if (!status)
        status = rt_weights_place(home->state, name, cache, err);
    if (!status)
        status = rt_manifest_begin(folder, subject->weights_files, subject->weights_file_count,
                                   cache, &check->scan, err);
    if (status) {
        rt_weights_free(check);
        return rt_error_wrap(err, "subject %s: weights", subject->id);
    }
    *ret_check = check;
    return RT_OK;
}

// The manifest that worker.yaml names, if it was kept, says what is different.
static void find_difference(const struct rt_weights_check *check, const struct rt_manifest *have,
                            char *ret_text, size_t size)
{
    char path[PATH_MAX], name[2 * RT_DIGEST_BYTES + 1];
    struct rt_error err;
    struct rt_arena arena;
    struct rt_buf text;
    struct rt_manifest want;
    rt_arena_init(&arena, 2 * RT_MANIFEST_MOST);
    rt_buf_init(&text, RT_MANIFEST_MOST);
    rt_hex_encode(check->subject->weights.bytes, RT_DIGEST_BYTES, name);
    snprintf(ret_text, size, "their manifest is another");
    if (rt_weights_place(check->state, name, path, &err) == RT_OK && rt_file_exists(path) &&
        rt_file_read(path, &text, &err) == RT_OK &&
        rt_manifest_read(rt_buf_bytes(&text), &arena, &want, &err) == RT_OK)
        rt_manifest_difference(&want, have, ret_text, size);
    rt_buf_release(&text);
    rt_arena_release(&arena);
}

enum rt_status rt_weights_step(struct rt_weights_check *check, int64_t budget_ms,
                               struct rt_error *err)
{
    char text[RT_MANIFEST_PATH_MOST + 80], digest[RT_DIGEST_TEXT_BYTES];
    struct rt_manifest have;
    struct rt_digest found;
    struct rt_buf list;
    const char *id = check->subject->id;
    enum rt_status status = rt_manifest_step(check->scan, budget_ms, err);
    if (status == RT_AGAIN)
        return status;
    if (status)
        return rt_error_wrap(err, "subject %s: weights", id);
    rt_manifest_result(check->scan, &have);
    rt_buf_init(&list, RT_MANIFEST_MOST);
    status = rt_manifest_write(&have, &list);
    rt_sha256(rt_buf_bytes(&list), &found);
    rt_buf_release(&list);
    if (status)
        return rt_error_set(err, status, "subject %s: weights: a file's name cannot be listed", id);
    if (rt_digest_equal(&found, &check->subject->weights))
        return RT_OK;
    find_difference(check, &have, text, sizeof text);
    rt_digest_format(&found, digest);
    return rt_error_set(err, RT_CONFLICT,
                        "subject %s: the weights in %s are not those of worker.yaml: %s. Put the "
                        "files back, or write `manifest: %s` if the change is meant",
                        id, check->subject->weights_dir, text, digest);
}

void rt_weights_progress(const struct rt_weights_check *check,
                         struct rt_manifest_progress *ret_progress)
{
    rt_manifest_progress(check->scan, ret_progress);
}

void rt_weights_free(struct rt_weights_check *check)
{
    if (!check)
        return;
    rt_manifest_scan_free(check->scan);
    free(check);
}

// ---- the chat template

static bool digest_file(const char *folder, const char *name, const char *member,
                        struct rt_digest *ret_digest)
{
    char path[PATH_MAX];
    struct rt_error err;
    struct rt_buf text;
    json_t *json = NULL;
    bool found = false;
    rt_buf_init(&text, TEMPLATE_MOST);
    if (rt_path_join(path, sizeof path, folder, name) == RT_OK && rt_file_exists(path) &&
        rt_file_read(path, &text, &err) == RT_OK) {
        struct rt_bytes bytes = rt_buf_bytes(&text);
        found = !member;
        if (member && rt_json_parse(bytes, &json, &err) == RT_OK) {
            // Newer tokenizers list several templates by name; that list is the template then.
            json_t *value = json_object_get(json, member);
            struct rt_buf canonical;
            rt_buf_init(&canonical, TEMPLATE_MOST);
            if (json_is_string(value)) {
                rt_sha256(rt_bytes(json_string_value(value), json_string_length(value)),
                          ret_digest);
                found = true;
            } else if (json_is_array(value) && rt_json_write(value, &canonical) == RT_OK) {
                rt_sha256(rt_buf_bytes(&canonical), ret_digest);
                found = true;
            }
            rt_buf_release(&canonical);
        } else if (found) {
            rt_sha256(bytes, ret_digest);
        }
    }
    json_decref(json);
    rt_buf_release(&text);
    return found;
}

bool rt_weights_template(const char *folder, struct rt_digest *ret_digest)
{
    return digest_file(folder, "chat_template.jinja", NULL, ret_digest) ||
           digest_file(folder, "chat_template.json", "chat_template", ret_digest) ||
           digest_file(folder, "tokenizer_config.json", "chat_template", ret_digest);
}
