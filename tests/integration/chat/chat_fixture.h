// SPDX-License-Identifier: Apache-2.0
// What the chat tests share: server and proxy processes, executors, and running a list of trials to
// their end the way a worker does.
#ifndef RT_TESTS_CHAT_FIXTURE_H
#define RT_TESTS_CHAT_FIXTURE_H

#include <sys/types.h>

#include "tests/unit/engine/fixture.h"
#include "worker/executor/executor.h"

// A child process that says its port in a first line that holds "127.0.0.1:PORT".
struct child {
    pid_t pid;
    int port;
};
void child_start(struct child *child, const char *const *arguments);
void child_stop(struct child *child); // SIGTERM, and waits

// serve-subject over the sample bench with further arguments (NULL-terminated).
void server_start(struct child *child, const char *const *extra);

// One planned trial and what became of it.
struct planned {
    struct rt_exec_trial trial;
    struct rt_exec_done last;
    uint32_t attempts;
};

// Every scenario × arm × phrasing of the bench at each temperature, one seed each. Tags are large
// and distinct, so that a test can look for them where they must not be.
#define TAG_BASE 778899000000u
size_t plan(struct fixture *fixture, const int64_t *temperatures_micro, size_t temperature_count,
            size_t every, struct planned *ret_planned, size_t capacity);
void plan_release(struct planned *planned, size_t count);

struct rt_exec *open_builtin(struct fixture *fixture, struct rt_lab_subject *subject);
struct rt_exec *open_chat(struct fixture *fixture, struct rt_lab_subject *subject, int port,
                          char *endpoint, size_t capacity);

// Run all; trials that end in error or timeout are submitted again, at most `attempts` times each.
void run_all(struct rt_exec *exec, struct planned *planned, size_t count, uint32_t attempts);

// That two runs of the same plan ended alike; returns how many differ, naming the first.
size_t compare(const struct planned *a, const struct planned *b, size_t count);

#endif
