// SPDX-License-Identifier: Apache-2.0
#include "common/stats/philox.h"

// Constants of table 2 there: multipliers and Weyl increments.
#define MULTIPLIER_0 0xD2E7470EE14C6C93u
#define MULTIPLIER_1 0xCA5A826395121157u
#define WEYL_0       0x9E3779B97F4A7C15u
#define WEYL_1       0xBB67AE8584CAA73Bu
#define ROUNDS       10

void rt_philox(const uint64_t counter[4], const uint64_t key[2], uint64_t ret[4])
{
    uint64_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    uint64_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        unsigned __int128 p0 = (unsigned __int128)MULTIPLIER_0 * x0;
        unsigned __int128 p1 = (unsigned __int128)MULTIPLIER_1 * x2;
        x0 = (uint64_t)(p1 >> 64) ^ x1 ^ k0;
        x1 = (uint64_t)p1;
        x2 = (uint64_t)(p0 >> 64) ^ x3 ^ k1;
        x3 = (uint64_t)p0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    ret[0] = x0;
    ret[1] = x1;
    ret[2] = x2;
    ret[3] = x3;
}
