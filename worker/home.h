// SPDX-License-Identifier: Apache-2.0
// A lab's home: worker.yaml, the invitation it answers, the keys and the paths they name. Reads and
// checks; never writes. One thread.
#ifndef RT_WORKER_HOME_H
#define RT_WORKER_HOME_H

#include <limits.h>

#include "common/base/error.h"
#include "proto/invite.h"
#include "proto/labconfig.h"

#define RT_HOME_CONFIG "worker.yaml"

struct rt_home {
    struct rt_arena arena;
    struct rt_labconfig *config;
    struct rt_invite *invite;
    struct rt_digest invite_digest; // of the invitation file
    char folder[PATH_MAX];          // of worker.yaml: relative paths start here
    char path[PATH_MAX];            // worker.yaml itself
    char state[PATH_MAX];
    char keys[PATH_MAX];
    struct rt_secret_key *sign;    // NULL unless asked for
    struct rt_curve_secret *curve; // likewise
};

enum rt_home_part {
    RT_HOME_PLAIN,     // worker.yaml alone: invite stays NULL
    RT_HOME_DOCUMENTS, // worker.yaml and the invitation
    RT_HOME_KEYS,      // and both secret keys
};

// path: worker.yaml, or NULL for ./worker.yaml. passphrase_file: of the signing key, or NULL: it is
// asked for on the terminal when the key is encrypted. Notes ("not played yet") go to the log as
// warnings. Errors name file, line and remedy.
enum rt_status rt_home_open(const char *path, enum rt_home_part part, const char *passphrase_file,
                            struct rt_home **ret_home, struct rt_error *err) RT_WARN_UNUSED;
void rt_home_free(struct rt_home *home); // wipes the keys; takes NULL

// A path of the configuration: "~" expanded, relative ones against the home's folder. ret_path has
// PATH_MAX bytes.
enum rt_status rt_home_path(const char *folder, const char *path, char *ret_path,
                            struct rt_error *err) RT_WARN_UNUSED;

// The passphrase of a key: from the first line of file, or from the terminal without echo (twice
// with `confirm`). out has room for 1,024 bytes; the caller wipes it.
#define RT_PASSPHRASE_BYTES 1024
enum rt_status rt_passphrase_read(const char *file, const char *what, bool confirm, char *out,
                                  struct rt_error *err) RT_WARN_UNUSED;

#endif
