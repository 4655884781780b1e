// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/chat_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"

#define TOKENS_UNLIMITED 32768 // sent where the scenario sets no limit: servers' own differ

// ---- the request

static json_t *message_json(const struct rt_chat_message *message)
{
    json_t *json = json_object();
    json_object_set_new(json, "role", json_string(rt_chat_role_word(message->role)));
    // An assistant turn that only called tools had null content, and some servers insist on it.
    bool null = message->role == RT_CHAT_ASSISTANT && message->call_count && !*message->text;
    json_object_set_new(json, "content", null ? json_null() : json_string(message->text));
    if (message->role == RT_CHAT_TOOL)
        json_object_set_new(json, "tool_call_id", json_string(message->call_id));
    if (!message->call_count)
        return json;
    json_t *calls = json_array();
    for (size_t i = 0; i < message->call_count; i++)
        json_array_append_new(calls, json_pack("{s:s, s:s, s:{s:s, s:s}}", "id",
                                               message->calls[i].id, "type", "function", "function",
                                               "name", message->calls[i].name, "arguments",
                                               message->calls[i].arguments));
    json_object_set_new(json, "tool_calls", calls);
    return json;
}

static json_t *tool_json(const struct rt_chat_tool *tool)
{
    json_t *parameters = NULL;
    if (rt_json_parse(rt_bytes_str(tool->parameters), &parameters, NULL))
        return NULL;
    json_t *function = json_pack("{s:s, s:o}", "name", tool->name, "parameters", parameters);
    if (*tool->description)
        json_object_set_new(function, "description", json_string(tool->description));
    return json_pack("{s:s, s:o}", "type", "function", "function", function);
}

static json_t *micro_json(int64_t micro)
{
    return micro % 1000000 ? json_real((double)micro / 1e6) : json_integer(micro / 1000000);
}

// A default as the lab wrote it: a number or a boolean where it reads as one, else text.
static json_t *value_json(const char *text)
{
    int64_t whole;
    double number;
    if (rt_parse_i64(text, &whole) == RT_OK)
        return json_integer(whole);
    if (rt_parse_double(text, &number) == RT_OK)
        return json_real(number);
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(strcmp(text, "true") == 0);
    return json_string(text);
}

// Servers refuse these in a request without tools.
static bool only_with_tools(const char *name)
{
    return strcmp(name, "tool_choice") == 0 || strcmp(name, "parallel_tool_calls") == 0;
}

static void set_parameters(json_t *body, const struct rt_lab_subject *subject,
                           const struct rt_chat_request *request)
{
    int64_t tokens = request->max_tokens == UINT32_MAX ? TOKENS_UNLIMITED : request->max_tokens;
    enum rt_token_limit limit = subject->token_limit;
    // A limit that cannot fit beside any prompt is refused by some servers.
    if (subject->context && tokens > (int64_t)(subject->context / 2))
        tokens = (int64_t)(subject->context / 2);
    json_object_set_new(body, "n", json_integer(1));
    json_object_set_new(body, "stream", json_false());
    json_object_set_new(body, "temperature", micro_json(request->temperature_micro));
    json_object_set_new(body, "top_p", micro_json(request->top_p_micro));
    json_object_set_new(body, "seed", json_integer(request->seed));
    for (size_t i = 0; i < subject->default_count; i++) {
        const struct rt_pair *pair = &subject->defaults[i];
        int64_t cap;
        if (strcmp(pair->name, "max_tokens") == 0) {
            if (rt_parse_i64(pair->value, &cap) == RT_OK && cap > 0 && cap < tokens)
                tokens = cap;
        } else if (request->tool_count || !only_with_tools(pair->name)) {
            json_object_set_new(body, pair->name, value_json(pair->value));
        }
    }
    if (limit != RT_TOKEN_LIMIT_MAX_COMPLETION_TOKENS)
        json_object_set_new(body, "max_tokens", json_integer(tokens));
    if (limit != RT_TOKEN_LIMIT_MAX_TOKENS)
        json_object_set_new(body, "max_completion_tokens", json_integer(tokens));
}

enum rt_status rt_chat_json_request(const struct rt_lab_subject *subject,
                                    const struct rt_chat_request *request, struct rt_buf *out)
{
    json_t *body = json_object();
    json_t *messages = json_array();
    json_t *tools = json_array();
    enum rt_status status = RT_OK;
    if (!body || !messages || !tools) {
        status = RT_NO_MEMORY;
        goto out;
    }
    for (size_t i = 0; i < request->message_count; i++)
        if (json_array_append_new(messages, message_json(&request->messages[i])))
            status = RT_NO_MEMORY;
    for (size_t i = 0; i < request->tool_count; i++)
        if (json_array_append_new(tools, tool_json(&request->tools[i])))
            status = RT_NO_MEMORY;
    set_parameters(body, subject, request);
    // Set last, so that no default can stand in for them.
    json_object_set_new(body, "model", json_string(subject->model));
    json_object_set(body, "messages", messages);
    if (request->tool_count)
        json_object_set(body, "tools", tools);
    if (!status)
        status = rt_json_write(body, out);
out:
    json_decref(messages);
    json_decref(tools);
    json_decref(body);
    return status;
}

// ---- the reply

struct reader {
    struct rt_arena *arena;
    bool failed; // out of memory
};

static const char *keep(struct reader *reader, const char *text)
{
    char *copy = text ? rt_arena_strdup(reader->arena, text) : NULL;
    if (text && !copy)
        reader->failed = true;
    return copy ? copy : "";
}

// Text content: a string, null, or the array of typed parts that some servers send.
static const char *content_text(struct reader *reader, const json_t *content)
{
    if (json_is_string(content))
        return keep(reader, json_string_value(content));
    struct rt_buf text;
    size_t i;
    const json_t *part;
    rt_buf_init(&text, RT_CHAT_BODY_MOST);
    json_array_foreach(content, i, part)
    {
        const char *piece = json_string_value(json_object_get(part, "text"));
        if (piece)
            rt_buf_add_str(&text, piece);
    }
    const char *copy = keep(reader, rt_buf_str(&text));
    rt_buf_release(&text);
    return copy;
}

// Arguments are a JSON text by the protocol; an object is accepted and written out.
static const char *arguments_text(struct reader *reader, const json_t *arguments)
{
    if (!json_is_object(arguments))
        return keep(reader, json_string_value(arguments));
    struct rt_buf text;
    rt_buf_init(&text, RT_CHAT_BODY_MOST);
    if (rt_json_write(arguments, &text))
        reader->failed = true;
    const char *copy = keep(reader, rt_buf_str(&text));
    rt_buf_release(&text);
    return copy;
}

static void read_call(struct reader *reader, const json_t *call, const json_t *function,
                      struct rt_chat_call *ret_call)
{
    ret_call->id = keep(reader, json_string_value(json_object_get(call, "id")));
    ret_call->name = keep(reader, json_string_value(json_object_get(function, "name")));
    ret_call->arguments = arguments_text(reader, json_object_get(function, "arguments"));
}

static enum rt_status read_calls(struct reader *reader, const json_t *message,
                                 struct rt_chat_reply *reply)
{
    const json_t *calls = json_object_get(message, "tool_calls");
    const json_t *legacy = json_object_get(message, "function_call");
    size_t count = json_array_size(calls);
    if (count > RT_CHAT_CALLS_MOST)
        return RT_TOO_LARGE;
    struct rt_chat_call *read = rt_arena_array(reader->arena, count + 1, sizeof *read);
    if (!read)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const json_t *call = json_array_get(calls, i);
        read_call(reader, call, json_object_get(call, "function"), &read[i]);
    }
    if (!count && json_is_object(legacy)) {
        read_call(reader, NULL, legacy, &read[0]);
        count = 1;
    }
    reply->calls = read;
    reply->call_count = count;
    return RT_OK;
}

static void read_usage(const json_t *json, struct rt_chat_reply *reply)
{
    const json_t *usage = json_object_get(json, "usage");
    json_int_t in = json_integer_value(json_object_get(usage, "prompt_tokens"));
    json_int_t out = json_integer_value(json_object_get(usage, "completion_tokens"));
    reply->has_usage = json_is_integer(json_object_get(usage, "completion_tokens")) && in >= 0 &&
                       out >= 0 && in <= UINT32_MAX && out <= UINT32_MAX;
    reply->tokens_in = reply->has_usage ? (uint64_t)in : 0;
    reply->tokens_out = reply->has_usage ? (uint64_t)out : 0;
    if (reply->has_usage)
        return;
    reply->tokens_out = rt_chat_tokens_estimate(reply->text) +
                        rt_chat_tokens_estimate(reply->reasoning) +
                        rt_chat_tokens_estimate(reply->refusal);
    for (size_t i = 0; i < reply->call_count; i++)
        reply->tokens_out += 4 + rt_chat_tokens_estimate(reply->calls[i].arguments);
}

static enum rt_status read_message(struct reader *reader, const json_t *json,
                                   struct rt_chat_reply *ret_reply, struct rt_chat_facts *ret_facts,
                                   const char **ret_reason)
{
    const json_t *choice = json_array_get(json_object_get(json, "choices"), 0);
    const json_t *message = json_object_get(choice, "message");
    struct rt_chat_reply reply = {0};
    if (!json_is_object(message)) {
        *ret_reason = "the response has no choices[0].message";
        return RT_MALFORMED;
    }
    const char *finish = json_string_value(json_object_get(choice, "finish_reason"));
    const json_t *reasoning = json_object_get(message, "reasoning_content");
    if (!json_is_string(reasoning))
        reasoning = json_object_get(message, "reasoning");
    reply.text = content_text(reader, json_object_get(message, "content"));
    reply.reasoning = keep(reader, json_string_value(reasoning));
    reply.refusal = keep(reader, json_string_value(json_object_get(message, "refusal")));
    reply.finish = finish ? rt_chat_finish_read(finish) : RT_CHAT_FINISH_OTHER;
    enum rt_status status = read_calls(reader, message, &reply);
    if (status) {
        *ret_reason = "too many tool calls in one reply";
        return status;
    }
    read_usage(json, &reply);
    ret_facts->model = keep(reader, json_string_value(json_object_get(json, "model")));
    ret_facts->system_fingerprint =
        keep(reader, json_string_value(json_object_get(json, "system_fingerprint")));
    *ret_reply = reply;
    return reader->failed ? RT_NO_MEMORY : RT_OK;
}

enum rt_status rt_chat_json_reply(struct rt_bytes body, struct rt_arena *arena,
                                  struct rt_chat_reply *ret_reply, struct rt_chat_facts *ret_facts,
                                  const char **ret_reason)
{
    struct reader reader = {arena, false};
    json_t *json = NULL;
    *ret_reason = "";
    if (body.size > RT_CHAT_BODY_MOST) {
        *ret_reason = "the response is over 8 MiB";
        return RT_TOO_LARGE;
    }
    if (!body.size || rt_json_parse(body, &json, NULL) || !json_is_object(json)) {
        json_decref(json);
        *ret_reason = body.size ? "the response is not a JSON object" : "the response is empty";
        return RT_MALFORMED;
    }
    enum rt_status status = read_message(&reader, json, ret_reply, ret_facts, ret_reason);
    json_decref(json);
    return status;
}

// ---- errors

void rt_chat_json_error(struct rt_bytes body, char *ret_text, size_t capacity)
{
    json_t *json = NULL;
    ret_text[0] = 0;
    if (!body.size || body.size > RT_CHAT_BODY_MOST || rt_json_parse(body, &json, NULL))
        return;
    const json_t *error = json_object_get(json, "error");
    const char *text = json_string_value(json_object_get(error, "message"));
    if (!text)
        text = json_string_value(error);
    if (!text)
        text = json_string_value(json_object_get(json, "message"));
    if (!text)
        text = json_string_value(json_object_get(json, "detail"));
    if (text) {
        snprintf(ret_text, capacity, "%s", text);
        for (char *c = ret_text; *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f)
                *c = ' ';
        // The cut may have split a character.
        size_t size = strlen(ret_text);
        while (size && !rt_utf8_valid(rt_bytes(ret_text, size)))
            ret_text[--size] = 0;
    }
    json_decref(json);
}
