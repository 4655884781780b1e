// SPDX-License-Identifier: Apache-2.0
// The content-addressed objects that cross the wire as bytes: what a unit asks for, what a lab
// measured, and what served the model. Each is a MessagePack array led by its version; its SHA-256
// over exactly the stored bytes is its name. Declared once below (schema.h has the field kinds).
// Views in a decoded object point into the caller's bytes, lists into the caller's arena. Pure; any
// thread on distinct values.
#ifndef RT_PROTO_OBJECT_H
#define RT_PROTO_OBJECT_H

#include "proto/counting.h"
#include "proto/schema.h"

#define RT_OBJECT_VERSION   1
#define RT_UNIT_RUNS_MOST   64
#define RT_TRIALS_MOST      4096 // trials of one unit and of one result
#define RT_UNIT_MOST        2048 // bytes of a unit object
#define RT_RESULT_MOST      600000
#define RT_FINGERPRINT_MOST 65536
#define RT_SCORE_MOST       1000000000000 // micro-units, either sign
#define RT_PARTS_MOST       64

// Why a trial ended in status `error`.
//  X(name, word)
#define RT_ERROR_KIND_TABLE(X)                                                                     \
    X(NONE, "none")                                                                                \
    X(HTTP, "http")                                                                                \
    X(NETWORK, "network")                                                                          \
    X(PROTOCOL, "protocol")                                                                        \
    X(ENGINE, "engine")                                                                            \
    X(BUDGET, "budget")                                                                            \
    X(SANDBOX, "sandbox")                                                                          \
    X(POLICY, "policy")
enum rt_error_kind {
#define X(name, word) RT_ERROR_KIND_##name,
    RT_ERROR_KIND_TABLE(X)
#undef X
        RT_ERROR_KIND_COUNT
};
extern const char *const rt_error_kind_words[RT_ERROR_KIND_COUNT + 1];

// How the model behind a fingerprint is known: its weights have the campaign's digest; its answers
// passed the test against the campaign's reference sample; the lab says so and nothing else does.
//  X(name, word)
#define RT_IDENTITY_TABLE(X)                                                                       \
    X(HASHED, "hashed")                                                                            \
    X(BEHAVIOURAL, "behavioural")                                                                  \
    X(DECLARED, "declared")
enum rt_identity {
#define X(name, word) RT_IDENTITY_##name,
    RT_IDENTITY_TABLE(X)
#undef X
        RT_IDENTITY_COUNT
};
extern const char *const rt_identity_words[RT_IDENTITY_COUNT + 1];

// 16 random bytes a worker process' state directory keeps: who holds a lease, within a lab.
struct rt_instance {
    uint8_t bytes[16];
};

#define RT_UNIT_RUN_FIELDS(F)                                                                      \
    F(U64, first, _, 0, INT64_MAX, "first position in the lab's run order")                        \
    F(U64, count, _, 1, RT_TRIALS_MOST, "how many positions")
RT_RECORD(rt_unit_run, RT_UNIT_RUN_FIELDS);

// Runs are ascending and apart; together at most RT_TRIALS_MOST positions; issued <= reissue <=
// accept.
#define RT_UNIT_FIELDS(F)                                                                          \
    F(FIXED, campaign, rt_digest, 0, 0, "digest of the campaign object")                           \
    F(STR, lab, _, 1, 64, "id of the lab that is to run it")                                       \
    F(U64, epoch, _, 0, INT64_MAX, "the coordinator's epoch; with serial, the unit's id")          \
    F(U64, serial, _, 0, INT64_MAX, "counts up within the epoch")                                  \
    F(TIME, issued_ms, _, 0, 0, "when it was dealt")                                               \
    F(TIME, reissue_at_ms, _, 0, 0, "after this its trials may go out again in another unit")      \
    F(TIME, accept_until_ms, _, 0, 0, "a result received after this does not count")               \
    F(FIXED, accept, rt_digest, 0, 0, "statement digest of the lab's accept")                      \
    F(LIST, runs, rt_unit_run, 1, RT_UNIT_RUNS_MOST, "positions, ascending and apart")
RT_RECORD(rt_object_unit, RT_UNIT_FIELDS);

// outcome, severity and score are 0 unless status is ok; error is none unless status is error.
#define RT_TRIAL_RESULT_FIELDS(F)                                                                  \
    F(U64, number, _, 0, INT64_MAX, "the trial's number in the campaign")                          \
    F(ENUM, status, rt_trial_status, 0, 0, "how it ended")                                         \
    F(ENUM, error, rt_error_kind, 0, 0, "why, when status is error")                               \
    F(U64, outcome, _, 0, 255, "index into the campaign's taxonomy, when status is ok")            \
    F(U64, severity, _, 0, 4, "0 to 4")                                                            \
    F(I64, score_micro, _, -RT_SCORE_MOST, RT_SCORE_MOST, "score in millionths")                   \
    F(U64, same_as, _, 0, INT64_MAX, "1 + number of an identical earlier trial; 0 for none")       \
    F(FIXED, transcript, rt_digest, 0, 0, "commitment to the transcript; zeros for none")          \
    F(U64, tokens_in, _, 0, UINT32_MAX, "tokens read")                                             \
    F(U64, tokens_out, _, 0, UINT32_MAX, "tokens written")                                         \
    F(U64, latency_ms, _, 0, UINT32_MAX, "from first request to last reply")
RT_RECORD(rt_trial_result, RT_TRIAL_RESULT_FIELDS);

#define RT_RESULT_FIELDS(F)                                                                        \
    F(FIXED, unit, rt_digest, 0, 0, "digest of the unit object it answers")                        \
    F(STR, software, _, 1, 64, "name and version of the worker")                                   \
    F(FIXED, instance, rt_instance, 0, 0, "which worker instance of the lab")                      \
    F(TIME, started_ms, _, 0, 0, "by the lab's clock")                                             \
    F(TIME, finished_ms, _, 0, 0, "by the lab's clock; not before started")                        \
    F(FIXED, fingerprint, rt_digest, 0, 0, "digest of the serving fingerprint object")             \
    F(LIST, trials, rt_trial_result, 1, RT_TRIALS_MOST, "in order of the unit's positions")
RT_RECORD(rt_object_result, RT_RESULT_FIELDS);

#define RT_NAMED_VALUE_FIELDS(F)                                                                   \
    F(STR, name, _, 1, 64, "unique within its list")                                               \
    F(STR, value, _, 0, 256, "as text")
RT_RECORD(rt_named_value, RT_NAMED_VALUE_FIELDS);

// The fields of a fingerprint that say which model answers and how it is asked. One of them changed
// is another instrument: it holds the lab. What may change from job to job (hardware, batching,
// canaries) opens a stratum of its own and holds nobody.
#define RT_IDENTITY_FIELDS(F)                                                                      \
    F(STR, subject, _, 1, 64, "the campaign's subject id")                                         \
    F(STR, executor, _, 1, 64, "builtin, chat, command or slurm")                                  \
    F(STR, server, _, 0, 128, "name of the serving program")                                       \
    F(STR, server_version, _, 0, 128, "its version")                                               \
    F(STR, model, _, 0, 256, "the name it is asked for")                                           \
    F(STR, model_reported, _, 0, 256, "the name it gives itself in its replies")                   \
    F(STR, model_digest, _, 0, 128, "digest of the weights' manifest, where one is known")         \
    F(STR, chat_template, _, 0, 128, "digest of the chat template, where one is known")            \
    F(STR, quantisation, _, 0, 64, "number format of the weights")                                 \
    F(SORTED, parameters, rt_named_value, 0, 64, "effective sampling parameters")                  \
    F(SORTED, roles, rt_named_value, 0, 64, "other roles: identity digest of what plays each")
RT_RECORD(rt_object_identity, RT_IDENTITY_FIELDS);

// One thing that served: a subject and its identity digest.
#define RT_FINGERPRINT_PART_FIELDS(F)                                                              \
    F(STR, subject, _, 1, 64, "the campaign's subject id")                                         \
    F(FIXED, identity, rt_digest, 0, 0, "identity digest of what served it")
RT_RECORD(rt_fingerprint_part, RT_FINGERPRINT_PART_FIELDS);

#define RT_FINGERPRINT_FIELDS(F)                                                                   \
    RT_IDENTITY_FIELDS(F)                                                                          \
    F(STR, hardware, _, 0, 128, "class of the hardware")                                           \
    F(STR, batch, _, 0, 64, "batching mode")                                                       \
    F(STR, sandbox, _, 0, 64, "bwrap, apptainer, slurm-job or none")                               \
    F(U64, context, _, 0, INT64_MAX, "tokens of context; 0 unknown")                               \
    F(STR, determinism, _, 0, 64, "equal requests at temperature 0: what their answers were")      \
    F(SORTED, canaries, rt_named_value, 0, 64, "fixed questions and what was answered")            \
    F(ENUM, identity, rt_identity, 0, 0, "how the model is known")                                 \
    F(STR, reference, _, 0, 128, "digest of the reference sample compared with; empty for none")   \
    F(U64, reference_p_micro, _, 0, 1000000, "the test's p-value in millionths; 0 without one")    \
    F(LIST, parts, rt_fingerprint_part, 0, RT_PARTS_MOST,                                          \
      "what served, where one fingerprint stands for several; each once")
RT_RECORD(rt_object_fingerprint, RT_FINGERPRINT_FIELDS);

//  X(NAME, name, most bytes)
#define RT_OBJECT_TABLE(X)                                                                         \
    X(UNIT, unit, RT_UNIT_MOST)                                                                    \
    X(RESULT, result, RT_RESULT_MOST)                                                              \
    X(FINGERPRINT, fingerprint, RT_FINGERPRINT_MOST)

// rt_object_unit_encode(object, out, ret_field), rt_object_unit_decode(bytes, arena, ret_object,
// ret_field) and rt_object_unit_print(object, out), and so for the others; errors,
// appending and ownership as in schema.h.
#define X(NAME, name, most_bytes)                                                                  \
    RT_WARN_UNUSED static inline enum rt_status rt_object_##name##_encode(                         \
        const struct rt_object_##name *object, struct rt_buf *out, const char **ret_field)         \
    {                                                                                              \
        return rt_schema_encode(rt_object_##name##_schema(), object, most_bytes, out, ret_field);  \
    }                                                                                              \
    RT_WARN_UNUSED static inline enum rt_status rt_object_##name##_decode(                         \
        struct rt_bytes bytes, struct rt_arena *arena, struct rt_object_##name *ret_object,        \
        const char **ret_field)                                                                    \
    {                                                                                              \
        if (bytes.size > most_bytes)                                                               \
            return RT_TOO_LARGE;                                                                   \
        return rt_schema_decode(rt_object_##name##_schema(), bytes, arena, ret_object, ret_field); \
    }                                                                                              \
    static inline void rt_object_##name##_print(const struct rt_object_##name *object,             \
                                                struct rt_buf *out)                                \
    {                                                                                              \
        rt_schema_print(rt_object_##name##_schema(), object, out);                                 \
    }
RT_OBJECT_TABLE(X)
#undef X

// SHA-256("ringtrial/identity/v1" || 0x00 || the identity record's encoding): equal digests, the
// same instrument. RT_MALFORMED or RT_OUT_OF_RANGE for a field that breaks its limits,
// RT_NO_MEMORY.
enum rt_status rt_fingerprint_identity(const struct rt_object_fingerprint *fingerprint,
                                       struct rt_digest *ret_digest) RT_WARN_UNUSED;
// What served, as subject and identity digest: the fingerprint's own, or its parts. Views of the
// fingerprint's. Errors as above.
enum rt_status rt_fingerprint_parts(const struct rt_object_fingerprint *fingerprint,
                                    struct rt_fingerprint_part ret_parts[RT_PARTS_MOST],
                                    size_t *ret_count) RT_WARN_UNUSED;

// Positions a unit asks for, over all its runs.
uint64_t rt_object_unit_positions(const struct rt_object_unit *unit);

#endif
