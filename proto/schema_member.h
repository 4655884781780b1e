// SPDX-License-Identifier: Apache-2.0
// Reads a record's members by descriptor, for the files that walk schemas. Pure.
#ifndef RT_PROTO_SCHEMA_MEMBER_H
#define RT_PROTO_SCHEMA_MEMBER_H

#include "proto/schema.h"

static inline const void *rt_member(const struct rt_field *field, const void *record)
{
    return (const uint8_t *)record + field->offset;
}

// U64, I64 and TIME (as two's complement), BOOL, ENUM.
static inline uint64_t rt_member_number(const struct rt_field *field, const void *record)
{
    if (field->kind == RT_FIELD_BOOL) {
        bool value;
        memcpy(&value, rt_member(field, record), sizeof value);
        return value;
    }
    if (field->kind == RT_FIELD_ENUM) {
        unsigned value;
        memcpy(&value, rt_member(field, record), sizeof value);
        return value;
    }
    uint64_t value;
    memcpy(&value, rt_member(field, record), sizeof value);
    return value;
}

// BYTES, MAYBE, STR, BODY.
static inline struct rt_bytes rt_member_bytes(const struct rt_field *field, const void *record)
{
    struct rt_bytes bytes;
    memcpy(&bytes, rt_member(field, record), sizeof bytes);
    return bytes;
}

// Lists of any kind: the first item, and how many.
static inline const uint8_t *rt_member_items(const struct rt_field *field, const void *record)
{
    const uint8_t *items;
    memcpy(&items, rt_member(field, record), sizeof items);
    return items;
}

static inline size_t rt_member_count(const struct rt_field *field, const void *record)
{
    size_t count;
    memcpy(&count, (const uint8_t *)record + field->count_offset, sizeof count);
    return count;
}

// Bytes of one item of a list in memory.
static inline size_t rt_member_item_size(const struct rt_field *field)
{
    if (field->kind == RT_FIELD_DIGESTS)
        return RT_DIGEST_BYTES;
    if (field->kind == RT_FIELD_BLOBS)
        return sizeof(struct rt_bytes);
    return field->item()->struct_size;
}

#endif
