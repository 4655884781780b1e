// SPDX-License-Identifier: Apache-2.0
// A command's line to the running coordinator: the local socket of its state folder. One request at
// a time, each bounded by a deadline; an error from the other side becomes an error here, with its
// words.
#ifndef RT_COORDINATOR_COMMANDS_CLIENT_H
#define RT_COORDINATOR_COMMANDS_CLIENT_H

#include <jansson.h>

#include "coordinator/commands/state.h"
#include "proto/campaign.h"
#include "proto/message.h"
#include "proto/roster.h"
#include "proto/statement.h"

struct rt_client {
    void *context;
    void *socket;
    struct rt_arena arena;
    struct rt_buf payload;
};

// RT_NETWORK with the remedy when no coordinator answers there.
enum rt_status rt_client_open(const struct rt_state *state, struct rt_client *ret_client,
                              struct rt_error *err) RT_WARN_UNUSED;
void rt_client_close(struct rt_client *client);

// {"command": …} → the answer, which the caller decrefs.
enum rt_status rt_client_admin(struct rt_client *client, const char *request, json_t **ret_json,
                               struct rt_error *err) RT_WARN_UNUSED;
// Submit a signed statement with objects; ret_index is its leaf in the log.
enum rt_status rt_client_submit(struct rt_client *client, struct rt_bytes statement,
                                const struct rt_bytes *objects, size_t object_count,
                                uint64_t *ret_index, struct rt_error *err) RT_WARN_UNUSED;
// An object by digest, appended to out and checked against the digest.
enum rt_status rt_client_fetch(struct rt_client *client, const struct rt_digest *digest,
                               struct rt_buf *out, struct rt_error *err) RT_WARN_UNUSED;

// The roster in force.
enum rt_status rt_client_roster(struct rt_client *client, struct rt_arena *arena,
                                struct rt_roster **ret_roster, struct rt_error *err) RT_WARN_UNUSED;
// One campaign of the status answer by id or by the start of its digest. The result is borrowed
// from *ret_status.
enum rt_status rt_client_campaign(struct rt_client *client, const char *name, json_t **ret_status,
                                  json_t **ret_campaign, struct rt_error *err) RT_WARN_UNUSED;

#endif
