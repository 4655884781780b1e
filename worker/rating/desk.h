// SPDX-License-Identifier: Apache-2.0
// What raters work from: this lab's receipted trials of one campaign with the transcripts it keeps,
// read without disturbing a worker that runs, and the way their labels go back to it: rating
// objects as files in STATE/ratings, which the worker signs, logs and removes. Changes no result.
// One thread.
#ifndef RT_WORKER_RATING_DESK_H
#define RT_WORKER_RATING_DESK_H

#include "engine/transcript.h"
#include "proto/object_rating.h"
#include "worker/local.h"

struct rt_desk_trial {
    uint64_t number;
    uint64_t leaf; // log index of its result
    struct rt_trial_result result;
};

struct rt_desk {
    struct rt_local *local;
    struct rt_desk_trial *trials; // by ascending number
    size_t count, room;
};

// Trials with a final status in the denominator and a receipt. campaign as rt_local_open.
enum rt_status rt_desk_open(const char *config, const char *campaign, struct rt_desk *ret_desk,
                            struct rt_error *err) RT_WARN_UNUSED;
void rt_desk_release(struct rt_desk *desk);

// A trial's transcript; all of it in arena. RT_NOT_FOUND where the lab keeps none.
enum rt_status rt_desk_transcript(const struct rt_desk *desk, const struct rt_desk_trial *trial,
                                  struct rt_arena *arena, struct rt_transcript *ret_transcript,
                                  struct rt_error *err) RT_WARN_UNUSED;

// ---- labels given

struct rt_desk_label {
    const struct rt_desk_trial *trial;
    enum rt_trial_status status; // ok, or error for an answer that is none
    uint32_t outcome, severity;
    uint32_t confidence_micro, seed;
    uint32_t first_vote, second_vote; // 1 + label; 0
};

struct rt_desk_rater {
    enum rt_rater_kind kind;
    const char *id;
    struct rt_digest rubric;
    struct rt_bytes fingerprint; // the object; empty for none
};

// Hand labels in (any order, no trial twice): rating objects of at most RT_DESK_BATCH trials each,
// durable in STATE/ratings when it returns. *ret_files says how many.
#define RT_DESK_BATCH 2048
enum rt_status rt_desk_hand_in(const struct rt_desk *desk, const struct rt_desk_rater *rater,
                               struct rt_desk_label *labels, size_t count, size_t *ret_files,
                               struct rt_error *err) RT_WARN_UNUSED;

// The same labels as one rating object in a file, for a rater who signs with a key of its own; the
// worker does not see it. RT_NOT_FOUND without labels, RT_TOO_LARGE above RT_RATED_MOST.
enum rt_status rt_desk_hand_out(const struct rt_desk *desk, const struct rt_desk_rater *rater,
                                struct rt_desk_label *labels, size_t count, const char *path,
                                struct rt_error *err) RT_WARN_UNUSED;

// STATE/ratings, made (0700) if need be; ret_path has PATH_MAX bytes.
enum rt_status rt_desk_folder(const char *state, char *ret_path,
                              struct rt_error *err) RT_WARN_UNUSED;

// STATE/ratings/CAMPAIGN.DIGEST.SUFFIX, the folder made if need be; ret_path has PATH_MAX bytes.
// With the digest in its name, a later campaign of the same name begins with no labels.
enum rt_status rt_desk_journal(const struct rt_desk *desk, const char *suffix, char *ret_path,
                               struct rt_error *err) RT_WARN_UNUSED;

#endif
