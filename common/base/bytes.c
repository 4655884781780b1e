// SPDX-License-Identifier: Apache-2.0
#include "common/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool rt_bytes_equal(struct rt_bytes a, struct rt_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool rt_bytes_equal_str(struct rt_bytes a, const char *text)
{
    return rt_bytes_equal(a, rt_bytes_str(text));
}

int rt_bytes_compare(struct rt_bytes a, struct rt_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

void rt_buf_init(struct rt_buf *buf, size_t limit_bytes)
{
    *buf = (struct rt_buf){.limit = limit_bytes, .failed = RT_OK};
}

void rt_buf_release(struct rt_buf *buf)
{
    free(buf->data);
    rt_buf_init(buf, buf->limit);
}

void rt_buf_clear(struct rt_buf *buf)
{
    buf->size = 0;
    buf->failed = RT_OK;
    if (buf->data)
        buf->data[0] = 0;
}

static bool reserve(struct rt_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more > buf->limit || buf->size > buf->limit - more) {
        buf->failed = RT_TOO_LARGE;
        return false;
    }
    size_t needed = buf->size + more + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity * 2 : 64;
    if (capacity < needed)
        capacity = needed;
    uint8_t *data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = RT_NO_MEMORY;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void rt_buf_add(struct rt_buf *buf, const void *data, size_t size)
{
    if (!reserve(buf, size))
        return;
    if (size)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = 0;
}

void rt_buf_add_bytes(struct rt_buf *buf, struct rt_bytes bytes)
{
    rt_buf_add(buf, bytes.data, bytes.size);
}

void rt_buf_add_str(struct rt_buf *buf, const char *text)
{
    rt_buf_add(buf, text, strlen(text));
}

void rt_buf_add_u8(struct rt_buf *buf, uint8_t byte)
{
    rt_buf_add(buf, &byte, 1);
}

void rt_buf_printf(struct rt_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    RT_ASSERT(size >= 0);
    if (reserve(buf, (size_t)size)) {
        vsnprintf((char *)buf->data + buf->size, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
}

uint8_t *rt_buf_extend(struct rt_buf *buf, size_t size)
{
    if (!reserve(buf, size))
        return NULL;
    uint8_t *place = buf->data + buf->size;
    buf->size += size;
    buf->data[buf->size] = 0;
    return place;
}

void rt_buf_truncate(struct rt_buf *buf, size_t size)
{
    RT_ASSERT(size <= buf->size);
    buf->size = size;
    if (buf->data)
        buf->data[size] = 0;
}

enum rt_status rt_buf_ok(const struct rt_buf *buf)
{
    return buf->failed;
}

const char *rt_buf_str(const struct rt_buf *buf)
{
    return buf->data ? (const char *)buf->data : "";
}

void rt_hex_encode(const void *data, size_t size, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = data;
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = digits[in[i] >> 4];
        ret_text[2 * i + 1] = digits[in[i] & 15];
    }
    ret_text[2 * size] = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum rt_status rt_hex_decode(const char *text, size_t text_size, uint8_t *ret_data, size_t size)
{
    if (text_size != 2 * size)
        return RT_MALFORMED;
    for (size_t i = 0; i < text_size; i++)
        if (hex_digit(text[i]) < 0)
            return RT_MALFORMED;
    for (size_t i = 0; i < size; i++)
        ret_data[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return RT_OK;
}

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void rt_base64_encode(const void *data, size_t size, char *ret_text)
{
    const uint8_t *in = data;
    char *out = ret_text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16;
        group |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        group |= left > 2 ? in[i + 2] : 0;
        *out++ = base64_alphabet[group >> 18];
        *out++ = base64_alphabet[group >> 12 & 63];
        *out++ = left > 1 ? base64_alphabet[group >> 6 & 63] : '=';
        *out++ = left > 2 ? base64_alphabet[group & 63] : '=';
    }
    *out = 0;
}

void rt_base64_add(struct rt_buf *buf, const void *data, size_t size)
{
    size_t text_size = RT_BASE64_SIZE(size);
    uint8_t *place = rt_buf_extend(buf, text_size);
    if (place)
        rt_base64_encode(data, size, (char *)place);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum rt_status rt_base64_decode(const char *text, size_t text_size, uint8_t *ret_data,
                                size_t capacity, size_t *ret_size)
{
    if (text_size % 4)
        return RT_MALFORMED;
    size_t padding = 0;
    if (text_size && text[text_size - 1] == '=')
        padding = text[text_size - 2] == '=' ? 2 : 1;
    size_t size = text_size / 4 * 3 - padding;
    if (size > capacity)
        return RT_TOO_LARGE;
    size_t out = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < text_size - padding; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            return RT_MALFORMED;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 1)
            ret_data[out++] = (uint8_t)(bits >> 4);
        else if (i % 4 == 2)
            ret_data[out++] = (uint8_t)(bits >> 2);
        else if (i % 4 == 3)
            ret_data[out++] = (uint8_t)bits;
    }
    // The bits that padding leaves over must be zero, or one value would have several spellings.
    if ((padding == 1 && (bits & 3)) || (padding == 2 && (bits & 15)))
        return RT_MALFORMED;
    RT_ASSERT(out == size);
    *ret_size = size;
    return RT_OK;
}

void rt_put_u16be(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

void rt_put_u32be(uint8_t *out, uint32_t value)
{
    rt_put_u16be(out, (uint16_t)(value >> 16));
    rt_put_u16be(out + 2, (uint16_t)value);
}

void rt_put_u64be(uint8_t *out, uint64_t value)
{
    rt_put_u32be(out, (uint32_t)(value >> 32));
    rt_put_u32be(out + 4, (uint32_t)value);
}

uint16_t rt_get_u16be(const uint8_t *in)
{
    return (uint16_t)(in[0] << 8 | in[1]);
}

uint32_t rt_get_u32be(const uint8_t *in)
{
    return (uint32_t)rt_get_u16be(in) << 16 | rt_get_u16be(in + 2);
}

uint64_t rt_get_u64be(const uint8_t *in)
{
    return (uint64_t)rt_get_u32be(in) << 32 | rt_get_u32be(in + 4);
}
