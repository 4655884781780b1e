// SPDX-License-Identifier: Apache-2.0
// A lab's receipts of one campaign as files that speak for themselves: <index>.tlog-proof and
// <index>.leaf for each, and receipts.json, which says whose they are, of which log, and what each
// leaf is (docs/LABS.md, "Leaving"). `ringtrial-audit verify BUNDLE --receipts FOLDER` holds a
// bundle against them. Writes to the folder alone. One thread.
#ifndef RT_WORKER_CARE_RECEIPTS_H
#define RT_WORKER_CARE_RECEIPTS_H

#include "worker/local.h"

// local: opened with its row at least. folder is made (0700) if need be.
enum rt_status rt_receipts_export(const struct rt_local *local, const char *folder,
                                  size_t *ret_count, struct rt_error *err) RT_WARN_UNUSED;

#endif
