// SPDX-License-Identifier: Apache-2.0
// `run` and `leave`: the loop, until it is stopped, idle, or out of a campaign.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/json.h"
#include "worker/care/receipts.h"
#include "worker/commands/commands.h"
#include "worker/inbox.h"
#include "worker/ledger.h"
#include "worker/local.h"
#include "worker/run.h"

struct settings {
    const char *state, *passphrase_file, *reason, *receipts;
    bool until_idle, automatic, resend_parked;
    int64_t heartbeat_ms, redial_most_ms, wait_ms, give_up_ms;
};

#define LINK_ROWS                                                                                  \
    RT_LAB_OPTION(struct settings), RT_PASSPHRASE_OPTION(struct settings),                         \
        {.name = "heartbeat",                                                                      \
         .kind = RT_OPTION_DURATION,                                                               \
         .offset = offsetof(struct settings, heartbeat_ms),                                        \
         .value_name = "TIME",                                                                     \
         .help = "How often a silent connection is tried (default 15s)."},                         \
    {                                                                                              \
        .name = "redial-most", .kind = RT_OPTION_DURATION,                                         \
        .offset = offsetof(struct settings, redial_most_ms), .value_name = "TIME",                 \
        .help = "Longest pause between attempts to connect (default 30s).",                        \
    }

static struct rt_run_settings loop_settings(const struct settings *settings, const char *config)
{
    return (struct rt_run_settings){
        .config = config,
        .passphrase_file = settings->passphrase_file,
        .until_idle = settings->until_idle,
        .give_up_ms = settings->give_up_ms,
        .automatic = settings->automatic,
        .resend_parked = settings->resend_parked,
        .heartbeat_ms = settings->heartbeat_ms,
        .redial_most_ms = settings->redial_most_ms,
    };
}

static enum rt_status run_run(const void *place, const struct rt_text_list *operands,
                              struct rt_error *err)
{
    const struct settings *settings = place;
    char config[PATH_MAX];
    (void)operands;
    enum rt_status status = rt_lab_config_path(settings->state, config, err);
    struct rt_run_settings loop = loop_settings(settings, config);
    return status ? status : rt_run(&loop, err);
}

static const struct rt_option run_options[] = {
    LINK_ROWS,
    {.name = "until-idle",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, until_idle),
     .help = "End with exit code 0 once its campaigns are closed or nothing is to be done."},
    {.name = "give-up",
     .kind = RT_OPTION_DURATION,
     .offset = offsetof(struct settings, give_up_ms),
     .value_name = "TIME",
     .help = "With --until-idle: end with exit code 3 after so long without a welcome from the "
             "coordinator and with no unit in hand (default 60s)."},
    {.name = "campaign-auto",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, automatic),
     .help = "Accept campaigns without a person's word (policy.campaigns.approve: automatic)."},
    {.name = "resend-parked",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, resend_parked),
     .help = "Try again what was parked after three lost connections or a refusal."},
    {.name = NULL},
};

const struct rt_command rt_command_run = {
    .name = "run",
    .summary = "dial the coordinator and work as policy allows, until stopped",
    .operands = "",
    .options = run_options,
    .settings_size = sizeof(struct settings),
    .run = run_run,
    .example = "ringtrial-worker run --state ~/ringtrial\n"
               "ringtrial-worker run --until-idle",
    .about = "Dials out and never listens. Units are on disk before they run, each finished trial "
             "as it finishes, and results until their receipt has been verified, so the plug may "
             "be pulled at any moment.",
};

// ---- leave

static enum rt_status export_receipts(const struct settings *settings, const char *config,
                                      const char *name, struct rt_error *err)
{
    struct rt_local *local = NULL;
    char folder[PATH_MAX];
    size_t count = 0;
    enum rt_status status = rt_local_open(config, name, RT_LOCAL_ROW, &local, err);
    if (status)
        return status;
    snprintf(folder, sizeof folder, "%.*s/receipts", (int)sizeof folder - 16, local->home->state);
    const char *target = settings->receipts ? settings->receipts : folder;
    status = rt_receipts_export(local, target, &count, err);
    if (!status && !rt_globals.quiet)
        printf("%s: %s; %zu receipts in %s\n", local->name, rt_stage_words[local->row.stage],
               count, target);
    rt_local_free(local);
    return status;
}

// Another process runs the loop: wait until it has done what the request asked for.
static enum rt_status wait_for_other(const struct settings *settings, const char *config,
                                     const char *name, struct rt_error *err)
{
    int64_t left_ms = settings->wait_ms;
    for (;;) {
        struct rt_local *local = NULL;
        enum rt_status status = rt_local_open(config, name, RT_LOCAL_ROW, &local, err);
        bool over = !status && local->row.stage >= RT_STAGE_CLOSED;
        rt_local_free(local);
        if (over || (status && status != RT_NOT_FOUND))
            return status;
        if (left_ms <= 0)
            return rt_error_set(err, RT_TIMEOUT, "the running worker has not left %s yet; it goes "
                                "on trying", name);
        nanosleep(&(struct timespec){0, 200000000}, NULL);
        left_ms -= 200;
    }
}

static enum rt_status leave_now(const struct settings *settings, const char *config,
                                const char *name, struct rt_error *err)
{
    struct rt_home *home = NULL;
    int lock = -1;
    struct rt_inbox_request request = {name, "leave", settings->reason};
    enum rt_status status = rt_home_open(config, RT_HOME_DOCUMENTS, NULL, &home, err);
    if (!status)
        status = rt_inbox_put(home->state, &request, err);
    if (status) {
        rt_home_free(home);
        return status;
    }
    status = rt_state_lock(home->state, &lock, err);
    rt_home_free(home);
    if (status == RT_BUSY)
        return wait_for_other(settings, config, name, err);
    if (status)
        return status;
    close(lock);
    struct rt_run_settings loop = loop_settings(settings, config);
    loop.leave = name;
    return rt_run(&loop, err);
}

static enum rt_status run_leave(const void *place, const struct rt_text_list *operands,
                                struct rt_error *err)
{
    const struct settings *settings = place;
    char config[PATH_MAX];
    struct rt_local *local = NULL;
    enum rt_status status = rt_lab_config_path(settings->state, config, err);
    if (!status)
        status = rt_local_open(config, operands->items[0], RT_LOCAL_ROW, &local, err);
    bool over = !status && local->row.stage >= RT_STAGE_CLOSED;
    rt_local_free(local);
    if (!status && !over)
        status = leave_now(settings, config, operands->items[0], err);
    return status ? status : export_receipts(settings, config, operands->items[0], err);
}

static void leave_defaults(void *place)
{
    struct settings *settings = place;
    settings->wait_ms = 600000;
}

static const struct rt_option leave_options[] = {
    LINK_ROWS,
    {.name = "reason",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, reason),
     .value_name = "TEXT",
     .help = "Why, for the log: one line that everybody can read.",
     .required = true},
    {.name = "receipts",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, receipts),
     .value_name = "FOLDER",
     .help = "Where the receipts go, with receipts.json (default: STATE/receipts)."},
    {.name = "export",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, receipts),
     .value_name = "FOLDER",
     .help = "An older name of --receipts."},
    {.name = "wait",
     .kind = RT_OPTION_DURATION,
     .offset = offsetof(struct settings, wait_ms),
     .value_name = "TIME",
     .help = "How long to wait for a worker that is running (default 10m)."},
    {.name = NULL},
};

const struct rt_command rt_command_leave = {
    .name = "leave",
    .summary = "withdraw from a campaign: finish, sign `withdraw`, keep the receipts",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = leave_options,
    .settings_size = sizeof(struct settings),
    .defaults = leave_defaults,
    .run = run_leave,
    .example = "ringtrial-worker leave demo-shutdown --reason \"the machine is needed\"\n"
               "ringtrial-worker leave demo-shutdown --reason \"done\" --receipts ~/receipts",
    .about = "Units that were begun are finished, the others handed back; then the lab signs how "
             "many results it gave and their root, so that none can be dropped unseen. Asks the "
             "running worker to do it, or does it itself when none is running. A campaign that "
             "is over already is left as it is, and its receipts are written. An auditor checks "
             "them with `ringtrial-audit verify BUNDLE --receipts FOLDER`.",
};
