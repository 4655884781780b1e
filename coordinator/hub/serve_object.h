// SPDX-License-Identifier: Apache-2.0
// FETCH → PART: a document by its digest, from an offset on. Labs get what the gate lets
// them see, the local socket gets any object. Verify pool; reads the store through a view of its
// own that ends before anything is sent.
#ifndef RT_COORDINATOR_HUB_SERVE_OBJECT_H
#define RT_COORDINATOR_HUB_SERVE_OBJECT_H

#include "coordinator/hub/intake.h"

void rt_serve_object(struct rt_intake *intake, const struct rt_intake_context *context);

// A frame on its way out, holding a copy of payload; NULL when out of memory.
struct rt_outgoing *rt_outgoing_new(uint64_t peer, struct rt_bytes payload);
void rt_outgoing_free(struct rt_outgoing *outgoing);

#endif
