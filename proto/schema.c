// SPDX-License-Identifier: Apache-2.0
#include "proto/schema.h"

#include "proto/msgpack.h"
#include "proto/schema_member.h"

// ---- limits, the same both ways

static bool has_control(struct rt_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

static enum rt_status check_sorted(const struct rt_schema *item, const uint8_t *items, size_t count)
{
    const struct rt_field *key = &item->fields[0];
    for (size_t i = 1; i < count; i++) {
        const uint8_t *here = items + i * item->struct_size;
        if (rt_bytes_compare(rt_member_bytes(key, here - item->struct_size),
                             rt_member_bytes(key, here)) >= 0)
            return RT_MALFORMED;
    }
    return RT_OK;
}

static enum rt_status check_list(const struct rt_field *field, const void *record)
{
    size_t count = rt_member_count(field, record);
    if (count < (uint64_t)field->least || count > field->most)
        return RT_OUT_OF_RANGE;
    if (field->kind == RT_FIELD_SORTED)
        return check_sorted(field->item(), rt_member_items(field, record), count);
    return RT_OK;
}

static enum rt_status check_field(const struct rt_field *field, const void *record)
{
    switch (field->kind) {
    case RT_FIELD_U64:
    case RT_FIELD_BOOL:
    case RT_FIELD_ENUM: {
        uint64_t value = rt_member_number(field, record);
        return value < (uint64_t)field->least || value > field->most ? RT_OUT_OF_RANGE : RT_OK;
    }
    case RT_FIELD_I64:
    case RT_FIELD_TIME: {
        int64_t value = (int64_t)rt_member_number(field, record);
        return value < field->least || value > (int64_t)field->most ? RT_OUT_OF_RANGE : RT_OK;
    }
    case RT_FIELD_BYTES:
    case RT_FIELD_BODY:
    case RT_FIELD_STR: {
        struct rt_bytes bytes = rt_member_bytes(field, record);
        if (bytes.size < (uint64_t)field->least || bytes.size > field->most)
            return RT_OUT_OF_RANGE;
        return field->kind == RT_FIELD_STR && has_control(bytes) ? RT_MALFORMED : RT_OK;
    }
    case RT_FIELD_MAYBE: {
        size_t size = rt_member_bytes(field, record).size;
        return size && size != field->most ? RT_OUT_OF_RANGE : RT_OK;
    }
    case RT_FIELD_LIST:
    case RT_FIELD_SORTED:
    case RT_FIELD_DIGESTS:
    case RT_FIELD_BLOBS:
        return check_list(field, record);
    default:
        return RT_OK;
    }
}

// ---- encoding

// field is the one at fault, for the caller's message.
struct coder {
    struct rt_buf *out;
    struct rt_msgpack_reader reader;
    struct rt_arena *arena;
    const char *field;
};

static enum rt_status encode_record(struct coder *coder, const struct rt_schema *schema,
                                    const void *record);

static enum rt_status encode_list(struct coder *coder, const struct rt_field *field,
                                  const void *record)
{
    size_t count = rt_member_count(field, record);
    const uint8_t *items = rt_member_items(field, record);
    rt_msgpack_put_array(coder->out, count);
    for (size_t i = 0; i < count; i++) {
        if (field->kind == RT_FIELD_DIGESTS) {
            rt_msgpack_put_bin(coder->out, rt_bytes(items + i * RT_DIGEST_BYTES, RT_DIGEST_BYTES));
        } else if (field->kind == RT_FIELD_BLOBS) {
            struct rt_bytes blob;
            memcpy(&blob, items + i * sizeof blob, sizeof blob);
            if (blob.size == 0)
                return RT_OUT_OF_RANGE;
            rt_msgpack_put_bin(coder->out, blob);
        } else {
            const struct rt_schema *item = field->item();
            enum rt_status status = encode_record(coder, item, items + i * item->struct_size);
            if (status)
                return status;
        }
    }
    return RT_OK;
}

static enum rt_status encode_field(struct coder *coder, const struct rt_field *field,
                                   const void *record)
{
    coder->field = field->name;
    enum rt_status status = check_field(field, record);
    if (status)
        return status;
    switch (field->kind) {
    case RT_FIELD_U64:
    case RT_FIELD_ENUM:
        rt_msgpack_put_u64(coder->out, rt_member_number(field, record));
        break;
    case RT_FIELD_I64:
    case RT_FIELD_TIME:
        rt_msgpack_put_i64(coder->out, (int64_t)rt_member_number(field, record));
        break;
    case RT_FIELD_BOOL:
        rt_msgpack_put_bool(coder->out, rt_member_number(field, record));
        break;
    case RT_FIELD_FIXED:
        rt_msgpack_put_bin(coder->out, rt_bytes(rt_member(field, record), field->size));
        break;
    case RT_FIELD_BYTES:
    case RT_FIELD_MAYBE:
        rt_msgpack_put_bin(coder->out, rt_member_bytes(field, record));
        break;
    case RT_FIELD_STR:
    case RT_FIELD_BODY:
        rt_msgpack_put_str(coder->out, rt_member_bytes(field, record));
        break;
    default:
        status = encode_list(coder, field, record);
    }
    return status ? status : rt_buf_ok(coder->out);
}

static enum rt_status encode_record(struct coder *coder, const struct rt_schema *schema,
                                    const void *record)
{
    bool led = schema->lead != RT_SCHEMA_NO_LEAD;
    rt_msgpack_put_array(coder->out, schema->field_count + led);
    if (led)
        rt_msgpack_put_u64(coder->out, (uint64_t)schema->lead);
    for (size_t i = 0; i < schema->field_count; i++) {
        enum rt_status status = encode_field(coder, &schema->fields[i], record);
        if (status)
            return status;
    }
    coder->field = "";
    return schema->check ? schema->check(record) : RT_OK;
}

enum rt_status rt_schema_encode(const struct rt_schema *schema, const void *record,
                                size_t most_bytes, struct rt_buf *out, const char **ret_field)
{
    if (out->failed)
        return out->failed;
    size_t before = out->size;
    struct coder coder = {.out = out, .field = ""};
    enum rt_status status = encode_record(&coder, schema, record);
    if (!status && out->size - before > most_bytes) {
        coder.field = "";
        status = RT_TOO_LARGE;
    }
    if (status) {
        out->failed = RT_OK;
        rt_buf_truncate(out, before);
        if (ret_field)
            *ret_field = coder.field;
    }
    return status;
}

// ---- decoding

static enum rt_status decode_record(struct coder *coder, const struct rt_schema *schema,
                                    void *record);

static void set_member(const struct rt_field *field, void *record, const void *value, size_t size)
{
    memcpy((uint8_t *)record + field->offset, value, size);
}

static enum rt_status decode_items(struct coder *coder, const struct rt_field *field,
                                   uint8_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (field->kind == RT_FIELD_DIGESTS) {
            struct rt_bytes digest = rt_msgpack_bin(&coder->reader);
            if (!coder->reader.failed && digest.size != RT_DIGEST_BYTES)
                return RT_OUT_OF_RANGE;
            if (digest.size)
                memcpy(items + i * RT_DIGEST_BYTES, digest.data, RT_DIGEST_BYTES);
        } else if (field->kind == RT_FIELD_BLOBS) {
            struct rt_bytes blob = rt_msgpack_bin(&coder->reader);
            if (!coder->reader.failed && blob.size == 0)
                return RT_OUT_OF_RANGE;
            memcpy(items + i * sizeof blob, &blob, sizeof blob);
        } else {
            const struct rt_schema *item = field->item();
            enum rt_status status = decode_record(coder, item, items + i * item->struct_size);
            if (status)
                return status;
        }
    }
    return coder->reader.failed;
}

static enum rt_status decode_list(struct coder *coder, const struct rt_field *field, void *record)
{
    size_t count = rt_msgpack_array(&coder->reader);
    if (coder->reader.failed)
        return coder->reader.failed;
    // Before anything is allocated for it.
    if (count < (uint64_t)field->least || count > field->most)
        return RT_OUT_OF_RANGE;
    uint8_t *items = NULL;
    if (count) {
        items = rt_arena_array(coder->arena, count, rt_member_item_size(field));
        if (!items)
            return RT_NO_MEMORY;
    }
    set_member(field, record, &items, sizeof items);
    memcpy((uint8_t *)record + field->count_offset, &count, sizeof count);
    return decode_items(coder, field, items, count);
}

static enum rt_status decode_field(struct coder *coder, const struct rt_field *field, void *record)
{
    struct rt_msgpack_reader *reader = &coder->reader;
    enum rt_status status = RT_OK;
    coder->field = field->name;
    switch (field->kind) {
    case RT_FIELD_U64: {
        uint64_t value = rt_msgpack_u64(reader);
        set_member(field, record, &value, sizeof value);
        break;
    }
    case RT_FIELD_ENUM: {
        uint64_t value = rt_msgpack_u64(reader);
        if (value > field->most)
            return RT_OUT_OF_RANGE;
        unsigned narrow = (unsigned)value;
        set_member(field, record, &narrow, sizeof narrow);
        break;
    }
    case RT_FIELD_I64:
    case RT_FIELD_TIME: {
        int64_t value = rt_msgpack_i64(reader);
        set_member(field, record, &value, sizeof value);
        break;
    }
    case RT_FIELD_BOOL: {
        bool value = rt_msgpack_bool(reader);
        set_member(field, record, &value, sizeof value);
        break;
    }
    case RT_FIELD_FIXED: {
        struct rt_bytes value = rt_msgpack_bin(reader);
        if (!reader->failed && value.size != field->size)
            return RT_OUT_OF_RANGE;
        if (value.size)
            set_member(field, record, value.data, value.size);
        break;
    }
    case RT_FIELD_BYTES:
    case RT_FIELD_MAYBE: {
        struct rt_bytes value = rt_msgpack_bin(reader);
        set_member(field, record, &value, sizeof value);
        break;
    }
    case RT_FIELD_STR:
    case RT_FIELD_BODY: {
        struct rt_bytes value = rt_msgpack_str(reader);
        set_member(field, record, &value, sizeof value);
        break;
    }
    default:
        status = decode_list(coder, field, record);
    }
    if (!status)
        status = reader->failed;
    return status ? status : check_field(field, record);
}

static enum rt_status decode_record(struct coder *coder, const struct rt_schema *schema,
                                    void *record)
{
    struct rt_msgpack_reader *reader = &coder->reader;
    bool led = schema->lead != RT_SCHEMA_NO_LEAD;
    size_t arity = rt_msgpack_array(reader);
    if (led && arity) {
        uint64_t lead = rt_msgpack_u64(reader);
        if (!reader->failed && lead != (uint64_t)schema->lead)
            return RT_UNSUPPORTED;
    }
    if (!reader->failed && arity != schema->field_count + led)
        return RT_MALFORMED;
    if (reader->failed)
        return reader->failed;
    for (size_t i = 0; i < schema->field_count; i++) {
        enum rt_status status = decode_field(coder, &schema->fields[i], record);
        if (status)
            return status;
    }
    coder->field = "";
    return schema->check ? schema->check(record) : RT_OK;
}

enum rt_status rt_schema_decode(const struct rt_schema *schema, struct rt_bytes bytes,
                                struct rt_arena *arena, void *ret_record, const char **ret_field)
{
    struct coder coder = {.arena = arena, .field = ""};
    rt_msgpack_reader_init(&coder.reader, bytes);
    enum rt_status status = decode_record(&coder, schema, ret_record);
    if (!status)
        status = rt_msgpack_end(&coder.reader);
    if (status && ret_field)
        *ret_field = coder.field;
    return status;
}
