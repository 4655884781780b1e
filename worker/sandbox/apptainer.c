// SPDX-License-Identifier: Apache-2.0
// Apptainer: the command runs inside an image, contained, without privileges and without network.
// Written against the manual of apptainer 1.x (apptainer-exec(1)).
#include "worker/sandbox/sandbox.h"

void rt_sandbox_apptainer(const struct rt_sandbox_request *request,
                          const struct rt_sandbox_host *host, const struct rt_sandbox_path *paths,
                          size_t path_count, struct rt_sandbox_words *argv)
{
    RT_SANDBOX_ADD(argv, host->apptainer, "--quiet", "exec", "--userns", "--containall",
                   "--cleanenv", "--no-privs");
    if (request->confine->network == RT_LAB_NETWORK_NONE)
        RT_SANDBOX_ADD(argv, "--net", "--network", "none");
    for (size_t i = 1; i < path_count; i++) { // paths[0] is the image
        rt_sandbox_add(argv, "--bind");
        rt_sandbox_addf(argv, "%s:%s:ro", paths[i].real, paths[i].seen);
    }
    RT_SANDBOX_ADD(argv, "--env", "RINGTRIAL_COMMAND=1", "--pwd", "/tmp", paths[0].real);
    for (size_t i = 0; i < request->command_count; i++)
        rt_sandbox_add(argv, request->command[i]);
}
