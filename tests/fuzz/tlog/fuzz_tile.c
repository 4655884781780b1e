// SPDX-License-Identifier: Apache-2.0
// A tile's path, and the entries of a bundle. What is accepted, written again, is the same bytes.
#include "common/tlog/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_bytes bytes = rt_bytes(data, size), rest = bytes, leaf;
    struct rt_tile tile;
    if (rt_tile_parse_path(bytes, &tile) == RT_OK) {
        char path[RT_TILE_PATH_BYTES];
        rt_tile_path(&tile, path);
        RT_ASSERT(rt_bytes_equal_str(bytes, path));
        (void)rt_tile_exists(&tile, size);
    }
    struct rt_buf again;
    rt_buf_init(&again, RT_BUNDLE_MOST);
    enum rt_status status = RT_OK;
    while (!(status = rt_bundle_next(&rest, &leaf)))
        if (rt_bundle_add(&again, leaf))
            break;
    if (status == RT_NOT_FOUND)
        RT_ASSERT(rt_bytes_equal(rt_buf_bytes(&again), bytes));
    rt_buf_release(&again);
    return 0;
}
