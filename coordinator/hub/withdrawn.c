// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/withdrawn.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "proto/statement.h"

#define LEAVES_MOST 4096 // that came in one millisecond

struct search {
    struct rt_view *view;
    struct rt_buf leaf;
    struct rt_statement *statement; // the leaf read last
};

static bool read_leaf(struct search *search, uint64_t index)
{
    rt_buf_clear(&search->leaf);
    return !rt_view_leaf(search->view, index, &search->leaf) &&
           !rt_statement_parse_leaf(rt_buf_bytes(&search->leaf), 0, search->statement, NULL);
}

// The first leaf that came at that time or later; size where there is none or it cannot be read.
static uint64_t first_at(struct search *search, uint64_t size, int64_t time_ms)
{
    uint64_t low = 0, high = size;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (!read_leaf(search, middle))
            return size;
        if (search->statement->received_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void rt_withdrawn_reason(struct rt_view *view, const struct rt_digest *campaign, const char *lab,
                         int64_t changed_ms, char *out)
{
    struct rt_store_head head;
    struct search search = {.view = view, .statement = calloc(1, sizeof *search.statement)};
    const struct rt_statement *statement = search.statement;
    *out = 0;
    if (!statement)
        return;
    rt_buf_init(&search.leaf, RT_LEAF_TEXT_MOST);
    rt_view_head(view, &head);
    uint64_t index = first_at(&search, head.size, changed_ms);
    for (uint64_t n = 0; index + n < head.size && n < LEAVES_MOST; n++) {
        if (!read_leaf(&search, index + n) || statement->received_ms != changed_ms)
            break;
        if (statement->kind != RT_STATEMENT_WITHDRAW ||
            !rt_digest_equal(&statement->campaign, campaign) ||
            !rt_bytes_equal_str(statement->lab, lab))
            continue;
        snprintf(out, RT_WITHDRAWN_REASON_BYTES, "%.*s", (int)statement->reason.size,
                 (const char *)statement->reason.data);
        if (!rt_utf8_valid(rt_bytes_str(out))) // cut in the middle of a character
            *out = 0;
        break;
    }
    rt_buf_release(&search.leaf);
    free(search.statement);
}
