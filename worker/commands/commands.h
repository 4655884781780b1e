// SPDX-License-Identifier: Apache-2.0
// The worker's commands: each file declares its settings, options and run functions; the table in
// main.c lists them. A command prints its result on standard output (JSON with --json) and its
// failure through err. The lab's folder is named by --state.
#ifndef RT_WORKER_COMMANDS_COMMANDS_H
#define RT_WORKER_COMMANDS_COMMANDS_H

#include <stddef.h>

#include "common/base/option.h"

extern const struct rt_command rt_command_init;
extern const struct rt_command rt_command_join;
extern const struct rt_command rt_command_run;
extern const struct rt_command rt_command_status;
extern const struct rt_command rt_command_subject_add;
extern const struct rt_command rt_command_subject_list;
extern const struct rt_command rt_command_subject_check;
extern const struct rt_command rt_command_probe;
extern const struct rt_command rt_command_subject_truth;
extern const struct rt_command rt_command_policy_show;
extern const struct rt_command rt_command_policy_test;
extern const struct rt_command rt_command_accept;
extern const struct rt_command rt_command_decline;
extern const struct rt_command rt_command_estimate;
extern const struct rt_command rt_command_dry_run;
extern const struct rt_command rt_command_replay;
extern const struct rt_command rt_command_export;
extern const struct rt_command rt_command_grade;
extern const struct rt_command rt_command_rescore;
extern const struct rt_command rt_command_rate;
extern const struct rt_command rt_command_leave;
extern const struct rt_command rt_command_load;
extern const struct rt_command rt_command_slurm_task;
extern const struct rt_command rt_command_vault_list;
extern const struct rt_command rt_command_vault_purge;
extern const struct rt_command rt_command_vault_export;
extern const struct rt_command rt_command_resend;
extern const struct rt_command rt_command_install_service;

// Every settings struct that has a `state` member takes this row.
#define RT_LAB_OPTION(TYPE)                                                                        \
    {                                                                                              \
        .name = "state", .letter = 's', .kind = RT_OPTION_TEXT, .offset = offsetof(TYPE, state),   \
        .value_name = "FOLDER",                                                                    \
        .help = "The lab's folder, where worker.yaml is (default: this one).",                     \
    }
#define RT_PASSPHRASE_OPTION(TYPE)                                                                 \
    {                                                                                              \
        .name = "passphrase-file", .kind = RT_OPTION_TEXT,                                         \
        .offset = offsetof(TYPE, passphrase_file), .value_name = "FILE",                           \
        .help = "File whose first line is the signing key's passphrase.",                          \
    }

// FOLDER/worker.yaml; ret_path has PATH_MAX bytes.
enum rt_status rt_lab_config_path(const char *state, char *ret_path,
                                  struct rt_error *err) RT_WARN_UNUSED;
// Print pretty JSON on standard output.
struct json_t;
enum rt_status rt_print_json(const struct json_t *json, struct rt_error *err) RT_WARN_UNUSED;

#endif
