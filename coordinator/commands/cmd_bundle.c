// SPDX-License-Identifier: Apache-2.0
// `bundle`: everything an auditor needs to check one campaign, as a folder.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "coordinator/bundle.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/documents.h"
#include "coordinator/commands/state.h"
#include "coordinator/cosigned.h"
#include "coordinator/publish.h"

struct settings {
    const char *state, *out, *key, *whom;
    struct rt_text_list redact;
};

static enum rt_status load_keys(const struct settings *settings, const struct rt_state *state,
                                struct rt_secret_key **ret_log, struct rt_secret_key **ret_signer,
                                struct rt_error *err)
{
    enum rt_status status = rt_state_key(state, "log", ret_log, err);
    if (status)
        return status;
    return settings->key ? rt_state_key_at(settings->key, ret_signer, err)
                         : rt_state_key(state, "operator", ret_signer, err);
}

static enum rt_status read_redaction(const struct settings *settings,
                                     struct rt_bundle_redaction *ret, struct rt_error *err)
{
    *ret = (struct rt_bundle_redaction){.scenarios = false};
    for (size_t i = 0; i < settings->redact.count; i++) {
        if (strcmp(settings->redact.items[i], "scenarios") == 0)
            ret->scenarios = true;
        else if (strcmp(settings->redact.items[i], "evidence") == 0)
            ret->evidence = true;
        else
            return rt_error_set(err, RT_USAGE, "--redact is `scenarios` or `evidence`, not %s",
                                settings->redact.items[i]);
    }
    return RT_OK;
}

// The roster in force says whose cosignatures are taken.
static enum rt_status read_cosigners(struct rt_store *store, struct rt_buf *object,
                                     struct rt_arena *arena, struct rt_bundle_keys *keys,
                                     struct rt_error *err)
{
    struct rt_roster *roster = NULL;
    rt_arena_init(arena, (size_t)64 << 20);
    rt_buf_init(object, RT_PAYLOAD_MOST);
    enum rt_status status = rt_documents_roster(store, object, arena, &roster, err);
    keys->roster = roster;
    return status;
}

static enum rt_status write_bundle(const struct settings *settings, const struct rt_state *state,
                                   struct rt_bundle_keys *keys, const char *name,
                                   struct rt_error *err)
{
    char cosigned[RT_STATE_PATH_BYTES];
    struct rt_arena arena;
    struct rt_buf object;
    struct rt_store *store = NULL;
    struct rt_campaign_report report;
    struct rt_bundle_sums sums = {0};
    struct rt_bundle_redaction redaction;
    enum rt_status status = read_redaction(settings, &redaction, err);
    if (!status)
        status = rt_store_open(state->store, RT_STORE_READ, NULL, &store, err);
    if (status)
        return status;
    report = (struct rt_campaign_report){.campaign = NULL};
    status = read_cosigners(store, &object, &arena, keys, err);
    if (!status && rt_path_join(cosigned, sizeof cosigned, state->folder, RT_COSIGNED_FOLDER))
        status = rt_error_set(err, RT_TOO_LARGE, "%s: path too long", state->folder);
    keys->cosigned = cosigned;
    if (!status)
        status = rt_campaign_report_make(store, name, &report, err);
    if (!status)
        status = rt_publish_check(&report, settings->whom, rt_time_wall_ms(), err);
    if (!status)
        status = rt_campaign_bundle_write(store, &report, keys, &redaction, settings->out, &sums,
                                          err);
    if (!status && sums.redacted && !rt_globals.quiet)
        printf("%" PRIu64 " objects were left out, as redacted.txt says\n", sums.redacted);
    if (!status && !rt_globals.quiet)
        printf("%s: %" PRIu64 " leaves, %" PRIu64 " objects, %" PRIu64 " files, %.1f MB\n"
               "check it with: ringtrial-audit verify %s\n",
               settings->out, sums.leaves, sums.objects, sums.files, (double)sums.bytes / 1e6,
               settings->out);
    rt_campaign_report_release(&report);
    rt_store_close(store);
    rt_buf_release(&object);
    rt_arena_release(&arena);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_state state;
    struct rt_secret_key *log = NULL, *signer = NULL;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = load_keys(settings, &state, &log, &signer, err);
    if (!status) {
        struct rt_bundle_keys keys = {.log = log, .signer = signer};
        status = write_bundle(settings, &state, &keys, operands->items[0], err);
    }
    rt_secret_key_free(log);
    rt_secret_key_free(signer);
    return status;
}

static const struct rt_option options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "DIR",
     .help = "The folder to make; it must not be there yet.",
     .required = true},
    {.name = "for",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, whom),
     .value_name = "ORG",
     .help = "Whom it is for (default everybody, who must wait for embargoes to end)."},
    {.name = "redact",
     .kind = RT_OPTION_LIST,
     .offset = offsetof(struct settings, redact),
     .value_name = "WHAT",
     .help = "Leave out `scenarios` or `evidence`; may be given twice."},
    {.name = "key",
     .letter = 'k',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, key),
     .value_name = "FILE",
     .help = "The operator's key for the manifest (default STATE/keys/operator.key)."},
    {0}};

const struct rt_command rt_command_bundle = {
    .name = "bundle",
    .summary = "Write a campaign's evidence as a folder that anybody can check offline.",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-coordinator bundle shutdown-2026q4 --out shutdown-2026q4.bundle",
    .about = "The folder holds the whole log up to now in C2SP tlog-tiles layout under a signed "
             "checkpoint, every object that the campaign and the rosters name, the report as JSON "
             "and HTML, and a manifest that sha256sum and minisign check. It may be written while "
             "the coordinator runs, and before a campaign has closed.",
};
