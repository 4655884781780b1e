// SPDX-License-Identifier: Apache-2.0
#include "proto/scenario.h"

#include <string.h>

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
