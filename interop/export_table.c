// SPDX-License-Identifier: Apache-2.0
#include "interop/export_table.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/file.h"
#include "interop/inspect_write.h"
#include "interop/tidy.h"

#define LINE_MOST  ((size_t)64 << 20)
#define TABLE_MOST ((size_t)1 << 30)
#define ARENA_MOST ((size_t)4 << 30)

// Our own fields of the sample, and what was said.
static enum rt_status line_of(const struct rt_interop_trial *trial,
                              const struct rt_scenario *scenario, struct rt_buf *out)
{
    json_t *sample = NULL;
    enum rt_status status = rt_inspect_sample(trial, scenario, &sample);
    if (status)
        return status;
    json_t *line = json_object_get(json_object_get(sample, "metadata"), "ringtrial");
    json_object_set_new(line, "temperature", json_real((double)trial->temperature_micro / 1e6));
    json_object_set(line, "messages",
                    trial->transcript ? json_object_get(sample, "messages") : json_null());
    status = rt_inspect_dump(line, out);
    rt_buf_add_u8(out, '\n');
    json_decref(sample);
    return status ? status : rt_buf_ok(out);
}

static enum rt_status write_lines(struct rt_collected *collected, FILE *file,
                                  struct rt_export_sums *sums, struct rt_error *err)
{
    struct rt_arena arena;
    struct rt_buf out;
    rt_arena_init(&arena, ARENA_MOST);
    rt_buf_init(&out, LINE_MOST);
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < collected->trial_count && !status; i++) {
        struct rt_interop_trial trial;
        struct rt_trial place;
        uint32_t lab;
        rt_arena_clear(&arena);
        rt_buf_clear(&out);
        rt_collected_place(collected, i, &lab, &place);
        status = rt_collected_trial(collected, i, true, &arena, &trial, err);
        if (status)
            break;
        uint32_t scenario = collected->campaign->prompts[place.prompt].scenario;
        status = rt_interop_redact(&trial, collected->scenarios[scenario], &arena);
        if (!status)
            status = line_of(&trial, collected->scenarios[scenario], &out);
        if (status)
            rt_error_set(err, status, "trial %llu: %s", (unsigned long long)trial.number,
                         rt_status_text(status));
        fwrite(out.data, 1, out.size, file);
        sums->trials++;
        sums->with_transcript += trial.transcript != NULL;
        sums->kept_away += !trial.transcript && rt_interop_has_commitment(&trial);
    }
    rt_buf_release(&out);
    rt_arena_release(&arena);
    return status;
}

enum rt_status rt_jsonl_export(struct rt_collected *collected, const char *folder,
                               struct rt_export_sums *ret_sums, struct rt_error *err)
{
    char path[PATH_MAX], partial[PATH_MAX + 16];
    *ret_sums = (struct rt_export_sums){0};
    enum rt_status status = rt_file_mkdir(folder, 0755, err);
    if (status)
        return status;
    if (rt_path_join(path, sizeof path, folder, "trials.jsonl"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", folder);
    snprintf(partial, sizeof partial, "%s.partial", path);
    FILE *file = fopen(partial, "we");
    if (!file)
        return rt_error_errno(err, errno, "%s", partial);
    status = write_lines(collected, file, ret_sums, err);
    bool bad = ferror(file) || fflush(file) || fsync(fileno(file));
    int why = errno;
    if ((fclose(file) || bad) && !status)
        status = rt_error_errno(err, why, "%s", path);
    if (!status && rename(partial, path))
        status = rt_error_errno(err, errno, "%s", path);
    if (status)
        unlink(partial);
    return status;
}

enum rt_status rt_csv_export(struct rt_collected *collected, const char *folder,
                             struct rt_export_sums *ret_sums, struct rt_error *err)
{
    char path[PATH_MAX];
    struct rt_arena arena;
    struct rt_buf out;
    struct rt_study study;
    *ret_sums = (struct rt_export_sums){.trials = collected->trial_count};
    enum rt_status status = rt_file_mkdir(folder, 0755, err);
    if (status)
        return status;
    if (rt_path_join(path, sizeof path, folder, "cells.csv"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: the path is too long", folder);
    rt_arena_init(&arena, ARENA_MOST);
    rt_buf_init(&out, TABLE_MOST);
    status = rt_collected_study(collected, &arena, &study, err);
    if (!status && (status = rt_interop_tidy(&study, &out)))
        rt_error_set(err, status, "%s: %s", path, rt_status_text(status));
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&out), 0644, err);
    rt_buf_release(&out);
    rt_arena_release(&arena);
    return status;
}
