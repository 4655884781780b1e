// SPDX-License-Identifier: Apache-2.0
#include "worker/sandbox/keeper_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESSES_MOST 65536

struct process {
    pid_t pid, parent;
    unsigned generation; // 0: not below root, as far as is known
};
static struct process processes[PROCESSES_MOST];

struct entry { // struct linux_dirent64
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

static pid_t number(const char *text, const char **ret_end)
{
    pid_t value = 0;
    while (*text >= '0' && *text <= '9' && value < 100000000)
        value = value * 10 + (*text++ - '0');
    *ret_end = text;
    return value;
}

// The fourth field of /proc/PID/stat; the second is a name in brackets that may hold anything.
static pid_t parent_of(int proc, const char *name)
{
    char path[32], text[512];
    const char *end;
    size_t size = 0;
    while (name[size] && size < 16) {
        path[size] = name[size];
        size++;
    }
    for (const char *rest = "/stat"; *rest; rest++)
        path[size++] = *rest;
    path[size] = 0;
    int file = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got <= 0)
        return 0;
    text[got] = 0;
    ssize_t at = got;
    while (at > 0 && text[at] != ')')
        at--;
    return at > 0 && got - at > 4 ? number(text + at + 4, &end) : 0;
}

static size_t list(void)
{
    static _Alignas(8) char block[32768];
    size_t count = 0;
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return 0;
    for (;;) {
        long got = syscall(SYS_getdents64, proc, block, sizeof block);
        if (got <= 0)
            break;
        for (long at = 0; at < got;) {
            const struct entry *entry = (const struct entry *)(const void *)(block + at);
            const char *end;
            pid_t pid = number(entry->name, &end);
            at += entry->size;
            if (!pid || *end || count == PROCESSES_MOST)
                continue;
            processes[count++] = (struct process){pid, parent_of(proc, entry->name), 0};
        }
    }
    close(proc);
    return count;
}

// One generation more of those below root; false when there are none.
static bool mark(pid_t root, size_t count, unsigned generation)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        struct process *child = &processes[i];
        if (child->generation)
            continue;
        bool below = generation == 1 && child->parent == root;
        for (size_t k = 0; generation > 1 && k < count && !below; k++)
            below = processes[k].generation == generation - 1 &&
                    processes[k].pid == child->parent;
        if (below) {
            child->generation = generation;
            found = true;
        }
    }
    return found;
}

unsigned rt_keeper_tree_signal(pid_t root, unsigned above, int signal)
{
    unsigned sent = 0;
    size_t count = list();
    for (unsigned generation = 1; mark(root, count, generation); generation++)
        continue;
    for (size_t i = 0; i < count; i++)
        if (processes[i].generation > above && kill(processes[i].pid, signal) == 0)
            sent++;
    return sent;
}
