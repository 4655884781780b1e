// SPDX-License-Identifier: Apache-2.0
// Statements (EVIDENCE, Log): the short texts by which everybody vouches for everything, as they
// are signed and as they stand in the log. Builds, signs, parses strictly, verifies, and assembles
// the leaf. Bytes are never re-encoded to be verified: the parser gives views into the one buffer
// that was received. Reads no clock and does no I/O; `unit` and `result` of one pair allocate
// nothing but the caller's buffer. Pure; any thread on distinct values.
//
//   ringtrial/v1 <kind>
//   <field> <value>                    in the kind's order, every one present
//   signed <key id> <base64 of 64>     one per signer, ascending by key id
//   received <stamp>                   the coordinator's own line, in a leaf
#ifndef RT_PROTO_STATEMENT_H
#define RT_PROTO_STATEMENT_H

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/crypto/hash.h"
#include "common/crypto/key.h"

#define RT_STATEMENT_MOST            65535 // bytes of a leaf
#define RT_STATEMENT_PAIRS_MOST      64
#define RT_STATEMENT_SIGNATURES_MOST 32
#define RT_STATEMENT_REASON_MOST     200

// Fields, wherever they occur. Forms:
//   DIGEST  "sha256:" and 64 lower-case digits      LINK  a DIGEST, or "none"
//   ID      [a-z0-9][a-z0-9._-]{0,63}               U64   decimal, no leading zero
//   ACTION  a word of RT_STATEMENT_ACTION_TABLE     NONCE 64 lower-case digits
//   SEEN    origin, size, base64 root of a checkpoint
//   PAIRS   1 to 64 lines of two DIGESTs            TEXT  1 to 200 bytes, one line, printable
//  X(NAME, word and member, form, doc)
#define RT_STATEMENT_FIELD_TABLE(X)                                                                \
    X(ROSTER, roster, DIGEST, "digest of the roster object")                                       \
    X(CONSORTIUM, consortium, ID, "the roster's id")                                               \
    X(VERSION, version, U64, "the roster's version, from 1 on")                                    \
    X(PREVIOUS, previous, LINK, "digest of the roster before it")                                  \
    X(CAMPAIGN, campaign, DIGEST, "digest of the campaign object")                                 \
    X(NAME, name, ID, "the campaign's id")                                                         \
    X(BENCH, bench, DIGEST, "digest of the bench object")                                          \
    X(LAB, lab, ID, "id of the lab")                                                               \
    X(SEEN, seen, SEEN, "the checkpoint the lab verified the campaign's inclusion against")        \
    X(NONCE, nonce, NONCE, "32 random bytes of the lab's choosing, for the draw")                  \
    X(UNIT, unit, DIGEST, "digest of the unit object")                                             \
    X(ACTION, action, ACTION, "what is to happen to the campaign")                                 \
    X(SEQ, seq, U64, "above every earlier one of the campaign")                                    \
    X(PAIR, pair, PAIRS, "digests of a unit object and of the result object that answers it")      \
    X(RESULTS, results, U64, "how many of the lab's result leaves are in the log")                 \
    X(RATING, rating, DIGEST, "digest of the rating object")                                       \
    X(INCIDENT, incident, ID, "the incident's id, its own within the campaign")                    \
    X(STEP, step, ID, "opened, triaged, vendor-notified, vendor-reply, remediated or disputed")    \
    X(SEVERITY, severity, U64, "0 to 4, as judged at this step")                                   \
    X(RECORD, record, DIGEST, "digest of the incident object")                                     \
    X(GRANT, grant, ID, "the grant's id, its own within the campaign")                             \
    X(WHAT, what, ID, "what is released: results, scenarios or transcripts")                       \
    X(TO, to, ID, "who gets it: an organisation of the roster, or `everyone`")                     \
    X(UNTIL, until, U64, "when the grant ends, ms since 1970; 0: never")                           \
    X(REPORT, report, DIGEST, "digest of the report")                                              \
    X(SIZE, size, U64, "size of the log it was computed from")                                     \
    X(ROOT, root, DIGEST, "RFC 6962 root: of those leaves, or of the log of that size")            \
    X(REASON, reason, TEXT, "why, for people")

// Who may sign a kind. ROOT and BOARD: as many keys with that role as the roster's threshold says.
// OPERATOR, COORDINATOR: at least one key with that role. LAB: the key of the lab it names. RATER:
// that, or a key with the role `rater`. COMMITTEE: `data-committee` keys, for a release as many as
// the roster's threshold says.
//  X(NAME, words)
#define RT_STATEMENT_RULE_TABLE(X)                                                                 \
    X(ROOT, "the threshold of `root` keys")                                                        \
    X(BOARD, "the threshold of `board` keys")                                                      \
    X(LAB, "the lab it names")                                                                     \
    X(RATER, "the lab it names, or a rater")                                                       \
    X(COMMITTEE, "a `data-committee` key; for a release, its threshold")                           \
    X(COORDINATOR, "the coordinator's log key")                                                    \
    X(OPERATOR, "an operator")

// Kinds, in the order PROTOCOL.md lists them.
//  X(NAME, word, rule, fields F(NAME) in order, doc)
#define RT_STATEMENT_KIND_TABLE(X, F)                                                              \
    X(ROSTER, "roster", ROOT, F(ROSTER) F(CONSORTIUM) F(VERSION) F(PREVIOUS),                      \
      "Puts a version of the roster in force.")                                                    \
    X(CAMPAIGN, "campaign", BOARD, F(CAMPAIGN) F(NAME) F(BENCH) F(ROSTER),                         \
      "Registers a campaign, before anything runs.")                                               \
    X(ACCEPT, "accept", LAB, F(CAMPAIGN) F(LAB) F(SEEN) F(NONCE),                                  \
      "A lab's consent, and its witness that the plan came first.")                                \
    X(UNIT, "unit", COORDINATOR, F(CAMPAIGN) F(LAB) F(UNIT),                                       \
      "Deals a unit to a lab; kept as an object, never a leaf.")                                   \
    X(STATE, "state", OPERATOR, F(CAMPAIGN) F(ACTION) F(SEQ) F(REASON),                            \
      "An operator's decision about a campaign.")                                                  \
    X(RESULT, "result", LAB, F(CAMPAIGN) F(LAB) F(PAIR), "A lab's results of 1 to 64 units.")      \
    X(RATING, "rating", RATER, F(CAMPAIGN) F(LAB) F(RATING),                                       \
      "Another rater's labels for trials of a lab; results stay as they are.")                     \
    X(CLOSE, "close", LAB, F(CAMPAIGN) F(LAB) F(RESULTS) F(ROOT),                                  \
      "A lab says that these are all its results.")                                                \
    X(WITHDRAW, "withdraw", LAB, F(CAMPAIGN) F(LAB) F(RESULTS) F(ROOT) F(REASON),                  \
      "A lab leaves; these are all its results.")                                                  \
    X(HOLD, "hold", COORDINATOR, F(CAMPAIGN) F(LAB) F(REASON),                                     \
      "What serves a subject at a lab has changed: it gets nothing new until an operator lifts "   \
      "the hold.")                                                                                 \
    X(LIFT, "lift", OPERATOR, F(CAMPAIGN) F(LAB) F(SEQ) F(REASON),                                 \
      "An operator lifts a hold.")                                                                 \
    X(NO_RESPONSE, "no-response", COORDINATOR, F(CAMPAIGN) F(LAB) F(REASON),                       \
      "A lab did not close by the deadline.")                                                      \
    X(INCIDENT, "incident", OPERATOR,                                                              \
      F(CAMPAIGN) F(INCIDENT) F(STEP) F(SEVERITY) F(RECORD) F(SEQ) F(REASON),                      \
      "A step in the life of an incident: what was found, who was told, what was answered.")       \
    X(RELEASE, "release", COMMITTEE, F(CAMPAIGN) F(GRANT) F(WHAT) F(TO) F(UNTIL) F(REASON),        \
      "The data committee lets somebody have what is withheld, for a purpose and a time.")         \
    X(REVOKE, "revoke", COMMITTEE, F(CAMPAIGN) F(GRANT) F(REASON),                                 \
      "The data committee takes a grant back.")                                                    \
    X(REPORT, "report", OPERATOR, F(CAMPAIGN) F(REPORT) F(SIZE) F(ROOT),                           \
      "Publishes a report computed from a prefix of the log.")

//  X(NAME, word)
#define RT_STATEMENT_ACTION_TABLE(X)                                                               \
    X(START, "start")                                                                              \
    X(PAUSE, "pause")                                                                              \
    X(RESUME, "resume")                                                                            \
    X(CANCEL, "cancel")                                                                            \
    X(CLOSE, "close")

enum rt_statement_kind {
#define F(NAME)
#define X(NAME, word, rule, fields, doc) RT_STATEMENT_##NAME,
    RT_STATEMENT_KIND_TABLE(X, F)
#undef X
#undef F
        RT_STATEMENT_KIND_COUNT
};

enum rt_statement_field {
#define X(NAME, member, form, doc) RT_STATEMENT_FIELD_##NAME,
    RT_STATEMENT_FIELD_TABLE(X)
#undef X
        RT_STATEMENT_FIELD_COUNT
};

enum rt_statement_rule {
#define X(NAME, words) RT_STATEMENT_RULE_##NAME,
    RT_STATEMENT_RULE_TABLE(X)
#undef X
};

enum rt_statement_action {
#define X(NAME, word) RT_STATEMENT_ACTION_##NAME,
    RT_STATEMENT_ACTION_TABLE(X)
#undef X
        RT_STATEMENT_ACTION_COUNT
};

struct rt_statement_seen {
    struct rt_bytes origin; // a view
    uint64_t size;
    struct rt_digest root;
};

struct rt_statement_pair {
    struct rt_digest unit;
    struct rt_digest result;
};

struct rt_statement_signature {
    char key_id[RT_KEY_ID_BYTES];
    uint8_t bytes[RT_SIGNATURE_BYTES];
};

// A statement to be built, or one that was parsed (about 8 KB; nothing to release). Only the
// members of its kind's fields are meaningful. The views point into the parsed bytes.
struct rt_statement {
    enum rt_statement_kind kind;

    // The kind's fields.
    struct rt_digest roster, campaign, bench, unit, rating, record, report, root;
    struct rt_bytes consortium, name, lab, incident, step, grant, what, to, reason;
    uint64_t version, seq, results, size, severity, until;
    bool has_previous;
    struct rt_digest previous;
    struct rt_statement_seen seen;
    struct rt_digest nonce; // 32 random bytes
    enum rt_statement_action action;
    size_t pair_count;
    struct rt_statement_pair pairs[RT_STATEMENT_PAIRS_MOST];

    // Set by the parser alone.
    struct rt_bytes bytes;     // all that was parsed
    struct rt_bytes unstamped; // without the `received` line: what a signer sends
    struct rt_bytes body;      // what is signed: through the LF before the first `signed`
    bool has_received;
    int64_t received_ms;
    size_t signature_count;
    struct rt_statement_signature signatures[RT_STATEMENT_SIGNATURES_MOST];
};

const char *rt_statement_kind_word(enum rt_statement_kind kind); // "no-response"
const char *rt_statement_type(enum rt_statement_kind kind);      // DSSE payload type
enum rt_statement_rule rt_statement_rule(enum rt_statement_kind kind);
const char *rt_statement_action_word(enum rt_statement_action action);

// ---- making

// Append the text that is to be signed. RT_MALFORMED or RT_OUT_OF_RANGE for a field that does not
// have its form (out is then as it was), RT_TOO_LARGE, RT_NO_MEMORY.
enum rt_status rt_statement_build(const struct rt_statement *statement,
                                  struct rt_buf *out) RT_WARN_UNUSED;
// Build and sign at once: appends the text and its one `signed` line.
enum rt_status rt_statement_make(const struct rt_statement *statement,
                                 const struct rt_secret_key *key,
                                 struct rt_buf *out) RT_WARN_UNUSED;
// Append a copy of text (an unstamped statement with any number of signatures, none included) with
// one more `signed` line in its place. RT_DUPLICATE when this key has signed, RT_CONFLICT when text
// has a `received` line, RT_TOO_LARGE with 32 signatures, or what parsing says.
enum rt_status rt_statement_sign(struct rt_bytes text, const struct rt_secret_key *key,
                                 struct rt_buf *out) RT_WARN_UNUSED;
// Append the leaf: text (signed and unstamped) and its `received` line. text must have been parsed;
// RT_CONFLICT when it has such a line or no signature, RT_OUT_OF_RANGE for a time outside
// 1970-9999.
enum rt_status rt_statement_leaf(const struct rt_statement *statement, int64_t received_ms,
                                 struct rt_buf *out) RT_WARN_UNUSED;
// The time a new leaf gets: now, but never before the leaf in front of it.
static inline int64_t rt_statement_received(int64_t previous_ms, int64_t now_ms)
{
    return now_ms > previous_ms ? now_ms : previous_ms;
}

// ---- reading

// Parse a statement, signed or not, stamped or not. Form alone: strict in every byte, fixed order,
// every line known. RT_MALFORMED, RT_OUT_OF_RANGE, RT_TOO_LARGE, RT_UNSUPPORTED (a kind or version
// not known here). ret_line (may be NULL) is the 1-based line at fault. bytes must outlive
// *ret_statement; *ret_statement may be half written on failure.
enum rt_status rt_statement_parse(struct rt_bytes bytes, struct rt_statement *ret_statement,
                                  size_t *ret_line) RT_WARN_UNUSED;
// As a leaf of a log: parsed, signed, stamped, not a `unit`, and received no earlier than the leaf
// before it (RT_CONFLICT; 0 for the first).
enum rt_status rt_statement_parse_leaf(struct rt_bytes leaf, int64_t previous_ms,
                                       struct rt_statement *ret_statement,
                                       size_t *ret_line) RT_WARN_UNUSED;

// SHA-256 of the signed bytes: a statement's name, whoever signed it.
void rt_statement_digest(const struct rt_statement *statement, struct rt_digest *ret_digest);

// ---- verifying

// One verified signature: whose key, its roles (mask of enum rt_role, proto/roster.h) and, for a
// lab's key, the lab's id (a view that outlives the call; empty otherwise).
struct rt_statement_signer {
    struct rt_public_key key;
    uint32_t roles;
    struct rt_bytes lab;
};

// Find a key by its id. RT_OK and *ret_signer, or why the key may not speak: RT_UNKNOWN_KEY,
// RT_REVOKED, RT_NOT_PERMITTED. The callback knows the roster and the moment.
typedef enum rt_status (*rt_key_lookup_fn)(void *ctx, const char *key_id,
                                           struct rt_statement_signer *ret_signer);

// Every signature of a parsed statement, over the very bytes that were parsed. RT_OK when there is
// at least one and all are valid; ret_signers (room for signature_count, may be NULL) in their
// order. RT_BAD_SIGNATURE, RT_UNKNOWN_KEY, or what lookup says. Whether these signers may say this
// is rt_statement_permitted.
enum rt_status rt_statement_verify(const struct rt_statement *statement, rt_key_lookup_fn lookup,
                                   void *ctx,
                                   struct rt_statement_signer *ret_signers) RT_WARN_UNUSED;
// The same where the first signature was verified before, over these bytes under the key `proved`
// (or NULL): that it is good is taken as known when the lookup gives the same key.
enum rt_status
rt_statement_verify_proved(const struct rt_statement *statement, rt_key_lookup_fn lookup, void *ctx,
                           const struct rt_public_key *proved,
                           struct rt_statement_signer *ret_signers) RT_WARN_UNUSED;

// The kind's rule on verified signers: RT_OK when every signer is one the rule lets speak and there
// are at least `threshold` different public keys (1 for LAB, COORDINATOR and OPERATOR). For LAB the
// signer's lab must be the statement's. RT_NOT_PERMITTED otherwise. A roster's further wishes
// (kinds of organisation, thresholds of two versions) are rt_roster_threshold's.
enum rt_status rt_statement_permitted(const struct rt_statement *statement,
                                      const struct rt_statement_signer *signers, size_t count,
                                      size_t threshold) RT_WARN_UNUSED;

#endif
