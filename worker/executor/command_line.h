// SPDX-License-Identifier: Apache-2.0
// The command contract, declared once (docs/EXECUTORS.md): what a line from a command may be, and
// what each way to fail becomes. Bounded; no I/O. Pure; any thread.
#ifndef RT_WORKER_EXECUTOR_COMMAND_LINE_H
#define RT_WORKER_EXECUTOR_COMMAND_LINE_H

#include "proto/object.h"
#include "worker/executor/chat_json.h"

#define RT_COMMAND_CONTRACT    1                 // this version of it
#define RT_COMMAND_LINE_MOST   RT_CHAT_BODY_MOST // bytes of a line either way, its LF not counted
#define RT_COMMAND_STDERR_KEPT 2048              // bytes of standard error kept a trial: the last

// How asking a command can fail.
//  X(name, error kind of the trial's status, what it is, in words for the lab)
#define RT_COMMAND_FAILURE_TABLE(X)                                                                \
    X(START, SANDBOX, "the command could not be started")                                          \
    X(SIGNAL, SANDBOX, "a signal ended the command before it replied")                             \
    X(EXIT, PROTOCOL, "the command ended before it replied")                                       \
    X(CLOSED, PROTOCOL, "the command closed its output before it replied")                         \
    X(HALF, PROTOCOL, "the command's output ended in the middle of a line")                        \
    X(LONG, PROTOCOL, "the command's line is over 8 MiB")                                          \
    X(EARLY, PROTOCOL, "the command wrote before it was asked")                                    \
    X(MORE, PROTOCOL, "the command wrote more than one line for one request")                      \
    X(REPLY, PROTOCOL, "the command's line is no chat completion")                                 \
    X(CONTRACT_VERSION, PROTOCOL, "the command speaks another version of the contract")            \
    X(ERROR, NETWORK, "the command replied with an error of its own")                              \
    X(TIMEOUT, NONE, "no reply in time")

enum rt_command_failure {
#define X(name, kind, what) RT_COMMAND_##name,
    RT_COMMAND_FAILURE_TABLE(X)
#undef X
        RT_COMMAND_FAILURE_COUNT
};
extern const enum rt_error_kind rt_command_failure_kinds[RT_COMMAND_FAILURE_COUNT];
extern const char *const rt_command_failure_texts[RT_COMMAND_FAILURE_COUNT];

// Words an error object may use for `kind`; without one, or with another, it is `network`.
//  X(word, error kind)
#define RT_COMMAND_ERROR_TABLE(X)                                                                  \
    X("network", NETWORK)                                                                          \
    X("http", HTTP)                                                                                \
    X("budget", BUDGET)                                                                            \
    X("policy", POLICY)                                                                            \
    X("timeout", NONE)

enum rt_command_line_kind {
    RT_COMMAND_LINE_REPLY,
    RT_COMMAND_LINE_INTRODUCTION,
    RT_COMMAND_LINE_FAILURE,
};

struct rt_command_line {
    enum rt_command_line_kind kind;
    struct rt_chat_reply reply; // REPLY
    struct rt_chat_facts facts; // REPLY
    // INTRODUCTION: who it says it is, "" unknown.
    const char *server, *model;
    // FAILURE: which, the trial's error kind (NONE: timeout), and words of its own, "" none.
    enum rt_command_failure failure;
    enum rt_error_kind error;
    char text[160];
};

// Make sense of one line, its LF left out; strings in arena. What is wrong with it is the answer;
// RT_NO_MEMORY alone is returned.
enum rt_status rt_command_line_read(struct rt_bytes line, struct rt_arena *arena,
                                    struct rt_command_line *ret_line) RT_WARN_UNUSED;

#endif
