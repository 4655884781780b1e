// SPDX-License-Identifier: Apache-2.0
// The one queue between the hub's threads: a ring of intake slots. The network thread fills slots
// in arrival order, the verify pool works on them in any order, and the writer takes them in
// arrival order again, so one peer's events enter the core in the order they came, whatever the
// pool does. Bounded in slots and in bytes; when it is full the network thread stops reading, and
// libzmq's own limits push back on the peers.
#ifndef RT_COORDINATOR_HUB_RING_H
#define RT_COORDINATOR_HUB_RING_H

#include <pthread.h>
#include <stdbool.h>

#include "coordinator/hub/intake.h"

#define RT_RING_SLOTS      1024
#define RT_RING_BYTES_MOST ((size_t)64 << 20)

struct rt_ring {
    pthread_mutex_t mutex;
    pthread_cond_t work;  // for the pool: something to verify
    pthread_cond_t ready; // for the writer: the oldest slot is verified
    uint64_t filled;      // slots ever filled
    uint64_t claimed;     // slots ever taken by the pool
    uint64_t taken;       // slots ever finished by the writer
    size_t bytes;         // in the ring
    bool stopped;
    bool verified[RT_RING_SLOTS];
    size_t sizes[RT_RING_SLOTS];
    struct rt_intake slots[RT_RING_SLOTS];
};

enum rt_status rt_ring_new(struct rt_ring **ret_ring) RT_WARN_UNUSED;
void rt_ring_free(struct rt_ring *ring); // all threads have ended

// Network thread: the next free slot to fill, or NULL when full; then publish it.
struct rt_intake *rt_ring_free_slot(struct rt_ring *ring);
void rt_ring_publish(struct rt_ring *ring);
// Pool: wait for slots to verify, claim up to `most` neighbouring ones; 0 when stopped.
size_t rt_ring_claim(struct rt_ring *ring, size_t most, uint64_t *ret_first);
void rt_ring_verified(struct rt_ring *ring, uint64_t first, size_t count);
// Writer: wait until the oldest slot is verified, the deadline (monotonic ms) has come or the ring
// is stopped; gives how many of the oldest slots are verified in a row (at most `most`). Then
// finish that many.
size_t rt_ring_wait(struct rt_ring *ring, size_t most, int64_t deadline_mono_ms,
                    uint64_t *ret_first);
void rt_ring_finish(struct rt_ring *ring, size_t count);
void rt_ring_stop(struct rt_ring *ring);

static inline struct rt_intake *rt_ring_slot(struct rt_ring *ring, uint64_t number)
{
    return &ring->slots[number % RT_RING_SLOTS];
}

#endif
