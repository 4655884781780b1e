// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "worker/serve/quirk.h"

static const char *const words[] = {
#define X(name, word, what) word,
    RT_SERVE_QUIRK_TABLE(X)
#undef X
};

enum rt_status rt_serve_quirks_read(const char *text, uint32_t *ret_quirks, struct rt_error *err)
{
    uint32_t quirks = 0;
    while (*text) {
        size_t size = strcspn(text, ","), q = 0;
        while (q < RT_SERVE_QUIRK_COUNT &&
               (strlen(words[q]) != size || strncmp(words[q], text, size) != 0))
            q++;
        if (q == RT_SERVE_QUIRK_COUNT)
            return rt_error_set(err, RT_NOT_FOUND,
                                "quirk `%.*s`: there are seed, temperature, tools and limit",
                                (int)size, text);
        quirks |= 1u << q;
        text += size + (text[size] == ',');
    }
    *ret_quirks = quirks;
    return RT_OK;
}

static bool has(uint32_t quirks, enum rt_serve_quirk quirk)
{
    return quirks >> quirk & 1;
}

void rt_serve_quirk_request(uint32_t quirks, uint64_t number, struct rt_chat_request *request)
{
    if (has(quirks, RT_SERVE_QUIRK_SEED))
        request->seed = (uint32_t)(number * 2654435761u >> 1);
    if (has(quirks, RT_SERVE_QUIRK_TEMPERATURE))
        request->temperature_micro = 0;
    if (has(quirks, RT_SERVE_QUIRK_LIMIT))
        request->max_tokens = 32768;
}

enum rt_status rt_serve_quirk_reply(uint32_t quirks, struct rt_arena *arena,
                                    struct rt_chat_reply *reply)
{
    if (!has(quirks, RT_SERVE_QUIRK_TOOLS) || !reply->call_count)
        return RT_OK;
    // As a server does that has no parser for its model's calls.
    reply->text = rt_arena_printf(arena, "<tool_call>{\"name\": \"%s\", \"arguments\": %s}",
                                  reply->calls[0].name, reply->calls[0].arguments);
    reply->call_count = 0;
    reply->finish = RT_CHAT_FINISH_STOP;
    return reply->text ? RT_OK : RT_NO_MEMORY;
}
