// SPDX-License-Identifier: Apache-2.0
// Random inputs for property tests: SplitMix64, so that a seed replays a failure. One thread.
#ifndef RT_TESTS_STATS_RANDOM_H
#define RT_TESTS_STATS_RANDOM_H

#include <math.h>

#include "common/stats/value.h"

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline uint64_t rng_below(struct rng *rng, uint64_t limit)
{
    return rng_next(rng) % limit;
}

static inline double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

// A cell of up to most trials; every shape, empty and full ones among them.
static inline struct rt_counts rng_counts(struct rng *rng, uint64_t most)
{
    uint64_t n = rng_below(rng, most + 1);
    uint64_t kind = rng_below(rng, 8), k = rng_below(rng, n + 1);
    return (struct rt_counts){n, kind == 0 ? 0 : kind == 1 ? n : k};
}

static inline void rng_shuffle(struct rng *rng, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = rng_below(rng, i), swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

// Equal up to rounding, with the same reason where undefined.
static inline bool close_values(struct rt_value a, struct rt_value b, double relative)
{
    return a.reason == b.reason &&
           fabs(a.number - b.number) <= relative * fmax(1, fmax(fabs(a.number), fabs(b.number)));
}

#endif
