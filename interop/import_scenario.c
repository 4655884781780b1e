// SPDX-License-Identifier: Apache-2.0
// One scenario file of an imported bench.
#include <stdio.h>

#include "engine/match.h"
#include "interop/import_bench.h"
#include "interop/yaml_out.h"
#include "proto/scenario.h"

struct writing {
    struct rt_import_bench *bench;
    const struct rt_import_group *group;
    const struct rt_import_item *first;
    struct rt_buf *out;
    bool braces;
    size_t controls;
};

static const struct rt_import_item *item_of(const struct writing *w, size_t n)
{
    return &w->bench->import->items[w->group->items[n]];
}

// "KEY: text" with the text made safe for templates.
static void put_template(struct writing *w, int indent, const char *key, const char *text)
{
    struct rt_buf safe;
    size_t before = w->controls;
    rt_buf_init(&safe, 16 * strlen(text) + 1);
    rt_yaml_template(&safe, text, &w->braces, &w->controls);
    rt_yaml_text(w->out, indent, key, rt_buf_str(&safe));
    rt_buf_release(&safe);
    if (w->controls > before)
        rt_import_note(w->bench->import, "text", "control characters", "became spaces",
                       w->first->place);
}

// ---- the head

static void put_title(struct writing *w)
{
    char title[200];
    const struct rt_import_item *item = w->first;
    const char *text = item->messages[item->message_count - 1].text;
    size_t size = 0;
    for (; *text && size < 90; text++)
        title[size++] = (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text;
    while (size && ((unsigned char)*text & 0xc0) == 0x80) { // never half a character
        text--;
        size--;
    }
    title[size] = 0;
    if (!rt_utf8_valid(rt_bytes_str(title)) || strspn(title, " ") == size)
        snprintf(title, sizeof title, "%s", w->group->id);
    rt_yaml_text(w->out, 0, "title", title);
}

static void put_head(struct writing *w)
{
    const struct rt_import_item *item = w->first;
    const struct rt_import_options *options = &w->bench->import->options;
    char text[260];
    rt_buf_printf(w->out,
                  "# Imported from %s. Evaluation material: keep it out of training data.\n"
                  "# Canary: %s\nscenario: %s\n",
                  w->bench->source, w->bench->canary, w->group->id);
    put_title(w);
    rt_buf_add_str(w->out, "meta:\n");
    rt_yaml_text(w->out, 2, "type", item->type && *item->type ? item->type : "prompt");
    snprintf(text, sizeof text, "%.120s", *item->objective ? item->objective : "none");
    rt_yaml_text(w->out, 2, "objective", text);
    rt_yaml_text(w->out, 2, "class", options->class ? options->class : "public");
    rt_buf_add_str(w->out, "  use: evaluation-only\n");
    snprintf(text, sizeof text, "%.250s", item->provenance ? item->provenance : "imported");
    rt_yaml_text(w->out, 2, "provenance", rt_utf8_valid(rt_bytes_str(text)) ? text : "imported");
}

// ---- phrasings and turns

// A system message, then user turns: the variable each stands in.
static void variable_of(const struct rt_import_item *item, size_t m, char *ret_name)
{
    size_t systems = 0, users = 0;
    for (size_t i = 0; i <= m; i++)
        if (strcmp(item->messages[i].role, "system") == 0)
            systems++;
        else
            users++;
    bool system = strcmp(item->messages[m].role, "system") == 0;
    if (system)
        snprintf(ret_name, 32, systems == 1 ? "system" : "system_%zu", systems);
    else
        snprintf(ret_name, 32, users == 1 ? "prompt" : "turn_%zu", users);
}

static enum rt_status check_shape(struct writing *w, struct rt_error *err)
{
    for (size_t n = 0; n < w->group->count; n++) {
        const struct rt_import_item *item = item_of(w, n);
        bool same = item->message_count == w->first->message_count;
        for (size_t m = 0; m < item->message_count; m++) {
            same = same && !strcmp(item->messages[m].role, w->first->messages[m].role);
            if (strlen(item->messages[m].text) > RT_SCENARIO_TEXT_MOST)
                return rt_error_set(err, RT_TOO_LARGE,
                                    "%s: a text of more than %d bytes; shorten it, or attach a "
                                    "file in the scenario",
                                    item->place, RT_SCENARIO_TEXT_MOST);
        }
        if (!same)
            return rt_error_set(err, RT_CONFLICT,
                                "%s: its messages are other in number or order than those of %s, "
                                "of which it is to be another phrasing",
                                item->place, w->first->place);
    }
    return RT_OK;
}

static const char *lang_of(const struct writing *w, const struct rt_import_item *item, char *text)
{
    const char *lang = item->lang && *item->lang ? item->lang : w->bench->import->options.lang;
    size_t size = 0;
    for (; lang && lang[size] && size < 35; size++)
        text[size] = lang[size] == '_' ? '-' : lang[size];
    text[size] = 0;
    return size ? text : "und";
}

static void put_phrasings(struct writing *w, struct rt_buf *body)
{
    char name[32], lang[40];
    struct rt_buf *out = w->out;
    w->out = body;
    rt_buf_add_str(body, "phrasings:\n");
    for (size_t n = 0; n < w->group->count; n++) {
        const struct rt_import_item *item = item_of(w, n);
        const struct rt_import_place *place = &w->bench->places[w->group->items[n]];
        if (place->same_as != SIZE_MAX) {
            rt_buf_printf(body, "  %s: {same_as: %s}\n", place->phrasing,
                          w->bench->places[place->same_as].phrasing);
            continue;
        }
        rt_buf_printf(body, "  %s:\n", place->phrasing);
        rt_yaml_text(body, 4, "lang", lang_of(w, item, lang));
        for (size_t m = 0; m < item->message_count; m++) {
            variable_of(item, m, name);
            put_template(w, 4, name, item->messages[m].text);
        }
    }
    bool paired = false;
    for (size_t n = 0; n < w->group->count; n++)
        paired |= w->bench->places[w->group->items[n]].same_as != SIZE_MAX;
    if (w->bench->import->options.null_pair && !paired) {
        const char *first = w->bench->places[w->group->items[0]].phrasing;
        rt_buf_printf(body, "  %.60sb: {same_as: %s}\n", first, first);
    }
    w->out = out;
}

static void put_turns(struct writing *w)
{
    char name[32];
    bool system = false;
    for (size_t m = 0; m < w->first->message_count; m++) {
        if (strcmp(w->first->messages[m].role, "system") != 0)
            continue;
        variable_of(w->first, m, name);
        rt_buf_printf(w->out, system ? "\\n\\n{{%s}}" : "system: \"{{%s}}", name);
        system = true;
    }
    rt_buf_add_str(w->out, system ? "\"\nturns:\n" : "turns:\n");
    for (size_t m = 0; m < w->first->message_count; m++) {
        variable_of(w->first, m, name);
        if (strcmp(w->first->messages[m].role, "user") == 0)
            rt_buf_printf(w->out, "  - {user: \"{{%s}}\"}\n", name);
    }
}

// ---- tools

static void put_tools(struct writing *w)
{
    const struct rt_import_item *item = w->first;
    if (item->tool_count)
        rt_buf_add_str(w->out, "tools:\n");
    for (size_t t = 0; t < item->tool_count; t++) {
        const struct rt_import_tool *tool = &item->tools[t];
        rt_buf_printf(w->out, "  %s:\n", tool->name);
        if (*tool->description)
            put_template(w, 4, "description", tool->description);
        if (tool->arg_count)
            rt_buf_add_str(w->out, "    args:\n");
        for (size_t a = 0; a < tool->arg_count; a++) {
            const struct rt_import_arg *arg = &tool->args[a];
            rt_buf_printf(w->out, "      %s: {type: %s, required: %s, description: ", arg->name,
                          arg->type, arg->required ? "true" : "false");
            rt_yaml_quoted(w->out, arg->description);
            rt_buf_add_str(w->out, "}\n");
        }
        rt_buf_add_str(w->out, "    replies:\n");
        for (size_t r = 0; r < tool->reply_count; r++)
            put_template(w, 6, "-", tool->replies[r]);
        if (!tool->reply_count)
            rt_buf_add_str(w->out, "      - \"error: not available\"\n");
    }
}

// ---- outcomes

// Any of the group's own rules, each once.
static void put_expected(struct writing *w, struct rt_buf *pattern)
{
    for (size_t n = 0; n < w->group->count; n++) {
        const char *expect = item_of(w, n)->expect;
        bool again = !*expect;
        for (size_t m = 0; m < n; m++)
            again |= !strcmp(item_of(w, m)->expect, expect);
        if (!again)
            rt_buf_printf(pattern, "%s(?:%s)", pattern->size ? "|" : "", expect);
    }
}

// A subject that says the same in every turn.
static void put_test(struct writing *w, const char *say, const char *expect)
{
    bool more = false;
    struct rt_buf safe;
    rt_buf_init(&safe, 16 * strlen(say) + 1);
    rt_yaml_template(&safe, say, &w->braces, &w->controls);
    rt_buf_add_str(w->out, "  - {arm: asked, do: [");
    for (size_t m = 0; m < w->first->message_count; m++) {
        if (strcmp(w->first->messages[m].role, "user") != 0)
            continue;
        rt_buf_add_str(w->out, more ? ", {say: " : "{say: ");
        rt_yaml_quoted(w->out, rt_buf_str(&safe));
        rt_buf_add_u8(w->out, '}');
        more = true;
    }
    rt_buf_printf(w->out, "], expect: %s}\n", expect);
    rt_buf_release(&safe);
}

static void put_outcomes(struct writing *w)
{
    static const char refusal[] = "I'm sorry, but I can't help with that.";
    static const char answer[] = "Certainly. Here is what was asked for.";
    struct rt_buf pattern;
    rt_buf_init(&pattern, (size_t)1 << 20);
    put_expected(w, &pattern);
    bool expecting = pattern.size > 0;
    rt_buf_add_str(w->out, "outcomes:\n");
    // A wanted answer first: it may hold words of a refusal.
    if (expecting) {
        rt_buf_add_str(w->out, "  - label: matched\n    severity: 0\n    if:\n");
        rt_yaml_text(w->out, 6, "said", rt_buf_str(&pattern));
    }
    rt_buf_add_str(w->out, "  - label: refused\n    severity: 0\n    if:\n");
    rt_yaml_text(w->out, 6, "said", rt_import_refusal);
    rt_buf_printf(w->out, "  - {label: %s, severity: 0}\n", expecting ? "unmatched" : "answered");
    rt_buf_printf(w->out,
                  "raters:\n  judge: {role: grader, rubric: rubrics/imported.md, labels: [%s]}\n",
                  expecting ? "refused, matched, unmatched" : "refused, answered");
    const char *rule = rt_buf_str(&pattern), *example = w->first->example;
    rt_buf_add_str(w->out, "tests:\n");
    bool wanted = expecting && rt_match(rule, rt_bytes_str(refusal), NULL);
    put_test(w, refusal, wanted ? "matched" : "refused");
    wanted = expecting && rt_match(rule, rt_bytes_str(answer), NULL);
    put_test(w, answer, wanted ? "matched" : expecting ? "unmatched" : "answered");
    if (*example && rt_match(rule, rt_bytes_str(example), NULL))
        put_test(w, example, "matched");
    rt_buf_release(&pattern);
}

enum rt_status rt_import_scenario(struct rt_import_bench *bench, size_t g, struct rt_buf *out,
                                  struct rt_error *err)
{
    struct writing w = {.bench = bench, .group = &bench->groups[g], .out = out};
    struct rt_buf body;
    w.first = item_of(&w, 0);
    enum rt_status status = check_shape(&w, err);
    if (status)
        return status;
    rt_buf_init(&body, out->limit);
    put_head(&w);
    put_phrasings(&w, &body);
    struct rt_buf rest;
    rt_buf_init(&rest, out->limit);
    w.out = &rest;
    put_turns(&w);
    put_tools(&w);
    put_outcomes(&w);
    rt_buf_printf(out, "arms:\n  asked: {role: treatment%s}\n",
                  w.braces ? ", open_brace: \"{\"" : "");
    rt_buf_add_bytes(out, rt_buf_bytes(&body));
    rt_buf_add_bytes(out, rt_buf_bytes(&rest));
    if ((status = rt_buf_ok(&body)) || (status = rt_buf_ok(&rest)) || (status = rt_buf_ok(out)))
        rt_error_set(err, status, "%s: scenario `%s` is too large for one file", w.first->place,
                     w.group->id);
    rt_buf_release(&body);
    rt_buf_release(&rest);
    return status;
}
