// SPDX-License-Identifier: Apache-2.0
// serve-subject alone, as a program for tests.
#include "worker/serve/serve.h"

int main(int argc, char **argv)
{
    struct rt_command commands[2] = {rt_serve_command, {.name = NULL}};
    const struct rt_program program = {"serve-subject", "the synthetic subject over HTTP",
                                       commands};
    return rt_cli_main(&program, argc, argv);
}
