// SPDX-License-Identifier: Apache-2.0
#include "worker/home_exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Keys, store, worker.yaml, and every subject's key file.
static enum rt_status list_secrets(struct rt_home *home, struct rt_exec_options *options,
                                   struct rt_error *err)
{
    const struct rt_labconfig *config = home->config;
    const char **list = rt_arena_array(&home->arena, config->subject_count + 3, sizeof *list);
    size_t count = 0;
    if (!list)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    list[count++] = home->keys;
    list[count++] = home->state;
    list[count++] = home->path;
    for (size_t i = 0; i < config->subject_count; i++) {
        char path[PATH_MAX];
        if (!*config->subjects[i].key_file)
            continue;
        enum rt_status status =
            rt_home_path(home->folder, config->subjects[i].key_file, path, err);
        if (status)
            return status;
        list[count] = rt_arena_strdup(&home->arena, path);
        if (!list[count++])
            return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    }
    options->secret = list;
    options->secret_count = count;
    return RT_OK;
}

enum rt_status rt_home_exec(struct rt_home *home, const struct rt_lab_subject *subject,
                            struct rt_exec_options *options, struct rt_error *err)
{
    char folder[PATH_MAX];
    options->subject = subject;
    options->sandbox = "none";
    options->config = home->config;
    if (subject->executor == RT_EXECUTOR_COMMAND || rt_lab_array(subject)) {
        options->command_sandbox = rt_labconfig_sandbox(home->config, subject);
        options->sandbox = rt_sandbox_word(options->command_sandbox);
    }
    if (!realpath(home->folder, folder))
        return rt_error_errno(err, errno, "%s", home->folder);
    options->folder = rt_arena_strdup(&home->arena, folder);
    if (!options->folder)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    return list_secrets(home, options, err);
}
