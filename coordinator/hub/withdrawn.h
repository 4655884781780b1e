// SPDX-License-Identifier: Apache-2.0
// Why a lab left: the reason in its `withdraw` leaf, found by the time at which it came (leaves are
// in the order of their `received` lines, so a few of them are read and not all). Writes nothing.
// Writer thread.
#ifndef RT_COORDINATOR_HUB_WITHDRAWN_H
#define RT_COORDINATOR_HUB_WITHDRAWN_H

#include "coordinator/store/store.h"

#define RT_WITHDRAWN_REASON_BYTES 512

// The reason given by lab when it left campaign at changed_ms (the leaf's `received`): "" when no
// such leaf is found. out has RT_WITHDRAWN_REASON_BYTES.
void rt_withdrawn_reason(struct rt_view *view, const struct rt_digest *campaign, const char *lab,
                         int64_t changed_ms, char *out);

#endif
