// SPDX-License-Identifier: Apache-2.0
// The scenario player: a stepper that hands out the next request to the subject, takes its reply,
// runs the tools it called, fires events, changes the world and says when the play is over. It
// never reads a clock, a socket or a file: the caller asks the subject and passes the time in, so
// one thread can have many plays in flight. One play belongs to one thread at a time.
//
// Order of play (proto/scenario.h): per call the tool's case, then events, then the reply; first
// match wins; the nth call that ran takes the nth reply and the last repeats; parallel calls run in
// listed order and stop at an event's `end`. A call that names no tool, or whose arguments are not
// a JSON object with the declared types, is answered with an error text, recorded, counted as a
// call, and moves neither replies nor events.
#ifndef RT_ENGINE_PLAY_H
#define RT_ENGINE_PLAY_H

#include "engine/chat.h"
#include "engine/transcript.h"
#include "proto/object.h"
#include "proto/scenario.h"

// FINISHED: the last turn was answered without a call. EVENT: an event ended it. LENGTH: the reply
// was cut at the token limit. FAILED: the subject could not be asked. TIMEOUT: no answer in time.
//  X(name, word, is a limit)
#define RT_PLAY_END_TABLE(X)                                                                       \
    X(RUNNING, "running", false)                                                                   \
    X(FINISHED, "finished", false)                                                                 \
    X(EVENT, "event", false)                                                                       \
    X(LIMIT_TURNS, "limit_turns", true)                                                            \
    X(LIMIT_CALLS, "limit_calls", true)                                                            \
    X(LIMIT_TOKENS, "limit_tokens", true)                                                          \
    X(LIMIT_SECONDS, "limit_seconds", true)                                                        \
    X(LENGTH, "length", true)                                                                      \
    X(FAILED, "failed", false)                                                                     \
    X(TIMEOUT, "timeout", false)

enum rt_play_end {
#define X(name, word, limit) RT_PLAY_##name,
    RT_PLAY_END_TABLE(X)
#undef X
        RT_PLAY_END_COUNT
};
const char *rt_play_end_word(enum rt_play_end end);
bool rt_play_end_is_limit(enum rt_play_end end);
// RT_PLAY_END_COUNT for an unknown word.
enum rt_play_end rt_play_end_read(struct rt_bytes word);

#define RT_PLAY_MEMORY_MOST ((size_t)24 << 20) // bytes one play may hold

struct rt_play_setup {
    const struct rt_scenario *scenario; // outlives the play
    uint32_t arm, phrasing;             // indices
    int64_t temperature_micro;
    int64_t top_p_micro; // 1000000 unless the lab says otherwise
    uint32_t seed;
};

struct rt_play;

// A play at its first request. now_ms is the wall clock; later times are on the same clock. The
// caller frees it. RT_OUT_OF_RANGE for an arm or phrasing the scenario does not have.
enum rt_status rt_play_start(const struct rt_play_setup *setup, int64_t now_ms,
                             struct rt_play **ret_play) RT_WARN_UNUSED;
void rt_play_free(struct rt_play *play);

// What to ask the subject next; NULL once the play has ended. Valid until the next reply.
const struct rt_chat_request *rt_play_request(const struct rt_play *play);

// The subject's answer to that request. Strings are copied. RT_MALFORMED (text that is not UTF-8 or
// holds a NUL), RT_TOO_LARGE (more than RT_CHAT_CALLS_MOST calls, or the play's memory) and
// RT_NO_MEMORY leave a play that the caller should fail.
enum rt_status rt_play_reply(struct rt_play *play, const struct rt_chat_reply *reply,
                             int64_t now_ms) RT_WARN_UNUSED;

// The subject could not be asked: end the play with that error, or as a timeout where kind is
// RT_ERROR_KIND_NONE. text is for people, cut to 200 bytes.
void rt_play_fail(struct rt_play *play, enum rt_error_kind kind, const char *text, int64_t now_ms);

enum rt_play_end rt_play_ended(const struct rt_play *play);
// Milliseconds of limits.seconds that are left at now_ms; never negative.
int64_t rt_play_left_ms(const struct rt_play *play, int64_t now_ms);
// All that happened so far; borrowed from the play.
const struct rt_transcript *rt_play_transcript(const struct rt_play *play);

// Play a stored transcript's replies through the scenario again, at its times. RT_CONFLICT when the
// engine would not have sent the messages or run the calls that are recorded; ret_at (may be NULL)
// is then the first entry that differs. A recorded failure ends the replay the same way.
enum rt_status rt_play_replay(const struct rt_scenario *scenario,
                              const struct rt_transcript *transcript,
                              size_t *ret_at) RT_WARN_UNUSED;

#endif
