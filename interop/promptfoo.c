// SPDX-License-Identifier: Apache-2.0
#include "interop/promptfoo.h"

#include <stdio.h>

#include "proto/pattern.h"

// How a type's value becomes a condition. %s: the value, every special byte escaped, or as it is.
enum form { EACH, ANY, RAW };
struct kind {
    const char *name;
    enum form form;
    bool negative;
    const char *before, *after;
};
static const struct kind kinds[] = {
    {"contains", EACH, false, "(?s:.*", ")"},
    {"icontains", EACH, false, "(?si:.*", ")"},
    {"contains-all", EACH, false, "(?s:.*", ")"},
    {"icontains-all", EACH, false, "(?si:.*", ")"},
    {"contains-any", ANY, false, "(?s:.*(?:", "))"},
    {"icontains-any", ANY, false, "(?si:.*(?:", "))"},
    {"equals", EACH, false, "(?:\\s*", "\\s*\\z)"},
    {"starts-with", EACH, false, "(?:", ")"},
    {"regex", RAW, false, "(?s:.*?)(?:", ")"},
    {"not-contains", EACH, true, "(?s:.*", ")"},
    {"not-icontains", EACH, true, "(?si:.*", ")"},
    {"not-equals", EACH, true, "(?:\\s*", "\\s*\\z)"},
    {"not-starts-with", EACH, true, "(?:", ")"},
    {"not-regex", RAW, true, "(?s:.*?)(?:", ")"},
    {"not-contains-any", ANY, true, "(?s:.*(?:", "))"},
    {NULL, EACH, false, "", ""},
};

static const char *text_of(const struct rt_node *map, const char *key)
{
    const struct rt_node *node = rt_node_child(map, key);
    return node && node->kind == RT_NODE_SCALAR ? node->text : NULL;
}

static const char *prepared(struct rt_import *import, const struct kind *kind, const char *value)
{
    return kind->form == RAW ? value : rt_import_literal(import, value);
}

// One more look ahead from the answer's start.
static enum rt_status add(struct rt_import *import, const struct kind *kind, const char *condition,
                          struct rt_promptfoo_rule *rule)
{
    rule->pattern =
        rt_arena_printf(&import->arena, "%s(?%s%s%s%s)", rule->mapped ? rule->pattern : "\\A",
                        kind->negative ? "!" : "=", kind->before, condition, kind->after);
    rule->mapped++;
    return rule->pattern ? RT_OK : RT_NO_MEMORY;
}

static enum rt_status add_values(struct rt_import *import, const struct kind *kind,
                                 const struct rt_node *value, struct rt_promptfoo_rule *rule)
{
    const char *any = NULL;
    enum rt_status status = RT_OK;
    const struct rt_node *item = value->kind == RT_NODE_LIST ? value->first : value;
    for (; item && !status; item = value->kind == RT_NODE_LIST ? item->next : NULL) {
        const char *text = item->kind == RT_NODE_SCALAR ? prepared(import, kind, item->text) : "";
        if (!text)
            return RT_NO_MEMORY;
        if (kind->form == ANY)
            any = any ? rt_arena_printf(&import->arena, "%s|%s", any, text) : text;
        else
            status = add(import, kind, text, rule);
        if (kind->form == ANY && !any)
            return RT_NO_MEMORY;
    }
    return status || !any ? status : add(import, kind, any, rule);
}

static bool compiles(const char *pattern)
{
    struct rt_pattern *compiled = NULL;
    enum rt_status status = rt_pattern_compile(pattern, &compiled, NULL);
    rt_pattern_free(compiled);
    return status == RT_OK;
}

static enum rt_status take(struct rt_import *import, const char *name, const struct rt_node *one,
                           struct rt_promptfoo_rule *rule, struct rt_error *err)
{
    char place[320];
    snprintf(place, sizeof place, "%.256s:%u", name, one->line);
    const char *type = one->kind == RT_NODE_MAP ? text_of(one, "type") : NULL;
    const struct rt_node *value = one->kind == RT_NODE_MAP ? rt_node_child(one, "value") : NULL;
    if (!type)
        return rt_error_set(err, RT_MALFORMED, "%s: an assert needs a `type`", place);
    if ((!strcmp(type, "llm-rubric") || !strcmp(type, "model-graded-closedqa")) && value &&
        value->kind == RT_NODE_SCALAR) {
        rule->rubric = rt_arena_printf(&import->arena, "%s%s- %s", rule->rubric,
                                       *rule->rubric ? "\n" : "", value->text);
        rt_import_note(import, "assert", type, "in the judge's rubric; no rule decides it", place);
        return rule->rubric ? RT_OK : rt_error_set(err, RT_NO_MEMORY, "%s", place);
    }
    const struct kind *kind = kinds;
    while (kind->name && strcmp(kind->name, type))
        kind++;
    bool braces = value && value->kind == RT_NODE_SCALAR && strstr(value->text, "{{");
    bool broken = kind->name && kind->form == RAW && value && value->kind == RT_NODE_SCALAR &&
                  !compiles(value->text);
    if (!kind->name || !value || value->kind == RT_NODE_MAP || braces || broken) {
        rt_import_note(import, "assert", type,
                       broken   ? "left out: PCRE2 does not take its pattern"
                       : braces ? "left out: its value is a template"
                                : "left out: no rule decides it; kept in import.jsonl",
                       place);
        return RT_OK;
    }
    for (const struct rt_node *key = one->first; key; key = key->next)
        if (strcmp(key->key, "type") && strcmp(key->key, "value"))
            rt_import_note(import, "assert", key->key, "of an assert: not taken", place);
    bool single = value->kind == RT_NODE_SCALAR && kind->form == EACH && !kind->negative;
    rule->example = single && !rule->mapped ? value->text : "";
    enum rt_status status = add_values(import, kind, value, rule);
    return status ? rt_error_set(err, status, "%s", place) : RT_OK;
}

enum rt_status rt_promptfoo_asserts(struct rt_import *import, const char *name,
                                    const struct rt_node *list, struct rt_promptfoo_rule *rule,
                                    struct rt_error *err)
{
    if (list && list->kind != RT_NODE_LIST)
        return rt_error_set(err, RT_MALFORMED, "%s:%u: `assert` must be a list", name, list->line);
    enum rt_status status = RT_OK;
    for (const struct rt_node *one = list ? list->first : NULL; one && !status; one = one->next)
        status = take(import, name, one, rule, err);
    return status;
}
