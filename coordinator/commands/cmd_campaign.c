// SPDX-License-Identifier: Apache-2.0
// `campaign check`, `register` and `sign`: compile the documents, run the bench's own tests, and
// put the plan into the log before anything runs.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "coordinator/commands/client.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/next_roster.h"
#include "engine/selftest.h"
#include "proto/doc/doc.h"
#include "proto/trial.h"

struct settings {
    const char *state, *key, *roster, *statement, *out;
};

// Everything `check` and `register` compile.
struct plan {
    struct rt_arena arena;
    struct rt_notes notes;
    struct rt_roster *roster;
    struct rt_campaign *campaign;
    struct rt_bench *bench;
};

static void plan_release(struct plan *plan)
{
    rt_notes_release(&plan->notes);
    rt_arena_release(&plan->arena);
}

static enum rt_status run_tests(const struct rt_bench *bench, size_t *ret_run, struct rt_error *err)
{
    struct rt_buf findings;
    rt_buf_init(&findings, (size_t)4 << 20);
    size_t failed = 0, run = 0;
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < bench->scenario_count && !status; i++) {
        struct rt_selftest result = {0};
        status = rt_selftest_run(bench->scenarios[i], bench->entries[i].file, bench->labels,
                                 bench->label_count, &result, &findings);
        run += result.run;
        failed += result.failed;
    }
    if (status)
        rt_error_set(err, status, "running the bench's own tests");
    if (!status && failed) {
        fputs(rt_buf_str(&findings), stderr);
        status = rt_error_set(err, RT_CHECK_FAILED, "%zu of the bench's %zu own tests fail", failed,
                              run);
    }
    rt_buf_release(&findings);
    *ret_run = run;
    return status;
}

static enum rt_status compile(const char *path, struct plan *plan, size_t *ret_tests,
                              struct rt_error *err)
{
    enum rt_status status = rt_campaign_compile(path, plan->roster, false, &plan->arena,
                                                &plan->campaign, &plan->bench, &plan->notes, err);
    // A refusal may rest on what the notes say, such as why each lab was left out.
    if (status && plan->notes.count)
        fputs(rt_buf_str(&plan->notes.text), stderr);
    return status ? status : run_tests(plan->bench, ret_tests, err);
}

static void print_plan(const struct plan *plan, size_t tests)
{
    const struct rt_campaign *campaign = plan->campaign;
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&campaign->digest, digest);
    uint64_t total = 0;
    static const struct rt_digest no_draw;
    printf("campaign  %s: %s\ndigest    %s\nbench     %s %s, %zu scenarios, %zu prompts, %zu own "
           "tests passed\n",
           campaign->id, campaign->title, digest, campaign->bench_id, campaign->bench_version,
           campaign->scenario_count, campaign->prompt_count, tests);
    for (uint32_t lab = 0; lab < campaign->lab_count; lab++) {
        struct rt_lab_plan lab_plan;
        rt_lab_plan_init(&lab_plan, campaign, lab, &no_draw);
        printf("lab       %-20s %10" PRIu64 " trials\n", campaign->labs[lab].id, lab_plan.count);
        total += lab_plan.count;
    }
    printf("total     %" PRIu64 " trials, %zu configurations, %" PRIu64 " replicates\n", total,
           campaign->configuration_count, campaign->design.replicates);
    if (plan->notes.count)
        printf("\nnot played yet:\n%s", rt_buf_str(&plan->notes.text));
}

static enum rt_status print_plan_json(const struct plan *plan, size_t tests, struct rt_error *err)
{
    const struct rt_campaign *campaign = plan->campaign;
    static const struct rt_digest no_draw;
    char digest[RT_DIGEST_TEXT_BYTES];
    struct rt_buf out;
    uint64_t total = 0;
    json_t *labs = json_array();
    for (uint32_t lab = 0; lab < campaign->lab_count; lab++) {
        struct rt_lab_plan lab_plan;
        rt_lab_plan_init(&lab_plan, campaign, lab, &no_draw);
        json_array_append_new(labs, json_pack("{s:s, s:I}", "lab", campaign->labs[lab].id,
                                              "trials", (json_int_t)lab_plan.count));
        total += lab_plan.count;
    }
    rt_digest_format(&campaign->digest, digest);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:s}", "campaign",
        campaign->id, "title", campaign->title, "digest", digest, "bench", campaign->bench_id,
        "bench_version", campaign->bench_version, "scenarios", (json_int_t)campaign->scenario_count,
        "prompts", (json_int_t)campaign->prompt_count, "tests", (json_int_t)tests, "trials",
        (json_int_t)total, "configurations", (json_int_t)campaign->configuration_count,
        "replicates", (json_int_t)campaign->design.replicates, "labs", labs, "not_played_yet",
        rt_buf_str(&plan->notes.text));
    rt_buf_init(&out, (size_t)16 << 20);
    enum rt_status status = json ? rt_json_write_pretty(json, &out) : RT_NO_MEMORY;
    if (!status)
        fputs(rt_buf_str(&out), stdout);
    rt_buf_release(&out);
    json_decref(json);
    return status ? rt_error_set(err, status, "printing the plan") : RT_OK;
}

static enum rt_status roster_from_file(const char *path, struct plan *plan, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, (size_t)4 << 20);
    enum rt_status status = rt_file_read(path, &text, err);
    struct rt_bytes copy = rt_arena_bytes(&plan->arena, rt_buf_bytes(&text));
    rt_buf_release(&text);
    return status ? status
                  : rt_roster_read(copy, path, &plan->arena, &plan->roster, &plan->notes, err);
}

static enum rt_status check(const void *place, const struct rt_text_list *operands,
                            struct rt_error *err)
{
    const struct settings *settings = place;
    struct plan plan = {0};
    struct rt_state state;
    struct rt_client client;
    rt_arena_init(&plan.arena, (size_t)256 << 20);
    rt_notes_init(&plan.notes);
    enum rt_status status = RT_OK;
    if (settings->roster) {
        status = roster_from_file(settings->roster, &plan, err);
    } else {
        status = rt_state_open(settings->state, true, &state, err);
        if (!status)
            status = rt_client_open(&state, &client, err);
        if (!status) {
            status = rt_client_roster(&client, &plan.arena, &plan.roster, err);
            rt_client_close(&client);
        }
    }
    size_t tests = 0;
    if (!status)
        status = compile(operands->items[0], &plan, &tests, err);
    if (!status && rt_globals.json)
        status = print_plan_json(&plan, tests, err);
    else if (!status)
        print_plan(&plan, tests);
    plan_release(&plan);
    return status;
}

static const struct rt_option check_options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "roster",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, roster),
     .value_name = "FILE",
     .help = "Check against this roster instead of the running coordinator's."},
    {0}};

const struct rt_command rt_command_campaign_check = {
    .name = "campaign check",
    .summary = "Compile a campaign and its bench, run the bench's tests, show the plan.",
    .operands = "FILE",
    .operands_least = 1,
    .operands_most = 1,
    .options = check_options,
    .settings_size = sizeof(struct settings),
    .run = check,
    .example = "ringtrial-coordinator campaign check configs/demo/campaign.yaml"};

// ---- register

static enum rt_status make_statement(const struct plan *plan, const struct rt_secret_key *key,
                                     struct rt_buf *out)
{
    static struct rt_statement statement;
    statement.kind = RT_STATEMENT_CAMPAIGN;
    statement.campaign = plan->campaign->digest;
    statement.name = rt_bytes_str(plan->campaign->id);
    statement.bench = plan->campaign->bench_digest;
    statement.roster = plan->campaign->roster_digest;
    return key ? rt_statement_make(&statement, key, out) : rt_statement_build(&statement, out);
}

// The campaign object, the bench object, and every scenario under its salt.
static enum rt_status make_objects(const struct plan *plan, struct rt_arena *arena,
                                   struct rt_bytes **ret_objects, size_t *ret_count)
{
    size_t count = plan->bench->scenario_count + 2;
    struct rt_bytes *objects = rt_arena_array(arena, count, sizeof *objects);
    struct rt_buf buf;
    rt_buf_init(&buf, RT_CAMPAIGN_OBJECT_MOST);
    enum rt_status status = objects ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < count && !status; i++) {
        rt_buf_clear(&buf);
        if (i == 0)
            status = rt_campaign_encode(plan->campaign, &buf);
        else if (i == 1)
            status = rt_bench_encode(plan->bench, &buf);
        else
            status = rt_scenario_encode(plan->bench->scenarios[i - 2],
                                        plan->bench->entries[i - 2].salt, &buf);
        objects[i] = rt_arena_bytes(arena, rt_buf_bytes(&buf));
        if (!status && !objects[i].data)
            status = RT_NO_MEMORY;
    }
    rt_buf_release(&buf);
    *ret_objects = objects;
    *ret_count = count;
    return status;
}

static enum rt_status statement_text(const struct settings *settings, const struct rt_state *state,
                                     const struct plan *plan, struct rt_buf *out,
                                     struct rt_error *err)
{
    if (settings->statement)
        return rt_file_read(settings->statement, out, err);
    char path[RT_STATE_PATH_BYTES];
    snprintf(path, sizeof path, "%s", settings->key ? settings->key : "");
    if (!settings->key && rt_path_join(path, sizeof path, state->keys, "board.key"))
        return rt_error_set(err, RT_TOO_LARGE, "path too long");
    struct rt_secret_key *key = NULL;
    enum rt_status status = rt_state_key_at(path, &key, err);
    if (!status && (status = make_statement(plan, key, out)))
        rt_error_set(err, status, "signing the campaign");
    rt_secret_key_free(key);
    return status;
}

static enum rt_status submit(const struct settings *settings, const struct rt_state *state,
                             struct rt_client *client, struct plan *plan, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    if (settings->out) {
        enum rt_status made = make_statement(plan, NULL, &text);
        made = made ? rt_error_set(err, made, "making the statement")
                    : rt_file_write(settings->out, rt_buf_bytes(&text), 0644, err);
        rt_buf_release(&text);
        if (!made)
            printf(
                "%s: let the board sign it with `campaign sign`, then register with --statement\n",
                settings->out);
        return made;
    }
    struct rt_bytes *objects = NULL;
    size_t count = 0;
    uint64_t index = 0;
    enum rt_status status = make_objects(plan, &plan->arena, &objects, &count);
    if (status)
        rt_error_set(err, status, "encoding the campaign: %s", rt_status_text(status));
    if (!status)
        status = statement_text(settings, state, plan, &text, err);
    if (!status)
        status = rt_client_submit(client, rt_buf_bytes(&text), objects, count, &index, err);
    if (!status)
        printf("registered at log index %" PRIu64 "; labs are asked to accept it\n", index);
    rt_buf_release(&text);
    return status;
}

static enum rt_status register_campaign(const void *place, const struct rt_text_list *operands,
                                        struct rt_error *err)
{
    const struct settings *settings = place;
    struct plan plan = {0};
    struct rt_state state;
    struct rt_client client;
    rt_arena_init(&plan.arena, (size_t)256 << 20);
    rt_notes_init(&plan.notes);
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_client_open(&state, &client, err);
    if (status) {
        plan_release(&plan);
        return status;
    }
    size_t tests = 0;
    status = rt_client_roster(&client, &plan.arena, &plan.roster, err);
    if (!status)
        status = compile(operands->items[0], &plan, &tests, err);
    if (!status) {
        print_plan(&plan, tests);
        status = submit(settings, &state, &client, &plan, err);
    }
    rt_client_close(&client);
    plan_release(&plan);
    return status;
}

static const struct rt_option register_options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "key",
     .letter = 'k',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, key),
     .value_name = "FILE",
     .help = "The board key to sign with (default STATE/keys/board.key)."},
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "FILE",
     .help = "Write the unsigned statement for the board to sign, and register nothing."},
    {.name = "statement",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, statement),
     .value_name = "FILE",
     .help = "Register with this statement, signed by the board."},
    {0}};

const struct rt_command rt_command_campaign_register = {
    .name = "campaign register",
    .summary = "Compile a campaign and put its plan into the log (preregistration).",
    .operands = "FILE",
    .operands_least = 1,
    .operands_most = 1,
    .options = register_options,
    .settings_size = sizeof(struct settings),
    .run = register_campaign,
    .example = "ringtrial-coordinator campaign register configs/demo/campaign.yaml"};
