// SPDX-License-Identifier: Apache-2.0
// Sibling programs run as processes of their own: our binaries beside the one that is running, with
// their output in log files. Only processes started here are ever signalled, by pid.
#ifndef RT_COORDINATOR_SPEED_PROCESS_H
#define RT_COORDINATOR_SPEED_PROCESS_H

#include <sys/types.h>

#include "common/base/error.h"

#define RT_PROCESS_ARGUMENTS_MOST 32

// Start PROGRAM (a name beside this executable) with NULL-terminated arguments; stdout and stderr
// go to log_path.
enum rt_status rt_process_start(const char *program, const char *const *arguments,
                                const char *log_path, pid_t *ret_pid,
                                struct rt_error *err) RT_WARN_UNUSED;
// Start and wait; an exit code other than 0 is an error that quotes the log's last line.
enum rt_status rt_process_run(const char *program, const char *const *arguments,
                              const char *log_path, struct rt_error *err) RT_WARN_UNUSED;
// SIGTERM, then wait up to five seconds, then SIGKILL.
void rt_process_stop(pid_t pid);
// RT_OK when it ended with 0, RT_AGAIN while it runs.
enum rt_status rt_process_poll(pid_t pid) RT_WARN_UNUSED;

// CPU time of one thread name of a process, and of the whole process (name NULL), in microseconds.
double rt_process_cpu_us(pid_t pid, const char *thread_name);
// Remove a folder that this program made, with everything in it.
void rt_process_remove_folder(const char *folder);
// A TCP port of loopback that nobody listens on right now.
enum rt_status rt_process_free_port(unsigned *ret_port, struct rt_error *err) RT_WARN_UNUSED;

#endif
