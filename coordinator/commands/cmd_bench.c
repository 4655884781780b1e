// SPDX-License-Identifier: Apache-2.0
// `bench lint` and `schema`: a bench folder checked by its own tests and by what a careful reader
// would ask of it, and the JSON Schemas that editors check the same files with.
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "coordinator/commands/commands.h"
#include "engine/selftest.h"
#include "proto/doc/doc.h"
#include "proto/doc/json_schema.h"

struct settings {
    bool none;
};

static enum rt_status tests(const struct rt_bench *bench, struct rt_buf *findings, size_t *ret_run,
                            size_t *ret_failed)
{
    for (size_t i = 0; i < bench->scenario_count; i++) {
        struct rt_selftest result = {0};
        enum rt_status status =
            rt_selftest_run(bench->scenarios[i], bench->entries[i].file, bench->labels,
                            bench->label_count, &result, findings);
        if (status)
            return status;
        *ret_run += result.run;
        *ret_failed += result.failed;
    }
    return RT_OK;
}

struct linted {
    const struct rt_bench *bench;
    const struct rt_buf *findings;
    const struct rt_notes *notes;
    size_t run, failed, found;
};

static enum rt_status say_lint_json(const struct linted *linted, struct rt_error *err)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    struct rt_buf out;
    rt_digest_format(&linted->bench->content, digest);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s}", "bench", linted->bench->id, "version",
        linted->bench->version, "content", digest, "scenarios",
        (json_int_t)linted->bench->scenario_count, "tests", (json_int_t)linted->run,
        "tests_failed", (json_int_t)linted->failed, "findings", (json_int_t)linted->found,
        "finding_lines", rt_buf_str(linted->findings), "not_played_yet",
        rt_buf_str(&linted->notes->text));
    rt_buf_init(&out, (size_t)16 << 20);
    enum rt_status status = json ? rt_json_write_pretty(json, &out) : RT_NO_MEMORY;
    if (!status)
        fputs(rt_buf_str(&out), stdout);
    rt_buf_release(&out);
    json_decref(json);
    return status ? rt_error_set(err, status, "printing the result") : RT_OK;
}

static void say_lint(const struct linted *linted)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&linted->bench->content, digest);
    fputs(rt_buf_str(linted->findings), stdout);
    if (linted->notes->count)
        printf("not played yet:\n%s", rt_buf_str(&linted->notes->text));
    printf("content %s\n%s %s: %zu scenario%s, %zu own test%s, %zu failed, %zu finding%s\n",
           digest, linted->bench->id, linted->bench->version, linted->bench->scenario_count,
           linted->bench->scenario_count == 1 ? "" : "s", linted->run, linted->run == 1 ? "" : "s",
           linted->failed, linted->found, linted->found == 1 ? "" : "s");
}

static enum rt_status lint(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    (void)place;
    struct rt_arena arena;
    struct rt_notes notes;
    struct rt_buf findings;
    rt_arena_init(&arena, (size_t)256 << 20);
    rt_notes_init(&notes);
    rt_buf_init(&findings, (size_t)4 << 20);
    struct rt_bench *bench = NULL;
    struct linted linted = {.findings = &findings, .notes = &notes};
    enum rt_status status = rt_bench_load(operands->items[0], false, &arena, &bench, &notes, err);
    if (!status && (status = tests(bench, &findings, &linted.run, &linted.failed)))
        rt_error_set(err, status, "running the bench's own tests");
    if (!status) {
        linted.bench = bench;
        linted.found = rt_bench_lint(bench, operands->items[0], &findings);
        if (rt_globals.json)
            status = say_lint_json(&linted, err);
        else
            say_lint(&linted);
        if (!status && (linted.failed || linted.found))
            status = RT_CHECK_FAILED;
    }
    rt_buf_release(&findings);
    rt_notes_release(&notes);
    rt_arena_release(&arena);
    return status;
}

const struct rt_command rt_command_bench_lint = {
    .name = "bench lint",
    .summary = "Run a bench's own tests; check phrasings, labels, canary, licence, versions.",
    .operands = "FOLDER",
    .operands_least = 1,
    .operands_most = 1,
    .settings_size = sizeof(struct settings),
    .run = lint,
    .example = "ringtrial-coordinator bench lint configs/benches/shutdown"};

struct schema_settings {
    bool keys;
};

static enum rt_status schema(const void *place, const struct rt_text_list *operands,
                             struct rt_error *err)
{
    const struct schema_settings *settings = place;
    struct rt_buf out;
    rt_buf_init(&out, (size_t)4 << 20);
    enum rt_status status = settings->keys ? rt_json_schema_keys(operands->items[0], &out)
                                           : rt_json_schema(operands->items[0], &out);
    if (status == RT_NOT_FOUND) {
        const char *near = rt_did_you_mean(operands->items[0], rt_json_schema_kinds);
        rt_error_set(err, RT_USAGE,
                     "there is no schema of `%s`%s%s%s; known: bench, campaign, roster, salts, "
                     "scenario, worker",
                     operands->items[0], near ? "; did you mean `" : "", near ? near : "",
                     near ? "`?" : "");
        status = RT_USAGE;
    } else if (status) {
        rt_error_set(err, status, "%s", rt_status_text(status));
    } else {
        fwrite(out.data, 1, out.size, stdout);
    }
    rt_buf_release(&out);
    return status;
}

static const struct rt_option schema_options[] = {
    {.name = "keys",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct schema_settings, keys),
     .help = "Print the keys with their forms and defaults, for people."},
    {0},
};

const struct rt_command rt_command_schema = {
    .name = "schema",
    .summary = "Print the JSON Schema of a document: bench, scenario, campaign, roster, worker.",
    .operands = "KIND",
    .operands_least = 1,
    .operands_most = 1,
    .options = schema_options,
    .settings_size = sizeof(struct schema_settings),
    .run = schema,
    .example = "ringtrial-coordinator schema scenario > scenario.schema.json"};
