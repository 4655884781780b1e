// SPDX-License-Identifier: Apache-2.0
#include "coordinator/speed/sizes.h"

#include "coordinator/store/store.h"
#include "proto/message.h"
#include "proto/statement.h"

// Array heads, type codes and length prefixes around a frame's parts.
#define FRAME_OVERHEAD 24

static enum rt_status from_leaf(struct rt_view *view, const struct rt_statement *leaf,
                                uint64_t log_size, struct rt_unit_sizes *ret)
{
    struct rt_buf unit, result, statement;
    rt_buf_init(&unit, RT_UNIT_MOST);
    rt_buf_init(&result, RT_RESULT_MOST);
    rt_buf_init(&statement, RT_UNIT_STATEMENT_MOST);
    enum rt_status status = rt_view_object(view, &leaf->pairs[0].unit, &unit);
    if (!status)
        status = rt_view_object(view, &leaf->pairs[0].result, &result);
    if (!status)
        status = rt_view_unit_statement(view, &leaf->pairs[0].unit, &statement);
    size_t proof_lines = 0;
    while (log_size >> proof_lines)
        proof_lines++;
    *ret = (struct rt_unit_sizes){
        .unit_object = unit.size,
        .result_object = result.size,
        .statement = leaf->unstamped.size,
        .leaf = leaf->bytes.size,
        .unit_frame = unit.size + statement.size + FRAME_OVERHEAD,
        .result_frame =
            leaf->unstamped.size + statement.size + unit.size + result.size + FRAME_OVERHEAD,
        // Digest, index and time, and a proof of base64 lines before a signed checkpoint of about
        // 220 bytes.
        .receipt_frame = RT_DIGEST_BYTES + 45 * proof_lines + 260 + FRAME_OVERHEAD,
    };
    rt_buf_release(&unit);
    rt_buf_release(&result);
    rt_buf_release(&statement);
    return status;
}

enum rt_status rt_unit_sizes_read(const char *store_folder, struct rt_unit_sizes *ret,
                                  struct rt_error *err)
{
    static struct rt_statement leaf;
    struct rt_store *store = NULL;
    struct rt_view *view = NULL;
    enum rt_status status = rt_store_open(store_folder, RT_STORE_READ, NULL, &store, err);
    if (status)
        return status;
    status = rt_view_begin(store, &view, err);
    struct rt_store_head head = {0};
    if (!status)
        rt_view_head(view, &head);
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    bool found = false;
    for (uint64_t i = head.size; !status && i > 0 && !found; i--) {
        rt_buf_clear(&text);
        status = rt_view_leaf(view, i - 1, &text);
        if (!status)
            status = rt_statement_parse(rt_buf_bytes(&text), &leaf, NULL);
        found = !status && leaf.kind == RT_STATEMENT_RESULT;
    }
    if (!status)
        status = found ? from_leaf(view, &leaf, head.size, ret) : RT_NOT_FOUND;
    rt_view_end(view);
    rt_store_close(store);
    rt_buf_release(&text);
    return status ? rt_error_set(err, status, "reading the sizes of a result: %s",
                                 rt_status_text(status))
                  : RT_OK;
}
