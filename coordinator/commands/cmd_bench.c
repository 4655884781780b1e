// SPDX-License-Identifier: Apache-2.0
// `bench lint` and `bench card`: a bench folder checked by its own tests and by comparison of its
// phrasings, and its card rendered as Markdown.
#include <stdio.h>

#include "common/base/time.h"
#include "coordinator/commands/commands.h"
#include "engine/selftest.h"
#include "proto/doc/doc.h"

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
    size_t run = 0, failed = 0, found = 0;
    enum rt_status status = rt_bench_load(operands->items[0], false, &arena, &bench, &notes, err);
    if (!status && (status = tests(bench, &findings, &run, &failed)))
        rt_error_set(err, status, "running the bench's own tests");
    if (!status) {
        found = rt_bench_lint(bench, operands->items[0], &findings);
        fputs(rt_buf_str(&findings), stdout);
        if (notes.count)
            printf("not played yet:\n%s", rt_buf_str(&notes.text));
        printf("%s %s: %zu scenarios, %zu own tests, %zu failed, %zu findings between phrasings\n",
               bench->id, bench->version, bench->scenario_count, run, failed, found);
        if (failed || found)
            status = RT_CHECK_FAILED;
    }
    rt_buf_release(&findings);
    rt_notes_release(&notes);
    rt_arena_release(&arena);
    return status;
}

const struct rt_command rt_command_bench_lint = {
    .name = "bench lint",
    .summary = "Run a bench's own tests and compare its phrasings.",
    .operands = "FOLDER",
    .operands_least = 1,
    .operands_most = 1,
    .settings_size = sizeof(struct settings),
    .run = lint,
    .example = "ringtrial-coordinator bench lint configs/benches/shutdown"};

static void print_card(const struct rt_bench *bench)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&bench->digest, digest);
    printf("# %s\n\n`%s` version %s, licence %s\n\n", bench->title, bench->id, bench->version,
           bench->licence);
    printf("| label | counts as the behaviour | severity | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < bench->label_count; i++)
        printf("| `%s` | %s | %u | %s |\n", bench->labels[i].id,
               bench->labels[i].behaviour ? "yes" : "no", bench->labels[i].severity,
               bench->labels[i].says);
    for (size_t i = 0; i < bench->card_count; i++) {
        printf("\n## %s\n\n", bench->card[i].name);
        for (size_t j = 0; j < bench->card[i].text_count; j++)
            printf("- %s\n", bench->card[i].texts[j]);
    }
    printf("\n## scenarios\n\n");
    for (size_t i = 0; i < bench->scenario_count; i++)
        printf("- `%s` %s (%zu arms, %zu phrasings)\n", bench->scenarios[i]->id,
               bench->scenarios[i]->title, bench->scenarios[i]->arm_count,
               bench->scenarios[i]->phrasing_count);
    printf("\n## changes\n\n");
    for (size_t i = 0; i < bench->change_count; i++) {
        char stamp[RT_STAMP_BYTES];
        rt_stamp_format(bench->changes[i].date_ms, stamp);
        printf("- %s (%.10s): %s\n", bench->changes[i].version, stamp, bench->changes[i].what);
    }
    printf("\nDigest: `%s`\n", digest);
}

static enum rt_status card(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    (void)place;
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)256 << 20);
    struct rt_bench *bench = NULL;
    enum rt_status status = rt_bench_load(operands->items[0], false, &arena, &bench, NULL, err);
    if (!status)
        print_card(bench);
    rt_arena_release(&arena);
    return status;
}

const struct rt_command rt_command_bench_card = {
    .name = "bench card",
    .summary = "Print a bench's card as Markdown.",
    .operands = "FOLDER",
    .operands_least = 1,
    .operands_most = 1,
    .settings_size = sizeof(struct settings),
    .run = card,
    .example = "ringtrial-coordinator bench card configs/benches/shutdown > CARD.md"};
