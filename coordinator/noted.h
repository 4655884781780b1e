// SPDX-License-Identifier: Apache-2.0
// A campaign's incidents and releases out of the store, in log order, for reports, the commands and
// the check of a new one. Writes nothing. One thread a call.
#ifndef RT_COORDINATOR_NOTED_H
#define RT_COORDINATOR_NOTED_H

#include "coordinator/store/store.h"
#include "proto/incident.h"

// Fill the book (initialised here, in arena) from what the view has of campaign number `number`,
// whose remediation window is window_ms. A step that may not follow is left out, as everybody
// leaves it out. RT_CORRUPT when a leaf or its record is missing.
enum rt_status rt_noted_read(struct rt_view *view, uint32_t number, int64_t window_ms,
                             struct rt_arena *arena,
                             struct rt_incident_book *ret_book) RT_WARN_UNUSED;

#endif
