// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/command/command_fixture.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"

static int exit_of(const char *const *words)
{
    pid_t pid = fork();
    if (pid == 0) {
        char *copies[16] = {NULL};
        for (size_t i = 0; words[i] && i < 15; i++)
            copies[i] = strdup(words[i]);
        execvp(copies[0], copies);
        _exit(127);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    return status;
}

static void run_program(const char *const *words)
{
    if (exit_of(words))
        fail_msg("%s failed", words[0]);
}

bool bwrap_runs(void)
{
    bool runs = exit_of((const char *const[]){"bwrap", "--unshare-all", "--ro-bind", "/", "/",
                                              "true", NULL}) == 0;
    if (!runs)
        printf("bubblewrap is absent, or user namespaces are: skipped\n");
    return runs;
}

void folder_make(char ret_folder[64])
{
    snprintf(ret_folder, 64, "/tmp/ringtrial-command-XXXXXX");
    assert_non_null(mkdtemp(ret_folder));
    assert_int_equal(chmod(ret_folder, 0755), 0);
}

void folder_remove(const char *folder)
{
    run_program((const char *const[]){"rm", "-rf", "--", folder, NULL});
}

void folder_copy(const char *folder, const char *from, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    run_program((const char *const[]){"install", "-m", "755", from, path, NULL});
}

struct rt_bench *bench_load(struct rt_arena *arena, const char *folder, const char *name)
{
    char from[512], to[512];
    struct rt_bench *bench = NULL;
    struct rt_error err = {RT_OK, ""};
    snprintf(from, sizeof from, RT_SOURCE_DIR "/configs/benches/%s", name);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    // Not the salts that may lie there: they are their owner's alone.
    static const char copy[] = "mkdir -p \"$2\" && tar -C \"$1\" -c --exclude=salts.yaml . | "
                               "tar -C \"$2\" -x";
    run_program((const char *const[]){"sh", "-c", copy, "sh", from, to, NULL});
    if (rt_bench_load(to, false, arena, &bench, NULL, &err))
        fail_msg("%s", err.text);
    run_program((const char *const[]){"chmod", "-R", "a+rX", to, NULL});
    return bench;
}

void subject_init(struct rt_lab_subject *subject, enum rt_executor executor,
                  const char *const *command)
{
    static const char text[] = "lab: a\npolicy: {classes: [public]}\n"
                               "subjects: {synthetic-8b: {executor: builtin, concurrency: 8}}\n";
    static struct rt_arena arena;
    struct rt_labconfig *config;
    struct rt_error err;
    if (!arena.limit_bytes)
        rt_arena_init(&arena, (size_t)16 << 20);
    if (rt_labconfig_read(rt_bytes_str(text), "w", &arena, &config, NULL, &err))
        fail_msg("%s", err.text);
    *subject = config->subjects[0];
    subject->executor = executor;
    subject->model = "synthetic";
#ifdef RT_SANITIZED
    subject->confine.memory_bytes = 0; // a sanitizer's shadow is larger than any limit
#endif
    size_t count = 0;
    while (command && command[count])
        count++;
    subject->command = rt_arena_array(&arena, count + 1, sizeof *subject->command);
    for (size_t i = 0; i < count; i++)
        subject->command[i] = rt_arena_strdup(&arena, command[i]);
    subject->command_count = count;
}

struct rt_exec *exec_open(const struct rt_lab_subject *subject, const struct rt_bench *bench,
                          enum rt_sandbox sandbox, const char *folder)
{
    struct rt_exec *exec = NULL;
    struct rt_error err = {RT_OK, ""};
    struct rt_exec_options options = {
        .subject = subject,
        .sandbox = "none",
        .labels = bench->labels,
        .label_count = bench->label_count,
        .scenarios = (const struct rt_scenario *const *)bench->scenarios,
        .scenario_count = bench->scenario_count,
        .command_sandbox = sandbox,
        .folder = folder,
    };
    if (rt_exec_open(&options, &exec, &err))
        fail_msg("%s", err.text);
    return exec;
}

void runs_play(struct rt_exec *exec, struct run *runs, size_t count)
{
    struct rt_error err = {RT_OK, ""};
    size_t next = 0, over = 0;
    while (over < count) {
        struct rt_exec_done done[8];
        size_t got = 0;
        while (next < count && rt_exec_room(exec)) {
            runs[next].trial.tag = next;
            if (rt_exec_submit(exec, &runs[next++].trial, &err))
                fail_msg("%s", err.text);
        }
        assert_int_equal(rt_exec_poll(exec, 1000, done, 8, &got, &err), RT_OK);
        for (size_t i = 0; i < got; i++)
            runs[done[i].tag].done = done[i];
        over += got;
    }
    assert_int_equal(rt_exec_in_flight(exec), 0);
}

void runs_release(struct run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rt_exec_done_release(&runs[i].done);
}

size_t processes_with(const char *marker)
{
    size_t count = 0;
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        char path[300], text[8192];
        if (!isdigit((unsigned char)*entry->d_name))
            continue;
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        FILE *file = fopen(path, "r");
        size_t size = file ? fread(text, 1, sizeof text, file) : 0;
        if (file)
            fclose(file);
        count += size && memmem(text, size, marker, strlen(marker)) != NULL;
    }
    closedir(folder);
    return count;
}
