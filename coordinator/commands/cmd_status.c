// SPDX-License-Identifier: Apache-2.0
// `status`, `watch`, `explain` and `wait`: four views of what the running coordinator says of
// itself.
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/progress.h"
#include "common/base/time.h"
#include "coordinator/commands/client.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/wishes.h"

struct settings {
    const char *state, *until;
    int64_t every_ms, timeout_ms;
};

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

static int64_t number_of(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static enum rt_status ask(const struct settings *settings, json_t **ret_json, struct rt_error *err)
{
    struct rt_state state;
    struct rt_client client;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_client_open(&state, &client, err);
    if (status)
        return status;
    status = rt_client_admin(&client, "{\"command\":\"status\"}", ret_json, err);
    rt_client_close(&client);
    return status;
}

static enum rt_status print_json(const json_t *json, struct rt_error *err)
{
    struct rt_buf out;
    rt_buf_init(&out, (size_t)8 << 20);
    enum rt_status status = rt_json_write_pretty(json, &out);
    if (!status)
        fputs(rt_buf_str(&out), stdout);
    rt_buf_release(&out);
    return status ? rt_error_set(err, status, "writing JSON") : RT_OK;
}

static void print_campaign(const json_t *campaign)
{
    printf("\ncampaign %s  %s\n  %s\n", text_of(campaign, "campaign"), text_of(campaign, "state"),
           text_of(campaign, "digest"));
    printf("  %-16s %-12s %10s %10s %8s %8s %6s  %s\n", "lab", "state", "final", "planned", "error",
           "out", "conn", "held because");
    size_t i;
    json_t *lab;
    json_array_foreach(json_object_get(campaign, "labs"), i, lab)
    {
        printf("  %-16s %-12s %10" PRId64 " %10" PRId64 " %8" PRId64 " %8" PRId64 " %6" PRId64
               "  %s\n",
               text_of(lab, "lab"), text_of(lab, "state"), number_of(lab, "final"),
               number_of(lab, "planned"), number_of(lab, "tentative"),
               number_of(lab, "outstanding"), number_of(lab, "instances"), text_of(lab, "held"));
    }
}

static enum rt_status run_status(const void *place, const struct rt_text_list *operands,
                                 struct rt_error *err)
{
    (void)operands;
    json_t *json = NULL;
    enum rt_status status = ask(place, &json, err);
    if (status)
        return status;
    if (rt_globals.json) {
        status = print_json(json, err);
    } else {
        const json_t *log = json_object_get(json, "log");
        char uptime[32];
        rt_duration_format(number_of(json, "uptime_ms"), uptime);
        printf("log       %s, %" PRId64 " leaves\nroster    version %" PRId64 ", %" PRId64
               " labs\nrunning   %s, epoch %" PRId64 "%s\n",
               text_of(log, "origin"), number_of(log, "size"),
               number_of(json_object_get(json, "roster"), "version"),
               number_of(json_object_get(json, "roster"), "labs"), uptime, number_of(json, "epoch"),
               json_is_true(json_object_get(json, "disk_full")) ? ", DISK FULL: intake stopped"
                                                                : "");
        size_t i;
        json_t *campaign;
        json_array_foreach(json_object_get(json, "campaigns"), i, campaign)
            print_campaign(campaign);
    }
    json_decref(json);
    return status;
}

static const struct rt_option status_options[] = {RT_STATE_OPTION(struct settings), {0}};

const struct rt_command rt_command_status = {
    .name = "status",
    .summary = "Where the log, the roster and every campaign stand.",
    .operands = "",
    .options = status_options,
    .settings_size = sizeof(struct settings),
    .run = run_status,
    .example = "ringtrial-coordinator status --json"};

// ---- explain

static void explain_lab(const json_t *campaign, const json_t *lab)
{
    const char *held = text_of(lab, "held");
    int64_t left = number_of(lab, "planned") - number_of(lab, "final");
    printf("%s / %s: ", text_of(campaign, "campaign"), text_of(lab, "lab"));
    if (left == 0 && number_of(lab, "planned"))
        printf("done; every planned trial has its final result\n");
    else if (held[0])
        printf("nothing goes out because: %s\n", held);
    else if (number_of(lab, "outstanding"))
        printf("running; %" PRId64 " trials are out in %" PRId64 " units, %" PRId64
               " left in all\n",
               number_of(lab, "outstanding"), number_of(lab, "units"), left);
    else
        printf(
            "%" PRId64
            " trials left, none out: the worker has not asked for more (its own policy decides)\n",
            left);
}

// The reasons as data, for scripts: what the sentences of explain_lab are made of.
static json_t *explain_row(const json_t *campaign, const json_t *lab)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "campaign", text_of(campaign, "campaign"),
                     "lab", text_of(lab, "lab"), "held", text_of(lab, "held"), "left",
                     (json_int_t)(number_of(lab, "planned") - number_of(lab, "final")),
                     "outstanding", (json_int_t)number_of(lab, "outstanding"), "units",
                     (json_int_t)number_of(lab, "units"));
}

// What a lab that has not accepted may lack; an empty list for the others.
static json_t *wishes_of(const struct settings *settings, const json_t *campaign,
                         const json_t *lab)
{
    struct rt_state state;
    struct rt_client client;
    json_t *list = NULL;
    if (strcmp(text_of(lab, "state"), "invited") != 0 ||
        rt_state_open(settings->state, true, &state, NULL) ||
        rt_client_open(&state, &client, NULL))
        return json_array();
    if (rt_wishes(&client, text_of(campaign, "digest"), text_of(lab, "lab"), &list, NULL))
        list = json_array();
    rt_client_close(&client);
    return list;
}

static enum rt_status run_explain(const void *place, const struct rt_text_list *operands,
                                  struct rt_error *err)
{
    json_t *json = NULL;
    enum rt_status status = ask(place, &json, err);
    if (status)
        return status;
    const char *wanted = operands->count ? operands->items[0] : NULL;
    size_t i, j, shown = 0;
    json_t *campaign, *lab, *rows = json_array();
    json_array_foreach(json_object_get(json, "campaigns"), i, campaign)
    {
        json_array_foreach(json_object_get(campaign, "labs"), j, lab)
        {
            if (wanted && strcmp(wanted, text_of(campaign, "campaign")) &&
                strcmp(wanted, text_of(lab, "lab")))
                continue;
            json_t *wishes = wishes_of(place, campaign, lab), *wish;
            size_t k;
            if (!rt_globals.json)
                explain_lab(campaign, lab);
            json_array_foreach(wishes, k, wish)
            {
                if (!rt_globals.json)
                    printf("  %s\n", json_string_value(wish));
            }
            json_t *row = explain_row(campaign, lab);
            json_object_set_new(row, "asks", wishes);
            json_array_append_new(rows, row);
            shown++;
        }
    }
    json_decref(json);
    if (!shown && wanted)
        status = rt_error_set(err, RT_NOT_FOUND, "no campaign or lab %s; `status` lists them",
                              wanted);
    else if (rt_globals.json)
        status = print_json(rows, err);
    else if (!shown)
        printf("nothing runs because: no campaign is registered; see `campaign register`\n");
    json_decref(rows);
    return status;
}

const struct rt_command rt_command_explain = {.name = "explain",
                                              .summary = "Why is this not running?",
                                              .operands = "[CAMPAIGN|LAB]",
                                              .operands_most = 1,
                                              .options = status_options,
                                              .settings_size = sizeof(struct settings),
                                              .run = run_explain,
                                              .example = "ringtrial-coordinator explain uni-a"};

// ---- watch and wait

#define ROWS_MOST 256

static size_t rows_of(const json_t *json, const char *wanted, struct rt_progress_row *rows)
{
    size_t count = 0, i, j;
    json_t *campaign, *lab;
    json_array_foreach(json_object_get(json, "campaigns"), i, campaign)
    {
        if (wanted && strcmp(wanted, text_of(campaign, "campaign")))
            continue;
        json_array_foreach(json_object_get(campaign, "labs"), j, lab)
        {
            const char *state = text_of(lab, "state"), *held = text_of(lab, "held");
            if (count < ROWS_MOST)
                rows[count++] = (struct rt_progress_row){
                    .name = text_of(lab, "lab"),
                    .done = (uint64_t)number_of(lab, "final"),
                    .total = (uint64_t)number_of(lab, "planned"),
                    .note = held[0]                     ? held
                            : strcmp(state, "accepted") ? state
                                                        : NULL,
                };
        }
    }
    return count;
}

// Has every campaign asked for (or the one) reached this state? "done": every accepted lab's trials
// are final.
static bool reached(const json_t *json, const char *wanted, const char *until, size_t *ret_seen)
{
    bool all = true;
    size_t i, j;
    json_t *campaign, *lab;
    *ret_seen = 0;
    json_array_foreach(json_object_get(json, "campaigns"), i, campaign)
    {
        if (wanted && strcmp(wanted, text_of(campaign, "campaign")))
            continue;
        ++*ret_seen;
        if (strcmp(until, "done") != 0) {
            all = all && strcmp(until, text_of(campaign, "state")) == 0;
            continue;
        }
        json_array_foreach(json_object_get(campaign, "labs"), j, lab)
        {
            const char *state = text_of(lab, "state");
            bool ended = strcmp(state, "invited") && strcmp(state, "accepted");
            int64_t open =
                number_of(lab, "planned") - number_of(lab, "final") - number_of(lab, "exhausted");
            all = all && (ended || (strcmp(state, "accepted") == 0 && open == 0));
        }
    }
    return all && *ret_seen;
}

static enum rt_status print_campaign_json(const json_t *json, const char *wanted,
                                          struct rt_error *err)
{
    size_t i;
    json_t *campaign;
    json_array_foreach(json_object_get(json, "campaigns"), i, campaign)
        if (strcmp(wanted, text_of(campaign, "campaign")) == 0)
            return print_json(campaign, err);
    return RT_OK;
}

static enum rt_status follow(const struct settings *settings, const char *wanted, bool bars,
                             struct rt_error *err)
{
    static struct rt_progress_row rows[ROWS_MOST];
    struct rt_progress progress;
    rt_progress_init(&progress, STDOUT_FILENO);
    int64_t start = rt_time_mono_ms();
    for (;;) {
        json_t *json = NULL;
        enum rt_status status = ask(settings, &json, err);
        if (status)
            return status;
        size_t seen;
        bool there = reached(json, wanted, settings->until, &seen);
        if (bars)
            rt_progress_draw(&progress, rows, rows_of(json, wanted, rows), there);
        if (there && !bars && rt_globals.json)
            status = print_campaign_json(json, wanted, err);
        json_decref(json);
        if (there)
            return status;
        if (wanted && !seen)
            return rt_error_set(err, RT_NOT_FOUND, "no campaign %s is registered", wanted);
        if (settings->timeout_ms && rt_time_mono_ms() - start > settings->timeout_ms)
            return rt_error_set(err, RT_TIMEOUT, "not %s yet; `explain` says why", settings->until);
        struct timespec pause = {.tv_sec = settings->every_ms / 1000,
                                 .tv_nsec = settings->every_ms % 1000 * 1000000};
        nanosleep(&pause, NULL);
    }
}

static enum rt_status run_watch(const void *place, const struct rt_text_list *operands,
                                struct rt_error *err)
{
    return follow(place, operands->count ? operands->items[0] : NULL, true, err);
}

static enum rt_status run_wait(const void *place, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    return follow(place, operands->items[0], false, err);
}

static void follow_defaults(void *place)
{
    struct settings *settings = place;
    settings->until = "closed";
    settings->every_ms = 250;
}

static const struct rt_option follow_options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "until",
     .letter = 'u',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, until),
     .value_name = "STATE",
     .help = "End when the campaign is: started, paused, cancelled, closing, closed (default), or "
             "done: every trial final."},
    {.name = "every",
     .kind = RT_OPTION_DURATION,
     .offset = offsetof(struct settings, every_ms),
     .value_name = "TIME",
     .help = "Ask this often (default 250ms)."},
    {.name = "timeout",
     .kind = RT_OPTION_DURATION,
     .offset = offsetof(struct settings, timeout_ms),
     .value_name = "TIME",
     .help = "Give up after this long."},
    {0}};

const struct rt_command rt_command_watch = {.name = "watch",
                                            .summary = "Live progress bars, one a lab.",
                                            .operands = "[CAMPAIGN]",
                                            .operands_most = 1,
                                            .options = follow_options,
                                            .settings_size = sizeof(struct settings),
                                            .defaults = follow_defaults,
                                            .run = run_watch,
                                            .example =
                                                "ringtrial-coordinator watch shutdown-2026q4"};

const struct rt_command rt_command_wait = {
    .name = "wait",
    .summary = "Wait, for scripts, until a campaign is in a state.",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = follow_options,
    .settings_size = sizeof(struct settings),
    .defaults = follow_defaults,
    .run = run_wait,
    .example = "ringtrial-coordinator wait shutdown-2026q4 --until done --timeout 10m"};
