// SPDX-License-Identifier: Apache-2.0
// One trial as other people's formats want it: where it was run, what came out and, where the
// transcript is at hand, all that passed. Exporters write it and the reader of our own logs gives
// it back. Plain views; whoever fills it keeps the texts alive. Pure; any thread.
#ifndef RT_INTEROP_TRIAL_H
#define RT_INTEROP_TRIAL_H

#include "engine/transcript.h"
#include "proto/object.h"
#include "proto/scenario.h"

struct rt_interop_trial {
    const char *campaign;
    const char *scenario, *arm, *phrasing, *lang;
    const char *lab, *subject;
    uint64_t number, replicate;
    int64_t temperature_micro;
    uint32_t seed;
    enum rt_trial_status status;
    enum rt_error_kind error;
    const char *outcome; // "" unless status is ok
    bool behaviour;      // of that outcome
    uint32_t severity;
    int64_t score_micro;
    uint64_t same_as; // 1 + number of an identical earlier trial; 0 none
    uint64_t tokens_in, tokens_out, latency_ms;
    int64_t started_ms, finished_ms; // of the result, by the lab's clock
    // Where the evidence is: the leaf of the log, and the objects by name.
    uint64_t leaf;
    int64_t received_ms;
    struct rt_digest unit, result, fingerprint;
    struct rt_digest commitment; // to the transcript; zeros for none
    // NULL where the transcript is not at hand (kept at the lab, sealed, or there is none).
    const struct rt_transcript *transcript;
    uint8_t salt[RT_TRANSCRIPT_SALT_BYTES]; // of the commitment, with the transcript
    bool redacted; // the transcript is a redacted copy, which the commitment is not to
};

// Whether the commitment names a transcript at all.
bool rt_interop_has_commitment(const struct rt_interop_trial *trial);
// RT_OK when salt and transcript give the trial's commitment, RT_CONFLICT when not.
enum rt_status rt_interop_check_commitment(const struct rt_interop_trial *trial) RT_WARN_UNUSED;

// Take salt and transcript out of the object `salt ‖ plaintext`, whose digest the caller has
// checked. They live in arena.
enum rt_status rt_interop_open_transcript(struct rt_bytes object, struct rt_arena *arena,
                                          struct rt_interop_trial *trial) RT_WARN_UNUSED;

// What must not leave is taken out of the transcript (engine/redact.h), into arena. Where scenario
// is NULL nobody can tell what that is, and the transcript is left out as a whole.
enum rt_status rt_interop_redact(struct rt_interop_trial *trial, const struct rt_scenario *scenario,
                                 struct rt_arena *arena) RT_WARN_UNUSED;

#endif
