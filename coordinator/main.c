// SPDX-License-Identifier: Apache-2.0
// ringtrial-coordinator: the table of its commands.
#include <stdio.h>

#include "common/crypto/key.h"
#include "coordinator/commands/commands.h"

static int no_crypto(void)
{
    fputs("ringtrial-coordinator: the cryptographic library does not start\n", stderr);
    return RT_EXIT_IO;
}

int main(int argc, char **argv)
{
    if (rt_crypto_init())
        return no_crypto();
    const struct rt_command commands[] = {
        rt_command_init,
        rt_command_serve,
        rt_command_http_token,
        rt_command_roster_show,
        rt_command_roster_invite,
        rt_command_roster_admit,
        rt_command_roster_revoke,
        rt_command_roster_appoint,
        rt_command_roster_sign,
        rt_command_roster_update,
        rt_command_rating_sign,
        rt_command_rating_submit,
        rt_command_campaign_check,
        rt_command_campaign_register,
        rt_command_campaign_sign,
        rt_command_campaign_start,
        rt_command_campaign_pause,
        rt_command_campaign_resume,
        rt_command_campaign_cancel,
        rt_command_campaign_close,
        rt_command_campaign_lift,
        rt_command_bench_lint,
        rt_command_bench_new,
        rt_command_bench_card,
        rt_command_bench_review,
        rt_command_schema,
        rt_command_status,
        rt_command_watch,
        rt_command_explain,
        rt_command_wait,
        rt_command_report,
        rt_command_bundle,
        rt_command_import_inspect,
        rt_command_import_ailuminate,
        rt_command_import_promptfoo,
        rt_command_import_csv,
        rt_command_import_jsonl,
        rt_command_export_inspect,
        rt_command_export_jsonl,
        rt_command_export_csv,
        rt_command_incident_open,
        rt_command_incident_triage,
        rt_command_incident_notify,
        rt_command_incident_reply,
        rt_command_incident_remedy,
        rt_command_incident_dispute,
        rt_command_incident_list,
        rt_command_incident_export,
        rt_command_release_request,
        rt_command_release_sign,
        rt_command_release_grant,
        rt_command_release_revoke,
        rt_command_release_list,
        rt_command_escrow_make,
        rt_command_escrow_join,
        rt_command_fsck,
        rt_command_speed, rt_command_install_service,
        {0},
    };
    const struct rt_program program = {
        .name = "ringtrial-coordinator",
        .summary = "schedules a consortium's campaigns, keeps their log, reports",
        .commands = commands,
    };
    return rt_cli_main(&program, argc, argv);
}
