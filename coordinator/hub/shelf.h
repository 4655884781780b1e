// SPDX-License-Identifier: Apache-2.0
// The digests of the documents every lab may fetch: rosters, campaigns and their scenarios.
// Results, units and fingerprints are never on it, because labs stay blind to one another until a
// campaign closes. Any thread.
#ifndef RT_COORDINATOR_HUB_SHELF_H
#define RT_COORDINATOR_HUB_SHELF_H

#include <pthread.h>

#include "common/crypto/hash.h"
#include "proto/campaign.h"

struct rt_shelf {
    pthread_mutex_t mutex;
    struct rt_digest *digests;
    size_t count, capacity;
};

void rt_shelf_init(struct rt_shelf *shelf);
void rt_shelf_release(struct rt_shelf *shelf);
enum rt_status rt_shelf_add(struct rt_shelf *shelf, const struct rt_digest *digest) RT_WARN_UNUSED;
// The campaign's own object and its scenarios.
enum rt_status rt_shelf_add_campaign(struct rt_shelf *shelf,
                                     const struct rt_campaign *campaign) RT_WARN_UNUSED;
bool rt_shelf_has(struct rt_shelf *shelf, const struct rt_digest *digest);

#endif
