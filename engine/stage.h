// SPDX-License-Identifier: Apache-2.0
// The inside of a play, shared by play.c (turns, limits, lifecycle) and tool.c (calls, events, the
// world) and nobody else. Everything lives in the play's arena. One thread.
#ifndef RT_ENGINE_STAGE_H
#define RT_ENGINE_STAGE_H

#include "engine/play.h"

struct rt_play {
    struct rt_play_setup setup;
    struct rt_arena arena;
    struct rt_buf scratch; // one expansion at a time
    enum rt_status failed; // the first failure sticks; nothing more is played after it

    struct rt_chat_request request;
    struct rt_chat_message *messages;
    size_t message_capacity;

    const char **world;  // current values, in the scenario's order
    uint32_t *ran;       // calls that ran, by tool
    bool *fired;         // by event
    uint32_t calls;      // tool calls made, whatever became of them
    uint32_t user_turns; // sent so far
    uint64_t tokens;     // completion tokens used

    enum rt_play_end end;
    int64_t now_ms; // of the step being played
    uint32_t turn;  // replies received

    struct rt_transcript transcript;
    struct rt_entry *entries;
    size_t entry_capacity;
};

// Append an entry stamped with the present turn and time. NULL (and failed is set) when full.
struct rt_entry *rt_play_enter(struct rt_play *play, enum rt_entry_kind kind);
// A copy in the play's arena; "" (and failed is set) when full.
const char *rt_play_keep(struct rt_play *play, const char *text);
// A template expanded in the present scene, in the play's arena; "" on failure.
const char *rt_play_expand(struct rt_play *play, const char *text);
// Append a message to the conversation.
void rt_play_say(struct rt_play *play, const struct rt_chat_message *message);
void rt_play_close(struct rt_play *play, enum rt_play_end end);

// Run one tool call: validate, case, world, events, reply; answer it in the conversation unless an
// event ended the play.
void rt_play_call(struct rt_play *play, const struct rt_chat_call *call);
// Fire the events that ride on the user turn with this number (1 = the first) and append their
// texts to text, which becomes *ret_text.
void rt_play_turn_events(struct rt_play *play, uint32_t number, const char *text,
                         const char **ret_text);

// The text a pattern sees for an argument: strings as they are, numbers in shortest form, true or
// false. False for null, arrays and objects. Appends to out.
struct json_t;
bool rt_play_argument_text(const struct json_t *value, struct rt_buf *out);

#endif
