// SPDX-License-Identifier: Apache-2.0
// serve-subject: the synthetic subject as an OpenAI-compatible HTTP server (POST
// /v1/chat/completions, GET /v1/models, GET /health), so that the chat executor can be exercised
// for real, with planted faults for tests. Loopback unless told otherwise; no authentication unless
// a key is given; keeps nothing of what it is asked. Its own threads serve; start and stop from one
// thread.
#ifndef RT_WORKER_SERVE_SERVE_H
#define RT_WORKER_SERVE_SERVE_H

#include <stdio.h>

#include "common/base/error.h"
#include "common/base/option.h"
#include "engine/synthetic.h"

// Faults a request may meet instead of its answer.
//  X(name, word, what happens)
#define RT_SERVE_FAULT_TABLE(X)                                                                    \
    X(TOO_MANY, "429", "429 with Retry-After: 0")                                                  \
    X(TOO_MANY_DATE, "429date", "429 with Retry-After as an HTTP date, a second or two ahead")     \
    X(REQUEST_TIMEOUT, "408", "408 with an error string")                                          \
    X(SERVER_ERROR, "500", "500 with an error object")                                             \
    X(UNAVAILABLE, "503", "503 with an integer code")                                              \
    X(BAD_REQUEST, "400", "400, which is not worth a retry")                                       \
    X(GARBAGE, "garbage", "200 and half a JSON object")                                            \
    X(HTML, "html", "200 and a web page")                                                          \
    X(EMPTY, "empty", "200 and nothing")                                                           \
    X(HUGE, "huge", "200 and nine million bytes")                                                  \
    X(HANG, "hang", "no answer at all")                                                            \
    X(CLOSE, "close", "the connection ends half-way through the answer")

enum rt_serve_fault {
#define X(name, word, what) RT_SERVE_FAULT_##name,
    RT_SERVE_FAULT_TABLE(X)
#undef X
        RT_SERVE_FAULT_COUNT
};

// What a server may do wrong with what it is sent, request after request.
//  X(NAME, word, what)
#define RT_SERVE_QUIRK_TABLE(X)                                                                    \
    X(SEED, "seed", "the seed is ignored")                                                         \
    X(TEMPERATURE, "temperature", "everything is sampled at temperature 0")                        \
    X(TOOLS, "tools", "tool calls come back as text")                                              \
    X(LIMIT, "limit", "the token limit is ignored")

enum rt_serve_quirk {
#define X(name, word, what) RT_SERVE_QUIRK_##name,
    RT_SERVE_QUIRK_TABLE(X)
#undef X
        RT_SERVE_QUIRK_COUNT
};
// "seed,tools" into bits. RT_NOT_FOUND with the words that exist.
enum rt_status rt_serve_quirks_read(const char *text, uint32_t *ret_quirks,
                                    struct rt_error *err) RT_WARN_UNUSED;

struct rt_serve_options {
    const char *host; // numeric address, "127.0.0.1"
    uint16_t port;    // 0: one that is free
    const char *model;
    const char *key; // bearer token every request must carry, or NULL
    struct rt_synthetic_effects effects;
    const struct rt_scenario *const *scenarios; // outlive the server
    size_t scenario_count;
    uint32_t faults[RT_SERVE_FAULT_COUNT]; // how many of each
    uint32_t fault_every;                  // every n-th request meets the next one; 0: every third
    uint32_t quirks;                       // bits 1 << enum rt_serve_quirk
};

// "429:3,500:2,hang:1" into faults. RT_MALFORMED or RT_NOT_FOUND with the words that exist.
enum rt_status rt_serve_faults_read(const char *text, uint32_t ret_faults[RT_SERVE_FAULT_COUNT],
                                    struct rt_error *err) RT_WARN_UNUSED;

struct rt_serve;
enum rt_status rt_serve_start(const struct rt_serve_options *options, struct rt_serve **ret_serve,
                              struct rt_error *err) RT_WARN_UNUSED;
uint16_t rt_serve_port(const struct rt_serve *serve);
uint64_t rt_serve_requests(const struct rt_serve *serve); // completions asked for so far
void rt_serve_stop(struct rt_serve *serve);               // hung requests are let go; takes NULL

// The same subject as a command (docs/EXECUTORS.md): a line that introduces it, then a reply line
// for each request line, until in ends. Blocks; faults are not met. RT_IO when out is closed.
enum rt_status rt_serve_stdio(const struct rt_serve_options *options, FILE *in, FILE *out,
                              struct rt_error *err) RT_WARN_UNUSED;

// `ringtrial-worker serve-subject`, for the program's table of commands. Prints
// "serving http://127.0.0.1:PORT/v1" on stdout and runs until SIGINT or SIGTERM.
extern const struct rt_command rt_serve_command;

#endif
