// SPDX-License-Identifier: Apache-2.0
#include "proto/statement.h"

#include "common/crypto/note.h"
#include "proto/statement_table.h"

// ---- values

static void add_digest(struct rt_buf *out, const struct rt_digest *digest)
{
    char text[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(digest, text);
    rt_buf_add(out, text, RT_DIGEST_TEXT_BYTES - 1);
}

static void add_u64(struct rt_buf *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    rt_buf_add(out, digits + at, sizeof digits - at);
}

static enum rt_status add_seen(struct rt_buf *out, const struct rt_statement_seen *seen)
{
    if (!rt_note_name_valid(seen->origin))
        return RT_MALFORMED;
    rt_buf_add_bytes(out, seen->origin);
    rt_buf_add_u8(out, ' ');
    add_u64(out, seen->size);
    rt_buf_add_u8(out, ' ');
    rt_base64_add(out, seen->root.bytes, RT_DIGEST_BYTES);
    return RT_OK;
}

static enum rt_status add_text(struct rt_buf *out, struct rt_bytes text, bool valid)
{
    if (!valid)
        return RT_MALFORMED;
    rt_buf_add_bytes(out, text);
    return RT_OK;
}

static void add_word(struct rt_buf *out, const char *word)
{
    rt_buf_add_str(out, word);
    rt_buf_add_u8(out, ' ');
}

static enum rt_status add_value(struct rt_buf *out, const struct rt_statement *statement,
                                const struct rt_statement_field_entry *field)
{
    const void *member = (const uint8_t *)statement + field->offset;
    switch (field->form) {
    case RT_FORM_LINK:
        if (!statement->has_previous) {
            rt_buf_add_str(out, "none");
            return RT_OK;
        }
        add_digest(out, member);
        return RT_OK;
    case RT_FORM_DIGEST:
        add_digest(out, member);
        return RT_OK;
    case RT_FORM_NONCE: {
        char hex[2 * RT_DIGEST_BYTES + 1];
        rt_hex_encode(member, RT_DIGEST_BYTES, hex);
        rt_buf_add(out, hex, sizeof hex - 1);
        return RT_OK;
    }
    case RT_FORM_U64: {
        uint64_t value;
        memcpy(&value, member, sizeof value);
        add_u64(out, value);
        return RT_OK;
    }
    case RT_FORM_ACTION:
        if ((unsigned)statement->action >= RT_STATEMENT_ACTION_COUNT)
            return RT_OUT_OF_RANGE;
        rt_buf_add_str(out, rt_statement_action_word(statement->action));
        return RT_OK;
    case RT_FORM_SEEN:
        return add_seen(out, member);
    case RT_FORM_ID:
    case RT_FORM_TEXT: {
        struct rt_bytes text;
        memcpy(&text, member, sizeof text);
        bool id = field->form == RT_FORM_ID;
        return add_text(out, text,
                        id ? rt_statement_id_valid(text) : rt_statement_text_valid(text));
    }
    default:
        return RT_OUT_OF_RANGE;
    }
}

static enum rt_status add_pairs(struct rt_buf *out, const struct rt_statement *statement,
                                const char *word)
{
    if (statement->pair_count == 0 || statement->pair_count > RT_STATEMENT_PAIRS_MOST)
        return RT_OUT_OF_RANGE;
    for (size_t i = 0; i < statement->pair_count; i++) {
        add_word(out, word);
        add_digest(out, &statement->pairs[i].unit);
        rt_buf_add_u8(out, ' ');
        add_digest(out, &statement->pairs[i].result);
        rt_buf_add_u8(out, '\n');
    }
    return RT_OK;
}

// ---- making

static enum rt_status build(const struct rt_statement *statement, struct rt_buf *out)
{
    if ((unsigned)statement->kind >= RT_STATEMENT_KIND_COUNT)
        return RT_OUT_OF_RANGE;
    const struct rt_statement_kind_entry *kind = &rt_statement_kinds[statement->kind];
    rt_buf_add_str(out, RT_STATEMENT_MAGIC);
    rt_buf_add_str(out, kind->word);
    rt_buf_add_u8(out, '\n');
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct rt_statement_field_entry *field = &rt_statement_fields[kind->fields[i]];
        enum rt_status status;
        if (field->form == RT_FORM_PAIRS) {
            status = add_pairs(out, statement, field->word);
        } else {
            add_word(out, field->word);
            status = add_value(out, statement, field);
            rt_buf_add_u8(out, '\n');
        }
        if (status)
            return status;
    }
    return rt_buf_ok(out);
}

// Ends an append: on failure out is as it was before. No kind's text comes near the limit, so it is
// checked here once.
static enum rt_status finish(struct rt_buf *out, size_t before, enum rt_status status)
{
    if (!status)
        status = rt_buf_ok(out);
    if (!status && out->size - before > RT_STATEMENT_MOST)
        status = RT_TOO_LARGE;
    if (status) {
        out->failed = RT_OK;
        rt_buf_truncate(out, before);
    }
    return status;
}

enum rt_status rt_statement_build(const struct rt_statement *statement, struct rt_buf *out)
{
    if (out->failed)
        return out->failed;
    size_t before = out->size;
    return finish(out, before, build(statement, out));
}

static void add_signature(struct rt_buf *out, const char *key_id, const uint8_t *signature)
{
    char line[8 + RT_KEY_ID_BYTES + RT_BASE64_SIZE(RT_SIGNATURE_BYTES) + 2] = RT_STATEMENT_SIGNED;
    char *at = line + sizeof RT_STATEMENT_SIGNED - 1;
    memcpy(at, key_id, RT_KEY_ID_BYTES - 1);
    at += RT_KEY_ID_BYTES - 1;
    *at++ = ' ';
    rt_base64_encode(signature, RT_SIGNATURE_BYTES, at);
    at += RT_BASE64_SIZE(RT_SIGNATURE_BYTES);
    *at++ = '\n';
    rt_buf_add(out, line, (size_t)(at - line));
}

enum rt_status rt_statement_make(const struct rt_statement *statement,
                                 const struct rt_secret_key *key, struct rt_buf *out)
{
    if (out->failed)
        return out->failed;
    size_t before = out->size;
    enum rt_status status = build(statement, out);
    if (!status) {
        struct rt_bytes body = rt_bytes(out->data + before, out->size - before);
        uint8_t signature[RT_SIGNATURE_BYTES];
        status = rt_sign(key, rt_statement_type(statement->kind), body, signature);
        if (!status) {
            char key_id[RT_KEY_ID_BYTES];
            rt_key_id(rt_secret_key_public(key), key_id);
            add_signature(out, key_id, signature);
        }
    }
    return finish(out, before, status);
}

enum rt_status rt_statement_sign(struct rt_bytes text, const struct rt_secret_key *key,
                                 struct rt_buf *out)
{
    if (out->failed)
        return out->failed;
    struct rt_statement statement;
    enum rt_status status = rt_statement_parse(text, &statement, NULL);
    if (status)
        return status;
    if (statement.has_received)
        return RT_CONFLICT;
    if (statement.signature_count == RT_STATEMENT_SIGNATURES_MOST)
        return RT_TOO_LARGE;
    char key_id[RT_KEY_ID_BYTES];
    rt_key_id(rt_secret_key_public(key), key_id);
    size_t place = 0;
    for (; place < statement.signature_count; place++) {
        int order = strcmp(statement.signatures[place].key_id, key_id);
        if (order == 0)
            return RT_DUPLICATE;
        if (order > 0)
            break;
    }
    uint8_t signature[RT_SIGNATURE_BYTES];
    status = rt_sign(key, rt_statement_type(statement.kind), statement.body, signature);
    if (status)
        return status;
    size_t before = out->size;
    rt_buf_add_bytes(out, statement.body);
    for (size_t i = 0; i <= statement.signature_count; i++) {
        if (i == place)
            add_signature(out, key_id, signature);
        if (i < statement.signature_count)
            add_signature(out, statement.signatures[i].key_id, statement.signatures[i].bytes);
    }
    return finish(out, before, RT_OK);
}

enum rt_status rt_statement_leaf(const struct rt_statement *statement, int64_t received_ms,
                                 struct rt_buf *out)
{
    if (out->failed)
        return out->failed;
    if (statement->has_received || statement->signature_count == 0)
        return RT_CONFLICT;
    if (received_ms < 0 || received_ms > INT64_C(253402300799999))
        return RT_OUT_OF_RANGE;
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(received_ms, stamp);
    size_t before = out->size;
    rt_buf_add_bytes(out, statement->bytes);
    rt_buf_add_str(out, RT_STATEMENT_RECEIVED);
    rt_buf_add_str(out, stamp);
    rt_buf_add_u8(out, '\n');
    return finish(out, before, RT_OK);
}

void rt_statement_digest(const struct rt_statement *statement, struct rt_digest *ret_digest)
{
    rt_sha256(statement->body, ret_digest);
}
