// SPDX-License-Identifier: Apache-2.0
// Cosignatures that witnesses gave: cosigned notes as `ringtrial-audit witness --out` writes them,
// kept as files of one folder, and put onto the checkpoint they are of. Only lines by cosigners of
// the roster that verify are taken; one a key. Blocks on the disk; any thread.
#ifndef RT_COORDINATOR_COSIGNED_H
#define RT_COORDINATOR_COSIGNED_H

#include "common/base/error.h"
#include "proto/roster.h"

#define RT_COSIGNED_FOLDER "cosigned" // in the state folder
#define RT_COSIGNED_MOST   256        // files looked at

// Append to note, a checkpoint signed by the log, the cosignature lines of the folder's files that
// are of the same text, ascending by key. No folder: nothing to append. How many in ret_count (may
// be NULL). RT_MALFORMED when note is no note, RT_NO_MEMORY, RT_TOO_LARGE.
enum rt_status rt_cosigned_append(const char *folder, const struct rt_roster *roster,
                                  struct rt_buf *note, size_t *ret_count) RT_WARN_UNUSED;
// The cosigners of a roster: its labs' and its people's. Returns how many, at most `most`.
size_t rt_cosigners(const struct rt_roster *roster, struct rt_vkey *ret_keys, size_t most);

#endif
