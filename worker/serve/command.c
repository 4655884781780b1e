// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "worker/serve/serve.h"

#define SCENARIO_MEMORY ((size_t)256 << 20)
#define FILE_MOST       ((size_t)4 << 20)

struct settings {
    const char *bench, *host, *model, *key_file, *faults, *truth, *quirks;
    uint64_t port, every;
    struct rt_text_list effects;
    bool drop_system, stdio;
};

static void defaults(void *ctx)
{
    struct settings *settings = ctx;
    settings->host = "127.0.0.1";
    settings->model = "synthetic";
    settings->faults = "";
    settings->quirks = "";
}

// "name=value" from the command line over the defaults.
static enum rt_status read_effects(const struct settings *settings,
                                   struct rt_synthetic_effects *effects, struct rt_error *err)
{
    rt_synthetic_effects_init(effects);
    for (size_t i = 0; i < settings->effects.count; i++) {
        char name[32];
        const char *value = strchr(settings->effects.items[i], '=');
        size_t size = value ? (size_t)(value - settings->effects.items[i]) : 0;
        if (!value || size >= sizeof name)
            return rt_error_set(err, RT_USAGE, "--effect takes NAME=VALUE, such as lab=0.2");
        memcpy(name, settings->effects.items[i], size);
        name[size] = 0;
        struct rt_pair pair = {name, value + 1};
        enum rt_status status = rt_synthetic_effects_read(&pair, 1, effects, err);
        if (status)
            return status;
    }
    if (settings->drop_system)
        effects->drop_system = 1;
    return RT_OK;
}

static enum rt_status read_scenario(const char *folder, const char *name, struct rt_arena *arena,
                                    struct rt_scenario **ret_scenario, struct rt_error *err)
{
    char path[4096];
    struct rt_buf text;
    if (rt_path_join(path, sizeof path, folder, name))
        return rt_error_set(err, RT_TOO_LARGE, "%s/%s: path is too long", folder, name);
    rt_buf_init(&text, FILE_MOST);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_scenario_read(rt_buf_bytes(&text), path, arena, ret_scenario, NULL, err);
    rt_buf_release(&text);
    return status;
}

// The scripts of BENCH/scenarios/*.yaml: a server needs neither the bench's card nor its salts.
static enum rt_status read_bench(const char *bench, struct rt_arena *arena,
                                 struct rt_scenario ***ret_scenarios, size_t *ret_count,
                                 struct rt_error *err)
{
    char folder[4096];
    char **names;
    size_t count = 0, files;
    if (rt_path_join(folder, sizeof folder, bench, "scenarios"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path is too long", bench);
    enum rt_status status = rt_file_list(folder, 4096, &names, &files, err);
    if (status)
        return status;
    struct rt_scenario **scenarios = rt_arena_array(arena, files + 1, sizeof *scenarios);
    if (!scenarios)
        status = rt_error_set(err, RT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < files && !status; i++) {
        size_t size = strlen(names[i]);
        if (size > 5 && strcmp(names[i] + size - 5, ".yaml") == 0)
            status = read_scenario(folder, names[i], arena, &scenarios[count++], err);
    }
    rt_file_list_free(names, files);
    *ret_scenarios = scenarios;
    *ret_count = count;
    return status;
}

// The planted probabilities as a tidy table on stdout, one row for each prompt and temperature.
static enum rt_status print_truth(const struct rt_serve_options *options, const char *temperatures,
                                  struct rt_error *err)
{
    struct rt_synthetic *subject;
    if (rt_synthetic_new(&options->effects, options->scenarios, options->scenario_count, &subject))
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    enum rt_status status = RT_OK;
    printf("scenario,arm,phrasing,temperature,p\n");
    for (const char *rest = temperatures; *rest && !status;) {
        char word[24] = "";
        int64_t micro = 0;
        size_t size = strcspn(rest, ",");
        memcpy(word, rest, size < sizeof word ? size : 0);
        if (rt_parse_micro(word, &micro) || micro < 0)
            status = rt_error_set(err, RT_USAGE, "--truth takes temperatures, such as 0,0.7,1");
        for (size_t s = 0; s < options->scenario_count && !status; s++) {
            const struct rt_scenario *scenario = options->scenarios[s];
            for (uint32_t a = 0; a < scenario->arm_count; a++)
                for (uint32_t p = 0; p < scenario->phrasing_count; p++)
                    printf("%s,%s,%s,%s,%.6f\n", scenario->id, scenario->arms[a].id,
                           scenario->phrasings[p].id, word,
                           rt_synthetic_truth(subject, s, a, p, micro));
        }
        rest += size + (rest[size] == ',');
    }
    rt_synthetic_free(subject);
    return status;
}

// Serve until a signal asks for the end.
static enum rt_status serve_until_signal(const struct rt_serve_options *options,
                                         struct rt_error *err)
{
    struct rt_serve *serve;
    sigset_t signals;
    int caught;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    // Blocked before the server's threads start, so that only sigwait takes them.
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    enum rt_status status = rt_serve_start(options, &serve, err);
    if (status)
        return status;
    printf("serving http://%s:%u/v1\n", options->host, rt_serve_port(serve));
    fflush(stdout);
    sigwait(&signals, &caught);
    if (!rt_globals.quiet)
        printf("served %llu requests\n", (unsigned long long)rt_serve_requests(serve));
    rt_serve_stop(serve);
    return RT_OK;
}

static enum rt_status run(const void *ctx, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = ctx;
    struct rt_serve_options options = {.host = settings->host,
                                       .port = (uint16_t)settings->port,
                                       .model = settings->model,
                                       .fault_every = (uint32_t)settings->every};
    struct rt_arena arena;
    struct rt_scenario **scenarios = NULL;
    struct rt_buf key;
    (void)operands;
    rt_arena_init(&arena, SCENARIO_MEMORY);
    rt_buf_init(&key, 8192);
    enum rt_status status = read_effects(settings, &options.effects, err);
    if (!status)
        status = rt_serve_faults_read(settings->faults, options.faults, err);
    if (!status)
        status = rt_serve_quirks_read(settings->quirks, &options.quirks, err);
    if (!status && settings->bench)
        status = read_bench(settings->bench, &arena, &scenarios, &options.scenario_count, err);
    if (!status && settings->key_file) {
        status = rt_file_read(settings->key_file, &key, err);
        if (!status)
            rt_buf_truncate(&key, strcspn(rt_buf_str(&key), " \t\r\n"));
        options.key = rt_arena_strndup(&arena, rt_buf_str(&key), key.size);
    }
    options.scenarios = (const struct rt_scenario *const *)scenarios;
    if (!status)
        status = settings->truth   ? print_truth(&options, settings->truth, err)
                 : settings->stdio ? rt_serve_stdio(&options, stdin, stdout, err)
                                   : serve_until_signal(&options, err);
    rt_buf_release(&key);
    rt_arena_release(&arena);
    return status;
}

#define AT(member) offsetof(struct settings, member)
static const struct rt_option rows[] = {
    {"bench", 'b', RT_OPTION_TEXT, AT(bench), "FOLDER", "bench whose scripts the subject knows", 0,
     0, false},
    {"port", 'p', RT_OPTION_COUNT, AT(port), "N", "TCP port (default: one that is free)", 0, 65535,
     false},
    {"host", 0, RT_OPTION_TEXT, AT(host), "ADDRESS", "IPv4 address (default 127.0.0.1)", 0, 0,
     false},
    {"model", 0, RT_OPTION_TEXT, AT(model), "NAME", "name the server answers to", 0, 0, false},
    {"key-file", 0, RT_OPTION_TEXT, AT(key_file), "FILE", "ask for this bearer token", 0, 0, false},
    {"effect", 'e', RT_OPTION_LIST, AT(effects), "NAME=VALUE", "plant an effect; may be repeated",
     0, 0, false},
    {"drop-system", 0, RT_OPTION_FLAG, AT(drop_system), NULL, "drop the system prompt", 0, 0,
     false},
    {"fault", 0, RT_OPTION_TEXT, AT(faults), "LIST",
     "faults to meet, such as 429:3,500:2,garbage:1,hang:1", 0, 0, false},
    {"quirk", 0, RT_OPTION_TEXT, AT(quirks), "LIST",
     "what it does wrong with every request: seed, temperature, tools, limit", 0, 0, false},
    {"fault-every", 0, RT_OPTION_COUNT, AT(every), "N", "every N-th request meets one (default 3)",
     1, 1000000, false},
    {"stdio", 0, RT_OPTION_FLAG, AT(stdio), NULL,
     "answer requests on standard input, one a line, as a command does (docs/EXECUTORS.md)", 0, 0,
     false},
    {"truth", 0, RT_OPTION_TEXT, AT(truth), "TEMPERATURES",
     "print the planted probability of the behaviour for each prompt as CSV and end", 0, 0, false},
    {NULL, 0, RT_OPTION_FLAG, 0, NULL, NULL, 0, 0, false},
};

const struct rt_command rt_serve_command = {
    .name = "serve-subject",
    .summary = "serve the built-in synthetic subject as an OpenAI-compatible endpoint",
    .operands = "",
    .options = rows,
    .settings_size = sizeof(struct settings),
    .defaults = defaults,
    .run = run,
    .example = "ringtrial-worker serve-subject --bench configs/benches/shutdown --port 8000\n"
               "ringtrial-worker serve-subject --bench configs/benches/shutdown --stdio",
    .about = "The synthetic subject speaks and calls tools like a model, with effects that are "
             "known. Serving it over HTTP exercises the chat executor for real; the same seeds "
             "give the same outcomes as the builtin executor. It is no model and says so.",
};
