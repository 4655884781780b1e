// SPDX-License-Identifier: Apache-2.0
// The lab's word (DESIGN.md section 9): may this campaign be run here, may a unit be taken now, may
// the next trial start. Decides from worker.yaml's policy, what was used so far and the time it is
// told, and says when a "no" can become a "yes" by time alone. Never reads a clock, a file or the
// network. Pure; any thread.
#ifndef RT_WORKER_POLICY_H
#define RT_WORKER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "proto/labconfig.h"
#include "proto/scenario.h"

//  X(NAME, word, what a person reads)
#define RT_PERMIT_TABLE(X)                                                                         \
    X(YES, "yes", "allowed")                                                                       \
    X(CLASS, "class", "the campaign's data class is not in policy.classes")                        \
    X(SUBJECT, "subject", "worker.yaml serves none of the subjects asked of this lab")             \
    X(CONTEXT, "context", "a subject's context is smaller than the scenarios ask for")             \
    X(ROLE, "role", "a model plays a role, and worker.yaml has no subject of that name")           \
    X(UNDECIDED, "undecided", "waits for `ringtrial-worker accept` or `decline`")                  \
    X(DECLINED, "declined", "a person declined it")                                                \
    X(HOURS, "hours", "outside policy.hours")                                                      \
    X(HELD, "held", "policy.hold_when holds")                                                      \
    X(BUSY, "busy", "policy.concurrency trials are running")                                       \
    X(TRIALS_DAY, "trials_day", "policy.per_day.trials is used up")                                \
    X(TOKENS_DAY, "tokens_day", "policy.per_day.tokens is used up")                                \
    X(REQUESTS_DAY, "requests_day", "policy.per_day.requests is used up")                          \
    X(TRIALS_TOTAL, "trials_total", "policy.total.trials is used up")                              \
    X(TOKENS_TOTAL, "tokens_total", "policy.total.tokens is used up")                              \
    X(GPU_DAY, "gpu_hours_day", "policy.per_day.gpu_hours is used up")                             \
    X(GPU_TOTAL, "gpu_hours_total", "policy.total.gpu_hours is used up")

enum rt_permit_cause {
#define X(name, word, text) RT_PERMIT_##name,
    RT_PERMIT_TABLE(X)
#undef X
        RT_PERMIT_COUNT
};
const char *rt_permit_word(enum rt_permit_cause cause);
const char *rt_permit_text(enum rt_permit_cause cause);

#define RT_PERMIT_NEVER INT64_MAX

// An answer. wait_ms is 0 for a yes, the time until the same question can be answered otherwise by
// time alone, or RT_PERMIT_NEVER where a person, a file or a finished trial must change something.
struct rt_permit {
    enum rt_permit_cause cause;
    int64_t wait_ms;
    const char *detail; // the class or subject at fault; "" where there is none
};
static inline bool rt_permit_yes(struct rt_permit permit)
{
    return permit.cause == RT_PERMIT_YES;
}

// What a person decided about one campaign.
enum rt_decision { RT_DECISION_NONE, RT_DECISION_ACCEPT, RT_DECISION_DECLINE };

// What is asked of this lab by one campaign.
struct rt_permit_campaign {
    const char *const *classes; // of its scenarios and of the campaign itself
    size_t class_count;
    const char *const *subjects; // that this lab is to run
    size_t subject_count;
    const char *const *roles; // that models play in its scenarios
    size_t role_count;
    uint32_t min_context; // tokens: the most that a scenario of it asks for
    enum rt_decision decision;
    bool board_signed; // the board's threshold signed it
    bool automatic;    // `run --campaign-auto`
};
#define RT_PERMIT_ROLES_MOST 64
// The roles that models play in scenarios (each once, borrowed; at most capacity) and the largest
// context that one of them asks for. Returns how many roles.
size_t rt_permit_roles(const struct rt_scenario *const *scenarios, size_t count,
                       const char **ret_roles, size_t capacity, uint32_t *ret_min_context);
// A declined campaign stays declined; classes and subjects come before any decision, because not
// even a person's accept lets a class in that the policy does not name.
struct rt_permit rt_permit_campaign(const struct rt_labconfig *config,
                                    const struct rt_permit_campaign *campaign);

// What was used, counted in the lab's own days.
struct rt_usage {
    int64_t day; // days since 1970-01-01 in the lab's time zone
    uint64_t trials_today, tokens_today, requests_today;
    uint64_t trials_total, tokens_total, requests_total;
    uint64_t gpu_today_ms, gpu_total_ms; // GPUs times milliseconds
};
// Add to the sums; a later day starts new ones. An earlier day (a clock set back) counts as the
// present one, so that setting a clock back never frees a budget.
void rt_usage_add(struct rt_usage *usage, int64_t day, uint64_t trials, uint64_t tokens,
                  uint64_t requests);
void rt_usage_add_gpu(struct rt_usage *usage, int64_t day, uint64_t gpu_ms);
void rt_usage_roll(struct rt_usage *usage, int64_t day);

#define RT_GPU_HOUR_MS 3600000u
// GPU time that a server holds: gpus are held for the time since it was last asked about, at most
// most_ms of it (a clock that jumps, a machine that slept). Monotonic times; pure.
uint64_t rt_usage_gpu_ms(uint64_t gpus, int64_t since_ms, int64_t now_ms, int64_t most_ms);

// A budget as people ask about it.
enum rt_budget { RT_BUDGET_NONE, RT_BUDGET_DAY, RT_BUDGET_TOTAL };
// Does the cause say that a budget is used up, and which kind?
enum rt_budget rt_permit_budget(enum rt_permit_cause cause);

// The moment a question is asked at.
struct rt_permit_now {
    unsigned weekday;    // 0 Monday ... 6 Sunday, in the lab's time zone
    unsigned minute;     // 0 ... 1439
    unsigned ms;         // within the minute
    bool held;           // hold_when said so
    bool gpus;           // what is asked about holds GPUs: caps on GPU hours apply
    uint32_t running;    // trials in flight
    uint64_t reserved;   // trials taken and not finished, those in flight included
    struct rt_usage usage; // rolled to today
};

// May a unit be taken? *ret_trials (may be NULL) is how many more trials may be taken at most:
// UINT64_MAX where no limit applies, 0 with a no.
struct rt_permit rt_permit_unit(const struct rt_lab_policy *policy,
                                const struct rt_permit_now *now, uint64_t *ret_trials);
// May one more trial start?
struct rt_permit rt_permit_trial(const struct rt_lab_policy *policy,
                                 const struct rt_permit_now *now);

// Append "hours: outside policy.hours; again in 3 h 5 min".
void rt_permit_explain(struct rt_permit permit, struct rt_buf *out);

#endif
