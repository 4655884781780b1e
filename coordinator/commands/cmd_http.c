// SPDX-License-Identifier: Apache-2.0
// `http token`: a bearer token for an operator or an auditor.
#include <sodium.h>
#include <stdio.h>

#include "coordinator/commands/commands.h"
#include "coordinator/commands/state.h"
#include "coordinator/http/token.h"

struct settings {
    const char *state;
};

static const struct rt_option options[] = {RT_STATE_OPTION(struct settings), {0}};

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_state state;
    char text[RT_TOKEN_TEXT_BYTES];
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_token_make(state.keys, operands->items[0], text, err);
    if (status)
        return status;
    if (rt_globals.json)
        printf("{\"name\":\"%s\",\"file\":\"%s/%s.token\"}\n", operands->items[0], state.keys,
               operands->items[0]);
    else if (!rt_globals.quiet)
        printf("%s/%s.token\nsend it as `Authorization: Bearer …`; delete the file to withdraw "
               "it\n",
               state.keys, operands->items[0]);
    sodium_memzero(text, sizeof text);
    return RT_OK;
}

const struct rt_command rt_command_http_token = {
    .name = "http token",
    .summary = "Make a bearer token for an operator or an auditor.",
    .operands = "NAME",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-coordinator http token auditor-1\n"
               "curl -H @- http://127.0.0.1:8080/api/v1/campaigns/shutdown-2026q4/report",
    .about = "Writes keys/NAME.token (0600) into the state folder. Whoever bears the token sees a "
             "campaign's results over HTTP before it has closed; a running coordinator knows it "
             "at once, and forgets it as soon as the file is deleted. `init` makes one for the "
             "operator.",
};
