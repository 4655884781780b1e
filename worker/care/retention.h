// SPDX-License-Identifier: Apache-2.0
// How long transcripts are kept (`policy.transcripts.keep`). They go by whole packs: one whose last
// record is older, and of which no campaign needs anything any more: each of its campaigns is over
// for this lab, its close or withdrawal is receipted, and no statement of it waits to be sent. What
// went is written to STATE/vault-purged.jsonl. Results, receipts and commitments stay. One thread;
// a plan can be made by readers, purging takes the writer.
#ifndef RT_WORKER_CARE_RETENTION_H
#define RT_WORKER_CARE_RETENTION_H

#include "worker/outbox.h"

struct rt_retention_settings {
    const char *state;
    int64_t keep_ms; // 0 for ever
    int64_t now_ms;  // wall
};

#define RT_RETENTION_CAMPAIGNS_MOST 64

struct rt_retention_pack {
    struct rt_vault_pack_info info;
    uint64_t campaigns; // bit i: holds transcripts of campaign i of the plan
    uint64_t needed_by; // likewise, of one that is not over
    bool in_hand;       // of a unit that is not finished
    bool old, purge;
};

struct rt_retention_campaign {
    struct rt_digest digest;
    char name[RT_ID_BYTES + 1];
    bool over; // for this lab, and nothing of it waits
};

struct rt_retention {
    struct rt_retention_campaign campaigns[RT_RETENTION_CAMPAIGNS_MOST];
    size_t campaign_count;
    struct rt_retention_pack *packs; // ascending
    size_t pack_count;
    uint64_t purge_count, purge_bytes;
};

// Look at every pack, trial and campaign. RT_CORRUPT, RT_NO_MEMORY, RT_TOO_LARGE.
enum rt_status rt_retention_plan(struct rt_outbox *outbox,
                                 const struct rt_retention_settings *settings,
                                 struct rt_retention **ret_plan,
                                 struct rt_error *err) RT_WARN_UNUSED;
void rt_retention_free(struct rt_retention *plan); // takes NULL
// Delete what the plan marks: places first, committed, then files; a crash in between leaves a file
// that the next purge finds and deletes. RT_NO_SPACE and RT_IO leave the rest.
enum rt_status rt_retention_purge(struct rt_outbox *outbox, const struct rt_retention *plan,
                                  const struct rt_retention_settings *settings,
                                  struct rt_error *err) RT_WARN_UNUSED;

#endif
