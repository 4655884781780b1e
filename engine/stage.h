// SPDX-License-Identifier: Apache-2.0
// The inside of a play, shared by play.c (turns, limits, lifecycle) and tool.c (calls, events, the
// world) and nobody else. Everything lives in the play's arena. One thread.
#ifndef RT_ENGINE_STAGE_H
#define RT_ENGINE_STAGE_H

#include "engine/play.h"

// What one role has heard and said.
struct rt_role_state {
    struct rt_chat_message *messages;
    size_t count, capacity;
    uint32_t spoken;
};

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
    uint32_t turn_at;    // the scenario's turn that comes next
    uint32_t turn_taken; // how often its role has spoken there
    uint64_t tokens;     // completion tokens used

    // The calls of the reply being played, under the ids that are sent back.
    const struct rt_chat_call *calls_left;
    size_t calls_left_count;
    bool had_calls;

    struct rt_role_state *roles;         // by role
    struct rt_chat_request role_request; // while asking is not 0
    uint32_t asking;                     // 1 + the role that is to speak; 0: the subject
    const char *told;                    // what it was asked with
    bool asking_for_call;                // its words are a tool's reply, else a user turn
    size_t call_place;                   // that call's entry
    const char *call_added;              // what events add to that reply
    const char *call_id;

    const char *head; // the system prompt while it waits for the first user turn; else ""
    // While a call runs: its tool and its arguments' texts, for templates.
    const struct rt_tool *tool;
    const struct rt_pair *args;
    size_t arg_count;

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
// event ended the play, or a role has to be asked first (play->asking).
void rt_play_call(struct rt_play *play, const struct rt_chat_call *call);
// The answer to the call that waits for a role.
void rt_play_call_answer(struct rt_play *play, const char *text);
// Fire the events that ride on the user turn with this number (1 = the first) and append their
// texts to text, which becomes *ret_text.
void rt_play_turn_events(struct rt_play *play, uint32_t number, const char *text,
                         const char **ret_text);

// Roles (role.c): their conversations at the start; what the user and the subject said, as those
// who take turns hear it.
void rt_role_start(struct rt_play *play);
void rt_role_user_said(struct rt_play *play, const char *text);
void rt_role_subject_said(struct rt_play *play, const char *text);
// Let a role speak: told is what it is told by a call, NULL where it is its turn. The words of a
// scripted one; NULL for a modelled one, which is then what the play asks next.
const char *rt_role_ask(struct rt_play *play, uint32_t index, const char *told);
// A modelled role has answered; its words.
const char *rt_role_answer(struct rt_play *play, const struct rt_chat_reply *reply);

#endif
