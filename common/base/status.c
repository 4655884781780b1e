// SPDX-License-Identifier: Apache-2.0
#include "common/base/status.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *text;
    bool retryable;
    int exit_code;
} table[RT_STATUS_COUNT] = {
#define X(name, text, retryable, exit_code) {#name, text, retryable, exit_code},
    RT_STATUS_TABLE(X)
#undef X
};

const char *rt_status_text(enum rt_status status)
{
    RT_ASSERT(status < RT_STATUS_COUNT);
    return table[status].text;
}

const char *rt_status_name(enum rt_status status)
{
    RT_ASSERT(status < RT_STATUS_COUNT);
    return table[status].name;
}

bool rt_status_retryable(enum rt_status status)
{
    RT_ASSERT(status < RT_STATUS_COUNT);
    return table[status].retryable;
}

int rt_status_exit(enum rt_status status)
{
    RT_ASSERT(status < RT_STATUS_COUNT);
    return table[status].exit_code;
}

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: internal error, please report it: %s does not hold\n", file, line,
            condition);
    abort();
}
