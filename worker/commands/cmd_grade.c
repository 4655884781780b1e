// SPDX-License-Identifier: Apache-2.0
// `grade`: a judge model labels the transcripts this lab keeps, by each scenario's rubric. Its
// labels are ratings beside the results and change none of them.
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/progress.h"
#include "engine/judge.h"
#include "worker/commands/commands.h"
#include "worker/executor/ask.h"
#include "worker/home_exec.h"
#include "worker/inbox.h"
#include "worker/policy.h"
#include "worker/rating/desk.h"
#include "worker/rating/journal.h"

#define CHUNK    64 // questions read into memory at once
#define PROBE_MS 60000

struct settings {
    const char *state, *role;
    uint64_t most;
    bool every;
};

struct grade {
    const struct settings *settings;
    struct rt_desk desk;
    struct rt_journal journal;
    struct rt_exec *exec;
    const struct rt_lab_subject *subject;
    const char *role;
    uint64_t asked, tokens, unrated;
    struct rt_usage usage; // of the lab, with what this run adds to it
    struct rt_error *err;
};

// One trial being judged.
struct question {
    const struct rt_desk_trial *trial;
    const struct rt_scenario *scenario;
    struct rt_transcript transcript;
    uint32_t seed;
    bool settled;
    struct rt_journal_line line;
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

static bool stopping(void)
{
    return stop_signal != 0;
}

// ---- who judges

static enum rt_status may_judge(const struct grade *grade)
{
    const struct rt_local *local = grade->desk.local;
    const struct rt_lab_policy *policy = &local->home->config->policy;
    for (size_t r = 0; r < policy->role_count; r++)
        if (strcmp(policy->roles[r], "grade") == 0)
            return RT_OK;
    return rt_error_set(grade->err, RT_POLICY,
                        "%s: policy.roles does not name `grade`; add it if this lab judges",
                        local->home->path);
}

// The one role the campaign's judges have, unless one is named.
static enum rt_status choose_role(struct grade *grade)
{
    const struct rt_local *local = grade->desk.local;
    grade->role = grade->settings->role;
    for (size_t s = 0; s < local->campaign->scenario_count; s++) {
        const struct rt_judge *judge = local->scenarios[s]->judge;
        if (!judge || (grade->settings->role && strcmp(judge->role, grade->settings->role)))
            continue;
        if (grade->role && strcmp(judge->role, grade->role) != 0)
            return rt_error_set(grade->err, RT_USAGE,
                                "campaign %s has judges in several roles; choose with --role",
                                local->name);
        grade->role = judge->role;
    }
    if (!grade->role)
        return rt_error_set(grade->err, RT_NOT_FOUND, "no scenario of campaign %s has a judge",
                            local->name);
    enum rt_status status = may_judge(grade);
    if (status)
        return status;
    grade->subject = rt_labconfig_subject(local->home->config, grade->role);
    return grade->subject ? RT_OK
                          : rt_error_set(grade->err, RT_NOT_FOUND,
                                         "%s has no subject %s to judge with; add it with "
                                         "`ringtrial-worker subject add %s`",
                                         local->home->path, grade->role, grade->role);
}

static enum rt_status open_judge(struct grade *grade)
{
    const struct rt_local *local = grade->desk.local;
    struct rt_exec_options options = {
        .labels = local->campaign->labels,
        .label_count = local->campaign->label_count,
        .scenarios = local->scenarios,
        .scenario_count = local->campaign->scenario_count,
        .stopping = stopping,
    };
    enum rt_status status = rt_home_exec(local->home, grade->subject, &options, grade->err);
    if (!status)
        status = rt_exec_open(&options, &grade->exec, grade->err);
    return status ? status : rt_exec_probe(grade->exec, PROBE_MS, grade->err);
}

static enum rt_status open_journal(struct grade *grade)
{
    char path[PATH_MAX], name[RT_ID_BYTES + 32];
    snprintf(name, sizeof name, "judge.%s.jsonl", grade->role);
    enum rt_status status = rt_desk_journal(&grade->desk, name, path, grade->err);
    uint32_t labels = (uint32_t)grade->desk.local->campaign->label_count;
    return status ? status : rt_journal_open(path, labels, &grade->journal, grade->err);
}

// ---- budgets

static int64_t today(void)
{
    time_t seconds = time(NULL);
    struct tm local;
    localtime_r(&seconds, &local);
    return (int64_t)(seconds + local.tm_gmtoff) / 86400;
}

// The lab's days and what was used of them, as the worker last stored it.
static void open_budgets(struct grade *grade)
{
    const struct rt_local *local = grade->desk.local;
    if (*local->home->config->timezone) {
        setenv("TZ", local->home->config->timezone, 1);
        tzset();
    }
    grade->usage = local->outbox->usage;
}

// May the judge be asked, and how often at most? Trials are not what it uses, and hours are the
// worker's to keep: a person may grade at any time.
static enum rt_status budget(struct grade *grade, size_t *ret_requests)
{
    const struct rt_lab_policy *own = &grade->desk.local->home->config->policy;
    const struct rt_lab_policy policy = {.tokens_per_day = own->tokens_per_day,
                                         .tokens_total = own->tokens_total,
                                         .requests_per_day = own->requests_per_day};
    struct rt_permit_now now = {0};
    rt_usage_roll(&grade->usage, today());
    now.usage = grade->usage;
    struct rt_permit permit = rt_permit_unit(&policy, &now, NULL);
    uint64_t left = policy.requests_per_day - grade->usage.requests_today;
    *ret_requests = policy.requests_per_day && left < CHUNK ? (size_t)left : CHUNK;
    return rt_permit_yes(permit)
               ? RT_OK
               : rt_error_set(grade->err, RT_POLICY,
                              "%s; what the judge said so far is kept, run `grade` again",
                              rt_permit_text(permit.cause));
}

// What was used is told to the worker, which keeps the counts of the day.
static enum rt_status tell_use(struct grade *grade, uint64_t requests, uint64_t tokens)
{
    char reason[100];
    if (!requests && !tokens)
        return RT_OK;
    rt_usage_add(&grade->usage, today(), 0, tokens, requests);
    snprintf(reason, sizeof reason, "%llu requests, %llu tokens", (unsigned long long)requests,
             (unsigned long long)tokens);
    const struct rt_inbox_request request = {grade->subject->id, "used", reason};
    return rt_inbox_put(grade->desk.local->home->state, &request, grade->err);
}

// ---- asking

static uint32_t label_index(const struct rt_campaign *campaign, const char *id)
{
    for (uint32_t i = 0; i < campaign->label_count; i++)
        if (strcmp(campaign->labels[i].id, id) == 0)
            return i;
    return RT_NONE;
}

static void read_reply(struct grade *grade, struct question *question,
                       const struct rt_exec_reply *reply)
{
    const struct rt_judge *judge = question->scenario->judge;
    size_t label = 0;
    uint32_t sure = 0;
    if (!reply->ok || rt_judge_answer(judge, reply->reply.text, &label, &sure))
        return;
    uint32_t index = label_index(grade->desk.local->campaign, judge->labels[label]);
    if (index == RT_NONE)
        return;
    question->settled = true;
    question->line.status = RT_TRIAL_OK;
    question->line.label = index;
    question->line.confidence_micro = sure;
}

// One round over the questions that are not settled. *ret_failed: the judge could not be asked.
static enum rt_status ask_round(struct grade *grade, struct question *questions, size_t count,
                                unsigned attempt, bool *ret_failed)
{
    struct rt_chat_request requests[CHUNK];
    struct rt_exec_reply *replies = calloc(CHUNK, sizeof *replies);
    size_t of[CHUNK], asked = 0;
    uint64_t sent = 0;
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)1 << 30);
    enum rt_status status = replies ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < count && !status; i++) {
        if (questions[i].settled)
            continue;
        status = rt_judge_request(questions[i].scenario, &questions[i].transcript,
                                  questions[i].seed, attempt, &arena, &requests[asked]);
        of[asked++] = i;
    }
    if (!status && asked)
        status = rt_exec_ask(grade->exec, requests, asked,
                             grade->subject->concurrency ? grade->subject->concurrency : 4,
                             grade->subject->timeout_ms > 0 ? grade->subject->timeout_ms : 120000,
                             &arena, replies, &sent, grade->err);
    else if (status)
        rt_error_set(grade->err, status, "a judge's question: %s", rt_status_text(status));
    for (size_t i = 0; i < asked && !status; i++) {
        read_reply(grade, &questions[of[i]], &replies[i]);
        grade->tokens += replies[i].reply.tokens_in + replies[i].reply.tokens_out;
        *ret_failed = *ret_failed || !replies[i].ok;
        if (!replies[i].ok)
            rt_log_warn("the judge did not answer", "trial=%llu why=%s",
                        (unsigned long long)questions[of[i]].trial->number,
                        rt_log_quote(replies[i].text));
    }
    grade->asked += sent;
    rt_arena_release(&arena);
    free(replies);
    return status;
}

static enum rt_status judge_chunk(struct grade *grade, struct question *questions, size_t count)
{
    bool failed = false;
    uint64_t asked = grade->asked, tokens = grade->tokens;
    enum rt_status status = RT_OK;
    for (unsigned attempt = 0; attempt < RT_JUDGE_ATTEMPTS && !status; attempt++) {
        failed = false;
        status = ask_round(grade, questions, count, attempt, &failed);
    }
    enum rt_status told = tell_use(grade, grade->asked - asked, grade->tokens - tokens);
    status = status ? status : told;
    for (size_t i = 0; i < count && !status; i++) {
        // A server that is down is no reason to leave trials unrated: they are asked the next time.
        if (!questions[i].settled && failed)
            continue;
        grade->unrated += !questions[i].settled;
        status = rt_journal_add(&grade->journal, &questions[i].line, grade->err);
    }
    if (!status && failed)
        status = rt_error_set(grade->err, RT_NETWORK,
                              "subject %s does not answer; what it said so far is kept, run "
                              "`grade` again",
                              grade->subject->id);
    return status;
}

static bool to_be_judged(const struct grade *grade, const struct rt_desk_trial *trial,
                         struct rt_local_trial *ret_place)
{
    return trial->result.status == RT_TRIAL_OK &&
           !rt_journal_find(&grade->journal, trial->number, "") &&
           !rt_local_trial(grade->desk.local, trial->number, ret_place) &&
           ret_place->scenario->judge &&
           strcmp(ret_place->scenario->judge->role, grade->role) == 0;
}

// Is there anything to ask or to hand in? Without it the judge's server is left alone.
static bool anything(const struct grade *grade)
{
    struct rt_local_trial place;
    for (size_t i = 0; i < grade->journal.count; i++)
        if (!grade->journal.lines[i].sent)
            return true;
    for (size_t i = 0; i < grade->desk.count; i++)
        if (to_be_judged(grade, &grade->desk.trials[i], &place))
            return true;
    return false;
}

// The next questions, at most so many, or none.
static enum rt_status next_chunk(struct grade *grade, size_t *at, size_t most,
                                 struct rt_arena *arena, struct question *questions,
                                 size_t *ret_count)
{
    const struct rt_local *local = grade->desk.local;
    enum rt_status status = RT_OK;
    for (*ret_count = 0; *at < grade->desk.count && *ret_count < most && !status; ++*at) {
        const struct rt_desk_trial *trial = &grade->desk.trials[*at];
        struct rt_local_trial place;
        if (!to_be_judged(grade, trial, &place))
            continue;
        struct question *question = &questions[*ret_count];
        *question =
            (struct question){.trial = trial,
                              .scenario = place.scenario,
                              .seed = rt_judge_seed(&local->draw, trial->number, grade->role),
                              .line = {.trial = trial->number, .status = RT_TRIAL_ERROR}};
        status = rt_desk_transcript(&grade->desk, trial, arena, &question->transcript, grade->err);
        ++*ret_count;
        if (grade->settings->most && grade->journal.count + *ret_count >= grade->settings->most) {
            *at = grade->desk.count;
            break;
        }
    }
    return status;
}

static enum rt_status judge_all(struct grade *grade)
{
    struct question *questions = calloc(CHUNK, sizeof *questions);
    struct rt_arena arena;
    size_t at = 0, count = 1, most = CHUNK;
    enum rt_status status = questions ? RT_OK : RT_NO_MEMORY;
    rt_arena_init(&arena, (size_t)2 << 30);
    while (!status && count && !stopping()) {
        rt_arena_clear(&arena);
        enum rt_status allowed = budget(grade, &most);
        status = next_chunk(grade, &at, allowed ? 1 : most, &arena, questions, &count);
        if (!status && count)
            status = allowed;
        if (!status && count)
            status = judge_chunk(grade, questions, count);
    }
    rt_arena_release(&arena);
    free(questions);
    return status == RT_CANCELLED ? RT_OK : status;
}

// ---- handing in

static const struct rt_desk_trial *find_trial(const struct rt_desk *desk, uint64_t number)
{
    size_t low = 0, high = desk->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (desk->trials[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < desk->count && desk->trials[low].number == number ? &desk->trials[low] : NULL;
}

// Trials with nothing to judge (never exposed, cut off) are the judge's as they are the rules', so
// that its share divides by the same trials.
static bool carried(const struct grade *grade, const struct rt_desk_trial *trial)
{
    struct rt_local_trial place;
    return trial->result.status != RT_TRIAL_OK &&
           !rt_local_trial(grade->desk.local, trial->number, &place) && place.scenario->judge &&
           strcmp(place.scenario->judge->role, grade->role) == 0;
}

static enum rt_status hand_in(struct grade *grade, size_t *ret_files)
{
    const struct rt_campaign *campaign = grade->desk.local->campaign;
    struct rt_desk_label *labels = calloc(grade->desk.count + 1, sizeof *labels);
    struct rt_digest digest;
    size_t count = 0, fresh = 0;
    if (!labels)
        return rt_error_set(grade->err, RT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < grade->journal.count; i++) {
        const struct rt_journal_line *line = &grade->journal.lines[i];
        const struct rt_desk_trial *trial = find_trial(&grade->desk, line->trial);
        if (line->sent || !trial ||
            (line->status == RT_TRIAL_OK && line->label >= campaign->label_count))
            continue;
        bool ok = line->status == RT_TRIAL_OK;
        labels[count++] = (struct rt_desk_label){
            .trial = trial,
            .status = ok ? RT_TRIAL_OK : RT_TRIAL_ERROR,
            .outcome = ok ? line->label : 0,
            .severity = ok ? campaign->labels[line->label].severity : 0,
            .confidence_micro = line->confidence_micro,
            .seed = rt_judge_seed(&grade->desk.local->draw, line->trial, grade->role)};
    }
    fresh = count;
    for (size_t i = 0; i < grade->desk.count && fresh; i++)
        if (carried(grade, &grade->desk.trials[i]))
            labels[count++] = (struct rt_desk_label){.trial = &grade->desk.trials[i],
                                                     .status = grade->desk.trials[i].result.status};
    struct rt_desk_rater rater = {.kind = RT_RATER_KIND_JUDGE, .id = grade->role};
    rt_judge_instructions(grade->desk.local->scenarios, campaign->scenario_count, grade->role,
                          &rater.rubric);
    rater.fingerprint = rt_exec_fingerprint(grade->exec, &digest);
    enum rt_status status =
        fresh ? rt_desk_hand_in(&grade->desk, &rater, labels, count, ret_files, grade->err) : RT_OK;
    if (!status && fresh)
        status = rt_journal_sent(&grade->journal, grade->err);
    free(labels);
    return status;
}

// One judge from its journal to its ratings.
static enum rt_status grade_role(struct grade *grade)
{
    size_t files = 0;
    grade->asked = grade->tokens = grade->unrated = 0;
    enum rt_status status = open_journal(grade);
    bool work = !status && anything(grade);
    if (work)
        status = open_judge(grade);
    enum rt_status asked = work && !status ? judge_all(grade) : status;
    // What was said before the judge fell silent counts too.
    if (work && !status)
        status = hand_in(grade, &files);
    status = status ? status : asked;
    if (!status && !rt_globals.quiet)
        printf("%s: judge %s has labelled %zu trials, %llu left unrated in this run, %zu ratings "
               "handed to the worker\n",
               grade->desk.local->name, grade->role, grade->journal.count,
               (unsigned long long)grade->unrated, files);
    rt_exec_free(grade->exec);
    grade->exec = NULL;
    if (grade->journal.fd >= 0)
        rt_journal_close(&grade->journal);
    grade->journal = (struct rt_journal){.fd = -1};
    return status;
}

// Every judge whose subject this lab serves, in the order of the scenarios.
static enum rt_status grade_every(struct grade *grade)
{
    const struct rt_local *local = grade->desk.local;
    enum rt_status status = may_judge(grade);
    for (size_t s = 0; s < local->campaign->scenario_count && !status; s++) {
        const struct rt_judge *judge = local->scenarios[s]->judge;
        bool before = false;
        for (size_t b = 0; judge && b < s; b++)
            before |= local->scenarios[b]->judge &&
                      !strcmp(local->scenarios[b]->judge->role, judge->role);
        grade->subject =
            judge && !before ? rt_labconfig_subject(local->home->config, judge->role) : NULL;
        if (!grade->subject)
            continue;
        grade->role = judge->role;
        status = grade_role(grade);
    }
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    struct grade grade = {.settings = place, .journal = {.fd = -1}, .err = err};
    char path[PATH_MAX];
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    enum rt_status status = rt_lab_config_path(grade.settings->state, path, err);
    if (!status)
        status = rt_desk_open(path, operands->count ? operands->items[0] : NULL, &grade.desk, err);
    if (status)
        return status;
    open_budgets(&grade);
    if (grade.settings->every) {
        status = grade_every(&grade);
    } else {
        status = choose_role(&grade);
        if (!status)
            status = grade_role(&grade);
    }
    rt_desk_release(&grade.desk);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "role",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, role),
     .value_name = "ROLE",
     .help = "Which judge, where a campaign has several."},
    {.name = "every",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, every),
     .help = "Every judge whose subject is served here; none is no error."},
    {.name = "most",
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, most),
     .value_name = "N",
     .help = "Stop once so many trials have been judged in all."},
    {.name = NULL},
};

const struct rt_command rt_command_grade = {
    .name = "grade",
    .summary = "let a judge model label stored transcripts",
    .operands = "[CAMPAIGN]",
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker grade demo-shutdown",
    .about = "Asks the subject named by each scenario's `raters.judge.role` for one label of its "
             "list, by the rubric, at temperature 0 and with a seed of its own. It can stop at any "
             "time and go on later, and draws on the lab's budgets. A worker that runs does this "
             "by itself once a campaign's trials are in. It signs and sends the labels as a "
             "rating; results stay as they are.",
};
