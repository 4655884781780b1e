// SPDX-License-Identifier: Apache-2.0
// What the files of age share. Private to common/crypto.
#ifndef RT_CRYPTO_AGE_INTERNAL_H
#define RT_CRYPTO_AGE_INTERNAL_H

#include "common/crypto/age.h"

struct rt_age_identity {
    uint8_t secret[RT_AGE_KEY_BYTES];
    struct rt_age_recipient recipient;
};

// A point whose product with any secret says nothing.
bool rt_age_small_order(const uint8_t key[RT_AGE_KEY_BYTES]);

#endif
