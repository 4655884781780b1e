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
#include "worker/slurm/spool.h"

static const char *words[] = {"printf", "<%s>", "it's {port}", "$(id) `id` \"", "{node}x", ""};
static struct rt_pair env[] = {{"SPEECH", "a 'quoted' $HOME"}};
static const char *setup_lines[] = {"export FROM_SETUP=yes"};
static struct rt_lab_slurm slurm = {.mode = RT_SLURM_PILOT,
                                    .serve = words,
                                    .serve_count = 6,
                                    .env = env,
                                    .env_count = 1,
                                    .setup = setup_lines,
                                    .setup_count = 1,
                                    .idle_exit_ms = 60000};
static struct rt_lab_subject subject = {.id = "llama-8b", .key_per_job = true, .slurm = &slurm};

static char spool[] = "/tmp/ringtrial-spool-XXXXXX";
static struct rt_slurm_folder folder;
static char key[RT_SLURM_KEY_BYTES];

static int make(void **state)
{
    (void)state;
    struct rt_error err;
    return !mkdtemp(spool) || rt_slurm_folder_of(spool, "rt-a-00000001", 7, &folder) ||
           rt_slurm_folder_make(&folder, &subject, key, &err);
}

static int unmake(void **state)
{
    (void)state;
    char path[PATH_MAX];
    if (!rt_path_join(path, sizeof path, spool, "alive"))
        (void)unlink(path);
    return rmdir(spool);
}

static void folders_remember(void **state)
{
    (void)state;
    struct rt_error err;
    struct stat about;
    char path[PATH_MAX], found[RT_ID_BYTES + 1], again[RT_SLURM_KEY_BYTES];
    uint64_t id = 9;
    assert_string_equal(folder.name, "rt-a-00000001-0000000000000007");
    assert_int_equal(strlen(key), 64);
    assert_int_equal(rt_path_join(path, sizeof path, folder.path, "key"), RT_OK);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(rt_slurm_folder_load(&folder, found, &id, again), RT_OK);
    assert_string_equal(found, "llama-8b");
    assert_string_equal(again, key);
    assert_int_equal(id, 0);
    assert_int_equal(rt_slurm_folder_job(&folder, "llama-8b", 4711, &err), RT_OK);
    assert_int_equal(rt_slurm_folder_load(&folder, found, &id, again), RT_OK);
    assert_int_equal(id, 4711);
}

// The script itself, run by bash without any Slurm: each word arrives as it was written.
static void the_script_says_what_was_written(void **state)
{
    (void)state;
    char command[2 * PATH_MAX];
    struct rt_slurm_where where;
    struct rt_buf log;
    struct rt_error err;
    rt_buf_init(&log, 4096);
    snprintf(command, sizeof command,
             "touch '%s/alive'; cd '%s' && SLURM_JOB_ID=4711 SLURM_RESTART_COUNT=2 "
             "SLURMD_NODENAME=n17 bash ./script > log",
             spool, folder.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(rt_slurm_folder_where(&folder, &where), RT_OK);
    assert_int_equal(where.start, 3);
    assert_int_equal(where.job, 4711);
    assert_string_equal(where.node, "n17");
    assert_int_equal(rt_slurm_folder_mark(&folder, "ended"), 3);
    assert_int_equal(rt_slurm_folder_mark(&folder, "warned"), 0);
    char expected[200];
    snprintf(expected, sizeof expected, "<it's %u><$(id) `id` \"><n17x><>", where.port);
    assert_int_equal(rt_path_join(command, PATH_MAX, folder.path, "log"), RT_OK);
    assert_int_equal(rt_file_read(command, &log, &err), RT_OK);
    assert_string_equal(rt_buf_str(&log), expected);
    rt_buf_release(&log);
    // The key is in the script's reach and not in the script.
    rt_buf_init(&log, 65536);
    rt_slurm_pilot_script(&folder, &subject, &log);
    assert_null(strstr(rt_buf_str(&log), key));
    assert_non_null(strstr(rt_buf_str(&log), "export SPEECH='a '\\''quoted'\\'' $HOME'"));
    rt_buf_release(&log);
    rt_slurm_folder_remove(&folder);
    assert_false(rt_file_exists(folder.path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_remember),
        cmocka_unit_test(the_script_says_what_was_written),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
