// SPDX-License-Identifier: Apache-2.0
// CURVE (X25519) transport keys: 32 raw bytes each, as ZMQ_CURVE_PUBLICKEY and ZMQ_CURVE_SECRETKEY
// take them, "rt-curve:<base64>" as text, and a key file of mode 0600. They encrypt connections and
// never sign. Secrets stay in guarded memory. Immutable; any thread. Only load and save block.
#ifndef RT_CRYPTO_CURVE_H
#define RT_CRYPTO_CURVE_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#define RT_CURVE_KEY_BYTES 32

struct rt_curve_public {
    uint8_t bytes[RT_CURVE_KEY_BYTES];
};
struct rt_curve_secret; // both halves, in guarded memory

enum rt_status rt_curve_generate(struct rt_curve_secret **ret_secret) RT_WARN_UNUSED;
// The key pair of 32 given secret bytes, for deterministic tests.
enum rt_status rt_curve_from_bytes(const uint8_t bytes[RT_CURVE_KEY_BYTES],
                                   struct rt_curve_secret **ret_secret) RT_WARN_UNUSED;
void rt_curve_free(struct rt_curve_secret *secret); // wipes; takes NULL
// Borrowed from secret.
const struct rt_curve_public *rt_curve_secret_public(const struct rt_curve_secret *secret);
const uint8_t *rt_curve_secret_bytes(const struct rt_curve_secret *secret);

bool rt_curve_public_equal(const struct rt_curve_public *a, const struct rt_curve_public *b);

// "rt-curve:" and strict base64; ret_text needs RT_CURVE_TEXT_BYTES. Parsing refuses small-order
// points (RT_MALFORMED).
#define RT_CURVE_TEXT_BYTES 54
void rt_curve_public_format(const struct rt_curve_public *key, char *ret_text);
enum rt_status rt_curve_public_parse(struct rt_bytes text,
                                     struct rt_curve_public *ret_key) RT_WARN_UNUSED;

// The key file: "rt-curve-secret:<base64>" and "rt-curve:<base64>", a line each; the public half is
// recomputed and compared. Mode checked on load; save makes a new file (RT_EXISTS).
enum rt_status rt_curve_file_parse(struct rt_bytes file,
                                   struct rt_curve_secret **ret_secret) RT_WARN_UNUSED;
enum rt_status rt_curve_load(const char *path, struct rt_curve_secret **ret_secret,
                             struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_curve_save(const char *path, const struct rt_curve_secret *secret,
                             struct rt_error *err) RT_WARN_UNUSED;

#endif
