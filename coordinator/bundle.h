// SPDX-License-Identifier: Apache-2.0
// Writes a bundle: the folder from which anybody can check one campaign offline (EVIDENCE,
// Bundle). It holds the whole log up to the snapshot of the report, and of the objects those that
// this campaign and the rosters name. The root is computed from the leaves themselves before it is
// signed. No view of the store is open while files are written. One thread.
#ifndef RT_COORDINATOR_BUNDLE_H
#define RT_COORDINATOR_BUNDLE_H

#include "coordinator/bundle_facts.h"

struct rt_bundle_keys {
    const struct rt_secret_key *log;    // signs the checkpoint
    const struct rt_secret_key *signer; // an operator's: signs the manifest
    const char *cosigned;               // a folder of cosigned.h; NULL: none
    const struct rt_roster *roster;     // in force, with the cosigners
};

// What is left out, for readers who may not have it: objects alone, never leaves. The bundle says
// which in redacted.txt, and still verifies.
struct rt_bundle_redaction {
    bool scenarios; // their bodies
    bool evidence;  // what was handed in with incidents: transcripts, letters
};

struct rt_bundle_sums {
    uint64_t leaves;
    uint64_t objects;
    uint64_t redacted; // objects that were left out
    uint64_t files;
    uint64_t bytes;
};

// Write into folder, which must not exist yet: everything goes into "FOLDER.partial" first, which
// is synced and renamed at the end and removed on failure. RT_EXISTS, RT_CORRUPT when the store's
// root is not its leaves', RT_NOT_FOUND when an object is missing, RT_NO_SPACE, RT_IO.
enum rt_status rt_campaign_bundle_write(struct rt_store *store, struct rt_campaign_report *report,
                                        const struct rt_bundle_keys *keys,
                                        const struct rt_bundle_redaction *redaction,
                                        const char *folder, struct rt_bundle_sums *ret_sums,
                                        struct rt_error *err) RT_WARN_UNUSED;

#endif
