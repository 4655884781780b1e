// SPDX-License-Identifier: Apache-2.0
// The roster: who is in the consortium, with which keys, in which roles, from when until when, and
// how many of whom must sign what (DESIGN.md section 6). YAML, struct and canonical object say the
// same. Lookups are by key id, CURVE key or lab and answer for a moment. Never signs and never
// verifies a signature: callers do, with the keys found here. Immutable after reading; any thread.
#ifndef RT_PROTO_ROSTER_H
#define RT_PROTO_ROSTER_H

#include "common/crypto/curve.h"
#include "common/crypto/key.h"
#include "common/crypto/note.h"
#include "proto/scenario.h"

#define RT_ROSTER_SIGNERS_MOST 8192 // keys, revoked ones included

// Roles are bits of a mask; one key may have several.
#define RT_ROLE_TABLE(X)                                                                           \
    X(ROOT, "root", 0)                                                                             \
    X(OPERATOR, "operator", 1)                                                                     \
    X(BOARD, "board", 2)                                                                           \
    X(DATA_COMMITTEE, "data-committee", 3)                                                         \
    X(LAB, "lab", 4)                                                                               \
    X(AUDITOR, "auditor", 5)                                                                       \
    X(COORDINATOR, "coordinator", 6)                                                               \
    X(STEERING, "steering", 7)                                                                     \
    X(RATER, "rater", 8)                                                                           \
    X(WITNESS, "witness", 9)
enum rt_role {
#define X(name, text, bit) RT_ROLE_##name = 1 << bit,
    RT_ROLE_TABLE(X)
#undef X
};
const char *rt_role_text(enum rt_role role);

enum rt_org_kind {
    RT_ORG_UNIVERSITY,
    RT_ORG_COMPANY,
    RT_ORG_GOVERNMENT,
    RT_ORG_CIVIL_SOCIETY,
    RT_ORG_INDEPENDENT
};

struct rt_roster_lab {
    const char *id;
    struct rt_public_key sign;
    struct rt_curve_public curve;
    const char *cosign; // vkey text, "" none
    const char **classes;
    size_t class_count;
    const char **serves; // subject ids
    size_t serve_count;
    int64_t from_ms, until_ms; // 0: the roster's own validity
    uint32_t line;
};

struct rt_roster_person {
    const char *id;
    const char **role_names; // "root", "board"
    size_t role_count;
    uint32_t roles; // the mask of role_names, derived
    struct rt_public_key sign;
    bool has_curve; // operators and auditors may dial in with a transport key
    struct rt_curve_public curve;
    const char *witness; // vkey text, "" none
    int64_t from_ms, until_ms;
    uint32_t line;
};

// One interest, as a few facts: {funds: consortium, share: 0.2}.
struct rt_interest {
    struct rt_pair *facts;
    size_t fact_count;
};

struct rt_org {
    const char *id, *name;
    enum rt_org_kind kind;
    struct rt_interest *interests; // printed in every report
    size_t interest_count;
    struct rt_roster_lab *labs;
    size_t lab_count;
    struct rt_roster_person *people;
    size_t person_count;
    uint32_t line;
};

struct rt_threshold {
    const char *id;        // roster, campaign, release, scope
    const char *role_name; // "root"
    enum rt_role role;     // derived from it
    uint32_t sign;         // unique keys
    uint32_t from;         // kinds of organisation, 0 or 1: any
    uint32_t line;
};

struct rt_vendor {
    const char *id;
    const char **families;
    size_t family_count;
    const char *contact;
    int64_t window_ms;
};

struct rt_revocation {
    struct rt_public_key key;
    const char *lab, *person; // whose, "" unknown
    uint64_t at_index;        // first log index no longer accepted; 0: by time alone
    int64_t at_ms;
    const char *reason;
    bool has_successor;
    struct rt_public_key successor;
    uint32_t line;
};

// One signing key of the roster, flattened: what a lookup by key id gives.
struct rt_signer {
    uint8_t key_id[8]; // first 8 bytes of SHA-256(public key)
    struct rt_public_key key;
    uint32_t roles;   // mask; RT_ROLE_LAB for a lab's key, RT_ROLE_COORDINATOR for the log's
    uint32_t org;     // index, RT_NONE for the coordinator
    uint32_t lab;     // index into rt_roster.labs, or RT_NONE
    const char *name; // lab or person id, "coordinator"
    int64_t from_ms, until_ms;
    bool revoked;
    uint64_t revoked_index; // valid when revoked
    int64_t revoked_ms;
};

// One transport key, flattened.
struct rt_peer_key {
    struct rt_curve_public curve;
    uint32_t signer; // index into rt_roster.signers
};

struct rt_roster {
    const char *id;
    uint64_t version;
    bool has_previous;
    struct rt_digest previous;
    int64_t from_ms, until_ms;
    const char *address; // "tcp://host:port"
    struct rt_curve_public curve;
    struct rt_vkey log;   // the coordinator's log key and origin (log.name)
    const char *log_text; // as written
    struct rt_threshold *thresholds;
    size_t threshold_count;
    struct rt_pair *terms;
    size_t term_count;
    struct rt_vendor *vendors;
    size_t vendor_count;
    struct rt_org *orgs;
    size_t org_count;
    struct rt_revocation *revoked;
    size_t revoked_count;
    // Derived.
    const struct rt_roster_lab **labs; // every lab, sorted by id
    uint32_t *lab_orgs;                // its organisation
    size_t lab_count;
    struct rt_signer *signers; // sorted by key id
    size_t signer_count;
    struct rt_peer_key *peers; // sorted by key
    size_t peer_count;
    struct rt_digest digest; // SHA-256 of the object
};

// Parse roster YAML; errors "name:line: ...". Everything lives in arena. Checks ids, unique keys
// (one public key, one holder), dates, vkeys; notes thresholds that its own key holders cannot
// meet. notes may be NULL.
enum rt_status rt_roster_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                              struct rt_roster **ret_roster, struct rt_notes *notes,
                              struct rt_error *err) RT_WARN_UNUSED;
// Write it as YAML that reads back to the same struct (comments are not kept).
enum rt_status rt_roster_write(const struct rt_roster *roster, struct rt_buf *out) RT_WARN_UNUSED;
// The canonical object; decoding is strict (RT_MALFORMED, RT_OUT_OF_RANGE).
enum rt_status rt_roster_encode(const struct rt_roster *roster, struct rt_buf *out) RT_WARN_UNUSED;
enum rt_status rt_roster_decode(struct rt_bytes object, struct rt_arena *arena,
                                struct rt_roster **ret_roster) RT_WARN_UNUSED;
// After changing lists of a struct by hand (admit, revoke): check and derive again, new digest.
enum rt_status rt_roster_finish(struct rt_roster *roster, struct rt_arena *arena,
                                struct rt_error *err) RT_WARN_UNUSED;

// The signer of a 16-digit key id, or NULL. Says nothing about validity.
const struct rt_signer *rt_roster_signer(const struct rt_roster *roster, const char *key_id_hex);
const struct rt_signer *rt_roster_signer_of(const struct rt_roster *roster,
                                            const struct rt_public_key *key);
// May this key act at this moment? RT_REVOKED, RT_NOT_PERMITTED (outside its dates), RT_OK. index
// is the log index the act has or would get; UINT64_MAX when it is not a leaf.
enum rt_status rt_signer_valid(const struct rt_signer *signer, int64_t at_ms,
                               uint64_t index) RT_WARN_UNUSED;

// Who dials with this transport key: a lab (ret_lab: index into labs) or a person (RT_NONE).
// RT_UNKNOWN_KEY, RT_REVOKED, RT_NOT_PERMITTED as above. ret_signer is the holder's signing key.
enum rt_status rt_roster_peer(const struct rt_roster *roster, const struct rt_curve_public *curve,
                              int64_t at_ms, uint32_t *ret_lab,
                              const struct rt_signer **ret_signer) RT_WARN_UNUSED;
uint32_t rt_roster_lab_index(const struct rt_roster *roster, const char *id); // or RT_NONE
const struct rt_signer *rt_roster_lab_signer(const struct rt_roster *roster, uint32_t lab);
bool rt_roster_lab_serves(const struct rt_roster *roster, uint32_t lab, const char *subject);
bool rt_roster_lab_cleared(const struct rt_roster *roster, uint32_t lab, const char *class);

// Do these signers meet the threshold of this id ("roster", "campaign")? Signatures must already be
// verified. Counts unique public keys with the role that are valid at the moment, and kinds of
// organisation. RT_NOT_PERMITTED when short; RT_NOT_FOUND when the roster has no such threshold.
enum rt_status rt_roster_threshold(const struct rt_roster *roster, const char *id,
                                   const struct rt_public_key *keys, size_t key_count,
                                   int64_t at_ms, uint64_t index) RT_WARN_UNUSED;
// May next follow current? Same id, version + 1, previous = current's digest, and the `roster`
// thresholds of both met by keys (current NULL: the first roster, version 1 with no previous).
// RT_CONFLICT for a break in the chain.
enum rt_status rt_roster_follows(const struct rt_roster *current, const struct rt_roster *next,
                                 const struct rt_public_key *keys, size_t key_count, int64_t at_ms,
                                 uint64_t index) RT_WARN_UNUSED;

#endif
