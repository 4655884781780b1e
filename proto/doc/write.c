// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/crypto/curve.h"
#include "common/crypto/key.h"
#include "proto/doc/table.h"

// ---- scalars

// Plain where no reader can take the text for anything else, quoted otherwise.
static void write_text(struct rt_buf *out, const char *text)
{
    static const char *const words[] = {"yes", "no", "on", "off", "true", "false", "null", "all"};
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+@";
    bool plain = *text && strspn(text, safe) == strlen(text) && strspn(text, "0123456789.-+") == 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        plain = plain && strcasecmp(text, words[i]) != 0;
    if (plain) {
        rt_buf_add_str(out, text);
        return;
    }
    rt_buf_add_u8(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            rt_buf_add_u8(out, '\\');
        if (*p == '\n')
            rt_buf_add_str(out, "\\n");
        else if (*p == '\t')
            rt_buf_add_str(out, "\\t");
        else
            rt_buf_add_u8(out, (uint8_t)*p);
    }
    rt_buf_add_u8(out, '"');
}

static void write_duration(struct rt_buf *out, int64_t ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    size_t i = 0;
    while (ms % units[i].ms)
        i++;
    rt_buf_printf(out, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
}

static void write_size(struct rt_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (unit < 4 && bytes && bytes % 1024 == 0)
        bytes /= 1024, unit++;
    rt_buf_printf(out, "%" PRIu64 "%s", bytes, units[unit]);
}

static void write_date(struct rt_buf *out, int64_t ms)
{
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(ms, stamp);
    if (ms % 86400000 == 0)
        stamp[10] = 0;
    rt_buf_add_str(out, stamp);
}

static void write_scalar(const struct rt_doc_field *field, const void *record, struct rt_buf *out)
{
    const void *place = rt_doc_at(record, field->offset);
    char text[RT_DIGEST_TEXT_BYTES + RT_PUBLIC_KEY_TEXT_BYTES];
    switch (field->kind) {
    case RT_DOC_TEXT:
        write_text(out, rt_doc_pointer(record, field->offset));
        return;
    case RT_DOC_BOOL:
        rt_buf_add_str(out, *(const bool *)place ? "true" : "false");
        return;
    case RT_DOC_U32:
        rt_buf_printf(out, "%" PRIu32, *(const uint32_t *)place);
        return;
    case RT_DOC_U64:
        rt_buf_printf(out, "%" PRIu64, *(const uint64_t *)place);
        return;
    case RT_DOC_ENUM:
        write_text(out, field->words[*(const unsigned *)place]);
        return;
    case RT_DOC_DURATION:
        write_duration(out, *(const int64_t *)place);
        return;
    case RT_DOC_SIZE:
        write_size(out, *(const uint64_t *)place);
        return;
    case RT_DOC_DATE:
        write_date(out, *(const int64_t *)place);
        return;
    case RT_DOC_MICRO:
        rt_format_micro(*(const int64_t *)place, text);
        break;
    case RT_DOC_DIGEST:
        rt_digest_format(place, text);
        break;
    case RT_DOC_KEY:
        rt_public_key_format(place, NULL, text);
        break;
    default:
        rt_curve_public_format(place, text);
    }
    rt_buf_add_str(out, text);
}

// ---- which fields are worth writing

static bool at_preset(const struct rt_doc_field *field, const void *record);

static bool empty_record(const struct rt_doc_table *table, const void *record)
{
    for (size_t i = 0; i < table->field_count; i++)
        if (!at_preset(&table->fields[i], record))
            return false;
    return true;
}

static bool at_preset(const struct rt_doc_field *field, const void *record)
{
    if (field->flags & (RT_DOC_KEYED | RT_DOC_OBJECT_ONLY) || field->read)
        return true;
    bool has = field->has_offset && *(const bool *)rt_doc_at(record, field->has_offset);
    if (field->flags & RT_DOC_ALL)
        return !has && rt_doc_count(record, field) == 0;
    if (field->has_offset)
        return !has;
    if (field->kind == RT_DOC_STRUCT)
        return empty_record(field->item, rt_doc_at(record, field->offset));
    if (field->kind == RT_DOC_MAYBE)
        return !rt_doc_pointer(record, field->offset);
    if (field->kind >= RT_DOC_LIST)
        return rt_doc_count(record, field) == 0;
    if (field->flags & RT_DOC_REQUIRED || field->kind >= RT_DOC_DIGEST)
        return false;
    struct rt_buf text;
    rt_buf_init(&text, RT_DOC_TEXT_MOST * 2);
    write_scalar(field, record, &text);
    const char *now = rt_buf_str(&text);
    bool same;
    if (field->preset)
        same = strcmp(now, field->preset) == 0;
    else if (field->kind == RT_DOC_TEXT)
        same = strcmp(now, "\"\"") == 0;
    else if (field->kind == RT_DOC_ENUM)
        same = *(const unsigned *)rt_doc_at(record, field->offset) == 0;
    else
        same = strcmp(now, "0") == 0 || strcmp(now, "0d") == 0 || strcmp(now, "false") == 0 ||
               strcmp(now, "1970-01-01") == 0;
    rt_buf_release(&text);
    return same;
}

// ---- containers

static void indent(struct rt_buf *out, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        rt_buf_add_str(out, "  ");
}

// The fields of a record, one to a line at depth. `first` continues a line that "- " has begun.
static void write_record(const struct rt_doc_table *table, const void *record, unsigned depth,
                         bool first, struct rt_buf *out);

static void write_flow(const struct rt_doc_field *field, const void *record, struct rt_buf *out)
{
    size_t count = rt_doc_count(record, field);
    const void *items = rt_doc_pointer(record, field->offset);
    rt_buf_add_str(out, field->kind == RT_DOC_PAIRS ? "{" : "[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            rt_buf_add_str(out, ", ");
        if (field->kind == RT_DOC_TEXTS) {
            write_text(out, ((const char *const *)items)[i]);
        } else if (field->kind == RT_DOC_MICROS) {
            char text[32];
            rt_format_micro(((const int64_t *)items)[i], text);
            rt_buf_add_str(out, text);
        } else {
            const struct rt_pair *pair = &((const struct rt_pair *)items)[i];
            write_text(out, pair->name);
            rt_buf_add_str(out, ": ");
            write_text(out, pair->value);
        }
    }
    rt_buf_add_str(out, field->kind == RT_DOC_PAIRS ? "}" : "]");
}

static void write_items(const struct rt_doc_field *field, const void *record, unsigned depth,
                        struct rt_buf *out)
{
    size_t count = rt_doc_count(record, field);
    const uint8_t *items = rt_doc_pointer(record, field->offset);
    rt_buf_add_u8(out, '\n');
    for (size_t i = 0; i < count; i++) {
        const void *item = items + i * field->item->size;
        indent(out, depth + 1);
        if (field->kind == RT_DOC_LIST) {
            rt_buf_add_str(out, "- ");
            write_record(field->item, item, depth + 2, true, out);
            continue;
        }
        write_scalar(&field->item->fields[0], item, out);
        if (empty_record(field->item, item)) {
            rt_buf_add_str(out, ": {}\n");
        } else {
            rt_buf_add_str(out, ":\n");
            write_record(field->item, item, depth + 2, false, out);
        }
    }
}

static void write_value(const struct rt_doc_field *field, const void *record, unsigned depth,
                        struct rt_buf *out)
{
    if (field->kind == RT_DOC_STRUCT || field->kind == RT_DOC_MAYBE) {
        const void *part = field->kind == RT_DOC_STRUCT ? rt_doc_at(record, field->offset)
                                                        : rt_doc_pointer(record, field->offset);
        rt_buf_add_u8(out, '\n');
        write_record(field->item, part, depth + 1, false, out);
        return;
    }
    if (field->kind == RT_DOC_LIST || field->kind == RT_DOC_MAP) {
        write_items(field, record, depth, out);
        return;
    }
    rt_buf_add_u8(out, ' ');
    if (field->flags & RT_DOC_ALL && *(const bool *)rt_doc_at(record, field->has_offset))
        rt_buf_add_str(out, "all");
    else if (field->kind > RT_DOC_MAP)
        write_flow(field, record, out);
    else
        write_scalar(field, record, out);
    rt_buf_add_u8(out, '\n');
}

static void write_rest(const struct rt_doc_field *field, const void *record, unsigned depth,
                       bool first, struct rt_buf *out)
{
    const struct rt_pair *pairs = rt_doc_pointer(record, field->offset);
    for (size_t i = 0, count = rt_doc_count(record, field); i < count; i++) {
        if (!first || i)
            indent(out, depth);
        write_text(out, pairs[i].name);
        rt_buf_add_str(out, ": ");
        write_text(out, pairs[i].value);
        rt_buf_add_u8(out, '\n');
    }
}

static void write_record(const struct rt_doc_table *table, const void *record, unsigned depth,
                         bool first, struct rt_buf *out)
{
    if (first && empty_record(table, record)) {
        rt_buf_add_str(out, "{}\n");
        return;
    }
    for (size_t i = 0; i < table->field_count; i++) {
        const struct rt_doc_field *field = &table->fields[i];
        if (at_preset(field, record))
            continue;
        if (field->flags & RT_DOC_REST) {
            write_rest(field, record, depth, first, out);
        } else {
            if (!first)
                indent(out, depth);
            rt_buf_printf(out, "%s:", field->key);
            write_value(field, record, depth, out);
        }
        first = false;
    }
}

void rt_doc_write(const struct rt_doc_table *table, const void *record, struct rt_buf *out)
{
    write_record(table, record, 0, false, out);
}

// ---- help

static const char *kind_text(const struct rt_doc_field *field)
{
    static const char *const texts[] = {
        [RT_DOC_TEXT] = "text",
        [RT_DOC_BOOL] = "true or false",
        [RT_DOC_U32] = "whole number",
        [RT_DOC_U64] = "whole number",
        [RT_DOC_MICRO] = "decimal",
        [RT_DOC_DURATION] = "duration",
        [RT_DOC_SIZE] = "size",
        [RT_DOC_DATE] = "date",
        [RT_DOC_ENUM] = "",
        [RT_DOC_DIGEST] = "sha256:…",
        [RT_DOC_KEY] = "minisign:…",
        [RT_DOC_CURVE] = "rt-curve:…",
        [RT_DOC_STRUCT] = "mapping",
        [RT_DOC_MAYBE] = "mapping",
        [RT_DOC_LIST] = "list of mappings",
        [RT_DOC_MAP] = "mapping of names to mappings",
        [RT_DOC_TEXTS] = "list of texts",
        [RT_DOC_MICROS] = "list of decimals",
        [RT_DOC_PAIRS] = "mapping of names to values",
    };
    return field->flags & RT_DOC_IS_ID && field->kind == RT_DOC_TEXT ? "id" : texts[field->kind];
}

// The tables that lead to a place: one that holds itself is not written out again.
struct help_path {
    const struct rt_doc_table *table;
    const struct help_path *up;
};

static bool on_path(const struct help_path *path, const struct rt_doc_table *table)
{
    while (path && path->table != table)
        path = path->up;
    return path != NULL;
}

static void help_fields(const struct rt_doc_table *table, unsigned depth,
                        const struct help_path *up, struct rt_buf *out)
{
    const struct help_path path = {table, up};
    for (size_t i = 0; i < table->field_count; i++) {
        const struct rt_doc_field *field = &table->fields[i];
        if (field->flags & RT_DOC_OBJECT_ONLY)
            continue;
        bool rest = field->flags & (RT_DOC_REST | RT_DOC_KEYED);
        indent(out, depth);
        rt_buf_printf(out, rest ? "<%s>" : "%s", field->key);
        rt_buf_printf(out, "  %s", kind_text(field));
        for (size_t w = 0; field->kind == RT_DOC_ENUM && field->words[w]; w++)
            rt_buf_printf(out, "%s%s", w ? " | " : "", field->words[w]);
        if (field->flags & RT_DOC_ALL)
            rt_buf_add_str(out, ", or all");
        if (field->flags & RT_DOC_REQUIRED)
            rt_buf_add_str(out, ", required");
        if (field->preset)
            rt_buf_printf(out, ", default %s", field->preset);
        if (field->flags & RT_DOC_UNPLAYED)
            rt_buf_add_str(out, ", not played yet");
        if (field->help)
            rt_buf_printf(out, ": %s", field->help);
        rt_buf_add_u8(out, '\n');
        if (field->item && !on_path(&path, field->item))
            help_fields(field->item, depth + 1, &path, out);
    }
}

void rt_doc_help(const struct rt_doc_table *table, struct rt_buf *out)
{
    rt_buf_printf(out, "%s%s%s\n", table->name, table->help ? ": " : "",
                  table->help ? table->help : "");
    help_fields(table, 1, NULL, out);
}
