// SPDX-License-Identifier: Apache-2.0
#include "engine/match.h"

#include "proto/pattern.h"

bool rt_match(const char *pattern, struct rt_bytes text, bool *limit)
{
    struct rt_pattern *compiled;
    bool matched = false;
    if (rt_pattern_compile(pattern, &compiled, NULL))
        return false;
    enum rt_status status = rt_pattern_match(compiled, text, &matched);
    if (status == RT_TOO_LARGE && limit)
        *limit = true;
    rt_pattern_free(compiled);
    return status == RT_OK && matched;
}
