// SPDX-License-Identifier: Apache-2.0
#include "proto/message.h"

#include "proto/msgpack.h"
#include "proto/schema_define.h"

const char *const rt_offer_state_words[RT_OFFER_STATE_COUNT + 1] = {
#define X(name, word) word,
    RT_OFFER_STATE_TABLE(X)
#undef X
        NULL,
};

const char *const rt_notice_kind_words[RT_NOTICE_KIND_COUNT + 1] = {
#define X(name, word) word,
    RT_NOTICE_KIND_TABLE(X)
#undef X
        NULL,
};

uint64_t rt_wire_status(enum rt_status status)
{
    static const uint8_t numbers[] = {
#define X(number, name) [RT_##name] = number,
        RT_WIRE_STATUS_TABLE(X)
#undef X
    };
    _Static_assert(sizeof numbers == RT_STATUS_COUNT, "every status has its wire number");
    RT_ASSERT((unsigned)status < RT_STATUS_COUNT);
    return numbers[status];
}

enum rt_status rt_status_of_wire(uint64_t number)
{
    switch (number) {
#define X(number, name)                                                                            \
    case number:                                                                                   \
        return RT_##name;
        RT_WIRE_STATUS_TABLE(X)
#undef X
    default:
        return RT_UNSUPPORTED;
    }
}

// ---- rules across fields

static enum rt_status check_hello(const void *record)
{
    const struct rt_message_hello *hello = record;
    return hello->version_least > hello->version_most ? RT_MALFORMED : RT_OK;
}

static void repair_hello(void *record)
{
    struct rt_message_hello *hello = record;
    if (hello->version_least > hello->version_most)
        hello->version_least = hello->version_most;
}

static enum rt_status check_pulse_unit(const void *record)
{
    const struct rt_pulse_unit *unit = record;
    return unit->done > unit->total ? RT_MALFORMED : RT_OK;
}

static void repair_pulse_unit(void *record)
{
    struct rt_pulse_unit *unit = record;
    if (unit->done > unit->total)
        unit->done = unit->total;
}

static enum rt_status check_part(const void *record)
{
    const struct rt_message_part *part = record;
    if (part->offset > part->total || part->data.size > part->total - part->offset)
        return RT_MALFORMED;
    return RT_OK;
}

static void repair_part(void *record)
{
    struct rt_message_part *part = record;
    part->offset >>= 1;
    if (part->total < part->offset + part->data.size)
        part->total = part->offset + part->data.size;
}

// ---- descriptors

RT_RECORD_DEFINE(rt_pulse_unit, "pulse unit", RT_SCHEMA_NO_LEAD, RT_PULSE_UNIT_FIELDS,
                 check_pulse_unit, repair_pulse_unit, "Progress of one unit. done <= total.")
RT_RECORD_DEFINE(rt_result_pair, "pair", RT_SCHEMA_NO_LEAD, RT_RESULT_PAIR_FIELDS, NULL, NULL,
                 "A unit as it was dealt, and the result that answers it.")

// What a message does is said in RT_MESSAGE_TABLE.
#define MESSAGE(NAME, name, CHECK, REPAIR)                                                         \
    RT_RECORD_DEFINE(rt_message_##name, #NAME, RT_MESSAGE_##NAME, RT_MESSAGE_##NAME##_FIELDS,      \
                     CHECK, REPAIR, NULL)
MESSAGE(HELLO, hello, check_hello, repair_hello)
MESSAGE(WELCOME, welcome, NULL, NULL)
MESSAGE(WANT, want, NULL, NULL)
MESSAGE(UNIT, unit, NULL, NULL)
MESSAGE(RESULT, result, NULL, NULL)
MESSAGE(RECEIPT, receipt, NULL, NULL)
MESSAGE(RETURN, give_back, NULL, NULL)
MESSAGE(PULSE, pulse, NULL, NULL)
MESSAGE(FETCH, fetch, NULL, NULL)
MESSAGE(PART, part, check_part, repair_part)
MESSAGE(SUBMIT, submit, NULL, NULL)
MESSAGE(OFFER, offer, NULL, NULL)
MESSAGE(NOTICE, notice, NULL, NULL)
MESSAGE(ADMIN, admin, NULL, NULL)
MESSAGE(REPLY, reply, NULL, NULL)
MESSAGE(ERROR, error, NULL, NULL)

const struct rt_schema *rt_message_schema(enum rt_message_type type)
{
    switch (type) {
#define X(NAME, name, code, sender, doc)                                                           \
    case RT_MESSAGE_##NAME:                                                                        \
        return rt_message_##name##_schema();
        RT_MESSAGE_TABLE(X)
#undef X
    }
    return NULL;
}

const char *rt_message_type_word(enum rt_message_type type)
{
    const struct rt_schema *schema = rt_message_schema(type);
    return schema ? schema->name : "?";
}

enum rt_status rt_message_encode(const struct rt_message *message, struct rt_buf *out,
                                 const char **ret_field)
{
    const struct rt_schema *schema = rt_message_schema(message->type);
    RT_ASSERT(schema);
    return rt_schema_encode(schema, &message->body, RT_PAYLOAD_MOST, out, ret_field);
}

enum rt_status rt_message_decode(struct rt_bytes frame, struct rt_arena *arena,
                                 struct rt_message *ret_message, const char **ret_field)
{
    ret_message->type = 0;
    if (ret_field)
        *ret_field = "";
    if (frame.size > RT_PAYLOAD_MOST)
        return RT_TOO_LARGE;
    struct rt_msgpack_reader reader;
    rt_msgpack_reader_init(&reader, frame);
    rt_msgpack_array(&reader);
    uint64_t code = rt_msgpack_u64(&reader);
    if (reader.failed)
        return reader.failed;
    const struct rt_schema *schema =
        code <= RT_MESSAGE_TYPE_MOST ? rt_message_schema((enum rt_message_type)code) : NULL;
    if (!schema)
        return RT_UNSUPPORTED;
    ret_message->type = (enum rt_message_type)code;
    return rt_schema_decode(schema, frame, arena, &ret_message->body, ret_field);
}

void rt_message_print(const struct rt_message *message, struct rt_buf *out)
{
    const struct rt_schema *schema = rt_message_schema(message->type);
    RT_ASSERT(schema);
    rt_schema_print(schema, &message->body, out);
}
