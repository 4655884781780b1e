// SPDX-License-Identifier: Apache-2.0
// `policy show` and `policy test`: the lab's own word, and what it says about a campaign; `accept`
// and `decline`: a person's.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "worker/commands/commands.h"
#include "worker/inbox.h"
#include "worker/local.h"

struct settings {
    const char *state, *reason;
};

static const struct rt_option state_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = NULL},
};

// ---- show

static json_t *hours_json(const struct rt_lab_policy *policy)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    json_t *list = json_array();
    for (size_t h = 0; h < policy->hour_count; h++) {
        const struct rt_hours *hours = &policy->hours[h];
        char text[64];
        size_t used = 0;
        for (unsigned d = 0; d < 7; d++)
            if (hours->days >> d & 1)
                used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                         used ? "," : "", days[d]);
        snprintf(text + used, sizeof text - used, " %02d:%02d-%02d:%02d", hours->from_min / 60,
                 hours->from_min % 60, hours->until_min / 60, hours->until_min % 60);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *policy_json(const struct rt_labconfig *config)
{
    const struct rt_lab_policy *policy = &config->policy;
    json_t *classes = json_array();
    for (size_t i = 0; i < policy->class_count; i++)
        json_array_append_new(classes, json_string(policy->classes[i]));
    return json_pack("{s:o, s:s, s:b, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "classes",
                     classes, "approve",
                     policy->approve == RT_APPROVE_AUTOMATIC ? "automatic" : "by-hand",
                     "trust_board", (int)policy->trust_board, "hours", hours_json(policy),
                     "timezone", config->timezone, "trials_per_day",
                     (json_int_t)policy->trials_per_day, "tokens_per_day",
                     (json_int_t)policy->tokens_per_day, "requests_per_day",
                     (json_int_t)policy->requests_per_day, "trials_total",
                     (json_int_t)policy->trials_total, "tokens_total",
                     (json_int_t)policy->tokens_total, "concurrency",
                     (json_int_t)policy->concurrency, "hold_when", policy->hold_when);
}

static enum rt_status show(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_home *home = NULL;
    char path[PATH_MAX];
    (void)operands;
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_home_open(path, RT_HOME_DOCUMENTS, NULL, &home, err);
    if (status)
        return status;
    json_t *json = policy_json(home->config);
    status = rt_print_json(json, err); // YAML and JSON agree on this much
    json_decref(json);
    rt_home_free(home);
    return status;
}

const struct rt_command rt_command_policy_show = {
    .name = "policy show",
    .summary = "the lab's policy with its defaults; 0 is no limit",
    .operands = "",
    .options = state_options,
    .settings_size = sizeof(struct settings),
    .run = show,
    .example = "ringtrial-worker policy show",
};

// ---- test

static void ask_campaign(const struct rt_local *local, struct rt_permit *ret_permit)
{
    const struct rt_campaign *campaign = local->campaign;
    const char **classes = calloc(campaign->scenario_count + 1, sizeof *classes);
    const char *subjects[RT_SUBJECTS_MOST];
    struct rt_permit_campaign question = {
        .classes = classes,
        .subjects = subjects,
        .decision = local->row.decision,
        .board_signed = true,
    };
    RT_ASSERT(classes);
    classes[question.class_count++] = campaign->disclosure.class;
    for (size_t i = 0; i < campaign->scenario_count; i++)
        classes[question.class_count++] = campaign->scenarios[i].class;
    for (uint32_t s = 0; s < campaign->subject_count; s++)
        if (campaign->labs[local->lab].runs >> s & 1)
            subjects[question.subject_count++] = campaign->subjects[s].id;
    *ret_permit = rt_permit_campaign(local->home->config, &question);
    free(classes);
}

static void ask_unit(const struct rt_local *local, struct rt_permit *ret_permit,
                     uint64_t *ret_room)
{
    time_t seconds = time(NULL);
    struct tm now;
    if (*local->home->config->timezone)
        setenv("TZ", local->home->config->timezone, 1);
    tzset();
    localtime_r(&seconds, &now);
    struct rt_permit_now moment = {
        .weekday = (unsigned)(now.tm_wday + 6) % 7,
        .minute = (unsigned)(now.tm_hour * 60 + now.tm_min),
        .usage = local->outbox->usage,
    };
    rt_usage_roll(&moment.usage, (int64_t)(seconds + now.tm_gmtoff) / 86400);
    *ret_permit = rt_permit_unit(&local->home->config->policy, &moment, ret_room);
}

static enum rt_status test(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_local *local = NULL;
    char path[PATH_MAX];
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_local_open(path, operands->items[0], RT_LOCAL_DOCUMENTS, &local, err);
    if (status)
        return status;
    struct rt_permit campaign, unit;
    struct rt_buf text;
    uint64_t room = 0;
    rt_buf_init(&text, 4096);
    ask_campaign(local, &campaign);
    ask_unit(local, &unit, &room);
    rt_permit_explain(campaign, &text);
    char *first = rt_arena_strdup(&local->arena, rt_buf_str(&text));
    rt_buf_clear(&text);
    rt_permit_explain(unit, &text);
    bool yes = rt_permit_yes(campaign);
    if (rt_globals.json) {
        json_t *json = json_pack("{s:s, s:b, s:s, s:b, s:s, s:I}", "campaign", local->name,
                                 "accepted", (int)yes, "campaign_answer", first, "open_now",
                                 (int)rt_permit_yes(unit), "unit_answer", rt_buf_str(&text),
                                 "room_trials",
                                 room > INT64_MAX ? (json_int_t)-1 : (json_int_t)room);
        status = rt_print_json(json, err);
        json_decref(json);
    } else {
        printf("campaign %s  %s\nunits now  %s\n", local->name, first, rt_buf_str(&text));
    }
    rt_buf_release(&text);
    rt_local_free(local);
    if (!status && !yes)
        status = rt_error_set(err, RT_POLICY, "policy does not let this campaign run here");
    return status;
}

const struct rt_command rt_command_policy_test = {
    .name = "policy test",
    .summary = "would this campaign run here, and why (exit 6: no)",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = state_options,
    .settings_size = sizeof(struct settings),
    .run = test,
    .example = "ringtrial-worker policy test demo-shutdown",
    .about = "Explains the policy's answer to a campaign that was offered: data classes, subjects, "
             "approval; and whether units would be taken at this moment.",
};

// ---- accept and decline

static enum rt_status decide(const struct settings *settings, const char *campaign,
                             const char *action, struct rt_error *err)
{
    struct rt_home *home = NULL;
    char path[PATH_MAX];
    struct rt_inbox_request request = {campaign, action, settings->reason};
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_home_open(path, RT_HOME_DOCUMENTS, NULL, &home, err);
    if (!status)
        status = rt_inbox_put(home->state, &request, err);
    if (!status && !rt_globals.quiet)
        printf("%s %s: the worker carries it out, now or at its next start\n", action, campaign);
    rt_home_free(home);
    return status;
}

static enum rt_status accept(const void *place, const struct rt_text_list *operands,
                             struct rt_error *err)
{
    return decide(place, operands->items[0], "accept", err);
}

static enum rt_status decline(const void *place, const struct rt_text_list *operands,
                              struct rt_error *err)
{
    return decide(place, operands->items[0], "decline", err);
}

static const struct rt_option reason_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "reason",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, reason),
     .value_name = "TEXT",
     .help = "Why: one line. A decline's goes into the log.",
     .required = true},
    {.name = NULL},
};

const struct rt_command rt_command_accept = {
    .name = "accept",
    .summary = "let a campaign run here",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = reason_options,
    .settings_size = sizeof(struct settings),
    .run = accept,
    .example = "ringtrial-worker accept demo-shutdown --reason \"agreed in the group meeting\"",
    .about = "The worker verifies that the campaign was logged before anything ran and that the "
             "board signed it, then signs this lab's `accept`. Data classes outside the policy "
             "stay out even so.",
};

const struct rt_command rt_command_decline = {
    .name = "decline",
    .summary = "keep a campaign out",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = reason_options,
    .settings_size = sizeof(struct settings),
    .run = decline,
    .example = "ringtrial-worker decline demo-shutdown --reason \"no capacity this month\"",
    .about = "Signs `withdraw` with no results, so that the campaign does not wait for this lab. "
             "A campaign that was accepted is left, as with `leave`.",
};
