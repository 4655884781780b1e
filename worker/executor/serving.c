// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <string.h>

#include "common/base/file.h"
#include "worker/executor/command.h"
#include "worker/executor/endpoint.h"
#include "worker/executor/exec_state.h"

#define WATCH_MOST   1024
#define WAIT_MOST_MS 50 // a wake is seen then, where several backends are waited for

// A pilot job's server is asked over HTTP like any other, once there is one.
static const struct rt_backend_kind *kind_of(const struct rt_lab_subject *subject)
{
    bool array = rt_lab_array(subject);
    bool pilot = subject->executor == RT_EXECUTOR_SLURM && !array;
    return subject->executor == RT_EXECUTOR_BUILTIN            ? &rt_backend_builtin
           : subject->executor == RT_EXECUTOR_COMMAND || array ? &rt_backend_command
           : subject->executor == RT_EXECUTOR_CHAT || pilot    ? &rt_backend_chat
                                                               : NULL;
}

static enum rt_status serve_command(const struct rt_exec_options *options,
                                    const struct rt_lab_subject *subject, uint32_t slots,
                                    struct rt_backend **ret_backend, struct rt_error *err)
{
    // A role's command has a sandbox of its own.
    enum rt_sandbox sandbox = subject != options->subject && options->config
                                  ? rt_labconfig_sandbox(options->config, subject)
                                  : options->command_sandbox;
    struct rt_backend_command_options command = {sandbox, options->folder,
                                                 options->secret, options->secret_count};
    return rt_backend_command_new(subject, &command, slots, ret_backend, err);
}

// A file of worker.yaml: below its folder unless absolute. NULL for none.
static enum rt_status place_of(const struct rt_exec_options *options, const char *file,
                               char path[PATH_MAX], const char **ret_path, struct rt_error *err)
{
    char expanded[PATH_MAX];
    *ret_path = NULL;
    if (!file || !*file)
        return RT_OK;
    enum rt_status status = rt_path_expand(expanded, sizeof expanded, file);
    if (!status && expanded[0] == '/')
        memcpy(path, expanded, strlen(expanded) + 1);
    else if (!status)
        status = rt_path_join(path, PATH_MAX, options->folder ? options->folder : ".", expanded);
    if (status)
        return rt_error_set(err, status, "%s: path too long", file);
    *ret_path = path;
    return RT_OK;
}

static enum rt_status serve_chat(const struct rt_exec_options *options,
                                 const struct rt_lab_subject *subject, uint32_t slots,
                                 struct rt_backend **ret_backend, struct rt_error *err)
{
    char key[PATH_MAX], ca[PATH_MAX];
    struct rt_endpoint_files files;
    enum rt_status status = place_of(options, subject->key_file, key, &files.key_file, err);
    if (!status)
        status = place_of(options, subject->ca_file, ca, &files.ca_file, err);
    if (subject == options->subject && options->key_file)
        files.key_file = options->key_file;
    return status ? status : rt_backend_chat_new(subject, &files, slots, ret_backend, err);
}

enum rt_status rt_exec_serve(const struct rt_exec_options *options,
                             const struct rt_lab_subject *subject, uint32_t slots,
                             const struct rt_backend_kind **ret_kind,
                             struct rt_backend **ret_backend, struct rt_error *err)
{
    const struct rt_backend_kind *kind = kind_of(subject);
    if (!kind)
        return rt_error_set(err, RT_UNSUPPORTED,
                            "subject %s: this version does not play its executor", subject->id);
    *ret_kind = kind;
    return kind == &rt_backend_command ? serve_command(options, subject, slots, ret_backend, err)
           : kind == &rt_backend_chat
               ? serve_chat(options, subject, slots, ret_backend, err)
               : rt_backend_builtin_new(subject, options->scenarios, options->scenario_count,
                                        slots, ret_backend, err);
}

// ---- roles

static struct rt_exec_role *find_role(struct rt_exec *exec, const char *id)
{
    for (size_t r = 0; r < exec->role_count; r++)
        if (strcmp(exec->roles[r].id, id) == 0)
            return &exec->roles[r];
    return NULL;
}

static enum rt_status serve_role(struct rt_exec *exec, const struct rt_scenario *scenario,
                                 const char *id, struct rt_error *err)
{
    const struct rt_exec_options *options = &exec->options;
    const struct rt_lab_subject *subject =
        options->config ? rt_labconfig_subject(options->config, id) : NULL;
    if (find_role(exec, id))
        return RT_OK;
    // The synthetic subject has lines for every role of a scenario it knows.
    if (!subject && options->subject->executor == RT_EXECUTOR_BUILTIN)
        return RT_OK;
    if (!subject)
        return rt_error_set(err, RT_NOT_FOUND,
                            "scenario %s: a model plays the role `%s`, and worker.yaml has no "
                            "subject of that name; add it with `ringtrial-worker subject add %s`",
                            scenario->id, id, id);
    if (exec->role_count == RT_EXEC_ROLES_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "more than %d roles", RT_EXEC_ROLES_MOST);
    struct rt_exec_role role = {.id = id, .subject = subject};
    enum rt_status status =
        rt_exec_serve(options, subject, exec->slot_count, &role.kind, &role.backend, err);
    if (!status)
        exec->roles[exec->role_count++] = role;
    return status;
}

enum rt_status rt_exec_serve_roles(struct rt_exec *exec, struct rt_error *err)
{
    enum rt_status status = RT_OK;
    for (size_t s = 0; s < exec->options.scenario_count && !status; s++) {
        const struct rt_scenario *scenario = exec->options.scenarios[s];
        for (size_t r = 0; r < scenario->role_count && !status; r++)
            if (!scenario->roles[r].reply_count)
                status = serve_role(exec, scenario, scenario->roles[r].id, err);
    }
    return status;
}

void rt_exec_free_roles(struct rt_exec *exec)
{
    for (size_t r = 0; r < exec->role_count; r++)
        exec->roles[r].kind->free(exec->roles[r].backend);
    exec->role_count = 0;
}

uint32_t rt_exec_whom(const struct rt_exec *exec, const struct rt_scenario *scenario, uint32_t role)
{
    for (size_t r = 0; role && r < exec->role_count; r++)
        if (role <= scenario->role_count &&
            strcmp(exec->roles[r].id, scenario->roles[role - 1].id) == 0)
            return (uint32_t)r + 1;
    return 0;
}

static void listen_all(struct rt_exec *exec, int wait_ms, rt_backend_answer_fn *deliver)
{
    exec->kind->poll(exec->backend, wait_ms, deliver, exec);
    for (size_t r = 0; r < exec->role_count; r++)
        if (exec->roles[r].asked)
            exec->roles[r].kind->poll(exec->roles[r].backend, 0, deliver, exec);
}

size_t rt_exec_watch(struct rt_exec *exec, struct pollfd *fds, size_t capacity, int *wait_ms)
{
    if (exec->options.whole) // files of jobs, looked for now and then
        return 0;
    size_t count = exec->kind->watch(exec->backend, fds, capacity, wait_ms);
    for (size_t r = 0; r < exec->role_count; r++)
        if (exec->roles[r].asked)
            count += exec->roles[r].kind->watch(exec->roles[r].backend, fds + count,
                                                capacity - count, wait_ms);
    return count;
}

void rt_exec_hear(struct rt_exec *exec, int wait_ms, rt_backend_answer_fn *deliver)
{
    struct pollfd fds[WATCH_MOST];
    uint64_t heard = exec->heard;
    size_t others = 0;
    for (size_t r = 0; r < exec->role_count; r++)
        others += exec->roles[r].asked;
    // With one backend to wait for, it is waited for by itself.
    listen_all(exec, others ? 0 : wait_ms, deliver);
    if (!others || wait_ms <= 0 || exec->heard != heard)
        return;
    int most_ms = wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS;
    size_t count = rt_exec_watch(exec, fds, WATCH_MOST, &most_ms);
    poll(fds, count, most_ms);
    listen_all(exec, 0, deliver);
}
