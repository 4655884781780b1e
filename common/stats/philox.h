// SPDX-License-Identifier: Apache-2.0
// Philox4x64-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): numbers by
// counter and key, so that whoever knows both draws the same. Pure; any thread.
#ifndef RT_STATS_PHILOX_H
#define RT_STATS_PHILOX_H

#include <stdint.h>

// Ten rounds of Philox4x64; ret may be counter.
void rt_philox(const uint64_t counter[4], const uint64_t key[2], uint64_t ret[4]);

#endif
