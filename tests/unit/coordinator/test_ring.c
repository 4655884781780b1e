// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

#include "common/base/time.h"
#include "coordinator/hub/ring.h"

#define FRAMES    20000
#define VERIFIERS 3

// The pool verifies in any order; this one even dawdles over some.
static void *verifier(void *argument)
{
    struct rt_ring *ring = argument;
    uint64_t first;
    for (size_t count; (count = rt_ring_claim(ring, 3, &first));) {
        for (size_t i = 0; i < count; i++) {
            struct rt_intake *slot = rt_ring_slot(ring, first + i);
            for (volatile int spin = 0; spin < (slot->peer % 7 == 0 ? 20000 : 10); spin++)
                ;
            slot->digest.bytes[0] = (uint8_t)slot->peer;
        }
        rt_ring_verified(ring, first, count);
    }
    return NULL;
}

static void *network(void *argument)
{
    struct rt_ring *ring = argument;
    for (uint64_t peer = 1; peer <= FRAMES;) {
        struct rt_intake *slot = rt_ring_free_slot(ring);
        if (!slot)
            continue;
        slot->peer = peer++;
        zmq_msg_init_size(&slot->frame, 10);
        rt_ring_publish(ring);
    }
    return NULL;
}

static void frames_leave_in_the_order_they_came(void **state)
{
    (void)state;
    struct rt_ring *ring = NULL;
    assert_int_equal(rt_ring_new(&ring), RT_OK);
    pthread_t threads[VERIFIERS + 1];
    for (int i = 0; i < VERIFIERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verifier, ring), 0);
    assert_int_equal(pthread_create(&threads[VERIFIERS], NULL, network, ring), 0);
    uint64_t expected = 1;
    while (expected <= FRAMES) {
        uint64_t first;
        size_t count = rt_ring_wait(ring, 50, rt_time_mono_ms() + 20000, &first);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            struct rt_intake *slot = rt_ring_slot(ring, first + i);
            assert_int_equal(slot->peer, expected);
            assert_int_equal(slot->digest.bytes[0], (uint8_t)expected);
            expected++;
        }
        rt_ring_finish(ring, count);
    }
    rt_ring_stop(ring);
    for (int i = 0; i <= VERIFIERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(ring->bytes, 0);
    rt_ring_free(ring);
}

static void a_full_ring_takes_nothing(void **state)
{
    (void)state;
    struct rt_ring *ring = NULL;
    assert_int_equal(rt_ring_new(&ring), RT_OK);
    size_t taken = 0;
    for (struct rt_intake *slot; (slot = rt_ring_free_slot(ring)); taken++) {
        zmq_msg_init_size(&slot->frame, 1000000);
        rt_ring_publish(ring);
    }
    // Bounded by bytes long before it is by slots.
    assert_true(taken * 1000000 <= RT_RING_BYTES_MOST + 1000000);
    uint64_t first;
    assert_int_equal(rt_ring_wait(ring, 50, rt_time_mono_ms(), &first), 0);
    rt_ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_leave_in_the_order_they_came),
        cmocka_unit_test(a_full_ring_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
