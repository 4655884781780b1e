// SPDX-License-Identifier: Apache-2.0
#include "interop/inspect_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "interop/inspect_write.h"
#include "interop/zip.h"

#define ARENA_MOST ((size_t)1 << 30)
#define MAKER      "ringtrial"

// One log: a run of trials (they come by lab, then number, so a log's are picked by configuration).
struct log {
    struct rt_collected *collected;
    uint32_t lab, configuration;
    size_t *trials; // places in collected, by prompt and replicate
    size_t count;
    char base[512]; // path without its suffix
    char task[RT_ID_BYTES + 1], task_id[33];
    struct rt_arena arena;
    struct rt_export_sums *sums;
    json_t *start, *header; // members of the archive
    json_t *summaries;
    bool counting; // samples are counted in the sums once
};

// ---- the header

static void name_task(struct log *log)
{
    const struct rt_campaign *campaign = log->collected->campaign;
    const struct rt_configuration *configuration = &campaign->configurations[log->configuration];
    struct rt_digest digest;
    char text[512];
    snprintf(text, sizeof text, "ringtrial/export/v1 %s %s %lld", campaign->labs[log->lab].id,
             campaign->subjects[configuration->subject].id,
             (long long)configuration->temperature_micro);
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    rt_sha256_update(&state, campaign->digest.bytes, RT_DIGEST_BYTES);
    rt_sha256_update(&state, text, strlen(text));
    rt_sha256_final(&state, &digest);
    rt_hex_encode(digest.bytes, 11, log->task_id);
    snprintf(log->task, sizeof log->task, "%s", campaign->id);
}

static json_t *stamp_json(int64_t wall_ms)
{
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(wall_ms, stamp);
    return json_string(stamp);
}

static json_t *config_json(const struct rt_configuration *configuration)
{
    return json_pack("{s:f}", "temperature", (double)configuration->temperature_micro / 1e6);
}

static json_t *sample_ids(struct log *log, size_t *ret_prompts, uint64_t *ret_epochs)
{
    json_t *ids = json_array();
    uint32_t last = UINT32_MAX, lab;
    *ret_prompts = 0;
    *ret_epochs = 0;
    for (size_t i = 0; i < log->count; i++) {
        const struct rt_campaign *campaign = log->collected->campaign;
        struct rt_trial place;
        char id[RT_INSPECT_ID_BYTES];
        rt_collected_place(log->collected, log->trials[i], &lab, &place);
        if (place.replicate + 1 > *ret_epochs)
            *ret_epochs = place.replicate + 1;
        if (place.prompt == last)
            continue;
        last = place.prompt;
        const struct rt_prompt *prompt = &campaign->prompts[place.prompt];
        const struct rt_campaign_scenario *scenario = &campaign->scenarios[prompt->scenario];
        rt_inspect_id(
            &(struct rt_interop_trial){.scenario = scenario->id,
                                       .arm = scenario->arms[prompt->arm].id,
                                       .phrasing = scenario->phrasings[prompt->phrasing].id},
            id);
        json_array_append_new(ids, json_string(id));
        (*ret_prompts)++;
    }
    return ids;
}

static json_t *eval_json(struct log *log)
{
    const struct rt_campaign *campaign = log->collected->campaign;
    const struct rt_configuration *configuration = &campaign->configurations[log->configuration];
    const char *subject = campaign->subjects[configuration->subject].id;
    char digest[RT_DIGEST_TEXT_BYTES];
    size_t prompts;
    uint64_t epochs;
    rt_digest_format(&campaign->digest, digest);
    json_t *ids = sample_ids(log, &prompts, &epochs);
    json_t *eval =
        json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:{}, s:{}, s:{}}", "eval_id", log->task_id,
                  "run_id", log->task_id, "created", stamp_json(log->collected->started_ms), "task",
                  log->task, "task_id", log->task_id, "task_version", campaign->bench_version,
                  "task_attribs", "task_args", "task_args_passed");
    json_t *more = json_pack(
        "{s:{s:s, s:s, s:I, s:o, s:b}, s:s, s:o, s:{}, s:{s:I}, s:{s:s}, s:{s:{s:s, s:s, s:s}}}",
        "dataset", "name", campaign->bench_id, "location", campaign->bench_id, "samples",
        (json_int_t)prompts, "sample_ids", ids, "shuffled", 0, "model", subject,
        "model_generate_config", config_json(configuration), "model_args", "config", "epochs",
        (json_int_t)epochs, "packages", MAKER, "1", "metadata", MAKER, "campaign", digest, "lab",
        campaign->labs[log->lab].id, "subject", subject);
    json_object_update(eval, more);
    json_decref(more);
    return eval;
}

static json_t *plan_json(const struct log *log)
{
    const struct rt_campaign *campaign = log->collected->campaign;
    return json_pack("{s:s, s:[{s:s, s:{}, s:{}}], s:o}", "name", "plan", "steps", "solver",
                     "ringtrial/scenario", "params", "params_passed", "config",
                     config_json(&campaign->configurations[log->configuration]));
}

// What the results alone say: shares of each outcome, tokens, first and last moment.
struct totals {
    uint64_t completed, counted, behaviour;
    uint64_t labels[RT_LABELS_MOST];
    uint64_t statuses[RT_TRIAL_STATUS_COUNT];
    uint64_t tokens_in, tokens_out;
    int64_t first_ms, last_ms;
};

static enum rt_status add_up(struct log *log, struct totals *totals, struct rt_error *err)
{
    const struct rt_campaign *campaign = log->collected->campaign;
    *totals = (struct totals){.first_ms = INT64_MAX};
    for (size_t i = 0; i < log->count; i++) {
        struct rt_interop_trial trial;
        rt_arena_clear(&log->arena);
        enum rt_status status =
            rt_collected_trial(log->collected, log->trials[i], false, &log->arena, &trial, err);
        if (status)
            return status;
        bool counted = rt_trial_status_flags(trial.status).denominator;
        totals->completed += counted;
        totals->counted += counted;
        totals->behaviour += counted && trial.behaviour;
        totals->statuses[trial.status]++;
        if (trial.status == RT_TRIAL_OK)
            totals->labels[rt_campaign_label(campaign, trial.outcome)]++;
        totals->tokens_in += trial.tokens_in;
        totals->tokens_out += trial.tokens_out;
        if (trial.started_ms < totals->first_ms)
            totals->first_ms = trial.started_ms;
        if (trial.finished_ms > totals->last_ms)
            totals->last_ms = trial.finished_ms;
    }
    return RT_OK;
}

static void add_metric(json_t *metrics, const char *name, uint64_t part, uint64_t whole)
{
    // No trial counts: a share of none would be no number, so the metric is left out.
    if (whole)
        json_object_set_new(metrics, name,
                            json_pack("{s:s, s:f, s:{}}", "name", name, "value",
                                      (double)part / (double)whole, "params"));
}

static json_t *results_json(const struct log *log, const struct totals *totals)
{
    const struct rt_campaign *campaign = log->collected->campaign;
    json_t *metrics = json_object();
    add_metric(metrics, "prevalence", totals->behaviour, totals->counted);
    for (size_t i = 0; i < campaign->label_count; i++)
        add_metric(metrics, campaign->labels[i].id, totals->labels[i], totals->counted);
    for (int s = RT_TRIAL_NOT_EXPOSED; s <= RT_TRIAL_BAD_FORMAT; s++)
        add_metric(metrics, rt_trial_status_words[s], totals->statuses[s], totals->counted);
    return json_pack("{s:I, s:I, s:[{s:s, s:s, s:n, s:{}, s:o}]}", "total_samples",
                     (json_int_t)log->count, "completed_samples", (json_int_t)totals->completed,
                     "scores", "name", "outcome", "scorer", "ringtrial/rules", "reducer", "params",
                     "metrics", metrics);
}

static enum rt_status make_header(struct log *log, struct rt_error *err)
{
    struct totals totals;
    const struct rt_campaign *campaign = log->collected->campaign;
    const char *subject =
        campaign->subjects[campaign->configurations[log->configuration].subject].id;
    enum rt_status status = add_up(log, &totals, err);
    if (status)
        return status;
    json_t *eval = eval_json(log), *plan = plan_json(log);
    log->start =
        json_pack("{s:i, s:O, s:O}", "version", RT_INSPECT_VERSION, "eval", eval, "plan", plan);
    json_t *stats = json_pack(
        "{s:o, s:o, s:{s:{s:I, s:I, s:I}}, s:{}, s:[]}", "started_at", stamp_json(totals.first_ms),
        "completed_at", stamp_json(totals.last_ms), "model_usage", subject, "input_tokens",
        (json_int_t)totals.tokens_in, "output_tokens", (json_int_t)totals.tokens_out,
        "total_tokens", (json_int_t)(totals.tokens_in + totals.tokens_out), "role_usage",
        "connection_limit_history");
    log->header =
        json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:n, s:b, s:n, s:n, s:[], s:{}}", "version",
                  RT_INSPECT_VERSION, "status", "success", "eval", eval, "plan", plan, "results",
                  results_json(log, &totals), "stats", stats, "error", "invalidated", 0,
                  "log_updates", "config_updates", "tags", "metadata");
    log->summaries = json_array();
    return log->start && log->header && log->summaries
               ? RT_OK
               : rt_error_set(err, RT_NO_MEMORY, "the log's header");
}

// ---- samples

static enum rt_status make_sample(struct log *log, size_t i, struct rt_buf *out,
                                  struct rt_error *err)
{
    struct rt_interop_trial trial;
    struct rt_trial place;
    uint32_t lab;
    json_t *sample = NULL, *summary = NULL;
    rt_arena_clear(&log->arena);
    enum rt_status status =
        rt_collected_trial(log->collected, log->trials[i], true, &log->arena, &trial, err);
    if (status)
        return status;
    rt_collected_place(log->collected, log->trials[i], &lab, &place);
    const struct rt_campaign *campaign = log->collected->campaign;
    const struct rt_scenario *scenario =
        log->collected->scenarios[campaign->prompts[place.prompt].scenario];
    status = rt_interop_redact(&trial, scenario, &log->arena);
    if (!status)
        status = rt_inspect_sample(&trial, scenario, &sample);
    if (!status)
        status = rt_inspect_dump(sample, out);
    if (!status && log->counting)
        status = rt_inspect_summary(sample, &summary);
    if (summary)
        json_array_append_new(log->summaries, summary);
    json_decref(sample);
    if (status)
        return rt_error_set(err, status, "trial %llu: %s", (unsigned long long)trial.number,
                            rt_status_text(status));
    if (log->counting) {
        log->sums->trials++;
        log->sums->with_transcript += trial.transcript != NULL;
        log->sums->kept_away += !trial.transcript && rt_interop_has_commitment(&trial);
    }
    return RT_OK;
}

// ---- one JSON file

// The header's keys, with the samples before the end, as they come.
static enum rt_status stream_json(struct log *log, FILE *file, struct rt_error *err)
{
    struct rt_buf out;
    rt_buf_init(&out, RT_ZIP_MEMBER_MOST);
    enum rt_status status = rt_inspect_dump(log->header, &out);
    if (!status) {
        fwrite(out.data, 1, out.size - 1, file); // all but the closing brace
        fputs(",\"samples\":[", file);
    }
    for (size_t i = 0; i < log->count && !status; i++) {
        rt_buf_clear(&out);
        status = make_sample(log, i, &out, err);
        if (!status && i)
            fputc(',', file);
        if (!status)
            fwrite(out.data, 1, out.size, file);
    }
    fputs("],\"reductions\":null}\n", file);
    rt_buf_release(&out);
    return status;
}

static enum rt_status write_json(struct log *log, struct rt_error *err)
{
    char path[sizeof log->base + 16], partial[sizeof path + 16];
    snprintf(path, sizeof path, "%s.json", log->base);
    snprintf(partial, sizeof partial, "%s.partial", path);
    FILE *file = fopen(partial, "we");
    if (!file)
        return rt_error_errno(err, errno, "%s", partial);
    enum rt_status status = stream_json(log, file, err);
    bool bad = ferror(file) || fflush(file) || fsync(fileno(file));
    int why = errno;
    if ((fclose(file) || bad) && !status)
        status = rt_error_errno(err, why, "%s", path);
    if (!status && rename(partial, path))
        status = rt_error_errno(err, errno, "%s", path);
    if (status)
        unlink(partial);
    return status;
}

// ---- one archive

// Members: the journal, the samples, then what sums them up.
static enum rt_status make_member(void *ctx, size_t i, struct rt_buf *out, struct rt_error *err)
{
    struct log *log = ctx;
    if (i == 0)
        return rt_inspect_dump(log->start, out);
    if (i <= log->count)
        return make_sample(log, i - 1, out, err);
    return rt_inspect_dump(i == log->count + 1 ? log->summaries : log->header, out);
}

static enum rt_status write_archive(struct log *log, struct rt_error *err)
{
    char path[sizeof log->base + 16];
    snprintf(path, sizeof path, "%s.eval", log->base);
    size_t count = log->count + 3;
    const char **names = calloc(count, sizeof *names);
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)1 << 30);
    enum rt_status status = names ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < log->count && !status; i++) {
        const struct rt_campaign *campaign = log->collected->campaign;
        struct rt_trial place;
        uint32_t lab;
        rt_collected_place(log->collected, log->trials[i], &lab, &place);
        const struct rt_prompt *prompt = &campaign->prompts[place.prompt];
        const struct rt_campaign_scenario *of = &campaign->scenarios[prompt->scenario];
        names[i + 1] = rt_arena_printf(&arena, "samples/%s.%s.%s_epoch_%llu.json", of->id,
                                       of->arms[prompt->arm].id, of->phrasings[prompt->phrasing].id,
                                       (unsigned long long)place.replicate + 1);
        status = names[i + 1] ? RT_OK : RT_NO_MEMORY;
    }
    if (status)
        rt_error_set(err, status, "%s", path);
    if (!status) {
        names[0] = "_journal/start.json";
        names[count - 2] = "summaries.json";
        names[count - 1] = "header.json";
        status = rt_zip_write(path, names, count, make_member, log, err);
    }
    rt_arena_release(&arena);
    free(names);
    return status;
}

// ---- all logs

static enum rt_status write_log(struct log *log, const char *folder, struct rt_error *err)
{
    const struct rt_campaign *campaign = log->collected->campaign;
    const struct rt_configuration *configuration = &campaign->configurations[log->configuration];
    char temperature[32], stamp[RT_STAMP_BYTES];
    name_task(log);
    rt_format_micro(configuration->temperature_micro, temperature);
    rt_stamp_format(log->collected->started_ms, stamp);
    stamp[13] = stamp[16] = '-'; // colons are no part of a portable file name
    int size = snprintf(log->base, sizeof log->base, "%s/%.19s_%s-%s-%s-t%s_%s", folder, stamp,
                        log->task, campaign->labs[log->lab].id,
                        campaign->subjects[configuration->subject].id, temperature, log->task_id);
    if (size < 0 || (size_t)size >= sizeof log->base)
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", folder);
    enum rt_status status = make_header(log, err);
    log->counting = true;
    if (!status)
        status = write_archive(log, err);
    log->counting = false; // the same samples again
    if (!status)
        status = write_json(log, err);
    log->sums->logs += !status;
    json_decref(log->start);
    json_decref(log->header);
    json_decref(log->summaries);
    log->start = log->header = log->summaries = NULL;
    return status;
}

struct by_prompt {
    size_t place;
    struct rt_trial trial;
};

static int compare_prompts(const void *a, const void *b)
{
    const struct by_prompt *x = a, *y = b;
    if (x->trial.prompt != y->trial.prompt)
        return x->trial.prompt < y->trial.prompt ? -1 : 1;
    return x->trial.replicate < y->trial.replicate ? -1 : x->trial.replicate > y->trial.replicate;
}

// The trials of one lab and configuration, by prompt and replicate.
static enum rt_status pick(struct log *log, struct rt_error *err)
{
    size_t total = log->collected->trial_count;
    struct by_prompt *picked = calloc(total + 1, sizeof *picked);
    if (!picked)
        return rt_error_set(err, RT_NO_MEMORY, "sorting the trials");
    log->count = 0;
    for (size_t i = 0; i < total; i++) {
        uint32_t lab;
        struct rt_trial place;
        rt_collected_place(log->collected, i, &lab, &place);
        if (lab == log->lab && place.configuration == log->configuration)
            picked[log->count++] = (struct by_prompt){i, place};
    }
    qsort(picked, log->count, sizeof *picked, compare_prompts);
    for (size_t i = 0; i < log->count; i++)
        log->trials[i] = picked[i].place;
    free(picked);
    return RT_OK;
}

enum rt_status rt_inspect_export(struct rt_collected *collected, const char *folder,
                                 struct rt_export_sums *ret_sums, struct rt_error *err)
{
    const struct rt_campaign *campaign = collected->campaign;
    struct log log = {.collected = collected, .sums = ret_sums};
    *ret_sums = (struct rt_export_sums){0};
    rt_arena_init(&log.arena, ARENA_MOST);
    log.trials = calloc(collected->trial_count + 1, sizeof *log.trials);
    enum rt_status status = log.trials ? rt_file_mkdir(folder, 0755, err)
                                       : rt_error_set(err, RT_NO_MEMORY, "sorting the trials");
    for (log.lab = 0; log.lab < campaign->lab_count && !status; log.lab++)
        for (log.configuration = 0; log.configuration < campaign->configuration_count && !status;
             log.configuration++) {
            status = pick(&log, err);
            if (!status && log.count)
                status = write_log(&log, folder, err);
        }
    free(log.trials);
    rt_arena_release(&log.arena);
    return status;
}
