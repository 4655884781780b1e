// SPDX-License-Identifier: Apache-2.0
// What a command may write: one line of it.
#include <stdlib.h>
#include <string.h>

#include "worker/executor/command_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_command_line line;
    rt_arena_init(&arena, (size_t)64 << 20);
    if (rt_command_line_read(rt_bytes(data, size), &arena, &line))
        abort(); // nothing a line says is an error of ours
    if (line.kind == RT_COMMAND_LINE_REPLY &&
        (!line.reply.text || line.reply.call_count > RT_CHAT_CALLS_MOST || !line.facts.model))
        abort();
    if (line.kind == RT_COMMAND_LINE_INTRODUCTION && (!line.model || strlen(line.server) > 181))
        abort();
    if (line.kind == RT_COMMAND_LINE_FAILURE &&
        (line.failure >= RT_COMMAND_FAILURE_COUNT || strlen(line.text) >= sizeof line.text))
        abort();
    rt_arena_release(&arena);
    return 0;
}
