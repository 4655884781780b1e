// SPDX-License-Identifier: Apache-2.0
#include "proto/scenario.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "proto/doc/scenario_doc.h"

// ---- tests: a step is a tool's name, {tool: {argument: value}}, {say: text}, a list of those for
// one reply, or {as: role, say: text}

static const char *const step_forms =
    "a step is a tool's name, {tool: {argument: value}}, {say: text}, a list of those for one "
    "reply, or {as: role, say: text}";

static void add_quoted(const char *text, struct rt_buf *out)
{
    rt_buf_add_u8(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            rt_buf_printf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            rt_buf_printf(out, "\\u%04x", (unsigned)*text);
        else
            rt_buf_add_u8(out, (uint8_t)*text);
    }
    rt_buf_add_u8(out, '"');
}

// The text of an argument: as it is written, or as JSON where it is a list or a mapping.
static void add_json(const struct rt_node *node, struct rt_buf *out)
{
    if (node->kind == RT_NODE_SCALAR) {
        int64_t whole;
        double number;
        bool bare =
            node->plain && (rt_parse_i64(node->text, &whole) == RT_OK ||
                            rt_parse_double(node->text, &number) == RT_OK ||
                            strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0);
        if (bare)
            rt_buf_add_str(out, node->text);
        else
            add_quoted(node->text, out);
        return;
    }
    bool map = node->kind == RT_NODE_MAP;
    rt_buf_add_str(out, map ? "{" : "[");
    for (const struct rt_node *child = node->first; child; child = child->next) {
        if (map) {
            add_quoted(child->key, out);
            rt_buf_add_u8(out, ':');
        }
        add_json(child, out);
        if (child->next)
            rt_buf_add_u8(out, ',');
    }
    rt_buf_add_str(out, map ? "}" : "]");
}

static enum rt_status read_args(struct rt_doc_reader *reader, const struct rt_node *node,
                                struct rt_step *step)
{
    if (node->kind != RT_NODE_MAP || node->count > RT_SCENARIO_PAIRS_MOST)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`%s` must be a mapping of at most %d arguments", step->tool,
                           RT_SCENARIO_PAIRS_MOST);
    step->args = rt_arena_array(reader->arena, node->count, sizeof *step->args);
    if (!step->args)
        return rt_doc_no_memory(reader);
    struct rt_buf text;
    rt_buf_init(&text, RT_SCENARIO_TEXT_MOST);
    for (const struct rt_node *child = node->first; child; child = child->next) {
        const char *value = child->text;
        if (child->kind != RT_NODE_SCALAR) {
            rt_buf_clear(&text);
            add_json(child, &text);
            value = rt_buf_ok(&text) ? NULL : rt_arena_strdup(reader->arena, rt_buf_str(&text));
        }
        if (!value)
            break;
        step->args[step->arg_count++] = (struct rt_pair){child->key, value};
    }
    rt_buf_release(&text);
    return step->arg_count == node->count ? RT_OK : rt_doc_no_memory(reader);
}

static enum rt_status read_step(struct rt_doc_reader *reader, const struct rt_node *node,
                                struct rt_step *step)
{
    step->tool = step->say = step->as_id = "";
    step->tool_index = step->as = RT_NONE;
    if (node->kind == RT_NODE_SCALAR) {
        step->tool = node->text;
        return *step->tool ? RT_OK : rt_doc_fail(reader, RT_MALFORMED, node->line, "an empty step");
    }
    const struct rt_node *say = node->kind == RT_NODE_MAP ? rt_node_child(node, "say") : NULL;
    const struct rt_node *as = say ? rt_node_child(node, "as") : NULL;
    if (node->kind != RT_NODE_MAP || node->count != (as ? 2u : 1u))
        return rt_doc_fail(reader, RT_MALFORMED, node->line, "%s", step_forms);
    if (!say) {
        step->tool = node->first->key;
        return read_args(reader, node->first, step);
    }
    if (say->kind != RT_NODE_SCALAR || (as && as->kind != RT_NODE_SCALAR))
        return rt_doc_fail(reader, RT_MALFORMED, say->line, "%s", step_forms);
    step->say = say->text;
    step->as_id = as ? as->text : "";
    return RT_OK;
}

#define STEPS_MOST 1000

static enum rt_status read_reply(struct rt_doc_reader *reader, const struct rt_node *node,
                                 struct rt_scenario_test *test)
{
    if (node->kind != RT_NODE_LIST)
        return read_step(reader, node, &test->steps[test->step_count++]);
    for (const struct rt_node *child = node->first; child; child = child->next) {
        struct rt_step *step = &test->steps[test->step_count++];
        if (child->kind == RT_NODE_LIST)
            return rt_doc_fail(reader, RT_MALFORMED, child->line, "%s", step_forms);
        enum rt_status status = read_step(reader, child, step);
        if (!status && (*step->as_id || (*step->say && child != node->first)))
            status = rt_doc_fail(reader, RT_MALFORMED, child->line,
                                 "in a list `say` comes first, and the subject says it");
        if (status)
            return status;
        step->joined = child->next != NULL;
    }
    return RT_OK;
}

enum rt_status rt_scenario_read_steps(struct rt_doc_reader *reader, const struct rt_node *node,
                                      void *record)
{
    struct rt_scenario_test *test = record;
    size_t count = 0;
    for (const struct rt_node *child = node->first; child; child = child->next)
        count += child->kind == RT_NODE_LIST ? child->count : 1;
    if (node->kind != RT_NODE_LIST || count > STEPS_MOST)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`do` must be a list of at most %d steps", STEPS_MOST);
    test->steps = rt_arena_array(reader->arena, count, sizeof *test->steps);
    if (!test->steps)
        return rt_doc_no_memory(reader);
    for (const struct rt_node *child = node->first; child; child = child->next) {
        enum rt_status status = read_reply(reader, child, test);
        if (status)
            return status;
    }
    return RT_OK;
}

// ---- reading

static void note_raters(const struct rt_doc_reader *reader, const struct rt_scenario *scenario)
{
    for (size_t o = 0; o < scenario->outcome_count; o++)
        if (scenario->outcomes[o].rate != RT_RATE_RULES)
            rt_doc_note(
                reader, scenario->outcomes[o].line,
                "`rate` is read and checked, but not played yet: `%s` stays the rules' word",
                scenario->outcomes[o].label);
}

enum rt_status rt_scenario_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                                struct rt_scenario **ret_scenario, struct rt_notes *notes,
                                struct rt_error *err)
{
    struct rt_doc_reader reader = {name, arena, notes, err};
    struct rt_scenario *scenario = rt_arena_alloc(arena, sizeof *scenario);
    if (!scenario)
        return rt_doc_no_memory(&reader);
    enum rt_status status = rt_doc_read(&reader, &rt_scenario_table, text, scenario);
    if (!status)
        status = rt_scenario_resolve(&reader, scenario);
    if (!status)
        status = rt_scenario_check(&reader, scenario);
    if (status)
        return status;
    note_raters(&reader, scenario);
    *ret_scenario = scenario;
    return RT_OK;
}

// ---- the files it names

// A comment at the head of a file (licence, canary) is about the file and no part of its text.
static const char *body_of(const char *text)
{
    const char *end = strncmp(text, "<!--", 4) == 0 ? strstr(text, "-->") : NULL;
    return end ? end + 3 + strspn(end + 3, "\n") : text;
}

static enum rt_status attach(const char *folder, const char *path, size_t most,
                             struct rt_doc_reader *reader, uint32_t line, const char **ret_text)
{
    char whole[4096];
    struct rt_buf text;
    rt_buf_init(&text, most + 1);
    enum rt_status status = RT_OK;
    if (rt_path_join(whole, sizeof whole, folder, path))
        status = rt_doc_fail(reader, RT_TOO_LARGE, line, "%s: the path is too long", path);
    struct rt_error why;
    if (!status && (status = rt_file_read(whole, &text, &why)))
        status = rt_doc_fail(reader, status, line,
                             "%s; at most %zu bytes of text below the "
                             "bench's folder are wanted",
                             why.text, most);
    if (!status && text.size > most)
        status = rt_doc_fail(reader, RT_TOO_LARGE, line, "%s has more than %zu bytes", path, most);
    if (!status && (!rt_utf8_valid(rt_buf_bytes(&text)) || memchr(text.data, 0, text.size)))
        status = rt_doc_fail(reader, RT_MALFORMED, line, "%s is not UTF-8 text", path);
    if (!status) {
        *ret_text = rt_arena_strdup(reader->arena, body_of(rt_buf_str(&text)));
        if (!*ret_text)
            status = rt_doc_no_memory(reader);
    }
    rt_buf_release(&text);
    return status;
}

enum rt_status rt_scenario_attach(struct rt_scenario *scenario, const char *folder,
                                  const char *name, struct rt_arena *arena, struct rt_error *err)
{
    struct rt_doc_reader reader = {name, arena, NULL, err};
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < scenario->file_count && !status; i++)
        status = attach(folder, scenario->files[i].path, RT_SCENARIO_FILE_MOST, &reader,
                        scenario->files[i].line, &scenario->files[i].text);
    struct rt_judge *judge = scenario->judge;
    if (!status && judge && *judge->rubric)
        status = attach(folder, judge->rubric, RT_DOC_TEXT_MOST, &reader, 0, &judge->rubric_text);
    if (!status && scenario->file_count)
        status = rt_scenario_resolve(&reader, scenario);
    if (!status && scenario->file_count)
        status = rt_scenario_check(&reader, scenario);
    return status;
}

// ---- the object

enum rt_status rt_scenario_encode(const struct rt_scenario *scenario,
                                  const uint8_t salt[RT_SALT_BYTES], struct rt_buf *out)
{
    rt_buf_add(out, salt, RT_SALT_BYTES);
    return rt_doc_encode(&rt_scenario_table, scenario, out);
}

enum rt_status rt_scenario_decode(struct rt_bytes object, struct rt_arena *arena,
                                  struct rt_scenario **ret_scenario)
{
    if (object.size < RT_SALT_BYTES)
        return RT_MALFORMED;
    struct rt_bytes body = rt_bytes(object.data + RT_SALT_BYTES, object.size - RT_SALT_BYTES);
    struct rt_doc_reader reader = {.arena = arena};
    struct rt_scenario *scenario = rt_arena_alloc(arena, sizeof *scenario);
    if (!scenario)
        return RT_NO_MEMORY;
    enum rt_status status = rt_doc_decode(&rt_scenario_table, body, arena, scenario);
    if (!status)
        status = rt_scenario_resolve(&reader, scenario);
    if (!status)
        status = rt_scenario_check(&reader, scenario);
    if (!status)
        status = rt_doc_same(&rt_scenario_table, scenario, body);
    if (!status)
        *ret_scenario = scenario;
    return status;
}
