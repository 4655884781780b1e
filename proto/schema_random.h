// SPDX-License-Identifier: Apache-2.0
// Random records that obey their schema's every limit and rule, biased to the edges, from a seed
// that replays them: for property tests, simulations and seeds of fuzzers. Never used to make a
// secret. Pure; any thread on distinct values.
#ifndef RT_PROTO_SCHEMA_RANDOM_H
#define RT_PROTO_SCHEMA_RANDOM_H

#include "proto/schema.h"

struct rt_random {
    uint64_t state;
};

uint64_t rt_random_next(struct rt_random *random);
// Uniform in 0 to below - 1; below is at least 1.
uint64_t rt_random_below(struct rt_random *random, uint64_t below);

// Fill ret_record. Texts, byte strings and lists live in arena; none is longer than bulk_most bytes
// or items unless its own least is. RT_NO_MEMORY.
enum rt_status rt_schema_random(const struct rt_schema *schema, struct rt_random *random,
                                size_t bulk_most, struct rt_arena *arena,
                                void *ret_record) RT_WARN_UNUSED;

#endif
