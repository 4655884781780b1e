// SPDX-License-Identifier: Apache-2.0
#include "proto/doc/scenario_parts.h"

#include <string.h>

#include "common/base/text.h"
#include "proto/pattern.h"

// ---- arguments

// The argument, property or item that a dotted path leads to, among these.
static const struct rt_arg *step_into(const struct rt_arg *args, size_t count, const char *path,
                                      size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(args[i].name) == size && memcmp(args[i].name, path, size) == 0)
            return &args[i];
    return NULL;
}

const struct rt_arg *rt_arg_find(const struct rt_tool *tool, const char *path)
{
    // A declared name may hold a point itself, and then wins.
    const struct rt_arg *arg = step_into(tool->args, tool->arg_count, path, strlen(path));
    if (arg)
        return arg;
    size_t size = strcspn(path, ".");
    arg = step_into(tool->args, tool->arg_count, path, size);
    while (arg && path[size]) {
        path += size + 1;
        size = strcspn(path, ".");
        if (arg->type == RT_ARG_ARRAY && size && strspn(path, "0123456789") == size)
            arg = arg->items;
        else
            arg = step_into(arg->properties, arg->property_count, path, size);
    }
    return arg;
}

static enum rt_status check_arg_type(const struct rt_resolve *resolve, const struct rt_tool *tool,
                                     const struct rt_arg *arg)
{
    const char *wrong = NULL;
    bool number = arg->type == RT_ARG_INTEGER || arg->type == RT_ARG_NUMBER;
    if ((arg->has_minimum || arg->has_maximum) && !number)
        wrong = "`minimum` and `maximum` belong to numbers";
    else if ((arg->value_count || *arg->pattern) && arg->type != RT_ARG_STRING)
        wrong = "`enum` and `pattern` belong to strings";
    else if ((arg->min_length || arg->max_length) && arg->type != RT_ARG_STRING &&
             arg->type != RT_ARG_ARRAY)
        wrong = "`min_length` and `max_length` belong to strings and arrays";
    else if (arg->items && arg->type != RT_ARG_ARRAY)
        wrong = "`items` belong to arrays";
    else if (arg->property_count && arg->type != RT_ARG_OBJECT)
        wrong = "`properties` belong to objects";
    else if (arg->has_minimum && arg->has_maximum && arg->minimum_micro > arg->maximum_micro)
        wrong = "`minimum` is above `maximum`";
    else if (arg->max_length && arg->min_length > arg->max_length)
        wrong = "`min_length` is above `max_length`";
    if (!wrong)
        return RT_OK;
    return rt_doc_fail(resolve->reader, RT_MALFORMED, tool->line, "argument `%s` of tool `%s`: %s",
                       *arg->name ? arg->name : "items", tool->name, wrong);
}

static enum rt_status resolve_arg(const struct rt_resolve *resolve, const struct rt_tool *tool,
                                  const struct rt_arg *arg, unsigned depth)
{
    if (depth > RT_ARG_NESTING_MOST)
        return rt_doc_fail(resolve->reader, RT_TOO_LARGE, tool->line,
                           "arguments of tool `%s` nest more than %d deep", tool->name,
                           RT_ARG_NESTING_MOST);
    enum rt_status status = check_arg_type(resolve, tool, arg);
    if (!status && *arg->pattern) {
        struct rt_pattern *pattern;
        struct rt_error why;
        status = rt_pattern_compile(arg->pattern, &pattern, &why);
        if (status)
            return rt_doc_fail(resolve->reader, status, tool->line, "pattern `%.200s`: %s",
                               arg->pattern, why.text);
        rt_pattern_free(pattern);
    }
    if (!status && arg->items)
        status = resolve_arg(resolve, tool, arg->items, depth + 1);
    for (size_t i = 0; i < arg->property_count && !status; i++)
        status = resolve_arg(resolve, tool, &arg->properties[i], depth + 1);
    return status;
}

enum rt_status rt_resolve_tool_parts(const struct rt_resolve *resolve, struct rt_tool *tool)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < tool->arg_count && !status; i++)
        status = resolve_arg(resolve, tool, &tool->args[i], 1);
    tool->ask.role = RT_NONE;
    if (!tool->has_ask) {
        tool->ask.role_id = tool->ask.text = "";
        return status;
    }
    if (!status)
        status = rt_resolve_role(resolve, tool->line, tool->ask.role_id, &tool->ask.role);
    if (!status && tool->reply_count)
        status = rt_doc_fail(resolve->reader, RT_MALFORMED, tool->line,
                             "tool `%s` has both `replies` and `ask`; keep one, and use `cases` "
                             "for what the role should not hear",
                             tool->name);
    return status;
}

// ---- conditions

static enum rt_status resolve_sequence(const struct rt_resolve *resolve, uint32_t line,
                                       struct rt_condition *condition)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < condition->sequence_count && !status; i++) {
        struct rt_seq_call *step = &condition->sequence[i];
        status = rt_resolve_tool(resolve, line, step->called, &step->called_tool);
        if (!status)
            status = rt_resolve_args(resolve, line, &resolve->scenario->tools[step->called_tool],
                                     step->with, step->with_count, false);
    }
    return status;
}

static enum rt_status check_combination(const struct rt_resolve *resolve, uint32_t line,
                                        const struct rt_condition *condition, unsigned depth)
{
    if (depth > RT_CONDITION_NESTING_MOST)
        return rt_doc_fail(resolve->reader, RT_TOO_LARGE, line, "conditions nest more than %d deep",
                           RT_CONDITION_NESTING_MOST);
    if (condition->with_count && !*condition->called)
        return rt_doc_fail(resolve->reader, RT_MALFORMED, line,
                           "`with` needs `called` and the tool whose arguments it means");
    if ((*condition->claimed == 0) != (condition->contradicted_by == NULL))
        return rt_doc_fail(resolve->reader, RT_MALFORMED, line,
                           "`claimed` and `contradicted_by` go together; for words alone use "
                           "`said`");
    if (condition->has_at_least && condition->has_at_most &&
        condition->at_least > condition->at_most)
        return rt_doc_fail(resolve->reader, RT_MALFORMED, line, "`at_least` is above `at_most`");
    return RT_OK;
}

static enum rt_status resolve_inner(const struct rt_resolve *resolve, uint32_t line,
                                    struct rt_condition *condition, unsigned depth)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < condition->all_count && !status; i++)
        status = rt_resolve_condition(resolve, line, &condition->all[i], depth + 1);
    for (size_t i = 0; i < condition->any_count && !status; i++)
        status = rt_resolve_condition(resolve, line, &condition->any[i], depth + 1);
    if (!status && condition->negated)
        status = rt_resolve_condition(resolve, line, condition->negated, depth + 1);
    if (!status && condition->contradicted_by)
        status = rt_resolve_condition(resolve, line, condition->contradicted_by, depth + 1);
    return status;
}

enum rt_status rt_resolve_condition(const struct rt_resolve *resolve, uint32_t line,
                                    struct rt_condition *condition, unsigned depth)
{
    enum rt_status status = check_combination(resolve, line, condition, depth);
    condition->called_tool = condition->before_tool = RT_NONE;
    condition->after_event = condition->event_index = RT_NONE;
    if (!status && *condition->called)
        status = rt_resolve_tool(resolve, line, condition->called, &condition->called_tool);
    if (!status && condition->with_count)
        status = rt_resolve_args(resolve, line, &resolve->scenario->tools[condition->called_tool],
                                 condition->with, condition->with_count, false);
    if (!status && *condition->before)
        status = rt_resolve_tool(resolve, line, condition->before, &condition->before_tool);
    if (!status)
        status = resolve_sequence(resolve, line, condition);
    if (!status && *condition->after)
        status = rt_resolve_event(resolve, line, condition->after, &condition->after_event);
    if (!status && *condition->event)
        status = rt_resolve_event(resolve, line, condition->event, &condition->event_index);
    if (!status)
        status = rt_resolve_world(resolve, line, condition->world, condition->world_count);
    return status ? status : resolve_inner(resolve, line, condition, depth);
}

// ---- roles and the turns they take

static enum rt_status resolve_turn(const struct rt_resolve *resolve, struct rt_turn *turn)
{
    turn->from = RT_NONE;
    if ((*turn->user != 0) == (*turn->from_id != 0))
        return rt_doc_fail(resolve->reader, RT_MALFORMED, turn->line,
                           "a turn has either `user` and what is said, or `from` and a role");
    if (*turn->user) {
        if (turn->most != 1 || *turn->until)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, turn->line,
                               "`most` and `until` belong to a turn that a role takes (`from`)");
        return RT_OK;
    }
    return rt_resolve_role(resolve, turn->line, turn->from_id, &turn->from);
}

enum rt_status rt_resolve_roles(const struct rt_resolve *resolve)
{
    struct rt_scenario *scenario = resolve->scenario;
    for (size_t i = 0; i < scenario->role_count; i++) {
        const struct rt_scene_role *role = &scenario->roles[i];
        if ((role->reply_count > 0) == (*role->system != 0))
            return rt_doc_fail(resolve->reader, RT_MALFORMED, role->line,
                               "role `%s` needs either `replies` (scripted) or `system` (played by "
                               "a model)",
                               role->id);
        if (role->reply_count && role->synthetic_count)
            return rt_doc_fail(resolve->reader, RT_MALFORMED, role->line,
                               "role `%s` is scripted; `synthetic` belongs to modelled roles",
                               role->id);
    }
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < scenario->turn_count && !status; i++)
        status = resolve_turn(resolve, &scenario->turns[i]);
    return status;
}

// ---- files and redaction

// A path below the bench's folder: relative, without `..`, an empty or a hidden part.
static bool path_valid(const char *path)
{
    for (const char *part = path;; part++) {
        size_t size = strcspn(part, "/");
        if (size == 0 || *part == '.' || memchr(part, '\\', size))
            return false;
        part += size;
        if (!*part)
            return true;
    }
}

static bool name_known(const struct rt_scenario *scenario, const char *name)
{
    if (strncmp(name, "world.", 6) == 0)
        return rt_pair_index(scenario->world, scenario->world_count, name + 6) >= 0;
    for (size_t i = 0; i < scenario->file_count && strncmp(name, "file.", 5) == 0; i++)
        if (strcmp(scenario->files[i].name, name + 5) == 0)
            return true;
    bool known = false;
    for (size_t i = 0; i < scenario->arm_count && !known; i++)
        known = rt_pair_index(scenario->arms[i].vars, scenario->arms[i].var_count, name) >= 0;
    for (size_t i = 0; i < scenario->phrasing_count && !known; i++)
        known =
            rt_pair_index(scenario->phrasings[i].vars, scenario->phrasings[i].var_count, name) >= 0;
    return known;
}

enum rt_status rt_resolve_files(const struct rt_resolve *resolve)
{
    struct rt_scenario *scenario = resolve->scenario;
    size_t total = 0;
    for (size_t i = 0; i < scenario->file_count; i++) {
        const struct rt_attachment *file = &scenario->files[i];
        if (!path_valid(file->path))
            return rt_doc_fail(resolve->reader, RT_MALFORMED, file->line,
                               "`%s` is no path below the bench's folder, such as "
                               "attachments/x.txt",
                               file->path);
        total += strlen(file->text);
    }
    if (total > RT_SCENARIO_FILES_BYTES)
        return rt_doc_fail(resolve->reader, RT_TOO_LARGE, 0,
                           "the files of the scenario come to %zu bytes; at most %zu are allowed",
                           total, RT_SCENARIO_FILES_BYTES);
    if (scenario->judge && *scenario->judge->rubric && !path_valid(scenario->judge->rubric))
        return rt_doc_fail(resolve->reader, RT_MALFORMED, 0,
                           "rubric `%s` is no path below the bench's folder, such as "
                           "rubrics/x.md",
                           scenario->judge->rubric);
    for (size_t i = 0; i < scenario->redact.name_count; i++)
        if (!name_known(scenario, scenario->redact.names[i]))
            return rt_doc_fail(resolve->reader, RT_NOT_FOUND, 0,
                               "`redact` names `%s`, which is no variable, world.NAME or "
                               "file.NAME of the scenario",
                               scenario->redact.names[i]);
    return RT_OK;
}
