// SPDX-License-Identifier: Apache-2.0
#include "worker/home.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "proto/doc/doc.h"

#define ARENA_MOST ((size_t)64 << 20)

enum rt_status rt_home_path(const char *folder, const char *path, char *ret_path,
                            struct rt_error *err)
{
    char expanded[PATH_MAX];
    enum rt_status status = rt_path_expand(expanded, sizeof expanded, path);
    if (!status && expanded[0] == '/')
        memcpy(ret_path, expanded, strlen(expanded) + 1);
    else if (!status)
        status = rt_path_join(ret_path, PATH_MAX, folder, expanded);
    return status ? rt_error_set(err, status, "%s: path too long", path) : RT_OK;
}

// ---- passphrases

static enum rt_status read_line(int fd, char *out, size_t capacity)
{
    size_t size = 0;
    char byte;
    ssize_t got;
    while ((got = read(fd, &byte, 1)) == 1 && byte != '\n') {
        if (size + 1 >= capacity)
            return RT_TOO_LARGE;
        out[size++] = byte;
    }
    out[size] = 0;
    return got < 0 || !size ? RT_IO : RT_OK;
}

static enum rt_status ask(int fd, const char *prompt, char *out)
{
    struct termios shown, hidden;
    if (tcgetattr(fd, &shown))
        return RT_IO;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    if (dprintf(fd, "%s", prompt) < 0 || tcsetattr(fd, TCSAFLUSH, &hidden))
        return RT_IO;
    enum rt_status status = read_line(fd, out, RT_PASSPHRASE_BYTES);
    tcsetattr(fd, TCSAFLUSH, &shown);
    dprintf(fd, "\n");
    return status;
}

static enum rt_status ask_on_terminal(const char *what, bool confirm, char *out,
                                      struct rt_error *err)
{
    char prompt[256], again[RT_PASSPHRASE_BYTES];
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return rt_error_set(err, RT_NOT_PERMITTED,
                            "%s needs a passphrase and there is no terminal to ask on; give "
                            "--passphrase-file FILE, or make keys with --no-passphrase", what);
    snprintf(prompt, sizeof prompt, "passphrase of %s: ", what);
    enum rt_status status = ask(fd, prompt, out);
    if (!status && confirm) {
        status = ask(fd, "the same again: ", again);
        if (!status && strcmp(out, again))
            status = RT_CONFLICT;
        sodium_memzero(again, sizeof again);
    }
    close(fd);
    return status ? rt_error_set(err, status, status == RT_CONFLICT
                                                  ? "the two passphrases differ"
                                                  : "cannot read a passphrase") : RT_OK;
}

enum rt_status rt_passphrase_read(const char *file, const char *what, bool confirm, char *out,
                                  struct rt_error *err)
{
    if (!file)
        return ask_on_terminal(what, confirm, out, err);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rt_error_errno(err, errno, "cannot open %s", file);
    enum rt_status status = read_line(fd, out, RT_PASSPHRASE_BYTES);
    close(fd);
    return status ? rt_error_set(err, RT_MALFORMED, "%s: the first line is not a passphrase", file)
                  : RT_OK;
}

// ---- opening

static enum rt_status read_document(const char *path, struct rt_buf *out, struct rt_error *err)
{
    rt_buf_init(out, RT_DOC_FILE_MOST);
    return rt_file_read(path, out, err);
}

static void log_notes(const struct rt_notes *notes)
{
    const char *line = rt_buf_str(&notes->text);
    while (*line) {
        size_t size = strcspn(line, "\n");
        rt_log_warn("worker.yaml", "note=\"%.*s\"", (int)size, line);
        line += size + (line[size] == '\n');
    }
}

static enum rt_status read_config(struct rt_home *home, struct rt_error *err)
{
    struct rt_buf text;
    struct rt_notes notes;
    rt_notes_init(&notes);
    enum rt_status status = read_document(home->path, &text, err);
    if (!status)
        status = rt_labconfig_read(rt_buf_bytes(&text), home->path, &home->arena, &home->config,
                                   &notes, err);
    if (!status)
        log_notes(&notes);
    rt_notes_release(&notes);
    rt_buf_release(&text);
    if (!status)
        status = rt_home_path(home->folder, home->config->state, home->state, err);
    return status ? status : rt_home_path(home->folder, home->config->keys, home->keys, err);
}

static enum rt_status read_invite(struct rt_home *home, struct rt_error *err)
{
    char path[PATH_MAX];
    struct rt_buf text;
    enum rt_status status = rt_home_path(home->folder, home->config->invite, path, err);
    if (status)
        return status;
    status = read_document(path, &text, err);
    if (!status) {
        rt_sha256(rt_buf_bytes(&text), &home->invite_digest);
        status = rt_invite_read(rt_buf_bytes(&text), path, &home->arena, &home->invite, err);
    }
    rt_buf_release(&text);
    if (!status && strcmp(home->invite->lab, home->config->lab))
        status = rt_error_set(err, RT_CONFLICT, "%s is for lab %s, and %s is of lab %s", path,
                              home->invite->lab, home->path, home->config->lab);
    return status;
}

static enum rt_status load_sign(const char *path, const char *passphrase_file,
                                struct rt_secret_key **ret_key, struct rt_error *err)
{
    struct rt_buf file;
    char passphrase[RT_PASSPHRASE_BYTES];
    rt_buf_init(&file, 1 << 16);
    enum rt_status status = rt_file_read(path, &file, err);
    bool encrypted = !status && rt_secret_key_file_encrypted(rt_buf_bytes(&file));
    if (file.data)
        sodium_memzero(file.data, file.size);
    rt_buf_release(&file);
    if (encrypted)
        status = rt_passphrase_read(passphrase_file, path, false, passphrase, err);
    if (!status)
        status = rt_secret_key_load(path, encrypted ? passphrase : NULL, ret_key, err);
    sodium_memzero(passphrase, sizeof passphrase);
    return status;
}

static enum rt_status load_keys(struct rt_home *home, const char *passphrase_file,
                                struct rt_error *err)
{
    char path[PATH_MAX];
    if (rt_path_join(path, sizeof path, home->keys, "lab.key"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", home->keys);
    enum rt_status status = load_sign(path, passphrase_file, &home->sign, err);
    if (status)
        return status;
    if (rt_path_join(path, sizeof path, home->keys, "transport.key"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", home->keys);
    return rt_curve_load(path, &home->curve, err);
}

static enum rt_status open_home(struct rt_home *home, const char *path, enum rt_home_part part,
                                const char *passphrase_file, struct rt_error *err)
{
    if (strlen(path) >= sizeof home->path)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", path);
    memcpy(home->path, path, strlen(path) + 1);
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(home->folder, sizeof home->folder, "%.*s", (int)(slash - path + 1), path);
    else
        snprintf(home->folder, sizeof home->folder, ".");
    if (!rt_file_exists(path))
        return rt_error_set(err, RT_NOT_FOUND, "%s: no such file; `ringtrial-worker join "
                            "LAB.invite` writes it, or name it with --config", path);
    enum rt_status status = read_config(home, err);
    if (!status && part != RT_HOME_PLAIN)
        status = read_invite(home, err);
    return status || part != RT_HOME_KEYS ? status : load_keys(home, passphrase_file, err);
}

enum rt_status rt_home_open(const char *path, enum rt_home_part part, const char *passphrase_file,
                            struct rt_home **ret_home, struct rt_error *err)
{
    struct rt_home *home = calloc(1, sizeof *home);
    if (!home)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    rt_arena_init(&home->arena, ARENA_MOST);
    enum rt_status status =
        open_home(home, path ? path : RT_HOME_CONFIG, part, passphrase_file, err);
    if (status) {
        rt_home_free(home);
        return status;
    }
    *ret_home = home;
    return RT_OK;
}

void rt_home_free(struct rt_home *home)
{
    if (!home)
        return;
    rt_secret_key_free(home->sign);
    rt_curve_free(home->curve);
    rt_arena_release(&home->arena);
    free(home);
}
