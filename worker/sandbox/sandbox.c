// SPDX-License-Identifier: Apache-2.0
#include "worker/sandbox/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS_MOST 66 // read_only, the program and an image

extern char **environ;

// ---- words

void rt_sandbox_add(struct rt_sandbox_words *words, const char *word)
{
    char *copy = words->count < RT_SANDBOX_WORDS_MOST - 1 ? rt_arena_strdup(words->arena, word)
                                                          : NULL;
    if (!copy) {
        words->failed = true;
        return;
    }
    words->items[words->count++] = copy;
}

void rt_sandbox_addf(struct rt_sandbox_words *words, const char *format, ...)
{
    char text[2 * PATH_MAX + 16];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof text)
        words->failed = true;
    else
        rt_sandbox_add(words, text);
}

static char **words_end(struct rt_sandbox_words *words)
{
    char **items = rt_arena_array(words->arena, words->count + 1, sizeof *items);
    if (!items || words->failed)
        return NULL;
    memcpy(items, words->items, words->count * sizeof *items);
    items[words->count] = NULL;
    return items;
}

// ---- paths

// Where a name without a slash is looked for, in every sandbox alike.
static const char *const program_folders[] = {"/usr/local/bin", "/usr/bin", "/bin"};

static bool under(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    if (size && folder[size - 1] == '/')
        size--;
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || !path[size]);
}

// Neither a secret, nor what lies in one, nor a folder that holds one.
static enum rt_status check_secret(const struct rt_sandbox_request *request, const char *path,
                                   struct rt_error *err)
{
    for (size_t i = 0; i < request->secret_count; i++) {
        char secret[PATH_MAX];
        if (!realpath(request->secret[i], secret))
            continue;
        if (under(path, secret) || under(secret, path))
            return rt_error_set(err, RT_POLICY,
                                "%s would show the command %s, which is this lab's own; move what "
                                "the command needs to a folder without it",
                                path, secret);
    }
    return RT_OK;
}

// Something the command may read, links followed for what it is and kept for where it is found.
static enum rt_status resolve(const struct rt_sandbox_request *request, const char *path,
                              struct rt_arena *arena, struct rt_sandbox_path *ret_path,
                              struct rt_error *err)
{
    char joined[PATH_MAX], real[PATH_MAX];
    const char *home = getenv("HOME");
    int size = path[0] == '/' ? snprintf(joined, sizeof joined, "%s", path)
               : path[0] == '~' && path[1] == '/' && home
                   ? snprintf(joined, sizeof joined, "%s%s", home, path + 1)
                   : snprintf(joined, sizeof joined, "%s/%s", request->folder, path);
    if (size < 0 || (size_t)size >= sizeof joined)
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", path);
    if (!realpath(joined, real))
        return rt_error_set(err, RT_NOT_FOUND, "%s: %s", joined, strerror(errno));
    enum rt_status status = check_secret(request, real, err);
    if (status)
        return status;
    while (size > 1 && joined[size - 1] == '/')
        joined[--size] = 0;
    // Dots mean other folders once links are gone.
    bool plain = !strstr(joined, "/./") && !strstr(joined, "/..") && !strstr(joined, "//");
    ret_path->real = rt_arena_strdup(arena, real);
    ret_path->seen = rt_arena_strdup(arena, plain ? joined : real);
    return ret_path->real && ret_path->seen ? RT_OK
                                            : rt_error_set(err, RT_NO_MEMORY, "out of memory");
}

static enum rt_status find_program(const struct rt_sandbox_request *request,
                                   struct rt_arena *arena, struct rt_sandbox_path *ret_path,
                                   struct rt_error *err)
{
    const char *name = request->command[0];
    char path[PATH_MAX];
    if (strchr(name, '/'))
        return resolve(request, name, arena, ret_path, err);
    for (size_t i = 0; i < sizeof program_folders / sizeof *program_folders; i++) {
        snprintf(path, sizeof path, "%s/%s", program_folders[i], name);
        if (access(path, X_OK) == 0)
            return resolve(request, path, arena, ret_path, err);
    }
    return rt_error_set(err, RT_NOT_FOUND,
                        "command `%s` is not in /usr/local/bin, /usr/bin or /bin; write its whole "
                        "path",
                        name);
}

static enum rt_status check_program(const struct rt_sandbox_plan *plan, struct rt_error *err)
{
    struct stat info;
    if (stat(plan->program, &info) || !S_ISREG(info.st_mode) || !(info.st_mode & 0111))
        return rt_error_set(err, RT_NOT_FOUND, "%s is no program; chmod +x it", plan->program);
    if (plan->drop_user && (info.st_mode & 0005) != 0005)
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "%s: a worker that runs as root runs its commands as nobody, who may "
                            "not read this one; chmod o+rx it, or run the worker as a user",
                            plan->program);
    return RT_OK;
}

// ---- environment and limits

static bool kept(const char *variable, bool job)
{
    static const char *const names[] = {"PATH=",   "HOME=",    "USER=", "LOGNAME=", "LANG=",
                                        "LC_ALL=", "LC_CTYPE=", "TZ=",  "TMPDIR="};
    // What a job's own scheduler says to the programs in it.
    static const char *const job_names[] = {"SLURM_", "CUDA_VISIBLE_DEVICES=", "OMP_",
                                            "ROCR_VISIBLE_DEVICES=", "LD_LIBRARY_PATH="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    for (size_t i = 0; job && i < sizeof job_names / sizeof *job_names; i++)
        if (strncmp(variable, job_names[i], strlen(job_names[i])) == 0)
            return true;
    // And what worker.yaml sets in it: its script lists the names, ":A:B:".
    const char *list = job ? getenv("RINGTRIAL_KEEP") : NULL;
    const char *end = strchr(variable, '=');
    for (const char *at = list; end && at && (at = strchr(at, ':')); at++)
        if (!strncmp(at + 1, variable, (size_t)(end - variable)) &&
            at[1 + (end - variable)] == ':')
            return true;
    return false;
}

static enum rt_status set_environment(struct rt_arena *arena, bool wrapped, bool job,
                                      struct rt_sandbox_plan *plan)
{
    struct rt_sandbox_words words = {.arena = arena};
    // A sandbox makes the command's environment itself; this one is for its own start.
    if (wrapped)
        RT_SANDBOX_ADD(&words, "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/tmp");
    for (size_t i = 0; !wrapped && environ && environ[i]; i++)
        if (kept(environ[i], job))
            rt_sandbox_add(&words, environ[i]);
    if (!wrapped)
        rt_sandbox_add(&words, "RINGTRIAL_COMMAND=1");
    plan->envp = words_end(&words);
    return plan->envp ? RT_OK : RT_NO_MEMORY;
}

static void add_limit(struct rt_sandbox_plan *plan, int resource, uint64_t value, bool wanted)
{
    if (!wanted)
        return;
    plan->limits[plan->limit_count].resource = resource;
    plan->limits[plan->limit_count++].value = value;
}

static void set_limits(const struct rt_sandbox_request *request,
                       const struct rt_sandbox_host *host, struct rt_sandbox_plan *plan)
{
    const struct rt_lab_confine *confine = request->confine;
    uint64_t at_once = request->at_once ? request->at_once : 1;
    add_limit(plan, RLIMIT_AS, confine->memory_bytes, confine->memory_bytes > 0);
    add_limit(plan, RLIMIT_FSIZE, confine->file_size_bytes, confine->file_size_bytes > 0);
    add_limit(plan, RLIMIT_CPU, confine->cpu_seconds, confine->cpu_seconds > 0);
    add_limit(plan, RLIMIT_NOFILE, confine->open_files, confine->open_files > 0);
    add_limit(plan, RLIMIT_MSGQUEUE, 0, true);
    add_limit(plan, RLIMIT_CORE, 0, true);
    // bubblewrap's is set inside, where the sandbox alone is counted. Elsewhere the kernel counts
    // all that this user runs, other trials included.
    if (request->sandbox != RT_SANDBOX_BWRAP)
        add_limit(plan, RLIMIT_NPROC, host->running + confine->processes * at_once,
                  confine->processes > 0);
}

// ---- composing

static const char *word_of(const struct rt_sandbox_request *request)
{
    bool network = request->confine->network == RT_LAB_NETWORK_HOST;
    if (request->sandbox == RT_SANDBOX_BWRAP)
        return network ? "bwrap, network host" : "bwrap";
    if (request->sandbox == RT_SANDBOX_APPTAINER)
        return network ? "apptainer, network host" : "apptainer";
    return rt_sandbox_word(request->sandbox);
}

static enum rt_status check_tools(const struct rt_sandbox_request *request,
                                  const struct rt_sandbox_host *host, struct rt_error *err)
{
    if (request->sandbox == RT_SANDBOX_BWRAP && !host->bwrap)
        return rt_error_set(err, RT_UNSUPPORTED,
                            "sandbox bwrap: bubblewrap is not on this machine; apt-get install "
                            "bubblewrap, or name another `sandbox` (docs/EXECUTORS.md)");
    if (request->sandbox == RT_SANDBOX_BWRAP && request->confine->processes && !host->prlimit)
        return rt_error_set(err, RT_UNSUPPORTED,
                            "sandbox bwrap: prlimit is not on this machine; apt-get install "
                            "util-linux");
    if (request->sandbox == RT_SANDBOX_APPTAINER && !host->apptainer)
        return rt_error_set(err, RT_UNSUPPORTED,
                            "sandbox apptainer: apptainer is not on this machine; install it from "
                            "apptainer.org, or name another `sandbox` (docs/EXECUTORS.md)");
    return RT_OK;
}

static enum rt_status add_paths(const struct rt_sandbox_request *request, struct rt_arena *arena,
                                struct rt_sandbox_path *paths, size_t *count,
                                struct rt_error *err)
{
    const struct rt_lab_confine *confine = request->confine;
    enum rt_status status = RT_OK;
    if (request->sandbox == RT_SANDBOX_APPTAINER)
        status = resolve(request, confine->image, arena, &paths[(*count)++], err);
    for (size_t i = 0; i < confine->read_only_count && !status; i++) {
        if (*count == PATHS_MOST - 1)
            return rt_error_set(err, RT_TOO_LARGE, "`read_only` has more than 64 paths");
        status = resolve(request, confine->read_only[i], arena, &paths[(*count)++], err);
        if (status)
            rt_error_wrap(err, "read_only");
    }
    return status;
}

// The command as it is, under limits alone.
static void add_plain(const struct rt_sandbox_request *request, const char *program,
                      struct rt_sandbox_words *argv)
{
    rt_sandbox_add(argv, program);
    for (size_t i = 1; i < request->command_count; i++)
        rt_sandbox_add(argv, request->command[i]);
}

static bool is_bound(const char *path, const struct rt_sandbox_path *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (under(path, paths[i].seen))
            return true;
    return under(path, "/usr") || under(path, "/bin");
}

enum rt_status rt_sandbox_compose(const struct rt_sandbox_request *request,
                                  const struct rt_sandbox_host *host, struct rt_arena *arena,
                                  struct rt_sandbox_plan *ret_plan, struct rt_error *err)
{
    bool bwrap = request->sandbox == RT_SANDBOX_BWRAP;
    bool image = request->sandbox == RT_SANDBOX_APPTAINER;
    struct rt_sandbox_path paths[PATHS_MOST], program = {"", ""};
    size_t path_count = 0;
    struct rt_sandbox_words argv = {.arena = arena};
    struct rt_sandbox_plan plan = {.word = word_of(request),
                                   .program = "",
                                   .start = bwrap || image ? "/" : request->folder,
                                   .drop_user = bwrap && host->root,
                                   .own_generations = bwrap ? 2 : image ? 1 : 0};
    RT_ASSERT(request->command_count > 0);
    enum rt_status status = check_tools(request, host, err);
    if (!status)
        status = add_paths(request, arena, paths, &path_count, err);
    if (!status && !image)
        status = find_program(request, arena, &program, err);
    plan.program = program.seen;
    if (!status && !image)
        status = check_program(&plan, err);
    if (status)
        return status;
    if (bwrap && !is_bound(program.seen, paths, path_count))
        paths[path_count++] = program;
    if (bwrap)
        rt_sandbox_bwrap(request, host, plan.program, paths, path_count, &argv);
    else if (image)
        rt_sandbox_apptainer(request, host, paths, path_count, &argv);
    else
        add_plain(request, plan.program, &argv);
    set_limits(request, host, &plan);
    plan.argv = words_end(&argv);
    if (!plan.argv || set_environment(arena, bwrap || image,
                                      request->sandbox == RT_SANDBOX_SLURM_JOB, &plan))
        return rt_error_set(err, RT_NO_MEMORY, "the command line is too long");
    *ret_plan = plan;
    return RT_OK;
}
