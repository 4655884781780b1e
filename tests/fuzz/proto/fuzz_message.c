// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the decoder: 0 a message, 1 to 5 a unit, result, fingerprint, rating
// or incident object.
// What decodes must encode to the same bytes and print without a control character.
#include "proto/message.h"
#include "proto/object.h"
#include "proto/object_incident.h"
#include "proto/object_rating.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printed(const struct rt_buf *text)
{
    RT_ASSERT(text->failed == RT_OK);
    for (size_t i = 0; i < text->size; i++)
        RT_ASSERT(text->data[i] >= 0x20 && text->data[i] != 0x7f);
}

static void try_message(struct rt_bytes frame, struct rt_arena *arena, struct rt_buf *out)
{
    struct rt_message message;
    const char *field = NULL;
    if (rt_message_decode(frame, arena, &message, &field)) {
        RT_ASSERT(field);
        return;
    }
    RT_ASSERT(rt_message_encode(&message, out, NULL) == RT_OK);
    RT_ASSERT(rt_bytes_equal(frame, rt_buf_bytes(out)));
    rt_buf_clear(out);
    rt_message_print(&message, out);
    check_printed(out);
}

static void try_object(const struct rt_schema *schema, struct rt_bytes bytes,
                       struct rt_arena *arena, struct rt_buf *out)
{
    union {
        struct rt_object_unit unit;
        struct rt_object_result result;
        struct rt_object_fingerprint fingerprint;
        struct rt_object_rating rating;
        struct rt_object_incident incident;
    } object;
    if (rt_schema_decode(schema, bytes, arena, &object, NULL))
        return;
    RT_ASSERT(rt_schema_encode(schema, &object, RT_PAYLOAD_MOST, out, NULL) == RT_OK);
    RT_ASSERT(rt_bytes_equal(bytes, rt_buf_bytes(out)));
    rt_buf_clear(out);
    rt_schema_print(schema, &object, out);
    check_printed(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct rt_bytes bytes = rt_bytes(data + 1, size - 1);
    struct rt_arena arena;
    struct rt_buf out;
    rt_arena_init(&arena, 4 << 20);
    rt_buf_init(&out, 4 << 20);
    switch (data[0]) {
    case 0:
        try_message(bytes, &arena, &out);
        break;
    case 1:
        try_object(rt_object_unit_schema(), bytes, &arena, &out);
        break;
    case 2:
        try_object(rt_object_result_schema(), bytes, &arena, &out);
        break;
    case 3:
        try_object(rt_object_fingerprint_schema(), bytes, &arena, &out);
        break;
    case 4:
        try_object(rt_object_rating_schema(), bytes, &arena, &out);
        break;
    case 5:
        try_object(rt_object_incident_schema(), bytes, &arena, &out);
        break;
    default:
        break;
    }
    rt_buf_release(&out);
    rt_arena_release(&arena);
    return 0;
}
