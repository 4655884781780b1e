// SPDX-License-Identifier: Apache-2.0
// A transcript: everything that passed in one trial, in order and with its time, so that scoring
// and replay need no model (DESIGN.md section 9). Its canonical MessagePack form is what a lab
// commits to by SHA-256(32-byte salt ‖ plaintext) (EVIDENCE, Objects). Never holds the trial's
// number. Texts are views whose owner is the play or the decoded bytes. Pure; any thread on
// distinct values.
#ifndef RT_ENGINE_TRANSCRIPT_H
#define RT_ENGINE_TRANSCRIPT_H

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/crypto/hash.h"
#include "engine/chat.h"

#define RT_TRANSCRIPT_VERSION      1
#define RT_TRANSCRIPT_MOST         ((size_t)16 << 20) // bytes of the plaintext
#define RT_TRANSCRIPT_ENTRIES_MOST 4096
#define RT_TRANSCRIPT_SALT_BYTES   32

//  X(name, word, which fields it uses)
#define RT_ENTRY_TABLE(X)                                                                          \
    X(MESSAGE, "message", "role, text: a system or user message as sent")                          \
    X(REPLY, "reply", "text, reasoning, refusal, calls, finish, tokens: what the subject said")    \
    X(CALL, "call", "name, id, arguments, text (the tool's reply), verdict")                       \
    X(WORLD, "world", "name, text: a world entry's new value")                                     \
    X(EVENT, "event", "name: an event that fired; text: what was appended")                        \
    X(FAILURE, "failure", "name (kind), text: the subject could not be asked")                     \
    X(END, "end", "name: why the play ended")                                                      \
    X(ROLE, "role", "name (role), arguments (what it was told), text, ...: what a role said")

enum rt_entry_kind {
#define X(name, word, doc) RT_ENTRY_##name,
    RT_ENTRY_TABLE(X)
#undef X
        RT_ENTRY_KIND_COUNT
};

// What became of a tool call.
//  X(name, word)
#define RT_VERDICT_TABLE(X)                                                                        \
    X(RAN, "ran")                                                                                  \
    X(UNKNOWN_TOOL, "unknown_tool")                                                                \
    X(BAD_JSON, "bad_json")                                                                        \
    X(BAD_ARGUMENT, "bad_argument")

enum rt_verdict {
#define X(name, word) RT_VERDICT_##name,
    RT_VERDICT_TABLE(X)
#undef X
        RT_VERDICT_COUNT
};

struct rt_entry_call {
    struct rt_bytes id, name, arguments;
};

// One entry; fields a kind does not use are empty.
struct rt_entry {
    enum rt_entry_kind kind;
    uint32_t turn;  // assistant replies received before it, the reply itself included
    uint64_t at_ms; // since the start
    enum rt_chat_role role;
    struct rt_bytes name, id, text, arguments, reasoning, refusal;
    const struct rt_entry_call *calls;
    size_t call_count;
    enum rt_chat_finish finish;
    bool has_usage;
    uint64_t tokens_in, tokens_out;
    enum rt_verdict verdict;
};

struct rt_transcript {
    struct rt_bytes scenario, arm, phrasing; // ids
    int64_t temperature_micro, top_p_micro;
    uint32_t seed;
    int64_t started_ms; // wall clock
    const struct rt_entry *entries;
    size_t entry_count;
};

const char *rt_entry_kind_word(enum rt_entry_kind kind);
const char *rt_verdict_word(enum rt_verdict verdict);

// Append the canonical form. RT_MALFORMED for text that is not UTF-8 or holds a NUL, RT_TOO_LARGE.
enum rt_status rt_transcript_encode(const struct rt_transcript *transcript,
                                    struct rt_buf *out) RT_WARN_UNUSED;
// The inverse, strict: accepts exactly what encode writes. Views point into bytes, lists into
// arena. ret_reason (may be NULL) names the broken clause.
enum rt_status rt_transcript_decode(struct rt_bytes bytes, struct rt_arena *arena,
                                    struct rt_transcript *ret_transcript,
                                    const char **ret_reason) RT_WARN_UNUSED;

// SHA-256(salt ‖ plaintext): the commitment in a result, and the name of the object salt ‖
// plaintext.
void rt_transcript_commit(const uint8_t salt[RT_TRANSCRIPT_SALT_BYTES], struct rt_bytes plaintext,
                          struct rt_digest *ret_digest);

// What the subject put out, for `same_as`: SHA-256 over every reply's text, refusal, call names and
// arguments and finish reason. Times, token counts, reasoning and call ids are left out.
void rt_transcript_output(const struct rt_transcript *transcript, struct rt_digest *ret_digest);

// Sums over the subject's replies, and over what models said in other roles.
void rt_transcript_tokens(const struct rt_transcript *transcript, uint64_t *ret_in,
                          uint64_t *ret_out);
void rt_transcript_role_tokens(const struct rt_transcript *transcript, uint64_t *ret_in,
                               uint64_t *ret_out);

// For people: one line an entry, texts escaped and cut to width characters (0: whole).
void rt_transcript_print(const struct rt_transcript *transcript, size_t width, struct rt_buf *out);

#endif
