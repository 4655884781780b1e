// SPDX-License-Identifier: Apache-2.0
// A roster file. What reads must write YAML that reads to the same digest, and encode to an object
// that decodes to it.
#include "proto/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_roster *roster, *back;
    struct rt_error err = {0};
    struct rt_buf text, object;
    RT_ASSERT(rt_crypto_init() == RT_OK);
    rt_arena_init(&arena, (size_t)64 << 20);
    rt_buf_init(&text, (size_t)16 << 20);
    rt_buf_init(&object, (size_t)16 << 20);
    if (rt_roster_read(rt_bytes(data, size), "fuzz", &arena, &roster, NULL, &err)) {
        RT_ASSERT(err.status != RT_OK && err.text[0]);
    } else {
        RT_ASSERT(rt_roster_write(roster, &text) == RT_OK);
        if (text.size <= (size_t)4 << 20) {
            RT_ASSERT(rt_roster_read(rt_buf_bytes(&text), "again", &arena, &back, NULL, &err) ==
                      RT_OK);
            RT_ASSERT(rt_digest_equal(&roster->digest, &back->digest));
        }
        RT_ASSERT(rt_roster_encode(roster, &object) == RT_OK);
        RT_ASSERT(rt_roster_decode(rt_buf_bytes(&object), &arena, &back) == RT_OK);
        RT_ASSERT(rt_digest_equal(&roster->digest, &back->digest));
    }
    rt_buf_release(&text);
    rt_buf_release(&object);
    rt_arena_release(&arena);
    return 0;
}
