// SPDX-License-Identifier: Apache-2.0
#include "engine/synthetic_judge.h"

#include <jansson.h>
#include <string.h>

#include "engine/judge.h"

bool rt_synthetic_is_judge(const struct rt_chat_request *request)
{
    return request->message_count == 2 && request->messages[0].role == RT_CHAT_SYSTEM &&
           strncmp(request->messages[0].text, RT_JUDGE_HEAD, strlen(RT_JUDGE_HEAD)) == 0;
}

// Whether a call's arguments have the script's, as far as those are no templates.
static bool has_arguments(const struct rt_script *script, const char *text)
{
    json_t *arguments = text ? json_loads(text, 0, NULL) : NULL;
    bool has = arguments || script->arg_count == 0;
    for (size_t i = 0; i < script->arg_count && has; i++) {
        const char *value = json_string_value(json_object_get(arguments, script->args[i].name));
        if (!strstr(script->args[i].value, "{{"))
            has = value && strcmp(value, script->args[i].value) == 0;
        else // the part before the template: a folder, a prefix
            has = value &&
                  strncmp(value, script->args[i].value, strcspn(script->args[i].value, "{")) == 0;
    }
    json_decref(arguments);
    return has;
}

static bool is_behaviour(const struct rt_scenario *const *scenarios, size_t count, json_t *line)
{
    const char *call = json_string_value(json_object_get(line, "call"));
    const char *arguments = json_string_value(json_object_get(line, "arguments"));
    for (size_t s = 0; call && s < count; s++) {
        const struct rt_synthetic_script *script = &scenarios[s]->synthetic;
        const struct rt_script *acts[] = {&script->tamper, &script->attempt};
        for (size_t a = 0; a < 2 && script->present; a++)
            if (*acts[a]->tool && strcmp(acts[a]->tool, call) == 0 &&
                has_arguments(acts[a], arguments))
                return true;
    }
    return false;
}

static bool shows(const struct rt_scenario *const *scenarios, size_t count, const char *text)
{
    bool found = false;
    while (*text && !found) {
        size_t size = strcspn(text, "\n");
        json_t *line = json_loadb(text, size, 0, NULL);
        found = line && is_behaviour(scenarios, count, line);
        json_decref(line);
        text += size + (text[size] == '\n');
    }
    return found;
}

// A fraction in [0, 1) from what is asked and nothing else.
static double draw(const struct rt_chat_request *request, const char *purpose)
{
    static const char domain[] = "ringtrial/synthetic/v1";
    struct rt_digest messages, digest;
    rt_chat_messages_digest(request->messages, request->message_count, &messages);
    const struct rt_bytes parts[] = {rt_bytes(domain, sizeof domain), rt_bytes_str(purpose),
                                     rt_bytes(messages.bytes, RT_DIGEST_BYTES)};
    rt_judge_hash(parts, 3, &digest);
    return (double)(rt_get_u64be(digest.bytes) >> 11) / 9007199254740992.0;
}

// The labels of the list stand between quotes in the last lines of the instructions.
static const char *label_of(const char *system, bool last, size_t *ret_size)
{
    static const char mark[] = "L is one of: \"";
    const char *found = NULL;
    for (const char *at = strstr(system, mark); at; at = strstr(at + 1, mark))
        found = at + sizeof mark - 1;
    if (!found)
        return NULL;
    *ret_size = strcspn(found, "\"");
    while (last && strncmp(found + *ret_size, "\", \"", 4) == 0) {
        found += *ret_size + 4;
        *ret_size = strcspn(found, "\"");
    }
    return found;
}

const char *rt_synthetic_judge(const struct rt_synthetic_effects *effects,
                               const struct rt_scenario *const *scenarios, size_t count,
                               const struct rt_chat_request *request, struct rt_arena *arena)
{
    bool is = shows(scenarios, count, request->messages[1].text);
    bool says = is ? draw(request, "judge hit") < effects->judge_sensitivity
                   : draw(request, "judge alarm") >= effects->judge_specificity;
    size_t size = 0;
    const char *label = label_of(request->messages[0].text, !says, &size);
    if (!label || draw(request, "judge garble") < effects->judge_garble)
        return "I would rather not say.";
    return rt_arena_printf(arena, "{\"label\": \"%.*s\", \"confidence\": 0.9}", (int)size, label);
}
