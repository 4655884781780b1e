// SPDX-License-Identifier: Apache-2.0
#include "worker/commands/subject_weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/progress.h"
#include "common/base/text.h"
#include "proto/doc/doc.h"
#include "worker/commands/commands.h"
#include "worker/subject/weights.h"

#define STEP_MS 200

static void draw(struct rt_progress *bar, const char *id, const struct rt_manifest_progress *at,
                 bool force)
{
    struct rt_progress_row row = {id, at->done_bytes >> 20, at->total_bytes >> 20, at->file};
    rt_progress_draw(bar, &row, 1, force);
}

// ---- add

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// The folder of the files, and their names in it.
static enum rt_status split(const struct rt_text_list *paths, struct subject_weights *found,
                            struct rt_error *err)
{
    size_t folder_size = 0;
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i], *slash = strrchr(path, '/');
        size_t size = slash ? (size_t)(slash - path) : 0;
        if (i && (size != folder_size || strncmp(paths->items[0], path, size) != 0))
            return rt_error_set(err, RT_USAGE,
                                "%s: name one folder, or files that lie in one folder", path);
        if (found->file_count == sizeof found->files / sizeof *found->files)
            return rt_error_set(err, RT_USAGE, "too many files: name their folder");
        folder_size = size;
        found->files[found->file_count++] = slash ? slash + 1 : path;
    }
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", folder_size ? (int)folder_size : 1,
             folder_size ? paths->items[0] : paths->items[0][0] == '/' ? "/" : ".");
    return realpath(folder, found->dir)
               ? RT_OK
               : rt_error_set(err, RT_NOT_FOUND, "%s: there is no such folder", folder);
}

static enum rt_status hash_all(const char *state, const char *id, struct subject_weights *found,
                               struct rt_error *err)
{
    char cache[PATH_MAX], name[RT_ID_BYTES + 8];
    struct rt_manifest_scan *scan = NULL;
    struct rt_manifest_progress at;
    struct rt_progress bar;
    struct rt_manifest manifest;
    snprintf(name, sizeof name, "%s.cache", id);
    enum rt_status status = rt_weights_place(state, name, cache, err);
    if (!status)
        status = rt_manifest_begin(found->dir, found->files, found->file_count, cache, &scan, err);
    if (status)
        return status;
    rt_progress_init(&bar, STDERR_FILENO);
    while ((status = rt_manifest_step(scan, STEP_MS, err)) == RT_AGAIN) {
        rt_manifest_progress(scan, &at);
        draw(&bar, id, &at, false);
    }
    rt_progress_finish(&bar);
    rt_manifest_progress(scan, &at);
    if (!status) {
        rt_manifest_result(scan, &manifest);
        status = rt_weights_keep(state, &manifest, &found->manifest, err);
    }
    if (!status && !rt_globals.quiet)
        printf("%s: %zu files, %.1f MiB (%.1f MiB read)\n", found->dir, manifest.count,
               (double)at.total_bytes / 1048576, (double)at.read_bytes / 1048576);
    rt_manifest_scan_free(scan);
    found->has_manifest = !status;
    return status;
}

static enum rt_status read_state(const char *config, char *ret_state, struct rt_error *err)
{
    struct rt_buf text;
    struct rt_arena arena;
    struct rt_labconfig *lab = NULL;
    char folder[PATH_MAX];
    rt_buf_init(&text, RT_DOC_FILE_MOST);
    rt_arena_init(&arena, (size_t)32 << 20);
    enum rt_status status = rt_file_read(config, &text, err);
    if (!status)
        status = rt_labconfig_read(rt_buf_bytes(&text), config, &arena, &lab, NULL, err);
    if (!status) {
        snprintf(folder, sizeof folder, "%s", config);
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = 0;
        status = rt_home_path(slash ? folder : ".", lab->state, ret_state, err);
    }
    rt_arena_release(&arena);
    rt_buf_release(&text);
    return status;
}

static enum rt_status hash_template(const char *path, struct subject_weights *found,
                                    struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, (size_t)16 << 20);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        rt_sha256(rt_buf_bytes(&text), &found->chat_template);
    found->has_template = !status;
    rt_buf_release(&text);
    return status;
}

enum rt_status rt_subject_weigh(const char *config, const char *id,
                                const struct rt_text_list *paths, const char *chat_template,
                                struct subject_weights *ret_found, struct rt_error *err)
{
    char state[PATH_MAX];
    enum rt_status status = RT_OK;
    *ret_found = (struct subject_weights){0};
    if (paths->count == 1 && is_folder(paths->items[0])) {
        if (!realpath(paths->items[0], ret_found->dir))
            return rt_error_set(err, RT_NOT_FOUND, "%s: there is no such folder", paths->items[0]);
    } else if (paths->count) {
        status = split(paths, ret_found, err);
    }
    if (!status && paths->count)
        status = read_state(config, state, err);
    if (!status && paths->count)
        status = hash_all(state, id, ret_found, err);
    if (!status && chat_template)
        status = hash_template(chat_template, ret_found, err);
    else if (!status && paths->count)
        ret_found->has_template =
            rt_weights_template(ret_found->dir, &ret_found->chat_template);
    return status;
}

// ---- check

struct check_settings {
    const char *state;
};

static enum rt_status check_one(const struct rt_home *home, const struct rt_lab_subject *subject,
                                struct rt_error *err)
{
    struct rt_weights_check *check = NULL;
    struct rt_manifest_progress at;
    struct rt_progress bar;
    enum rt_status status = rt_weights_begin(home, subject, &check, err);
    if (status)
        return status;
    rt_progress_init(&bar, STDERR_FILENO);
    while ((status = rt_weights_step(check, STEP_MS, err)) == RT_AGAIN) {
        rt_weights_progress(check, &at);
        draw(&bar, subject->id, &at, false);
    }
    rt_progress_finish(&bar);
    rt_weights_free(check);
    return status;
}

static enum rt_status check_all(const struct rt_home *home, const char *only, json_t *list,
                                struct rt_error *err)
{
    enum rt_status verdict = RT_OK;
    bool found = !only;
    for (size_t i = 0; i < home->config->subject_count; i++) {
        const struct rt_lab_subject *subject = &home->config->subjects[i];
        struct rt_error why = {RT_OK, ""};
        if (only && strcmp(only, subject->id) != 0)
            continue;
        found = true;
        enum rt_status status = check_one(home, subject, &why);
        const char *word = !status                  ? "same"
                           : status == RT_NOT_FOUND ? "nothing to check"
                                                    : "differs";
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "subject", subject->id, "weights",
                                              word, "why", status ? why.text : ""));
        if (!rt_globals.json)
            printf("%-24s %s%s%s\n", subject->id, word, status ? ": " : "",
                   status ? why.text : "");
        if (status && status != RT_NOT_FOUND)
            verdict = RT_CHECK_FAILED;
    }
    if (!found)
        return rt_error_set(err, RT_NOT_FOUND, "worker.yaml has no subject %s", only);
    return verdict ? rt_error_set(err, verdict, "weights differ from worker.yaml") : RT_OK;
}

static enum rt_status check(const void *place, const struct rt_text_list *operands,
                            struct rt_error *err)
{
    const struct check_settings *settings = place;
    struct rt_home *home = NULL;
    char path[PATH_MAX];
    enum rt_status status = rt_lab_config_path(settings->state, path, err);
    if (!status)
        status = rt_home_open(path, RT_HOME_PLAIN, NULL, &home, err);
    if (status)
        return status;
    json_t *list = json_array();
    status = check_all(home, operands->count ? operands->items[0] : NULL, list, err);
    if (rt_globals.json) {
        enum rt_status printed = rt_print_json(list, status ? NULL : err);
        status = status ? status : printed;
    }
    json_decref(list);
    rt_home_free(home);
    return status;
}

static const struct rt_option check_options[] = {
    RT_LAB_OPTION(struct check_settings),
    {.name = NULL},
};

const struct rt_command rt_command_subject_check = {
    .name = "subject check",
    .summary = "hold the weights on disk against their manifests",
    .operands = "[SUBJECT]",
    .operands_most = 1,
    .options = check_options,
    .settings_size = sizeof(struct check_settings),
    .run = check,
    .example = "ringtrial-worker subject check llama-8b",
    .about = "Only files whose size, times or inode changed are read again. The worker does the "
             "same whenever it opens a subject, and plays no trial while the weights differ. Exit "
             "code 1 when something differs.",
};
