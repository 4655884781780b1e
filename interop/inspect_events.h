// SPDX-License-Identifier: Apache-2.0
// What passed in a trial, as Inspect's messages and events. Private to the exporter. Builds JSON
// values alone; pure.
#ifndef RT_INTEROP_INSPECT_EVENTS_H
#define RT_INTEROP_INSPECT_EVENTS_H

#include "common/base/json.h"
#include "interop/trial.h"
#include "proto/scenario.h"

#define RT_INSPECT_SOURCE "ringtrial" // of info events

struct rt_inspect_play {
    json_t *input;    // messages before the first reply; "" where there is no transcript
    json_t *messages; // all of them
    json_t *output;   // the last reply as a ModelOutput
    json_t *events;
};

// metadata goes into sample_init; scores (may be NULL) into a score event. Release in any case.
enum rt_status rt_inspect_play(const struct rt_interop_trial *trial,
                               const struct rt_scenario *scenario, const char *id, json_t *metadata,
                               json_t *scores, struct rt_inspect_play *ret_play) RT_WARN_UNUSED;
void rt_inspect_play_release(struct rt_inspect_play *play);

// Inspect's word for why a reply ended ("max_tokens" for length), and the way back.
const char *rt_inspect_stop_word(enum rt_chat_finish finish);
enum rt_chat_finish rt_inspect_stop_read(const char *word);

#endif
