// SPDX-License-Identifier: Apache-2.0
// Key files: minisign's public and secret ones (no passphrase: scrypt's cost would be all that is
// measured) and ours for CURVE.
#include "common/crypto/curve.h"
#include "common/crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    RT_ASSERT(rt_crypto_init() == RT_OK);
    struct rt_bytes file = rt_bytes(data, size);
    struct rt_public_key public_key;
    struct rt_key_number number;
    if (rt_public_key_file_parse(file, &public_key, &number) == RT_OK)
        RT_ASSERT(rt_public_key_check(&public_key) == RT_OK);
    struct rt_secret_key *key = NULL;
    enum rt_status status = rt_secret_key_file_parse(file, NULL, &key);
    RT_ASSERT((status == RT_OK) == (key != NULL));
    if (rt_secret_key_file_encrypted(file))
        RT_ASSERT(status == RT_NOT_PERMITTED);
    rt_secret_key_free(key);
    struct rt_curve_secret *secret = NULL;
    status = rt_curve_file_parse(file, &secret);
    RT_ASSERT((status == RT_OK) == (secret != NULL));
    rt_curve_free(secret);
    return 0;
}
