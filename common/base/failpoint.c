// SPDX-License-Identifier: Apache-2.0
#include "common/base/failpoint.h"

#ifdef RT_FAILPOINTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

enum action { ACTION_NONE, ACTION_KILL, ACTION_FAIL, ACTION_SPACE };

static struct {
    const char *name;
    enum action action;
    unsigned long at;
    atomic_ulong passed;
} points[RT_FAILPOINT_COUNT] = {
#define X(label, where) {.name = #label},
    RT_FAILPOINT_TABLE(X)
#undef X
};

static unsigned long random_up_to(unsigned long most)
{
    unsigned long value = 0;
    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value)
        return 1;
    return most ? value % most + 1 : 1;
}

// "name:action[@n]", names compared without case and with '-' for '_'.
static void arm(char *spec)
{
    char *colon = strchr(spec, ':');
    if (!colon)
        return;
    *colon = 0;
    char *at = strchr(colon + 1, '@');
    if (at)
        *at++ = 0;
    for (char *p = spec; *p; p++)
        *p = *p == '-' ? '_' : *p;
    for (size_t i = 0; i < RT_FAILPOINT_COUNT; i++) {
        if (strcasecmp(points[i].name, spec))
            continue;
        points[i].action = !strcmp(colon + 1, "kill")   ? ACTION_KILL
                           : !strcmp(colon + 1, "fail") ? ACTION_FAIL
                                                        : ACTION_SPACE;
        points[i].at = !at          ? 1
                       : *at == 'r' ? random_up_to(strtoul(at + 1, NULL, 10))
                                    : strtoul(at, NULL, 10);
        return;
    }
    fprintf(stderr, "RT_FAILPOINT: no failpoint '%s'\n", spec);
    exit(RT_EXIT_USAGE);
}

static void read_environment(void)
{
    const char *text = getenv("RT_FAILPOINT");
    char copy[1024];
    if (!text || strlen(text) >= sizeof copy)
        return;
    memcpy(copy, text, strlen(text) + 1);
    char *rest = copy;
    for (char *spec; (spec = strsep(&rest, ","));)
        arm(spec);
}

enum rt_status rt_failpoint(enum rt_failpoint point)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_environment);
    if (points[point].action == ACTION_NONE)
        return RT_OK;
    unsigned long passage = atomic_fetch_add(&points[point].passed, 1) + 1;
    // A crash happens once; a failing disk goes on failing from its n-th passage on.
    if (points[point].action == ACTION_KILL) {
        if (passage == points[point].at)
            kill(getpid(), SIGKILL);
        return RT_OK;
    }
    if (passage < points[point].at)
        return RT_OK;
    return points[point].action == ACTION_SPACE ? RT_NO_SPACE : RT_IO;
}
#else
typedef int rt_failpoint_unused;
#endif
