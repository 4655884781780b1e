// SPDX-License-Identifier: Apache-2.0
#include "coordinator/commands/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/file.h"

#define PASSPHRASE_BYTES 1024

enum rt_status rt_state_open(const char *folder, bool must_exist, struct rt_state *ret_state,
                             struct rt_error *err)
{
    if (!folder)
        folder = getenv("RINGTRIAL_STATE");
    if (!folder || !*folder)
        folder = "ringtrial-state";
    if (rt_path_expand(ret_state->folder, sizeof ret_state->folder, folder) ||
        rt_path_join(ret_state->store, sizeof ret_state->store, ret_state->folder, "store") ||
        rt_path_join(ret_state->keys, sizeof ret_state->keys, ret_state->folder, "keys") ||
        rt_path_join(ret_state->socket, sizeof ret_state->socket, ret_state->folder, "admin.sock"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    if (must_exist && !rt_file_exists(ret_state->store))
        return rt_error_set(err, RT_NOT_FOUND,
                            "%s is not a coordinator's state folder; make one with "
                            "`ringtrial-coordinator init`, or "
                            "name it with --state",
                            ret_state->folder);
    return RT_OK;
}

static enum rt_status from_file(const char *path, char *ret_text, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, PASSPHRASE_BYTES - 1);
    enum rt_status status = rt_file_check_private(path, err);
    if (!status)
        status = rt_file_read(path, &text, err);
    if (!status) {
        size_t size = strcspn(rt_buf_str(&text), "\r\n");
        memcpy(ret_text, rt_buf_str(&text), size);
        ret_text[size] = 0;
    }
    if (text.data)
        sodium_memzero(text.data, text.capacity);
    rt_buf_release(&text);
    return status;
}

static enum rt_status from_terminal(const char *prompt, char *ret_text, struct rt_error *err)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios old, quiet;
    if (fd < 0 || tcgetattr(fd, &old)) {
        if (fd >= 0)
            close(fd);
        return rt_error_set(err, RT_IO,
                            "a passphrase is needed and there is no terminal; put it into a file "
                            "of mode 0600 and name "
                            "that in RINGTRIAL_PASSPHRASE_FILE");
    }
    quiet = old;
    quiet.c_lflag &= (tcflag_t)~ECHO;
    tcsetattr(fd, TCSAFLUSH, &quiet);
    dprintf(fd, "%s: ", prompt);
    ssize_t size = read(fd, ret_text, PASSPHRASE_BYTES - 1);
    tcsetattr(fd, TCSAFLUSH, &old);
    dprintf(fd, "\n");
    close(fd);
    if (size <= 0)
        return rt_error_set(err, RT_IO, "no passphrase was given");
    ret_text[size] = 0;
    ret_text[strcspn(ret_text, "\r\n")] = 0;
    return RT_OK;
}

enum rt_status rt_state_passphrase(const char *what, bool confirm, char *ret_text,
                                   struct rt_error *err)
{
    const char *path = getenv("RINGTRIAL_PASSPHRASE_FILE");
    if (path && *path)
        return from_file(path, ret_text, err);
    char prompt[300], again[PASSPHRASE_BYTES];
    snprintf(prompt, sizeof prompt, "Passphrase for %.200s", what);
    enum rt_status status = from_terminal(prompt, ret_text, err);
    if (status || !confirm)
        return status;
    status = from_terminal("Once more", again, err);
    if (!status && strcmp(again, ret_text) != 0)
        status = rt_error_set(err, RT_USAGE, "the two passphrases differ; nothing was made");
    sodium_memzero(again, sizeof again);
    return status;
}

enum rt_status rt_state_key_at(const char *path, struct rt_secret_key **ret_key,
                               struct rt_error *err)
{
    struct rt_buf file;
    rt_buf_init(&file, 4096);
    enum rt_status status = rt_file_read(path, &file, err);
    bool encrypted = !status && rt_secret_key_file_encrypted(rt_buf_bytes(&file));
    if (file.data)
        sodium_memzero(file.data, file.capacity);
    rt_buf_release(&file);
    if (status)
        return status;
    if (!encrypted)
        return rt_secret_key_load(path, NULL, ret_key, err);
    char passphrase[PASSPHRASE_BYTES];
    status = rt_state_passphrase(path, false, passphrase, err);
    if (!status)
        status = rt_secret_key_load(path, passphrase, ret_key, err);
    sodium_memzero(passphrase, sizeof passphrase);
    return status;
}

static enum rt_status key_path(const struct rt_state *state, const char *name, const char *ending,
                               char *ret_path, struct rt_error *err)
{
    char file[128];
    snprintf(file, sizeof file, "%.100s.%s", name, ending);
    if (rt_path_join(ret_path, RT_STATE_PATH_BYTES, state->keys, file))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", state->keys);
    return RT_OK;
}

enum rt_status rt_state_key(const struct rt_state *state, const char *name,
                            struct rt_secret_key **ret_key, struct rt_error *err)
{
    char path[RT_STATE_PATH_BYTES];
    enum rt_status status = key_path(state, name, "key", path, err);
    return status ? status : rt_state_key_at(path, ret_key, err);
}

enum rt_status rt_state_curve(const struct rt_state *state, struct rt_curve_secret **ret_key,
                              struct rt_error *err)
{
    char path[RT_STATE_PATH_BYTES];
    enum rt_status status = key_path(state, "curve", "key", path, err);
    return status ? status : rt_curve_load(path, ret_key, err);
}

enum rt_status rt_state_make_key(const struct rt_state *state, const char *name,
                                 const char *passphrase, struct rt_secret_key **ret_key,
                                 struct rt_error *err)
{
    char secret_path[RT_STATE_PATH_BYTES], public_path[RT_STATE_PATH_BYTES];
    enum rt_status status = key_path(state, name, "key", secret_path, err);
    if (!status)
        status = key_path(state, name, "pub", public_path, err);
    if (status)
        return status;
    struct rt_secret_key *key = NULL;
    if (rt_secret_key_generate(&key))
        return rt_error_set(err, RT_IO, "cannot make a key");
    status = rt_secret_key_save(secret_path, key, passphrase, err);
    if (!status)
        status = rt_public_key_save(public_path, rt_secret_key_public(key),
                                    rt_secret_key_number(key), err);
    if (status) {
        rt_secret_key_free(key);
        return status;
    }
    *ret_key = key;
    return RT_OK;
}
