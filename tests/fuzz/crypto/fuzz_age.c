// SPDX-License-Identifier: Apache-2.0
// age files, identities and recipients from outside. What opens was sealed for the one identity
// there is; texts that are accepted format to the same bytes.
#include "common/crypto/age.h"
#include "common/crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rt_age_identity *identity;
    static const uint8_t secret[RT_AGE_KEY_BYTES] = {1, 2, 3};
    struct rt_bytes bytes = rt_bytes(data, size);
    struct rt_age_recipient recipient;
    struct rt_age_identity *other = NULL;
    char text[RT_AGE_IDENTITY_BYTES];
    struct rt_buf out;
    if (!identity)
        RT_ASSERT(rt_crypto_init() == RT_OK && rt_age_from_bytes(secret, &identity) == RT_OK);
    rt_buf_init(&out, 1 << 20);
    if (rt_age_decrypt(identity, bytes, &out))
        RT_ASSERT(out.size == 0);
    rt_buf_release(&out);
    if (rt_age_recipient_parse(bytes, &recipient) == RT_OK) {
        rt_age_recipient_format(&recipient, text);
        RT_ASSERT(rt_bytes_equal_str(bytes, text));
    }
    if (rt_age_identity_parse(bytes, &other) == RT_OK) {
        rt_age_identity_format(other, text);
        RT_ASSERT(rt_bytes_equal_str(bytes, text));
        rt_age_free(other);
    }
    return 0;
}
