// SPDX-License-Identifier: Apache-2.0
// `rescore`: a changed rule set over the transcripts this lab keeps, and what moved. Needs no
// model. With --submit the labels go out as a rating by that rule set; results stay as they are.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "engine/score.h"
#include "proto/bench.h"
#include "worker/commands/commands.h"
#include "worker/rating/desk.h"

#define EXAMPLES   3
#define MOVES_MOST 4096

struct settings {
    const char *state, *rules;
    bool submit;
};

// From one label (or status) to another, in one scenario and arm.
struct move {
    const char *scenario, *arm, *from, *to;
    uint64_t count;
    uint64_t examples[EXAMPLES];
};

struct rescore {
    const struct settings *settings;
    struct rt_desk desk;
    struct rt_arena arena; // of the bench
    struct rt_bench *bench;
    struct move *moves;
    size_t move_count;
    uint64_t scored, moved, unscored;
    struct rt_desk_label *labels;
    size_t label_count;
    struct rt_error *err;
};

static const char *word_of(const struct rt_campaign *campaign, enum rt_trial_status status,
                           uint64_t outcome)
{
    return status == RT_TRIAL_OK && outcome < campaign->label_count ? campaign->labels[outcome].id
                                                                    : rt_trial_status_words[status];
}

static void note_move(struct rescore *rescore, const struct rt_local_trial *place, const char *from,
                      const char *to, uint64_t number)
{
    struct move *move = NULL;
    for (size_t i = 0; i < rescore->move_count && !move; i++)
        if (strcmp(rescore->moves[i].scenario, place->scenario->id) == 0 &&
            strcmp(rescore->moves[i].arm, place->arm_id) == 0 &&
            strcmp(rescore->moves[i].from, from) == 0 && strcmp(rescore->moves[i].to, to) == 0)
            move = &rescore->moves[i];
    if (!move && rescore->move_count < MOVES_MOST) {
        move = &rescore->moves[rescore->move_count++];
        *move = (struct move){place->scenario->id, place->arm_id, from, to, 0, {0}};
    }
    if (!move)
        return;
    if (move->count < EXAMPLES)
        move->examples[move->count] = number;
    move->count++;
}

static const struct rt_scenario *scenario_of(const struct rt_bench *bench, const char *id)
{
    for (size_t i = 0; i < bench->scenario_count; i++)
        if (strcmp(bench->scenarios[i]->id, id) == 0)
            return bench->scenarios[i];
    return NULL;
}

static enum rt_status rescore_one(struct rescore *rescore, const struct rt_desk_trial *trial)
{
    const struct rt_campaign *campaign = rescore->desk.local->campaign;
    struct rt_local_trial place;
    struct rt_transcript transcript;
    struct rt_score score;
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)256 << 20);
    enum rt_status status = rt_local_trial(rescore->desk.local, trial->number, &place);
    if (!status)
        status = rt_desk_transcript(&rescore->desk, trial, &arena, &transcript, rescore->err);
    const struct rt_scenario *scenario =
        status ? NULL : scenario_of(rescore->bench, place.scenario->id);
    // Rules that use a label the campaign did not register cannot label its trials.
    enum rt_status scored =
        scenario ? rt_score(scenario, campaign->labels, campaign->label_count, &transcript, &score)
                 : RT_NOT_FOUND;
    rt_arena_release(&arena);
    if (status)
        return status;
    if (scored || !rt_trial_status_flags(score.status).denominator) {
        rescore->unscored++;
        return RT_OK;
    }
    rescore->scored++;
    bool ok = score.status == RT_TRIAL_OK;
    rescore->labels[rescore->label_count++] =
        (struct rt_desk_label){.trial = trial,
                               .status = score.status,
                               .outcome = ok ? score.outcome : 0,
                               .severity = ok ? score.severity : 0};
    const char *from = word_of(campaign, trial->result.status, trial->result.outcome);
    const char *to = word_of(campaign, score.status, score.outcome);
    if (strcmp(from, to) != 0) {
        rescore->moved++;
        note_move(rescore, &place, from, to, trial->number);
    }
    return RT_OK;
}

static enum rt_status print_json(const struct rescore *rescore)
{
    json_t *moves = json_array();
    for (size_t i = 0; i < rescore->move_count; i++) {
        const struct move *move = &rescore->moves[i];
        json_t *examples = json_array();
        for (size_t e = 0; e < EXAMPLES && e < move->count; e++)
            json_array_append_new(examples, json_integer((json_int_t)move->examples[e]));
        json_array_append_new(moves, json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "scenario",
                                               move->scenario, "arm", move->arm, "from", move->from,
                                               "to", move->to, "trials", (json_int_t)move->count,
                                               "examples", examples));
    }
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:I, s:o}", "campaign", rescore->desk.local->name, "scored",
                  (json_int_t)rescore->scored, "moved", (json_int_t)rescore->moved, "unscored",
                  (json_int_t)rescore->unscored, "moves", moves);
    enum rt_status status = rt_print_json(json, rescore->err);
    json_decref(json);
    return status;
}

static void print_table(const struct rescore *rescore)
{
    if (rescore->move_count)
        printf("%-28s %-12s %-14s %-14s %8s  %s\n", "scenario", "arm", "from", "to", "trials",
               "for example");
    for (size_t i = 0; i < rescore->move_count; i++) {
        const struct move *move = &rescore->moves[i];
        printf("%-28s %-12s %-14s %-14s %8llu ", move->scenario, move->arm, move->from, move->to,
               (unsigned long long)move->count);
        for (size_t e = 0; e < EXAMPLES && e < move->count; e++)
            printf(" %llu", (unsigned long long)move->examples[e]);
        printf("\n");
    }
    printf("%s: %llu transcripts scored by %s %s, %llu moved, %llu without rules or labels for "
           "them\n",
           rescore->desk.local->name, (unsigned long long)rescore->scored, rescore->bench->id,
           rescore->bench->version, (unsigned long long)rescore->moved,
           (unsigned long long)rescore->unscored);
}

static enum rt_status submit(struct rescore *rescore)
{
    char hex[2 * RT_DIGEST_BYTES + 1], id[64];
    size_t files = 0;
    // By content: labs whose copies differ in their salts alone are one rater.
    rt_hex_encode(rescore->bench->content.bytes, RT_DIGEST_BYTES, hex);
    snprintf(id, sizeof id, "rules@%.16s", hex);
    struct rt_desk_rater rater = {
        .kind = RT_RATER_KIND_RULES, .id = id, .rubric = rescore->bench->content};
    enum rt_status status = rt_desk_hand_in(&rescore->desk, &rater, rescore->labels,
                                            rescore->label_count, &files, rescore->err);
    if (!status && !rt_globals.quiet && !rt_globals.json)
        printf("%zu ratings by %s handed to the worker\n", files, id);
    return status;
}

static enum rt_status load_rules(struct rescore *rescore)
{
    const struct settings *settings = rescore->settings;
    rt_arena_init(&rescore->arena, (size_t)256 << 20);
    enum rt_status status =
        rt_bench_load(settings->rules, true, &rescore->arena, &rescore->bench, NULL, rescore->err);
    rescore->moves = calloc(MOVES_MOST, sizeof *rescore->moves);
    rescore->labels = calloc(rescore->desk.count + 1, sizeof *rescore->labels);
    if (!status && (!rescore->moves || !rescore->labels))
        status = rt_error_set(rescore->err, RT_NO_MEMORY, "out of memory");
    return status;
}

// Rules that reach no transcript are not the campaign's: saying "nothing moved" would mislead.
static enum rt_status something_scored(const struct rescore *rescore)
{
    const char *name = rescore->desk.local->name;
    if (!rescore->desk.count)
        return rt_error_set(rescore->err, RT_NOT_FOUND,
                            "this lab has no receipted transcripts of campaign %s to score", name);
    if (rescore->scored)
        return RT_OK;
    return rt_error_set(rescore->err, RT_CONFLICT,
                        "bench %s %s scores none of the %zu transcripts of campaign %s: its "
                        "scenarios or labels are others; name a version of the campaign's own "
                        "bench with --rules",
                        rescore->bench->id, rescore->bench->version, rescore->desk.count, name);
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    struct rescore rescore = {.settings = place, .err = err};
    char path[PATH_MAX];
    enum rt_status status = rt_lab_config_path(rescore.settings->state, path, err);
    if (!status)
        status =
            rt_desk_open(path, operands->count ? operands->items[0] : NULL, &rescore.desk, err);
    if (status)
        return status;
    status = load_rules(&rescore);
    for (size_t i = 0; i < rescore.desk.count && !status; i++)
        status = rescore_one(&rescore, &rescore.desk.trials[i]);
    if (!status)
        status = something_scored(&rescore);
    if (!status && rt_globals.json)
        status = print_json(&rescore);
    else if (!status && !rt_globals.quiet)
        print_table(&rescore);
    if (!status && rescore.settings->submit && rescore.label_count)
        status = submit(&rescore);
    free(rescore.moves);
    free(rescore.labels);
    rt_arena_release(&rescore.arena);
    rt_desk_release(&rescore.desk);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "rules",
     .letter = 'r',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, rules),
     .value_name = "BENCH",
     .help = "Folder of the bench whose outcome rules are to be applied.",
     .required = true},
    {.name = "submit",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, submit),
     .help = "Hand the labels in as a rating by this rule set."},
    {.name = NULL},
};

const struct rt_command rt_command_rescore = {
    .name = "rescore",
    .summary = "apply changed outcome rules to stored transcripts and show what moves",
    .operands = "[CAMPAIGN]",
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker rescore demo-shutdown --rules configs/benches/shutdown\n"
               "ringtrial-worker rescore --rules ./bench --submit",
    .about = "Needs no model. Shows from which label to which, by scenario and arm, with trials "
             "to look at (`replay --trial N --print`). Results never change: with --submit the "
             "new labels stand beside them under the digest of the bench's content.",
};
