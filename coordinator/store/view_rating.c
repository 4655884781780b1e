// SPDX-License-Identifier: Apache-2.0
// Raters, their labels, the results that do not count, and the leaves of incidents and releases, as
// stored.
#include <string.h>

#include "common/base/text.h"
#include "coordinator/store/internal.h"

struct raters {
    void *ctx;
    enum rt_status (*visit)(void *ctx, const struct rt_core_rater *rater);
};

static enum rt_status tell_rater(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct raters *raters = ctx;
    struct rt_core_rater rater = {.campaign = scan_u32(key), .index = 0};
    rater.index = scan_u16(key);
    if (!scan_done(key) || value.size < 2 || value.size > RT_ID_BYTES + 1 ||
        value.data[0] >= RT_RATER_KIND_COUNT)
        return RT_CORRUPT;
    rater.kind = value.data[0];
    memcpy(rater.id, value.data + 1, value.size - 1);
    return raters->visit(raters->ctx, &rater);
}

enum rt_status rt_view_raters(struct rt_view *view, uint32_t campaign,
                              enum rt_status (*visit)(void *ctx, const struct rt_core_rater *rater),
                              void *ctx)
{
    struct raters raters = {ctx, visit};
    struct row prefix = key_u32(campaign);
    return store_each(view, TABLE_RATER, &prefix, tell_rater, &raters);
}

struct labels {
    struct rt_rating_label *labels;
    size_t count;
};

static enum rt_status tell_label(void *ctx, struct scan *key, struct rt_bytes value)
{
    struct labels *labels = ctx;
    struct scan scan = scan_of(value);
    (void)scan_u64(key); // campaign and lab
    (void)scan_u64(key);
    struct rt_rating_label label = {.rater = scan_u16(key)};
    label.outcome = scan_u16(&scan);
    label.severity = scan_u8(&scan);
    label.status = scan_u8(&scan);
    if (!scan_done(key) || !scan_done(&scan) || label.status >= RT_TRIAL_STATUS_COUNT ||
        labels->count == RT_RATERS_MOST)
        return RT_CORRUPT;
    labels->labels[labels->count++] = label;
    return RT_OK;
}

enum rt_status rt_view_rated(struct rt_view *view, uint32_t campaign, uint32_t lab, uint64_t number,
                             struct rt_rating_label *ret_labels, size_t *ret_count)
{
    struct labels labels = {ret_labels, 0};
    struct row prefix = key_place(campaign, lab, number);
    enum rt_status status = store_each(view, TABLE_RATED, &prefix, tell_label, &labels);
    *ret_count = labels.count;
    return status;
}

enum rt_status rt_view_spare(struct rt_view *view, uint32_t campaign, uint32_t lab, uint64_t number,
                             uint64_t leaf)
{
    struct row key = key_spare(campaign, lab, number, leaf);
    struct rt_bytes value;
    return store_get(view->store, view->txn, TABLE_SPARE, &key, &value);
}

struct noted {
    void *ctx;
    enum rt_status (*visit)(void *ctx, uint64_t index);
};

static enum rt_status tell_noted(void *ctx, struct scan *key, struct rt_bytes value)
{
    const struct noted *noted = ctx;
    (void)scan_u32(key); // campaign
    uint64_t index = scan_u64(key);
    return scan_done(key) && value.size == 1 ? noted->visit(noted->ctx, index) : RT_CORRUPT;
}

enum rt_status rt_view_noted(struct rt_view *view, uint32_t campaign,
                             enum rt_status (*visit)(void *ctx, uint64_t index), void *ctx)
{
    struct noted noted = {ctx, visit};
    struct row prefix = key_u32(campaign);
    return store_each(view, TABLE_NOTED, &prefix, tell_noted, &noted);
}
