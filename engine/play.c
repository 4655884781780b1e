// SPDX-License-Identifier: Apache-2.0
#include "engine/play.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "engine/argument.h"
#include "engine/match.h"
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
                             .world = play->world,
                             .tool = play->tool,
                             .args = play->args,
                             .arg_count = play->arg_count};
    rt_buf_clear(&play->scratch);
    enum rt_status status = rt_scenario_expand(&scene, text, RT_EXPAND_TEXT, &play->scratch);
    size_t most = rt_scenario_expanded_most(play->setup.scenario);
    // What a subject wrote into the world may add up: it is cut off, which is no failure of ours.
    if (status == RT_TOO_LARGE && play->scratch.size > most && !rt_buf_ok(&play->scratch)) {
        while (most && !rt_utf8_valid(rt_bytes(play->scratch.data, most)))
            most--;
        char *head = rt_arena_strndup(&play->arena, (const char *)play->scratch.data, most);
        if (!head)
            fail(play, RT_TOO_LARGE);
        return head ? head : "";
    }
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

static const char *tool_schema(struct rt_play *play, const struct rt_tool *tool)
{
    json_t *schema = rt_argument_schema(tool->args, tool->arg_count);
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

// The system prompt where the scenario wants it; in a user turn it comes before the first one's
// text.
static void enter_system(struct rt_play *play)
{
    struct rt_scene scene = {.scenario = play->setup.scenario,
                             .arm = play->setup.arm,
                             .phrasing = play->setup.phrasing,
                             .world = play->world};
    const char *text = rt_play_expand(play, play->setup.scenario->system);
    enum rt_placement placement = rt_scenario_placement(&scene);
    play->head = "";
    if (!*text || placement == RT_PLACEMENT_NONE)
        return;
    if (placement == RT_PLACEMENT_USER)
        play->head = text;
    else
        enter_message(
            play, placement == RT_PLACEMENT_DEVELOPER ? RT_CHAT_DEVELOPER : RT_CHAT_SYSTEM, text);
}

static void send_user(struct rt_play *play, const char *text)
{
    play->user_turns++;
    rt_play_turn_events(play, play->user_turns, text, &text);
    if (play->end)
        return;
    if (*play->head) {
        text = rt_arena_printf(&play->arena, "%s\n\n%s", play->head, text);
        play->head = "";
    }
    if (text)
        enter_message(play, RT_CHAT_USER, text);
    else
        fail(play, RT_TOO_LARGE);
}

static bool says_stop(struct rt_play *play, const char *pattern, const char *text)
{
    struct rt_scene scene = {.scenario = play->setup.scenario,
                             .arm = play->setup.arm,
                             .phrasing = play->setup.phrasing,
                             .world = play->world};
    if (!*text)
        return true; // it has nothing more to say
    if (!*pattern)
        return false;
    rt_buf_clear(&play->scratch);
    return rt_scenario_expand(&scene, pattern, RT_EXPAND_PATTERN, &play->scratch) == RT_OK &&
           rt_match(rt_buf_str(&play->scratch), rt_bytes_str(text), NULL);
}

// A role has spoken on its turn: send it, or go on with the next turn where that was the last.
static bool take_turn(struct rt_play *play, const char *text)
{
    if (says_stop(play, play->setup.scenario->turns[play->turn_at].until, text)) {
        play->turn_at++;
        play->turn_taken = 0;
        return false;
    }
    send_user(play, text);
    return true;
}

// The next user turn, a role that is to speak it, or the end where there is none.
static void next_user_turn(struct rt_play *play)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    while (play->turn_at < scenario->turn_count && !play->failed) {
        const struct rt_turn *turn = &scenario->turns[play->turn_at];
        if (*turn->user) {
            const char *text = rt_play_expand(play, turn->user);
            play->turn_at++;
            rt_role_user_said(play, text);
            send_user(play, text);
            return;
        }
        if (play->turn_taken >= turn->most) {
            play->turn_at++;
            play->turn_taken = 0;
            continue;
        }
        play->turn_taken++;
        play->asking_for_call = false;
        const char *text = rt_role_ask(play, turn->from, NULL);
        if (!text || take_turn(play, text))
            return;
    }
    rt_play_close(play, RT_PLAY_FINISHED);
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
    rt_buf_init(&play->scratch, 4 * rt_scenario_expanded_most(scenario));
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
        enter_system(play);
        rt_role_start(play);
        if (!play->failed)
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

// Run the calls that are left, until one of them has to ask a role. Then what follows a reply.
static void go_on(struct rt_play *play)
{
    uint32_t most = play->setup.scenario->limits.calls;
    while (play->calls_left_count && !play->asking && !play->end && !play->failed) {
        if (most && play->calls >= most) {
            rt_play_close(play, RT_PLAY_LIMIT_CALLS);
            return;
        }
        play->calls_left_count--;
        rt_play_call(play, play->calls_left++);
    }
    if (play->asking || play->failed)
        return;
    if (!play->end && !play->had_calls)
        next_user_turn(play);
    if (!play->end && !play->asking)
        check_limits(play);
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
    // What the subject wrote is run, under the ids that are sent back.
    struct rt_chat_call *calls = rt_arena_array(&play->arena, reply->call_count + 1, sizeof *calls);
    if (!calls) {
        fail(play, RT_TOO_LARGE);
        return;
    }
    for (size_t i = 0; i < reply->call_count; i++) {
        calls[i] = reply->calls[i];
        calls[i].id = echoes[i].id;
    }
    play->calls_left = calls;
    play->calls_left_count = reply->call_count;
    play->had_calls = reply->call_count > 0;
    if (!play->had_calls)
        rt_role_subject_said(play, reply->text);
    go_on(play);
}

static void take_role(struct rt_play *play, const struct rt_chat_reply *reply)
{
    const char *text = rt_role_answer(play, reply);
    if (play->failed)
        return;
    if (play->asking_for_call) {
        rt_play_call_answer(play, text);
        go_on(play);
        return;
    }
    if (!take_turn(play, text))
        next_user_turn(play);
    if (!play->end && !play->asking)
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
    if (play->asking) {
        take_role(play, &copy);
    } else {
        play->turn++;
        uint64_t tokens = copy.tokens_out;
        play->tokens = tokens > UINT64_MAX - play->tokens ? UINT64_MAX : play->tokens + tokens;
        take_reply(play, &copy);
    }
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
    if (play->end || play->failed)
        return NULL;
    return play->asking ? &play->role_request : &play->request;
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
