// SPDX-License-Identifier: Apache-2.0
// What the leaves of one bundle of the log will need, made ready by several threads before they are
// looked at one by one: their signatures verified, the objects they name read and hashed. Decides
// nothing and says nothing: what is not ready, or not as it should be, is done again in order by
// whoever asks, so that findings are the same with any number of threads. Bounded memory.
#ifndef RT_AUDITOR_AHEAD_H
#define RT_AUDITOR_AHEAD_H

#include "auditor/folder.h"
#include "auditor/pool.h"
#include "common/crypto/digest_map.h"
#include "proto/roster.h"

struct rt_ahead;

// One file of the bundle, read. An object's bytes have its digest.
struct rt_ahead_file {
    uint32_t place; // in the folder
    uint32_t size;
    size_t at;
    bool proved; // a statement whose one signature is good under key
    struct rt_public_key key;
};

// All borrowed; pool and roster may be NULL, and both maps are only read.
struct rt_ahead_sources {
    const struct rt_folder *folder;
    const struct rt_digest_map *units; // unit → place of the statement that deals it
    const struct rt_roster *roster;
    struct rt_pool *pool;
};

struct rt_ahead *rt_ahead_new(void); // NULL when out of memory
void rt_ahead_free(struct rt_ahead *ahead);

// Make ready what the leaves of a bundle need; its first leaf has log index `first`. bundle must
// stay until the next take or the end. What was ready before no longer is.
void rt_ahead_take(struct rt_ahead *ahead, const struct rt_ahead_sources *sources, uint64_t first,
                   struct rt_bytes bundle);
// The same leaves once more: another roster is in force.
void rt_ahead_again(struct rt_ahead *ahead, const struct rt_ahead_sources *sources);
// The leaves are done; nothing is ready any more.
void rt_ahead_end(struct rt_ahead *ahead);

// The key under which the one signature of the leaf `index` was found good, or NULL.
const struct rt_public_key *rt_ahead_key(const struct rt_ahead *ahead, uint64_t index);
// A file that the leaf `index` needs, or NULL when it is not ready. *ret_bytes are valid until the
// next take.
const struct rt_ahead_file *rt_ahead_find(const struct rt_ahead *ahead, uint64_t index,
                                          size_t place, struct rt_bytes *ret_bytes);

#endif
