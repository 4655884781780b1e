// SPDX-License-Identifier: Apache-2.0
// The gate (coordinator/gate.h) for commands that say what came of a campaign: report, export and
// bundle. One thread.
#ifndef RT_COORDINATOR_COMMANDS_MAY_SEE_H
#define RT_COORDINATOR_COMMANDS_MAY_SEE_H

#include "coordinator/commands/state.h"
#include "coordinator/store/store.h"

// Whether what is said of this campaign may be said: to anybody when published, otherwise to who
// holds a token of the state folder. RT_NOT_PERMITTED says what it waits for.
enum rt_status rt_may_see(const struct rt_state *state, struct rt_store *store,
                          const char *campaign, bool published,
                          struct rt_error *err) RT_WARN_UNUSED;

#endif
