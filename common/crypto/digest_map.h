// SPDX-License-Identifier: Apache-2.0
// A map from digests to numbers: open addressing over keys that are hashes already, so their first
// bytes spread them. Entries lie one after the other as they came, 40 bytes each; what is probed is
// a table of their numbers. Grows by doubling, never forgets a key. Digests from outside are
// SHA-256 of bytes somebody really has, so probing stays short; nothing else may be put in. One
// thread, or several that only look.
#ifndef RT_CRYPTO_DIGEST_MAP_H
#define RT_CRYPTO_DIGEST_MAP_H

#include "common/crypto/hash.h"

struct rt_digest_entry {
    struct rt_digest digest;
    uint64_t value;
};

struct rt_digest_map {
    struct rt_digest_entry *entries; // count of them
    size_t count, room;
    uint32_t *slots; // number of an entry, plus one; 0 where free
    size_t capacity; // of slots: 0 or a power of two
};

void rt_digest_map_init(struct rt_digest_map *map);
void rt_digest_map_release(struct rt_digest_map *map);

// The entry of a digest, or NULL. Valid until the next put.
struct rt_digest_entry *rt_digest_map_find(const struct rt_digest_map *map,
                                           const struct rt_digest *digest);
// Put a digest that is not there yet: RT_EXISTS (nothing changed) when it is, RT_NO_MEMORY.
enum rt_status rt_digest_map_put(struct rt_digest_map *map, const struct rt_digest *digest,
                                 uint64_t value) RT_WARN_UNUSED;

#endif
