// SPDX-License-Identifier: Apache-2.0
#include "engine/argument.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "engine/match.h"

static const char *const schema_types[] = {
    [RT_ARG_STRING] = "string",   [RT_ARG_INTEGER] = "integer", [RT_ARG_NUMBER] = "number",
    [RT_ARG_BOOLEAN] = "boolean", [RT_ARG_OBJECT] = "object",   [RT_ARG_ARRAY] = "array",
};

// ---- the schema

static json_t *decimal(int64_t micro)
{
    return micro % 1000000 ? json_real((double)micro / 1e6) : json_integer(micro / 1000000);
}

static void add_properties(json_t *schema, const struct rt_arg *args, size_t count);

static json_t *arg_schema(const struct rt_arg *arg)
{
    json_t *schema = json_pack("{s:s}", "type", schema_types[arg->type]);
    if (*arg->description)
        json_object_set_new(schema, "description", json_string(arg->description));
    if (arg->value_count) {
        json_t *values = json_array();
        for (size_t i = 0; i < arg->value_count; i++)
            json_array_append_new(values, json_string(arg->values[i]));
        json_object_set_new(schema, "enum", values);
    }
    if (arg->has_minimum)
        json_object_set_new(schema, "minimum", decimal(arg->minimum_micro));
    if (arg->has_maximum)
        json_object_set_new(schema, "maximum", decimal(arg->maximum_micro));
    bool list = arg->type == RT_ARG_ARRAY;
    if (arg->min_length)
        json_object_set_new(schema, list ? "minItems" : "minLength", json_integer(arg->min_length));
    if (arg->max_length)
        json_object_set_new(schema, list ? "maxItems" : "maxLength", json_integer(arg->max_length));
    if (*arg->pattern)
        json_object_set_new(schema, "pattern", json_string(arg->pattern));
    if (arg->items)
        json_object_set_new(schema, "items", arg_schema(arg->items));
    if (arg->property_count)
        add_properties(schema, arg->properties, arg->property_count);
    return schema;
}

static void add_properties(json_t *schema, const struct rt_arg *args, size_t count)
{
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < count; i++) {
        json_object_set_new(properties, args[i].name, arg_schema(&args[i]));
        if (args[i].required)
            json_array_append_new(required, json_string(args[i].name));
    }
    json_object_set_new(schema, "properties", properties);
    json_object_set_new(schema, "required", required);
    json_object_set_new(schema, "additionalProperties", json_false());
}

struct json_t *rt_argument_schema(const struct rt_arg *args, size_t count)
{
    json_t *schema = json_pack("{s:s}", "type", "object");
    if (schema)
        add_properties(schema, args, count);
    return schema;
}

// ---- checking a call

struct look {
    struct rt_arena *arena;
    const char *error; // the first
};

static void complain(struct look *look, const char *path, const char *what)
{
    const char *text = rt_arena_printf(look->arena, "error: argument %s %s", path, what);
    look->error = text ? text : "";
}

static const char *const type_words[] = {
    [RT_ARG_STRING] = "must be a string",  [RT_ARG_INTEGER] = "must be an integer",
    [RT_ARG_NUMBER] = "must be a number",  [RT_ARG_BOOLEAN] = "must be true or false",
    [RT_ARG_OBJECT] = "must be an object", [RT_ARG_ARRAY] = "must be a list",
};

static bool type_fits(const json_t *value, enum rt_arg_type type)
{
    switch (type) {
    case RT_ARG_STRING:
        return json_is_string(value);
    case RT_ARG_INTEGER:
        return json_is_integer(value);
    case RT_ARG_NUMBER:
        return json_is_number(value);
    case RT_ARG_BOOLEAN:
        return json_is_boolean(value);
    case RT_ARG_OBJECT:
        return json_is_object(value);
    default:
        return json_is_array(value);
    }
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void check_size(struct look *look, const struct rt_arg *arg, const json_t *value,
                       const char *path)
{
    size_t size =
        arg->type == RT_ARG_STRING ? characters(json_string_value(value)) : json_array_size(value);
    const char *unit = arg->type == RT_ARG_STRING ? "characters" : "items";
    char text[64];
    if (size < arg->min_length)
        snprintf(text, sizeof text, "must have at least %" PRIu32 " %s", arg->min_length, unit);
    else if (arg->max_length && size > arg->max_length)
        snprintf(text, sizeof text, "must have at most %" PRIu32 " %s", arg->max_length, unit);
    else
        return;
    complain(look, path, text);
}

static void check_string(struct look *look, const struct rt_arg *arg, const char *value,
                         const char *path)
{
    bool allowed = arg->value_count == 0;
    for (size_t i = 0; i < arg->value_count && !allowed; i++)
        allowed = strcmp(arg->values[i], value) == 0;
    if (!allowed) {
        struct rt_buf text;
        rt_buf_init(&text, 4096);
        rt_buf_add_str(&text, "must be one of");
        for (size_t i = 0; i < arg->value_count; i++)
            rt_buf_printf(&text, "%s %s", i ? "," : "", arg->values[i]);
        complain(look, path, rt_buf_ok(&text) ? "is not allowed" : rt_buf_str(&text));
        rt_buf_release(&text);
    } else if (*arg->pattern && !rt_match(arg->pattern, rt_bytes_str(value), NULL)) {
        complain(look, path, "has the wrong form");
    }
}

static void check_number(struct look *look, const struct rt_arg *arg, double value,
                         const char *path)
{
    char text[80], bound[40];
    bool low = arg->has_minimum && value < (double)arg->minimum_micro / 1e6;
    bool high = arg->has_maximum && value > (double)arg->maximum_micro / 1e6;
    if (!low && !high)
        return;
    rt_format_micro(low ? arg->minimum_micro : arg->maximum_micro, bound);
    snprintf(text, sizeof text, "must be at %s %s", low ? "least" : "most", bound);
    complain(look, path, text);
}

static void check_members(struct look *look, const struct rt_arg *args, size_t count,
                          const json_t *object, const char *prefix);

static void check_value(struct look *look, const struct rt_arg *arg, const json_t *value,
                        const char *path)
{
    if (!type_fits(value, arg->type)) {
        complain(look, path, type_words[arg->type]);
        return;
    }
    if (arg->type == RT_ARG_STRING || arg->type == RT_ARG_ARRAY)
        check_size(look, arg, value, path);
    if (!look->error && arg->type == RT_ARG_STRING)
        check_string(look, arg, json_string_value(value), path);
    if (json_is_number(value))
        check_number(look, arg, json_number_value(value), path);
    for (size_t i = 0; arg->items && i < json_array_size(value) && !look->error; i++) {
        const char *place = rt_arena_printf(look->arena, "%s[%zu]", path, i);
        check_value(look, arg->items, json_array_get(value, i), place ? place : "");
    }
    if (arg->property_count && !look->error) {
        const char *prefix = rt_arena_printf(look->arena, "%s.", path);
        check_members(look, arg->properties, arg->property_count, value, prefix ? prefix : "");
    }
}

static void check_members(struct look *look, const struct rt_arg *args, size_t count,
                          const json_t *object, const char *prefix)
{
    for (size_t i = 0; i < count && !look->error; i++) {
        const json_t *value = json_object_get(object, args[i].name);
        const char *path =
            *prefix ? rt_arena_printf(look->arena, "%s%s", prefix, args[i].name) : args[i].name;
        if (!path)
            look->error = "";
        else if (value)
            check_value(look, &args[i], value, path);
        else if (args[i].required)
            complain(look, path, "is missing");
    }
}

const char *rt_argument_error(const struct rt_arg *args, size_t count, const struct json_t *object,
                              struct rt_arena *arena)
{
    struct look look = {arena, NULL};
    check_members(&look, args, count, object, "");
    return look.error;
}

// ---- texts

const struct json_t *rt_argument_at(const struct json_t *object, const char *path)
{
    const json_t *value = json_object_get(object, path);
    while (!value && object && *path) {
        char part[80];
        size_t size = strcspn(path, ".");
        uint64_t place;
        if (size >= sizeof part)
            return NULL;
        memcpy(part, path, size);
        part[size] = 0;
        if (json_is_array(object))
            object = rt_parse_u64(part, &place) ? NULL : json_array_get(object, (size_t)place);
        else
            object = json_object_get(object, part);
        path += size + (path[size] == '.');
        if (!*path)
            return object;
    }
    return value;
}

bool rt_argument_text(const struct json_t *value, struct rt_buf *out)
{
    if (json_is_string(value)) {
        rt_buf_add(out, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        rt_buf_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
    } else if (json_is_real(value)) {
        char text[32];
        rt_json_number(json_real_value(value), text);
        rt_buf_add_str(out, text);
    } else if (json_is_boolean(value)) {
        rt_buf_add_str(out, json_is_true(value) ? "true" : "false");
    } else if (json_is_object(value) || json_is_array(value)) {
        return rt_json_write(value, out) == RT_OK;
    } else {
        return false;
    }
    return true;
}

struct gather {
    struct rt_arena *arena;
    struct rt_pair *pairs;
    size_t count;
    bool failed;
};

static void gather(struct gather *to, const char *path, const json_t *value, unsigned depth)
{
    if (to->count >= RT_ARGUMENT_PAIRS_MOST || depth > RT_ARG_NESTING_MOST + 1 || to->failed)
        return;
    struct rt_buf text;
    rt_buf_init(&text, (size_t)4 << 20);
    if (*path && rt_argument_text(value, &text) && !rt_buf_ok(&text)) {
        size_t size = text.size < RT_ARGUMENT_TEXT_MOST ? text.size : RT_ARGUMENT_TEXT_MOST;
        while (size && !rt_utf8_valid(rt_bytes(text.data, size)))
            size--;
        const char *copy = rt_arena_strndup(to->arena, (const char *)text.data, size);
        to->failed = !copy;
        to->pairs[to->count++] = (struct rt_pair){path, copy ? copy : ""};
    }
    rt_buf_release(&text);
    const char *key, *dot = *path ? "." : "";
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        const char *inner = rt_arena_printf(to->arena, "%s%s%s", path, dot, key);
        to->failed = to->failed || !inner;
        gather(to, inner ? inner : "", member, depth + 1);
    }
    for (size_t i = 0; i < json_array_size(value) && i < RT_ARGUMENT_PAIRS_MOST; i++) {
        const char *inner = rt_arena_printf(to->arena, "%s.%zu", path, i);
        to->failed = to->failed || !inner;
        gather(to, inner ? inner : "", json_array_get(value, i), depth + 1);
    }
}

enum rt_status rt_argument_pairs(const struct json_t *object, struct rt_arena *arena,
                                 const struct rt_pair **ret_pairs, size_t *ret_count)
{
    struct gather to = {.arena = arena};
    to.pairs = rt_arena_array(arena, RT_ARGUMENT_PAIRS_MOST, sizeof *to.pairs);
    if (!to.pairs)
        return RT_NO_MEMORY;
    gather(&to, "", object, 0);
    if (to.failed)
        return RT_NO_MEMORY;
    *ret_pairs = to.pairs;
    *ret_count = to.count;
    return RT_OK;
}

struct json_t *rt_argument_typed(const struct rt_tool *tool, const char *name, const char *text)
{
    const struct rt_arg *arg = rt_arg_find(tool, name);
    enum rt_arg_type type = arg ? arg->type : RT_ARG_STRING;
    int64_t whole;
    double number;
    json_t *json;
    if (type == RT_ARG_INTEGER && rt_parse_i64(text, &whole) == RT_OK)
        return json_integer(whole);
    if (type == RT_ARG_NUMBER && rt_parse_double(text, &number) == RT_OK)
        return json_real(number);
    if (type == RT_ARG_BOOLEAN && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        return json_boolean(strcmp(text, "true") == 0);
    if ((type == RT_ARG_OBJECT || type == RT_ARG_ARRAY) &&
        rt_json_parse(rt_bytes_str(text), &json, NULL) == RT_OK)
        return json;
    return json_string(text);
}
