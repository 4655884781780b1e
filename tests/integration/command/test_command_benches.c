// SPDX-License-Identifier: Apache-2.0
// Every bench, through the builtin executor and through serve-subject as a command in bubblewrap:
// the same seeds give the same outcomes and the same outputs.
#include <stdlib.h>

#include "tests/integration/command/command_fixture.h"

#define RUNS_MOST 1024

struct state {
    struct rt_arena arena;
    char folder[64];
};

static int setup(void **state)
{
    static struct state own;
    rt_arena_init(&own.arena, (size_t)256 << 20);
    folder_make(own.folder);
    folder_copy(own.folder, RT_SERVE_SUBJECT, "serve-subject");
    *state = &own;
    return 0;
}

static int teardown(void **state)
{
    struct state *own = *state;
    folder_remove(own->folder);
    rt_arena_release(&own->arena);
    return 0;
}

// Every arm of every scenario in two phrasings, at two temperatures.
static size_t plan(const struct rt_bench *bench, struct run *runs)
{
    size_t count = 0;
    for (size_t s = 0; s < bench->scenario_count; s++) {
        const struct rt_scenario *scenario = bench->scenarios[s];
        for (uint32_t arm = 0; arm < scenario->arm_count; arm++)
            for (uint32_t k = 0; k < 4; k++) {
                assert_true(count < RUNS_MOST);
                runs[count] = (struct run){
                    .trial = {.scenario = scenario,
                              .arm = arm,
                              .phrasing = k / 2 * (scenario->phrasing_count - 1),
                              .temperature_micro = k % 2 ? 1000000 : 0,
                              .seed = (uint32_t)((count + 1) * 2654435761u) >> 1}};
                count++;
            }
    }
    return count;
}

static void check(struct state *own, const char *name)
{
    static struct run a[RUNS_MOST], b[RUNS_MOST];
    struct rt_lab_subject builtin, command;
    struct rt_error err;
    char path[128], bench_path[128];
    size_t outcomes[64] = {0}, kinds = 0;
    struct rt_bench *bench = bench_load(&own->arena, own->folder, name);
    size_t count = plan(bench, a);
    plan(bench, b);
    assert_true(count >= 48);
    snprintf(path, sizeof path, "%s/serve-subject", own->folder);
    snprintf(bench_path, sizeof bench_path, "%s/%s", own->folder, name);
    subject_init(&builtin, RT_EXECUTOR_BUILTIN, NULL);
    subject_init(&command, RT_EXECUTOR_COMMAND,
                 (const char *const[]){path, "serve-subject", "--stdio", "--bench", bench_path,
                                       NULL});
    const char *readable[] = {bench_path};
    command.confine.read_only = readable;
    command.confine.read_only_count = 1;
    struct rt_exec *first = exec_open(&builtin, bench, RT_SANDBOX_NONE, own->folder);
    struct rt_exec *second = exec_open(&command, bench, RT_SANDBOX_BWRAP, own->folder);
    if (rt_exec_probe(second, 60000, &err))
        fail_msg("%s", err.text);
    runs_play(first, a, count);
    runs_play(second, b, count);
    for (size_t i = 0; i < count; i++) {
        const struct rt_exec_done *x = &a[i].done, *y = &b[i].done;
        bool same = x->score.status == y->score.status && x->score.outcome == y->score.outcome &&
                    x->score.severity == y->score.severity &&
                    rt_digest_equal(&x->output, &y->output) && x->tokens_in == y->tokens_in &&
                    x->tokens_out == y->tokens_out && x->requests == y->requests;
        if (!same)
            fail_msg("%s: trial %zu of %s differs: %s", name, i, a[i].trial.scenario->id,
                     y->detail);
        outcomes[x->score.outcome & 63] += x->score.status == RT_TRIAL_OK;
    }
    for (size_t i = 0; i < 64; i++)
        kinds += outcomes[i] > 0;
    assert_true(kinds >= 3); // or equality would mean nothing
    print_message("%s: %zu trials alike, %zu outcomes\n", name, count, kinds);
    rt_exec_free(first);
    rt_exec_free(second);
    assert_int_equal(processes_with(path), 0);
    runs_release(a, count);
    runs_release(b, count);
}

static void shutdown_bench(void **state)
{
    check(*state, "shutdown");
}

static void peer_preservation(void **state)
{
    check(*state, "peer-preservation");
}

static void tool_misuse(void **state)
{
    check(*state, "tool-misuse");
}

// What is known of a command is in its fingerprint.
static void fingerprint(void **state)
{
    struct state *own = *state;
    struct rt_lab_subject command;
    struct rt_error err;
    struct rt_digest digest;
    struct rt_object_fingerprint print;
    char path[128];
    struct rt_bench *bench = bench_load(&own->arena, own->folder, "shutdown");
    snprintf(path, sizeof path, "%s/serve-subject", own->folder);
    subject_init(&command, RT_EXECUTOR_COMMAND,
                 (const char *const[]){path, "serve-subject", "--stdio", NULL});
    struct rt_exec *exec = exec_open(&command, bench, RT_SANDBOX_BWRAP, own->folder);
    assert_int_equal(rt_exec_probe(exec, 60000, &err), RT_OK);
    assert_int_equal(rt_object_fingerprint_decode(rt_exec_fingerprint(exec, &digest), &own->arena,
                                                  &print, NULL),
                     RT_OK);
    assert_true(rt_bytes_equal_str(print.sandbox, "bwrap"));
    assert_true(rt_bytes_equal_str(print.executor, "command"));
    assert_true(rt_bytes_equal_str(print.server, "ringtrial synthetic subject " RT_VERSION));
    bool named = false;
    for (size_t i = 0; i < print.parameters_count; i++)
        named = named || (rt_bytes_equal_str(print.parameters[i].name, "command") &&
                          print.parameters[i].value.size > 64);
    assert_true(named);
    rt_exec_free(exec);
}

int main(void)
{
    if (!bwrap_runs())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shutdown_bench),
        cmocka_unit_test(peer_preservation),
        cmocka_unit_test(tool_misuse),
        cmocka_unit_test(fingerprint),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
