// SPDX-License-Identifier: Apache-2.0
#include "common/stats/value.h"

#include <float.h>
#include <math.h>

// Extended intermediate precision would make the last digits depend on the machine.
_Static_assert(FLT_EVAL_METHOD == 0, "doubles must be evaluated as doubles");

static const struct {
    const char *code;
    const char *words;
} table[RT_REASON_COUNT] = {
#define X(name, code_text, words_text) [RT_REASON_##name] = {code_text, words_text},
    RT_REASON_TABLE(X)
#undef X
};

struct rt_value rt_value(double number)
{
    if (!isfinite(number))
        return rt_undefined(RT_REASON_NOT_FINITE);
    return (struct rt_value){number == 0 ? 0 : number, RT_REASON_NONE};
}

struct rt_value rt_undefined(enum rt_reason reason)
{
    RT_ASSERT(reason != RT_REASON_NONE && reason < RT_REASON_COUNT);
    return (struct rt_value){0, reason};
}

struct rt_interval rt_interval(double lower, double upper)
{
    if (!isfinite(lower) || !isfinite(upper))
        return rt_interval_undefined(RT_REASON_NOT_FINITE);
    return (struct rt_interval){lower == 0 ? 0 : lower, upper == 0 ? 0 : upper, RT_REASON_NONE};
}

struct rt_interval rt_interval_undefined(enum rt_reason reason)
{
    RT_ASSERT(reason != RT_REASON_NONE && reason < RT_REASON_COUNT);
    return (struct rt_interval){0, 0, reason};
}

const char *rt_reason_code(enum rt_reason reason)
{
    RT_ASSERT(reason < RT_REASON_COUNT);
    return table[reason].code;
}

const char *rt_reason_text(enum rt_reason reason)
{
    RT_ASSERT(reason < RT_REASON_COUNT);
    return table[reason].words;
}
