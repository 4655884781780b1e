// SPDX-License-Identifier: Apache-2.0
// Where a lab keeps its transcripts: append-only pack files of zstd records, each named by the
// SHA-256 of `salt ‖ plaintext` (EVIDENCE, Objects), which is checked on every read. Who holds a
// record's place finds it (the outbox keeps places in the transaction that stores the trial); a
// pack can also be read from its start without any index. Nothing is durable before rt_vault_sync.
// On request a record's frame is sealed (XChaCha20-Poly1305 of libsodium, the head authenticated
// with it); its name is the digest of the plaintext all the same. Only whole packs are deleted.
// Blocks on the disk. One writer and one thread a folder; readers of synced records may be other
// processes.
#ifndef RT_WORKER_VAULT_H
#define RT_WORKER_VAULT_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/hash.h"

#define RT_VAULT_OBJECT_MOST (((size_t)16 << 20) + 32) // bytes of one object, salt included
#define RT_VAULT_PACK_MOST   ((uint64_t)64 << 20)      // a pack that is larger gets no more records

struct rt_vault;

#define RT_VAULT_KEY_BYTES 32
#define RT_VAULT_KEY_ID    8 // bytes
struct rt_vault_key {
    uint8_t bytes[RT_VAULT_KEY_BYTES];
    uint8_t id[RT_VAULT_KEY_ID]; // the first bytes of SHA-256("ringtrial/vault-key/v1" ‖ 0 ‖ key)
};
void rt_vault_key_id(struct rt_vault_key *key); // fill id

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

// The key that sealed records are read under (copied into guarded memory), and whether new ones are
// sealed under it. Without it sealed records are not readable. RT_NO_MEMORY.
enum rt_status rt_vault_seal(struct rt_vault *vault, const struct rt_vault_key *key,
                             bool seal) RT_WARN_UNUSED;

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

// Append the object at place to out. RT_CORRUPT unless it is the digest's, RT_NOT_FOUND (it was
// purged), RT_UNKNOWN_KEY for one sealed under another key than the vault was given.
enum rt_status rt_vault_read(struct rt_vault *vault, const struct rt_vault_place *place,
                             const struct rt_digest *digest, struct rt_buf *out,
                             struct rt_error *err) RT_WARN_UNUSED;

// What a pack holds, from the heads of its records.
struct rt_vault_pack_info {
    uint64_t pack;
    uint64_t size_bytes;
    uint64_t records, sealed;
    uint64_t object_bytes; // as they were before compression
    int64_t written_ms;    // wall: the last change of the file
    bool newest;           // the one that records are appended to
    bool torn;             // ends in something that is no record
};
// All packs, ascending; *ret_infos from malloc. Readers may ask too.
enum rt_status rt_vault_packs(struct rt_vault *vault, struct rt_vault_pack_info **ret_infos,
                              size_t *ret_count, struct rt_error *err) RT_WARN_UNUSED;
// The next record starts a new pack (so that this one can be deleted one day).
void rt_vault_rotate(struct rt_vault *vault);
// Delete a pack; RT_BUSY for the one that is being written. Its places must be gone already.
enum rt_status rt_vault_delete(struct rt_vault *vault, uint64_t pack,
                               struct rt_error *err) RT_WARN_UNUSED;

#endif
