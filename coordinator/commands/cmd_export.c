// SPDX-License-Identifier: Apache-2.0
// `export`: a campaign's trials in other people's formats, from the store or from a bundle.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/json.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/may_see.h"
#include "coordinator/commands/state.h"
#include "coordinator/store/store.h"
#include "interop/export_table.h"

struct settings {
    const char *state, *bundle, *out;
};

typedef enum rt_status export_fn(struct rt_collected *collected, const char *folder,
                                 struct rt_export_sums *ret_sums, struct rt_error *err);

// The store as a source. A view lasts for one read: none may be open while files are written.
static enum rt_status store_leaf(void *ctx, uint64_t index, struct rt_buf *out)
{
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(ctx, &view, NULL);
    if (!status)
        status = rt_view_leaf(view, index, out);
    rt_view_end(view);
    return status;
}

static enum rt_status store_object(void *ctx, const struct rt_digest *digest, struct rt_buf *out)
{
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(ctx, &view, NULL);
    if (!status)
        status = rt_view_object(view, digest, out);
    rt_view_end(view);
    return status;
}

static enum rt_status open_store(const struct settings *settings, const char *campaign,
                                 struct rt_store **ret_store, struct rt_interop_source *ret_source,
                                 struct rt_error *err)
{
    struct rt_state state;
    struct rt_view *view = NULL;
    struct rt_store_head head;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_store_open(state.store, RT_STORE_READ, NULL, ret_store, err);
    if (!status)
        status = rt_may_see(&state, *ret_store, campaign, false, err);
    if (!status)
        status = rt_view_begin(*ret_store, &view, err);
    if (status)
        return status;
    rt_view_head(view, &head);
    rt_view_end(view);
    *ret_source = (struct rt_interop_source){*ret_store, head.size, store_leaf, store_object};
    return RT_OK;
}

static enum rt_status say(const struct rt_collected *collected, const struct settings *settings,
                          const struct rt_export_sums *sums, struct rt_error *err)
{
    if (rt_globals.json) {
        json_t *json =
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "campaign", collected->campaign->id, "out",
                      settings->out, "logs", (json_int_t)sums->logs, "trials",
                      (json_int_t)sums->trials, "with_transcript",
                      (json_int_t)sums->with_transcript, "kept_away", (json_int_t)sums->kept_away);
        struct rt_buf out;
        rt_buf_init(&out, 65536);
        enum rt_status status = json ? rt_json_write_pretty(json, &out) : RT_NO_MEMORY;
        fputs(rt_buf_str(&out), stdout);
        rt_buf_release(&out);
        json_decref(json);
        return status ? rt_error_set(err, status, "printing the result") : RT_OK;
    }
    if (rt_globals.quiet)
        return RT_OK;
    printf("%s: %" PRIu64 " trials of %" PRIu64 " planned, in %s\n", collected->campaign->id,
           sums->trials, collected->planned, settings->out);
    if (sums->logs)
        printf("%" PRIu64 " logs, each as .json and .eval\n", sums->logs);
    if (sums->kept_away)
        printf("%" PRIu64 " trials without transcript: their labs keep them, or they are sealed; "
               "exported with outcome only\n",
               sums->kept_away);
    return RT_OK;
}

static enum rt_status run(const struct settings *settings, const struct rt_text_list *operands,
                          export_fn *export, struct rt_error *err)
{
    struct rt_interop_source source;
    struct rt_bundle_source bundle;
    struct rt_store *store = NULL;
    struct rt_collected *collected = NULL;
    struct rt_export_sums sums = {0};
    const char *name = operands->count ? operands->items[0] : NULL;
    if (!name == !settings->bundle)
        return rt_error_set(err, RT_USAGE, "name a campaign, or a bundle with --bundle DIR");
    enum rt_status status = settings->bundle
                                ? rt_bundle_source_open(settings->bundle, &bundle, &source, err)
                                : open_store(settings, name, &store, &source, err);
    if (!status)
        status = rt_collect(&source, name, &collected, err);
    if (!status)
        status = export(collected, settings->out, &sums, err);
    if (!status)
        status = say(collected, settings, &sums, err);
    rt_collected_free(collected);
    if (settings->bundle)
        rt_bundle_source_close(&bundle);
    else
        rt_store_close(store);
    return status;
}

static enum rt_status run_inspect(const void *place, const struct rt_text_list *operands,
                                  struct rt_error *err)
{
    return run(place, operands, rt_inspect_export, err);
}

static enum rt_status run_jsonl(const void *place, const struct rt_text_list *operands,
                                struct rt_error *err)
{
    return run(place, operands, rt_jsonl_export, err);
}

static enum rt_status run_csv(const void *place, const struct rt_text_list *operands,
                              struct rt_error *err)
{
    return run(place, operands, rt_csv_export, err);
}

static const struct rt_option options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "bundle",
     .letter = 'b',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, bundle),
     .value_name = "DIR",
     .help = "Read this bundle instead of the store (check it with ringtrial-audit verify first)."},
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "DIR",
     .help = "The folder for the files; made if need be.",
     .required = true},
    {0}};

#define EXPORT_COMMAND(word, line, function)                                                       \
    {                                                                                              \
        .name = "export " word, .summary = line, .operands = "[CAMPAIGN]", .operands_most = 1,     \
        .options = options, .settings_size = sizeof(struct settings), .run = function,             \
        .example = "ringtrial-coordinator export " word " shutdown-2026q4 --out exported\n"        \
                   "ringtrial-coordinator export " word                                            \
                   " --bundle shutdown-2026q4.bundle --out exported",                              \
        .about = "Reads the log in one snapshot, beside the running coordinator or without it, "   \
                 "and takes of each trial the result that counts. Transcripts that their labs "    \
                 "keep, or that are sealed, are left out, and how many is said.",                  \
    }

const struct rt_command rt_command_export_inspect = EXPORT_COMMAND(
    "inspect",
    "Write trials as Inspect logs (.json and .eval), one a lab, subject and temperature.",
    run_inspect);
const struct rt_command rt_command_export_jsonl =
    EXPORT_COMMAND("jsonl", "Write trials as trials.jsonl, one a line.", run_jsonl);
const struct rt_command rt_command_export_csv =
    EXPORT_COMMAND("csv", "Write counts as cells.csv, one row a cell.", run_csv);
