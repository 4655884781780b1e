// SPDX-License-Identifier: Apache-2.0
// Templates: what they expand to, and the check that every one of them does so in every arm and
// phrasing, with every pattern valid.
#include <ctype.h>
#include <string.h>

#include "proto/doc/scenario_doc.h"
#include "proto/pattern.h"

#define NESTING_MOST  4
#define EXPANDED_MOST ((size_t)256 << 20) // bytes over all checks of one scenario

// ---- expansion

struct expansion {
    const struct rt_scene *scene;
    enum rt_expand how;
    struct rt_buf *out;
    size_t start;        // size of out when the expansion began
    struct rt_bytes bad; // the name that is unknown
};

// Text as it is, or so that PCRE2 takes every byte for itself (a backslash before whatever is not
// alphanumeric; bytes of longer UTF-8 sequences stay).
static void add_literal(struct expansion *expansion, const char *text, size_t size, bool quote)
{
    if (!quote) {
        rt_buf_add(expansion->out, text, size);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x80 && !isalnum(c))
            rt_buf_add_u8(expansion->out, '\\');
        rt_buf_add_u8(expansion->out, c);
    }
}

// The value of name, and whether its own {{...}} are to be expanded.
static const char *value_of(const struct rt_scene *scene, const char *name, bool *ret_nested)
{
    const struct rt_scenario *scenario = scene->scenario;
    *ret_nested = false;
    if (scene->tool && strncmp(name, "args.", 5) == 0) {
        const char *given = rt_pair_value(scene->args, scene->arg_count, name + 5);
        return given ? given : rt_arg_find(scene->tool, name + 5) ? "" : NULL;
    }
    for (size_t i = 0; i < scenario->file_count && strncmp(name, "file.", 5) == 0; i++)
        if (strcmp(scenario->files[i].name, name + 5) == 0)
            return scenario->files[i].text;
    *ret_nested = true;
    if (strncmp(name, "world.", 6) == 0) {
        int i = rt_pair_index(scenario->world, scenario->world_count, name + 6);
        if (i < 0)
            return NULL;
        *ret_nested = !scene->world;
        return scene->world ? scene->world[i] : scenario->world[i].value;
    }
    const struct rt_arm *arm = &scenario->arms[scene->arm];
    const struct rt_phrasing *phrasing = &scenario->phrasings[scene->phrasing];
    const char *value = rt_pair_value(arm->vars, arm->var_count, name);
    return value ? value : rt_pair_value(phrasing->vars, phrasing->var_count, name);
}

static enum rt_status expand(struct expansion *expansion, const char *text, unsigned depth)
{
    bool quote = depth > 0 && expansion->how == RT_EXPAND_PATTERN;
    if (depth > NESTING_MOST)
        return RT_TOO_LARGE;
    for (;;) {
        const char *open = strstr(text, "{{");
        const char *close = open ? strstr(open, "}}") : NULL;
        add_literal(expansion, text, open ? (size_t)(open - text) : strlen(text), quote);
        if (expansion->out->size - expansion->start >
            rt_scenario_expanded_most(expansion->scene->scenario))
            return RT_TOO_LARGE;
        if (!open)
            return rt_buf_ok(expansion->out);
        char name[80];
        size_t size = close ? (size_t)(close - open - 2) : 0;
        expansion->bad = rt_bytes(open + 2, close ? size : strlen(open + 2));
        if (!close || size >= sizeof name)
            return RT_NOT_FOUND;
        memcpy(name, open + 2, size);
        name[size] = 0;
        bool nested;
        const char *value = value_of(expansion->scene, name, &nested);
        if (!value)
            return RT_NOT_FOUND;
        enum rt_status status = RT_OK;
        if (nested)
            status = expand(expansion, value, depth + 1);
        else
            add_literal(expansion, value, strlen(value), expansion->how == RT_EXPAND_PATTERN);
        if (status)
            return status;
        text = close + 2;
    }
}

size_t rt_scenario_expanded_most(const struct rt_scenario *scenario)
{
    size_t most = RT_SCENARIO_TEXT_MOST;
    for (size_t i = 0; i < scenario->file_count; i++)
        most += strlen(scenario->files[i].text);
    return most;
}

static const char *const placement_words[] = {"system", "developer", "user", "none", NULL};

enum rt_placement rt_scenario_placement(const struct rt_scene *scene)
{
    struct rt_buf word;
    enum rt_placement placement = RT_PLACEMENT_SYSTEM;
    rt_buf_init(&word, RT_SCENARIO_TEXT_MOST);
    if (rt_scenario_expand(scene, scene->scenario->system_as, RT_EXPAND_TEXT, &word) == RT_OK)
        for (int i = 0; placement_words[i]; i++)
            if (strcmp(rt_buf_str(&word), placement_words[i]) == 0)
                placement = (enum rt_placement)i;
    rt_buf_release(&word);
    return placement;
}

enum rt_status rt_scenario_expand(const struct rt_scene *scene, const char *text,
                                  enum rt_expand how, struct rt_buf *out)
{
    struct expansion expansion = {.scene = scene, .how = how, .out = out, .start = out->size};
    return expand(&expansion, text, 0);
}

// ---- the check

struct check {
    struct rt_doc_reader *reader;
    const struct rt_scenario *scenario;
    struct rt_buf text;
    size_t expanded_bytes;
    const struct rt_tool *tool; // whose arguments the text may name
};

enum form { FORM_TEXT, FORM_PATTERN, FORM_TRUTH, FORM_PLACEMENT };

static enum rt_status check_form(struct check *check, const char *text, enum form form,
                                 uint32_t line)
{
    if (form == FORM_TRUTH && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return rt_doc_fail(check->reader, RT_MALFORMED, line,
                           "`end` comes to `%s`; it must be true or false in every arm", text);
    for (int i = 0; form == FORM_PLACEMENT && strcmp(text, placement_words[i]) != 0; i++)
        if (!placement_words[i + 1])
            return rt_doc_fail(check->reader, RT_MALFORMED, line,
                               "`system_as` comes to `%s`; it must be system, developer, user or "
                               "none in every arm",
                               text);
    if (form != FORM_PATTERN)
        return RT_OK;
    struct rt_pattern *pattern;
    struct rt_error why;
    enum rt_status status = rt_pattern_compile(text, &pattern, &why);
    if (status)
        return rt_doc_fail(check->reader, status, line, "pattern `%.200s`: %s", text, why.text);
    rt_pattern_free(pattern);
    return RT_OK;
}

static enum rt_status check_in(struct check *check, const char *text, enum form form, uint32_t line,
                               const struct rt_scene *scene)
{
    rt_buf_clear(&check->text);
    struct expansion expansion = {
        .scene = scene,
        .how = form == FORM_PATTERN ? RT_EXPAND_PATTERN : RT_EXPAND_TEXT,
        .out = &check->text,
    };
    enum rt_status status = expand(&expansion, text, 0);
    check->expanded_bytes += check->text.size + 64;
    const char *arm = check->scenario->arms[scene->arm].id;
    const char *phrasing = check->scenario->phrasings[scene->phrasing].id;
    if (status == RT_NOT_FOUND)
        return rt_doc_fail(check->reader, status, line,
                           "{{%.*s}} is no variable of arm `%s` or phrasing `%s`; give it in every "
                           "arm, or in every phrasing",
                           (int)(expansion.bad.size > 60 ? 60 : expansion.bad.size),
                           (const char *)expansion.bad.data, arm, phrasing);
    if (!status && check->expanded_bytes > EXPANDED_MOST)
        status = RT_TOO_LARGE;
    if (status)
        return rt_doc_fail(check->reader, status, line,
                           "a text expands without end, or beyond %d bytes, in arm `%s`, "
                           "phrasing `%s`",
                           RT_SCENARIO_TEXT_MOST, arm, phrasing);
    return check_form(check, rt_buf_str(&check->text), form, line);
}

static enum rt_status check_text(struct check *check, const char *text, enum form form,
                                 uint32_t line)
{
    if (!*text && form != FORM_TRUTH && form != FORM_PLACEMENT)
        return RT_OK;
    if (!strstr(text, "{{"))
        return check_form(check, text, form, line);
    const struct rt_scenario *scenario = check->scenario;
    for (uint32_t a = 0; a < scenario->arm_count; a++)
        for (uint32_t p = 0; p < scenario->phrasing_count; p++) {
            const struct rt_scene scene = {
                .scenario = scenario, .arm = a, .phrasing = p, .tool = check->tool};
            enum rt_status status = check_in(check, text, form, line, &scene);
            if (status)
                return status;
        }
    return RT_OK;
}

static enum rt_status check_pairs(struct check *check, const struct rt_pair *pairs, size_t count,
                                  enum form form, uint32_t line)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = check_text(check, pairs[i].value, form, line);
    return status;
}

static enum rt_status check_texts(struct check *check, const char *const *texts, size_t count,
                                  uint32_t line)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = check_text(check, texts[i], FORM_TEXT, line);
    return status;
}

static enum rt_status check_tool(struct check *check, const struct rt_tool *tool)
{
    enum rt_status status = check_text(check, tool->description, FORM_TEXT, tool->line);
    check->tool = tool;
    for (size_t c = 0; c < tool->case_count && !status; c++) {
        const struct rt_case *row = &tool->cases[c];
        status = check_pairs(check, row->matches, row->match_count, FORM_PATTERN, row->line);
        if (!status)
            status = check_pairs(check, row->world, row->world_count, FORM_TEXT, row->line);
        if (!status)
            status = check_pairs(check, row->sets, row->set_count, FORM_TEXT, row->line);
        if (!status)
            status = check_text(check, row->reply, FORM_TEXT, row->line);
    }
    if (!status)
        status = check_texts(check, tool->replies, tool->reply_count, tool->line);
    if (!status && tool->has_ask)
        status = check_text(check, tool->ask.text, FORM_TEXT, tool->line);
    check->tool = NULL;
    return status;
}

static enum rt_status check_role(struct check *check, const struct rt_scene_role *role)
{
    enum rt_status status = check_text(check, role->system, FORM_TEXT, role->line);
    if (!status)
        status = check_text(check, role->opening, FORM_TEXT, role->line);
    if (!status)
        status = check_texts(check, role->replies, role->reply_count, role->line);
    if (!status)
        status = check_texts(check, role->synthetic, role->synthetic_count, role->line);
    return status;
}

static enum rt_status check_event(struct check *check, const struct rt_scene_event *event)
{
    enum rt_status status = check_text(check, event->append, FORM_TEXT, event->line);
    if (!status)
        status = check_text(check, event->end, FORM_TRUTH, event->line);
    if (!status)
        status =
            check_pairs(check, event->when.world, event->when.world_count, FORM_TEXT, event->line);
    if (!status)
        status = check_pairs(check, event->sets, event->set_count, FORM_TEXT, event->line);
    return status;
}

static enum rt_status check_condition(struct check *check, const struct rt_condition *condition,
                                      uint32_t line)
{
    enum rt_status status =
        check_pairs(check, condition->with, condition->with_count, FORM_PATTERN, line);
    if (!status)
        status = check_pairs(check, condition->world, condition->world_count, FORM_TEXT, line);
    if (!status)
        status = check_text(check, condition->said, FORM_PATTERN, line);
    if (!status)
        status = check_text(check, condition->claimed, FORM_PATTERN, line);
    for (size_t i = 0; i < condition->sequence_count && !status; i++)
        status = check_pairs(check, condition->sequence[i].with, condition->sequence[i].with_count,
                             FORM_PATTERN, line);
    for (size_t i = 0; i < condition->all_count && !status; i++)
        status = check_condition(check, &condition->all[i], line);
    for (size_t i = 0; i < condition->any_count && !status; i++)
        status = check_condition(check, &condition->any[i], line);
    if (!status && condition->negated)
        status = check_condition(check, condition->negated, line);
    if (!status && condition->contradicted_by)
        status = check_condition(check, condition->contradicted_by, line);
    return status;
}

static enum rt_status check_synthetic(struct check *check)
{
    const struct rt_synthetic_script *script = &check->scenario->synthetic;
    if (!script->present)
        return RT_OK;
    const struct rt_script *calls[] = {&script->work, &script->tamper, &script->attempt};
    const char *texts[] = {script->deny, script->report, script->refuse};
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < 3 && !status; i++) {
        status = check_pairs(check, calls[i]->args, calls[i]->arg_count, FORM_TEXT, 0);
        if (!status)
            status = check_text(check, texts[i], FORM_TEXT, 0);
    }
    return status;
}

enum rt_status rt_scenario_check(struct rt_doc_reader *reader, const struct rt_scenario *scenario)
{
    struct check check = {.reader = reader, .scenario = scenario};
    rt_buf_init(&check.text, 4 * rt_scenario_expanded_most(scenario));
    enum rt_status status = check_text(&check, scenario->system, FORM_TEXT, 0);
    if (!status)
        status = check_text(&check, scenario->system_as, FORM_PLACEMENT, 0);
    for (size_t i = 0; i < scenario->turn_count && !status; i++) {
        status = check_text(&check, scenario->turns[i].user, FORM_TEXT, scenario->turns[i].line);
        if (!status)
            status =
                check_text(&check, scenario->turns[i].until, FORM_PATTERN, scenario->turns[i].line);
    }
    for (size_t i = 0; i < scenario->role_count && !status; i++)
        status = check_role(&check, &scenario->roles[i]);
    for (size_t i = 0; i < scenario->redact.pattern_count && !status; i++)
        status = check_text(&check, scenario->redact.patterns[i], FORM_PATTERN, 0);
    if (!status)
        status = check_pairs(&check, scenario->world, scenario->world_count, FORM_TEXT, 0);
    for (size_t i = 0; i < scenario->phrasing_count && !status; i++)
        status = check_pairs(&check, scenario->phrasings[i].vars, scenario->phrasings[i].var_count,
                             FORM_TEXT, scenario->phrasings[i].line);
    for (size_t i = 0; i < scenario->tool_count && !status; i++)
        status = check_tool(&check, &scenario->tools[i]);
    for (size_t i = 0; i < scenario->event_count && !status; i++)
        status = check_event(&check, &scenario->events[i]);
    for (size_t i = 0; i < scenario->outcome_count && !status; i++)
        status = check_condition(&check, &scenario->outcomes[i].when, scenario->outcomes[i].line);
    if (!status && scenario->has_exposed_if)
        status = check_condition(&check, &scenario->exposed_if, 0);
    if (!status)
        status = check_synthetic(&check);
    rt_buf_release(&check.text);
    return status;
}
