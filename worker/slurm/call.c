// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/call.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/time.h"

#define ENVIRONMENT_MOST 256
#define COMPLAINT_MOST   65536

extern char **environ;

void rt_slurm_call_init(struct rt_slurm_call *call, size_t output_most)
{
    *call = (struct rt_slurm_call){.fds = {-1, -1}};
    rt_buf_init(&call->output, output_most);
    rt_buf_init(&call->complaint, COMPLAINT_MOST);
}

static void end(struct rt_slurm_call *call)
{
    for (int f = 0; f < 2; f++) {
        if (call->fds[f] >= 0)
            close(call->fds[f]);
        call->fds[f] = -1;
    }
    call->pid = 0;
}

static void end_by_force(struct rt_slurm_call *call)
{
    if (call->pid > 0) {
        kill(-call->pid, SIGKILL);
        while (waitpid(call->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    end(call);
}

void rt_slurm_call_release(struct rt_slurm_call *call)
{
    end_by_force(call);
    rt_buf_release(&call->output);
    rt_buf_release(&call->complaint);
}

// sbatch hands its environment on to the job: what this program was started with beside the usual
// is nobody's business there.
static size_t environment(char **ret_list, size_t most)
{
    static const char *const names[] = {"PATH=", "HOME=", "USER=", "LOGNAME=", "SHELL=",
                                        "LANG=", "TZ=",   "TMPDIR=", "SLURM_", "SBATCH_",
                                        "SQUEUE_", "SACCT_", "LD_LIBRARY_PATH=", "LC_", "MODULE",
                                        "LMOD_", "XDG_RUNTIME_DIR="};
    size_t count = 0;
    for (char **entry = environ; *entry && count + 1 < most; entry++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            if (strncmp(*entry, names[n], strlen(names[n])) == 0) {
                ret_list[count++] = *entry;
                break;
            }
    ret_list[count] = NULL;
    return count;
}

static int spawn(pid_t *ret_pid, const char *const *argv, int out, int errors)
{
    char *list[ENVIRONMENT_MOST];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    environment(list, ENVIRONMENT_MOST);
    if (posix_spawn_file_actions_init(&actions))
        return ENOMEM;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    int failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    if (!failed)
        failed = posix_spawnp(ret_pid, argv[0], &actions, &attributes,
                              (char *const *)(uintptr_t)argv, list);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

enum rt_status rt_slurm_call_start(struct rt_slurm_call *call, const char *const *argv,
                                   int64_t timeout_ms, struct rt_error *err)
{
    int ends[4] = {-1, -1, -1, -1};
    RT_ASSERT(!call->pid);
    rt_buf_clear(&call->output);
    rt_buf_clear(&call->complaint);
    int failed = pipe2(&ends[0], O_CLOEXEC) || pipe2(&ends[2], O_CLOEXEC) ? errno : 0;
    if (!failed)
        failed = spawn(&call->pid, argv, ends[1], ends[3]);
    for (int e = 0; e < 4; e++)
        if (ends[e] >= 0 && (e % 2 || failed))
            close(ends[e]);
    if (failed) {
        call->pid = 0;
        return rt_error_set(err, RT_IO, "%s cannot be started: %s", argv[0], strerror(failed));
    }
    for (int f = 0; f < 2; f++) {
        call->fds[f] = ends[2 * f];
        fcntl(call->fds[f], F_SETFL, O_NONBLOCK);
    }
    call->end_ms = rt_time_mono_ms() + timeout_ms;
    return RT_OK;
}

// False when there is more than its limit.
static bool read_all(int fd, struct rt_buf *out)
{
    uint8_t block[65536];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return true;
        rt_buf_add(out, block, (size_t)got);
        if (rt_buf_ok(out))
            return false;
    }
    return true;
}

// The last line that says something, for people.
static void complain(const struct rt_slurm_call *call, int code, struct rt_error *err)
{
    const char *text = rt_buf_str(&call->complaint);
    size_t size = strlen(text);
    while (size && (text[size - 1] == '\n' || text[size - 1] == ' '))
        size--;
    size_t from = size;
    while (from && text[from - 1] != '\n' && size - from < 300)
        from--;
    (void)rt_error_set(err, RT_IO, "exit %d: %.*s", code, (int)(size - from), text + from);
}

enum rt_status rt_slurm_call_step(struct rt_slurm_call *call, struct rt_error *err)
{
    int status = 0;
    RT_ASSERT(call->pid);
    bool fits = read_all(call->fds[0], &call->output) && read_all(call->fds[1], &call->complaint);
    if (!fits || rt_time_mono_ms() > call->end_ms) {
        end_by_force(call);
        return !fits ? rt_error_set(err, RT_TOO_LARGE, "it said too much")
                     : rt_error_set(err, RT_TIMEOUT, "it did not end in time");
    }
    pid_t got = waitpid(call->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return RT_AGAIN;
    fits = read_all(call->fds[0], &call->output) && read_all(call->fds[1], &call->complaint);
    int code = got < 0 ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    end(call);
    if (code)
        complain(call, code, err);
    return code ? RT_IO : fits ? RT_OK : rt_error_set(err, RT_TOO_LARGE, "it said too much");
}
