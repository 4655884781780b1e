// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/crypto/curve.h"
#include "common/crypto/key.h"
#include "proto/doc/table.h"

// ---- errors and notes

void rt_notes_init(struct rt_notes *notes)
{
    rt_buf_init(&notes->text, 1 << 20);
    notes->count = 0;
}

void rt_notes_release(struct rt_notes *notes)
{
    rt_buf_release(&notes->text);
}

RT_PRINTF(2, 0)
static void notes_vadd(struct rt_notes *notes, const char *format, va_list args)
{
    char line[512];
    vsnprintf(line, sizeof line, format, args);
    rt_buf_add_str(&notes->text, line);
    rt_buf_add_u8(&notes->text, '\n');
    notes->count++;
}

void rt_notes_add(struct rt_notes *notes, const char *format, ...)
{
    if (!notes)
        return;
    va_list args;
    va_start(args, format);
    notes_vadd(notes, format, args);
    va_end(args);
}

void rt_doc_note(const struct rt_doc_reader *reader, uint32_t line, const char *format, ...)
{
    if (!reader->notes || !reader->name)
        return;
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    // Of many places that say the same, the first is enough to find the others.
    const char *seen = rt_buf_str(&reader->notes->text);
    for (size_t size = strlen(text); (seen = strstr(seen, text)); seen += size)
        if (seen[size] == '\n') {
            reader->notes->count++;
            return;
        }
    if (line)
        rt_notes_add(reader->notes, "%s:%" PRIu32 ": %s", reader->name, line, text);
    else
        rt_notes_add(reader->notes, "%s: %s", reader->name, text);
}

enum rt_status rt_doc_fail(const struct rt_doc_reader *reader, enum rt_status status, uint32_t line,
                           const char *format, ...)
{
    char text[RT_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!reader->name)
        return rt_error_set(reader->err, status, "%s", text);
    if (line == 0)
        return rt_error_set(reader->err, status, "%s: %s", reader->name, text);
    return rt_error_set(reader->err, status, "%s:%" PRIu32 ": %s", reader->name, line, text);
}

enum rt_status rt_doc_no_memory(const struct rt_doc_reader *reader)
{
    return rt_doc_fail(reader, RT_NO_MEMORY, 0, "too large to hold in memory");
}

const char *rt_doc_suggest(const struct rt_doc_reader *reader, const char *word,
                           const char *const *list)
{
    const char *near = rt_did_you_mean(word, list), *text = NULL;
    if (near) {
        text = rt_arena_printf(reader->arena, "; did you mean `%s`?", near);
    } else if (*list) {
        struct rt_buf known;
        rt_buf_init(&known, 400);
        for (size_t i = 0; list[i]; i++)
            rt_buf_printf(&known, "%s%s", i ? ", " : "; known: ", list[i]);
        text = rt_arena_strdup(reader->arena, rt_buf_str(&known));
        rt_buf_release(&known);
    }
    return text ? text : "";
}

// ---- forms of single values

bool rt_doc_name_valid(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && size <= RT_ID_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
               size;
}

bool rt_doc_text_valid(const struct rt_doc_field *field, const char *text)
{
    size_t size = strlen(text);
    bool single = field->kind == RT_DOC_TEXT;
    size_t most = single && field->most ? field->most : RT_DOC_TEXT_MOST;
    if (size > most || (single && size < (size_t)field->least))
        return false;
    bool optional = single && size == 0 && field->least == 0 && !(field->flags & RT_DOC_KEYED);
    if (field->flags & RT_DOC_IS_ID && !optional && !rt_id_valid(text))
        return false;
    if (field->flags & RT_DOC_IS_NAME && !optional && !rt_doc_name_valid(text))
        return false;
    return !(field->flags & RT_DOC_ONE_LINE) || !strpbrk(text, "\n\t");
}

static enum rt_status wrong_text(const struct rt_doc_reader *reader,
                                 const struct rt_doc_field *field, const struct rt_node *node)
{
    if (field->flags & RT_DOC_IS_ID)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`%s` is `%s`, which is no id; use small letters, digits, '.', '_' and "
                           "'-', beginning with a letter or digit, at most 64",
                           field->key, node->text);
    if (field->flags & RT_DOC_IS_NAME)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`%s` is `%s`, which is no name; use letters, digits, '_', '-' and '.', "
                           "at most 64",
                           field->key, node->text);
    if (*node->text == 0)
        return rt_doc_fail(reader, RT_MALFORMED, node->line, "`%s` is empty", field->key);
    if (field->flags & RT_DOC_ONE_LINE && strpbrk(node->text, "\n\t"))
        return rt_doc_fail(reader, RT_MALFORMED, node->line, "`%s` must be one line", field->key);
    return rt_doc_fail(reader, RT_TOO_LARGE, node->line, "`%s` is longer than %" PRIu64 " bytes",
                       field->key, field->most ? field->most : RT_DOC_TEXT_MOST);
}

static enum rt_status set_count(const struct rt_doc_reader *reader,
                                const struct rt_doc_field *field, const struct rt_node *node,
                                void *place)
{
    uint64_t value, most = field->most;
    if (!most)
        most = field->kind == RT_DOC_U32 ? UINT32_MAX : INT64_MAX;
    if (rt_parse_u64(node->text, &value) || value < (uint64_t)field->least || value > most)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, node->line,
                           "`%s` is `%s`; it must be a whole number from %" PRId64 " to %" PRIu64,
                           field->key, node->text, field->least, most);
    if (field->kind == RT_DOC_U32)
        *(uint32_t *)place = (uint32_t)value;
    else
        *(uint64_t *)place = value;
    return RT_OK;
}

// "2.0" rather than "2": bounds read as decimals.
static const char *decimal(int64_t micro, char text[40])
{
    rt_format_micro(micro, text);
    if (!strchr(text, '.'))
        strncat(text, ".0", 39 - strlen(text));
    return text;
}

static enum rt_status set_micro(const struct rt_doc_reader *reader,
                                const struct rt_doc_field *field, const struct rt_node *node,
                                int64_t *place)
{
    size_t size = strlen(field->key);
    int noun = (int)(field->kind == RT_DOC_MICROS && size && field->key[size - 1] == 's' ? size - 1
                                                                                         : size);
    int64_t value;
    if (rt_parse_micro(node->text, &value))
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "%.*s `%s` is not a decimal number with at most six fraction digits",
                           noun, field->key, node->text);
    char bound[40];
    if ((field->item_least || field->item_most) && value < field->item_least)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, node->line, "%.*s %s is below %s", noun,
                           field->key, node->text, decimal(field->item_least, bound));
    if ((field->item_least || field->item_most) && value > field->item_most)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, node->line, "%.*s %s is above %s", noun,
                           field->key, node->text, decimal(field->item_most, bound));
    *place = value;
    return RT_OK;
}

static enum rt_status set_enum(const struct rt_doc_reader *reader, const struct rt_doc_field *field,
                               const struct rt_node *node, void *place)
{
    for (unsigned i = 0; field->words[i]; i++)
        if (strcmp(node->text, field->words[i]) == 0) {
            *(unsigned *)place = i;
            return RT_OK;
        }
    return rt_doc_fail(reader, RT_MALFORMED, node->line, "`%s` is `%s`%s", field->key, node->text,
                       rt_doc_suggest(reader, node->text, field->words));
}

static enum rt_status set_bytes(const struct rt_doc_reader *reader,
                                const struct rt_doc_field *field, const struct rt_node *node,
                                void *place)
{
    struct rt_bytes text = rt_bytes_str(node->text);
    if (field->kind == RT_DOC_DIGEST && rt_digest_parse(text, place))
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`%s` must be sha256: and 64 hexadecimal digits", field->key);
    if (field->kind == RT_DOC_KEY && rt_public_key_parse(text, place, NULL))
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`%s` must be minisign:RW..., the second line of a public key file",
                           field->key);
    if (field->kind == RT_DOC_CURVE && rt_curve_public_parse(text, place))
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`%s` must be rt-curve: and a base64 transport key", field->key);
    return RT_OK;
}

static enum rt_status set_time(const struct rt_doc_reader *reader, const struct rt_doc_field *field,
                               const struct rt_node *node, int64_t *place)
{
    if (field->kind == RT_DOC_DURATION) {
        if (rt_duration_parse(node->text, place))
            return rt_doc_fail(reader, RT_MALFORMED, node->line,
                               "`%s` is `%s`; write a number and a unit: 250ms, 30s, 30m, 72h, 7d",
                               field->key, node->text);
    } else if (rt_date_parse(node->text, place)) {
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`%s` is `%s`; write 2026-11-20 or 2026-11-20T09:00:00Z", field->key,
                           node->text);
    }
    return RT_OK;
}

// The unit's place in the list is its power of 1024.
static enum rt_status set_size(const struct rt_doc_reader *reader, const struct rt_doc_field *field,
                               const struct rt_node *node, uint64_t *place)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t digits = strspn(node->text, "0123456789"), unit = 0;
    uint64_t most = field->most ? field->most : INT64_MAX, value = 0;
    char number[24] = "";
    memcpy(number, node->text, digits < sizeof number ? digits : 0);
    while (unit < 5 && strcmp(node->text + digits, units[unit]) != 0)
        unit++;
    if (unit == 5 || rt_parse_u64(number, &value) || value > (uint64_t)INT64_MAX >> 10 * unit)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`%s` is `%s`; write a number and a unit: 512KiB, 64MiB, 2GiB",
                           field->key, node->text);
    value <<= 10 * unit;
    if (value < (uint64_t)field->least || value > most)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, node->line,
                           "`%s` is `%s`; it must be from %" PRId64 " to %" PRIu64 " bytes",
                           field->key, node->text, field->least, most);
    *place = value;
    return RT_OK;
}

static enum rt_status set_scalar(const struct rt_doc_reader *reader,
                                 const struct rt_doc_field *field, const struct rt_node *node,
                                 void *record)
{
    void *place = rt_doc_at(record, field->offset);
    if (node->kind != RT_NODE_SCALAR)
        return rt_doc_fail(reader, RT_MALFORMED, node->line, "`%s` must be a single value",
                           field->key);
    switch (field->kind) {
    case RT_DOC_TEXT:
        if (!rt_doc_text_valid(field, node->text))
            return wrong_text(reader, field, node);
        memcpy(place, &node->text, sizeof node->text);
        return RT_OK;
    case RT_DOC_BOOL:
        *(bool *)place = strcmp(node->text, "true") == 0;
        if (!node->plain || (!*(bool *)place && strcmp(node->text, "false") != 0))
            return rt_doc_fail(reader, RT_MALFORMED, node->line, "`%s` must be true or false",
                               field->key);
        return RT_OK;
    case RT_DOC_U32:
    case RT_DOC_U64:
        return set_count(reader, field, node, place);
    case RT_DOC_SIZE:
        return set_size(reader, field, node, place);
    case RT_DOC_MICRO:
        return set_micro(reader, field, node, place);
    case RT_DOC_ENUM:
        return set_enum(reader, field, node, place);
    case RT_DOC_DURATION:
    case RT_DOC_DATE:
        return set_time(reader, field, node, place);
    default:
        return set_bytes(reader, field, node, place);
    }
}

// ---- containers

static enum rt_status check_kind(const struct rt_doc_reader *reader, const char *what,
                                 const struct rt_node *node, enum rt_node_kind kind)
{
    if (node->kind == kind)
        return RT_OK;
    return rt_doc_fail(
        reader, RT_MALFORMED, node->line,
        kind == RT_NODE_MAP ? "`%s` must be a mapping (key: value)" : "`%s` must be a list", what);
}

static enum rt_status check_count(const struct rt_doc_reader *reader,
                                  const struct rt_doc_field *field, const struct rt_node *node)
{
    if (node->count < (size_t)field->least)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, node->line,
                           node->count ? "`%s` needs at least %" PRId64 " entries"
                                       : "`%s` is empty",
                           field->key, field->least);
    if (field->most && node->count > field->most)
        return rt_doc_fail(reader, RT_TOO_LARGE, node->line,
                           "`%s` has more than %" PRIu64 " entries", field->key, field->most);
    return RT_OK;
}

enum rt_status rt_doc_read_pairs(struct rt_doc_reader *reader, const char *what,
                                 const struct rt_node *node, size_t most,
                                 struct rt_pair **ret_pairs, size_t *ret_count)
{
    enum rt_status status = check_kind(reader, what, node, RT_NODE_MAP);
    if (status)
        return status;
    if (node->count > most)
        return rt_doc_fail(reader, RT_TOO_LARGE, node->line, "`%s` has more than %zu entries", what,
                           most);
    struct rt_pair *pairs = rt_arena_array(reader->arena, node->count, sizeof *pairs);
    if (!pairs)
        return rt_doc_no_memory(reader);
    size_t count = 0;
    for (const struct rt_node *child = node->first; child; child = child->next) {
        if (!rt_doc_name_valid(child->key))
            return rt_doc_fail(reader, RT_MALFORMED, child->line,
                               "`%s` in `%s` is no name; use letters, digits, '_', '-' and '.'",
                               child->key, what);
        if (child->kind != RT_NODE_SCALAR)
            return rt_doc_fail(reader, RT_MALFORMED, child->line, "`%s` must be a single value",
                               child->key);
        pairs[count++] = (struct rt_pair){child->key, child->text};
    }
    *ret_pairs = pairs;
    *ret_count = count;
    return RT_OK;
}

static enum rt_status read_scalars(struct rt_doc_reader *reader, const struct rt_doc_field *field,
                                   const struct rt_node *node, void *record)
{
    if (field->flags & RT_DOC_ALL && node->kind == RT_NODE_SCALAR) {
        if (strcmp(node->text, "all") != 0)
            return rt_doc_fail(reader, RT_MALFORMED, node->line, "`%s` must be all or a list",
                               field->key);
        *(bool *)rt_doc_at(record, field->has_offset) = true;
        return RT_OK;
    }
    enum rt_status status = check_kind(reader, field->key, node, RT_NODE_LIST);
    if (!status)
        status = check_count(reader, field, node);
    if (status)
        return status;
    size_t each = field->kind == RT_DOC_TEXTS ? sizeof(const char *) : sizeof(int64_t);
    void *items = rt_arena_array(reader->arena, node->count, each);
    if (!items)
        return rt_doc_no_memory(reader);
    size_t count = 0;
    for (const struct rt_node *child = node->first; child; child = child->next, count++) {
        if (child->kind != RT_NODE_SCALAR)
            return rt_doc_fail(reader, RT_MALFORMED, child->line, "`%s` is a list of single values",
                               field->key);
        if (field->kind == RT_DOC_MICROS)
            status = set_micro(reader, field, child, &((int64_t *)items)[count]);
        else if (!rt_doc_text_valid(field, child->text))
            status = wrong_text(reader, field, child);
        else
            ((const char **)items)[count] = child->text;
        if (status)
            return status;
    }
    rt_doc_set_list(record, field, items, count);
    return RT_OK;
}

static enum rt_status read_list(struct rt_doc_reader *reader, const struct rt_doc_field *field,
                                const struct rt_node *node, void *record)
{
    bool map = field->kind == RT_DOC_MAP;
    enum rt_status status = check_kind(reader, field->key, node, map ? RT_NODE_MAP : RT_NODE_LIST);
    if (!status)
        status = check_count(reader, field, node);
    if (status)
        return status;
    size_t each = field->item->size, count = 0;
    uint8_t *items = rt_arena_array(reader->arena, node->count, each);
    if (!items)
        return rt_doc_no_memory(reader);
    for (const struct rt_node *child = node->first; child; child = child->next, count++) {
        void *item = items + count * each;
        status = rt_doc_read_map(reader, field->item, child, item);
        if (!status && map) {
            struct rt_node key = {.kind = RT_NODE_SCALAR, .line = child->line, .text = child->key};
            status = set_scalar(reader, &field->item->fields[0], &key, item);
        }
        if (status)
            return status;
    }
    rt_doc_set_list(record, field, items, count);
    return RT_OK;
}

static enum rt_status read_value(struct rt_doc_reader *reader, const struct rt_doc_field *field,
                                 const struct rt_node *node, void *record)
{
    if (field->flags & RT_DOC_UNPLAYED)
        rt_doc_note(reader, node->line, "`%s` is read and checked, but not played yet", field->key);
    if (field->has_offset && !(field->flags & RT_DOC_ALL))
        *(bool *)rt_doc_at(record, field->has_offset) = true;
    if (field->read)
        return field->read(reader, node, record);
    switch (field->kind) {
    case RT_DOC_STRUCT:
        return rt_doc_read_map(reader, field->item, node, rt_doc_at(record, field->offset));
    case RT_DOC_MAYBE: {
        void *part = rt_arena_alloc(reader->arena, field->item->size);
        if (!part)
            return rt_doc_no_memory(reader);
        memcpy(rt_doc_at(record, field->offset), &part, sizeof part);
        return rt_doc_read_map(reader, field->item, node, part);
    }
    case RT_DOC_LIST:
    case RT_DOC_MAP:
        return read_list(reader, field, node, record);
    case RT_DOC_TEXTS:
    case RT_DOC_MICROS:
        return read_scalars(reader, field, node, record);
    case RT_DOC_PAIRS: {
        struct rt_pair *pairs;
        size_t count, most = field->most ? field->most : RT_DOC_NODES_MOST;
        enum rt_status status = rt_doc_read_pairs(reader, field->key, node, most, &pairs, &count);
        if (!status)
            rt_doc_set_list(record, field, pairs, count);
        return status;
    }
    default:
        return set_scalar(reader, field, node, record);
    }
}

// ---- mappings

// Nested structs are initialised by rt_doc_init of their own fields first.
void rt_doc_init(const struct rt_doc_table *table, void *record)
{
    static const char empty[] = "";
    struct rt_doc_reader quiet = {0};
    for (size_t i = 0; i < table->field_count; i++) {
        const struct rt_doc_field *field = &table->fields[i];
        if (field->kind == RT_DOC_STRUCT) {
            rt_doc_init(field->item, rt_doc_at(record, field->offset));
        } else if (field->preset || (field->kind == RT_DOC_TEXT && !field->read)) {
            struct rt_node node = {.plain = true, .text = field->preset ? field->preset : empty};
            if (field->kind == RT_DOC_TEXT)
                memcpy(rt_doc_at(record, field->offset), &node.text, sizeof node.text);
            else
                RT_ASSERT(set_scalar(&quiet, field, &node, record) == RT_OK);
        }
    }
}

static const struct rt_doc_field *field_of(const struct rt_doc_table *table, const char *key)
{
    for (size_t i = 0; i < table->field_count; i++) {
        const struct rt_doc_field *field = &table->fields[i];
        if (!(field->flags & (RT_DOC_KEYED | RT_DOC_REST | RT_DOC_OBJECT_ONLY)) &&
            strcmp(field->key, key) == 0)
            return field;
    }
    return NULL;
}

static enum rt_status unknown_key(struct rt_doc_reader *reader, const struct rt_doc_table *table,
                                  const struct rt_node *node)
{
    const char *known[64];
    size_t count = 0;
    for (size_t i = 0; i < table->field_count && count < 63; i++)
        if (!(table->fields[i].flags & (RT_DOC_KEYED | RT_DOC_REST | RT_DOC_OBJECT_ONLY)))
            known[count++] = table->fields[i].key;
    known[count] = NULL;
    return rt_doc_fail(reader, RT_MALFORMED, node->line, "unknown key `%s` in %s%s", node->key,
                       table->name, rt_doc_suggest(reader, node->key, known));
}

// The keys that no field has, as pairs.
static enum rt_status read_rest(struct rt_doc_reader *reader, const struct rt_doc_table *table,
                                const struct rt_doc_field *rest, const struct rt_node *node,
                                void *record)
{
    struct rt_node others = {.kind = RT_NODE_MAP, .line = node->line}, **tail = &others.first;
    for (const struct rt_node *child = node->first; child; child = child->next) {
        if (field_of(table, child->key))
            continue;
        struct rt_node *copy = rt_arena_alloc(reader->arena, sizeof *copy);
        if (!copy)
            return rt_doc_no_memory(reader);
        *copy = *child;
        copy->next = NULL;
        *tail = copy;
        tail = &copy->next;
        others.count++;
    }
    return read_value(reader, rest, &others, record);
}

// A key that nothing knows is the likelier mistake where another is missing: a misspelt one.
static enum rt_status missing_key(struct rt_doc_reader *reader, const struct rt_doc_table *table,
                                  const struct rt_node *node, const struct rt_doc_field *missing,
                                  const struct rt_doc_field *rest)
{
    for (const struct rt_node *child = rest ? NULL : node->first; child; child = child->next)
        if (!field_of(table, child->key))
            return unknown_key(reader, table, child);
    return rt_doc_fail(reader, RT_MALFORMED, node->line, "`%s` is missing in %s%s%s", missing->key,
                       table->name, missing->help ? ": " : "", missing->help ? missing->help : "");
}

enum rt_status rt_doc_read_map(struct rt_doc_reader *reader, const struct rt_doc_table *table,
                               const struct rt_node *node, void *record)
{
    enum rt_status status =
        check_kind(reader, node->key ? node->key : table->name, node, RT_NODE_MAP);
    if (status)
        return status;
    rt_doc_init(table, record);
    if (table->line_offset)
        *(uint32_t *)rt_doc_at(record, table->line_offset) = node->line;
    const struct rt_doc_field *rest = NULL, *missing = NULL;
    for (size_t i = 0; i < table->field_count; i++) {
        const struct rt_doc_field *field = &table->fields[i];
        if (field->flags & RT_DOC_REST)
            rest = field;
        else if (field->flags & RT_DOC_REQUIRED && !rt_node_child(node, field->key) && !missing)
            missing = field;
    }
    if (missing)
        return missing_key(reader, table, node, missing, rest);
    for (const struct rt_node *child = node->first; child; child = child->next) {
        const struct rt_doc_field *field = field_of(table, child->key);
        if (field)
            status = read_value(reader, field, child, record);
        else if (!rest)
            status = unknown_key(reader, table, child);
        if (status)
            return status;
    }
    return rest ? read_rest(reader, table, rest, node, record) : RT_OK;
}

enum rt_status rt_doc_read_format(struct rt_doc_reader *reader, const struct rt_node *node,
                                  void *record)
{
    (void)record;
    if (node->kind == RT_NODE_SCALAR && strcmp(node->text, "1") == 0)
        return RT_OK;
    return rt_doc_fail(reader, RT_UNSUPPORTED, node->line,
                       "this program reads `ringtrial: 1`%s%.40s",
                       node->kind == RT_NODE_SCALAR ? ", not " : "",
                       node->kind == RT_NODE_SCALAR ? node->text : "");
}

enum rt_status rt_doc_read(struct rt_doc_reader *reader, const struct rt_doc_table *table,
                           struct rt_bytes text, void *record)
{
    struct rt_node *root;
    enum rt_status status = rt_tree_parse(text, reader->name, reader->arena, &root, reader->err);
    if (status)
        return status;
    memset(record, 0, table->size);
    return rt_doc_read_map(reader, table, root, record);
}
