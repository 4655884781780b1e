// SPDX-License-Identifier: Apache-2.0
// What policy asks: the lab's own time, what was used, and whether hold_when holds.
#include <time.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/run_state.h"

#define HOLD_EVERY_MS 60000
#define HOLD_MOST_MS  20000

// Days since 1970 of the lab's own calendar.
int64_t run_local_day(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    return (int64_t)(seconds + local.tm_gmtoff) / 86400;
}

void run_now(const struct rt_run *run, bool gpus, struct rt_permit_now *ret_now)
{
    time_t seconds = (time_t)(run->now_ms / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    uint64_t remaining = 0;
    for (size_t i = 0; i < run->campaign_count; i++)
        remaining += run->campaigns[i]->remaining;
    *ret_now = (struct rt_permit_now){
        .weekday = (unsigned)(local.tm_wday + 6) % 7,
        .minute = (unsigned)(local.tm_hour * 60 + local.tm_min),
        .ms = (unsigned)(local.tm_sec % 60) * 1000,
        .held = run->held,
        .gpus = gpus,
        .running = run->flying,
        .reserved = remaining,
        .usage = run->outbox->usage,
    };
    rt_usage_roll(&ret_now->usage, run_local_day(run->now_ms));
}

struct rt_permit run_permit_unit(const struct rt_run *run, bool gpus, uint64_t *ret_trials)
{
    struct rt_permit_now now;
    run_now(run, gpus, &now);
    return rt_permit_unit(&run->home->config->policy, &now, ret_trials);
}

struct rt_permit run_permit_trial(const struct rt_run *run, bool gpus)
{
    struct rt_permit_now now;
    run_now(run, gpus, &now);
    return rt_permit_trial(&run->home->config->policy, &now);
}

int64_t run_server_ms(const struct rt_run *run)
{
    return run->now_ms + run->server_ahead_ms;
}

// ---- hold_when

static void take_answer(struct rt_run *run, const struct rt_child_end *end)
{
    // A command that hangs holds, because a machine in that state is not one to load.
    bool held = end->timed_out || end->code == 0;
    if (end->timed_out)
        rt_log_warn("policy.hold_when does not end", "limit_ms=%d", HOLD_MOST_MS);
    else if (end->code >= 126)
        rt_log_warn("policy.hold_when cannot be run", "code=%d", end->code);
    if (held != run->held || !run->hold_known)
        rt_log_info(held ? "held by policy.hold_when" : "not held by policy.hold_when", NULL);
    run->held = held;
    run->hold_known = run->progress = true;
}

// The lab's own words, run by its shell beside the loop: exit 0 holds. Until the first answer is
// here it holds too.
void run_check_hold(struct rt_run *run)
{
    const char *command = run->home->config->policy.hold_when;
    struct rt_child_end end;
    struct rt_error err = {0};
    if (!command || !*command)
        return;
    if (!run->hold_known)
        run->held = true;
    if (rt_child_ended(&run->hold, &end))
        take_answer(run, &end);
    if (run->hold.pid || run->mono_ms < run->hold_ms)
        return;
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};
    run->hold_ms = run->mono_ms + HOLD_EVERY_MS;
    if (!rt_child_start(&run->hold, argv, NULL, rt_bytes(NULL, 0), HOLD_MOST_MS, &err))
        return;
    rt_log_warn("cannot run policy.hold_when", "why=%s", rt_log_quote(err.text));
    run->held = false;
    run->hold_known = true;
}
