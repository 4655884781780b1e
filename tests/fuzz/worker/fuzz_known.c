// SPDX-License-Identifier: Apache-2.0
// A probe's record that is read is written and read again to the same values.
#include "worker/subject/known.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_exec_known known, again;
    struct rt_buf text;
    struct rt_error err;
    rt_buf_init(&text, RT_KNOWN_MOST);
    if (rt_known_parse(rt_bytes(data, size), &known, &err) == RT_OK &&
        rt_known_write(&known, &text) == RT_OK) {
        RT_ASSERT(rt_known_parse(rt_buf_bytes(&text), &again, &err) == RT_OK);
        RT_ASSERT(rt_digest_equal(&known.identity, &again.identity));
        RT_ASSERT(known.behavioural == again.behavioural && known.context == again.context);
    }
    rt_buf_release(&text);
    return 0;
}
