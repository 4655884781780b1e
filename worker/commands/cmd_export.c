// SPDX-License-Identifier: Apache-2.0
// `export inspect`: a lab's own trials of one campaign as Inspect logs, with the transcripts that
// its vault holds, whatever the campaign lets leave the lab.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "interop/inspect_log.h"
#include "worker/commands/commands.h"
#include "worker/local.h"

struct settings {
    const char *state, *out;
};

struct own {
    struct rt_local *local;
    struct rt_collected collected;
    struct rt_row_trial *rows; // lists in arena
    size_t count, room;
    struct rt_arena arena;
};

static enum rt_status on_trial(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct own *own = ctx;
    (void)key;
    if (own->count == own->room) {
        size_t room = own->room ? 2 * own->room : 256;
        struct rt_row_trial *grown = realloc(own->rows, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        own->rows = grown;
        own->room = room;
    }
    struct rt_bytes copy = rt_arena_bytes(&own->arena, value);
    if (!copy.data)
        return RT_NO_MEMORY;
    return rt_outbox_read(rt_row_trial_schema(), copy, &own->arena, &own->rows[own->count++]);
}

static void place_of(const void *ctx, size_t i, uint32_t *ret_lab, struct rt_trial *ret_trial)
{
    const struct own *own = ctx;
    *ret_lab = own->local->lab;
    RT_ASSERT(rt_trial_of(own->local->campaign, own->rows[i].result[0].number, ret_trial) == RT_OK);
}

static enum rt_status trial_of(void *ctx, size_t i, bool with_transcript, struct rt_arena *arena,
                               struct rt_interop_trial *ret_trial, struct rt_error *err)
{
    struct own *own = ctx;
    const struct rt_row_trial *row = &own->rows[i];
    struct rt_trial place;
    uint32_t lab;
    place_of(own, i, &lab, &place);
    rt_collected_fill(&own->collected, lab, place, &row->result[0], ret_trial);
    ret_trial->started_ms = row->started_ms;
    ret_trial->finished_ms = row->finished_ms;
    ret_trial->fingerprint = row->fingerprint;
    ret_trial->unit = row->unit;
    if (!with_transcript || !rt_interop_has_commitment(ret_trial))
        return RT_OK;
    struct rt_buf object;
    rt_buf_init(&object, RT_VAULT_OBJECT_MOST);
    enum rt_status status =
        rt_ledger_object(own->local->outbox->ledger, &ret_trial->commitment, &object, err);
    if (!status && (status = rt_interop_open_transcript(rt_buf_bytes(&object), arena, ret_trial)))
        rt_error_set(err, status, "trial %llu: its transcript: %s",
                     (unsigned long long)ret_trial->number, rt_status_text(status));
    rt_buf_release(&object);
    return status == RT_NOT_FOUND ? RT_OK : status; // let go after its time
}

// Numbers outside the design cannot come out of our own outbox; a damaged one is said, not
// asserted.
static enum rt_status check(const struct own *own, struct rt_error *err)
{
    for (size_t i = 0; i < own->count; i++) {
        struct rt_trial place;
        if (rt_trial_of(own->local->campaign, own->rows[i].result[0].number, &place))
            return rt_error_set(err, RT_CORRUPT, "the outbox has a trial the design has not");
    }
    return RT_OK;
}

static enum rt_status say(const struct own *own, const struct settings *settings,
                          const struct rt_export_sums *sums, struct rt_error *err)
{
    if (rt_globals.json) {
        json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:I}", "campaign", own->local->name, "out",
                                 settings->out, "logs", (json_int_t)sums->logs, "trials",
                                 (json_int_t)sums->trials, "with_transcript",
                                 (json_int_t)sums->with_transcript);
        enum rt_status status = rt_print_json(json, err);
        json_decref(json);
        return status;
    }
    if (!rt_globals.quiet)
        printf("%s: %llu trials, %llu with transcript, in %llu logs in %s\n", own->local->name,
               (unsigned long long)sums->trials, (unsigned long long)sums->with_transcript,
               (unsigned long long)sums->logs, settings->out);
    return RT_OK;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct own own = {.local = NULL};
    struct rt_export_sums sums;
    char path[PATH_MAX];
    rt_arena_init(&own.arena, (size_t)4 << 30);
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_local_open(path, operands->count ? operands->items[0] : NULL,
                               RT_LOCAL_DOCUMENTS, &own.local, err);
    if (!status && (status = rt_ledger_each(own.local->outbox->ledger, RT_TABLE_FINAL,
                                            rt_bytes(own.local->digest.bytes, RT_DIGEST_BYTES),
                                            on_trial, &own)))
        rt_error_set(err, status, "%s/outbox.mdb: %s", own.local->home->state,
                     rt_status_text(status));
    if (!status)
        status = check(&own, err);
    if (!status) {
        own.collected = (struct rt_collected){.campaign = own.local->campaign,
                                              .scenarios = own.local->scenarios,
                                              .draw = own.local->draw,
                                              .started_ms = own.count ? own.rows[0].started_ms : 0,
                                              .trial_count = own.count,
                                              .planned = own.local->plan.count,
                                              .ctx = &own,
                                              .trial = trial_of,
                                              .place = place_of};
        status = rt_inspect_export(&own.collected, settings->out, &sums, err);
    }
    if (!status)
        status = say(&own, settings, &sums, err);
    free(own.rows);
    rt_arena_release(&own.arena);
    rt_local_free(own.local);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "DIR",
     .help = "The folder for the logs; made if need be.",
     .required = true},
    {.name = NULL},
};

const struct rt_command rt_command_export = {
    .name = "export inspect",
    .summary = "Write this lab's own trials as Inspect logs, with the transcripts it keeps.",
    .operands = "[CAMPAIGN]",
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker export inspect demo-shutdown --out logs",
    .about = "One log a subject and temperature, as .json and as .eval. They hold what the vault "
             "holds: mind who may read them."};
