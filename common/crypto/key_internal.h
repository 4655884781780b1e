// SPDX-License-Identifier: Apache-2.0
// What a secret key looks like, for this folder's sources alone. Not for other modules.
#ifndef RT_CRYPTO_KEY_INTERNAL_H
#define RT_CRYPTO_KEY_INTERNAL_H

#include "common/crypto/key.h"

#define RT_SECRET_BYTES 64 // libsodium's and minisign's form: seed ‖ public key

struct rt_secret_key {
    uint8_t secret[RT_SECRET_BYTES];
    struct rt_public_key public_key;
    struct rt_key_number number;
};

// A key in guarded, read-only memory from its seed; number NULL: the derived one.
enum rt_status rt_secret_key_make(const uint8_t seed[RT_KEY_SEED_BYTES],
                                  const struct rt_key_number *number,
                                  struct rt_secret_key **ret_key) RT_WARN_UNUSED;
void rt_key_number_derive(const struct rt_public_key *key, struct rt_key_number *ret_number);

// The two halves of a minisign line: "untrusted comment: …" LF base64 LF. Takes both lines off
// *rest and returns the decoded bytes, which must be exactly size.
enum rt_status rt_minisign_line(struct rt_bytes *rest, struct rt_bytes *ret_line) RT_WARN_UNUSED;
bool rt_minisign_comment_valid(struct rt_bytes comment);
enum rt_status rt_minisign_block(struct rt_bytes *rest, uint8_t *ret_data,
                                 size_t size) RT_WARN_UNUSED;

#endif
