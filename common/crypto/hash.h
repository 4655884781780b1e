// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) through libcrypto's own assembly, with nothing allocated and nothing that
// can fail; HMAC-SHA-256 (RFC 2104); and digests as text: "sha256:<hex>" for machines, words for
// reading over the phone. Pure; any thread on distinct values.
#ifndef RT_CRYPTO_HASH_H
#define RT_CRYPTO_HASH_H

#include "common/base/bytes.h"

#define RT_DIGEST_BYTES      32
#define RT_DIGEST_TEXT_BYTES 72 // "sha256:", 64 digits, NUL

struct rt_digest {
    uint8_t bytes[RT_DIGEST_BYTES];
};

void rt_sha256(struct rt_bytes data, struct rt_digest *ret_digest);

// The same in parts. The state lives on the caller's stack and needs no release; it may be copied
// to go on from a common prefix twice.
struct rt_sha256_state {
    uint64_t opaque[14];
};
void rt_sha256_init(struct rt_sha256_state *state);
void rt_sha256_update(struct rt_sha256_state *state, const void *data, size_t size);
void rt_sha256_final(struct rt_sha256_state *state, struct rt_digest *ret_digest);

void rt_hmac_sha256(struct rt_bytes key, struct rt_bytes data, struct rt_digest *ret_digest);

// "sha256:" and 64 lower-case digits; ret_text needs RT_DIGEST_TEXT_BYTES.
void rt_digest_format(const struct rt_digest *digest, char *ret_text);
// Exactly that form: RT_MALFORMED for anything else, upper-case digits included.
enum rt_status rt_digest_parse(struct rt_bytes text, struct rt_digest *ret_digest) RT_WARN_UNUSED;
bool rt_digest_equal(const struct rt_digest *a, const struct rt_digest *b);
int rt_digest_compare(const struct rt_digest *a, const struct rt_digest *b); // memcmp order

// Ten short English words (the digest's first 80 bits, one word a byte), separated by spaces, for
// two people to compare by phone. ret_text needs RT_DIGEST_WORDS_BYTES.
#define RT_DIGEST_WORDS       10
#define RT_DIGEST_WORDS_BYTES 96
void rt_digest_words(const struct rt_digest *digest, char *ret_text);

#endif
