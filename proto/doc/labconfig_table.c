// SPDX-License-Identifier: Apache-2.0
// worker.yaml, field by field.
#include <stdio.h>
#include <string.h>

#include "common/base/time.h"
#include "proto/doc/labconfig_doc.h"

static const char *const executor_words[] = {"builtin", "chat", "command", "slurm", NULL};
static const char *const network_words[] = {"direct", "socks5", "ferry", NULL};
static const char *const approve_words[] = {"by-hand", "automatic", NULL};
static const char *const sandbox_words[] = {
    [RT_SANDBOX_BWRAP] = "bwrap", [RT_SANDBOX_APPTAINER] = "apptainer",
    [RT_SANDBOX_SLURM_JOB] = "slurm-job", [RT_SANDBOX_NONE] = "none", [RT_SANDBOX_NONE + 1] = NULL};
static const char *const token_limit_words[] = {"max_tokens", "max_completion_tokens", "both",
                                                 NULL};
static const char *const api_key_words[] = {"none", "per-job", NULL};
static const char *const mode_words[] = {"pilot", "array", NULL};
static const char *const release_words[] = {"ask-me", "automatic", "never", NULL};

// ---- values with forms of their own

static int weekday(const char *text)
{
    static const char days[] = "montuewedthufrisatsun";
    for (int d = 0; d < 7; d++)
        if (strncmp(text, days + 3 * d, 3) == 0)
            return d;
    return -1;
}

// "HH:MM" from 00:00 to 24:00 as minutes, or -1.
static int clock_minutes(const char *text)
{
    unsigned hours, minutes;
    int end = 0;
    if (strlen(text) < 5 || sscanf(text, "%2u:%2u%n", &hours, &minutes, &end) != 2 || end != 5 ||
        text[2] != ':' || hours > 24 || minutes > 59 || (hours == 24 && minutes))
        return -1;
    return (int)(hours * 60 + minutes);
}

// "mon-fri 19:00-07:00", "sat all"
static bool parse_hours(const char *text, struct rt_hours *ret_hours)
{
    int first = strlen(text) >= 4 ? weekday(text) : -1, last = first;
    const char *rest = text + 3;
    if (first < 0)
        return false;
    if (*rest == '-') {
        last = strlen(rest) >= 4 ? weekday(rest + 1) : -1;
        rest += 4;
    }
    if (last < 0 || *rest != ' ')
        return false;
    *ret_hours = (struct rt_hours){.until_min = 1440};
    for (int d = first;; d = (d + 1) % 7) {
        ret_hours->days |= (uint8_t)(1 << d);
        if (d == last)
            break;
    }
    rest++;
    if (strcmp(rest, "all") == 0)
        return true;
    int from = clock_minutes(rest);
    int until = strlen(rest) == 11 && rest[5] == '-' ? clock_minutes(rest + 6) : -1;
    if (from < 0 || until < 0 || from == until || from == 1440)
        return false;
    ret_hours->from_min = (uint16_t)from;
    ret_hours->until_min = (uint16_t)until;
    return true;
}

static enum rt_status read_hours(struct rt_doc_reader *reader, const struct rt_node *node,
                                 void *record)
{
    struct rt_lab_policy *policy = record;
    if (node->kind != RT_NODE_LIST || node->count > 64)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`hours` must be a list such as [\"mon-fri 19:00-07:00\", \"sat all\"]");
    policy->hours = rt_arena_array(reader->arena, node->count, sizeof *policy->hours);
    if (!policy->hours)
        return rt_doc_no_memory(reader);
    for (const struct rt_node *item = node->first; item; item = item->next) {
        if (item->kind != RT_NODE_SCALAR ||
            !parse_hours(item->text, &policy->hours[policy->hour_count++]))
            return rt_doc_fail(reader, RT_MALFORMED, item->line,
                               "hours `%s`; write \"mon-fri 19:00-07:00\" or \"sat-sun all\"",
                               item->kind == RT_NODE_SCALAR ? item->text : "");
    }
    return RT_OK;
}

// "24 months", "90 days", "2 years", or a duration ("72h").
static enum rt_status read_keep(struct rt_doc_reader *reader, const struct rt_node *node,
                                void *record)
{
    static const struct {
        const char *unit;
        int64_t days;
    } units[] = {{"day", 1}, {"week", 7}, {"month", 31}, {"year", 366}};
    struct rt_lab_policy *policy = record;
    const char *text = node->kind == RT_NODE_SCALAR ? node->text : "";
    unsigned number;
    char unit[8];
    int end = 0;
    if (strcmp(text, "for-ever") == 0)
        return RT_OK;
    if (rt_duration_parse(text, &policy->keep_ms) == RT_OK)
        return RT_OK;
    if (sscanf(text, "%4u %7[a-z]%n", &number, unit, &end) == 2 && !text[end]) {
        size_t size = strlen(unit);
        if (size > 1 && unit[size - 1] == 's')
            unit[size - 1] = 0;
        for (size_t u = 0; u < sizeof units / sizeof *units; u++)
            if (strcmp(unit, units[u].unit) == 0) {
                policy->keep_ms = number * units[u].days * 86400000;
                return RT_OK;
            }
    }
    return rt_doc_fail(reader, RT_MALFORMED, node->line,
                       "`keep` is `%s`; write 24 months, 90 days, 72h or for-ever", text);
}

// ---- subjects

static const struct rt_doc_field ready_fields[] = {
    {"url", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_slurm, ready_url), .most = 1024,
     .help = "answers 200 once the model is loaded; default ENDPOINT/models"},
    {"within", RT_DOC_DURATION, 0, RT_AT(rt_lab_slurm, ready_within_ms), .preset = "20m"},
};
static const struct rt_doc_table ready_table = {
    .name = "ready", .size = sizeof(struct rt_lab_slurm), RT_DOC_FIELDS(ready_fields)};

static const struct rt_doc_field slurm_fields[] = {
    {"mode", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_lab_slurm, mode), .words = mode_words},
    {"spool", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_slurm, spool), .most = 1024,
     .help = "folder that the worker and the nodes share; default STATE/slurm"},
    {"serve", RT_DOC_TEXTS, RT_DOC_ONE_LINE, RT_COUNTED(rt_lab_slurm, serve, serve_count),
     .most = 64, .help = "pilot: program and arguments; {node}, {port}, {key_file} are filled in"},
    {"setup", RT_DOC_TEXTS, RT_DOC_ONE_LINE, RT_COUNTED(rt_lab_slurm, setup, setup_count),
     .most = 64, .help = "lines of shell before the program, such as module load cuda"},
    {"env", RT_DOC_PAIRS, RT_DOC_ONE_LINE, RT_COUNTED(rt_lab_slurm, env, env_count), .most = 64,
     .help = "set in the job"},
    {"ready", RT_DOC_STRUCT, 0, .offset = 0, .item = &ready_table},
    {"sbatch", RT_DOC_PAIRS, RT_DOC_ONE_LINE, RT_COUNTED(rt_lab_slurm, sbatch, sbatch_count),
     .most = 64, .help = "sbatch's long options: partition, account, gres, time, signal, ..."},
    {"jobs_at_most", RT_DOC_U32, 0, RT_AT(rt_lab_slurm, jobs_at_most), .least = 1, .most = 64,
     .preset = "1"},
    {"idle_exit", RT_DOC_DURATION, 0, RT_AT(rt_lab_slurm, idle_exit_ms), .preset = "10m"},
    {"margin", RT_DOC_DURATION, 0, RT_AT(rt_lab_slurm, margin_ms), .preset = "2m",
     .help = "before the time limit nothing new is started"},
    {"poll", RT_DOC_DURATION, 0, RT_AT(rt_lab_slurm, poll_ms), .preset = "60s",
     .help = "one squeue for all jobs; sacct only for those that vanished"},
    {"trials_per_task", RT_DOC_U32, 0, RT_AT(rt_lab_slurm, trials_per_task), .least = 1,
     .most = 1024, .preset = "8", .help = "array: how many trials one array task runs"},
    {"tries", RT_DOC_U32, 0, RT_AT(rt_lab_slurm, tries), .least = 1, .most = 100, .preset = "3",
     .help = "array: jobs a trial is given to before it is handed back"},
    {"worker", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_slurm, worker), .most = 1024,
     .help = "array: ringtrial-worker on the nodes; default this program's own path"},
};
static const struct rt_doc_table slurm_table = {
    .name = "slurm", .size = sizeof(struct rt_lab_slurm), RT_DOC_FIELDS(slurm_fields)};

static const char *const command_network_words[] = {"none", "host", NULL};
static const struct rt_doc_field confine_fields[] = {
    {"memory", RT_DOC_SIZE, 0, RT_AT(rt_lab_confine, memory_bytes), .least = 16 << 20,
     .preset = "4GiB", .help = "address space of each process"},
    {"processes", RT_DOC_U32, 0, RT_AT(rt_lab_confine, processes), .least = 1, .most = 65536,
     .preset = "256", .help = "at once, threads included"},
    {"cpu_seconds", RT_DOC_U32, 0, RT_AT(rt_lab_confine, cpu_seconds), .least = 1, .most = 604800,
     .preset = "3600", .help = "processor time of each process"},
    {"file_size", RT_DOC_SIZE, 0, RT_AT(rt_lab_confine, file_size_bytes), .least = 4096,
     .preset = "256MiB", .help = "of each file it writes"},
    {"scratch", RT_DOC_SIZE, 0, RT_AT(rt_lab_confine, scratch_bytes), .least = 1 << 20,
     .preset = "256MiB", .help = "bwrap: each of /tmp, /home and /dev/shm"},
    {"open_files", RT_DOC_U32, 0, RT_AT(rt_lab_confine, open_files), .least = 16, .most = 65536,
     .preset = "256"},
    {"network", RT_DOC_ENUM, 0, RT_AT(rt_lab_confine, network), .words = command_network_words,
     .preset = "none", .help = "host lets it use this machine's network; in the fingerprint"},
    {"read_only", RT_DOC_TEXTS, RT_DOC_ONE_LINE,
     RT_COUNTED(rt_lab_confine, read_only, read_only_count), .most = 64,
     .help = "files and folders it may read, beside the system's"},
    {"image", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_confine, image), .most = 1024,
     .help = "apptainer: the image it runs in"},
};
static const struct rt_doc_table confine_table = {
    .name = "confine", .size = sizeof(struct rt_lab_confine), RT_DOC_FIELDS(confine_fields)};

static const struct rt_doc_field weights_fields[] = {
    {"dir", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_subject, weights_dir), .most = 1024,
     .help = "folder or file of the model, its tokenizer and its chat template"},
    {"files", RT_DOC_TEXTS, RT_DOC_ONE_LINE,
     RT_COUNTED(rt_lab_subject, weights_files, weights_file_count), .most = 256,
     .help = "names in it to take instead of everything"},
    {"manifest", RT_DOC_DIGEST, 0, RT_AT(rt_lab_subject, weights),
     RT_HAS(rt_lab_subject, has_weights), .help = "checked at each server start"},
};
static const struct rt_doc_table weights_table = {
    .name = "weights", .size = sizeof(struct rt_lab_subject), RT_DOC_FIELDS(weights_fields)};

#define DECLARED(key, member)                                                                      \
    {                                                                                              \
        key, RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_subject, member),                          \
            .most = 128, .help = "declared in the fingerprint"                                     \
    }
static enum rt_status read_api_key(struct rt_doc_reader *reader, const struct rt_node *node,
                                   void *record)
{
    struct rt_lab_subject *subject = record;
    const char *text = node->kind == RT_NODE_SCALAR ? node->text : "";
    for (size_t i = 0; api_key_words[i]; i++)
        if (strcmp(api_key_words[i], text) == 0) {
            subject->key_per_job = i == 1;
            return RT_OK;
        }
    return rt_doc_fail(reader, RT_MALFORMED, node->line,
                       "`api_key` is none or per-job; a key itself belongs in a file named by "
                       "`key_file`");
}
static const struct rt_doc_field subject_fields[] = {
    {"subject", RT_DOC_TEXT, RT_DOC_KEYED | RT_DOC_IS_ID, RT_AT(rt_lab_subject, id)},
    {"executor", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_lab_subject, executor),
     .words = executor_words},
    {"endpoint", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_subject, endpoint), .most = 1024,
     .help = "chat: http://host:port/v1"},
    {"endpoints", RT_DOC_TEXTS, RT_DOC_ONE_LINE,
     RT_COUNTED(rt_lab_subject, endpoints, endpoint_count), .least = 1, .most = 64,
     .help = "chat: several servers of the same subject"},
    {"api_key", RT_DOC_TEXT, 0, .read = read_api_key, .help = "none or per-job"},
    {"key_file", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_subject, key_file), .most = 1024,
     .help = "file with the bearer token"},
    {"key_env", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_subject, key_env), .most = 128,
     .help = "environment variable with the bearer token"},
    {"ca_file", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_subject, ca_file), .most = 1024,
     .help = "https: PEM certificates to trust in place of the system's"},
    {"proxy", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_subject, proxy), .most = 1024,
     .help = "such as http://host:3128 or socks5h://host:1080; default none"},
    {"headers", RT_DOC_PAIRS, RT_DOC_ONE_LINE, RT_COUNTED(rt_lab_subject, headers, header_count),
     .most = 16, .help = "further header lines"},
    {"token_limit", RT_DOC_ENUM, 0, RT_AT(rt_lab_subject, token_limit),
     .words = token_limit_words, .preset = "max_tokens",
     .help = "the name under which the limit is sent"},
    {"model", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_subject, model), .most = 256,
     .help = "the name the server answers to"},
    {"weights", RT_DOC_STRUCT, 0, .offset = 0, .item = &weights_table},
    {"chat_template", RT_DOC_DIGEST, 0, RT_AT(rt_lab_subject, chat_template),
     RT_HAS(rt_lab_subject, has_chat_template)},
    {"context", RT_DOC_U64, 0, RT_AT(rt_lab_subject, context), .help = "tokens; 0 is unknown"},
    {"concurrency", RT_DOC_U32, 0, RT_AT(rt_lab_subject, concurrency), .least = 1, .most = 1024,
     .preset = "4", .help = "requests in flight"},
    {"gpus", RT_DOC_U32, 0, RT_AT(rt_lab_subject, gpus), .most = 4096, .preset = "0",
     .help = "its server's, for gpu_hours; with `slurm`, read from sbatch"},
    {"timeout", RT_DOC_DURATION, 0, RT_AT(rt_lab_subject, timeout_ms), .preset = "2m",
     .help = "of one request"},
    {"defaults", RT_DOC_PAIRS, RT_DOC_ONE_LINE, RT_COUNTED(rt_lab_subject, defaults, default_count),
     .most = 32, .help = "further request parameters"},
    {"command", RT_DOC_TEXTS, 0, RT_COUNTED(rt_lab_subject, command, command_count), .least = 1,
     .most = 256, .help = "command: the program and its arguments"},
    {"sandbox", RT_DOC_ENUM, 0, RT_AT(rt_lab_subject, sandbox),
     RT_HAS(rt_lab_subject, has_sandbox), .words = sandbox_words,
     .help = "command: in place of the file's own"},
    {"confine", RT_DOC_STRUCT, 0, RT_AT(rt_lab_subject, confine), .item = &confine_table},
    DECLARED("server", server),
    DECLARED("server_version", server_version),
    DECLARED("quantisation", quantisation),
    DECLARED("hardware", hardware),
    DECLARED("batch", batch),
    {"slurm", RT_DOC_MAYBE, 0, RT_AT(rt_lab_subject, slurm), .item = &slurm_table},
    {"effects", RT_DOC_PAIRS, RT_DOC_ONE_LINE, RT_COUNTED(rt_lab_subject, effects, effect_count),
     .most = 32, .help = "builtin: planted effects of this lab"},
};
static const struct rt_doc_table subject_table = {.name = "a subject",
                                                  .size = sizeof(struct rt_lab_subject),
                                                  .line_offset =
                                                      offsetof(struct rt_lab_subject, line),
                                                  RT_DOC_FIELDS(subject_fields)};

// ---- policy

static const struct rt_doc_field campaigns_fields[] = {
    {"approve", RT_DOC_ENUM, 0, RT_AT(rt_lab_policy, approve), .words = approve_words,
     .preset = "by-hand"},
    {"trust_board", RT_DOC_BOOL, 0, RT_AT(rt_lab_policy, trust_board), .preset = "false",
     .help = "approve what the board's threshold signed"},
};
static const struct rt_doc_table campaigns_table = {
    .name = "campaigns", .size = sizeof(struct rt_lab_policy), RT_DOC_FIELDS(campaigns_fields)};

static const struct rt_doc_field day_fields[] = {
    {"trials", RT_DOC_U64, 0, RT_AT(rt_lab_policy, trials_per_day), .help = "0: no limit"},
    {"tokens", RT_DOC_U64, 0, RT_AT(rt_lab_policy, tokens_per_day)},
    {"requests", RT_DOC_U64, 0, RT_AT(rt_lab_policy, requests_per_day)},
    {"gpu_hours", RT_DOC_U64, 0, RT_AT(rt_lab_policy, gpu_hours_per_day), .most = 1000000000},
};
static const struct rt_doc_table day_table = {
    .name = "per_day", .size = sizeof(struct rt_lab_policy), RT_DOC_FIELDS(day_fields)};
static const struct rt_doc_field total_fields[] = {
    {"trials", RT_DOC_U64, 0, RT_AT(rt_lab_policy, trials_total), .help = "0: no limit"},
    {"tokens", RT_DOC_U64, 0, RT_AT(rt_lab_policy, tokens_total)},
    {"gpu_hours", RT_DOC_U64, 0, RT_AT(rt_lab_policy, gpu_hours_total), .most = 1000000000},
};
static const struct rt_doc_table total_table = {
    .name = "total", .size = sizeof(struct rt_lab_policy), RT_DOC_FIELDS(total_fields)};

static enum rt_status read_release(struct rt_doc_reader *reader, const struct rt_node *node,
                                   void *record)
{
    struct rt_lab_policy *policy = record;
    const char *text = node->kind == RT_NODE_SCALAR ? node->text : "";
    for (size_t i = 0; release_words[i]; i++)
        if (strcmp(release_words[i], text) == 0) {
            policy->release = release_words[i];
            return RT_OK;
        }
    return rt_doc_fail(reader, RT_MALFORMED, node->line, "`release` is `%s`%s", text,
                       rt_doc_suggest(reader, text, release_words));
}

static const struct rt_doc_field transcript_fields[] = {
    {"keep", RT_DOC_TEXT, 0, .read = read_keep, .help = "24 months, 90 days, 72h, for-ever"},
    {"encrypt", RT_DOC_BOOL, 0, RT_AT(rt_lab_policy, encrypt), .preset = "false",
     .help = "at rest, under keys/vault.key"},
    {"release", RT_DOC_TEXT, RT_DOC_UNPLAYED, RT_AT(rt_lab_policy, release), .preset = "ask-me",
     .read = read_release, .help = "ask-me, automatic or never"},
};
static const struct rt_doc_table transcript_table = {
    .name = "transcripts", .size = sizeof(struct rt_lab_policy), RT_DOC_FIELDS(transcript_fields)};

static const struct rt_doc_field policy_fields[] = {
    {"classes", RT_DOC_TEXTS, RT_DOC_REQUIRED | RT_DOC_IS_ID,
     RT_COUNTED(rt_lab_policy, classes, class_count), .least = 1, .most = 64,
     .help = "data classes this lab takes"},
    {"campaigns", RT_DOC_STRUCT, 0, .offset = 0, .item = &campaigns_table},
    {"roles", RT_DOC_TEXTS, RT_DOC_IS_ID, RT_COUNTED(rt_lab_policy, roles, role_count), .least = 1,
     .most = 4, .help = "run, grade, rate-by-hand, witness"},
    {"hours", RT_DOC_LIST, 0, .read = read_hours, .help = "absent: always"},
    {"per_day", RT_DOC_STRUCT, 0, .offset = 0, .item = &day_table},
    {"total", RT_DOC_STRUCT, 0, .offset = 0, .item = &total_table},
    {"concurrency", RT_DOC_U32, 0, RT_AT(rt_lab_policy, concurrency), .least = 1, .most = 4096,
     .preset = "8", .help = "trials at once"},
    {"hold_when", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_lab_policy, hold_when), .most = 1024,
     .help = "command; exit 0 holds"},
    {"transcripts", RT_DOC_STRUCT, 0, .offset = 0, .item = &transcript_table},
};
static const struct rt_doc_table policy_table = {
    .name = "policy", .size = sizeof(struct rt_lab_policy), RT_DOC_FIELDS(policy_fields)};

// ---- the file

static const struct rt_doc_field network_fields[] = {
    {"mode", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_labconfig, network), .words = network_words},
    {"via", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_labconfig, via), .most = 256,
     .help = "socks5: host:port of the proxy"},
};
static const struct rt_doc_table network_table = {
    .name = "network", .size = sizeof(struct rt_labconfig), RT_DOC_FIELDS(network_fields)};
static const struct rt_doc_field contact_fields[] = {
    {"on_call", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_labconfig, on_call), .most = 256},
    {"run_on_event", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_labconfig, run_on_event),
     .most = 1024, .help = "program; docs/LABS.md, Events"},
};
static const struct rt_doc_table contact_table = {
    .name = "contact", .size = sizeof(struct rt_labconfig), RT_DOC_FIELDS(contact_fields)};

#define PATH(key, member, preset_text, help_text)                                                  \
    {                                                                                              \
        key, RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_labconfig, member),                            \
            .least = 1, .most = 1024, .preset = preset_text, .help = help_text                     \
    }
static const struct rt_doc_field labconfig_fields[] = {
    {"lab", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_labconfig, lab), .least = 1},
    PATH("invite", invite, "lab.invite", "the operator's invitation"),
    PATH("keys", keys, "keys", "folder of this lab's keys"),
    PATH("state", state, "state", "folder of its store; a local disk"),
    {"network", RT_DOC_STRUCT, 0, .offset = 0, .item = &network_table},
    {"timezone", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_labconfig, timezone), .most = 64,
     .help = "of `hours`; default the machine's own"},
    {"contact", RT_DOC_STRUCT, 0, .offset = 0, .item = &contact_table},
    {"subjects", RT_DOC_MAP, 0, RT_COUNTED(rt_labconfig, subjects, subject_count),
     .item = &subject_table, .most = 256, .help = "the campaign's subject id: what serves it here"},
    {"policy", RT_DOC_STRUCT, RT_DOC_REQUIRED, RT_AT(rt_labconfig, policy), .item = &policy_table},
    {"sandbox", RT_DOC_ENUM, 0, RT_AT(rt_labconfig, sandbox), .words = sandbox_words,
     .preset = "bwrap", .help = "of commands; goes into the fingerprint"},
};
const struct rt_doc_table rt_labconfig_table = {
    .name = "worker.yaml", .size = sizeof(struct rt_labconfig), RT_DOC_FIELDS(labconfig_fields)};

const char *rt_sandbox_word(enum rt_sandbox sandbox)
{
    RT_ASSERT(sandbox <= RT_SANDBOX_NONE);
    return sandbox_words[sandbox];
}
