// SPDX-License-Identifier: Apache-2.0
#include "worker/care/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/time.h"

extern char **environ;

// A file in memory that holds the input and stands at its start; -1 on failure.
static int input_file(struct rt_bytes input)
{
    int fd = memfd_create("ringtrial-input", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    for (size_t at = 0; at < input.size;) {
        ssize_t size = write(fd, input.data + at, input.size - at);
        if (size <= 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        at += size > 0 ? (size_t)size : 0;
    }
    if (lseek(fd, 0, SEEK_SET)) {
        close(fd);
        return -1;
    }
    return fd;
}

// env before the process's own; the array alone is allocated.
static char **joined(char *const *env)
{
    size_t own = 0, more = 0;
    while (environ[own])
        own++;
    while (env && env[more])
        more++;
    char **all = calloc(own + more + 1, sizeof *all);
    for (size_t i = 0; all && i < more; i++)
        all[i] = env[i];
    for (size_t i = 0; all && i < own; i++)
        all[more + i] = environ[i];
    return all;
}

static int spawn(pid_t *ret_pid, char *const *argv, char *const *env, int input)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc)
        return rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc) {
        posix_spawn_file_actions_destroy(&actions);
        return rc;
    }
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    rc = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (!rc)
        rc = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (!rc)
        rc = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

enum rt_status rt_child_start(struct rt_child *child, char *const *argv, char *const *env,
                              struct rt_bytes input, int64_t timeout_ms, struct rt_error *err)
{
    RT_ASSERT(!child->pid);
    pid_t pid = 0;
    int fd = input_file(input);
    char **all = joined(env);
    int rc = fd < 0 || !all ? ENOMEM : spawn(&pid, argv, all, fd);
    free(all);
    if (fd >= 0)
        close(fd);
    if (rc)
        return rt_error_errno(err, rc, "cannot run %s", argv[0]);
    child->pid = pid;
    child->end_ms = rt_time_mono_ms() + timeout_ms;
    return RT_OK;
}

// The leader's end is the command's: what it left behind in its group ends too.
static void reap(struct rt_child *child)
{
    int status;
    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    child->pid = 0;
}

bool rt_child_ended(struct rt_child *child, struct rt_child_end *ret_end)
{
    siginfo_t info = {0};
    if (!child->pid)
        return false;
    // Looked at without being reaped, so that its number still is its own when the group is killed.
    int rc = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    bool ended = rc == 0 && info.si_pid == child->pid;
    bool lost = rc < 0 && errno == ECHILD;
    bool late = !ended && !lost && rt_time_mono_ms() > child->end_ms;
    if (!ended && !lost && !late)
        return false;
    *ret_end = (struct rt_child_end){late, 0};
    if (ended)
        ret_end->code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    else
        ret_end->code = late ? 128 + SIGKILL : 255;
    if (lost)
        child->pid = 0;
    else
        reap(child);
    return true;
}

void rt_child_stop(struct rt_child *child)
{
    if (child->pid)
        reap(child);
}
