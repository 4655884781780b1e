// SPDX-License-Identifier: Apache-2.0
// `init` and `join`: a lab's folder, keys and configuration, and the answer to an invitation.
#include <stdio.h>

#include "common/base/json.h"
#include "worker/commands/commands.h"
#include "worker/enrol.h"

struct settings {
    const char *state, *passphrase_file, *lab, *contact, *cosign;
    bool no_passphrase;
    struct rt_text_list classes, serves;
};

static struct rt_enrol_settings enrol_settings(const struct settings *settings)
{
    return (struct rt_enrol_settings){
        .folder = settings->state ? settings->state : ".",
        .no_passphrase = settings->no_passphrase,
        .passphrase_file = settings->passphrase_file,
        .classes = &settings->classes,
        .serves = &settings->serves,
        .contact = settings->contact,
        .cosign = settings->cosign,
    };
}

#define KEY_ROWS                                                                                   \
    RT_LAB_OPTION(struct settings), RT_PASSPHRASE_OPTION(struct settings),                         \
        {.name = "no-passphrase",                                                                  \
         .kind = RT_OPTION_FLAG,                                                                   \
         .offset = offsetof(struct settings, no_passphrase),                                       \
         .help = "Keep the signing key unencrypted, for machines that start by themselves."},      \
        {.name = "class",                                                                          \
         .kind = RT_OPTION_LIST,                                                                   \
         .offset = offsetof(struct settings, classes),                                             \
         .value_name = "CLASS",                                                                    \
         .help = "Data class this lab takes; may be repeated (default public, synthetic)."},       \
        {.name = "contact",                                                                        \
         .kind = RT_OPTION_TEXT,                                                                   \
         .offset = offsetof(struct settings, contact),                                             \
         .value_name = "TEXT",                                                                     \
         .help = "Whom to reach about this lab's worker."}

static const struct rt_option init_options[] = {
    KEY_ROWS,
    {.name = "lab",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, lab),
     .value_name = "ID",
     .help = "Id of the lab.",
     .required = true},
    {.name = NULL},
};

static enum rt_status run_init(const void *place, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_enrol_settings enrol = enrol_settings(settings);
    (void)operands;
    enum rt_status status = rt_enrol_init(&enrol, settings->lab, err);
    if (!status && !rt_globals.quiet)
        printf("lab %s: keys and worker.yaml are in %s\nnext: ringtrial-worker join LAB.invite\n",
               settings->lab, enrol.folder);
    return status;
}

const struct rt_command rt_command_init = {
    .name = "init",
    .summary = "make a lab's folder: keys, worker.yaml, state",
    .operands = "",
    .options = init_options,
    .settings_size = sizeof(struct settings),
    .run = run_init,
    .example = "ringtrial-worker init --lab uni-a --state ~/ringtrial",
    .about = "Makes what is missing and replaces nothing. `join` does the same for the lab an "
             "invitation names, so init is for preparing a machine beforehand.",
};

static const struct rt_option join_options[] = {
    KEY_ROWS,
    {.name = "serves",
     .kind = RT_OPTION_LIST,
     .offset = offsetof(struct settings, serves),
     .value_name = "SUBJECT",
     .help = "Subject this lab can run; may be repeated."},
    {.name = "cosigner",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, cosign),
     .value_name = "VKEY",
     .help = "Key of the lab's witness (DIR/witness.vkey of `ringtrial-audit witness`)."},
    {.name = NULL},
};

static enum rt_status run_join(const void *place, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_enrol_settings enrol = enrol_settings(settings);
    struct rt_enrol_joined joined;
    enum rt_status status = rt_enrol_join(&enrol, operands->items[0], &joined, err);
    if (status)
        return status;
    if (rt_globals.json) {
        json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "lab", joined.lab, "enrolment",
                                 joined.enrolment, "invite_words", joined.invite_words,
                                 "key_words", joined.key_words);
        status = rt_print_json(json, err);
        json_decref(json);
        return status;
    }
    printf("lab           %s\n"
           "invitation    %s\n"
           "key words     %s\n"
           "Read both lines to the operator by telephone: the first must be what they read to\n"
           "you, the second is how they know that this key is yours. Then send them\n"
           "  %s\n"
           "Next: `ringtrial-worker subject add`, and `ringtrial-worker run`.\n",
           joined.lab, joined.invite_words, joined.key_words, joined.enrolment);
    return RT_OK;
}

const struct rt_command rt_command_join = {
    .name = "join",
    .summary = "answer an operator's invitation: keys, worker.yaml, a signed enrolment",
    .operands = "LAB.invite",
    .operands_least = 1,
    .operands_most = 1,
    .options = join_options,
    .settings_size = sizeof(struct settings),
    .run = run_join,
    .example = "ringtrial-worker join uni-a.invite --state ~/ringtrial --serves llama-8b",
    .about = "Makes this lab's signing key and transport key, keeps the invitation, and writes "
             "LAB.enrolment for the operator to admit. Nothing is sent, and private keys stay "
             "here.",
};
