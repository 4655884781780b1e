// SPDX-License-Identifier: Apache-2.0
// A minisign signature file from outside, checked against the vectors' key and file.
#include "common/crypto/minisig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_public_key key;
    struct rt_key_number number;
    RT_ASSERT(rt_public_key_parse(rt_bytes_str("minisign:RWTkoX5rr8i+6+7nr2GFKgX1TXk2tyGkEI20hacd"
                                               "miGTPJc5PP/amxih"),
                                  &key, &number) == RT_OK);
    struct rt_minisig minisig;
    if (rt_minisig_parse(rt_bytes(data, size), &minisig))
        return 0;
    RT_ASSERT(minisig.trusted_comment.size <= RT_MINISIG_COMMENT_MOST);
    RT_ASSERT(minisig.trusted_comment.data > data &&
              minisig.trusted_comment.data + minisig.trusted_comment.size < data + size);
    (void)!rt_minisig_verify(&minisig, rt_bytes(NULL, 0), &key, &number);
    return 0;
}
