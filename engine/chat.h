// SPDX-License-Identifier: Apache-2.0
// What passes between a player and a subject: messages and tools in, one assistant turn out, in the
// terms of the chat-completions protocol (INTEROP, "Chat completions") and with nothing else, so
// that no field can tell a subject which trial it is in. Plain views: whoever makes a value keeps
// its strings alive. Never does I/O. Pure; any thread.
#ifndef RT_ENGINE_CHAT_H
#define RT_ENGINE_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/crypto/hash.h"

//  X(name, the protocol's word)
#define RT_CHAT_ROLE_TABLE(X)                                                                      \
    X(SYSTEM, "system")                                                                            \
    X(USER, "user")                                                                                \
    X(ASSISTANT, "assistant")                                                                      \
    X(TOOL, "tool")                                                                                \
    X(DEVELOPER, "developer")

enum rt_chat_role {
#define X(name, word) RT_CHAT_##name,
    RT_CHAT_ROLE_TABLE(X)
#undef X
        RT_CHAT_ROLE_COUNT
};
const char *rt_chat_role_word(enum rt_chat_role role);

//  X(name, the protocol's finish_reason)
#define RT_CHAT_FINISH_TABLE(X)                                                                    \
    X(STOP, "stop")                                                                                \
    X(LENGTH, "length")                                                                            \
    X(CALLS, "tool_calls")                                                                         \
    X(FILTER, "content_filter")                                                                    \
    X(OTHER, "other")

enum rt_chat_finish {
#define X(name, word) RT_CHAT_FINISH_##name,
    RT_CHAT_FINISH_TABLE(X)
#undef X
        RT_CHAT_FINISH_COUNT
};
const char *rt_chat_finish_word(enum rt_chat_finish finish);
// RT_CHAT_FINISH_OTHER for a word that is not in the table ("function_call" reads as CALLS).
enum rt_chat_finish rt_chat_finish_read(const char *word);

// One tool call as the subject wrote it. arguments is text that should be a JSON object and may be
// anything.
struct rt_chat_call {
    const char *id; // "" where the subject gave none
    const char *name;
    const char *arguments;
};

struct rt_chat_message {
    enum rt_chat_role role;
    const char *text;                 // "" stands for null content
    const struct rt_chat_call *calls; // assistant only
    size_t call_count;
    const char *call_id; // tool only: which call this answers
};

struct rt_chat_tool {
    const char *name;
    const char *description;
    const char *parameters; // JSON Schema of an object, canonical text
};

struct rt_chat_request {
    const struct rt_chat_message *messages;
    size_t message_count;
    const struct rt_chat_tool *tools;
    size_t tool_count;
    int64_t temperature_micro;
    int64_t top_p_micro;
    uint32_t seed;
    uint32_t max_tokens; // most completion tokens of this one reply
    uint32_t role;       // who is asked: 0 the subject, else 1 + its index in the scenario's roles
};

#define RT_CHAT_CALLS_MOST 32 // tool calls of one reply; a reply with more is RT_TOO_LARGE

struct rt_chat_reply {
    const char *text;      // "" for null
    const char *reasoning; // "" where the server gave none; recorded, never scored
    const char *refusal;   // "" unless the server marked a refusal
    const struct rt_chat_call *calls;
    size_t call_count;
    enum rt_chat_finish finish;
    bool has_usage; // tokens_* came from the server; otherwise they are estimates
    uint64_t tokens_in;
    uint64_t tokens_out;
};

// A rough count for servers that send no usage: a token for every four bytes, at least one for a
// text that is not empty.
uint64_t rt_chat_tokens_estimate(const char *text);

// SHA-256 over roles, texts, call names and arguments of the first count messages. Call ids are
// left out: servers invent them.
void rt_chat_messages_digest(const struct rt_chat_message *messages, size_t count,
                             struct rt_digest *ret_digest);

// A deep copy in the arena. RT_NO_MEMORY when the arena is full.
enum rt_status rt_chat_reply_copy(struct rt_arena *arena, const struct rt_chat_reply *reply,
                                  struct rt_chat_reply *ret_reply) RT_WARN_UNUSED;

// Make sense of a call's arguments: the JSON object, decref'ed by the caller, or RT_MALFORMED.
struct json_t;
enum rt_status rt_chat_arguments(const char *arguments, struct json_t **ret_object) RT_WARN_UNUSED;

#endif
