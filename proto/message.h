// SPDX-License-Identifier: Apache-2.0
// Everything said on the wire: one frame is one message, a MessagePack array [type, fields…] of at
// most RT_PAYLOAD_MOST bytes. Messages are declared once below (schema.h has the field kinds);
// docs/PROTOCOL.md is printed from these tables. Views in a decoded message point into the frame,
// lists into the caller's arena. Does no I/O and never logs. Pure; any thread on distinct values.
#ifndef RT_PROTO_MESSAGE_H
#define RT_PROTO_MESSAGE_H

#include "proto/object.h"
#include "proto/schema.h"

#define RT_PROTOCOL_VERSION 1
// The largest frame CURVE carries under a 1 MiB limit is 1,048,543 bytes; payloads end before it.
#define RT_PAYLOAD_MOST        1000000
#define RT_CREDIT_MOST         1024 // units an instance may want outstanding
#define RT_INVENTORY_MOST      4096 // units in a HELLO or a PULSE
#define RT_PAIRS_MOST          64   // results under one signature
#define RT_SUBMIT_OBJECTS_MOST 64
#define RT_PART_MOST           262144 // bytes of a PART
#define RT_PROOF_TEXT_MOST     65536  // bytes of a .tlog-proof
#define RT_LEAF_TEXT_MOST      65535  // bytes of a leaf
#define RT_UNIT_STATEMENT_MOST 2048
#define RT_BODY_MOST           (RT_PAYLOAD_MOST - 64) // text of ADMIN and REPLY

// ---- words

//  X(NAME, word)
#define RT_OFFER_STATE_TABLE(X)                                                                    \
    X(REGISTERED, "registered")                                                                    \
    X(STARTED, "started")                                                                          \
    X(PAUSED, "paused")                                                                            \
    X(CANCELLED, "cancelled")                                                                      \
    X(CLOSING, "closing")                                                                          \
    X(CLOSED, "closed")
enum rt_offer_state {
#define X(name, word) RT_OFFER_##name,
    RT_OFFER_STATE_TABLE(X)
#undef X
        RT_OFFER_STATE_COUNT
};
extern const char *const rt_offer_state_words[RT_OFFER_STATE_COUNT + 1]; // NULL-terminated

//  X(NAME, word)
#define RT_NOTICE_KIND_TABLE(X)                                                                    \
    X(START, "start")                                                                              \
    X(PAUSE, "pause")                                                                              \
    X(RESUME, "resume")                                                                            \
    X(CANCEL, "cancel")                                                                            \
    X(CLOSE, "close")                                                                              \
    X(ROSTER, "roster")                                                                            \
    X(REVOKED, "revoked")
enum rt_notice_kind {
#define X(name, word) RT_NOTICE_KIND_##name,
    RT_NOTICE_KIND_TABLE(X)
#undef X
        RT_NOTICE_KIND_COUNT
};
extern const char *const rt_notice_kind_words[RT_NOTICE_KIND_COUNT + 1];

// Numbers of ERROR and REPLY; they never change, whatever becomes of enum rt_status.
//  X(number, status)
#define RT_WIRE_STATUS_TABLE(X)                                                                    \
    X(0, OK)                                                                                       \
    X(1, USAGE)                                                                                    \
    X(2, NO_MEMORY)                                                                                \
    X(3, IO)                                                                                       \
    X(4, NO_SPACE)                                                                                 \
    X(5, NETWORK)                                                                                  \
    X(6, TIMEOUT)                                                                                  \
    X(7, AGAIN)                                                                                    \
    X(8, BUSY)                                                                                     \
    X(9, CORRUPT)                                                                                  \
    X(10, NOT_FOUND)                                                                               \
    X(11, EXISTS)                                                                                  \
    X(12, MALFORMED)                                                                               \
    X(13, OUT_OF_RANGE)                                                                            \
    X(14, TOO_LARGE)                                                                               \
    X(15, UNSUPPORTED)                                                                             \
    X(16, BAD_SIGNATURE)                                                                           \
    X(17, BAD_PROOF)                                                                               \
    X(18, UNKNOWN_KEY)                                                                             \
    X(19, REVOKED)                                                                                 \
    X(20, NOT_PERMITTED)                                                                           \
    X(21, CONFLICT)                                                                                \
    X(22, DUPLICATE)                                                                               \
    X(23, TOO_LATE)                                                                                \
    X(24, CHECK_FAILED)                                                                            \
    X(25, INCOMPLETE)                                                                              \
    X(26, POLICY)                                                                                  \
    X(27, CANCELLED)
#define RT_WIRE_STATUS_MOST 255
// The wire number of a status, and back; a number this version does not know is RT_UNSUPPORTED.
uint64_t rt_wire_status(enum rt_status status);
enum rt_status rt_status_of_wire(uint64_t number);

// ---- records inside messages

#define RT_PULSE_UNIT_FIELDS(F)                                                                    \
    F(FIXED, unit, rt_digest, 0, 0, "digest of the unit object")                                   \
    F(U64, done, _, 0, RT_TRIALS_MOST, "trials finished; at most total")                           \
    F(U64, total, _, 0, RT_TRIALS_MOST, "trials of the unit")
RT_RECORD(rt_pulse_unit, RT_PULSE_UNIT_FIELDS);

#define RT_RESULT_PAIR_FIELDS(F)                                                                   \
    F(BYTES, unit_statement, _, 1, RT_UNIT_STATEMENT_MOST, "the UNIT's statement as received")     \
    F(BYTES, unit, _, 1, RT_UNIT_MOST, "the unit object")                                          \
    F(BYTES, result, _, 1, RT_RESULT_MOST, "the result object")
RT_RECORD(rt_result_pair, RT_RESULT_PAIR_FIELDS);

// ---- messages

#define RT_MESSAGE_HELLO_FIELDS(F)                                                                 \
    F(U64, version_least, _, 1, 65535, "oldest protocol version spoken; at most version_most")     \
    F(U64, version_most, _, 1, 65535, "newest protocol version spoken")                            \
    F(FIXED, instance, rt_instance, 0, 0, "which worker of the lab this is")                       \
    F(STR, software, _, 1, 64, "name and version of the program")                                  \
    F(DIGESTS, units, _, 0, RT_INVENTORY_MOST, "unit objects in hand; any other is free at once")  \
    F(TIME, time_ms, _, 0, 0, "the sender's clock")                                                \
    F(U64, seen, _, 0, INT64_MAX, "size of the newest checkpoint remembered; 0 for none")
RT_RECORD(rt_message_hello, RT_MESSAGE_HELLO_FIELDS);

#define RT_MESSAGE_WELCOME_FIELDS(F)                                                               \
    F(U64, version, _, 1, 65535, "the protocol version spoken from here on")                       \
    F(U64, epoch, _, 0, INT64_MAX, "raised at every start of the coordinator")                     \
    F(TIME, time_ms, _, 0, 0, "the coordinator's clock")                                           \
    F(FIXED, roster, rt_digest, 0, 0, "digest of the roster in force; zeros before the first")     \
    F(STR, origin, _, 1, 127, "the log's name")                                                    \
    F(BODY, checkpoint, _, 0, 8192, "the log's newest signed checkpoint")                          \
    F(DIGESTS, consistency, _, 0, 65, "RFC 6962 proof from HELLO's `seen` to this checkpoint")
RT_RECORD(rt_message_welcome, RT_MESSAGE_WELCOME_FIELDS);

#define RT_MESSAGE_WANT_FIELDS(F)                                                                  \
    F(FIXED, campaign, rt_digest, 0, 0, "digest of the campaign object")                           \
    F(U64, units, _, 0, RT_CREDIT_MOST, "credit: how many more units are wanted")                  \
    F(U64, trials, _, 0, RT_TRIALS_MOST, "most trials a unit; 0 for the campaign's")
RT_RECORD(rt_message_want, RT_MESSAGE_WANT_FIELDS);

#define RT_MESSAGE_UNIT_FIELDS(F)                                                                  \
    F(BYTES, statement, _, 1, RT_UNIT_STATEMENT_MOST, "`unit` statement with its signature")       \
    F(BYTES, object, _, 1, RT_UNIT_MOST, "the unit object")
RT_RECORD(rt_message_unit, RT_MESSAGE_UNIT_FIELDS);

#define RT_MESSAGE_RESULT_FIELDS(F)                                                                \
    F(BYTES, statement, _, 1, RT_LEAF_TEXT_MOST, "`result` statement with its signature")          \
    F(LIST, pairs, rt_result_pair, 1, RT_PAIRS_MOST, "as many as the statement names, in order")   \
    F(BYTES, fingerprint, _, 0, RT_FINGERPRINT_MOST, "the object; empty once sent here before")
RT_RECORD(rt_message_result, RT_MESSAGE_RESULT_FIELDS);

#define RT_MESSAGE_RECEIPT_FIELDS(F)                                                               \
    F(FIXED, statement, rt_digest, 0, 0, "statement digest of what is acknowledged")               \
    F(U64, index, _, 0, INT64_MAX, "its leaf's index in the log")                                  \
    F(TIME, received_ms, _, 0, 0, "its `received` line, which makes the leaf")                     \
    F(BODY, proof, _, 1, RT_PROOF_TEXT_MOST, ".tlog-proof text")                                   \
    F(BOOL, duplicate, _, 0, 0, "it was in the log before")
RT_RECORD(rt_message_receipt, RT_MESSAGE_RECEIPT_FIELDS);

#define RT_MESSAGE_RETURN_FIELDS(F)                                                                \
    F(FIXED, unit, rt_digest, 0, 0, "digest of a unit object handed back unrun")                   \
    F(STR, reason, _, 0, 200, "why")
RT_RECORD(rt_message_give_back, RT_MESSAGE_RETURN_FIELDS);

#define RT_MESSAGE_PULSE_FIELDS(F)                                                                 \
    F(LIST, units, rt_pulse_unit, 0, RT_INVENTORY_MOST, "progress of each unit in hand")           \
    F(TIME, time_ms, _, 0, 0, "the sender's clock")
RT_RECORD(rt_message_pulse, RT_MESSAGE_PULSE_FIELDS);

#define RT_MESSAGE_FETCH_FIELDS(F)                                                                 \
    F(FIXED, digest, rt_digest, 0, 0, "of the object wanted")                                      \
    F(U64, offset, _, 0, INT64_MAX, "first byte wanted")
RT_RECORD(rt_message_fetch, RT_MESSAGE_FETCH_FIELDS);

#define RT_MESSAGE_PART_FIELDS(F)                                                                  \
    F(FIXED, digest, rt_digest, 0, 0, "of the object")                                             \
    F(U64, total, _, 0, INT64_MAX, "the object's size in bytes")                                   \
    F(U64, offset, _, 0, INT64_MAX, "of the first byte here; the data end within total")           \
    F(BYTES, data, _, 0, RT_PART_MOST, "its bytes from offset on")
RT_RECORD(rt_message_part, RT_MESSAGE_PART_FIELDS);

#define RT_MESSAGE_SUBMIT_FIELDS(F)                                                                \
    F(BYTES, statement, _, 1, RT_LEAF_TEXT_MOST, "any statement but `unit` and `result`, signed")  \
    F(BLOBS, objects, _, 0, RT_SUBMIT_OBJECTS_MOST, "objects it names that may be new to the log")
RT_RECORD(rt_message_submit, RT_MESSAGE_SUBMIT_FIELDS);

#define RT_MESSAGE_OFFER_FIELDS(F)                                                                 \
    F(FIXED, campaign, rt_digest, 0, 0, "digest of the campaign object, to be fetched")            \
    F(ENUM, state, rt_offer_state, 0, 0, "where the campaign stands")                              \
    F(BYTES, leaf, _, 1, RT_LEAF_TEXT_MOST, "the campaign's leaf")                                 \
    F(U64, index, _, 0, INT64_MAX, "its index in the log")                                         \
    F(BODY, proof, _, 1, RT_PROOF_TEXT_MOST, ".tlog-proof text of that leaf")                      \
    F(BOOL, accepted, _, 0, 0, "this lab's accept is in the log")                                  \
    F(MAYBE, draw, _, 0, 32, "the draw, from the start on: what run order and seeds come from")
RT_RECORD(rt_message_offer, RT_MESSAGE_OFFER_FIELDS);

#define RT_MESSAGE_NOTICE_FIELDS(F)                                                                \
    F(MAYBE, campaign, _, 0, 32, "digest of the campaign it is about, if any")                     \
    F(ENUM, kind, rt_notice_kind, 0, 0, "what happened")                                           \
    F(STR, text, _, 0, 200, "the reason given")
RT_RECORD(rt_message_notice, RT_MESSAGE_NOTICE_FIELDS);

#define RT_MESSAGE_ADMIN_FIELDS(F) F(BODY, request, _, 2, RT_BODY_MOST, "JSON object")
RT_RECORD(rt_message_admin, RT_MESSAGE_ADMIN_FIELDS);

#define RT_MESSAGE_REPLY_FIELDS(F)                                                                 \
    F(U64, status, _, 0, RT_WIRE_STATUS_MOST, "wire status; 0 is success")                         \
    F(BODY, body, _, 0, RT_BODY_MOST, "JSON")
RT_RECORD(rt_message_reply, RT_MESSAGE_REPLY_FIELDS);

#define RT_MESSAGE_ERROR_FIELDS(F)                                                                 \
    F(U64, code, _, 1, RT_WIRE_STATUS_MOST, "wire status")                                         \
    F(MAYBE, about, _, 0, 32, "digest of the unit, statement or object it is about, if any")       \
    F(STR, text, _, 0, 200, "for people")
RT_RECORD(rt_message_error, RT_MESSAGE_ERROR_FIELDS);

//  X(NAME, name, type code, who sends it, what it does)
#define RT_MESSAGE_TABLE(X)                                                                        \
    X(HELLO, hello, 1, "worker", "Opens a session; a barrier: what it does not list is free.")     \
    X(WELCOME, welcome, 2, "coordinator", "Answers HELLO; OFFERs follow.")                         \
    X(WANT, want, 3, "worker", "Gives credit for units; replaces the credit given before.")        \
    X(UNIT, unit, 4, "coordinator", "Deals one unit, signed.")                                     \
    X(RESULT, result, 5, "worker", "Hands in signed results; answered by RECEIPT or ERROR.")       \
    X(RECEIPT, receipt, 6, "coordinator", "Acknowledges: it is on disk and provably in the log.")  \
    X(RETURN, give_back, 7, "worker", "Hands a unit back unrun.")                                  \
    X(PULSE, pulse, 8, "worker", "Heartbeat with progress; renews nothing by itself.")             \
    X(FETCH, fetch, 9, "anyone", "Asks for an object from an offset on; one outstanding.")         \
    X(PART, part, 10, "coordinator", "Answers FETCH.")                                             \
    X(SUBMIT, submit, 11, "worker, operator", "Hands in a statement; answered by RECEIPT.")        \
    X(OFFER, offer, 12, "coordinator",                                                             \
      "Makes a campaign known, with the proof that it is logged.")                                 \
    X(NOTICE, notice, 13, "coordinator", "Says that something took effect.")                       \
    X(ADMIN, admin, 14, "operator", "A read over the local socket; answered by REPLY.")            \
    X(REPLY, reply, 15, "coordinator", "Answers ADMIN.")                                           \
    X(ERROR, error, 16, "anyone", "Refuses the message it answers; nothing changed.")

enum rt_message_type {
#define X(NAME, name, code, sender, doc) RT_MESSAGE_##NAME = code,
    RT_MESSAGE_TABLE(X)
#undef X
};
#define RT_MESSAGE_TYPE_MOST 16

// A decoded message: type says which member is set (body.hello for HELLO, body.give_back for
// RETURN).
struct rt_message {
    enum rt_message_type type;
    union {
#define X(NAME, name, code, sender, doc) struct rt_message_##name name;
        RT_MESSAGE_TABLE(X)
#undef X
    } body;
};

// rt_message_hello_encode(message, out, ret_field) and so on for every message: appends one frame's
// payload. On failure out is as it was. RT_OUT_OF_RANGE or RT_MALFORMED for a field that breaks its
// limits, RT_TOO_LARGE above RT_PAYLOAD_MOST, RT_NO_MEMORY. ret_field (may be NULL) names the
// field.
#define X(NAME, name, code, sender, doc)                                                           \
    RT_WARN_UNUSED static inline enum rt_status rt_message_##name##_encode(                        \
        const struct rt_message_##name *message, struct rt_buf *out, const char **ret_field)       \
    {                                                                                              \
        return rt_schema_encode(rt_message_##name##_schema(), message, RT_PAYLOAD_MOST, out,       \
                                ret_field);                                                        \
    }
RT_MESSAGE_TABLE(X)
#undef X

// The same for a message of any type.
enum rt_status rt_message_encode(const struct rt_message *message, struct rt_buf *out,
                                 const char **ret_field) RT_WARN_UNUSED;

// Read one frame's payload. Errors as rt_schema_decode; RT_UNSUPPORTED for an unknown type. The
// views live as long as frame, the lists as long as arena. ret_message may be half written on
// failure, but its type is valid or 0.
enum rt_status rt_message_decode(struct rt_bytes frame, struct rt_arena *arena,
                                 struct rt_message *ret_message,
                                 const char **ret_field) RT_WARN_UNUSED;

// One line for a log, with secrets and bulk left out and foreign text escaped (rt_schema_print).
void rt_message_print(const struct rt_message *message, struct rt_buf *out);

// The descriptor of a type, or NULL; and its word ("HELLO"), or "?".
const struct rt_schema *rt_message_schema(enum rt_message_type type);
const char *rt_message_type_word(enum rt_message_type type);

#endif
