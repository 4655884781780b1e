// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coordinator/hub/session.h"

// Handles that collide: the table spreads neighbouring numbers so well that they never would.
static uint64_t handle(size_t peer)
{
    uint64_t mixed = (peer + 1) * UINT64_C(0xff51afd7ed558ccd);
    mixed ^= mixed >> 33;
    mixed *= UINT64_C(0xc4ceb9fe1a85ec53);
    return mixed ^ mixed >> 29;
}

// The table against a plain list, through many insertions and removals: probing must survive every
// gap.
static void sessions_are_found_whatever_was_removed(void **state)
{
    (void)state;
    enum { PEERS = 6000, ROUNDS = 60000 };
    static bool present[PEERS];
    struct rt_sessions sessions;
    assert_int_equal(rt_sessions_init(&sessions), RT_OK);
    uint64_t random = 12345;
    size_t count = 0;
    for (int i = 0; i < ROUNDS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t peer = (size_t)(random >> 33) % PEERS;
        if ((random >> 20) % 3) {
            struct rt_session *session = rt_sessions_touch(&sessions, handle(peer), "uni-a", i);
            assert_int_equal(session->peer, handle(peer));
            count += !present[peer];
            present[peer] = true;
        } else {
            rt_sessions_remove(&sessions, handle(peer));
            count -= present[peer];
            present[peer] = false;
        }
        assert_int_equal(sessions.count, count);
    }
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(rt_sessions_find(&sessions, handle(i)) != NULL, present[i]);
    size_t cursor = 0, seen = 0;
    while (rt_sessions_next(&sessions, &cursor))
        seen++;
    assert_int_equal(seen, count);
    rt_sessions_release(&sessions);
}

static void a_full_table_gives_up_the_one_silent_longest(void **state)
{
    (void)state;
    struct rt_sessions sessions;
    assert_int_equal(rt_sessions_init(&sessions), RT_OK);
    for (uint64_t i = 1; i <= RT_SESSIONS_MOST; i++)
        rt_sessions_touch(&sessions, i, "uni-a", (int64_t)(i == 7 ? 0 : i));
    rt_sessions_touch(&sessions, RT_SESSIONS_MOST + 1, "uni-b", 99999);
    assert_int_equal(sessions.count, RT_SESSIONS_MOST);
    assert_null(rt_sessions_find(&sessions, 7));
    assert_non_null(rt_sessions_find(&sessions, 8));
    assert_string_equal(rt_sessions_find(&sessions, RT_SESSIONS_MOST + 1)->lab, "uni-b");
    rt_sessions_release(&sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_found_whatever_was_removed),
        cmocka_unit_test(a_full_table_gives_up_the_one_silent_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
