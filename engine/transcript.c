// SPDX-License-Identifier: Apache-2.0
#include "engine/transcript.h"

#include <string.h>

#include "proto/msgpack.h"

// Items of each kind's array: kind, turn, at_ms, then the fields that rt_transcript_encode writes.
#define ENTRY_HEAD 3
static const size_t entry_items[RT_ENTRY_KIND_COUNT] = {
    [RT_ENTRY_MESSAGE] = ENTRY_HEAD + 2, [RT_ENTRY_REPLY] = ENTRY_HEAD + 8,
    [RT_ENTRY_CALL] = ENTRY_HEAD + 5,    [RT_ENTRY_WORLD] = ENTRY_HEAD + 2,
    [RT_ENTRY_EVENT] = ENTRY_HEAD + 2,   [RT_ENTRY_FAILURE] = ENTRY_HEAD + 2,
    [RT_ENTRY_END] = ENTRY_HEAD + 1,     [RT_ENTRY_ROLE] = ENTRY_HEAD + 9,
};
#define TRANSCRIPT_ITEMS 9

const char *rt_entry_kind_word(enum rt_entry_kind kind)
{
    static const char *const words[] = {
#define X(name, word, doc) word,
        RT_ENTRY_TABLE(X)
#undef X
    };
    RT_ASSERT(kind < RT_ENTRY_KIND_COUNT);
    return words[kind];
}

const char *rt_verdict_word(enum rt_verdict verdict)
{
    static const char *const words[] = {
#define X(name, word) word,
        RT_VERDICT_TABLE(X)
#undef X
    };
    RT_ASSERT(verdict < RT_VERDICT_COUNT);
    return words[verdict];
}

// ---- encoding

static void put_usage(const struct rt_entry *entry, struct rt_buf *out)
{
    rt_msgpack_put_u64(out, entry->finish);
    rt_msgpack_put_bool(out, entry->has_usage);
    rt_msgpack_put_u64(out, entry->tokens_in);
    rt_msgpack_put_u64(out, entry->tokens_out);
}

static void put_reply(const struct rt_entry *entry, struct rt_buf *out)
{
    rt_msgpack_put_str(out, entry->text);
    rt_msgpack_put_str(out, entry->reasoning);
    rt_msgpack_put_str(out, entry->refusal);
    rt_msgpack_put_array(out, entry->call_count);
    for (size_t i = 0; i < entry->call_count; i++) {
        rt_msgpack_put_array(out, 3);
        rt_msgpack_put_str(out, entry->calls[i].id);
        rt_msgpack_put_str(out, entry->calls[i].name);
        rt_msgpack_put_str(out, entry->calls[i].arguments);
    }
    put_usage(entry, out);
}

static void put_entry(const struct rt_entry *entry, struct rt_buf *out)
{
    RT_ASSERT(entry->kind < RT_ENTRY_KIND_COUNT);
    rt_msgpack_put_array(out, entry_items[entry->kind]);
    rt_msgpack_put_u64(out, entry->kind);
    rt_msgpack_put_u64(out, entry->turn);
    rt_msgpack_put_u64(out, entry->at_ms);
    switch (entry->kind) {
    case RT_ENTRY_MESSAGE:
        rt_msgpack_put_u64(out, entry->role);
        rt_msgpack_put_str(out, entry->text);
        break;
    case RT_ENTRY_REPLY:
        put_reply(entry, out);
        break;
    case RT_ENTRY_CALL:
        rt_msgpack_put_str(out, entry->name);
        rt_msgpack_put_str(out, entry->id);
        rt_msgpack_put_str(out, entry->arguments);
        rt_msgpack_put_str(out, entry->text);
        rt_msgpack_put_u64(out, entry->verdict);
        break;
    case RT_ENTRY_ROLE:
        rt_msgpack_put_str(out, entry->name);
        rt_msgpack_put_str(out, entry->arguments);
        rt_msgpack_put_str(out, entry->text);
        rt_msgpack_put_str(out, entry->reasoning);
        rt_msgpack_put_str(out, entry->refusal);
        put_usage(entry, out);
        break;
    case RT_ENTRY_WORLD:
    case RT_ENTRY_EVENT:
    case RT_ENTRY_FAILURE:
        rt_msgpack_put_str(out, entry->name);
        rt_msgpack_put_str(out, entry->text);
        break;
    default:
        rt_msgpack_put_str(out, entry->name);
    }
}

enum rt_status rt_transcript_encode(const struct rt_transcript *transcript, struct rt_buf *out)
{
    if (transcript->entry_count > RT_TRANSCRIPT_ENTRIES_MOST)
        return RT_TOO_LARGE;
    size_t start = out->size;
    rt_msgpack_put_array(out, TRANSCRIPT_ITEMS);
    rt_msgpack_put_u64(out, RT_TRANSCRIPT_VERSION);
    rt_msgpack_put_str(out, transcript->scenario);
    rt_msgpack_put_str(out, transcript->arm);
    rt_msgpack_put_str(out, transcript->phrasing);
    rt_msgpack_put_i64(out, transcript->temperature_micro);
    rt_msgpack_put_i64(out, transcript->top_p_micro);
    rt_msgpack_put_u64(out, transcript->seed);
    rt_msgpack_put_i64(out, transcript->started_ms);
    rt_msgpack_put_array(out, transcript->entry_count);
    for (size_t i = 0; i < transcript->entry_count; i++)
        put_entry(&transcript->entries[i], out);
    if (rt_buf_ok(out))
        return rt_buf_ok(out);
    return out->size - start > RT_TRANSCRIPT_MOST ? RT_TOO_LARGE : RT_OK;
}

// ---- decoding

static uint64_t get_below(struct rt_msgpack_reader *reader, uint64_t bound, const char *reason)
{
    uint64_t value = rt_msgpack_u64(reader);
    if (value >= bound) {
        rt_msgpack_fail(reader, RT_OUT_OF_RANGE, reason);
        return 0;
    }
    return value;
}

static void get_items(struct rt_msgpack_reader *reader, size_t count)
{
    if (rt_msgpack_array(reader) != count)
        rt_msgpack_fail(reader, RT_MALFORMED, "wrong number of items");
}

static void get_calls(struct rt_msgpack_reader *reader, struct rt_arena *arena,
                      struct rt_entry *entry)
{
    size_t count = rt_msgpack_array(reader);
    if (count > RT_CHAT_CALLS_MOST) {
        rt_msgpack_fail(reader, RT_TOO_LARGE, "too many calls");
        return;
    }
    struct rt_entry_call *calls = rt_arena_array(arena, count + 1, sizeof *calls);
    if (!calls) {
        rt_msgpack_fail(reader, RT_NO_MEMORY, "out of memory");
        return;
    }
    for (size_t i = 0; i < count && !reader->failed; i++) {
        get_items(reader, 3);
        calls[i].id = rt_msgpack_str(reader);
        calls[i].name = rt_msgpack_str(reader);
        calls[i].arguments = rt_msgpack_str(reader);
    }
    entry->calls = calls;
    entry->call_count = count;
}

static void get_usage(struct rt_msgpack_reader *reader, struct rt_entry *entry)
{
    entry->finish =
        (enum rt_chat_finish)get_below(reader, RT_CHAT_FINISH_COUNT, "unknown finish reason");
    entry->has_usage = rt_msgpack_bool(reader);
    entry->tokens_in = rt_msgpack_u64(reader);
    entry->tokens_out = rt_msgpack_u64(reader);
}

static void get_reply(struct rt_msgpack_reader *reader, struct rt_arena *arena,
                      struct rt_entry *entry)
{
    entry->text = rt_msgpack_str(reader);
    entry->reasoning = rt_msgpack_str(reader);
    entry->refusal = rt_msgpack_str(reader);
    get_calls(reader, arena, entry);
    get_usage(reader, entry);
}

static void get_entry(struct rt_msgpack_reader *reader, struct rt_arena *arena,
                      struct rt_entry *entry)
{
    size_t items = rt_msgpack_array(reader);
    entry->kind = (enum rt_entry_kind)get_below(reader, RT_ENTRY_KIND_COUNT, "unknown entry");
    if (items != entry_items[entry->kind])
        rt_msgpack_fail(reader, RT_MALFORMED, "wrong number of items");
    entry->turn = (uint32_t)get_below(reader, (uint64_t)UINT32_MAX + 1, "turn out of range");
    entry->at_ms = rt_msgpack_u64(reader);
    switch (entry->kind) {
    case RT_ENTRY_MESSAGE:
        entry->role = (enum rt_chat_role)get_below(reader, RT_CHAT_ROLE_COUNT, "unknown role");
        entry->text = rt_msgpack_str(reader);
        break;
    case RT_ENTRY_REPLY:
        get_reply(reader, arena, entry);
        break;
    case RT_ENTRY_CALL:
        entry->name = rt_msgpack_str(reader);
        entry->id = rt_msgpack_str(reader);
        entry->arguments = rt_msgpack_str(reader);
        entry->text = rt_msgpack_str(reader);
        entry->verdict = (enum rt_verdict)get_below(reader, RT_VERDICT_COUNT, "unknown verdict");
        break;
    case RT_ENTRY_ROLE:
        entry->name = rt_msgpack_str(reader);
        entry->arguments = rt_msgpack_str(reader);
        entry->text = rt_msgpack_str(reader);
        entry->reasoning = rt_msgpack_str(reader);
        entry->refusal = rt_msgpack_str(reader);
        get_usage(reader, entry);
        break;
    case RT_ENTRY_WORLD:
    case RT_ENTRY_EVENT:
    case RT_ENTRY_FAILURE:
        entry->name = rt_msgpack_str(reader);
        entry->text = rt_msgpack_str(reader);
        break;
    default:
        entry->name = rt_msgpack_str(reader);
    }
}

enum rt_status rt_transcript_decode(struct rt_bytes bytes, struct rt_arena *arena,
                                    struct rt_transcript *ret_transcript, const char **ret_reason)
{
    struct rt_msgpack_reader reader;
    struct rt_transcript transcript = {0};
    if (bytes.size > RT_TRANSCRIPT_MOST) {
        if (ret_reason)
            *ret_reason = "too large";
        return RT_TOO_LARGE;
    }
    rt_msgpack_reader_init(&reader, bytes);
    get_items(&reader, TRANSCRIPT_ITEMS);
    if (rt_msgpack_u64(&reader) != RT_TRANSCRIPT_VERSION)
        rt_msgpack_fail(&reader, RT_UNSUPPORTED, "another version");
    transcript.scenario = rt_msgpack_str(&reader);
    transcript.arm = rt_msgpack_str(&reader);
    transcript.phrasing = rt_msgpack_str(&reader);
    transcript.temperature_micro = rt_msgpack_i64(&reader);
    transcript.top_p_micro = rt_msgpack_i64(&reader);
    transcript.seed = (uint32_t)get_below(&reader, (uint64_t)UINT32_MAX + 1, "seed out of range");
    transcript.started_ms = rt_msgpack_i64(&reader);
    size_t count = rt_msgpack_array(&reader);
    if (count > RT_TRANSCRIPT_ENTRIES_MOST)
        rt_msgpack_fail(&reader, RT_TOO_LARGE, "too many entries");
    struct rt_entry *entries =
        reader.failed ? NULL : rt_arena_array(arena, count + 1, sizeof *entries);
    if (!reader.failed && !entries)
        rt_msgpack_fail(&reader, RT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count && !reader.failed; i++)
        get_entry(&reader, arena, &entries[i]);
    enum rt_status status = rt_msgpack_end(&reader);
    if (status) {
        if (ret_reason)
            *ret_reason = reader.reason;
        return status;
    }
    transcript.entries = entries;
    transcript.entry_count = count;
    *ret_transcript = transcript;
    return RT_OK;
}

// ---- digests and sums

void rt_transcript_commit(const uint8_t salt[RT_TRANSCRIPT_SALT_BYTES], struct rt_bytes plaintext,
                          struct rt_digest *ret_digest)
{
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    rt_sha256_update(&state, salt, RT_TRANSCRIPT_SALT_BYTES);
    rt_sha256_update(&state, plaintext.data, plaintext.size);
    rt_sha256_final(&state, ret_digest);
}

static void hash_text(struct rt_sha256_state *state, struct rt_bytes text)
{
    uint8_t size[8];
    rt_put_u64be(size, text.size);
    rt_sha256_update(state, size, sizeof size);
    if (text.size)
        rt_sha256_update(state, text.data, text.size);
}

void rt_transcript_output(const struct rt_transcript *transcript, struct rt_digest *ret_digest)
{
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    for (size_t i = 0; i < transcript->entry_count; i++) {
        const struct rt_entry *entry = &transcript->entries[i];
        if (entry->kind != RT_ENTRY_REPLY)
            continue;
        uint8_t head[2] = {(uint8_t)entry->finish, (uint8_t)entry->call_count};
        rt_sha256_update(&state, head, sizeof head);
        hash_text(&state, entry->text);
        hash_text(&state, entry->refusal);
        for (size_t c = 0; c < entry->call_count; c++) {
            hash_text(&state, entry->calls[c].name);
            hash_text(&state, entry->calls[c].arguments);
        }
    }
    rt_sha256_final(&state, ret_digest);
}

static void sum_tokens(const struct rt_transcript *transcript, enum rt_entry_kind kind,
                       uint64_t *ret_in, uint64_t *ret_out)
{
    uint64_t in = 0, out = 0;
    for (size_t i = 0; i < transcript->entry_count; i++) {
        if (transcript->entries[i].kind != kind)
            continue;
        in += transcript->entries[i].tokens_in;
        out += transcript->entries[i].tokens_out;
    }
    *ret_in = in;
    *ret_out = out;
}

void rt_transcript_tokens(const struct rt_transcript *transcript, uint64_t *ret_in,
                          uint64_t *ret_out)
{
    sum_tokens(transcript, RT_ENTRY_REPLY, ret_in, ret_out);
}

void rt_transcript_role_tokens(const struct rt_transcript *transcript, uint64_t *ret_in,
                               uint64_t *ret_out)
{
    sum_tokens(transcript, RT_ENTRY_ROLE, ret_in, ret_out);
}
