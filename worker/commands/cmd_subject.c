// SPDX-License-Identifier: Apache-2.0
// `subject add` and `subject list`: what serves a campaign's subjects here, in worker.yaml.
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "proto/doc/doc.h"
#include "worker/commands/commands.h"
#include "worker/commands/subject_weights.h"
#include "worker/home.h"

// The keys of worker.yaml that have an option here: each option, its place and what is written all
// follow from this table.
//  X(KIND, member, "key", "option", 'letter', value, least, most, help)
#define KEY_TABLE(X)                                                                               \
    X(TEXT, endpoint, "endpoint", "endpoint", 0, "URL", 0, 0, "chat: http://host:port/v1.")        \
    X(LIST, endpoints, "endpoints", "endpoints", 0, "URL", 0, 0,                                   \
      "chat: one of several servers; may be repeated, instead of --endpoint.")                     \
    X(TEXT, model, "model", "model", 0, "NAME", 0, 0, "chat: the name the server answers to.")     \
    X(TEXT, key_file, "key_file", "key-file", 0, "FILE", 0, 0,                                     \
      "chat: file with the bearer token.")                                                         \
    X(TEXT, key_env, "key_env", "key-env", 0, "NAME", 0, 0,                                        \
      "chat: environment variable with the bearer token.")                                         \
    X(TEXT, ca_file, "ca_file", "ca-file", 0, "FILE", 0, 0,                                        \
      "chat: certificates that an https endpoint is held against.")                                \
    X(TEXT, proxy, "proxy", "proxy", 0, "URL", 0, 0, "chat: a proxy on the way there.")            \
    X(PAIRS, headers, "headers", "header", 0, "NAME=VALUE", 0, 0,                                  \
      "chat: a further header of each request; may be repeated.")                                  \
    X(TEXT, token_limit, "token_limit", "token-limit", 0, "NAME", 0, 0,                            \
      "chat: max_tokens, max_completion_tokens or both.")                                          \
    X(LIST, command, "command", "command", 0, "WORD", 0, 0,                                        \
      "command: the program, then its arguments; repeated, one word each.")                        \
    X(TEXT, sandbox, "sandbox", "sandbox", 0, "KIND", 0, 0,                                        \
      "command: where it runs, if not where worker.yaml says for all.")                            \
    X(COUNT, concurrency, "concurrency", "concurrency", 0, "N", 1, 1024,                           \
      "Requests in flight (default 4).")                                                           \
    X(COUNT, context, "context", "context", 0, "TOKENS", 0, 0, "The server's context length.")     \
    X(COUNT, gpus, "gpus", "gpus", 0, "N", 0, 4096,                                                \
      "GPUs that serve it, for policy's gpu_hours.")                                               \
    X(DURATION, timeout_ms, "timeout", "timeout", 0, "TIME", 0, 0,                                 \
      "Of one request (default 2m).")                                                              \
    X(TEXT, server, "server", "server", 0, "TEXT", 0, 0, "Declared in the fingerprint.")           \
    X(TEXT, hardware, "hardware", "hardware", 0, "TEXT", 0, 0, "Declared in the fingerprint.")     \
    X(TEXT, quantisation, "quantisation", "quantisation", 0, "TEXT", 0, 0,                         \
      "Declared in the fingerprint.")                                                              \
    X(PAIRS, effects, "effects", "effect", 'e', "NAME=VALUE", 0, 0,                                \
      "builtin: plant an effect; may be repeated.")                                                \
    X(PAIRS, defaults, "defaults", "default", 0, "NAME=VALUE", 0, 0,                               \
      "chat: a further request parameter; may be repeated.")

enum key_kind { KEY_TEXT, KEY_LIST, KEY_PAIRS, KEY_COUNT, KEY_DURATION };
#define MEMBER_TEXT     const char *
#define MEMBER_LIST     struct rt_text_list
#define MEMBER_PAIRS    struct rt_text_list
#define MEMBER_COUNT    uint64_t
#define MEMBER_DURATION int64_t
#define OPTION_TEXT     RT_OPTION_TEXT
#define OPTION_LIST     RT_OPTION_LIST
#define OPTION_PAIRS    RT_OPTION_LIST
#define OPTION_COUNT    RT_OPTION_COUNT
#define OPTION_DURATION RT_OPTION_DURATION

struct settings {
    const char *state, *executor;
#define X(kind, member, ...) MEMBER_##kind member;
    KEY_TABLE(X)
#undef X
    struct rt_text_list weights;
    const char *chat_template;
    struct subject_weights found; // what `weights` are
};

static const struct {
    enum key_kind kind;
    const char *key;
    size_t offset;
} keys[] = {
#define X(kind, member, key, ...) {KEY_##kind, key, offsetof(struct settings, member)},
    KEY_TABLE(X)
#undef X
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

static enum rt_status add_list(struct rt_buf *out, const char *name,
                               const struct rt_text_list *list, struct rt_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!plain(list->items[i]))
            return rt_error_set(err, RT_USAGE, "'%s': no quotes, please", list->items[i]);
        rt_buf_printf(out, i ? ", \"%s\"" : "    %s: [", i ? list->items[i] : name);
        if (!i)
            rt_buf_printf(out, "\"%s\"", list->items[i]);
    }
    if (list->count)
        rt_buf_add_str(out, "]\n");
    return RT_OK;
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

static enum rt_status add_key(struct rt_buf *out, enum key_kind kind, const char *key,
                              const void *place, struct rt_error *err)
{
    const char *text;
    uint64_t number;
    int64_t duration_ms;
    switch (kind) {
    case KEY_TEXT:
        memcpy(&text, place, sizeof text);
        if (!plain(text))
            return rt_error_set(err, RT_USAGE, "'%s': no quotes, please", text);
        add_text(out, key, text);
        break;
    case KEY_LIST:
        return add_list(out, key, place, err);
    case KEY_PAIRS:
        return add_pairs(out, key, place, err);
    case KEY_COUNT:
        memcpy(&number, place, sizeof number);
        if (number)
            rt_buf_printf(out, "    %s: %llu\n", key, (unsigned long long)number);
        break;
    case KEY_DURATION:
        memcpy(&duration_ms, place, sizeof duration_ms);
        if (duration_ms)
            rt_buf_printf(out, "    %s: %lldms\n", key, (long long)duration_ms);
        break;
    }
    return RT_OK;
}

static enum rt_status subject_text(const struct settings *settings, const char *id,
                                   struct rt_buf *out, struct rt_error *err)
{
    enum rt_status status = RT_OK;
    if (!plain(settings->executor))
        return rt_error_set(err, RT_USAGE, "'%s': no quotes, please", settings->executor);
    rt_buf_printf(out, "  %s:\n    executor: %s\n", id, settings->executor);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !status; i++)
        status = add_key(out, keys[i].kind, keys[i].key,
                         (const char *)settings + keys[i].offset, err);
    if (!status)
        add_weights(out, &settings->found);
    return status;
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
     .help = "chat (the default: an OpenAI-compatible endpoint), command, builtin."},
#define X(kind_, member, key, option, letter_, value, least_, most_, help_) \
    {.name = option, .letter = letter_, .kind = OPTION_##kind_, AT(member), .value_name = value,   \
     .help = help_, .least = least_, .most = most_},
    KEY_TABLE(X)
#undef X
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
