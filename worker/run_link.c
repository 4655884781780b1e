// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/run_state.h"

#define FRAMES_A_TURN 512
#define PULSE_MS      5000
#define WELCOME_MS    5000 // after HELLO; then the coordinator has not heard it
#define SOFTWARE      "ringtrial-worker " RT_VERSION

bool run_send(struct rt_run *run, struct rt_bytes frame)
{
    return rt_link_send(run->link, frame) == RT_OK;
}

// ---- hello

static void say_hello(struct rt_run *run)
{
    size_t most = run->unit_count + run->out_count;
    struct rt_digest *units = calloc(most ? most : 1, sizeof *units);
    if (!units) {
        run_fail(run, RT_NO_MEMORY, "out of memory");
        return;
    }
    // A unit whose result waits for its receipt is still in hand: were it left out, its trials
    // would be dealt again while the result is on its way.
    size_t count = 0;
    for (size_t i = 0; i < run->unit_count && count < RT_INVENTORY_MOST; i++)
        units[count++] = run->units[i]->digest;
    for (size_t i = 0; i < run->out_count && count < RT_INVENTORY_MOST; i++)
        if (run->outs[i].kind == RT_STATEMENT_RESULT && !run->outs[i].parked)
            units[count++] = run->outs[i].unit;
    struct rt_message_hello hello = {
        .version_least = RT_PROTOCOL_VERSION,
        .version_most = RT_PROTOCOL_VERSION,
        .instance = run->outbox->instance,
        .software = rt_bytes_str(SOFTWARE),
        .units = units,
        .units_count = count,
        .time_ms = run->now_ms,
        .seen = run->seen.checkpoint.size,
    };
    rt_buf_clear(&run->frame);
    enum rt_status status = rt_message_hello_encode(&hello, &run->frame, NULL);
    RT_ASSERT(status == RT_OK || status == RT_NO_MEMORY);
    run->greeted = !status && run_send(run, rt_buf_bytes(&run->frame));
    run->greeted_ms = run->mono_ms;
    free(units);
}

static void disconnected(struct rt_run *run)
{
    if (run->welcomed)
        rt_log_info("disconnected", "why=%s", rt_log_quote(rt_link_why(run->link)));
    else if (strcmp(run->last_link_error, rt_link_why(run->link)))
        rt_log_warn("not connected", "why=%s", rt_log_quote(rt_link_why(run->link)));
    snprintf(run->last_link_error, sizeof run->last_link_error, "%s", rt_link_why(run->link));
    run->greeted = run->welcomed = false;
    run->receipted_fingerprint_count = 0;
    for (size_t i = 0; i < run->campaign_count; i++) {
        run->campaigns[i]->credit = 0;
        run->campaigns[i]->offered = false;
    }
    run_outs_lost(run);
    run_fetch_reset(run);
}

void run_hang_up(struct rt_run *run, const char *why)
{
    rt_link_drop(run->link, why);
    disconnected(run);
}

// The log moved on since we last looked; or it did not, and then something is very wrong.
static void on_welcome(struct rt_run *run, const struct rt_message_welcome *welcome)
{
    struct rt_checkpoint checkpoint;
    enum rt_status status = RT_OK;
    if (welcome->version != RT_PROTOCOL_VERSION) {
        run_hang_up(run, "the coordinator speaks another version of the protocol");
        return;
    }
    if (welcome->checkpoint.size || run->seen.checkpoint.size) {
        status = rt_checkpoint_open(welcome->checkpoint, &run->log.key, &checkpoint);
        if (!status)
            status = rt_seen_advance(&run->seen, &checkpoint, welcome->consistency,
                                     welcome->consistency_count);
    }
    if (status) {
        run_fail(run, status == RT_CONFLICT ? RT_CONFLICT : RT_BAD_PROOF,
                 "the log %s does not continue the one this lab has seen (%llu leaves): it was "
                 "rolled back, replaced or split. Nothing was sent; keep %s and tell the "
                 "consortium's auditors",
                 run->log.key.name, (unsigned long long)run->seen.checkpoint.size,
                 run->home->state);
        return;
    }
    if (welcome->checkpoint.size)
        rt_outbox_put_meta(run->outbox, "checkpoint", welcome->checkpoint);
    run->welcomed = true;
    run->welcomed_ms = run->mono_ms;
    run->server_ahead_ms = welcome->time_ms - run->now_ms;
    run->epoch = welcome->epoch;
    run->last_link_error[0] = run->peer_error[0] = 0;
    int64_t off = run->server_ahead_ms < 0 ? -run->server_ahead_ms : run->server_ahead_ms;
    if (off > 120000)
        rt_log_warn("this machine's clock differs from the coordinator's", "ms=%lld",
                    (long long)run->server_ahead_ms);
    rt_log_info("connected", "log=%s size=%llu epoch=%llu units=%zu waiting=%zu", run->log.key.name,
                (unsigned long long)run->seen.checkpoint.size, (unsigned long long)run->epoch,
                run->unit_count, run->out_count);
}

// ---- receiving

static void on_message(struct rt_run *run, const struct rt_message *message)
{
    if (message->type != RT_MESSAGE_WELCOME && message->type != RT_MESSAGE_ERROR && !run->welcomed)
        return; // left over from before our HELLO
    switch (message->type) {
    case RT_MESSAGE_WELCOME:
        on_welcome(run, &message->body.welcome);
        break;
    case RT_MESSAGE_OFFER:
        run_on_offer(run, &message->body.offer);
        break;
    case RT_MESSAGE_UNIT:
        run_on_unit(run, &message->body.unit);
        break;
    case RT_MESSAGE_RECEIPT:
        run_on_receipt(run, &message->body.receipt);
        break;
    case RT_MESSAGE_PART:
        run_on_part(run, &message->body.part);
        break;
    case RT_MESSAGE_NOTICE:
        run_on_notice(run, &message->body.notice);
        break;
    case RT_MESSAGE_ERROR:
        run_on_error(run, &message->body.error);
        break;
    default:
        rt_log_warn("unexpected message", "type=%s", rt_message_type_word(message->type));
        run_hang_up(run, "the peer sent what only a worker sends");
    }
}

static void on_frame(struct rt_run *run, struct rt_bytes frame)
{
    struct rt_message message;
    const char *field = "";
    rt_arena_clear(&run->frame_arena);
    enum rt_status status = rt_message_decode(frame, &run->frame_arena, &message, &field);
    if (status) {
        rt_log_warn("malformed frame", "bytes=%zu field=%s why=%s", frame.size, field,
                    rt_log_quote(rt_status_text(status)));
        run_hang_up(run, "the peer sent a malformed frame");
        return;
    }
    if (rt_log_enabled(RT_LOG_DEBUG)) {
        rt_buf_clear(&run->scratch);
        rt_message_print(&message, &run->scratch);
        rt_log_debug("received", "message=%s", rt_log_quote(rt_buf_str(&run->scratch)));
    }
    on_message(run, &message);
}

void run_receive(struct rt_run *run, int timeout_ms)
{
    for (int i = 0; i < FRAMES_A_TURN && !run->fatal; i++) {
        struct rt_bytes frame;
        enum rt_link_event event = rt_link_wait(run->link, i ? 0 : timeout_ms, &frame);
        if (!i) {
            run->now_ms = rt_time_wall_ms();
            run->mono_ms = rt_time_mono_ms();
        }
        switch (event) {
        case RT_LINK_NOTHING:
            return;
        case RT_LINK_OPENED:
            say_hello(run);
            break;
        case RT_LINK_CLOSED:
            disconnected(run);
            break;
        case RT_LINK_FRAME:
            on_frame(run, frame);
            break;
        }
        run->progress = true;
    }
}

// ---- sending

static void send_returns(struct rt_run *run)
{
    size_t sent = 0;
    if (!run->return_count)
        return;
    while (sent < run->return_count) {
        struct rt_message_give_back message = {.unit = run->returns[sent],
                                               .reason = rt_bytes_str("not run here")};
        rt_buf_clear(&run->frame);
        if (rt_message_give_back_encode(&message, &run->frame, NULL) ||
            !run_send(run, rt_buf_bytes(&run->frame)))
            break; // what a HELLO does not list is free anyway
        sent++;
    }
    run->return_count -= sent;
    memmove(run->returns, run->returns + sent, run->return_count * sizeof *run->returns);
}

static void send_pulse(struct rt_run *run)
{
    if (run->mono_ms < run->pulse_ms)
        return;
    run->pulse_ms = run->mono_ms + PULSE_MS;
    struct rt_pulse_unit *units = calloc(run->unit_count ? run->unit_count : 1, sizeof *units);
    if (!units)
        return;
    size_t count = 0;
    for (; count < run->unit_count && count < RT_INVENTORY_MOST; count++)
        units[count] = (struct rt_pulse_unit){run->units[count]->digest, run->units[count]->done,
                                              run->units[count]->trial_count};
    struct rt_message_pulse pulse = {units, count, run->now_ms};
    rt_buf_clear(&run->frame);
    if (!rt_message_pulse_encode(&pulse, &run->frame, NULL))
        (void)!run_send(run, rt_buf_bytes(&run->frame));
    free(units);
}

// How many trials to have in hand: enough for two seconds of work, so that nothing waits for the
// coordinator, and no more, so that a lab that goes away holds little up.
static uint64_t trials_wanted(const struct rt_run *run, const struct run_campaign *campaign)
{
    uint32_t concurrency = run->home->config->policy.concurrency;
    uint64_t wanted = 2 * (uint64_t)(concurrency ? concurrency : 8);
    uint64_t by_rate = (uint64_t)(2 * run->rate);
    if (by_rate > wanted)
        wanted = by_rate;
    uint64_t unit = campaign->campaign->unit.trials;
    // Before a job serves, one unit shows that there is work for it; the others are left to those
    // who can run them now.
    for (uint32_t s = 0; s < campaign->campaign->subject_count; s++)
        if ((campaign->campaign->labs[campaign->lab].runs >> s & 1) &&
            run_slurm_awaits(run, campaign, s))
            return 1;
    if (wanted < 2 * unit)
        wanted = 2 * unit;
    return wanted > 64 * unit ? 64 * unit : wanted;
}

static bool wants(struct rt_run *run, struct run_campaign *campaign)
{
    if (!campaign->planned || campaign->stage != RT_STAGE_ACCEPTED || !campaign->offered ||
        campaign->state != RT_OFFER_STARTED || run->stalled || run->settings->leave)
        return false;
    for (uint32_t s = 0; s < campaign->campaign->subject_count; s++)
        if ((campaign->campaign->labs[campaign->lab].runs >> s & 1) &&
            !run_exec_ready(run, campaign, s) && !run_slurm_awaits(run, campaign, s))
            return false;
    return true;
}

static void send_want(struct rt_run *run, struct run_campaign *campaign)
{
    uint64_t units = 0, room = 0, trials = 0;
    if (wants(run, campaign)) {
        struct rt_permit permit = run_permit_unit(run, campaign->gpus, &room);
        if (permit.cause != campaign->told && !rt_permit_yes(permit)) {
            rt_buf_clear(&run->scratch);
            rt_permit_explain(permit, &run->scratch);
            rt_log_info("taking no units", "campaign=%s policy=%s", campaign->name,
                        rt_log_quote(rt_buf_str(&run->scratch)));
        }
        campaign->told = permit.cause;
        uint64_t unit = campaign->campaign->unit.trials;
        uint64_t wanted = trials_wanted(run, campaign);
        uint64_t most = room < unit ? room : unit;
        if (most && campaign->remaining < wanted)
            units = (wanted - campaign->remaining + unit - 1) / unit;
        if (most && units > room / most)
            units = room / most;
        if (units > RUN_UNITS_MOST / 4)
            units = RUN_UNITS_MOST / 4;
        if (run->out_count > RUN_OUT_MOST / 2)
            units = 0;
        trials = most < unit ? most : 0;
    }
    // Credit that a budget no longer covers is taken back at once; otherwise a little less than
    // what is out already is no reason to speak.
    uint64_t each = campaign->credit_trials ? campaign->credit_trials
                    : campaign->campaign    ? campaign->campaign->unit.trials
                                            : 0;
    bool uncovered =
        campaign->credit && units < campaign->credit && campaign->credit > room / (each ? each : 1);
    if (!uncovered && (units == campaign->credit ||
                       (units && units < campaign->credit && trials == campaign->credit_trials) ||
                       (campaign->credit && units && units - campaign->credit <= units / 2)))
        return;
    struct rt_message_want want = {campaign->digest, units, trials};
    rt_buf_clear(&run->frame);
    if (!rt_message_want_encode(&want, &run->frame, NULL) &&
        run_send(run, rt_buf_bytes(&run->frame))) {
        campaign->credit = units;
        campaign->credit_trials = trials;
    }
}

void run_talk(struct rt_run *run)
{
    if (!run->welcomed && rt_link_state(run->link) == RT_LINK_UP &&
        run->mono_ms - run->greeted_ms > WELCOME_MS)
        run_hang_up(run, "the coordinator does not answer HELLO");
    if (!run->welcomed)
        return;
    send_returns(run);
    run_send_outs(run);
    run_fetch_send(run);
    for (size_t i = 0; i < run->campaign_count; i++)
        send_want(run, run->campaigns[i]);
    send_pulse(run);
}
