// SPDX-License-Identifier: Apache-2.0
#include "proto/doc/json_schema.h"

#include <string.h>

#include "common/base/json.h"
#include "proto/doc/bench_doc.h"
#include "proto/doc/campaign_doc.h"
#include "proto/doc/labconfig_doc.h"
#include "proto/doc/roster_doc.h"
#include "proto/doc/scenario_doc.h"

#define TABLES_MOST 128

const char *const rt_json_schema_kinds[] = {"bench",    "campaign", "roster", "salts",
                                            "scenario", "worker",   NULL};

static const struct rt_doc_table *table_of(const char *kind)
{
    const struct rt_doc_table *const tables[] = {&rt_bench_table,    &rt_plan_table,
                                                 &rt_roster_table,   &rt_salts_table,
                                                 &rt_scenario_table, &rt_labconfig_table};
    for (size_t i = 0; rt_json_schema_kinds[i]; i++)
        if (strcmp(rt_json_schema_kinds[i], kind) == 0)
            return tables[i];
    return NULL;
}

// Tables that others refer to, in the order in which they were met.
struct schema {
    const struct rt_doc_table *tables[TABLES_MOST];
    char names[TABLES_MOST][80];
    size_t count;
    bool failed;
};

// A new object or array; failures stick.
static json_t *made(struct schema *schema, json_t *json)
{
    schema->failed = schema->failed || !json;
    return json;
}

static void set(struct schema *schema, json_t *object, const char *key, json_t *value)
{
    schema->failed = schema->failed || json_object_set_new(object, key, value) != 0;
}

// "an outcome" → "outcome"; a second table of that name gets a number.
static void name_table(struct schema *schema, const struct rt_doc_table *table)
{
    const char *name = table->name;
    char *place = schema->names[schema->count];
    static const char *const articles[] = {"an ", "a ", "the "};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(name, articles[i], strlen(articles[i])) == 0)
            name += strlen(articles[i]);
    size_t size = 0;
    for (; name[size] && size < 64; size++)
        place[size] = name[size] == ' ' ? '-' : name[size];
    place[size] = 0;
    unsigned same = 1;
    for (size_t i = 0; i < schema->count; i++)
        same += strncmp(schema->names[i], place, size) == 0 &&
                (schema->names[i][size] == 0 || schema->names[i][size] == '~');
    if (same > 1)
        snprintf(place + size, 16, "~%u", same);
}

static json_t *reference(struct schema *schema, const struct rt_doc_table *table)
{
    size_t at = 0;
    char text[128];
    while (at < schema->count && schema->tables[at] != table)
        at++;
    if (at == TABLES_MOST) {
        schema->failed = true;
        return json_object();
    }
    if (at == schema->count) {
        name_table(schema, table);
        schema->tables[schema->count++] = table;
    }
    snprintf(text, sizeof text, "#/definitions/%s", schema->names[at]);
    return json_pack("{s:s}", "$ref", text);
}

// ---- single values

// YAML's plain 17 and true are texts to us where a text is wanted.
static json_t *scalar(void)
{
    return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

static json_t *pattern(const char *text)
{
    return json_pack("{s:s, s:s}", "type", "string", "pattern", text);
}

#define ID_PATTERN   "^[a-z0-9][a-z0-9._-]{0,63}$"
#define NAME_PATTERN "^[A-Za-z0-9._-]{1,64}$"

static json_t *text_schema(const struct rt_doc_field *field)
{
    bool empty = field->kind == RT_DOC_TEXT && field->least == 0;
    json_t *json = scalar();
    if (field->flags & RT_DOC_IS_ID)
        json_object_set_new(json, "pattern", json_string(empty ? "^$|" ID_PATTERN : ID_PATTERN));
    else if (field->flags & RT_DOC_IS_NAME)
        json_object_set_new(json, "pattern",
                            json_string(empty ? "^$|" NAME_PATTERN : NAME_PATTERN));
    else if (field->flags & RT_DOC_ONE_LINE)
        json_object_set_new(json, "pattern", json_string("^[^\\n\\t]*$"));
    if (field->kind == RT_DOC_TEXT && field->least)
        json_object_set_new(json, "minLength", json_integer(field->least));
    json_object_set_new(json, "maxLength",
                        json_integer(field->kind == RT_DOC_TEXT && field->most
                                         ? (json_int_t)field->most
                                         : RT_DOC_TEXT_MOST));
    return json;
}

static json_t *count_schema(const struct rt_doc_field *field)
{
    json_t *json = json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t)field->least);
    if (field->most)
        json_object_set_new(json, "maximum", json_integer((json_int_t)field->most));
    else if (field->kind == RT_DOC_U32)
        json_object_set_new(json, "maximum", json_integer(UINT32_MAX));
    return json;
}

static json_t *micro_schema(const struct rt_doc_field *field)
{
    json_t *json = json_pack("{s:s}", "type", "number");
    if (field->item_least || field->item_most) {
        json_object_set_new(json, "minimum", json_real((double)field->item_least / 1e6));
        json_object_set_new(json, "maximum", json_real((double)field->item_most / 1e6));
    }
    return json;
}

static json_t *words_schema(const struct rt_doc_field *field)
{
    json_t *words = json_array();
    for (size_t i = 0; field->words[i]; i++)
        json_array_append_new(words, json_string(field->words[i]));
    return json_pack("{s:o}", "enum", words);
}

static json_t *scalar_schema(const struct rt_doc_field *field)
{
    switch (field->kind) {
    case RT_DOC_TEXT:
        return text_schema(field);
    case RT_DOC_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case RT_DOC_U32:
    case RT_DOC_U64:
        return count_schema(field);
    case RT_DOC_MICRO:
        return micro_schema(field);
    case RT_DOC_ENUM:
        return words_schema(field);
    case RT_DOC_DURATION:
        return pattern("^[0-9]+(ms|s|m|h|d)$");
    case RT_DOC_SIZE:
        return json_pack("{s:[s,s], s:s}", "type", "string", "integer", "pattern",
                         "^[0-9]+([KMGT]iB)?$");
    case RT_DOC_DATE:
        return pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+Z)?$");
    case RT_DOC_DIGEST:
        return pattern("^sha256:[0-9a-f]{64}$");
    case RT_DOC_KEY:
        return pattern("^minisign:");
    default: // RT_DOC_CURVE
        return pattern("^rt-curve:");
    }
}

// ---- containers

static json_t *bounds(const struct rt_doc_field *field, json_t *json, const char *least,
                      const char *most)
{
    if (field->least)
        json_object_set_new(json, least, json_integer(field->least));
    if (field->most)
        json_object_set_new(json, most, json_integer((json_int_t)field->most));
    return json;
}

static json_t *map_of(json_t *values, const char *names)
{
    return json_pack("{s:s, s:o, s:{s:s}}", "type", "object", "additionalProperties", values,
                     "propertyNames", "pattern", names);
}

static json_t *list_of(json_t *items)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *value_schema(struct schema *schema, const struct rt_doc_field *field)
{
    json_t *json = NULL;
    if (field->schema) {
        if (rt_json_parse(rt_bytes_str(field->schema), &json, NULL))
            schema->failed = true;
        return json ? json : json_object();
    }
    if (field->read)
        return json_object(); // a form of its own, which the reader checks
    switch (field->kind) {
    case RT_DOC_STRUCT:
    case RT_DOC_MAYBE:
        return reference(schema, field->item);
    case RT_DOC_LIST:
        return bounds(field, list_of(reference(schema, field->item)), "minItems", "maxItems");
    case RT_DOC_MAP:
        return bounds(
            field,
            map_of(reference(schema, field->item),
                   field->item->fields[0].flags & RT_DOC_IS_ID ? ID_PATTERN : NAME_PATTERN),
            "minProperties", "maxProperties");
    case RT_DOC_TEXTS:
        json = bounds(field, list_of(text_schema(field)), "minItems", "maxItems");
        return field->flags & RT_DOC_ALL ? json_pack("{s:[o,{s:s}]}", "anyOf", json, "const", "all")
                                         : json;
    case RT_DOC_MICROS:
        return bounds(field, list_of(micro_schema(field)), "minItems", "maxItems");
    case RT_DOC_PAIRS:
        return bounds(field, map_of(scalar(), NAME_PATTERN), "minProperties", "maxProperties");
    default:
        return scalar_schema(field);
    }
}

static json_t *described(struct schema *schema, const struct rt_doc_field *field)
{
    json_t *json = made(schema, value_schema(schema, field));
    char text[512];
    snprintf(text, sizeof text, "%s%s%s", field->help ? field->help : "",
             field->preset ? (field->help ? "; default " : "default ") : "",
             field->preset ? field->preset : "");
    if (!*text || !json)
        return json;
    // Draft 7 readers overlook what stands beside a $ref.
    if (json_object_get(json, "$ref"))
        json = json_pack("{s:[o]}", "allOf", json);
    set(schema, json, "description", json_string(text));
    return json;
}

static json_t *table_schema(struct schema *schema, const struct rt_doc_table *table)
{
    json_t *properties = made(schema, json_object()), *required = made(schema, json_array());
    json_t *rest = json_false();
    for (size_t i = 0; i < table->field_count && !schema->failed; i++) {
        const struct rt_doc_field *field = &table->fields[i];
        if (field->flags & (RT_DOC_KEYED | RT_DOC_OBJECT_ONLY))
            continue;
        if (field->flags & RT_DOC_REST) {
            rest = scalar();
            continue;
        }
        set(schema, properties, field->key, described(schema, field));
        if (field->flags & RT_DOC_REQUIRED)
            json_array_append_new(required, json_string(field->key));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "object", "properties", properties, "required",
                     required, "additionalProperties", rest);
}

enum rt_status rt_json_schema(const char *kind, struct rt_buf *out)
{
    const struct rt_doc_table *table = table_of(kind);
    struct schema schema = {.count = 0};
    char title[80];
    if (!table)
        return RT_NOT_FOUND;
    snprintf(title, sizeof title, "ringtrial: %s", kind);
    json_t *root = made(&schema, table_schema(&schema, table));
    json_t *definitions = made(&schema, json_object());
    // References met on the way make the list longer while it is walked.
    for (size_t i = 0; i < schema.count && !schema.failed; i++)
        set(&schema, definitions, schema.names[i], table_schema(&schema, schema.tables[i]));
    if (!schema.failed) {
        set(&schema, root, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
        set(&schema, root, "title", json_string(title));
        set(&schema, root, "definitions", json_incref(definitions));
    }
    enum rt_status status = schema.failed ? RT_NO_MEMORY : rt_json_write_pretty(root, out);
    json_decref(definitions);
    json_decref(root);
    return status;
}

enum rt_status rt_json_schema_keys(const char *kind, struct rt_buf *out)
{
    const struct rt_doc_table *table = table_of(kind);
    if (!table)
        return RT_NOT_FOUND;
    rt_doc_help(table, out);
    return rt_buf_ok(out);
}
