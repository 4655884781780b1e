// SPDX-License-Identifier: Apache-2.0
// `subject add` and `subject list`: what serves a campaign's subjects here, in worker.yaml.
#include <limits.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "proto/doc/doc.h"
#include "worker/commands/commands.h"
#include "worker/commands/subject_weights.h"
#include "worker/home.h"

struct settings {
    const char *state, *executor, *endpoint, *model, *key_file, *server, *hardware, *quantisation;
    uint64_t concurrency, context;
    int64_t timeout_ms;
    struct rt_text_list effects, defaults, weights;
    const char *chat_template;
    struct subject_weights found; // what `weights` are
};

static const char *const executor_words[] = {"builtin", "chat", "command", "slurm"};

// ---- add

static bool plain(const char *text)
{
    for (const char *p = text; p && *p; p++)
        if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\')
            return false;
    return true;
}

static void add_text(struct rt_buf *out, const char *name, const char *value)
{
    if (value && *value)
        rt_buf_printf(out, "    %s: \"%s\"\n", name, value);
}

static enum rt_status add_pairs(struct rt_buf *out, const char *name,
                                const struct rt_text_list *list, struct rt_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *value = strchr(list->items[i], '=');
        if (!value || value == list->items[i] || !plain(list->items[i]))
            return rt_error_set(err, RT_USAGE, "'%s': write NAME=VALUE", list->items[i]);
        if (i)
            rt_buf_add_str(out, ", ");
        else
            rt_buf_printf(out, "    %s: {", name);
        rt_buf_printf(out, "%.*s: %s", (int)(value - list->items[i]), list->items[i], value + 1);
    }
    if (list->count)
        rt_buf_add_str(out, "}\n");
    return RT_OK;
}

static void add_weights(struct rt_buf *out, const struct subject_weights *found)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    if (found->has_manifest) {
        rt_digest_format(&found->manifest, digest);
        rt_buf_printf(out, "    weights:\n      dir: \"%s\"\n", found->dir);
        for (size_t i = 0; i < found->file_count; i++)
            rt_buf_printf(out, "%s\"%s\"", i ? ", " : "      files: [", found->files[i]);
        rt_buf_printf(out, "%s      manifest: %s\n", found->file_count ? "]\n" : "", digest);
    }
    if (found->has_template) {
        rt_digest_format(&found->chat_template, digest);
        rt_buf_printf(out, "    chat_template: %s\n", digest);
    }
}

static enum rt_status subject_text(const struct settings *settings, const char *id,
                                   struct rt_buf *out, struct rt_error *err)
{
    const char *const texts[] = {settings->endpoint, settings->model,    settings->key_file,
                                 settings->server,   settings->hardware, settings->quantisation};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!plain(texts[i]))
            return rt_error_set(err, RT_USAGE, "'%s': no quotes, please", texts[i]);
    rt_buf_printf(out, "  %s:\n    executor: %s\n", id, settings->executor);
    add_text(out, "endpoint", settings->endpoint);
    add_text(out, "model", settings->model);
    add_text(out, "key_file", settings->key_file);
    add_text(out, "server", settings->server);
    add_text(out, "hardware", settings->hardware);
    add_text(out, "quantisation", settings->quantisation);
    if (settings->concurrency)
        rt_buf_printf(out, "    concurrency: %llu\n", (unsigned long long)settings->concurrency);
    if (settings->context)
        rt_buf_printf(out, "    context: %llu\n", (unsigned long long)settings->context);
    if (settings->timeout_ms)
        rt_buf_printf(out, "    timeout: %lldms\n", (long long)settings->timeout_ms);
    add_weights(out, &settings->found);
    enum rt_status status = add_pairs(out, "effects", &settings->effects, err);
    return status ? status : add_pairs(out, "defaults", &settings->defaults, err);
}

// The text with the subject in it: behind the line `subjects:`, whose comments stay.
static enum rt_status insert(struct rt_bytes text, struct rt_bytes subject, struct rt_buf *out)
{
    const char *start = (const char *)text.data, *end = start + text.size, *line = start;
    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        next = next ? next + 1 : end;
        if ((size_t)(next - line) > 9 && !memcmp(line, "subjects:", 9)) {
            const char *rest = line + 9;
            while (rest < next && (*rest == ' ' || *rest == '\n' || *rest == '{' || *rest == '}'))
                rest++;
            if (rest < next && *rest != '#')
                return RT_UNSUPPORTED; // written on one line by a person
            rt_buf_add(out, start, (size_t)(line - start));
            rt_buf_add_str(out, "subjects:\n");
            rt_buf_add_bytes(out, subject);
            rt_buf_add(out, next, (size_t)(end - next));
            return rt_buf_ok(out);
        }
        line = next;
    }
    rt_buf_add_bytes(out, text);
    rt_buf_add_str(out, "subjects:\n");
    rt_buf_add_bytes(out, subject);
    return rt_buf_ok(out);
}

static enum rt_status edit(const struct settings *settings, const char *path, const char *id,
                           struct rt_error *err)
{
    struct rt_buf before, subject, after;
    struct rt_arena arena;
    struct rt_labconfig *config = NULL;
    rt_buf_init(&before, RT_DOC_FILE_MOST);
    rt_buf_init(&subject, 1 << 16);
    rt_buf_init(&after, RT_DOC_FILE_MOST);
    rt_arena_init(&arena, (size_t)32 << 20);
    enum rt_status status = rt_file_read(path, &before, err);
    if (!status)
        status = rt_labconfig_read(rt_buf_bytes(&before), path, &arena, &config, NULL, err);
    if (!status && rt_labconfig_subject(config, id))
        status = rt_error_set(err, RT_EXISTS, "%s: subject %s is there already; edit it there",
                              path, id);
    if (!status)
        status = subject_text(settings, id, &subject, err);
    if (!status) {
        status = insert(rt_buf_bytes(&before), rt_buf_bytes(&subject), &after);
        if (status)
            rt_error_set(err, status, "%s: `subjects` is written on one line; add %s by hand",
                         path, id);
    }
    // What the file would say is read before anything is written.
    if (!status)
        status = rt_labconfig_read(rt_buf_bytes(&after), path, &arena, &config, NULL, err);
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&after), 0600, err);
    rt_arena_release(&arena);
    rt_buf_release(&before);
    rt_buf_release(&subject);
    rt_buf_release(&after);
    return status;
}

static void add_defaults(void *place)
{
    struct settings *settings = place;
    settings->executor = "chat";
}

static enum rt_status add(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    const char *id = operands->items[0];
    char config[PATH_MAX];
    if (!rt_id_valid(id))
        return rt_error_set(err, RT_USAGE, "'%s' is no subject id", id);
    enum rt_status status = rt_lab_config_path(settings->state, config, err);
    struct settings whole = *settings;
    if (!status)
        status = rt_subject_weigh(config, id, &settings->weights, settings->chat_template,
                                  &whole.found, err);
    if (!status)
        status = edit(&whole, config, id, err);
    if (!status && !rt_globals.quiet)
        printf("%s: %s is served by executor %s\n", config, id, settings->executor);
    return status;
}

#define AT(member) .offset = offsetof(struct settings, member)
static const struct rt_option add_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = "executor", .kind = RT_OPTION_TEXT, AT(executor), .value_name = "KIND",
     .help = "chat (an OpenAI-compatible endpoint, the default) or builtin."},
    {.name = "endpoint", .kind = RT_OPTION_TEXT, AT(endpoint), .value_name = "URL",
     .help = "chat: http://host:port/v1."},
    {.name = "model", .kind = RT_OPTION_TEXT, AT(model), .value_name = "NAME",
     .help = "chat: the name the server answers to."},
    {.name = "key-file", .kind = RT_OPTION_TEXT, AT(key_file), .value_name = "FILE",
     .help = "chat: file with the bearer token."},
    {.name = "concurrency", .kind = RT_OPTION_COUNT, AT(concurrency), .value_name = "N",
     .help = "Requests in flight (default 4).", .least = 1, .most = 1024},
    {.name = "context", .kind = RT_OPTION_COUNT, AT(context), .value_name = "TOKENS",
     .help = "The server's context length."},
    {.name = "timeout", .kind = RT_OPTION_DURATION, AT(timeout_ms), .value_name = "TIME",
     .help = "Of one request (default 2m)."},
    {.name = "server", .kind = RT_OPTION_TEXT, AT(server), .value_name = "TEXT",
     .help = "Declared in the fingerprint."},
    {.name = "hardware", .kind = RT_OPTION_TEXT, AT(hardware), .value_name = "TEXT",
     .help = "Declared in the fingerprint."},
    {.name = "quantisation", .kind = RT_OPTION_TEXT, AT(quantisation), .value_name = "TEXT",
     .help = "Declared in the fingerprint."},
    {.name = "effect", .letter = 'e', .kind = RT_OPTION_LIST, AT(effects),
     .value_name = "NAME=VALUE", .help = "builtin: plant an effect; may be repeated."},
    {.name = "default", .kind = RT_OPTION_LIST, AT(defaults), .value_name = "NAME=VALUE",
     .help = "chat: a further request parameter; may be repeated."},
    {.name = "weights", .letter = 'w', .kind = RT_OPTION_LIST, AT(weights), .value_name = "PATH",
     .help = "The model's folder, or its files one by one: hashed into a manifest."},
    {.name = "chat-template", .kind = RT_OPTION_TEXT, AT(chat_template), .value_name = "FILE",
     .help = "Hashed; without it the one among the weights, if there is one."},
    {.name = NULL},
};

const struct rt_command rt_command_subject_add = {
    .name = "subject add",
    .summary = "say what serves a subject here",
    .operands = "SUBJECT",
    .operands_least = 1,
    .operands_most = 1,
    .options = add_options,
    .settings_size = sizeof(struct settings),
    .defaults = add_defaults,
    .run = add,
    .example = "ringtrial-worker subject add llama-8b --endpoint http://127.0.0.1:8000/v1 "
               "--model llama-8b-instruct\n"
               "ringtrial-worker subject add synthetic-8b --executor builtin --effect lab=0.2",
    .about = "Adds an entry to `subjects` of worker.yaml and keeps the rest of the file as it is. "
             "A worker that is running reads it at its next start. With --weights every file is "
             "hashed once; what the campaign says of its subject's weights is compared with the "
             "digest, and so each lab's model is told to be the same.",
};

// ---- list

static enum rt_status list(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_home *home = NULL;
    char path[PATH_MAX];
    (void)operands;
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_home_open(path, RT_HOME_PLAIN, NULL, &home, err);
    if (status)
        return status;
    json_t *json = json_array();
    for (size_t i = 0; i < home->config->subject_count; i++) {
        const struct rt_lab_subject *subject = &home->config->subjects[i];
        char weights[RT_DIGEST_TEXT_BYTES] = "";
        if (subject->has_weights)
            rt_digest_format(&subject->weights, weights);
        json_array_append_new(
            json, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "subject", subject->id, "executor",
                            executor_words[subject->executor], "endpoint", subject->endpoint,
                            "model", subject->model, "weights", weights, "concurrency",
                            (json_int_t)subject->concurrency));
        if (!rt_globals.json)
            printf("%-24s %-8s %s %s%s%s\n", subject->id, executor_words[subject->executor],
                   subject->command_count    ? subject->command[0]
                   : *subject->endpoint      ? subject->endpoint
                   : subject->endpoint_count ? subject->endpoints[0]
                                             : "",
                   subject->model, *weights ? " weights " : "", weights);
    }
    if (rt_globals.json)
        status = rt_print_json(json, err);
    json_decref(json);
    rt_home_free(home);
    return status;
}

static const struct rt_option list_options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = NULL},
};

const struct rt_command rt_command_subject_list = {
    .name = "subject list",
    .summary = "the subjects served here, and by what",
    .operands = "",
    .options = list_options,
    .settings_size = sizeof(struct settings),
    .run = list,
    .example = "ringtrial-worker subject list",
};
