// SPDX-License-Identifier: Apache-2.0
// `status`: what this lab holds, from the outbox, and what a running worker says of itself.
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "worker/care/outlook.h"
#include "worker/commands/commands.h"
#include "worker/home.h"
#include "worker/outbox.h"

#define ARENA_MOST    ((size_t)64 << 20)
#define STALE_MS      15000
#define PARKED_MOST   100 // shown

struct settings {
    const char *state;
};

// One campaign's counts, gathered from several tables.
struct tally {
    struct rt_digest digest;
    json_t *json;
    uint64_t units, waiting, parked, finals, receipts;
};

struct gather {
    struct rt_arena arena;
    struct tally tallies[64];
    size_t count;
    json_t *parked;
};

static struct tally *tally_of(struct gather *gather, const uint8_t *digest)
{
    for (size_t i = 0; i < gather->count; i++)
        if (!memcmp(gather->tallies[i].digest.bytes, digest, RT_DIGEST_BYTES))
            return &gather->tallies[i];
    return NULL;
}

static json_t *text_json(struct rt_bytes text)
{
    return json_stringn((const char *)text.data, text.size);
}

static enum rt_status on_campaign(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct gather *gather = ctx;
    struct rt_row_campaign row;
    enum rt_status status =
        rt_outbox_read(rt_row_campaign_schema(), value, &gather->arena, &row);
    if (status || key.size != RT_DIGEST_BYTES || gather->count == 64)
        return status;
    struct tally *tally = &gather->tallies[gather->count++];
    char digest[RT_DIGEST_TEXT_BYTES];
    memcpy(tally->digest.bytes, key.data, key.size);
    rt_digest_format(&tally->digest, digest);
    tally->json = json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:I}", "campaign",
                            text_json(row.name), "digest", digest, "state",
                            rt_offer_state_words[row.state], "stage", rt_stage_words[row.stage],
                            "decision", rt_decision_words[row.decision], "held",
                            text_json(row.held), "reason", text_json(row.reason), "receipted",
                            (json_int_t)row.results);
    return tally->json ? RT_OK : RT_NO_MEMORY;
}

static enum rt_status on_unit(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct gather *gather = ctx;
    struct rt_row_unit row;
    struct rt_object_unit object;
    (void)key;
    rt_arena_clear(&gather->arena);
    enum rt_status status = rt_outbox_read(rt_row_unit_schema(), value, &gather->arena, &row);
    if (!status)
        status = rt_object_unit_decode(row.object, &gather->arena, &object, NULL);
    struct tally *tally = status ? NULL : tally_of(gather, object.campaign.bytes);
    if (tally)
        tally->units++;
    return status;
}

static enum rt_status on_out(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct gather *gather = ctx;
    struct rt_row_out row;
    rt_arena_clear(&gather->arena);
    enum rt_status status = rt_outbox_read(rt_row_out_schema(), value, &gather->arena, &row);
    struct tally *tally = status ? NULL : tally_of(gather, row.campaign.bytes);
    if (tally && !row.parked)
        tally->waiting++;
    if (!tally || !row.parked)
        return status;
    tally->parked++;
    if (json_array_size(gather->parked) < PARKED_MOST) {
        char hex[2 * RT_DIGEST_BYTES + 1];
        rt_hex_encode(key.data, RT_DIGEST_BYTES, hex);
        json_array_append_new(
            gather->parked,
            json_pack("{s:s, s:s, s:o}", "statement", hex, "kind",
                      rt_statement_kind_word((enum rt_statement_kind)row.kind), "why",
                      text_json(row.why)));
    }
    return RT_OK;
}

static enum rt_status on_final(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct tally *tally = tally_of(ctx, key.data);
    (void)value;
    if (tally)
        tally->finals++;
    return RT_OK;
}

static enum rt_status gather_all(struct rt_outbox *outbox, struct gather *gather)
{
    static const struct {
        enum rt_table table;
        rt_ledger_visit_fn *visit;
    } visits[] = {{RT_TABLE_CAMPAIGN, on_campaign},
                  {RT_TABLE_UNIT, on_unit},
                  {RT_TABLE_OUT, on_out},
                  {RT_TABLE_FINAL, on_final}};
    for (size_t i = 0; i < sizeof visits / sizeof *visits; i++) {
        enum rt_status status = rt_ledger_each(outbox->ledger, visits[i].table, rt_bytes(NULL, 0),
                                               visits[i].visit, gather);
        if (status)
            return status;
    }
    return RT_OK;
}

// status.json, when the process that wrote it lives; else null.
static json_t *live_json(const char *state)
{
    char path[PATH_MAX];
    struct rt_buf text;
    json_t *json = NULL;
    rt_buf_init(&text, 1 << 20);
    // On a full disk the file is written over in place: a reader may meet it half done.
    for (int tries = 0; tries < 5 && !json; tries++) {
        rt_buf_clear(&text);
        if (rt_path_join(path, sizeof path, state, "status.json") ||
            rt_file_read(path, &text, NULL))
            break;
        if (rt_json_parse(rt_buf_bytes(&text), &json, NULL)) {
            json = NULL;
            nanosleep(&(struct timespec){0, 20000000}, NULL);
        }
    }
    rt_buf_release(&text);
    json_int_t pid = json_integer_value(json_object_get(json, "pid"));
    json_int_t time_ms = json_integer_value(json_object_get(json, "time_ms"));
    bool alive = pid > 0 && (!kill((pid_t)pid, 0) || errno == EPERM) &&
                 rt_time_wall_ms() - time_ms < STALE_MS;
    if (alive)
        return json;
    json_decref(json);
    return json_null();
}

static double hours(uint64_t gpu_ms)
{
    return (double)gpu_ms / RT_GPU_HOUR_MS;
}

static json_t *usage_json(const struct rt_usage *usage)
{
    return json_pack("{s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:f}", "trials_today",
                     (json_int_t)usage->trials_today, "tokens_today",
                     (json_int_t)usage->tokens_today, "requests_today",
                     (json_int_t)usage->requests_today, "gpu_hours_today",
                     hours(usage->gpu_today_ms), "trials_total", (json_int_t)usage->trials_total,
                     "tokens_total", (json_int_t)usage->tokens_total, "requests_total",
                     (json_int_t)usage->requests_total, "gpu_hours_total",
                     hours(usage->gpu_total_ms));
}

// What was donated, by campaign and subject; ones that ran out of the outbox have a digest only.
static json_t *donated_json(const struct gather *gather, struct rt_outbox *outbox, int64_t day)
{
    json_t *list = json_array();
    for (size_t i = 0; i < outbox->share_count; i++) {
        struct rt_outbox_share *share = &outbox->shares[i];
        char digest[RT_DIGEST_TEXT_BYTES];
        const char *name = NULL;
        rt_digest_format(&share->campaign, digest);
        rt_usage_roll(&share->usage, day);
        for (size_t t = 0; t < gather->count; t++)
            if (rt_digest_equal(&gather->tallies[t].digest, &share->campaign))
                name = json_string_value(json_object_get(gather->tallies[t].json, "campaign"));
        json_t *row = usage_json(&share->usage);
        json_object_set_new(row, "campaign", json_string(name ? name : digest));
        json_object_set_new(row, "digest", json_string(digest));
        json_object_set_new(row, "subject", json_string(share->subject));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *limits_json(const struct rt_lab_policy *policy)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "trials_today",
                     (json_int_t)policy->trials_per_day, "tokens_today",
                     (json_int_t)policy->tokens_per_day, "requests_today",
                     (json_int_t)policy->requests_per_day, "gpu_hours_today",
                     (json_int_t)policy->gpu_hours_per_day, "trials_total",
                     (json_int_t)policy->trials_total, "tokens_total",
                     (json_int_t)policy->tokens_total, "gpu_hours_total",
                     (json_int_t)policy->gpu_hours_total);
}

static json_t *status_json(const struct rt_home *home, struct rt_outbox *outbox,
                           struct gather *gather)
{
    json_t *campaigns = json_array();
    int64_t day = rt_care_local_day(home->config, rt_time_wall_ms());
    rt_usage_roll(&outbox->usage, day);
    json_t *donated = donated_json(gather, outbox, day);
    for (size_t i = 0; i < gather->count; i++) {
        struct tally *tally = &gather->tallies[i];
        json_object_set_new(tally->json, "units", json_integer((json_int_t)tally->units));
        json_object_set_new(tally->json, "waiting", json_integer((json_int_t)tally->waiting));
        json_object_set_new(tally->json, "parked", json_integer((json_int_t)tally->parked));
        json_object_set_new(tally->json, "trials", json_integer((json_int_t)tally->finals));
        json_array_append_new(campaigns, tally->json);
        tally->json = NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "lab", home->config->lab,
                     "state", home->state, "coordinator", home->invite->address, "campaigns",
                     campaigns, "parked", gather->parked, "usage", usage_json(&outbox->usage),
                     "limits", limits_json(&home->config->policy), "donated", donated, "running",
                     live_json(home->state));
}

static const char *word(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "";
}

static long long number(const json_t *json, const char *name)
{
    return (long long)json_integer_value(json_object_get(json, name));
}

// How the model behind each subject is known, and whether what serves it changed.
static void print_subjects(const json_t *campaigns)
{
    size_t c, i;
    const json_t *campaign, *row;
    json_array_foreach(campaigns, c, campaign)
    {
        json_array_foreach(json_object_get(campaign, "subjects"), i, row)
        {
            printf("%-12s subject %s: the model is %s%s%s\n", word(campaign, "campaign"),
                   word(row, "subject"), word(row, "identity"),
                   *word(row, "changed") ? "; changed: " : "", word(row, "changed"));
        }
    }
}

// "120 of 1000"; a limit of 0 is none.
static void print_used(const char *what, double used, long long limit, int digits)
{
    printf("  %.*f", digits, used);
    if (limit)
        printf(" of %lld", limit);
    printf(" %s", what);
}

static void print_usage_of(const json_t *usage, const json_t *limits, bool today)
{
    static const char *const keys[2][4] = {
        {"trials_total", "tokens_total", "requests_total", "gpu_hours_total"},
        {"trials_today", "tokens_today", "requests_today", "gpu_hours_today"}};
    static const char *const words[4] = {"trials", "tokens", "requests", "GPU hours"};
    for (int k = 0; k < 4; k++) {
        const char *key = keys[today][k];
        print_used(words[k], json_number_value(json_object_get(usage, key)),
                   limits ? number(limits, key) : 0, k == 3 ? 2 : 0);
    }
    printf("\n");
}

static void print_donated(const json_t *status)
{
    const json_t *usage = json_object_get(status, "usage");
    const json_t *limits = json_object_get(status, "limits"), *row;
    size_t i;
    printf("today      ");
    print_usage_of(usage, limits, true);
    printf("in all     ");
    print_usage_of(usage, limits, false);
    json_array_foreach(json_object_get(status, "donated"), i, row)
    {
        printf("  %.24s, %s\n    today    ", word(row, "campaign"), word(row, "subject"));
        print_usage_of(row, NULL, true);
        printf("    in all   ");
        print_usage_of(row, NULL, false);
    }
}

static void print_text(const json_t *status)
{
    const json_t *running = json_object_get(status, "running");
    printf("lab          %s\ncoordinator  %s\n", word(status, "lab"), word(status, "coordinator"));
    if (json_is_null(running))
        printf("worker       not running\n");
    else
        printf("worker       process %lld, %s%s%s, %lld trials running, %.1f a second\n"
               "policy       %s\n",
               number(running, "pid"),
               json_is_true(json_object_get(running, "welcomed")) ? "connected" : "not connected",
               *word(running, "why") ? ": " : "", word(running, "why"),
               number(running, "running"),
               json_number_value(json_object_get(running, "trials_per_second")),
               word(running, "policy"));
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(status, "campaigns"), i, row)
    {
        printf("%-12s campaign %s, lab %s: %lld trials done, %lld units in hand, %lld results "
               "receipted, %lld waiting, %lld parked\n",
               word(row, "campaign"), word(row, "state"), word(row, "stage"),
               number(row, "trials"), number(row, "units"), number(row, "receipted"),
               number(row, "waiting"), number(row, "parked"));
        if (*word(row, "held"))
            printf("             %s\n", word(row, "held"));
    }
    print_subjects(json_object_get(running, "campaigns"));
    print_donated(status);
    if (*word(running, "disk"))
        printf("disk         %s\n", word(running, "disk"));
    if (*word(running, "jobs"))
        printf("jobs         %s\n", word(running, "jobs"));
    json_array_foreach(json_object_get(status, "parked"), i, row)
        printf("parked       %s %.16s: %s\n", word(row, "kind"), word(row, "statement"),
               word(row, "why"));
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    static struct gather gather;
    char config[PATH_MAX];
    struct rt_home *home = NULL;
    struct rt_outbox *outbox = NULL;
    (void)operands;
    rt_arena_init(&gather.arena, ARENA_MOST);
    gather.parked = json_array();
    enum rt_status status = rt_lab_config_path(settings->state, config, err);
    if (!status)
        status = rt_home_open(config, RT_HOME_DOCUMENTS, NULL, &home, err);
    if (!status)
        status = rt_outbox_open(home->state, true, &outbox, err);
    if (!status && gather_all(outbox, &gather))
        status = rt_error_set(err, RT_CORRUPT, "%s/outbox.mdb is damaged", home->state);
    if (!status) {
        json_t *json = status_json(home, outbox, &gather);
        if (rt_globals.json)
            status = rt_print_json(json, err);
        else
            print_text(json);
        json_decref(json);
    }
    rt_outbox_free(outbox);
    rt_home_free(home);
    rt_arena_release(&gather.arena);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = NULL},
};

const struct rt_command rt_command_status = {
    .name = "status",
    .summary = "what this lab holds, waits for and has delivered",
    .operands = "",
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker status --json | jq .campaigns",
    .about = "Reads the outbox, whether or not a worker is running. Parked items are results that "
             "were refused, or lost with three connections: `resend` tries again. GPU hours count "
             "what servers of subjects with `gpus` (or jobs that ask for GPUs) held.",
};
