// SPDX-License-Identifier: Apache-2.0
#include "worker/care/outlook.h"

#include <stdlib.h>
#include <time.h>

#define MINUTES_PER_DAY 1440
#define MINUTE_MS       60000

static uint64_t whole(double value)
{
    return value >= 9e18 ? (uint64_t)9e18 : value > 0 ? (uint64_t)value : 0;
}

// The policy's answer at a later minute, with what would have been used by then.
struct later {
    struct rt_permit_now now;
    double tokens, requests, gpu_ms; // fractions that have not become whole
};

static void pass_minute(struct later *later)
{
    later->now.ms = 0;
    if (++later->now.minute < MINUTES_PER_DAY)
        return;
    later->now.minute = 0;
    later->now.weekday = (later->now.weekday + 1) % 7;
    rt_usage_roll(&later->now.usage, later->now.usage.day + 1);
}

static uint64_t take_whole(double *sum, double more)
{
    *sum += more;
    uint64_t taken = whole(*sum);
    *sum -= (double)taken;
    return taken;
}

static void spend(struct later *later, const struct rt_trial_cost *cost, uint64_t trials)
{
    double count = (double)trials;
    int64_t day = later->now.usage.day;
    rt_usage_add(&later->now.usage, day, trials, take_whole(&later->tokens, count * cost->tokens),
                 take_whole(&later->requests, count * cost->requests));
    rt_usage_add_gpu(&later->now.usage, day,
                     take_whole(&later->gpu_ms, count * cost->gpu_hours * RT_GPU_HOUR_MS));
}

// A budget is found used up only once it is; within a minute no more trials start than it covers.
static uint64_t covered(uint64_t limit, uint64_t used, double each, uint64_t trials)
{
    if (!limit || each <= 0)
        return trials;
    uint64_t left = used < limit ? limit - used : 0;
    uint64_t most = whole((double)left / each) + (left > 0);
    return trials < most ? trials : most;
}

static uint64_t within_budgets(const struct rt_lab_policy *policy, const struct later *later,
                               const struct rt_trial_cost *cost, uint64_t room, uint64_t trials)
{
    const struct rt_usage *usage = &later->now.usage;
    trials = trials < room ? trials : room;
    trials = covered(policy->tokens_per_day, usage->tokens_today, cost->tokens, trials);
    trials = covered(policy->tokens_total, usage->tokens_total, cost->tokens, trials);
    return covered(policy->requests_per_day, usage->requests_today, cost->requests, trials);
}

void rt_outlook(const struct rt_lab_policy *policy, const struct rt_permit_now *now,
                const struct rt_trial_cost *cost, uint64_t trials_left,
                struct rt_outlook *ret_outlook)
{
    struct later later = {.now = *now};
    struct rt_outlook outlook = {.opens_in_ms = RT_PERMIT_NEVER, .ended_by = RT_PERMIT_YES};
    double started = 0;
    later.now.reserved = later.now.running = 0;
    for (int64_t minute = 0; minute < MINUTES_PER_DAY; minute++) {
        uint64_t room = 0;
        struct rt_permit permit = rt_permit_unit(policy, &later.now, &room);
        bool open = outlook.opens_in_ms != RT_PERMIT_NEVER;
        int64_t at_ms = minute ? minute * MINUTE_MS - now->ms : 0;
        if (!rt_permit_yes(permit)) {
            if (outlook.ended_by == RT_PERMIT_YES)
                outlook.ended_by = permit.cause;
            if (open)
                break;
            pass_minute(&later);
            continue;
        }
        if (!open) {
            outlook.opens_in_ms = at_ms;
            outlook.ended_by = RT_PERMIT_YES;
        }
        outlook.shuts_in_ms = (minute + 1) * MINUTE_MS - now->ms;
        uint64_t trials = within_budgets(policy, &later, cost, room,
                                         take_whole(&started, 60.0 / cost->seconds));
        if (trials > trials_left - outlook.trials)
            trials = trials_left - outlook.trials;
        spend(&later, cost, trials);
        outlook.trials += trials;
        outlook.done = outlook.trials == trials_left;
        if (outlook.done)
            break;
        pass_minute(&later);
    }
    *ret_outlook = outlook;
}

// ---- the lab's own time

static void local_time(const struct rt_labconfig *config, int64_t wall_ms, struct tm *ret_local)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    if (*config->timezone)
        setenv("TZ", config->timezone, 1);
    tzset();
    localtime_r(&seconds, ret_local);
}

int64_t rt_care_local_day(const struct rt_labconfig *config, int64_t wall_ms)
{
    struct tm local;
    local_time(config, wall_ms, &local);
    return (wall_ms / 1000 + local.tm_gmtoff) / 86400;
}

void rt_care_now(const struct rt_labconfig *config, int64_t wall_ms, const struct rt_usage *usage,
                 bool gpus, struct rt_permit_now *ret_now)
{
    struct tm local;
    local_time(config, wall_ms, &local);
    *ret_now = (struct rt_permit_now){
        .weekday = (unsigned)(local.tm_wday + 6) % 7,
        .minute = (unsigned)(local.tm_hour * 60 + local.tm_min),
        .ms = (unsigned)(local.tm_sec % 60) * 1000,
        .gpus = gpus,
        .usage = *usage,
    };
    rt_usage_roll(&ret_now->usage, (wall_ms / 1000 + local.tm_gmtoff) / 86400);
}
