// SPDX-License-Identifier: Apache-2.0
// The roster in force, shared by the hub's threads. A roster is immutable; the next one replaces it
// in one store of a pointer, and earlier ones stay alive (a verification may still be reading them)
// until the process ends.
#ifndef RT_COORDINATOR_HUB_ROSTERS_H
#define RT_COORDINATOR_HUB_ROSTERS_H

#include <stdatomic.h>

#include "common/base/error.h"
#include "proto/roster.h"
#include "proto/statement.h"

struct rt_rosters {
    _Atomic(const struct rt_roster *) current;
    struct rt_roster_holder *holders;
};

void rt_rosters_init(struct rt_rosters *rosters);
void rt_rosters_release(struct rt_rosters *rosters);
// Decode object, keep it and make it current. Writer thread.
enum rt_status rt_rosters_push(struct rt_rosters *rosters, struct rt_bytes object,
                               const struct rt_roster **ret_roster) RT_WARN_UNUSED;
static inline const struct rt_roster *rt_rosters_current(struct rt_rosters *rosters)
{
    return atomic_load_explicit(&rosters->current, memory_order_acquire);
}

// An rt_key_lookup_fn over a roster at a moment.
struct rt_roster_lookup {
    const struct rt_roster *roster;
    int64_t at_ms;
    uint64_t index; // the leaf's, UINT64_MAX for one that is yet to come
};
enum rt_status rt_roster_lookup(void *ctx, const char *key_id,
                                struct rt_statement_signer *ret_signer);

#endif
