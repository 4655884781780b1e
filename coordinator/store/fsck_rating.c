// SPDX-License-Identifier: Apache-2.0
// Ratings of the log counted once more, and what is stored of them.
#include <inttypes.h>
#include <stdlib.h>

#include "coordinator/store/fsck_internal.h"

// ---- the leaf a rated trial names

struct rated_leaf {
    uint64_t index;
    bool good;
    size_t count;
    struct rt_object_result results[RT_STATEMENT_PAIRS_MOST];
    const struct rt_object_result *list[RT_STATEMENT_PAIRS_MOST];
};

// Views point into the arena, which holds one leaf's results at a time.
static void load_leaf(struct fsck_state *state, const struct rt_statement *rating, uint64_t index,
                      struct rated_leaf *leaf)
{
    static _Thread_local struct rt_statement statement;
    *leaf = (struct rated_leaf){.index = index};
    rt_arena_clear(&state->arena);
    rt_buf_clear(&state->leaf);
    if (rt_view_leaf(state->view, index, &state->leaf) != RT_OK ||
        rt_statement_parse(rt_buf_bytes(&state->leaf), &statement, NULL) != RT_OK ||
        statement.kind != RT_STATEMENT_RESULT ||
        !rt_digest_equal(&statement.campaign, &rating->campaign) ||
        !rt_bytes_equal(statement.lab, rating->lab))
        return;
    for (size_t i = 0; i < statement.pair_count; i++) {
        rt_buf_clear(&state->result);
        if (rt_view_object(state->view, &statement.pairs[i].result, &state->result) != RT_OK)
            return;
        struct rt_bytes copy = rt_arena_bytes(&state->arena, rt_buf_bytes(&state->result));
        if (!copy.data ||
            rt_object_result_decode(copy, &state->arena, &leaf->results[i], NULL) != RT_OK)
            return;
        leaf->list[leaf->count++] = &leaf->results[i];
    }
    leaf->good = true;
}

// ---- counting

static uint16_t number_rater(struct fsck_state *state, uint32_t c,
                             const struct rt_object_rating *rating)
{
    struct fsck_campaign *campaign = &state->campaigns[c];
    for (uint16_t i = 1; i <= campaign->rater_count; i++)
        if (campaign->raters[i].kind == rating->kind &&
            rt_bytes_equal_str(rating->rater, campaign->raters[i].id))
            return i;
    if (campaign->rater_count + 1 >= RT_RATERS_MOST)
        return 0;
    struct rt_core_rater *rater = &campaign->raters[++campaign->rater_count];
    *rater = (struct rt_core_rater){
        .campaign = c, .index = campaign->rater_count, .kind = (uint8_t)rating->kind};
    memcpy(rater->id, rating->rater.data, rating->rater.size);
    return rater->index;
}

static void count_one(struct fsck_state *state, uint32_t c, uint32_t l, uint16_t rater,
                      const struct rt_rated_trial *rated, const struct rt_trial_result *trial,
                      const struct rt_object_result *result)
{
    uint64_t group = fsck_group(c, l);
    struct rt_rating_label known[RT_RATERS_MOST + 1];
    struct rt_rating_cell cells[RT_RATERS_MOST + 3];
    struct rt_trial place;
    if (rt_rating_book_is_spare(&state->book, group, rated->number, rated->leaf))
        return;
    known[0] = rt_rating_rules(trial);
    size_t count = 1 + rt_rating_book_labels(&state->book, group, rated->number, known + 1);
    count = rt_rating_cells(rater, rated, known, count, cells);
    if (count == 0 || rt_trial_of(state->campaigns[c].campaign, rated->number, &place) != RT_OK)
        return;
    uint32_t fingerprint = fsck_fingerprint(state, &result->fingerprint);
    for (size_t i = 0; i < count; i++) {
        struct rt_cell_key key = {.campaign = c,
                                  .prompt = place.prompt,
                                  .configuration = place.configuration,
                                  .lab = l,
                                  .fingerprint = fingerprint,
                                  .rater = cells[i].rater,
                                  .outcome = cells[i].outcome,
                                  .severity = cells[i].severity,
                                  .status = cells[i].status,
                                  .beside = cells[i].beside,
                                  .beside_label = cells[i].beside_label};
        fsck_add_cell(state, &key, &(struct rt_cell_sum){.count = 1}, 1);
    }
    struct rt_rating_label label = {rater, cells[0].outcome, cells[0].severity, cells[0].status};
    if (rt_rating_book_add(&state->book, group, rated->number, &label) != RT_OK)
        state->no_memory = true;
}

static void count_rating(struct fsck_state *state, uint64_t index,
                         const struct rt_statement *statement,
                         const struct rt_object_rating *rating, uint32_t c, uint32_t l)
{
    uint16_t rater = number_rater(state, c, rating);
    struct rated_leaf *leaf = malloc(sizeof *leaf);
    if (!leaf) {
        state->no_memory = true;
        return;
    }
    *leaf = (struct rated_leaf){.index = UINT64_MAX};
    for (size_t i = 0; i < rating->trials_count; i++) {
        const struct rt_rated_trial *rated = &rating->trials[i];
        const struct rt_trial_result *trial = NULL;
        size_t at = 0;
        if (rated->leaf != leaf->index)
            load_leaf(state, statement, rated->leaf, leaf);
        if (rater == 0 || rated->leaf >= index || !leaf->good ||
            rt_rating_find(leaf->list, leaf->count, rated, &at, &trial) != RT_OK) {
            fsck_say(state,
                     "leaf %" PRIu64 ": it rates trial %" PRIu64 ", which leaf %" PRIu64
                     " does not hold so",
                     index, rated->number, rated->leaf);
            continue;
        }
        count_one(state, c, l, rater, rated, trial, leaf->list[at]);
    }
    free(leaf);
}

void fsck_replay_rating(struct fsck_state *state, uint64_t index,
                        const struct rt_statement *statement, uint32_t c, uint32_t l)
{
    struct rt_object_rating rating;
    struct rt_arena arena;
    struct rt_buf object;
    struct rt_statement *mine = malloc(sizeof *mine);
    rt_arena_init(&arena, (size_t)8 << 20);
    rt_buf_init(&object, RT_RATING_MOST);
    if (!mine) {
        state->no_memory = true;
    } else if (rt_view_object(state->view, &statement->rating, &object) != RT_OK ||
               rt_object_rating_decode(rt_buf_bytes(&object), &arena, &rating, NULL) != RT_OK ||
               !rt_digest_equal(&rating.campaign, &statement->campaign) ||
               !rt_bytes_equal(rating.lab, statement->lab)) {
        fsck_say(state, "leaf %" PRIu64 ": the rating it names is not stored, or not its own",
                 index);
    } else {
        // The leaf's buffer is used again while its trials are looked up.
        *mine = *statement;
        mine->lab = rating.lab;
        count_rating(state, index, mine, &rating, c, l);
    }
    free(mine);
    rt_buf_release(&object);
    rt_arena_release(&arena);
}

// ---- beside what is stored

struct compare {
    struct fsck_state *state;
    uint64_t raters, labels, spares;
};

static enum rt_status compare_rater(void *ctx, const struct rt_core_rater *rater)
{
    struct compare *compare = ctx;
    const struct fsck_campaign *campaign = &compare->state->campaigns[rater->campaign];
    compare->raters++;
    if (rater->index == 0 || rater->index > campaign->rater_count ||
        campaign->raters[rater->index].kind != rater->kind ||
        strcmp(campaign->raters[rater->index].id, rater->id) != 0)
        fsck_say(compare->state, "rater %u of campaign %" PRIu32 ": not the log's", rater->index,
                 rater->campaign);
    return RT_OK;
}

static enum rt_status compare_label(void *ctx, struct scan *key, struct rt_bytes value)
{
    struct compare *compare = ctx;
    struct rt_rating_label known[RT_RATERS_MOST];
    struct scan scan = scan_of(value);
    uint32_t c = scan_u32(key), l = scan_u32(key);
    uint64_t number = scan_u64(key);
    uint16_t rater = scan_u16(key), outcome = scan_u16(&scan);
    uint8_t severity = scan_u8(&scan), status = scan_u8(&scan);
    size_t count = rt_rating_book_labels(&compare->state->book, fsck_group(c, l), number, known);
    compare->labels++;
    for (size_t i = 0; i < count && scan_done(key) && scan_done(&scan); i++)
        if (known[i].rater == rater && known[i].outcome == outcome &&
            known[i].severity == severity && known[i].status == status)
            return RT_OK;
    fsck_say(compare->state, "a label of trial %" PRIu64 " is not the log's", number);
    return RT_OK;
}

static enum rt_status compare_spare(void *ctx, struct scan *key, struct rt_bytes value)
{
    struct compare *compare = ctx;
    uint32_t c = scan_u32(key), l = scan_u32(key);
    uint64_t number = scan_u64(key), leaf = scan_u64(key);
    compare->spares++;
    if (!scan_done(key) || value.size != 1 ||
        !rt_rating_book_is_spare(&compare->state->book, fsck_group(c, l), number, leaf))
        fsck_say(compare->state,
                 "trial %" PRIu64 " is marked as not counting at leaf %" PRIu64
                 "; the log counts it",
                 number, leaf);
    return RT_OK;
}

static enum rt_status count_noted(void *ctx, uint64_t index)
{
    uint64_t *seen = ctx;
    seen[0]++;
    seen[1] += index;
    return RT_OK;
}

static enum rt_status compare_noted(struct fsck_state *state)
{
    enum rt_status status = RT_OK;
    for (uint32_t c = 0; c < state->campaign_count && status == RT_OK; c++) {
        const struct fsck_campaign *campaign = &state->campaigns[c];
        uint64_t seen[2] = {0, 0};
        status = rt_view_noted(state->view, c, count_noted, seen);
        if (status == RT_OK && (seen[0] != campaign->noted || seen[1] != campaign->noted_sum))
            fsck_say(state,
                     "campaign %" PRIu32 ": %" PRIu64 " leaves of incidents and releases are "
                     "listed; the log has %" PRIu64 ", or others",
                     c, seen[0], campaign->noted);
    }
    return status;
}

enum rt_status fsck_compare_ratings(struct fsck_state *state)
{
    struct compare compare = {.state = state};
    struct row all = {.size = 0};
    uint64_t raters = 0;
    enum rt_status status = RT_OK;
    for (uint32_t c = 0; c < state->campaign_count && status == RT_OK; c++) {
        raters += state->campaigns[c].rater_count;
        status = rt_view_raters(state->view, c, compare_rater, &compare);
    }
    if (status == RT_OK)
        status = store_each(state->view, TABLE_RATED, &all, compare_label, &compare);
    if (status == RT_OK)
        status = store_each(state->view, TABLE_SPARE, &all, compare_spare, &compare);
    if (status == RT_OK)
        status = compare_noted(state);
    if (status == RT_CORRUPT) {
        fsck_say(state, "ratings: a row is damaged");
        return RT_OK;
    }
    if (compare.raters != raters || compare.labels != state->book.labels ||
        compare.spares != state->book.spares)
        fsck_say(state,
                 "ratings: %" PRIu64 " raters, %" PRIu64 " labels, %" PRIu64
                 " spares are stored; the log makes %" PRIu64 ", %" PRIu64 ", %" PRIu64,
                 compare.raters, compare.labels, compare.spares, raters, state->book.labels,
                 state->book.spares);
    return status;
}
