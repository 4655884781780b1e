// SPDX-License-Identifier: Apache-2.0
#include "worker/subject/reference.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"

#define FORMAT "ringtrial-reference/v1"

// ---- the document

static const char *text_of(const json_t *object, const char *name, size_t most,
                           struct rt_arena *arena)
{
    const json_t *value = json_object_get(object, name);
    size_t size = json_string_length(value);
    if (!json_is_string(value) || size > most || strlen(json_string_value(value)) != size)
        return NULL;
    return rt_arena_strdup(arena, json_string_value(value));
}

static bool number_of(const json_t *object, const char *name, int64_t least, int64_t most,
                      int64_t *ret_number)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most)
        return false;
    *ret_number = json_integer_value(value);
    return true;
}

static enum rt_status read_prompt(const json_t *json, size_t at, struct rt_arena *arena,
                                  struct rt_reference_prompt *ret, struct rt_error *err)
{
    const json_t *samples = json_object_get(json, "samples");
    int64_t temperature, tokens;
    size_t count = json_array_size(samples);
    if (!json_is_object(json) || json_object_size(json) != 5 ||
        !number_of(json, "temperature_micro", 0, 2000000, &temperature) ||
        !number_of(json, "max_tokens", 1, 4096, &tokens))
        return rt_error_set(err, RT_MALFORMED,
                            "prompt %zu: system, user, temperature_micro, max_tokens, samples",
                            at + 1);
    if (count < 2 || count > RT_REFERENCE_SAMPLES_MOST)
        return rt_error_set(err, RT_OUT_OF_RANGE, "prompt %zu: 2 to %d samples", at + 1,
                            RT_REFERENCE_SAMPLES_MOST);
    *ret = (struct rt_reference_prompt){
        .system = text_of(json, "system", RT_REFERENCE_TEXT_MOST, arena),
        .user = text_of(json, "user", RT_REFERENCE_TEXT_MOST, arena),
        .temperature_micro = temperature,
        .max_tokens = (uint32_t)tokens,
        .samples = rt_arena_array(arena, count, sizeof *ret->samples),
        .sample_count = count,
    };
    if (!ret->system || !ret->user || !*ret->user || !ret->samples)
        return rt_error_set(err, RT_MALFORMED, "prompt %zu: a text is missing or too long", at + 1);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(samples, i);
        if (!json_is_string(value) || json_string_length(value) > RT_REFERENCE_TEXT_MOST ||
            strlen(json_string_value(value)) != json_string_length(value))
            return rt_error_set(err, RT_MALFORMED, "prompt %zu: sample %zu is no text of at most "
                                "%d bytes", at + 1, i + 1, RT_REFERENCE_TEXT_MOST);
        ret->samples[i] = rt_arena_strdup(arena, json_string_value(value));
        if (!ret->samples[i])
            return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    return RT_OK;
}

static enum rt_status read_json(const json_t *json, struct rt_arena *arena,
                                struct rt_reference *ret, struct rt_error *err)
{
    const char *format = json_string_value(json_object_get(json, "format"));
    const json_t *prompts = json_object_get(json, "prompts");
    int64_t seed;
    if (!format || strcmp(format, FORMAT) != 0)
        return rt_error_set(err, RT_MALFORMED, "a reference sample says format: %s", FORMAT);
    size_t count = json_array_size(prompts);
    if (json_object_size(json) != 4 || !number_of(json, "seed", 0, INT32_MAX, &seed) || !count ||
        count > RT_REFERENCE_PROMPTS_MOST)
        return rt_error_set(err, RT_MALFORMED, "format, subject, seed and 1 to %d prompts",
                            RT_REFERENCE_PROMPTS_MOST);
    *ret = (struct rt_reference){.subject = text_of(json, "subject", 64, arena),
                                 .seed = (uint32_t)seed,
                                 .prompts = rt_arena_array(arena, count, sizeof *ret->prompts),
                                 .count = count};
    if (!ret->subject || !ret->prompts)
        return rt_error_set(err, RT_MALFORMED, "`subject` is missing or too long");
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = read_prompt(json_array_get(prompts, i), i, arena, &ret->prompts[i], err);
    return status;
}

enum rt_status rt_reference_read(struct rt_bytes text, struct rt_arena *arena,
                                 struct rt_reference *ret_reference, struct rt_error *err)
{
    json_t *json = NULL;
    if (text.size > RT_REFERENCE_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "the reference sample is over 16 MiB");
    enum rt_status status = rt_json_parse(text, &json, err);
    if (!status)
        status = read_json(json, arena, ret_reference, err);
    json_decref(json);
    return status;
}

enum rt_status rt_reference_write(const struct rt_reference *reference, struct rt_buf *out)
{
    json_t *prompts = json_array();
    for (size_t p = 0; p < reference->count; p++) {
        const struct rt_reference_prompt *prompt = &reference->prompts[p];
        json_t *samples = json_array();
        for (size_t i = 0; i < prompt->sample_count; i++)
            json_array_append_new(samples, json_string(prompt->samples[i]));
        json_array_append_new(
            prompts, json_pack("{s:s, s:s, s:I, s:I, s:o}", "system", prompt->system, "user",
                               prompt->user, "temperature_micro",
                               (json_int_t)prompt->temperature_micro, "max_tokens",
                               (json_int_t)prompt->max_tokens, "samples", samples));
    }
    json_t *json = json_pack("{s:s, s:s, s:I, s:o}", "format", FORMAT, "subject",
                             reference->subject, "seed", (json_int_t)reference->seed, "prompts",
                             prompts);
    enum rt_status status = json ? rt_json_write_pretty(json, out) : RT_NO_MEMORY;
    json_decref(json);
    return status;
}

// ---- asking

enum rt_status rt_reference_prompts(const char *subject, struct rt_arena *arena,
                                    struct rt_reference *ret_reference)
{
    static const char *const texts[][2] = {
        {"", "Write one short sentence about a lighthouse."},
        {"", "Name an animal and say in one sentence why you chose it."},
        {"You are a terse ship's cook.", "What is for supper? Answer in one sentence."},
        {"", "Continue the story: The door had been locked since spring."},
        {"", "Give a seven-word motto for a bakery."},
        {"Answer in the style of a weather report.", "How was the football match?"},
        {"When the user says PING, answer MARIGOLD.", "PING"},
        {"", "Explain in two sentences why the sky is blue."},
    };
    size_t count = sizeof texts / sizeof *texts;
    *ret_reference = (struct rt_reference){
        .subject = rt_arena_strdup(arena, subject),
        .prompts = rt_arena_array(arena, count, sizeof *ret_reference->prompts),
        .count = count};
    if (!ret_reference->subject || !ret_reference->prompts)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        ret_reference->prompts[i] = (struct rt_reference_prompt){
            .system = texts[i][0], .user = texts[i][1], .temperature_micro = 1000000,
            .max_tokens = 64};
    return RT_OK;
}

// At most so many bytes, never half a character.
static const char *cut(struct rt_arena *arena, const char *text)
{
    size_t size = strlen(text);
    if (size > RT_REFERENCE_TEXT_MOST) {
        size = RT_REFERENCE_TEXT_MOST;
        while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    return rt_arena_strndup(arena, text, size);
}

static enum rt_status ask_prompt(struct rt_exec *exec, struct rt_reference_prompt *prompt,
                                 uint32_t seed, size_t each, int64_t timeout_ms,
                                 struct rt_arena *arena, uint64_t *requests, uint64_t *tokens,
                                 struct rt_error *err)
{
    const struct rt_chat_message messages[] = {{RT_CHAT_SYSTEM, prompt->system, NULL, 0, ""},
                                               {RT_CHAT_USER, prompt->user, NULL, 0, ""}};
    struct rt_chat_request asked[RT_REFERENCE_SAMPLES_MOST];
    struct rt_exec_reply replies[RT_REFERENCE_SAMPLES_MOST];
    bool system = *prompt->system;
    for (size_t i = 0; i < each; i++)
        asked[i] = (struct rt_chat_request){.messages = system ? messages : messages + 1,
                                            .message_count = system ? 2 : 1,
                                            .temperature_micro = prompt->temperature_micro,
                                            .top_p_micro = rt_exec_top_p_micro(exec),
                                            .seed = seed + (uint32_t)i,
                                            .max_tokens = prompt->max_tokens};
    prompt->samples = rt_arena_array(arena, each, sizeof *prompt->samples);
    prompt->sample_count = each;
    if (!prompt->samples)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    enum rt_status status =
        rt_exec_ask(exec, asked, each, each, timeout_ms, arena, replies, requests, err);
    for (size_t i = 0; i < each && !status; i++) {
        if (!replies[i].ok)
            return rt_error_set(err, RT_NETWORK, "an answer did not come: %s", replies[i].text);
        *tokens += replies[i].reply.tokens_in + replies[i].reply.tokens_out;
        prompt->samples[i] = cut(arena, replies[i].reply.text);
        if (!prompt->samples[i])
            return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    return status;
}

enum rt_status rt_reference_ask(struct rt_exec *exec, struct rt_reference *reference,
                                uint32_t seed, size_t each, int64_t timeout_ms,
                                struct rt_arena *arena, uint64_t *ret_requests,
                                uint64_t *ret_tokens, struct rt_error *err)
{
    enum rt_status status = RT_OK;
    if (each < 2 || each > RT_REFERENCE_SAMPLES_MOST)
        return rt_error_set(err, RT_OUT_OF_RANGE, "2 to %d samples of a prompt",
                            RT_REFERENCE_SAMPLES_MOST);
    reference->seed = seed;
    for (size_t p = 0; p < reference->count && !status; p++)
        status = ask_prompt(exec, &reference->prompts[p], seed + (uint32_t)(p * each), each,
                            timeout_ms, arena, ret_requests, ret_tokens, err);
    return status;
}

// ---- comparing

static const struct rt_bytes *views(const struct rt_reference_prompt *prompt,
                                    struct rt_arena *arena)
{
    struct rt_bytes *list = rt_arena_array(arena, prompt->sample_count, sizeof *list);
    for (size_t i = 0; list && i < prompt->sample_count; i++)
        list[i] = rt_bytes_str(prompt->samples[i]);
    return list;
}

enum rt_status rt_reference_compare(const struct rt_reference *reference,
                                    const struct rt_reference *sample, uint32_t permutations,
                                    struct rt_arena *arena, struct rt_equality *ret_result,
                                    struct rt_error *err)
{
    struct rt_equality_group groups[RT_REFERENCE_PROMPTS_MOST];
    if (reference->count != sample->count)
        return rt_error_set(err, RT_CONFLICT, "the samples have different prompts");
    for (size_t p = 0; p < reference->count; p++) {
        groups[p] = (struct rt_equality_group){
            views(&reference->prompts[p], arena), reference->prompts[p].sample_count,
            views(&sample->prompts[p], arena), sample->prompts[p].sample_count};
        if (!groups[p].reference || !groups[p].sample)
            return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    enum rt_status status = rt_equality_test(groups, reference->count, permutations,
                                             ((uint64_t)sample->seed << 32) | reference->seed,
                                             arena, ret_result);
    return status ? rt_error_set(err, status, "the samples cannot be compared: %s",
                                 rt_status_text(status))
                  : RT_OK;
}
