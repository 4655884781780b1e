// SPDX-License-Identifier: Apache-2.0
// Receipts a lab was given, against the log of the bundle: a coordinator that has left something
// out, or showed the lab another log, cannot have both.
#include <inttypes.h>
#include <stdio.h>

#include "auditor/audit.h"
#include "common/tlog/proof.h"

static void check(struct rt_audit *audit, const char *path, struct rt_bytes text)
{
    const struct rt_roster *roster = audit->rosters[0];
    struct rt_tlog_proof proof;
    struct rt_checkpoint seen;
    struct rt_digest hash, root;
    rt_checks_look(&audit->checks, RT_CHECK_RECEIPTS);
    if (rt_tlog_proof_parse(text, &proof)) {
        rt_checks_fail(&audit->checks, RT_CHECK_RECEIPTS, path, "is no receipt (tlog-proof)");
        return;
    }
    if (proof.index >= audit->tree.size) {
        rt_checks_fail(&audit->checks, RT_CHECK_RECEIPTS, path,
                       "is for log index %" PRIu64 "; this bundle's log ends before it",
                       proof.index);
        return;
    }
    if (rt_tile_reader_read(audit->reader, 0, proof.index, &hash))
        return; // said under TREE
    enum rt_status status = rt_tlog_proof_verify_log(&proof, &hash, &roster->log, &seen);
    if (!status && seen.size <= audit->tree.size) {
        status = audit_root_at(audit, seen.size, &root);
        if (!status && !rt_digest_equal(&root, &seen.root))
            status = RT_BAD_PROOF;
    }
    if (status)
        rt_checks_fail(&audit->checks, RT_CHECK_RECEIPTS, path,
                       "does not lead to this log's leaf at index %" PRIu64 ": %s", proof.index,
                       rt_status_text(status));
}

static enum rt_status check_folder(struct rt_audit *audit, struct rt_folder *folder,
                                   const char *prefix)
{
    size_t tail = strlen(RT_EVIDENCE_RECEIPT), head = strlen(prefix);
    for (size_t i = 0; i < folder->count; i++) {
        const char *path = folder->files[i].path;
        size_t size = strlen(path);
        if (strncmp(path, prefix, head) != 0 || size < tail ||
            strcmp(path + size - tail, RT_EVIDENCE_RECEIPT) != 0)
            continue;
        rt_buf_clear(&audit->object);
        enum rt_status status = rt_folder_read(folder, path, &audit->object);
        if (status == RT_NO_MEMORY)
            return status;
        if (status)
            rt_checks_fail(&audit->checks, RT_CHECK_RECEIPTS, path, "cannot be read");
        else
            check(audit, path, rt_buf_bytes(&audit->object));
    }
    return RT_OK;
}

enum rt_status audit_receipts(struct rt_audit *audit, struct rt_error *err)
{
    if (!audit->roster_count)
        return RT_OK;
    enum rt_status status = check_folder(audit, &audit->folder, RT_EVIDENCE_RECEIPTS);
    if (status || !audit->settings.receipts)
        return status;
    struct rt_folder folder;
    struct rt_checks ignored; // what else lies in the reader's own folder is no concern of ours
    rt_checks_init(&ignored);
    status = rt_folder_open(audit->settings.receipts, &ignored, &folder, err);
    if (!status) {
        status = check_folder(audit, &folder, "");
        if (!status && !audit->checks.rows[RT_CHECK_RECEIPTS].looked_at)
            rt_checks_fail(&audit->checks, RT_CHECK_RECEIPTS, audit->settings.receipts,
                           "holds no file named *" RT_EVIDENCE_RECEIPT);
    }
    rt_folder_close(&folder);
    return status;
}
