// SPDX-License-Identifier: Apache-2.0
// `bench card`: a bench's card as Markdown, with what its reviews say and what changed since
// another version.
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "coordinator/commands/bench_reviews.h"
#include "coordinator/commands/commands.h"
#include "proto/doc/doc.h"

#define MEMORY_MOST ((size_t)256 << 20)

struct settings {
    const char *since;
};

static void print_head(const struct rt_bench *bench)
{
    printf("# %s\n\n`%s` version %s, licence %s", bench->title, bench->id, bench->version,
           *bench->licence ? bench->licence : "not stated");
    printf(", provenance %s\n\n", *bench->provenance ? bench->provenance : "not stated");
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
}

static bool language_seen(const struct rt_scenario *scenario, size_t phrasing)
{
    for (size_t i = 0; i < phrasing; i++)
        if (strcmp(scenario->phrasings[i].lang, scenario->phrasings[phrasing].lang) == 0)
            return true;
    return false;
}

static void print_scenarios(const struct rt_bench *bench)
{
    printf("\n## scenarios\n\n");
    for (size_t i = 0; i < bench->scenario_count; i++) {
        const struct rt_scenario *scenario = bench->scenarios[i];
        printf("- `%s` %s (%zu arms, %zu phrasings in", scenario->id, scenario->title,
               scenario->arm_count, scenario->phrasing_count);
        for (size_t p = 0; p < scenario->phrasing_count; p++)
            if (!language_seen(scenario, p))
                printf(" %s", scenario->phrasings[p].lang);
        for (size_t r = 0; r < scenario->role_count; r++)
            printf("; role `%s` is %s", scenario->roles[r].id,
                   scenario->roles[r].reply_count ? "scripted" : "played by a model");
        if (scenario->limits.min_context)
            printf("; needs %u tokens of context", scenario->limits.min_context);
        printf(")\n");
    }
}

static enum rt_status print_reviews(const char *folder, const struct rt_bench *bench,
                                    struct rt_arena *arena, struct rt_error *err)
{
    struct rt_reviews reviews;
    struct rt_review_item *items = NULL;
    struct rt_review_result result;
    size_t count = 0;
    enum rt_status status = rt_bench_reviews_load(folder, bench, arena, &reviews, err);
    if (!status && (status = rt_review_items(bench, arena, &items, &count)))
        rt_error_set(err, status, "%s", rt_status_text(status));
    if (status)
        return status;
    rt_review_result(&reviews, items, count, &result);
    printf("\n## phrasings compared by people\n\n");
    if (!result.rated) {
        printf("- No two people have compared the phrasings yet (`bench review`).\n");
        return RT_OK;
    }
    printf("- Pairs: %zu of %zu compared by two people who did not know which phrasing was which: "
           "same facts? same demand?\n",
           result.rated, result.items);
    printf("- They agreed on %zu", result.agreed);
    if (!isnan(result.kappa))
        printf(" (Cohen's kappa %.2f)", result.kappa);
    printf("; a third person decided %zu.\n", result.decided);
    printf("- Judged the same: %zu. Judged different: %zu.\n", result.same, result.not_same);
    for (size_t i = 0; i < count; i++) {
        const struct rt_scenario *scenario = bench->scenarios[items[i].scenario];
        if (rt_review_verdict(&reviews, items[i].key) == 0)
            printf("- Different: `%s`, `%s` against `%s`\n", scenario->id,
                   scenario->phrasings[items[i].phrasing].id, scenario->phrasings[0].id);
    }
    return RT_OK;
}

static void print_changes(const struct rt_bench *bench)
{
    printf("\n## changes\n\n");
    for (size_t i = 0; i < bench->change_count; i++) {
        char stamp[RT_STAMP_BYTES];
        rt_stamp_format(bench->changes[i].date_ms, stamp);
        printf("- %s (%.10s): %s\n", bench->changes[i].version, stamp, bench->changes[i].what);
    }
}

// A folder, or the file of a bench object as a campaign has it.
static enum rt_status load_before(const char *path, struct rt_arena *arena,
                                  struct rt_bench **ret_bench, struct rt_error *err)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return rt_bench_load(path, false, arena, ret_bench, NULL, err);
    struct rt_buf object;
    rt_buf_init(&object, (size_t)16 << 20);
    enum rt_status status = rt_file_read(path, &object, err);
    if (!status && (status = rt_bench_decode(rt_buf_bytes(&object), arena, ret_bench)))
        rt_error_set(err, status, "%s is neither a bench's folder nor a bench's object", path);
    rt_buf_release(&object);
    return status;
}

static enum rt_status print_since(const char *path, const struct rt_bench *bench,
                                  struct rt_arena *arena, struct rt_error *err)
{
    struct rt_bench *before = NULL;
    struct rt_buf out;
    rt_buf_init(&out, (size_t)16 << 20);
    enum rt_status status = load_before(path, arena, &before, err);
    if (!status) {
        printf("\n## changed from version %s to %s\n\n", before->version, bench->version);
        size_t changes = rt_bench_compare(before, bench, &out);
        fputs(changes ? rt_buf_str(&out) : "- nothing\n", stdout);
    }
    rt_buf_release(&out);
    return status;
}

static enum rt_status card(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_arena arena;
    struct rt_bench *bench = NULL;
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_arena_init(&arena, MEMORY_MOST);
    enum rt_status status = rt_bench_load(operands->items[0], false, &arena, &bench, NULL, err);
    if (!status) {
        print_head(bench);
        print_scenarios(bench);
        status = print_reviews(operands->items[0], bench, &arena, err);
    }
    if (!status) {
        print_changes(bench);
        if (settings->since)
            status = print_since(settings->since, bench, &arena, err);
    }
    if (!status) {
        rt_digest_format(&bench->content, digest);
        printf("\nContent: `%s`\n", digest);
        rt_digest_format(&bench->digest, digest);
        printf("Digest: `%s`\n", digest);
    }
    rt_arena_release(&arena);
    return status;
}

static const struct rt_option options[] = {
    {.name = "since",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, since),
     .value_name = "FOLDER",
     .help = "Say what changed since this version: a bench's folder, or its object."},
    {0},
};

const struct rt_command rt_command_bench_card = {
    .name = "bench card",
    .no_json = true,
    .summary = "Print a bench's card as Markdown.",
    .operands = "FOLDER",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = card,
    .example = "ringtrial-coordinator bench card configs/benches/shutdown > CARD.md"};
