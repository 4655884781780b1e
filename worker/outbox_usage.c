// SPDX-License-Identifier: Apache-2.0
// What was used of the lab's budgets: one row for the lab, one for each subject of each campaign.
// They are kept in memory and put into the batch once a commit.
#include <stdio.h>
#include <stdlib.h>

#include "worker/outbox.h"

#define PREFIX      "use/"
#define PREFIX_SIZE 4

enum rt_status rt_outbox_load_usage(struct rt_outbox *outbox) RT_WARN_UNUSED;

static struct rt_key total_key(void)
{
    struct rt_key key = {.size = 3};
    memcpy(key.bytes, "use", 3);
    return key;
}

// The subject's id may be as long as 64 bytes, and so this is no rt_key.
static size_t share_key(const struct rt_outbox_share *share, uint8_t out[RT_LEDGER_KEY_MOST])
{
    size_t size = strlen(share->subject);
    memcpy(out, PREFIX, PREFIX_SIZE);
    memcpy(out + PREFIX_SIZE, share->campaign.bytes, RT_DIGEST_BYTES);
    memcpy(out + PREFIX_SIZE + RT_DIGEST_BYTES, share->subject, size);
    return PREFIX_SIZE + RT_DIGEST_BYTES + size;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static struct rt_row_usage row_of(const struct rt_usage *usage)
{
    return (struct rt_row_usage){
        .day = usage->day,
        .trials_today = least(usage->trials_today, INT64_MAX),
        .tokens_today = least(usage->tokens_today, INT64_MAX),
        .requests_today = least(usage->requests_today, INT64_MAX),
        .trials_total = least(usage->trials_total, INT64_MAX),
        .tokens_total = least(usage->tokens_total, INT64_MAX),
        .requests_total = least(usage->requests_total, INT64_MAX),
        .gpu_today_ms = least(usage->gpu_today_ms, INT64_MAX),
        .gpu_total_ms = least(usage->gpu_total_ms, INT64_MAX),
    };
}

static struct rt_usage usage_of(const struct rt_row_usage *row)
{
    return (struct rt_usage){
        .day = row->day,
        .trials_today = row->trials_today,
        .tokens_today = row->tokens_today,
        .requests_today = row->requests_today,
        .trials_total = row->trials_total,
        .tokens_total = row->tokens_total,
        .requests_total = row->requests_total,
        .gpu_today_ms = row->gpu_today_ms,
        .gpu_total_ms = row->gpu_total_ms,
    };
}

// ---- counting

// NULL when there is no memory for one more: the lab's own sum, which is what binds, stands.
static struct rt_outbox_share *share_of(struct rt_outbox *outbox, const struct rt_digest *campaign,
                                        const char *subject)
{
    for (size_t i = 0; i < outbox->share_count; i++)
        if (rt_digest_equal(&outbox->shares[i].campaign, campaign) &&
            !strcmp(outbox->shares[i].subject, subject))
            return &outbox->shares[i];
    struct rt_outbox_share *shares =
        realloc(outbox->shares, (outbox->share_count + 1) * sizeof *shares);
    if (!shares)
        return NULL;
    outbox->shares = shares;
    struct rt_outbox_share *share = &shares[outbox->share_count++];
    memset(share, 0, sizeof *share);
    share->campaign = *campaign;
    snprintf(share->subject, sizeof share->subject, "%s", subject);
    return share;
}

void rt_outbox_use(struct rt_outbox *outbox, int64_t day, uint64_t trials, uint64_t tokens,
                   uint64_t requests)
{
    rt_usage_add(&outbox->usage, day, trials, tokens, requests);
    outbox->usage_dirty = true;
}

void rt_outbox_use_for(struct rt_outbox *outbox, const struct rt_digest *campaign,
                       const char *subject, int64_t day, uint64_t trials, uint64_t tokens,
                       uint64_t requests)
{
    struct rt_outbox_share *share = share_of(outbox, campaign, subject);
    rt_outbox_use(outbox, day, trials, tokens, requests);
    if (!share)
        return;
    rt_usage_add(&share->usage, day, trials, tokens, requests);
    share->dirty = true;
}

void rt_outbox_use_gpu(struct rt_outbox *outbox, int64_t day, uint64_t gpu_ms)
{
    rt_usage_add_gpu(&outbox->usage, day, gpu_ms);
    outbox->usage_dirty = true;
}

void rt_outbox_use_gpu_for(struct rt_outbox *outbox, const struct rt_digest *campaign,
                           const char *subject, int64_t day, uint64_t gpu_ms)
{
    struct rt_outbox_share *share = share_of(outbox, campaign, subject);
    if (!share)
        return;
    rt_usage_add_gpu(&share->usage, day, gpu_ms);
    share->dirty = true;
}

void rt_outbox_flush_usage(struct rt_outbox *outbox)
{
    if (outbox->usage_dirty) {
        struct rt_row_usage row = row_of(&outbox->usage);
        rt_outbox_put(outbox, RT_TABLE_META, total_key(), rt_row_usage_schema(), &row);
    }
    outbox->usage_dirty = false;
    for (size_t i = 0; i < outbox->share_count; i++) {
        struct rt_outbox_share *share = &outbox->shares[i];
        if (!share->dirty)
            continue;
        struct rt_row_usage row = row_of(&share->usage);
        uint8_t key[RT_LEDGER_KEY_MOST];
        size_t size = share_key(share, key);
        struct rt_buf value;
        rt_buf_init(&value, 4096);
        enum rt_status status =
            rt_schema_encode(rt_row_usage_schema(), &row, 4096, &value, NULL);
        RT_ASSERT(status == RT_OK || status == RT_NO_MEMORY);
        if (!status)
            rt_ledger_put(outbox->ledger, RT_TABLE_META, rt_bytes(key, size),
                          rt_buf_bytes(&value));
        rt_buf_release(&value);
        share->dirty = status != RT_OK;
    }
}

// ---- loading

static enum rt_status load_share(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct rt_outbox *outbox = ctx;
    struct rt_row_usage row;
    struct rt_arena arena;
    struct rt_digest campaign;
    char subject[RT_ID_BYTES + 1];
    size_t head = PREFIX_SIZE + RT_DIGEST_BYTES;
    if (key.size < head || key.size - head > RT_ID_BYTES)
        return RT_CORRUPT;
    memcpy(campaign.bytes, key.data + PREFIX_SIZE, RT_DIGEST_BYTES);
    memcpy(subject, key.data + head, key.size - head);
    subject[key.size - head] = 0;
    rt_arena_init(&arena, 1 << 16);
    enum rt_status status = rt_outbox_read(rt_row_usage_schema(), value, &arena, &row);
    struct rt_outbox_share *share = status ? NULL : share_of(outbox, &campaign, subject);
    if (share)
        share->usage = usage_of(&row);
    rt_arena_release(&arena);
    return status ? status : share ? RT_OK : RT_NO_MEMORY;
}

enum rt_status rt_outbox_load_usage(struct rt_outbox *outbox)
{
    struct rt_arena arena;
    struct rt_row_usage row;
    rt_arena_init(&arena, 1 << 16);
    enum rt_status status = rt_outbox_get(outbox, RT_TABLE_META, total_key(),
                                          rt_row_usage_schema(), &arena, &row);
    if (!status)
        outbox->usage = usage_of(&row);
    rt_arena_release(&arena);
    if (status && status != RT_NOT_FOUND)
        return status;
    return rt_ledger_each(outbox->ledger, RT_TABLE_META, rt_bytes_str(PREFIX), load_share, outbox);
}
