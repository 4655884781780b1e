// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "worker/executor/exec_state.h"

// ---- making one

static int64_t top_p_of(const struct rt_lab_subject *subject)
{
    int64_t micro;
    const char *text = rt_pair_value(subject->defaults, subject->default_count, "top_p");
    return text && rt_parse_micro(text, &micro) == RT_OK ? micro : 1000000;
}

enum rt_status rt_exec_open(const struct rt_exec_options *options, struct rt_exec **ret_exec,
                            struct rt_error *err)
{
    const struct rt_lab_subject *subject = options->subject;
    uint32_t slots = subject->concurrency ? subject->concurrency : 1;
    if (rt_lab_pilot(subject)) // `concurrency` is each server's, and each job has one
        slots *= subject->slurm->jobs_at_most;
    slots = slots > RT_EXEC_IN_FLIGHT_MOST ? RT_EXEC_IN_FLIGHT_MOST : slots;
    struct rt_exec *exec = calloc(1, sizeof *exec + slots * sizeof exec->slots[0]);
    if (!exec)
        return rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", subject->id);
    exec->options = *options;
    exec->top_p_micro = top_p_of(subject);
    exec->timeout_ms = subject->timeout_ms > 0 ? subject->timeout_ms : 120000;
    exec->slot_count = slots;
    rt_buf_init(&exec->fingerprint, RT_FINGERPRINT_MOST);
    if (options->whole) {
        exec->slot_count = 0;
        *ret_exec = exec;
        return RT_OK;
    }
    enum rt_status status =
        rt_exec_serve(options, subject, slots, &exec->kind, &exec->backend, err);
    if (!status)
        status = rt_exec_serve_roles(exec, err);
    if (status) {
        rt_exec_free(exec);
        return status;
    }
    *ret_exec = exec;
    return RT_OK;
}

void rt_exec_free(struct rt_exec *exec)
{
    if (!exec)
        return;
    rt_exec_probe_abandon(exec);
    for (uint32_t i = 0; i < exec->slot_count; i++)
        rt_play_free(exec->slots[i].play);
    rt_exec_free_roles(exec);
    if (exec->options.whole)
        exec->options.whole_kind->free(exec->options.whole);
    if (exec->backend)
        exec->kind->free(exec->backend);
    rt_buf_release(&exec->fingerprint);
    free(exec);
}

struct rt_bytes rt_exec_fingerprint(const struct rt_exec *exec, struct rt_digest *ret_digest)
{
    RT_ASSERT(exec->fingerprint.size > 0);
    rt_sha256(rt_buf_bytes(&exec->fingerprint), ret_digest);
    return rt_buf_bytes(&exec->fingerprint);
}

bool rt_exec_plays_whole(const struct rt_exec *exec)
{
    return exec->options.whole != NULL;
}

// ---- endpoints

enum rt_status rt_exec_endpoint_add(struct rt_exec *exec, const char *url, const char *key,
                                    struct rt_error *err)
{
    if (!exec->kind || !exec->kind->endpoint_add)
        return rt_error_set(err, RT_UNSUPPORTED, "subject %s: its executor has no endpoints",
                            exec->options.subject->id);
    return exec->kind->endpoint_add(exec->backend, url, key, err);
}

bool rt_exec_endpoint_drop(struct rt_exec *exec, const char *url)
{
    return exec->kind && exec->kind->endpoint_drop && exec->kind->endpoint_drop(exec->backend, url);
}

size_t rt_exec_endpoint_count(const struct rt_exec *exec)
{
    return exec->kind && exec->kind->endpoint_count ? exec->kind->endpoint_count(exec->backend) : 1;
}

// ---- trials

size_t rt_exec_in_flight(const struct rt_exec *exec)
{
    return exec->options.whole ? exec->options.whole_kind->in_flight(exec->options.whole)
                               : exec->in_flight;
}

size_t rt_exec_room(const struct rt_exec *exec)
{
    if (exec->options.whole)
        return exec->options.whole_kind->room(exec->options.whole);
    size_t limit = exec->kind->limit ? exec->kind->limit(exec->backend) : exec->slot_count;
    limit = limit < exec->slot_count ? limit : exec->slot_count;
    return !exec->probe && limit > exec->in_flight ? limit - exec->in_flight : 0;
}

// Ask for the play's next turn; a play that has ended waits to be collected.
static void advance(struct rt_exec *exec, struct rt_exec_slot *slot)
{
    const struct rt_chat_request *request = rt_play_request(slot->play);
    if (!request)
        return;
    int64_t now_ms = rt_time_wall_ms();
    int64_t left_ms = rt_play_left_ms(slot->play, now_ms);
    uint32_t whom = rt_exec_whom(exec, slot->scenario, request->role);
    struct rt_exec_role *role = whom ? &exec->roles[whom - 1] : NULL;
    int64_t most_ms = role && role->subject->timeout_ms > 0 ? role->subject->timeout_ms
                                                            : exec->timeout_ms;
    int64_t timeout_ms = most_ms < left_ms ? most_ms : left_ms;
    enum rt_status status = (role ? role->kind : exec->kind)
                                ->ask(role ? role->backend : exec->backend,
                                      (uint32_t)(slot - exec->slots), request, timeout_ms, left_ms);
    if (status) {
        rt_play_fail(slot->play, RT_ERROR_KIND_ENGINE, "the request is too large to send", now_ms);
        return;
    }
    slot->asked = true;
    slot->whom = whom;
    if (role)
        role->asked++;
}

enum rt_status rt_exec_submit(struct rt_exec *exec, const struct rt_exec_trial *trial,
                              struct rt_error *err)
{
    struct rt_exec_slot *free_slot = NULL;
    uint64_t context = exec->options.subject->context;
    if (exec->options.whole)
        return exec->options.whole_kind->submit(exec->options.whole, trial, err);
    for (uint32_t i = 0; i < exec->slot_count; i++) {
        struct rt_exec_slot *slot = &exec->slots[i];
        if (slot->play && slot->tag == trial->tag)
            return rt_error_set(err, RT_EXISTS, "the trial is in flight");
        if (!slot->play && !free_slot)
            free_slot = slot;
    }
    if (!free_slot || exec->probe)
        return rt_error_set(err, RT_AGAIN, "no room for another trial");
    struct rt_play_setup setup = {trial->scenario,          trial->arm,        trial->phrasing,
                                  trial->temperature_micro, exec->top_p_micro, trial->seed};
    enum rt_status status = rt_play_start(&setup, rt_time_wall_ms(), &free_slot->play);
    if (status)
        return rt_error_set(err, status, "scenario %s cannot be played: %s", trial->scenario->id,
                            rt_status_text(status));
    free_slot->scenario = trial->scenario;
    free_slot->tag = trial->tag;
    free_slot->asked = free_slot->unrun = false;
    free_slot->requests = 0;
    free_slot->detail[0] = 0;
    exec->in_flight++;
    if (context && context < trial->scenario->limits.min_context) {
        snprintf(free_slot->detail, sizeof free_slot->detail,
                 "subject %s offers %llu tokens of context, the scenario needs %u",
                 exec->options.subject->id, (unsigned long long)context,
                 trial->scenario->limits.min_context);
        rt_play_fail(free_slot->play, RT_ERROR_KIND_POLICY, free_slot->detail, rt_time_wall_ms());
    }
    advance(exec, free_slot);
    return RT_OK;
}

static void take_answer(void *ctx, const struct rt_backend_answer *answer)
{
    struct rt_exec *exec = ctx;
    struct rt_exec_slot *slot = &exec->slots[answer->slot];
    exec->heard++;
    int64_t now_ms = rt_time_wall_ms();
    slot->asked = false;
    if (slot->whom)
        exec->roles[slot->whom - 1].asked--;
    slot->requests += answer->requests;
    if (answer->reply) {
        enum rt_status status = rt_play_reply(slot->play, answer->reply, now_ms);
        if (!status) {
            advance(exec, slot);
            return;
        }
        snprintf(slot->detail, sizeof slot->detail, "the reply cannot be played: %s",
                 rt_status_text(status));
        rt_play_fail(slot->play,
                     status == RT_MALFORMED ? RT_ERROR_KIND_PROTOCOL : RT_ERROR_KIND_ENGINE,
                     slot->detail, now_ms);
        return;
    }
    snprintf(slot->detail, sizeof slot->detail, "%s", answer->text);
    slot->unrun = answer->unserved;
    rt_play_fail(slot->play, answer->timeout ? RT_ERROR_KIND_NONE : answer->error, answer->text,
                 now_ms);
}

// ---- finished trials

static uint64_t clamp_u32(uint64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : value;
}

static void vacate(struct rt_exec *exec, struct rt_exec_slot *slot)
{
    uint32_t index = (uint32_t)(slot - exec->slots);
    if (exec->kind->end)
        exec->kind->end(exec->backend, index);
    for (size_t r = 0; r < exec->role_count; r++)
        if (exec->roles[r].kind->end)
            exec->roles[r].kind->end(exec->roles[r].backend, index);
    rt_play_free(slot->play);
    slot->play = NULL;
    exec->in_flight--;
}

// What models in other roles cost: no part of the result, and part of the lab's day.
static uint64_t role_tokens(const struct rt_transcript *transcript)
{
    uint64_t in, out;
    rt_transcript_role_tokens(transcript, &in, &out);
    return in + out;
}

// A trial that could not be asked to its end: nothing of it is a result.
static void collect_unrun(struct rt_exec *exec, struct rt_exec_slot *slot,
                          struct rt_exec_done *ret_done)
{
    struct rt_exec_done done = {
        .tag = slot->tag,
        .unrun = true,
        .score = {.status = RT_TRIAL_ERROR, .error = RT_ERROR_KIND_NETWORK, .rule = RT_NONE},
        .requests = slot->requests,
    };
    rt_transcript_tokens(rt_play_transcript(slot->play), &done.tokens_in, &done.tokens_out);
    done.role_tokens = role_tokens(rt_play_transcript(slot->play));
    snprintf(done.detail, sizeof done.detail, "%s", slot->detail);
    rt_buf_init(&done.transcript, RT_TRANSCRIPT_MOST);
    vacate(exec, slot);
    *ret_done = done;
}

static enum rt_status collect_one(struct rt_exec *exec, struct rt_exec_slot *slot,
                                  struct rt_exec_done *ret_done)
{
    const struct rt_transcript *transcript = rt_play_transcript(slot->play);
    const struct rt_entry *last = &transcript->entries[transcript->entry_count - 1];
    struct rt_exec_done done = {.tag = slot->tag, .requests = slot->requests};
    RT_ASSERT(transcript->entry_count > 0);
    rt_buf_init(&done.transcript, RT_TRANSCRIPT_MOST);
    enum rt_status status = rt_transcript_encode(transcript, &done.transcript);
    if (!status && !exec->options.unscored)
        status = rt_score(slot->scenario, exec->options.labels, exec->options.label_count,
                          transcript, &done.score);
    if (status == RT_NO_MEMORY) {
        rt_buf_release(&done.transcript);
        return status;
    }
    if (status) {
        // A transcript over its limit, or a bench whose labels do not fit: the instrument's fault.
        done.score = (struct rt_score){
            .status = RT_TRIAL_ERROR, .error = RT_ERROR_KIND_ENGINE, .rule = RT_NONE};
        rt_buf_clear(&done.transcript);
        snprintf(slot->detail, sizeof slot->detail, "cannot be scored: %s", rt_status_text(status));
    }
    rt_transcript_output(transcript, &done.output);
    rt_transcript_tokens(transcript, &done.tokens_in, &done.tokens_out);
    done.role_tokens = role_tokens(transcript);
    done.tokens_in = clamp_u32(done.tokens_in);
    done.tokens_out = clamp_u32(done.tokens_out);
    done.started_ms = transcript->started_ms;
    done.finished_ms = transcript->started_ms + (int64_t)last->at_ms;
    done.latency_ms = clamp_u32(last->at_ms);
    snprintf(done.detail, sizeof done.detail, "%s", slot->detail);
    vacate(exec, slot);
    *ret_done = done;
    return RT_OK;
}

static enum rt_status collect(struct rt_exec *exec, struct rt_exec_done *ret_done, size_t capacity,
                              size_t *count)
{
    for (uint32_t i = 0; i < exec->slot_count && *count < capacity; i++) {
        struct rt_exec_slot *slot = &exec->slots[i];
        if (!slot->play || slot->asked)
            continue;
        enum rt_status status = RT_OK;
        if (slot->unrun)
            collect_unrun(exec, slot, &ret_done[*count]);
        else
            status = collect_one(exec, slot, &ret_done[*count]);
        if (status)
            return status;
        ++*count;
    }
    return RT_OK;
}

// Jobs take their time: what is not there now is looked for again after the wait.
static enum rt_status poll_whole(struct rt_exec *exec, int timeout_ms,
                                 struct rt_exec_done *ret_done, size_t capacity, size_t *ret_count)
{
    const struct rt_exec_whole_kind *kind = exec->options.whole_kind;
    *ret_count = 0;
    kind->poll(exec->options.whole, ret_done, capacity, ret_count);
    if (!*ret_count && timeout_ms > 0 && !atomic_exchange(&exec->woken, false))
        usleep((useconds_t)timeout_ms * 1000);
    return RT_OK;
}

enum rt_status rt_exec_poll(struct rt_exec *exec, int timeout_ms, struct rt_exec_done *ret_done,
                            size_t capacity, size_t *ret_count, struct rt_error *err)
{
    int64_t until_ms = rt_time_mono_ms() + (timeout_ms > 0 ? timeout_ms : 0);
    size_t count = 0;
    if (exec->options.whole)
        return poll_whole(exec, timeout_ms, ret_done, capacity, ret_count);
    for (;;) {
        enum rt_status status = collect(exec, ret_done, capacity, &count);
        if (status && !count)
            return rt_error_set(err, status, "subject %s: out of memory",
                                exec->options.subject->id);
        int64_t left_ms = until_ms - rt_time_mono_ms();
        // A wake that came before this poll counts, so that none is lost between two.
        if (atomic_exchange(&exec->woken, false) || count || !exec->in_flight)
            break;
        rt_exec_hear(exec, left_ms > 0 ? (int)left_ms : 0, take_answer);
        if (left_ms <= 0) {
            status = collect(exec, ret_done, capacity, &count);
            (void)status; // what could not be collected now is there the next time
            break;
        }
    }
    *ret_count = count;
    return RT_OK;
}

void rt_exec_wake(struct rt_exec *exec)
{
    exec->woken = true;
    if (exec->kind)
        exec->kind->wake(exec->backend);
}

void rt_exec_done_release(struct rt_exec_done *done)
{
    rt_buf_release(&done->transcript);
    rt_buf_release(&done->fingerprint);
}

bool rt_exec_cancel(struct rt_exec *exec, uint64_t tag)
{
    if (exec->options.whole)
        return exec->options.whole_kind->cancel(exec->options.whole, tag);
    for (uint32_t i = 0; i < exec->slot_count; i++) {
        struct rt_exec_slot *slot = &exec->slots[i];
        if (!slot->play || slot->tag != tag)
            continue;
        if (slot->asked && slot->whom) {
            exec->roles[slot->whom - 1].kind->drop(exec->roles[slot->whom - 1].backend, i);
            exec->roles[slot->whom - 1].asked--;
        } else if (slot->asked) {
            exec->kind->drop(exec->backend, i);
        }
        vacate(exec, slot);
        return true;
    }
    return false;
}

void rt_exec_cancel_all(struct rt_exec *exec)
{
    for (uint32_t i = 0; i < exec->slot_count; i++)
        if (exec->slots[i].play)
            rt_exec_cancel(exec, exec->slots[i].tag);
}
