// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "engine/play.h"

static const char *text_of(struct rt_arena *arena, struct rt_bytes bytes)
{
    return rt_arena_strndup(arena, (const char *)bytes.data, bytes.size);
}

static enum rt_status reply_of(struct rt_arena *arena, const struct rt_entry *entry,
                               struct rt_chat_reply *ret_reply)
{
    struct rt_chat_call *calls = rt_arena_array(arena, entry->call_count + 1, sizeof *calls);
    if (!calls)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < entry->call_count; i++) {
        calls[i].id = text_of(arena, entry->calls[i].id);
        calls[i].name = text_of(arena, entry->calls[i].name);
        calls[i].arguments = text_of(arena, entry->calls[i].arguments);
        if (!calls[i].id || !calls[i].name || !calls[i].arguments)
            return RT_NO_MEMORY;
    }
    *ret_reply = (struct rt_chat_reply){
        .text = text_of(arena, entry->text),
        .reasoning = text_of(arena, entry->reasoning),
        .refusal = text_of(arena, entry->refusal),
        .calls = calls,
        .call_count = entry->call_count,
        .finish = entry->finish,
        .has_usage = entry->has_usage,
        .tokens_in = entry->tokens_in,
        .tokens_out = entry->tokens_out,
    };
    return ret_reply->text && ret_reply->reasoning && ret_reply->refusal ? RT_OK : RT_NO_MEMORY;
}

static bool calls_equal(const struct rt_entry *a, const struct rt_entry *b)
{
    if (a->call_count != b->call_count)
        return false;
    for (size_t i = 0; i < a->call_count; i++)
        if (!rt_bytes_equal(a->calls[i].id, b->calls[i].id) ||
            !rt_bytes_equal(a->calls[i].name, b->calls[i].name) ||
            !rt_bytes_equal(a->calls[i].arguments, b->calls[i].arguments))
            return false;
    return true;
}

static bool entries_equal(const struct rt_entry *a, const struct rt_entry *b)
{
    return a->kind == b->kind && a->turn == b->turn && a->at_ms == b->at_ms && a->role == b->role &&
           a->finish == b->finish && a->verdict == b->verdict && a->has_usage == b->has_usage &&
           a->tokens_in == b->tokens_in && a->tokens_out == b->tokens_out &&
           rt_bytes_equal(a->name, b->name) && rt_bytes_equal(a->id, b->id) &&
           rt_bytes_equal(a->text, b->text) && rt_bytes_equal(a->arguments, b->arguments) &&
           rt_bytes_equal(a->reasoning, b->reasoning) && rt_bytes_equal(a->refusal, b->refusal) &&
           calls_equal(a, b);
}

static enum rt_error_kind kind_of(struct rt_bytes word)
{
    for (int i = 0; i < RT_ERROR_KIND_COUNT; i++)
        if (rt_bytes_equal_str(word, rt_error_kind_words[i]))
            return (enum rt_error_kind)i;
    return RT_ERROR_KIND_NONE; // "timeout"
}

static int64_t time_of(const struct rt_transcript *transcript, const struct rt_entry *entry)
{
    uint64_t most = (uint64_t)INT64_MAX / 2;
    return transcript->started_ms + (int64_t)(entry->at_ms < most ? entry->at_ms : most);
}

// Feed what the subject and modelled roles said into play until either side is at its end. What
// the play has recorded so far says which entry comes next: anything that is no input there shows
// as a difference afterwards.
static enum rt_status feed(struct rt_play *play, const struct rt_transcript *transcript)
{
    const struct rt_transcript *again = rt_play_transcript(play);
    struct rt_arena arena;
    enum rt_status status = RT_OK;
    rt_arena_init(&arena, RT_PLAY_MEMORY_MOST);
    while (again->entry_count < transcript->entry_count && status != RT_NO_MEMORY) {
        const struct rt_entry *entry = &transcript->entries[again->entry_count];
        int64_t now_ms = time_of(transcript, entry);
        if (entry->kind == RT_ENTRY_FAILURE) {
            const char *text = text_of(&arena, entry->text);
            status = text ? RT_OK : RT_NO_MEMORY;
            if (text)
                rt_play_fail(play, kind_of(entry->name), text, now_ms);
            break;
        }
        const struct rt_chat_request *request = rt_play_request(play);
        if (!request || entry->kind != (request->role ? RT_ENTRY_ROLE : RT_ENTRY_REPLY))
            break;
        struct rt_chat_reply reply;
        size_t before = again->entry_count;
        status = reply_of(&arena, entry, &reply);
        if (!status)
            status = rt_play_reply(play, &reply, now_ms);
        if (again->entry_count == before)
            break;
    }
    rt_arena_release(&arena);
    return status;
}

static enum rt_status setup_of(const struct rt_scenario *scenario,
                               const struct rt_transcript *transcript, struct rt_play_setup *setup)
{
    *setup = (struct rt_play_setup){
        scenario,        RT_NONE, RT_NONE, transcript->temperature_micro, transcript->top_p_micro,
        transcript->seed};
    for (uint32_t i = 0; i < scenario->arm_count; i++)
        if (rt_bytes_equal_str(transcript->arm, scenario->arms[i].id))
            setup->arm = i;
    for (uint32_t i = 0; i < scenario->phrasing_count; i++)
        if (rt_bytes_equal_str(transcript->phrasing, scenario->phrasings[i].id))
            setup->phrasing = i;
    return setup->arm == RT_NONE || setup->phrasing == RT_NONE ||
                   !rt_bytes_equal_str(transcript->scenario, scenario->id)
               ? RT_CONFLICT
               : RT_OK;
}

enum rt_status rt_play_replay(const struct rt_scenario *scenario,
                              const struct rt_transcript *transcript, size_t *ret_at)
{
    struct rt_play_setup setup;
    struct rt_play *play;
    if (ret_at)
        *ret_at = 0;
    enum rt_status status = setup_of(scenario, transcript, &setup);
    if (status)
        return status;
    status = rt_play_start(&setup, transcript->started_ms, &play);
    if (status)
        return status;
    status = feed(play, transcript);
    const struct rt_transcript *again = rt_play_transcript(play);
    size_t at = 0;
    while (at < again->entry_count && at < transcript->entry_count &&
           entries_equal(&again->entries[at], &transcript->entries[at]))
        at++;
    if (status != RT_NO_MEMORY)
        status = at == again->entry_count && at == transcript->entry_count ? RT_OK : RT_CONFLICT;
    if (ret_at && status == RT_CONFLICT)
        *ret_at = at;
    rt_play_free(play);
    return status;
}
