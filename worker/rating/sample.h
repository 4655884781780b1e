// SPDX-License-Identifier: Apache-2.0
// Which trials people look at, and in which order: pure functions of the campaign's draw, which
// nobody could choose, so anyone can say later whether the sample was the one it had to be. Pure,
// nothing allocated; any thread.
#ifndef RT_WORKER_RATING_SAMPLE_H
#define RT_WORKER_RATING_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/hash.h"

struct rt_sample_item {
    uint64_t number;
    uint32_t label; // its stratum
    uint64_t key;   // filled here
    bool chosen;    // filled here
};

// Choose, in each stratum of n items, those with the least keys: at_least of them, or share
// (millionths) of n rounded up where that is more, and never more than n. key = u64be of
// SHA-256("ringtrial/sample/v1" ‖ 0x00 ‖ draw ‖ u64be number). items ends sorted by number. Returns
// how many were chosen.
size_t rt_sample_choose(const struct rt_digest *draw, uint32_t share_micro, uint32_t at_least,
                        struct rt_sample_item *items, size_t count);

// The place of a trial in a rater's own order, to be sorted by: u64be of
// SHA-256("ringtrial/rate-order/v1" ‖ 0x00 ‖ draw ‖ u64be number ‖ rater).
uint64_t rt_sample_order(const struct rt_digest *draw, uint64_t number, const char *rater);

#endif
