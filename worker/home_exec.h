// SPDX-License-Identifier: Apache-2.0
// What a lab's home says to an executor: the lab's other subjects (they may play roles), where
// relative paths start, and for commands where they run and what they may not see. Reads paths;
// starts nothing. One thread.
#ifndef RT_WORKER_HOME_EXEC_H
#define RT_WORKER_HOME_EXEC_H

#include "worker/executor/executor.h"
#include "worker/home.h"

// Sets subject, config, sandbox, command_sandbox, folder and secret of options and leaves the rest.
// Texts live in the home.
enum rt_status rt_home_exec(struct rt_home *home, const struct rt_lab_subject *subject,
                            struct rt_exec_options *options, struct rt_error *err) RT_WARN_UNUSED;

#endif
