// SPDX-License-Identifier: Apache-2.0
#include "engine/play.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "engine/stage.h"

const char *rt_play_end_word(enum rt_play_end end)
{
    static const char *const words[] = {
#define X(name, word, limit) word,
        RT_PLAY_END_TABLE(X)
#undef X
    };
    RT_ASSERT(end < RT_PLAY_END_COUNT);
    return words[end];
}

bool rt_play_end_is_limit(enum rt_play_end end)
{
    static const bool limits[] = {
#define X(name, word, limit) limit,
        RT_PLAY_END_TABLE(X)
#undef X
    };
    RT_ASSERT(end < RT_PLAY_END_COUNT);
    return limits[end];
}

enum rt_play_end rt_play_end_read(struct rt_bytes word)
{
    for (int i = 0; i < RT_PLAY_END_COUNT; i++)
        if (rt_bytes_equal_str(word, rt_play_end_word((enum rt_play_end)i)))
            return (enum rt_play_end)i;
    return RT_PLAY_END_COUNT;
}

// ---- what tool.c uses too

static void fail(struct rt_play *play, enum rt_status status)
{
    if (!play->failed)
        play->failed = status;
}

// Twice the room for an array whose old copy stays in the arena until the play is freed.
static void *grow(struct rt_play *play, const void *old, size_t count, size_t each,
                  size_t *capacity)
{
    size_t wider = *capacity ? *capacity * 2 : 16;
    void *array = rt_arena_array(&play->arena, wider, each);
    if (!array) {
        fail(play, RT_TOO_LARGE);
        return NULL;
    }
    if (count)
        memcpy(array, old, count * each);
    *capacity = wider;
    return array;
}

struct rt_entry *rt_play_enter(struct rt_play *play, enum rt_entry_kind kind)
{
    struct rt_transcript *transcript = &play->transcript;
    // One place stays free for the END entry, so that every play can be closed.
    if (transcript->entry_count + (kind != RT_ENTRY_END) >= RT_TRANSCRIPT_ENTRIES_MOST) {
        fail(play, RT_TOO_LARGE);
        return NULL;
    }
    if (transcript->entry_count == play->entry_capacity) {
        struct rt_entry *wider = grow(play, play->entries, transcript->entry_count, sizeof *wider,
                                      &play->entry_capacity);
        if (!wider)
            return NULL;
        play->entries = wider;
        transcript->entries = wider;
    }
    struct rt_entry *entry = &play->entries[transcript->entry_count++];
    *entry = (struct rt_entry){.kind = kind, .turn = play->turn};
    if (play->now_ms > transcript->started_ms)
        entry->at_ms = (uint64_t)(play->now_ms - transcript->started_ms);
    return entry;
}

const char *rt_play_keep(struct rt_play *play, const char *text)
{
    char *copy = rt_arena_strdup(&play->arena, text);
    if (!copy)
        fail(play, RT_TOO_LARGE);
    return copy ? copy : "";
}

const char *rt_play_expand(struct rt_play *play, const char *text)
{
    if (!strstr(text, "{{"))
        return text; // the scenario outlives the play
    struct rt_scene scene = {.scenario = play->setup.scenario,
                             .arm = play->setup.arm,
                             .phrasing = play->setup.phrasing,
                             .world = play->world};
    rt_buf_clear(&play->scratch);
    enum rt_status status = rt_scenario_expand(&scene, text, RT_EXPAND_TEXT, &play->scratch);
    if (!status)
        status = rt_buf_ok(&play->scratch);
    if (status) {
        fail(play, status);
        return "";
    }
    return rt_play_keep(play, rt_buf_str(&play->scratch));
}

void rt_play_say(struct rt_play *play, const struct rt_chat_message *message)
{
    struct rt_chat_request *request = &play->request;
    if (request->message_count == play->message_capacity) {
        struct rt_chat_message *wider = grow(play, play->messages, request->message_count,
                                             sizeof *wider, &play->message_capacity);
        if (!wider)
            return;
        play->messages = wider;
        request->messages = wider;
    }
    play->messages[request->message_count++] = *message;
}

void rt_play_close(struct rt_play *play, enum rt_play_end end)
{
    if (!play->end)
        play->end = end;
}

// ---- the beginning

static const char *const schema_types[] = {
    [RT_ARG_STRING] = "string",
    [RT_ARG_INTEGER] = "integer",
    [RT_ARG_NUMBER] = "number",
    [RT_ARG_BOOLEAN] = "boolean",
};

static const char *tool_schema(struct rt_play *play, const struct rt_tool *tool)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (size_t i = 0; i < tool->arg_count; i++) {
        const struct rt_arg *arg = &tool->args[i];
        json_t *property = json_pack("{s:s}", "type", schema_types[arg->type]);
        if (arg->description && *arg->description)
            json_object_set_new(property, "description", json_string(arg->description));
        json_object_set_new(properties, arg->name, property);
        if (arg->required)
            json_array_append_new(required, json_string(arg->name));
    }
    json_t *schema = json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties,
                               "required", required, "additionalProperties", 0);
    rt_buf_clear(&play->scratch);
    if (!schema || rt_json_write(schema, &play->scratch) || rt_buf_ok(&play->scratch))
        fail(play, RT_NO_MEMORY);
    json_decref(schema);
    return rt_play_keep(play, rt_buf_str(&play->scratch));
}

static void set_tools(struct rt_play *play)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    struct rt_chat_tool *tools =
        rt_arena_array(&play->arena, scenario->tool_count + 1, sizeof *tools);
    if (!tools) {
        fail(play, RT_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < scenario->tool_count; i++) {
        const char *description = scenario->tools[i].description;
        tools[i].name = scenario->tools[i].name;
        tools[i].description = description ? rt_play_expand(play, description) : "";
        tools[i].parameters = tool_schema(play, &scenario->tools[i]);
    }
    play->request.tools = tools;
    play->request.tool_count = scenario->tool_count;
}

static void set_stage(struct rt_play *play)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    play->ran = rt_arena_array(&play->arena, scenario->tool_count + 1, sizeof *play->ran);
    play->fired = rt_arena_array(&play->arena, scenario->event_count + 1, sizeof *play->fired);
    const char **world = rt_arena_array(&play->arena, scenario->world_count + 1, sizeof *world);
    if (!play->ran || !play->fired || !world) {
        fail(play, RT_NO_MEMORY);
        return;
    }
    // Initial values may name arm variables but not the world, which is not there yet.
    for (size_t i = 0; i < scenario->world_count; i++)
        world[i] = rt_play_expand(play, scenario->world[i].value);
    play->world = world;
}

static void enter_message(struct rt_play *play, enum rt_chat_role role, const char *text)
{
    struct rt_entry *entry = rt_play_enter(play, RT_ENTRY_MESSAGE);
    if (!entry)
        return;
    entry->role = role;
    entry->text = rt_bytes_str(text);
    struct rt_chat_message message = {role, text, NULL, 0, ""};
    rt_play_say(play, &message);
}

// The next user turn, or the end where there is none.
static void next_user_turn(struct rt_play *play)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    if (play->user_turns >= scenario->turn_count) {
        rt_play_close(play, RT_PLAY_FINISHED);
        return;
    }
    const char *text = rt_play_expand(play, scenario->turns[play->user_turns].user);
    play->user_turns++;
    rt_play_turn_events(play, play->user_turns, text, &text);
    if (!play->end)
        enter_message(play, RT_CHAT_USER, text);
}

static void set_budget(struct rt_play *play)
{
    uint32_t most = play->setup.scenario->limits.completion_tokens;
    play->request.max_tokens = !most                  ? UINT32_MAX
                               : play->tokens >= most ? 1
                                                      : most - (uint32_t)play->tokens;
}

// The END entry, once the play is over.
static void finish(struct rt_play *play)
{
    struct rt_entry *entry = play->end ? rt_play_enter(play, RT_ENTRY_END) : NULL;
    if (entry)
        entry->name = rt_bytes_str(rt_play_end_word(play->end));
}

enum rt_status rt_play_start(const struct rt_play_setup *setup, int64_t now_ms,
                             struct rt_play **ret_play)
{
    const struct rt_scenario *scenario = setup->scenario;
    if (setup->arm >= scenario->arm_count || setup->phrasing >= scenario->phrasing_count)
        return RT_OUT_OF_RANGE;
    struct rt_play *play = calloc(1, sizeof *play);
    if (!play)
        return RT_NO_MEMORY;
    play->setup = *setup;
    rt_arena_init(&play->arena, RT_PLAY_MEMORY_MOST);
    rt_buf_init(&play->scratch, RT_SCENARIO_TEXT_MOST);
    play->now_ms = now_ms;
    play->transcript = (struct rt_transcript){
        .scenario = rt_bytes_str(scenario->id),
        .arm = rt_bytes_str(scenario->arms[setup->arm].id),
        .phrasing = rt_bytes_str(scenario->phrasings[setup->phrasing].id),
        .temperature_micro = setup->temperature_micro,
        .top_p_micro = setup->top_p_micro,
        .seed = setup->seed,
        .started_ms = now_ms,
    };
    play->request.temperature_micro = setup->temperature_micro;
    play->request.top_p_micro = setup->top_p_micro;
    play->request.seed = setup->seed;
    set_stage(play);
    if (!play->failed) {
        set_tools(play);
        if (scenario->system && *scenario->system)
            enter_message(play, RT_CHAT_SYSTEM, rt_play_expand(play, scenario->system));
        next_user_turn(play);
        set_budget(play);
        finish(play);
    }
    if (play->failed) {
        enum rt_status status = play->failed;
        rt_play_free(play);
        return status;
    }
    *ret_play = play;
    return RT_OK;
}

void rt_play_free(struct rt_play *play)
{
    if (!play)
        return;
    rt_buf_release(&play->scratch);
    rt_arena_release(&play->arena);
    free(play);
}

// ---- a reply

// What servers will take back in the conversation: a call needs an id of its own, a name they would
// allow and arguments that parse. The transcript has what the subject wrote; this is only its echo.
static void make_resendable(struct rt_play *play, struct rt_chat_call *call, size_t place)
{
    size_t letters = strspn(call->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_-");
    if (!letters || call->name[letters] || letters > 64)
        call->name = "invalid_name";
    json_t *arguments = NULL;
    if (rt_chat_arguments(call->arguments, &arguments) || !*call->arguments)
        call->arguments = "{}";
    json_decref(arguments);
    if (!*call->id) {
        char *id = rt_arena_printf(&play->arena, "call_%u_%zu", play->turn, place + 1);
        call->id = id ? id : "call";
    }
}

static void enter_reply(struct rt_play *play, const struct rt_chat_reply *reply)
{
    struct rt_entry *entry = rt_play_enter(play, RT_ENTRY_REPLY);
    struct rt_entry_call *calls =
        rt_arena_array(&play->arena, reply->call_count + 1, sizeof *calls);
    if (!entry || !calls) {
        fail(play, RT_TOO_LARGE);
        return;
    }
    for (size_t i = 0; i < reply->call_count; i++)
        calls[i] = (struct rt_entry_call){rt_bytes_str(reply->calls[i].id),
                                          rt_bytes_str(reply->calls[i].name),
                                          rt_bytes_str(reply->calls[i].arguments)};
    entry->text = rt_bytes_str(reply->text);
    entry->reasoning = rt_bytes_str(reply->reasoning);
    entry->refusal = rt_bytes_str(reply->refusal);
    entry->calls = calls;
    entry->call_count = reply->call_count;
    entry->finish = reply->finish;
    entry->has_usage = reply->has_usage;
    entry->tokens_in = reply->tokens_in;
    entry->tokens_out = reply->tokens_out;
}

static void check_limits(struct rt_play *play)
{
    const struct rt_limits *limits = &play->setup.scenario->limits;
    if (limits->turns && play->turn >= limits->turns)
        rt_play_close(play, RT_PLAY_LIMIT_TURNS);
    else if (limits->completion_tokens && play->tokens >= limits->completion_tokens)
        rt_play_close(play, RT_PLAY_LIMIT_TOKENS);
    else if (limits->seconds && rt_play_left_ms(play, play->now_ms) == 0)
        rt_play_close(play, RT_PLAY_LIMIT_SECONDS);
}

static void run_calls(struct rt_play *play, const struct rt_chat_reply *reply,
                      const struct rt_chat_call *echoes)
{
    uint32_t most = play->setup.scenario->limits.calls;
    for (size_t i = 0; i < reply->call_count && !play->end && !play->failed; i++) {
        if (most && play->calls >= most) {
            rt_play_close(play, RT_PLAY_LIMIT_CALLS);
            return;
        }
        // Run what the subject wrote, under the id that is sent back.
        struct rt_chat_call call = reply->calls[i];
        call.id = echoes[i].id;
        rt_play_call(play, &call);
    }
}

static bool texts_valid(const struct rt_chat_reply *reply)
{
    bool valid = rt_utf8_valid(rt_bytes_str(reply->text)) &&
                 rt_utf8_valid(rt_bytes_str(reply->reasoning)) &&
                 rt_utf8_valid(rt_bytes_str(reply->refusal));
    for (size_t i = 0; i < reply->call_count && valid; i++)
        valid = rt_utf8_valid(rt_bytes_str(reply->calls[i].id)) &&
                rt_utf8_valid(rt_bytes_str(reply->calls[i].name)) &&
                rt_utf8_valid(rt_bytes_str(reply->calls[i].arguments));
    return valid;
}

static void take_reply(struct rt_play *play, const struct rt_chat_reply *reply)
{
    struct rt_chat_call *echoes =
        rt_arena_array(&play->arena, reply->call_count + 1, sizeof *echoes);
    if (!echoes) {
        fail(play, RT_TOO_LARGE);
        return;
    }
    for (size_t i = 0; i < reply->call_count; i++) {
        echoes[i] = reply->calls[i];
        make_resendable(play, &echoes[i], i);
    }
    enter_reply(play, reply);
    struct rt_chat_message message = {RT_CHAT_ASSISTANT, reply->text, echoes, reply->call_count,
                                      ""};
    rt_play_say(play, &message);
    if (reply->finish == RT_CHAT_FINISH_LENGTH) {
        rt_play_close(play, RT_PLAY_LENGTH);
        return;
    }
    run_calls(play, reply, echoes);
    if (!play->end && !reply->call_count)
        next_user_turn(play);
    if (!play->end)
        check_limits(play);
}

enum rt_status rt_play_reply(struct rt_play *play, const struct rt_chat_reply *reply,
                             int64_t now_ms)
{
    RT_ASSERT(!play->end);
    struct rt_chat_reply copy;
    if (play->failed)
        return play->failed;
    if (reply->call_count <= RT_CHAT_CALLS_MOST && !texts_valid(reply))
        return RT_MALFORMED;
    enum rt_status status = rt_chat_reply_copy(&play->arena, reply, &copy);
    if (status)
        return status == RT_NO_MEMORY ? RT_TOO_LARGE : status;
    play->now_ms = now_ms;
    play->turn++;
    uint64_t tokens = copy.tokens_out;
    play->tokens = tokens > UINT64_MAX - play->tokens ? UINT64_MAX : play->tokens + tokens;
    take_reply(play, &copy);
    set_budget(play);
    if (!play->failed)
        finish(play);
    return play->failed;
}

void rt_play_fail(struct rt_play *play, enum rt_error_kind kind, const char *text, int64_t now_ms)
{
    if (play->end && !play->failed)
        return;
    // An end that was reached in the very step that failed does not count: its record is partial.
    play->end = kind == RT_ERROR_KIND_NONE ? RT_PLAY_TIMEOUT : RT_PLAY_FAILED;
    play->now_ms = now_ms;
    size_t size = strlen(text);
    size = size > 200 ? 200 : size;
    while (size && !rt_utf8_valid(rt_bytes(text, size)))
        size--;
    struct rt_entry *entry = rt_play_enter(play, RT_ENTRY_FAILURE);
    char *copy = rt_arena_strndup(&play->arena, text, size);
    if (entry) {
        entry->name = rt_bytes_str(kind ? rt_error_kind_words[kind] : "timeout");
        entry->text = rt_bytes_str(copy ? copy : "");
    }
    finish(play);
}

// ---- looking

const struct rt_chat_request *rt_play_request(const struct rt_play *play)
{
    return play->end || play->failed ? NULL : &play->request;
}

enum rt_play_end rt_play_ended(const struct rt_play *play)
{
    return play->end;
}

int64_t rt_play_left_ms(const struct rt_play *play, int64_t now_ms)
{
    uint32_t seconds = play->setup.scenario->limits.seconds;
    if (!seconds)
        return INT64_MAX;
    int64_t spent = now_ms - play->transcript.started_ms;
    int64_t left = (int64_t)seconds * 1000 - (spent > 0 ? spent : 0);
    return left > 0 ? left : 0;
}

const struct rt_transcript *rt_play_transcript(const struct rt_play *play)
{
    return &play->transcript;
}
