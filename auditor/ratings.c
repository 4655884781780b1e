// SPDX-License-Identifier: Apache-2.0
// Ratings of the log: each looked up in the results it names, and counted into cells of its own and
// beside the other raters'. The rule is proto/rating.h's.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"

#define REFUSE(audit, ...)                                                                         \
    (rt_checks_fail(&(audit)->checks, RT_CHECK_RATINGS, (audit)->place, __VA_ARGS__), RT_OK)

// ---- which results a leaf holds

enum rt_status audit_remember_leaf(struct rt_audit *audit, uint32_t lab)
{
    if (audit->rated_leaf_count == audit->rated_leaf_room) {
        size_t room = audit->rated_leaf_room ? 2 * audit->rated_leaf_room : 256;
        struct audit_leaf_results *grown = realloc(audit->rated_leaves, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        audit->rated_leaves = grown;
        audit->rated_leaf_room = room;
    }
    struct audit_leaf_results *leaf = &audit->rated_leaves[audit->rated_leaf_count];
    *leaf = (struct audit_leaf_results){.index = audit->index,
                                        .lab = lab,
                                        .first = audit->rated_result_count,
                                        .count = (uint32_t)audit->statement.pair_count};
    while (audit->rated_result_count + leaf->count > audit->rated_result_room) {
        size_t room = audit->rated_result_room ? 2 * audit->rated_result_room : 1024;
        struct rt_digest *grown = realloc(audit->rated_results, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        audit->rated_results = grown;
        audit->rated_result_room = room;
    }
    for (size_t i = 0; i < leaf->count; i++)
        audit->rated_results[audit->rated_result_count++] = audit->statement.pairs[i].result;
    audit->rated_leaf_count++;
    return RT_OK;
}

static const struct audit_leaf_results *find_leaf(const struct rt_audit *audit, uint64_t index)
{
    size_t low = 0, high = audit->rated_leaf_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (audit->rated_leaves[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < audit->rated_leaf_count && audit->rated_leaves[low].index == index
               ? &audit->rated_leaves[low]
               : NULL;
}

void audit_ratings_release(struct rt_audit *audit)
{
    free(audit->rated_leaves);
    free(audit->rated_results);
    rt_rating_book_release(&audit->book);
}

// ---- the rating at hand

struct rating {
    struct rt_audit *audit;
    uint32_t lab;
    uint32_t rater; // its number in the campaign
    const struct rt_object_rating *object;
    struct rt_arena arena; // of one leaf's results
    bool good;             // the leaf could be read
    size_t count;
    const struct rt_object_result *results[RT_STATEMENT_PAIRS_MOST];
};

// One leaf's results, decoded; the objects were checked when the leaf was read.
static enum rt_status load_leaf(struct rating *rating, uint64_t index)
{
    struct rt_audit *audit = rating->audit;
    const struct audit_leaf_results *leaf = find_leaf(audit, index);
    rt_arena_clear(&rating->arena);
    rating->count = 0;
    rating->good = leaf && leaf->lab == rating->lab;
    for (size_t i = 0; rating->good && i < leaf->count; i++) {
        struct rt_object_result *result = rt_arena_alloc(&rating->arena, sizeof *result);
        rating->good = audit_object(audit, &audit->rated_results[leaf->first + i], audit->place,
                                    &audit->second);
        struct rt_bytes copy = rt_arena_bytes(&rating->arena, rt_buf_bytes(&audit->second));
        if (!result || !copy.data)
            return RT_NO_MEMORY;
        if (rating->good && rt_object_result_decode(copy, &rating->arena, result, NULL))
            rating->good = false;
        rating->results[rating->count++] = result;
    }
    return RT_OK;
}

static enum rt_status count_one(struct rating *rating, const struct rt_rated_trial *rated,
                                const struct rt_trial_result *trial,
                                const struct rt_object_result *result)
{
    struct rt_audit *audit = rating->audit;
    struct rt_rating_label known[RT_RATERS_MOST + 1];
    struct rt_rating_cell cells[RT_RATERS_MOST + 3];
    struct rt_trial place;
    const struct rt_digest_entry *fingerprint =
        rt_digest_map_find(&audit->fingerprint_of, &result->fingerprint);
    if (!fingerprint || rt_trial_of(audit->campaign, rated->number, &place) ||
        rt_rating_book_is_spare(&audit->book, rating->lab, rated->number, rated->leaf))
        return RT_OK;
    known[0] = rt_rating_rules(trial);
    size_t count = 1 + rt_rating_book_labels(&audit->book, rating->lab, rated->number, known + 1);
    count = rt_rating_cells((uint16_t)rating->rater, rated, known, count, cells);
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++) {
        struct rt_facts_cell cell = {.prompt = place.prompt,
                                     .configuration = place.configuration,
                                     .lab = rating->lab,
                                     .fingerprint = (uint32_t)fingerprint->value,
                                     .outcome = cells[i].outcome,
                                     .severity = cells[i].severity,
                                     .status = (enum rt_trial_status)cells[i].status,
                                     .rater = cells[i].rater,
                                     .beside = cells[i].beside,
                                     .beside_label = cells[i].beside_label,
                                     .count = 1};
        status = rt_tally_add_cell(&audit->tally, &cell);
    }
    struct rt_rating_label label = {(uint16_t)rating->rater, cells[0].outcome, cells[0].severity,
                                    cells[0].status};
    return status || !count ? status
                            : rt_rating_book_add(&audit->book, rating->lab, rated->number, &label);
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

static bool label_known(const struct rt_audit *audit, const struct rt_rated_trial *rated)
{
    size_t labels = audit->campaign->label_count;
    return rated->outcome < labels && rated->first_vote <= labels && rated->second_vote <= labels;
}

static enum rt_status count_trials(struct rating *rating)
{
    struct rt_audit *audit = rating->audit;
    size_t count = rating->object->trials_count;
    struct order *order = calloc(count, sizeof *order);
    enum rt_status status = order ? RT_OK : RT_NO_MEMORY;
    for (size_t i = 0; i < count && order; i++)
        order[i] = (struct order){rating->object->trials[i].leaf, i};
    if (order)
        qsort(order, count, sizeof *order, by_leaf);
    for (size_t i = 0; i < count && !status; i++) {
        const struct rt_rated_trial *rated = &rating->object->trials[order[i].at];
        const struct rt_trial_result *trial = NULL;
        size_t at = 0;
        if (i == 0 || order[i].leaf != order[i - 1].leaf)
            status = load_leaf(rating, order[i].leaf);
        if (status)
            break;
        if (!rating->good || !label_known(audit, rated) ||
            rt_rating_find(rating->results, rating->count, rated, &at, &trial))
            status = REFUSE(
                audit, "rates trial %" PRIu64 " as log index %" PRIu64 " has it, which is not so",
                rated->number, rated->leaf);
        else
            status = count_one(rating, rated, trial, rating->results[at]);
    }
    free(order);
    return status;
}

// ---- the rater

static enum rt_status number_rater(struct rating *rating)
{
    struct rt_audit *audit = rating->audit;
    const struct rt_object_rating *object = rating->object;
    for (size_t i = 0; i < audit->rater_count; i++)
        if (audit->raters[i].kind == object->kind &&
            rt_bytes_equal_str(object->rater, audit->raters[i].id)) {
            rating->rater = (uint32_t)i + 1;
            return RT_OK;
        }
    if (audit->rater_count + 1 >= RT_RATERS_MOST)
        return RT_TOO_LARGE;
    struct rt_facts_rater *rater = &audit->raters[audit->rater_count++];
    rater->kind = object->kind;
    rater->id =
        rt_arena_strndup(&audit->arena, (const char *)object->rater.data, object->rater.size);
    rating->rater = (uint32_t)audit->rater_count;
    return rater->id ? RT_OK : RT_NO_MEMORY;
}

// A rater with a key of its own speaks under the name the roster has for that key, and no other.
static bool under_own_name(const struct rt_audit *audit, struct rt_bytes rater)
{
    const struct rt_roster *roster = audit_roster_now(audit);
    for (size_t i = 0; i < audit->statement.signature_count; i++)
        for (size_t s = 0; audit->signers[i].roles & RT_ROLE_RATER && s < roster->signer_count; s++)
            if (rt_public_key_equal(&roster->signers[s].key, &audit->signers[i].key) &&
                !rt_bytes_equal_str(rater, roster->signers[s].name))
                return false;
    return true;
}

static enum rt_status take(struct rt_audit *audit, uint32_t lab)
{
    static const struct rt_digest none;
    struct rt_object_rating object;
    struct rating *rating = calloc(1, sizeof *rating);
    if (!rating)
        return RT_NO_MEMORY;
    enum rt_status status = RT_OK;
    rt_arena_init(&rating->arena, (size_t)64 << 20);
    const char *field = "";
    if (!audit_object(audit, &audit->statement.rating, audit->place, &audit->object)) {
        status = REFUSE(audit, "the rating it names is not here");
    } else {
        struct rt_bytes copy = rt_arena_bytes(&audit->scratch, rt_buf_bytes(&audit->object));
        if (!copy.data)
            status = RT_NO_MEMORY;
        else if (rt_object_rating_decode(copy, &audit->scratch, &object, &field))
            status = REFUSE(audit, "names what is no rating (%s)", field);
        else if (!rt_digest_equal(&object.campaign, &audit->statement.campaign) ||
                 !rt_bytes_equal(object.lab, audit->statement.lab))
            status = REFUSE(audit, "names a rating of another lab or campaign");
        else if (!under_own_name(audit, object.rater))
            status = REFUSE(audit, "is by a rater's own key under another name");
        else {
            *rating = (struct rating){
                .audit = audit, .lab = lab, .object = &object, .arena = rating->arena};
            if (!rt_digest_equal(&object.fingerprint, &none))
                (void)audit_object(audit, &object.fingerprint, audit->place, &audit->second);
            status = number_rater(rating);
            if (status == RT_TOO_LARGE)
                status = REFUSE(audit, "is by one rater too many");
            else if (!status)
                status = count_trials(rating);
        }
    }
    rt_arena_release(&rating->arena);
    free(rating);
    return status;
}

enum rt_status audit_take_rating(struct rt_audit *audit)
{
    const struct rt_statement *statement = &audit->statement;
    struct audit_campaign *campaign = audit_find_campaign(audit, &statement->campaign);
    struct audit_lab *lab = campaign ? audit_find_lab(campaign, statement->lab) : NULL;
    rt_checks_look(&audit->checks, RT_CHECK_RATINGS);
    if (!campaign || !campaign->started)
        return REFUSE(audit, "a rating before the start of its campaign");
    if (!lab || !lab->accepted)
        return REFUSE(audit, "a rating of a lab that has not accepted before it");
    if (campaign != audit->target)
        return RT_OK;
    uint32_t index = rt_campaign_lab(audit->campaign, lab->id);
    return index == RT_NONE ? RT_OK : take(audit, index);
}
