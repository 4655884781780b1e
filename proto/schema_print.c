// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "common/base/time.h"
#include "proto/schema.h"
#include "proto/schema_member.h"

#define TEXT_MOST  80 // bytes of a text that are printed
#define ITEMS_MOST 4

static void print_digest(struct rt_bytes digest, struct rt_buf *out)
{
    char hex[17];
    rt_hex_encode(digest.data, digest.size < 8 ? digest.size : 8, hex);
    rt_buf_add_str(out, hex);
}

// Printable ASCII as it is; all else as \xNN, so that no peer can write to a terminal or forge a
// line of a log.
static void print_text(struct rt_bytes text, struct rt_buf *out)
{
    rt_buf_add_u8(out, '"');
    for (size_t i = 0; i < text.size && i < TEXT_MOST; i++) {
        uint8_t byte = text.data[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\')
            rt_buf_add_u8(out, byte);
        else
            rt_buf_printf(out, "\\x%02x", byte);
    }
    rt_buf_add_str(out, text.size > TEXT_MOST ? "…\"" : "\"");
}

static void print_record(const struct rt_schema *schema, const void *record, struct rt_buf *out);

static void print_list(const struct rt_field *field, const void *record, struct rt_buf *out)
{
    size_t count = rt_member_count(field, record);
    const uint8_t *items = rt_member_items(field, record);
    size_t each = rt_member_item_size(field);
    rt_buf_add_u8(out, '[');
    for (size_t i = 0; i < count && i < ITEMS_MOST; i++) {
        const uint8_t *item = items + i * each;
        if (i)
            rt_buf_add_u8(out, ' ');
        if (field->kind == RT_FIELD_DIGESTS) {
            print_digest(rt_bytes(item, RT_DIGEST_BYTES), out);
        } else if (field->kind == RT_FIELD_BLOBS) {
            struct rt_bytes blob;
            memcpy(&blob, item, sizeof blob);
            rt_buf_printf(out, "<%zu bytes>", blob.size);
        } else {
            print_record(field->item(), item, out);
        }
    }
    if (count > ITEMS_MOST)
        rt_buf_printf(out, " and %zu more", count - ITEMS_MOST);
    rt_buf_add_u8(out, ']');
}

static void print_field(const struct rt_field *field, const void *record, struct rt_buf *out)
{
    switch (field->kind) {
    case RT_FIELD_U64:
        rt_buf_printf(out, "%" PRIu64, rt_member_number(field, record));
        break;
    case RT_FIELD_I64:
        rt_buf_printf(out, "%" PRId64, (int64_t)rt_member_number(field, record));
        break;
    case RT_FIELD_TIME: {
        int64_t time_ms = (int64_t)rt_member_number(field, record);
        char stamp[RT_STAMP_BYTES] = "?";
        if (time_ms >= 0 && time_ms <= RT_TIME_MOST_MS)
            rt_stamp_format(time_ms, stamp);
        rt_buf_add_str(out, stamp);
        break;
    }
    case RT_FIELD_BOOL:
        rt_buf_add_str(out, rt_member_number(field, record) ? "true" : "false");
        break;
    case RT_FIELD_ENUM: {
        uint64_t number = rt_member_number(field, record);
        rt_buf_add_str(out, number <= field->most ? field->words[number] : "?");
        break;
    }
    case RT_FIELD_FIXED:
        print_digest(rt_bytes(rt_member(field, record), field->size), out);
        break;
    case RT_FIELD_MAYBE:
        if (rt_member_bytes(field, record).size == 0)
            rt_buf_add_str(out, "none");
        else
            print_digest(rt_member_bytes(field, record), out);
        break;
    case RT_FIELD_BYTES:
    case RT_FIELD_BODY:
        rt_buf_printf(out, "<%zu bytes>", rt_member_bytes(field, record).size);
        break;
    case RT_FIELD_STR:
        print_text(rt_member_bytes(field, record), out);
        break;
    default:
        print_list(field, record, out);
    }
}

static void print_record(const struct rt_schema *schema, const void *record, struct rt_buf *out)
{
    rt_buf_add_u8(out, '{');
    for (size_t i = 0; i < schema->field_count; i++) {
        rt_buf_printf(out, "%s%s=", i ? " " : "", schema->fields[i].name);
        print_field(&schema->fields[i], record, out);
    }
    rt_buf_add_u8(out, '}');
}

void rt_schema_print(const struct rt_schema *schema, const void *record, struct rt_buf *out)
{
    rt_buf_add_str(out, schema->name);
    print_record(schema, record, out);
}
