// SPDX-License-Identifier: Apache-2.0
#include "worker/rating/sample.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"

static uint64_t key_of(const char *domain, const struct rt_digest *draw, uint64_t number,
                       const char *rater)
{
    struct rt_sha256_state state;
    struct rt_digest digest;
    uint8_t bytes[8];
    rt_put_u64be(bytes, number);
    rt_sha256_init(&state);
    rt_sha256_update(&state, domain, strlen(domain) + 1); // its final 0x00 too
    rt_sha256_update(&state, draw->bytes, RT_DIGEST_BYTES);
    rt_sha256_update(&state, bytes, sizeof bytes);
    rt_sha256_update(&state, rater, strlen(rater));
    rt_sha256_final(&state, &digest);
    return rt_get_u64be(digest.bytes);
}

uint64_t rt_sample_order(const struct rt_digest *draw, uint64_t number, const char *rater)
{
    return key_of("ringtrial/rate-order/v1", draw, number, rater);
}

static int by_key(const void *left, const void *right)
{
    const struct rt_sample_item *a = left, *b = right;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int by_number(const void *left, const void *right)
{
    const struct rt_sample_item *a = left, *b = right;
    return a->number < b->number ? -1 : a->number > b->number;
}

size_t rt_sample_choose(const struct rt_digest *draw, uint32_t share_micro, uint32_t at_least,
                        struct rt_sample_item *items, size_t count)
{
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].key = key_of("ringtrial/sample/v1", draw, items[i].number, "");
        items[i].chosen = false;
    }
    if (count)
        qsort(items, count, sizeof *items, by_key);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && items[end].label == items[first].label;)
            end++;
        uint64_t n = end - first;
        uint64_t want = (n * share_micro + 999999) / 1000000;
        want = want > at_least ? want : at_least;
        want = want < n ? want : n;
        for (size_t i = first; i < first + want; i++)
            items[i].chosen = true;
        chosen += want;
    }
    if (count)
        qsort(items, count, sizeof *items, by_number);
    return chosen;
}
