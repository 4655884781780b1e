// SPDX-License-Identifier: Apache-2.0
// Signature files of the minisign program: four lines, the file's prehashed signature (BLAKE2b-512,
// algorithm "ED") and a second one that binds the trusted comment. Written for the bundle's
// manifest so that `minisign -V` checks it. The legacy form that signs a file's bytes directly is
// recognised and refused. Pure; any thread.
#ifndef RT_CRYPTO_MINISIG_H
#define RT_CRYPTO_MINISIG_H

#include "common/crypto/key.h"

#define RT_MINISIG_COMMENT_MOST 1024 // bytes of either comment
#define RT_MINISIG_MOST         4096 // bytes of a signature file

struct rt_minisig {
    struct rt_key_number number;
    uint8_t signature[RT_SIGNATURE_BYTES];
    uint8_t global_signature[RT_SIGNATURE_BYTES];
    struct rt_bytes trusted_comment; // a view into the text that was parsed
};

// RT_MALFORMED for anything but the four lines; RT_UNSUPPORTED for the legacy algorithm.
enum rt_status rt_minisig_parse(struct rt_bytes text,
                                struct rt_minisig *ret_minisig) RT_WARN_UNUSED;
// Both signatures, and the number where number is not NULL (RT_UNKNOWN_KEY when another key's).
enum rt_status rt_minisig_verify(const struct rt_minisig *minisig, struct rt_bytes file,
                                 const struct rt_public_key *key,
                                 const struct rt_key_number *number) RT_WARN_UNUSED;
// The same for a file too large to hold: what is signed is a hash of it, BLAKE2b-512 (RFC 7693),
// taken in parts. The state lives on the caller's stack and needs no release.
#define RT_MINISIG_HASH_BYTES 64
struct rt_minisig_hash {
    _Alignas(64) uint8_t opaque[384];
};
void rt_minisig_hash_init(struct rt_minisig_hash *hash);
void rt_minisig_hash_add(struct rt_minisig_hash *hash, struct rt_bytes part);
void rt_minisig_hash_final(struct rt_minisig_hash *hash, uint8_t ret_hash[RT_MINISIG_HASH_BYTES]);
enum rt_status rt_minisig_verify_hash(const struct rt_minisig *minisig,
                                      const uint8_t hash[RT_MINISIG_HASH_BYTES],
                                      const struct rt_public_key *key,
                                      const struct rt_key_number *number) RT_WARN_UNUSED;
// Append a signature file for file. trusted_comment is one line of printable UTF-8 (RT_MALFORMED
// otherwise), such as "timestamp:1789000000 file:manifest.sha256".
enum rt_status rt_minisig_sign(const struct rt_secret_key *key, struct rt_bytes file,
                               const char *trusted_comment, struct rt_buf *out) RT_WARN_UNUSED;

#endif
