// SPDX-License-Identifier: Apache-2.0
#include "auditor/transcripts.h"

#include <stdio.h>

#include "auditor/folder.h"
#include "common/base/option.h"
#include "engine/transcript.h"

#define SHOWN 160 // bytes of a text

// ---- opening

static void take(struct rt_opened *opened, struct rt_bytes object, struct rt_arena *arena)
{
    const char *reason = "shorter than its salt";
    struct rt_bytes copy = rt_arena_bytes(arena, object);
    opened->found = true;
    opened->transcript = rt_arena_alloc(arena, sizeof *opened->transcript);
    if (!copy.data || !opened->transcript || copy.size < RT_TRANSCRIPT_SALT_BYTES) {
        opened->wrong = copy.data && opened->transcript ? reason : "out of memory";
        return;
    }
    struct rt_bytes plain = rt_bytes(copy.data + RT_TRANSCRIPT_SALT_BYTES,
                                     copy.size - RT_TRANSCRIPT_SALT_BYTES);
    if (rt_transcript_decode(plain, arena, opened->transcript, &reason))
        opened->wrong = reason;
}

enum rt_status rt_transcripts_open(const char *path, struct rt_arena *arena,
                                   struct rt_opened *opened, size_t count, struct rt_error *err)
{
    struct rt_checks ignored; // what else lies there is no concern of ours
    struct rt_folder folder;
    struct rt_buf file;
    rt_checks_init(&ignored);
    rt_buf_init(&file, RT_TRANSCRIPT_MOST + RT_TRANSCRIPT_SALT_BYTES);
    enum rt_status status = rt_folder_open(path, &ignored, &folder, err);
    for (size_t i = 0; !status && i < folder.count; i++) {
        struct rt_digest digest;
        if (folder.files[i].size > RT_TRANSCRIPT_MOST + RT_TRANSCRIPT_SALT_BYTES)
            continue;
        rt_buf_clear(&file);
        status = rt_folder_read(&folder, folder.files[i].path, &file);
        if (status) {
            rt_error_set(err, status, "%s/%s", path, folder.files[i].path);
            break;
        }
        rt_sha256(rt_buf_bytes(&file), &digest);
        for (size_t o = 0; o < count; o++)
            if (!opened[o].found && rt_digest_equal(&opened[o].commitment, &digest))
                take(&opened[o], rt_buf_bytes(&file), arena);
    }
    rt_folder_close(&folder);
    rt_buf_release(&file);
    return status;
}

// ---- comparing

static const char *calls_part(const struct rt_entry *a, const struct rt_entry *b)
{
    if (a->call_count != b->call_count)
        return "number of calls";
    for (size_t i = 0; i < a->call_count; i++) {
        if (!rt_bytes_equal(a->calls[i].name, b->calls[i].name))
            return "call";
        if (!rt_bytes_equal(a->calls[i].arguments, b->calls[i].arguments))
            return "arguments";
    }
    return NULL;
}

static const char *entries_part(const struct rt_entry *a, const struct rt_entry *b)
{
    return a->kind != b->kind                              ? "kind"
           : a->role != b->role                            ? "role"
           : !rt_bytes_equal(a->name, b->name)             ? "name"
           : !rt_bytes_equal(a->text, b->text)             ? "text"
           : !rt_bytes_equal(a->arguments, b->arguments)   ? "arguments"
           : !rt_bytes_equal(a->refusal, b->refusal)       ? "refusal"
           : !rt_bytes_equal(a->reasoning, b->reasoning)   ? "reasoning"
           : a->finish != b->finish                        ? "finish"
           : a->verdict != b->verdict                      ? "verdict"
                                                           : calls_part(a, b);
}

size_t rt_transcript_parts(const struct rt_transcript *a, const struct rt_transcript *b,
                           const char **ret_what)
{
    size_t shorter = a->entry_count < b->entry_count ? a->entry_count : b->entry_count;
    *ret_what = NULL;
    for (size_t i = 0; i < shorter && !*ret_what; i++) {
        *ret_what = entries_part(&a->entries[i], &b->entries[i]);
        if (*ret_what)
            return i;
    }
    if (a->entry_count != b->entry_count)
        *ret_what = "end";
    return shorter;
}

// ---- telling

// What an entry says, on one line.
static void entry_text(const struct rt_transcript *transcript, size_t at, char *ret_text,
                       size_t capacity)
{
    struct rt_buf line;
    if (at >= transcript->entry_count) {
        snprintf(ret_text, capacity, "(it has ended)");
        return;
    }
    struct rt_transcript one = *transcript;
    one.entries = &transcript->entries[at];
    one.entry_count = 1;
    rt_buf_init(&line, RT_TRANSCRIPT_MOST * 8);
    rt_transcript_print(&one, SHOWN, &line);
    // The entry's is the last line; lines before it are about the whole.
    const char *text = rt_buf_str(&line), *end = text ? text + strlen(text) : NULL;
    while (end && end > text && end[-1] == '\n')
        end--;
    const char *start = end;
    while (start && start > text && start[-1] != '\n')
        start--;
    snprintf(ret_text, capacity, "%.*s", start ? (int)(end - start) : 0, start ? start : "");
    rt_buf_release(&line);
}

static enum rt_status tell(const struct rt_opened *a, const struct rt_opened *b, json_t *out)
{
    const char *what = NULL;
    char left[8 * SHOWN], right[8 * SHOWN];
    size_t at = rt_transcript_parts(a->transcript, b->transcript, &what);
    if (!what) {
        if (!rt_globals.json)
            printf("%s and %s: the same in all %zu entries\n", a->who, b->who, at);
        return json_array_append_new(out, json_pack("{s:s, s:s, s:n, s:i}", "a", a->who, "b",
                                                    b->who, "part", "entry", (int)at))
                   ? RT_NO_MEMORY
                   : RT_OK;
    }
    entry_text(a->transcript, at, left, sizeof left);
    entry_text(b->transcript, at, right, sizeof right);
    if (!rt_globals.json)
        printf("%s and %s part at entry %zu (%s):\n  %s\n    %s\n  %s\n    %s\n", a->who, b->who,
               at, what, a->who, left, b->who, right);
    return json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "a", a->who, "b",
                                                b->who, "part", what, "entry", (int)at, "says_a",
                                                left, "says_b", right))
               ? RT_NO_MEMORY
               : RT_OK;
}

enum rt_status rt_transcripts_compare(const struct rt_opened *opened, size_t count, json_t *out)
{
    const struct rt_opened *first = NULL;
    enum rt_status status = RT_OK;
    if (!rt_globals.json)
        putchar('\n');
    for (size_t i = 0; i < count && !status; i++) {
        if (!opened[i].found || opened[i].wrong) {
            if (!rt_globals.json)
                printf("%s: %s%s\n", opened[i].who,
                       opened[i].found ? "what it opened is no transcript: " : "not opened",
                       opened[i].found ? opened[i].wrong : "");
            continue;
        }
        if (first)
            status = tell(first, &opened[i], out);
        else
            first = &opened[i];
    }
    return status;
}
