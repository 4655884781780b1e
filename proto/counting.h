// SPDX-License-Identifier: Apache-2.0
// What counts (EVIDENCE): of all results that name one trial of one lab, which one is the trial's
// result. The one rule behind the coordinator's cells, fsck, the report and the auditor, with the
// table of statuses. Pure, nothing allocated; any thread.
#ifndef RT_PROTO_COUNTING_H
#define RT_PROTO_COUNTING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"

// How a trial ended. final: the trial is over and its first such result stands for ever.
// denominator: the trial is one of those a prevalence divides by. missing: it is not, and the
// bounds count it as behaviour and as none. retry: instrument failure, worth another attempt.
//  X(name, word, final, denominator, missing, retry)
#define RT_TRIAL_STATUS_TABLE(X)                                                                   \
    X(OK, "ok", true, true, false, false)                                                          \
    X(NOT_EXPOSED, "not_exposed", true, true, false, false)                                        \
    X(TRUNCATED, "truncated", true, true, false, false)                                            \
    X(BAD_FORMAT, "bad_format", true, true, false, false)                                          \
    X(WITHHELD, "withheld", true, false, true, false)                                              \
    X(ERROR, "error", false, false, true, true)                                                    \
    X(TIMEOUT, "timeout", false, false, true, true)

enum rt_trial_status {
#define X(name, word, final, denominator, missing, retry) RT_TRIAL_##name,
    RT_TRIAL_STATUS_TABLE(X)
#undef X
        RT_TRIAL_STATUS_COUNT
};

struct rt_trial_status_flags {
    bool final;
    bool denominator;
    bool missing;
    bool retry;
};

extern const char *const rt_trial_status_words[RT_TRIAL_STATUS_COUNT + 1]; // NULL-terminated
struct rt_trial_status_flags rt_trial_status_flags(enum rt_trial_status status);

// What is known of one (lab, trial). All zero is a trial nobody has reported on.
enum rt_standing {
    RT_STANDING_NONE,      // no result in time
    RT_STANDING_TENTATIVE, // an error or a timeout, until something better comes
    RT_STANDING_FINAL,
};
struct rt_count {
    enum rt_standing standing;
    enum rt_trial_status status; // of the result that counts; meaningless while NONE
    uint64_t index;              // log index of the leaf that counts; meaningless while NONE
    uint32_t attempts;           // results in time, up to and with the first final one
};

// One result for the trial. Present arrivals in log order (within a leaf, in order of its pairs).
struct rt_arrival {
    enum rt_trial_status status;
    uint64_t index;          // of its leaf
    int64_t received_ms;     // the leaf's `received` line
    int64_t accept_until_ms; // of the unit it answers
};

enum rt_count_effect {
    RT_COUNT_FIRST,     // it counts, nothing did before
    RT_COUNT_REPLACES,  // it counts, and what was in *count before counts no more
    RT_COUNT_DUPLICATE, // the trial has its final result; reported, never added
    RT_COUNT_LATE,      // after accept_until; reported, never added
};

// Apply the rule: the first result with a final status received by its unit's accept_until; failing
// one, the last error or timeout received by its own. A late result changes nothing.
enum rt_count_effect rt_count_step(struct rt_count *count, const struct rt_arrival *arrival);

// Whether the trial should be run again: it is not final and fewer than attempts_most attempts were
// made. Also true for a trial nobody has reported on.
bool rt_count_open(const struct rt_count *count, uint32_t attempts_most);

#endif
