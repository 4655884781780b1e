// SPDX-License-Identifier: Apache-2.0
// `roster sign` and `campaign sign`: one more signature on a statement in a file, offline, by the
// person who holds the key.
#include "coordinator/commands/commands.h"
#include "coordinator/commands/next_roster.h"

struct settings {
    const char *key;
};

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    return rt_next_roster_sign_file(operands->items[0], settings->key, err);
}

static const struct rt_option options[] = {{.name = "key",
                                            .letter = 'k',
                                            .kind = RT_OPTION_TEXT,
                                            .offset = offsetof(struct settings, key),
                                            .value_name = "FILE",
                                            .help = "The secret key to sign with.",
                                            .required = true},
                                           {0}};

#define SIGN_COMMAND(word, what, file)                                                             \
    const struct rt_command rt_command_##word##_sign = {                                           \
        .name = #word " sign",                                                                     \
        .summary = what,                                                                           \
        .operands = "FILE",                                                                        \
        .operands_least = 1,                                                                       \
        .operands_most = 1,                                                                        \
        .options = options,                                                                        \
        .settings_size = sizeof(struct settings),                                                  \
        .run = run,                                                                                \
        .example = "ringtrial-coordinator " #word " sign " file " --key chair.key",                \
    }

SIGN_COMMAND(roster, "Add a root signature to a roster statement, offline.", "roster-5.statement");
SIGN_COMMAND(campaign, "Add a board signature to a campaign statement, offline.",
             "shutdown.statement");
