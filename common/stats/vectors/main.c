// SPDX-License-Identifier: Apache-2.0
// stats-vectors FOLDER: runs every reference vector of a folder through rt_stats.
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/option.h"
#include "common/stats/real.h"
#include "common/stats/vectors/vector.h"

#define FILES_MAX 100000

static const char *const verdict_names[] = {"PASS", "FAIL", "SKIP"};

static enum vector_verdict run_file(const char *folder, const char *name)
{
    struct vector vector;
    enum vector_verdict verdict = VECTOR_FAIL;
    if (vector_load(&vector, folder, name))
        verdict = vector_run(&vector);
    printf("%s %s%s%s\n", verdict_names[verdict], name, *vector.text ? ": " : "", vector.text);
    vector_release(&vector);
    return verdict;
}

static bool is_vector_name(const char *name)
{
    size_t size = strlen(name);
    return size > 5 && !strcmp(name + size - 5, ".json");
}

static enum rt_status run(const void *settings, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    size_t totals[3] = {0};
    (void)settings;
    for (size_t folder = 0; folder < operands->count; folder++) {
        char **names;
        size_t count;
        enum rt_status status =
            rt_file_list(operands->items[folder], FILES_MAX, &names, &count, err);
        if (status != RT_OK)
            return status;
        for (size_t i = 0; i < count; i++)
            if (is_vector_name(names[i]))
                totals[run_file(operands->items[folder], names[i])]++;
        rt_file_list_free(names, count);
    }
    printf("%zu passed, %zu failed, %zu skipped\n", totals[VECTOR_PASS], totals[VECTOR_FAIL],
           totals[VECTOR_SKIP]);
    rt_real_release_thread();
    if (totals[VECTOR_PASS] + totals[VECTOR_FAIL] + totals[VECTOR_SKIP] == 0)
        return rt_error_set(err, RT_NOT_FOUND, "no vectors (*.json) in %s", operands->items[0]);
    if (totals[VECTOR_FAIL] > 0)
        return rt_error_set(err, RT_CHECK_FAILED, "%zu vectors failed", totals[VECTOR_FAIL]);
    return RT_OK;
}

static const struct rt_command commands[] = {
    {.name = "run",
     .summary = "Run every vector (*.json) of the folders and print PASS, FAIL or SKIP",
     .operands = "FOLDER…",
     .operands_least = 1,
     .operands_most = RT_TEXT_LIST_MOST,
     .run = run,
     .example = "stats-vectors run tests/vectors/statistics"},
    {0}};

static const struct rt_program program = {
    .name = "stats-vectors",
    .summary = "Check the statistics against reference vectors",
    .commands = commands,
};

// The command may be left out: a first argument that is no option and no command is a folder.
int main(int argc, char **argv)
{
    char *arguments[RT_TEXT_LIST_MOST + 2];
    char run_word[] = "run";
    bool plain = argc > 1 && argc <= RT_TEXT_LIST_MOST && argv[1][0] != '-' &&
                 strcmp(argv[1], run_word) != 0;
    if (!plain)
        return rt_cli_main(&program, argc, argv);
    arguments[0] = argv[0];
    arguments[1] = run_word;
    for (int i = 1; i <= argc; i++)
        arguments[i + 1] = argv[i];
    return rt_cli_main(&program, argc + 1, arguments);
}
