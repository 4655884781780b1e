// SPDX-License-Identifier: Apache-2.0
// Canaries: fixed questions with one right answer each, asked through the same path as the trials.
// They show what a server does with what it is sent (a system prompt, a tool, a seed), which its
// name and version do not.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/time.h"
#include "worker/executor/command.h"
#include "worker/executor/exec_state.h"

#define CANARY_TOKENS 64
#define CANARY_SEED   271828
#define ANSWER_BYTES  512
#define VALUES_MOST   64

enum canary {
    CANARY_SYSTEM,
    CANARY_TOOL,
    CANARY_COLD, // temperature 0, asked twice
    CANARY_COLD_AGAIN,
    CANARY_WARM, // temperature 1 and the same seed, asked twice
    CANARY_WARM_AGAIN,
    CANARY_COUNT
};

// What came back, as one text: what was said, then each call.
struct got {
    bool done;
    bool ok;
    bool timeout;
    enum rt_error_kind error;
    char text[ANSWER_BYTES];
    char call[ANSWER_BYTES]; // "name arguments" of the first call
};

// A probe that goes on: canaries are asked one after the other, on slot 0.
struct rt_exec_probe {
    int64_t until_ms; // monotonic
    int asked;        // the canary that is asked now
    struct got got[CANARY_COUNT];
};

static void take(void *ctx, const struct rt_backend_answer *answer)
{
    struct got *got = ctx;
    got->done = true;
    got->ok = answer->reply != NULL;
    got->timeout = answer->timeout;
    got->error = answer->error;
    if (!answer->reply) {
        snprintf(got->text, sizeof got->text, "%s", answer->text);
        return;
    }
    snprintf(got->text, sizeof got->text, "%s", answer->reply->text);
    if (answer->reply->call_count)
        snprintf(got->call, sizeof got->call, "%s %s", answer->reply->calls[0].name,
                 answer->reply->calls[0].arguments);
}

static enum rt_status ask(struct rt_exec *exec, int canary)
{
    const struct rt_chat_message system[] = {
        {RT_CHAT_SYSTEM, "When the user says PING, answer MARIGOLD.", NULL, 0, ""},
        {RT_CHAT_USER, "PING", NULL, 0, ""}};
    const struct rt_chat_message tool[] = {
        {RT_CHAT_USER, "Call the tool record with the word TEAL.", NULL, 0, ""}};
    const struct rt_chat_message free_text[] = {
        {RT_CHAT_USER, "Write one short sentence about a lighthouse.", NULL, 0, ""}};
    const struct rt_chat_tool record = {
        "record", "Records one word.",
        "{\"additionalProperties\":false,\"properties\":{\"word\":{\"type\":\"string\"}},"
        "\"required\":[\"word\"],\"type\":\"object\"}"};
    struct rt_chat_request request = {
        .messages = canary == CANARY_SYSTEM ? system
                    : canary == CANARY_TOOL ? tool
                                            : free_text,
        .message_count = canary == CANARY_SYSTEM ? 2 : 1,
        .tools = &record,
        .tool_count = canary == CANARY_TOOL,
        .temperature_micro = canary >= CANARY_WARM ? 1000000 : 0,
        .top_p_micro = exec->top_p_micro,
        .seed = CANARY_SEED,
        .max_tokens = CANARY_TOKENS,
    };
    int64_t left_ms = exec->probe->until_ms - rt_time_mono_ms();
    left_ms = left_ms > 1 ? left_ms : 1;
    int64_t timeout_ms = exec->timeout_ms < left_ms ? exec->timeout_ms : left_ms;
    exec->probe->asked = canary;
    return exec->kind->ask(exec->backend, 0, &request, timeout_ms, left_ms);
}

static const char *same(const struct got *a, const struct got *b)
{
    if (!a->ok || !b->ok)
        return "error";
    return strcmp(a->text, b->text) == 0 && strcmp(a->call, b->call) == 0 ? "same" : "different";
}

static const char *system_value(const struct got *got)
{
    return !got->ok ? "error" : strstr(got->text, "MARIGOLD") ? "honoured" : "ignored";
}

static const char *tool_value(const struct got *got)
{
    if (!got->ok)
        return "error";
    if (!*got->call)
        return "not called";
    return strncmp(got->call, "record ", 7) == 0 && strstr(got->call, "TEAL") ? "called"
                                                                              : "called wrongly";
}

// ---- the fingerprint

struct values {
    struct rt_named_value items[VALUES_MOST];
    size_t count;
};

// At most `most` bytes, never half a character.
static struct rt_bytes cut(const char *text, size_t most)
{
    struct rt_bytes bytes = rt_bytes_str(text ? text : "");
    if (bytes.size <= most)
        return bytes;
    bytes.size = most;
    while (bytes.size && (bytes.data[bytes.size] & 0xc0) == 0x80)
        bytes.size--;
    return bytes;
}

// Insert in ascending order of names; a name that is there keeps its first value.
static void add(struct values *values, const char *name, const char *value)
{
    struct rt_named_value item = {.name = cut(name, 64), .value = cut(value, 256)};
    size_t at = 0;
    while (at < values->count && rt_bytes_compare(values->items[at].name, item.name) < 0)
        at++;
    if (values->count == VALUES_MOST ||
        (at < values->count && rt_bytes_equal(values->items[at].name, item.name)))
        return;
    memmove(&values->items[at + 1], &values->items[at],
            (values->count - at) * sizeof values->items[0]);
    values->items[at] = item;
    values->count++;
}

static enum rt_identity identity_of(const struct rt_exec_options *options, bool behavioural)
{
    const struct rt_lab_subject *subject = options->subject;
    if (subject->executor == RT_EXECUTOR_BUILTIN)
        return RT_IDENTITY_HASHED; // it is part of this program, whose version is in the result
    if (options->campaign_weights && subject->has_weights && *subject->weights_dir &&
        rt_digest_equal(options->campaign_weights, &subject->weights))
        return RT_IDENTITY_HASHED;
    return behavioural ? RT_IDENTITY_BEHAVIOURAL : RT_IDENTITY_DECLARED;
}

// What was found out before holds for the same instrument alone.
static enum rt_status add_known(const struct rt_exec *exec,
                                struct rt_object_fingerprint *fingerprint,
                                char reference[RT_DIGEST_TEXT_BYTES])
{
    const struct rt_exec_known *known = exec->options.known;
    struct rt_digest identity;
    enum rt_status status = rt_fingerprint_identity(fingerprint, &identity);
    bool holds = !status && known && rt_digest_equal(&identity, &known->identity);
    if (holds) {
        fingerprint->determinism = cut(known->determinism, 64);
        fingerprint->context = known->context ? known->context : fingerprint->context;
    }
    if (holds && known->has_reference) {
        rt_digest_format(&known->reference, reference);
        fingerprint->reference = cut(reference, 128);
        fingerprint->reference_p_micro = known->reference_p_micro;
    }
    fingerprint->identity = identity_of(&exec->options, holds && known->behavioural);
    return status;
}

// What replies say of the server, without what differs between its replicas.
static void facts_digest(const struct rt_exec *exec, struct rt_digest *ret_digest)
{
    struct rt_backend_facts facts = {0};
    struct rt_sha256_state state;
    exec->kind->facts(exec->backend, &facts);
    const char *const texts[] = {facts.server, facts.model, facts.program};
    rt_sha256_init(&state);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i])
            rt_sha256_update(&state, texts[i], strlen(texts[i]) + 1);
    rt_sha256_final(&state, ret_digest);
}

bool rt_exec_changed(const struct rt_exec *exec)
{
    struct rt_digest now;
    if (exec->options.whole)
        return false;
    facts_digest(exec, &now);
    return exec->fingerprint.size && !rt_digest_equal(&now, &exec->facts);
}

// What plays a role, as far as worker.yaml says it: its server may not have been asked yet.
static enum rt_status role_identity(const struct rt_exec_role *role, struct rt_digest *ret_digest)
{
    const struct rt_lab_subject *subject = role->subject;
    bool builtin = subject->executor == RT_EXECUTOR_BUILTIN;
    struct values parameters = {.count = 0};
    char digest[RT_DIGEST_TEXT_BYTES] = "", template[RT_DIGEST_TEXT_BYTES] = "";
    for (size_t i = 0; i < subject->default_count; i++)
        add(&parameters, subject->defaults[i].name, subject->defaults[i].value);
    if (subject->has_chat_template)
        rt_digest_format(&subject->chat_template, template);
    if (subject->has_weights)
        rt_digest_format(&subject->weights, digest);
    struct rt_object_fingerprint fingerprint = {
        .subject = cut(subject->id, 64),
        .executor = cut(role->kind->word, 64),
        .server = cut(subject->server, 128),
        .server_version = cut(builtin ? RT_VERSION : subject->server_version, 128),
        .model = cut(builtin ? "synthetic" : subject->model, 256),
        .model_digest = cut(digest, 128),
        .chat_template = cut(template, 128),
        .quantisation = cut(subject->quantisation, 64),
        .parameters = parameters.items,
        .parameters_count = parameters.count,
    };
    return rt_fingerprint_identity(&fingerprint, ret_digest);
}

// texts hold what the values view.
static enum rt_status add_roles(const struct rt_exec *exec,
                                char texts[RT_EXEC_ROLES_MOST][RT_DIGEST_TEXT_BYTES],
                                struct values *values)
{
    enum rt_status status = RT_OK;
    for (size_t r = 0; r < exec->role_count; r++) {
        struct rt_digest identity;
        status = role_identity(&exec->roles[r], &identity);
        if (status)
            break;
        rt_digest_format(&identity, texts[r]);
        add(values, exec->roles[r].id, texts[r]);
    }
    return status;
}

static enum rt_status write_fingerprint(struct rt_exec *exec, const struct got *got,
                                        const char **ret_field)
{
    const struct rt_lab_subject *subject = exec->options.subject;
    bool builtin = subject->executor == RT_EXECUTOR_BUILTIN;
    struct rt_backend_facts facts;
    struct values parameters = {.count = 0}, canaries = {.count = 0}, roles = {.count = 0};
    char digest[RT_DIGEST_TEXT_BYTES] = "", template[RT_DIGEST_TEXT_BYTES] = "";
    char reference[RT_DIGEST_TEXT_BYTES] = "";
    char nodes[129];
    rt_lab_nodes(subject, nodes, sizeof nodes);
    char role_texts[RT_EXEC_ROLES_MOST][RT_DIGEST_TEXT_BYTES];
    enum rt_status status = add_roles(exec, role_texts, &roles);
    exec->kind->facts(exec->backend, &facts);
    for (size_t i = 0; i < subject->default_count; i++)
        add(&parameters, subject->defaults[i].name, subject->defaults[i].value);
    add(&parameters, "n", "1");
    add(&parameters, "top_p", "1");
    if (facts.program && *facts.program)
        add(&parameters, "command", facts.program);
    if (subject->has_chat_template)
        rt_digest_format(&subject->chat_template, template);
    if (subject->has_weights)
        rt_digest_format(&subject->weights, digest);
    add(&canaries, "repeat", same(&got[CANARY_COLD], &got[CANARY_COLD_AGAIN]));
    add(&canaries, "seed", same(&got[CANARY_WARM], &got[CANARY_WARM_AGAIN]));
    add(&canaries, "system", system_value(&got[CANARY_SYSTEM]));
    add(&canaries, "system_fingerprint", facts.system_fingerprint);
    add(&canaries, "tool", tool_value(&got[CANARY_TOOL]));
    struct rt_object_fingerprint fingerprint = {
        .subject = cut(subject->id, 64),
        .executor = cut(exec->kind->word, 64),
        .server = cut(*subject->server ? subject->server : facts.server, 128),
        .server_version = cut(builtin ? RT_VERSION : subject->server_version, 128),
        .model = cut(builtin ? "synthetic" : subject->model, 256),
        .model_reported = cut(facts.model, 256),
        .model_digest = cut(digest, 128),
        .chat_template = cut(template, 128),
        .quantisation = cut(subject->quantisation, 64),
        .hardware = cut(*subject->hardware ? subject->hardware : nodes, 128),
        .batch = cut(subject->batch, 64),
        .sandbox = cut(facts.sandbox ? facts.sandbox : exec->options.sandbox, 64),
        .context = subject->context,
        .parameters = parameters.items,
        .parameters_count = parameters.count,
        .canaries = canaries.items,
        .canaries_count = canaries.count,
        .roles = roles.items,
        .roles_count = roles.count,
    };
    rt_buf_clear(&exec->fingerprint);
    facts_digest(exec, &exec->facts);
    if (!status)
        status = add_known(exec, &fingerprint, reference);
    if (status)
        return status;
    return rt_object_fingerprint_encode(&fingerprint, &exec->fingerprint, ret_field);
}

// ---- the steps

static const char *place_of(const struct rt_exec *exec)
{
    const struct rt_lab_subject *subject = exec->options.subject;
    return *subject->endpoint ? subject->endpoint : exec->kind->word;
}

bool rt_exec_probing(const struct rt_exec *exec)
{
    return exec->probe != NULL;
}

void rt_exec_probe_abandon(struct rt_exec *exec)
{
    if (!exec->probe)
        return;
    if (exec->probe->asked < CANARY_COUNT && !exec->probe->got[exec->probe->asked].done)
        exec->kind->drop(exec->backend, 0);
    free(exec->probe);
    exec->probe = NULL;
}

enum rt_status rt_exec_probe_begin(struct rt_exec *exec, int64_t timeout_ms, struct rt_error *err)
{
    const char *id = exec->options.subject->id;
    if (exec->options.whole)
        return rt_error_set(err, RT_UNSUPPORTED, "subject %s: its jobs probe it themselves", id);
    if (exec->in_flight)
        return rt_error_set(err, RT_BUSY, "subject %s: trials are in flight", id);
    rt_exec_probe_abandon(exec);
    if (!rt_exec_endpoint_count(exec))
        return rt_error_set(err, RT_NETWORK, "subject %s: there is no endpoint to ask", id);
    exec->probe = calloc(1, sizeof *exec->probe);
    if (!exec->probe)
        return rt_error_set(err, RT_NO_MEMORY, "subject %s: out of memory", id);
    exec->probe->until_ms = rt_time_mono_ms() + timeout_ms;
    enum rt_status status = ask(exec, CANARY_SYSTEM);
    if (status) {
        exec->probe->asked = CANARY_COUNT; // nothing is in flight
        rt_exec_probe_abandon(exec);
        return rt_error_set(err, status, "subject %s: %s", id, rt_status_text(status));
    }
    return RT_OK;
}

// What an answer means for the probe: RT_AGAIN when the next canary has been asked.
static enum rt_status next(struct rt_exec *exec)
{
    const struct got *got = &exec->probe->got[exec->probe->asked];
    // An endpoint that cannot be reached at all is not fingerprinted, and neither is a command that
    // does not run or does not speak.
    bool mute = exec->kind == &rt_backend_command && got->error == RT_ERROR_KIND_PROTOCOL;
    if (exec->kind->end)
        exec->kind->end(exec->backend, 0);
    if (!got->ok && (got->timeout || got->error == RT_ERROR_KIND_NETWORK))
        return got->timeout ? RT_TIMEOUT : RT_NETWORK;
    if (!got->ok && (mute || got->error == RT_ERROR_KIND_SANDBOX))
        return RT_IO;
    if (exec->probe->asked + 1 == CANARY_COUNT)
        return RT_OK;
    enum rt_status status = ask(exec, exec->probe->asked + 1);
    if (status)
        exec->probe->asked = CANARY_COUNT;
    return status ? status : RT_AGAIN;
}

enum rt_status rt_exec_probe_step(struct rt_exec *exec, int wait_ms, struct rt_error *err)
{
    const char *id = exec->options.subject->id;
    const char *field = "";
    char text[ANSWER_BYTES] = "";
    enum rt_status status = RT_AGAIN;
    RT_ASSERT(exec->probe);
    int64_t end_ms = rt_time_mono_ms() + wait_ms;
    while (status == RT_AGAIN) {
        struct got *got = &exec->probe->got[exec->probe->asked];
        int64_t left_ms = end_ms - rt_time_mono_ms();
        exec->kind->poll(exec->backend, left_ms > 0 ? (int)left_ms : 0, take, got);
        if (!got->done && left_ms <= 0)
            return RT_AGAIN;
        if (got->done)
            status = next(exec);
        if (status != RT_AGAIN && status != RT_OK)
            snprintf(text, sizeof text, "%s", got->text);
    }
    if (!status)
        status = write_fingerprint(exec, exec->probe->got, &field);
    rt_exec_probe_abandon(exec);
    if (*field)
        return rt_error_set(err, status, "subject %s: fingerprint field %s: %s", id, field,
                            rt_status_text(status));
    if (status)
        return rt_error_set(err, status, "subject %s: %s%s%s: %s", id, place_of(exec),
                            *text ? ": " : "", text, rt_status_text(status));
    return RT_OK;
}

enum rt_status rt_exec_probe(struct rt_exec *exec, int64_t timeout_ms, struct rt_error *err)
{
    enum rt_status status = rt_exec_probe_begin(exec, timeout_ms, err);
    if (status)
        return status;
    // A silent endpoint must not hold up a program that was asked to end.
    while ((status = rt_exec_probe_step(exec, 500, err)) == RT_AGAIN)
        if (exec->options.stopping && exec->options.stopping()) {
            rt_exec_probe_abandon(exec);
            return rt_error_set(err, RT_CANCELLED, "subject %s: asked to end",
                                exec->options.subject->id);
        }
    return status;
}
