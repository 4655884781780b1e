// SPDX-License-Identifier: Apache-2.0
#include "worker/care/receipts.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/time.h"

static void add(void *ctx, uint64_t index, enum rt_statement_kind kind, int64_t received_ms,
                const struct rt_digest *leaf)
{
    char name[64], proof[64], received[RT_STAMP_BYTES], digest[RT_DIGEST_TEXT_BYTES];
    snprintf(name, sizeof name, "%" PRIu64 ".leaf", index);
    snprintf(proof, sizeof proof, "%" PRIu64 ".tlog-proof", index);
    rt_stamp_format(received_ms, received);
    rt_digest_format(leaf, digest);
    json_array_append_new(ctx, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "index",
                                         (json_int_t)index, "kind", rt_statement_kind_word(kind),
                                         "received", received, "leaf", name, "leaf_digest",
                                         digest, "proof", proof));
}

static enum rt_status write_manifest(const struct rt_local *local, const char *folder,
                                     json_t *receipts, struct rt_error *err)
{
    char path[PATH_MAX], now[RT_STAMP_BYTES], digest[RT_DIGEST_TEXT_BYTES];
    struct rt_buf text;
    rt_stamp_format(rt_time_wall_ms(), now);
    rt_digest_format(&local->digest, digest);
    json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:O}", "version", 1, "lab",
                             local->home->config->lab, "campaign", local->name, "digest", digest,
                             "log", local->home->invite->log, "stage",
                             rt_stage_words[local->row.stage], "written", now, "results",
                             (json_int_t)local->row.results, "receipts", receipts);
    rt_buf_init(&text, (size_t)256 << 20);
    enum rt_status status = json ? rt_json_write_pretty(json, &text) : RT_NO_MEMORY;
    if (!status && rt_path_join(path, sizeof path, folder, "receipts.json"))
        status = RT_TOO_LARGE;
    if (status)
        rt_error_set(err, status, "cannot write receipts.json: %s", rt_status_text(status));
    else
        status = rt_file_write(path, rt_buf_bytes(&text), 0600, err);
    rt_buf_release(&text);
    json_decref(json);
    return status;
}

enum rt_status rt_receipts_export(const struct rt_local *local, const char *folder,
                                  size_t *ret_count, struct rt_error *err)
{
    json_t *receipts = json_array();
    enum rt_status status =
        receipts ? rt_outbox_export(local->outbox, &local->digest, folder, add, receipts, err)
                 : rt_error_set(err, RT_NO_MEMORY, "out of memory");
    if (!status)
        status = write_manifest(local, folder, receipts, err);
    if (!status)
        *ret_count = json_array_size(receipts);
    json_decref(receipts);
    return status;
}
