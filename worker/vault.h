// SPDX-License-Identifier: Apache-2.0
// Where a lab keeps its transcripts: append-only pack files of zstd records, each named by the
// SHA-256 of `salt ‖ plaintext` (EVIDENCE, Objects), which is checked on every read. Who holds a
// record's place finds it (the outbox keeps places in the transaction that stores the trial); a
// pack can also be read from its start without any index. Nothing is durable before rt_vault_sync.
// Never deletes and never encrypts. Blocks on the disk. One writer and one thread a folder; readers
// of synced records may be other processes.
#ifndef RT_WORKER_VAULT_H
#define RT_WORKER_VAULT_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/hash.h"

#define RT_VAULT_OBJECT_MOST (((size_t)16 << 20) + 32) // bytes of one object, salt included
#define RT_VAULT_PACK_MOST   ((uint64_t)64 << 20)      // a pack that is larger gets no more records

struct rt_vault;

// Where a record is: file pack-<pack>, its first byte, and its size with its head.
struct rt_vault_place {
    uint64_t pack;
    uint64_t offset;
    uint64_t size;
};

// Make the folder (0700) if need be, find the newest pack and cut a torn record off its end.
// read_only: writes nothing, and appending is a programmer error.
enum rt_status rt_vault_open(const char *folder, bool read_only, struct rt_vault **ret_vault,
                             struct rt_error *err) RT_WARN_UNUSED;
void rt_vault_free(struct rt_vault *vault); // takes NULL

// A record in memory: head and zstd frame of object, whose digest this computes. Appends to out.
enum rt_status rt_vault_pack(struct rt_vault *vault, struct rt_bytes object,
                             struct rt_digest *ret_digest, struct rt_buf *out) RT_WARN_UNUSED;
// Append such a record. RT_NO_SPACE and RT_IO leave the pack as it was.
enum rt_status rt_vault_append(struct rt_vault *vault, struct rt_bytes record,
                               struct rt_vault_place *ret_place,
                               struct rt_error *err) RT_WARN_UNUSED;
// All that was appended is on disk when this returns RT_OK.
enum rt_status rt_vault_sync(struct rt_vault *vault, struct rt_error *err) RT_WARN_UNUSED;
// What was appended so far is known to its owner and stays; or: cut off what came after the last
// rt_vault_keep, because its owner could not store the places.
void rt_vault_keep(struct rt_vault *vault);
void rt_vault_rollback(struct rt_vault *vault);

// Append the object at place to out. RT_CORRUPT unless it is the digest's, RT_NOT_FOUND.
enum rt_status rt_vault_read(struct rt_vault *vault, const struct rt_vault_place *place,
                             const struct rt_digest *digest, struct rt_buf *out,
                             struct rt_error *err) RT_WARN_UNUSED;

#endif
