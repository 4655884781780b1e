// SPDX-License-Identifier: Apache-2.0
// What policy would let happen in the next day: when units would be taken, how many trials would be
// run, and which budget would end it. A pure simulation by the minute of the policy's own answers,
// from what a trial has cost so far. Promises nothing: servers may be slow and campaigns be paused.
// Any thread; rt_care_now and rt_care_local_day read the time zone and are for one.
#ifndef RT_WORKER_CARE_OUTLOOK_H
#define RT_WORKER_CARE_OUTLOOK_H

#include "worker/policy.h"

// What one trial costs, on average.
struct rt_trial_cost {
    double seconds; // of the lab's time, trials beside it taken into account; 0 unknown
    double tokens, requests;
    double gpu_hours;
};

struct rt_outlook {
    int64_t opens_in_ms; // 0 now; RT_PERMIT_NEVER when not by time alone
    int64_t shuts_in_ms; // the end of that window, at most a day after the moment asked
    uint64_t trials;     // that would run in it
    // What ends it: YES the window or the day, HOURS the hours, a budget, or DONE below.
    enum rt_permit_cause ended_by;
    bool done; // nothing is left to run
};

// now: the moment asked at, its usage rolled to today; trials_left of the campaign. Needs
// cost->seconds > 0.
void rt_outlook(const struct rt_lab_policy *policy, const struct rt_permit_now *now,
                const struct rt_trial_cost *cost, uint64_t trials_left,
                struct rt_outlook *ret_outlook);

// The moment wall_ms in the lab's time zone (which this process takes on), with usage rolled to it.
void rt_care_now(const struct rt_labconfig *config, int64_t wall_ms, const struct rt_usage *usage,
                 bool gpus, struct rt_permit_now *ret_now);
int64_t rt_care_local_day(const struct rt_labconfig *config, int64_t wall_ms);

#endif
