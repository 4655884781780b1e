// SPDX-License-Identifier: Apache-2.0
// `vault list`, `vault purge`, `vault export`: which transcripts are kept, for whom, what goes
// when, and all of a campaign as files.
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "worker/care/retention.h"
#include "worker/commands/commands.h"
#include "worker/home.h"
#include "worker/inbox.h"
#include "worker/ledger.h"
#include "worker/rating/desk.h"

struct settings {
    const char *state;
    bool dry_run;
};

static enum rt_status make_plan(const struct rt_home *home, struct rt_outbox *outbox,
                                struct rt_retention_settings *ret_settings,
                                struct rt_retention **ret_plan, struct rt_error *err)
{
    *ret_settings = (struct rt_retention_settings){
        .state = home->state, .keep_ms = home->config->policy.keep_ms, .now_ms = rt_time_wall_ms()};
    return rt_retention_plan(outbox, ret_settings, ret_plan, err);
}

static void names_of(const struct rt_retention *plan, uint64_t campaigns, struct rt_buf *out)
{
    for (size_t c = 0; c < plan->campaign_count; c++)
        if (campaigns >> c & 1)
            rt_buf_printf(out, "%s%s", out->size ? ", " : "", plan->campaigns[c].name);
}

// Why a pack stays, or that it goes.
static const char *fate(const struct rt_retention_pack *pack, int64_t keep_ms)
{
    if (pack->purge)
        return "goes";
    if (pack->needed_by)
        return "needed: not over";
    if (pack->in_hand)
        return "needed: in hand";
    return keep_ms ? "not old enough" : "kept for ever";
}

static json_t *plan_json(const struct rt_retention *plan, int64_t keep_ms)
{
    json_t *packs = json_array();
    for (size_t i = 0; i < plan->pack_count; i++) {
        const struct rt_retention_pack *pack = &plan->packs[i];
        json_t *names = json_array();
        char written[RT_STAMP_BYTES];
        rt_stamp_format(pack->info.written_ms, written);
        for (size_t c = 0; c < plan->campaign_count; c++)
            if (pack->campaigns >> c & 1)
                json_array_append_new(names, json_string(plan->campaigns[c].name));
        json_array_append_new(packs,
                              json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:b, s:o, s:s}",
                                        "pack", (json_int_t)pack->info.pack, "bytes",
                                        (json_int_t)pack->info.size_bytes, "records",
                                        (json_int_t)pack->info.records, "sealed",
                                        (json_int_t)pack->info.sealed, "object_bytes",
                                        (json_int_t)pack->info.object_bytes, "written", written,
                                        "purge", (int)pack->purge, "torn", (int)pack->info.torn,
                                        "campaigns", names, "fate", fate(pack, keep_ms)));
    }
    return json_pack("{s:I, s:I, s:I, s:o}", "keep_ms", (json_int_t)keep_ms, "purge_packs",
                     (json_int_t)plan->purge_count, "purge_bytes", (json_int_t)plan->purge_bytes,
                     "packs", packs);
}

static void print_plan(const struct rt_retention *plan, int64_t keep_ms)
{
    char keep[32] = "for ever";
    if (keep_ms)
        rt_duration_format(keep_ms, keep);
    printf("kept         %s after a campaign is over (policy.transcripts.keep)\n", keep);
    if (plan->pack_count)
        printf("%-6s %9s %9s %10s  %-20s %-17s %s\n", "pack", "records", "encrypted", "KiB",
               "last written", "", "campaigns");
    for (size_t i = 0; i < plan->pack_count; i++) {
        const struct rt_retention_pack *pack = &plan->packs[i];
        char written[RT_STAMP_BYTES];
        struct rt_buf names;
        rt_buf_init(&names, 1 << 16);
        names_of(plan, pack->campaigns, &names);
        rt_stamp_format(pack->info.written_ms, written);
        printf("%-6" PRIu64 " %9" PRIu64 " %9" PRIu64 " %10" PRIu64 "  %.16sZ    %-17s %s\n",
               pack->info.pack, pack->info.records, pack->info.sealed,
               (pack->info.size_bytes + 1023) / 1024, written, fate(pack, keep_ms),
               names.size ? rt_buf_str(&names) : "-");
        rt_buf_release(&names);
    }
    printf("to go        %" PRIu64 " packs, %" PRIu64 " KiB\n", plan->purge_count,
           (plan->purge_bytes + 1023) / 1024);
}

static enum rt_status show(const struct rt_home *home, struct rt_outbox *outbox,
                           struct rt_error *err)
{
    struct rt_retention_settings settings;
    struct rt_retention *plan = NULL;
    enum rt_status status = make_plan(home, outbox, &settings, &plan, err);
    if (status)
        return status;
    if (rt_globals.json) {
        json_t *json = plan_json(plan, settings.keep_ms);
        status = rt_print_json(json, err);
        json_decref(json);
    } else {
        print_plan(plan, settings.keep_ms);
    }
    rt_retention_free(plan);
    return status;
}

static enum rt_status open_home(const struct settings *settings, struct rt_home **ret_home,
                                struct rt_error *err)
{
    char path[PATH_MAX];
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    return status ? status : rt_home_open(path, RT_HOME_PLAIN, NULL, ret_home, err);
}

static enum rt_status list(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    struct rt_home *home = NULL;
    struct rt_outbox *outbox = NULL;
    (void)operands;
    enum rt_status status = open_home(place, &home, err);
    if (!status)
        status = rt_outbox_open(home->state, true, &outbox, err);
    if (!status)
        status = show(home, outbox, err);
    rt_outbox_free(outbox);
    rt_home_free(home);
    return status;
}

static const struct rt_option list_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = NULL},
};

const struct rt_command rt_command_vault_list = {
    .name = "vault list",
    .summary = "which transcripts are kept, how, for whom, and what may go",
    .operands = "",
    .options = list_options,
    .settings_size = sizeof(struct settings),
    .run = list,
    .example = "ringtrial-worker vault list",
    .about = "Transcripts lie in packs of up to 64 MiB. A pack goes when its last record is older "
             "than policy.transcripts.keep and every campaign in it is over for this lab, with "
             "the receipt of its close or withdrawal here and nothing waiting to be sent.",
};

// ---- purge

// A worker that runs has the outbox: it is asked to look now.
static enum rt_status ask(const struct rt_home *home, struct rt_error *err)
{
    struct rt_inbox_request request = {home->config->lab, "purge", "vault purge"};
    enum rt_status status = rt_inbox_put(home->state, &request, err);
    if (!status && !rt_globals.quiet)
        printf("the running worker looks for what may go; see vault-purged.jsonl in %s\n",
               home->state);
    return status;
}

static enum rt_status purge_here(const struct rt_home *home, struct rt_error *err)
{
    struct rt_outbox *outbox = NULL;
    struct rt_retention_settings settings;
    struct rt_retention *plan = NULL;
    enum rt_status status = rt_outbox_open(home->state, false, &outbox, err);
    if (!status)
        status = make_plan(home, outbox, &settings, &plan, err);
    if (!status)
        status = rt_retention_purge(outbox, plan, &settings, err);
    if (!status && rt_globals.json) {
        json_t *json = plan_json(plan, settings.keep_ms);
        status = rt_print_json(json, err);
        json_decref(json);
    } else if (!status && !rt_globals.quiet) {
        printf("purged       %" PRIu64 " packs, %" PRIu64 " KiB\n", plan->purge_count,
               (plan->purge_bytes + 1023) / 1024);
    }
    rt_retention_free(plan);
    rt_outbox_free(outbox);
    return status;
}

static enum rt_status purge(const void *place, const struct rt_text_list *operands,
                            struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_home *home = NULL;
    int lock = -1;
    if (settings->dry_run)
        return list(place, operands, err);
    enum rt_status status = open_home(settings, &home, err);
    if (!status)
        status = rt_state_lock(home->state, &lock, err);
    if (status == RT_BUSY)
        status = ask(home, err);
    else if (!status)
        status = purge_here(home, err);
    if (lock >= 0)
        close(lock);
    rt_home_free(home);
    return status;
}

static const struct rt_option purge_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "dry-run",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, dry_run),
     .help = "Show what would go, and why the rest stays."},
    {.name = NULL},
};

const struct rt_command rt_command_vault_purge = {
    .name = "vault purge",
    .summary = "delete the transcripts that policy keeps no longer",
    .operands = "",
    .options = purge_options,
    .settings_size = sizeof(struct settings),
    .run = purge,
    .example = "ringtrial-worker vault purge --dry-run",
    .about = "A running worker does this by itself, once an hour. Results, receipts and "
             "commitments stay; a purged transcript can no longer be opened on request or "
             "replayed. What went is written to STATE/vault-purged.jsonl.",
};

// ---- export

struct export_settings {
    const char *state, *out;
};

// DIR/DIGEST, the salt and the plaintext: the digest of the file is its name, and the commitment in
// the trial's result. What is there already is what it says, or rescore will find out.
static enum rt_status export_one(const struct rt_desk *desk, const struct rt_digest *digest,
                                 const char *folder, struct rt_error *err)
{
    char hex[2 * RT_DIGEST_BYTES + 1], path[PATH_MAX];
    struct rt_buf object;
    rt_hex_encode(digest->bytes, RT_DIGEST_BYTES, hex);
    enum rt_status status = rt_path_join(path, sizeof path, folder, hex);
    if (status)
        return rt_error_set(err, status, "%s: %s", folder, rt_status_text(status));
    if (rt_file_exists(path))
        return RT_OK;
    rt_buf_init(&object, RT_VAULT_OBJECT_MOST);
    status = rt_ledger_object(desk->local->outbox->ledger, digest, &object, err);
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&object), 0600, err);
    rt_buf_release(&object);
    return status;
}

static enum rt_status export(const void *place, const struct rt_text_list *operands,
                             struct rt_error *err) {
    const struct export_settings *settings = place; char path[PATH_MAX]; struct rt_desk desk;
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_desk_open(path, operands->count ? operands->items[0] : NULL, &desk, err);
    if (status) return status;
    if (!rt_file_exists(settings->out)) status = rt_file_mkdir(settings->out, 0700, err);
    for (size_t i = 0; i < desk.count && !status; i++)
        status = export_one(&desk, &desk.trials[i].result.transcript, settings->out, err);
    if (!status && !rt_globals.quiet)
        printf("%s: %zu transcripts in %s\n", desk.local->name, desk.count, settings->out);
    rt_desk_release(&desk);
    return status;
}

static const struct rt_option export_options[] = {
    RT_LAB_OPTION(struct export_settings),
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct export_settings, out),
     .value_name = "FOLDER",
     .help = "Where the files go; made if need be, readable by its owner alone.",
     .required = true},
    {.name = NULL},
};

const struct rt_command rt_command_vault_export = {
    .name = "vault export",
    .summary = "write a campaign's transcripts as files named by their digests",
    .operands = "[CAMPAIGN]",
    .operands_most = 1,
    .options = export_options,
    .settings_size = sizeof(struct export_settings),
    .run = export,
    .example = "ringtrial-worker vault export demo-shutdown --out ./transcripts",
    .about = "Each file is the salt and the plaintext, decrypted: what the trial's result commits "
             "to. They are for this lab (`rescore ./transcripts --rules BENCH`); a campaign's "
             "disclosure rules say what may leave it.",
};

// ---- resend

static enum rt_status resend(const void *place, const struct rt_text_list *operands,
                             struct rt_error *err)
{
    struct rt_home *home = NULL;
    (void)operands;
    enum rt_status status = open_home(place, &home, err);
    struct rt_inbox_request request = {"", "resend", "resend"};
    if (!status) {
        request.campaign = home->config->lab;
        status = rt_inbox_put(home->state, &request, err);
    }
    if (!status && !rt_globals.quiet)
        printf("resend: the worker carries it out, now or at its next start\n");
    rt_home_free(home);
    return status;
}

const struct rt_command rt_command_resend = {
    .name = "resend",
    .summary = "send once more what is parked",
    .operands = "",
    .options = list_options,
    .settings_size = sizeof(struct settings),
    .run = resend,
    .example = "ringtrial-worker resend",
    .about = "Parked are results that the coordinator refused, or that went down with three "
             "connections (those are sent again by themselves at the next start and before a "
             "campaign ends). `status` shows them.",
};
