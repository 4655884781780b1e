// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/shamir.h"

#include <sodium.h>
#include <string.h>

// Product in GF(256): no branch and no table.
static uint8_t multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (int i = 0; i < 8; i++) {
        product ^= (uint8_t)(-(b & 1) & a);
        a = (uint8_t)(a << 1 ^ (-(a >> 7) & 0x1b));
        b >>= 1;
    }
    return product;
}

// a^254, the inverse of a where a is not 0.
static uint8_t inverse(uint8_t a)
{
    uint8_t power = a, result = 1;
    for (int i = 0; i < 7; i++) {
        power = multiply(power, power);
        result = multiply(result, power);
    }
    return result;
}

enum rt_status rt_shamir_split(const uint8_t *secret, size_t size, size_t k, size_t n,
                               struct rt_share *ret_shares)
{
    uint8_t coefficients[RT_SHAMIR_SHARES_MOST];
    if (k == 0 || k > n || n > RT_SHAMIR_SHARES_MOST || size == 0 || size > RT_SHAMIR_SECRET_MOST)
        return RT_OUT_OF_RANGE;
    for (size_t i = 0; i < n; i++)
        ret_shares[i].x = (uint8_t)(i + 1);
    for (size_t b = 0; b < size; b++) {
        randombytes_buf(coefficients, sizeof coefficients);
        coefficients[0] = secret[b];
        for (size_t i = 0; i < n; i++) {
            uint8_t value = 0;
            for (size_t c = k; c-- > 0;)
                value = multiply(value, ret_shares[i].x) ^ coefficients[c];
            ret_shares[i].bytes[b] = value;
        }
    }
    sodium_memzero(coefficients, sizeof coefficients);
    return RT_OK;
}

enum rt_status rt_shamir_join(const struct rt_share *shares, size_t k, size_t size,
                              uint8_t *ret_secret)
{
    uint8_t secret[RT_SHAMIR_SECRET_MOST] = {0};
    if (k == 0 || k > RT_SHAMIR_SHARES_MOST || size == 0 || size > RT_SHAMIR_SECRET_MOST)
        return RT_OUT_OF_RANGE;
    for (size_t i = 0; i < k; i++) {
        uint8_t weight = 1;
        if (shares[i].x == 0)
            return RT_OUT_OF_RANGE;
        for (size_t j = 0; j < k; j++) {
            if (j == i)
                continue;
            if (shares[i].x == shares[j].x)
                return RT_DUPLICATE;
            weight = multiply(weight, multiply(shares[j].x, inverse(shares[i].x ^ shares[j].x)));
        }
        for (size_t b = 0; b < size; b++)
            secret[b] ^= multiply(weight, shares[i].bytes[b]);
    }
    memcpy(ret_secret, secret, size);
    sodium_memzero(secret, sizeof secret);
    return RT_OK;
}
