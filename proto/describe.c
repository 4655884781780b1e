// SPDX-License-Identifier: Apache-2.0
#include "proto/describe.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/counting.h"
#include "proto/message.h"
#include "proto/msgpack.h"
#include "proto/object.h"
#include "proto/object_incident.h"
#include "proto/object_rating.h"
#include "proto/statement_table.h"

// ---- fields

static void add_bound(struct rt_buf *out, uint64_t bound)
{
    if (bound == INT64_MAX)
        rt_buf_add_str(out, "2^63-1");
    else
        rt_buf_printf(out, "%" PRIu64, bound);
}

static void add_range(struct rt_buf *out, const struct rt_field *field, const char *unit)
{
    if (field->least < 0)
        rt_buf_printf(out, "%" PRId64, field->least);
    else
        add_bound(out, (uint64_t)field->least);
    rt_buf_add_str(out, " to ");
    add_bound(out, field->most);
    rt_buf_add_str(out, unit);
}

// The wire type, and the limits in its words.
static void add_type(struct rt_buf *out, const struct rt_field *field)
{
    switch (field->kind) {
    case RT_FIELD_U64:
    case RT_FIELD_I64:
        rt_buf_add_str(out, "int, ");
        add_range(out, field, "");
        break;
    case RT_FIELD_TIME:
        rt_buf_add_str(out, "time");
        break;
    case RT_FIELD_BOOL:
        rt_buf_add_str(out, "bool");
        break;
    case RT_FIELD_ENUM:
        rt_buf_add_str(out, "int:");
        for (size_t i = 0; field->words[i]; i++)
            rt_buf_printf(out, "%s %zu %s", i ? "," : "", i, field->words[i]);
        break;
    case RT_FIELD_FIXED:
        rt_buf_printf(out, "bin, %" PRIu32 " bytes", field->size);
        break;
    case RT_FIELD_MAYBE:
        rt_buf_printf(out, "bin, 0 or %" PRIu64 " bytes", field->most);
        break;
    case RT_FIELD_BYTES:
        rt_buf_add_str(out, "bin, ");
        add_range(out, field, " bytes");
        break;
    case RT_FIELD_STR:
        rt_buf_add_str(out, "str, ");
        add_range(out, field, " bytes, no control characters");
        break;
    case RT_FIELD_BODY:
        rt_buf_add_str(out, "str, ");
        add_range(out, field, " bytes, never logged");
        break;
    case RT_FIELD_LIST:
    case RT_FIELD_SORTED:
        rt_buf_add_str(out, "array of ");
        add_range(out, field, "");
        rt_buf_printf(out, " *%s*%s", field->item()->name,
                      field->kind == RT_FIELD_SORTED ? ", strictly ascending by the first field"
                                                     : "");
        break;
    case RT_FIELD_DIGESTS:
        rt_buf_add_str(out, "array of ");
        add_range(out, field, " bin, 32 bytes each");
        break;
    default:
        rt_buf_add_str(out, "array of ");
        add_range(out, field, " bin, none empty");
    }
}

static void add_fields(struct rt_buf *out, const struct rt_schema *schema)
{
    rt_buf_add_str(out, "| # | field | type | meaning |\n|---|---|---|---|\n");
    size_t position = 0;
    if (schema->lead != RT_SCHEMA_NO_LEAD)
        rt_buf_printf(out, "| %zu | | int | %d |\n", position++, schema->lead);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct rt_field *field = &schema->fields[i];
        rt_buf_printf(out, "| %zu | `%s` | ", position++, field->name);
        add_type(out, field);
        rt_buf_printf(out, " | %s |\n", field->doc);
    }
    rt_buf_add_u8(out, '\n');
}

static void add_record(struct rt_buf *out, const struct rt_schema *schema)
{
    rt_buf_printf(out, "### %s\n\n%s\n\n", schema->name, schema->doc);
    add_fields(out, schema);
}

// ---- PROTOCOL.md

static const char introduction[] =
    "# Protocol\n\n"
    "Everything that crosses a boundary between programs, printed from the tables in "
    "`proto/` by `proto-describe protocol`; a test holds this page to them. It is what an "
    "independent implementation needs.\n\n"
    "## Encoding\n\n"
    "One frame is one message: a MessagePack array `[type, fields…]` of at most 1,000,000 "
    "bytes. An object is a MessagePack array `[version, fields…]` named by the SHA-256 of "
    "exactly its bytes. A record inside either is an array of its fields. Arity is exact "
    "and nothing follows the value.\n\n"
    "One value has one encoding, so bytes can be signed and compared: integers, lengths "
    "and counts in their shortest form, non-negative integers in the unsigned forms, "
    "floats as float64 and neither NaN, infinite nor −0, `str` in valid UTF-8 without "
    "NUL, map keys `str` in strictly ascending byte order, no ext types, depth at most "
    "16, and no count that the bytes left cannot hold. Anything else is refused.\n\n"
    "*time* is an int: milliseconds since 1970-01-01T00:00:00Z, up to the year 9999.\n\n";

static void add_messages(struct rt_buf *out)
{
    rt_buf_add_str(out, "## Messages\n\n| type | message | from | what it does |\n"
                        "|---|---|---|---|\n");
#define X(NAME, name, code, sender, doc)                                                           \
    rt_buf_printf(out, "| %d | %s | %s | %s |\n", code, #NAME, sender, doc);
    RT_MESSAGE_TABLE(X)
#undef X
    rt_buf_add_u8(out, '\n');
#define X(NAME, name, code, sender, doc)                                                           \
    rt_buf_printf(out, "### %s\n\n%s\n\n", #NAME, doc);                                            \
    add_fields(out, rt_message_##name##_schema());
    RT_MESSAGE_TABLE(X)
#undef X
    rt_buf_add_str(out, "## Records inside messages\n\n");
    add_record(out, rt_result_pair_schema());
    add_record(out, rt_pulse_unit_schema());
}

static void add_objects(struct rt_buf *out)
{
    rt_buf_add_str(out, "## Objects\n\n");
#define X(NAME, name, most_bytes)                                                                  \
    add_record(out, rt_object_##name##_schema());                                                  \
    rt_buf_printf(out, "At most %d bytes.\n\n", most_bytes);
    RT_OBJECT_TABLE(X)
#undef X
    add_record(out, rt_object_rating_schema());
    add_record(out, rt_object_incident_schema());
    rt_buf_printf(out, "At most %d bytes.\n\n", RT_RATING_MOST);
    rt_buf_add_str(out, "## Records inside objects\n\n");
    add_record(out, rt_unit_run_schema());
    add_record(out, rt_trial_result_schema());
    add_record(out, rt_named_value_schema());
    add_record(out, rt_object_identity_schema());
    add_record(out, rt_rated_trial_schema());
    add_record(out, rt_fingerprint_part_schema());
}

static const char counting_text[] =
    "\n## Trial status and what counts\n\n"
    "For each lab and trial, the first result in log order with a final status and "
    "received by its unit's `accept_until` counts; failing one, the last `error` or "
    "`timeout` received by its own. A result received later changes nothing. Everything "
    "else about the trial is a duplicate, reported and never added.\n\n"
    "A `rating` adds another rater's label to a trial's result and changes nothing of it. It names "
    "the leaf of the result and the transcript it read; the result must be one that counts. A "
    "rater's first label of a trial in log order counts, every later one is a duplicate. Raters of "
    "a campaign are numbered in log order from 1 on (`rules` is 0).\n\n";

static void add_statuses(struct rt_buf *out)
{
    rt_buf_add_str(out, "## Wire status\n\nThe numbers of ERROR and REPLY. They never change.\n\n"
                        "| number | status | text |\n|---|---|---|\n");
#define X(number, name)                                                                            \
    rt_buf_printf(out, "| %d | %s | %s |\n", number, #name, rt_status_text(RT_##name));
    RT_WIRE_STATUS_TABLE(X)
#undef X
    rt_buf_add_str(out, counting_text);
    rt_buf_add_str(out, "| number | status | final | in the denominator | missing | retried |\n"
                        "|---|---|---|---|---|---|\n");
    for (int i = 0; i < RT_TRIAL_STATUS_COUNT; i++) {
        struct rt_trial_status_flags flags = rt_trial_status_flags((enum rt_trial_status)i);
        rt_buf_printf(out, "| %d | `%s` | %s | %s | %s | %s |\n", i, rt_trial_status_words[i],
                      flags.final ? "yes" : "no", flags.denominator ? "yes" : "no",
                      flags.missing ? "yes" : "no", flags.retry ? "yes" : "no");
    }
}

static const char *const form_words[] = {
    [RT_FORM_DIGEST] = "`sha256:` and 64 lower-case hex digits",
    [RT_FORM_LINK] = "a digest, or `none`",
    [RT_FORM_ID] = "an id, `[a-z0-9][a-z0-9._-]{0,63}`",
    [RT_FORM_U64] = "decimal without leading zeros, below 2^64",
    [RT_FORM_ACTION] = "`start`, `pause`, `resume`, `cancel` or `close`",
    [RT_FORM_SEEN] = "origin, size and base64 root of a checkpoint, between single blanks",
    [RT_FORM_NONCE] = "64 lower-case hex digits",
    [RT_FORM_PAIRS] = "two digests with a blank between; 1 to 64 such lines",
    [RT_FORM_TEXT] = "1 to 200 bytes of printable UTF-8, no blank at either end",
};

static const char statement_text[] =
    "\n## Statements\n\n"
    "```\nringtrial/v1 <kind>\n<field> <value>\nsigned <key id> <base64 of 64 bytes>\n"
    "received <YYYY-MM-DDTHH:MM:SS.mmmZ>\n```\n\n"
    "UTF-8, LF after every line and no other control character, at most 65,535 bytes. The "
    "kind's fields, all of them, in the order given, one a line with one blank between; "
    "then up to 32 `signed` lines strictly ascending by key id; then, in a leaf, one "
    "`received` line, never earlier than the leaf's before. No other line.\n\n"
    "Signed are all bytes before the first `signed` line, with Ed25519 over the DSSE v1 "
    "pre-authentication encoding under the type `application/vnd.ringtrial.<kind>.v1`. "
    "SHA-256 of the same bytes is the statement's digest. A key id is the first 8 bytes "
    "of SHA-256(public key) in lower-case hex. Base64 is the standard alphabet, padded, "
    "unused bits zero. The leaf is the whole text.\n\n";

static void add_statements(struct rt_buf *out)
{
    rt_buf_add_str(out, statement_text);
    rt_buf_add_str(out, "| kind | signed by | what it says |\n|---|---|---|\n");
    for (int i = 0; i < RT_STATEMENT_KIND_COUNT; i++)
        rt_buf_printf(out, "| `%s` | %s | %s |\n", rt_statement_kinds[i].word,
                      rt_statement_rule_words[rt_statement_kinds[i].rule],
                      rt_statement_kinds[i].doc);
    for (int i = 0; i < RT_STATEMENT_KIND_COUNT; i++) {
        const struct rt_statement_kind_entry *kind = &rt_statement_kinds[i];
        rt_buf_printf(out, "\n### %s\n\n| field | value | meaning |\n|---|---|---|\n", kind->word);
        for (size_t j = 0; j < kind->field_count; j++) {
            const struct rt_statement_field_entry *field = &rt_statement_fields[kind->fields[j]];
            rt_buf_printf(out, "| `%s` | %s | %s |\n", field->word, form_words[field->form],
                          field->doc);
        }
    }
}

void rt_describe_protocol(struct rt_buf *out)
{
    rt_buf_add_str(out, introduction);
    add_messages(out);
    add_objects(out);
    add_statuses(out);
    add_statements(out);
}

// ---- the fuzzers' dictionary

static void add_entry(struct rt_buf *out, struct rt_bytes bytes)
{
    rt_buf_add_u8(out, '"');
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = bytes.data[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\')
            rt_buf_add_u8(out, byte);
        else
            rt_buf_printf(out, "\\x%02x", byte);
    }
    rt_buf_add_str(out, "\"\n");
}

// The head of a record: its array and what leads it.
static void add_head(struct rt_buf *out, const struct rt_schema *schema)
{
    struct rt_buf head;
    rt_buf_init(&head, 32);
    bool led = schema->lead != RT_SCHEMA_NO_LEAD;
    rt_msgpack_put_array(&head, schema->field_count + led);
    if (led)
        rt_msgpack_put_u64(&head, (uint64_t)schema->lead);
    add_entry(out, rt_buf_bytes(&head));
    rt_buf_release(&head);
}

void rt_describe_dictionary(struct rt_buf *out)
{
    rt_buf_add_str(out, "# Printed by `proto-describe dictionary` from the tables in proto/.\n");
#define X(NAME, name, code, sender, doc) add_head(out, rt_message_##name##_schema());
    RT_MESSAGE_TABLE(X)
#undef X
#define X(NAME, name, most_bytes) add_head(out, rt_object_##name##_schema());
    RT_OBJECT_TABLE(X)
#undef X
    add_head(out, rt_object_rating_schema());
    add_head(out, rt_result_pair_schema());
    add_head(out, rt_pulse_unit_schema());
    add_head(out, rt_unit_run_schema());
    add_head(out, rt_trial_result_schema());
    static const char *const words[] = {
        "\xc4\x10", "\xc4\x20", "\xc5", "\xc6", "\xcc", "\xcd", "\xce",    "\xcf",  "\xd0",
        "\xd3",     "\xd9",     "\xda", "\xdc", "\xdd", "\xde", "sha256:", " none", "\n",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        add_entry(out, rt_bytes_str(words[i]));
    for (int i = 0; i < RT_STATEMENT_KIND_COUNT; i++) {
        char line[64];
        int size =
            snprintf(line, sizeof line, "%s%s\n", RT_STATEMENT_MAGIC, rt_statement_kinds[i].word);
        add_entry(out, rt_bytes(line, (size_t)size));
    }
    for (int i = 0; i < RT_STATEMENT_FIELD_COUNT; i++) {
        char word[64];
        int size = snprintf(word, sizeof word, "\n%s ", rt_statement_fields[i].word);
        add_entry(out, rt_bytes(word, (size_t)size));
    }
    add_entry(out, rt_bytes_str("\n" RT_STATEMENT_SIGNED));
    add_entry(out, rt_bytes_str("\n" RT_STATEMENT_RECEIVED));
}
