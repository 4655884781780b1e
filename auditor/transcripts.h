// SPDX-License-Identifier: Apache-2.0
// Transcripts that labs have opened, each found by its commitment and compared entry by entry with
// another lab's of the same trial. Believes a file only when its digest is the commitment. One
// thread.
#ifndef RT_AUDITOR_TRANSCRIPTS_H
#define RT_AUDITOR_TRANSCRIPTS_H

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/crypto/hash.h"

struct rt_transcript; // engine/transcript.h, which a reader of reports cannot include too

struct rt_opened {
    struct rt_digest commitment;
    const char *who;
    bool found;
    const char *wrong; // why it cannot be read, or NULL
    struct rt_transcript *transcript; // when found and not wrong
};

// Look through every file below folder for those that are wanted and not found yet. Contents are
// copied into arena. RT_IO, RT_NOT_FOUND, RT_NO_MEMORY.
enum rt_status rt_transcripts_open(const char *folder, struct rt_arena *arena,
                                   struct rt_opened *opened, size_t count,
                                   struct rt_error *err) RT_WARN_UNUSED;

// The first entry at which b is not as a; the number of entries of both when there is none.
// ret_what names the part of it.
size_t rt_transcript_parts(const struct rt_transcript *a, const struct rt_transcript *b,
                           const char **ret_what);

// Each against the first that was found: printed, or with --json appended to out as objects.
enum rt_status rt_transcripts_compare(const struct rt_opened *opened, size_t count,
                                      json_t *out) RT_WARN_UNUSED;

#endif
