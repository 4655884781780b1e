// SPDX-License-Identifier: Apache-2.0
// Making the next roster from the one in force: a lab more, a key less, version and chain advanced,
// signed and submitted. The struct is changed in place; everything new lives in the caller's arena.
#ifndef RT_COORDINATOR_COMMANDS_NEXT_ROSTER_H
#define RT_COORDINATOR_COMMANDS_NEXT_ROSTER_H

#include "coordinator/commands/client.h"
#include "proto/invite.h"

// RT_CONFLICT when the enrolment is for another consortium or the lab is there with another key.
enum rt_status rt_next_roster_admit(struct rt_roster *roster, const struct rt_enrolment *enrolment,
                                    const char *organisation, const char *kind,
                                    struct rt_arena *arena, struct rt_error *err) RT_WARN_UNUSED;
// A person with these roles and this key, in an organisation that is there or new. RT_EXISTS when
// the id is taken. The roles' words are checked when the roster is finished and read again.
enum rt_status rt_next_roster_appoint(struct rt_roster *roster,
                                      const struct rt_roster_person *person,
                                      const char *organisation, const char *kind,
                                      struct rt_arena *arena, struct rt_error *err) RT_WARN_UNUSED;
// Revoke the signing key of a lab or person by id. RT_NOT_FOUND when the roster has none of that
// id.
enum rt_status rt_next_roster_revoke(struct rt_roster *roster, const char *id, const char *reason,
                                     int64_t at_ms, uint64_t at_index, struct rt_arena *arena,
                                     struct rt_error *err) RT_WARN_UNUSED;
// Version, chain and derived tables.
enum rt_status rt_next_roster_finish(struct rt_roster *roster, struct rt_arena *arena,
                                     struct rt_error *err) RT_WARN_UNUSED;
enum rt_status rt_next_roster_submit(struct rt_client *client, const struct rt_roster *roster,
                                     const struct rt_secret_key *key, uint64_t *ret_index,
                                     struct rt_error *err) RT_WARN_UNUSED;
// Add one `signed` line to a statement in a file.
enum rt_status rt_next_roster_sign_file(const char *path, const char *key_path,
                                        struct rt_error *err) RT_WARN_UNUSED;

#endif
