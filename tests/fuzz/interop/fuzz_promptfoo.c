// SPDX-License-Identifier: Apache-2.0
// promptfoo configurations of any content. Every rule that comes out must be a pattern.
#include "interop/import.h"
#include "proto/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rt_import_options options;
    struct rt_import import;
    struct rt_error err;
    rt_import_init(&import, &options);
    enum rt_status status =
        rt_import_promptfoo_memory(&import, "t", rt_bytes(data, size), NULL, &err);
    for (size_t i = 0; i < import.item_count && !status && size < 4096; i++) {
        struct rt_pattern *pattern = NULL;
        if (*import.items[i].expect &&
            rt_pattern_compile(import.items[i].expect, &pattern, &err) == RT_MALFORMED)
            __builtin_trap();
        rt_pattern_free(pattern);
    }
    rt_import_release(&import);
    return 0;
}
