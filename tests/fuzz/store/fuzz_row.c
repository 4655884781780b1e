// SPDX-License-Identifier: Apache-2.0
// Rows as a damaged disk may give them: every decoder ends in a value or in a refusal, and a value
// that was taken encodes to the same bytes.
#include <stdlib.h>

#include "coordinator/store/internal.h"

static void same(struct rt_bytes in, const void *out, size_t size)
{
    if (in.size != size || memcmp(in.data, out, size) != 0)
        abort();
}

static void fuzz_lab(struct rt_bytes in)
{
    struct store_lab lab;
    struct rt_buf out;
    if (!store_lab_decode(in, 3, 4, &lab))
        return;
    rt_buf_init(&out, 1 << 16);
    store_lab_encode(&lab, &out);
    same(in, out.data, out.size);
    rt_buf_release(&out);
}

static void fuzz_campaign(struct rt_bytes in)
{
    struct rt_core_campaign_row campaign = {.index = 1};
    struct scan scan = scan_of(in);
    struct row row = {.size = 0};
    // A boolean of another value than 0 and 1 is read as true.
    if (!scan_campaign(&scan, &campaign) || in.data[49] > 1)
        return;
    row_campaign(&row, &campaign);
    same(in, row.bytes, row.size);
}

static void fuzz_tentative(struct rt_bytes in)
{
    struct rt_core_tentative value;
    struct scan scan = scan_of(in);
    struct row row = {.size = 0};
    if (!scan_tentative(&scan, 1, 2, &value))
        return;
    row_tentative(&row, &value);
    same(in, row.bytes, row.size);
}

static void fuzz_cells(struct rt_bytes in)
{
    struct scan scan = scan_of(in);
    while (scan.left) {
        struct store_cell cell;
        struct row row = {.size = 0};
        struct rt_bytes at = {scan.at, scan.left};
        if (!scan_cell(&scan, 1, 2, 3, &cell))
            return;
        row_cell(&row, &cell);
        same(rt_bytes(at.data, at.size - scan.left), row.bytes, row.size);
    }
}

static void fuzz_seal(struct rt_bytes in)
{
    struct rt_bytes value = in;
    uint8_t table = in.size ? in.data[0] % TABLE_COUNT : 0;
    (void)!store_unseal((enum store_table)table, rt_bytes(in.data, in.size / 2), &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_bytes in = {data, size};
    fuzz_lab(in);
    fuzz_campaign(in);
    fuzz_tentative(in);
    fuzz_cells(in);
    fuzz_seal(in);
    return 0;
}
