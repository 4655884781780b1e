// SPDX-License-Identifier: Apache-2.0
// Hardened systemd units (systemd.exec(5), systemd.service(5)): what a daemon of ours does not need
// is forbidden, what it needs and an option would break is left out by name. And the two words a
// daemon says to its service manager (sd_notify(3)), without its library. Writes no file and runs
// no program. Any thread.
#ifndef RT_BASE_SERVICE_H
#define RT_BASE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

#define RT_SERVICE_PATHS_MOST 8

struct rt_service {
    const char *name;        // "ringtrial-worker"
    const char *description; // one line
    const char *user;        // "" leaves User= out (a unit of a user's own manager)
    const char *program;     // absolute
    const char *arguments[12]; // NULL-terminated
    const char *folder;      // absolute: working directory
    const char *passphrase;  // absolute file handed over with LoadCredential=, "" none
    const char *passphrase_option;   // "--passphrase-file"; NULL: by
    const char *passphrase_variable; // this environment variable
    const char *writes[RT_SERVICE_PATHS_MOST + 1]; // absolute, NULL-terminated
    const char *memory_most;   // "2G", "" none
    unsigned tasks_most;
    bool low_port;    // binds a port below 1024
    bool sandboxes;   // starts commands in a sandbox of its own (bubblewrap)
    bool devices;     // starts programs of its user's that look at devices
    bool just_in_time; // starts programs that write code to memory
    unsigned watchdog_s; // 0: the program says nothing
};

// Append the unit file. RT_MALFORMED for a path or text that a unit file cannot carry.
enum rt_status rt_service_unit(const struct rt_service *service, struct rt_buf *out,
                               struct rt_error *err) RT_WARN_UNUSED;

// Tell the service manager ("READY=1", "WATCHDOG=1", "STOPPING=1"), where there is one
// ($NOTIFY_SOCKET). Never waits; a failure changes nothing.
void rt_service_notify(const char *state);

#endif
