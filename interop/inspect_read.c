// SPDX-License-Identifier: Apache-2.0
#include "interop/inspect_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "interop/zip.h"

#define ATTACHMENT  "attachment://"
#define DEPTH_MOST  64
#define PLACE_BYTES 700

// ---- JSON as Python writes it

// Length of a bare non-finite number at text, or 0.
static size_t not_finite(const char *text, size_t left)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i]);
        if (left >= size && memcmp(text, words[i], size) == 0)
            return size;
    }
    return 0;
}

// Writes null over every bare NaN and Infinity outside strings. The words are never shorter than
// "null" but NaN is, so the text is copied where there is one.
static enum rt_status tame(struct rt_bytes text, struct rt_buf *out)
{
    const char *data = (const char *)text.data;
    bool quoted = false;
    size_t from = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (quoted) {
            if (data[i] == '\\')
                i++;
            else
                quoted = data[i] != '"';
            continue;
        }
        quoted = data[i] == '"';
        size_t size = data[i] == 'N' || data[i] == 'I' || data[i] == '-'
                          ? not_finite(data + i, text.size - i)
                          : 0;
        if (!size)
            continue;
        rt_buf_add(out, data + from, i - from);
        rt_buf_add_str(out, "null");
        i += size - 1;
        from = i + 1;
    }
    if (from)
        rt_buf_add(out, data + from, text.size - from);
    return rt_buf_ok(out);
}

enum rt_status rt_inspect_parse(const char *name, struct rt_bytes text, json_t **ret_json,
                                struct rt_error *err)
{
    struct rt_buf tamed;
    rt_buf_init(&tamed, RT_INSPECT_FILE_MOST + 4096);
    enum rt_status status = tame(text, &tamed);
    if (status)
        rt_error_set(err, status, "%s", rt_status_text(status));
    if (!status)
        status = rt_json_parse(tamed.size ? rt_buf_bytes(&tamed) : text, ret_json, err);
    rt_buf_release(&tamed);
    if (status)
        rt_error_wrap(err, "%s", name);
    return status;
}

// ---- attachments

// Replaces "attachment://HASH" by the sample's text of that name, in place.
static enum rt_status resolve(json_t *json, const json_t *attachments, unsigned depth)
{
    const char *key;
    void *next;
    json_t *value;
    size_t i;
    enum rt_status status = RT_OK;
    if (depth > DEPTH_MOST)
        return RT_MALFORMED;
    if (json_is_array(json)) {
        json_array_foreach(json, i, value)
        {
            const char *text = json_string_value(value);
            json_t *with = text && !strncmp(text, ATTACHMENT, strlen(ATTACHMENT))
                               ? json_object_get(attachments, text + strlen(ATTACHMENT))
                               : NULL;
            if (with)
                json_array_set(json, i, with);
            else if (!status)
                status = resolve(value, attachments, depth + 1);
        }
    }
    json_object_foreach_safe(json, next, key, value)
    {
        const char *text = json_string_value(value);
        json_t *with = text && !strncmp(text, ATTACHMENT, strlen(ATTACHMENT))
                           ? json_object_get(attachments, text + strlen(ATTACHMENT))
                           : NULL;
        if (with)
            json_object_set(json, key, with);
        else if (!status)
            status = resolve(value, attachments, depth + 1);
    }
    return status;
}

static enum rt_status visit_one(json_t *sample, const json_t *header, const char *place,
                                rt_inspect_sample_fn *visit, void *ctx, struct rt_error *err)
{
    if (!json_is_object(sample))
        return rt_error_set(err, RT_MALFORMED, "%s: a sample is not an object", place);
    json_t *attachments = json_incref(json_object_get(sample, "attachments"));
    enum rt_status status = RT_OK;
    if (json_object_size(attachments)) {
        json_object_del(sample, "attachments");
        if ((status = resolve(sample, attachments, 0)))
            rt_error_set(err, status, "%s: nested too deeply", place);
    }
    json_decref(attachments);
    return status ? status : visit(ctx, header, sample, place, err);
}

// ---- the two containers

static enum rt_status check_version(const char *name, const json_t *header, struct rt_error *err)
{
    json_t *version = json_object_get(header, "version");
    if (!json_is_object(header) || !json_is_object(json_object_get(header, "eval")))
        return rt_error_set(err, RT_MALFORMED, "%s: this is not an Inspect log (no `eval`)", name);
    if (version && json_integer_value(version) > 2)
        return rt_error_set(err, RT_UNSUPPORTED, "%s: log version %lld; versions to 2 are read",
                            name, (long long)json_integer_value(version));
    return RT_OK;
}

static enum rt_status read_json(const char *name, struct rt_bytes bytes,
                                rt_inspect_sample_fn *visit, void *ctx, struct rt_error *err)
{
    json_t *log = NULL;
    char place[PLACE_BYTES];
    enum rt_status status = rt_inspect_parse(name, bytes, &log, err);
    if (status)
        return status;
    status = check_version(name, log, err);
    json_t *samples = json_incref(json_object_get(log, "samples"));
    json_object_del(log, "samples");
    if (!status && json_array_size(samples) > RT_INSPECT_SAMPLES_MOST)
        status = rt_error_set(err, RT_TOO_LARGE, "%s: more than %zu samples", name,
                              RT_INSPECT_SAMPLES_MOST);
    for (size_t i = 0; i < json_array_size(samples) && !status; i++) {
        snprintf(place, sizeof place, "%.512s: sample %zu", name, i + 1);
        status = visit_one(json_array_get(samples, i), log, place, visit, ctx, err);
    }
    json_decref(samples);
    json_decref(log);
    return status;
}

static enum rt_status read_member(struct rt_zip_reader *zip, const char *name, size_t i,
                                  json_t **ret_json, struct rt_error *err)
{
    char place[PLACE_BYTES];
    struct rt_buf text;
    rt_buf_init(&text, RT_ZIP_MEMBER_MOST);
    snprintf(place, sizeof place, "%.256s: %.400s", name, rt_zip_name(zip, i));
    enum rt_status status = rt_zip_read(zip, i, &text, err);
    if (!status)
        status = rt_inspect_parse(place, rt_buf_bytes(&text), ret_json, err);
    rt_buf_release(&text);
    return status;
}

// Which members are the samples: the last of each name, in the archive's order.
static bool is_sample(const struct rt_zip_reader *zip, size_t i)
{
    const char *name = rt_zip_name(zip, i);
    size_t size = strlen(name);
    return !strncmp(name, "samples/", 8) && size > 13 && !strcmp(name + size - 5, ".json");
}

struct member {
    const char *name;
    size_t index;
};

static int by_name(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

static int by_index(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

static size_t sample_members(const struct rt_zip_reader *zip, struct member *members)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < rt_zip_count(zip); i++)
        if (is_sample(zip, i))
            members[count++] = (struct member){rt_zip_name(zip, i), i};
    qsort(members, count, sizeof *members, by_name);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || strcmp(members[i].name, members[i + 1].name) != 0)
            members[kept++] = members[i];
    qsort(members, kept, sizeof *members, by_index);
    return kept;
}

static enum rt_status read_zip(const char *name, struct rt_zip_reader *zip,
                               rt_inspect_sample_fn *visit, void *ctx, struct rt_error *err)
{
    char place[PLACE_BYTES];
    json_t *header = NULL;
    size_t at = rt_zip_find(zip, "header.json");
    if (at == SIZE_MAX)
        at = rt_zip_find(zip, "_journal/start.json"); // a log that was cut short
    if (at == SIZE_MAX)
        return rt_error_set(err, RT_MALFORMED, "%s: no header.json; this is not an Inspect log",
                            name);
    enum rt_status status = read_member(zip, name, at, &header, err);
    if (!status)
        status = check_version(name, header, err);
    struct member *members = calloc(rt_zip_count(zip) + 1, sizeof *members);
    if (!status && !members)
        status = rt_error_set(err, RT_NO_MEMORY, "%s", name);
    size_t count = status ? 0 : sample_members(zip, members);
    for (size_t i = 0; i < count && !status; i++) {
        json_t *sample = NULL;
        status = read_member(zip, name, members[i].index, &sample, err);
        snprintf(place, sizeof place, "%.256s: %.400s", name, members[i].name);
        if (!status)
            status = visit_one(sample, header, place, visit, ctx, err);
        json_decref(sample);
    }
    free(members);
    json_decref(header);
    return status;
}

static bool looks_zipped(struct rt_bytes bytes)
{
    return bytes.size >= 4 && memcmp(bytes.data, "PK\x03\x04", 4) == 0;
}

enum rt_status rt_inspect_read_memory(const char *name, struct rt_bytes bytes,
                                      rt_inspect_sample_fn *visit, void *ctx, struct rt_error *err)
{
    struct rt_zip_reader *zip = NULL;
    if (!looks_zipped(bytes))
        return read_json(name, bytes, visit, ctx, err);
    enum rt_status status = rt_zip_open_memory(name, bytes, &zip, err);
    if (!status)
        status = read_zip(name, zip, visit, ctx, err);
    rt_zip_free(zip);
    return status;
}

enum rt_status rt_inspect_read(const char *path, rt_inspect_sample_fn *visit, void *ctx,
                               struct rt_error *err)
{
    uint8_t first[4] = {0};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(first, 1, sizeof first, file) : 0;
    if (file)
        fclose(file);
    if (looks_zipped(rt_bytes(first, got))) {
        struct rt_zip_reader *zip = NULL;
        enum rt_status status = rt_zip_open(path, &zip, err);
        if (!status)
            status = read_zip(name, zip, visit, ctx, err);
        rt_zip_free(zip);
        return status;
    }
    struct rt_buf text;
    rt_buf_init(&text, RT_INSPECT_FILE_MOST);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = read_json(name, rt_buf_bytes(&text), visit, ctx, err);
    rt_buf_release(&text);
    return status;
}
