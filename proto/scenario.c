// SPDX-License-Identifier: Apache-2.0
#include "proto/scenario.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "proto/doc/scenario_doc.h"

// ---- tests: steps are a tool's name, {tool: {argument: value}} or {say: text}

static enum rt_status read_step(struct rt_doc_reader *reader, const struct rt_node *node,
                                struct rt_step *step)
{
    step->tool = step->say = "";
    step->tool_index = RT_NONE;
    if (node->kind == RT_NODE_SCALAR) {
        step->tool = node->text;
        return *step->tool ? RT_OK : rt_doc_fail(reader, RT_MALFORMED, node->line, "an empty step");
    }
    const struct rt_node *only = node->first;
    if (node->kind != RT_NODE_MAP || node->count != 1)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "a step is a tool's name, {tool: {argument: value}} or {say: text}");
    if (strcmp(only->key, "say") == 0) {
        if (only->kind != RT_NODE_SCALAR)
            return rt_doc_fail(reader, RT_MALFORMED, only->line, "`say` must be a text");
        step->say = only->text;
        return RT_OK;
    }
    step->tool = only->key;
    return rt_doc_read_pairs(reader, only->key, only, RT_SCENARIO_PAIRS_MOST, &step->args,
                             &step->arg_count);
}

enum rt_status rt_scenario_read_steps(struct rt_doc_reader *reader, const struct rt_node *node,
                                      void *record)
{
    struct rt_scenario_test *test = record;
    if (node->kind != RT_NODE_LIST || node->count > 1000)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`do` must be a list of at most 1000 steps");
    test->steps = rt_arena_array(reader->arena, node->count, sizeof *test->steps);
    if (!test->steps)
        return rt_doc_no_memory(reader);
    for (const struct rt_node *child = node->first; child; child = child->next) {
        enum rt_status status = read_step(reader, child, &test->steps[test->step_count++]);
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
        *ret_text = rt_arena_strdup(reader->arena, rt_buf_str(&text));
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
