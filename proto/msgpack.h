// SPDX-License-Identifier: Apache-2.0
// Strict MessagePack (EVIDENCE, Signing bytes): one value has one encoding. The reader walks the
// bytes itself and accepts shortest forms only: no ext, NaN, infinity, -0 or float32, valid UTF-8
// without NUL, string keys in strictly ascending byte order, every count bounded by the bytes that
// are really there, depth at most 16. The writer packs through msgpack-c into a caller's buffer.
// Neither allocates (a buffer may grow), logs or blocks. Pure; any thread on distinct values.
#ifndef RT_PROTO_MSGPACK_H
#define RT_PROTO_MSGPACK_H

#include <stdbool.h>

#include "common/base/bytes.h"

#define RT_MSGPACK_DEPTH_MOST 16 // containers within containers

enum rt_msgpack_kind {
    RT_MSGPACK_NONE, // at the end, after a failure, or a byte that starts no value we accept
    RT_MSGPACK_NIL,
    RT_MSGPACK_BOOL,
    RT_MSGPACK_UINT, // 0 and above
    RT_MSGPACK_INT,  // below 0
    RT_MSGPACK_DOUBLE,
    RT_MSGPACK_BIN,
    RT_MSGPACK_STR,
    RT_MSGPACK_ARRAY,
    RT_MSGPACK_MAP,
};

// A cursor over somebody else's bytes. The first failure sticks: from then on every read gives zero
// and reads nothing, so a sequence of reads is checked once at its end (rt_msgpack_end). reason
// names the clause that was broken ("truncated", "non-minimal uint", "invalid UTF-8", …).
struct rt_msgpack_reader {
    struct rt_bytes bytes;
    size_t at;
    enum rt_status failed;
    const char *reason; // a literal; NULL while nothing failed
};

void rt_msgpack_reader_init(struct rt_msgpack_reader *reader, struct rt_bytes bytes);

// What comes next, without reading it.
enum rt_msgpack_kind rt_msgpack_peek(const struct rt_msgpack_reader *reader);

void rt_msgpack_nil(struct rt_msgpack_reader *reader);
bool rt_msgpack_bool(struct rt_msgpack_reader *reader);
// RT_OUT_OF_RANGE (sticky) for a negative number, or one above INT64_MAX for i64.
uint64_t rt_msgpack_u64(struct rt_msgpack_reader *reader);
int64_t rt_msgpack_i64(struct rt_msgpack_reader *reader);
double rt_msgpack_double(struct rt_msgpack_reader *reader);
// Views into the reader's bytes.
struct rt_bytes rt_msgpack_bin(struct rt_msgpack_reader *reader);
struct rt_bytes rt_msgpack_str(struct rt_msgpack_reader *reader);
// The number of items (of pairs for a map) that follow; never more than the bytes left can hold.
size_t rt_msgpack_array(struct rt_msgpack_reader *reader);
size_t rt_msgpack_map(struct rt_msgpack_reader *reader);
// A map's next key, which must be above *previous in byte order ({NULL, 0} before the first); it
// becomes *previous.
struct rt_bytes rt_msgpack_key(struct rt_msgpack_reader *reader, struct rt_bytes *previous);
// One whole value, checked by every rule; gives its bytes.
struct rt_bytes rt_msgpack_skip(struct rt_msgpack_reader *reader);
// Make the reader fail by a rule of the caller's own, unless it has failed before. reason is a
// literal.
void rt_msgpack_fail(struct rt_msgpack_reader *reader, enum rt_status status, const char *reason);

// RT_OK when nothing failed and every byte was read; RT_MALFORMED ("trailing bytes") otherwise.
enum rt_status rt_msgpack_end(struct rt_msgpack_reader *reader) RT_WARN_UNUSED;

// That bytes are exactly one value by every rule. ret_reason (may be NULL) gets the broken clause.
enum rt_status rt_msgpack_check(struct rt_bytes bytes, const char **ret_reason) RT_WARN_UNUSED;

// The writer appends one value, or the head of a container whose items the caller appends next.
// Text that is not UTF-8 or holds a NUL, and a double that is not finite, set out->failed to
// RT_MALFORMED; -0 is written as 0. A map's keys must be appended in ascending byte order.
void rt_msgpack_put_nil(struct rt_buf *out);
void rt_msgpack_put_bool(struct rt_buf *out, bool value);
void rt_msgpack_put_u64(struct rt_buf *out, uint64_t value);
void rt_msgpack_put_i64(struct rt_buf *out, int64_t value);
void rt_msgpack_put_double(struct rt_buf *out, double value);
void rt_msgpack_put_bin(struct rt_buf *out, struct rt_bytes value);
void rt_msgpack_put_str(struct rt_buf *out, struct rt_bytes text);
void rt_msgpack_put_array(struct rt_buf *out, size_t count);
void rt_msgpack_put_map(struct rt_buf *out, size_t count);

#endif
