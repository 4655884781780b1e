// SPDX-License-Identifier: Apache-2.0
// Ed25519 keys (RFC 8032, libsodium's verification rules) and what they sign: raw bytes, or a body
// under its type by the DSSE v1 pre-authentication encoding, so that a signature for one kind of
// statement is never one for another. Keys live in files of minisign's format, which the minisign
// program can use. Secret halves stay in guarded memory (sodium_malloc) and are never printed.
// Keys are immutable after they are made and may be shared by threads. Only load and save block.
#ifndef RT_CRYPTO_KEY_H
#define RT_CRYPTO_KEY_H

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/crypto/hash.h"

#define RT_PUBLIC_KEY_BYTES 32
#define RT_SIGNATURE_BYTES  64
#define RT_KEY_SEED_BYTES   32

// Once at the start of every program and test, before any other call of this library: libsodium's
// start-up, and no core dumps (RLIMIT_CORE 0, PR_SET_DUMPABLE 0; left dumpable under sanitizers).
// Calling it again is harmless. RT_IO when libsodium has no randomness.
enum rt_status rt_crypto_init(void) RT_WARN_UNUSED;

struct rt_public_key {
    uint8_t bytes[RT_PUBLIC_KEY_BYTES];
};

// minisign's number of a key: 8 bytes that its files carry to tell keys apart; not a hash and not
// trusted. For keys made here it is the first 8 bytes of SHA-256(public key); minisign's are
// random.
struct rt_key_number {
    uint8_t bytes[8];
};

struct rt_secret_key; // both halves and the key number, in guarded memory

// A new random key, or the key of a 32-byte seed (RFC 8032). The caller frees it.
enum rt_status rt_secret_key_generate(struct rt_secret_key **ret_key) RT_WARN_UNUSED;
enum rt_status rt_secret_key_from_seed(const uint8_t seed[RT_KEY_SEED_BYTES],
                                       struct rt_secret_key **ret_key) RT_WARN_UNUSED;
void rt_secret_key_free(struct rt_secret_key *key); // wipes; takes NULL
// Borrowed from the key.
const struct rt_public_key *rt_secret_key_public(const struct rt_secret_key *key);
const struct rt_key_number *rt_secret_key_number(const struct rt_secret_key *key);

bool rt_public_key_equal(const struct rt_public_key *a, const struct rt_public_key *b);
// RT_MALFORMED for a key that is not a canonical point of the prime-order group: the identity,
// small and mixed orders. Every parser below applies it.
enum rt_status rt_public_key_check(const struct rt_public_key *key) RT_WARN_UNUSED;

// The key id of statements: the first 8 bytes of SHA-256(public key) as 16 lower-case hex digits.
#define RT_KEY_ID_BYTES 17
void rt_key_id(const struct rt_public_key *key, char *ret_text);
// Key words (rt_digest_words of SHA-256(public key)); ret_text needs RT_DIGEST_WORDS_BYTES.
void rt_key_words(const struct rt_public_key *key, char *ret_text);

// ---- text and files

// "minisign:RW…", the roster's form: the base64 line of a minisign public key file. Formatting
// writes the derived number where number is NULL; parsing returns the number where ret_number is
// not NULL. ret_text needs RT_PUBLIC_KEY_TEXT_BYTES.
#define RT_PUBLIC_KEY_TEXT_BYTES 66
void rt_public_key_format(const struct rt_public_key *key, const struct rt_key_number *number,
                          char *ret_text);
enum rt_status rt_public_key_parse(struct rt_bytes text, struct rt_public_key *ret_key,
                                   struct rt_key_number *ret_number) RT_WARN_UNUSED;

// A public key file: an untrusted comment line and the base64 line. Appends to out / reads all of
// file (RT_MALFORMED unless it is exactly that).
void rt_public_key_file_format(const struct rt_public_key *key, const struct rt_key_number *number,
                               struct rt_buf *out);
enum rt_status rt_public_key_file_parse(struct rt_bytes file, struct rt_public_key *ret_key,
                                        struct rt_key_number *ret_number) RT_WARN_UNUSED;
enum rt_status rt_public_key_load(const char *path, struct rt_public_key *ret_key,
                                  struct rt_key_number *ret_number,
                                  struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_public_key_save(const char *path, const struct rt_public_key *key,
                                  const struct rt_key_number *number,
                                  struct rt_error *err) RT_WARN_UNUSED;

// A secret key file. passphrase NULL: unencrypted (minisign -W). Otherwise encrypted under scrypt
// (N 2^17, r 8, p 1: 128 MiB, about half a second). The caller wipes out (sodium_memzero).
enum rt_status rt_secret_key_file_format(const struct rt_secret_key *key, const char *passphrase,
                                         struct rt_buf *out) RT_WARN_UNUSED;
// RT_NOT_PERMITTED when the file is encrypted and passphrase is NULL or wrong; RT_MALFORMED when it
// is no key file, when its scrypt costs exceed 2^26 operations or 2 GiB, or when the stored public
// half is not the seed's.
enum rt_status rt_secret_key_file_parse(struct rt_bytes file, const char *passphrase,
                                        struct rt_secret_key **ret_key) RT_WARN_UNUSED;
// True when file is an encrypted secret key file, so that the caller knows to ask.
bool rt_secret_key_file_encrypted(struct rt_bytes file);
// The mode must be 0600 or stricter (rt_file_check_private). Saving makes a new file with mode 0600
// and fails with RT_EXISTS rather than replace one.
enum rt_status rt_secret_key_load(const char *path, const char *passphrase,
                                  struct rt_secret_key **ret_key,
                                  struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_secret_key_save(const char *path, const struct rt_secret_key *key,
                                  const char *passphrase, struct rt_error *err) RT_WARN_UNUSED;

// ---- signing

// The DSSE payload type of a statement kind given as a literal: RT_TYPE("result").
#define RT_TYPE(kind) "application/vnd.ringtrial." kind ".v1"

// Bodies above this are RT_TOO_LARGE to sign and to verify.
#define RT_SIGN_BODY_MOST ((size_t)16 << 20)

// Ed25519 over "DSSEv1" SP len(type) SP type SP len(body) SP body (DSSE v1 protocol, PAE); lengths
// in ASCII decimal. type is the whole type string, e.g. RT_TYPE("unit"). Allocates only for bodies
// above 4 KiB (RT_NO_MEMORY).
enum rt_status rt_sign(const struct rt_secret_key *key, const char *type, struct rt_bytes body,
                       uint8_t ret_signature[RT_SIGNATURE_BYTES]) RT_WARN_UNUSED;
// RT_OK or RT_BAD_SIGNATURE (RT_TOO_LARGE, RT_NO_MEMORY).
enum rt_status rt_verify(const struct rt_public_key *key, const char *type, struct rt_bytes body,
                         const uint8_t signature[RT_SIGNATURE_BYTES]) RT_WARN_UNUSED;
// Append the encoding itself to out.
void rt_pae(const char *type, struct rt_bytes body, struct rt_buf *out);

// Ed25519 over exactly these bytes; for formats that are not ours (signed notes, minisign).
void rt_ed25519_sign(const struct rt_secret_key *key, struct rt_bytes message,
                     uint8_t ret_signature[RT_SIGNATURE_BYTES]);
enum rt_status rt_ed25519_verify(const struct rt_public_key *key, struct rt_bytes message,
                                 const uint8_t signature[RT_SIGNATURE_BYTES]) RT_WARN_UNUSED;

#endif
