// SPDX-License-Identifier: Apache-2.0
// docs/report.schema.json against real reports, and against reports spoiled in one place each. The
// validator knows exactly the keywords the schema uses and fails on any other.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/report/render.h"
#include "tests/unit/report/sample.h"

#define SCHEMA RT_SOURCE_DIR "/docs/report.schema.json"

struct check {
    const json_t *root; // of the schema
    char path[512];     // where in the report the first fault is
    char fault[128];    // "" while there is none
};

static bool fail_at(struct check *check, const char *path, const char *fault)
{
    if (!*check->fault) {
        snprintf(check->path, sizeof check->path, "%s", path);
        snprintf(check->fault, sizeof check->fault, "%s", fault);
    }
    return false;
}

static bool is_type(const json_t *value, const char *type)
{
    static const struct {
        const char *name;
        json_type types[2];
    } known[] = {{"object", {JSON_OBJECT, JSON_OBJECT}},    {"array", {JSON_ARRAY, JSON_ARRAY}},
                 {"string", {JSON_STRING, JSON_STRING}},    {"number", {JSON_REAL, JSON_INTEGER}},
                 {"integer", {JSON_INTEGER, JSON_INTEGER}}, {"boolean", {JSON_TRUE, JSON_FALSE}},
                 {"null", {JSON_NULL, JSON_NULL}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, type) == 0)
            return json_typeof(value) == known[i].types[0] ||
                   json_typeof(value) == known[i].types[1];
    fail_msg("the schema has a type of its own: %s", type);
    return false;
}

static bool type_holds(const json_t *type, const json_t *value)
{
    size_t i;
    json_t *each;
    if (json_is_string(type))
        return is_type(value, json_string_value(type));
    json_array_foreach(type, i, each)
    {
        if (is_type(value, json_string_value(each)))
            return true;
    }
    return false;
}

static void only_known_keywords(const json_t *schema)
{
    static const char *const known[] = {"$schema",
                                        "$id",
                                        "$defs",
                                        "$ref",
                                        "title",
                                        "description",
                                        "type",
                                        "properties",
                                        "required",
                                        "items",
                                        "enum",
                                        "const",
                                        "minItems",
                                        "maxItems",
                                        "minimum",
                                        "maximum",
                                        "additionalProperties"};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)schema, name, value)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found |= strcmp(known[i], name) == 0;
        if (!found)
            fail_msg("the schema uses %s, which this validator does not know", name);
    }
}

static bool valid(struct check *check, const json_t *schema, const json_t *value, const char *path);

static bool object_valid(struct check *check, const json_t *schema, const json_t *value,
                         const char *path)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *more = json_object_get(schema, "additionalProperties");
    const char *name;
    json_t *each;
    size_t i;
    json_array_foreach(json_object_get(schema, "required"), i, each)
    {
        if (!json_object_get(value, json_string_value(each)))
            return fail_at(check, path, json_string_value(each));
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, each)
    {
        char inner[512];
        const json_t *own = json_object_get(properties, name);
        snprintf(inner, sizeof inner, "%s/%s", path, name);
        if (!own && json_is_false(more))
            return fail_at(check, inner, "not in the schema");
        if (!own)
            own = more;
        if (own && !json_is_boolean(own) && !valid(check, own, each, inner))
            return false;
    }
    return true;
}

static bool array_valid(struct check *check, const json_t *schema, const json_t *value,
                        const char *path)
{
    const json_t *least = json_object_get(schema, "minItems");
    const json_t *most = json_object_get(schema, "maxItems");
    const json_t *items = json_object_get(schema, "items");
    json_t *each;
    size_t i;
    if (least && json_array_size(value) < (size_t)json_integer_value(least))
        return fail_at(check, path, "too few items");
    if (most && json_array_size(value) > (size_t)json_integer_value(most))
        return fail_at(check, path, "too many items");
    json_array_foreach(value, i, each)
    {
        char inner[512];
        snprintf(inner, sizeof inner, "%s/%zu", path, i);
        if (items && !valid(check, items, each, inner))
            return false;
    }
    return true;
}

static bool in_list(const json_t *list, const json_t *value)
{
    size_t i;
    json_t *each;
    json_array_foreach(list, i, each)
    {
        if (json_equal(each, value))
            return true;
    }
    return false;
}

static bool valid(struct check *check, const json_t *schema, const json_t *value, const char *path)
{
    const char *reference = json_string_value(json_object_get(schema, "$ref"));
    only_known_keywords(schema);
    if (reference) {
        assert_memory_equal(reference, "#/$defs/", 8);
        schema = json_object_get(json_object_get(check->root, "$defs"), reference + 8);
        assert_non_null(schema);
        only_known_keywords(schema);
    }
    const json_t *type = json_object_get(schema, "type");
    const json_t *list = json_object_get(schema, "enum");
    const json_t *constant = json_object_get(schema, "const");
    const json_t *least = json_object_get(schema, "minimum");
    const json_t *most = json_object_get(schema, "maximum");
    if (type && !type_holds(type, value))
        return fail_at(check, path, "of another type");
    if ((list && !in_list(list, value)) || (constant && !json_equal(constant, value)))
        return fail_at(check, path, "not one of the values");
    if (json_is_number(value) && ((least && json_number_value(value) < json_number_value(least)) ||
                                  (most && json_number_value(value) > json_number_value(most))))
        return fail_at(check, path, "outside the range");
    if (json_is_object(value))
        return object_valid(check, schema, value, path);
    return !json_is_array(value) || array_valid(check, schema, value, path);
}

static json_t *read_json(const char *path)
{
    struct rt_buf text;
    struct rt_error err = {0};
    json_t *json = NULL;
    rt_buf_init(&text, 16 << 20);
    if (rt_file_read(path, &text, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rt_json_parse(rt_buf_bytes(&text), &json, NULL), RT_OK);
    rt_buf_release(&text);
    return json;
}

static json_t *report_of(const struct sample *sample)
{
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    struct rt_buf text;
    json_t *json = NULL;
    rt_arena_init(&arena, (size_t)1 << 30);
    rt_buf_init(&text, 64 << 20);
    sample_make(sample, &arena, &study);
    study.phrasings[1].language = "de";
    SAMPLE_MUST(rt_report_make(&arena, &study, &report));
    SAMPLE_MUST(rt_report_json(&report, &text));
    assert_int_equal(rt_json_parse(rt_buf_bytes(&text), &json, NULL), RT_OK);
    rt_buf_release(&text);
    rt_arena_release(&arena);
    return json;
}

static void must_hold(const json_t *schema, json_t *report)
{
    struct check check = {.root = schema};
    if (!valid(&check, schema, report, ""))
        fail_msg("%s: %s", check.path, check.fault);
    json_decref(report);
}

static void every_report_holds(void **state)
{
    (void)state;
    json_t *schema = read_json(SCHEMA);
    struct sample sample = SAMPLE;
    must_hold(schema, read_json(RT_SOURCE_DIR "/tests/golden/auditor/small.json"));
    must_hold(schema, report_of(&sample));
    for (sample.labs = 1; sample.labs <= 3; sample.labs++)
        must_hold(schema, report_of(&sample));
    sample.labs = 6;
    sample.odd_lab = 3;
    sample.withdrawn_lab = 2;
    sample.known = true;
    must_hold(schema, report_of(&sample));
    sample.odd_lab = RT_STUDY_NONE;
    sample.base = -40; // nothing is ever seen
    must_hold(schema, report_of(&sample));
    sample.plan = false;
    sample.replicates = 1;
    sample.null_pair = false;
    must_hold(schema, report_of(&sample));
    json_decref(schema);
}

static void must_break(const json_t *schema, json_t *report, const char *path)
{
    struct check check = {.root = schema};
    assert_false(valid(&check, schema, report, ""));
    assert_string_equal(check.path, path);
    json_decref(report);
}

static void spoiled_reports_do_not(void **state)
{
    (void)state;
    json_t *schema = read_json(SCHEMA);
    struct sample sample = SAMPLE;
    json_t *report = report_of(&sample);
    json_object_set_new(report, "extra", json_true());
    must_break(schema, report, "/extra");
    report = report_of(&sample);
    json_object_del(report, "finding");
    must_break(schema, report, "");
    report = report_of(&sample);
    json_t *part = json_array_get(json_object_get(report, "results"), 0);
    json_object_set_new(part, "n", json_string("many"));
    must_break(schema, report, "/results/0/n");
    report = report_of(&sample);
    part = json_array_get(json_object_get(report, "results"), 0);
    json_array_append_new(json_object_get(json_object_get(part, "rate"), "this_bench"),
                          json_integer(1));
    must_break(schema, report, "/results/0/rate/this_bench");
    report = report_of(&sample);
    part = json_array_get(json_object_get(report, "results"), 0);
    json_object_set_new(json_object_get(part, "rate"), "tau_reason", json_string("no_reason"));
    must_break(schema, report, "/results/0/rate/tau_reason");
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_report_holds),
                                       cmocka_unit_test(spoiled_reports_do_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
