// SPDX-License-Identifier: Apache-2.0
// The one-line texts of keys and digests. What is accepted, written again, is the same bytes.
#include "common/crypto/curve.h"
#include "common/crypto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_bytes bytes = rt_bytes(data, size);
    char text[RT_VKEY_TEXT_BYTES];
    struct rt_vkey vkey;
    if (rt_vkey_parse(bytes, &vkey) == RT_OK) {
        rt_vkey_format(&vkey, text);
        RT_ASSERT(rt_bytes_equal_str(bytes, text));
    }
    struct rt_public_key key;
    struct rt_key_number number;
    if (rt_public_key_parse(bytes, &key, &number) == RT_OK) {
        rt_public_key_format(&key, &number, text);
        RT_ASSERT(rt_bytes_equal_str(bytes, text));
    }
    struct rt_curve_public curve;
    if (rt_curve_public_parse(bytes, &curve) == RT_OK) {
        rt_curve_public_format(&curve, text);
        RT_ASSERT(rt_bytes_equal_str(bytes, text));
    }
    struct rt_digest digest;
    if (rt_digest_parse(bytes, &digest) == RT_OK) {
        rt_digest_format(&digest, text);
        RT_ASSERT(rt_bytes_equal_str(bytes, text));
    }
    return 0;
}
