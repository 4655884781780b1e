// SPDX-License-Identifier: Apache-2.0
#include "interop/inspect_events.h"

#include <stdio.h>

#include "common/base/time.h"

#define INPUT_WHOLE_BYTES ((size_t)1 << 20) // transcripts above this repeat no message in events
#define SPAN              "trial"

struct walk {
    const struct rt_interop_trial *trial;
    const struct rt_scenario *scenario;
    struct rt_inspect_play *to;
    json_t *tools;
    bool whole;      // every model event has all messages before it
    size_t told;     // messages that earlier model events have, where not whole
    bool replied;    // some reply has come
    uint32_t turn;   // of the last reply
    size_t answered; // calls of that reply answered so far
};

//  X(our finish, Inspect's stop_reason)
#define STOP_TABLE(X)                                                                              \
    X(RT_CHAT_FINISH_STOP, "stop")                                                                 \
    X(RT_CHAT_FINISH_LENGTH, "max_tokens")                                                         \
    X(RT_CHAT_FINISH_CALLS, "tool_calls")                                                          \
    X(RT_CHAT_FINISH_FILTER, "content_filter")                                                     \
    X(RT_CHAT_FINISH_OTHER, "unknown")

const char *rt_inspect_stop_word(enum rt_chat_finish finish)
{
#define X(ours, word)                                                                              \
    if (finish == (ours))                                                                          \
        return word;
    STOP_TABLE(X)
#undef X
    return "unknown";
}

enum rt_chat_finish rt_inspect_stop_read(const char *word)
{
#define X(ours, theirs)                                                                            \
    if (strcmp(word, theirs) == 0)                                                                 \
        return ours;
    STOP_TABLE(X)
#undef X
    return strcmp(word, "model_length") == 0 ? RT_CHAT_FINISH_LENGTH : RT_CHAT_FINISH_OTHER;
}

static json_t *text(struct rt_bytes bytes)
{
    return json_stringn(bytes.size ? (const char *)bytes.data : "", bytes.size);
}

// ---- pieces

// The fields every event has.
static json_t *event_of(struct walk *walk, const char *kind, uint64_t at_ms)
{
    char stamp[RT_STAMP_BYTES];
    int64_t start =
        walk->trial->transcript ? walk->trial->transcript->started_ms : walk->trial->started_ms;
    rt_stamp_format(start + (int64_t)at_ms, stamp);
    return json_pack("{s:s, s:s, s:f, s:s}", "event", kind, "timestamp", stamp, "working_start",
                     (double)at_ms / 1e3, "span_id", SPAN);
}

static void add_event(struct walk *walk, json_t *event)
{
    json_array_append_new(walk->to->events, event);
}

static json_t *arguments_of(struct rt_bytes raw)
{
    json_t *json = json_loadb(raw.size ? (const char *)raw.data : "", raw.size, 0, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

static void call_id(struct rt_bytes id, uint32_t turn, size_t place, char *ret_id, size_t size)
{
    if (id.size)
        snprintf(ret_id, size, "%.*s", (int)(id.size < size ? id.size : size - 1),
                 (const char *)id.data);
    else
        snprintf(ret_id, size, "call_%u_%zu", turn, place);
}

static json_t *tool_call(const struct rt_entry *entry, size_t place)
{
    char id[256];
    const struct rt_entry_call *call = &entry->calls[place];
    json_t *arguments = arguments_of(call->arguments);
    call_id(call->id, entry->turn, place, id, sizeof id);
    return json_pack("{s:s, s:o?, s:o, s:o, s:s}", "id", id, "function", text(call->name),
                     "arguments", arguments ? arguments : json_object(), "parse_error",
                     arguments ? json_null() : json_string("not a JSON object"), "type",
                     "function");
}

static json_t *part(const char *type, const char *key, struct rt_bytes bytes)
{
    return json_pack("{s:s, s:o?}", "type", type, key, text(bytes));
}

// A text alone where there is nothing else; otherwise reasoning, text and refusal in their parts.
static json_t *content_of(const struct rt_entry *entry)
{
    if (!entry->reasoning.size && !entry->refusal.size)
        return text(entry->text);
    json_t *parts = json_array();
    if (entry->reasoning.size) {
        json_t *reasoning = part("reasoning", "reasoning", entry->reasoning);
        json_object_set_new(reasoning, "redacted", json_false());
        json_array_append_new(parts, reasoning);
    }
    if (entry->text.size)
        json_array_append_new(parts, part("text", "text", entry->text));
    if (entry->refusal.size) {
        json_t *refusal = part("text", "text", entry->refusal);
        json_object_set_new(refusal, "refusal", json_true());
        json_array_append_new(parts, refusal);
    }
    return parts;
}

static json_t *tool_info(const struct rt_tool *tool)
{
    static const char *const types[] = {
        [RT_ARG_STRING] = "string",   [RT_ARG_INTEGER] = "integer", [RT_ARG_NUMBER] = "number",
        [RT_ARG_BOOLEAN] = "boolean", [RT_ARG_OBJECT] = "object",   [RT_ARG_ARRAY] = "array"};
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < tool->arg_count; i++) {
        const struct rt_arg *arg = &tool->args[i];
        json_object_set_new(properties, arg->name,
                            json_pack("{s:s, s:s, s:n}", "type", types[arg->type], "description",
                                      arg->description, "default"));
        if (arg->required)
            json_array_append_new(required, json_string(arg->name));
    }
    return json_pack("{s:s, s:s, s:{s:s, s:o, s:o, s:b}}", "name", tool->name, "description",
                     tool->description, "parameters", "type", "object", "properties", properties,
                     "required", required, "additionalProperties", 0);
}

static json_t *config_of(const struct walk *walk)
{
    const struct rt_interop_trial *trial = walk->trial;
    return json_pack("{s:f, s:f, s:I}", "temperature", (double)trial->temperature_micro / 1e6,
                     "top_p", (double)trial->transcript->top_p_micro / 1e6, "seed",
                     (json_int_t)trial->seed);
}

// ---- entries

// What the event's own fields do not say of an entry, so that a reader can have it back exactly.
static json_t *exact(const struct rt_entry *entry)
{
    json_t *json = json_pack("{s:s, s:I, s:I}", "kind", rt_entry_kind_word(entry->kind), "turn",
                             (json_int_t)entry->turn, "at_ms", (json_int_t)entry->at_ms);
    if (entry->kind == RT_ENTRY_REPLY) {
        json_t *calls = json_array();
        for (size_t i = 0; i < entry->call_count; i++)
            json_array_append_new(calls, json_pack("[o?, o?]", text(entry->calls[i].id),
                                                   text(entry->calls[i].arguments)));
        json_object_set_new(json, "calls", calls);
        json_object_set_new(json, "counted_by_server", json_boolean(entry->has_usage));
    }
    if (entry->kind == RT_ENTRY_CALL) {
        json_object_set_new(json, "verdict", json_string(rt_verdict_word(entry->verdict)));
        json_object_set_new(json, "id", text(entry->id));
        json_object_set_new(json, "arguments", text(entry->arguments));
    }
    if (entry->kind == RT_ENTRY_ROLE) {
        json_t *more = json_pack(
            "{s:o?, s:o?, s:o?, s:s, s:b, s:I, s:I}", "told", text(entry->arguments), "reasoning",
            text(entry->reasoning), "refusal", text(entry->refusal), "stop_reason",
            rt_inspect_stop_word(entry->finish), "counted_by_server", (int)entry->has_usage,
            "tokens_in", (json_int_t)entry->tokens_in, "tokens_out", (json_int_t)entry->tokens_out);
        json_object_update(json, more);
        json_decref(more);
    }
    return json;
}

static void on_message(struct walk *walk, const struct rt_entry *entry)
{
    // Inspect knows no developer message: the nearest is a system message.
    enum rt_chat_role role = entry->role == RT_CHAT_DEVELOPER ? RT_CHAT_SYSTEM : entry->role;
    json_t *message = json_pack("{s:s, s:o?, s:s}", "role", rt_chat_role_word(role), "content",
                                text(entry->text), "source", "input");
    json_t *data = exact(entry), *event = event_of(walk, "info", entry->at_ms);
    json_object_set_new(data, "role", json_string(rt_chat_role_word(entry->role)));
    json_object_set_new(data, "message",
                        json_integer((json_int_t)json_array_size(walk->to->messages)));
    json_object_set_new(event, "source", json_string(RT_INSPECT_SOURCE));
    json_object_set_new(event, "data", data);
    if (!walk->replied)
        json_array_append(walk->to->input, message);
    json_array_append_new(walk->to->messages, message);
    add_event(walk, event);
}

static json_t *output_of(const struct walk *walk, const struct rt_entry *entry, json_t *message)
{
    uint64_t total = entry->tokens_in + entry->tokens_out;
    struct rt_bytes said = entry->text.size ? entry->text : entry->refusal;
    return json_pack("{s:s, s:[{s:O, s:s}], s:o?, s:{s:I, s:I, s:I}}", "model",
                     walk->trial->subject, "choices", "message", message, "stop_reason",
                     rt_inspect_stop_word(entry->finish), "completion", text(said), "usage",
                     "input_tokens", (json_int_t)entry->tokens_in, "output_tokens",
                     (json_int_t)entry->tokens_out, "total_tokens", (json_int_t)total);
}

static json_t *told_so_far(struct walk *walk)
{
    json_t *input = json_array();
    size_t count = json_array_size(walk->to->messages);
    for (size_t i = walk->whole ? 0 : walk->told; i < count; i++)
        json_array_append(input, json_array_get(walk->to->messages, i));
    walk->told = count;
    return input;
}

static void on_reply(struct walk *walk, const struct rt_entry *entry)
{
    json_t *calls = entry->call_count ? json_array() : NULL;
    for (size_t i = 0; i < entry->call_count; i++)
        json_array_append_new(calls, tool_call(entry, i));
    json_t *message =
        json_pack("{s:s, s:o?, s:s, s:s, s:o?}", "role", "assistant", "content", content_of(entry),
                  "source", "generate", "model", walk->trial->subject, "tool_calls", calls);
    json_t *output = output_of(walk, entry, message), *ours = exact(entry);
    json_t *event = event_of(walk, "model", entry->at_ms);
    if (!walk->whole)
        json_object_set_new(ours, "input_is", json_string("what is new since the last reply"));
    json_object_set_new(event, "model", json_string(walk->trial->subject));
    json_object_set_new(event, "input", told_so_far(walk));
    json_object_set(event, "tools", walk->tools);
    json_object_set_new(event, "tool_choice", json_string("auto"));
    json_object_set_new(event, "config", config_of(walk));
    json_object_set(event, "output", output);
    json_object_set_new(event, "metadata", json_pack("{s:o?}", RT_INSPECT_SOURCE, ours));
    json_array_append_new(walk->to->messages, message);
    json_decref(walk->to->output);
    walk->to->output = output;
    walk->replied = true;
    walk->turn = entry->turn;
    walk->answered = 0;
    add_event(walk, event);
}

static void on_call(struct walk *walk, const struct rt_entry *entry)
{
    char id[256];
    json_t *arguments = arguments_of(entry->arguments), *error = NULL;
    call_id(entry->id, walk->turn, walk->answered++, id, sizeof id);
    if (entry->verdict != RT_VERDICT_RAN)
        error =
            json_pack("{s:s, s:s}", "type", "parsing", "message", rt_verdict_word(entry->verdict));
    json_t *event = event_of(walk, "tool", entry->at_ms);
    json_t *more = json_pack("{s:s, s:s, s:o?, s:o, s:o?, s:[], s:O?, s:{s:o?}}", "type",
                             "function", "id", id, "function", text(entry->name), "arguments",
                             arguments ? arguments : json_object(), "result", text(entry->text),
                             "events", "error", error, "metadata", RT_INSPECT_SOURCE, exact(entry));
    json_object_update(event, more);
    json_decref(more);
    add_event(walk, event);
    json_array_append_new(walk->to->messages,
                          json_pack("{s:s, s:o?, s:s, s:o?, s:o?}", "role", "tool", "content",
                                    text(entry->text), "tool_call_id", id, "function",
                                    text(entry->name), "error", error));
}

static void on_other(struct walk *walk, const struct rt_entry *entry)
{
    json_t *data = exact(entry), *event = event_of(walk, "info", entry->at_ms);
    json_object_set_new(data, "name", text(entry->name));
    if (entry->text.size)
        json_object_set_new(data, "text", text(entry->text));
    json_object_set_new(event, "source", json_string(RT_INSPECT_SOURCE));
    json_object_set_new(event, "data", data);
    add_event(walk, event);
}

static void play(struct walk *walk)
{
    const struct rt_transcript *transcript = walk->trial->transcript;
    size_t bytes = 0;
    for (size_t i = 0; i < transcript->entry_count; i++)
        bytes += transcript->entries[i].text.size;
    walk->whole = bytes < INPUT_WHOLE_BYTES;
    for (size_t i = 0; i < transcript->entry_count; i++) {
        const struct rt_entry *entry = &transcript->entries[i];
        switch (entry->kind) {
        case RT_ENTRY_MESSAGE:
            on_message(walk, entry);
            break;
        case RT_ENTRY_REPLY:
            on_reply(walk, entry);
            break;
        case RT_ENTRY_CALL:
            on_call(walk, entry);
            break;
        default:
            on_other(walk, entry);
        }
    }
}

// ---- the frame

static uint64_t last_ms(const struct rt_interop_trial *trial)
{
    const struct rt_transcript *transcript = trial->transcript;
    return transcript && transcript->entry_count
               ? transcript->entries[transcript->entry_count - 1].at_ms
               : trial->latency_ms;
}

static void open_frame(struct walk *walk, const char *id, json_t *metadata)
{
    json_t *begin = event_of(walk, "span_begin", 0);
    json_object_set_new(begin, "id", json_string(SPAN));
    json_object_set_new(begin, "name", json_string(id));
    json_object_set_new(begin, "type", json_string("solvers"));
    json_object_del(begin, "span_id");
    add_event(walk, begin);
    json_t *init = event_of(walk, "sample_init", 0);
    json_object_set_new(init, "sample",
                        json_pack("{s:O, s:s, s:s, s:O?}", "input", walk->to->input, "target", "",
                                  "id", id, "metadata", metadata));
    json_object_set_new(init, "state", json_object());
    add_event(walk, init);
}

static void close_frame(struct walk *walk, json_t *scores)
{
    uint64_t at_ms = last_ms(walk->trial);
    json_t *outcome = json_object_get(scores, "outcome");
    if (outcome) {
        json_t *event = event_of(walk, "score", at_ms);
        json_object_set(event, "score", outcome);
        json_object_set_new(event, "scorer", json_string("ringtrial/rules"));
        json_object_set_new(event, "target", json_string(""));
        json_object_set_new(event, "intermediate", json_false());
        add_event(walk, event);
    }
    json_t *end = event_of(walk, "span_end", at_ms);
    json_object_set_new(end, "id", json_string(SPAN));
    json_object_del(end, "span_id");
    add_event(walk, end);
}

enum rt_status rt_inspect_play(const struct rt_interop_trial *trial,
                               const struct rt_scenario *scenario, const char *id, json_t *metadata,
                               json_t *scores, struct rt_inspect_play *ret_play)
{
    struct walk walk = {.trial = trial, .scenario = scenario, .to = ret_play};
    *ret_play =
        (struct rt_inspect_play){.input = trial->transcript ? json_array() : json_string(""),
                                 .messages = json_array(),
                                 .output = json_pack("{s:s, s:[], s:s}", "model", trial->subject,
                                                     "choices", "completion", ""),
                                 .events = json_array()};
    walk.tools = json_array();
    for (size_t i = 0; scenario && i < scenario->tool_count; i++)
        json_array_append_new(walk.tools, tool_info(&scenario->tools[i]));
    open_frame(&walk, id, metadata);
    if (trial->transcript)
        play(&walk);
    close_frame(&walk, scores);
    json_decref(walk.tools);
    return ret_play->input && ret_play->messages && ret_play->output && ret_play->events
               ? RT_OK
               : RT_NO_MEMORY;
}

void rt_inspect_play_release(struct rt_inspect_play *play)
{
    json_decref(play->input);
    json_decref(play->messages);
    json_decref(play->output);
    json_decref(play->events);
}
