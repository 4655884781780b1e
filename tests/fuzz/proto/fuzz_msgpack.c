// SPDX-License-Identifier: Apache-2.0
// Bytes that our reader accepts are accepted by msgpack-c, and packing what it read gives the very
// same bytes: one value, one encoding. Bytes that ours refuses never reach msgpack-c.
#include <msgpack.h>

#include "proto/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Every accessor, in an order the input chooses.
static void read_anyhow(struct rt_bytes bytes)
{
    struct rt_msgpack_reader reader;
    rt_msgpack_reader_init(&reader, bytes);
    struct rt_bytes previous = {NULL, 0};
    for (size_t steps = 0; steps < 2000 && !reader.failed && reader.at < bytes.size; steps++) {
        switch (rt_msgpack_peek(&reader)) {
        case RT_MSGPACK_NIL:
            rt_msgpack_nil(&reader);
            break;
        case RT_MSGPACK_BOOL:
            rt_msgpack_bool(&reader);
            break;
        case RT_MSGPACK_UINT:
            rt_msgpack_u64(&reader);
            break;
        case RT_MSGPACK_INT:
            rt_msgpack_i64(&reader);
            break;
        case RT_MSGPACK_DOUBLE:
            rt_msgpack_double(&reader);
            break;
        case RT_MSGPACK_BIN:
            rt_msgpack_bin(&reader);
            break;
        case RT_MSGPACK_STR:
            if (steps % 2)
                rt_msgpack_str(&reader);
            else
                rt_msgpack_key(&reader, &previous);
            break;
        case RT_MSGPACK_ARRAY:
            rt_msgpack_array(&reader);
            break;
        case RT_MSGPACK_MAP:
            rt_msgpack_map(&reader);
            break;
        default:
            rt_msgpack_skip(&reader);
            RT_ASSERT(reader.failed);
        }
        RT_ASSERT(reader.at <= bytes.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_anyhow(rt_bytes(data, size));
    const char *reason = NULL;
    if (rt_msgpack_check(rt_bytes(data, size), &reason)) {
        RT_ASSERT(reason);
        return 0;
    }
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t offset = 0;
    int result = msgpack_unpack_next(&unpacked, (const char *)data, size, &offset);
    RT_ASSERT(result == MSGPACK_UNPACK_SUCCESS && offset == size);
    msgpack_sbuffer again;
    msgpack_sbuffer_init(&again);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &again, msgpack_sbuffer_write);
    RT_ASSERT(msgpack_pack_object(&packer, unpacked.data) == 0);
    RT_ASSERT(again.size == size && memcmp(again.data, data, size) == 0);
    msgpack_sbuffer_destroy(&again);
    msgpack_unpacked_destroy(&unpacked);
    return 0;
}
