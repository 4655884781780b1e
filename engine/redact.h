// SPDX-License-Identifier: Apache-2.0
// A transcript as it may leave: what a scenario's `redact:` names or matches is replaced by
// [redacted]. Values of variables, of the world (at any time of the play) and of files are found as
// they stand in the texts and as JSON strings would hold them; patterns run under the usual limits,
// and a text in which one reaches a limit is replaced as a whole. Applies to what is shown or
// exported to the outside; the stored transcript and its commitment stay as they are. Pure; any
// thread.
#ifndef RT_ENGINE_REDACT_H
#define RT_ENGINE_REDACT_H

#include "engine/transcript.h"
#include "proto/scenario.h"

#define RT_REDACTED "[redacted]"

// Whether the scenario has anything to redact.
bool rt_redact_needed(const struct rt_scenario *scenario);

// A copy of the transcript with every text, argument, reply, told, reasoning and world value
// redacted; in arena, as views into it. Names of tools, events and roles, kinds, times and token
// counts stay. RT_CONFLICT for another scenario's transcript, RT_NO_MEMORY.
enum rt_status rt_redact_transcript(const struct rt_scenario *scenario,
                                    const struct rt_transcript *transcript, struct rt_arena *arena,
                                    struct rt_transcript *ret_transcript) RT_WARN_UNUSED;

#endif
