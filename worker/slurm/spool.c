// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/spool.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"

#define SMALL_FILE  4096
#define SCRIPT_MOST 262144

static const char *const files[] = {"job", "script", "key", "log", "where", "warned", "ended"};

enum rt_status rt_slurm_prefix(const char *lab, const char *state,
                               char ret_prefix[RT_SLURM_PREFIX_BYTES], struct rt_error *err)
{
    char path[PATH_MAX], hex[9];
    struct rt_buf text;
    uint8_t bytes[4];
    if (rt_path_join(path, sizeof path, state, "slurm-instance"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path is too long", state);
    rt_buf_init(&text, 64);
    enum rt_status status = RT_OK;
    if (rt_file_exists(path))
        status = rt_file_read(path, &text, err);
    if (!status && (text.size < 8 || rt_hex_decode(rt_buf_str(&text), 8, bytes, sizeof bytes))) {
        randombytes_buf(bytes, sizeof bytes);
        rt_hex_encode(bytes, sizeof bytes, hex);
        status = rt_file_write(path, rt_bytes_str(hex), 0600, err);
    }
    rt_hex_encode(bytes, sizeof bytes, hex);
    snprintf(ret_prefix, RT_SLURM_PREFIX_BYTES, "rt-%.*s-%s", RT_ID_BYTES, lab, hex);
    rt_buf_release(&text);
    return status;
}

enum rt_status rt_slurm_folder_of(const char *spool, const char *prefix, uint64_t token,
                                  struct rt_slurm_folder *ret_folder)
{
    snprintf(ret_folder->name, sizeof ret_folder->name, "%.*s-%016" PRIx64,
             RT_SLURM_PREFIX_BYTES - 1, prefix, token);
    return rt_path_join(ret_folder->path, sizeof ret_folder->path, spool, ret_folder->name);
}

static enum rt_status write_file(const struct rt_slurm_folder *folder, const char *name,
                                 struct rt_bytes bytes, mode_t mode, struct rt_error *err)
{
    char path[PATH_MAX];
    if (rt_path_join(path, sizeof path, folder->path, name))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path is too long", folder->path);
    return rt_file_write(path, bytes, mode, err);
}

enum rt_status rt_slurm_folder_job(const struct rt_slurm_folder *folder, const char *subject,
                                   uint64_t id, struct rt_error *err)
{
    char line[RT_ID_BYTES + 64];
    snprintf(line, sizeof line, "ringtrial-pilot 1 %.*s %" PRIu64 "\n", RT_ID_BYTES, subject, id);
    return write_file(folder, "job", rt_bytes_str(line), 0600, err);
}

enum rt_status rt_slurm_folder_make(const struct rt_slurm_folder *folder,
                                    const struct rt_lab_subject *subject,
                                    char ret_key[RT_SLURM_KEY_BYTES], struct rt_error *err)
{
    struct rt_buf script;
    ret_key[0] = 0;
    enum rt_status status = rt_file_mkdir(folder->path, 0700, err);
    if (!status)
        status = rt_slurm_folder_job(folder, subject->id, 0, err);
    if (!status && subject->key_per_job) {
        uint8_t secret[32];
        randombytes_buf(secret, sizeof secret);
        rt_hex_encode(secret, sizeof secret, ret_key);
        sodium_memzero(secret, sizeof secret);
        status = write_file(folder, "key", rt_bytes_str(ret_key), 0600, err);
    }
    if (status)
        return status;
    rt_buf_init(&script, SCRIPT_MOST);
    rt_slurm_pilot_script(folder, subject, &script);
    status = rt_buf_ok(&script);
    if (status)
        (void)rt_error_set(err, status, "subject %s: the job's script", subject->id);
    else
        status = write_file(folder, "script", rt_buf_bytes(&script), 0700, err);
    rt_buf_release(&script);
    return status;
}

static enum rt_status read_small(const struct rt_slurm_folder *folder, const char *name,
                                 struct rt_buf *text)
{
    char path[PATH_MAX];
    struct rt_error err;
    rt_buf_init(text, SMALL_FILE);
    if (rt_path_join(path, sizeof path, folder->path, name) || access(path, R_OK) ||
        rt_file_read(path, text, &err)) {
        rt_buf_release(text);
        return RT_NOT_FOUND;
    }
    return RT_OK;
}

enum rt_status rt_slurm_folder_load(const struct rt_slurm_folder *folder, char *ret_subject,
                                    uint64_t *ret_id, char ret_key[RT_SLURM_KEY_BYTES])
{
    struct rt_buf text;
    char subject[RT_ID_BYTES + 1];
    int end = 0;
    ret_key[0] = 0;
    if (read_small(folder, "job", &text))
        return RT_NOT_FOUND;
    bool sound = sscanf(rt_buf_str(&text), "ringtrial-pilot 1 %64s %" SCNu64 "%n", subject, ret_id,
                        &end) == 2 && end > 0 && rt_id_valid(subject);
    rt_buf_release(&text);
    if (!sound)
        return RT_NOT_FOUND;
    memcpy(ret_subject, subject, sizeof subject);
    if (read_small(folder, "key", &text))
        return RT_OK;
    if (text.size == RT_SLURM_KEY_BYTES - 1)
        memcpy(ret_key, rt_buf_str(&text), RT_SLURM_KEY_BYTES);
    rt_buf_release(&text);
    return RT_OK;
}

void rt_slurm_folder_remove(const struct rt_slurm_folder *folder)
{
    char path[PATH_MAX];
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        if (!rt_path_join(path, sizeof path, folder->path, files[f]))
            (void)unlink(path);
    (void)rmdir(folder->path);
}

enum rt_status rt_slurm_folder_where(const struct rt_slurm_folder *folder,
                                     struct rt_slurm_where *ret_where)
{
    struct rt_buf text;
    if (read_small(folder, "where", &text))
        return RT_NOT_FOUND;
    enum rt_status status = rt_slurm_where_read(rt_buf_bytes(&text), ret_where);
    rt_buf_release(&text);
    return status;
}

uint64_t rt_slurm_folder_mark(const struct rt_slurm_folder *folder, const char *file)
{
    struct rt_buf text;
    if (read_small(folder, file, &text))
        return 0;
    uint64_t start = strtoull(rt_buf_str(&text), NULL, 10);
    rt_buf_release(&text);
    return start;
}

// ---- the script

void rt_slurm_quote(const char *text, struct rt_buf *out)
{
    rt_buf_add_u8(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            rt_buf_add_str(out, "'\\''");
        else
            rt_buf_add_u8(out, (uint8_t)*text);
    }
    rt_buf_add_u8(out, '\'');
}

// One word of shell in which {node}, {port} and {key_file} are the script's own variables.
static void quote_filled(const char *text, struct rt_buf *out)
{
    static const struct {
        const char *mark, *variable;
    } marks[] = {{"{node}", "\"$RINGTRIAL_NODE\""},
                 {"{port}", "\"$RINGTRIAL_PORT\""},
                 {"{key_file}", "\"$RINGTRIAL_KEY_FILE\""}};
    bool open = false; // within single quotes
    if (!*text)
        rt_buf_add_str(out, "''");
    while (*text) {
        size_t m = 0, count = sizeof marks / sizeof *marks;
        while (m < count && strncmp(text, marks[m].mark, strlen(marks[m].mark)))
            m++;
        if ((m < count) == open) {
            rt_buf_add_u8(out, '\'');
            open = !open;
        }
        if (m < count) {
            rt_buf_add_str(out, marks[m].variable);
            text += strlen(marks[m].mark);
            continue;
        }
        if (*text == '\'')
            rt_buf_add_str(out, "'\\''");
        else
            rt_buf_add_u8(out, (uint8_t)*text);
        text++;
    }
    if (open)
        rt_buf_add_u8(out, '\'');
}

// A port that nothing on the node answers at, told apart from the others by the job's number; the
// shell's own /dev/tcp needs no further program.
static const char choose_port[] =
    "RINGTRIAL_PORT=$((20000 + SLURM_JOB_ID % 12000))\n"
    "while (exec 3<>\"/dev/tcp/127.0.0.1/$RINGTRIAL_PORT\") 2>/dev/null; do\n"
    "    RINGTRIAL_PORT=$((RINGTRIAL_PORT + 1))\n"
    "done\n";

// What a job does: it says where it listens, starts the server, passes Slurm's warning on, and ends
// when the server does, when its folder is gone, or when no worker has shown itself for a while.
static const char watch[] =
    "say() { printf '%s\\n' \"$2\" > \"$folder/.$1\" && mv -f \"$folder/.$1\" \"$folder/$1\"; }\n"
    "warn() { say warned \"$start\"; }\n"
    "leave() { trap '' TERM; kill -TERM \"$server\" 2>/dev/null; }\n"
    "trap warn USR1\n"
    "trap leave TERM\n"
    "rm -f \"$folder/ended\" \"$folder/warned\"\n"
    "say where \"ringtrial-job 1 $start $RINGTRIAL_NODE $RINGTRIAL_PORT $SLURM_JOB_ID\"\n";

static const char wait_for_it[] =
    "server=$!\n"
    "sleeper=\n"
    "while kill -0 \"$server\" 2>/dev/null; do\n"
    "    seen=$(stat -c %Y \"$alive\" 2>/dev/null || echo 0)\n"
    "    if [ ! -d \"$folder\" ] || [ $(($(date +%s) - seen)) -gt \"$patience\" ]; then leave; fi\n"
    "    sleep 5 & sleeper=$!\n"
    "    wait -n \"$server\" \"$sleeper\"\n"
    "    kill -KILL \"$sleeper\" 2>/dev/null\n" // it may have been told to ignore TERM
    "done\n"
    "wait \"$server\"\n"
    "code=$?\n"
    "[ ! -d \"$folder\" ] || say ended \"$start $code\"\n"
    "exit \"$code\"\n";

void rt_slurm_pilot_script(const struct rt_slurm_folder *folder,
                           const struct rt_lab_subject *subject, struct rt_buf *out)
{
    const struct rt_lab_slurm *slurm = subject->slurm;
    rt_buf_add_str(out, "#!/bin/bash\n# Written by ringtrial-worker; a job of its own.\numask 077\n"
                        "folder=");
    rt_slurm_quote(folder->path, out);
    rt_buf_printf(out, "\nalive=\"$(dirname \"$folder\")/alive\"\npatience=%" PRId64 "\n",
                  slurm->idle_exit_ms / 1000 + 300);
    rt_buf_add_str(out, "start=$((${SLURM_RESTART_COUNT:-0} + 1))\n"
                        "RINGTRIAL_NODE=${SLURMD_NODENAME:-$(hostname)}\n");
    rt_buf_add_str(out, choose_port);
    rt_buf_add_str(out, "export RINGTRIAL_NODE RINGTRIAL_PORT\n");
    if (subject->key_per_job)
        rt_buf_add_str(out, "export RINGTRIAL_KEY_FILE=\"$folder/key\"\n"
                            "RINGTRIAL_API_KEY=$(cat \"$folder/key\")\n"
                            "export RINGTRIAL_API_KEY\n");
    for (size_t i = 0; i < slurm->env_count; i++) {
        rt_buf_printf(out, "export %s=", slurm->env[i].name);
        rt_slurm_quote(slurm->env[i].value, out);
        rt_buf_add_u8(out, '\n');
    }
    for (size_t i = 0; i < slurm->setup_count; i++)
        rt_buf_printf(out, "%s\n", slurm->setup[i]);
    rt_buf_add_str(out, watch);
    for (size_t i = 0; i < slurm->serve_count; i++) {
        quote_filled(slurm->serve[i], out);
        rt_buf_add_u8(out, ' ');
    }
    rt_buf_add_str(out, "&\n");
    rt_buf_add_str(out, wait_for_it);
}
