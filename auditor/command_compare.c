// SPDX-License-Identifier: Apache-2.0
// `compare`: one trial across labs: what each result says of it, and, where labs have opened their
// transcripts, the first entry at which two of them part.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"
#include "auditor/commands.h"
#include "auditor/leaves.h"
#include "auditor/transcripts.h"
#include "common/base/json.h"
#include "common/base/text.h"

#define SIGHTINGS_MOST 4096

struct settings {
    struct rt_text_list transcripts;
    const char *campaign;
};

// One result that has the trial.
struct sighting {
    uint64_t index;
    int64_t received_ms;
    uint32_t lab;
    bool late;
    struct rt_trial_result trial;
    struct rt_digest fingerprint;
};

struct comparison {
    struct rt_audit *audit;
    uint64_t number;
    struct sighting *sightings;
    size_t count;
    struct rt_statement statement;
    struct rt_arena arena;
    struct rt_buf object;
};

// ---- finding

static enum rt_status add_pair(struct comparison *of, uint32_t lab, uint64_t index,
                               const struct rt_statement_pair *pair, struct rt_folder *folder)
{
    struct rt_object_unit unit;
    struct rt_object_result result;
    rt_arena_clear(&of->arena);
    rt_buf_clear(&of->object);
    if (rt_folder_object(folder, &pair->unit, &of->object) ||
        rt_object_unit_decode(rt_buf_bytes(&of->object), &of->arena, &unit, NULL))
        return RT_OK; // said by verify
    int64_t accept_until_ms = unit.accept_until_ms;
    rt_buf_clear(&of->object);
    if (rt_folder_object(folder, &pair->result, &of->object) ||
        rt_object_result_decode(rt_buf_bytes(&of->object), &of->arena, &result, NULL))
        return RT_OK;
    for (size_t t = 0; t < result.trials_count; t++) {
        if (result.trials[t].number != of->number)
            continue;
        if (of->count == SIGHTINGS_MOST)
            return RT_TOO_LARGE;
        of->sightings[of->count++] =
            (struct sighting){.index = index,
                              .received_ms = of->statement.received_ms,
                              .lab = lab,
                              .late = of->statement.received_ms > accept_until_ms,
                              .trial = result.trials[t],
                              .fingerprint = result.fingerprint};
    }
    return RT_OK;
}

static enum rt_status look(struct comparison *of, struct rt_leaves *leaves, struct rt_error *err)
{
    struct rt_bytes leaf;
    for (;;) {
        uint64_t index = leaves->next;
        enum rt_status status = rt_leaves_next(leaves, &leaf, err);
        if (status)
            return status == RT_NOT_FOUND ? RT_OK : status;
        if (rt_statement_parse(leaf, &of->statement, NULL) ||
            of->statement.kind != RT_STATEMENT_RESULT ||
            !rt_digest_equal(&of->statement.campaign, &of->audit->target->digest))
            continue;
        char id[RT_ID_BYTES + 1];
        snprintf(id, sizeof id, "%.*s", (int)of->statement.lab.size,
                 (const char *)of->statement.lab.data);
        uint32_t lab = rt_campaign_lab(of->audit->campaign, id);
        for (size_t p = 0; p < of->statement.pair_count && lab != RT_NONE && !status; p++)
            status = add_pair(of, lab, index, &of->statement.pairs[p], &leaves->folder);
        if (status)
            return rt_error_set(err, status, "more than %d results have trial %" PRIu64,
                                SIGHTINGS_MOST, of->number);
    }
}

// By the rule of proto/counting.h: does this one count?
static bool counts(const struct comparison *of, size_t at)
{
    bool final = rt_trial_status_flags(of->sightings[at].trial.status).final;
    for (size_t i = 0; i < of->count; i++) {
        const struct sighting *other = &of->sightings[i];
        bool other_final = rt_trial_status_flags(other->trial.status).final;
        if (i == at || other->late || other->lab != of->sightings[at].lab)
            continue;
        if (other_final && (!final || i < at))
            return false;
        if (!other_final && !final && i > at)
            return false;
    }
    return !of->sightings[at].late;
}

// ---- telling

static const char *label_of(const struct comparison *of, const struct rt_trial_result *trial)
{
    const struct rt_campaign *campaign = of->audit->campaign;
    return trial->status == RT_TRIAL_OK && trial->outcome < campaign->label_count
               ? campaign->labels[trial->outcome].id
               : "";
}

static json_t *sighting_json(const struct comparison *of, size_t at)
{
    const struct sighting *row = &of->sightings[at];
    char transcript[RT_DIGEST_TEXT_BYTES], fingerprint[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&row->trial.transcript, transcript);
    rt_digest_format(&row->fingerprint, fingerprint);
    return json_pack("{s:s, s:I, s:b, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "lab",
                     of->audit->campaign->labs[row->lab].id, "index", (json_int_t)row->index,
                     "counts", (int)counts(of, at), "status",
                     rt_trial_status_words[row->trial.status], "outcome",
                     label_of(of, &row->trial), "severity", (json_int_t)row->trial.severity,
                     "score_micro", (json_int_t)row->trial.score_micro, "latency_ms",
                     (json_int_t)row->trial.latency_ms, "transcript", transcript, "fingerprint",
                     fingerprint);
}

static void print_head(const struct comparison *of, const struct rt_trial *place)
{
    const struct rt_campaign *campaign = of->audit->campaign;
    const struct rt_prompt *prompt = &campaign->prompts[place->prompt];
    const struct rt_configuration *configuration = &campaign->configurations[place->configuration];
    const struct rt_campaign_scenario *scenario = &campaign->scenarios[prompt->scenario];
    char temperature[32];
    rt_format_micro(configuration->temperature_micro, temperature);
    printf("trial %" PRIu64 ": %s, arm %s, phrasing %s; %s at %s; replicate %" PRIu64 "\n\n",
           of->number, scenario->id, scenario->arms[prompt->arm].id,
           scenario->phrasings[prompt->phrasing].id, campaign->subjects[configuration->subject].id,
           temperature, place->replicate);
    printf("%-20s %8s  %-11s %-12s %8s %10s %9s\n", "lab", "leaf", "status", "outcome", "severity",
           "score", "ms");
}

static void print_sighting(const struct comparison *of, size_t at)
{
    const struct sighting *row = &of->sightings[at];
    char score[32];
    rt_format_micro(row->trial.score_micro, score);
    printf("%-20s %8" PRIu64 "  %-11s %-12s %8" PRIu64 " %10s %9" PRIu64 "%s\n",
           of->audit->campaign->labs[row->lab].id, row->index,
           rt_trial_status_words[row->trial.status], label_of(of, &row->trial),
           row->trial.severity, score, row->trial.latency_ms,
           counts(of, at) ? "" : row->late ? "  (late)" : "  (does not count)");
}

static json_t *tell(const struct comparison *of, const struct rt_trial *place)
{
    json_t *rows = json_array();
    const struct rt_campaign *campaign = of->audit->campaign;
    if (!rt_globals.json)
        print_head(of, place);
    for (size_t i = 0; i < of->count; i++) {
        if (rt_globals.json && json_array_append_new(rows, sighting_json(of, i)))
            break;
        if (!rt_globals.json)
            print_sighting(of, i);
    }
    for (uint32_t l = 0; l < campaign->lab_count && !rt_globals.json; l++) {
        bool seen = false;
        for (size_t i = 0; i < of->count; i++)
            seen = seen || of->sightings[i].lab == l;
        if (!seen)
            printf("%-20s %8s  no result\n", campaign->labs[l].id, "");
    }
    return rows;
}

// ---- transcripts

static enum rt_status diverge(struct comparison *of, const struct settings *settings, json_t *out,
                              struct rt_error *err)
{
    struct rt_opened opened[RT_LABS_MOST];
    size_t count = 0;
    for (size_t i = 0; i < of->count && count < sizeof opened / sizeof *opened; i++)
        if (counts(of, i))
            opened[count++] =
                (struct rt_opened){.commitment = of->sightings[i].trial.transcript,
                                   .who = of->audit->campaign->labs[of->sightings[i].lab].id};
    enum rt_status status = RT_OK;
    rt_arena_clear(&of->arena);
    for (size_t f = 0; f < settings->transcripts.count && !status; f++)
        status =
            rt_transcripts_open(settings->transcripts.items[f], &of->arena, opened, count, err);
    if (!status)
        status = rt_transcripts_compare(opened, count, out);
    return status ? rt_error_set(err, status, "comparing transcripts: %s", rt_status_text(status))
                  : RT_OK;
}

static enum rt_status compare(struct comparison *of, const struct settings *settings,
                              const char *folder, struct rt_error *err)
{
    struct rt_trial place;
    struct rt_leaves leaves;
    if (rt_trial_of(of->audit->campaign, of->number, &place))
        return rt_error_set(err, RT_USAGE, "the campaign has no trial %" PRIu64, of->number);
    enum rt_status status = rt_leaves_open(folder, &leaves, err);
    if (!status)
        status = look(of, &leaves, err);
    rt_leaves_release(&leaves);
    if (status)
        return status;
    json_t *rows = tell(of, &place), *divergences = json_array();
    if (settings->transcripts.count)
        status = diverge(of, settings, divergences, err);
    else if (!rt_globals.json)
        printf("\nNo transcripts: give what the labs opened with --transcripts.\n");
    json_t *json = json_pack("{s:I, s:o, s:o}", "trial", (json_int_t)of->number, "results", rows,
                             "divergences", divergences);
    if (!status && rt_globals.json) {
        rt_buf_clear(&of->object);
        status = rt_json_write_pretty(json, &of->object);
        if (!status && fwrite(of->object.data, 1, of->object.size, stdout) != of->object.size)
            status = rt_error_set(err, RT_IO, "cannot write to standard output");
    }
    json_decref(json);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    const struct rt_audit_settings audit = {.campaign = settings->campaign};
    struct comparison *of = calloc(1, sizeof *of);
    char verdict[1000];
    if (!of || rt_parse_u64(operands->items[1], &of->number)) {
        enum rt_status wrong = of ? RT_USAGE : RT_NO_MEMORY;
        free(of);
        return rt_error_set(err, wrong, "'%s' is no trial's number", operands->items[1]);
    }
    rt_arena_init(&of->arena, (size_t)1 << 30);
    rt_buf_init(&of->object, RT_FOLDER_FILE_MOST);
    of->sightings = calloc(SIGHTINGS_MOST, sizeof *of->sightings);
    enum rt_status status = of->sightings ? RT_OK : rt_error_set(err, RT_NO_MEMORY, "comparing");
    if (!status)
        status = rt_audit_run(operands->items[0], &audit, &of->audit, err);
    if (!status) {
        enum rt_status found = rt_checks_verdict(rt_audit_checks(of->audit));
        rt_audit_verdict(of->audit, verdict, sizeof verdict);
        // What does not hold is not worth comparing, and would be quoted without this line.
        status = found && found != RT_INCOMPLETE ? rt_error_set(err, found, "%s", verdict)
                                                 : compare(of, settings, operands->items[0], err);
    }
    rt_audit_free(of->audit);
    rt_buf_release(&of->object);
    rt_arena_release(&of->arena);
    free(of->sightings);
    free(of);
    return status;
}

static const struct rt_option options[] = {
    {.name = "transcripts",
     .letter = 't',
     .kind = RT_OPTION_LIST,
     .offset = offsetof(struct settings, transcripts),
     .value_name = "DIR",
     .help = "Transcripts that labs have opened: files of 32 bytes of salt and the transcript."},
    {.name = "campaign",
     .letter = 'c',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, campaign),
     .value_name = "ID",
     .help = "The campaign that is to be in it: its id or the start of its digest."},
    {0}};

const struct rt_command rt_command_compare = {
    .name = "compare",
    .summary = "One trial across labs, to where their transcripts first part.",
    .operands = "BUNDLE TRIAL",
    .operands_least = 2,
    .operands_most = 2,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-audit compare shutdown-2026q4.bundle 17 --transcripts opened/",
    .about = "Checks the bundle as `verify` does, then shows every result that has the trial, and "
             "which of a lab's counts. A transcript is taken from any file below --transcripts "
             "whose SHA-256 is the commitment in a result, so that it does not matter who sent it. "
             "Times, token counts and the ids of calls are left out of the comparison.",
};
