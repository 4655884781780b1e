// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/sandbox/sandbox.h"

// The system's own tools, never one that a changed PATH would put in their place.
static const char *const tool_folders[] = {"/usr/bin", "/usr/local/bin", "/bin", "/opt/bin",
                                           "/opt/apptainer/bin"};

static const char *find_tool(struct rt_arena *arena, const char *name)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof tool_folders / sizeof *tool_folders; i++) {
        snprintf(path, sizeof path, "%s/%s", tool_folders[i], name);
        if (access(path, X_OK) == 0)
            return rt_arena_strdup(arena, path);
    }
    return NULL;
}

static uint32_t count_running(void)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        struct stat info;
        if (isdigit((unsigned char)*entry->d_name) &&
            fstatat(dirfd(folder), entry->d_name, &info, 0) == 0 && info.st_uid == geteuid())
            count++;
    }
    if (folder)
        closedir(folder);
    return count;
}

enum rt_status rt_sandbox_host_read(struct rt_arena *arena, struct rt_sandbox_host *ret_host)
{
    static const char *const folders[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
    struct rt_sandbox_host host = {
        .bwrap = find_tool(arena, "bwrap"),
        .apptainer = find_tool(arena, "apptainer"),
        .prlimit = find_tool(arena, "prlimit"),
        .root = geteuid() == 0,
        .running = count_running(),
    };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char link[256];
        struct stat info;
        if (lstat(folders[i], &info))
            continue;
        ssize_t size = S_ISLNK(info.st_mode) ? readlink(folders[i], link, sizeof link - 1) : -1;
        host.system[host.system_count].path = folders[i];
        host.system[host.system_count].link =
            size < 0 ? NULL : rt_arena_strndup(arena, link, (size_t)size);
        if (size >= 0 && !host.system[host.system_count].link)
            return RT_NO_MEMORY;
        host.system_count++;
    }
    *ret_host = host;
    return RT_OK;
}
