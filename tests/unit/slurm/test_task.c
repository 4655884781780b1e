// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/fuzz/engine/small_scenario.h"
#include "worker/slurm/array_spool.h"

#define NOW 1760000000000

static struct rt_task_trial trial = {.seed = 7, .temperature_micro = 700000, .try = 1};
static struct rt_task_expected expected;
static struct rt_buf result;

// A play of the small scenario in which the subject answers everything with one word.
static void make_transcript(uint32_t seed, struct rt_buf *out)
{
    struct rt_play *play;
    const struct rt_play_setup setup = {small_scenario(), 0, 0, 700000, 1000000, seed};
    const struct rt_chat_reply reply = {.text = "Done.", .reasoning = "", .refusal = ""};
    int64_t now_ms = NOW - 60000;
    assert_int_equal(rt_play_start(&setup, now_ms, &play), RT_OK);
    while (rt_play_request(play))
        assert_int_equal(rt_play_reply(play, &reply, ++now_ms), RT_OK);
    assert_int_equal(rt_transcript_encode(rt_play_transcript(play), out), RT_OK);
    rt_play_free(play);
}

static void make_result(const char *subject, const char *sandbox, uint32_t seed)
{
    struct rt_buf fingerprint, transcript;
    const char *field = "";
    struct rt_object_fingerprint object = {.subject = rt_bytes_str(subject),
                                           .executor = rt_bytes_str("command"),
                                           .sandbox = rt_bytes_str(sandbox)};
    rt_buf_init(&fingerprint, RT_FINGERPRINT_MOST);
    rt_buf_init(&transcript, RT_TRANSCRIPT_MOST);
    assert_int_equal(rt_object_fingerprint_encode(&object, &fingerprint, &field), RT_OK);
    make_transcript(seed, &transcript);
    rt_buf_clear(&result);
    rt_task_result_write(&trial.key, 3, rt_buf_bytes(&fingerprint), rt_buf_bytes(&transcript),
                         &result);
    rt_buf_release(&fingerprint);
    rt_buf_release(&transcript);
}

static int setup(void **state)
{
    (void)state;
    memset(trial.key.bytes, 0xa5, RT_DIGEST_BYTES);
    expected = (struct rt_task_expected){.trial = &trial,
                                         .scenario = small_scenario(),
                                         .labels = small_labels,
                                         .label_count = sizeof small_labels / sizeof *small_labels,
                                         .subject = "s-1",
                                         .now_ms = NOW};
    rt_buf_init(&result, RT_TASK_RESULT_MOST);
    make_result("s-1", "slurm-job", 7);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_buf_release(&result);
    return 0;
}

static enum rt_status read_it(struct rt_exec_done *ret_done)
{
    const char *why = "";
    enum rt_status status = rt_task_result_read(rt_buf_bytes(&result), &expected, ret_done, &why);
    assert_true(!status || *why);
    return status;
}

static void refused(enum rt_status how)
{
    struct rt_exec_done done;
    assert_int_equal(read_it(&done), how);
}

static void a_result_is_replayed_and_scored(void **state)
{
    (void)state;
    struct rt_exec_done done;
    assert_int_equal(read_it(&done), RT_OK);
    assert_int_equal(done.score.status, RT_TRIAL_OK);
    assert_string_equal(small_labels[done.score.outcome].id, "refused"); // it called nothing
    assert_int_equal(done.requests, 3);
    assert_int_equal(done.started_ms, NOW - 60000);
    assert_true(done.transcript.size > 0 && done.fingerprint.size > 0);
    rt_exec_done_release(&done);
}

static void results_about_something_else(void **state)
{
    (void)state;
    make_result("s-2", "slurm-job", 7);
    refused(RT_CONFLICT);
    make_result("s-1", "none", 7);
    refused(RT_CONFLICT);
    make_result("s-1", "slurm-job", 8); // another seed
    refused(RT_CONFLICT);
    make_result("s-1", "slurm-job", 7);
    trial.key.bytes[5] ^= 1;
    refused(RT_CONFLICT);
    trial.key.bytes[5] ^= 1;
    trial.temperature_micro = 0;
    refused(RT_CONFLICT);
    trial.temperature_micro = 700000;
    expected.now_ms = NOW - 3 * 86400000LL; // it was played the day after tomorrow
    refused(RT_CONFLICT);
}

// Every byte counts: none can be changed or left out, and none be added.
static void no_byte_is_left_to_the_node(void **state)
{
    (void)state;
    struct rt_exec_done done;
    size_t size = result.size, taken = 0;
    for (size_t i = 0; i < size; i++) {
        result.data[i] ^= 1;
        if (!read_it(&done)) {
            // What a subject said, and when, is its own word; the replay repeats it.
            taken++;
            rt_exec_done_release(&done);
        }
        result.data[i] ^= 1;
    }
    assert_true(taken < size / 4);
    for (size_t cut = 0; cut < size; cut++) {
        result.size = cut;
        refused(RT_MALFORMED);
    }
    result.size = size;
    rt_buf_add_u8(&result, 0);
    refused(RT_MALFORMED);
}

// ---- the plan and the folder

static char spool[] = "/tmp/ringtrial-array-XXXXXX";

static void a_folder_says_what_a_task_needs(void **state)
{
    (void)state;
    static const char *words[] = {"/bin/echo", "it's", "\"x\": y"};
    static struct rt_lab_slurm slurm = {.mode = RT_SLURM_ARRAY};
    struct rt_lab_subject subject = {.id = "s-1", .executor = RT_EXECUTOR_COMMAND,
                                     .endpoint = "", .key_file = "/secret/key", .key_env = "KEY",
                                     .ca_file = "", .proxy = "", .model = "", .weights_dir = "",
                                     .server = "", .server_version = "", .quantisation = "",
                                     .hardware = "", .batch = "", .command = words,
                                     .command_count = 3, .concurrency = 2, .timeout_ms = 90000,
                                     .confine = {.memory_bytes = (uint64_t)1 << 30,
                                                 .processes = 32, .cpu_seconds = 60,
                                                 .file_size_bytes = 1 << 20,
                                                 .scratch_bytes = 1 << 20, .open_files = 64,
                                                 .image = ""},
                                     .slurm = &slurm};
    const struct rt_scenario *scenarios[] = {small_scenario()};
    struct rt_task_plan plan = {.count = 1, .per_task = 4, .folder = "/lab", .trials = &trial};
    const struct rt_array_files files = {&subject, "/bin/ringtrial-worker", &plan, scenarios, 1};
    struct rt_slurm_folder folder;
    struct rt_array_work work;
    struct rt_arena arena;
    struct rt_error err;
    char id[RT_ID_BYTES + 1], path[PATH_MAX];
    uint64_t number = 1;
    rt_arena_init(&arena, (size_t)8 << 20);
    assert_non_null(mkdtemp(spool));
    assert_int_equal(rt_array_scenario_digest(small_scenario(), &trial.scenario), RT_OK);
    assert_int_equal(rt_slurm_folder_of(spool, "rt-a-00000001", 7, &folder), RT_OK);
    assert_int_equal(rt_array_folder_make(&folder, &files, &err), RT_OK);
    if (rt_array_folder_work(folder.path, &arena, &work, &err))
        fail_msg("%s", err.text);
    const struct rt_lab_subject *read = &work.config->subjects[0];
    assert_string_equal(read->command[2], words[2]);
    assert_int_equal(read->sandbox, RT_SANDBOX_SLURM_JOB);
    assert_int_equal(read->timeout_ms, 90000);
    assert_int_equal(read->confine.processes, 32);
    assert_string_equal(read->key_file, ""); // keys stay with the worker
    assert_string_equal(read->key_env, "");
    assert_true(rt_task_trial_same(&work.plan.trials[0], &trial));
    assert_string_equal(work.scenarios[0]->id, small_scenario()->id);
    assert_int_equal(rt_array_folder_load(&folder, &arena, id, &number, &plan), RT_OK);
    assert_int_equal(number, 0);
    // A result that is a link, or a folder, is none.
    bool here[1];
    struct rt_buf bytes;
    rt_buf_init(&bytes, 4096);
    assert_int_equal(rt_path_join(path, sizeof path, folder.path, "result-0"), RT_OK);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(rt_array_folder_results(&folder, 1, here), 1);
    assert_int_equal(rt_array_folder_result(&folder, 0, &bytes), RT_MALFORMED);
    rt_array_folder_refuse(&folder, 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(rt_array_folder_result(&folder, 0, &bytes), RT_MALFORMED);
    rt_array_folder_refuse(&folder, 0);
    assert_int_equal(rt_array_folder_results(&folder, 1, here), 0);
    rt_buf_release(&bytes);
    // A scenario that is not the one the plan names.
    char command[PATH_MAX + 80];
    snprintf(command, sizeof command, "for f in '%s'/scenario-*; do printf x >> \"$f\"; done",
             folder.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(rt_array_folder_work(folder.path, &arena, &work, &err), RT_CORRUPT);
    rt_array_folder_remove(&folder);
    assert_int_equal(rmdir(spool), 0);
    rt_arena_release(&arena);
}

static void plans_are_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "ringtrial-array 1 1 1\n", "ringtrial-array 1 0 1\nfolder /a\nend\n",
        "ringtrial-array 1 2049 1\nfolder /a\nend\n", "ringtrial-array 2 1 1\nfolder /a\nend\n",
        "ringtrial-array 1 1 1\nfolder a\n", "ringtrial-array 1 01 1\nfolder /a\nend\n",
        "ringtrial-array 1 1 1 \nfolder /a\nend\n",
    };
    struct rt_task_plan plan = {.count = 1, .per_task = 1, .folder = "/a b", .trials = &trial};
    struct rt_arena arena;
    struct rt_buf text;
    rt_arena_init(&arena, (size_t)4 << 20);
    rt_buf_init(&text, RT_TASK_PLAN_MOST);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(rt_task_plan_read(rt_bytes_str(bad[i]), &arena, &plan), RT_MALFORMED);
    rt_task_plan_write(&plan, &text);
    assert_int_equal(rt_task_plan_read(rt_buf_bytes(&text), &arena, &plan), RT_OK);
    assert_string_equal(plan.folder, "/a b");
    assert_true(rt_task_trial_same(&plan.trials[0], &trial));
    for (size_t cut = 0; cut < text.size; cut++)
        assert_int_equal(rt_task_plan_read(rt_bytes(text.data, cut), &arena, &plan), RT_MALFORMED);
    rt_buf_release(&text);
    rt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_result_is_replayed_and_scored, setup, teardown),
        cmocka_unit_test_setup_teardown(results_about_something_else, setup, teardown),
        cmocka_unit_test_setup_teardown(no_byte_is_left_to_the_node, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_says_what_a_task_needs, setup, teardown),
        cmocka_unit_test_setup_teardown(plans_are_strict, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
