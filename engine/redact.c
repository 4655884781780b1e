// SPDX-License-Identifier: Apache-2.0
#include "engine/redact.h"

#include <stdio.h>
#include <string.h>

#include "proto/pattern.h"

#define SECRETS_MOST 256

struct redact {
    const struct rt_scenario *scenario;
    struct rt_scene scene;
    struct rt_arena *arena;
    struct rt_bytes secrets[SECRETS_MOST];
    size_t secret_count;
    struct rt_pattern *patterns[32];
    size_t pattern_count;
    enum rt_status failed;
};

bool rt_redact_needed(const struct rt_scenario *scenario)
{
    return scenario->redact.name_count || scenario->redact.pattern_count;
}

// Longer secrets first, so that one inside another leaves nothing behind.
static void add_secret(struct redact *redact, struct rt_bytes secret)
{
    if (!secret.size)
        return;
    for (size_t i = 0; i < redact->secret_count; i++)
        if (rt_bytes_equal(redact->secrets[i], secret))
            return;
    if (redact->secret_count == SECRETS_MOST) {
        redact->failed = RT_TOO_LARGE; // rather no transcript than a half redacted one
        return;
    }
    size_t at = redact->secret_count++;
    for (; at && redact->secrets[at - 1].size < secret.size; at--)
        redact->secrets[at] = redact->secrets[at - 1];
    redact->secrets[at] = secret;
}

// A secret in the arguments of a call is written as JSON writes it.
static void add_escaped(struct redact *redact, const char *text)
{
    struct rt_buf out;
    if (!strpbrk(text, "\"\\\n\t"))
        return;
    rt_buf_init(&out, (size_t)4 << 20);
    for (; *text; text++) {
        if (strchr("\"\\\n\t", *text))
            rt_buf_add_u8(&out, '\\');
        rt_buf_add_u8(&out, *text == '\n' ? 'n' : *text == '\t' ? 't' : (uint8_t)*text);
    }
    const char *copy = rt_buf_ok(&out) ? NULL : rt_arena_strdup(redact->arena, rt_buf_str(&out));
    if (copy)
        add_secret(redact, rt_bytes_str(copy));
    else
        redact->failed = RT_NO_MEMORY;
    rt_buf_release(&out);
}

static void add_world(struct redact *redact, struct rt_bytes value)
{
    const char *copy = rt_arena_strndup(redact->arena, (const char *)value.data, value.size);
    if (!copy) {
        redact->failed = RT_NO_MEMORY;
        return;
    }
    add_secret(redact, value);
    add_escaped(redact, copy);
}

static const char *expanded(struct redact *redact, const char *text, enum rt_expand how)
{
    struct rt_buf out;
    rt_buf_init(&out, 4 * rt_scenario_expanded_most(redact->scenario));
    enum rt_status status = rt_scenario_expand(&redact->scene, text, how, &out);
    const char *copy = status ? NULL : rt_arena_strdup(redact->arena, rt_buf_str(&out));
    if (!copy && !redact->failed)
        redact->failed = status ? status : RT_NO_MEMORY;
    rt_buf_release(&out);
    return copy ? copy : "";
}

static void gather(struct redact *redact, const struct rt_transcript *transcript)
{
    const struct rt_redaction *wanted = &redact->scenario->redact;
    for (size_t i = 0; i < wanted->name_count; i++) {
        char text[128];
        snprintf(text, sizeof text, "{{%s}}", wanted->names[i]);
        // A variable may lack in one arm and be in another; then there is nothing to hide.
        struct rt_buf out;
        rt_buf_init(&out, 4 * rt_scenario_expanded_most(redact->scenario));
        if (rt_scenario_expand(&redact->scene, text, RT_EXPAND_TEXT, &out) == RT_OK) {
            const char *secret = expanded(redact, text, RT_EXPAND_TEXT);
            add_secret(redact, rt_bytes_str(secret));
            add_escaped(redact, secret);
        }
        rt_buf_release(&out);
        for (size_t e = 0; e < transcript->entry_count; e++)
            if (transcript->entries[e].kind == RT_ENTRY_WORLD &&
                strncmp(wanted->names[i], "world.", 6) == 0 &&
                rt_bytes_equal_str(transcript->entries[e].name, wanted->names[i] + 6))
                add_world(redact, transcript->entries[e].text);
    }
    for (size_t i = 0; i < wanted->pattern_count && !redact->failed; i++) {
        const char *text = expanded(redact, wanted->patterns[i], RT_EXPAND_PATTERN);
        if (!redact->failed)
            redact->failed = rt_pattern_compile(text, &redact->patterns[i], NULL);
        redact->pattern_count += !redact->failed;
    }
}

static void replace_secret(struct rt_bytes secret, struct rt_buf *text, struct rt_buf *out)
{
    size_t at = 0;
    rt_buf_clear(out);
    while (at < text->size) {
        if (text->size - at >= secret.size &&
            memcmp(text->data + at, secret.data, secret.size) == 0) {
            rt_buf_add_str(out, RT_REDACTED);
            at += secret.size;
        } else {
            rt_buf_add_u8(out, text->data[at++]);
        }
    }
}

static void replace_pattern(const struct rt_pattern *pattern, struct rt_buf *text,
                            struct rt_buf *out)
{
    size_t at = 0, start = 0, end = 0;
    bool found = true;
    rt_buf_clear(out);
    while (found && at <= text->size) {
        enum rt_status status =
            rt_pattern_find(pattern, rt_buf_bytes(text), at, &found, &start, &end);
        if (status) { // a limit: nobody knows what would have matched
            rt_buf_clear(out);
            rt_buf_add_str(out, RT_REDACTED);
            return;
        }
        if (!found || end == start)
            break;
        rt_buf_add(out, text->data + at, start - at);
        rt_buf_add_str(out, RT_REDACTED);
        at = end;
    }
    if (at < text->size)
        rt_buf_add(out, text->data + at, text->size - at);
}

static struct rt_bytes redacted(struct redact *redact, struct rt_bytes text)
{
    struct rt_buf bufs[2];
    unsigned now = 0;
    if (!text.size || redact->failed)
        return text;
    rt_buf_init(&bufs[0], 4 * RT_TRANSCRIPT_MOST);
    rt_buf_init(&bufs[1], 4 * RT_TRANSCRIPT_MOST);
    rt_buf_add(&bufs[0], text.data, text.size);
    for (size_t i = 0; i < redact->secret_count; i++, now ^= 1)
        replace_secret(redact->secrets[i], &bufs[now], &bufs[now ^ 1]);
    for (size_t i = 0; i < redact->pattern_count; i++, now ^= 1)
        replace_pattern(redact->patterns[i], &bufs[now], &bufs[now ^ 1]);
    if (rt_buf_ok(&bufs[0]) || rt_buf_ok(&bufs[1]))
        redact->failed = RT_NO_MEMORY;
    char *copy = rt_arena_strndup(redact->arena, (const char *)bufs[now].data, bufs[now].size);
    struct rt_bytes result = rt_bytes(copy, copy ? bufs[now].size : 0);
    if (!copy)
        redact->failed = RT_NO_MEMORY;
    rt_buf_release(&bufs[0]);
    rt_buf_release(&bufs[1]);
    return result;
}

static void redact_entry(struct redact *redact, struct rt_entry *entry)
{
    struct rt_entry_call *calls =
        rt_arena_array(redact->arena, entry->call_count + 1, sizeof *calls);
    if (!calls) {
        redact->failed = RT_NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < entry->call_count; i++) {
        calls[i] = entry->calls[i];
        calls[i].arguments = redacted(redact, calls[i].arguments);
    }
    if (entry->call_count)
        entry->calls = calls;
    entry->text = redacted(redact, entry->text);
    entry->arguments = redacted(redact, entry->arguments);
    entry->reasoning = redacted(redact, entry->reasoning);
    entry->refusal = redacted(redact, entry->refusal);
}

enum rt_status rt_redact_transcript(const struct rt_scenario *scenario,
                                    const struct rt_transcript *transcript, struct rt_arena *arena,
                                    struct rt_transcript *ret_transcript)
{
    struct redact redact = {.scenario = scenario, .arena = arena};
    struct rt_transcript copy = *transcript;
    redact.scene = (struct rt_scene){.scenario = scenario, .arm = RT_NONE, .phrasing = RT_NONE};
    for (uint32_t i = 0; i < scenario->arm_count; i++)
        if (rt_bytes_equal_str(transcript->arm, scenario->arms[i].id))
            redact.scene.arm = i;
    for (uint32_t i = 0; i < scenario->phrasing_count; i++)
        if (rt_bytes_equal_str(transcript->phrasing, scenario->phrasings[i].id))
            redact.scene.phrasing = i;
    if (redact.scene.arm == RT_NONE || redact.scene.phrasing == RT_NONE ||
        !rt_bytes_equal_str(transcript->scenario, scenario->id))
        return RT_CONFLICT;
    gather(&redact, transcript);
    struct rt_entry *entries = rt_arena_array(arena, copy.entry_count + 1, sizeof *entries);
    if (!entries)
        redact.failed = RT_NO_MEMORY;
    for (size_t i = 0; i < copy.entry_count && !redact.failed; i++) {
        entries[i] = transcript->entries[i];
        redact_entry(&redact, &entries[i]);
    }
    for (size_t i = 0; i < redact.pattern_count; i++)
        rt_pattern_free(redact.patterns[i]);
    copy.entries = entries;
    if (!redact.failed)
        *ret_transcript = copy;
    return redact.failed;
}
