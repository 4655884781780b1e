// SPDX-License-Identifier: Apache-2.0
// The coordinator's state folder, as every command sees it: where the store, the keys and the local
// socket are, and how a key is loaded (asking for its passphrase on the terminal when it has one).
#ifndef RT_COORDINATOR_COMMANDS_STATE_H
#define RT_COORDINATOR_COMMANDS_STATE_H

#include "common/base/error.h"
#include "common/base/option.h"
#include "common/crypto/curve.h"
#include "common/crypto/key.h"

#define RT_STATE_PATH_BYTES 4096

struct rt_state {
    char folder[RT_STATE_PATH_BYTES];
    char store[RT_STATE_PATH_BYTES]; // folder of store.mdb
    char keys[RT_STATE_PATH_BYTES];
    char socket[RT_STATE_PATH_BYTES]; // local socket
};

// Every command's --state: NULL is $RINGTRIAL_STATE, else "ringtrial-state".
#define RT_STATE_OPTION(settings)                                                                  \
    {                                                                                              \
        .name = "state", .letter = 's', .kind = RT_OPTION_TEXT,                                    \
        .offset = offsetof(settings, state), .value_name = "DIR",                                  \
        .help = "The coordinator's state folder (default $RINGTRIAL_STATE or ./ringtrial-state)."  \
    }

// Resolve the paths; must_exist: RT_NOT_FOUND with the remedy unless `init` has made it.
enum rt_status rt_state_open(const char *folder, bool must_exist, struct rt_state *ret_state,
                             struct rt_error *err) RT_WARN_UNUSED;
// keys/NAME.key. Asks for a passphrase where the file is encrypted (RINGTRIAL_PASSPHRASE_FILE names
// a file that holds it, for services).
enum rt_status rt_state_key(const struct rt_state *state, const char *name,
                            struct rt_secret_key **ret_key, struct rt_error *err) RT_WARN_UNUSED;
// The same for any path.
enum rt_status rt_state_key_at(const char *path, struct rt_secret_key **ret_key,
                               struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_state_curve(const struct rt_state *state, struct rt_curve_secret **ret_key,
                              struct rt_error *err) RT_WARN_UNUSED;
// Make keys/NAME.key and keys/NAME.pub; passphrase NULL for none.
enum rt_status rt_state_make_key(const struct rt_state *state, const char *name,
                                 const char *passphrase, struct rt_secret_key **ret_key,
                                 struct rt_error *err) RT_WARN_UNUSED;
// A passphrase from RINGTRIAL_PASSPHRASE_FILE or the terminal; twice when confirm. ret_text: 1024
// bytes, to be wiped.
enum rt_status rt_state_passphrase(const char *what, bool confirm, char *ret_text,
                                   struct rt_error *err) RT_WARN_UNUSED;

#endif
