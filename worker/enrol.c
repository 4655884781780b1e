// SPDX-License-Identifier: Apache-2.0
#include "worker/enrol.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "proto/doc/doc.h"
#include "worker/home.h"

// ---- worker.yaml

static void add_list(struct rt_buf *out, const struct rt_text_list *list, const char *otherwise)
{
    if (!list || !list->count) {
        rt_buf_add_str(out, otherwise);
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        rt_buf_printf(out, "%s%s", i ? ", " : "", list->items[i]);
}

static void template_text(const struct rt_enrol_settings *settings, const char *lab,
                          struct rt_buf *out)
{
    rt_buf_printf(out,
                  "# The configuration of lab %s. Paths start at this file's folder.\n"
                  "lab: %s\n"
                  "invite: lab.invite                # the operator's invitation\n"
                  "keys: keys\n"
                  "state: state                      # a local disk: the store of units and "
                  "results\n"
                  "network: {mode: direct}           # or {mode: socks5, via: \"host:port\"}\n",
                  lab, lab);
    if (settings->contact && *settings->contact)
        rt_buf_printf(out, "contact: {on_call: \"%s\"}\n", settings->contact);
    rt_buf_add_str(out,
                   "# What serves each subject here; `ringtrial-worker subject add` writes these:\n"
                   "#   llama-8b: {executor: chat, endpoint: \"http://127.0.0.1:8000/v1\", "
                   "model: llama-8b}\n"
                   "#   synthetic-8b: {executor: builtin}\n"
                   "subjects: {}\n"
                   "policy:                           # this lab's word is final\n"
                   "  classes: [");
    add_list(out, settings->classes, "public, synthetic");
    rt_buf_add_str(out,
                   "]   # data classes that may run here\n"
                   "  campaigns: {approve: by-hand, trust_board: false}\n"
                   "  # hours: [\"mon-fri 19:00-07:00\", \"sat-sun all\"]\n"
                   "  # per_day: {trials: 20000, tokens: 40000000}\n"
                   "  concurrency: 8\n");
}

static bool text_is_plain(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\')
            return false;
    return true;
}

// Parse what was or is to be written, so that a template never has an error of its own.
static enum rt_status check_config(struct rt_bytes text, const char *path, const char *lab,
                                   struct rt_error *err)
{
    struct rt_arena arena;
    struct rt_labconfig *config = NULL;
    rt_arena_init(&arena, (size_t)16 << 20);
    enum rt_status status = rt_labconfig_read(text, path, &arena, &config, NULL, err);
    if (!status && strcmp(config->lab, lab))
        status = rt_error_set(err, RT_CONFLICT, "%s is of lab %s, not %s; choose another folder "
                              "with --state", path, config->lab, lab);
    rt_arena_release(&arena);
    return status;
}

static enum rt_status make_config(const struct rt_enrol_settings *settings, const char *lab,
                                  struct rt_error *err)
{
    char path[PATH_MAX];
    struct rt_buf text;
    if (rt_path_join(path, sizeof path, settings->folder, RT_HOME_CONFIG))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", settings->folder);
    rt_buf_init(&text, RT_DOC_FILE_MOST);
    enum rt_status status = RT_OK;
    bool exists = rt_file_exists(path);
    if (exists)
        status = rt_file_read(path, &text, err);
    else
        template_text(settings, lab, &text);
    if (!status)
        status = check_config(rt_buf_bytes(&text), path, lab, err);
    if (!status && !exists)
        status = rt_file_create(path, rt_buf_bytes(&text), 0600, err);
    rt_buf_release(&text);
    return status;
}

// ---- keys

static enum rt_status make_sign_key(const struct rt_enrol_settings *settings, const char *folder,
                                    const char *passphrase, struct rt_error *err)
{
    char path[PATH_MAX], public_path[PATH_MAX];
    struct rt_secret_key *key = NULL;
    if (rt_path_join(path, sizeof path, folder, "lab.key") ||
        rt_path_join(public_path, sizeof public_path, folder, "lab.pub"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    if (rt_file_exists(path))
        return RT_OK;
    enum rt_status status = RT_OK;
    if (rt_secret_key_generate(&key))
        status = rt_error_set(err, RT_NO_MEMORY, "cannot make a key");
    if (!status)
        status = rt_secret_key_save(path, key, settings->no_passphrase ? NULL : passphrase, err);
    if (!status)
        status = rt_public_key_save(public_path, rt_secret_key_public(key),
                                    rt_secret_key_number(key), err);
    rt_secret_key_free(key);
    return status;
}

static enum rt_status make_transport_key(const char *folder, struct rt_error *err)
{
    char path[PATH_MAX];
    struct rt_curve_secret *secret = NULL;
    if (rt_path_join(path, sizeof path, folder, "transport.key"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    if (rt_file_exists(path))
        return RT_OK;
    if (rt_curve_generate(&secret))
        return rt_error_set(err, RT_NO_MEMORY, "cannot make a key");
    enum rt_status status = rt_curve_save(path, secret, err);
    rt_curve_free(secret);
    return status;
}

// Whatever can be wrong with what was given is said before anything is written. Without a way to
// read a passphrase the command is incomplete: that is usage.
static enum rt_status read_first(const struct rt_enrol_settings *settings, const char *keys,
                                 char *ret_passphrase, struct rt_error *err)
{
    char path[PATH_MAX];
    struct rt_vkey cosigner;
    if (settings->contact && !text_is_plain(settings->contact))
        return rt_error_set(err, RT_USAGE, "--contact takes plain text without quotes");
    if (settings->cosign && (rt_vkey_parse(rt_bytes_str(settings->cosign), &cosigner) ||
                             cosigner.type != RT_NOTE_COSIGNATURE))
        return rt_error_set(err, RT_USAGE,
                            "--cosigner %s: give a witness' verifier key, as "
                            "`ringtrial-audit witness` puts into DIR/witness.vkey",
                            settings->cosign);
    if (rt_path_join(path, sizeof path, keys, "lab.key"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", keys);
    if (settings->no_passphrase || rt_file_exists(path))
        return RT_OK;
    enum rt_status status =
        rt_passphrase_read(settings->passphrase_file, path, true, ret_passphrase, err);
    if (status != RT_NOT_PERMITTED)
        return status;
    if (err)
        err->status = RT_USAGE;
    return RT_USAGE;
}

enum rt_status rt_enrol_init(const struct rt_enrol_settings *settings, const char *lab,
                             struct rt_error *err)
{
    char keys[PATH_MAX], state[PATH_MAX], passphrase[RT_PASSPHRASE_BYTES] = "";
    if (!rt_id_valid(lab))
        return rt_error_set(err, RT_USAGE, "lab id '%s': write lower-case letters, digits, '.', "
                            "'_' and '-'", lab);
    if (rt_path_join(keys, sizeof keys, settings->folder, "keys") ||
        rt_path_join(state, sizeof state, settings->folder, "state"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", settings->folder);
    enum rt_status status = rt_file_check_local(state, err);
    if (!status)
        status = read_first(settings, keys, passphrase, err);
    if (!status)
        status = rt_file_mkdir(keys, 0700, err);
    if (!status)
        status = make_config(settings, lab, err);
    if (!status)
        status = make_sign_key(settings, keys, passphrase, err);
    if (!status)
        status = make_transport_key(keys, err);
    sodium_memzero(passphrase, sizeof passphrase);
    return status ? status : rt_file_mkdir(state, 0700, err);
}

// ---- joining

static enum rt_status keep_invite(const struct rt_enrol_settings *settings, struct rt_bytes text,
                                  struct rt_error *err)
{
    char path[PATH_MAX];
    if (rt_path_join(path, sizeof path, settings->folder, "lab.invite"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", settings->folder);
    return rt_file_write(path, text, 0600, err);
}

static enum rt_status write_enrolment(const struct rt_enrol_settings *settings,
                                      const struct rt_home *home, const char *path,
                                      struct rt_error *err)
{
    static const char *usual[] = {"public", "synthetic"};
    bool given = settings->classes && settings->classes->count;
    const char *classes[RT_TEXT_LIST_MOST], *serves[RT_TEXT_LIST_MOST];
    struct rt_enrolment enrolment = {
        .consortium = home->invite->consortium,
        .lab = home->invite->lab,
        .sign = *rt_secret_key_public(home->sign),
        .curve = *rt_curve_secret_public(home->curve),
        .cosign = settings->cosign ? settings->cosign : "",
        .classes = classes,
        .class_count = given ? settings->classes->count : 2,
        .serves = serves,
        .serve_count = settings->serves ? settings->serves->count : 0,
        .contact = settings->contact ? settings->contact : "",
        .made_ms = rt_time_wall_ms(),
        .invite = home->invite_digest,
    };
    for (size_t i = 0; i < enrolment.class_count; i++)
        classes[i] = given ? settings->classes->items[i] : usual[i];
    for (size_t i = 0; i < enrolment.serve_count; i++)
        serves[i] = settings->serves->items[i];
    struct rt_buf text;
    rt_buf_init(&text, RT_DOC_FILE_MOST);
    enum rt_status status = rt_enrolment_write(&enrolment, home->sign, &text);
    status = status ? rt_error_set(err, status, "cannot write the enrolment: %s",
                                   rt_status_text(status))
                    : rt_file_write(path, rt_buf_bytes(&text), 0644, err);
    rt_buf_release(&text);
    return status;
}

static enum rt_status answer(const struct rt_enrol_settings *settings,
                             struct rt_enrol_joined *ret_joined, struct rt_error *err)
{
    char config[PATH_MAX], name[RT_ID_BYTES + 16];
    struct rt_home *home = NULL;
    if (rt_path_join(config, sizeof config, settings->folder, RT_HOME_CONFIG))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", settings->folder);
    enum rt_status status =
        rt_home_open(config, RT_HOME_KEYS, settings->passphrase_file, &home, err);
    if (status)
        return status;
    snprintf(ret_joined->lab, sizeof ret_joined->lab, "%s", home->invite->lab);
    snprintf(name, sizeof name, "%s.enrolment", home->invite->lab);
    rt_key_words(rt_secret_key_public(home->sign), ret_joined->key_words);
    status = rt_invite_words(home->invite, ret_joined->invite_words);
    if (!status)
        status = rt_path_join(ret_joined->enrolment, sizeof ret_joined->enrolment,
                              settings->folder, name);
    status = status ? rt_error_set(err, status, "%s: path too long", settings->folder)
                    : write_enrolment(settings, home, ret_joined->enrolment, err);
    rt_home_free(home);
    return status;
}

enum rt_status rt_enrol_join(const struct rt_enrol_settings *settings, const char *invite_path,
                             struct rt_enrol_joined *ret_joined, struct rt_error *err)
{
    struct rt_buf text;
    struct rt_arena arena;
    struct rt_invite *invite = NULL;
    rt_buf_init(&text, RT_DOC_FILE_MOST);
    rt_arena_init(&arena, (size_t)16 << 20);
    enum rt_status status = rt_file_read(invite_path, &text, err);
    if (!status)
        status = rt_invite_read(rt_buf_bytes(&text), invite_path, &arena, &invite, err);
    if (!status && invite->expires_ms <= rt_time_wall_ms()) {
        char stamp[RT_STAMP_BYTES];
        rt_stamp_format(invite->expires_ms, stamp);
        status = rt_error_set(err, RT_TOO_LATE, "%s expired at %s; ask the operator for a new "
                              "one", invite_path, stamp);
    }
    if (!status)
        status = rt_enrol_init(settings, invite->lab, err);
    if (!status)
        status = keep_invite(settings, rt_buf_bytes(&text), err);
    if (!status)
        status = answer(settings, ret_joined, err);
    rt_arena_release(&arena);
    rt_buf_release(&text);
    return status;
}
