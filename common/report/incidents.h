// SPDX-License-Identifier: Apache-2.0
// Incidents beside a study's figures: what was found, who was told and when, what was answered and
// remedied. They change no figure. Texts of others are kept as they came; renderings escape them.
// Pure; immutable once set.
#ifndef RT_REPORT_INCIDENTS_H
#define RT_REPORT_INCIDENTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"

struct rt_study_incident_step {
    const char *step;   // "vendor-reply"
    const char *vendor; // "" for none
    const char *reason; // in a line
    struct rt_bytes text; // word for word; empty for none
    uint32_t severity;
    uint64_t index; // of its leaf
    int64_t at_ms;  // when the log received it
    const char **evidence; // digests as text
    size_t evidence_count;
};

struct rt_study_incident {
    const char *id, *subject, *scenario, *category, *outcome; // "" where not said
    uint32_t severity;                                        // the latest
    // 0: has not happened. Embargo: when it may be told to everybody.
    int64_t opened_ms, triaged_ms, notified_ms, replied_ms, remediated_ms, disputed_ms, embargo_ms;
    const struct rt_study_incident_step *steps;
    size_t step_count;
};

// One line of a text of others, made to show as what it is: control characters as \xNN, characters
// that move or hide text as \u{NNNN}, what is no UTF-8 as \xNN. NULL when memory is out.
const char *rt_incident_line(struct rt_arena *arena, struct rt_bytes line);
// The next line of *rest without its LF (a CR before it goes too); false at the end.
bool rt_incident_next_line(struct rt_bytes *rest, struct rt_bytes *ret_line);

#endif
