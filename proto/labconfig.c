// SPDX-License-Identifier: Apache-2.0
#include "proto/labconfig.h"

#include <stdio.h>
#include <string.h>

#include "proto/doc/labconfig_doc.h"

static enum rt_status check_command(struct rt_doc_reader *reader,
                                    const struct rt_labconfig *config,
                                    const struct rt_lab_subject *subject)
{
    enum rt_sandbox sandbox = rt_labconfig_sandbox(config, subject);
    bool command = subject->executor == RT_EXECUTOR_COMMAND;
    bool array = subject->executor == RT_EXECUTOR_SLURM;
    if (!command && !array && (subject->command_count || subject->has_sandbox))
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: `command` and `sandbox` belong to executor command",
                           subject->id);
    array = array && subject->slurm && subject->slurm->mode == RT_SLURM_ARRAY;
    if (!command && !array)
        return RT_OK;
    if (!subject->command_count || !*subject->command[0])
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: executor command needs `command: [program, argument, "
                           "...]`",
                           subject->id);
    if (sandbox == RT_SANDBOX_APPTAINER && !*subject->confine.image)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: sandbox apptainer needs `confine: {image: FILE.sif}`",
                           subject->id);
    if (sandbox != RT_SANDBOX_APPTAINER && *subject->confine.image)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: `image` belongs to sandbox apptainer; this one is %s",
                           subject->id, rt_sandbox_word(sandbox));
    return RT_OK;
}

static bool is_http(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

// One `endpoint` or a list of them, and what belongs to speaking HTTP.
static enum rt_status check_endpoints(struct rt_doc_reader *reader,
                                      const struct rt_lab_subject *subject, bool chat)
{
    bool one = *subject->endpoint, http = !one || is_http(subject->endpoint);
    for (size_t i = 0; i < subject->endpoint_count; i++)
        http = http && is_http(subject->endpoints[i]);
    if (chat && (!http || one == (subject->endpoint_count > 0) || !*subject->model))
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: executor chat needs `endpoint: http://host:port/v1` (or "
                           "`endpoints:`, a list of such) and `model:`",
                           subject->id);
    if (*subject->key_file && *subject->key_env)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: `key_file` and `key_env`: one of them", subject->id);
    return RT_OK;
}

// sbatch's options that the worker sets itself, or that would change what a job is.
static bool reserved(const char *name)
{
    static const char *const words[] = {"array",  "comment", "chdir",     "error",  "export",
                                        "input",  "job-name", "output",   "parsable", "test-only",
                                        "wait",   "wrap",    "open-mode", NULL};
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    bool found = size == 0 || name[size] || name[0] == '-';
    for (size_t w = 0; words[w] && !found; w++)
        found = strcmp(words[w], name) == 0;
    return found;
}

static enum rt_status check_slurm(struct rt_doc_reader *reader,
                                  const struct rt_lab_subject *subject)
{
    const struct rt_lab_slurm *slurm = subject->slurm;
    const char *id = subject->id;
    bool fits = !slurm || subject->executor == RT_EXECUTOR_SLURM ||
                subject->executor ==
                    (slurm->mode == RT_SLURM_PILOT ? RT_EXECUTOR_CHAT : RT_EXECUTOR_COMMAND);
    if (!slurm && subject->executor == RT_EXECUTOR_SLURM)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: executor slurm needs a `slurm:` table", id);
    if (!slurm && subject->key_per_job)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: `api_key: per-job` belongs to a `slurm` pilot", id);
    if (!slurm)
        return RT_OK;
    if (!fits)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: slurm mode pilot goes with executor chat, mode array "
                           "with executor command", id);
    if (slurm->mode == RT_SLURM_PILOT && (!slurm->serve_count || !*slurm->serve[0]))
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: slurm mode pilot needs `serve: [program, argument, "
                           "...]`", id);
    if (slurm->mode == RT_SLURM_PILOT && !*subject->endpoint)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: slurm mode pilot needs one `endpoint:` such as "
                           "\"http://{node}:{port}/v1\"", id);
    if (slurm->mode == RT_SLURM_ARRAY && slurm->serve_count)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: `serve` belongs to slurm mode pilot; mode array runs "
                           "`command`", id);
    for (size_t i = 0; i < slurm->sbatch_count; i++)
        if (reserved(slurm->sbatch[i].name))
            return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                               "subject `%s`: sbatch option `%s` is set by the worker, or is no "
                               "long option's name", id, slurm->sbatch[i].name);
    for (size_t i = 0; i < slurm->env_count; i++)
        if (strspn(slurm->env[i].name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789_") != strlen(slurm->env[i].name) ||
            (unsigned)(slurm->env[i].name[0] - '0') < 10)
            return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                               "subject `%s`: `%s` is no name of an environment variable", id,
                               slurm->env[i].name);
    return RT_OK;
}

static enum rt_status check_subject(struct rt_doc_reader *reader,
                                    const struct rt_labconfig *config,
                                    const struct rt_lab_subject *subject)
{
    enum rt_status status = check_command(reader, config, subject);
    if (!status)
        status = check_slurm(reader, subject);
    if (status)
        return status;
    bool chat = rt_lab_pilot(subject) || subject->executor == RT_EXECUTOR_CHAT;
    status = check_endpoints(reader, subject, chat);
    if (status)
        return status;
    if (chat && strstr(subject->endpoint, "{node}") && !subject->slurm)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: {node} in `endpoint` is filled in by a `slurm` job, and "
                           "there is none",
                           subject->id);
    if (!chat && *subject->endpoint)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: executor %s has no `endpoint`", subject->id,
                           subject->executor == RT_EXECUTOR_COMMAND ? "command" : "builtin");
    if (subject->executor != RT_EXECUTOR_BUILTIN && subject->effect_count)
        return rt_doc_fail(reader, RT_MALFORMED, subject->line,
                           "subject `%s`: `effects` are planted in the builtin subject only",
                           subject->id);
    if (subject->timeout_ms <= 0 || subject->timeout_ms > 86400000)
        return rt_doc_fail(reader, RT_OUT_OF_RANGE, subject->line,
                           "subject `%s`: `timeout` must be above 0 and at most 1d", subject->id);
    return RT_OK;
}

static enum rt_status check_roles(struct rt_doc_reader *reader, const struct rt_lab_policy *policy)
{
    static const char *const words[] = {"run", "grade", "rate-by-hand", "witness", NULL};
    for (size_t r = 0; r < policy->role_count; r++) {
        bool known = false;
        for (size_t w = 0; words[w]; w++)
            known = known || strcmp(words[w], policy->roles[r]) == 0;
        if (!known)
            return rt_doc_fail(reader, RT_MALFORMED, 0, "policy: role `%s` does not exist%s",
                               policy->roles[r], rt_doc_suggest(reader, policy->roles[r], words));
        if (strcmp(policy->roles[r], "witness") == 0)
            rt_doc_note(reader, 0, "role `%s` is read and checked, but not played yet",
                        policy->roles[r]);
    }
    return RT_OK;
}

static enum rt_status check_config(struct rt_doc_reader *reader, struct rt_labconfig *config)
{
    enum rt_status status = RT_OK;
    for (size_t s = 0; s < config->subject_count && !status; s++)
        status = check_subject(reader, config, &config->subjects[s]);
    if (!status)
        status = check_roles(reader, &config->policy);
    if (status)
        return status;
    if (config->network == RT_NETWORK_FERRY)
        return rt_doc_fail(reader, RT_UNSUPPORTED, 0,
                           "network mode ferry is not carried by this version; use direct or "
                           "socks5");
    if ((config->network == RT_NETWORK_SOCKS5) != (*config->via != 0))
        return rt_doc_fail(reader, RT_MALFORMED, 0,
                           "network: `via: host:port` belongs to mode socks5, and to no other");
    if (*config->via && !strrchr(config->via, ':'))
        return rt_doc_fail(reader, RT_MALFORMED, 0, "network: `via` must be host:port");
    return RT_OK;
}

enum rt_status rt_labconfig_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                                 struct rt_labconfig **ret_config, struct rt_notes *notes,
                                 struct rt_error *err)
{
    struct rt_doc_reader reader = {name, arena, notes, err};
    struct rt_labconfig *config = rt_arena_alloc(arena, sizeof *config);
    if (!config)
        return rt_doc_no_memory(&reader);
    enum rt_status status = rt_doc_read(&reader, &rt_labconfig_table, text, config);
    if (!status)
        status = check_config(&reader, config);
    if (!status)
        *ret_config = config;
    return status;
}

const struct rt_lab_subject *rt_labconfig_subject(const struct rt_labconfig *config, const char *id)
{
    for (size_t s = 0; s < config->subject_count; s++)
        if (strcmp(config->subjects[s].id, id) == 0)
            return &config->subjects[s];
    return NULL;
}

bool rt_lab_pilot(const struct rt_lab_subject *subject)
{
    return subject->slurm && subject->slurm->mode == RT_SLURM_PILOT;
}

bool rt_lab_array(const struct rt_lab_subject *subject)
{
    return subject->slurm && subject->slurm->mode == RT_SLURM_ARRAY;
}

void rt_lab_nodes(const struct rt_lab_subject *subject, char *out, size_t capacity)
{
    static const char *const names[] = {"partition", "constraint", "gres", "gpus", "gpus-per-node"};
    size_t used = 0;
    out[0] = 0;
    for (size_t n = 0; subject->slurm && n < sizeof names / sizeof *names; n++) {
        const char *value =
            rt_pair_value(subject->slurm->sbatch, subject->slurm->sbatch_count, names[n]);
        if (value && used < capacity)
            used += (size_t)snprintf(out + used, capacity - used, "%s%s=%s", used ? " " : "",
                                     names[n], value);
    }
}

enum rt_sandbox rt_labconfig_sandbox(const struct rt_labconfig *config,
                                     const struct rt_lab_subject *subject)
{
    return subject->has_sandbox ? subject->sandbox : config->sandbox;
}

bool rt_labconfig_open(const struct rt_lab_policy *policy, unsigned weekday, unsigned minute)
{
    RT_ASSERT(weekday < 7 && minute < 1440);
    if (policy->hour_count == 0)
        return true;
    for (size_t h = 0; h < policy->hour_count; h++) {
        const struct rt_hours *hours = &policy->hours[h];
        bool today = hours->days >> weekday & 1, yesterday = hours->days >> ((weekday + 6) % 7) & 1;
        bool overnight = hours->until_min <= hours->from_min;
        if (today && minute >= hours->from_min && (overnight || minute < hours->until_min))
            return true;
        if (overnight && yesterday && minute < hours->until_min)
            return true;
    }
    return false;
}
