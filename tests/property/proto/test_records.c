// SPDX-License-Identifier: Apache-2.0
// For every message and object the tables declare: what is decoded is what was encoded; no cut
// decodes; and whatever one changed bit leaves decodable encodes to those very bytes.
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/message.h"
#include "proto/msgpack.h"
#include "proto/object.h"
#include "proto/object_incident.h"
#include "proto/object_rating.h"
#include "proto/schema_member.h"
#include "proto/schema_random.h"

enum { SCHEMAS = RT_MESSAGE_TYPE_MOST + 5, ROUNDS = 300, FLIP_ROUNDS = 12 };

union record {
    struct rt_message message;
    struct rt_object_unit unit;
    struct rt_object_result result;
    struct rt_object_fingerprint fingerprint;
    struct rt_object_rating rating;
    struct rt_object_incident incident;
};

static const struct rt_schema *schema_at(int index)
{
    if (index < RT_MESSAGE_TYPE_MOST)
        return rt_message_schema((enum rt_message_type)(index + 1));
    return index == RT_MESSAGE_TYPE_MOST       ? rt_object_unit_schema()
           : index == RT_MESSAGE_TYPE_MOST + 1 ? rt_object_result_schema()
           : index == RT_MESSAGE_TYPE_MOST + 2 ? rt_object_fingerprint_schema()
           : index == RT_MESSAGE_TYPE_MOST + 3 ? rt_object_rating_schema()
                                               : rt_object_incident_schema();
}

static bool same(const struct rt_schema *schema, const void *a, const void *b);

static bool same_items(const struct rt_field *field, const void *a, const void *b)
{
    size_t count = rt_member_count(field, a);
    if (count != rt_member_count(field, b))
        return false;
    size_t each = rt_member_item_size(field);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *left = rt_member_items(field, a) + i * each;
        const uint8_t *right = rt_member_items(field, b) + i * each;
        struct rt_bytes bytes[2];
        if (field->kind == RT_FIELD_DIGESTS) {
            if (memcmp(left, right, each) != 0)
                return false;
        } else if (field->kind == RT_FIELD_BLOBS) {
            memcpy(&bytes[0], left, each);
            memcpy(&bytes[1], right, each);
            if (!rt_bytes_equal(bytes[0], bytes[1]))
                return false;
        } else if (!same(field->item(), left, right)) {
            return false;
        }
    }
    return true;
}

static bool same(const struct rt_schema *schema, const void *a, const void *b)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct rt_field *field = &schema->fields[i];
        bool equal;
        switch (field->kind) {
        case RT_FIELD_FIXED:
            equal = memcmp(rt_member(field, a), rt_member(field, b), field->size) == 0;
            break;
        case RT_FIELD_BYTES:
        case RT_FIELD_MAYBE:
        case RT_FIELD_STR:
        case RT_FIELD_BODY:
            equal = rt_bytes_equal(rt_member_bytes(field, a), rt_member_bytes(field, b));
            break;
        case RT_FIELD_LIST:
        case RT_FIELD_SORTED:
        case RT_FIELD_DIGESTS:
        case RT_FIELD_BLOBS:
            equal = same_items(field, a, b);
            break;
        default:
            equal = rt_member_number(field, a) == rt_member_number(field, b);
        }
        if (!equal)
            return false;
    }
    return true;
}

// Random records of every kind, of a few bytes or of many, encoded into out.
static void make(const struct rt_schema *schema, uint64_t seed, struct rt_arena *arena,
                 union record *record, struct rt_buf *out)
{
    struct rt_random random = {seed};
    size_t bulk = rt_random_below(&random, 6) ? 24 : 2000;
    rt_arena_clear(arena);
    rt_buf_clear(out);
    const char *field = "";
    if (rt_schema_random(schema, &random, bulk, arena, record))
        fail_msg("%s, seed %" PRIu64 ": no record", schema->name, seed);
    enum rt_status status = rt_schema_encode(schema, record, RT_PAYLOAD_MOST, out, &field);
    if (status)
        fail_msg("%s, seed %" PRIu64 ": %s: %s", schema->name, seed, field, rt_status_text(status));
}

static void test_round_trip(void **state)
{
    (void)state;
    struct rt_arena made, read;
    struct rt_buf out, again;
    rt_arena_init(&made, 64 << 20);
    rt_arena_init(&read, 64 << 20);
    rt_buf_init(&out, 64 << 20);
    rt_buf_init(&again, 64 << 20);
    for (int i = 0; i < SCHEMAS; i++) {
        for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
            union record record, decoded;
            make(schema_at(i), seed, &made, &record, &out);
            assert_int_equal(rt_msgpack_check(rt_buf_bytes(&out), NULL), RT_OK);
            rt_arena_clear(&read);
            memset(&decoded, 0xee, sizeof decoded);
            enum rt_status status =
                rt_schema_decode(schema_at(i), rt_buf_bytes(&out), &read, &decoded, NULL);
            if (status || !same(schema_at(i), &record, &decoded))
                fail_msg("%s, seed %" PRIu64, schema_at(i)->name, seed);
            rt_buf_clear(&again);
            assert_int_equal(
                rt_schema_encode(schema_at(i), &decoded, RT_PAYLOAD_MOST, &again, NULL), RT_OK);
            assert_true(rt_bytes_equal(rt_buf_bytes(&out), rt_buf_bytes(&again)));
        }
    }
    rt_arena_release(&made);
    rt_arena_release(&read);
    rt_buf_release(&out);
    rt_buf_release(&again);
}

// Decodes an exact-size copy, so that a sanitizer sees a read past the end. True when it decoded;
// it must then encode to the same bytes.
static bool survives(const struct rt_schema *schema, const uint8_t *data, size_t size,
                     struct rt_arena *arena, struct rt_buf *again)
{
    union record decoded;
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    rt_arena_clear(arena);
    bool decoded_well =
        rt_schema_decode(schema, rt_bytes(copy, size), arena, &decoded, NULL) == RT_OK;
    if (decoded_well) {
        rt_buf_clear(again);
        if (rt_schema_encode(schema, &decoded, RT_PAYLOAD_MOST, again, NULL) ||
            !rt_bytes_equal(rt_bytes(copy, size), rt_buf_bytes(again)))
            fail_msg("%s: decoded what it would not encode", schema->name);
    }
    free(copy);
    return decoded_well;
}

static void test_cuts_and_flips(void **state)
{
    (void)state;
    struct rt_arena made, read;
    struct rt_buf out, again;
    rt_arena_init(&made, 64 << 20);
    rt_arena_init(&read, 64 << 20);
    rt_buf_init(&out, 64 << 20);
    rt_buf_init(&again, 64 << 20);
    size_t flips = 0, survived = 0;
    for (int i = 0; i < SCHEMAS; i++) {
        const struct rt_schema *schema = schema_at(i);
        for (uint64_t seed = 1; seed <= FLIP_ROUNDS; seed++) {
            union record record;
            make(schema, seed, &made, &record, &out);
            size_t step = out.size > 1500 ? out.size / 750 : 1;
            for (size_t at = 0; at < out.size; at += step) {
                if (survives(schema, out.data, at, &read, &again))
                    fail_msg("%s, seed %" PRIu64 ": a cut at %zu decodes", schema->name, seed, at);
                for (int bit = 0; bit < 8; bit++, flips++) {
                    out.data[at] ^= (uint8_t)(1 << bit);
                    survived += survives(schema, out.data, out.size, &read, &again);
                    out.data[at] ^= (uint8_t)(1 << bit);
                }
            }
        }
    }
    print_message("%zu changed bits, %zu still decode\n", flips, survived);
    assert_true(survived > 0 && survived < flips);
    rt_arena_release(&made);
    rt_arena_release(&read);
    rt_buf_release(&out);
    rt_buf_release(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_cuts_and_flips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
