// SPDX-License-Identifier: Apache-2.0
// `roster …`: show it, invite a lab, admit its enrolment, revoke a key, add a signature. Changes
// are new versions, signed here where the keys are and submitted to the running coordinator.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "coordinator/commands/client.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/next_roster.h"
#include "proto/invite.h"

struct settings {
    const char *state, *out, *reason, *key, *kind, *organisation, *public;
    struct rt_text_list roles;
    int64_t valid_ms;
    const char *at;
    uint64_t at_index;
    bool yaml;
};

struct session {
    struct rt_state state;
    struct rt_client client;
    struct rt_arena arena;
    struct rt_roster *roster;
};

static enum rt_status begin(const struct settings *settings, struct session *session,
                            struct rt_error *err)
{
    rt_arena_init(&session->arena, (size_t)64 << 20);
    enum rt_status status = rt_state_open(settings->state, true, &session->state, err);
    if (!status)
        status = rt_client_open(&session->state, &session->client, err);
    if (status)
        return status;
    status = rt_client_roster(&session->client, &session->arena, &session->roster, err);
    if (status)
        rt_client_close(&session->client);
    return status;
}

static void end(struct session *session)
{
    rt_client_close(&session->client);
    rt_arena_release(&session->arena);
}

// ---- show

static enum rt_status show(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    (void)operands;
    const struct settings *settings = place;
    struct session session;
    enum rt_status status = begin(settings, &session, err);
    if (status)
        return status;
    struct rt_buf text;
    rt_buf_init(&text, (size_t)4 << 20);
    status = rt_roster_write(session.roster, &text);
    if (!status && rt_globals.json) {
        char digest[RT_DIGEST_TEXT_BYTES];
        rt_digest_format(&session.roster->digest, digest);
        json_t *json = json_pack("{s:s, s:I, s:s, s:s}", "roster", session.roster->id, "version",
                                 (json_int_t)session.roster->version, "digest", digest, "yaml",
                                 rt_buf_str(&text));
        rt_buf_clear(&text);
        status = json ? rt_json_write_pretty(json, &text) : RT_NO_MEMORY;
        json_decref(json);
    }
    if (!status)
        fputs(rt_buf_str(&text), stdout);
    rt_buf_release(&text);
    end(&session);
    return status ? rt_error_set(err, status, "writing the roster") : RT_OK;
}

static const struct rt_option show_options[] = {RT_STATE_OPTION(struct settings), {0}};

const struct rt_command rt_command_roster_show = {.name = "roster show",
                                                  .summary = "Print the roster in force.",
                                                  .operands = "",
                                                  .options = show_options,
                                                  .settings_size = sizeof(struct settings),
                                                  .run = show,
                                                  .example = "ringtrial-coordinator roster show"};

// ---- invite

// Trust starts at the first roster; follow the chain back to it.
static enum rt_status first_digest(struct session *session, struct rt_digest *ret_digest,
                                   struct rt_error *err)
{
    const struct rt_roster *roster = session->roster;
    enum rt_status status = RT_OK;
    while (!status && roster->has_previous) {
        struct rt_buf object;
        rt_buf_init(&object, (size_t)1 << 20);
        status = rt_client_fetch(&session->client, &roster->previous, &object, err);
        struct rt_bytes copy = rt_arena_bytes(&session->arena, rt_buf_bytes(&object));
        rt_buf_release(&object);
        struct rt_roster *previous = NULL;
        if (!status && (status = rt_roster_decode(copy, &session->arena, &previous)))
            rt_error_set(err, status, "an earlier roster does not decode");
        roster = previous;
    }
    if (!status)
        *ret_digest = roster->digest;
    return status;
}

static enum rt_status write_invite(struct session *session, const struct settings *settings,
                                   const char *lab, struct rt_error *err)
{
    struct rt_invite invite = {
        .consortium = session->roster->id,
        .lab = lab,
        .address = session->roster->address,
        .curve = session->roster->curve,
        .log = session->roster->log_text,
        .log_key = session->roster->log,
        .expires_ms = rt_time_wall_ms() + settings->valid_ms,
    };
    char path[RT_STATE_PATH_BYTES], words[RT_DIGEST_WORDS_BYTES];
    snprintf(path, sizeof path, "%s%s", settings->out ? settings->out : lab,
             settings->out ? "" : ".invite");
    struct rt_buf text;
    rt_buf_init(&text, 65536);
    enum rt_status status = first_digest(session, &invite.roster, err);
    if (!status &&
        ((status = rt_invite_write(&invite, &text)) || (status = rt_invite_words(&invite, words))))
        rt_error_set(err, status, "writing the invitation: %s", rt_status_text(status));
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&text), 0644, err);
    if (!status)
        printf("invitation  %s\nkey words   %s\n\nSend it to the lab, which runs: ringtrial-worker "
               "join %s\n"
               "Read the key words to each other by phone before you admit its enrolment.\n",
               path, words, path);
    rt_buf_release(&text);
    return status;
}

static enum rt_status invite(const void *place, const struct rt_text_list *operands,
                             struct rt_error *err)
{
    const struct settings *settings = place;
    const char *lab = operands->items[0];
    if (!rt_id_valid(lab))
        return rt_error_set(err, RT_USAGE, "'%s' is no id: use a-z, 0-9, '-', '_' and '.'", lab);
    struct session session;
    enum rt_status status = begin(settings, &session, err);
    if (status)
        return status;
    status = write_invite(&session, settings, lab, err);
    end(&session);
    return status;
}

static void invite_defaults(void *place)
{
    ((struct settings *)place)->valid_ms = (int64_t)30 * 86400000;
}

static const struct rt_option invite_options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "FILE",
     .help = "Where to write it (default LAB.invite)."},
    {.name = "valid",
     .kind = RT_OPTION_DURATION,
     .offset = offsetof(struct settings, valid_ms),
     .value_name = "TIME",
     .help = "How long it can be used (default 30d)."},
    {0}};

const struct rt_command rt_command_roster_invite = {
    .name = "roster invite",
    .summary = "Write an invitation for a lab.",
    .operands = "LAB",
    .operands_least = 1,
    .operands_most = 1,
    .options = invite_options,
    .settings_size = sizeof(struct settings),
    .defaults = invite_defaults,
    .run = invite,
    .example = "ringtrial-coordinator roster invite uni-a"};

// ---- admit and revoke

static enum rt_status submit_next(struct session *session, const struct settings *settings,
                                  struct rt_error *err)
{
    char path[RT_STATE_PATH_BYTES];
    if (settings->key)
        snprintf(path, sizeof path, "%s", settings->key);
    else if (rt_path_join(path, sizeof path, session->state.keys, "root.key"))
        return rt_error_set(err, RT_TOO_LARGE, "path too long");
    struct rt_secret_key *key = NULL;
    enum rt_status status = rt_state_key_at(path, &key, err);
    if (status)
        return status;
    uint64_t index;
    status = rt_next_roster_submit(&session->client, session->roster, key, &index, err);
    rt_secret_key_free(key);
    if (!status)
        printf("roster version %" PRIu64 " is in force (log index %" PRIu64 ")\n",
               session->roster->version, index);
    return status;
}

static enum rt_status admit_one(struct session *session, const struct settings *settings,
                                const char *path, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, 65536);
    struct rt_enrolment *enrolment = NULL;
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_enrolment_read(rt_buf_bytes(&text), path, &session->arena, &enrolment, err);
    if (!status)
        status = rt_next_roster_admit(session->roster, enrolment, settings->organisation,
                                      settings->kind, &session->arena, err);
    if (!status) {
        char words[RT_DIGEST_WORDS_BYTES];
        rt_key_words(&enrolment->sign, words);
        printf("lab         %s\nkey words   %s\n", enrolment->lab, words);
    }
    rt_buf_release(&text);
    return status;
}

static enum rt_status admit(const void *place, const struct rt_text_list *operands,
                            struct rt_error *err)
{
    const struct settings *settings = place;
    struct session session;
    enum rt_status status = begin(settings, &session, err);
    if (status)
        return status;
    for (size_t i = 0; i < operands->count && !status; i++)
        status = admit_one(&session, settings, operands->items[i], err);
    if (!status)
        status = rt_next_roster_finish(session.roster, &session.arena, err);
    if (!status)
        status = submit_next(&session, settings, err);
    end(&session);
    return status;
}

static void admit_defaults(void *place)
{
    ((struct settings *)place)->kind = "university";
}

#define KEY_OPTION                                                                                 \
    {                                                                                              \
        .name = "key", .letter = 'k', .kind = RT_OPTION_TEXT,                                      \
        .offset = offsetof(struct settings, key), .value_name = "FILE",                            \
        .help = "The root key to sign with (default STATE/keys/root.key)."                         \
    }

static const struct rt_option admit_options[] = {
    RT_STATE_OPTION(struct settings),
    KEY_OPTION,
    {.name = "organisation",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, organisation),
     .value_name = "ID",
     .help = "The lab's organisation (default: the lab's own id)."},
    {.name = "kind",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, kind),
     .value_name = "KIND",
     .help = "university, company, government, civil-society or independent (default university)."},
    {0}};

const struct rt_command rt_command_roster_admit = {
    .name = "roster admit",
    .summary = "Take labs' enrolment files into the next roster, live.",
    .operands = "FILE…",
    .operands_least = 1,
    .operands_most = RT_TEXT_LIST_MOST,
    .options = admit_options,
    .settings_size = sizeof(struct settings),
    .defaults = admit_defaults,
    .run = admit,
    .example = "ringtrial-coordinator roster admit uni-a.enrolment uni-b.enrolment"};

static enum rt_status revoke(const void *place, const struct rt_text_list *operands,
                             struct rt_error *err)
{
    const struct settings *settings = place;
    struct session session;
    enum rt_status status = begin(settings, &session, err);
    if (status)
        return status;
    int64_t at_ms = rt_time_wall_ms();
    if (settings->at && rt_date_parse(settings->at, &at_ms))
        status = rt_error_set(err, RT_USAGE, "--at is a date or a time such as "
                              "2026-11-20T17:35:28Z");
    if (!status)
        status = rt_next_roster_revoke(session.roster, operands->items[0], settings->reason, at_ms,
                                       settings->at_index, &session.arena, err);
    if (!status)
        status = rt_next_roster_finish(session.roster, &session.arena, err);
    if (!status)
        status = submit_next(&session, settings, err);
    end(&session);
    return status;
}

static const struct rt_option revoke_options[] = {RT_STATE_OPTION(struct settings),
                                                  KEY_OPTION,
                                                  {.name = "reason",
                                                   .letter = 'r',
                                                   .kind = RT_OPTION_TEXT,
                                                   .offset = offsetof(struct settings, reason),
                                                   .value_name = "TEXT",
                                                   .help = "Why; it stays in the roster.",
                                                   .required = true},
                                                  {.name = "at",
                                                   .kind = RT_OPTION_TEXT,
                                                   .offset = offsetof(struct settings, at),
                                                   .value_name = "TIME",
                                                   .help = "From when on (default now)."},
                                                  {.name = "at-index",
                                                   .kind = RT_OPTION_COUNT,
                                                   .offset = offsetof(struct settings, at_index),
                                                   .value_name = "N",
                                                   .help = "The first log index it no longer "
                                                           "signs (default by time alone)."},
                                                  {0}};

const struct rt_command rt_command_roster_revoke = {
    .name = "roster revoke",
    .summary = "Revoke the key of a lab or person; its connection drops at once.",
    .operands = "ID",
    .operands_least = 1,
    .operands_most = 1,
    .options = revoke_options,
    .settings_size = sizeof(struct settings),
    .run = revoke,
    .example = "ringtrial-coordinator roster revoke uni-a --reason \"laptop lost\""};

// ---- appoint

static enum rt_status appoint(const void *place, const struct rt_text_list *operands,
                              struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_roster_person person = {.id = operands->items[0]};
    struct session session;
    const char **roles = calloc(settings->roles.count + 1, sizeof *roles);
    if (!roles)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < settings->roles.count; i++)
        roles[i] = settings->roles.items[i];
    person.role_names = roles;
    person.role_count = settings->roles.count;
    enum rt_status status = rt_public_key_load(settings->public, &person.sign, NULL, err);
    if (!status)
        status = begin(settings, &session, err);
    if (!status) {
        status = rt_next_roster_appoint(session.roster, &person, settings->organisation,
                                        settings->kind, &session.arena, err);
        if (!status)
            status = rt_next_roster_finish(session.roster, &session.arena, err);
        if (!status)
            status = submit_next(&session, settings, err);
        end(&session);
    }
    free(roles);
    return status;
}

static const struct rt_option appoint_options[] = {
    RT_STATE_OPTION(struct settings),
    KEY_OPTION,
    {.name = "public",
     .letter = 'p',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, public),
     .value_name = "FILE",
     .help = "Their public key, a minisign file (`minisign -G` makes one).",
     .required = true},
    {.name = "role",
     .kind = RT_OPTION_LIST,
     .offset = offsetof(struct settings, roles),
     .value_name = "ROLE",
     .help = "operator, board, data-committee, auditor, steering, rater, root; may be repeated.",
     .required = true},
    {.name = "organisation",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, organisation),
     .value_name = "ID",
     .help = "Their organisation; made where the roster has none of that id.",
     .required = true},
    {.name = "kind",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, kind),
     .value_name = "KIND",
     .help = "university, company, government, civil-society or independent (default university)."},
    {0}};

const struct rt_command rt_command_roster_appoint = {
    .name = "roster appoint",
    .summary = "Give a person or an organisation without a lab a role in the next roster, live.",
    .operands = "ID",
    .operands_least = 1,
    .operands_most = 1,
    .options = appoint_options,
    .settings_size = sizeof(struct settings),
    .defaults = admit_defaults,
    .run = appoint,
    .example = "ringtrial-coordinator roster appoint ethics --role rater --organisation ethics-org "
               "--kind civil-society --public ethics.pub"};
