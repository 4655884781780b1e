// SPDX-License-Identifier: Apache-2.0
// bubblewrap: every namespace its own, the system read-only, nothing else to be seen, nothing to be
// written but three memory file systems of bounded size (EVIDENCE, "Commands").
#include "worker/sandbox/sandbox.h"

#include <inttypes.h>

// Of /etc, what a program needs to start, and nothing that tells about people or hosts.
static const char *const etc[] = {"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
                                  "/etc/alternatives", "/etc/localtime"};
// And to use a network.
static const char *const etc_network[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
                                          "/etc/ssl", "/etc/pki", "/etc/ca-certificates"};

static void bind_try(struct rt_sandbox_words *argv, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        RT_SANDBOX_ADD(argv, "--ro-bind-try", paths[i], paths[i]);
}

static void add_scratch(struct rt_sandbox_words *argv, uint64_t bytes, const char *path)
{
    if (bytes) {
        rt_sandbox_add(argv, "--size");
        rt_sandbox_addf(argv, "%" PRIu64, bytes);
    }
    RT_SANDBOX_ADD(argv, "--tmpfs", path);
}

static void add_environment(struct rt_sandbox_words *argv)
{
    RT_SANDBOX_ADD(argv, "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin");
    RT_SANDBOX_ADD(argv, "--setenv", "HOME", "/home");
    RT_SANDBOX_ADD(argv, "--setenv", "TMPDIR", "/tmp");
    RT_SANDBOX_ADD(argv, "--setenv", "LANG", "C.UTF-8");
    RT_SANDBOX_ADD(argv, "--setenv", "USER", "subject");
    RT_SANDBOX_ADD(argv, "--setenv", "LOGNAME", "subject");
    RT_SANDBOX_ADD(argv, "--setenv", "RINGTRIAL_COMMAND", "1");
}

void rt_sandbox_bwrap(const struct rt_sandbox_request *request, const struct rt_sandbox_host *host,
                      const char *program, const struct rt_sandbox_path *paths, size_t path_count,
                      struct rt_sandbox_words *argv)
{
    const struct rt_lab_confine *confine = request->confine;
    bool network = confine->network == RT_LAB_NETWORK_HOST;
    RT_SANDBOX_ADD(argv, host->bwrap, "--unshare-all", "--unshare-user", "--disable-userns",
                   "--new-session", "--die-with-parent", "--clearenv", "--cap-drop", "ALL", "--uid",
                   "1000", "--gid", "1000", "--hostname", "subject");
    if (network)
        rt_sandbox_add(argv, "--share-net");
    RT_SANDBOX_ADD(argv, "--ro-bind", "/usr", "/usr");
    for (size_t i = 0; i < host->system_count; i++) {
        const char *path = host->system[i].path, *link = host->system[i].link;
        RT_SANDBOX_ADD(argv, link ? "--symlink" : "--ro-bind", link ? link : path, path);
    }
    bind_try(argv, etc, sizeof etc / sizeof *etc);
    if (network)
        bind_try(argv, etc_network, sizeof etc_network / sizeof *etc_network);
    RT_SANDBOX_ADD(argv, "--proc", "/proc", "--dev", "/dev");
    add_scratch(argv, confine->scratch_bytes, "/dev/shm");
    add_scratch(argv, confine->scratch_bytes, "/tmp");
    add_scratch(argv, confine->scratch_bytes, "/home");
    for (size_t i = 0; i < path_count; i++)
        RT_SANDBOX_ADD(argv, "--ro-bind", paths[i].real, paths[i].seen);
    // Both are memory file systems of bubblewrap's own, without a bound: nothing may grow there.
    RT_SANDBOX_ADD(argv, "--remount-ro", "/dev", "--remount-ro", "/");
    add_environment(argv);
    RT_SANDBOX_ADD(argv, "--chdir", "/tmp", "--");
    // The limit on processes is set inside: there the kernel counts this sandbox alone, and not
    // whatever else the user runs.
    if (confine->processes && host->prlimit) {
        rt_sandbox_add(argv, host->prlimit);
        rt_sandbox_addf(argv, "--nproc=%" PRIu32 ":%" PRIu32, confine->processes,
                        confine->processes);
        rt_sandbox_add(argv, "--");
    }
    rt_sandbox_add(argv, program);
    for (size_t i = 1; i < request->command_count; i++)
        rt_sandbox_add(argv, request->command[i]);
}
