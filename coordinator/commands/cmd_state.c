// SPDX-License-Identifier: Apache-2.0
// `campaign start|pause|resume|cancel|close`: an operator's decision about a campaign, signed on
// the operator's side with a reason and a rising sequence number, and true once it is in the log.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/file.h"
#include "coordinator/commands/client.h"
#include "coordinator/commands/commands.h"

struct settings {
    const char *state, *key, *reason;
};

// lab: NULL for a decision about the campaign, else the lab whose hold is lifted.
static enum rt_status submit(struct rt_client *client, const json_t *campaign,
                             const struct rt_secret_key *key, enum rt_statement_action action,
                             const char *lab, const char *reason, struct rt_error *err)
{
    static struct rt_statement statement;
    statement.kind = lab ? RT_STATEMENT_LIFT : RT_STATEMENT_STATE;
    statement.action = action;
    statement.lab = rt_bytes_str(lab ? lab : "");
    statement.seq = (uint64_t)json_integer_value(json_object_get(campaign, "seq")) + 1;
    statement.reason = rt_bytes_str(reason);
    const char *digest = json_string_value(json_object_get(campaign, "digest"));
    enum rt_status status =
        rt_digest_parse(rt_bytes_str(digest ? digest : ""), &statement.campaign);
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    if (!status)
        status = rt_statement_make(&statement, key, &text);
    if (status)
        rt_error_set(err, status, "the reason must be one line of 1 to %d printable bytes",
                     RT_STATEMENT_REASON_MOST);
    uint64_t index;
    if (!status)
        status = rt_client_submit(client, rt_buf_bytes(&text), NULL, 0, &index, err);
    if (!status)
        printf("%s: %s (log index %" PRIu64 ")\n",
               json_string_value(json_object_get(campaign, "campaign")),
               lab ? "hold lifted" : rt_statement_action_word(action), index);
    rt_buf_release(&text);
    return status;
}

static enum rt_status act(const void *place, const struct rt_text_list *operands,
                          enum rt_statement_action action, struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_state state;
    struct rt_client client;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    struct rt_secret_key *key = NULL;
    if (!status)
        status = settings->key ? rt_state_key_at(settings->key, &key, err)
                               : rt_state_key(&state, "operator", &key, err);
    if (!status)
        status = rt_client_open(&state, &client, err);
    if (!status) {
        json_t *answer = NULL, *campaign = NULL;
        status = rt_client_campaign(&client, operands->items[0], &answer, &campaign, err);
        if (!status)
            status = submit(&client, campaign, key, action,
                            operands->count > 1 ? operands->items[1] : NULL, settings->reason, err);
        json_decref(answer);
        rt_client_close(&client);
    }
    rt_secret_key_free(key);
    return status;
}

static const struct rt_option options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "reason",
     .letter = 'r',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, reason),
     .value_name = "TEXT",
     .help = "Why; it is in the log for ever.",
     .required = true},
    {.name = "key",
     .letter = 'k',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, key),
     .value_name = "FILE",
     .help = "The operator key to sign with (default STATE/keys/operator.key)."},
    {0}};

#define STATE_COMMAND(word, WORD, what)                                                            \
    static enum rt_status run_##word(const void *settings, const struct rt_text_list *operands,    \
                                     struct rt_error *err)                                         \
    {                                                                                              \
        return act(settings, operands, RT_STATEMENT_ACTION_##WORD, err);                           \
    }                                                                                              \
    const struct rt_command rt_command_campaign_##word = {                                         \
        .name = "campaign " #word,                                                                 \
        .summary = what,                                                                           \
        .operands = "CAMPAIGN",                                                                    \
        .operands_least = 1,                                                                       \
        .operands_most = 1,                                                                        \
        .options = options,                                                                        \
        .settings_size = sizeof(struct settings),                                                  \
        .run = run_##word,                                                                         \
        .example = "ringtrial-coordinator campaign " #word                                         \
                   " shutdown-2026q4 --reason \"agreed on Friday\"",                               \
    }

static enum rt_status run_lift(const void *settings, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    return act(settings, operands, RT_STATEMENT_ACTION_RESUME, err);
}

const struct rt_command rt_command_campaign_lift = {
    .name = "campaign lift",
    .summary = "Let a lab go on whose serving fingerprint changed.",
    .operands = "CAMPAIGN LAB",
    .operands_least = 2,
    .operands_most = 2,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run_lift,
    .example = "ringtrial-coordinator campaign lift shutdown-2026q4 uni-a --reason \"a new driver, "
               "the same weights\"",
    .about = "What the lab measured before and after stays apart in the report, whatever is "
             "decided here. Everything that served it while it was held is taken as known.",
};

STATE_COMMAND(start, START, "Start: fixes the draw, then units go out to the labs that accepted.");
STATE_COMMAND(pause, PAUSE, "Issue nothing more; what is out still counts.");
STATE_COMMAND(resume, RESUME, "Go on after a pause.");
STATE_COMMAND(cancel, CANCEL, "Stop for good.");
STATE_COMMAND(close, CLOSE, "Ask every lab to sign how many results it has; ends the campaign.");
