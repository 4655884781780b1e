// SPDX-License-Identifier: Apache-2.0
// What a campaign asks of a lab that has not accepted it: models for roles, a length of context.
// The lab's worker.yaml is its own and not known here; what the campaign says and the roster lists
// is. Blocks on the local socket. One thread.
#ifndef RT_COORDINATOR_COMMANDS_WISHES_H
#define RT_COORDINATOR_COMMANDS_WISHES_H

#include "coordinator/commands/client.h"

// Sentences for people, as a JSON array of texts that the caller decrefs. campaign: the digest as
// text. RT_NOT_FOUND when its documents are not there.
enum rt_status rt_wishes(struct rt_client *client, const char *campaign, const char *lab,
                         json_t **ret_list, struct rt_error *err) RT_WARN_UNUSED;

#endif
