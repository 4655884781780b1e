// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/shelf.h"

#include <stdlib.h>

void rt_shelf_init(struct rt_shelf *shelf)
{
    *shelf = (struct rt_shelf){.digests = NULL};
    pthread_mutex_init(&shelf->mutex, NULL);
}

void rt_shelf_release(struct rt_shelf *shelf)
{
    free(shelf->digests);
    pthread_mutex_destroy(&shelf->mutex);
}

static bool has(const struct rt_shelf *shelf, const struct rt_digest *digest)
{
    for (size_t i = 0; i < shelf->count; i++)
        if (rt_digest_equal(&shelf->digests[i], digest))
            return true;
    return false;
}

enum rt_status rt_shelf_add(struct rt_shelf *shelf, const struct rt_digest *digest)
{
    enum rt_status status = RT_OK;
    pthread_mutex_lock(&shelf->mutex);
    if (!has(shelf, digest)) {
        if (shelf->count == shelf->capacity) {
            size_t capacity = shelf->capacity ? 2 * shelf->capacity : 64;
            struct rt_digest *grown = realloc(shelf->digests, capacity * sizeof *grown);
            if (grown) {
                shelf->digests = grown;
                shelf->capacity = capacity;
            } else {
                status = RT_NO_MEMORY;
            }
        }
        if (!status)
            shelf->digests[shelf->count++] = *digest;
    }
    pthread_mutex_unlock(&shelf->mutex);
    return status;
}

enum rt_status rt_shelf_add_campaign(struct rt_shelf *shelf, const struct rt_campaign *campaign)
{
    enum rt_status status = rt_shelf_add(shelf, &campaign->digest);
    for (size_t i = 0; !status && i < campaign->scenario_count; i++)
        status = rt_shelf_add(shelf, &campaign->scenarios[i].digest);
    return status;
}

bool rt_shelf_has(struct rt_shelf *shelf, const struct rt_digest *digest)
{
    pthread_mutex_lock(&shelf->mutex);
    bool found = has(shelf, digest);
    pthread_mutex_unlock(&shelf->mutex);
    return found;
}
