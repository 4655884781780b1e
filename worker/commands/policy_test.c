// SPDX-License-Identifier: Apache-2.0
// `policy test`: everything policy has to say about a campaign, and what would run tonight.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "worker/care/outlook.h"
#include "worker/commands/commands.h"
#include "worker/commands/policy_words.h"
#include "worker/local.h"

struct settings {
    const char *state;
};

// What the trials that were run here have cost.
struct history {
    uint64_t trials, latency_ms, finals;
    struct rt_usage usage; // of the campaign here, or of the lab as a whole
    const char *from;      // "this campaign", "this lab's other trials", ""
};

struct question {
    struct rt_local *local;
    const struct rt_lab_policy *policy;
    struct rt_permit_now now;
    struct rt_permit campaign, unit;
    uint64_t room;
    bool gpus;
    uint32_t at_once;
    uint64_t left; // of this lab's share
    struct history history;
    struct rt_trial_cost cost;
    struct rt_outlook outlook; // meaningful with cost.seconds > 0
    json_t *problems;          // texts: what would keep it from running
};

RT_PRINTF(2, 3)
static void problem(struct question *question, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(question->problems, json_string(text));
}

static bool runs(const struct question *question, uint32_t subject)
{
    return question->local->campaign->labs[question->local->lab].runs >> subject & 1;
}

// ---- the answers

static void ask_campaign(struct question *question)
{
    const struct rt_local *local = question->local;
    const struct rt_campaign *campaign = local->campaign;
    const char **classes = calloc(campaign->scenario_count + 1, sizeof *classes);
    const char *subjects[RT_SUBJECTS_MOST], *roles[RT_PERMIT_ROLES_MOST];
    struct rt_permit_campaign asked = {
        .roles = roles,
        .classes = classes,
        .subjects = subjects,
        .decision = local->row.decision,
        .board_signed = true,
    };
    RT_ASSERT(classes);
    classes[asked.class_count++] = campaign->disclosure.class;
    for (size_t i = 0; i < campaign->scenario_count; i++)
        classes[asked.class_count++] = campaign->scenarios[i].class;
    for (uint32_t s = 0; s < campaign->subject_count; s++)
        if (runs(question, s))
            subjects[asked.subject_count++] = campaign->subjects[s].id;
    asked.role_count = rt_permit_roles(local->scenarios, campaign->scenario_count, roles,
                                       RT_PERMIT_ROLES_MOST, &asked.min_context);
    question->campaign = rt_permit_campaign(local->home->config, &asked);
    free(classes);
}

static enum rt_status on_final(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct history *history = ctx;
    struct rt_row_trial row;
    struct rt_arena arena;
    (void)key;
    rt_arena_init(&arena, 1 << 16);
    enum rt_status status = rt_outbox_read(rt_row_trial_schema(), value, &arena, &row);
    if (!status) {
        history->finals++;
        history->latency_ms += row.result[0].latency_ms;
    }
    rt_arena_release(&arena);
    return status;
}

// The cost of a trial: this campaign's own where there is any, else that of all trials of the lab.
static enum rt_status read_history(struct question *question, struct rt_error *err)
{
    struct rt_outbox *outbox = question->local->outbox;
    struct history *history = &question->history;
    struct rt_bytes own = rt_bytes(question->local->digest.bytes, RT_DIGEST_BYTES);
    enum rt_status status = rt_ledger_each(outbox->ledger, RT_TABLE_FINAL, own, on_final, history);
    uint64_t done = history->finals;
    history->from = "trials of this campaign";
    for (size_t i = 0; i < outbox->share_count; i++) {
        const struct rt_usage *usage = &outbox->shares[i].usage;
        if (!rt_digest_equal(&outbox->shares[i].campaign, &question->local->digest))
            continue;
        history->usage.trials_total += usage->trials_total;
        history->usage.tokens_total += usage->tokens_total;
        history->usage.requests_total += usage->requests_total;
        history->usage.gpu_total_ms += usage->gpu_total_ms;
    }
    if (!status && !done) {
        history->from = "this lab's trials of other campaigns";
        history->usage = outbox->usage;
        status = rt_ledger_each(outbox->ledger, RT_TABLE_FINAL, rt_bytes(NULL, 0), on_final,
                                history);
    }
    if (status)
        return rt_error_set(err, status, "%s/outbox.mdb: %s", question->local->home->state,
                            rt_status_text(status));
    uint64_t share = question->local->plan.count;
    question->left = share > done ? share - done : 0;
    return RT_OK;
}

static void work_out_cost(struct question *question)
{
    const struct history *history = &question->history;
    double trials = (double)history->usage.trials_total;
    if (!history->finals || !history->usage.trials_total || !question->at_once)
        return;
    double seconds = (double)history->latency_ms / 1000.0 / (double)history->finals;
    question->cost = (struct rt_trial_cost){
        // Quicker than that no trial is stored.
        .seconds = (seconds > 0.0005 ? seconds : 0.0005) / question->at_once,
        .tokens = (double)history->usage.tokens_total / trials,
        .requests = (double)history->usage.requests_total / trials,
        .gpu_hours = (double)history->usage.gpu_total_ms / RT_GPU_HOUR_MS / trials,
    };
    rt_outlook(question->policy, &question->now, &question->cost, question->left,
               &question->outlook);
}

// ---- subjects, roles, contexts

static uint32_t context_needed(const struct rt_local *local)
{
    uint32_t most = 0;
    for (size_t i = 0; i < local->campaign->scenario_count; i++)
        if (local->scenarios[i]->limits.min_context > most)
            most = local->scenarios[i]->limits.min_context;
    return most;
}

static json_t *subjects_json(struct question *question)
{
    static const char *const executors[] = {"builtin", "chat", "command", "slurm"};
    const struct rt_campaign *campaign = question->local->campaign;
    uint32_t needed = context_needed(question->local), at_once = 0;
    json_t *list = json_array();
    for (uint32_t s = 0; s < campaign->subject_count; s++) {
        const char *id = campaign->subjects[s].id;
        const struct rt_lab_subject *own =
            rt_labconfig_subject(question->local->home->config, id);
        if (!runs(question, s))
            continue;
        if (!own)
            problem(question, "worker.yaml has no subject %s", id);
        else if (own->context && own->context < needed)
            problem(question, "subject %s has a context of %llu tokens; scenarios ask for %u", id,
                    (unsigned long long)own->context, needed);
        uint32_t gpus = own ? rt_lab_gpus(own) : 0;
        uint32_t jobs = own && own->slurm ? own->slurm->jobs_at_most : 1;
        at_once += own ? own->concurrency * jobs : 0;
        question->gpus |= gpus > 0;
        json_array_append_new(
            list, json_pack("{s:s, s:b, s:s, s:I, s:I, s:I, s:I}", "subject", id, "served",
                            (int)(own != NULL), "executor",
                            own ? executors[own->executor] : "", "at_once",
                            (json_int_t)(own ? own->concurrency * jobs : 0), "gpus",
                            (json_int_t)(gpus * jobs), "context",
                            (json_int_t)(own ? own->context : 0), "context_needed",
                            (json_int_t)needed));
    }
    uint32_t most = question->policy->concurrency;
    question->at_once = most && most < at_once ? most : at_once;
    return list;
}

static bool listed(const json_t *list, const char *word)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
        if (!strcmp(json_string_value(json_object_get(item, "role")), word))
            return true;
    return false;
}

// Models that play somebody else. The built-in subject plays every role itself.
static json_t *roles_json(struct question *question)
{
    const struct rt_local *local = question->local;
    json_t *list = json_array();
    bool builtin = true;
    for (uint32_t s = 0; s < local->campaign->subject_count; s++) {
        const struct rt_lab_subject *own =
            rt_labconfig_subject(local->home->config, local->campaign->subjects[s].id);
        if (runs(question, s) && own)
            builtin = builtin && own->executor == RT_EXECUTOR_BUILTIN;
    }
    for (size_t i = 0; i < local->campaign->scenario_count; i++)
        for (size_t r = 0; r < local->scenarios[i]->role_count; r++) {
            const struct rt_scene_role *role = &local->scenarios[i]->roles[r];
            if (role->reply_count || listed(list, role->id))
                continue;
            bool own = rt_labconfig_subject(local->home->config, role->id) != NULL;
            if (!own && !builtin)
                problem(question, "a model plays the role %s, and worker.yaml has no subject of "
                        "that name", role->id);
            json_array_append_new(list,
                                  json_pack("{s:s, s:s}", "role", role->id, "served_by",
                                            own       ? "subject of worker.yaml"
                                            : builtin ? "the built-in subject"
                                                      : ""));
        }
    return list;
}

static json_t *classes_json(const struct question *question)
{
    const struct rt_campaign *campaign = question->local->campaign;
    json_t *list = json_array();
    for (size_t i = 0; i <= campaign->scenario_count; i++) {
        const char *class =
            i ? campaign->scenarios[i - 1].class : campaign->disclosure.class;
        bool seen = false, allowed = false;
        for (size_t k = 0; k < json_array_size(list); k++)
            seen |= !strcmp(
                json_string_value(json_object_get(json_array_get(list, k), "class")), class);
        for (size_t k = 0; k < question->policy->class_count; k++)
            allowed |= !strcmp(question->policy->classes[k], class);
        if (!seen)
            json_array_append_new(list, json_pack("{s:s, s:b}", "class", class, "allowed",
                                                  (int)allowed));
    }
    return list;
}

// ---- as JSON, and for people

static json_t *tonight_json(const struct question *question)
{
    const struct rt_outlook *outlook = &question->outlook;
    if (question->cost.seconds <= 0)
        return json_null();
    bool opens = outlook->opens_in_ms != RT_PERMIT_NEVER;
    double a_night = (double)outlook->trials;
    return json_pack(
        "{s:I, s:o, s:I, s:s, s:f, s:f, s:f, s:f, s:s, s:o}", "trials",
        (json_int_t)outlook->trials, "opens_in_ms",
        opens ? json_integer(outlook->opens_in_ms) : json_null(), "shuts_in_ms",
        (json_int_t)outlook->shuts_in_ms, "ended_by",
        outlook->done ? "nothing left" : rt_permit_word(outlook->ended_by), "seconds_a_trial",
        question->cost.seconds, "tokens_a_trial", question->cost.tokens, "requests_a_trial",
        question->cost.requests, "gpu_hours_a_trial", question->cost.gpu_hours, "from",
        question->history.from, "such_windows",
        a_night > 0 ? json_real((double)question->left / a_night) : json_null());
}

static json_t *answer_json(struct question *question)
{
    struct rt_buf text;
    rt_buf_init(&text, 4096);
    rt_permit_explain(question->campaign, &text);
    json_t *json = json_pack("{s:s, s:b, s:s, s:b, s:I, s:I, s:I}", "campaign",
                             question->local->name, "accepted",
                             (int)rt_permit_yes(question->campaign), "campaign_answer",
                             rt_buf_str(&text), "open_now", (int)rt_permit_yes(question->unit),
                             "room_trials",
                             question->room > INT64_MAX ? (json_int_t)-1
                                                        : (json_int_t)question->room,
                             "share", (json_int_t)question->local->plan.count, "left",
                             (json_int_t)question->left);
    rt_buf_clear(&text);
    rt_permit_explain(question->unit, &text);
    json_object_set_new(json, "unit_answer", json_string(rt_buf_str(&text)));
    rt_buf_release(&text);
    json_object_set_new(json, "classes", classes_json(question));
    json_object_set_new(json, "hours", rt_policy_hours_json(question->policy));
    json_object_set_new(json, "hold_when", json_string(question->policy->hold_when));
    json_object_set_new(json, "budgets",
                        rt_policy_budgets_json(question->policy, &question->now.usage));
    json_object_set_new(json, "tonight", tonight_json(question));
    return json;
}

static const char *word(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "";
}

static long long number(const json_t *json, const char *name)
{
    return (long long)json_integer_value(json_object_get(json, name));
}

static void print_tonight(const struct question *question)
{
    const struct rt_outlook *outlook = &question->outlook;
    char opens[32], lasts[32];
    if (question->cost.seconds <= 0) {
        printf("tonight      unknown: no trial has been run here yet; `ringtrial-worker estimate "
               "%s` runs a few\n", question->local->name);
        return;
    }
    if (outlook->opens_in_ms == RT_PERMIT_NEVER) {
        printf("tonight      nothing: %s\n", rt_permit_text(outlook->ended_by));
        return;
    }
    rt_duration_format(outlook->opens_in_ms, opens);
    rt_duration_format(outlook->shuts_in_ms - outlook->opens_in_ms, lasts);
    printf("tonight      about %llu trials, %s%s for %s; then %s\n",
           (unsigned long long)outlook->trials, outlook->opens_in_ms ? "in " : "from now on",
           outlook->opens_in_ms ? opens : "", lasts,
           outlook->done                          ? "nothing is left to run"
           : outlook->ended_by == RT_PERMIT_YES   ? "it goes on"
                                                  : rt_permit_text(outlook->ended_by));
    printf("             (%.3g s, %.0f tokens, %.3g requests, %.3g GPU hours a trial, from %s)\n",
           question->cost.seconds * question->at_once, question->cost.tokens,
           question->cost.requests, question->cost.gpu_hours, question->history.from);
}

static void print_answer(const struct question *question, const json_t *json)
{
    size_t i;
    const json_t *row;
    printf("campaign     %s: %s\n", question->local->name, word(json, "campaign_answer"));
    printf("classes      ");
    json_array_foreach(json_object_get(json, "classes"), i, row)
        printf("%s%s (%s)", i ? ", " : "", word(row, "class"),
               json_is_true(json_object_get(row, "allowed")) ? "allowed" : "not in policy.classes");
    printf("\n");
    json_array_foreach(json_object_get(json, "subjects"), i, row)
    {
        printf("subject      %s: ", word(row, "subject"));
        if (!json_is_true(json_object_get(row, "served"))) {
            printf("worker.yaml does not serve it\n");
            continue;
        }
        printf("%s, %lld at once", word(row, "executor"), number(row, "at_once"));
        if (number(row, "gpus"))
            printf(", %lld GPUs", number(row, "gpus"));
        if (number(row, "context_needed") || number(row, "context"))
            printf(", context %lld, %lld needed", number(row, "context"),
                   number(row, "context_needed"));
        printf("\n");
    }
    json_array_foreach(json_object_get(json, "roles"), i, row)
        printf("role         %s: %s\n", word(row, "role"),
               *word(row, "served_by") ? word(row, "served_by") : "nobody");
    printf("hours        %s", question->policy->hour_count ? "" : "always");
    json_array_foreach(json_object_get(json, "hours"), i, row)
        printf("%s%s", i ? "; " : "", json_string_value(row));
    printf("\nunits now    %s\n", word(json, "unit_answer"));
    if (*question->policy->hold_when)
        printf("hold when    %s (asked by the running worker, see `status`)\n",
               question->policy->hold_when);
    printf("budgets\n");
    rt_policy_print_budgets(question->policy, &question->now.usage, "  ");
    printf("share        %llu trials, %llu left\n",
           (unsigned long long)question->local->plan.count, (unsigned long long)question->left);
    print_tonight(question);
    json_array_foreach(json_object_get(json, "problems"), i, row)
        printf("problem      %s\n", json_string_value(row));
}

// ---- the command

static enum rt_status answer(struct question *question, struct rt_error *err)
{
    const struct rt_labconfig *config = question->local->home->config;
    json_t *subjects = subjects_json(question), *roles = roles_json(question);
    rt_care_now(config, rt_time_wall_ms(), &question->local->outbox->usage, question->gpus,
                &question->now);
    ask_campaign(question);
    question->unit = rt_permit_unit(question->policy, &question->now, &question->room);
    enum rt_status status = read_history(question, err);
    json_t *json = NULL;
    if (!status) {
        work_out_cost(question);
        json = answer_json(question);
        json_object_set(json, "subjects", subjects);
        json_object_set(json, "roles", roles);
        json_object_set(json, "problems", question->problems);
        if (rt_globals.json)
            status = rt_print_json(json, err);
        else
            print_answer(question, json);
    }
    json_decref(json);
    json_decref(subjects);
    json_decref(roles);
    return status;
}

static enum rt_status test(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    const struct settings *settings = place;
    struct question question = {.problems = json_array()};
    char path[PATH_MAX];
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_local_open(path, operands->items[0], RT_LOCAL_DOCUMENTS, &question.local, err);
    if (!status) {
        question.policy = &question.local->home->config->policy;
        status = answer(&question, err);
    }
    size_t problems = json_array_size(question.problems);
    json_decref(question.problems);
    rt_local_free(question.local);
    if (!status && !rt_permit_yes(question.campaign))
        status = rt_error_set(err, RT_POLICY, "policy does not let this campaign run here");
    else if (!status && problems)
        status = rt_error_set(err, RT_POLICY, "the campaign cannot run here as it is");
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = NULL},
};

const struct rt_command rt_command_policy_test = {
    .name = "policy test",
    .summary = "what of this campaign would run here, and why (exit 6: nothing)",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = test,
    .example = "ringtrial-worker policy test demo-shutdown",
    .about = "Explains policy's answer to a campaign that was offered: data classes, subjects, "
             "roles, contexts, approval, hours, budgets; whether units would be taken at this "
             "moment; and how many trials would be run in the next window of a day, by what trials "
             "here have cost so far.",
};
