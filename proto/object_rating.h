// SPDX-License-Identifier: Apache-2.0
// The rating object: another rater's labels (changed rules, a judge model, people) for trials of
// one lab, named by a `rating` statement. Results stay as they are. Declared once below (schema.h
// has the field kinds). Views in a decoded object point into the caller's bytes, lists into the
// caller's arena. Pure; any thread on distinct values.
#ifndef RT_PROTO_OBJECT_RATING_H
#define RT_PROTO_OBJECT_RATING_H

#include "proto/object.h"

#define RT_RATED_MOST  4096 // trials of one rating
#define RT_RATING_MOST 600000

// Who labels a trial. A rater is a kind and an id; its labels stand on their own.
//  X(NAME, word)
#define RT_RATER_KIND_TABLE(X)                                                                     \
    X(RULES, "rules")                                                                              \
    X(JUDGE, "judge")                                                                              \
    X(HUMAN, "human")
enum rt_rater_kind {
#define X(name, word) RT_RATER_KIND_##name,
    RT_RATER_KIND_TABLE(X)
#undef X
        RT_RATER_KIND_COUNT
};
extern const char *const rt_rater_kind_words[RT_RATER_KIND_COUNT + 1];

// status is ok with a label; not_exposed, truncated or bad_format where there is nothing to label;
// error where the rater gave no usable answer. The votes are those of the first two people.
#define RT_RATED_TRIAL_FIELDS(F)                                                                   \
    F(U64, number, _, 0, INT64_MAX, "the trial's number in the campaign; ascending")               \
    F(U64, leaf, _, 0, INT64_MAX, "log index of the result whose transcript was rated")            \
    F(FIXED, transcript, rt_digest, 0, 0, "commitment to that transcript, as the result has it")   \
    F(ENUM, status, rt_trial_status, 0, 0, "ok: labelled; error: no usable answer")                \
    F(U64, outcome, _, 0, 255, "index into the campaign's taxonomy, when status is ok")            \
    F(U64, severity, _, 0, 4, "0 to 4")                                                            \
    F(U64, confidence_micro, _, 0, 1000000, "how sure the rater says to be; 0 for not said")       \
    F(U64, seed, _, 0, INT32_MAX, "sent to a judge; 0 for other raters")                           \
    F(U64, first_vote, _, 0, 256, "people: 1 + the first one's label; 0 for none")                 \
    F(U64, second_vote, _, 0, 256, "people: 1 + the second one's label; 0 for none")
RT_RECORD(rt_rated_trial, RT_RATED_TRIAL_FIELDS);

#define RT_RATING_FIELDS(F)                                                                        \
    F(FIXED, campaign, rt_digest, 0, 0, "digest of the campaign object")                           \
    F(STR, lab, _, 1, 64, "id of the lab whose trials these are")                                  \
    F(ENUM, kind, rt_rater_kind, 0, 0, "what kind of rater")                                       \
    F(STR, rater, _, 1, 64, "the rater's id among its kind")                                       \
    F(FIXED, rubric, rt_digest, 0, 0, "digest of the rule set, or of the rater's instructions")    \
    F(FIXED, fingerprint, rt_digest, 0, 0, "a judge's serving fingerprint; zeros for none")        \
    F(STR, software, _, 1, 64, "name and version of the program that collected them")              \
    F(TIME, rated_ms, _, 0, 0, "by the rater's clock, when the last of them was given")            \
    F(LIST, trials, rt_rated_trial, 1, RT_RATED_MOST, "by ascending number")
RT_RECORD(rt_object_rating, RT_RATING_FIELDS);

// As the functions of object.h.
RT_WARN_UNUSED static inline enum rt_status
rt_object_rating_encode(const struct rt_object_rating *rating, struct rt_buf *out,
                        const char **ret_field)
{
    return rt_schema_encode(rt_object_rating_schema(), rating, RT_RATING_MOST, out, ret_field);
}
RT_WARN_UNUSED static inline enum rt_status
rt_object_rating_decode(struct rt_bytes bytes, struct rt_arena *arena,
                        struct rt_object_rating *ret_rating, const char **ret_field)
{
    if (bytes.size > RT_RATING_MOST)
        return RT_TOO_LARGE;
    return rt_schema_decode(rt_object_rating_schema(), bytes, arena, ret_rating, ret_field);
}

#endif
