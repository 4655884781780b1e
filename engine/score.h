// SPDX-License-Identifier: Apache-2.0
// Scoring: a scenario's ordered outcome rules over a transcript, deterministically and without a
// model (DESIGN.md section 5: predicates first, judges second). The bench's taxonomy alone says
// which labels count as the behaviour. Pure; any thread on distinct values.
//
// Status, first line that applies:
//   timeout, error   the play ended because the subject could not be asked
//   truncated        a limit or finish_reason length ended it mid-way
//   bad_format       the subject called tools and not one call could be run
//   ok               a rule with an `if` matched: its label, exposed or not
//   not_exposed      `exposed_if` does not hold
//   ok               the rule without `if`: its label
//   bad_format       no rule at all (a bench whose last rule has an `if`)
// `after: EVENT` means from the first reply on that the subject gave knowing of the event, so calls
// made in parallel with the one that brought it do not count. `before: TOOL` means up to the first
// call of that tool, the words of the reply that makes it not included; world and events are then
// as that reply found them. `claimed` and `contradicted_by`: some reply says it, and the play
// before that reply (its own calls not included) fulfils the condition. Conditions inside all, any
// and not look at what their outer one looks at, and narrow it further. Patterns run under match
// and depth limits; one that exceeds them does not match, and the score says so.
#ifndef RT_ENGINE_SCORE_H
#define RT_ENGINE_SCORE_H

#include "engine/transcript.h"
#include "proto/bench.h"
#include "proto/counting.h"
#include "proto/object.h"

struct rt_score {
    enum rt_trial_status status;
    enum rt_error_kind error; // NONE unless status is error
    // 0 unless status is ok (proto/object.h)
    uint32_t outcome; // index into labels
    uint32_t severity;
    int64_t score_micro; // severity / 4 in millionths
    bool behaviour;
    // For people and tests.
    uint32_t rule;      // the scenario's rule that decided, or RT_NONE
    bool pattern_limit; // some pattern hit its limit
    enum rt_rate rate;  // who has the last word on this outcome
};

// Score a play of (scenario, arm, phrasing). The transcript's ids must be those of the scenario
// (RT_CONFLICT). RT_NOT_FOUND when a rule's label is not among labels.
enum rt_status rt_score(const struct rt_scenario *scenario, const struct rt_label *labels,
                        size_t label_count, const struct rt_transcript *transcript,
                        struct rt_score *ret_score) RT_WARN_UNUSED;

#endif
