// SPDX-License-Identifier: Apache-2.0
// `release request|sign|grant|revoke|list`: the data committee lets somebody have what is withheld,
// for a purpose and a time, by as many signatures as the roster asks for; and takes it back.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "coordinator/commands/client.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/documents.h"
#include "coordinator/commands/next_roster.h"
#include "coordinator/noted.h"

struct settings {
    const char *state, *out, *what, *to, *until, *purpose, *reason, *key;
};

static enum rt_status find_campaign(const struct settings *settings, const char *name,
                                    struct rt_digest *ret_digest, struct rt_error *err)
{
    struct rt_state state;
    struct rt_client client;
    json_t *answer = NULL, *row = NULL;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_client_open(&state, &client, err);
    if (status)
        return status;
    status = rt_client_campaign(&client, name, &answer, &row, err);
    const char *text = status ? NULL : json_string_value(json_object_get(row, "digest"));
    if (!status && rt_digest_parse(rt_bytes_str(text ? text : ""), ret_digest))
        status = rt_error_set(err, RT_CORRUPT, "the coordinator's answer names no digest");
    json_decref(answer);
    rt_client_close(&client);
    return status;
}

static enum rt_status send(const struct settings *settings, struct rt_bytes text,
                           struct rt_error *err)
{
    struct rt_state state;
    struct rt_client client;
    uint64_t index = 0;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_client_open(&state, &client, err);
    if (status)
        return status;
    status = rt_client_submit(&client, text, NULL, 0, &index, err);
    rt_client_close(&client);
    if (!status)
        printf("in the log at index %" PRIu64 "\n", index);
    return status;
}

// ---- request: the statement, unsigned

static enum rt_status run_request(const void *place, const struct rt_text_list *operands,
                                  struct rt_error *err)
{
    static struct rt_statement statement;
    const struct settings *settings = place;
    enum rt_release_what what;
    int64_t until_ms = 0;
    struct rt_buf text;
    if (rt_release_what_of(rt_bytes_str(settings->what), &what))
        return rt_error_set(err, RT_USAGE,
                            "--what is `results`, `scenarios` or `transcripts`, not %s",
                            settings->what);
    if (settings->until && rt_date_parse(settings->until, &until_ms))
        return rt_error_set(err, RT_USAGE, "--until is a date such as 2027-01-31");
    statement = (struct rt_statement){
        .kind = RT_STATEMENT_RELEASE,
        .grant = rt_bytes_str(operands->items[1]),
        .what = rt_bytes_str(settings->what),
        .to = rt_bytes_str(settings->to ? settings->to : "everyone"),
        .until = (uint64_t)until_ms,
        .reason = rt_bytes_str(settings->purpose),
    };
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = find_campaign(settings, operands->items[0], &statement.campaign, err);
    if (!status && (status = rt_statement_build(&statement, &text)))
        rt_error_set(err, status,
                     "the grant's id and the recipient are ids; the purpose is one line of 1 to %d "
                     "printable bytes",
                     RT_STATEMENT_REASON_MOST);
    if (!status)
        status = rt_file_write(settings->out, rt_buf_bytes(&text), 0644, err);
    if (!status)
        printf("%s: let the data committee sign it with `release sign`, then `release grant`\n",
               settings->out);
    rt_buf_release(&text);
    return status;
}

static enum rt_status run_sign(const void *place, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    const struct settings *settings = place;
    return rt_next_roster_sign_file(operands->items[0], settings->key, err);
}

static enum rt_status run_grant(const void *place, const struct rt_text_list *operands,
                                struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = rt_file_read(operands->items[0], &text, err);
    if (!status)
        status = send(place, rt_buf_bytes(&text), err);
    rt_buf_release(&text);
    return status;
}

// ---- revoke

static enum rt_status run_revoke(const void *place, const struct rt_text_list *operands,
                                 struct rt_error *err)
{
    static struct rt_statement statement;
    const struct settings *settings = place;
    struct rt_secret_key *key = NULL;
    struct rt_buf text;
    statement = (struct rt_statement){.kind = RT_STATEMENT_REVOKE,
                                      .grant = rt_bytes_str(operands->items[1]),
                                      .reason = rt_bytes_str(settings->reason)};
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = find_campaign(settings, operands->items[0], &statement.campaign, err);
    if (!status)
        status = rt_state_key_at(settings->key, &key, err);
    if (!status && (status = rt_statement_make(&statement, key, &text)))
        rt_error_set(err, status, "the reason must be one line of 1 to %d printable bytes",
                     RT_STATEMENT_REASON_MOST);
    if (!status)
        status = send(settings, rt_buf_bytes(&text), err);
    rt_secret_key_free(key);
    rt_buf_release(&text);
    return status;
}

// ---- list

static void print_grant(const struct rt_grant *grant)
{
    char until[RT_STAMP_BYTES] = "for ever", from[RT_STAMP_BYTES];
    int64_t now_ms = rt_time_wall_ms();
    rt_stamp_format(grant->received_ms, from);
    if (grant->until_ms > 0 && grant->until_ms <= RT_TIME_MOST_MS)
        rt_stamp_format(grant->until_ms, until);
    const char *state = grant->revoked                                     ? "revoked"
                        : grant->until_ms && grant->until_ms <= now_ms ? "over"
                                                                           : "in force";
    printf("%-20s %-11s to %-20s %-8s from %s until %s, for: %s\n", grant->id,
           rt_release_words[grant->what], grant->to, state, from, until, grant->purpose);
    if (grant->revoked)
        printf("%-20s because: %s\n", "", grant->revoked_because);
}

static enum rt_status run_list(const void *place, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_state state;
    struct rt_store *store = NULL;
    struct rt_view *view = NULL;
    struct rt_arena arena;
    struct rt_campaign *campaign = NULL;
    struct rt_core_campaign_row row;
    struct rt_incident_book book;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_store_open(state.store, RT_STORE_READ, NULL, &store, err);
    if (status)
        return status;
    rt_arena_init(&arena, (size_t)1 << 30);
    status = rt_view_begin(store, &view, err);
    if (!status)
        status = rt_documents_campaign(view, operands->items[0], &arena, &campaign, &row, err);
    if (!status && (status = rt_noted_read(view, row.index, 0, &arena, &book)))
        rt_error_set(err, status, "the releases: %s", rt_status_text(status));
    rt_view_end(view);
    rt_store_close(store);
    for (size_t i = 0; !status && i < book.grant_count; i++)
        print_grant(book.grants[i]);
    rt_arena_release(&arena);
    return status;
}

// ---- the table

#define TEXT_OPTION(word, member_, value, what_, needed)                                           \
    {.name = word,                                                                                 \
     .kind = RT_OPTION_TEXT,                                                                       \
     .offset = offsetof(struct settings, member_),                                                 \
     .value_name = value,                                                                          \
     .help = what_,                                                                                \
     .required = needed}

static const struct rt_option request_options[] = {
    RT_STATE_OPTION(struct settings),
    TEXT_OPTION("what", what, "WHAT", "`results`, `scenarios` or `transcripts`.", true),
    TEXT_OPTION("to", to, "ORG", "An organisation of the roster (default everyone).", false),
    TEXT_OPTION("until", until, "DATE", "When it ends (default never).", false),
    TEXT_OPTION("purpose", purpose, "TEXT", "What for; it is in the log for ever.", true),
    TEXT_OPTION("out", out, "FILE", "The statement to be signed.", true),
    {0}};
static const struct rt_option sign_options[] = {
    TEXT_OPTION("key", key, "FILE", "The secret key to sign with.", true), {0}};
static const struct rt_option plain_options[] = {RT_STATE_OPTION(struct settings), {0}};
static const struct rt_option revoke_options[] = {
    RT_STATE_OPTION(struct settings),
    TEXT_OPTION("reason", reason, "TEXT", "Why; it is in the log for ever.", true),
    TEXT_OPTION("key", key, "FILE", "A data committee's key; one is enough.", true), {0}};

#define RELEASE_COMMAND(word, what_, who, count, list, example_)                                   \
    const struct rt_command rt_command_release_##word = {                                          \
        .name = "release " #word,                                                                  \
        .summary = what_,                                                                          \
        .operands = who,                                                                           \
        .operands_least = count,                                                                   \
        .operands_most = count,                                                                    \
        .options = list,                                                                           \
        .settings_size = sizeof(struct settings),                                                  \
        .run = run_##word,                                                                         \
        .example = "ringtrial-coordinator release " #word " " example_,                            \
    }

RELEASE_COMMAND(request, "Write a release for the data committee to sign.", "CAMPAIGN GRANT", 2,
                request_options,
                "shutdown-2026q4 press --what results --purpose \"press\" --out press.statement");
RELEASE_COMMAND(sign, "Add a data committee's signature to a release, offline.", "FILE", 1,
                sign_options, "press.statement --key committee-1.key");
RELEASE_COMMAND(grant, "Put a release with enough signatures into the log.", "FILE", 1,
                plain_options, "press.statement");
RELEASE_COMMAND(revoke, "Take a release back.", "CAMPAIGN GRANT", 2, revoke_options,
                "shutdown-2026q4 press --reason \"asked to wait\" --key committee-1.key");
RELEASE_COMMAND(list, "The releases of a campaign.", "CAMPAIGN", 1, plain_options,
                "shutdown-2026q4");
