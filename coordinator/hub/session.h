// SPDX-License-Identifier: Apache-2.0
// Who has said HELLO over which connection: peer handle → lab and instance, with how often it was
// refused. An open hash table of bounded size. Writer thread.
#ifndef RT_COORDINATOR_HUB_SESSION_H
#define RT_COORDINATOR_HUB_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/text.h"
#include "proto/object.h"

#define RT_SESSIONS_MOST 8192

struct rt_session {
    uint64_t peer; // 0: free
    char lab[RT_ID_BYTES + 1];
    bool greeted;
    struct rt_instance instance;
    uint32_t refusals;
    int64_t seen_ms;
};

struct rt_sessions {
    struct rt_session *table; // 2 × RT_SESSIONS_MOST places, linear probing
    size_t count;
};

enum rt_status rt_sessions_init(struct rt_sessions *sessions) RT_WARN_UNUSED;
void rt_sessions_release(struct rt_sessions *sessions);
// The session of a peer, or NULL.
struct rt_session *rt_sessions_find(struct rt_sessions *sessions, uint64_t peer);
// The session of a peer, made where there is none; when the table is full the one silent longest
// makes room.
struct rt_session *rt_sessions_touch(struct rt_sessions *sessions, uint64_t peer, const char *lab,
                                     int64_t now_ms);
void rt_sessions_remove(struct rt_sessions *sessions, uint64_t peer);
// Step through all: *cursor starts at 0; NULL at the end.
struct rt_session *rt_sessions_next(struct rt_sessions *sessions, size_t *cursor);

#endif
