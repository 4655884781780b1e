// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/proto/documents.h"

#include "proto/labconfig.h"

#define SAMPLE RT_VECTORS "/documents/worker.yaml"

static struct rt_arena arena;
static struct rt_buf sample;

static int setup(void **state)
{
    (void)state;
    rt_arena_init(&arena, ARENA_MOST);
    read_sample(SAMPLE, &sample);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    rt_buf_release(&sample);
    return 0;
}

static void the_worked_example(void **state)
{
    (void)state;
    struct rt_labconfig *config;
    struct rt_error err;
    struct rt_notes notes;
    rt_notes_init(&notes);
    must_be_ok(rt_labconfig_read(rt_buf_bytes(&sample), "w.yaml", &arena, &config, &notes, &err),
               &err);
    assert_string_equal(config->lab, "uni-a");
    assert_string_equal(config->state, "/var/local/ringtrial");
    assert_int_equal(config->network, RT_NETWORK_SOCKS5);
    assert_string_equal(config->via, "proxy.uni-a.example:1080");
    assert_int_equal(config->subject_count, 2);
    const struct rt_lab_subject *subject = rt_labconfig_subject(config, "llama-8b");
    assert_int_equal(subject->executor, RT_EXECUTOR_CHAT);
    assert_string_equal(subject->model, "llama-8b-instruct");
    assert_int_equal(subject->context, 16384);
    assert_int_equal(subject->concurrency, 4);
    assert_int_equal(subject->timeout_ms, 120000);
    assert_string_equal(rt_pair_value(subject->defaults, subject->default_count, "top_k"), "-1");
    assert_non_null(subject->slurm);
    assert_null(rt_labconfig_subject(config, "nothing"));
    const struct rt_lab_policy *policy = &config->policy;
    assert_int_equal(policy->class_count, 2);
    assert_int_equal(policy->approve, RT_APPROVE_BY_HAND);
    assert_int_equal(policy->trials_per_day, 20000);
    assert_int_equal(policy->keep_ms, INT64_C(24) * 31 * 86400000);
    assert_string_equal(policy->release, "ask-me");
    assert_int_equal(config->sandbox, RT_SANDBOX_BWRAP);
    assert_true(subject->key_per_job && rt_lab_pilot(subject));
    assert_int_equal(subject->slurm->sbatch_count, 5);
    assert_string_equal(subject->slurm->ready_url, "http://{node}:8000/health");
    assert_int_equal(subject->slurm->margin_ms, 120000);
    char nodes[64];
    rt_lab_nodes(subject, nodes, sizeof nodes);
    assert_string_equal(nodes, "partition=gpu-preempt gres=gpu:1");
    assert_null(strstr(rt_buf_str(&notes.text), "role `grade` is read and checked"));
    // "mon-fri 19:00-07:00" and "sat-sun all"
    assert_true(rt_labconfig_open(policy, 0, 19 * 60));
    assert_false(rt_labconfig_open(policy, 0, 19 * 60 - 1));
    assert_false(rt_labconfig_open(policy, 0, 60)); // Monday's small hours belong to Sunday: all
    assert_true(rt_labconfig_open(policy, 5, 60));
    assert_true(rt_labconfig_open(policy, 1, 7 * 60 - 1));
    assert_false(rt_labconfig_open(policy, 1, 7 * 60));
    assert_true(rt_labconfig_open(policy, 6, 1439));
    rt_notes_release(&notes);
}

static void the_least_a_lab_can_write(void **state)
{
    (void)state;
    struct rt_labconfig *config;
    struct rt_error err;
    const char *text = "lab: a\nsubjects: {s: {executor: builtin, effects: {shift: 0.2}}}\n"
                       "policy: {classes: [public]}\n";
    must_be_ok(rt_labconfig_read(rt_bytes_str(text), "w.yaml", &arena, &config, NULL, &err), &err);
    assert_string_equal(config->invite, "lab.invite");
    assert_int_equal(config->network, RT_NETWORK_DIRECT);
    assert_int_equal(config->policy.concurrency, 8);
    assert_string_equal(config->policy.release, "ask-me");
    assert_string_equal(config->policy.classes[0], "public");
    assert_string_equal(config->subjects[0].effects[0].value, "0.2");
    for (unsigned day = 0; day < 7; day++)
        assert_true(rt_labconfig_open(&config->policy, day, 1));
}

static void a_command(void **state)
{
    (void)state;
    struct rt_labconfig *config;
    struct rt_error err;
    const char *text =
        "lab: a\npolicy: {classes: [public]}\nsubjects:\n"
        "  s: {executor: command, command: [/opt/a/run, --fast], sandbox: none,\n"
        "      confine: {memory: 1536MiB, file_size: 65536, read_only: [/opt/a]}}\n"
        "  t: {executor: command, command: [/opt/a/run]}\n";
    must_be_ok(rt_labconfig_read(rt_bytes_str(text), "w.yaml", &arena, &config, NULL, &err), &err);
    const struct rt_lab_subject *s = &config->subjects[0], *t = &config->subjects[1];
    assert_int_equal(s->command_count, 2);
    assert_string_equal(s->command[1], "--fast");
    assert_int_equal(rt_labconfig_sandbox(config, s), RT_SANDBOX_NONE);
    assert_int_equal(rt_labconfig_sandbox(config, t), RT_SANDBOX_BWRAP);
    assert_string_equal(rt_sandbox_word(rt_labconfig_sandbox(config, t)), "bwrap");
    assert_int_equal(s->confine.memory_bytes, 1536u << 20);
    assert_int_equal(s->confine.file_size_bytes, 65536);
    assert_int_equal(s->confine.read_only_count, 1);
    // What is not written has its preset, whether or not there is a `confine`.
    assert_int_equal(s->confine.processes, 256);
    assert_int_equal(t->confine.memory_bytes, UINT64_C(4) << 30);
    assert_int_equal(t->confine.network, RT_LAB_NETWORK_NONE);
    assert_string_equal(t->confine.image, "");
}

static void refusals_name_place_and_remedy(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"executor: chat\n", "executor: command\n",
         "w.yaml:11: subject `llama-8b`: executor command needs `command: [program"},
        {"executor: chat\n", "executor: chat\n    sandbox: none\n",
         "`command` and `sandbox` belong to executor command"},
        {"executor: chat\n", "executor: chat\n    confine: {memory: 2GB}\n",
         "w.yaml:13: `memory` is `2GB`; write a number and a unit: 512KiB, 64MiB, 2GiB"},
        {"executor: chat\n", "executor: chat\n    confine: {memory: 1KiB}\n",
         "`memory` is `1KiB`; it must be from 16777216 to"},
        {"executor: chat\n", "executor: chat\n    confine: {memory: 99999999TiB}\n",
         "`memory` is `99999999TiB`"},
        {"executor: chat\n", "executor: chat\n    confine: {netwrk: none}\n",
         "unknown key `netwrk` in confine; did you mean `network`?"},
        {"executor: chat\n", "executor: builtin\n", "slurm mode pilot goes with executor chat"},
        {"mode: pilot", "mode: array", "mode array with executor command"},
        {"serve: [/project/ringtrial/serve-llama.sh]", "serve: []", "mode pilot needs `serve:"},
        {"account: donate", "job-name: donate", "sbatch option `job-name` is set by the worker"},
        {"executor: chat\n", "executor: chats\n", "`executor` is `chats`; did you mean `chat`?"},
        {"    model: llama-8b-instruct", "    #",
         "executor chat needs `endpoint: http://host:port/v1`"},
        {"\"http://{node}:8000/v1\"", "\"ftp://x/v1\"", "needs `endpoint: http://host:port/v1`"},
        {"api_key: per-job", "api_key: sk-12345", "a key itself belongs in a file"},
        {"    model: llama-8b-instruct", "    key_file: k\n    key_env: K\n    model: m",
         "`key_file` and `key_env`: one of them"},
        {"    model: llama-8b-instruct", "    endpoints: [\"http://a/v1\"]\n    model: m",
         "or `endpoints:`, a list of such"},
        {"    model: llama-8b-instruct", "    headers: {\"a b\": c}\n    model: m",
         "`a b` in `headers` is no name"},
        {"    model: llama-8b-instruct", "    token_limit: tokens\n    model: m",
         "`token_limit` is `tokens`"},
        {"mode: socks5", "mode: ferry", "network mode ferry is not carried"},
        {"mode: socks5", "mode: direct", "belongs to mode socks5"},
        {"proxy.uni-a.example:1080", "proxy.uni-a.example", "`via` must be host:port"},
        {"mon-fri 19:00-07:00", "mon-fri 19-07", "hours `mon-fri 19-07`; write"},
        {"mon-fri 19:00-07:00", "mon-fri 25:00-07:00", "hours `mon-fri 25:00-07:00`"},
        {"mon-fri 19:00-07:00", "mon-fru all", "hours `mon-fru all`"},
        {"keep: 24 months", "keep: 24 moons", "`keep` is `24 moons`"},
        {"release: ask-me", "release: ask-mee", "did you mean `ask-me`?"},
        {"roles: [run, grade]", "roles: [run, grad]",
         "role `grad` does not exist; did you mean `grade`?"},
        {"classes: [public, synthetic]", "clases: [public]",
         "w.yaml:30: unknown key `clases` in policy; did you mean `classes`?"},
        {"trials: 20000", "trials: 2e4", "`trials` is `2e4`"},
        {"approve: by-hand", "approve: automaticly", "did you mean `automatic`?"},
        {"encrypt: true", "encrypt: \"true\"", "`encrypt` must be true or false"},
        {"sandbox: bwrap", "sandbox: docker", "`sandbox` is `docker`; known: bwrap"},
        {"mode: pilot", "mode: pilots", "`mode` is `pilots`; did you mean `pilot`?"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct rt_buf text;
        struct rt_labconfig *config;
        struct rt_error err = {0};
        change_text(&sample, &changes[i], &text);
        must_say(&changes[i],
                 rt_labconfig_read(rt_buf_bytes(&text), "w.yaml", &arena, &config, NULL, &err),
                 &err);
        rt_buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example),
        cmocka_unit_test(the_least_a_lab_can_write),
        cmocka_unit_test(a_command),
        cmocka_unit_test(refusals_name_place_and_remedy),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
