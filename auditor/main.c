// SPDX-License-Identifier: Apache-2.0
// ringtrial-audit: the table of its commands.
#include <stdio.h>

#include "auditor/commands.h"
#include "common/crypto/key.h"

int main(int argc, char **argv)
{
    if (rt_crypto_init()) {
        fputs("ringtrial-audit: the cryptographic library does not start\n", stderr);
        return RT_EXIT_IO;
    }
    const struct rt_command commands[] = {
        rt_command_verify,
        rt_command_report,
        rt_command_show,
        rt_command_diff,
        rt_command_compare,
        rt_command_mirror,
        rt_command_witness,
        {0},
    };
    const struct rt_program program = {
        .name = "ringtrial-audit",
        .summary = "checks a ring trial's evidence offline, and recomputes what it says",
        .commands = commands,
    };
    return rt_cli_main(&program, argc, argv);
}
