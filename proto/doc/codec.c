// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/curve.h"
#include "common/crypto/key.h"
#include "proto/doc/table.h"

#define LIST_MOST ((size_t)1 << 16) // items of a list whose field names no bound of its own

static bool in_object(const struct rt_doc_field *field)
{
    return !(field->flags & RT_DOC_NOT_OBJECT);
}

static size_t object_fields(const struct rt_doc_table *table)
{
    size_t count = 0;
    for (size_t i = 0; i < table->field_count; i++)
        count += in_object(&table->fields[i]);
    return count;
}

static bool present(const struct rt_doc_field *field, const void *record)
{
    return !field->has_offset || *(const bool *)rt_doc_at(record, field->has_offset);
}

static size_t fixed_size(enum rt_doc_kind kind)
{
    return kind == RT_DOC_DIGEST ? RT_DIGEST_BYTES
           : kind == RT_DOC_KEY  ? RT_PUBLIC_KEY_BYTES
                                 : RT_CURVE_KEY_BYTES;
}

static void put_text(struct rt_buf *out, const char *text)
{
    rt_msgpack_put_str(out, rt_bytes_str(text));
}

// ---- encoding

static void put_record(const struct rt_doc_table *table, const void *record, struct rt_buf *out);

static void put_items(const struct rt_doc_field *field, const void *record, struct rt_buf *out)
{
    size_t count = rt_doc_count(record, field);
    const uint8_t *items = rt_doc_pointer(record, field->offset);
    rt_msgpack_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        if (field->kind == RT_DOC_TEXTS) {
            put_text(out, ((const char *const *)(const void *)items)[i]);
        } else if (field->kind == RT_DOC_MICROS) {
            rt_msgpack_put_i64(out, ((const int64_t *)(const void *)items)[i]);
        } else if (field->kind == RT_DOC_PAIRS) {
            const struct rt_pair *pair = &((const struct rt_pair *)(const void *)items)[i];
            rt_msgpack_put_array(out, 2);
            put_text(out, pair->name);
            put_text(out, pair->value);
        } else {
            put_record(field->item, items + i * field->item->size, out);
        }
    }
}

static void put_value(const struct rt_doc_field *field, const void *record, struct rt_buf *out)
{
    const void *place = rt_doc_at(record, field->offset);
    if (!(field->flags & RT_DOC_ALL) && !present(field, record)) {
        rt_msgpack_put_nil(out);
        return;
    }
    switch (field->kind) {
    case RT_DOC_TEXT:
        put_text(out, rt_doc_pointer(record, field->offset));
        break;
    case RT_DOC_BOOL:
        rt_msgpack_put_bool(out, *(const bool *)place);
        break;
    case RT_DOC_U32:
        rt_msgpack_put_u64(out, *(const uint32_t *)place);
        break;
    case RT_DOC_ENUM:
        rt_msgpack_put_u64(out, *(const unsigned *)place);
        break;
    case RT_DOC_U64:
    case RT_DOC_SIZE:
        rt_msgpack_put_u64(out, *(const uint64_t *)place);
        break;
    case RT_DOC_MICRO:
    case RT_DOC_DURATION:
    case RT_DOC_DATE:
        rt_msgpack_put_i64(out, *(const int64_t *)place);
        break;
    case RT_DOC_DIGEST:
    case RT_DOC_KEY:
    case RT_DOC_CURVE:
        rt_msgpack_put_bin(out, rt_bytes(place, fixed_size(field->kind)));
        break;
    case RT_DOC_STRUCT:
        put_record(field->item, place, out);
        break;
    case RT_DOC_MAYBE:
        if (rt_doc_pointer(record, field->offset))
            put_record(field->item, rt_doc_pointer(record, field->offset), out);
        else
            rt_msgpack_put_nil(out);
        break;
    default:
        put_items(field, record, out);
    }
}

static void put_record(const struct rt_doc_table *table, const void *record, struct rt_buf *out)
{
    rt_msgpack_put_array(out, object_fields(table) + (table->version ? 1 : 0));
    if (table->version)
        rt_msgpack_put_u64(out, table->version);
    for (size_t i = 0; i < table->field_count; i++)
        if (in_object(&table->fields[i]))
            put_value(&table->fields[i], record, out);
}

enum rt_status rt_doc_encode(const struct rt_doc_table *table, const void *record,
                             struct rt_buf *out)
{
    put_record(table, record, out);
    return rt_buf_ok(out);
}

// ---- decoding

struct decode {
    struct rt_msgpack_reader reader;
    struct rt_arena *arena;
};

static void fail(struct decode *decode, enum rt_status status, const char *reason)
{
    rt_msgpack_fail(&decode->reader, status, reason);
}

static const char *get_text(struct decode *decode)
{
    struct rt_bytes view = rt_msgpack_str(&decode->reader);
    const char *text = rt_arena_strndup(decode->arena, (const char *)view.data, view.size);
    if (!text)
        fail(decode, RT_NO_MEMORY, "text");
    return text ? text : "";
}

static void get_record(struct decode *decode, const struct rt_doc_table *table, void *record);

static void get_item(struct decode *decode, const struct rt_doc_field *field, uint8_t *items,
                     size_t i)
{
    if (field->kind == RT_DOC_TEXTS) {
        const char *text = get_text(decode);
        if (!rt_doc_text_valid(field, text))
            fail(decode, RT_MALFORMED, field->key);
        ((const char **)(void *)items)[i] = text;
    } else if (field->kind == RT_DOC_MICROS) {
        int64_t value = rt_msgpack_i64(&decode->reader);
        if ((field->item_least || field->item_most) &&
            (value < field->item_least || value > field->item_most))
            fail(decode, RT_OUT_OF_RANGE, field->key);
        ((int64_t *)(void *)items)[i] = value;
    } else if (field->kind == RT_DOC_PAIRS) {
        struct rt_pair *pair = &((struct rt_pair *)(void *)items)[i];
        if (rt_msgpack_array(&decode->reader) != 2)
            fail(decode, RT_MALFORMED, "a pair has two items");
        *pair = (struct rt_pair){get_text(decode), ""};
        pair->value = get_text(decode);
        if (!rt_doc_name_valid(pair->name) ||
            rt_pair_index((const struct rt_pair *)(void *)items, i, pair->name) >= 0)
            fail(decode, RT_MALFORMED, field->key);
    } else {
        get_record(decode, field->item, items + i * field->item->size);
    }
}

static void get_items(struct decode *decode, const struct rt_doc_field *field, void *record)
{
    size_t each = field->kind == RT_DOC_TEXTS    ? sizeof(const char *)
                  : field->kind == RT_DOC_MICROS ? sizeof(int64_t)
                  : field->kind == RT_DOC_PAIRS  ? sizeof(struct rt_pair)
                                                 : field->item->size;
    size_t count = rt_msgpack_array(&decode->reader), most = field->most ? field->most : LIST_MOST;
    bool all = field->flags & RT_DOC_ALL && present(field, record);
    if (count > most || (count < (size_t)field->least && !all)) {
        fail(decode, RT_OUT_OF_RANGE, field->key);
        return;
    }
    uint8_t *items = rt_arena_array(decode->arena, count, each);
    if (!items) {
        fail(decode, RT_NO_MEMORY, field->key);
        return;
    }
    for (size_t i = 0; i < count && !decode->reader.failed; i++)
        get_item(decode, field, items, i);
    if (!decode->reader.failed)
        rt_doc_set_list(record, field, items, count);
}

static void get_number(struct decode *decode, const struct rt_doc_field *field, void *place)
{
    uint64_t most = field->most;
    if (field->kind == RT_DOC_ENUM) {
        for (most = 0; field->words[most + 1]; most++)
            ;
    } else if (!most) {
        most = field->kind == RT_DOC_U32 ? UINT32_MAX : INT64_MAX;
    }
    uint64_t value = rt_msgpack_u64(&decode->reader);
    uint64_t least = field->kind == RT_DOC_ENUM ? 0 : (uint64_t)field->least;
    if (value < least || value > most)
        fail(decode, RT_OUT_OF_RANGE, field->key);
    else if (field->kind == RT_DOC_U64)
        *(uint64_t *)place = value;
    else
        *(unsigned *)place = (unsigned)value;
}

static void get_signed(struct decode *decode, const struct rt_doc_field *field, int64_t *place)
{
    int64_t value = rt_msgpack_i64(&decode->reader);
    bool bounded = field->kind == RT_DOC_MICRO && (field->item_least || field->item_most);
    if ((bounded && (value < field->item_least || value > field->item_most)) ||
        (field->kind != RT_DOC_MICRO && value < 0))
        fail(decode, RT_OUT_OF_RANGE, field->key);
    *place = value;
}

static void get_fixed(struct decode *decode, const struct rt_doc_field *field, void *place)
{
    struct rt_bytes bytes = rt_msgpack_bin(&decode->reader);
    if (bytes.size != fixed_size(field->kind)) {
        fail(decode, RT_MALFORMED, field->key);
        return;
    }
    memcpy(place, bytes.data, bytes.size);
    if (field->kind == RT_DOC_KEY && rt_public_key_check(place))
        fail(decode, RT_MALFORMED, field->key);
    if (field->kind == RT_DOC_CURVE) { // parsing refuses points of small order
        char text[RT_CURVE_TEXT_BYTES];
        rt_curve_public_format(place, text);
        if (rt_curve_public_parse(rt_bytes_str(text), place))
            fail(decode, RT_MALFORMED, field->key);
    }
}

static void get_maybe(struct decode *decode, const struct rt_doc_field *field, void *record)
{
    void *part = rt_arena_alloc(decode->arena, field->item->size);
    if (!part) {
        fail(decode, RT_NO_MEMORY, field->key);
        return;
    }
    memcpy(rt_doc_at(record, field->offset), &part, sizeof part);
    get_record(decode, field->item, part);
}

static void get_value(struct decode *decode, const struct rt_doc_field *field, void *record)
{
    void *place = rt_doc_at(record, field->offset);
    bool optional =
        (field->has_offset && !(field->flags & RT_DOC_ALL)) || field->kind == RT_DOC_MAYBE;
    if (optional && rt_msgpack_peek(&decode->reader) == RT_MSGPACK_NIL) {
        rt_msgpack_nil(&decode->reader);
        return;
    }
    if (field->has_offset && !(field->flags & RT_DOC_ALL))
        *(bool *)rt_doc_at(record, field->has_offset) = true;
    switch (field->kind) {
    case RT_DOC_TEXT: {
        const char *text = get_text(decode);
        if (!rt_doc_text_valid(field, text))
            fail(decode, RT_MALFORMED, field->key);
        memcpy(place, &text, sizeof text);
        break;
    }
    case RT_DOC_BOOL:
        *(bool *)place = rt_msgpack_bool(&decode->reader);
        break;
    case RT_DOC_U32:
    case RT_DOC_U64:
    case RT_DOC_SIZE:
    case RT_DOC_ENUM:
        get_number(decode, field, place);
        break;
    case RT_DOC_MICRO:
    case RT_DOC_DURATION:
    case RT_DOC_DATE:
        get_signed(decode, field, place);
        break;
    case RT_DOC_DIGEST:
    case RT_DOC_KEY:
    case RT_DOC_CURVE:
        get_fixed(decode, field, place);
        break;
    case RT_DOC_STRUCT:
        get_record(decode, field->item, place);
        break;
    case RT_DOC_MAYBE:
        get_maybe(decode, field, record);
        break;
    default:
        get_items(decode, field, record);
    }
}

static void get_record(struct decode *decode, const struct rt_doc_table *table, void *record)
{
    rt_doc_init(table, record);
    size_t want = object_fields(table) + (table->version ? 1 : 0);
    if (rt_msgpack_array(&decode->reader) != want) {
        fail(decode, RT_MALFORMED, "wrong number of fields");
        return;
    }
    if (table->version && rt_msgpack_u64(&decode->reader) != table->version)
        fail(decode, RT_UNSUPPORTED, "version");
    for (size_t i = 0; i < table->field_count && !decode->reader.failed; i++)
        if (in_object(&table->fields[i]))
            get_value(decode, &table->fields[i], record);
}

enum rt_status rt_doc_decode(const struct rt_doc_table *table, struct rt_bytes object,
                             struct rt_arena *arena, void *record)
{
    struct decode decode = {.arena = arena};
    rt_msgpack_reader_init(&decode.reader, object);
    memset(record, 0, table->size);
    get_record(&decode, table, record);
    return rt_msgpack_end(&decode.reader);
}

enum rt_status rt_doc_same(const struct rt_doc_table *table, const void *record,
                           struct rt_bytes object)
{
    struct rt_buf again;
    rt_buf_init(&again, object.size + 1);
    enum rt_status status = rt_doc_encode(table, record, &again);
    if (!status && !rt_bytes_equal(rt_buf_bytes(&again), object))
        status = RT_MALFORMED;
    rt_buf_release(&again);
    return status == RT_TOO_LARGE ? RT_MALFORMED : status;
}
