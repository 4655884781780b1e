// SPDX-License-Identifier: Apache-2.0
// Header lines of any bytes, one after the other as a response brings them: whatever they say, the
// wish only grows and stays within its bounds; and the two readers of a value alone.
#include <stdlib.h>
#include <string.h>

#include "worker/executor/retry.h"

#define NOW_MS 1700000000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t wait_ms = RT_RETRY_NONE;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t length = end ? (size_t)(end - data) - at + 1 : size - at;
        int64_t before_ms = wait_ms;
        bool read = rt_retry_read(rt_bytes(data + at, length), NOW_MS, &wait_ms);
        if (wait_ms < before_ms || wait_ms < RT_RETRY_NONE || wait_ms > RT_RETRY_MOST_MS ||
            (read && wait_ms == RT_RETRY_NONE) || (!read && wait_ms != before_ms))
            abort();
        at += length;
    }
    char *text = strndup((const char *)data, size);
    if (text) {
        int64_t span_ms = rt_retry_span_ms(text), date_ms = rt_retry_date_ms(text, NOW_MS);
        if (span_ms < RT_RETRY_NONE || span_ms > RT_RETRY_MOST_MS || date_ms < RT_RETRY_NONE)
            abort();
    }
    free(text);
    return 0;
}
