// SPDX-License-Identifier: Apache-2.0
// `policy show`: the lab's own word; `accept` and `decline`: a person's.
#include <limits.h>
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "worker/care/outlook.h"
#include "worker/commands/commands.h"
#include "worker/commands/policy_words.h"
#include "worker/home.h"
#include "worker/inbox.h"
#include "worker/outbox.h"

struct settings {
    const char *state, *reason;
};

static const struct rt_option state_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = NULL},
};

// ---- show

static enum rt_status show(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_home *home = NULL;
    struct rt_outbox *outbox = NULL;
    char path[PATH_MAX];
    (void)operands;
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_home_open(path, RT_HOME_PLAIN, NULL, &home, err);
    if (status)
        return status;
    if (rt_globals.json) {
        json_t *json = rt_policy_json(home->config);
        status = rt_print_json(json, err);
        json_decref(json);
    } else {
        struct rt_permit_now now = {0};
        struct rt_usage none = {0};
        struct rt_error ignored; // before the first run there is no outbox, and nothing is used
        bool used = !rt_outbox_open(home->state, true, &outbox, &ignored);
        rt_care_now(home->config, rt_time_wall_ms(), used ? &outbox->usage : &none, false, &now);
        rt_policy_print(home->config, &now.usage);
    }
    rt_outbox_free(outbox);
    rt_home_free(home);
    return status;
}

const struct rt_command rt_command_policy_show = {
    .name = "policy show",
    .summary = "the lab's policy with its defaults, and what is used of its budgets",
    .operands = "",
    .options = state_options,
    .settings_size = sizeof(struct settings),
    .run = show,
    .example = "ringtrial-worker policy show",
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
    if (!status && rt_globals.json) {
        json_t *json = json_pack("{s:s, s:s}", "campaign", campaign, "asked", action);
        status = rt_print_json(json, err);
        json_decref(json);
    } else if (!status && !rt_globals.quiet)
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
