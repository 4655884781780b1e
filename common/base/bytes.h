// SPDX-License-Identifier: Apache-2.0
// Bytes: a borrowed view (rt_bytes), an owned buffer with a ceiling (rt_buf), and the fixed
// encodings of bytes as text (hex, strict base64) and of integers as big-endian bytes. Never grows
// past its limit; never logs. A buffer belongs to one thread at a time.
#ifndef RT_BASE_BYTES_H
#define RT_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/status.h"

// A view of bytes somebody else owns. data may be NULL when size is 0.
struct rt_bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct rt_bytes rt_bytes(const void *data, size_t size)
{
    return (struct rt_bytes){(const uint8_t *)data, size};
}
static inline struct rt_bytes rt_bytes_str(const char *text)
{
    return (struct rt_bytes){(const uint8_t *)text, strlen(text)};
}
bool rt_bytes_equal(struct rt_bytes a, struct rt_bytes b);
bool rt_bytes_equal_str(struct rt_bytes a, const char *text);
// memcmp order, shorter first.
int rt_bytes_compare(struct rt_bytes a, struct rt_bytes b);

// An owned, growable buffer. data is always followed by a NUL that size does not count, once
// anything was added. A failed append sets `failed` and leaves the contents; later appends do
// nothing, so a sequence of appends is checked once at its end (rt_buf_ok).
struct rt_buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit;          // never holds more than this many bytes
    enum rt_status failed; // RT_OK, RT_NO_MEMORY or RT_TOO_LARGE
};

void rt_buf_init(struct rt_buf *buf, size_t limit_bytes);
void rt_buf_release(struct rt_buf *buf); // frees the memory; buf may be init'ed again
void rt_buf_clear(struct rt_buf *buf);   // empty, keeps the memory, forgets a failure
void rt_buf_add(struct rt_buf *buf, const void *data, size_t size);
void rt_buf_add_bytes(struct rt_buf *buf, struct rt_bytes bytes);
void rt_buf_add_str(struct rt_buf *buf, const char *text);
void rt_buf_add_u8(struct rt_buf *buf, uint8_t byte);
void rt_buf_printf(struct rt_buf *buf, const char *format, ...) RT_PRINTF(2, 3);
// Room for size more bytes at the end, counted at once; NULL on failure.
uint8_t *rt_buf_extend(struct rt_buf *buf, size_t size);
// Cut back to size bytes (size must not exceed the present one).
void rt_buf_truncate(struct rt_buf *buf, size_t size);
enum rt_status rt_buf_ok(const struct rt_buf *buf) RT_WARN_UNUSED;
static inline struct rt_bytes rt_buf_bytes(const struct rt_buf *buf)
{
    return (struct rt_bytes){buf->data, buf->size};
}
// The buffer's text; "" when empty.
const char *rt_buf_str(const struct rt_buf *buf);

// Lower-case hex. ret_text needs 2·size + 1 bytes.
void rt_hex_encode(const void *data, size_t size, char *ret_text);
// Exactly size bytes from 2·size lower-case digits; RT_MALFORMED otherwise.
enum rt_status rt_hex_decode(const char *text, size_t text_size, uint8_t *ret_data,
                             size_t size) RT_WARN_UNUSED;

// Standard padded base64 (RFC 4648 section 4). Decoding is strict: right alphabet, right padding,
// unused bits zero, nothing else (Go's decoder is lenient: EVIDENCE, Log).
#define RT_BASE64_SIZE(size) (((size) + 2) / 3 * 4)
void rt_base64_encode(const void *data, size_t size, char *ret_text); // RT_BASE64_SIZE + 1 bytes
void rt_base64_add(struct rt_buf *buf, const void *data, size_t size);
enum rt_status rt_base64_decode(const char *text, size_t text_size, uint8_t *ret_data,
                                size_t capacity, size_t *ret_size) RT_WARN_UNUSED;

// Big-endian integers.
void rt_put_u16be(uint8_t *out, uint16_t value);
void rt_put_u32be(uint8_t *out, uint32_t value);
void rt_put_u64be(uint8_t *out, uint64_t value);
uint16_t rt_get_u16be(const uint8_t *in);
uint32_t rt_get_u32be(const uint8_t *in);
uint64_t rt_get_u64be(const uint8_t *in);

#endif
