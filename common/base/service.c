// SPDX-License-Identifier: Apache-2.0
#include "common/base/service.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// ---- writing

// A word of a unit file in quotes: % and $ are doubled, what cannot be written is refused.
static bool add_word(struct rt_buf *out, const char *word, bool command)
{
    rt_buf_add_str(out, "\"");
    for (const char *p = word; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '"' || *p == '\\')
            return false;
        rt_buf_add(out, p, 1);
        if (*p == '%' || (command && *p == '$'))
            rt_buf_add(out, p, 1);
    }
    rt_buf_add_str(out, "\"");
    return true;
}

static bool plain(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    return true;
}

static bool add_setting(struct rt_buf *out, const char *name, const char *value)
{
    rt_buf_printf(out, "%s=", name);
    bool ok = add_word(out, value, false);
    rt_buf_add_str(out, "\n");
    return ok;
}

static bool add_command(struct rt_buf *out, const struct rt_service *service)
{
    rt_buf_add_str(out, "ExecStart=");
    bool ok = add_word(out, service->program, true);
    for (size_t i = 0; service->arguments[i] && ok; i++) {
        rt_buf_add_str(out, " ");
        ok = add_word(out, service->arguments[i], true);
    }
    if (*service->passphrase && service->passphrase_option)
        rt_buf_printf(out, " %s %%d/passphrase", service->passphrase_option);
    rt_buf_add_str(out, "\n");
    if (*service->passphrase && !service->passphrase_option)
        rt_buf_printf(out, "Environment=%s=%%d/passphrase\n", service->passphrase_variable);
    if (*service->passphrase && ok) {
        rt_buf_add_str(out, "LoadCredential=passphrase:");
        for (const char *p = service->passphrase; *p && ok; p++) {
            ok = *p != ' ' && (unsigned char)*p >= ' ';
            rt_buf_add(out, p, 1);
            if (*p == '%')
                rt_buf_add(out, p, 1);
        }
        rt_buf_add_str(out, "\n");
    }
    return ok;
}

static bool add_service(struct rt_buf *out, const struct rt_service *service)
{
    bool ok = true;
    rt_buf_add_str(out, "[Service]\n");
    rt_buf_printf(out, "Type=%s\n", service->watchdog_s ? "notify" : "exec");
    if (service->watchdog_s)
        rt_buf_printf(out, "NotifyAccess=main\nWatchdogSec=%us\n", service->watchdog_s);
    if (*service->user)
        rt_buf_printf(out, "User=%s\n", service->user);
    // WorkingDirectory takes its value as it stands.
    ok = plain(service->folder) && !strchr(service->folder, '%');
    rt_buf_printf(out, "WorkingDirectory=%s\n", service->folder);
    ok = add_command(out, service) && ok;
    rt_buf_add_str(out, "Restart=on-failure\n"
                        "RestartSec=10s\n"
                        "# Wrong usage, bad data and policy do not get better by themselves.\n"
                        "RestartPreventExitStatus=2 4 6\n"
                        "TimeoutStopSec=60s\n"
                        "KillMode=mixed\n\n");
    return ok;
}

static void add_bounds(struct rt_buf *out, const struct rt_service *service)
{
    if (*service->memory_most)
        rt_buf_printf(out, "MemoryMax=%s\n", service->memory_most);
    rt_buf_printf(out,
                  "TasksMax=%u\n"
                  "LimitNOFILE=65536\n"
                  "LimitCORE=0\n"
                  "UMask=0077\n",
                  service->tasks_most);
}

static bool add_files(struct rt_buf *out, const struct rt_service *service)
{
    bool ok = true;
    rt_buf_add_str(out, "ProtectSystem=strict\n"
                        "ProtectHome=read-only\n");
    for (size_t i = 0; service->writes[i] && ok; i++)
        ok = add_setting(out, "ReadWritePaths", service->writes[i]);
    rt_buf_add_str(out, "PrivateTmp=yes\n"
                        "RemoveIPC=yes\n");
    if (service->devices)
        rt_buf_add_str(out, "# Left out: PrivateDevices=, its own programs look at GPUs.\n");
    else
        rt_buf_add_str(out, "PrivateDevices=yes\n");
    return ok;
}

static void add_kernel(struct rt_buf *out, const struct rt_service *service)
{
    rt_buf_add_str(out, "ProtectClock=yes\n"
                        "ProtectControlGroups=yes\n"
                        "ProtectHostname=yes\n"
                        "ProtectKernelModules=yes\n");
    if (service->sandboxes)
        rt_buf_add_str(out, "# Left out, because bubblewrap needs them for commands:\n"
                            "# ProtectKernelTunables=, ProtectKernelLogs=, ProtectProc=, "
                            "RestrictNamespaces=, and @mount in the filter.\n"
                            "SystemCallFilter=@system-service @mount @sandbox\n");
    else
        rt_buf_add_str(out, "ProtectKernelTunables=yes\n"
                            "ProtectKernelLogs=yes\n"
                            "ProtectProc=invisible\n"
                            "ProcSubset=all\n"
                            "RestrictNamespaces=yes\n"
                            "SystemCallFilter=@system-service\n"
                            "SystemCallFilter=~@privileged @resources\n");
    rt_buf_add_str(out, "SystemCallErrorNumber=EPERM\n"
                        "SystemCallArchitectures=native\n");
    rt_buf_printf(out, "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX%s\n",
                  service->sandboxes ? " AF_NETLINK" : "");
    rt_buf_add_str(out, "RestrictRealtime=yes\n"
                        "RestrictSUIDSGID=yes\n"
                        "LockPersonality=yes\n");
    if (service->just_in_time)
        rt_buf_add_str(out, "# Left out: MemoryDenyWriteExecute=, for the programs it starts.\n");
    else
        rt_buf_add_str(out, "MemoryDenyWriteExecute=yes\n");
}

enum rt_status rt_service_unit(const struct rt_service *service, struct rt_buf *out,
                               struct rt_error *err)
{
    bool ok = plain(service->description) && plain(service->user) && plain(service->memory_most);
    rt_buf_printf(out,
                  "# %s.service, written by `%s install-service`.\n"
                  "[Unit]\n"
                  "Description=%s\n"
                  "Documentation=man:%s(1)\n"
                  "Wants=network-online.target\n"
                  "After=network-online.target\n\n",
                  service->name, service->name, service->description, service->name);
    ok = add_service(out, service) && ok;
    add_bounds(out, service);
    rt_buf_add_str(out, "\nNoNewPrivileges=yes\n");
    const char *capability = service->low_port ? "CAP_NET_BIND_SERVICE" : "";
    rt_buf_printf(out, "CapabilityBoundingSet=%s\nAmbientCapabilities=%s\n", capability,
                  capability);
    ok = add_files(out, service) && ok;
    add_kernel(out, service);
    rt_buf_printf(out, "\n[Install]\nWantedBy=%s\n",
                  *service->user ? "multi-user.target" : "default.target");
    if (!ok)
        return rt_error_set(err, RT_MALFORMED, "a unit file cannot carry a path with quotes, "
                            "backslashes or control characters (or, of a passphrase, blanks)");
    enum rt_status status = rt_buf_ok(out);
    return status ? rt_error_set(err, status, "the unit file is too long") : RT_OK;
}

// ---- sd_notify

void rt_service_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path ? strlen(path) : 0;
    if (!size || size >= sizeof address.sun_path || (*path != '/' && *path != '@'))
        return;
    memcpy(address.sun_path, path, size);
    if (*path == '@') // an abstract socket
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
    close(fd);
}
