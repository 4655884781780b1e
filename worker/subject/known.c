// SPDX-License-Identifier: Apache-2.0
#include "worker/subject/known.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"

static bool digest_of(const json_t *json, const char *name, struct rt_digest *ret_digest)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text && rt_digest_parse(rt_bytes_str(text), ret_digest) == RT_OK;
}

static bool read_json(const json_t *json, struct rt_exec_known *known)
{
    const char *determinism = json_string_value(json_object_get(json, "determinism"));
    const json_t *context = json_object_get(json, "context");
    const json_t *p = json_object_get(json, "reference_p_micro");
    if (!determinism || strlen(determinism) >= sizeof known->determinism ||
        !digest_of(json, "identity", &known->identity) || !json_is_integer(context) ||
        json_integer_value(context) < 0 || !json_is_boolean(json_object_get(json, "behavioural")))
        return false;
    memcpy(known->determinism, determinism, strlen(determinism) + 1);
    known->context = (uint64_t)json_integer_value(context);
    known->behavioural = json_is_true(json_object_get(json, "behavioural"));
    if (!json_object_get(json, "reference"))
        return !known->behavioural;
    known->has_reference = true;
    if (!digest_of(json, "reference", &known->reference) || !json_is_integer(p) ||
        json_integer_value(p) < 0 || json_integer_value(p) > 1000000)
        return false;
    known->reference_p_micro = (uint64_t)json_integer_value(p);
    return true;
}

enum rt_status rt_known_parse(struct rt_bytes text, struct rt_exec_known *ret_known,
                              struct rt_error *err)
{
    json_t *json = NULL;
    struct rt_exec_known known = {0};
    if (text.size > RT_KNOWN_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "a probe's record is at most 64 KiB");
    enum rt_status status = rt_json_parse(text, &json, err);
    if (!status && !read_json(json, &known))
        status = rt_error_set(err, RT_MALFORMED, "not a probe's record");
    json_decref(json);
    if (!status)
        *ret_known = known;
    return status;
}

enum rt_status rt_known_write(const struct rt_exec_known *known, struct rt_buf *out)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&known->identity, digest);
    json_t *json = json_pack("{s:s, s:s, s:I, s:b}", "identity", digest, "determinism",
                             known->determinism, "context", (json_int_t)known->context,
                             "behavioural", known->behavioural ? 1 : 0);
    if (json && known->has_reference) {
        rt_digest_format(&known->reference, digest);
        json_object_set_new(json, "reference", json_string(digest));
        json_object_set_new(json, "reference_p_micro",
                            json_integer((json_int_t)known->reference_p_micro));
    }
    enum rt_status status = json ? rt_json_write_pretty(json, out) : RT_NO_MEMORY;
    json_decref(json);
    return status;
}

static enum rt_status place(const char *state, const char *subject, char ret_folder[PATH_MAX],
                            char ret_path[PATH_MAX], struct rt_error *err)
{
    char name[RT_ID_BYTES + 8];
    snprintf(name, sizeof name, "%s.json", subject);
    if (rt_path_join(ret_folder, PATH_MAX, state, "probes") ||
        rt_path_join(ret_path, PATH_MAX, ret_folder, name))
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", state);
    return RT_OK;
}

bool rt_known_load(const char *state, const char *subject, struct rt_exec_known *ret_known)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct rt_error err;
    struct rt_buf text;
    rt_buf_init(&text, RT_KNOWN_MOST);
    bool found = place(state, subject, folder, path, &err) == RT_OK && rt_file_exists(path) &&
                 rt_file_read(path, &text, &err) == RT_OK &&
                 rt_known_parse(rt_buf_bytes(&text), ret_known, &err) == RT_OK;
    rt_buf_release(&text);
    return found;
}

enum rt_status rt_known_save(const char *state, const char *subject,
                             const struct rt_exec_known *known, struct rt_error *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct rt_buf text;
    rt_buf_init(&text, RT_KNOWN_MOST);
    enum rt_status status = place(state, subject, folder, path, err);
    if (!status)
        status = rt_file_mkdir(folder, 0700, err);
    if (!status && (status = rt_known_write(known, &text)))
        rt_error_set(err, status, "the probe's record cannot be written");
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&text), 0600, err);
    rt_buf_release(&text);
    return status;
}
