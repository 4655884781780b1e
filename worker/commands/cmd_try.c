// SPDX-License-Identifier: Apache-2.0
// `estimate` and `dry-run`: what a campaign would cost here, and what would be sent, before a word
// is given. Nothing that is run here is counted, stored or reported to anybody.
#include <limits.h>
#include <sodium.h>
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "worker/commands/commands.h"
#include "worker/executor/chat_json.h"
#include "worker/executor/executor.h"
#include "worker/home_exec.h"
#include "worker/local.h"

#define PILOT_MOST 1000
#define PROBE_MS   60000
#define TRIALS_SHOWN_MOST 100

struct settings {
    const char *state;
    uint64_t trials, trial, count;
    bool has_trial;
};

// ---- estimate

struct pilot {
    uint64_t run, failed, tokens_in, tokens_out, latency_ms, requests;
    int64_t wall_ms;
};

static enum rt_status open_subject(const struct rt_local *local, uint32_t subject,
                                   struct rt_exec **ret_exec, struct rt_error *err)
{
    const char *id = local->campaign->subjects[subject].id;
    const struct rt_lab_subject *served = rt_labconfig_subject(local->home->config, id);
    if (!served)
        return rt_error_set(err, RT_NOT_FOUND, "worker.yaml has no subject %s; add it with "
                            "`ringtrial-worker subject add`", id);
    char key_file[PATH_MAX];
    enum rt_status status = RT_OK;
    if (*served->key_file)
        status = rt_home_path(local->home->folder, served->key_file, key_file, err);
    struct rt_exec_options options = {
        .key_file = *served->key_file && !status
                        ? rt_arena_strdup(&local->home->arena, key_file)
                        : NULL,
        .labels = local->campaign->labels,
        .label_count = local->campaign->label_count,
        .scenarios = local->scenarios,
        .scenario_count = local->campaign->scenario_count,
    };
    if (!status)
        status = rt_home_exec(local->home, served, &options, err);
    if (!status)
        status = rt_exec_open(&options, ret_exec, err);
    return status ? status : rt_exec_probe(*ret_exec, PROBE_MS, err);
}

static void count_done(struct pilot *pilot, const struct rt_exec_done *done)
{
    pilot->run++;
    pilot->failed += rt_trial_status_flags(done->score.status).retry;
    pilot->tokens_in += done->tokens_in;
    pilot->tokens_out += done->tokens_out;
    pilot->latency_ms += done->latency_ms;
    pilot->requests += done->requests;
}

// Trials from anywhere in one subject's share, with seeds of their own: the campaign's are not used
// up, nor known before its start.
static enum rt_status run_pilot(struct rt_local *local, uint32_t subject, struct rt_exec *exec,
                                uint64_t wanted, struct pilot *pilot, struct rt_error *err)
{
    uint64_t submitted = 0;
    struct rt_exec_done done[16];
    int64_t start_ms = rt_time_mono_ms();
    while (pilot->run < wanted) {
        while (submitted < wanted && rt_exec_room(exec)) {
            uint64_t number, position;
            struct rt_local_trial trial;
            randombytes_buf(&position, sizeof position);
            if (rt_lab_trial(&local->plan, &local->order, position % local->plan.count, &number) ||
                rt_local_trial(local, number, &trial))
                return rt_error_set(err, RT_CORRUPT, "the campaign's documents do not fit");
            if (trial.subject_index != subject)
                continue;
            struct rt_exec_trial wish = {.tag = submitted + 1,
                                         .scenario = trial.scenario,
                                         .arm = trial.arm,
                                         .phrasing = trial.phrasing,
                                         .temperature_micro = trial.temperature_micro,
                                         .seed = randombytes_random() >> 1};
            enum rt_status status = rt_exec_submit(exec, &wish, err);
            if (status)
                return status;
            submitted++;
        }
        if (!rt_exec_in_flight(exec))
            break;
        size_t count = 0;
        enum rt_status status = rt_exec_poll(exec, 200, done, 16, &count, err);
        for (size_t i = 0; i < count; i++) {
            count_done(pilot, &done[i]);
            rt_exec_done_release(&done[i]);
        }
        if (status)
            return status;
    }
    pilot->wall_ms = rt_time_mono_ms() - start_ms;
    return RT_OK;
}

static uint64_t share_of(const struct rt_local *local, uint32_t subject)
{
    const struct rt_lab_plan *plan = &local->plan;
    uint64_t full = 0, late = 0;
    for (uint32_t i = 0; i < plan->full_count; i++)
        full += local->campaign->configurations[plan->full[i]].subject == subject;
    for (uint32_t i = 0; i < plan->late_count; i++)
        late += local->campaign->configurations[plan->late[i]].subject == subject;
    return plan->prompts * (full * plan->zero_blocks + late * (plan->blocks - plan->zero_blocks));
}

static json_t *pilot_json(const struct rt_local *local, uint32_t subject,
                          const struct pilot *pilot)
{
    double run = pilot->run ? (double)pilot->run : 1.0;
    double share = (double)share_of(local, subject);
    return json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "subject",
                     local->campaign->subjects[subject].id, "pilot_trials",
                     (json_int_t)pilot->run, "pilot_failed", (json_int_t)pilot->failed, "trials",
                     (json_int_t)share_of(local, subject), "seconds_a_trial",
                     (double)pilot->latency_ms / run / 1000.0, "tokens_in_a_trial",
                     (double)pilot->tokens_in / run, "tokens_out_a_trial",
                     (double)pilot->tokens_out / run, "requests_a_trial",
                     (double)pilot->requests / run, "total_tokens",
                     share * (double)(pilot->tokens_in + pilot->tokens_out) / run,
                     "total_seconds", share * (double)pilot->wall_ms / run / 1000.0);
}

static void print_pilot(const json_t *row)
{
    char time[32];
    double seconds = json_number_value(json_object_get(row, "total_seconds"));
    rt_duration_format((int64_t)(seconds * 1000.0), time);
    printf("%s: %lld pilot trials (%lld failed), %.2f s and %.0f + %.0f tokens a trial\n"
           "  %lld trials here: about %s and %.0f tokens at this concurrency\n",
           json_string_value(json_object_get(row, "subject")),
           (long long)json_integer_value(json_object_get(row, "pilot_trials")),
           (long long)json_integer_value(json_object_get(row, "pilot_failed")),
           json_number_value(json_object_get(row, "seconds_a_trial")),
           json_number_value(json_object_get(row, "tokens_in_a_trial")),
           json_number_value(json_object_get(row, "tokens_out_a_trial")),
           (long long)json_integer_value(json_object_get(row, "trials")), time,
           json_number_value(json_object_get(row, "total_tokens")));
}

static enum rt_status estimate(const void *place, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_local *local = NULL;
    char path[PATH_MAX];
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_local_open(path, operands->items[0], RT_LOCAL_DOCUMENTS, &local, err);
    if (status)
        return status;
    json_t *list = json_array();
    for (uint32_t s = 0; s < local->campaign->subject_count && !status; s++) {
        struct rt_exec *exec = NULL;
        struct pilot pilot = {0};
        if (!share_of(local, s))
            continue;
        status = open_subject(local, s, &exec, err);
        if (!status)
            status = run_pilot(local, s, exec, settings->trials, &pilot, err);
        rt_exec_free(exec);
        if (!status)
            json_array_append_new(list, pilot_json(local, s, &pilot));
    }
    size_t i;
    json_t *row;
    if (!status && rt_globals.json)
        status = rt_print_json(list, err);
    else if (!status)
        json_array_foreach(list, i, row) print_pilot(row);
    json_decref(list);
    rt_local_free(local);
    return status;
}

static void estimate_defaults(void *place)
{
    struct settings *settings = place;
    settings->trials = 20;
}

#define AT(member) .offset = offsetof(struct settings, member)
static const struct rt_option estimate_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "trials", .letter = 'n', .kind = RT_OPTION_COUNT, AT(trials), .value_name = "N",
     .help = "Pilot trials a subject (default 20).", .least = 1, .most = PILOT_MOST},
    {.name = NULL},
};

const struct rt_command rt_command_estimate = {
    .name = "estimate",
    .summary = "run a few uncounted pilot trials and work out what a campaign would cost",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = estimate_options,
    .settings_size = sizeof(struct settings),
    .defaults = estimate_defaults,
    .run = estimate,
    .example = "ringtrial-worker estimate demo-shutdown",
    .about = "The trials are spread over the campaign and run with seeds of their own; nothing of "
             "them is stored or sent to the coordinator.",
};

// ---- dry-run

static bool posted(const struct rt_lab_subject *served)
{
    return served && (*served->endpoint || served->endpoint_count);
}

// What a request goes to; of several servers any may get it, and the first is named.
static const char *where(const struct rt_lab_subject *served)
{
    if (!served)
        return "nothing: worker.yaml has no such subject";
    if (posted(served))
        return *served->endpoint ? served->endpoint : served->endpoints[0];
    if (served->executor == RT_EXECUTOR_BUILTIN)
        return "the built-in synthetic subject";
    return served->command_count ? served->command[0] : "a server that a job starts";
}

static enum rt_status show_trial(const struct rt_local *local, uint64_t number,
                                 struct rt_error *err)
{
    struct rt_local_trial trial;
    struct rt_play *play = NULL;
    struct rt_buf body;
    if (rt_local_trial(local, number, &trial))
        return rt_error_set(err, RT_OUT_OF_RANGE, "campaign %s has no trial %llu", local->name,
                            (unsigned long long)number);
    const struct rt_lab_subject *served =
        rt_labconfig_subject(local->home->config, trial.subject);
    struct rt_lab_subject unknown = {.id = trial.subject, .model = trial.subject};
    struct rt_play_setup setup = {.scenario = trial.scenario,
                                  .arm = trial.arm,
                                  .phrasing = trial.phrasing,
                                  .temperature_micro = trial.temperature_micro,
                                  .top_p_micro = 1000000,
                                  .seed = trial.seed};
    rt_buf_init(&body, RT_CHAT_BODY_MOST);
    enum rt_status status = rt_play_start(&setup, rt_time_wall_ms(), &play);
    const struct rt_chat_request *request = status ? NULL : rt_play_request(play);
    if (request && request->role) { // somebody else speaks first
        unknown.id = trial.scenario->roles[request->role - 1].id;
        served = rt_labconfig_subject(local->home->config, unknown.id);
    }
    if (request)
        status = rt_chat_json_request(served ? served : &unknown, request, &body);
    rt_play_free(play);
    if (status)
        rt_error_set(err, status, "trial %llu: %s", (unsigned long long)number,
                     rt_status_text(status));
    else if (rt_globals.json)
        printf("%s\n", rt_buf_str(&body));
    else
        printf("# trial %llu: %s, arm %s, phrasing %s, replicate %llu\n# to %s\n# %s%s%s\n%s\n",
               (unsigned long long)number, trial.scenario->id, trial.arm_id, trial.phrasing_id,
               (unsigned long long)trial.place.replicate, served ? served->id : unknown.id,
               posted(served) ? "POST " : "", where(served),
               posted(served) ? "/chat/completions" : "", rt_buf_str(&body));
    rt_buf_release(&body);
    return status;
}

static enum rt_status dry_run(const void *place, const struct rt_text_list *operands,
                              struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_local *local = NULL;
    char path[PATH_MAX];
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_local_open(path, operands->items[0], RT_LOCAL_DOCUMENTS, &local, err);
    if (status)
        return status;
    if (!local->drawn && !rt_globals.json && !rt_globals.quiet)
        printf("# The campaign has not started: order and seeds are not drawn yet, and those\n"
               "# below stand for them.\n");
    if (settings->trial != UINT64_MAX) {
        status = show_trial(local, settings->trial, err);
    } else {
        for (uint64_t p = 0; p < settings->count && p < local->plan.count && !status; p++) {
            uint64_t number = 0;
            status = rt_lab_trial(&local->plan, &local->order, p, &number);
            if (!status)
                status = show_trial(local, number, err);
        }
    }
    rt_local_free(local);
    return status;
}

static void dry_defaults(void *place)
{
    struct settings *settings = place;
    settings->trial = UINT64_MAX;
    settings->count = 3;
}

static const struct rt_option dry_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "trial", .letter = 't', .kind = RT_OPTION_COUNT, AT(trial), .value_name = "N",
     .help = "This trial (default: the first ones of this lab's run order)."},
    {.name = "count", .letter = 'n', .kind = RT_OPTION_COUNT, AT(count), .value_name = "N",
     .help = "How many of the run order (default 3).", .least = 1, .most = TRIALS_SHOWN_MOST},
    {.name = NULL},
};

const struct rt_command rt_command_dry_run = {
    .name = "dry-run",
    .summary = "print exactly the requests that would be sent, and send nothing",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = dry_options,
    .settings_size = sizeof(struct settings),
    .defaults = dry_defaults,
    .run = dry_run,
    .example = "ringtrial-worker dry-run demo-shutdown --trial 17",
    .about = "The body of each trial's first request, byte for byte as the chat executor writes "
             "it; what follows depends on the subject's replies. With --json one body a line.",
};
