// SPDX-License-Identifier: Apache-2.0
// The key under which transcripts are sealed at rest: KEYS/vault.key, one line, mode 0600. Made on
// first use; never replaced and never sent anywhere. Which key a state folder's transcripts need is
// remembered in its outbox by the key's id. One thread.
#ifndef RT_WORKER_CARE_VAULT_KEY_H
#define RT_WORKER_CARE_VAULT_KEY_H

#include "worker/home.h"
#include "worker/outbox.h"

#define RT_VAULT_KEY_FILE "vault.key"

// Read KEYS/vault.key. RT_NOT_FOUND, RT_MALFORMED, RT_NOT_PERMITTED (others may read it).
enum rt_status rt_vault_key_load(const char *keys, struct rt_vault_key *ret_key,
                                 struct rt_error *err) RT_WARN_UNUSED;
// Give the outbox's vault its key, where there is one. A writing outbox whose policy asks for
// encryption gets a new key on first use, and seals; RT_CONFLICT and RT_NOT_FOUND when what is
// there is not the key its transcripts were sealed under.
enum rt_status rt_vault_key_use(const struct rt_home *home, struct rt_outbox *outbox, bool writing,
                                struct rt_error *err) RT_WARN_UNUSED;

#endif
