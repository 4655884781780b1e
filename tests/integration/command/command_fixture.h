// SPDX-License-Identifier: Apache-2.0
// What the command tests share: a folder that any user may read, benches, executors and runs.
#ifndef RT_TESTS_COMMAND_FIXTURE_H
#define RT_TESTS_COMMAND_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/bench.h"
#include "worker/executor/executor.h"

// Can this machine make a sandbox at all? Says so where it cannot; the test is skipped then.
bool bwrap_runs(void);

// A temporary folder, readable by everyone, as a worker that runs as root runs commands as nobody.
void folder_make(char ret_folder[64]);
void folder_remove(const char *folder);
// Copy a file into it, executable.
void folder_copy(const char *folder, const char *from, const char *name);

// A copy of a bench, for loading one writes its salts.
struct rt_bench *bench_load(struct rt_arena *arena, const char *folder, const char *name);

// A subject with every text set, the presets of `confine`, and this command (NULL-terminated).
void subject_init(struct rt_lab_subject *subject, enum rt_executor executor,
                  const char *const *command);
struct rt_exec *exec_open(const struct rt_lab_subject *subject, const struct rt_bench *bench,
                          enum rt_sandbox sandbox, const char *folder);

struct run {
    struct rt_exec_trial trial;
    struct rt_exec_done done;
};
// Run all to their ends, once each.
void runs_play(struct rt_exec *exec, struct run *runs, size_t count);
void runs_release(struct run *runs, size_t count);

// Processes of this machine whose command line holds the marker.
size_t processes_with(const char *marker);

#endif
