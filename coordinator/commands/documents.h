// SPDX-License-Identifier: Apache-2.0
// Documents out of a store, for commands that work without a running coordinator: the roster in
// force and campaigns by name, decoded.
#ifndef RT_COORDINATOR_COMMANDS_DOCUMENTS_H
#define RT_COORDINATOR_COMMANDS_DOCUMENTS_H

#include "coordinator/store/store.h"
#include "proto/campaign.h"
#include "proto/roster.h"

// The roster of the newest roster leaf. object gets its bytes, which must outlive *ret_roster.
enum rt_status rt_documents_roster(struct rt_store *store, struct rt_buf *object,
                                   struct rt_arena *arena, struct rt_roster **ret_roster,
                                   struct rt_error *err) RT_WARN_UNUSED;
// A campaign by id or by the start of its digest ("sha256:…").
enum rt_status rt_documents_campaign(struct rt_view *view, const char *name, struct rt_arena *arena,
                                     struct rt_campaign **ret_campaign,
                                     struct rt_core_campaign_row *ret_row,
                                     struct rt_error *err) RT_WARN_UNUSED;

#endif
