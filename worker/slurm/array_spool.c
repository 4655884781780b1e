// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/array_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "proto/doc/labconfig_doc.h"

#define SMALL_FILE    4096
#define TEXT_MOST     262144
#define SCENARIO_MOST ((size_t)16 << 20)
#define ENTRIES_MOST  16384 // of a job's folder

static const uint8_t no_salt[RT_SALT_BYTES];

static enum rt_status encode(const struct rt_scenario *scenario, struct rt_buf *out,
                             struct rt_digest *ret_digest)
{
    enum rt_status status = rt_scenario_encode(scenario, no_salt, out);
    if (!status)
        status = rt_buf_ok(out);
    if (!status)
        rt_sha256(rt_buf_bytes(out), ret_digest);
    return status;
}

enum rt_status rt_array_scenario_digest(const struct rt_scenario *scenario,
                                        struct rt_digest *ret_digest)
{
    struct rt_buf object;
    rt_buf_init(&object, SCENARIO_MOST);
    enum rt_status status = encode(scenario, &object, ret_digest);
    rt_buf_release(&object);
    return status;
}

// ---- writing

static enum rt_status write_file(const struct rt_slurm_folder *folder, const char *name,
                                 struct rt_bytes bytes, mode_t mode, struct rt_error *err)
{
    char path[PATH_MAX];
    if (rt_path_join(path, sizeof path, folder->path, name))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path is too long", folder->path);
    return rt_file_write(path, bytes, mode, err);
}

enum rt_status rt_array_folder_job(const struct rt_slurm_folder *folder, const char *subject,
                                   uint64_t id, struct rt_error *err)
{
    char line[RT_ID_BYTES + 64];
    snprintf(line, sizeof line, "ringtrial-array 1 %.*s %" PRIu64 "\n", RT_ID_BYTES, subject, id);
    return write_file(folder, "job", rt_bytes_str(line), 0600, err);
}

// The subject as a task sees it: a command, in the job, without keys, endpoints or jobs.
static void write_subject(const struct rt_lab_subject *subject, struct rt_buf *out)
{
    static const char *classes[] = {"public"};
    char nodes[129];
    struct rt_labconfig config = {.lab = ""};
    struct rt_lab_subject one = *subject;
    rt_lab_nodes(subject, nodes, sizeof nodes);
    rt_doc_init(&rt_labconfig_table, &config);
    one.executor = RT_EXECUTOR_COMMAND;
    if (!one.has_sandbox)
        one.sandbox = RT_SANDBOX_SLURM_JOB;
    one.has_sandbox = true;
    one.slurm = NULL;
    one.endpoint_count = one.header_count = one.weights_file_count = one.effect_count = 0;
    one.endpoint = one.key_file = one.key_env = one.ca_file = one.proxy = one.weights_dir = "";
    if (!*one.hardware)
        one.hardware = nodes;
    config.lab = "task";
    config.subjects = &one;
    config.subject_count = 1;
    config.policy.classes = classes;
    config.policy.class_count = 1;
    rt_doc_write(&rt_labconfig_table, &config, out);
}

static enum rt_status write_scenarios(const struct rt_slurm_folder *folder,
                                      const struct rt_array_files *files, struct rt_error *err)
{
    enum rt_status status = RT_OK;
    for (size_t s = 0; s < files->scenario_count && !status; s++) {
        char name[2 * RT_DIGEST_BYTES + 16] = "scenario-";
        struct rt_digest digest;
        struct rt_buf object;
        rt_buf_init(&object, SCENARIO_MOST);
        status = encode(files->scenarios[s], &object, &digest);
        if (status)
            (void)rt_error_set(err, status, "scenario %s: %s", files->scenarios[s]->id,
                               rt_status_text(status));
        else
            rt_hex_encode(digest.bytes, RT_DIGEST_BYTES, name + strlen(name));
        if (!status)
            status = write_file(folder, name, rt_buf_bytes(&object), 0600, err);
        rt_buf_release(&object);
    }
    return status;
}

void rt_array_script(const struct rt_slurm_folder *folder, const struct rt_array_files *files,
                     struct rt_buf *out)
{
    const struct rt_lab_slurm *slurm = files->subject->slurm;
    rt_buf_add_str(out, "#!/bin/bash\n# Written by ringtrial-worker; an array job.\numask 077\n");
    for (size_t i = 0; i < slurm->env_count; i++) {
        rt_buf_printf(out, "export %s=", slurm->env[i].name);
        rt_slurm_quote(slurm->env[i].value, out);
        rt_buf_add_u8(out, '\n');
    }
    rt_buf_add_str(out, "export RINGTRIAL_KEEP=:"); // names that reach the command
    for (size_t i = 0; i < slurm->env_count; i++)
        rt_buf_printf(out, "%s:", slurm->env[i].name);
    rt_buf_add_u8(out, '\n');
    for (size_t i = 0; i < slurm->setup_count; i++)
        rt_buf_printf(out, "%s\n", slurm->setup[i]);
    rt_buf_add_str(out, "exec ");
    rt_slurm_quote(files->worker, out);
    rt_buf_add_str(out, " slurm-task --task \"${SLURM_ARRAY_TASK_ID:-0}\" ");
    rt_slurm_quote(folder->path, out);
    rt_buf_add_u8(out, '\n');
}

static enum rt_status write_text(const struct rt_slurm_folder *folder, const char *name,
                                 struct rt_buf *text, mode_t mode, struct rt_error *err)
{
    enum rt_status status = rt_buf_ok(text);
    if (status)
        (void)rt_error_set(err, status, "the job's %s", name);
    else
        status = write_file(folder, name, rt_buf_bytes(text), mode, err);
    rt_buf_release(text);
    return status;
}

enum rt_status rt_array_folder_make(const struct rt_slurm_folder *folder,
                                    const struct rt_array_files *files, struct rt_error *err)
{
    struct rt_buf text;
    enum rt_status status = rt_file_mkdir(folder->path, 0700, err);
    if (!status)
        status = write_scenarios(folder, files, err);
    if (status)
        return status;
    rt_buf_init(&text, TEXT_MOST);
    write_subject(files->subject, &text);
    status = write_text(folder, "subject.yaml", &text, 0600, err);
    rt_buf_init(&text, TEXT_MOST);
    rt_array_script(folder, files, &text);
    if (!status)
        status = write_text(folder, "script", &text, 0700, err);
    rt_buf_init(&text, RT_TASK_PLAN_MOST);
    rt_task_plan_write(files->plan, &text);
    if (!status)
        status = write_text(folder, "plan", &text, 0600, err);
    rt_buf_release(&text);
    // The last file: a folder without it is no job.
    return status ? status : rt_array_folder_job(folder, files->subject->id, 0, err);
}

// ---- reading

// A regular file of at most out's limit, whatever was put in its place.
static enum rt_status read_plain(const char *folder, const char *name, struct rt_buf *out)
{
    char path[PATH_MAX];
    struct stat info;
    if (rt_path_join(path, sizeof path, folder, name))
        return RT_TOO_LARGE;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ELOOP ? RT_MALFORMED : RT_NOT_FOUND;
    bool fits = !fstat(fd, &info) && S_ISREG(info.st_mode) && info.st_size >= 0 &&
                (uint64_t)info.st_size <= out->limit - out->size;
    enum rt_status status = fits ? RT_OK : RT_MALFORMED;
    size_t left = fits ? (size_t)info.st_size : 0;
    uint8_t *at = left ? rt_buf_extend(out, left) : NULL;
    if (left && !at)
        status = RT_NO_MEMORY;
    while (!status && left) {
        ssize_t got = read(fd, at, left);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            status = RT_MALFORMED; // it shrank
        at += got > 0 ? got : 0;
        left -= got > 0 ? (size_t)got : 0;
    }
    close(fd);
    return status;
}

enum rt_status rt_array_folder_load(const struct rt_slurm_folder *folder, struct rt_arena *arena,
                                    char *ret_subject, uint64_t *ret_id,
                                    struct rt_task_plan *ret_plan)
{
    struct rt_buf text;
    char subject[RT_ID_BYTES + 1];
    int end = 0;
    rt_buf_init(&text, SMALL_FILE);
    enum rt_status status = read_plain(folder->path, "job", &text);
    bool sound = !status &&
                 sscanf(rt_buf_str(&text), "ringtrial-array 1 %64s %" SCNu64 "%n", subject, ret_id,
                        &end) == 2 && end > 0 && rt_id_valid(subject);
    rt_buf_release(&text);
    if (!sound)
        return RT_NOT_FOUND;
    rt_buf_init(&text, RT_TASK_PLAN_MOST);
    status = read_plain(folder->path, "plan", &text);
    if (!status)
        status = rt_task_plan_read(rt_buf_bytes(&text), arena, ret_plan);
    rt_buf_release(&text);
    if (!status)
        memcpy(ret_subject, subject, sizeof subject);
    return status ? RT_NOT_FOUND : RT_OK;
}

static bool number_after(const char *name, const char *head, uint32_t most, uint32_t *ret_number)
{
    size_t size = strlen(head);
    char again[32];
    if (strncmp(name, head, size) || strlen(name) > size + 9)
        return false;
    unsigned long number = strtoul(name + size, NULL, 10);
    snprintf(again, sizeof again, "%lu", number);
    if (strcmp(again, name + size) || number >= most)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

size_t rt_array_folder_results(const struct rt_slurm_folder *folder, uint32_t count,
                               bool *ret_here)
{
    char **names;
    size_t entries, found = 0;
    memset(ret_here, 0, count * sizeof *ret_here);
    if (rt_file_list(folder->path, ENTRIES_MOST, &names, &entries, NULL))
        return 0;
    for (size_t i = 0; i < entries; i++) {
        uint32_t index;
        if (!number_after(names[i], "result-", count, &index))
            continue;
        ret_here[index] = true;
        found++;
    }
    rt_file_list_free(names, entries);
    return found;
}

static void result_name(uint32_t index, char ret_name[32])
{
    snprintf(ret_name, 32, "result-%" PRIu32, index);
}

enum rt_status rt_array_folder_result(const struct rt_slurm_folder *folder, uint32_t index,
                                      struct rt_buf *out)
{
    char name[32];
    result_name(index, name);
    return read_plain(folder->path, name, out);
}

void rt_array_folder_refuse(const struct rt_slurm_folder *folder, uint32_t index)
{
    char name[32], path[PATH_MAX];
    result_name(index, name);
    if (!rt_path_join(path, sizeof path, folder->path, name) && unlink(path) && errno == EISDIR)
        (void)rmdir(path);
}

void rt_array_folder_failed(const struct rt_slurm_folder *folder, uint32_t task, char *ret_text,
                            size_t capacity)
{
    char name[32];
    struct rt_buf text;
    size_t size = 0;
    snprintf(name, sizeof name, "failed-%" PRIu32, task);
    rt_buf_init(&text, SMALL_FILE);
    if (!read_plain(folder->path, name, &text))
        for (; size < text.size && size + 1 < capacity && text.data[size] != '\n'; size++)
            ret_text[size] = text.data[size] >= 0x20 && text.data[size] < 0x7f
                                 ? (char)text.data[size]
                                 : '?';
    ret_text[size] = 0;
    rt_buf_release(&text);
}

void rt_array_folder_remove(const struct rt_slurm_folder *folder)
{
    static const char *const heads[] = {"job",  "script",    "plan",    "subject.yaml",
                                        "log-", "scenario-", "result-", "failed-"};
    char **names, path[PATH_MAX];
    size_t entries;
    if (rt_file_list(folder->path, ENTRIES_MOST, &names, &entries, NULL))
        return;
    for (size_t i = 0; i < entries; i++)
        for (size_t h = 0; h < sizeof heads / sizeof *heads; h++)
            if (!strncmp(names[i], heads[h], strlen(heads[h])) &&
                !rt_path_join(path, sizeof path, folder->path, names[i])) {
                (void)unlink(path);
                break;
            }
    rt_file_list_free(names, entries);
    (void)rmdir(folder->path);
}

// ---- a task's side

static enum rt_status read_scenario(const char *path, const struct rt_digest *digest,
                                    struct rt_arena *arena, struct rt_scenario **ret_scenario)
{
    char name[2 * RT_DIGEST_BYTES + 16] = "scenario-";
    struct rt_digest found;
    struct rt_buf object;
    rt_hex_encode(digest->bytes, RT_DIGEST_BYTES, name + strlen(name));
    rt_buf_init(&object, SCENARIO_MOST);
    enum rt_status status = read_plain(path, name, &object);
    rt_sha256(rt_buf_bytes(&object), &found);
    if (!status && !rt_digest_equal(&found, digest))
        status = RT_CORRUPT;
    if (!status)
        status = rt_scenario_decode(rt_buf_bytes(&object), arena, ret_scenario);
    rt_buf_release(&object);
    return status;
}

static enum rt_status read_scenarios(const char *path, struct rt_arena *arena,
                                     struct rt_array_work *work, struct rt_error *err)
{
    work->scenarios = rt_arena_array(arena, work->plan.count, sizeof *work->scenarios);
    if (!work->scenarios)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < work->plan.count; i++) {
        const struct rt_task_trial *trial = &work->plan.trials[i];
        work->scenarios[i] = NULL;
        for (uint32_t j = i; j-- > 0 && !work->scenarios[i];)
            if (rt_digest_equal(&trial->scenario, &work->plan.trials[j].scenario))
                work->scenarios[i] = work->scenarios[j];
        enum rt_status status = work->scenarios[i]
                                    ? RT_OK
                                    : read_scenario(path, &trial->scenario, arena,
                                                    &work->scenarios[i]);
        if (!status && (trial->arm >= work->scenarios[i]->arm_count ||
                        trial->phrasing >= work->scenarios[i]->phrasing_count))
            status = RT_OUT_OF_RANGE;
        if (status)
            return rt_error_set(err, status, "%s: the scenario of trial %" PRIu32 ": %s", path, i,
                                rt_status_text(status));
    }
    return RT_OK;
}

enum rt_status rt_array_folder_work(const char *path, struct rt_arena *arena,
                                    struct rt_array_work *ret_work, struct rt_error *err)
{
    struct rt_buf text;
    struct rt_array_work work;
    rt_buf_init(&text, RT_TASK_PLAN_MOST);
    enum rt_status status = read_plain(path, "plan", &text);
    if (!status)
        status = rt_task_plan_read(rt_buf_bytes(&text), arena, &work.plan);
    if (status)
        (void)rt_error_set(err, status, "%s/plan: %s", path, rt_status_text(status));
    rt_buf_clear(&text);
    if (!status) {
        status = read_plain(path, "subject.yaml", &text);
        if (status)
            (void)rt_error_set(err, status, "%s/subject.yaml: %s", path, rt_status_text(status));
        else
            status = rt_labconfig_read(rt_buf_bytes(&text), "subject.yaml", arena, &work.config,
                                       NULL, err);
    }
    if (!status && (work.config->subject_count != 1 ||
                    work.config->subjects[0].executor != RT_EXECUTOR_COMMAND))
        status = rt_error_set(err, RT_MALFORMED, "%s/subject.yaml: one subject of executor command "
                              "is expected", path);
    rt_buf_release(&text);
    if (!status)
        status = read_scenarios(path, arena, &work, err);
    if (!status)
        *ret_work = work;
    return status;
}
