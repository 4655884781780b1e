// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "engine/synthetic.h"
#include "worker/executor/backend.h"

#define REPLY_MEMORY_MOST ((size_t)4 << 20)

struct slot {
    bool ready;
    enum rt_status status;
    struct rt_arena arena;
    struct rt_chat_reply reply;
};

struct rt_backend {
    struct rt_synthetic *subject;
    uint32_t slot_count;
    struct slot slots[];
};

static void builtin_free(struct rt_backend *backend)
{
    if (!backend)
        return;
    for (uint32_t i = 0; i < backend->slot_count; i++)
        rt_arena_release(&backend->slots[i].arena);
    rt_synthetic_free(backend->subject);
    free(backend);
}

enum rt_status rt_backend_builtin_new(const struct rt_lab_subject *subject,
                                      const struct rt_scenario *const *scenarios, size_t count,
                                      uint32_t slots, struct rt_backend **ret_backend,
                                      struct rt_error *err)
{
    struct rt_synthetic_effects effects;
    rt_synthetic_effects_init(&effects);
    enum rt_status status =
        rt_synthetic_effects_read(subject->effects, subject->effect_count, &effects, err);
    if (status)
        return rt_error_wrap(err, "subject %s", subject->id), status;
    struct rt_backend *backend = calloc(1, sizeof *backend + slots * sizeof backend->slots[0]);
    if (!backend)
        return rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", subject->id);
    backend->slot_count = slots;
    for (uint32_t i = 0; i < slots; i++)
        rt_arena_init(&backend->slots[i].arena, REPLY_MEMORY_MOST);
    status = rt_synthetic_new(&effects, scenarios, count, &backend->subject);
    if (status) {
        builtin_free(backend);
        return rt_error_set(err, status, "subject %s: the scenarios' scripts: %s", subject->id,
                            rt_status_text(status));
    }
    *ret_backend = backend;
    return RT_OK;
}

static enum rt_status builtin_ask(struct rt_backend *backend, uint32_t index,
                                  const struct rt_chat_request *request, int64_t timeout_ms,
                                  int64_t left_ms)
{
    (void)timeout_ms, (void)left_ms; // it answers at once
    struct slot *slot = &backend->slots[index];
    slot->status = rt_synthetic_answer(backend->subject, request, &slot->arena, &slot->reply);
    if (slot->status == RT_NO_MEMORY)
        return RT_NO_MEMORY;
    slot->ready = true;
    return RT_OK;
}

static void builtin_drop(struct rt_backend *backend, uint32_t index)
{
    struct slot *slot = &backend->slots[index];
    slot->ready = false;
    rt_arena_release(&slot->arena);
    rt_arena_init(&slot->arena, REPLY_MEMORY_MOST);
}

static size_t builtin_watch(struct rt_backend *backend, struct pollfd *fds, size_t capacity,
                            int *wait_ms)
{
    (void)fds;
    (void)capacity;
    for (uint32_t i = 0; i < backend->slot_count; i++)
        if (backend->slots[i].ready)
            *wait_ms = 0;
    return 0;
}

static void builtin_poll(struct rt_backend *backend, int timeout_ms, rt_backend_answer_fn *deliver,
                         void *ctx)
{
    (void)timeout_ms;
    for (uint32_t i = 0; i < backend->slot_count; i++) {
        struct slot *slot = &backend->slots[i];
        if (!slot->ready)
            continue;
        // The slot may be asked again from within the callback, so its reply moves out first.
        struct rt_arena arena = slot->arena;
        struct rt_chat_reply reply = slot->reply;
        bool failed = slot->status != RT_OK;
        struct rt_backend_answer answer = {
            .slot = i,
            .reply = failed ? NULL : &reply,
            .error = failed ? RT_ERROR_KIND_ENGINE : RT_ERROR_KIND_NONE,
            .text = failed ? "the synthetic subject's planted failure" : "",
            .requests = 1,
        };
        slot->ready = false;
        rt_arena_init(&slot->arena, REPLY_MEMORY_MOST);
        deliver(ctx, &answer);
        rt_arena_release(&arena);
    }
}

static void builtin_wake(struct rt_backend *backend)
{
    (void)backend; // its poll never waits
}

static void builtin_facts(const struct rt_backend *backend, struct rt_backend_facts *ret_facts)
{
    (void)backend;
    *ret_facts = (struct rt_backend_facts){"ringtrial synthetic subject", "synthetic", "",
                                           NULL, NULL};
}

const struct rt_backend_kind rt_backend_builtin = {
    .word = "builtin",
    .ask = builtin_ask,
    .poll = builtin_poll,
    .drop = builtin_drop,
    .wake = builtin_wake,
    .facts = builtin_facts,
    .free = builtin_free,
    .watch = builtin_watch,
};
