// SPDX-License-Identifier: Apache-2.0
#include "proto/schema_random.h"

#include <stdlib.h>

#include "proto/schema_member.h"

// SplitMix64 (Steele, Lea and Flood 2014).
uint64_t rt_random_next(struct rt_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t rt_random_below(struct rt_random *random, uint64_t below)
{
    return rt_random_next(random) % below;
}

// Within least to most (both inclusive, as offsets from least): an end, next to a power of two,
// where encodings change their width, or anywhere.
static uint64_t edgy(struct rt_random *random, uint64_t span)
{
    uint64_t value = rt_random_next(random);
    switch (rt_random_below(random, 6)) {
    case 0:
        return 0;
    case 1:
        return span;
    case 2:
    case 3:
        value = (UINT64_C(1) << rt_random_below(random, 64)) - rt_random_below(random, 2);
        break;
    case 4:
        value >>= rt_random_below(random, 64);
        break;
    default:
        break;
    }
    return span == UINT64_MAX ? value : value % (span + 1);
}

static size_t size_of(const struct rt_field *field, struct rt_random *random, size_t bulk_most)
{
    uint64_t least = (uint64_t)field->least;
    uint64_t most = field->most < bulk_most ? field->most : bulk_most;
    return most > least ? least + edgy(random, most - least) : least;
}

// One character that fits in left bytes; its size.
static size_t put_character(struct rt_random *random, uint8_t *at, size_t left, bool body)
{
    static const char *const wide[] = {"é", "ß", "€", "語", "𝄞", "😀"};
    const char *character = wide[rt_random_below(random, sizeof wide / sizeof *wide)];
    size_t size = strlen(character);
    if (size <= left && rt_random_below(random, 4) == 0) {
        memcpy(at, character, size);
        return size;
    }
    *at = (uint8_t)(' ' + rt_random_below(random, 95));
    if (body && rt_random_below(random, 16) == 0)
        *at = '\n';
    return 1;
}

static enum rt_status random_bytes(const struct rt_field *field, struct rt_random *random,
                                   size_t bulk_most, struct rt_arena *arena, void *record)
{
    size_t size = size_of(field, random, bulk_most);
    if (field->kind == RT_FIELD_MAYBE)
        size = rt_random_below(random, 2) ? field->most : 0;
    uint8_t *data = rt_arena_alloc(arena, size + 1);
    if (!data)
        return RT_NO_MEMORY;
    bool text = field->kind == RT_FIELD_STR || field->kind == RT_FIELD_BODY;
    for (size_t at = 0; at < size;) {
        if (text)
            at += put_character(random, data + at, size - at, field->kind == RT_FIELD_BODY);
        else
            data[at++] = (uint8_t)rt_random_next(random);
    }
    struct rt_bytes bytes = rt_bytes(data, size);
    memcpy((uint8_t *)record + field->offset, &bytes, sizeof bytes);
    return RT_OK;
}

static int by_first_text(const void *a, const void *b)
{
    struct rt_bytes left, right; // a SORTED item begins with its key
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return rt_bytes_compare(left, right);
}

// Sorts and drops repeats; the new count.
static size_t sort_items(uint8_t *items, size_t count, size_t each)
{
    qsort(items, count, each, by_first_text);
    size_t kept = count ? 1 : 0;
    for (size_t i = 1; i < count; i++)
        if (by_first_text(items + (kept - 1) * each, items + i * each) != 0)
            memmove(items + kept++ * each, items + i * each, each);
    return kept;
}

static enum rt_status random_list(const struct rt_field *field, struct rt_random *random,
                                  size_t bulk_most, struct rt_arena *arena, void *record)
{
    // Long lists are rare, or everything would be one.
    size_t count = size_of(field, random, rt_random_below(random, 8) ? 5 : bulk_most);
    size_t each = rt_member_item_size(field);
    uint8_t *items = rt_arena_array(arena, count + 1, each);
    if (!items)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        uint8_t *item = items + i * each;
        if (field->kind == RT_FIELD_DIGESTS) {
            for (size_t j = 0; j < each; j++)
                item[j] = (uint8_t)rt_random_next(random);
        } else if (field->kind == RT_FIELD_BLOBS) {
            static const struct rt_field blob = {.kind = RT_FIELD_BYTES, .least = 1, .most = 4096};
            enum rt_status status = random_bytes(&blob, random, bulk_most, arena, item);
            if (status)
                return status;
        } else {
            enum rt_status status = rt_schema_random(field->item(), random, bulk_most, arena, item);
            if (status)
                return status;
        }
    }
    if (field->kind == RT_FIELD_SORTED)
        count = sort_items(items, count, each);
    memcpy((uint8_t *)record + field->offset, &items, sizeof items);
    memcpy((uint8_t *)record + field->count_offset, &count, sizeof count);
    return RT_OK;
}

static enum rt_status random_field(const struct rt_field *field, struct rt_random *random,
                                   size_t bulk_most, struct rt_arena *arena, void *record)
{
    uint8_t *member = (uint8_t *)record + field->offset;
    switch (field->kind) {
    case RT_FIELD_U64:
    case RT_FIELD_I64:
    case RT_FIELD_TIME: {
        uint64_t least = (uint64_t)field->least;
        uint64_t value = least + edgy(random, field->most - least);
        memcpy(member, &value, sizeof value);
        return RT_OK;
    }
    case RT_FIELD_BOOL: {
        bool value = rt_random_below(random, 2);
        memcpy(member, &value, sizeof value);
        return RT_OK;
    }
    case RT_FIELD_ENUM: {
        unsigned value = (unsigned)rt_random_below(random, field->most + 1);
        memcpy(member, &value, sizeof value);
        return RT_OK;
    }
    case RT_FIELD_FIXED:
        for (size_t i = 0; i < field->size; i++)
            member[i] = (uint8_t)rt_random_next(random);
        return RT_OK;
    case RT_FIELD_BYTES:
    case RT_FIELD_MAYBE:
    case RT_FIELD_STR:
    case RT_FIELD_BODY:
        return random_bytes(field, random, bulk_most, arena, record);
    default:
        return random_list(field, random, bulk_most, arena, record);
    }
}

enum rt_status rt_schema_random(const struct rt_schema *schema, struct rt_random *random,
                                size_t bulk_most, struct rt_arena *arena, void *ret_record)
{
    memset(ret_record, 0, schema->struct_size);
    for (size_t i = 0; i < schema->field_count; i++) {
        enum rt_status status =
            random_field(&schema->fields[i], random, bulk_most, arena, ret_record);
        if (status)
            return status;
    }
    if (schema->repair)
        schema->repair(ret_record);
    return RT_OK;
}
