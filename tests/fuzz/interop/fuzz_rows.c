// SPDX-License-Identifier: Apache-2.0
// Tables of prompts of any content: the first byte chooses the table and its form. Whatever comes
// back as items has what an item must have.
#include <stdlib.h>

#include "interop/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rt_import_options options[2] = {{.id = NULL}, {.scenario_by = "hazard"}};
    struct rt_import import;
    struct rt_error err;
    if (!size)
        return 0;
    rt_import_init(&import, &options[data[0] >> 3 & 1]);
    enum rt_status status =
        rt_import_rows_memory(&import, (enum rt_import_table)(data[0] % 3), data[0] & 4, "t",
                              rt_bytes(data + 1, size - 1), &err);
    if (!status && !import.item_count)
        abort();
    for (size_t i = 0; i < import.item_count; i++)
        if (!import.items[i].message_count || !import.items[i].key || !import.items[i].place)
            abort();
    rt_import_release(&import);
    return 0;
}
