// SPDX-License-Identifier: Apache-2.0
// Inspect logs of any content, JSON or archive: read as traces, and each sample as one of ours.
#include "interop/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rt_import_options options;
    struct rt_import import;
    struct rt_error err;
    rt_import_init(&import, &options);
    enum rt_status status = rt_import_log_memory(&import, "t", rt_bytes(data, size), &err);
    if (!status && !import.item_count)
        __builtin_trap();
    rt_import_release(&import);
    return 0;
}
