// SPDX-License-Identifier: Apache-2.0
// Shamir's secret sharing over GF(256) with the polynomial x^8 + x^4 + x^3 + x + 1: any k of n
// shares give the secret, fewer say nothing about it. A wrong share gives a wrong secret and not an
// error: callers compare what comes out with what they know of it. No table is read at a secret's
// place and no branch depends on one. Pure but for randomness; any thread.
#ifndef RT_CRYPTO_SHAMIR_H
#define RT_CRYPTO_SHAMIR_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define RT_SHAMIR_SECRET_MOST 64
#define RT_SHAMIR_SHARES_MOST 32

struct rt_share {
    uint8_t x; // 1 to n: which share it is
    uint8_t bytes[RT_SHAMIR_SECRET_MOST];
};

// 1 <= k <= n <= RT_SHAMIR_SHARES_MOST; size up to RT_SHAMIR_SECRET_MOST (RT_OUT_OF_RANGE). The
// caller wipes the shares.
enum rt_status rt_shamir_split(const uint8_t *secret, size_t size, size_t k, size_t n,
                               struct rt_share *ret_shares) RT_WARN_UNUSED;
// The value at 0 of the polynomial through these k shares. RT_DUPLICATE when two have the same x,
// RT_OUT_OF_RANGE for x 0 and for sizes out of bounds.
enum rt_status rt_shamir_join(const struct rt_share *shares, size_t k, size_t size,
                              uint8_t *ret_secret) RT_WARN_UNUSED;

#endif
