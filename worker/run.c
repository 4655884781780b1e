// SPDX-License-Identifier: Apache-2.0
#include "worker/run.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/service.h"
#include "common/base/time.h"
#include "worker/run_state.h"

#define GIVE_UP_MS 60000 // run --until-idle without a welcome
#define WAIT_MS       200  // with nothing to do
#define WAIT_FLYING   10   // for trials that are running, before the link is looked at again
#define WORK_MS       20   // of finishing and starting trials before what they gave is stored
#define STALL_WAIT_MS 1000 // between attempts to store when there is no room
#define DRAIN_MS      3000 // at the end: what is stored and unsent gets a last chance

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

bool run_stopping(void)
{
    return stop_signal != 0;
}

void run_fail(struct rt_run *run, enum rt_status status, const char *format, ...)
{
    char text[RT_ERROR_TEXT_BYTES];
    if (run->fatal)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    run->fatal = rt_error_set(run->err, status, "%s", text);
}

// ---- starting

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static enum rt_status open_link(struct rt_run *run, struct rt_error *err)
{
    const struct rt_home *home = run->home;
    struct rt_link_settings settings;
    rt_link_settings_init(&settings);
    settings.address = home->invite->address;
    settings.server = home->invite->curve;
    settings.own = home->curve;
    if (home->config->network == RT_NETWORK_FERRY)
        return rt_error_set(err, RT_UNSUPPORTED, "%s: network mode ferry is not played yet; use "
                            "direct or socks5", home->path);
    if (home->config->network == RT_NETWORK_SOCKS5)
        settings.via = home->config->via;
    if (run->settings->heartbeat_ms) {
        settings.heartbeat_ms = run->settings->heartbeat_ms;
        settings.heartbeat_timeout_ms = 3 * settings.heartbeat_ms;
        settings.heartbeat_ttl_ms = 4 * settings.heartbeat_ms;
    }
    if (run->settings->redial_most_ms)
        settings.redial_most_ms = run->settings->redial_most_ms;
    return rt_link_new(&settings, &run->link, err);
}

static enum rt_status load_seen(struct rt_run *run, struct rt_error *err)
{
    struct rt_buf note;
    rt_buf_init(&note, RT_NOTE_MOST);
    enum rt_status status = rt_outbox_meta(run->outbox, "checkpoint", &note);
    if (!status)
        status = rt_checkpoint_open(rt_buf_bytes(&note), &run->log.key, &run->seen.checkpoint);
    rt_buf_release(&note);
    if (status == RT_NOT_FOUND)
        return RT_OK;
    return status ? rt_error_set(err, status, "%s: the checkpoint remembered there is not of the "
                                 "log %s", run->home->state, run->log.key.name) : RT_OK;
}

static enum rt_status load_state(struct rt_run *run, struct rt_error *err)
{
    enum rt_status status = load_seen(run, err);
    if (!status)
        status = run_load_campaigns(run, err);
    if (!status)
        run_consider(run); // plans come before the units that need them
    if (!status)
        status = run_load_units(run, err);
    return status ? status : run_load_outs(run, err);
}

static enum rt_status begin(struct rt_run *run, struct rt_error *err)
{
    enum rt_status status = rt_home_open(run->settings->config, RT_HOME_KEYS,
                                         run->settings->passphrase_file, &run->home, err);
    if (status)
        return status;
    if (*run->home->config->timezone) {
        setenv("TZ", run->home->config->timezone, 1);
        tzset();
    }
    run->log.key = run->home->invite->log_key;
    run->units = calloc(RUN_UNITS_MOST, sizeof *run->units);
    if (!run->units)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    status = rt_state_lock(run->home->state, &run->lock, err);
    if (!status)
        status = rt_outbox_open(run->home->state, false, &run->outbox, err);
    if (!status)
        status = open_link(run, err);
    if (!status)
        status = run_slurm_begin(run, err);
    if (!status)
        status = run_care_begin(run, err);
    if (!status)
        status = run_grade_begin(run, err);
    return status ? status : load_state(run, err);
}

static void end(struct rt_run *run)
{
    run_grade_end(run);
    run_care_end(run);
    for (size_t i = 0; i < run->unit_count; i++)
        run_unit_free(run->units[i]);
    for (size_t i = 0; i < run->campaign_count; i++)
        run_campaign_free(run->campaigns[i]);
    run_slurm_end(run);
    free(run->units);
    free(run->outs);
    free(run->returns);
    rt_link_free(run->link);
    rt_outbox_free(run->outbox);
    if (run->lock >= 0)
        close(run->lock);
    rt_home_free(run->home);
    rt_buf_release(&run->fetch.bytes);
    rt_buf_release(&run->scratch);
    rt_buf_release(&run->frame);
    rt_arena_release(&run->frame_arena);
}

// ---- one turn

// What a commit has made true.
void run_settled(struct rt_run *run)
{
    for (size_t i = 0; i < run->unit_count; i++)
        if (run->units[i]->fresh) {
            run->units[i]->fresh = false;
            run->units[i]->stored = true;
        }
    for (size_t i = 0; i < run->out_count; i++)
        run->outs[i].stored = true;
    if (run->units_taken)
        (void)rt_failpoint(RT_FAILPOINT_WORKER_UNIT_STORED);
    if (run->trials_finished)
        (void)rt_failpoint(RT_FAILPOINT_WORKER_TRIAL_STORED);
    if (run->results_signed)
        (void)rt_failpoint(RT_FAILPOINT_WORKER_RESULT_STORED);
    run->units_taken = run->trials_finished = run->results_signed = false;
}

// Store what was gathered. False when there is no room: the batch is kept and tried again, and
// until then nothing new is taken, run or said.
static bool store(struct rt_run *run)
{
    struct rt_error err;
    if (run->stalled && run->mono_ms - run->stalled_ms < STALL_WAIT_MS)
        return false;
    if (!rt_ledger_pending(run->outbox->ledger) && !run->stalled)
        return true;
    enum rt_status status = rt_outbox_commit(run->outbox, &err);
    if (!status) {
        if (run->stalled)
            rt_log_info("there is room again: going on", NULL);
        run->stalled = false;
        run_settled(run);
        return true;
    }
    if (status != RT_NO_SPACE) {
        run_fail(run, status, "%s", err.text);
        return false;
    }
    if (!run->stalled)
        rt_log_error("no space left for the outbox: no more units are taken; free some space in "
                     "the state folder and work goes on by itself", "state=%s why=%s",
                     rt_log_quote(run->home->state), rt_log_quote(err.text));
    run->stalled = true;
    run->stalled_ms = run->mono_ms;
    return false;
}

// Finish trials and start others. Quick ones gather until it is worth a commit; for slow ones this
// is where the loop waits.
static void work(struct rt_run *run, bool may_wait)
{
    int64_t end_ms = run->mono_ms + WORK_MS;
    do {
        bool progress = run->progress;
        run->progress = false;
        run_poll_trials(run, may_wait && run->flying ? WAIT_FLYING : 0);
        run_start_trials(run);
        may_wait = run->progress; // go on as long as something comes of it
        run->progress |= progress;
    } while (may_wait && run->flying && !run->fatal && run->mono_ms < end_ms);
}

static void turn(struct rt_run *run)
{
    bool rested = !run->progress;
    run->progress = false;
    if (run->stalled) {
        usleep(20000);
        run->now_ms = rt_time_wall_ms();
        run->mono_ms = rt_time_mono_ms();
    } else {
        run_receive(run, rested && !run->flying ? WAIT_MS : 0);
        run_read_inbox(run);
        run_take_ratings(run);
        run_check_hold(run);
        run_consider(run);
        run_slurm_turn(run);
        run_return_units(run);
    }
    work(run, rested);
    run_usage_turn(run);
    run_grade_turn(run);
    run_care_turn(run);
    run_write_status(run);
    if (run->fatal || !store(run))
        return;
    run_sign_results(run);
    run_end_campaigns(run);
    if (run->fatal || !store(run))
        return;
    run_talk(run);
}

// Has the campaign that `leave` names been left?
static bool left(const struct rt_run *run)
{
    for (size_t i = 0; run->settings->leave && i < run->campaign_count; i++) {
        const struct run_campaign *campaign = run->campaigns[i];
        char hex[RT_DIGEST_TEXT_BYTES];
        rt_digest_format(&campaign->digest, hex);
        if ((!strcmp(campaign->name, run->settings->leave) ||
             !strcmp(hex, run->settings->leave)) &&
            campaign->stage >= RT_STAGE_CLOSED)
            return true;
    }
    return false;
}

// A lab that is not admitted, or whose coordinator is gone, is never idle in the sense above: who
// starts it from a timer would gather one process a day.
static void give_up_alone(struct rt_run *run)
{
    int64_t most_ms = run->settings->give_up_ms ? run->settings->give_up_ms : GIVE_UP_MS;
    if (!run->settings->until_idle || run->welcomed || run->unit_count || run->flying)
        run->alone_ms = 0;
    else if (!run->alone_ms)
        run->alone_ms = run->mono_ms;
    else if (run->mono_ms - run->alone_ms >= most_ms && !run->fatal)
        run_fail(run, RT_NETWORK, "no welcome within %lld s (%llu attempts failed): %s. What "
                 "waits here is kept; --give-up waits longer",
                 (long long)(most_ms / 1000), (unsigned long long)rt_link_failures(run->link),
                 *rt_link_why(run->link) ? rt_link_why(run->link) : "no answer");
}

static void loop(struct rt_run *run)
{
    while (!run->fatal && !run_stopping()) {
        turn(run);
        if (run->stalled)
            continue;
        if (left(run) || (run->settings->until_idle && run_idle(run)))
            break;
        give_up_alone(run);
    }
}

// A signal ends trials in flight and nothing else: what is stored is sent now if the line is up,
// and after the next start otherwise.
static void drain(struct rt_run *run)
{
    int64_t end_ms = rt_time_mono_ms() + DRAIN_MS;
    struct rt_error err;
    if (run->slurm && run_stopping() && rt_slurm_array(run->slurm))
        rt_array_keep(rt_slurm_array(run->slurm)); // array jobs go on, as pilots do
    for (size_t i = 0; i < run->unit_count; i++)
        run_cancel_unit(run, run->units[i]);
    while (!run->fatal && run->welcomed && rt_time_mono_ms() < end_ms) {
        bool waiting = false;
        for (size_t i = 0; i < run->out_count; i++)
            waiting |= run->outs[i].stored && !run->outs[i].parked;
        if (!waiting)
            break;
        run_send_outs(run);
        run_receive(run, 20);
        if (!store(run))
            break;
    }
    run_care_look(run);
    rt_outbox_flush_usage(run->outbox);
    if (rt_ledger_pending(run->outbox->ledger) && rt_outbox_commit(run->outbox, &err))
        rt_log_error("the last changes could not be stored", "why=%s", rt_log_quote(err.text));
}

enum rt_status rt_run(const struct rt_run_settings *settings, struct rt_error *err)
{
    struct rt_error local;
    struct rt_run *run = calloc(1, sizeof *run);
    if (!run)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    run->settings = settings;
    run->err = err ? err : &local;
    run->lock = -1;
    run->now_ms = rt_time_wall_ms();
    run->mono_ms = run->rate_ms = rt_time_mono_ms();
    rt_buf_init(&run->fetch.bytes, RT_CAMPAIGN_OBJECT_MOST);
    rt_buf_init(&run->scratch, 1 << 20);
    rt_buf_init(&run->frame, RT_PAYLOAD_MOST);
    rt_arena_init(&run->frame_arena, (size_t)64 << 20);
    catch_signals();
    enum rt_status status = begin(run, run->err);
    if (!status) {
        rt_service_notify("READY=1");
        loop(run);
        rt_service_notify("STOPPING=1");
        if (!run->fatal)
            drain(run);
        status = run->fatal;
        rt_log_info("stopped", "units=%zu waiting=%zu", run->unit_count, run->out_count);
    }
    end(run);
    free(run);
    return status;
}
