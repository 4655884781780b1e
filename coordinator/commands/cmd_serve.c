// SPDX-License-Identifier: Apache-2.0
// `serve`: open the store, find the roster in force, and run the hub until SIGTERM or SIGINT.
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/documents.h"
#include "coordinator/commands/state.h"
#include "coordinator/cosigned.h"
#include "coordinator/http/http.h"
#include "coordinator/hub/hub.h"

struct settings {
    const char *state, *listen, *http;
    uint64_t verifiers;
};

static const struct rt_option options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "listen",
     .letter = 'l',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, listen),
     .value_name = "URL",
     .help = "Address to bind (default: the one in the roster)."},
    {.name = "http",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, http),
     .value_name = "ADDRESS",
     .help = "Serve the log, progress and metrics, read-only, over HTTP there (127.0.0.1:8080)."},
    {.name = "verifiers",
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, verifiers),
     .value_name = "N",
     .help = "Threads that verify signatures (default: one a core).",
     .least = 1,
     .most = 16},
    {0}};

static atomic_bool stop;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

static void ready(void *ctx)
{
    rt_log_info("serving", "address=%s", (const char *)ctx);
}

// The hub with HTTP beside it.
static enum rt_status run_both(const struct rt_state *state, const struct settings *settings,
                               const struct rt_roster *roster, struct rt_hub_settings *hub,
                               struct rt_error *err)
{
    struct rt_gate gate;
    struct rt_board board;
    rt_gate_init(&gate);
    rt_board_init(&board);
    struct rt_http http = {
        .store = hub->store, .board = &board, .gate = &gate, .tokens = state->keys};
    char cosigned[RT_STATE_PATH_BYTES];
    if (rt_path_join(cosigned, sizeof cosigned, state->folder, RT_COSIGNED_FOLDER))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", state->folder);
    http.cosigned = cosigned;
    rt_vkey_format(&roster->log, http.vkey);
    hub->gate = &gate;
    hub->board = settings->http ? &board : NULL;
    enum rt_status status = settings->http ? rt_http_start(&http, settings->http, err) : RT_OK;
    if (!status && settings->http)
        rt_log_info("HTTP, read-only", "url=%s", http.url);
    if (!status)
        status = rt_hub_run(hub, &stop, err);
    if (settings->http)
        rt_http_stop(&http);
    rt_board_release(&board);
    rt_gate_release(&gate);
    return status;
}

static enum rt_status serve(const struct rt_state *state, const struct settings *settings,
                            struct rt_store *store, struct rt_error *err)
{
    struct rt_arena arena;
    rt_arena_init(&arena, (size_t)64 << 20);
    struct rt_buf object;
    rt_buf_init(&object, (size_t)1 << 20);
    struct rt_roster *roster = NULL;
    struct rt_secret_key *log_key = NULL;
    struct rt_curve_secret *curve_key = NULL;
    enum rt_status status = rt_documents_roster(store, &object, &arena, &roster, err);
    if (!status)
        status = rt_state_key(state, "log", &log_key, err);
    if (!status)
        status = rt_state_curve(state, &curve_key, err);
    if (!status && !rt_public_key_equal(rt_secret_key_public(log_key), &roster->log.key))
        status = rt_error_set(err, RT_CONFLICT,
                              "keys/log.key is not the log key of the roster in force");
    if (!status) {
        struct rt_hub_settings hub = {
            .store = store,
            .log_key = log_key,
            .curve_key = curve_key,
            .roster = rt_buf_bytes(&object),
            .listen = settings->listen ? settings->listen : roster->address,
            .admin_path = state->socket,
            .verifiers = (unsigned)settings->verifiers,
            .ready = ready,
        };
        hub.ctx = (void *)(uintptr_t)hub.listen;
        status = run_both(state, settings, roster, &hub, err);
    }
    rt_curve_free(curve_key);
    rt_secret_key_free(log_key);
    rt_buf_release(&object);
    rt_arena_release(&arena);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    (void)operands;
    const struct settings *settings = place;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct rt_state state;
    struct rt_store *store = NULL;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_store_open(state.store, RT_STORE_WRITE, NULL, &store, err);
    if (!status) {
        status = serve(&state, settings, store, err);
        rt_store_close(store);
    }
    if (!status)
        rt_log_info("stopped", NULL);
    return status;
}

const struct rt_command rt_command_serve = {
    .name = "serve",
    .summary = "Run the coordinator.",
    .operands = "",
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example =
        "ringtrial-coordinator serve --state /var/local/ringtrial --listen tcp://0.0.0.0:443 "
        "--http 127.0.0.1:8080",
    .about = "Serves labs over CURVE and local commands over STATE/admin.sock until SIGTERM. Tries "
             "a random key "
             "against itself first and refuses to serve if that gets in. Survives kill -9 at any "
             "moment: start it "
             "again. With --http also the log in C2SP tlog-tiles layout, objects that may be "
             "seen, progress, metrics and a dashboard: GET and HEAD only. Until a campaign has "
             "closed and its embargo is over, whoever bears no token of `http token` sees "
             "progress alone.",
};
