// SPDX-License-Identifier: Apache-2.0
// A rating on its way in: every trial it rates is looked up in the leaf it names, on the verify
// pool. What the batch may have changed since (earlier labels) is left to the writer.
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/hub/intake.h"

struct rated_leaf {
    struct rt_intake *intake;
    struct rt_view *view;
    struct rt_statement statement;
    struct rt_buf buffer;
    struct rt_arena arena; // of one leaf's results
    size_t count;
    const struct rt_object_result *results[RT_STATEMENT_PAIRS_MOST];
};

// The results of one leaf. A rating names its leaves over and over, so they are visited leaf by
// leaf, and only one is in memory at a time.
static enum rt_status load_leaf(struct rated_leaf *leaf, uint64_t index)
{
    const struct rt_statement *rating = &leaf->intake->statement;
    struct rt_arena *arena = &leaf->arena;
    leaf->count = 0;
    rt_arena_clear(arena);
    rt_buf_clear(&leaf->buffer);
    enum rt_status status = rt_view_leaf(leaf->view, index, &leaf->buffer);
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(&leaf->buffer), &leaf->statement, NULL);
    if (!status && (leaf->statement.kind != RT_STATEMENT_RESULT ||
                    !rt_digest_equal(&leaf->statement.campaign, &rating->campaign) ||
                    !rt_bytes_equal(leaf->statement.lab, rating->lab)))
        status = RT_CONFLICT;
    for (size_t i = 0; i < leaf->statement.pair_count && !status; i++) {
        struct rt_object_result *result = rt_arena_alloc(arena, sizeof *result);
        rt_buf_clear(&leaf->buffer);
        status = rt_view_object(leaf->view, &leaf->statement.pairs[i].result, &leaf->buffer);
        struct rt_bytes copy = rt_arena_bytes(arena, rt_buf_bytes(&leaf->buffer));
        if (!status && (!result || !copy.data))
            status = RT_NO_MEMORY;
        if (!status)
            status = rt_object_result_decode(copy, arena, result, NULL);
        if (!status)
            leaf->results[leaf->count++] = result;
    }
    return status;
}

static enum rt_status find_one(struct rated_leaf *leaf, size_t at)
{
    struct rt_intake *intake = leaf->intake;
    const struct rt_rated_trial *rated = &intake->rating->trials[at];
    const struct rt_trial_result *trial = NULL;
    struct rt_rating_label *known =
        rt_arena_array(&intake->arena, RT_RATERS_MOST + 1, sizeof *known);
    size_t result = 0;
    enum rt_status status = rt_rating_find(leaf->results, leaf->count, rated, &result, &trial);
    if (status || !known)
        return status ? status : RT_NO_MEMORY;
    known[0] = rt_rating_rules(trial);
    intake->rated[at] = (struct rt_core_rated){.rated = rated,
                                               .fingerprint = leaf->results[result]->fingerprint,
                                               .known = known,
                                               .known_count = 1};
    return RT_OK;
}

struct order {
    uint64_t leaf;
    size_t at;
};

static int by_leaf(const void *left, const void *right)
{
    const struct order *a = left, *b = right;
    if (a->leaf != b->leaf)
        return a->leaf < b->leaf ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static enum rt_status find_all(struct rated_leaf *leaf, char *ret_text, size_t capacity)
{
    struct rt_intake *intake = leaf->intake;
    size_t count = intake->rating->trials_count;
    struct order *order = rt_arena_array(&intake->arena, count, sizeof *order);
    intake->rated = rt_arena_array(&intake->arena, count, sizeof *intake->rated);
    if (!order || !intake->rated)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        order[i] = (struct order){intake->rating->trials[i].leaf, i};
    qsort(order, count, sizeof *order, by_leaf);
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++) {
        if (i == 0 || order[i].leaf != order[i - 1].leaf)
            status = load_leaf(leaf, order[i].leaf);
        if (!status)
            status = find_one(leaf, order[i].at);
        if (status)
            snprintf(ret_text, capacity, "rating: trial %llu is not in log index %llu so: %s",
                     (unsigned long long)intake->rating->trials[order[i].at].number,
                     (unsigned long long)order[i].leaf, rt_status_text(status));
    }
    return status == RT_NOT_FOUND ? RT_CONFLICT : status;
}

enum rt_status rt_intake_rating(struct rt_intake *intake, struct rt_bytes object,
                                struct rt_store *store, char ret_text[200])
{
    struct rt_object_rating *rating = rt_arena_alloc(&intake->arena, sizeof *rating);
    struct rated_leaf *leaf = calloc(1, sizeof *leaf);
    const char *field = "";
    enum rt_status status = rating && leaf ? RT_OK : RT_NO_MEMORY;
    if (!status)
        status = rt_object_rating_decode(object, &intake->arena, rating, &field);
    if (!status && (!rt_digest_equal(&rating->campaign, &intake->statement.campaign) ||
                    !rt_bytes_equal(rating->lab, intake->statement.lab)))
        status = RT_CONFLICT;
    snprintf(ret_text, 200, "rating object: %s%s%s", field, field[0] ? ": " : "",
             rt_status_text(status));
    if (!status) {
        intake->rating = rating;
        leaf->intake = intake;
        rt_buf_init(&leaf->buffer, 1 << 20);
        rt_arena_init(&leaf->arena, (size_t)64 << 20);
        status = rt_view_begin(store, &leaf->view, NULL);
        if (!status)
            status = find_all(leaf, ret_text, 200);
        rt_view_end(leaf->view);
        rt_buf_release(&leaf->buffer);
        rt_arena_release(&leaf->arena);
    }
    free(leaf);
    return status;
}
