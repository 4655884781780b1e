// SPDX-License-Identifier: Apache-2.0
// A line of a rater's journal, and foreign text on its way to a terminal.
#include "common/base/text.h"
#include "worker/rating/annotate.h"
#include "worker/rating/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_journal_line line;
    struct rt_buf out;
    bool sent = false;
    if (rt_journal_parse((const char *)data, size, &line, &sent) == RT_OK && !sent)
        RT_ASSERT(line.label < 256 && (!*line.by || rt_id_valid(line.by)));
    rt_buf_init(&out, (size_t)16 << 20);
    rt_annotate_text(rt_bytes(data, size), "| ", &out);
    RT_ASSERT(rt_buf_ok(&out) == RT_OK && rt_utf8_valid(rt_buf_bytes(&out)));
    for (size_t i = 0; i < out.size; i++)
        RT_ASSERT((out.data[i] >= 0x20 || out.data[i] == '\n') && out.data[i] != 0x7f);
    rt_buf_release(&out);
    return 0;
}
