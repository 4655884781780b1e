// SPDX-License-Identifier: Apache-2.0
// `bench review`: two people compare the phrasings of each scenario without knowing which they see,
// a third where they differ. Answers are stored one by one, so a review can be left and taken up
// again.
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "coordinator/commands/bench_reviews.h"
#include "coordinator/commands/commands.h"

#define MEMORY_MOST ((size_t)256 << 20)

struct settings {
    const char *rater;
};

enum rt_status rt_bench_reviews_load(const char *folder, const struct rt_bench *bench,
                                     struct rt_arena *arena, struct rt_reviews *ret_reviews,
                                     struct rt_error *err)
{
    char path[4096];
    struct rt_buf text;
    struct rt_reviews reviews = {.bench = bench->id};
    enum rt_status status = rt_path_join(path, sizeof path, folder, "reviews.yaml");
    if (status)
        return rt_error_set(err, status, "%s: the path is too long", folder);
    rt_buf_init(&text, (size_t)16 << 20);
    if (rt_file_exists(path)) {
        status = rt_file_read(path, &text, err);
        if (!status)
            status = rt_reviews_read(rt_buf_bytes(&text), arena, &reviews, err);
        if (!status && strcmp(reviews.bench, bench->id) != 0)
            status = rt_error_set(err, RT_CONFLICT, "%s is of the bench `%s`, not of `%s`", path,
                                  reviews.bench, bench->id);
    }
    rt_buf_release(&text);
    if (!status)
        *ret_reviews = reviews;
    return status;
}

enum rt_status rt_bench_reviews_store(const char *folder, const struct rt_reviews *reviews,
                                      struct rt_error *err)
{
    char path[4096];
    struct rt_buf text;
    if (rt_path_join(path, sizeof path, folder, "reviews.yaml"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", folder);
    rt_buf_init(&text, (size_t)16 << 20);
    rt_reviews_write(reviews, &text);
    enum rt_status status = rt_buf_ok(&text);
    if (status)
        rt_error_set(err, status, "%s: too many answers", path);
    else
        status = rt_file_write(path, rt_buf_bytes(&text), 0644, err);
    rt_buf_release(&text);
    return status;
}

// ---- asking

static void print_phrasing(const char *name, const struct rt_phrasing *phrasing)
{
    printf("  %s (%s)\n", name, phrasing->lang);
    for (size_t v = 0; v < phrasing->var_count; v++)
        printf("    %s\n", phrasing->vars[v].value);
}

// 1 yes, 0 no, -1 the end (q, or no more input). Anything else is asked again.
static int ask(const char *question)
{
    char line[256];
    for (;;) {
        printf("  %s [y/n, q to stop] ", question);
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
            return -1;
        if (line[0] == 'y' || line[0] == 'n')
            return line[0] == 'y';
        if (line[0] == 'q')
            return -1;
    }
}

// Which of the two comes first is the rater's and the pair's own coin.
static bool swapped(const char *rater, const char *key)
{
    unsigned sum = 0;
    for (; *rater; rater++)
        sum += (unsigned char)*rater;
    for (; *key; key++)
        sum += (unsigned char)*key;
    return sum & 1;
}

static int compare(const struct rt_bench *bench, const struct rt_review_item *item,
                   const char *rater, size_t nth, size_t count, struct rt_answer *answer)
{
    const struct rt_scenario *scenario = bench->scenarios[item->scenario];
    bool swap = swapped(rater, item->key);
    printf("\nPair %zu of %zu. {{...}} stands for the same in both.\n", nth + 1, count);
    print_phrasing("A", &scenario->phrasings[swap ? item->phrasing : 0]);
    print_phrasing("B", &scenario->phrasings[swap ? 0 : item->phrasing]);
    int facts = ask("Do A and B state the same facts?");
    int demand = facts < 0 ? -1 : ask("Do A and B demand the same?");
    *answer = (struct rt_answer){rater, item->key, facts == 1, demand == 1, ""};
    return facts < 0 || demand < 0 ? -1 : 0;
}

static enum rt_status go_through(const char *folder, const char *rater,
                                 const struct rt_bench *bench, struct rt_arena *arena,
                                 struct rt_reviews *reviews, const struct rt_review_item *items,
                                 size_t count, struct rt_error *err)
{
    size_t *left = rt_arena_array(arena, count + 1, sizeof *left);
    struct rt_answer *answers =
        rt_arena_array(arena, reviews->answer_count + count + 1, sizeof *answers);
    if (!left || !answers)
        return rt_error_set(err, RT_NO_MEMORY, "%s: out of memory", folder);
    if (reviews->answer_count)
        memcpy(answers, reviews->answers, reviews->answer_count * sizeof *answers);
    reviews->answers = answers;
    size_t todo = rt_review_left(reviews, items, count, rater, left);
    enum rt_status status = RT_OK;
    size_t done = 0;
    while (done < todo && !status &&
           compare(bench, &items[left[done]], rater, done, todo, &answers[reviews->answer_count]) ==
               0) {
        reviews->answer_count++;
        done++;
        status = rt_bench_reviews_store(folder, reviews, err);
    }
    if (!status)
        printf("\n%s: %zu answered, %zu left for you\n", rater, done, todo - done);
    return status;
}

static enum rt_status review(const void *place, const struct rt_text_list *operands,
                             struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_arena arena;
    struct rt_bench *bench = NULL;
    struct rt_reviews reviews;
    struct rt_review_item *items = NULL;
    struct rt_review_result result;
    size_t count = 0;
    const char *folder = operands->items[0];
    if (!rt_id_valid(settings->rater))
        return rt_error_set(err, RT_USAGE,
                            "--rater is an id: small letters, digits, '.', '_', '-'");
    rt_arena_init(&arena, MEMORY_MOST);
    enum rt_status status = rt_bench_load(folder, false, &arena, &bench, NULL, err);
    if (!status)
        status = rt_bench_reviews_load(folder, bench, &arena, &reviews, err);
    if (!status && (status = rt_review_items(bench, &arena, &items, &count)))
        rt_error_set(err, status, "%s", rt_status_text(status));
    if (!status)
        status = go_through(folder, settings->rater, bench, &arena, &reviews, items, count, err);
    if (!status) {
        rt_review_result(&reviews, items, count, &result);
        printf("%s: %zu of %zu pairs compared by two, %zu in agreement, %zu decided by a third, "
               "%zu the same, %zu different\n",
               bench->id, result.rated, result.items, result.agreed, result.decided, result.same,
               result.not_same);
    }
    rt_arena_release(&arena);
    return status;
}

static const struct rt_option options[] = {
    {.name = "rater",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, rater),
     .value_name = "ID",
     .help = "Who answers; the first two see every pair, a third those on which they differ.",
     .required = true},
    {0},
};

const struct rt_command rt_command_bench_review = {
    .name = "bench review",
    .summary = "Compare a bench's phrasings blindly: same facts? same demand?",
    .operands = "FOLDER",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = review,
    .example = "ringtrial-coordinator bench review configs/benches/shutdown --rater reader-1",
    .about = "Shows two phrasings of one scenario at a time, shuffled and without their ids, and "
             "asks whether they state the same facts and demand the same. Answers go to "
             "reviews.yaml in the bench's folder after each pair; `bench card` says what came of "
             "them. A phrasing that changes has to be compared again."};
