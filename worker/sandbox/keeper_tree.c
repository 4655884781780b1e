// SPDX-License-Identifier: Apache-2.0
#include "worker/sandbox/keeper_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESSES_MOST 65536
#define CHAINS         16384

struct process {
    pid_t pid, parent;
    unsigned generation; // 0: not below root, as far as is known
    uint32_t next;       // on its chain, 1 + index, 0: the last
};
static struct process processes[PROCESSES_MOST];
static uint32_t chains[CHAINS];
static uint32_t walk[PROCESSES_MOST]; // what is below root, each generation after its parents'

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
            processes[count++] = (struct process){.pid = pid,
                                                  .parent = parent_of(proc, entry->name)};
        }
    }
    close(proc);
    return count;
}

// Children of one parent hang on one chain (1 + their index, 0 ends it), so that a tree is walked
// without a look at every other process of the machine for each of its own.
static void chain(size_t count)
{
    for (size_t i = 0; i < CHAINS; i++)
        chains[i] = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t *head = &chains[(uint32_t)processes[i].parent % CHAINS];
        processes[i].next = *head;
        *head = (uint32_t)i + 1;
    }
}

// Append the children of a parent to the walk, as one generation; the new length.
static size_t visit(pid_t parent, unsigned generation, size_t length)
{
    for (uint32_t at = chains[(uint32_t)parent % CHAINS]; at; at = processes[at - 1].next) {
        struct process *child = &processes[at - 1];
        if (child->parent != parent || child->generation)
            continue;
        child->generation = generation;
        walk[length++] = at - 1;
    }
    return length;
}

unsigned rt_keeper_tree_signal(pid_t root, unsigned above, int signal)
{
    unsigned sent = 0;
    size_t count = list();
    chain(count);
    size_t length = visit(root, 1, 0);
    for (size_t i = 0; i < length; i++) {
        const struct process *process = &processes[walk[i]];
        length = visit(process->pid, process->generation + 1, length);
    }
    for (size_t i = 0; i < count; i++)
        if (processes[i].generation > above && kill(processes[i].pid, signal) == 0)
            sent++;
    return sent;
}
