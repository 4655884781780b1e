// SPDX-License-Identifier: Apache-2.0
// One command process and what has passed between it and us: a request is written, a line is
// waited for, the end of standard error is kept. Moves bytes and tells what it sees; decides
// nothing about trials. Never blocks, except where it says so. One thread.
#ifndef RT_WORKER_EXECUTOR_COMMAND_SESSION_H
#define RT_WORKER_EXECUTOR_COMMAND_SESSION_H

#include <poll.h>

#include "worker/executor/command_line.h"
#include "worker/sandbox/keeper.h"

#define RT_COMMAND_POLLS 4 // entries of a pollfd list that a session takes

struct rt_command_session {
    struct rt_command_session *next; // in its owner's list of those that are ending
    struct rt_keeper keeper;
    struct rt_buf request; // what has to be written, its LF included
    size_t sent;
    struct rt_buf line; // what has been read, up to and past the first LF
    bool introduced;    // the line that may come before the first reply has come, or cannot now
    bool out_closed;
    int64_t closed_ms; // when it closed: its exit is told a moment later
    char tail[RT_COMMAND_STDERR_KEPT];
    size_t tail_size;
};

enum rt_status rt_command_session_new(const struct rt_sandbox_plan *plan,
                                      struct rt_command_session **ret_session,
                                      struct rt_error *err) RT_WARN_UNUSED;
// The process must be gone (keeper.gone).
void rt_command_session_free(struct rt_command_session *session);

// Fill RT_COMMAND_POLLS entries; ending sessions are only watched for their end and drained.
void rt_command_session_watch(const struct rt_command_session *session, bool ending,
                              struct pollfd *ret_polls);
// Read, write and notice whatever can be, as poll's answer says.
void rt_command_session_move(struct rt_command_session *session, bool ending,
                             const struct pollfd *polls);
// Read what is there without asking poll first.
void rt_command_session_read(struct rt_command_session *session);
// Write what can be written of the request.
void rt_command_session_write(struct rt_command_session *session);
// The bytes of the first whole line; false when there is none yet. *ret_more says that others
// follow it.
bool rt_command_session_line(const struct rt_command_session *session, struct rt_bytes *ret_line,
                             bool *ret_more);
void rt_command_session_line_done(struct rt_command_session *session);
// The last line of standard error, made printable; "" when it said nothing.
void rt_command_session_said(const struct rt_command_session *session, char *ret_text,
                             size_t capacity);

#endif
