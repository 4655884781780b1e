// SPDX-License-Identifier: Apache-2.0
// The two small files of enrolment (DESIGN.md section 6): the invitation an operator sends a lab,
// and the self-signed enrolment the lab sends back. Both are short YAML texts; the enrolment ends
// with a signature by the very key it announces, over all that stands before it. Pure; any thread.
#ifndef RT_PROTO_INVITE_H
#define RT_PROTO_INVITE_H

#include "common/crypto/curve.h"
#include "common/crypto/key.h"
#include "common/crypto/note.h"
#include "proto/scenario.h"

struct rt_invite {
    const char *consortium; // roster id
    const char *lab;
    const char *address; // "tcp://host:port"
    struct rt_curve_public curve;
    const char *log; // vkey text
    struct rt_vkey log_key;
    struct rt_digest roster; // the first roster's digest: where trust starts
    int64_t expires_ms;
};

enum rt_status rt_invite_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                              struct rt_invite **ret_invite, struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_invite_write(const struct rt_invite *invite, struct rt_buf *out) RT_WARN_UNUSED;
// Words for the telephone, over everything an invitation says; RT_DIGEST_WORDS_BYTES.
enum rt_status rt_invite_words(const struct rt_invite *invite, char *ret_words) RT_WARN_UNUSED;

struct rt_enrolment {
    const char *consortium, *lab;
    struct rt_public_key sign;
    struct rt_curve_public curve;
    const char *cosign; // vkey text, "" none
    const char **classes;
    size_t class_count;
    const char **serves;
    size_t serve_count;
    const char *contact;
    int64_t made_ms;
    struct rt_digest invite; // SHA-256 of the invitation file it answers
};

// Append the text and its signature line; key must be the one announced in `sign` (RT_CONFLICT).
enum rt_status rt_enrolment_write(const struct rt_enrolment *enrolment,
                                  const struct rt_secret_key *key,
                                  struct rt_buf *out) RT_WARN_UNUSED;
// Parses and verifies the signature (RT_BAD_SIGNATURE).
enum rt_status rt_enrolment_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                                 struct rt_enrolment **ret_enrolment,
                                 struct rt_error *err) RT_WARN_UNUSED;

#endif
