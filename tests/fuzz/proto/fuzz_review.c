// SPDX-License-Identifier: Apache-2.0
// reviews.yaml: what reads is written again and reads back the same.
#include "proto/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_reviews reviews, again;
    struct rt_error err = {0};
    struct rt_buf text, back;
    rt_arena_init(&arena, (size_t)64 << 20);
    rt_buf_init(&text, (size_t)16 << 20);
    rt_buf_init(&back, (size_t)16 << 20);
    if (rt_reviews_read(rt_bytes(data, size), &arena, &reviews, &err)) {
        RT_ASSERT(err.status != RT_OK && err.text[0]);
    } else {
        struct rt_review_item item = {.key = "0123456789abcdef"};
        size_t left;
        struct rt_review_result result;
        rt_reviews_write(&reviews, &text);
        RT_ASSERT(rt_reviews_read(rt_buf_bytes(&text), &arena, &again, &err) == RT_OK);
        rt_reviews_write(&again, &back);
        RT_ASSERT(rt_bytes_equal(rt_buf_bytes(&text), rt_buf_bytes(&back)));
        RT_ASSERT(rt_review_left(&reviews, &item, 1, "r", &left) <= 1);
        rt_review_result(&reviews, &item, 1, &result);
        RT_ASSERT(result.same + result.not_same <= result.rated);
    }
    rt_buf_release(&text);
    rt_buf_release(&back);
    rt_arena_release(&arena);
    return 0;
}
