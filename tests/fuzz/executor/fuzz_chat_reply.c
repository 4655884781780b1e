// SPDX-License-Identifier: Apache-2.0
// What an endpoint may send: the reply parser and the error parser.
#include <stdlib.h>
#include <string.h>

#include "worker/executor/chat_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_chat_reply reply;
    struct rt_chat_facts facts;
    const char *reason = NULL;
    char text[64];
    rt_arena_init(&arena, (size_t)64 << 20);
    enum rt_status status =
        rt_chat_json_reply(rt_bytes(data, size), &arena, &reply, &facts, &reason);
    if (status == RT_OK) {
        struct rt_digest digest;
        struct rt_chat_message message = {RT_CHAT_ASSISTANT, reply.text, reply.calls,
                                          reply.call_count, ""};
        rt_chat_messages_digest(&message, 1, &digest);
        if (reply.call_count > RT_CHAT_CALLS_MOST || !facts.model || !reply.refusal)
            abort();
    } else if (!reason || !*reason) {
        abort();
    }
    rt_chat_json_error(rt_bytes(data, size), text, sizeof text);
    if (strlen(text) >= sizeof text)
        abort();
    rt_arena_release(&arena);
    return 0;
}
