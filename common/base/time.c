// SPDX-License-Identifier: Apache-2.0
#include "common/base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/text.h"

int64_t rt_time_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t rt_time_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t rt_time_mono_ms(void)
{
    return rt_time_mono_us() / 1000;
}

void rt_stamp_format(int64_t wall_ms, char ret_text[RT_STAMP_BYTES])
{
    RT_ASSERT(wall_ms >= 0);
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    RT_ASSERT(parts.tm_year + 1900 <= 9999);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
             parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
             (int)(wall_ms % 1000));
    memcpy(ret_text, text, RT_STAMP_BYTES);
}

static bool digits(const char *text, int count, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *ret_value = value;
    return true;
}

static bool civil(const char *text, struct tm *ret_parts)
{
    struct tm parts = {0};
    if (!digits(text, 4, &parts.tm_year) || text[4] != '-' || !digits(text + 5, 2, &parts.tm_mon) ||
        text[7] != '-' || !digits(text + 8, 2, &parts.tm_mday) || parts.tm_year < 1970)
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *ret_parts = parts;
    return true;
}

// timegm normalises an impossible date; one that comes back changed was not a date.
static enum rt_status to_ms(struct tm parts, int milliseconds, int64_t *ret_wall_ms)
{
    struct tm check = parts;
    time_t seconds = timegm(&check);
    if (check.tm_mday != parts.tm_mday || check.tm_mon != parts.tm_mon ||
        check.tm_hour != parts.tm_hour || check.tm_min != parts.tm_min ||
        check.tm_sec != parts.tm_sec)
        return RT_MALFORMED;
    *ret_wall_ms = (int64_t)seconds * 1000 + milliseconds;
    return RT_OK;
}

enum rt_status rt_stamp_parse(const char *text, int64_t *ret_wall_ms)
{
    struct tm parts;
    int milliseconds;
    if (strlen(text) != RT_STAMP_BYTES - 1 || !civil(text, &parts) || text[10] != 'T' ||
        !digits(text + 11, 2, &parts.tm_hour) || text[13] != ':' ||
        !digits(text + 14, 2, &parts.tm_min) || text[16] != ':' ||
        !digits(text + 17, 2, &parts.tm_sec) || text[19] != '.' ||
        !digits(text + 20, 3, &milliseconds) || text[23] != 'Z')
        return RT_MALFORMED;
    return to_ms(parts, milliseconds, ret_wall_ms);
}

enum rt_status rt_date_parse(const char *text, int64_t *ret_wall_ms)
{
    struct tm parts;
    size_t size = strlen(text);
    if (size == 10 && civil(text, &parts))
        return to_ms(parts, 0, ret_wall_ms);
    if (size == 20 && text[19] == 'Z') {
        char full[RT_STAMP_BYTES];
        memcpy(full, text, 19);
        memcpy(full + 19, ".000Z", 6);
        return rt_stamp_parse(full, ret_wall_ms);
    }
    return rt_stamp_parse(text, ret_wall_ms);
}

enum rt_status rt_duration_parse(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t size = strspn(text, "0123456789");
    char number[21];
    if (size == 0 || size >= sizeof number)
        return RT_MALFORMED;
    memcpy(number, text, size);
    number[size] = 0;
    int64_t value;
    enum rt_status status = rt_parse_i64(number, &value);
    if (status)
        return status;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text + size, units[i].unit) == 0)
            return __builtin_mul_overflow(value, units[i].ms, ret_ms) ? RT_OUT_OF_RANGE : RT_OK;
    return RT_MALFORMED;
}

void rt_duration_format(int64_t duration_ms, char *ret_text)
{
    int64_t s = duration_ms < 0 ? 0 : duration_ms / 1000;
    if (s < 60)
        snprintf(ret_text, 32, "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(ret_text, 32, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(ret_text, 32, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    else
        snprintf(ret_text, 32, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
}
