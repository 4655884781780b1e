// SPDX-License-Identifier: Apache-2.0
// `init`: keys, the first roster, and a log whose first leaf is that roster's statement.
#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/state.h"
#include "coordinator/http/token.h"
#include "coordinator/store/store.h"
#include "proto/roster.h"
#include "proto/statement.h"

struct settings {
    const char *state, *consortium, *address, *origin, *person;
    bool no_passphrase;
    uint64_t years;
};

static void defaults(void *place)
{
    struct settings *settings = place;
    settings->address = "tcp://127.0.0.1:7443";
    settings->person = "operator-1";
    settings->years = 1;
}

static const struct rt_option options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "consortium",
     .letter = 'c',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, consortium),
     .value_name = "ID",
     .help = "Id of the consortium, e.g. tool-agents.",
     .required = true},
    {.name = "address",
     .letter = 'a',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, address),
     .value_name = "URL",
     .help =
         "Where labs dial in (default tcp://127.0.0.1:7443; sites often let only port 443 out)."},
    {.name = "origin",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, origin),
     .value_name = "NAME",
     .help = "Name of the log, forever (default: the address' host and /log)."},
    {.name = "person",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, person),
     .value_name = "ID",
     .help = "Id of the first key holder (default operator-1)."},
    {.name = "years",
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, years),
     .value_name = "N",
     .help = "How long the first roster is valid (default 1).",
     .least = 1,
     .most = 20},
    {.name = "no-passphrase",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, no_passphrase),
     .help = "Leave secret keys unencrypted (demonstrations, services with other protection)."},
    {0}};

struct keys {
    struct rt_secret_key *log, *root, *operator_key, *board;
    struct rt_curve_secret *curve;
};

static void free_keys(struct keys *keys)
{
    rt_secret_key_free(keys->log);
    rt_secret_key_free(keys->root);
    rt_secret_key_free(keys->operator_key);
    rt_secret_key_free(keys->board);
    rt_curve_free(keys->curve);
}

static enum rt_status make_keys(const struct rt_state *state, const struct settings *settings,
                                struct keys *keys, struct rt_error *err)
{
    char passphrase[1024];
    if (!settings->no_passphrase) {
        enum rt_status status = rt_state_passphrase("the consortium's keys", true, passphrase, err);
        if (status)
            return status;
    }
    const char *secret = settings->no_passphrase ? NULL : passphrase;
    // The log's key is used unattended by `serve`, so it has a passphrase only where a service can
    // give one.
    enum rt_status status = rt_state_make_key(state, "log", secret, &keys->log, err);
    if (!status)
        status = rt_state_make_key(state, "root", secret, &keys->root, err);
    if (!status)
        status = rt_state_make_key(state, "operator", secret, &keys->operator_key, err);
    if (!status)
        status = rt_state_make_key(state, "board", secret, &keys->board, err);
    sodium_memzero(passphrase, sizeof passphrase);
    if (!status && rt_curve_generate(&keys->curve))
        status = rt_error_set(err, RT_IO, "cannot make a transport key");
    char path[RT_STATE_PATH_BYTES];
    if (!status && rt_path_join(path, sizeof path, state->keys, "curve.key"))
        status = rt_error_set(err, RT_TOO_LARGE, "path too long");
    return status ? status : rt_curve_save(path, keys->curve, err);
}

static void default_origin(const char *address, char *ret_origin, size_t capacity)
{
    const char *host = strstr(address, "://") ? strstr(address, "://") + 3 : address;
    snprintf(ret_origin, capacity, "%.*s/log", (int)strcspn(host, ":"), host);
}

// The first roster as YAML: one organisation, one person a role; the operator edits and re-signs
// from here.
static enum rt_status first_roster(const struct settings *settings, const char *origin,
                                   const struct keys *keys, struct rt_arena *arena,
                                   struct rt_roster **ret_roster, struct rt_error *err)
{
    struct rt_vkey vkey;
    char log_text[RT_VKEY_TEXT_BYTES], curve[RT_CURVE_TEXT_BYTES], key[3][RT_PUBLIC_KEY_TEXT_BYTES];
    enum rt_status status =
        rt_vkey_make(origin, RT_NOTE_ED25519, rt_secret_key_public(keys->log), &vkey);
    if (status)
        return rt_error_set(err, status, "origin '%s': use letters, digits, '.', '-' and '/'",
                            origin);
    rt_vkey_format(&vkey, log_text);
    rt_curve_public_format(rt_curve_secret_public(keys->curve), curve);
    rt_public_key_format(rt_secret_key_public(keys->root), rt_secret_key_number(keys->root),
                         key[0]);
    rt_public_key_format(rt_secret_key_public(keys->operator_key),
                         rt_secret_key_number(keys->operator_key), key[1]);
    rt_public_key_format(rt_secret_key_public(keys->board), rt_secret_key_number(keys->board),
                         key[2]);
    int64_t now = rt_time_wall_ms();
    char from[RT_STAMP_BYTES], until[RT_STAMP_BYTES];
    rt_stamp_format(now / 86400000 * 86400000, from);
    rt_stamp_format((now / 86400000 + (int64_t)settings->years * 365 + 1) * 86400000, until);
    struct rt_buf text;
    rt_buf_init(&text, 65536);
    rt_buf_printf(
        &text,
        "ringtrial: 1\nroster: %s\nversion: 1\nvalid: {from: %.10s, until: %.10s}\n"
        "coordinator: {address: \"%s\", curve: \"%s\", log: \"%s\"}\n"
        "thresholds:\n  roster: {role: root, sign: 1}\n  campaign: {role: board, sign: 1}\n"
        "organisations:\n  - id: %s\n    kind: independent\n    interests: []\n    people:\n",
        settings->consortium, from, until, settings->address, curve, log_text,
        settings->consortium);
    rt_buf_printf(&text, "      - {id: %s-root, roles: [root], sign: \"%s\"}\n", settings->person,
                  key[0]);
    rt_buf_printf(&text, "      - {id: %s, roles: [operator], sign: \"%s\"}\n", settings->person,
                  key[1]);
    rt_buf_printf(&text, "      - {id: %s-board, roles: [board], sign: \"%s\"}\n", settings->person,
                  key[2]);
    status = rt_buf_ok(&text);
    if (!status)
        status = rt_roster_read(rt_buf_bytes(&text), "first roster", arena, ret_roster, NULL, err);
    rt_buf_release(&text);
    return status;
}

// Leaf 0: through the core, so that the store holds exactly what a running coordinator would have
// written.
static enum rt_status log_roster(struct rt_store *store, const struct rt_roster *roster,
                                 struct rt_bytes object, const struct rt_secret_key *root,
                                 struct rt_error *err)
{
    static struct rt_statement statement, parsed;
    statement.kind = RT_STATEMENT_ROSTER;
    statement.roster = roster->digest;
    statement.consortium = rt_bytes_str(roster->id);
    statement.version = roster->version;
    statement.has_previous = false;
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = rt_statement_make(&statement, root, &text);
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(&text), &parsed, NULL);
    int64_t now = rt_time_wall_ms();
    struct rt_core *core = rt_core_new(NULL, 0, now);
    struct rt_core_effects effects;
    rt_core_effects_init(&effects);
    struct rt_store_leaf leaf = {.statement = parsed.unstamped};
    rt_statement_digest(&parsed, &leaf.digest);
    struct rt_core_event event = {.kind = RT_CORE_ROSTER, .time_ms = now, .digest = leaf.digest};
    event.roster.version = roster->version;
    event.roster.roster = roster->digest;
    uint64_t index = 0;
    if (!status)
        status = core ? rt_core_step(core, &event, &effects) : RT_NO_MEMORY;
    if (!status)
        status = effects.verdict;
    if (status)
        rt_error_set(err, status, "logging the first roster: %s", rt_status_text(status));
    if (!status)
        status = rt_store_begin(store, err);
    if (!status)
        status = rt_store_put_object(store, &roster->digest, object, err);
    if (!status)
        status = rt_store_append(store, &leaf, now, &index, NULL, err);
    if (!status)
        status = rt_store_apply(store, &effects, index, err);
    if (!status)
        status = rt_store_commit(store, err);
    rt_core_effects_release(&effects);
    rt_core_free(core);
    rt_buf_release(&text);
    return status;
}

static enum rt_status create(const struct rt_state *state, const struct settings *settings,
                             const char *origin, const struct keys *keys,
                             struct rt_roster **ret_roster, struct rt_arena *arena,
                             struct rt_error *err)
{
    enum rt_status status = first_roster(settings, origin, keys, arena, ret_roster, err);
    struct rt_buf object;
    rt_buf_init(&object, (size_t)1 << 20);
    if (!status && (status = rt_roster_encode(*ret_roster, &object)))
        rt_error_set(err, status, "encoding the first roster");
    struct rt_store *store = NULL;
    if (!status)
        status = rt_store_open(state->store, RT_STORE_CREATE, origin, &store, err);
    if (!status) {
        status = log_roster(store, *ret_roster, rt_buf_bytes(&object), keys->root, err);
        rt_store_close(store);
    }
    rt_buf_release(&object);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    (void)operands;
    const struct settings *settings = place;
    struct rt_state state;
    enum rt_status status = rt_state_open(settings->state, false, &state, err);
    if (!status && rt_file_exists(state.store))
        status = rt_error_set(err, RT_EXISTS, "%s holds a consortium already; nothing was changed",
                              state.folder);
    if (!status)
        status = rt_file_check_local(state.folder, err);
    if (!status)
        status = rt_file_mkdir(state.folder, 0700, err);
    if (!status)
        status = rt_file_mkdir(state.keys, 0700, err);
    char origin[RT_NOTE_NAME_BYTES];
    if (settings->origin)
        snprintf(origin, sizeof origin, "%s", settings->origin);
    else
        default_origin(settings->address, origin, sizeof origin);
    struct keys keys = {0};
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)16 << 20);
    struct rt_roster *roster = NULL;
    if (!status)
        status = make_keys(&state, settings, &keys, err);
    if (!status)
        status = create(&state, settings, origin, &keys, &roster, &arena, err);
    char token[RT_TOKEN_TEXT_BYTES];
    if (!status)
        status = rt_token_make(state.keys, "operator", token, err);
    sodium_memzero(token, sizeof token);
    if (!status) {
        char words[RT_DIGEST_WORDS_BYTES], digest[RT_DIGEST_TEXT_BYTES];
        rt_key_words(rt_secret_key_public(keys.log), words);
        rt_digest_format(&roster->digest, digest);
        printf("consortium  %s\nstate       %s\nlog         %s\nroster      version 1 %s\nkey "
               "words   %s\n\n"
               "Next: ringtrial-coordinator serve --state %s\n"
               "then: ringtrial-coordinator roster invite LAB --state %s\n",
               roster->id, state.folder, origin, digest, words, state.folder, state.folder);
    }
    free_keys(&keys);
    rt_arena_release(&arena);
    return status;
}

const struct rt_command rt_command_init = {
    .name = "init",
    .summary = "Make a consortium: keys, first roster, empty log.",
    .operands = "",
    .options = options,
    .settings_size = sizeof(struct settings),
    .defaults = defaults,
    .run = run,
    .example =
        "ringtrial-coordinator init --consortium tool-agents --address tcp://ring.example.org:443",
    .about = "Makes a state folder with separate keys for the log, the root, the operator and the "
             "board, a first "
             "roster that one key of each role signs, and a log whose first leaf is that roster. "
             "Keep root.key and "
             "board.key off the coordinator's machine once the consortium has more members.",
};
