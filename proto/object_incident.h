// SPDX-License-Identifier: Apache-2.0
// The incident object: what an `incident` statement says at length, named by its digest. Declared
// once below (schema.h has the field kinds). Views in a decoded object point into the caller's
// bytes, lists into the caller's arena. Pure; any thread on distinct values.
#ifndef RT_PROTO_OBJECT_INCIDENT_H
#define RT_PROTO_OBJECT_INCIDENT_H

#include "proto/object.h"

#define RT_INCIDENT_TEXT_MOST     65536
#define RT_INCIDENT_EVIDENCE_MOST 16
#define RT_INCIDENT_MOST          80000

// Steps of an incident. A vendor is told and answers; it consents to nothing.
//  X(NAME, word)
#define RT_INCIDENT_STEP_TABLE(X)                                                                  \
    X(OPENED, "opened")                                                                            \
    X(TRIAGED, "triaged")                                                                          \
    X(VENDOR_NOTIFIED, "vendor-notified")                                                          \
    X(VENDOR_REPLY, "vendor-reply")                                                                \
    X(REMEDIATED, "remediated")                                                                    \
    X(DISPUTED, "disputed")
enum rt_incident_step {
#define X(name, word) RT_INCIDENT_##name,
    RT_INCIDENT_STEP_TABLE(X)
#undef X
        RT_INCIDENT_STEP_COUNT
};
extern const char *const rt_incident_step_words[RT_INCIDENT_STEP_COUNT + 1];

// Empty texts and zeros where a step has nothing to say. What an incident is about is said when it
// is opened and holds for all its steps.
#define RT_INCIDENT_FIELDS(F)                                                                      \
    F(FIXED, campaign, rt_digest, 0, 0, "digest of the campaign object")                           \
    F(STR, incident, _, 1, 64, "the incident's id")                                                \
    F(ENUM, step, rt_incident_step, 0, 0, "which step")                                            \
    F(U64, severity, _, 0, 4, "0 to 4, as judged at this step")                                    \
    F(STR, subject, _, 0, 64, "opened: id of the subject that showed it")                          \
    F(STR, scenario, _, 0, 64, "opened: id of the scenario")                                       \
    F(STR, category, _, 0, 64, "opened: the scenario's class, which may be shared with others")    \
    F(STR, outcome, _, 0, 64, "opened: the label of the taxonomy")                                 \
    F(STR, lab, _, 0, 64, "opened: at which lab")                                                  \
    F(U64, trial, _, 0, INT64_MAX, "opened: 1 + the trial's number; 0 for none")                   \
    F(STR, vendor, _, 0, 64, "vendor-notified, vendor-reply, disputed: the vendor's id")           \
    F(U64, window_ms, _, 0, INT64_MAX, "vendor-notified: the time the vendor has to remedy")       \
    F(TIME, at_ms, _, 0, 0, "when it was found, told, answered or remedied, by people's clocks")   \
    F(BODY, text, _, 0, RT_INCIDENT_TEXT_MOST, "what was found; a reply, word for word")           \
    F(DIGESTS, evidence, rt_digest, 0, RT_INCIDENT_EVIDENCE_MOST,                                  \
      "objects that show it: results, transcripts, letters")
RT_RECORD(rt_object_incident, RT_INCIDENT_FIELDS);

// As the functions of object.h.
RT_WARN_UNUSED static inline enum rt_status
rt_object_incident_encode(const struct rt_object_incident *incident, struct rt_buf *out,
                          const char **ret_field)
{
    return rt_schema_encode(rt_object_incident_schema(), incident, RT_INCIDENT_MOST, out,
                            ret_field);
}
RT_WARN_UNUSED static inline enum rt_status
rt_object_incident_decode(struct rt_bytes bytes, struct rt_arena *arena,
                          struct rt_object_incident *ret_incident, const char **ret_field)
{
    if (bytes.size > RT_INCIDENT_MOST)
        return RT_TOO_LARGE;
    return rt_schema_decode(rt_object_incident_schema(), bytes, arena, ret_incident, ret_field);
}

#endif
