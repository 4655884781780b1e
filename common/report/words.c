// SPDX-License-Identifier: Apache-2.0
#include "common/report/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/text.h"

// glibc rounds the exact binary value; a rounded zero loses its sign.
static const char *fixed(struct rt_arena *arena, double number, int decimals)
{
    char text[64];
    snprintf(text, sizeof text, "%.*f", decimals, number);
    bool zero = true;
    for (const char *c = text; *c; c++)
        zero &= *c == '-' || *c == '0' || *c == '.';
    return rt_arena_strdup(arena, zero && *text == '-' ? text + 1 : text);
}

const char *rt_words_number(struct rt_arena *arena, struct rt_value value)
{
    return rt_value_ok(value) ? fixed(arena, value.number, 3) : "-";
}

const char *rt_words_fine(struct rt_arena *arena, struct rt_value value)
{
    return rt_value_ok(value) ? fixed(arena, value.number, 5) : "-";
}

const char *rt_words_interval(struct rt_arena *arena, struct rt_interval interval)
{
    if (!rt_interval_ok(interval))
        return "-";
    const char *lower = fixed(arena, interval.lower, 3), *upper = fixed(arena, interval.upper, 3);
    return lower && upper ? rt_arena_printf(arena, "%s to %s", lower, upper) : NULL;
}

const char *rt_words_percent(struct rt_arena *arena, struct rt_value share)
{
    if (!rt_value_ok(share))
        return "-";
    const char *number = fixed(arena, share.number * 100, 1);
    return number ? rt_arena_printf(arena, "%s %%", number) : NULL;
}

const char *rt_words_p(struct rt_arena *arena, struct rt_value p)
{
    if (!rt_value_ok(p))
        return "-";
    return p.number < 0.001 ? "< 0.001" : fixed(arena, p.number, 3);
}

const char *rt_words_count(struct rt_arena *arena, uint64_t count)
{
    char plain[32], grouped[64];
    int size = snprintf(plain, sizeof plain, "%" PRIu64, count);
    size_t at = 0;
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            grouped[at++] = ',';
        grouped[at++] = plain[i];
    }
    return rt_arena_strndup(arena, grouped, at);
}

const char *rt_words_temperature(struct rt_arena *arena, int64_t micro)
{
    char text[32];
    rt_format_micro(micro, text);
    return rt_arena_strdup(arena, text);
}

const char *rt_words_confidence(struct rt_arena *arena, double confidence)
{
    char text[64];
    snprintf(text, sizeof text, "%.4g %%", confidence * 100);
    return rt_arena_strdup(arena, text);
}

void rt_words_add(struct rt_words *words, const char *format, ...)
{
    char stack[4096];
    va_list list;
    if (!words->text)
        return;
    va_start(list, format);
    int size = vsnprintf(stack, sizeof stack, format, list);
    va_end(list);
    if (size < 0 || (size_t)size >= sizeof stack)
        words->text = NULL;
    else
        words->text = rt_arena_printf(words->arena, "%s%s", words->text, stack);
}

const char *rt_words_figure(const struct rt_study *study)
{
    return study->scores ? "mean" : "rate";
}

const char *rt_words_registered(const struct rt_study *study)
{
    return study->plan.registered ? "preregistered" : "given";
}
