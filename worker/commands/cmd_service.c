// SPDX-License-Identifier: Apache-2.0
// `install-service`: the systemd unit of this lab's worker.
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/service.h"
#include "worker/commands/commands.h"
#include "worker/home.h"

#define NAME     "ringtrial-worker"
#define WATCHDOG 300 // seconds; the loop says so every second

struct settings {
    const char *state, *passphrase_file, *user, *out;
    bool print, own;
};

struct paths {
    char folder[PATH_MAX], config[PATH_MAX], program[PATH_MAX], passphrase[PATH_MAX];
    char state[PATH_MAX], keys[PATH_MAX], user[256];
};

static enum rt_status absolute(const char *path, char *ret_path, struct rt_error *err)
{
    if (realpath(path, ret_path))
        return RT_OK;
    return rt_error_set(err, RT_NOT_FOUND, "%s: no such file or folder", path);
}

// Whose service it is: the one asked for, else the owner of the lab's folder.
static enum rt_status find_user(const struct settings *settings, struct paths *paths,
                                struct rt_error *err)
{
    struct stat info;
    if (settings->own)
        return RT_OK;
    if (settings->user) {
        snprintf(paths->user, sizeof paths->user, "%s", settings->user);
        return RT_OK;
    }
    const struct passwd *owner = stat(paths->folder, &info) ? NULL : getpwuid(info.st_uid);
    if (!owner)
        return rt_error_set(err, RT_NOT_FOUND, "%s belongs to nobody with a name; give --user NAME",
                            paths->folder);
    snprintf(paths->user, sizeof paths->user, "%s", owner->pw_name);
    return RT_OK;
}

static enum rt_status find_paths(const struct settings *settings, struct paths *paths,
                                 struct rt_error *err)
{
    enum rt_status status = absolute(settings->state ? settings->state : ".", paths->folder, err);
    if (!status)
        status = absolute("/proc/self/exe", paths->program, err);
    if (!status && settings->passphrase_file)
        status = absolute(settings->passphrase_file, paths->passphrase, err);
    if (!status)
        status = find_user(settings, paths, err);
    return status;
}

// A path that the worker writes to and that lies elsewhere than in the lab's folder.
static void add_path(struct rt_service *service, const struct paths *paths, const char *path)
{
    size_t count = 0, size = strlen(paths->folder);
    while (service->writes[count])
        count++;
    if (count == RT_SERVICE_PATHS_MOST || *path != '/' ||
        (!strncmp(path, paths->folder, size) && (path[size] == '/' || !path[size])))
        return;
    service->writes[count] = path;
}

static void describe(const struct rt_home *home, const struct paths *paths, char *description,
                     size_t capacity, struct rt_service *ret_service)
{
    const struct rt_labconfig *config = home->config;
    bool commands = false;
    snprintf(description, capacity, "Ringtrial worker of lab %s", config->lab);
    for (size_t s = 0; s < config->subject_count; s++)
        commands |= config->subjects[s].executor == RT_EXECUTOR_COMMAND;
    bool programs = *config->policy.hold_when || *config->run_on_event;
    *ret_service = (struct rt_service){
        .name = NAME,
        .description = description,
        .user = paths->user,
        .program = paths->program,
        .arguments = {"run", "--state", paths->folder},
        .folder = paths->folder,
        .passphrase = paths->passphrase,
        .passphrase_option = "--passphrase-file",
        .writes = {paths->folder},
        .memory_most = commands || programs ? "" : "4G",
        .tasks_most = commands ? 4096 : 512,
        .sandboxes = commands,
        .devices = commands || programs,
        .just_in_time = commands || programs,
        .watchdog_s = WATCHDOG,
    };
    add_path(ret_service, paths, home->state);
    add_path(ret_service, paths, home->keys);
    for (size_t s = 0; s < config->subject_count; s++)
        if (config->subjects[s].slurm)
            add_path(ret_service, paths, config->subjects[s].slurm->spool);
}

static enum rt_status put_unit(const struct settings *settings, struct rt_bytes text,
                               struct rt_error *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    const char *wanted = settings->out   ? settings->out
                         : settings->own ? "~/.config/systemd/user"
                                         : "/etc/systemd/system";
    enum rt_status status = rt_path_expand(folder, sizeof folder, wanted);
    if (!status)
        status = rt_path_join(path, sizeof path, folder, NAME ".service");
    if (status)
        return rt_error_set(err, status, "%s: path too long", wanted);
    status = rt_file_mkdir(folder, 0755, err);
    if (!status)
        status = rt_file_write(path, text, 0644, err);
    const char *user = settings->own ? " --user" : "";
    if (!status && !rt_globals.quiet)
        printf("%s\nnow:  systemctl%s daemon-reload && systemctl%s enable --now " NAME "\n"
               "see:  systemctl%s status " NAME "; systemd-analyze security %s\n",
               path, user, user, user, path);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct paths paths = {0};
    struct rt_home *home = NULL;
    struct rt_service service;
    struct rt_buf text;
    char description[160];
    (void)operands;
    rt_buf_init(&text, 1 << 16);
    enum rt_status status = find_paths(settings, &paths, err);
    if (!status && rt_path_join(paths.config, sizeof paths.config, paths.folder, RT_HOME_CONFIG))
        status = rt_error_set(err, RT_TOO_LARGE, "%s: path too long", paths.folder);
    if (!status)
        status = rt_home_open(paths.config, RT_HOME_PLAIN, NULL, &home, err);
    if (!status) {
        describe(home, &paths, description, sizeof description, &service);
        status = rt_service_unit(&service, &text, err);
    }
    if (!status && settings->print)
        fputs(rt_buf_str(&text), stdout);
    else if (!status)
        status = put_unit(settings, rt_buf_bytes(&text), err);
    rt_buf_release(&text);
    rt_home_free(home);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    RT_PASSPHRASE_OPTION(struct settings),
    {.name = "user",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, user),
     .value_name = "NAME",
     .help = "Whom the service runs as (default: the owner of the lab's folder)."},
    {.name = "own",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, own),
     .help = "For your own service manager (systemctl --user), without root."},
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
    .summary = "write a hardened systemd unit for this lab's worker",
    .operands = "",
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker install-service --state /srv/ringtrial --print\n"
               "sudo ringtrial-worker install-service --state /srv/ringtrial --user ringtrial",
    .about = "The unit may write to the lab's folder alone, has no capabilities and no devices, "
             "and is restarted when it fails or falls silent. What worker.yaml needs is left open: "
             "bubblewrap for subjects with executor command, devices for hold_when and "
             "run_on_event. An encrypted key's passphrase is handed over as a credential "
             "(--passphrase-file). Starts nothing: it prints the commands that do.",
};
