// SPDX-License-Identifier: Apache-2.0
// The recipe of configs/labs/slurm: every key of its worker.yaml is played, and its scripts are
// shell.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "proto/doc/doc.h"
#include "worker/slurm/array_spool.h"
#include "worker/slurm/sbatch.h"

#define RECIPE RT_SOURCE_DIR "/configs/labs/slurm"

static void the_recipe(void **state)
{
    (void)state;
    struct rt_arena arena;
    struct rt_buf text, script;
    struct rt_error err;
    struct rt_notes notes;
    struct rt_labconfig *config = NULL;
    struct rt_slurm_folder folder;
    rt_arena_init(&arena, 1 << 20);
    rt_buf_init(&text, 65536);
    rt_buf_init(&script, 65536);
    rt_notes_init(&notes);
    assert_int_equal(rt_file_read(RECIPE "/worker.yaml", &text, &err), RT_OK);
    if (rt_labconfig_read(rt_buf_bytes(&text), "worker.yaml", &arena, &config, &notes, &err))
        fail_msg("%s", err.text);
    assert_int_equal(notes.count, 0);
    assert_true(rt_lab_pilot(&config->subjects[0]));
    assert_int_equal(rt_slurm_folder_of("/spool", "rt-uni-a-00000001", 1, &folder), RT_OK);
    rt_slurm_pilot_script(&folder, &config->subjects[0], &script);
    assert_non_null(strstr(rt_buf_str(&script),
                           "'/project/ringtrial/serve.sh' \"$RINGTRIAL_PORT\" "
                           "\"$RINGTRIAL_KEY_FILE\" &\n"));
    assert_int_equal(system("bash -n " RECIPE "/serve.sh"), 0);
    rt_notes_release(&notes);
    rt_buf_release(&script);
    rt_buf_release(&text);
    rt_arena_release(&arena);
}

static void the_array_recipe(void **state)
{
    (void)state;
    struct rt_arena arena;
    struct rt_buf text;
    struct rt_error err;
    struct rt_notes notes;
    struct rt_labconfig *config = NULL;
    struct rt_slurm_folder folder;
    struct rt_sbatch *words = calloc(1, sizeof *words);
    rt_arena_init(&arena, 1 << 20);
    rt_buf_init(&text, 65536);
    rt_notes_init(&notes);
    assert_non_null(words);
    assert_int_equal(rt_file_read(RECIPE "/array.yaml", &text, &err), RT_OK);
    if (rt_labconfig_read(rt_buf_bytes(&text), "array.yaml", &arena, &config, &notes, &err))
        fail_msg("%s", err.text);
    assert_int_equal(notes.count, 0);
    assert_true(rt_lab_array(&config->subjects[0]));
    assert_int_equal(rt_slurm_folder_of("/spool", "rt-uni-a-00000001", 1, &folder), RT_OK);
    rt_sbatch_words(&folder, &config->subjects[0], 16, words);
    assert_string_equal(words->argv[words->count - 2], "--array=0-15");
    assert_string_equal(words->argv[words->count - 1],
                        "/spool/rt-uni-a-00000001-0000000000000001/script");
    const struct rt_array_files files = {.subject = &config->subjects[0],
                                         .worker = config->subjects[0].slurm->worker};
    rt_buf_clear(&text);
    rt_array_script(&folder, &files, &text);
    assert_non_null(strstr(rt_buf_str(&text),
                           "export OMP_NUM_THREADS='1'\nexport RINGTRIAL_KEEP=:OMP_NUM_THREADS:\n"
                           "module load python/3.11\n"
                           "exec '/project/ringtrial/bin/ringtrial-worker' slurm-task --task "));
    rt_notes_release(&notes);
    rt_buf_release(&text);
    rt_arena_release(&arena);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_recipe),
                                       cmocka_unit_test(the_array_recipe)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
