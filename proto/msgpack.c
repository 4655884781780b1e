// SPDX-License-Identifier: Apache-2.0
#include "proto/msgpack.h"

#include <math.h>
#include <msgpack/pack.h>

#include "common/base/text.h"

// ---- reading

void rt_msgpack_reader_init(struct rt_msgpack_reader *reader, struct rt_bytes bytes)
{
    *reader = (struct rt_msgpack_reader){.bytes = bytes, .failed = RT_OK};
}

void rt_msgpack_fail(struct rt_msgpack_reader *reader, enum rt_status status, const char *reason)
{
    if (reader->failed == RT_OK) {
        reader->failed = status;
        reader->reason = reason;
    }
}

static void malformed(struct rt_msgpack_reader *reader, const char *reason)
{
    rt_msgpack_fail(reader, RT_MALFORMED, reason);
}

static size_t left(const struct rt_msgpack_reader *reader)
{
    return reader->bytes.size - reader->at;
}

enum rt_msgpack_kind rt_msgpack_peek(const struct rt_msgpack_reader *reader)
{
    if (reader->failed || left(reader) == 0)
        return RT_MSGPACK_NONE;
    uint8_t byte = reader->bytes.data[reader->at];
    if (byte < 0x80)
        return RT_MSGPACK_UINT;
    if (byte < 0x90)
        return RT_MSGPACK_MAP;
    if (byte < 0xa0)
        return RT_MSGPACK_ARRAY;
    if (byte < 0xc0)
        return RT_MSGPACK_STR;
    if (byte >= 0xe0)
        return RT_MSGPACK_INT;
    static const uint8_t kinds[32] = {
        [0x00] = RT_MSGPACK_NIL,    [0x02] = RT_MSGPACK_BOOL,  [0x03] = RT_MSGPACK_BOOL,
        [0x04] = RT_MSGPACK_BIN,    [0x05] = RT_MSGPACK_BIN,   [0x06] = RT_MSGPACK_BIN,
        [0x0b] = RT_MSGPACK_DOUBLE, [0x0c] = RT_MSGPACK_UINT,  [0x0d] = RT_MSGPACK_UINT,
        [0x0e] = RT_MSGPACK_UINT,   [0x0f] = RT_MSGPACK_UINT,  [0x10] = RT_MSGPACK_INT,
        [0x11] = RT_MSGPACK_INT,    [0x12] = RT_MSGPACK_INT,   [0x13] = RT_MSGPACK_INT,
        [0x19] = RT_MSGPACK_STR,    [0x1a] = RT_MSGPACK_STR,   [0x1b] = RT_MSGPACK_STR,
        [0x1c] = RT_MSGPACK_ARRAY,  [0x1d] = RT_MSGPACK_ARRAY, [0x1e] = RT_MSGPACK_MAP,
        [0x1f] = RT_MSGPACK_MAP,
    };
    return kinds[byte - 0xc0];
}

// The head of the next value, which is read: its kind and the number in it (a count, a length, the
// value itself or its bits).
struct head {
    enum rt_msgpack_kind kind;
    uint64_t number;
};

// A big-endian number of 1, 2, 4 or 8 bytes behind the head byte.
static uint64_t take_number(struct rt_msgpack_reader *reader, size_t width)
{
    if (left(reader) < width) {
        malformed(reader, "truncated");
        return 0;
    }
    const uint8_t *at = reader->bytes.data + reader->at;
    reader->at += width;
    switch (width) {
    case 1:
        return at[0];
    case 2:
        return rt_get_u16be(at);
    case 4:
        return rt_get_u32be(at);
    default:
        return rt_get_u64be(at);
    }
}

// Heads that carry a number, by their byte less 0xc4; least is the smallest number whose shortest
// form this is.
struct wide_head {
    uint8_t kind;
    uint8_t width;
    uint32_t least_less_1;
    const char *reason;
};
static const struct wide_head wide_heads[] = {
    [0xc4 - 0xc4] = {RT_MSGPACK_BIN, 1, 0, NULL},
    [0xc5 - 0xc4] = {RT_MSGPACK_BIN, 2, 0xff, "non-minimal bin16"},
    [0xc6 - 0xc4] = {RT_MSGPACK_BIN, 4, 0xffff, "non-minimal bin32"},
    [0xcc - 0xc4] = {RT_MSGPACK_UINT, 1, 0x7f, "non-minimal uint"},
    [0xcd - 0xc4] = {RT_MSGPACK_UINT, 2, 0xff, "non-minimal uint"},
    [0xce - 0xc4] = {RT_MSGPACK_UINT, 4, 0xffff, "non-minimal uint"},
    [0xcf - 0xc4] = {RT_MSGPACK_UINT, 8, 0xffffffff, "non-minimal uint"},
    [0xd9 - 0xc4] = {RT_MSGPACK_STR, 1, 31, "non-minimal str8"},
    [0xda - 0xc4] = {RT_MSGPACK_STR, 2, 0xff, "non-minimal str16"},
    [0xdb - 0xc4] = {RT_MSGPACK_STR, 4, 0xffff, "non-minimal str32"},
    [0xdc - 0xc4] = {RT_MSGPACK_ARRAY, 2, 15, "non-minimal array16"},
    [0xdd - 0xc4] = {RT_MSGPACK_ARRAY, 4, 0xffff, "non-minimal array32"},
    [0xde - 0xc4] = {RT_MSGPACK_MAP, 2, 15, "non-minimal map16"},
    [0xdf - 0xc4] = {RT_MSGPACK_MAP, 4, 0xffff, "non-minimal map32"},
};

static struct head take_wide(struct rt_msgpack_reader *reader, uint8_t byte)
{
    const struct wide_head *wide = &wide_heads[byte - 0xc4];
    uint64_t number = take_number(reader, wide->width);
    if (wide->reason && !reader->failed && number <= wide->least_less_1)
        malformed(reader, wide->reason);
    return (struct head){wide->kind, number};
}

// int8 to int64: only numbers below what the narrower form holds.
static struct head take_int(struct rt_msgpack_reader *reader, uint8_t byte)
{
    static const int64_t above[] = {-32, INT8_MIN, INT16_MIN, INT32_MIN};
    unsigned power = byte - 0xd0u;
    uint64_t raw = take_number(reader, (size_t)1 << power);
    unsigned shift = 64 - (8u << power);
    int64_t value = (int64_t)(raw << shift) >> shift;
    if (!reader->failed && value >= above[power])
        malformed(reader, "non-minimal int");
    return (struct head){RT_MSGPACK_INT, (uint64_t)value};
}

static struct head take_double(struct rt_msgpack_reader *reader)
{
    uint64_t bits = take_number(reader, 8);
    if ((bits >> 52 & 0x7ff) == 0x7ff)
        malformed(reader, "non-finite float");
    else if (bits == UINT64_C(1) << 63)
        malformed(reader, "negative zero");
    return (struct head){RT_MSGPACK_DOUBLE, bits};
}

static struct head take_head(struct rt_msgpack_reader *reader)
{
    static const struct head none = {RT_MSGPACK_NONE, 0};
    if (reader->failed)
        return none;
    if (left(reader) == 0) {
        malformed(reader, "truncated");
        return none;
    }
    uint8_t byte = reader->bytes.data[reader->at++];
    if (byte < 0x80)
        return (struct head){RT_MSGPACK_UINT, byte};
    if (byte >= 0xe0)
        return (struct head){RT_MSGPACK_INT, (uint64_t)(int64_t)(int8_t)byte};
    if (byte < 0x90)
        return (struct head){RT_MSGPACK_MAP, byte & 0x0fu};
    if (byte < 0xa0)
        return (struct head){RT_MSGPACK_ARRAY, byte & 0x0fu};
    if (byte < 0xc0)
        return (struct head){RT_MSGPACK_STR, byte & 0x1fu};
    switch (byte) {
    case 0xc0:
        return (struct head){RT_MSGPACK_NIL, 0};
    case 0xc1:
        malformed(reader, "reserved 0xc1");
        return none;
    case 0xc2:
    case 0xc3:
        return (struct head){RT_MSGPACK_BOOL, byte & 1u};
    case 0xca:
        malformed(reader, "float32");
        return none;
    case 0xcb:
        return take_double(reader);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_int(reader, byte);
    default:
        if ((byte >= 0xc7 && byte <= 0xc9) || (byte >= 0xd4 && byte <= 0xd8)) {
            malformed(reader, "ext");
            return none;
        }
        return take_wide(reader, byte);
    }
}

// The next head, which must be of this kind.
static uint64_t expect(struct rt_msgpack_reader *reader, enum rt_msgpack_kind kind)
{
    struct head head = take_head(reader);
    if (head.kind != kind)
        malformed(reader, "another type than expected");
    return reader->failed ? 0 : head.number;
}

// The bytes behind a STR or BIN head.
static struct rt_bytes take_bytes(struct rt_msgpack_reader *reader, uint64_t size)
{
    if (reader->failed)
        return rt_bytes(NULL, 0);
    if (size > left(reader)) {
        malformed(reader, "truncated");
        return rt_bytes(NULL, 0);
    }
    struct rt_bytes bytes = rt_bytes(reader->bytes.data + reader->at, size);
    reader->at += size;
    return bytes;
}

static struct rt_bytes take_text(struct rt_msgpack_reader *reader, uint64_t size)
{
    struct rt_bytes text = take_bytes(reader, size);
    if (reader->failed || text.size == 0)
        return text;
    if (!rt_utf8_valid(text))
        malformed(reader, "invalid UTF-8");
    else if (memchr(text.data, 0, text.size))
        malformed(reader, "NUL in str");
    return reader->failed ? rt_bytes(NULL, 0) : text;
}

// Every item takes at least one byte, so a larger count is a lie, whatever the items are.
static size_t take_count(struct rt_msgpack_reader *reader, uint64_t count, size_t each)
{
    if (!reader->failed && count > left(reader) / each)
        malformed(reader, "count exceeds remaining bytes");
    return reader->failed ? 0 : count;
}

void rt_msgpack_nil(struct rt_msgpack_reader *reader)
{
    expect(reader, RT_MSGPACK_NIL);
}

bool rt_msgpack_bool(struct rt_msgpack_reader *reader)
{
    return expect(reader, RT_MSGPACK_BOOL) != 0;
}

uint64_t rt_msgpack_u64(struct rt_msgpack_reader *reader)
{
    struct head head = take_head(reader);
    if (head.kind == RT_MSGPACK_INT)
        rt_msgpack_fail(reader, RT_OUT_OF_RANGE, "negative number");
    else if (head.kind != RT_MSGPACK_UINT)
        malformed(reader, "another type than expected");
    return reader->failed ? 0 : head.number;
}

int64_t rt_msgpack_i64(struct rt_msgpack_reader *reader)
{
    struct head head = take_head(reader);
    if (head.kind == RT_MSGPACK_UINT && head.number > INT64_MAX)
        rt_msgpack_fail(reader, RT_OUT_OF_RANGE, "number above 2^63-1");
    else if (head.kind != RT_MSGPACK_UINT && head.kind != RT_MSGPACK_INT)
        malformed(reader, "another type than expected");
    return reader->failed ? 0 : (int64_t)head.number;
}

double rt_msgpack_double(struct rt_msgpack_reader *reader)
{
    uint64_t bits = expect(reader, RT_MSGPACK_DOUBLE);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct rt_bytes rt_msgpack_bin(struct rt_msgpack_reader *reader)
{
    return take_bytes(reader, expect(reader, RT_MSGPACK_BIN));
}

struct rt_bytes rt_msgpack_str(struct rt_msgpack_reader *reader)
{
    return take_text(reader, expect(reader, RT_MSGPACK_STR));
}

size_t rt_msgpack_array(struct rt_msgpack_reader *reader)
{
    return take_count(reader, expect(reader, RT_MSGPACK_ARRAY), 1);
}

size_t rt_msgpack_map(struct rt_msgpack_reader *reader)
{
    return take_count(reader, expect(reader, RT_MSGPACK_MAP), 2);
}

struct rt_bytes rt_msgpack_key(struct rt_msgpack_reader *reader, struct rt_bytes *previous)
{
    struct head head = take_head(reader);
    if (head.kind != RT_MSGPACK_STR)
        malformed(reader, "non-string key");
    struct rt_bytes key = take_text(reader, head.number);
    if (reader->failed)
        return rt_bytes(NULL, 0);
    if (previous->data) {
        int order = rt_bytes_compare(*previous, key);
        if (order == 0)
            malformed(reader, "duplicate key");
        else if (order > 0)
            malformed(reader, "keys out of order");
    }
    *previous = key;
    return key;
}

// A container that is being skipped.
struct level {
    size_t left; // items, or pairs whose key is still to come
    bool map;
    struct rt_bytes key;
};

// Reads one value, or the head of a container, whose level goes on the stack.
static void skip_one(struct rt_msgpack_reader *reader, struct level *levels, size_t *depth)
{
    struct head head = take_head(reader);
    switch (reader->failed ? RT_MSGPACK_NONE : head.kind) {
    case RT_MSGPACK_BIN:
        take_bytes(reader, head.number);
        break;
    case RT_MSGPACK_STR:
        take_text(reader, head.number);
        break;
    case RT_MSGPACK_ARRAY:
    case RT_MSGPACK_MAP: {
        bool map = head.kind == RT_MSGPACK_MAP;
        size_t count = take_count(reader, head.number, map ? 2 : 1);
        if (*depth == RT_MSGPACK_DEPTH_MOST)
            malformed(reader, "depth");
        else
            levels[(*depth)++] = (struct level){count, map, {NULL, 0}};
        break;
    }
    default:
        break;
    }
}

struct rt_bytes rt_msgpack_skip(struct rt_msgpack_reader *reader)
{
    struct level levels[RT_MSGPACK_DEPTH_MOST];
    size_t depth = 0;
    size_t start = reader->at;
    skip_one(reader, levels, &depth);
    while (!reader->failed && depth) {
        struct level *level = &levels[depth - 1];
        if (level->left == 0) {
            depth--;
            continue;
        }
        level->left--;
        if (level->map)
            rt_msgpack_key(reader, &level->key);
        skip_one(reader, levels, &depth);
    }
    if (reader->failed)
        return rt_bytes(NULL, 0);
    return rt_bytes(reader->bytes.data + start, reader->at - start);
}

enum rt_status rt_msgpack_end(struct rt_msgpack_reader *reader)
{
    if (left(reader))
        malformed(reader, "trailing bytes");
    return reader->failed;
}

enum rt_status rt_msgpack_check(struct rt_bytes bytes, const char **ret_reason)
{
    struct rt_msgpack_reader reader;
    rt_msgpack_reader_init(&reader, bytes);
    rt_msgpack_skip(&reader);
    enum rt_status status = rt_msgpack_end(&reader);
    if (status && ret_reason)
        *ret_reason = reader.reason;
    return status;
}

// ---- writing

static int append(void *out, const char *data, size_t size)
{
    rt_buf_add(out, data, size);
    return 0; // the buffer keeps its own failure
}

static msgpack_packer packer_of(struct rt_buf *out)
{
    return (msgpack_packer){.data = out, .callback = append};
}

static void refuse(struct rt_buf *out)
{
    if (out->failed == RT_OK)
        out->failed = RT_MALFORMED;
}

void rt_msgpack_put_nil(struct rt_buf *out)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_nil(&packer);
}

void rt_msgpack_put_bool(struct rt_buf *out, bool value)
{
    msgpack_packer packer = packer_of(out);
    value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer);
}

void rt_msgpack_put_u64(struct rt_buf *out, uint64_t value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_uint64(&packer, value);
}

void rt_msgpack_put_i64(struct rt_buf *out, int64_t value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_int64(&packer, value);
}

void rt_msgpack_put_double(struct rt_buf *out, double value)
{
    if (!isfinite(value)) {
        refuse(out);
        return;
    }
    msgpack_packer packer = packer_of(out);
    msgpack_pack_double(&packer, value == 0 ? 0.0 : value);
}

void rt_msgpack_put_bin(struct rt_buf *out, struct rt_bytes value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_bin(&packer, value.size);
    rt_buf_add_bytes(out, value);
}

void rt_msgpack_put_str(struct rt_buf *out, struct rt_bytes text)
{
    if (text.size && (!rt_utf8_valid(text) || memchr(text.data, 0, text.size))) {
        refuse(out);
        return;
    }
    msgpack_packer packer = packer_of(out);
    msgpack_pack_str(&packer, text.size);
    rt_buf_add_bytes(out, text);
}

void rt_msgpack_put_array(struct rt_buf *out, size_t count)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_array(&packer, count);
}

void rt_msgpack_put_map(struct rt_buf *out, size_t count)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_map(&packer, count);
}
