// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "worker/run_state.h"

#define HOLD_EVERY_MS 60000
#define HOLD_MOST_MS  20000

extern char **environ;

// Days since 1970 of the lab's own calendar.
int64_t run_local_day(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    return (int64_t)(seconds + local.tm_gmtoff) / 86400;
}

void run_now(const struct rt_run *run, struct rt_permit_now *ret_now)
{
    time_t seconds = (time_t)(run->now_ms / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    uint64_t remaining = 0;
    for (size_t i = 0; i < run->campaign_count; i++)
        remaining += run->campaigns[i]->remaining;
    *ret_now = (struct rt_permit_now){
        .weekday = (unsigned)(local.tm_wday + 6) % 7,
        .minute = (unsigned)(local.tm_hour * 60 + local.tm_min),
        .ms = (unsigned)(local.tm_sec % 60) * 1000,
        .held = run->held,
        .running = run->flying,
        .reserved = remaining,
        .usage = run->outbox->usage,
    };
    rt_usage_roll(&ret_now->usage, run_local_day(run->now_ms));
}

struct rt_permit run_permit_unit(const struct rt_run *run, uint64_t *ret_trials)
{
    struct rt_permit_now now;
    run_now(run, &now);
    return rt_permit_unit(&run->home->config->policy, &now, ret_trials);
}

struct rt_permit run_permit_trial(const struct rt_run *run)
{
    struct rt_permit_now now;
    run_now(run, &now);
    return rt_permit_trial(&run->home->config->policy, &now);
}

int64_t run_server_ms(const struct rt_run *run)
{
    return run->now_ms + run->server_ahead_ms;
}

// The lab's own words, run by its shell: exit 0 holds. A command that hangs is killed and holds,
// because a machine in that state is not one to load.
static bool command_holds(const char *command)
{
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL};
    pid_t pid;
    int status = 0;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ)) {
        rt_log_warn("cannot run policy.hold_when", NULL);
        return false;
    }
    int64_t end_ms = rt_time_mono_ms() + HOLD_MOST_MS;
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (got < 0 && errno != EINTR)
            return false;
        if (rt_time_mono_ms() > end_ms) {
            rt_log_warn("policy.hold_when does not end", "limit_ms=%d", HOLD_MOST_MS);
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return true;
        }
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
}

void run_check_hold(struct rt_run *run)
{
    const char *command = run->home->config->policy.hold_when;
    if (!command || !*command || run->mono_ms < run->hold_ms)
        return;
    bool held = command_holds(command);
    if (held != run->held)
        rt_log_info(held ? "held by policy.hold_when" : "no longer held", NULL);
    run->held = held;
    run->hold_ms = run->mono_ms + HOLD_EVERY_MS;
}
