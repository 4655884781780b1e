// SPDX-License-Identifier: Apache-2.0
// `probe`: is what serves a subject here fit for trials, and is it the model it is said to be?
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "worker/commands/commands.h"
#include "worker/home.h"
#include "worker/home_exec.h"
#include "worker/inbox.h"
#include "worker/subject/check.h"
#include "worker/subject/known.h"
#include "worker/subject/reference.h"
#include "worker/subject/weights.h"

#define PROBE_MS          60000
#define PERMUTATIONS      1999
#define SAMPLE_SEED_STEP  1000000 // a lab's own seeds: never those of the reference

struct settings {
    const char *state, *reference, *make_reference, *endpoint;
    uint64_t min_context, samples;
    int64_t timeout_ms;
};

// One subject's probe and what came of it.
struct probing {
    const struct settings *settings;
    struct rt_home *home;
    const struct rt_lab_subject *subject;
    struct rt_lab_subject elsewhere; // the subject, asked at --endpoint
    struct rt_exec *exec;
    char key_file[PATH_MAX], ca_file[PATH_MAX];
    struct rt_endpoint_files files;
    struct rt_exec_known before, known;
    struct rt_checks checks;
    struct rt_digest identity;
    bool has_fingerprint, has_weights, compared;
    struct rt_object_fingerprint fingerprint; // views of the executor's bytes
    struct rt_equality equality;
    char weights[300]; // "" the same
    struct rt_arena arena;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static bool stopping(void)
{
    return stopped;
}

// ---- the parts

static enum rt_status open_subject(struct probing *probing, struct rt_error *err)
{
    const struct rt_lab_subject *subject = probing->subject;
    const char *folder = probing->home->folder;
    enum rt_status status = RT_OK;
    if (*subject->key_file) {
        status = rt_home_path(folder, subject->key_file, probing->key_file, err);
        probing->files.key_file = probing->key_file;
    }
    if (!status && subject->ca_file && *subject->ca_file) {
        status = rt_home_path(folder, subject->ca_file, probing->ca_file, err);
        probing->files.ca_file = probing->ca_file;
    }
    if (rt_known_load(probing->home->state, subject->id, &probing->before))
        probing->known = probing->before;
    struct rt_exec_options options = {
        .stopping = stopping,
        .known = &probing->known,
        .campaign_weights = subject->has_weights ? &subject->weights : NULL,
    };
    if (!status)
        status = rt_home_exec(probing->home, subject, &options, err);
    return status ? status : rt_exec_open(&options, &probing->exec, err);
}

static enum rt_status check_weights(struct probing *probing, struct rt_error *err)
{
    struct rt_weights_check *check = NULL;
    struct rt_error why = {RT_OK, ""};
    enum rt_status status = rt_weights_begin(probing->home, probing->subject, &check, &why);
    if (status == RT_NOT_FOUND && !probing->subject->has_weights)
        return RT_OK;
    probing->has_weights = true;
    while (!status && (status = rt_weights_step(check, 200, &why)) == RT_AGAIN) {
        status = RT_OK;
        if (stopped)
            status = rt_error_set(err, RT_CANCELLED, "asked to end");
    }
    rt_weights_free(check);
    if (status == RT_CANCELLED)
        return status;
    if (status)
        snprintf(probing->weights, sizeof probing->weights, "%.299s", why.text);
    return RT_OK;
}

// The fingerprint as the worker would have it now, and its identity digest.
static enum rt_status take_fingerprint(struct probing *probing, struct rt_error *err)
{
    struct rt_digest digest;
    enum rt_status status = rt_exec_probe(probing->exec, PROBE_MS, err);
    if (!status)
        status = rt_object_fingerprint_decode(rt_exec_fingerprint(probing->exec, &digest),
                                              &probing->arena, &probing->fingerprint, NULL);
    if (!status)
        status = rt_fingerprint_identity(&probing->fingerprint, &probing->identity);
    probing->has_fingerprint = !status;
    probing->checks.requests += 6;
    return status;
}

static enum rt_status read_reference(const char *path, struct probing *probing,
                                     struct rt_reference *ret, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, RT_REFERENCE_MOST);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_reference_read(rt_buf_bytes(&text), &probing->arena, ret, err);
    if (status && text.size)
        rt_error_wrap(err, "%s", path);
    if (!status)
        rt_sha256(rt_buf_bytes(&text), &probing->known.reference);
    rt_buf_release(&text);
    return status;
}

static enum rt_status compare(struct probing *probing, struct rt_error *err)
{
    struct rt_reference reference, sample;
    enum rt_status status =
        read_reference(probing->settings->reference, probing, &reference, err);
    if (status)
        return status;
    sample = reference;
    sample.prompts = rt_arena_array(&probing->arena, reference.count, sizeof *sample.prompts);
    if (!sample.prompts)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    memcpy(sample.prompts, reference.prompts, reference.count * sizeof *sample.prompts);
    uint32_t seed = (reference.seed + SAMPLE_SEED_STEP + randombytes_uniform(1000000)) & INT32_MAX;
    status = rt_reference_ask(probing->exec, &sample, seed, probing->settings->samples,
                              probing->settings->timeout_ms, &probing->arena,
                              &probing->checks.requests, &probing->checks.tokens, err);
    if (!status)
        status = rt_reference_compare(&reference, &sample, PERMUTATIONS, &probing->arena,
                                      &probing->equality, err);
    if (status)
        return status;
    probing->compared = true;
    probing->known.has_reference = true;
    probing->known.reference_p_micro = (uint64_t)(probing->equality.p * 1e6);
    probing->known.behavioural = probing->known.reference_p_micro >= RT_REFERENCE_ALPHA_MICRO;
    return RT_OK;
}

static enum rt_status make_reference(struct probing *probing, struct rt_error *err)
{
    struct rt_reference reference;
    struct rt_buf text;
    rt_buf_init(&text, RT_REFERENCE_MOST);
    enum rt_status status =
        rt_reference_prompts(probing->subject->id, &probing->arena, &reference);
    if (status)
        return rt_error_set(err, status, "out of memory");
    status = rt_reference_ask(probing->exec, &reference, randombytes_uniform(1u << 30),
                              probing->settings->samples, probing->settings->timeout_ms,
                              &probing->arena, &probing->checks.requests,
                              &probing->checks.tokens, err);
    if (!status && (status = rt_reference_write(&reference, &text)))
        rt_error_set(err, status, "the sample cannot be written");
    if (!status)
        status = rt_file_write(probing->settings->make_reference, rt_buf_bytes(&text), 0644, err);
    if (!status)
        rt_sha256(rt_buf_bytes(&text), &probing->known.reference);
    rt_buf_release(&text);
    return status;
}

// Keep what was found out; what an earlier probe of the same instrument knew of a reference stays.
static enum rt_status keep(struct probing *probing, struct rt_error *err)
{
    struct rt_exec_known *known = &probing->known;
    bool same = rt_digest_equal(&probing->before.identity, &probing->identity);
    if (!probing->compared && !same)
        known->has_reference = known->behavioural = false;
    if (!probing->compared && same) {
        known->has_reference = probing->before.has_reference;
        known->reference = probing->before.reference;
    }
    known->identity = probing->identity;
    known->context = probing->checks.context;
    snprintf(known->determinism, sizeof known->determinism, "%s", probing->checks.determinism);
    return rt_known_save(probing->home->state, probing->subject->id, known, err);
}

// What the probe used is told to the worker, which keeps the counts of the day.
static enum rt_status count_use(const struct probing *probing, struct rt_error *err)
{
    char reason[64];
    snprintf(reason, sizeof reason, "%" PRIu64 " requests, %" PRIu64 " tokens",
             probing->checks.requests, probing->checks.tokens);
    const struct rt_inbox_request request = {probing->subject->id, "used", reason};
    return rt_inbox_put(probing->home->state, &request, err);
}

// ---- telling

static const char *identity_word(const struct probing *probing)
{
    if (!probing->has_fingerprint)
        return "declared";
    if (probing->subject->executor == RT_EXECUTOR_BUILTIN)
        return "hashed";
    return probing->has_weights && !*probing->weights ? "hashed"
           : probing->known.behavioural               ? "behavioural"
                                                      : "declared";
}

static bool failed(const struct probing *probing)
{
    for (int i = 0; i < RT_CHECK_COUNT; i++)
        if (probing->checks.list[i].verdict == RT_CHECKED_FAIL)
            return true;
    return *probing->weights || (probing->compared && !probing->known.behavioural);
}

static void print_row(const char *word, enum rt_check_verdict verdict, const char *what,
                      const char *found, const char *means, const char *remedy)
{
    printf("%-14s %-7s %s: %s\n", word, rt_check_words[verdict], what, found);
    if (verdict >= RT_CHECKED_WARN)
        printf("%22s means: %s\n%22s remedy: %s\n", "", means, "", remedy);
}

static void print_table(const struct probing *probing)
{
    char digest[RT_DIGEST_TEXT_BYTES], found[200];
    printf("%s%s%s\n", probing->subject->id, *probing->subject->endpoint ? " at " : "",
           probing->subject->endpoint);
    for (int i = 0; i < RT_CHECK_COUNT; i++) {
        const struct rt_check_row *row = &rt_check_rows[i];
        const struct rt_check *check = &probing->checks.list[i];
        if (check->verdict != RT_CHECKED_SKIPPED)
            print_row(row->word, check->verdict, row->what, check->found, row->means, row->remedy);
    }
    if (probing->has_weights)
        print_row("weights", *probing->weights ? RT_CHECKED_FAIL : RT_CHECKED_OK,
                  "the files are those of the manifest",
                  *probing->weights ? probing->weights : "none changed",
                  "the worker plays no trial of it", "ringtrial-worker subject check");
    if (probing->compared) {
        snprintf(found, sizeof found, "p = %.4f, discrepancy %.4f, most at prompt %zu",
                 probing->equality.p, probing->equality.statistic, probing->equality.worst + 1);
        print_row("reference", probing->known.behavioural ? RT_CHECKED_OK : RT_CHECKED_FAIL,
                  "answers are distributed as in the reference sample", found,
                  "another model, template or sampling answers here",
                  "compare model, quantisation, template and sampling with the reference's lab");
    }
    if (probing->has_fingerprint) {
        rt_digest_format(&probing->identity, digest);
        printf("identity %s (%.23s), %" PRIu64 " requests, %" PRIu64 " tokens\n",
               identity_word(probing), digest, probing->checks.requests, probing->checks.tokens);
    }
    if (probing->has_weights) {
        rt_digest_format(&probing->subject->weights, digest);
        printf("the report says hashed where the campaign's `weights` is %s\n", digest);
    }
}

static enum rt_status print_json(const struct probing *probing, struct rt_error *err)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    json_t *list = json_array();
    for (int i = 0; i < RT_CHECK_COUNT; i++) {
        const struct rt_check_row *row = &rt_check_rows[i];
        const struct rt_check *check = &probing->checks.list[i];
        bool told = check->verdict >= RT_CHECKED_WARN; // what it means when it is not so
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "check", row->word,
                                              "verdict", rt_check_words[check->verdict], "what",
                                              row->what, "found", check->found, "means",
                                              told ? row->means : "", "remedy",
                                              told ? row->remedy : ""));
    }
    json_t *json = json_pack("{s:s, s:o, s:s, s:I, s:I, s:b, s:s, s:s, s:I}", "subject",
                             probing->subject->id, "checks", list, "identity",
                             identity_word(probing), "requests",
                             (json_int_t)probing->checks.requests, "tokens",
                             (json_int_t)probing->checks.tokens, "fit", !failed(probing),
                             "determinism", probing->checks.determinism, "weights",
                             !probing->has_weights ? "not hashed"
                             : *probing->weights   ? probing->weights
                                                   : "same",
                             "context", (json_int_t)probing->checks.context);
    if (json && probing->has_fingerprint) {
        rt_digest_format(&probing->identity, digest);
        json_object_set_new(json, "identity_digest", json_string(digest));
    }
    if (json && probing->compared)
        json_object_set_new(json, "reference",
                            json_pack("{s:f, s:f, s:I}", "p", probing->equality.p, "discrepancy",
                                      probing->equality.statistic, "permutations",
                                      (json_int_t)probing->equality.permutations));
    enum rt_status status = rt_print_json(json, err);
    json_decref(json);
    return status;
}

// ---- one subject

static enum rt_status probe_one(struct probing *probing, struct rt_error *err)
{
    const struct settings *settings = probing->settings;
    enum rt_status status = open_subject(probing, err);
    if (!status)
        status = check_weights(probing, err);
    struct rt_check_setup setup = {probing->exec, probing->subject, &probing->files,
                                   settings->min_context, settings->timeout_ms};
    if (!status)
        status = rt_checks_run(&setup, &probing->checks, err);
    bool answers = probing->checks.list[RT_CHECK_ANSWERS].verdict == RT_CHECKED_OK;
    if (!status && answers && settings->make_reference)
        status = make_reference(probing, err);
    if (!status && answers && settings->reference)
        status = compare(probing, err);
    if (!status && answers)
        status = take_fingerprint(probing, err);
    if (!status && probing->has_fingerprint)
        status = keep(probing, err);
    // What was asked was asked, however it ended.
    if (probing->checks.requests) {
        struct rt_error counting;
        enum rt_status counted = count_use(probing, &counting);
        if (counted && !status)
            status = rt_error_set(err, counted, "%s", counting.text);
    }
    return status;
}

static enum rt_status probe(const void *place, const struct rt_text_list *operands,
                            struct rt_error *err)
{
    struct probing probing = {.settings = place};
    char path[PATH_MAX];
    enum rt_status status = rt_lab_config_path(probing.settings->state, path, err);
    if (!status)
        status = rt_home_open(path, RT_HOME_PLAIN, NULL, &probing.home, err);
    if (status)
        return status;
    const struct rt_labconfig *config = probing.home->config;
    rt_arena_init(&probing.arena, (size_t)128 << 20);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (operands->count)
        probing.subject = rt_labconfig_subject(config, operands->items[0]);
    else if (config->subject_count == 1)
        probing.subject = &config->subjects[0];
    if (!probing.subject)
        status = rt_error_set(err, operands->count ? RT_NOT_FOUND : RT_USAGE,
                              operands->count ? "worker.yaml has no subject %s"
                                              : "name the subject: worker.yaml has several%s",
                              operands->count ? operands->items[0] : "");
    if (!status && probing.settings->endpoint) {
        probing.elsewhere = *probing.subject;
        probing.elsewhere.endpoint = probing.settings->endpoint;
        probing.elsewhere.slurm = NULL;
        probing.subject = &probing.elsewhere;
    }
    if (!status && rt_lab_pilot(probing.subject))
        status = rt_error_set(err, RT_NETWORK, "%s is served by jobs: name the server of one that "
                              "runs with --endpoint http://NODE:PORT/v1", probing.subject->id);
    if (!status)
        status = probe_one(&probing, err);
    if (!status && rt_globals.json)
        status = print_json(&probing, err);
    else if (!status)
        print_table(&probing);
    if (!status && probing.checks.list[RT_CHECK_REACHABLE].verdict == RT_CHECKED_FAIL)
        status = rt_error_set(err, RT_NETWORK, "%s cannot be reached", probing.subject->id);
    else if (!status && failed(&probing))
        status = rt_error_set(err, RT_CHECK_FAILED, "%s is not fit as it is", probing.subject->id);
    rt_exec_free(probing.exec);
    rt_arena_release(&probing.arena);
    rt_home_free(probing.home);
    return status;
}

static void defaults(void *place)
{
    struct settings *settings = place;
    settings->samples = 10;
    settings->timeout_ms = 60000;
}

#define AT(member) .offset = offsetof(struct settings, member)
static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "reference", .letter = 'r', .kind = RT_OPTION_TEXT, AT(reference),
     .value_name = "FILE", .help = "Compare with this reference sample."},
    {.name = "make-reference", .kind = RT_OPTION_TEXT, AT(make_reference), .value_name = "FILE",
     .help = "Write a reference sample of what is served here."},
    {.name = "samples", .kind = RT_OPTION_COUNT, AT(samples), .value_name = "N",
     .help = "Answers to each prompt of a sample (default 10).", .least = 2, .most = 128},
    {.name = "min-context", .kind = RT_OPTION_COUNT, AT(min_context), .value_name = "TOKENS",
     .help = "Context to look for (default: the subject's `context`)."},
    {.name = "endpoint", .letter = 'e', .kind = RT_OPTION_TEXT, AT(endpoint), .value_name = "URL",
     .help = "Ask here instead: a server that a job started."},
    {.name = "timeout", .kind = RT_OPTION_DURATION, AT(timeout_ms), .value_name = "TIME",
     .help = "Of one request (default 60s)."},
    {.name = NULL},
};

const struct rt_command rt_command_probe = {
    .name = "probe",
    .summary = "check what serves a subject, end to end",
    .operands = "[SUBJECT]",
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .defaults = defaults,
    .run = probe,
    .example = "ringtrial-worker probe llama-8b --reference llama-8b.reference.json",
    .about = "Asks at most 70 short requests, and those of a reference sample; they count in the "
             "day's budget. What was found out goes into the serving fingerprint of the next "
             "trials. Exit code 1 when a check fails, 3 when the server cannot be reached.",
};
