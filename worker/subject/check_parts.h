// SPDX-License-Identifier: Apache-2.0
// What the files of the checks share; for worker/subject/check*.c alone. A check returns RT_OK to
// go on, RT_CHECK_FAILED when nothing more can be asked, or an error of this side. One thread.
#ifndef RT_WORKER_SUBJECT_CHECK_PARTS_H
#define RT_WORKER_SUBJECT_CHECK_PARTS_H

#include "worker/subject/check.h"

struct checking {
    const struct rt_check_setup *setup;
    struct rt_checks *checks;
    struct rt_arena *arena;
    struct rt_error *err;
    bool wired; // has an HTTP endpoint that was asked for its models
    uint64_t reported_context;
};

void check_say(struct checking *checking, enum rt_check_kind kind, enum rt_check_verdict verdict,
               const char *format, ...) RT_PRINTF(4, 5);
// Temperature 0, 64 tokens, the probe's seed.
struct rt_chat_request check_request(const struct checking *checking,
                                     const struct rt_chat_message *messages, size_t count);
// Beyond RT_CHECK_REQUESTS_MOST nothing is asked, and the replies say so (`done` false).
enum rt_status check_ask(struct checking *checking, const struct rt_chat_request *requests,
                         size_t count, size_t at_once,
                         struct rt_exec_reply *ret_replies) RT_WARN_UNUSED;

// check_tools.c, check_wire.c
enum rt_status check_tools(struct checking *checking) RT_WARN_UNUSED;
enum rt_status check_context(struct checking *checking) RT_WARN_UNUSED;
enum rt_status check_wire(struct checking *checking) RT_WARN_UNUSED;
enum rt_status check_wire_tools(struct checking *checking) RT_WARN_UNUSED;

#endif
