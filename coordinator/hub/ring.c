// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum rt_status rt_ring_new(struct rt_ring **ret_ring)
{
    struct rt_ring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return RT_NO_MEMORY;
    pthread_mutex_init(&ring->mutex, NULL);
    pthread_cond_init(&ring->work, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&ring->ready, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (size_t i = 0; i < RT_RING_SLOTS; i++)
        rt_intake_init(&ring->slots[i]);
    *ret_ring = ring;
    return RT_OK;
}

void rt_ring_free(struct rt_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < RT_RING_SLOTS; i++)
        rt_intake_release(&ring->slots[i]);
    pthread_cond_destroy(&ring->ready);
    pthread_cond_destroy(&ring->work);
    pthread_mutex_destroy(&ring->mutex);
    free(ring);
}

struct rt_intake *rt_ring_free_slot(struct rt_ring *ring)
{
    pthread_mutex_lock(&ring->mutex);
    bool full = ring->filled - ring->taken == RT_RING_SLOTS || ring->bytes >= RT_RING_BYTES_MOST;
    uint64_t number = ring->filled;
    pthread_mutex_unlock(&ring->mutex);
    return full ? NULL : rt_ring_slot(ring, number);
}

void rt_ring_publish(struct rt_ring *ring)
{
    pthread_mutex_lock(&ring->mutex);
    size_t place = ring->filled % RT_RING_SLOTS;
    ring->sizes[place] = zmq_msg_size(&ring->slots[place].frame);
    ring->bytes += ring->sizes[place];
    ring->verified[place] = false;
    ring->filled++;
    pthread_cond_signal(&ring->work);
    pthread_mutex_unlock(&ring->mutex);
}

size_t rt_ring_claim(struct rt_ring *ring, size_t most, uint64_t *ret_first)
{
    pthread_mutex_lock(&ring->mutex);
    while (!ring->stopped && ring->claimed == ring->filled)
        pthread_cond_wait(&ring->work, &ring->mutex);
    size_t count = ring->stopped ? 0 : (size_t)(ring->filled - ring->claimed);
    count = count < most ? count : most;
    *ret_first = ring->claimed;
    ring->claimed += count;
    pthread_mutex_unlock(&ring->mutex);
    return count;
}

void rt_ring_verified(struct rt_ring *ring, uint64_t first, size_t count)
{
    pthread_mutex_lock(&ring->mutex);
    for (size_t i = 0; i < count; i++)
        ring->verified[(first + i) % RT_RING_SLOTS] = true;
    if (first <= ring->taken && ring->taken < first + count)
        pthread_cond_signal(&ring->ready);
    pthread_mutex_unlock(&ring->mutex);
}

static bool oldest_ready(const struct rt_ring *ring)
{
    return ring->taken < ring->filled && ring->verified[ring->taken % RT_RING_SLOTS];
}

size_t rt_ring_wait(struct rt_ring *ring, size_t most, int64_t deadline_mono_ms,
                    uint64_t *ret_first)
{
    struct timespec deadline = {.tv_sec = deadline_mono_ms / 1000,
                                .tv_nsec = deadline_mono_ms % 1000 * 1000000};
    pthread_mutex_lock(&ring->mutex);
    while (!ring->stopped && !oldest_ready(ring))
        if (pthread_cond_timedwait(&ring->ready, &ring->mutex, &deadline) == ETIMEDOUT)
            break;
    size_t count = 0;
    while (count < most && ring->taken + count < ring->filled &&
           ring->verified[(ring->taken + count) % RT_RING_SLOTS])
        count++;
    *ret_first = ring->taken;
    pthread_mutex_unlock(&ring->mutex);
    return count;
}

void rt_ring_finish(struct rt_ring *ring, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rt_intake_clear(rt_ring_slot(ring, ring->taken + i));
    pthread_mutex_lock(&ring->mutex);
    for (size_t i = 0; i < count; i++) {
        size_t place = (ring->taken + i) % RT_RING_SLOTS;
        ring->verified[place] = false;
        ring->bytes -= ring->sizes[place];
    }
    ring->taken += count;
    pthread_mutex_unlock(&ring->mutex);
}

void rt_ring_stop(struct rt_ring *ring)
{
    pthread_mutex_lock(&ring->mutex);
    ring->stopped = true;
    pthread_cond_broadcast(&ring->work);
    pthread_cond_broadcast(&ring->ready);
    pthread_mutex_unlock(&ring->mutex);
}
