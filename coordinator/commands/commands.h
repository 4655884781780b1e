// SPDX-License-Identifier: Apache-2.0
// The coordinator's commands: each file declares its settings, options and run functions; the table
// in main.c lists them. A command prints its result on standard output (JSON with --json) and its
// failure through err.
#ifndef RT_COORDINATOR_COMMANDS_COMMANDS_H
#define RT_COORDINATOR_COMMANDS_COMMANDS_H

#include "common/base/option.h"

extern const struct rt_command rt_command_init;
extern const struct rt_command rt_command_serve;
extern const struct rt_command rt_command_http_token;
extern const struct rt_command rt_command_roster_show;
extern const struct rt_command rt_command_roster_invite;
extern const struct rt_command rt_command_roster_admit;
extern const struct rt_command rt_command_roster_revoke;
extern const struct rt_command rt_command_roster_sign;
extern const struct rt_command rt_command_roster_update;
extern const struct rt_command rt_command_roster_appoint;
extern const struct rt_command rt_command_rating_sign;
extern const struct rt_command rt_command_rating_submit;
extern const struct rt_command rt_command_campaign_check;
extern const struct rt_command rt_command_campaign_register;
extern const struct rt_command rt_command_campaign_sign;
extern const struct rt_command rt_command_campaign_start;
extern const struct rt_command rt_command_campaign_pause;
extern const struct rt_command rt_command_campaign_resume;
extern const struct rt_command rt_command_campaign_cancel;
extern const struct rt_command rt_command_campaign_close;
extern const struct rt_command rt_command_campaign_lift;
extern const struct rt_command rt_command_bench_lint;
extern const struct rt_command rt_command_bench_card;
extern const struct rt_command rt_command_bench_new;
extern const struct rt_command rt_command_bench_review;
extern const struct rt_command rt_command_schema;
extern const struct rt_command rt_command_status;
extern const struct rt_command rt_command_watch;
extern const struct rt_command rt_command_explain;
extern const struct rt_command rt_command_wait;
extern const struct rt_command rt_command_report;
extern const struct rt_command rt_command_bundle;
extern const struct rt_command rt_command_import_inspect;
extern const struct rt_command rt_command_import_ailuminate;
extern const struct rt_command rt_command_import_promptfoo;
extern const struct rt_command rt_command_import_csv;
extern const struct rt_command rt_command_import_jsonl;
extern const struct rt_command rt_command_export_inspect;
extern const struct rt_command rt_command_export_jsonl;
extern const struct rt_command rt_command_export_csv;
extern const struct rt_command rt_command_incident_open;
extern const struct rt_command rt_command_incident_triage;
extern const struct rt_command rt_command_incident_notify;
extern const struct rt_command rt_command_incident_reply;
extern const struct rt_command rt_command_incident_remedy;
extern const struct rt_command rt_command_incident_dispute;
extern const struct rt_command rt_command_incident_list;
extern const struct rt_command rt_command_incident_export;
extern const struct rt_command rt_command_release_request;
extern const struct rt_command rt_command_release_sign;
extern const struct rt_command rt_command_release_grant;
extern const struct rt_command rt_command_release_revoke;
extern const struct rt_command rt_command_release_list;
extern const struct rt_command rt_command_escrow_make;
extern const struct rt_command rt_command_escrow_join;
extern const struct rt_command rt_command_fsck;
extern const struct rt_command rt_command_speed;
extern const struct rt_command rt_command_install_service;

#endif
