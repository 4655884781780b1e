// SPDX-License-Identifier: Apache-2.0
// Who may connect: the transport keys of the current roster, and what each key's holder is.
// Identity comes from the key alone, never from what a peer says. The hub asks for every connection
// (ZAP) and again for every frame, so a revoked key stops counting at once. Replaced whole when the
// roster changes; safe from any thread.
#ifndef RT_COORDINATOR_HUB_ADMISSION_H
#define RT_COORDINATOR_HUB_ADMISSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"
#include "proto/roster.h"

#define RT_USER_ID_BYTES (2 * RT_CURVE_KEY_BYTES + 1) // hex and NUL

struct rt_admitted {
    uint8_t curve[RT_CURVE_KEY_BYTES];
    char lab[RT_ID_BYTES + 1];
};

struct rt_admission {
    pthread_mutex_t mutex;
    struct rt_admitted *labs; // sorted by key
    size_t count;
    atomic_uint_fast64_t generation; // counts replacements
};

void rt_admission_init(struct rt_admission *admission);
void rt_admission_release(struct rt_admission *admission);

// Take the labs of roster whose transport key is valid and not revoked at wall_ms.
enum rt_status rt_admission_replace(struct rt_admission *admission, const struct rt_roster *roster,
                                    int64_t wall_ms) RT_WARN_UNUSED;

// The lab of a transport key; false where the roster does not know it. ret_lab: RT_ID_BYTES + 1
// bytes.
bool rt_admission_find(struct rt_admission *admission, const uint8_t curve[RT_CURVE_KEY_BYTES],
                       char *ret_lab);
// The same by the hex text that ZAP gave the connection as its User-Id.
bool rt_admission_find_user(struct rt_admission *admission, const char *user_id, char *ret_lab);

#endif
