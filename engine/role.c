// SPDX-License-Identifier: Apache-2.0
// Other roles of a scene: what each has heard and said, and who is to speak next.
#include <string.h>

#include "engine/stage.h"

// Append to a role's conversation. Two things heard in a row become one message: many servers want
// the speakers to alternate.
static void add(struct rt_play *play, uint32_t index, enum rt_chat_role who, const char *text)
{
    struct rt_role_state *state = &play->roles[index];
    if (who == RT_CHAT_USER && state->count && state->messages[state->count - 1].role == who) {
        struct rt_chat_message *last = &state->messages[state->count - 1];
        char *joined = rt_arena_printf(&play->arena, "%s\n\n%s", last->text, text);
        if (joined)
            last->text = joined;
        else
            play->failed = RT_TOO_LARGE;
        return;
    }
    if (state->count == state->capacity) {
        size_t wider = state->capacity ? 2 * state->capacity : 16;
        struct rt_chat_message *messages = rt_arena_array(&play->arena, wider, sizeof *messages);
        if (!messages) {
            play->failed = RT_TOO_LARGE;
            return;
        }
        if (state->count)
            memcpy(messages, state->messages, state->count * sizeof *messages);
        state->messages = messages;
        state->capacity = wider;
    }
    state->messages[state->count++] = (struct rt_chat_message){who, text, NULL, 0, ""};
}

static const struct rt_scene_role *role_of(const struct rt_play *play, uint32_t index)
{
    return &play->setup.scenario->roles[index];
}

static bool takes_turns(const struct rt_play *play, uint32_t index)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    for (size_t i = 0; i < scenario->turn_count; i++)
        if (scenario->turns[i].from == index)
            return true;
    return false;
}

void rt_role_start(struct rt_play *play)
{
    const struct rt_scenario *scenario = play->setup.scenario;
    play->roles = rt_arena_array(&play->arena, scenario->role_count + 1, sizeof *play->roles);
    if (!play->roles) {
        play->failed = RT_NO_MEMORY;
        return;
    }
    for (uint32_t i = 0; i < scenario->role_count; i++)
        if (!scenario->roles[i].reply_count)
            add(play, i, RT_CHAT_SYSTEM, rt_play_expand(play, scenario->roles[i].system));
}

static void hear_opening(struct rt_play *play, uint32_t index)
{
    const struct rt_role_state *state = &play->roles[index];
    if (!state->count || state->messages[state->count - 1].role != RT_CHAT_USER)
        add(play, index, RT_CHAT_USER, rt_play_expand(play, role_of(play, index)->opening));
}

void rt_role_user_said(struct rt_play *play, const char *text)
{
    for (uint32_t i = 0; i < play->setup.scenario->role_count; i++) {
        if (!takes_turns(play, i))
            continue;
        hear_opening(play, i);
        add(play, i, RT_CHAT_ASSISTANT, text);
    }
}

void rt_role_subject_said(struct rt_play *play, const char *text)
{
    for (uint32_t i = 0; i < play->setup.scenario->role_count; i++)
        if (*text && takes_turns(play, i))
            add(play, i, RT_CHAT_USER, text);
}

static void record(struct rt_play *play, uint32_t index, const char *told,
                   const struct rt_chat_reply *reply)
{
    struct rt_entry *entry = rt_play_enter(play, RT_ENTRY_ROLE);
    if (!entry)
        return;
    entry->name = rt_bytes_str(role_of(play, index)->id);
    entry->arguments = rt_bytes_str(told);
    entry->text = rt_bytes_str(reply->text);
    entry->reasoning = rt_bytes_str(reply->reasoning);
    entry->refusal = rt_bytes_str(reply->refusal);
    entry->finish = reply->finish;
    entry->has_usage = reply->has_usage;
    entry->tokens_in = reply->tokens_in;
    entry->tokens_out = reply->tokens_out;
}

const char *rt_role_ask(struct rt_play *play, uint32_t index, const char *told)
{
    const struct rt_scene_role *role = role_of(play, index);
    struct rt_role_state *state = &play->roles[index];
    if (role->reply_count) {
        size_t nth = state->spoken < role->reply_count ? state->spoken : role->reply_count - 1;
        state->spoken++;
        struct rt_chat_reply reply = {.text = rt_play_expand(play, role->replies[nth]),
                                      .reasoning = "",
                                      .refusal = "",
                                      .finish = RT_CHAT_FINISH_STOP};
        record(play, index, told ? told : "", &reply);
        return reply.text;
    }
    if (told)
        add(play, index, RT_CHAT_USER, *told ? told : "(nothing)");
    else
        hear_opening(play, index);
    play->asking = index + 1;
    play->told = told ? told : "";
    play->role_request = (struct rt_chat_request){
        .messages = state->messages,
        .message_count = state->count,
        .temperature_micro = role->temperature_micro,
        .top_p_micro = 1000000,
        .seed = play->setup.seed,
        .max_tokens = role->completion_tokens,
        .role = index + 1,
    };
    return NULL;
}

const char *rt_role_answer(struct rt_play *play, const struct rt_chat_reply *reply)
{
    uint32_t index = play->asking - 1;
    const char *text = *reply->text ? reply->text : reply->refusal;
    play->asking = 0;
    play->roles[index].spoken++;
    record(play, index, play->told, reply);
    add(play, index, RT_CHAT_ASSISTANT, text);
    return text;
}
