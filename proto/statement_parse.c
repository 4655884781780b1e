// SPDX-License-Identifier: Apache-2.0
#include "common/base/text.h"
#include "common/crypto/note.h"
#include "proto/statement.h"
#include "proto/statement_table.h"

// ---- lines and words

struct lines {
    struct rt_bytes bytes;
    size_t at;
    size_t number; // of the line that next_line gave last, from 1 on
};

// The line at the cursor without its LF, not consumed; false at the end. A last line without LF is
// given as {NULL, 0}, which has no form.
static bool peek_line(const struct lines *lines, struct rt_bytes *ret_line)
{
    size_t left = lines->bytes.size - lines->at;
    if (left == 0)
        return false;
    const uint8_t *start = lines->bytes.data + lines->at;
    const uint8_t *end = memchr(start, '\n', left);
    *ret_line = end ? rt_bytes(start, (size_t)(end - start)) : rt_bytes(NULL, 0);
    return true;
}

static bool next_line(struct lines *lines, struct rt_bytes *ret_line)
{
    lines->number++;
    if (!peek_line(lines, ret_line) || !ret_line->data)
        return false;
    lines->at += ret_line->size + 1;
    return true;
}

static bool starts_with(struct rt_bytes line, const char *word, struct rt_bytes *ret_rest)
{
    size_t size = strlen(word);
    if (line.size < size || memcmp(line.data, word, size) != 0)
        return false;
    *ret_rest = rt_bytes(line.data + size, line.size - size);
    return true;
}

// Splits at the first blank.
static bool split(struct rt_bytes text, struct rt_bytes *ret_first, struct rt_bytes *ret_rest)
{
    const uint8_t *blank = text.size ? memchr(text.data, ' ', text.size) : NULL;
    if (!blank)
        return false;
    size_t size = (size_t)(blank - text.data);
    *ret_first = rt_bytes(text.data, size);
    *ret_rest = rt_bytes(blank + 1, text.size - size - 1);
    return true;
}

// ---- values

static enum rt_status parse_u64(struct rt_bytes text, uint64_t *ret_value)
{
    char digits[21];
    if (text.size == 0 || text.size >= sizeof digits || memchr(text.data, 0, text.size))
        return RT_MALFORMED;
    memcpy(digits, text.data, text.size);
    digits[text.size] = 0;
    return rt_parse_u64(digits, ret_value);
}

static enum rt_status parse_root(struct rt_bytes text, struct rt_digest *ret_root)
{
    size_t size = 0;
    enum rt_status status = rt_base64_decode((const char *)text.data, text.size, ret_root->bytes,
                                             RT_DIGEST_BYTES, &size);
    return status || size != RT_DIGEST_BYTES ? RT_MALFORMED : RT_OK;
}

static enum rt_status parse_seen(struct rt_bytes text, struct rt_statement_seen *ret_seen)
{
    struct rt_bytes size, root;
    if (!split(text, &ret_seen->origin, &text) || !split(text, &size, &root) ||
        !rt_note_name_valid(ret_seen->origin))
        return RT_MALFORMED;
    enum rt_status status = parse_u64(size, &ret_seen->size);
    return status ? status : parse_root(root, &ret_seen->root);
}

static enum rt_status parse_action(struct rt_bytes text, enum rt_statement_action *ret_action)
{
    for (int i = 0; i < RT_STATEMENT_ACTION_COUNT; i++) {
        if (rt_bytes_equal_str(text, rt_statement_action_word((enum rt_statement_action)i))) {
            *ret_action = (enum rt_statement_action)i;
            return RT_OK;
        }
    }
    return RT_MALFORMED;
}

static enum rt_status parse_value(struct rt_bytes text, struct rt_statement *statement,
                                  const struct rt_statement_field_entry *field)
{
    void *member = (uint8_t *)statement + field->offset;
    switch (field->form) {
    case RT_FORM_LINK:
        statement->has_previous = !rt_bytes_equal_str(text, "none");
        return statement->has_previous ? rt_digest_parse(text, member) : RT_OK;
    case RT_FORM_DIGEST:
        return rt_digest_parse(text, member);
    case RT_FORM_NONCE:
        return rt_hex_decode((const char *)text.data, text.size, member, RT_DIGEST_BYTES);
    case RT_FORM_U64: {
        uint64_t value = 0;
        enum rt_status status = parse_u64(text, &value);
        memcpy(member, &value, sizeof value);
        return status;
    }
    case RT_FORM_ACTION:
        return parse_action(text, &statement->action);
    case RT_FORM_SEEN:
        return parse_seen(text, member);
    case RT_FORM_ID:
        memcpy(member, &text, sizeof text);
        return rt_statement_id_valid(text) ? RT_OK : RT_MALFORMED;
    case RT_FORM_TEXT:
        memcpy(member, &text, sizeof text);
        return rt_statement_text_valid(text) ? RT_OK : RT_MALFORMED;
    default:
        return RT_MALFORMED;
    }
}

// ---- parts

static enum rt_status parse_kind(struct lines *lines, enum rt_statement_kind *ret_kind)
{
    struct rt_bytes line, rest;
    if (!next_line(lines, &line))
        return RT_MALFORMED;
    if (!starts_with(line, RT_STATEMENT_MAGIC, &rest))
        return starts_with(line, "ringtrial/v", &rest) ? RT_UNSUPPORTED : RT_MALFORMED;
    for (int i = 0; i < RT_STATEMENT_KIND_COUNT; i++) {
        if (rt_bytes_equal_str(rest, rt_statement_kinds[i].word)) {
            *ret_kind = (enum rt_statement_kind)i;
            return RT_OK;
        }
    }
    return RT_UNSUPPORTED;
}

// "word value" with exactly that word; the value's bytes.
static bool field_line(struct rt_bytes line, const char *word, struct rt_bytes *ret_value)
{
    struct rt_bytes rest;
    if (!starts_with(line, word, &rest) || rest.size == 0 || rest.data[0] != ' ')
        return false;
    *ret_value = rt_bytes(rest.data + 1, rest.size - 1);
    return true;
}

static enum rt_status parse_pairs(struct lines *lines, struct rt_statement *statement,
                                  const char *word)
{
    statement->pair_count = 0;
    struct rt_bytes line, value, unit, result;
    while (peek_line(lines, &line) && line.data && field_line(line, word, &value)) {
        if (!next_line(lines, &line))
            return RT_MALFORMED;
        if (statement->pair_count == RT_STATEMENT_PAIRS_MOST)
            return RT_OUT_OF_RANGE;
        struct rt_statement_pair *pair = &statement->pairs[statement->pair_count++];
        if (!split(value, &unit, &result) || rt_digest_parse(unit, &pair->unit) ||
            rt_digest_parse(result, &pair->result))
            return RT_MALFORMED;
    }
    if (statement->pair_count == 0) {
        lines->number++;
        return RT_MALFORMED;
    }
    return RT_OK;
}

static enum rt_status parse_fields(struct lines *lines, struct rt_statement *statement)
{
    const struct rt_statement_kind_entry *kind = &rt_statement_kinds[statement->kind];
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct rt_statement_field_entry *field = &rt_statement_fields[kind->fields[i]];
        enum rt_status status;
        if (field->form == RT_FORM_PAIRS) {
            status = parse_pairs(lines, statement, field->word);
        } else {
            struct rt_bytes line, value;
            if (!next_line(lines, &line) || !field_line(line, field->word, &value))
                return RT_MALFORMED;
            status = parse_value(value, statement, field);
        }
        if (status)
            return status;
    }
    return RT_OK;
}

static bool is_key_id(struct rt_bytes text)
{
    if (text.size != RT_KEY_ID_BYTES - 1)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!(text.data[i] >= '0' && text.data[i] <= '9') &&
            !(text.data[i] >= 'a' && text.data[i] <= 'f'))
            return false;
    return true;
}

// Ascending by key id, which also makes the keys unique.
static enum rt_status parse_signatures(struct lines *lines, struct rt_statement *statement)
{
    struct rt_bytes line, value, id, base64;
    while (peek_line(lines, &line) && line.data && starts_with(line, RT_STATEMENT_SIGNED, &value)) {
        if (!next_line(lines, &line))
            return RT_MALFORMED;
        if (statement->signature_count == RT_STATEMENT_SIGNATURES_MOST)
            return RT_OUT_OF_RANGE;
        struct rt_statement_signature *signature =
            &statement->signatures[statement->signature_count];
        size_t size = 0;
        if (!split(value, &id, &base64) || !is_key_id(id) ||
            rt_base64_decode((const char *)base64.data, base64.size, signature->bytes,
                             RT_SIGNATURE_BYTES, &size) ||
            size != RT_SIGNATURE_BYTES)
            return RT_MALFORMED;
        memcpy(signature->key_id, id.data, id.size);
        signature->key_id[id.size] = 0;
        if (statement->signature_count && strcmp(signature[-1].key_id, signature->key_id) >= 0)
            return RT_MALFORMED;
        statement->signature_count++;
    }
    return RT_OK;
}

static enum rt_status parse_received(struct lines *lines, struct rt_statement *statement)
{
    struct rt_bytes line, value;
    if (!peek_line(lines, &line))
        return RT_OK;
    if (!next_line(lines, &line) || !starts_with(line, RT_STATEMENT_RECEIVED, &value) ||
        value.size != RT_STAMP_BYTES - 1 || memchr(value.data, 0, value.size) ||
        statement->signature_count == 0)
        return RT_MALFORMED;
    char stamp[RT_STAMP_BYTES];
    memcpy(stamp, value.data, value.size);
    stamp[value.size] = 0;
    if (rt_stamp_parse(stamp, &statement->received_ms))
        return RT_MALFORMED;
    statement->has_received = true;
    return RT_OK;
}

enum rt_status rt_statement_parse(struct rt_bytes bytes, struct rt_statement *ret_statement,
                                  size_t *ret_line)
{
    struct rt_statement *statement = ret_statement;
    if (ret_line)
        *ret_line = 0;
    if (bytes.size > RT_STATEMENT_MOST)
        return RT_TOO_LARGE;
    struct lines lines = {.bytes = bytes};
    statement->bytes = bytes;
    statement->has_received = false;
    statement->received_ms = 0;
    statement->signature_count = 0;
    enum rt_status status = parse_kind(&lines, &statement->kind);
    if (!status)
        status = parse_fields(&lines, statement);
    statement->body = rt_bytes(bytes.data, lines.at);
    if (!status)
        status = parse_signatures(&lines, statement);
    statement->unstamped = rt_bytes(bytes.data, lines.at);
    if (!status)
        status = parse_received(&lines, statement);
    if (!status && lines.at != bytes.size) {
        lines.number++;
        status = RT_MALFORMED;
    }
    if (status && ret_line)
        *ret_line = lines.number;
    return status;
}

enum rt_status rt_statement_parse_leaf(struct rt_bytes leaf, int64_t previous_ms,
                                       struct rt_statement *ret_statement, size_t *ret_line)
{
    enum rt_status status = rt_statement_parse(leaf, ret_statement, ret_line);
    if (status)
        return status;
    if (!ret_statement->has_received || ret_statement->kind == RT_STATEMENT_UNIT)
        return RT_MALFORMED;
    return ret_statement->received_ms < previous_ms ? RT_CONFLICT : RT_OK;
}
