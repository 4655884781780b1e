// SPDX-License-Identifier: Apache-2.0
// worker.yaml: a lab's whole configuration, read into one struct (DESIGN.md section 9). Keys that
// this version does not play (grader, roles beside run, ...) are checked and noted; those it
// would be wrong to run without are RT_UNSUPPORTED. Paths are returned as written: the worker
// expands "~" and relative ones against the file's folder. Immutable after reading.
#ifndef RT_PROTO_LABCONFIG_H
#define RT_PROTO_LABCONFIG_H

#include "proto/scenario.h"

enum rt_executor { RT_EXECUTOR_BUILTIN, RT_EXECUTOR_CHAT, RT_EXECUTOR_COMMAND, RT_EXECUTOR_SLURM };
enum rt_network { RT_NETWORK_DIRECT, RT_NETWORK_SOCKS5, RT_NETWORK_FERRY };
enum rt_approve { RT_APPROVE_BY_HAND, RT_APPROVE_AUTOMATIC };
enum rt_sandbox { RT_SANDBOX_BWRAP, RT_SANDBOX_APPTAINER, RT_SANDBOX_SLURM_JOB, RT_SANDBOX_NONE };

enum rt_lab_network { RT_LAB_NETWORK_NONE, RT_LAB_NETWORK_HOST };

// The name under which the token limit is sent. The first is read by all three servers in use.
enum rt_token_limit {
    RT_TOKEN_LIMIT_MAX_TOKENS,
    RT_TOKEN_LIMIT_MAX_COMPLETION_TOKENS,
    RT_TOKEN_LIMIT_BOTH
};

enum rt_slurm_mode { RT_SLURM_PILOT, RT_SLURM_ARRAY };

// How jobs are sent to the lab's Slurm (docs/LABS.md, "Slurm").
struct rt_lab_slurm {
    enum rt_slurm_mode mode;
    const char *spool;    // folder that the worker and the nodes share; "" STATE/slurm
    const char **serve;   // pilot: the server's program and arguments
    size_t serve_count;
    const char *ready_url; // pilot: answers 200 once the model is loaded; "" ENDPOINT/models
    int64_t ready_within_ms;
    const char **setup; // lines of shell before the program: module load, ...
    size_t setup_count;
    struct rt_pair *env; // set in the job
    size_t env_count;
    struct rt_pair *sbatch; // --name=value for each
    size_t sbatch_count;
    uint32_t jobs_at_most;
    int64_t idle_exit_ms; // a job without work ends after it
    int64_t margin_ms;    // before the time limit nothing new is started
    int64_t poll_ms;      // between two squeue
    uint32_t trials_per_task; // array
    uint32_t tries;           // array: times a trial is sent to a job before it is handed back
    const char *worker;       // array: ringtrial-worker on the nodes; "" this program's own path
};

// What a command may use (docs/EXECUTORS.md, "Limits"); 0 sets no limit.
struct rt_lab_confine {
    uint64_t memory_bytes;    // address space of each process
    uint64_t file_size_bytes; // of each file it writes
    uint64_t scratch_bytes;   // each of /tmp, /home and /dev/shm
    uint32_t processes;       // threads included
    uint32_t cpu_seconds;     // of each process
    uint32_t open_files;
    enum rt_lab_network network;
    const char **read_only; // paths it may read, beside the system's
    size_t read_only_count;
    const char *image; // apptainer's, "" none
};

struct rt_lab_subject {
    const char *id; // the campaign's subject id
    enum rt_executor executor;
    const char *endpoint; // "http://host:port/v1"; "" for builtin
    const char **endpoints; // several of them, in place of `endpoint`
    size_t endpoint_count;
    const char *key_file; // bearer token file, "" none
    const char *key_env;  // environment variable with it, "" none
    const char *ca_file;  // certificates to trust in place of the system's, "" none
    const char *proxy;    // "" none; the environment's is never used
    struct rt_pair *headers; // sent with every request
    size_t header_count;
    enum rt_token_limit token_limit;
    const char *model;    // the name the server answers to
    const char *weights_dir;    // folder or file, "" none
    const char **weights_files; // names in it to take instead of everything
    size_t weights_file_count;
    bool has_weights;
    struct rt_digest weights; // manifest digest
    bool has_chat_template;
    struct rt_digest chat_template;
    uint64_t context;         // tokens, 0 unknown
    uint32_t concurrency;     // requests in flight, default 4
    uint32_t gpus;            // that serve it, for policy's gpu_hours; 0: see rt_lab_gpus
    int64_t timeout_ms;       // of one request, default 120 s
    struct rt_pair *defaults; // further request parameters (top_p, ...), sent and fingerprinted
    size_t default_count;
    const char *server, *server_version, *quantisation, *hardware, *batch; // declared, "" unknown
    const char **command; // command: its arguments, the program first
    size_t command_count;
    bool has_sandbox; // else the file's own; see rt_labconfig_sandbox
    enum rt_sandbox sandbox;
    struct rt_lab_confine confine;
    bool key_per_job;           // pilot: each job's server asks for a key of its own
    struct rt_lab_slurm *slurm; // NULL when absent
    struct rt_pair
        *effects; // builtin: planted effects by name, decimal values (engine/synthetic.h)
    size_t effect_count;
    uint32_t line;
};

// A window of the week in the lab's time zone. until <= from runs into the next day.
struct rt_hours {
    uint8_t days;                 // bit 0 Monday ... bit 6 Sunday: the day the window starts on
    uint16_t from_min, until_min; // minutes of the day; "all" is 0 and 1440
};

struct rt_lab_policy {
    const char **classes; // data classes accepted
    size_t class_count;
    enum rt_approve approve; // campaigns: by-hand is the default
    bool trust_board;        // automatic when the board's threshold signed it
    struct rt_hours *hours;  // none: always
    size_t hour_count;
    uint64_t trials_per_day, tokens_per_day, requests_per_day; // 0: no limit
    uint64_t trials_total, tokens_total;
    uint64_t gpu_hours_per_day, gpu_hours_total; // 0: no limit
    const char **roles;
    size_t role_count;
    uint32_t concurrency;  // trials at once over all subjects, default 8
    const char *hold_when; // shell command, "" none; exit 0 holds
    int64_t keep_ms;       // transcripts; 0 for ever
    bool encrypt;
    const char *release; // ask-me | automatic | never
};

struct rt_labconfig {
    const char *lab, *invite, *keys, *state;
    enum rt_network network;
    const char *via;      // "host:port" of the SOCKS5 proxy
    const char *timezone; // "" the machine's own
    const char *on_call, *run_on_event;
    struct rt_lab_subject *subjects;
    size_t subject_count;
    struct rt_lab_policy policy;
    enum rt_sandbox sandbox;
};

// Parse worker.yaml; errors "name:line: ...". Everything lives in arena; notes may be NULL.
enum rt_status rt_labconfig_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                                 struct rt_labconfig **ret_config, struct rt_notes *notes,
                                 struct rt_error *err) RT_WARN_UNUSED;
// The subject of an id, or NULL.
const struct rt_lab_subject *rt_labconfig_subject(const struct rt_labconfig *config,
                                                  const char *id);
// Does a job serve the subject (pilot), or run its trials whole (array)?
bool rt_lab_pilot(const struct rt_lab_subject *subject);
bool rt_lab_array(const struct rt_lab_subject *subject);
// The class of nodes that a subject's jobs run on, from its sbatch options, for people and the
// fingerprint: "partition=gpu gres=gpu:1"; "" without jobs. out has capacity bytes.
void rt_lab_nodes(const struct rt_lab_subject *subject, char *out, size_t capacity);
// How many GPUs one of its servers (a job's, or the lab's own) holds: `gpus`, else what its sbatch
// options ask for (gpus, gpus-per-node or gres, times nodes; sbatch(1)), else 0.
uint32_t rt_lab_gpus(const struct rt_lab_subject *subject);
// Where a subject's command runs: its own `sandbox`, or the file's.
enum rt_sandbox rt_labconfig_sandbox(const struct rt_labconfig *config,
                                     const struct rt_lab_subject *subject);
const char *rt_sandbox_word(enum rt_sandbox sandbox); // as in worker.yaml
// Is minute (0..1439) of weekday (0 = Monday) inside the policy's hours?
bool rt_labconfig_open(const struct rt_lab_policy *policy, unsigned weekday, unsigned minute);

#endif
