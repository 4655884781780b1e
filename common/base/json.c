// SPDX-License-Identifier: Apache-2.0
// Own writer: jansson prints reals with a fixed precision but spells integers held in reals as
// "1.0" and cannot round and shorten in one step; canonical report bytes need one spelling a
// number.
#include "common/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MOST 64

static bool too_deep(struct rt_bytes text)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > DEPTH_MOST)
                return true;
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    return false;
}

enum rt_status rt_json_parse(struct rt_bytes text, json_t **ret_json, struct rt_error *err)
{
    if (too_deep(text))
        return rt_error_set(err, RT_MALFORMED, "JSON nested deeper than %d", DEPTH_MOST);
    json_error_t problem;
    json_t *json = json_loadb((const char *)text.data, text.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!json)
        return rt_error_set(err, RT_MALFORMED, "JSON line %d column %d: %s", problem.line,
                            problem.column, problem.text);
    *ret_json = json;
    return RT_OK;
}

void rt_json_number(double value, char *ret_text)
{
    RT_ASSERT(isfinite(value));
    if (value == 0) {
        memcpy(ret_text, "0", 2);
        return;
    }
    // %.10g rounds the exact binary value correctly (glibc) and drops trailing zeros, so it is the
    // shortest spelling of the rounded number.
    snprintf(ret_text, 32, "%.10g", value);
}

static void indent(struct rt_buf *out, int level)
{
    if (level < 0)
        return;
    rt_buf_add_u8(out, '\n');
    for (int i = 0; i < level; i++)
        rt_buf_add_str(out, "  ");
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_string(struct rt_buf *out, const char *text, size_t size)
{
    rt_buf_add_u8(out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            rt_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            rt_buf_add_str(out, "\\n");
        else if (c < 0x20)
            rt_buf_printf(out, "\\u%04x", c);
        else
            rt_buf_add_u8(out, c);
    }
    rt_buf_add_u8(out, '"');
}

static enum rt_status add_value(const json_t *json, struct rt_buf *out, int level);

static enum rt_status add_object(const json_t *json, struct rt_buf *out, int level)
{
    size_t count = json_object_size(json);
    const char **keys = malloc((count ? count : 1) * sizeof *keys);
    if (!keys)
        return RT_NO_MEMORY;
    size_t at = 0;
    json_t *object = json_incref((json_t *)(uintptr_t)json); // jansson's iterator is not const
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it))
        keys[at++] = json_object_iter_key(it);
    json_decref(object);
    qsort(keys, count, sizeof *keys, by_key);
    enum rt_status status = RT_OK;
    rt_buf_add_u8(out, '{');
    for (size_t i = 0; i < count && !status; i++) {
        if (i)
            rt_buf_add_u8(out, ',');
        indent(out, level < 0 ? -1 : level + 1);
        add_string(out, keys[i], strlen(keys[i]));
        rt_buf_add_str(out, level < 0 ? ":" : ": ");
        status = add_value(json_object_get(json, keys[i]), out, level < 0 ? -1 : level + 1);
    }
    if (count)
        indent(out, level);
    rt_buf_add_u8(out, '}');
    free(keys);
    return status;
}

static enum rt_status add_array(const json_t *json, struct rt_buf *out, int level)
{
    enum rt_status status = RT_OK;
    rt_buf_add_u8(out, '[');
    for (size_t i = 0; i < json_array_size(json) && !status; i++) {
        if (i)
            rt_buf_add_u8(out, ',');
        indent(out, level < 0 ? -1 : level + 1);
        status = add_value(json_array_get(json, i), out, level < 0 ? -1 : level + 1);
    }
    if (json_array_size(json))
        indent(out, level);
    rt_buf_add_u8(out, ']');
    return status;
}

static enum rt_status add_value(const json_t *json, struct rt_buf *out, int level)
{
    char number[32];
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return add_object(json, out, level);
    case JSON_ARRAY:
        return add_array(json, out, level);
    case JSON_STRING:
        add_string(out, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        rt_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        break;
    case JSON_REAL:
        rt_json_number(json_real_value(json), number);
        rt_buf_add_str(out, number);
        break;
    case JSON_TRUE:
        rt_buf_add_str(out, "true");
        break;
    case JSON_FALSE:
        rt_buf_add_str(out, "false");
        break;
    case JSON_NULL:
        rt_buf_add_str(out, "null");
        break;
    }
    return rt_buf_ok(out);
}

enum rt_status rt_json_write(const json_t *json, struct rt_buf *out)
{
    return add_value(json, out, -1);
}

enum rt_status rt_json_write_pretty(const json_t *json, struct rt_buf *out)
{
    enum rt_status status = add_value(json, out, 0);
    rt_buf_add_u8(out, '\n');
    return status ? status : rt_buf_ok(out);
}
