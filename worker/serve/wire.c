// SPDX-License-Identifier: Apache-2.0
#include "worker/serve/wire.h"

#include <math.h>
#include <string.h>

#include "common/base/json.h"

#define TOOLS_MOST 128

static enum rt_status bad(struct rt_error *err, const char *what)
{
    return rt_error_set(err, RT_MALFORMED, "%s", what);
}

static const char *keep(struct rt_arena *arena, const json_t *text)
{
    return rt_arena_strdup(arena, json_is_string(text) ? json_string_value(text) : "");
}

static enum rt_status read_role(const json_t *json, enum rt_chat_role *ret_role,
                                struct rt_error *err)
{
    const char *word = json_string_value(json_object_get(json, "role"));
    for (int i = 0; i < RT_CHAT_ROLE_COUNT && word; i++) {
        if (strcmp(word, rt_chat_role_word((enum rt_chat_role)i)) == 0) {
            *ret_role = (enum rt_chat_role)i;
            return RT_OK;
        }
    }
    if (word && strcmp(word, "developer") == 0) {
        *ret_role = RT_CHAT_SYSTEM;
        return RT_OK;
    }
    return bad(err, "messages[].role must be system, user, assistant or tool");
}

static enum rt_status read_calls(const json_t *json, struct rt_arena *arena,
                                 struct rt_chat_message *message, struct rt_error *err)
{
    const json_t *list = json_object_get(json, "tool_calls");
    size_t count = json_array_size(list);
    if (!count)
        return RT_OK;
    if (message->role != RT_CHAT_ASSISTANT || count > RT_CHAT_CALLS_MOST)
        return bad(err, "tool_calls belong to assistant messages, at most 32 of them");
    struct rt_chat_call *calls = rt_arena_array(arena, count, sizeof *calls);
    if (!calls)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const json_t *call = json_array_get(list, i);
        const json_t *function = json_object_get(call, "function");
        const json_t *arguments = json_object_get(function, "arguments");
        if (!json_is_string(json_object_get(call, "id")) ||
            !json_is_string(json_object_get(function, "name")) || !json_is_string(arguments))
            return bad(err, "tool_calls[] need id, function.name and function.arguments as text");
        calls[i].id = keep(arena, json_object_get(call, "id"));
        calls[i].name = keep(arena, json_object_get(function, "name"));
        calls[i].arguments = keep(arena, arguments);
        if (!calls[i].id || !calls[i].name || !calls[i].arguments)
            return RT_NO_MEMORY;
    }
    message->calls = calls;
    message->call_count = count;
    return RT_OK;
}

static enum rt_status read_message(const json_t *json, struct rt_arena *arena,
                                   struct rt_chat_message *message, struct rt_error *err)
{
    const json_t *content = json_object_get(json, "content");
    enum rt_status status = read_role(json, &message->role, err);
    if (status)
        return status;
    if (!json_is_string(content) &&
        !(message->role == RT_CHAT_ASSISTANT && (!content || json_is_null(content))))
        return bad(err, "messages[].content must be a string");
    message->text = keep(arena, content);
    message->call_id = keep(arena, json_object_get(json, "tool_call_id"));
    if (!message->text || !message->call_id)
        return RT_NO_MEMORY;
    if (message->role == RT_CHAT_TOOL && !*message->call_id)
        return bad(err, "tool messages need tool_call_id");
    return read_calls(json, arena, message, err);
}

static enum rt_status read_messages(const json_t *body, struct rt_arena *arena,
                                    struct rt_chat_request *request, struct rt_error *err)
{
    const json_t *list = json_object_get(body, "messages");
    size_t count = json_array_size(list);
    if (!count || count > RT_SERVE_MESSAGES_MOST)
        return bad(err, "messages must be a list of 1 to 4096");
    struct rt_chat_message *messages = rt_arena_array(arena, count, sizeof *messages);
    if (!messages)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        enum rt_status status = read_message(json_array_get(list, i), arena, &messages[i], err);
        if (status)
            return status;
    }
    request->messages = messages;
    request->message_count = count;
    return RT_OK;
}

static enum rt_status read_tools(const json_t *body, struct rt_arena *arena,
                                 struct rt_chat_request *request, struct rt_error *err)
{
    const json_t *list = json_object_get(body, "tools");
    size_t count = json_array_size(list);
    if (count > TOOLS_MOST)
        return bad(err, "at most 128 tools");
    struct rt_chat_tool *tools = rt_arena_array(arena, count + 1, sizeof *tools);
    if (!tools)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const json_t *function = json_object_get(json_array_get(list, i), "function");
        if (!json_is_string(json_object_get(function, "name")))
            return bad(err, "tools[].function.name must be a string");
        tools[i].name = keep(arena, json_object_get(function, "name"));
        tools[i].description = keep(arena, json_object_get(function, "description"));
        tools[i].parameters = "{}"; // the subject knows its tools by name
        if (!tools[i].name || !tools[i].description)
            return RT_NO_MEMORY;
    }
    request->tools = tools;
    request->tool_count = count;
    return RT_OK;
}

static enum rt_status read_number(const json_t *body, const char *name, double fallback,
                                  double most, double *ret_value, struct rt_error *err)
{
    const json_t *json = json_object_get(body, name);
    *ret_value = json_is_number(json) ? json_number_value(json) : fallback;
    if (json && !json_is_null(json) && !json_is_number(json))
        return rt_error_set(err, RT_MALFORMED, "%s must be a number", name);
    if (!(*ret_value >= 0 && *ret_value <= most))
        return rt_error_set(err, RT_OUT_OF_RANGE, "%s must be from 0 to %g", name, most);
    return RT_OK;
}

static enum rt_status read_parameters(const json_t *body, struct rt_chat_request *request,
                                      struct rt_error *err)
{
    double temperature = 1, top_p = 1, seed = 0, n = 1, tokens = 0, newer = 0;
    enum rt_status status = read_number(body, "temperature", 1, 2, &temperature, err);
    if (!status)
        status = read_number(body, "top_p", 1, 1, &top_p, err);
    if (!status)
        status = read_number(body, "seed", 0, UINT32_MAX, &seed, err);
    if (!status)
        status = read_number(body, "n", 1, 1, &n, err);
    if (!status)
        status = read_number(body, "max_tokens", 4096, UINT32_MAX, &tokens, err);
    if (!status)
        status = read_number(body, "max_completion_tokens", tokens, UINT32_MAX, &newer, err);
    if (status)
        return status;
    if (json_is_true(json_object_get(body, "stream")))
        return bad(err, "this server does not stream");
    request->temperature_micro = llround(temperature * 1e6);
    request->top_p_micro = llround(top_p * 1e6);
    request->seed = (uint32_t)seed;
    request->max_tokens = (uint32_t)newer;
    return RT_OK;
}

enum rt_status rt_serve_read(struct rt_bytes body, struct rt_arena *arena,
                             struct rt_chat_request *ret_request, struct rt_error *err)
{
    json_t *json = NULL;
    struct rt_chat_request request = {0};
    if (!body.size || rt_json_parse(body, &json, NULL) || !json_is_object(json)) {
        json_decref(json);
        return bad(err, "the body must be a JSON object");
    }
    enum rt_status status = json_is_string(json_object_get(json, "model"))
                                ? read_messages(json, arena, &request, err)
                                : bad(err, "model must be a string");
    if (!status)
        status = read_tools(json, arena, &request, err);
    if (!status)
        status = read_parameters(json, &request, err);
    json_decref(json);
    if (status == RT_NO_MEMORY)
        rt_error_set(err, status, "out of memory");
    if (!status)
        *ret_request = request;
    return status;
}

// ---- writing

static enum rt_status write(json_t *json, struct rt_buf *out)
{
    enum rt_status status = json ? rt_json_write(json, out) : RT_NO_MEMORY;
    json_decref(json);
    return status;
}

enum rt_status rt_serve_write(const struct rt_chat_reply *reply, const char *model,
                              int64_t created_s, struct rt_buf *out)
{
    json_t *calls = json_array();
    for (size_t i = 0; i < reply->call_count; i++)
        json_array_append_new(calls, json_pack("{s:s, s:s, s:{s:s, s:s}}", "id", reply->calls[i].id,
                                               "type", "function", "function", "name",
                                               reply->calls[i].name, "arguments",
                                               reply->calls[i].arguments));
    json_t *message = json_pack("{s:s, s:n}", "role", "assistant", "refusal");
    json_object_set_new(message, "content",
                        *reply->text || !reply->call_count ? json_string(reply->text)
                                                           : json_null());
    if (reply->call_count)
        json_object_set(message, "tool_calls", calls);
    json_decref(calls);
    json_t *choice = json_pack("{s:i, s:o, s:n, s:s}", "index", 0, "message", message, "logprobs",
                               "finish_reason", rt_chat_finish_word(reply->finish));
    return write(
        json_pack("{s:s, s:s, s:I, s:s, s:s, s:[o], s:{s:I, s:I, s:I}}", "id", "chatcmpl-synthetic",
                  "object", "chat.completion", "created", (json_int_t)created_s, "model", model,
                  "system_fingerprint", "fp_synthetic", "choices", choice, "usage", "prompt_tokens",
                  (json_int_t)reply->tokens_in, "completion_tokens", (json_int_t)reply->tokens_out,
                  "total_tokens", (json_int_t)(reply->tokens_in + reply->tokens_out)),
        out);
}

void rt_serve_write_error(const char *message, const char *type, int code, struct rt_buf *out)
{
    enum rt_status status = write(json_pack("{s:{s:s, s:s, s:n, s:i}}", "error", "message", message,
                                            "type", type, "param", "code", code),
                                  out);
    if (status)
        out->failed = status;
}

void rt_serve_write_models(const char *model, struct rt_buf *out)
{
    enum rt_status status =
        write(json_pack("{s:s, s:[{s:s, s:s, s:i, s:s}]}", "object", "list", "data", "id", model,
                        "object", "model", "created", 0, "owned_by", "ringtrial (synthetic)"),
              out);
    if (status)
        out->failed = status;
}
