// SPDX-License-Identifier: Apache-2.0
// `rescore`: a changed rule set over the transcripts this lab keeps, and what moved. Needs no
// model. With --submit the labels go out as a rating by that rule set; results stay as they are.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "engine/score.h"
#include "proto/bench.h"
#include "worker/commands/commands.h"
#include "worker/rating/desk.h"

#define EXAMPLES   3
#define MOVES_MOST 4096
#define FILES_MOST 1000000

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
    const char *folder; // of transcript files; NULL: the desk's campaign
    const char *name;   // of the campaign, or the folder
    struct rt_desk desk;
    size_t transcripts;
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

// A file of `vault export`: its name is the digest of its salt and plaintext.
static enum rt_status read_file(const char *folder, const char *name, struct rt_arena *arena,
                                struct rt_transcript *ret_transcript, struct rt_error *err)
{
    char path[PATH_MAX];
    struct rt_digest named, found;
    struct rt_buf object;
    struct rt_bytes bytes = {NULL, 0};
    const char *reason = "its name is not the digest of what is in it";
    enum rt_status status = rt_path_join(path, sizeof path, folder, name);
    if (status || rt_hex_decode(name, strlen(name), named.bytes, RT_DIGEST_BYTES))
        return rt_error_set(err, RT_MALFORMED,
                            "%s/%s: not a transcript of `ringtrial-worker vault export`", folder,
                            name);
    rt_buf_init(&object, RT_VAULT_OBJECT_MOST);
    status = rt_file_read(path, &object, err);
    if (!status) {
        rt_sha256(rt_buf_bytes(&object), &found);
        bytes = rt_arena_bytes(arena, rt_buf_bytes(&object));
    }
    rt_buf_release(&object);
    if (status)
        return status;
    if (!rt_digest_equal(&named, &found) || bytes.size <= RT_TRANSCRIPT_SALT_BYTES)
        return rt_error_set(err, RT_CORRUPT, "%s: %s", path, reason);
    bytes = rt_bytes(bytes.data + RT_TRANSCRIPT_SALT_BYTES, bytes.size - RT_TRANSCRIPT_SALT_BYTES);
    status = rt_transcript_decode(bytes, arena, ret_transcript, &reason);
    return status ? rt_error_set(err, status, "%s: no transcript: %s", path, reason) : RT_OK;
}

static const char *copy_id(struct rt_arena *arena, struct rt_bytes id)
{
    char text[RT_ID_BYTES + 1];
    snprintf(text, sizeof text, "%.*s", (int)id.size, (const char *)id.data);
    return rt_arena_strdup(arena, text);
}

static enum rt_status rescore_file(struct rescore *rescore, const char *folder, const char *name)
{
    const struct rt_bench *bench = rescore->bench;
    const struct rt_scenario *scenario = NULL;
    struct rt_transcript transcript;
    struct rt_score score;
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)256 << 20);
    enum rt_status status = read_file(folder, name, &arena, &transcript, rescore->err);
    for (size_t i = 0; i < bench->scenario_count && !status && !scenario; i++)
        if (rt_bytes_equal_str(transcript.scenario, bench->scenarios[i]->id))
            scenario = bench->scenarios[i];
    if (!status &&
        (!scenario || rt_score(scenario, bench->labels, bench->label_count, &transcript, &score)))
        rescore->unscored++;
    else if (!status) {
        const char *arm = copy_id(&rescore->arena, transcript.arm);
        struct rt_local_trial place = {.scenario = scenario, .arm_id = arm ? arm : ""};
        bool ok = score.status == RT_TRIAL_OK && score.outcome < bench->label_count;
        note_move(rescore, &place, "-",
                  ok ? bench->labels[score.outcome].id : rt_trial_status_words[score.status],
                  rescore->scored++);
    }
    rt_arena_release(&arena);
    return status;
}

static enum rt_status print_json(const struct rescore *rescore)
{
    json_t *moves = json_array();
    for (size_t i = 0; i < rescore->move_count; i++) {
        const struct move *move = &rescore->moves[i];
        json_t *examples = json_array();
        for (size_t e = 0; e < EXAMPLES && e < move->count && !rescore->folder; e++)
            json_array_append_new(examples, json_integer((json_int_t)move->examples[e]));
        json_array_append_new(moves, json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "scenario",
                                               move->scenario, "arm", move->arm, "from", move->from,
                                               "to", move->to, "trials", (json_int_t)move->count,
                                               "examples", examples));
    }
    json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:o}", rescore->folder ? "folder" : "campaign",
                             rescore->name, "scored", (json_int_t)rescore->scored, "moved",
                             (json_int_t)rescore->moved, "unscored", (json_int_t)rescore->unscored,
                             "moves", moves);
    enum rt_status status = rt_print_json(json, rescore->err);
    json_decref(json);
    return status;
}

static void print_table(const struct rescore *rescore)
{
    if (rescore->move_count)
        printf("%-28s %-12s %-14s %-14s %8s  %s\n", "scenario", "arm", "from", "to", "trials",
               rescore->folder ? "" : "for example");
    for (size_t i = 0; i < rescore->move_count; i++) {
        const struct move *move = &rescore->moves[i];
        printf("%-28s %-12s %-14s %-14s %8llu ", move->scenario, move->arm, move->from, move->to,
               (unsigned long long)move->count);
        for (size_t e = 0; e < EXAMPLES && e < move->count && !rescore->folder; e++)
            printf(" %llu", (unsigned long long)move->examples[e]);
        printf("\n");
    }
    printf("%s: %llu transcripts scored by %s %s, %llu moved, %llu without rules or labels for "
           "them\n",
           rescore->name, (unsigned long long)rescore->scored, rescore->bench->id,
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
    if (!rescore->transcripts)
        return rt_error_set(rescore->err, RT_NOT_FOUND, "%s: no transcripts of this lab to score",
                            rescore->name);
    if (rescore->scored)
        return RT_OK;
    return rt_error_set(rescore->err, RT_CONFLICT,
                        "bench %s %s scores none of the %zu transcripts of %s: its scenarios or "
                        "labels are others; name a version of their own bench with --rules",
                        rescore->bench->id, rescore->bench->version, rescore->transcripts,
                        rescore->name);
}

static enum rt_status rescore_folder(struct rescore *rescore)
{
    char **names = NULL;
    enum rt_status status =
        rt_file_list(rescore->folder, FILES_MOST, &names, &rescore->transcripts, rescore->err);
    if (status)
        return status;
    for (size_t i = 0; i < rescore->transcripts && !status; i++)
        status = rescore_file(rescore, rescore->folder, names[i]);
    rt_file_list_free(names, rescore->transcripts);
    return status;
}

static enum rt_status rescore_campaign(struct rescore *rescore)
{
    enum rt_status status = RT_OK;
    rescore->transcripts = rescore->desk.count;
    for (size_t i = 0; i < rescore->desk.count && !status; i++)
        status = rescore_one(rescore, &rescore->desk.trials[i]);
    return status;
}

// No campaign's id has a slash.
static enum rt_status open_source(struct rescore *rescore, const char *operand)
{
    char path[PATH_MAX];
    if (operand && strchr(operand, '/')) {
        rescore->folder = rescore->name = operand;
        return rescore->settings->submit
                   ? rt_error_set(rescore->err, RT_USAGE,
                                  "--submit needs the campaign the labels are for, not a folder")
                   : RT_OK;
    }
    enum rt_status status = rt_lab_config_path(rescore->settings->state, path, rescore->err);
    if (!status)
        status = rt_desk_open(path, operand, &rescore->desk, rescore->err);
    if (!status)
        rescore->name = rescore->desk.local->name;
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    struct rescore rescore = {.settings = place, .err = err};
    enum rt_status status = open_source(&rescore, operands->count ? operands->items[0] : NULL);
    if (status)
        return status;
    status = load_rules(&rescore);
    if (!status)
        status = rescore.folder ? rescore_folder(&rescore) : rescore_campaign(&rescore);
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
    .operands = "[CAMPAIGN | FOLDER]",
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker rescore demo-shutdown --rules configs/benches/shutdown\n"
               "ringtrial-worker rescore --rules ./bench --submit\n"
               "ringtrial-worker rescore ./transcripts --rules ./bench",
    .about = "Needs no model. Shows from which label to which, by scenario and arm, with trials "
             "to look at (`replay --trial N --print`). Results never change: with --submit the "
             "new labels stand beside them under the digest of the bench's content. "
             "A FOLDER (with a slash in its name) holds files of `vault export`: they are checked "
             "against their names and labelled by the rules, beside no earlier label.",
};
