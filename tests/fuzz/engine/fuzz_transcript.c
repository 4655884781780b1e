// SPDX-License-Identifier: Apache-2.0
// The transcript decoder: whatever it accepts encodes to the same bytes and can be printed, summed
// and hashed.
#include <stdlib.h>

#include "engine/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_transcript transcript;
    struct rt_buf out;
    const char *reason = "";
    rt_arena_init(&arena, (size_t)16 << 20);
    rt_buf_init(&out, (size_t)32 << 20);
    if (rt_transcript_decode(rt_bytes(data, size), &arena, &transcript, &reason) == RT_OK) {
        struct rt_digest digest;
        uint64_t in, written;
        if (rt_transcript_encode(&transcript, &out) ||
            !rt_bytes_equal(rt_buf_bytes(&out), rt_bytes(data, size)))
            abort();
        rt_transcript_output(&transcript, &digest);
        rt_transcript_tokens(&transcript, &in, &written);
        rt_buf_clear(&out);
        rt_transcript_print(&transcript, 40, &out);
    } else if (!*reason) {
        abort(); // a refusal names its clause
    }
    rt_buf_release(&out);
    rt_arena_release(&arena);
    return 0;
}
