// SPDX-License-Identifier: Apache-2.0
// Rows of the outbox: whatever reads is written back as the very same bytes. The first byte chooses
// the kind of row.
#include <stdlib.h>

#include "worker/outbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union row {
    struct rt_row_campaign campaign;
    struct rt_row_unit unit;
    struct rt_row_trial trial;
    struct rt_row_out out;
    struct rt_row_receipt receipt;
    struct rt_row_usage usage;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rt_schema *schemas[] = {rt_row_campaign_schema(), rt_row_unit_schema(),
                                         rt_row_trial_schema(),    rt_row_out_schema(),
                                         rt_row_receipt_schema(),  rt_row_usage_schema()};
    if (!size)
        return 0;
    const struct rt_schema *schema = schemas[data[0] % (sizeof schemas / sizeof *schemas)];
    struct rt_bytes value = rt_bytes(data + 1, size - 1);
    union row row;
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)16 << 20);
    if (!rt_outbox_read(schema, value, &arena, &row)) {
        struct rt_buf back;
        rt_buf_init(&back, (size_t)16 << 20);
        if (rt_schema_encode(schema, &row, (size_t)16 << 20, &back, NULL) ||
            !rt_bytes_equal(rt_buf_bytes(&back), value))
            abort();
        rt_buf_release(&back);
    }
    rt_arena_release(&arena);
    return 0;
}
