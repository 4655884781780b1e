// SPDX-License-Identifier: Apache-2.0
// What a client may send to serve-subject: the request parser, and the subject on what it accepts.
#include <stdlib.h>

#include "engine/synthetic.h"
#include "tests/fuzz/engine/small_scenario.h"
#include "worker/serve/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rt_synthetic *subject;
    static const struct rt_scenario *known[1];
    struct rt_arena arena;
    struct rt_chat_request request;
    struct rt_error err = {RT_OK, ""};
    if (!subject) {
        struct rt_synthetic_effects effects;
        rt_synthetic_effects_init(&effects);
        known[0] = small_scenario();
        if (rt_synthetic_new(&effects, known, 1, &subject))
            abort();
    }
    rt_arena_init(&arena, (size_t)32 << 20);
    if (rt_serve_read(rt_bytes(data, size), &arena, &request, &err) == RT_OK) {
        struct rt_chat_reply reply;
        struct rt_buf out;
        rt_buf_init(&out, (size_t)8 << 20);
        enum rt_status status = rt_synthetic_answer(subject, &request, &arena, &reply);
        if (status == RT_OK && rt_serve_write(&reply, "m", 0, &out))
            abort();
        rt_buf_release(&out);
    } else if (!*err.text) {
        abort(); // a refusal says why
    }
    rt_arena_release(&arena);
    return 0;
}
