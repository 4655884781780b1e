// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/command_session.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/time.h"

#define CHUNK 65536
// Of one turn: a command that never stops writing must not keep the others waiting.
#define TURN_MOST ((size_t)1 << 20)

enum { AT_IN, AT_OUT, AT_ERR, AT_CONTROL };

enum rt_status rt_command_session_new(const struct rt_sandbox_plan *plan,
                                      struct rt_command_session **ret_session,
                                      struct rt_error *err)
{
    struct rt_command_session *session = calloc(1, sizeof *session);
    if (!session)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    rt_buf_init(&session->request, RT_COMMAND_LINE_MOST + 1);
    rt_buf_init(&session->line, RT_COMMAND_LINE_MOST + 1);
    enum rt_status status = rt_keeper_start(plan, &session->keeper, err);
    if (status) {
        free(session);
        return status;
    }
    *ret_session = session;
    return RT_OK;
}

void rt_command_session_free(struct rt_command_session *session)
{
    if (!session)
        return;
    rt_keeper_release(&session->keeper);
    rt_buf_release(&session->request);
    rt_buf_release(&session->line);
    free(session);
}

// ---- bytes

// A pipe whose reader is gone raises SIGPIPE; which way the program handles that is its own affair.
static ssize_t write_quietly(int fd, const void *data, size_t size)
{
    sigset_t pipe_only, before, pending;
    const struct timespec at_once = {0, 0};
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    bool waiting = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t sent = write(fd, data, size);
    int why = errno;
    if (sent < 0 && why == EPIPE && !waiting)
        while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return sent;
}

void rt_command_session_write(struct rt_command_session *session)
{
    while (session->keeper.in >= 0 && session->sent < session->request.size) {
        ssize_t sent = write_quietly(session->keeper.in, session->request.data + session->sent,
                                     session->request.size - session->sent);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0) {
            rt_keeper_close_in(&session->keeper); // it reads no more; its end says why
            return;
        }
        session->sent += (size_t)sent;
    }
}

static void close_out(struct rt_command_session *session)
{
    session->out_closed = true;
    session->closed_ms = rt_time_mono_ms();
}

void rt_command_session_read(struct rt_command_session *session)
{
    static _Thread_local char chunk[CHUNK];
    for (size_t total = 0; total < TURN_MOST && !session->out_closed;) {
        if (rt_buf_ok(&session->line))
            return; // longer than a line may be: told once, and no more is read
        ssize_t got = read(session->keeper.out, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            close_out(session);
            return;
        }
        rt_buf_add(&session->line, chunk, (size_t)got);
        total += (size_t)got;
    }
}

static void drain(struct rt_command_session *session)
{
    static _Thread_local char chunk[CHUNK];
    ssize_t got = read(session->keeper.out, chunk, sizeof chunk);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_out(session);
}

// The last RT_COMMAND_STDERR_KEPT bytes.
static void read_err(struct rt_command_session *session)
{
    static _Thread_local char chunk[CHUNK];
    for (size_t total = 0; total < TURN_MOST && session->keeper.err >= 0;) {
        ssize_t got = read(session->keeper.err, chunk, sizeof chunk);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            close(session->keeper.err);
            session->keeper.err = -1;
            return;
        }
        size_t size = (size_t)got, capacity = sizeof session->tail;
        const char *from = size > capacity ? chunk + size - capacity : chunk;
        size = size > capacity ? capacity : size;
        size_t kept = session->tail_size > capacity - size ? capacity - size : session->tail_size;
        memmove(session->tail, session->tail + session->tail_size - kept, kept);
        memcpy(session->tail + kept, from, size);
        session->tail_size = kept + size;
        total += (size_t)got;
    }
}

// ---- turns

void rt_command_session_watch(const struct rt_command_session *session, bool ending,
                              struct pollfd *ret_polls)
{
    const struct rt_keeper *keeper = &session->keeper;
    bool writing = !ending && session->sent < session->request.size;
    ret_polls[AT_IN] = (struct pollfd){writing ? keeper->in : -1, POLLOUT, 0};
    ret_polls[AT_OUT] = (struct pollfd){session->out_closed ? -1 : keeper->out, POLLIN, 0};
    ret_polls[AT_ERR] = (struct pollfd){keeper->err, POLLIN, 0};
    // What the keeper said last stays true; only its going is waited for when it is ending.
    ret_polls[AT_CONTROL] = (struct pollfd){keeper->gone ? -1 : keeper->control, POLLIN, 0};
}

void rt_command_session_move(struct rt_command_session *session, bool ending,
                             const struct pollfd *polls)
{
    if (polls[AT_ERR].revents)
        read_err(session);
    if (polls[AT_OUT].revents && ending)
        drain(session);
    else if (polls[AT_OUT].revents)
        rt_command_session_read(session);
    if (polls[AT_CONTROL].revents && rt_keeper_notice(&session->keeper) && !ending) {
        rt_command_session_read(session); // what it wrote last came before its end
        read_err(session);
    }
    if (polls[AT_IN].revents)
        rt_command_session_write(session);
}

bool rt_command_session_line(const struct rt_command_session *session, struct rt_bytes *ret_line,
                             bool *ret_more)
{
    const struct rt_buf *buf = &session->line;
    const uint8_t *end = buf->size ? memchr(buf->data, '\n', buf->size) : NULL;
    if (!end)
        return false;
    *ret_line = rt_bytes(buf->data, (size_t)(end - buf->data));
    *ret_more = ret_line->size + 1 < buf->size;
    return true;
}

void rt_command_session_line_done(struct rt_command_session *session)
{
    struct rt_bytes line;
    bool more;
    if (!rt_command_session_line(session, &line, &more))
        return;
    size_t size = line.size + 1;
    memmove(session->line.data, session->line.data + size, session->line.size - size);
    rt_buf_truncate(&session->line, session->line.size - size);
}

void rt_command_session_said(const struct rt_command_session *session, char *ret_text,
                             size_t capacity)
{
    size_t end = session->tail_size, size = 0;
    while (end && (session->tail[end - 1] == '\n' || session->tail[end - 1] == ' '))
        end--;
    size_t start = end;
    while (start && session->tail[start - 1] != '\n')
        start--;
    for (; start < end && size < capacity - 1; start++) {
        char c = session->tail[start];
        ret_text[size++] = c >= 0x20 && c < 0x7f ? c : '?';
    }
    ret_text[size] = 0;
}
