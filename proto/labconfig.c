// SPDX-License-Identifier: Apache-2.0
#include "proto/labconfig.h"

#include <string.h>

#include "proto/doc/labconfig_doc.h"

static enum rt_status check_subject(struct rt_doc_reader *reader,
                                    const struct rt_lab_subject *subject)
{
    if (subject->executor == RT_EXECUTOR_COMMAND || subject->executor == RT_EXECUTOR_SLURM)
        return rt_doc_fail(reader, RT_UNSUPPORTED, subject->line,
                           "subject `%s`: executor %s cannot be run by this version; use chat (an "
                           "OpenAI-compatible endpoint) or builtin",
                           subject->id,
                           subject->executor == RT_EXECUTOR_SLURM ? "slurm" : "command");
    bool chat = subject->executor == RT_EXECUTOR_CHAT;
    bool http = strncmp(subject->endpoint, "http://", 7) == 0 ||
                strncmp(subject->endpoint, "https://", 8) == 0;
    if (chat && (!http || !*subject->model))
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: executor chat needs `endpoint: http://host:port/v1` and "
                           "`model:`",
                           subject->id);
    if (chat && strstr(subject->endpoint, "{node}") && !subject->slurm)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: {node} in `endpoint` is filled in by a `slurm` job, and "
                           "there is none",
                           subject->id);
    if (!chat && *subject->endpoint)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: executor builtin has no `endpoint`", subject->id);
    if (chat && subject->effect_count)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: `effects` are planted in the builtin subject only",
                           subject->id);
    if (subject->timeout_ms <= 0 || subject->timeout_ms > 86400000)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, subject->line,
                           "subject `%s`: `timeout` must be above 0 and at most 1d", subject->id);
    return RT_OK;
}

static enum rt_status check_roles(struct rt_doc_reader *reader, const struct rt_lab_policy *policy)
{
    static const char *const words[] = {"run", "grade", "rate-by-hand", "witness", NULL};
    for (size_t r = 0; r < policy->role_count; r++) {
        bool known = false;
        for (size_t w = 0; words[w]; w++)
            known = known || strcmp(words[w], policy->roles[r]) == 0;
        if (!known)
            return rt_doc_fail(reader, RT_MALFORMED, 0, "policy: role `%s` does not exist%s",
                               policy->roles[r], rt_doc_suggest(reader, policy->roles[r], words));
        if (strcmp(policy->roles[r], "run") != 0)
            rt_doc_note(reader, 0, "role `%s` is read and checked, but not played yet",
                        policy->roles[r]);
    }
    return RT_OK;
}

static enum rt_status check_config(struct rt_doc_reader *reader, struct rt_labconfig *config)
{
    enum rt_status status = RT_OK;
    for (size_t s = 0; s < config->subject_count && !status; s++)
        status = check_subject(reader, &config->subjects[s]);
    if (!status)
        status = check_roles(reader, &config->policy);
    if (status)
        return status;
    if (config->network == RT_NETWORK_FERRY)
        return rt_doc_fail(reader, RT_UNSUPPORTED, 0,
                           "network mode ferry is not carried by this version; use direct or "
                           "socks5");
    if ((config->network == RT_NETWORK_SOCKS5) != (*config->via != 0))
        return rt_doc_fail(reader, RT_MALFORMED, 0,
                           "network: `via: host:port` belongs to mode socks5, and to no other");
    if (*config->via && !strrchr(config->via, ':'))
        return rt_doc_fail(reader, RT_MALFORMED, 0, "network: `via` must be host:port");
    return RT_OK;
}

enum rt_status rt_labconfig_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                                 struct rt_labconfig **ret_config, struct rt_notes *notes,
                                 struct rt_error *err)
{
    struct rt_doc_reader reader = {name, arena, notes, err};
    struct rt_labconfig *config = rt_arena_alloc(arena, sizeof *config);
    if (!config)
        return rt_doc_no_memory(&reader);
    enum rt_status status = rt_doc_read(&reader, &rt_labconfig_table, text, config);
    if (!status)
        status = check_config(&reader, config);
    if (!status)
        *ret_config = config;
    return status;
}

const struct rt_lab_subject *rt_labconfig_subject(const struct rt_labconfig *config, const char *id)
{
    for (size_t s = 0; s < config->subject_count; s++)
        if (strcmp(config->subjects[s].id, id) == 0)
            return &config->subjects[s];
    return NULL;
}

bool rt_labconfig_open(const struct rt_lab_policy *policy, unsigned weekday, unsigned minute)
{
    RT_ASSERT(weekday < 7 && minute < 1440);
    if (policy->hour_count == 0)
        return true;
    for (size_t h = 0; h < policy->hour_count; h++) {
        const struct rt_hours *hours = &policy->hours[h];
        bool today = hours->days >> weekday & 1, yesterday = hours->days >> ((weekday + 6) % 7) & 1;
        bool overnight = hours->until_min <= hours->from_min;
        if (today && minute >= hours->from_min && (overnight || minute < hours->until_min))
            return true;
        if (overnight && yesterday && minute < hours->until_min)
            return true;
    }
    return false;
}
