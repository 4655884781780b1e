// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>
#include <stdlib.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/local.h"
#include "worker/run_state.h"

#define DONE_A_POLL 64
#define RATE_EVERY_MS 1000
#define UNSERVED_PAUSE_MS 2000
#define WATCH_MOST 1024 // descriptors of one wait

static uint64_t tag_of(const struct run_unit *unit, uint32_t index)
{
    return (uint64_t)unit->id << 32 | index;
}

// The same from one run of this program to the next, and another one when the trial is dealt again.
static struct rt_digest key_of(const struct run_unit *unit, uint64_t number)
{
    uint8_t bytes[RT_DIGEST_BYTES + 8];
    struct rt_digest key;
    memcpy(bytes, unit->digest.bytes, RT_DIGEST_BYTES);
    rt_put_u64be(bytes + RT_DIGEST_BYTES, number);
    rt_sha256(rt_bytes(bytes, sizeof bytes), &key);
    return key;
}

// ---- starting

static bool may_run(const struct rt_run *run, const struct run_unit *unit)
{
    const struct run_campaign *campaign = unit->campaign;
    bool wanted = campaign->stage == RT_STAGE_ACCEPTED || campaign->stage == RT_STAGE_LEAVING;
    bool going = campaign->state == RT_OFFER_STARTED || campaign->state == RT_OFFER_CLOSING;
    // A unit runs only once it is on disk.
    return wanted && going && campaign->planned && unit->stored &&
           unit->accept_until_ms > run_server_ms(run);
}

// Another unit may have had the same trial in the meantime.
static bool recalled(struct rt_run *run, struct run_unit *unit, struct run_trial *trial)
{
    struct rt_row_trial row;
    if (run->unit_count < 2)
        return false;
    rt_arena_clear(&run->frame_arena);
    if (rt_outbox_get(run->outbox, RT_TABLE_FINAL,
                      rt_key_of_number(&unit->campaign->digest, trial->number),
                      rt_row_trial_schema(), &run->frame_arena, &row))
        return false;
    trial->result = row.result[0];
    trial->fingerprint = row.fingerprint;
    trial->started_ms = row.started_ms;
    trial->finished_ms = row.finished_ms;
    trial->state = RUN_DONE;
    unit->done++;
    unit->campaign->remaining--;
    return true;
}

// Start one trial; false when there is no room for it now.
static bool start(struct rt_run *run, struct run_unit *unit, uint32_t index)
{
    struct run_campaign *campaign = unit->campaign;
    struct run_trial *trial = &unit->trials[index];
    struct rt_trial place;
    if (recalled(run, unit, trial))
        return true;
    if (rt_trial_of(campaign->campaign, trial->number, &place))
        return false; // cannot be: the number came from the plan
    const struct rt_configuration *configuration =
        &campaign->campaign->configurations[place.configuration];
    struct run_exec *slot = run_exec_ready(run, campaign, configuration->subject);
    if (!slot || !rt_exec_room(slot->exec))
        return false;
    uint32_t arm, phrasing;
    const struct rt_scenario *scenario =
        campaign->scenarios[campaign->campaign->prompts[place.prompt].scenario];
    if (rt_prompt_in_scenario(campaign->campaign, place.prompt, scenario, &arm, &phrasing)) {
        run_fail(run, RT_CONFLICT, "campaign %s and its scenario %s do not fit together",
                 campaign->name, scenario->id);
        return false;
    }
    struct rt_exec_trial wanted = {
        .tag = tag_of(unit, index),
        .key = key_of(unit, trial->number),
        .scenario = scenario,
        .arm = arm,
        .phrasing = phrasing,
        .temperature_micro = configuration->temperature_micro,
        .seed = rt_trial_seed(campaign->campaign->design.seeds, &campaign->draw, trial->number,
                              run->home->config->lab),
    };
    struct rt_error err;
    enum rt_status status = rt_exec_submit(slot->exec, &wanted, &err);
    if (status && status != RT_AGAIN)
        rt_log_error("trial not started", "trial=%llu why=%s", (unsigned long long)trial->number,
                     rt_log_quote(err.text));
    if (status)
        return false;
    trial->state = RUN_FLYING;
    unit->flying++;
    run->flying++;
    return true;
}

void run_start_trials(struct rt_run *run)
{
    if (run->stalled)
        return;
    for (size_t u = 0; u < run->unit_count; u++) {
        struct run_unit *unit = run->units[u];
        if (unit->next == unit->trial_count || !may_run(run, unit))
            continue;
        for (uint32_t i = unit->next; i < unit->trial_count; i++) {
            if (unit->trials[i].state == RUN_TODO) {
                struct rt_permit permit = run_permit_trial(run, unit->campaign->gpus);
                if (permit.cause == RT_PERMIT_GPU_DAY || permit.cause == RT_PERMIT_GPU_TOTAL)
                    break; // another campaign's may need no GPU
                if (!rt_permit_yes(permit))
                    return;
                if (!start(run, unit, i))
                    break;
                run->progress = true;
            }
            if (i == unit->next)
                unit->next++;
        }
    }
}

// ---- finishing

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// The transcript as an object: 32 bytes of salt, then its canonical form. False when it is larger
// than the vault takes: then there is nothing that could be committed to.
static bool keep_transcript(struct rt_run *run, const struct rt_exec_done *done,
                            struct rt_trial_result *result)
{
    uint8_t salt[RT_TRANSCRIPT_SALT_BYTES];
    if (!done->transcript.size)
        return true;
    if (done->transcript.size > RT_VAULT_OBJECT_MOST - sizeof salt)
        return false;
    randombytes_buf(salt, sizeof salt);
    struct rt_buf object;
    rt_buf_init(&object, RT_VAULT_OBJECT_MOST);
    rt_buf_add(&object, salt, sizeof salt);
    rt_buf_add_bytes(&object, rt_buf_bytes(&done->transcript));
    enum rt_status status = rt_buf_ok(&object);
    if (!status)
        rt_ledger_put_object(run->outbox->ledger, rt_buf_bytes(&object), &result->transcript);
    else
        run_fail(run, status, "a transcript cannot be kept: %s", rt_status_text(status));
    rt_buf_release(&object);
    return true;
}

// A play without a transcript shows nothing that could be checked: it is an error, and is tried
// again like one.
static void without_transcript(const struct rt_exec_done *done, struct rt_trial_result *result)
{
    rt_log_error("a transcript is larger than the vault takes: the trial counts as an error",
                 "trial=%llu bytes=%zu most=%zu", (unsigned long long)result->number,
                 done->transcript.size, RT_VAULT_OBJECT_MOST);
    result->status = RT_TRIAL_ERROR;
    result->error = RT_ERROR_KIND_ENGINE;
    result->outcome = 0;
    result->severity = 0;
    result->score_micro = 0;
}

// The first trial of this lab's cell with the same output, if it is another one.
static uint64_t same_as(struct rt_run *run, const struct run_campaign *campaign,
                        const struct rt_exec_done *done, uint64_t number)
{
    struct rt_trial place;
    struct rt_buf value;
    uint8_t bytes[8];
    if (rt_trial_status_flags(done->score.status).retry ||
        rt_trial_of(campaign->campaign, number, &place))
        return 0;
    struct rt_key key = rt_key_of_output(
        &campaign->digest, rt_trial_cell(campaign->campaign, place), &done->output);
    rt_buf_init(&value, sizeof bytes);
    enum rt_status status =
        rt_ledger_get(run->outbox->ledger, RT_TABLE_SAME, rt_key_bytes(&key), &value);
    uint64_t first = !status && value.size == 8 ? rt_get_u64be(value.data) : number;
    rt_buf_release(&value);
    if (first != number)
        return first + 1;
    rt_put_u64be(bytes, number);
    rt_ledger_put(run->outbox->ledger, RT_TABLE_SAME, rt_key_bytes(&key), rt_bytes(bytes, 8));
    return 0;
}

static void store_trial(struct rt_run *run, const struct run_unit *unit,
                        const struct run_trial *trial)
{
    struct rt_row_trial row = {
        .result = &trial->result,
        .result_count = 1,
        .fingerprint = trial->fingerprint,
        .unit = unit->digest,
        .started_ms = trial->started_ms,
        .finished_ms = trial->finished_ms,
    };
    bool final = rt_trial_status_flags(trial->result.status).final;
    rt_outbox_put(run->outbox, final ? RT_TABLE_FINAL : RT_TABLE_TRIAL,
                  rt_key_of_number(final ? &unit->campaign->digest : &unit->digest,
                                   trial->number),
                  rt_row_trial_schema(), &row);
}

// Nobody was there to answer: the trial is to be run as if it had never been started, once the
// subject has answered a probe again.
static void unserved(struct rt_run *run, struct run_exec *slot, struct run_unit *unit,
                     uint32_t index, const char *why)
{
    if (slot->ready)
        rt_log_warn("the subject is gone: its trials wait", "why=%s", rt_log_quote(why));
    slot->ready = false;
    slot->retry_ms = run->mono_ms + UNSERVED_PAUSE_MS;
    if (!unit || index >= unit->trial_count || unit->trials[index].state != RUN_FLYING)
        return;
    unit->trials[index].state = RUN_TODO;
    unit->flying--;
    if (index < unit->next)
        unit->next = index;
}

// What it cost counts whatever became of it; one that nobody answered is no trial.
static void count_use(struct rt_run *run, const struct run_exec *slot,
                      const struct rt_exec_done *done)
{
    int64_t day = run_local_day(run->now_ms);
    uint64_t trials = !done->unrun;
    uint64_t tokens = done->tokens_in + done->tokens_out + done->role_tokens;
    for (size_t c = 0; c < run->campaign_count; c++) {
        const struct run_campaign *campaign = run->campaigns[c];
        size_t count = campaign->execs ? campaign->campaign->subject_count : 0;
        if (count && slot >= campaign->execs && slot < campaign->execs + count) {
            rt_outbox_use_for(run->outbox, &campaign->digest,
                              campaign->campaign->subjects[slot - campaign->execs].id, day, trials,
                              tokens, done->requests);
            return;
        }
    }
    rt_outbox_use(run->outbox, day, trials, tokens, done->requests);
}

static const char *subject_of(const struct run_unit *unit, const struct run_trial *trial)
{
    const struct rt_campaign *campaign = unit->campaign->campaign;
    struct rt_trial place;
    bool found = !rt_trial_of(campaign, trial->number, &place);
    return found ? campaign->subjects[campaign->configurations[place.configuration].subject].id
                 : "";
}

static void finish(struct rt_run *run, struct run_exec *slot, const struct rt_exec_done *done)
{
    struct run_unit *unit = run_unit_by_id(run, (uint32_t)(done->tag >> 32));
    uint32_t index = (uint32_t)done->tag;
    run->flying--;
    count_use(run, slot, done);
    if (done->unrun) {
        unserved(run, slot, unit, index, done->detail);
        return;
    }
    run_exec_count(run, slot, done->score.status);
    if (!unit || index >= unit->trial_count || unit->trials[index].state != RUN_FLYING)
        return; // its unit was handed back
    (void)rt_failpoint(RT_FAILPOINT_WORKER_TRIAL_DONE);
    struct run_trial *trial = &unit->trials[index];
    trial->result = (struct rt_trial_result){
        .number = trial->number,
        .status = done->score.status,
        .error = done->score.error,
        .outcome = done->score.outcome,
        .severity = done->score.severity,
        .score_micro = done->score.score_micro,
        .tokens_in = least(done->tokens_in, UINT32_MAX),
        .tokens_out = least(done->tokens_out, UINT32_MAX),
        .latency_ms = least(done->latency_ms, UINT32_MAX),
    };
    if (keep_transcript(run, done, &trial->result))
        trial->result.same_as = same_as(run, unit->campaign, done, trial->number);
    else
        without_transcript(done, &trial->result);
    if (done->fingerprint.size)
        run_exec_fingerprint(run, slot, subject_of(unit, trial), rt_buf_bytes(&done->fingerprint));
    trial->fingerprint = slot->fingerprint;
    trial->started_ms = done->started_ms;
    trial->finished_ms = done->finished_ms < done->started_ms ? done->started_ms
                                                              : done->finished_ms;
    trial->state = RUN_DONE;
    store_trial(run, unit, trial);
    unit->flying--;
    unit->done++;
    unit->campaign->remaining--;
    unit->campaign->done++;
    run->trials_finished = true;
    run->rate_trials++;
    if (rt_trial_status_flags(trial->result.status).retry) {
        unit->campaign->errors++;
        rt_log_warn("trial failed", "campaign=%s trial=%llu status=%s why=%s",
                    unit->campaign->name, (unsigned long long)trial->number,
                    rt_trial_status_words[trial->result.status], rt_log_quote(done->detail));
    }
}

static void measure_rate(struct rt_run *run)
{
    int64_t span_ms = run->mono_ms - run->rate_ms;
    if (span_ms < RATE_EVERY_MS)
        return;
    double rate = (double)run->rate_trials * 1000.0 / (double)span_ms;
    run->rate = run->rate > 0 ? 0.5 * run->rate + 0.5 * rate : rate;
    run->rate_trials = 0;
    run->rate_ms = run->mono_ms;
}

static void poll_exec(struct rt_run *run, struct run_exec *slot, int timeout_ms)
{
    struct rt_exec_done done[DONE_A_POLL];
    struct rt_error err;
    size_t count = 0;
    enum rt_status status =
        rt_exec_poll(slot->exec, timeout_ms, done, DONE_A_POLL, &count, &err);
    run->now_ms = rt_time_wall_ms();
    run->mono_ms = rt_time_mono_ms();
    for (size_t i = 0; i < count; i++) {
        finish(run, slot, &done[i]);
        rt_exec_done_release(&done[i]);
    }
    if (count)
        run->progress = true;
    if (status)
        run_fail(run, status, "running trials: %s", err.text);
}

// Poll every executor with something in flight; only_count: none, and say how many there are.
static size_t poll_all(struct rt_run *run, int timeout_ms, bool only_count)
{
    size_t busy = 0;
    for (size_t c = 0; c < run->campaign_count; c++) {
        struct run_campaign *campaign = run->campaigns[c];
        for (size_t s = 0; campaign->execs && s < campaign->campaign->subject_count; s++) {
            struct run_exec *slot = &campaign->execs[s];
            if (!slot->exec || !rt_exec_in_flight(slot->exec))
                continue;
            busy++;
            if (!only_count)
                poll_exec(run, slot, timeout_ms);
        }
    }
    return busy;
}

// One wait for all of them: whoever answers first ends it.
static void wait_for_any(struct rt_run *run, int timeout_ms)
{
    struct pollfd fds[WATCH_MOST];
    size_t count = 0;
    for (size_t c = 0; c < run->campaign_count; c++) {
        struct run_campaign *campaign = run->campaigns[c];
        for (size_t s = 0; campaign->execs && s < campaign->campaign->subject_count; s++)
            if (campaign->execs[s].exec && rt_exec_in_flight(campaign->execs[s].exec))
                count += rt_exec_watch(campaign->execs[s].exec, fds + count, WATCH_MOST - count,
                                       &timeout_ms);
    }
    poll(fds, count, timeout_ms);
}

void run_poll_trials(struct rt_run *run, int timeout_ms)
{
    bool several = poll_all(run, 0, true) > 1, progress = run->progress;
    run->progress = false;
    poll_all(run, several ? 0 : timeout_ms, false);
    if (several && timeout_ms > 0 && !run->progress) {
        wait_for_any(run, timeout_ms);
        poll_all(run, 0, false);
    }
    run->progress |= progress;
    measure_rate(run);
}

void run_cancel_unit(struct rt_run *run, struct run_unit *unit)
{
    struct run_campaign *campaign = unit->campaign;
    for (uint32_t i = 0; i < unit->trial_count; i++) {
        if (unit->trials[i].state != RUN_FLYING)
            continue;
        for (size_t s = 0; s < campaign->campaign->subject_count; s++)
            if (campaign->execs[s].exec &&
                rt_exec_cancel(campaign->execs[s].exec, tag_of(unit, i)))
                run->flying--;
        unit->trials[i].state = RUN_TODO;
        unit->flying--;
    }
}
