// SPDX-License-Identifier: Apache-2.0
#include "proto/review.h"

#include <math.h>
#include <string.h>

#include "common/base/text.h"
#include "proto/doc/table.h"

static const struct rt_doc_field answer_fields[] = {
    {"rater", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_answer, rater), .least = 1},
    {"item", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_NAME, RT_AT(rt_answer, item), .least = 1},
    {"facts", RT_DOC_BOOL, 0, RT_AT(rt_answer, facts)},
    {"demand", RT_DOC_BOOL, 0, RT_AT(rt_answer, demand)},
    {"note", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_answer, note), .most = 1024},
};
static const struct rt_doc_table answer_table = {
    .name = "an answer", .size = sizeof(struct rt_answer), RT_DOC_FIELDS(answer_fields)};
static const struct rt_doc_field review_fields[] = {
    RT_DOC_FORMAT_FIELD,
    {"bench", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_reviews, bench), .least = 1},
    {"answers", RT_DOC_LIST, 0, RT_COUNTED(rt_reviews, answers, answer_count),
     .item = &answer_table, .most = RT_REVIEW_ANSWERS_MOST},
};
static const struct rt_doc_table review_table = {
    .name = "the reviews", .size = sizeof(struct rt_reviews), RT_DOC_FIELDS(review_fields)};

enum rt_status rt_reviews_read(struct rt_bytes text, struct rt_arena *arena,
                               struct rt_reviews *ret_reviews, struct rt_error *err)
{
    struct rt_doc_reader reader = {"reviews.yaml", arena, NULL, err};
    return rt_doc_read(&reader, &review_table, text, ret_reviews);
}

void rt_reviews_write(const struct rt_reviews *reviews, struct rt_buf *out)
{
    rt_buf_add_str(out, "# Answers of `bench review`: one entry for each pair and rater.\n"
                        "ringtrial: 1\n");
    rt_doc_write(&review_table, reviews, out);
}

// ---- pairs

// A key of the two phrasings' texts, so that an answer falls away with them.
static void key_of(const struct rt_scenario *scenario, uint32_t other, char key[])
{
    struct rt_sha256_state state;
    struct rt_digest digest;
    const uint32_t pair[2] = {0, other};
    rt_sha256_init(&state);
    rt_sha256_update(&state, scenario->id, strlen(scenario->id) + 1);
    for (int p = 0; p < 2; p++) {
        const struct rt_phrasing *phrasing = &scenario->phrasings[pair[p]];
        rt_sha256_update(&state, phrasing->id, strlen(phrasing->id) + 1);
        for (size_t v = 0; v < phrasing->var_count; v++) {
            rt_sha256_update(&state, phrasing->vars[v].name, strlen(phrasing->vars[v].name) + 1);
            rt_sha256_update(&state, phrasing->vars[v].value, strlen(phrasing->vars[v].value) + 1);
        }
    }
    rt_sha256_final(&state, &digest);
    rt_hex_encode(digest.bytes, 8, key);
}

enum rt_status rt_review_items(const struct rt_bench *bench, struct rt_arena *arena,
                               struct rt_review_item **ret_items, size_t *ret_count)
{
    size_t most = 0, count = 0;
    for (size_t s = 0; s < bench->scenario_count; s++)
        most += bench->scenarios[s]->phrasing_count;
    struct rt_review_item *items = rt_arena_array(arena, most + 1, sizeof *items);
    if (!items)
        return RT_NO_MEMORY;
    for (uint32_t s = 0; s < bench->scenario_count; s++)
        for (uint32_t p = 1; p < bench->scenarios[s]->phrasing_count; p++)
            if (bench->scenarios[s]->phrasings[p].same_as == RT_NONE) {
                items[count] = (struct rt_review_item){.scenario = s, .phrasing = p};
                key_of(bench->scenarios[s], p, items[count++].key);
            }
    *ret_items = items;
    *ret_count = count;
    return RT_OK;
}

// ---- answers

// The nth answer on a pair (each rater's first), or NULL.
static const struct rt_answer *answer_on(const struct rt_reviews *reviews, const char *key,
                                         size_t nth)
{
    const struct rt_answer *found[3] = {NULL, NULL, NULL};
    size_t count = 0;
    for (size_t i = 0; i < reviews->answer_count && count < 3; i++) {
        const struct rt_answer *answer = &reviews->answers[i];
        bool again = strcmp(answer->item, key) != 0;
        for (size_t f = 0; f < count && !again; f++)
            again = strcmp(found[f]->rater, answer->rater) == 0;
        if (!again)
            found[count++] = answer;
    }
    return nth < count ? found[nth] : NULL;
}

static bool says_same(const struct rt_answer *answer)
{
    return answer->facts && answer->demand;
}

static bool differ(const struct rt_answer *a, const struct rt_answer *b)
{
    return a->facts != b->facts || a->demand != b->demand;
}

int rt_review_verdict(const struct rt_reviews *reviews, const char *key)
{
    const struct rt_answer *first = answer_on(reviews, key, 0);
    const struct rt_answer *second = answer_on(reviews, key, 1);
    const struct rt_answer *third = answer_on(reviews, key, 2);
    if (!second)
        return -1;
    if (!differ(first, second))
        return says_same(first);
    if (!third)
        return -1;
    return says_same(first) + says_same(second) + says_same(third) >= 2;
}

static void own_order(const struct rt_review_item *item, const char *rater,
                      struct rt_digest *ret_digest)
{
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    rt_sha256_update(&state, rater, strlen(rater) + 1);
    rt_sha256_update(&state, item->key, strlen(item->key));
    rt_sha256_final(&state, ret_digest);
}

size_t rt_review_left(const struct rt_reviews *reviews, const struct rt_review_item *items,
                      size_t count, const char *rater, size_t *out)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rt_answer *answers[3];
        bool mine = false;
        for (size_t n = 0; n < 3; n++) {
            answers[n] = answer_on(reviews, items[i].key, n);
            mine = mine || (answers[n] && strcmp(answers[n]->rater, rater) == 0);
        }
        if (mine || answers[2] || (answers[1] && !differ(answers[0], answers[1])))
            continue;
        struct rt_digest here, there;
        size_t at = left++;
        own_order(&items[i], rater, &here);
        for (; at; at--) {
            own_order(&items[out[at - 1]], rater, &there);
            if (memcmp(there.bytes, here.bytes, sizeof here.bytes) <= 0)
                break;
            out[at] = out[at - 1];
        }
        out[at] = i;
    }
    return left;
}

void rt_review_result(const struct rt_reviews *reviews, const struct rt_review_item *items,
                      size_t count, struct rt_review_result *ret_result)
{
    struct rt_review_result result = {.items = count, .kappa = NAN};
    size_t yes[2] = {0, 0}, alike = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rt_answer *first = answer_on(reviews, items[i].key, 0);
        const struct rt_answer *second = answer_on(reviews, items[i].key, 1);
        if (!second)
            continue;
        int verdict = rt_review_verdict(reviews, items[i].key);
        result.rated++;
        result.agreed += !differ(first, second);
        result.decided += differ(first, second) && verdict >= 0;
        result.same += verdict == 1;
        result.not_same += verdict == 0;
        yes[0] += says_same(first);
        yes[1] += says_same(second);
        alike += says_same(first) == says_same(second);
    }
    if (result.rated) {
        double n = (double)result.rated, a = (double)yes[0] / n, b = (double)yes[1] / n;
        double expected = a * b + (1 - a) * (1 - b);
        if (expected < 1)
            result.kappa = ((double)alike / n - expected) / (1 - expected);
    }
    *ret_result = result;
}
