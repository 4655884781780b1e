// SPDX-License-Identifier: Apache-2.0
#include "common/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// The length of the sequence a lead byte starts, and the smallest code point that needs it.
static size_t sequence(uint8_t lead, uint32_t *ret_bits, uint32_t *ret_least)
{
    if (lead >= 0xc2 && lead <= 0xdf) {
        *ret_bits = lead & 0x1f;
        *ret_least = 0x80;
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *ret_bits = lead & 0x0f;
        *ret_least = 0x800;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *ret_bits = lead & 0x07;
        *ret_least = 0x10000;
        return 4;
    }
    return 0;
}

bool rt_utf8_valid(struct rt_bytes text)
{
    size_t i = 0;
    while (i < text.size) {
        if (text.data[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t point, least;
        size_t length = sequence(text.data[i], &point, &least);
        if (!length || length > text.size - i)
            return false;
        for (size_t j = 1; j < length; j++) {
            uint8_t byte = text.data[i + j];
            if ((byte & 0xc0) != 0x80)
                return false;
            point = point << 6 | (byte & 0x3f);
        }
        if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        i += length;
    }
    return true;
}

bool rt_id_valid(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > RT_ID_BYTES)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (i == 0 || !(c == '-' || c == '_' || c == '.')))
            return false;
    }
    return true;
}

enum rt_status rt_parse_u64(const char *text, uint64_t *ret_value)
{
    if (!*text || (text[0] == '0' && text[1]))
        return RT_MALFORMED;
    uint64_t value = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return RT_MALFORMED;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return RT_OUT_OF_RANGE;
    }
    *ret_value = value;
    return RT_OK;
}

enum rt_status rt_parse_i64(const char *text, int64_t *ret_value)
{
    bool negative = text[0] == '-';
    uint64_t magnitude;
    enum rt_status status = rt_parse_u64(text + negative, &magnitude);
    if (status)
        return status;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return RT_OUT_OF_RANGE;
    *ret_value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return RT_OK;
}

static bool decimal_shape(const char *p)
{
    p += *p == '-';
    size_t digits = strspn(p, "0123456789");
    if (!digits)
        return false;
    p += digits;
    if (*p == '.') {
        digits = strspn(p + 1, "0123456789");
        if (!digits)
            return false;
        p += 1 + digits;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '-' || *p == '+';
        digits = strspn(p, "0123456789");
        if (!digits)
            return false;
        p += digits;
    }
    return *p == 0;
}

enum rt_status rt_parse_double(const char *text, double *ret_value)
{
    if (!decimal_shape(text))
        return RT_MALFORMED;
    static locale_t c_locale;
    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = strtod_l(text, NULL, c_locale);
    if (!isfinite(value))
        return RT_OUT_OF_RANGE;
    *ret_value = value;
    return RT_OK;
}

enum rt_status rt_parse_micro(const char *text, int64_t *ret_micro)
{
    const char *p = text;
    bool negative = *p == '-';
    p += negative;
    if (!isdigit((unsigned char)*p) || (*p == '0' && isdigit((unsigned char)p[1])))
        return RT_MALFORMED;
    int64_t value = 0;
    int fraction = -1;
    for (; *p; p++) {
        if (*p == '.' && fraction < 0 && isdigit((unsigned char)p[1])) {
            fraction = 0;
            continue;
        }
        if (!isdigit((unsigned char)*p) || fraction == 6)
            return RT_MALFORMED;
        fraction += fraction >= 0;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *p - '0', &value))
            return RT_OUT_OF_RANGE;
    }
    for (int i = fraction < 0 ? 0 : fraction; i < 6; i++)
        if (__builtin_mul_overflow(value, 10, &value))
            return RT_OUT_OF_RANGE;
    *ret_micro = negative ? -value : value;
    return RT_OK;
}

void rt_format_micro(int64_t micro, char *ret_text)
{
    uint64_t magnitude = micro < 0 ? 0 - (uint64_t)micro : (uint64_t)micro;
    int size = snprintf(ret_text, 32, "%s%" PRIu64 ".%06" PRIu64, micro < 0 ? "-" : "",
                        magnitude / 1000000, magnitude % 1000000);
    while (ret_text[size - 1] == '0')
        ret_text[--size] = 0;
    if (ret_text[size - 1] == '.')
        ret_text[--size] = 0;
}

// Optimal string alignment distance, given up above two edits by the caller; strings are cut at 64
// bytes.
static unsigned distance(const char *a, const char *b)
{
    enum { MOST = 64 };
    size_t n = strnlen(a, MOST), m = strnlen(b, MOST);
    unsigned row[3][MOST + 1];
    for (size_t j = 0; j <= m; j++)
        row[1][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = row[(i + 1) % 3], *last = row[i % 3], *before = row[(i + 2) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[(n + 1) % 3][m];
}

const char *rt_did_you_mean(const char *text, const char *const *list)
{
    const char *closest = NULL;
    unsigned least = 3;
    for (; *list; list++) {
        unsigned edits = distance(text, *list);
        if (edits < least) {
            least = edits;
            closest = *list;
        }
    }
    return closest;
}
