// SPDX-License-Identifier: Apache-2.0
// Makes the descriptor of a record that RT_RECORD declared; for the .c files that own records, and
// for nobody else. Declares only macros.
#ifndef RT_PROTO_SCHEMA_DEFINE_H
#define RT_PROTO_SCHEMA_DEFINE_H

#include <stddef.h>

#include "proto/schema.h"

// rt_this has the very members of struct TAG, so offsets taken in it are TAG's, and field lists
// need not say in each line which struct they belong to.
#define RT_RECORD_DEFINE(TAG, WORD, LEAD, FIELDS, CHECK, REPAIR, DOC)                              \
    const struct rt_schema *TAG##_schema(void)                                                     \
    {                                                                                              \
        struct rt_this {                                                                           \
            FIELDS(RT_RECORD_MEMBER)                                                               \
        };                                                                                         \
        _Static_assert(sizeof(struct rt_this) == sizeof(struct TAG), "the same members");          \
        static const struct rt_field fields[] = {FIELDS(RT_FIELD_DESCRIBE)};                       \
        static const struct rt_schema schema = {.name = WORD,                                      \
                                                .lead = LEAD,                                      \
                                                .struct_size = sizeof(struct TAG),                 \
                                                .fields = fields,                                  \
                                                .field_count = sizeof fields / sizeof *fields,     \
                                                .check = CHECK,                                    \
                                                .repair = REPAIR,                                  \
                                                .doc = DOC};                                       \
        return &schema;                                                                            \
    }

#define RT_FIELD_DESCRIBE(kind, name, type, least, most, doc)                                      \
    RT_DESCRIBE_##kind(name, type, least, most, doc)

#define RT_DESCRIBE_AS(KIND, member, least_, most_, doc_, ...)                                     \
    {.name = #member,                                                                              \
     .kind = RT_FIELD_##KIND,                                                                      \
     .offset = offsetof(struct rt_this, member),                                                   \
     .size = sizeof(((struct rt_this *)0)->member),                                                \
     .least = least_,                                                                              \
     .most = most_,                                                                                \
     .doc = doc_,                                                                                  \
     __VA_ARGS__},
#define RT_DESCRIBE_U64(name, type, least, most, doc) RT_DESCRIBE_AS(U64, name, least, most, doc)
#define RT_DESCRIBE_I64(name, type, least, most, doc) RT_DESCRIBE_AS(I64, name, least, most, doc)
#define RT_DESCRIBE_TIME(name, type, least, most, doc)                                             \
    RT_DESCRIBE_AS(TIME, name, 0, RT_TIME_MOST_MS, doc)
#define RT_DESCRIBE_BOOL(name, type, least, most, doc) RT_DESCRIBE_AS(BOOL, name, 0, 1, doc)
#define RT_DESCRIBE_ENUM(name, type, least, most, doc)                                             \
    RT_DESCRIBE_AS(ENUM, name, 0, sizeof type##_words / sizeof *type##_words - 2, doc,             \
                   .words = type##_words)
#define RT_DESCRIBE_FIXED(name, type, least, most, doc) RT_DESCRIBE_AS(FIXED, name, 0, 0, doc)
#define RT_DESCRIBE_BYTES(name, type, least, most, doc)                                            \
    RT_DESCRIBE_AS(BYTES, name, least, most, doc)
#define RT_DESCRIBE_MAYBE(name, type, least, most, doc)                                            \
    RT_DESCRIBE_AS(MAYBE, name, least, most, doc)
#define RT_DESCRIBE_STR(name, type, least, most, doc)  RT_DESCRIBE_AS(STR, name, least, most, doc)
#define RT_DESCRIBE_BODY(name, type, least, most, doc) RT_DESCRIBE_AS(BODY, name, least, most, doc)
#define RT_DESCRIBE_COUNTED(KIND, name, least, most, doc, ...)                                     \
    RT_DESCRIBE_AS(KIND, name, least, most, doc,                                                   \
                   .count_offset = offsetof(struct rt_this, name##_count), __VA_ARGS__)
#define RT_DESCRIBE_LIST(name, type, least, most, doc)                                             \
    RT_DESCRIBE_COUNTED(LIST, name, least, most, doc, .item = type##_schema)
#define RT_DESCRIBE_SORTED(name, type, least, most, doc)                                           \
    RT_DESCRIBE_COUNTED(SORTED, name, least, most, doc, .item = type##_schema)
#define RT_DESCRIBE_DIGESTS(name, type, least, most, doc)                                          \
    RT_DESCRIBE_COUNTED(DIGESTS, name, least, most, doc)
#define RT_DESCRIBE_BLOBS(name, type, least, most, doc)                                            \
    RT_DESCRIBE_COUNTED(BLOBS, name, least, most, doc)

#endif
