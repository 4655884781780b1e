// SPDX-License-Identifier: Apache-2.0
#include "worker/sandbox/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/time.h"
#include "worker/sandbox/keeper_tree.h"

#define NOBODY 65534
// Between two looks at what is still there, once everything has been killed.
#define KILL_EVERY_MS 20

struct message {
    uint8_t end; // enum rt_keeper_end
    int32_t value;
};

// ---- in the command's process, before it becomes the command

static void set_limits(const struct rt_sandbox_plan *plan)
{
    for (size_t i = 0; i < plan->limit_count; i++) {
        struct rlimit limit = {plan->limits[i].value, plan->limits[i].value}, now;
        // A limit that is tighter already stays.
        if (getrlimit((__rlimit_resource_t)plan->limits[i].resource, &now) == 0 &&
            now.rlim_max < limit.rlim_max)
            limit.rlim_cur = limit.rlim_max = now.rlim_max;
        setrlimit((__rlimit_resource_t)plan->limits[i].resource, &limit);
    }
}

static bool become(const struct rt_sandbox_plan *plan, const int fds[3])
{
    sigset_t none;
    sigemptyset(&none);
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    umask(077);
    // One more than the highest of the three, so that no dup2 overwrites one still to come.
    int high[3];
    for (int i = 0; i < 3; i++)
        if ((high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 16)) < 0)
            return false;
    for (int i = 0; i < 3; i++)
        if (dup2(high[i], i) < 0)
            return false;
    if (chdir(plan->start))
        return false;
    set_limits(plan);
    if (plan->drop_user && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
        return false;
    // Sandboxes set this themselves, once they no longer need what a system's policy lets them do.
    if (!plan->own_generations && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return false;
    execve(plan->argv[0], plan->argv, plan->envp);
    return false;
}

static void say(int control, enum rt_keeper_end end, int value)
{
    struct message message;
    memset(&message, 0, sizeof message);
    message.end = (uint8_t)end;
    message.value = value;
    ssize_t sent = send(control, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; // a worker that is gone is noticed by its closed end
}

// ---- the keeper

struct keeping {
    const struct rt_sandbox_plan *plan;
    int control;
    pid_t command;
    bool over;         // the command has ended, or is to be killed
    int64_t term_ms;   // when SIGTERM is due, 0 never
    int64_t kill_ms;   // likewise SIGKILL
};

static void reap(struct keeping *keeping)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != keeping->command)
            continue;
        bool signalled = WIFSIGNALED(status);
        say(keeping->control, signalled ? RT_KEEPER_SIGNAL : RT_KEEPER_EXIT,
            signalled ? WTERMSIG(status) : WEXITSTATUS(status));
        keeping->over = true;
    }
}

static void obey(struct keeping *keeping)
{
    char orders[16];
    int64_t now_ms = rt_time_mono_ms();
    ssize_t got = recv(keeping->control, orders, sizeof orders, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) { // the worker is gone
        orders[0] = RT_KEEPER_TERM;
        got = 1;
        close(keeping->control);
        keeping->control = -1;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (orders[i] == RT_KEEPER_KILL)
            keeping->over = true;
        else if (orders[i] == RT_KEEPER_END && !keeping->term_ms)
            keeping->term_ms = now_ms + RT_KEEPER_GRACE_MS;
        else if (orders[i] == RT_KEEPER_TERM)
            keeping->term_ms = now_ms;
    }
}

static void be_due(struct keeping *keeping)
{
    int64_t now_ms = rt_time_mono_ms();
    if (keeping->kill_ms && now_ms >= keeping->kill_ms)
        keeping->over = true;
    if (!keeping->kill_ms && keeping->term_ms && now_ms >= keeping->term_ms) {
        rt_keeper_tree_signal(getpid(), keeping->plan->own_generations, SIGTERM);
        keeping->kill_ms = now_ms + RT_KEEPER_TERM_MS;
    }
}

static int wait_of(const struct keeping *keeping)
{
    int64_t due_ms = keeping->kill_ms ? keeping->kill_ms : keeping->term_ms;
    int64_t left_ms = due_ms - rt_time_mono_ms();
    return !due_ms ? -1 : left_ms < 0 ? 0 : (int)left_ms + 1;
}

// Until nothing is left: what is killed is adopted by us and reaped. Those that multiply are held
// still first.
static void kill_all(void)
{
    bool waited = false;
    for (;;) {
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            continue;
        if (pid < 0 && errno == ECHILD)
            return;
        for (int i = 0; i < 3; i++)
            if (!rt_keeper_tree_signal(getpid(), 0, SIGSTOP))
                break;
        rt_keeper_tree_signal(getpid(), 0, SIGKILL);
        // What was killed is a zombie within microseconds, and mostly the last of them.
        poll(NULL, 0, waited ? KILL_EVERY_MS : 1);
        waited = true;
    }
}

// Every descriptor but these: they are the worker's.
static void close_others(const int *fds, size_t count)
{
    int kept[8];
    for (size_t i = 0; i < count; i++) {
        size_t k = i;
        for (; k && kept[k - 1] > fds[i]; k--)
            kept[k] = kept[k - 1];
        kept[k] = fds[i];
    }
    unsigned from = 0;
    for (size_t i = 0; i <= count; i++) {
        unsigned until = i < count ? (unsigned)kept[i] : ~0u;
        if (until > from && syscall(SYS_close_range, from, i < count ? until - 1 : ~0u, 0) != 0)
            for (unsigned fd = from; fd < until && fd < 65536; fd++) // before Linux 5.9
                close((int)fd);
        from = until + 1;
    }
}

_Noreturn static void keep(const struct rt_sandbox_plan *plan, int control, const int fds[3])
{
    const int mine[] = {control, fds[0], fds[1], fds[2]};
    struct keeping keeping = {.plan = plan, .control = control};
    sigset_t all;
    close_others(mine, 4);
    setsid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "rt-keeper");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    keeping.command = signals < 0 ? -1 : fork();
    if (keeping.command == 0) {
        if (!become(plan, fds))
            say(control, RT_KEEPER_UNABLE, errno);
        _exit(127);
    }
    if (keeping.command < 0) {
        say(control, RT_KEEPER_UNABLE, errno);
        _exit(1);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    while (!keeping.over) {
        struct pollfd polls[] = {{signals, POLLIN, 0}, {keeping.control, POLLIN, 0}};
        poll(polls, 2, wait_of(&keeping));
        struct signalfd_siginfo info;
        while (read(signals, &info, sizeof info) > 0)
            continue;
        reap(&keeping);
        if (polls[1].revents)
            obey(&keeping);
        be_due(&keeping);
    }
    kill_all();
    _exit(0);
}

// ---- the worker's side

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

enum rt_status rt_keeper_start(const struct rt_sandbox_plan *plan, struct rt_keeper *ret_keeper,
                               struct rt_error *err)
{
    int pipes[8] = {-1, -1, -1, -1, -1, -1, -1, -1}; // in, out, err, control
    bool ready = true;
    for (int i = 0; i < 3 && ready; i++)
        ready = pipe2(&pipes[2 * i], O_CLOEXEC) == 0;
    ready = ready && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, &pipes[6]) == 0;
    if (!ready) {
        int why = errno;
        close_all(pipes, 8);
        return rt_error_errno(err, why, "no pipe for a command");
    }
    const int theirs[3] = {pipes[0], pipes[3], pipes[5]};
    pid_t pid = fork();
    if (pid == 0)
        keep(plan, pipes[7], theirs);
    int why = errno;
    close(pipes[0]), close(pipes[3]), close(pipes[5]), close(pipes[7]);
    if (pid < 0) {
        close(pipes[1]), close(pipes[2]), close(pipes[4]), close(pipes[6]);
        return rt_error_errno(err, why, "no process for a command");
    }
    struct rt_keeper keeper = {
        .pid = pid, .control = pipes[6], .in = pipes[1], .out = pipes[2], .err = pipes[4]};
    const int ours[] = {keeper.in, keeper.out, keeper.err, keeper.control};
    for (int i = 0; i < 4; i++)
        fcntl(ours[i], F_SETFL, fcntl(ours[i], F_GETFL) | O_NONBLOCK);
    *ret_keeper = keeper;
    return RT_OK;
}

void rt_keeper_order(struct rt_keeper *keeper, enum rt_keeper_order order)
{
    char byte = (char)order;
    if (keeper->gone)
        return;
    ssize_t sent = send(keeper->control, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; // fails only where the keeper is gone already
}

void rt_keeper_close_in(struct rt_keeper *keeper)
{
    if (keeper->in >= 0)
        close(keeper->in);
    keeper->in = -1;
}

bool rt_keeper_notice(struct rt_keeper *keeper)
{
    bool changed = false;
    while (!keeper->gone) {
        struct message message;
        ssize_t got = recv(keeper->control, &message, sizeof message, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return changed;
        changed = true;
        if (got == (ssize_t)sizeof message) {
            // That it could not be started is followed by the exit of what should have been it.
            if (keeper->end == RT_KEEPER_RUNNING) {
                keeper->end = (enum rt_keeper_end)message.end;
                keeper->value = message.value;
            }
            continue;
        }
        keeper->gone = true;
        while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        if (keeper->end == RT_KEEPER_RUNNING)
            keeper->end = RT_KEEPER_SIGNAL, keeper->value = SIGKILL;
    }
    return changed;
}

void rt_keeper_finish(struct rt_keeper *keeper)
{
    while (!keeper->gone) {
        struct pollfd polls = {keeper->control, POLLIN, 0};
        poll(&polls, 1, -1);
        rt_keeper_notice(keeper);
    }
    rt_keeper_release(keeper);
}

void rt_keeper_release(struct rt_keeper *keeper)
{
    RT_ASSERT(keeper->gone);
    int fds[] = {keeper->in, keeper->out, keeper->err, keeper->control};
    close_all(fds, 4);
    keeper->in = keeper->out = keeper->err = keeper->control = -1;
}
