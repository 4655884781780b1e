// SPDX-License-Identifier: Apache-2.0
// References of a scenario, by name in the text and by index in the struct.
#include <inttypes.h>
#include <string.h>

#include "proto/doc/scenario_parts.h"

enum rt_status rt_resolve_unknown(const struct rt_resolve *resolve, uint32_t line, const char *what,
                                  const char *word, const char *const *list)
{
    return rt_doc_fail(resolve->reader, RT_NOT_FOUND, line, "%s `%s` is not in the scenario%s",
                       what, word, rt_doc_suggest(resolve->reader, word, list));
}

enum rt_status rt_resolve_tool(const struct rt_resolve *resolve, uint32_t line, const char *name,
                               uint32_t *ret_index)
{
    const struct rt_scenario *scenario = resolve->scenario;
    const char *list[RT_SCENARIO_TOOLS_MOST + 1];
    for (uint32_t i = 0; i < scenario->tool_count; i++) {
        list[i] = scenario->tools[i].name;
        if (strcmp(list[i], name) == 0) {
            *ret_index = i;
            return RT_OK;
        }
    }
    list[scenario->tool_count] = NULL;
    return rt_resolve_unknown(resolve, line, "tool", name, list);
}

enum rt_status rt_resolve_event(const struct rt_resolve *resolve, uint32_t line, const char *id,
                                uint32_t *ret_index)
{
    const struct rt_scenario *scenario = resolve->scenario;
    const char *list[RT_SCENARIO_EVENTS_MOST + 1];
    for (uint32_t i = 0; i < scenario->event_count; i++) {
        list[i] = scenario->events[i].id;
        if (strcmp(list[i], id) == 0) {
            *ret_index = i;
            return RT_OK;
        }
    }
    list[scenario->event_count] = NULL;
    return rt_resolve_unknown(resolve, line, "event", id, list);
}

enum rt_status rt_resolve_role(const struct rt_resolve *resolve, uint32_t line, const char *id,
                               uint32_t *ret_index)
{
    const struct rt_scenario *scenario = resolve->scenario;
    const char *list[RT_SCENARIO_ROLES_MOST + 1];
    for (uint32_t i = 0; i < scenario->role_count; i++) {
        list[i] = scenario->roles[i].id;
        if (strcmp(list[i], id) == 0) {
            *ret_index = i;
            return RT_OK;
        }
    }
    list[scenario->role_count] = NULL;
    return rt_resolve_unknown(resolve, line, "role", id, list);
}

static enum rt_status find_arm(const struct rt_resolve *resolve, uint32_t line, const char *id,
                               uint32_t *ret_index)
{
    const struct rt_scenario *scenario = resolve->scenario;
    const char *list[RT_SCENARIO_ARMS_MOST + 1];
    for (uint32_t i = 0; i < scenario->arm_count; i++) {
        list[i] = scenario->arms[i].id;
        if (strcmp(list[i], id) == 0) {
            *ret_index = i;
            return RT_OK;
        }
    }
    list[scenario->arm_count] = NULL;
    return rt_resolve_unknown(resolve, line, "arm", id, list);
}

static enum rt_status find_phrasing(const struct rt_resolve *resolve, uint32_t line, const char *id,
                                    uint32_t *ret_index)
{
    const struct rt_scenario *scenario = resolve->scenario;
    const char *list[RT_SCENARIO_PHRASINGS_MOST + 1];
    for (uint32_t i = 0; i < scenario->phrasing_count; i++) {
        list[i] = scenario->phrasings[i].id;
        if (strcmp(list[i], id) == 0) {
            *ret_index = i;
            return RT_OK;
        }
    }
    list[scenario->phrasing_count] = NULL;
    return rt_resolve_unknown(resolve, line, "phrasing", id, list);
}

// Every name of pairs must be in the world.
enum rt_status rt_resolve_world(const struct rt_resolve *resolve, uint32_t line,
                                const struct rt_pair *pairs, size_t count)
{
    const struct rt_scenario *scenario = resolve->scenario;
    for (size_t i = 0; i < count; i++) {
        if (rt_pair_index(scenario->world, scenario->world_count, pairs[i].name) >= 0)
            continue;
        const char *list[RT_SCENARIO_WORLD_MOST + 1];
        for (size_t w = 0; w < scenario->world_count; w++)
            list[w] = scenario->world[w].name;
        list[scenario->world_count] = NULL;
        return rt_resolve_unknown(resolve, line, "world name", pairs[i].name, list);
    }
    return RT_OK;
}

// Every name of pairs must be an argument of the tool; with `complete`, none required may lack.
enum rt_status rt_resolve_args(const struct rt_resolve *resolve, uint32_t line,
                               const struct rt_tool *tool, const struct rt_pair *pairs,
                               size_t count, bool complete)
{
    const char *list[33];
    for (size_t a = 0; a < tool->arg_count; a++)
        list[a] = tool->args[a].name;
    list[tool->arg_count] = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!rt_arg_find(tool, pairs[i].name))
            return rt_doc_fail(resolve->reader, RT_NOT_FOUND, line,
                               "`%s` is no argument of tool `%s`%s", pairs[i].name, tool->name,
                               rt_doc_suggest(resolve->reader, pairs[i].name, list));
    }
    for (size_t a = 0; complete && a < tool->arg_count; a++)
        if (tool->args[a].required && rt_pair_index(pairs, count, list[a]) < 0)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, line,
                               "tool `%s` needs the argument `%s`", tool->name, list[a]);
    return RT_OK;
}

// ---- parts

static enum rt_status resolve_arms(const struct rt_resolve *resolve)
{
    struct rt_scenario *scenario = resolve->scenario;
    for (size_t i = 0; i < scenario->arm_count; i++) {
        struct rt_arm *arm = &scenario->arms[i];
        arm->of = RT_NONE;
        if (arm->role == RT_ARM_TREATMENT && *arm->of_id)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, arm->line,
                               "arm `%s` is a treatment; `of` belongs to inert arms", arm->id);
        if (arm->role == RT_ARM_TREATMENT)
            continue;
        if (!*arm->of_id)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, arm->line,
                               "inert arm `%s` needs `of:` and the treatment arm it belongs to",
                               arm->id);
        enum rt_status status = find_arm(resolve, arm->line, arm->of_id, &arm->of);
        if (status)
            return status;
        if (scenario->arms[arm->of].role != RT_ARM_TREATMENT)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, arm->line,
                               "arm `%s` is of `%s`, which is no treatment arm", arm->id,
                               arm->of_id);
    }
    return RT_OK;
}

static bool same_pairs(const struct rt_pair *a, size_t a_count, const struct rt_pair *b,
                       size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i].name, b[i].name) != 0 || strcmp(a[i].value, b[i].value) != 0)
            return false;
    return true;
}

static enum rt_status resolve_phrasings(const struct rt_resolve *resolve)
{
    struct rt_scenario *scenario = resolve->scenario;
    for (size_t i = 0; i < scenario->phrasing_count; i++) {
        struct rt_phrasing *phrasing = &scenario->phrasings[i];
        phrasing->same_as = RT_NONE;
        if (!*phrasing->same_as_id) {
            if (!*phrasing->lang)
                return rt_doc_fail(resolve->reader, RT_MALFORMED, phrasing->line,
                                   "phrasing `%s` needs `lang:` (en, es, de, ...)", phrasing->id);
            continue;
        }
        enum rt_status status =
            find_phrasing(resolve, phrasing->line, phrasing->same_as_id, &phrasing->same_as);
        if (status)
            return status;
        const struct rt_phrasing *source = &scenario->phrasings[phrasing->same_as];
        if (source == phrasing || *source->same_as_id)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, phrasing->line,
                               "`same_as: %s` must name a phrasing with texts of its own",
                               phrasing->same_as_id);
        if (phrasing->var_count == 0 && !*phrasing->lang) {
            phrasing->lang = source->lang;
            phrasing->vars = source->vars;
            phrasing->var_count = source->var_count;
        } else if (strcmp(phrasing->lang, source->lang) != 0 ||
                   !same_pairs(phrasing->vars, phrasing->var_count, source->vars,
                               source->var_count)) {
            return rt_doc_fail(resolve->reader, RT_MALFORMED, phrasing->line,
                               "phrasing `%s` takes everything from `%s`; remove its other keys",
                               phrasing->id, source->id);
        }
    }
    return RT_OK;
}

// A name means one thing: arms and phrasings may not both have it.
static enum rt_status check_variables(const struct rt_resolve *resolve)
{
    const struct rt_scenario *scenario = resolve->scenario;
    for (size_t a = 0; a < scenario->arm_count; a++)
        for (size_t v = 0; v < scenario->arms[a].var_count; v++) {
            const char *name = scenario->arms[a].vars[v].name;
            for (size_t p = 0; p < scenario->phrasing_count; p++)
                if (rt_pair_value(scenario->phrasings[p].vars, scenario->phrasings[p].var_count,
                                  name))
                    return rt_doc_fail(resolve->reader, RT_CONFLICT, scenario->arms[a].line,
                                       "`%s` is a variable of arm `%s` and of phrasing `%s`; "
                                       "rename one",
                                       name, scenario->arms[a].id, scenario->phrasings[p].id);
        }
    return RT_OK;
}

static enum rt_status resolve_tools(const struct rt_resolve *resolve)
{
    const struct rt_scenario *scenario = resolve->scenario;
    for (size_t t = 0; t < scenario->tool_count; t++) {
        struct rt_tool *tool = &scenario->tools[t];
        if (strcmp(tool->name, "say") == 0)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, tool->line,
                               "a tool cannot be called `say`: tests use the word for speech");
        enum rt_status status = rt_resolve_tool_parts(resolve, tool);
        if (status)
            return status;
        bool always = tool->reply_count > 0 || tool->has_ask;
        for (size_t c = 0; c < tool->case_count; c++) {
            const struct rt_case *row = &tool->cases[c];
            status =
                rt_resolve_args(resolve, row->line, tool, row->matches, row->match_count, false);
            if (!status)
                status = rt_resolve_world(resolve, row->line, row->world, row->world_count);
            if (!status)
                status = rt_resolve_world(resolve, row->line, row->sets, row->set_count);
            if (status)
                return status;
            always = always || (row->match_count == 0 && row->world_count == 0);
        }
        if (!always)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, tool->line,
                               "tool `%s` has calls without a reply; end its cases with one that "
                               "has no `if`, or give `replies`",
                               tool->name);
    }
    return RT_OK;
}

static enum rt_status resolve_events(const struct rt_resolve *resolve)
{
    struct rt_scenario *scenario = resolve->scenario;
    for (size_t e = 0; e < scenario->event_count; e++) {
        struct rt_scene_event *event = &scenario->events[e];
        struct rt_when *when = &event->when;
        when->tool = RT_NONE;
        for (size_t before = 0; before < e; before++)
            if (strcmp(scenario->events[before].id, event->id) == 0)
                return rt_doc_fail(resolve->reader, RT_CONFLICT, event->line,
                                   "event `%s` is there twice", event->id);
        if (!*when->after_tool && when->turn == 0 && when->world_count == 0)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, event->line,
                               "event `%s` needs `after_tool`, `turn` or `world` in `when`",
                               event->id);
        if (*when->after_tool && when->turn != 0)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, event->line,
                               "event `%s` has both `after_tool` and `turn`; keep one", event->id);
        if (when->call && !*when->after_tool)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, event->line,
                               "event `%s`: `call` counts calls of `after_tool`, which is missing",
                               event->id);
        uint64_t turns = 0;
        for (size_t i = 0; i < scenario->turn_count; i++)
            turns += scenario->turns[i].most;
        if (when->turn > turns)
            return rt_doc_fail(resolve->reader, RT_OUT_OF_RANGE, event->line,
                               "event `%s` rides on user turn %u of %" PRIu64, event->id,
                               when->turn, turns);
        enum rt_status status = RT_OK;
        if (*when->after_tool)
            status = rt_resolve_tool(resolve, event->line, when->after_tool, &when->tool);
        if (!status)
            status = rt_resolve_world(resolve, event->line, when->world, when->world_count);
        if (!status)
            status = rt_resolve_world(resolve, event->line, event->sets, event->set_count);
        if (status)
            return status;
    }
    return RT_OK;
}

static enum rt_status resolve_outcomes(const struct rt_resolve *resolve)
{
    struct rt_scenario *scenario = resolve->scenario;
    for (size_t o = 0; o < scenario->outcome_count; o++) {
        struct rt_outcome *outcome = &scenario->outcomes[o];
        enum rt_status status = rt_resolve_condition(resolve, outcome->line, &outcome->when, 0);
        if (status)
            return status;
        bool last = o + 1 == scenario->outcome_count;
        if (last && outcome->has_if)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, outcome->line,
                               "some plays would get no label; end `outcomes` with one that has "
                               "no `if`");
        if (!last && !outcome->has_if)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, outcome->line,
                               "outcome `%s` has no `if`, so nothing after it is ever reached",
                               outcome->label);
    }
    // A line for exposed_if is not kept; its first outcome's is near enough for a reader to find
    // it.
    return scenario->has_exposed_if ? rt_resolve_condition(resolve, 0, &scenario->exposed_if, 0)
                                    : RT_OK;
}

static enum rt_status resolve_script(const struct rt_resolve *resolve, const char *what,
                                     struct rt_script *script)
{
    script->tool_index = RT_NONE;
    if (!*script->tool)
        return RT_OK;
    enum rt_status status = rt_resolve_tool(resolve, 0, script->tool, &script->tool_index);
    if (!status)
        status = rt_resolve_args(resolve, 0, &resolve->scenario->tools[script->tool_index],
                                 script->args, script->arg_count, true);
    if (status && resolve->reader->err)
        rt_error_wrap(resolve->reader->err, "synthetic.%s", what);
    return status;
}

static enum rt_status resolve_test(const struct rt_resolve *resolve, struct rt_scenario_test *test)
{
    static const char *const statuses[] = {"not_exposed", "truncated", "bad_format", NULL};
    const struct rt_scenario *scenario = resolve->scenario;
    enum rt_status status = find_arm(resolve, test->line, test->arm_id, &test->arm);
    if (!status && *test->phrasing_id)
        status = find_phrasing(resolve, test->line, test->phrasing_id, &test->phrasing);
    for (size_t s = 0; s < test->step_count && !status; s++) {
        struct rt_step *step = &test->steps[s];
        step->tool_index = step->as = RT_NONE;
        if (*step->as_id)
            status = rt_resolve_role(resolve, test->line, step->as_id, &step->as);
        if (!*step->tool)
            continue;
        status = rt_resolve_tool(resolve, test->line, step->tool, &step->tool_index);
        if (!status)
            status = rt_resolve_args(resolve, test->line, &scenario->tools[step->tool_index],
                                     step->args, step->arg_count, false);
    }
    if (status)
        return status;
    const char *list[RT_SCENARIO_OUTCOMES_MOST + 4];
    size_t count = 0;
    for (; statuses[count]; count++)
        list[count] = statuses[count];
    for (size_t o = 0; o < scenario->outcome_count; o++)
        list[count++] = scenario->outcomes[o].label;
    list[count] = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], test->expect) == 0)
            return RT_OK;
    return rt_resolve_unknown(resolve, test->line, "outcome", test->expect, list);
}

enum rt_status rt_scenario_resolve(struct rt_doc_reader *reader, struct rt_scenario *scenario)
{
    const struct rt_resolve resolve = {reader, scenario};
    enum rt_status status = resolve_arms(&resolve);
    if (!status)
        status = resolve_phrasings(&resolve);
    if (!status)
        status = check_variables(&resolve);
    if (!status)
        status = rt_resolve_roles(&resolve);
    if (!status)
        status = rt_resolve_files(&resolve);
    if (!status)
        status = resolve_tools(&resolve);
    if (!status)
        status = resolve_events(&resolve);
    if (!status)
        status = resolve_outcomes(&resolve);
    if (!status)
        status = resolve_script(&resolve, "work", &scenario->synthetic.work);
    if (!status)
        status = resolve_script(&resolve, "tamper", &scenario->synthetic.tamper);
    if (!status)
        status = resolve_script(&resolve, "attempt", &scenario->synthetic.attempt);
    for (size_t t = 0; t < scenario->test_count && !status; t++)
        status = resolve_test(&resolve, &scenario->tests[t]);
    return status;
}
