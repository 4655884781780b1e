// SPDX-License-Identifier: Apache-2.0
// Random values through our writer, our reader and msgpack-c: all three agree on every byte, and no
// changed bit makes ours accept what msgpack-c reads or writes otherwise.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <msgpack.h>

#include "proto/msgpack.h"
#include "proto/schema_random.h"

static void put_random(struct rt_random *random, unsigned depth, struct rt_buf *out)
{
    uint64_t value = rt_random_next(random) >> rt_random_below(random, 64);
    uint8_t bytes[300];
    size_t size = value % (rt_random_below(random, 8) ? 40 : sizeof bytes);
    size_t count = rt_random_below(random, 6) ? value % 4 : value % 20;
    switch (rt_random_below(random, depth ? 9 : 7)) {
    case 0:
        rt_msgpack_put_nil(out);
        break;
    case 1:
        rt_msgpack_put_bool(out, value & 1);
        break;
    case 2:
        rt_msgpack_put_u64(out, value);
        break;
    case 3:
        rt_msgpack_put_i64(out, -(int64_t)(value >> 1));
        break;
    case 4:
        rt_msgpack_put_double(out, (double)value / 3);
        break;
    case 5:
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)rt_random_next(random);
        rt_msgpack_put_bin(out, rt_bytes(bytes, size));
        break;
    case 6:
        memset(bytes, 'a' + (int)(value % 26), size);
        rt_msgpack_put_str(out, rt_bytes(bytes, size));
        break;
    case 7:
        rt_msgpack_put_array(out, count);
        for (size_t i = 0; i < count; i++)
            put_random(random, depth - 1, out);
        break;
    default:
        rt_msgpack_put_map(out, count);
        for (size_t i = 0; i < count; i++) {
            char name[3] = {(char)('a' + i), i % 2 ? 'x' : 0, 0};
            rt_msgpack_put_str(out, rt_bytes_str(name));
            put_random(random, depth - 1, out);
        }
    }
}

// What msgpack-c reads and packs again is what it was given.
static bool oracle(const uint8_t *data, size_t size)
{
    msgpack_unpacked unpacked;
    msgpack_sbuffer again;
    msgpack_packer packer;
    msgpack_unpacked_init(&unpacked);
    msgpack_sbuffer_init(&again);
    msgpack_packer_init(&packer, &again, msgpack_sbuffer_write);
    size_t offset = 0;
    bool same = msgpack_unpack_next(&unpacked, (const char *)data, size, &offset) ==
                    MSGPACK_UNPACK_SUCCESS &&
                offset == size && msgpack_pack_object(&packer, unpacked.data) == 0 &&
                again.size == size && memcmp(again.data, data, size) == 0;
    msgpack_sbuffer_destroy(&again);
    msgpack_unpacked_destroy(&unpacked);
    return same;
}

static void test_oracle(void **state)
{
    (void)state;
    struct rt_buf out;
    rt_buf_init(&out, 1 << 24);
    size_t values = 0, accepted = 0, flips = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        struct rt_random random = {seed};
        rt_buf_clear(&out);
        put_random(&random, 4, &out);
        assert_int_equal(rt_buf_ok(&out), RT_OK);
        assert_int_equal(rt_msgpack_check(rt_buf_bytes(&out), NULL), RT_OK);
        assert_true(oracle(out.data, out.size));
        values++;
        for (int i = 0; i < 40; i++, flips++) {
            size_t at = rt_random_below(&random, out.size);
            uint8_t bit = (uint8_t)(1u << rt_random_below(&random, 8));
            out.data[at] ^= bit;
            if (rt_msgpack_check(rt_buf_bytes(&out), NULL) == RT_OK) {
                accepted++;
                assert_true(oracle(out.data, out.size));
            }
            out.data[at] ^= bit;
        }
    }
    print_message("%zu values; %zu of %zu changed ones are values too\n", values, accepted, flips);
    assert_true(accepted > 0 && accepted < flips);
    rt_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_oracle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
