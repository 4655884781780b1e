// SPDX-License-Identifier: Apache-2.0
// `install-service`: the systemd unit of the coordinator.
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/service.h"
#include "common/base/text.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/state.h"

#define NAME "ringtrial-coordinator"

struct settings {
    const char *state, *listen, *http, *passphrase_file, *user, *out;
    bool print, low_port;
};

struct paths {
    char state[PATH_MAX], program[PATH_MAX], passphrase[PATH_MAX], user[256];
};

static enum rt_status absolute(const char *path, char *ret_path, struct rt_error *err)
{
    if (realpath(path, ret_path))
        return RT_OK;
    return rt_error_set(err, RT_NOT_FOUND, "%s: no such file or folder", path);
}

static enum rt_status find_paths(const struct settings *settings, struct paths *paths,
                                 struct rt_error *err)
{
    struct rt_state state;
    struct stat info;
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = absolute(state.folder, paths->state, err);
    if (!status)
        status = absolute("/proc/self/exe", paths->program, err);
    if (!status && settings->passphrase_file)
        status = absolute(settings->passphrase_file, paths->passphrase, err);
    if (status)
        return status;
    const struct passwd *owner = stat(paths->state, &info) ? NULL : getpwuid(info.st_uid);
    if (!settings->user && !owner)
        return rt_error_set(err, RT_NOT_FOUND, "%s belongs to nobody with a name; give --user NAME",
                            paths->state);
    snprintf(paths->user, sizeof paths->user, "%s",
             settings->user ? settings->user : owner->pw_name);
    return RT_OK;
}

static bool below_1024(const char *url)
{
    const char *colon = url ? strrchr(url, ':') : NULL;
    uint64_t port;
    return colon && !rt_parse_u64(colon + 1, &port) && port < 1024;
}

static void describe(const struct settings *settings, const struct paths *paths,
                     struct rt_service *ret_service)
{
    size_t count = 0;
    *ret_service = (struct rt_service){
        .name = NAME,
        .description = "Ringtrial coordinator",
        .user = paths->user,
        .program = paths->program,
        .folder = paths->state,
        .passphrase = paths->passphrase,
        .passphrase_variable = "RINGTRIAL_PASSPHRASE_FILE",
        .writes = {paths->state},
        .memory_most = "8G",
        .tasks_most = 256,
        .low_port = settings->low_port || below_1024(settings->listen),
    };
    ret_service->arguments[count++] = "serve";
    ret_service->arguments[count++] = "--state";
    ret_service->arguments[count++] = paths->state;
    if (settings->listen) {
        ret_service->arguments[count++] = "--listen";
        ret_service->arguments[count++] = settings->listen;
    }
    if (settings->http) {
        ret_service->arguments[count++] = "--http";
        ret_service->arguments[count++] = settings->http;
    }
}

static enum rt_status put_unit(const struct settings *settings, struct rt_bytes text,
                               struct rt_error *err)
{
    char path[PATH_MAX];
    const char *folder = settings->out ? settings->out : "/etc/systemd/system";
    if (rt_path_join(path, sizeof path, folder, NAME ".service"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    enum rt_status status = rt_file_mkdir(folder, 0755, err);
    if (!status)
        status = rt_file_write(path, text, 0644, err);
    if (!status && !rt_globals.quiet)
        printf("%s\nnow:  systemctl daemon-reload && systemctl enable --now " NAME "\n"
               "see:  systemctl status " NAME "; systemd-analyze security %s\n", path, path);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct paths paths = {0};
    struct rt_service service;
    struct rt_buf text;
    (void)operands;
    rt_buf_init(&text, 1 << 16);
    enum rt_status status = find_paths(settings, &paths, err);
    if (!status) {
        describe(settings, &paths, &service);
        status = rt_service_unit(&service, &text, err);
    }
    if (!status && settings->print)
        fputs(rt_buf_str(&text), stdout);
    else if (!status)
        status = put_unit(settings, rt_buf_bytes(&text), err);
    rt_buf_release(&text);
    return status;
}

static const struct rt_option options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "listen",
     .letter = 'l',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, listen),
     .value_name = "URL",
     .help = "As for serve."},
    {.name = "http",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, http),
     .value_name = "ADDRESS",
     .help = "As for serve."},
    {.name = "low-port",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, low_port),
     .help = "The roster's address has a port below 1024 (443): let the service bind it."},
    {.name = "passphrase-file",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, passphrase_file),
     .value_name = "FILE",
     .help = "File whose first line is the keys' passphrase; handed over as a credential."},
    {.name = "user",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, user),
     .value_name = "NAME",
     .help = "Whom the service runs as (default: the owner of the state folder)."},
    {.name = "out",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "FOLDER",
     .help = "Where the unit is written (default /etc/systemd/system)."},
    {.name = "print",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, print),
     .help = "Print the unit and change nothing."},
    {.name = NULL},
};

const struct rt_command rt_command_install_service = {
    .name = "install-service",
    .summary = "Write a hardened systemd unit for this coordinator.",
    .operands = "",
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-coordinator install-service --state /var/local/ringtrial --print\n"
               "sudo ringtrial-coordinator install-service --state /var/local/ringtrial "
               "--user ringtrial --low-port",
    .about = "The unit may write to the state folder alone, has no capability but binding a low "
             "port, and is restarted when it fails. Starts nothing: it prints the commands that "
             "do.",
};
