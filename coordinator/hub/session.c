// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/session.h"

#include <stdio.h>
#include <stdlib.h>

#define PLACES (2 * RT_SESSIONS_MOST)

enum rt_status rt_sessions_init(struct rt_sessions *sessions)
{
    sessions->count = 0;
    sessions->table = calloc(PLACES, sizeof *sessions->table);
    return sessions->table ? RT_OK : RT_NO_MEMORY;
}

void rt_sessions_release(struct rt_sessions *sessions)
{
    free(sessions->table);
    sessions->table = NULL;
}

static size_t home(uint64_t peer)
{
    return (size_t)(peer * UINT64_C(0x9e3779b97f4a7c15) >> 32) % PLACES;
}

struct rt_session *rt_sessions_find(struct rt_sessions *sessions, uint64_t peer)
{
    for (size_t i = home(peer);; i = (i + 1) % PLACES) {
        if (sessions->table[i].peer == peer)
            return &sessions->table[i];
        if (sessions->table[i].peer == 0)
            return NULL;
    }
}

void rt_sessions_remove(struct rt_sessions *sessions, uint64_t peer)
{
    struct rt_session *session = rt_sessions_find(sessions, peer);
    if (!session)
        return;
    // Close the gap so that probing still finds those behind it.
    size_t gap = (size_t)(session - sessions->table);
    sessions->table[gap].peer = 0;
    sessions->count--;
    for (size_t i = (gap + 1) % PLACES; sessions->table[i].peer; i = (i + 1) % PLACES) {
        size_t wanted = home(sessions->table[i].peer);
        size_t from_gap = (i + PLACES - gap) % PLACES, from_home = (i + PLACES - wanted) % PLACES;
        if (from_home < from_gap)
            continue;
        sessions->table[gap] = sessions->table[i];
        sessions->table[i].peer = 0;
        gap = i;
    }
}

static void make_room(struct rt_sessions *sessions)
{
    struct rt_session *oldest = NULL;
    for (size_t i = 0; i < PLACES; i++) {
        struct rt_session *session = &sessions->table[i];
        if (session->peer && (!oldest || session->seen_ms < oldest->seen_ms))
            oldest = session;
    }
    if (oldest)
        rt_sessions_remove(sessions, oldest->peer);
}

struct rt_session *rt_sessions_touch(struct rt_sessions *sessions, uint64_t peer, const char *lab,
                                     int64_t now_ms)
{
    struct rt_session *session = rt_sessions_find(sessions, peer);
    if (!session) {
        if (sessions->count == RT_SESSIONS_MOST)
            make_room(sessions);
        size_t i = home(peer);
        while (sessions->table[i].peer)
            i = (i + 1) % PLACES;
        session = &sessions->table[i];
        memset(session, 0, sizeof *session);
        session->peer = peer;
        snprintf(session->lab, sizeof session->lab, "%s", lab);
        sessions->count++;
    }
    session->seen_ms = now_ms;
    return session;
}

struct rt_session *rt_sessions_next(struct rt_sessions *sessions, size_t *cursor)
{
    while (*cursor < PLACES) {
        struct rt_session *session = &sessions->table[(*cursor)++];
        if (session->peer)
            return session;
    }
    return NULL;
}
