// SPDX-License-Identifier: Apache-2.0
#include "worker/policy.h"

#include "common/base/time.h"

#define MINUTES_PER_DAY  1440u
#define MINUTES_PER_WEEK (7u * MINUTES_PER_DAY)

static const struct {
    const char *word;
    const char *text;
} table[RT_PERMIT_COUNT] = {
#define X(name, word, text) {word, text},
    RT_PERMIT_TABLE(X)
#undef X
};

const char *rt_permit_word(enum rt_permit_cause cause)
{
    RT_ASSERT(cause < RT_PERMIT_COUNT);
    return table[cause].word;
}

const char *rt_permit_text(enum rt_permit_cause cause)
{
    RT_ASSERT(cause < RT_PERMIT_COUNT);
    return table[cause].text;
}

static struct rt_permit yes(void)
{
    return (struct rt_permit){RT_PERMIT_YES, 0, ""};
}

static struct rt_permit no(enum rt_permit_cause cause, int64_t wait_ms, const char *detail)
{
    return (struct rt_permit){cause, wait_ms, detail};
}

size_t rt_permit_roles(const struct rt_scenario *const *scenarios, size_t count,
                       const char **ret_roles, size_t capacity, uint32_t *ret_min_context)
{
    size_t roles = 0;
    *ret_min_context = 0;
    for (size_t s = 0; s < count; s++) {
        if (scenarios[s]->limits.min_context > *ret_min_context)
            *ret_min_context = scenarios[s]->limits.min_context;
        for (size_t r = 0; r < scenarios[s]->role_count; r++) {
            const char *id = scenarios[s]->roles[r].id;
            size_t k = 0;
            while (k < roles && strcmp(ret_roles[k], id))
                k++;
            if (k == roles && roles < capacity && !scenarios[s]->roles[r].reply_count)
                ret_roles[roles++] = id;
        }
    }
    return roles;
}

static bool listed(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], name))
            return true;
    return false;
}

struct rt_permit rt_permit_campaign(const struct rt_labconfig *config,
                                    const struct rt_permit_campaign *campaign)
{
    const struct rt_lab_policy *policy = &config->policy;
    for (size_t i = 0; i < campaign->class_count; i++)
        if (!listed(policy->classes, policy->class_count, campaign->classes[i]))
            return no(RT_PERMIT_CLASS, RT_PERMIT_NEVER, campaign->classes[i]);
    bool builtin = true; // such a subject plays every role itself
    for (size_t i = 0; i < campaign->subject_count; i++) {
        const struct rt_lab_subject *own = rt_labconfig_subject(config, campaign->subjects[i]);
        if (!own)
            return no(RT_PERMIT_SUBJECT, RT_PERMIT_NEVER, campaign->subjects[i]);
        if (own->context && own->context < campaign->min_context)
            return no(RT_PERMIT_CONTEXT, RT_PERMIT_NEVER, campaign->subjects[i]);
        builtin = builtin && own->executor == RT_EXECUTOR_BUILTIN;
    }
    for (size_t i = 0; i < campaign->role_count && !builtin; i++)
        if (!rt_labconfig_subject(config, campaign->roles[i]))
            return no(RT_PERMIT_ROLE, RT_PERMIT_NEVER, campaign->roles[i]);
    if (campaign->decision == RT_DECISION_DECLINE)
        return no(RT_PERMIT_DECLINED, RT_PERMIT_NEVER, "");
    if (campaign->decision == RT_DECISION_ACCEPT || campaign->automatic ||
        policy->approve == RT_APPROVE_AUTOMATIC ||
        (policy->trust_board && campaign->board_signed))
        return yes();
    return no(RT_PERMIT_UNDECIDED, RT_PERMIT_NEVER, "");
}

void rt_usage_roll(struct rt_usage *usage, int64_t day)
{
    if (day <= usage->day)
        return;
    usage->day = day;
    usage->trials_today = usage->tokens_today = usage->requests_today = 0;
    usage->gpu_today_ms = 0;
}

static void add(uint64_t *sum, uint64_t more)
{
    *sum = *sum > UINT64_MAX - more ? UINT64_MAX : *sum + more;
}

void rt_usage_add(struct rt_usage *usage, int64_t day, uint64_t trials, uint64_t tokens,
                  uint64_t requests)
{
    rt_usage_roll(usage, day);
    add(&usage->trials_today, trials);
    add(&usage->tokens_today, tokens);
    add(&usage->requests_today, requests);
    add(&usage->trials_total, trials);
    add(&usage->tokens_total, tokens);
    add(&usage->requests_total, requests);
}

void rt_usage_add_gpu(struct rt_usage *usage, int64_t day, uint64_t gpu_ms)
{
    rt_usage_roll(usage, day);
    add(&usage->gpu_today_ms, gpu_ms);
    add(&usage->gpu_total_ms, gpu_ms);
}

uint64_t rt_usage_gpu_ms(uint64_t gpus, int64_t since_ms, int64_t now_ms, int64_t most_ms)
{
    if (now_ms <= since_ms || most_ms <= 0)
        return 0;
    uint64_t span_ms = (uint64_t)now_ms - (uint64_t)since_ms;
    if (span_ms > (uint64_t)most_ms)
        span_ms = (uint64_t)most_ms;
    return gpus > UINT64_MAX / span_ms ? UINT64_MAX : gpus * span_ms;
}

enum rt_budget rt_permit_budget(enum rt_permit_cause cause)
{
    switch (cause) {
    case RT_PERMIT_TRIALS_DAY:
    case RT_PERMIT_TOKENS_DAY:
    case RT_PERMIT_REQUESTS_DAY:
    case RT_PERMIT_GPU_DAY:
        return RT_BUDGET_DAY;
    case RT_PERMIT_TRIALS_TOTAL:
    case RT_PERMIT_TOKENS_TOTAL:
    case RT_PERMIT_GPU_TOTAL:
        return RT_BUDGET_TOTAL;
    default:
        return RT_BUDGET_NONE;
    }
}

// Until the next minute of the week that lies inside the hours.
static int64_t opens_in_ms(const struct rt_lab_policy *policy, const struct rt_permit_now *now)
{
    unsigned start = now->weekday * MINUTES_PER_DAY + now->minute;
    for (unsigned ahead = 1; ahead <= MINUTES_PER_WEEK; ahead++) {
        unsigned at = (start + ahead) % MINUTES_PER_WEEK;
        if (rt_labconfig_open(policy, at / MINUTES_PER_DAY, at % MINUTES_PER_DAY))
            return (int64_t)ahead * 60000 - now->ms;
    }
    return RT_PERMIT_NEVER;
}

static int64_t midnight_in_ms(const struct rt_permit_now *now)
{
    return (int64_t)(MINUTES_PER_DAY - now->minute) * 60000 - now->ms;
}

// How much of a limit is left; no limit is written as 0.
static uint64_t left(uint64_t limit, uint64_t used)
{
    if (!limit)
        return UINT64_MAX;
    return used < limit ? limit - used : 0;
}

static uint64_t gpu_left(uint64_t limit_hours, uint64_t used_ms)
{
    uint64_t limit_ms = limit_hours > UINT64_MAX / RT_GPU_HOUR_MS ? UINT64_MAX
                                                                  : limit_hours * RT_GPU_HOUR_MS;
    return left(limit_ms, used_ms);
}

// What holds for units and trials alike.
static struct rt_permit budget(const struct rt_lab_policy *policy, const struct rt_permit_now *now)
{
    const struct rt_usage *usage = &now->usage;
    if (policy->hour_count && !rt_labconfig_open(policy, now->weekday, now->minute))
        return no(RT_PERMIT_HOURS, opens_in_ms(policy, now), "");
    if (now->held)
        return no(RT_PERMIT_HELD, RT_PERMIT_NEVER, "");
    if (!left(policy->tokens_total, usage->tokens_total))
        return no(RT_PERMIT_TOKENS_TOTAL, RT_PERMIT_NEVER, "");
    if (!left(policy->tokens_per_day, usage->tokens_today))
        return no(RT_PERMIT_TOKENS_DAY, midnight_in_ms(now), "");
    if (!left(policy->requests_per_day, usage->requests_today))
        return no(RT_PERMIT_REQUESTS_DAY, midnight_in_ms(now), "");
    if (now->gpus && !gpu_left(policy->gpu_hours_total, usage->gpu_total_ms))
        return no(RT_PERMIT_GPU_TOTAL, RT_PERMIT_NEVER, "");
    if (now->gpus && !gpu_left(policy->gpu_hours_per_day, usage->gpu_today_ms))
        return no(RT_PERMIT_GPU_DAY, midnight_in_ms(now), "");
    return yes();
}

struct rt_permit rt_permit_unit(const struct rt_lab_policy *policy,
                                const struct rt_permit_now *now, uint64_t *ret_trials)
{
    uint64_t trials = 0;
    struct rt_permit permit = budget(policy, now);
    if (rt_permit_yes(permit)) {
        uint64_t total = now->usage.trials_total, today = now->usage.trials_today;
        add(&total, now->reserved);
        add(&today, now->reserved);
        uint64_t ever = left(policy->trials_total, total);
        uint64_t day = left(policy->trials_per_day, today);
        if (!ever)
            permit = no(RT_PERMIT_TRIALS_TOTAL, RT_PERMIT_NEVER, "");
        else if (!day)
            permit = no(RT_PERMIT_TRIALS_DAY, midnight_in_ms(now), "");
        else
            trials = ever < day ? ever : day;
    }
    if (ret_trials)
        *ret_trials = trials;
    return permit;
}

struct rt_permit rt_permit_trial(const struct rt_lab_policy *policy,
                                 const struct rt_permit_now *now)
{
    struct rt_permit permit = budget(policy, now);
    if (!rt_permit_yes(permit))
        return permit;
    uint64_t total = now->usage.trials_total, today = now->usage.trials_today;
    add(&total, now->running);
    add(&today, now->running);
    if (!left(policy->trials_total, total))
        return no(RT_PERMIT_TRIALS_TOTAL, RT_PERMIT_NEVER, "");
    if (!left(policy->trials_per_day, today))
        return no(RT_PERMIT_TRIALS_DAY, midnight_in_ms(now), "");
    if (policy->concurrency && now->running >= policy->concurrency)
        return no(RT_PERMIT_BUSY, RT_PERMIT_NEVER, "");
    return yes();
}

void rt_permit_explain(struct rt_permit permit, struct rt_buf *out)
{
    rt_buf_printf(out, "%s: %s", rt_permit_word(permit.cause), rt_permit_text(permit.cause));
    if (permit.detail && *permit.detail)
        rt_buf_printf(out, " (%s)", permit.detail);
    if (permit.wait_ms > 0 && permit.wait_ms != RT_PERMIT_NEVER) {
        char text[32];
        rt_duration_format(permit.wait_ms, text);
        rt_buf_printf(out, "; again in %s", text);
    }
}
