// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/time.h"
#include "worker/executor/command.h"
#include "worker/executor/command_session.h"

#define REPLY_MEMORY_MOST (4 * RT_COMMAND_LINE_MOST)
#define PLAN_MEMORY_MOST  ((size_t)4 << 20)
// A process that closed its output mostly ends in the same moment, and then its exit says why.
#define CLOSED_WAIT_MS 250
// Processes that are ending, beyond one for each slot, before the oldest are killed.
#define ENDING_SPARE 16

struct slot {
    struct rt_command_session *session; // of the trial that goes on
    bool asked;
    bool failed; // what went wrong in ask, told by the next poll
    enum rt_command_failure failure;
    char text[256];
    int64_t deadline_ms; // monotonic
};

struct rt_backend {
    const struct rt_lab_subject *subject;
    struct rt_arena arena; // the plan's
    struct rt_sandbox_plan plan;
    struct rt_command_session *ending; // newest first
    size_t ending_count;
    int wake; // eventfd
    struct pollfd *polls;
    size_t poll_capacity;
    char server[192], model[256], system_fingerprint[128];
    char program[RT_DIGEST_TEXT_BYTES]; // the program file's digest, "" inside an image
    struct stat program_stat;           // when it was taken
    uint32_t slot_count;
    struct slot slots[];
};

struct delivery {
    rt_backend_answer_fn *deliver;
    void *ctx;
    size_t count;
};

// ---- sessions that are over

static void forget_ended(struct rt_backend *backend)
{
    struct rt_command_session **at = &backend->ending;
    while (*at) {
        struct rt_command_session *session = *at;
        rt_keeper_notice(&session->keeper);
        if (!session->keeper.gone) {
            at = &session->next;
            continue;
        }
        *at = session->next;
        backend->ending_count--;
        rt_command_session_free(session);
    }
}

static void hand_over(struct rt_backend *backend, struct slot *slot, enum rt_keeper_order order)
{
    struct rt_command_session *session = slot->session;
    slot->session = NULL;
    slot->asked = slot->failed = false;
    if (!session)
        return;
    rt_keeper_close_in(&session->keeper);
    rt_keeper_order(&session->keeper, order);
    rt_buf_release(&session->line);
    rt_buf_release(&session->request);
    session->next = backend->ending;
    backend->ending = session;
    backend->ending_count++;
    forget_ended(backend);
    if (backend->ending_count > backend->slot_count + ENDING_SPARE)
        for (session = backend->ending; session; session = session->next)
            if (!session->next)
                rt_keeper_order(&session->keeper, RT_KEEPER_KILL);
}

static void command_free(struct rt_backend *backend)
{
    if (!backend)
        return;
    for (uint32_t i = 0; i < backend->slot_count; i++)
        hand_over(backend, &backend->slots[i], RT_KEEPER_TERM);
    // All are told before the first is waited for.
    for (struct rt_command_session *s = backend->ending; s; s = s->next)
        rt_keeper_order(&s->keeper, RT_KEEPER_TERM);
    while (backend->ending) {
        struct rt_command_session *session = backend->ending;
        backend->ending = session->next;
        rt_keeper_finish(&session->keeper);
        rt_command_session_free(session);
    }
    if (backend->wake >= 0)
        close(backend->wake);
    rt_arena_release(&backend->arena);
    free(backend->polls);
    free(backend);
}

// ---- making one

// A sandbox that cannot run here is found out before the first trial, with the system's own word.
static enum rt_status try_sandbox(const struct rt_sandbox_request *request,
                                  const struct rt_sandbox_host *host, struct rt_arena *arena,
                                  struct rt_error *err)
{
    static const char *const command[] = {"true"};
    struct rt_sandbox_request trial = *request;
    struct rt_sandbox_plan plan;
    struct rt_command_session *session;
    struct pollfd polls[RT_COMMAND_POLLS];
    char said[200];
    trial.command = command;
    trial.command_count = 1;
    enum rt_status status = rt_sandbox_compose(&trial, host, arena, &plan, err);
    if (!status)
        status = rt_command_session_new(&plan, &session, err);
    if (status)
        return status;
    rt_keeper_close_in(&session->keeper);
    rt_keeper_order(&session->keeper, RT_KEEPER_END);
    while (!session->keeper.gone) {
        rt_command_session_watch(session, false, polls);
        poll(polls, RT_COMMAND_POLLS, 1000);
        rt_command_session_move(session, false, polls);
    }
    rt_command_session_said(session, said, sizeof said);
    bool runs = session->keeper.end == RT_KEEPER_EXIT && session->keeper.value == 0;
    rt_command_session_free(session);
    return runs ? RT_OK
                : rt_error_set(err, RT_UNSUPPORTED,
                               "sandbox %s does not run here%s%s; it needs unprivileged user "
                               "namespaces (sysctl user.max_user_namespaces above 0; Debian: "
                               "kernel.unprivileged_userns_clone=1; Ubuntu: an AppArmor profile "
                               "for bwrap) and a systemd unit that covers nothing of /proc; or "
                               "name another `sandbox` (docs/EXECUTORS.md)",
                               rt_sandbox_word(request->sandbox), *said ? ": " : "", said);
}

// One that has no word at all in the fingerprint is one that could not be read.
static void digest_program(struct rt_backend *backend)
{
    uint8_t block[65536];
    struct rt_sha256_state state;
    struct rt_digest digest;
    ssize_t got = -1;
    *backend->program = 0;
    memset(&backend->program_stat, 0, sizeof backend->program_stat);
    int fd = *backend->plan.program ? open(backend->plan.program, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    if (!fstat(fd, &backend->program_stat)) {
        rt_sha256_init(&state);
        while ((got = read(fd, block, sizeof block)) > 0)
            rt_sha256_update(&state, block, (size_t)got);
        rt_sha256_final(&state, &digest);
    }
    if (!got)
        rt_digest_format(&digest, backend->program);
    close(fd);
}

// Before each start: a program that was edited or replaced is another instrument from here on, and
// the facts say so. One that is gone says so itself, by not starting.
static void look_at_program(struct rt_backend *backend)
{
    const struct stat *was = &backend->program_stat;
    struct stat now;
    if (!*backend->plan.program || stat(backend->plan.program, &now))
        return;
    if (now.st_size != was->st_size || now.st_ino != was->st_ino || now.st_dev != was->st_dev ||
        now.st_mtim.tv_sec != was->st_mtim.tv_sec || now.st_mtim.tv_nsec != was->st_mtim.tv_nsec)
        digest_program(backend);
}

static enum rt_status prepare(struct rt_backend *backend,
                              const struct rt_backend_command_options *options,
                              struct rt_error *err)
{
    const struct rt_lab_subject *subject = backend->subject;
    struct rt_sandbox_host host;
    struct rt_sandbox_request request = {
        .sandbox = options->sandbox,
        .command = subject->command,
        .command_count = subject->command_count,
        .confine = &subject->confine,
        .folder = options->folder ? options->folder : "/",
        .secret = options->secret,
        .secret_count = options->secret_count,
        .at_once = backend->slot_count,
    };
    if (!subject->command_count)
        return rt_error_set(err, RT_MALFORMED, "there is no `command`");
    enum rt_status status = rt_sandbox_host_read(&backend->arena, &host);
    if (status)
        return rt_error_set(err, status, "out of memory");
    status = rt_sandbox_compose(&request, &host, &backend->arena, &backend->plan, err);
    bool wrapped = request.sandbox == RT_SANDBOX_BWRAP || request.sandbox == RT_SANDBOX_APPTAINER;
    if (!status && wrapped)
        status = try_sandbox(&request, &host, &backend->arena, err);
    if (!status)
        digest_program(backend);
    return status;
}

enum rt_status rt_backend_command_new(const struct rt_lab_subject *subject,
                                      const struct rt_backend_command_options *options,
                                      uint32_t slots, struct rt_backend **ret_backend,
                                      struct rt_error *err)
{
    struct rt_backend *backend = calloc(1, sizeof *backend + slots * sizeof backend->slots[0]);
    if (!backend)
        return rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", subject->id);
    rt_arena_init(&backend->arena, PLAN_MEMORY_MOST);
    backend->subject = subject;
    backend->slot_count = slots;
    backend->poll_capacity =
        1 + (size_t)RT_COMMAND_POLLS * (2 * (size_t)slots + ENDING_SPARE + 2);
    backend->polls = calloc(backend->poll_capacity, sizeof *backend->polls);
    backend->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum rt_status status = RT_OK;
    if (!backend->polls || backend->wake < 0)
        status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
    if (!status)
        status = prepare(backend, options, err);
    if (status) {
        rt_error_wrap(err, "subject %s", subject->id);
        command_free(backend);
        return status;
    }
    *ret_backend = backend;
    return RT_OK;
}

// ---- asking

static void fail_later(struct slot *slot, enum rt_command_failure failure, const char *text)
{
    slot->failed = true;
    slot->failure = failure;
    snprintf(slot->text, sizeof slot->text, "%s", text);
}

static enum rt_status command_ask(struct rt_backend *backend, uint32_t index,
                                  const struct rt_chat_request *request, int64_t timeout_ms,
                                  int64_t left_ms)
{
    struct slot *slot = &backend->slots[index];
    struct rt_error err = {RT_OK, ""};
    RT_ASSERT(!slot->asked);
    timeout_ms = timeout_ms < left_ms ? timeout_ms : left_ms;
    slot->deadline_ms = rt_time_mono_ms() + (timeout_ms > 0 ? timeout_ms : 0);
    if (!slot->session) {
        look_at_program(backend);
        enum rt_status status = rt_command_session_new(&backend->plan, &slot->session, &err);
        if (status == RT_NO_MEMORY)
            return status;
        slot->asked = true;
        if (status) {
            fail_later(slot, RT_COMMAND_START, err.text);
            return RT_OK;
        }
    } else {
        rt_command_session_read(slot->session);
    }
    struct rt_command_session *session = slot->session;
    rt_buf_clear(&session->request);
    session->sent = 0;
    enum rt_status status = rt_chat_json_request(backend->subject, request, &session->request);
    rt_buf_add_u8(&session->request, '\n');
    if (!status)
        status = rt_buf_ok(&session->request);
    if (status)
        return status;
    slot->asked = true;
    if (session->line.size)
        fail_later(slot, RT_COMMAND_EARLY, "");
    else
        rt_command_session_write(session);
    return RT_OK;
}

static void command_drop(struct rt_backend *backend, uint32_t index)
{
    hand_over(backend, &backend->slots[index], RT_KEEPER_TERM);
}

static void command_end(struct rt_backend *backend, uint32_t index)
{
    hand_over(backend, &backend->slots[index], RT_KEEPER_END);
}

// ---- answers

static uint32_t index_of(const struct rt_backend *backend, const struct slot *slot)
{
    return (uint32_t)(slot - backend->slots);
}

// The trial is over, and so is its process.
static void refuse(struct rt_backend *backend, struct delivery *delivery, struct slot *slot,
                   enum rt_command_failure failure, enum rt_error_kind error, const char *own)
{
    char text[512], said[160] = "";
    if (slot->session)
        rt_command_session_said(slot->session, said, sizeof said);
    snprintf(text, sizeof text, "%s%s%s%s%s", rt_command_failure_texts[failure], *own ? ": " : "",
             own, *said ? "; it said: " : "", said);
    struct rt_backend_answer answer = {.slot = index_of(backend, slot),
                                       .timeout = error == RT_ERROR_KIND_NONE,
                                       .error = error,
                                       .text = text,
                                       .requests = 1};
    hand_over(backend, slot, RT_KEEPER_TERM);
    delivery->count++;
    delivery->deliver(delivery->ctx, &answer);
}

static void fail(struct rt_backend *backend, struct delivery *delivery, struct slot *slot,
                 enum rt_command_failure failure, const char *own)
{
    refuse(backend, delivery, slot, failure, rt_command_failure_kinds[failure], own);
}

// A command's word about itself, for the fingerprint: printable ASCII, cut to fit.
static void keep_fact(char *ret_text, size_t capacity, const char *text)
{
    size_t size = 0;
    for (; *text && text[size] && size < capacity - 1; size++)
        ret_text[size] = text[size] >= 0x20 && text[size] < 0x7f ? text[size] : '?';
    if (size)
        ret_text[size] = 0;
}

// One line from an asked command; true when another may be waited for.
static bool take_line(struct rt_backend *backend, struct delivery *delivery, struct slot *slot,
                      struct rt_bytes bytes, bool more)
{
    struct rt_command_session *session = slot->session;
    struct rt_command_line line;
    struct rt_arena arena;
    bool again = false, first = !session->introduced;
    rt_arena_init(&arena, REPLY_MEMORY_MOST);
    session->introduced = true;
    if (rt_command_line_read(bytes, &arena, &line)) {
        fail(backend, delivery, slot, RT_COMMAND_LONG, "out of memory");
    } else if (line.kind == RT_COMMAND_LINE_INTRODUCTION && first) {
        keep_fact(backend->server, sizeof backend->server, line.server);
        keep_fact(backend->model, sizeof backend->model, line.model);
        rt_command_session_line_done(session);
        again = true;
    } else if (line.kind == RT_COMMAND_LINE_INTRODUCTION) {
        fail(backend, delivery, slot, RT_COMMAND_REPLY, "it introduces itself once more");
    } else if (line.kind == RT_COMMAND_LINE_FAILURE) {
        refuse(backend, delivery, slot, line.failure, line.error, line.text);
    } else if (more) {
        fail(backend, delivery, slot, RT_COMMAND_MORE, "");
    } else {
        keep_fact(backend->model, sizeof backend->model, line.facts.model);
        keep_fact(backend->system_fingerprint, sizeof backend->system_fingerprint,
                  line.facts.system_fingerprint);
        rt_command_session_line_done(session);
        slot->asked = false;
        delivery->count++;
        struct rt_backend_answer answer = {.slot = index_of(backend, slot),
                                           .reply = &line.reply,
                                           .error = RT_ERROR_KIND_NONE,
                                           .text = "",
                                           .requests = 1};
        delivery->deliver(delivery->ctx, &answer);
    }
    rt_arena_release(&arena);
    return again;
}

// It will write no more. Shells and sandboxes report a signal as 128 and its number.
static void tell_end(struct rt_backend *backend, struct delivery *delivery, struct slot *slot)
{
    const struct rt_keeper *keeper = &slot->session->keeper;
    char own[80] = "";
    bool shell = keeper->end == RT_KEEPER_EXIT && keeper->value > 128 && keeper->value < 193;
    int signal = shell ? keeper->value - 128 : keeper->value;
    if (slot->session->line.size) {
        fail(backend, delivery, slot, RT_COMMAND_HALF, "");
    } else if (keeper->end == RT_KEEPER_UNABLE) {
        fail(backend, delivery, slot, RT_COMMAND_START, strerror(keeper->value));
    } else if (keeper->end == RT_KEEPER_SIGNAL || shell) {
        snprintf(own, sizeof own, "signal %d (%s)", signal, strsignal(signal));
        fail(backend, delivery, slot, RT_COMMAND_SIGNAL, own);
    } else if (keeper->end == RT_KEEPER_EXIT) {
        snprintf(own, sizeof own, "exit code %d", keeper->value);
        fail(backend, delivery, slot, RT_COMMAND_EXIT, own);
    } else {
        fail(backend, delivery, slot, RT_COMMAND_CLOSED, "");
    }
}

static void take(struct rt_backend *backend, struct delivery *delivery, struct slot *slot,
                 int64_t now_ms)
{
    struct rt_command_session *session = slot->session;
    struct rt_bytes line;
    bool more;
    if (slot->failed) {
        slot->failed = false;
        fail(backend, delivery, slot, slot->failure, slot->text);
        return;
    }
    while (rt_command_session_line(session, &line, &more))
        if (!take_line(backend, delivery, slot, line, more))
            return;
    bool ended = session->keeper.end != RT_KEEPER_RUNNING;
    if (rt_buf_ok(&session->line))
        fail(backend, delivery, slot, RT_COMMAND_LONG, "");
    else if (ended || (session->out_closed && now_ms >= session->closed_ms + CLOSED_WAIT_MS))
        tell_end(backend, delivery, slot);
    else if (now_ms >= slot->deadline_ms)
        fail(backend, delivery, slot, RT_COMMAND_TIMEOUT, "");
}

// ---- turns

// How long nothing can happen of itself.
static int wait_of(const struct rt_backend *backend, int timeout_ms)
{
    int64_t now_ms = rt_time_mono_ms();
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        const struct slot *slot = &backend->slots[i];
        int64_t until_ms = slot->deadline_ms;
        if (!slot->asked)
            continue;
        if (slot->failed)
            return 0;
        if (slot->session->out_closed && slot->session->closed_ms + CLOSED_WAIT_MS < until_ms)
            until_ms = slot->session->closed_ms + CLOSED_WAIT_MS;
        if (until_ms - now_ms < timeout_ms)
            timeout_ms = until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
    }
    return timeout_ms;
}

static size_t watch(struct rt_backend *backend)
{
    size_t count = 1;
    backend->polls[0] = (struct pollfd){backend->wake, POLLIN, 0};
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        if (!backend->slots[i].session)
            continue;
        rt_command_session_watch(backend->slots[i].session, false, &backend->polls[count]);
        count += RT_COMMAND_POLLS;
    }
    for (struct rt_command_session *s = backend->ending;
         s && count + RT_COMMAND_POLLS <= backend->poll_capacity; s = s->next) {
        rt_command_session_watch(s, true, &backend->polls[count]);
        count += RT_COMMAND_POLLS;
    }
    return count;
}

static void move(struct rt_backend *backend, size_t polled)
{
    size_t at = 1;
    uint64_t wakes;
    if (backend->polls[0].revents && read(backend->wake, &wakes, sizeof wakes) < 0 &&
        errno != EAGAIN)
        return;
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        if (!backend->slots[i].session)
            continue;
        rt_command_session_move(backend->slots[i].session, false, &backend->polls[at]);
        at += RT_COMMAND_POLLS;
    }
    for (struct rt_command_session *s = backend->ending; s && at < polled; s = s->next) {
        rt_command_session_move(s, true, &backend->polls[at]);
        at += RT_COMMAND_POLLS;
    }
    forget_ended(backend);
}

static size_t command_watch(struct rt_backend *backend, struct pollfd *fds, size_t capacity,
                            int *wait_ms)
{
    size_t count = watch(backend);
    count = count < capacity ? count : capacity;
    memcpy(fds, backend->polls, count * sizeof *fds);
    *wait_ms = wait_of(backend, *wait_ms);
    return count;
}

static void command_poll(struct rt_backend *backend, int timeout_ms,
                         rt_backend_answer_fn *deliver, void *ctx)
{
    struct delivery delivery = {deliver, ctx, 0};
    size_t count = watch(backend);
    if (poll(backend->polls, count, wait_of(backend, timeout_ms)) > 0)
        move(backend, count);
    int64_t now_ms = rt_time_mono_ms();
    for (uint32_t i = 0; i < backend->slot_count; i++)
        if (backend->slots[i].asked)
            take(backend, &delivery, &backend->slots[i], now_ms);
}

static void command_wake(struct rt_backend *backend)
{
    uint64_t one = 1;
    ssize_t sent = write(backend->wake, &one, sizeof one);
    (void)sent; // full only when it is awake already
}

static void command_facts(const struct rt_backend *backend, struct rt_backend_facts *ret_facts)
{
    *ret_facts = (struct rt_backend_facts){.server = backend->server,
                                           .model = backend->model,
                                           .system_fingerprint = backend->system_fingerprint,
                                           .sandbox = backend->plan.word,
                                           .program = backend->program};
}

const struct rt_backend_kind rt_backend_command = {
    .word = "command",
    .ask = command_ask,
    .poll = command_poll,
    .drop = command_drop,
    .end = command_end,
    .wake = command_wake,
    .facts = command_facts,
    .free = command_free,
    .watch = command_watch,
};
