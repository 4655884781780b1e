// SPDX-License-Identifier: Apache-2.0
// A manifest that is read is written again to the same bytes.
#include "worker/subject/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_buf text;
    struct rt_manifest manifest;
    struct rt_error err;
    rt_arena_init(&arena, (size_t)8 << 20);
    rt_buf_init(&text, (size_t)8 << 20);
    if (rt_manifest_read(rt_bytes(data, size), &arena, &manifest, &err) == RT_OK) {
        RT_ASSERT(rt_manifest_write(&manifest, &text) == RT_OK);
        RT_ASSERT(rt_bytes_equal(rt_buf_bytes(&text), rt_bytes(data, size)));
    }
    rt_buf_release(&text);
    rt_arena_release(&arena);
    return 0;
}
