// SPDX-License-Identifier: Apache-2.0
#include "auditor/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"
#include "auditor/log_key.h"
#include "common/base/file.h"

#define ARENA_MOST   ((size_t)8 << 30)
#define SCRATCH_MOST ((size_t)256 << 20)

// ---- the reader's own policy, read before anything of the bundle

struct trust {
    bool has_policy, has_log;
    struct rt_policy policy;
    struct rt_vkey log;
};

static enum rt_status read_trust(const struct rt_audit_settings *settings, struct trust *trust,
                                 struct rt_error *err)
{
    enum rt_status status = RT_OK;
    trust->has_log = settings->log_key != NULL;
    if (settings->log_key)
        status = rt_log_key_read(settings->log_key, &trust->log, err);
    if (status || !settings->policy)
        return status;
    struct rt_buf file;
    size_t line = 0;
    rt_buf_init(&file, RT_POLICY_MOST);
    trust->has_policy = true;
    status = rt_file_read(settings->policy, &file, err);
    if (!status) {
        status = rt_policy_parse(rt_buf_bytes(&file), &trust->policy, &line);
        if (status)
            rt_error_set(err, status, "%s:%zu: not a tlog-policy", settings->policy, line);
    }
    rt_buf_release(&file);
    return status;
}

// ---- the checkpoint

// Size and root first; the signature once the rosters have said whose it must be.
static void open_checkpoint(struct rt_audit *audit)
{
    struct rt_note *note = calloc(1, sizeof *note);
    rt_checks_look(&audit->checks, RT_CHECK_CHECKPOINT);
    enum rt_status status = rt_folder_read(&audit->folder, RT_EVIDENCE_CHECKPOINT, &audit->note);
    if (!note)
        status = RT_NO_MEMORY;
    if (!status)
        status = rt_note_parse(rt_buf_bytes(&audit->note), note);
    if (!status)
        status = rt_checkpoint_parse(note->text, &audit->checkpoint);
    if (!status && audit->checkpoint.extended)
        status = RT_UNSUPPORTED;
    free(note);
    audit->has_checkpoint = status == RT_OK;
    if (status)
        rt_checks_fail(&audit->checks, RT_CHECK_CHECKPOINT, RT_EVIDENCE_CHECKPOINT, "%s",
                       rt_status_text(status));
}

// Keys that may sign a checkpoint of this log: its own, and the cosigners of the roster.
static size_t cosigners(const struct rt_roster *roster, struct rt_vkey *ret_keys, size_t most)
{
    size_t count = 0;
    ret_keys[count++] = roster->log;
    for (size_t o = 0; o < roster->org_count; o++) {
        const struct rt_org *org = &roster->orgs[o];
        for (size_t l = 0; l < org->lab_count && count < most; l++)
            count += rt_vkey_parse(rt_bytes_str(org->labs[l].cosign), &ret_keys[count]) == RT_OK;
        for (size_t p = 0; p < org->person_count && count < most; p++)
            count += rt_vkey_parse(rt_bytes_str(org->people[p].witness), &ret_keys[count]) == RT_OK;
    }
    return count;
}

static void check_checkpoint(struct rt_audit *audit)
{
    const struct rt_roster *roster = audit_roster_now(audit);
    enum { KEYS_MOST = 1024 };
    struct rt_vkey *keys = calloc(KEYS_MOST, sizeof *keys);
    bool *signed_by = calloc(KEYS_MOST, sizeof *signed_by);
    struct rt_note *note = calloc(1, sizeof *note);
    struct rt_checkpoint checkpoint;
    const char *wrong = NULL;
    if (!keys || !signed_by || !note) {
        wrong = "out of memory";
    } else if (!roster) {
        wrong = "no roster says whose signature it needs";
    } else if (rt_checkpoint_open(rt_buf_bytes(&audit->note), &roster->log, &checkpoint)) {
        wrong = "is not signed by the log's key of the roster";
    } else if (rt_note_parse(rt_buf_bytes(&audit->note), note) ||
               rt_note_verify_any(note, keys, cosigners(roster, keys, KEYS_MOST), signed_by)) {
        wrong = "a signature on it does not verify";
    } else {
        size_t lines = 0;
        for (size_t i = 0; i < KEYS_MOST; i++)
            lines += signed_by[i];
        if (lines != note->count)
            wrong = "bears a signature by a key that the roster does not have, or one twice";
    }
    if (wrong)
        rt_checks_fail(&audit->checks, RT_CHECK_CHECKPOINT, RT_EVIDENCE_CHECKPOINT, "%s", wrong);
    free(keys);
    free(signed_by);
    free(note);
}

// ---- trust

static void check_trust(struct rt_audit *audit, const struct trust *trust)
{
    struct rt_checks *checks = &audit->checks;
    const struct rt_roster *first = audit->roster_count ? audit->rosters[0] : NULL;
    struct rt_checkpoint checkpoint;
    char digest[RT_DIGEST_TEXT_BYTES] = "", words[RT_DIGEST_WORDS_BYTES] = "";
    if (first) {
        rt_digest_format(&first->digest, digest);
        rt_key_words(&first->log.key, words);
    }
    if (trust->has_log) {
        rt_checks_look(checks, RT_CHECK_TRUST);
        if (!first || !rt_vkey_equal(&trust->log, &first->log))
            rt_checks_fail(checks, RT_CHECK_TRUST, RT_EVIDENCE_CHECKPOINT,
                           "the log is not the one of --log-key");
    }
    if (trust->has_policy) {
        rt_checks_look(checks, RT_CHECK_TRUST);
        enum rt_status status =
            rt_policy_check(&trust->policy, rt_buf_bytes(&audit->note), &checkpoint);
        if (status)
            rt_checks_fail(checks, RT_CHECK_TRUST, RT_EVIDENCE_CHECKPOINT,
                           "the reader's policy is not met: %s", rt_status_text(status));
    }
    if (audit->settings.roster) {
        rt_checks_look(checks, RT_CHECK_TRUST);
        if (strcmp(audit->settings.roster, digest) != 0)
            rt_checks_fail(checks, RT_CHECK_TRUST, "log index 0",
                           "the first roster is not the one of --roster");
    }
    if (first && !checks->rows[RT_CHECK_TRUST].looked_at)
        rt_checks_note(checks, RT_CHECK_TRUST,
                       "no key given: compare the key words with an invitation's: %s", words);
}

// ---- the log

static enum rt_status get_tile(void *ctx, const char *path, struct rt_buf *out)
{
    struct rt_audit *audit = ctx;
    char full[RT_EVIDENCE_PATH_BYTES];
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    rt_checks_look(&audit->checks, RT_CHECK_TREE);
    struct rt_tile tile;
    enum rt_status status = rt_folder_read(&audit->folder, full, out);
    if (!status && !rt_tile_parse_path(rt_bytes_str(path), &tile) && tile.entries) {
        struct rt_ahead_sources sources = {.folder = &audit->folder,
                                           .units = &audit->units,
                                           .roster = audit_roster_now(audit),
                                           .pool = audit->pool};
        rt_ahead_take(audit->ahead, &sources, tile.index * RT_TILE_WIDTH, rt_buf_bytes(out));
    }
    return status;
}

// Tiles for proofs, looked at apart from those that TREE counts.
static enum rt_status read_tile(void *ctx, const char *path, struct rt_buf *out)
{
    struct rt_audit *audit = ctx;
    char full[RT_EVIDENCE_PATH_BYTES];
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    struct rt_folder_file *file = rt_folder_find(&audit->folder, full);
    bool was_used = file && file->used;
    enum rt_status status = rt_folder_read(&audit->folder, full, out);
    if (file)
        file->used = was_used;
    return status;
}

static enum rt_status read_log(struct rt_audit *audit)
{
    char path[RT_TILE_PATH_BYTES] = "", place[RT_EVIDENCE_PATH_BYTES];
    rt_tile_reader_init(audit->reader, audit->checkpoint.size, read_tile, audit);
    enum rt_status status = rt_tiles_verify(audit->checkpoint.size, &audit->checkpoint.root,
                                            get_tile, audit, audit_leaf, audit, path);
    rt_ahead_end(audit->ahead);
    if (status == RT_NO_MEMORY)
        return status;
    snprintf(place, sizeof place, "%s%s", *path ? RT_EVIDENCE_LOG : RT_EVIDENCE_CHECKPOINT, path);
    if (status)
        rt_checks_fail(&audit->checks, RT_CHECK_TREE, place, "%s",
                       status == RT_NOT_FOUND   ? "is not here"
                       : status == RT_BAD_PROOF ? "its root is not that of the leaves"
                       : status == RT_CORRUPT   ? "is not what the leaves give"
                                                : rt_status_text(status));
    rt_checks_note(&audit->checks, RT_CHECK_TREE, "%s, %" PRIu64 " leaves",
                   audit->checkpoint.origin, audit->tree.size);
    return RT_OK;
}

// ---- all of it

static enum rt_status run(struct rt_audit *audit, const struct trust *trust, struct rt_error *err)
{
    audit_mirror(audit);
    enum rt_status status = audit_files(audit);
    if (!status)
        open_checkpoint(audit);
    if (!status && audit->has_checkpoint) {
        status = read_log(audit);
        check_checkpoint(audit);
    }
    if (!status)
        check_trust(audit, trust);
    if (!status)
        status = audit_recount(audit);
    if (!status)
        status = audit_receipts(audit, err);
    if (!status)
        status = audit_keys(audit);
    if (!status && !audit->checks.mirror)
        status = audit_manifest(audit);
    if (!status) {
        audit_redacted_end(audit);
        audit_unused(audit);
    }
    return status;
}

static struct rt_audit *new_audit(const struct rt_audit_settings *settings)
{
    struct rt_audit *audit = calloc(1, sizeof *audit);
    if (!audit)
        return NULL;
    audit->settings = *settings;
    audit->folder.fd = -1;
    rt_checks_init(&audit->checks);
    rt_arena_init(&audit->arena, ARENA_MOST);
    rt_arena_init(&audit->scratch, SCRATCH_MOST);
    rt_buf_init(&audit->object, RT_FOLDER_FILE_MOST);
    rt_buf_init(&audit->second, RT_FOLDER_FILE_MOST);
    rt_buf_init(&audit->text, RT_FOLDER_FILE_MOST);
    rt_buf_init(&audit->note, RT_NOTE_MOST);
    rt_tree_init(&audit->tree);
    rt_digest_map_init(&audit->statements);
    rt_digest_map_init(&audit->campaign_of);
    rt_digest_map_init(&audit->units);
    rt_digest_map_init(&audit->fingerprint_of);
    audit->reader = calloc(1, sizeof *audit->reader);
    audit->pool = rt_pool_new();
    audit->ahead = rt_ahead_new();
    if (!audit->reader || !audit->ahead) {
        rt_audit_free(audit);
        return NULL;
    }
    return audit;
}

void rt_audit_free(struct rt_audit *audit)
{
    if (!audit)
        return;
    for (size_t i = 0; i < audit->campaign_count; i++)
        free(audit->campaigns[i]->accepts);
    free(audit->campaigns);
    free(audit->rosters);
    free(audit->fingerprints);
    free(audit->reader);
    rt_pool_free(audit->pool);
    rt_ahead_free(audit->ahead);
    if (audit->has_tally)
        rt_tally_release(&audit->tally);
    audit_ratings_release(audit);
    rt_digest_map_release(&audit->statements);
    rt_digest_map_release(&audit->campaign_of);
    rt_digest_map_release(&audit->units);
    rt_digest_map_release(&audit->redacted);
    rt_digest_map_release(&audit->fingerprint_of);
    rt_folder_close(&audit->folder);
    rt_arena_release(&audit->arena);
    rt_arena_release(&audit->scratch);
    rt_buf_release(&audit->object);
    rt_buf_release(&audit->second);
    rt_buf_release(&audit->text);
    rt_buf_release(&audit->note);
    free(audit);
}

enum rt_status rt_audit_run(const char *folder, const struct rt_audit_settings *settings,
                            struct rt_audit **ret_audit, struct rt_error *err)
{
    *ret_audit = new_audit(settings);
    struct trust *trust = calloc(1, sizeof *trust);
    enum rt_status status =
        *ret_audit && trust ? RT_OK : rt_error_set(err, RT_NO_MEMORY, "checking %s", folder);
    if (!status)
        status = read_trust(settings, trust, err);
    if (!status)
        status = rt_folder_open(folder, &(*ret_audit)->checks, &(*ret_audit)->folder, err);
    if (!status) {
        status = run(*ret_audit, trust, err);
        if (status == RT_NO_MEMORY)
            rt_error_set(err, status, "checking %s", folder);
    }
    free(trust);
    return status;
}

const struct rt_checks *rt_audit_checks(const struct rt_audit *audit)
{
    return &audit->checks;
}

struct rt_report *rt_audit_recomputed(struct rt_audit *audit)
{
    return audit->has_report ? &audit->report : NULL;
}
