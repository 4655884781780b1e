// SPDX-License-Identifier: Apache-2.0
#include "engine/chat.h"

#include <string.h>

#include "common/base/json.h"

const char *rt_chat_role_word(enum rt_chat_role role)
{
    static const char *const words[] = {
#define X(name, word) word,
        RT_CHAT_ROLE_TABLE(X)
#undef X
    };
    RT_ASSERT(role < RT_CHAT_ROLE_COUNT);
    return words[role];
}

static const char *const finish_words[] = {
#define X(name, word) word,
    RT_CHAT_FINISH_TABLE(X)
#undef X
};

const char *rt_chat_finish_word(enum rt_chat_finish finish)
{
    RT_ASSERT(finish < RT_CHAT_FINISH_COUNT);
    return finish_words[finish];
}

enum rt_chat_finish rt_chat_finish_read(const char *word)
{
    for (int i = 0; i < RT_CHAT_FINISH_COUNT; i++)
        if (strcmp(finish_words[i], word) == 0)
            return (enum rt_chat_finish)i;
    return strcmp(word, "function_call") == 0 ? RT_CHAT_FINISH_CALLS : RT_CHAT_FINISH_OTHER;
}

uint64_t rt_chat_tokens_estimate(const char *text)
{
    return ((uint64_t)strlen(text) + 3) / 4;
}

static void digest_text(struct rt_sha256_state *state, const char *text)
{
    uint8_t size[8];
    size_t length = strlen(text);
    rt_put_u64be(size, length);
    rt_sha256_update(state, size, sizeof size);
    rt_sha256_update(state, text, length);
}

void rt_chat_messages_digest(const struct rt_chat_message *messages, size_t count,
                             struct rt_digest *ret_digest)
{
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    for (size_t i = 0; i < count; i++) {
        uint8_t head[2] = {(uint8_t)messages[i].role, (uint8_t)messages[i].call_count};
        rt_sha256_update(&state, head, sizeof head);
        digest_text(&state, messages[i].text);
        for (size_t c = 0; c < messages[i].call_count; c++) {
            digest_text(&state, messages[i].calls[c].name);
            digest_text(&state, messages[i].calls[c].arguments);
        }
    }
    rt_sha256_final(&state, ret_digest);
}

enum rt_status rt_chat_reply_copy(struct rt_arena *arena, const struct rt_chat_reply *reply,
                                  struct rt_chat_reply *ret_reply)
{
    if (reply->call_count > RT_CHAT_CALLS_MOST)
        return RT_TOO_LARGE;
    struct rt_chat_reply copy = *reply;
    copy.text = rt_arena_strdup(arena, reply->text);
    copy.reasoning = rt_arena_strdup(arena, reply->reasoning);
    copy.refusal = rt_arena_strdup(arena, reply->refusal);
    struct rt_chat_call *calls = rt_arena_array(arena, reply->call_count + 1, sizeof *calls);
    if (!copy.text || !copy.reasoning || !copy.refusal || !calls)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < reply->call_count; i++) {
        calls[i].id = rt_arena_strdup(arena, reply->calls[i].id);
        calls[i].name = rt_arena_strdup(arena, reply->calls[i].name);
        calls[i].arguments = rt_arena_strdup(arena, reply->calls[i].arguments);
        if (!calls[i].id || !calls[i].name || !calls[i].arguments)
            return RT_NO_MEMORY;
    }
    copy.calls = calls;
    *ret_reply = copy;
    return RT_OK;
}

enum rt_status rt_chat_arguments(const char *arguments, struct json_t **ret_object)
{
    // Servers write "" as well as "{}" for a call without arguments.
    const char *text = arguments[strspn(arguments, " \t\r\n")] ? arguments : "{}";
    json_t *json;
    if (rt_json_parse(rt_bytes_str(text), &json, NULL))
        return RT_MALFORMED;
    if (!json_is_object(json)) {
        json_decref(json);
        return RT_MALFORMED;
    }
    *ret_object = json;
    return RT_OK;
}
