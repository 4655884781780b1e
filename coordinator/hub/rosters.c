// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/rosters.h"

#include <stdlib.h>

struct rt_roster_holder {
    struct rt_roster_holder *next;
    struct rt_arena arena;
};

#define ROSTER_ARENA_MOST ((size_t)64 << 20)

void rt_rosters_init(struct rt_rosters *rosters)
{
    atomic_init(&rosters->current, NULL);
    rosters->holders = NULL;
}

void rt_rosters_release(struct rt_rosters *rosters)
{
    while (rosters->holders) {
        struct rt_roster_holder *holder = rosters->holders;
        rosters->holders = holder->next;
        rt_arena_release(&holder->arena);
        free(holder);
    }
    rt_rosters_init(rosters);
}

enum rt_status rt_rosters_push(struct rt_rosters *rosters, struct rt_bytes object,
                               const struct rt_roster **ret_roster)
{
    struct rt_roster_holder *holder = calloc(1, sizeof *holder);
    if (!holder)
        return RT_NO_MEMORY;
    rt_arena_init(&holder->arena, ROSTER_ARENA_MOST);
    struct rt_roster *roster = NULL;
    struct rt_bytes copy = rt_arena_bytes(&holder->arena, object);
    enum rt_status status =
        copy.data ? rt_roster_decode(copy, &holder->arena, &roster) : RT_NO_MEMORY;
    if (status) {
        rt_arena_release(&holder->arena);
        free(holder);
        return status;
    }
    holder->next = rosters->holders;
    rosters->holders = holder;
    atomic_store_explicit(&rosters->current, roster, memory_order_release);
    *ret_roster = roster;
    return RT_OK;
}

enum rt_status rt_roster_lookup(void *ctx, const char *key_id,
                                struct rt_statement_signer *ret_signer)
{
    const struct rt_roster_lookup *lookup = ctx;
    const struct rt_signer *signer = rt_roster_signer(lookup->roster, key_id);
    if (!signer)
        return RT_UNKNOWN_KEY;
    enum rt_status status = rt_signer_valid(signer, lookup->at_ms, lookup->index);
    if (status)
        return status;
    ret_signer->key = signer->key;
    ret_signer->roles = signer->roles;
    ret_signer->lab = signer->lab == RT_NONE ? rt_bytes(NULL, 0)
                                             : rt_bytes_str(lookup->roster->labs[signer->lab]->id);
    return RT_OK;
}
