// SPDX-License-Identifier: Apache-2.0
// The auditor's commands; main.c lists them. Each prints its result on standard output (JSON with
// --json) and its failure through err.
#ifndef RT_AUDITOR_COMMANDS_H
#define RT_AUDITOR_COMMANDS_H

#include "common/base/option.h"

extern const struct rt_command rt_command_verify;
extern const struct rt_command rt_command_show;
extern const struct rt_command rt_command_report;
extern const struct rt_command rt_command_mirror;
extern const struct rt_command rt_command_witness;
extern const struct rt_command rt_command_diff;
extern const struct rt_command rt_command_compare;

// `report BUNDLE`: settings is a struct rt_audit_report_settings (command_report.h).
enum rt_status rt_audit_report_bundle(const void *settings, const struct rt_text_list *operands,
                                      struct rt_error *err);

#endif
