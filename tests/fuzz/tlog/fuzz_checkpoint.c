// SPDX-License-Identifier: Apache-2.0
// A checkpoint's text, and the same bytes as a whole note. A text without extension lines, written
// again, is the same bytes.
#include "common/tlog/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text(struct rt_bytes bytes)
{
    struct rt_checkpoint checkpoint;
    if (rt_checkpoint_parse(bytes, &checkpoint) || checkpoint.extended)
        return;
    struct rt_buf out;
    rt_buf_init(&out, RT_CHECKPOINT_BYTES);
    RT_ASSERT(rt_checkpoint_format(&checkpoint, &out) == RT_OK);
    RT_ASSERT(rt_bytes_equal(rt_buf_bytes(&out), bytes));
    rt_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_bytes bytes = rt_bytes(data, size);
    text(bytes);
    struct rt_note note;
    if (rt_note_parse(bytes, &note) == RT_OK)
        text(note.text);
    struct rt_vkey log;
    struct rt_checkpoint checkpoint;
    RT_ASSERT(rt_vkey_parse(rt_bytes_str("replicate.example/log/2026a+1a7b4e36+"
                                         "AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk"),
                            &log) == RT_OK);
    if (rt_checkpoint_open(bytes, &log, &checkpoint) == RT_OK)
        RT_ASSERT(strcmp(checkpoint.origin, log.name) == 0);
    return 0;
}
