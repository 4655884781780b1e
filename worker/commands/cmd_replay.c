// SPDX-License-Identifier: Apache-2.0
// `replay`: stored transcripts through engine and scorer again. A different outcome means that the
// program, the scenario or the store is not what it was.
#include <limits.h>
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "engine/play.h"
#include "engine/score.h"
#include "worker/commands/commands.h"
#include "worker/local.h"

#define DIFFERENCES_SHOWN 20

struct settings {
    const char *state, *trial, *campaign;
    bool print;
};

struct replay {
    struct rt_local *local;
    bool all, print;
    uint64_t trial;
    uint64_t run, without, different;
    struct rt_error *err;
};

static bool same_score(const struct rt_trial_result *stored, const struct rt_score *score)
{
    return stored->status == score->status && stored->error == score->error &&
           stored->outcome == score->outcome && stored->severity == score->severity &&
           stored->score_micro == score->score_micro;
}

static void differ(struct replay *replay, const struct rt_trial_result *stored, const char *what)
{
    replay->different++;
    if (replay->different <= DIFFERENCES_SHOWN)
        printf("trial %llu: %s\n", (unsigned long long)stored->number, what);
}

// The transcript decoded; its bytes live in arena.
static enum rt_status read_transcript(struct replay *replay, const struct rt_digest *digest,
                                      struct rt_arena *arena, struct rt_transcript *ret_transcript)
{
    struct rt_buf object;
    rt_buf_init(&object, RT_VAULT_OBJECT_MOST);
    enum rt_status status =
        rt_ledger_object(replay->local->outbox->ledger, digest, &object, replay->err);
    struct rt_bytes plain = {NULL, 0};
    if (!status && object.size > RT_TRANSCRIPT_SALT_BYTES)
        plain = rt_arena_bytes(arena, rt_bytes(object.data + RT_TRANSCRIPT_SALT_BYTES,
                                               object.size - RT_TRANSCRIPT_SALT_BYTES));
    rt_buf_release(&object);
    const char *reason = "";
    if (!status)
        status = rt_transcript_decode(plain, arena, ret_transcript, &reason);
    if (status && plain.data) // else the vault has said what it is
        rt_error_set(replay->err, status, "%s",
                     reason && *reason ? reason : rt_status_text(status));
    return status;
}

static void replay_trial(struct replay *replay, const struct rt_trial_result *stored,
                         struct rt_arena *arena)
{
    struct rt_transcript transcript;
    struct rt_local_trial trial;
    struct rt_score score;
    char text[400];
    size_t at = 0;
    const struct rt_campaign *campaign = replay->local->campaign;
    enum rt_status status = read_transcript(replay, &stored->transcript, arena, &transcript);
    // The vault says why: purged, sealed under another key, damaged.
    const char *why = status && replay->err ? replay->err->text : rt_status_text(status);
    if (!status) {
        status = rt_local_trial(replay->local, stored->number, &trial);
        why = rt_status_text(status);
    }
    if (status) {
        snprintf(text, sizeof text, "its transcript cannot be read: %.360s", why);
        differ(replay, stored, text);
        return;
    }
    if (replay->print) {
        struct rt_buf out;
        rt_buf_init(&out, (size_t)64 << 20);
        rt_transcript_print(&transcript, 0, &out);
        printf("# trial %llu\n%s", (unsigned long long)stored->number, rt_buf_str(&out));
        rt_buf_release(&out);
    }
    replay->run++;
    status = rt_play_replay(trial.scenario, &transcript, &at);
    if (status) {
        snprintf(text, sizeof text, "the engine goes another way at entry %zu (%s)", at,
                 rt_status_text(status));
        differ(replay, stored, text);
        return;
    }
    status = rt_score(trial.scenario, campaign->labels, campaign->label_count, &transcript,
                      &score);
    if (status || !same_score(stored, &score)) {
        snprintf(text, sizeof text, "stored %s/%s, replayed %s/%s",
                 rt_trial_status_words[stored->status],
                 stored->outcome < campaign->label_count ? campaign->labels[stored->outcome].id
                                                         : "?",
                 status ? rt_status_text(status) : rt_trial_status_words[score.status],
                 status ? "?" : campaign->labels[score.outcome].id);
        differ(replay, stored, text);
    }
}

static enum rt_status on_trial(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct replay *replay = ctx;
    struct rt_row_trial row;
    struct rt_arena arena;
    static const struct rt_digest none;
    (void)key;
    rt_arena_init(&arena, (size_t)256 << 20);
    enum rt_status status = rt_outbox_read(rt_row_trial_schema(), value, &arena, &row);
    if (!status && (replay->all || row.result[0].number == replay->trial)) {
        if (rt_digest_equal(&row.result[0].transcript, &none))
            replay->without++;
        else
            replay_trial(replay, &row.result[0], &arena);
    }
    rt_arena_release(&arena);
    return status;
}

static enum rt_status finish(const struct replay *replay, struct rt_error *err)
{
    if (rt_globals.json) {
        json_t *json = json_pack("{s:s, s:I, s:I, s:I}", "campaign", replay->local->name,
                                 "replayed", (json_int_t)replay->run, "without_transcript",
                                 (json_int_t)replay->without, "different",
                                 (json_int_t)replay->different);
        enum rt_status status = rt_print_json(json, err);
        json_decref(json);
        if (status)
            return status;
    } else if (!rt_globals.quiet) {
        printf("%s: %llu transcripts replayed, %llu different\n", replay->local->name,
               (unsigned long long)replay->run, (unsigned long long)replay->different);
    }
    if (replay->different)
        return rt_error_set(err, RT_CHECK_FAILED, "%llu trials do not reach the same outcome",
                            (unsigned long long)replay->different);
    if (!replay->run && !replay->all)
        return rt_error_set(err, RT_NOT_FOUND, "no transcript of trial %llu here",
                            (unsigned long long)replay->trial);
    return RT_OK;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    char path[PATH_MAX];
    struct replay replay = {.all = !settings->trial || !strcmp(settings->trial, "all"),
                            .print = settings->print,
                            .err = err};
    if (!replay.all && rt_parse_u64(settings->trial, &replay.trial))
        return rt_error_set(err, RT_USAGE, "--trial takes a number or `all`");
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_local_open(path, operands->count ? operands->items[0] : NULL,
                               RT_LOCAL_DOCUMENTS, &replay.local, err);
    if (status)
        return status;
    status = rt_ledger_each(replay.local->outbox->ledger, RT_TABLE_FINAL,
                            rt_bytes(replay.local->digest.bytes, RT_DIGEST_BYTES), on_trial,
                            &replay);
    status = status ? rt_error_set(err, status, "%s/outbox.mdb: %s", replay.local->home->state,
                                   rt_status_text(status))
                    : finish(&replay, err);
    rt_local_free(replay.local);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "trial",
     .letter = 't',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, trial),
     .value_name = "N|all",
     .help = "Which trial (default all)."},
    {.name = "print",
     .letter = 'p',
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, print),
     .help = "Print the transcripts."},
    {.name = NULL},
};

const struct rt_command rt_command_replay = {
    .name = "replay",
    .summary = "run stored transcripts through engine and scorer again (exit 1: a difference)",
    .operands = "[CAMPAIGN]",
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker replay demo-shutdown --trial all\n"
               "ringtrial-worker replay --trial 17 --print",
    .about = "Needs no model: the recorded replies are played through the scenario again and "
             "scored again, and must reach the recorded outcome.",
};
