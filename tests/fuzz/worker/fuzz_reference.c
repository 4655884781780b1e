// SPDX-License-Identifier: Apache-2.0
// A reference sample that is read is written and read again to the same bytes.
#include "worker/subject/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_buf first, second;
    struct rt_reference reference;
    struct rt_error err;
    rt_arena_init(&arena, (size_t)16 << 20);
    rt_buf_init(&first, (size_t)16 << 20);
    rt_buf_init(&second, (size_t)16 << 20);
    if (rt_reference_read(rt_bytes(data, size), &arena, &reference, &err) == RT_OK &&
        rt_reference_write(&reference, &first) == RT_OK) {
        RT_ASSERT(rt_reference_read(rt_buf_bytes(&first), &arena, &reference, &err) == RT_OK);
        RT_ASSERT(rt_reference_write(&reference, &second) == RT_OK);
        RT_ASSERT(rt_bytes_equal(rt_buf_bytes(&first), rt_buf_bytes(&second)));
    }
    rt_buf_release(&first);
    rt_buf_release(&second);
    rt_arena_release(&arena);
    return 0;
}
