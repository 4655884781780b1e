// SPDX-License-Identifier: Apache-2.0
// What only an HTTP endpoint can be asked: its models, and tool_choice.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "worker/subject/check_parts.h"
#include "worker/subject/wire.h"

// The context a server gives in its list: vLLM max_model_len, others under their own names.
static uint64_t context_of(const json_t *model)
{
    static const char *const names[] = {"max_model_len", "context_length", "context_window",
                                        "max_context_length"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *value = json_object_get(model, names[i]);
        if (json_is_integer(value) && json_integer_value(value) > 0)
            return (uint64_t)json_integer_value(value);
    }
    return 0;
}

static void find_model(struct checking *checking, const json_t *list)
{
    const char *wanted = checking->setup->subject->model, *other = "";
    size_t at;
    const json_t *model;
    json_array_foreach(list, at, model)
    {
        const char *id = json_string_value(json_object_get(model, "id"));
        if (id && strcmp(id, wanted) == 0) {
            checking->reported_context = context_of(model);
            check_say(checking, RT_CHECK_LISTED, RT_CHECKED_OK, "%zu listed",
                      json_array_size(list));
            return;
        }
        other = id ? id : other;
    }
    check_say(checking, RT_CHECK_LISTED, RT_CHECKED_FAIL, "%.60s is not among %zu; %.60s is",
              wanted, json_array_size(list), *other ? other : "none");
}

enum rt_status check_wire(struct checking *checking)
{
    const struct rt_check_setup *setup = checking->setup;
    struct rt_wire_answer answer;
    struct rt_error err = {RT_OK, ""};
    if (setup->subject->executor != RT_EXECUTOR_CHAT || !*setup->subject->endpoint)
        return RT_OK;
    checking->wired = true;
    enum rt_status status =
        rt_wire_ask(setup->subject, setup->files, setup->subject->endpoint, "/models", NULL,
                    setup->timeout_ms, &answer, &err);
    checking->checks->requests++;
    if (status) {
        check_say(checking, RT_CHECK_REACHABLE, RT_CHECKED_FAIL, "%.190s", err.text);
        return status == RT_NO_MEMORY ? status : RT_CHECK_FAILED;
    }
    bool refused = answer.code == 401 || answer.code == 403;
    check_say(checking, RT_CHECK_REACHABLE, refused ? RT_CHECKED_FAIL : RT_CHECKED_OK,
              refused ? "HTTP %ld: the key is wrong or missing%s%s" : "HTTP %ld%s%s", answer.code,
              *answer.server ? ", " : "", answer.server);
    const json_t *list = json_object_get(answer.json, "data");
    if (answer.code == 200 && json_is_array(list))
        find_model(checking, list);
    else if (!refused)
        check_say(checking, RT_CHECK_LISTED, RT_CHECKED_WARN, "HTTP %ld: it lists none",
                  answer.code);
    json_decref(answer.json);
    return refused ? RT_CHECK_FAILED : RT_OK;
}

static enum rt_status calls_with(struct checking *checking, const char *choice, long *ret_code,
                                 size_t *ret_calls)
{
    const struct rt_check_setup *setup = checking->setup;
    struct rt_wire_answer answer;
    struct rt_error err;
    json_t *body = json_pack(
        "{s:s, s:[{s:s, s:s}], s:[{s:s, s:{s:s, s:{s:s, s:{s:{s:s}}}}}], s:s, s:i, s:i, s:i}",
        "model", setup->subject->model, "messages", "role", "user", "content",
        "Call the tool record with the word TEAL.", "tools", "type", "function", "function", "name",
        "record", "parameters", "type", "object", "properties", "word", "type", "string",
        "tool_choice", choice, "max_tokens", 256, "temperature", 0, "seed", 271828);
    enum rt_status status =
        body ? rt_wire_ask(setup->subject, setup->files, setup->subject->endpoint,
                           "/chat/completions", body, setup->timeout_ms, &answer, &err)
             : RT_NO_MEMORY;
    checking->checks->requests++;
    json_decref(body);
    if (status)
        return status;
    const json_t *message = json_object_get(
        json_array_get(json_object_get(answer.json, "choices"), 0), "message");
    const json_t *usage = json_object_get(answer.json, "usage");
    checking->checks->tokens +=
        (uint64_t)json_integer_value(json_object_get(usage, "total_tokens"));
    *ret_code = answer.code;
    *ret_calls = json_array_size(json_object_get(message, "tool_calls"));
    json_decref(answer.json);
    return RT_OK;
}

enum rt_status check_wire_tools(struct checking *checking)
{
    long code[2] = {0, 0};
    size_t calls[2] = {0, 0};
    if (!checking->wired)
        return RT_OK;
    enum rt_status status = calls_with(checking, "none", &code[0], &calls[0]);
    if (!status)
        status = calls_with(checking, "required", &code[1], &calls[1]);
    if (status == RT_NO_MEMORY)
        return status;
    if (status || code[0] != 200 || code[1] != 200)
        check_say(checking, RT_CHECK_TOOL_CHOICE, RT_CHECKED_WARN,
                  "none: HTTP %ld; required: HTTP %ld", code[0], code[1]);
    else
        check_say(checking, RT_CHECK_TOOL_CHOICE,
                  !calls[0] && calls[1] ? RT_CHECKED_OK : RT_CHECKED_WARN,
                  "none gave %zu call%s, required %zu", calls[0],
                  calls[0] == 1 ? "" : "s", calls[1]);
    return RT_OK;
}
