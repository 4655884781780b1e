// SPDX-License-Identifier: Apache-2.0
// ringtrial-worker: the table of its commands.
#include <stdio.h>

#include "common/crypto/key.h"
#include "worker/commands/commands.h"
#include "worker/serve/serve.h"

int main(int argc, char **argv)
{
    if (rt_crypto_init()) {
        fputs("ringtrial-worker: the cryptographic library does not start\n", stderr);
        return RT_EXIT_IO;
    }
    const struct rt_command commands[] = {
        rt_command_init,
        rt_command_join,
        rt_command_run,
        rt_command_status,
        rt_command_subject_add,
        rt_command_subject_list,
        rt_command_subject_check,
        rt_command_probe,
        rt_command_subject_truth,
        rt_command_policy_show,
        rt_command_policy_test,
        rt_command_accept,
        rt_command_decline,
        rt_command_estimate,
        rt_command_dry_run,
        rt_command_replay,
        rt_command_grade,
        rt_command_rescore,
        rt_command_rate,
        rt_command_export,
        rt_serve_command,
        rt_command_slurm_task,
        rt_command_leave,
        rt_command_vault_list,
        rt_command_vault_purge,
        rt_command_vault_export,
        rt_command_resend,
        rt_command_install_service,
        rt_command_load,
        {0},
    };
    const struct rt_program program = {
        .name = "ringtrial-worker",
        .summary = "runs a lab's share of a campaign, as the lab's own policy allows",
        .commands = commands,
    };
    return rt_cli_main(&program, argc, argv);
}
