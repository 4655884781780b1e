// SPDX-License-Identifier: Apache-2.0
// The way back: from a sample that inspect_write.c and inspect_events.c made to the trial it was.
#include <stdlib.h>

#include "common/base/time.h"
#include "interop/inspect_events.h"
#include "interop/inspect_read.h"

struct back {
    const json_t *messages;
    struct rt_arena *arena;
    struct rt_entry *entries;
    size_t count;
    bool bad;
};

static const char *text_at(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

static int64_t number_at(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static uint64_t count_at(const json_t *json, const char *key)
{
    int64_t value = number_at(json, key);
    return value > 0 ? (uint64_t)value : 0;
}

static struct rt_bytes bytes_of(const json_t *json)
{
    const char *text = json_string_value(json);
    return text ? rt_bytes(text, json_string_length(json)) : rt_bytes(NULL, 0);
}

static struct rt_bytes bytes_at(const json_t *json, const char *key)
{
    return bytes_of(json_object_get(json, key));
}

static int word_of(const char *word, const char *(*word_of_value)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word, word_of_value(i)) == 0)
            return i;
    return count;
}

static const char *kind_word(int i)
{
    return rt_entry_kind_word((enum rt_entry_kind)i);
}
static const char *verdict_word(int i)
{
    return rt_verdict_word((enum rt_verdict)i);
}
static const char *role_word(int i)
{
    return rt_chat_role_word((enum rt_chat_role)i);
}
static const char *status_word(int i)
{
    return rt_trial_status_words[i];
}
static const char *error_word(int i)
{
    return rt_error_kind_words[i];
}

// ---- entries

// The parts of a reply's content.
static void take_content(const json_t *content, struct rt_entry *entry)
{
    size_t i;
    json_t *part;
    if (json_is_string(content))
        entry->text = bytes_of(content);
    json_array_foreach(content, i, part)
    {
        if (json_object_get(part, "reasoning"))
            entry->reasoning = bytes_at(part, "reasoning");
        else if (json_is_true(json_object_get(part, "refusal")))
            entry->refusal = bytes_at(part, "text");
        else
            entry->text = bytes_at(part, "text");
    }
}

static void take_reply(struct back *back, const json_t *event, const json_t *ours,
                       struct rt_entry *entry)
{
    const json_t *output = json_object_get(event, "output"), *usage;
    const json_t *choice = json_array_get(json_object_get(output, "choices"), 0);
    const json_t *message = json_object_get(choice, "message");
    const json_t *calls = json_object_get(message, "tool_calls");
    const json_t *raw = json_object_get(ours, "calls");
    take_content(json_object_get(message, "content"), entry);
    usage = json_object_get(output, "usage");
    entry->finish = rt_inspect_stop_read(text_at(choice, "stop_reason"));
    entry->has_usage = json_is_true(json_object_get(ours, "counted_by_server"));
    entry->tokens_in = count_at(usage, "input_tokens");
    entry->tokens_out = count_at(usage, "output_tokens");
    entry->call_count = json_array_size(calls);
    struct rt_entry_call *list = rt_arena_array(back->arena, entry->call_count + 1, sizeof *list);
    if (!list || json_array_size(raw) != entry->call_count) {
        back->bad = true;
        entry->call_count = 0;
        return;
    }
    for (size_t i = 0; i < entry->call_count; i++) {
        const json_t *pair = json_array_get(raw, i);
        list[i].id = bytes_of(json_array_get(pair, 0));
        list[i].arguments = bytes_of(json_array_get(pair, 1));
        list[i].name = bytes_at(json_array_get(calls, i), "function");
    }
    entry->calls = list;
}

static void take_role(const json_t *ours, struct rt_entry *entry)
{
    entry->arguments = bytes_at(ours, "told");
    entry->reasoning = bytes_at(ours, "reasoning");
    entry->refusal = bytes_at(ours, "refusal");
    entry->finish = rt_inspect_stop_read(text_at(ours, "stop_reason"));
    entry->has_usage = json_is_true(json_object_get(ours, "counted_by_server"));
    entry->tokens_in = count_at(ours, "tokens_in");
    entry->tokens_out = count_at(ours, "tokens_out");
}

static void take_event(struct back *back, const json_t *event)
{
    bool info = strcmp(text_at(event, "event"), "info") == 0;
    const json_t *ours =
        info ? json_object_get(event, "data")
             : json_object_get(json_object_get(event, "metadata"), RT_INSPECT_SOURCE);
    if (!json_is_object(ours) || (info && strcmp(text_at(event, "source"), RT_INSPECT_SOURCE)))
        return;
    int kind = word_of(text_at(ours, "kind"), kind_word, RT_ENTRY_KIND_COUNT);
    if (kind == RT_ENTRY_KIND_COUNT || back->count == RT_TRANSCRIPT_ENTRIES_MOST) {
        back->bad = true;
        return;
    }
    struct rt_entry *entry = &back->entries[back->count++];
    *entry = (struct rt_entry){.kind = (enum rt_entry_kind)kind,
                               .turn = (uint32_t)count_at(ours, "turn"),
                               .at_ms = count_at(ours, "at_ms")};
    if (kind == RT_ENTRY_MESSAGE) {
        const json_t *message = json_array_get(back->messages, (size_t)count_at(ours, "message"));
        int role = word_of(text_at(ours, "role"), role_word, RT_CHAT_ROLE_COUNT);
        back->bad |= role == RT_CHAT_ROLE_COUNT;
        entry->role = (enum rt_chat_role)role;
        entry->text = bytes_at(message, "content");
    } else if (kind == RT_ENTRY_REPLY) {
        take_reply(back, event, ours, entry);
    } else if (kind == RT_ENTRY_CALL) {
        int verdict = word_of(text_at(ours, "verdict"), verdict_word, RT_VERDICT_COUNT);
        back->bad |= verdict == RT_VERDICT_COUNT;
        entry->verdict = (enum rt_verdict)verdict;
        entry->id = bytes_at(ours, "id");
        entry->arguments = bytes_at(ours, "arguments");
        entry->name = bytes_at(event, "function");
        entry->text = bytes_at(event, "result");
    } else {
        entry->name = bytes_at(ours, "name");
        entry->text = bytes_at(ours, "text");
    }
    if (kind == RT_ENTRY_ROLE)
        take_role(ours, entry);
}

static enum rt_status take_transcript(const json_t *sample, const json_t *ours,
                                      struct rt_arena *arena, struct rt_interop_trial *trial)
{
    const json_t *of = json_object_get(ours, "transcript"), *events;
    if (json_is_null(of) || !of)
        return RT_OK;
    if (rt_digest_parse(bytes_at(of, "commitment"), &trial->commitment))
        return RT_MALFORMED;
    struct rt_bytes salt = bytes_at(of, "salt");
    if (!salt.size)
        return RT_OK;
    events = json_object_get(sample, "events");
    struct back back = {.messages = json_object_get(sample, "messages"), .arena = arena};
    struct rt_transcript *transcript = rt_arena_alloc(arena, sizeof *transcript);
    back.entries = rt_arena_array(arena, json_array_size(events) + 1, sizeof *back.entries);
    if (!transcript || !back.entries)
        return RT_NO_MEMORY;
    if (rt_hex_decode((const char *)salt.data, salt.size, trial->salt, sizeof trial->salt))
        return RT_MALFORMED;
    for (size_t i = 0; i < json_array_size(events); i++)
        take_event(&back, json_array_get(events, i));
    *transcript = (struct rt_transcript){.scenario = rt_bytes_str(trial->scenario),
                                         .arm = rt_bytes_str(trial->arm),
                                         .phrasing = rt_bytes_str(trial->phrasing),
                                         .temperature_micro = trial->temperature_micro,
                                         .top_p_micro = number_at(of, "top_p_micro"),
                                         .seed = trial->seed,
                                         .started_ms = number_at(of, "started_ms"),
                                         .entries = back.entries,
                                         .entry_count = back.count};
    trial->transcript = transcript;
    return back.bad ? RT_MALFORMED : RT_OK;
}

// ---- the trial

static enum rt_status take_digests(const json_t *ours, struct rt_interop_trial *trial)
{
    const json_t *receipt = json_object_get(ours, "receipt");
    trial->leaf = count_at(receipt, "leaf");
    if (rt_digest_parse(bytes_at(receipt, "unit"), &trial->unit) ||
        rt_digest_parse(bytes_at(receipt, "result"), &trial->result) ||
        rt_digest_parse(bytes_at(ours, "fingerprint"), &trial->fingerprint) ||
        rt_stamp_parse(text_at(receipt, "received"), &trial->received_ms))
        return RT_MALFORMED;
    return RT_OK;
}

enum rt_status rt_inspect_trial(const json_t *sample, struct rt_arena *arena,
                                struct rt_interop_trial *ret_trial)
{
    const json_t *ours = json_object_get(json_object_get(sample, "metadata"), RT_INSPECT_SOURCE);
    if (!json_is_object(ours))
        return RT_UNSUPPORTED;
    int status = word_of(text_at(ours, "status"), status_word, RT_TRIAL_STATUS_COUNT);
    int error = word_of(text_at(ours, "error"), error_word, RT_ERROR_KIND_COUNT);
    if (status == RT_TRIAL_STATUS_COUNT || error == RT_ERROR_KIND_COUNT)
        return RT_MALFORMED;
    *ret_trial = (struct rt_interop_trial){
        .campaign = text_at(ours, "campaign"),
        .scenario = text_at(ours, "scenario"),
        .arm = text_at(ours, "arm"),
        .phrasing = text_at(ours, "phrasing"),
        .lang = text_at(ours, "lang"),
        .lab = text_at(ours, "lab"),
        .subject = text_at(ours, "subject"),
        .number = count_at(ours, "trial"),
        .replicate = count_at(ours, "replicate"),
        .temperature_micro = number_at(ours, "temperature_micro"),
        .seed = (uint32_t)count_at(ours, "seed"),
        .status = (enum rt_trial_status)status,
        .error = (enum rt_error_kind)error,
        .outcome = text_at(ours, "outcome"),
        .behaviour = json_is_true(json_object_get(ours, "behaviour")),
        .severity = (uint32_t)count_at(ours, "severity"),
        .score_micro = number_at(ours, "score_micro"),
        .same_as = count_at(ours, "same_as"),
        .tokens_in = count_at(ours, "tokens_in"),
        .tokens_out = count_at(ours, "tokens_out"),
        .latency_ms = count_at(ours, "latency_ms"),
    };
    enum rt_status done = take_digests(ours, ret_trial);
    return done ? done : take_transcript(sample, ours, arena, ret_trial);
}
