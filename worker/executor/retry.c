// SPDX-License-Identifier: Apache-2.0
#include "worker/executor/retry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "common/base/time.h"

#define VALUE_MOST  64 // bytes of a value that can mean anything
#define EPOCH_LEAST 1e9 // seconds; a span of thirty years is a time

int64_t rt_retry_span_ms(const char *text)
{
    double total = 0;
    if (!*text)
        return RT_RETRY_NONE;
    while (*text) {
        size_t digits = strspn(text, "0123456789.");
        char number[24];
        double value;
        if (!digits || digits >= sizeof number)
            return RT_RETRY_NONE;
        memcpy(number, text, digits);
        number[digits] = 0;
        if (rt_parse_double(number, &value))
            return RT_RETRY_NONE;
        text += digits;
        size_t unit = strspn(text, "hms");
        if ((unit == 0 && !*text) || (unit == 1 && *text == 's'))
            total += value * 1000;
        else if (unit == 2 && text[0] == 'm' && text[1] == 's')
            total += value;
        else if (unit == 1 && *text == 'm')
            total += value * 60000;
        else if (unit == 1 && *text == 'h')
            total += value * 3600000;
        else
            return RT_RETRY_NONE;
        text += unit;
    }
    return total > RT_RETRY_MOST_MS ? RT_RETRY_MOST_MS : (int64_t)ceil(total);
}

// ---- dates

struct date {
    unsigned day, year, hour, minute, second;
    char month[4];
};

static int64_t date_ms(const struct date *date)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char stamp[RT_STAMP_BYTES + 64];
    int64_t wall_ms;
    const char *place = strstr(months, date->month);
    if (strlen(date->month) != 3 || !place || (place - months) % 3)
        return RT_RETRY_NONE;
    snprintf(stamp, sizeof stamp, "%04u-%02u-%02uT%02u:%02u:%02u.000Z", date->year,
             (unsigned)(place - months) / 3 + 1, date->day, date->hour, date->minute,
             date->second == 60 ? 59 : date->second);
    return rt_stamp_parse(stamp, &wall_ms) == RT_OK && wall_ms >= 0 ? wall_ms : RT_RETRY_NONE;
}

static unsigned year_of(int64_t wall_ms)
{
    return 1970 + (unsigned)(wall_ms / 31556952000);
}

int64_t rt_retry_date_ms(const char *text, int64_t now_ms)
{
    struct date date;
    int end = 0;
    // The form in use: "Sun, 06 Nov 1994 08:49:37 GMT".
    if (sscanf(text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u GMT%n", &date.day, date.month,
               &date.year, &date.hour, &date.minute, &date.second, &end) == 6 &&
        end && !text[end])
        return date_ms(&date);
    // RFC 850: "Sunday, 06-Nov-94 08:49:37 GMT".
    end = 0;
    if (sscanf(text, "%*9[A-Za-z], %2u-%3[A-Za-z]-%2u %2u:%2u:%2u GMT%n", &date.day, date.month,
               &date.year, &date.hour, &date.minute, &date.second, &end) == 6 &&
        end && !text[end]) {
        unsigned now = year_of(now_ms);
        date.year += now - now % 100;
        if (date.year > now + 50)
            date.year -= 100;
        return date_ms(&date);
    }
    // asctime: "Sun Nov  6 08:49:37 1994".
    end = 0;
    if (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2u %2u:%2u:%2u %4u%n", date.month, &date.day,
               &date.hour, &date.minute, &date.second, &date.year, &end) == 6 &&
        end && !text[end])
        return date_ms(&date);
    return RT_RETRY_NONE;
}

// ---- lines

static int64_t until_ms(int64_t wall_ms, int64_t now_ms)
{
    if (wall_ms < 0)
        return RT_RETRY_NONE;
    int64_t wait_ms = wall_ms > now_ms ? wall_ms - now_ms : 0;
    return wait_ms > RT_RETRY_MOST_MS ? RT_RETRY_MOST_MS : wait_ms;
}

static int64_t value_ms(const char *value, int64_t now_ms)
{
    double seconds;
    if (rt_parse_double(value, &seconds) == RT_OK && seconds >= EPOCH_LEAST && seconds < 1e11)
        return until_ms((int64_t)ceil(seconds * 1000), now_ms);
    int64_t wait_ms = rt_retry_span_ms(value);
    return wait_ms >= 0 ? wait_ms : until_ms(rt_retry_date_ms(value, now_ms), now_ms);
}

static bool starts(struct rt_bytes line, const char *name)
{
    size_t size = strlen(name);
    return line.size >= size && strncasecmp((const char *)line.data, name, size) == 0;
}

bool rt_retry_read(struct rt_bytes line, int64_t now_ms, int64_t *wait_ms)
{
    char value[VALUE_MOST];
    const char *text = (const char *)line.data;
    if (!starts(line, "retry-after:") && !starts(line, "x-ratelimit-reset"))
        return false;
    const char *colon = memchr(text, ':', line.size);
    if (!colon)
        return false;
    const char *from = colon + 1, *to = text + line.size;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == '\r' || to[-1] == '\n' || to[-1] == ' ' || to[-1] == '\t'))
        to--;
    if (from == to || (size_t)(to - from) >= sizeof value || memchr(from, 0, (size_t)(to - from)))
        return false;
    memcpy(value, from, (size_t)(to - from));
    value[to - from] = 0;
    int64_t asked_ms = value_ms(value, now_ms);
    if (asked_ms < 0)
        return false;
    if (asked_ms > *wait_ms)
        *wait_ms = asked_ms;
    return true;
}
