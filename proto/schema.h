// SPDX-License-Identifier: Apache-2.0
// Records declared once: an X-macro list of fields gives the struct, its descriptor, and through
// the descriptor the encoder, decoder, redacting printer, random generator, protocol reference and
// fuzz dictionary. A record is a MessagePack array of its fields in order, led by a type code or a
// version where it has one; exact arity, every limit checked both ways. Decoding copies nothing but
// fixed bytes: texts and byte strings are views into the caller's bytes, lists go to the caller's
// arena. No clock, no I/O, no logging; any thread on distinct values.
#ifndef RT_PROTO_SCHEMA_H
#define RT_PROTO_SCHEMA_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/crypto/hash.h"

// A field is F(kind, name, type, least, most, doc); kind says the member and the wire form:
//   U64, I64   uint64_t, int64_t        an integer, least to most
//   TIME       int64_t                  milliseconds since 1970 in UTC, 0 to the year 9999
//   BOOL       bool
//   ENUM       enum type                its number; the words are type_words[]
//   FIXED      struct type              exactly sizeof(struct type) bytes (16, 32, 64), copied
//   BYTES      struct rt_bytes          least to most bytes
//   MAYBE      struct rt_bytes          nothing, or exactly most bytes
//   STR        struct rt_bytes          UTF-8 of least to most bytes, without control characters
//   BODY       struct rt_bytes          UTF-8 of least to most bytes; only its size is ever printed
//   LIST       const struct type *, size_t name_count       least to most records
//   SORTED     the same, strictly ascending by the records' first field, a STR
//   DIGESTS    const struct rt_digest *, size_t name_count
//   BLOBS      const struct rt_bytes *, size_t name_count   least to most items, not empty
// type is _ where the kind does not use it; least and most are 0 where it does not use them.
enum rt_field_kind {
    RT_FIELD_U64,
    RT_FIELD_I64,
    RT_FIELD_TIME,
    RT_FIELD_BOOL,
    RT_FIELD_ENUM,
    RT_FIELD_FIXED,
    RT_FIELD_BYTES,
    RT_FIELD_MAYBE,
    RT_FIELD_STR,
    RT_FIELD_BODY,
    RT_FIELD_LIST,
    RT_FIELD_SORTED,
    RT_FIELD_DIGESTS,
    RT_FIELD_BLOBS,
    RT_FIELD_KIND_COUNT
};

#define RT_TIME_MOST_MS 253402300799999 // 9999-12-31T23:59:59.999Z

struct rt_schema;

struct rt_field {
    const char *name;
    enum rt_field_kind kind;
    uint32_t offset;
    uint32_t count_offset; // of name_count, for lists
    uint32_t size;         // bytes of a FIXED
    int64_t least;
    uint64_t most;
    const struct rt_schema *(*item)(void); // LIST and SORTED
    const char *const *words;              // ENUM: NULL-terminated
    const char *doc;
};

#define RT_SCHEMA_NO_LEAD (-1)

struct rt_schema {
    const char *name;
    int lead; // the type code or version that comes first, or RT_SCHEMA_NO_LEAD
    size_t struct_size;
    const struct rt_field *fields;
    size_t field_count;
    // Rules across fields, applied by encoder and decoder alike; NULL for none. RT_OK or the
    // breach.
    enum rt_status (*check)(const void *record);
    // Makes a random record keep them; its lists are writable then. NULL for none.
    void (*repair)(void *record);
    const char *doc;
};

// struct TAG of a field list, and TAG_schema(), its descriptor (schema_define.h makes it).
#define RT_RECORD(TAG, FIELDS)                                                                     \
    struct TAG {                                                                                   \
        FIELDS(RT_RECORD_MEMBER)                                                                   \
    };                                                                                             \
    const struct rt_schema *TAG##_schema(void)

#define RT_RECORD_MEMBER(kind, name, type, least, most, doc) RT_MEMBER_##kind(name, type)
#define RT_MEMBER_U64(name, type)                            uint64_t name;
#define RT_MEMBER_I64(name, type)                            int64_t name;
#define RT_MEMBER_TIME(name, type)                           int64_t name;
#define RT_MEMBER_BOOL(name, type)                           bool name;
#define RT_MEMBER_ENUM(name, type)                           enum type name;
#define RT_MEMBER_FIXED(name, type)                          struct type name;
#define RT_MEMBER_BYTES(name, type)                          struct rt_bytes name;
#define RT_MEMBER_MAYBE(name, type)                          struct rt_bytes name;
#define RT_MEMBER_STR(name, type)                            struct rt_bytes name;
#define RT_MEMBER_BODY(name, type)                           struct rt_bytes name;
#define RT_MEMBER_LIST(name, type)                                                                 \
    const struct type *name;                                                                       \
    size_t name##_count;
#define RT_MEMBER_SORTED(name, type) RT_MEMBER_LIST(name, type)
#define RT_MEMBER_DIGESTS(name, type)                                                              \
    const struct rt_digest *name;                                                                  \
    size_t name##_count;
#define RT_MEMBER_BLOBS(name, type)                                                                \
    const struct rt_bytes *name;                                                                   \
    size_t name##_count;

// Append the record. On failure out is as it was. RT_OUT_OF_RANGE or RT_MALFORMED for a field that
// breaks its limits, RT_TOO_LARGE above most_bytes, RT_NO_MEMORY. ret_field (may be NULL) names the
// field at fault.
enum rt_status rt_schema_encode(const struct rt_schema *schema, const void *record,
                                size_t most_bytes, struct rt_buf *out,
                                const char **ret_field) RT_WARN_UNUSED;

// Read exactly one record. RT_MALFORMED, RT_OUT_OF_RANGE, RT_TOO_LARGE, RT_UNSUPPORTED (another
// type code or version), RT_NO_MEMORY (the arena's limit). ret_record may be half written on
// failure. ret_field (may be NULL) names the field at fault, "" for the record as a whole.
enum rt_status rt_schema_decode(const struct rt_schema *schema, struct rt_bytes bytes,
                                struct rt_arena *arena, void *ret_record,
                                const char **ret_field) RT_WARN_UNUSED;

// For logs: "want{campaign=1f0c6a2b… units=16 trials=0}". Texts are escaped and cut, byte strings
// and bodies become sizes, lists are cut after four items.
void rt_schema_print(const struct rt_schema *schema, const void *record, struct rt_buf *out);

#endif
