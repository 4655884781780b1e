// SPDX-License-Identifier: Apache-2.0
// age files (age-encryption.org/v1) for X25519 recipients, as the age program writes and opens
// them: a header of stanzas that wrap one file key, its HMAC, and the payload in ChaCha20-Poly1305
// chunks of 64 KiB. Binary form only. Nothing is given out of a file before its last chunk has been
// verified. Secrets stay in guarded memory. Pure but for randomness; any thread.
#ifndef RT_CRYPTO_AGE_H
#define RT_CRYPTO_AGE_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#define RT_AGE_KEY_BYTES       32
#define RT_AGE_RECIPIENT_BYTES 63 // "age1…" and NUL
#define RT_AGE_IDENTITY_BYTES  75 // "AGE-SECRET-KEY-1…" and NUL
#define RT_AGE_RECIPIENTS_MOST 64
#define RT_AGE_HEADER_MOST     32768
#define RT_AGE_PLAIN_MOST      ((size_t)1 << 30)

struct rt_age_recipient {
    uint8_t bytes[RT_AGE_KEY_BYTES];
};
struct rt_age_identity; // both halves, in guarded memory

enum rt_status rt_age_generate(struct rt_age_identity **ret_identity) RT_WARN_UNUSED;
// The identity of 32 given secret bytes; rt_age_secret gives them back (borrowed).
enum rt_status rt_age_from_bytes(const uint8_t bytes[RT_AGE_KEY_BYTES],
                                 struct rt_age_identity **ret_identity) RT_WARN_UNUSED;
const uint8_t *rt_age_secret(const struct rt_age_identity *identity);
const struct rt_age_recipient *rt_age_recipient_of(const struct rt_age_identity *identity);
void rt_age_free(struct rt_age_identity *identity); // wipes; takes NULL

// Bech32 (BIP 173) with the prefixes "age" and "AGE-SECRET-KEY-". Parsing is strict: one case, a
// right checksum, 32 bytes, zero padding; a recipient is no point of small order. The caller wipes
// a formatted identity.
void rt_age_recipient_format(const struct rt_age_recipient *recipient,
                             char ret_text[RT_AGE_RECIPIENT_BYTES]);
enum rt_status rt_age_recipient_parse(struct rt_bytes text,
                                      struct rt_age_recipient *ret_recipient) RT_WARN_UNUSED;
void rt_age_identity_format(const struct rt_age_identity *identity,
                            char ret_text[RT_AGE_IDENTITY_BYTES]);
enum rt_status rt_age_identity_parse(struct rt_bytes text,
                                     struct rt_age_identity **ret_identity) RT_WARN_UNUSED;
// A file of age-keygen: the first line that is neither blank nor a comment.
enum rt_status rt_age_identity_file_parse(struct rt_bytes file,
                                          struct rt_age_identity **ret_identity) RT_WARN_UNUSED;

// Append the age file for 1 to RT_AGE_RECIPIENTS_MOST recipients, any of whom can open it.
// RT_OUT_OF_RANGE, RT_TOO_LARGE, RT_NO_MEMORY, RT_MALFORMED for a recipient of small order.
enum rt_status rt_age_encrypt(const struct rt_age_recipient *recipients, size_t count,
                              struct rt_bytes plain, struct rt_buf *out) RT_WARN_UNUSED;
// Append the plaintext. RT_MALFORMED for what is no age file; RT_NOT_PERMITTED when no stanza is
// for this identity; RT_CORRUPT when the header's or a chunk's authentication fails, or the file is
// cut short. Nothing is appended unless it is RT_OK.
enum rt_status rt_age_decrypt(const struct rt_age_identity *identity, struct rt_bytes file,
                              struct rt_buf *out) RT_WARN_UNUSED;

#endif
