// SPDX-License-Identifier: Apache-2.0
#include "coordinator/bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/crypto/digest_map.h"
#include "common/crypto/minisig.h"
#include "common/report/render.h"
#include "common/tlog/checkpoint.h"
#include "common/tlog/tile.h"
#include "coordinator/bundle_folder.h"
#include "coordinator/cosigned.h"
#include "proto/object_incident.h"
#include "proto/object_rating.h"

#define RENDERED_MOST ((size_t)1 << 30)
#define BATCH_OBJECTS 64 // read in one snapshot, then written

// What an object is decides what else it makes needed.
enum part { PART_PLAIN, PART_ROSTER, PART_UNIT, PART_RESULT, PART_RATING, PART_INCIDENT };

struct wanted {
    struct rt_digest digest;
    enum part part;
};

struct writing {
    struct rt_store *store;
    struct rt_campaign_report *report;
    const struct rt_bundle_keys *keys;
    const struct rt_bundle_redaction *redaction;
    struct redacted {
        char path[RT_EVIDENCE_PATH_BYTES]; // "scenarios/mail-01"
        struct rt_digest digest;
    } *redacted;
    size_t redacted_count, redacted_room;
    struct rt_bundle_folder folder;
    struct rt_digest_map known;
    struct wanted *wanted;
    size_t wanted_count, wanted_room;
    struct rt_tree tree; // over the leaves as they are written
    int64_t last_received_ms;
    struct rt_vkey log;
    struct rt_statement statement;
    struct rt_arena arena; // for one object at a time
    struct rt_buf batch[BATCH_OBJECTS], statements[BATCH_OBJECTS];
    struct rt_buf text;
    struct rt_error *err;
};

static enum rt_status want(struct writing *writing, const struct rt_digest *digest, enum part part)
{
    enum rt_status status = rt_digest_map_put(&writing->known, digest, 0);
    if (status)
        return status == RT_EXISTS ? RT_OK : status;
    if (writing->wanted_count == writing->wanted_room) {
        size_t room = writing->wanted_room ? 2 * writing->wanted_room : 256;
        struct wanted *grown = realloc(writing->wanted, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        writing->wanted = grown;
        writing->wanted_room = room;
    }
    writing->wanted[writing->wanted_count++] = (struct wanted){*digest, part};
    return RT_OK;
}

static enum rt_status redact(struct writing *writing, const char *kind, const char *name,
                             const struct rt_digest *digest)
{
    if (writing->redacted_count == writing->redacted_room) {
        size_t room = writing->redacted_room ? 2 * writing->redacted_room : 64;
        struct redacted *grown = realloc(writing->redacted, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        writing->redacted = grown;
        writing->redacted_room = room;
    }
    struct redacted *made = &writing->redacted[writing->redacted_count++];
    snprintf(made->path, sizeof made->path, "%s/%s", kind, name);
    made->digest = *digest;
    return RT_OK;
}

// ---- the log

static enum rt_status take_leaf(struct writing *writing, struct rt_bytes leaf)
{
    struct rt_digest hash;
    struct rt_statement *statement = &writing->statement;
    rt_leaf_hash(leaf, &hash);
    enum rt_status status = rt_tree_append(&writing->tree, &hash, NULL, NULL);
    if (!status)
        status = rt_statement_parse(leaf, statement, NULL);
    if (status)
        return status;
    writing->last_received_ms = statement->received_ms;
    if (statement->kind == RT_STATEMENT_ROSTER)
        return want(writing, &statement->roster, PART_ROSTER);
    if (statement->kind == RT_STATEMENT_RATING &&
        rt_digest_equal(&statement->campaign, &writing->report->row.digest))
        return want(writing, &statement->rating, PART_RATING);
    if (statement->kind == RT_STATEMENT_INCIDENT &&
        rt_digest_equal(&statement->campaign, &writing->report->row.digest))
        return want(writing, &statement->record, PART_INCIDENT);
    if (statement->kind != RT_STATEMENT_RESULT ||
        !rt_digest_equal(&statement->campaign, &writing->report->row.digest))
        return RT_OK;
    for (size_t i = 0; i < statement->pair_count && !status; i++) {
        status = want(writing, &statement->pairs[i].unit, PART_UNIT);
        if (!status)
            status = want(writing, &statement->pairs[i].result, PART_RESULT);
    }
    return status;
}

static enum rt_status read_leaf(void *ctx, uint64_t index, struct rt_buf *out)
{
    struct writing *writing = ctx;
    struct rt_view *view = NULL;
    size_t before = out->size;
    enum rt_status status = rt_view_begin(writing->store, &view, NULL);
    if (!status)
        status = rt_view_leaf(view, index, out);
    rt_view_end(view);
    if (!status && index == writing->tree.size)
        status = take_leaf(writing, rt_bytes(out->data + before, out->size - before));
    return status;
}

static enum rt_status read_node(void *ctx, uint8_t level, uint64_t index,
                                struct rt_digest *ret_hash)
{
    struct writing *writing = ctx;
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(writing->store, &view, NULL);
    if (!status)
        status = rt_view_node(view, level, index, ret_hash);
    rt_view_end(view);
    return status;
}

static enum rt_status put_tile(void *ctx, const char *path, struct rt_bytes content)
{
    struct writing *writing = ctx;
    char full[RT_EVIDENCE_PATH_BYTES];
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    return rt_bundle_folder_put(&writing->folder, full, content, writing->err);
}

static enum rt_status put_text(struct writing *writing, const char *path)
{
    enum rt_status status = rt_buf_ok(&writing->text);
    if (status)
        return rt_error_set(writing->err, status, "%s", path);
    return rt_bundle_folder_put(&writing->folder, path, rt_buf_bytes(&writing->text), writing->err);
}

static enum rt_status write_log(struct writing *writing)
{
    const struct rt_store_head *head = &writing->report->head;
    struct rt_tile_source source = {read_node, read_leaf, writing};
    if (writing->err)
        writing->err->text[0] = 0;
    enum rt_status status = rt_tiles_write(0, head->size, &source, put_tile, writing);
    if (status)
        return writing->err && writing->err->text[0]
                   ? status
                   : rt_error_set(writing->err, status, "copying the log: %s",
                                  rt_status_text(status));
    struct rt_checkpoint checkpoint = {.size = head->size};
    rt_tree_root(&writing->tree, &checkpoint.root);
    if (writing->tree.size != head->size || !rt_digest_equal(&checkpoint.root, &head->root))
        return rt_error_set(writing->err, RT_CORRUPT,
                            "the store's root is not that of its leaves; nothing was signed. Run "
                            "`ringtrial-coordinator fsck`");
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", writing->report->facts.origin);
    rt_buf_clear(&writing->text);
    status = rt_checkpoint_sign(&checkpoint, writing->keys->log, &writing->text);
    if (status)
        return rt_error_set(writing->err, status, "signing the checkpoint");
    if (writing->keys->cosigned &&
        rt_cosigned_append(writing->keys->cosigned, writing->keys->roster, &writing->text, NULL))
        return rt_error_set(writing->err, RT_NO_MEMORY, "the checkpoint's cosignatures");
    return put_text(writing, RT_EVIDENCE_CHECKPOINT);
}

// ---- objects

static enum rt_status want_documents(struct writing *writing)
{
    const struct rt_campaign *campaign = writing->report->campaign;
    enum rt_status status = want(writing, &campaign->digest, PART_PLAIN);
    if (!status)
        status = want(writing, &campaign->bench_digest, PART_PLAIN);
    for (size_t i = 0; i < campaign->scenario_count && !status; i++) {
        const struct rt_campaign_scenario *scenario = &campaign->scenarios[i];
        status = writing->redaction->scenarios
                     ? redact(writing, "scenarios", scenario->id, &scenario->digest)
                     : want(writing, &scenario->digest, PART_PLAIN);
    }
    return status ? rt_error_set(writing->err, status, "listing the objects") : RT_OK;
}

static enum rt_status read_batch(struct writing *writing, size_t first, size_t count)
{
    struct rt_view *view = NULL;
    enum rt_status status = rt_view_begin(writing->store, &view, writing->err);
    for (size_t i = 0; i < count && !status; i++) {
        const struct wanted *wanted = &writing->wanted[first + i];
        rt_buf_clear(&writing->batch[i]);
        rt_buf_clear(&writing->statements[i]);
        status = rt_view_object(view, &wanted->digest, &writing->batch[i]);
        if (!status && wanted->part == PART_UNIT)
            status = rt_view_unit_statement(view, &wanted->digest, &writing->statements[i]);
        if (status) {
            char digest[RT_DIGEST_TEXT_BYTES];
            rt_digest_format(&wanted->digest, digest);
            rt_error_set(writing->err, status, "object %s, which the log names: %s", digest,
                         rt_status_text(status));
        }
    }
    rt_view_end(view);
    return status;
}

static enum rt_status put_object(struct writing *writing, struct rt_bytes object,
                                 const struct rt_digest *digest)
{
    char path[RT_EVIDENCE_PATH_BYTES];
    struct rt_digest own;
    rt_sha256(object, &own);
    rt_evidence_object_path(&own, path);
    if (digest && !rt_digest_equal(digest, &own))
        return rt_error_set(writing->err, RT_CORRUPT, "the store's object for %s is another", path);
    return rt_bundle_folder_put(&writing->folder, path, object, writing->err);
}

// A roster is also there to be read by people, and names the log's key.
static enum rt_status put_roster(struct writing *writing, struct rt_bytes object)
{
    struct rt_roster *roster = NULL;
    char path[RT_EVIDENCE_PATH_BYTES];
    enum rt_status status = rt_roster_decode(object, &writing->arena, &roster);
    rt_buf_clear(&writing->text);
    if (!status)
        status = rt_roster_write(roster, &writing->text);
    if (status)
        return rt_error_set(writing->err, status, "a roster of the log: %s",
                            rt_status_text(status));
    writing->log = roster->log;
    rt_evidence_roster_path(roster->version, path);
    return put_text(writing, path);
}

// What served a judge goes with its labels.
static enum rt_status put_rating(struct writing *writing, struct rt_bytes object)
{
    static const struct rt_digest none;
    struct rt_object_rating rating;
    enum rt_status status = rt_object_rating_decode(object, &writing->arena, &rating, NULL);
    if (!status && !rt_digest_equal(&rating.fingerprint, &none))
        status = want(writing, &rating.fingerprint, PART_PLAIN);
    return status ? rt_error_set(writing->err, status, "a rating of the log: %s",
                                 rt_status_text(status))
                  : RT_OK;
}

// What shows it goes with it, as far as it was handed in and not only named.
static enum rt_status put_incident(struct writing *writing, struct rt_bytes object)
{
    struct rt_object_incident incident;
    struct rt_view *view = NULL;
    struct rt_buf there;
    rt_buf_init(&there, RT_CAMPAIGN_OBJECT_MOST);
    enum rt_status status = rt_object_incident_decode(object, &writing->arena, &incident, NULL);
    if (!status)
        status = rt_view_begin(writing->store, &view, NULL);
    for (size_t i = 0; !status && i < incident.evidence_count; i++) {
        char name[2 * RT_DIGEST_BYTES + 1];
        rt_buf_clear(&there);
        status = rt_view_object(view, &incident.evidence[i], &there);
        rt_hex_encode(incident.evidence[i].bytes, RT_DIGEST_BYTES, name);
        if (!status && writing->redaction->evidence)
            status = redact(writing, "evidence", name, &incident.evidence[i]);
        else if (!status)
            status = want(writing, &incident.evidence[i], PART_PLAIN);
        else if (status == RT_NOT_FOUND)
            status = RT_OK;
    }
    rt_view_end(view);
    rt_buf_release(&there);
    return status ? rt_error_set(writing->err, status, "an incident of the log: %s",
                                 rt_status_text(status))
                  : RT_OK;
}

static enum rt_status put_part(struct writing *writing, const struct wanted *wanted, size_t slot)
{
    struct rt_bytes object = rt_buf_bytes(&writing->batch[slot]);
    enum rt_status status = put_object(writing, object, &wanted->digest);
    rt_arena_clear(&writing->arena);
    if (status)
        return status;
    if (wanted->part == PART_ROSTER)
        return put_roster(writing, object);
    if (wanted->part == PART_UNIT)
        return put_object(writing, rt_buf_bytes(&writing->statements[slot]), NULL);
    if (wanted->part == PART_RATING)
        return put_rating(writing, object);
    if (wanted->part == PART_INCIDENT)
        return put_incident(writing, object);
    if (wanted->part != PART_RESULT)
        return RT_OK;
    struct rt_object_result result;
    status = rt_object_result_decode(object, &writing->arena, &result, NULL);
    if (!status)
        status = want(writing, &result.fingerprint, PART_PLAIN);
    return status ? rt_error_set(writing->err, status, "a result of the log: %s",
                                 rt_status_text(status))
                  : RT_OK;
}

static enum rt_status write_objects(struct writing *writing)
{
    enum rt_status status = want_documents(writing);
    for (size_t first = 0; first < writing->wanted_count && !status;) {
        size_t count = writing->wanted_count - first;
        if (count > BATCH_OBJECTS)
            count = BATCH_OBJECTS;
        status = read_batch(writing, first, count);
        for (size_t i = 0; i < count && !status; i++) {
            struct wanted wanted = writing->wanted[first + i]; // the list may move
            status = put_part(writing, &wanted, i);
        }
        first += count;
    }
    return status;
}

// ---- the rest

static enum rt_status write_reports(struct writing *writing)
{
    rt_buf_clear(&writing->text);
    enum rt_status status = rt_report_json(&writing->report->report, &writing->text);
    if (!status)
        status = put_text(writing, RT_EVIDENCE_REPORT);
    rt_buf_clear(&writing->text);
    if (!status && (status = rt_report_html(&writing->report->report, &writing->text)))
        return rt_error_set(writing->err, status, "rendering the report");
    return status ? status : put_text(writing, RT_EVIDENCE_HTML);
}

static enum rt_status write_keys(struct writing *writing)
{
    char vkey[RT_VKEY_TEXT_BYTES];
    rt_vkey_format(&writing->log, vkey);
    rt_buf_clear(&writing->text);
    rt_buf_printf(&writing->text, "%s\n", vkey);
    enum rt_status status = put_text(writing, RT_EVIDENCE_VKEY);
    rt_buf_clear(&writing->text);
    rt_public_key_file_format(rt_secret_key_public(writing->keys->signer),
                              rt_secret_key_number(writing->keys->signer), &writing->text);
    if (!status)
        status = put_text(writing, RT_EVIDENCE_SIGNER);
    rt_buf_clear(&writing->text);
    rt_buf_add_str(&writing->text, rt_evidence_readme);
    return status ? status : put_text(writing, RT_EVIDENCE_README);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct redacted *)a)->path, ((const struct redacted *)b)->path);
}

// A line each, as in the manifest, of what the log or the campaign names and the folder has not.
static enum rt_status write_redacted(struct writing *writing)
{
    if (!writing->redacted_count)
        return RT_OK;
    rt_buf_clear(&writing->text);
    qsort(writing->redacted, writing->redacted_count, sizeof *writing->redacted, by_path);
    for (size_t i = 0; i < writing->redacted_count; i++)
        if (i == 0 || by_path(&writing->redacted[i], &writing->redacted[i - 1]) != 0)
            rt_evidence_manifest_add(writing->redacted[i].path, &writing->redacted[i].digest,
                                     &writing->text);
    return put_text(writing, RT_EVIDENCE_REDACTED);
}

static enum rt_status write_manifest(struct writing *writing)
{
    char comment[80];
    struct rt_buf signature;
    rt_buf_init(&signature, RT_MINISIG_MOST);
    rt_buf_clear(&writing->text);
    // The time of the last leaf, so that the same log gives the same bundle.
    snprintf(comment, sizeof comment, "timestamp:%" PRId64 "\tfile:" RT_EVIDENCE_MANIFEST,
             writing->last_received_ms / 1000);
    enum rt_status status = rt_bundle_folder_manifest(&writing->folder, &writing->text);
    if (!status)
        status = rt_minisig_sign(writing->keys->signer, rt_buf_bytes(&writing->text), comment,
                                 &signature);
    if (status)
        rt_error_set(writing->err, status, "signing the manifest");
    else
        status = put_text(writing, RT_EVIDENCE_MANIFEST);
    if (!status)
        status = rt_bundle_folder_put(&writing->folder, RT_EVIDENCE_SIGNATURE,
                                      rt_buf_bytes(&signature), writing->err);
    rt_buf_release(&signature);
    return status;
}

static void release(struct writing *writing)
{
    rt_bundle_folder_release(&writing->folder);
    rt_digest_map_release(&writing->known);
    free(writing->wanted);
    free(writing->redacted);
    rt_arena_release(&writing->arena);
    rt_buf_release(&writing->text);
    for (size_t i = 0; i < BATCH_OBJECTS; i++) {
        rt_buf_release(&writing->batch[i]);
        rt_buf_release(&writing->statements[i]);
    }
    free(writing);
}

enum rt_status rt_campaign_bundle_write(struct rt_store *store, struct rt_campaign_report *report,
                                        const struct rt_bundle_keys *keys,
                                        const struct rt_bundle_redaction *redaction,
                                        const char *folder, struct rt_bundle_sums *ret_sums,
                                        struct rt_error *err)
{
    struct writing *writing = calloc(1, sizeof *writing);
    if (!writing)
        return rt_error_set(err, RT_NO_MEMORY, "writing %s", folder);
    writing->store = store;
    writing->report = report;
    writing->keys = keys;
    writing->redaction = redaction;
    writing->err = err;
    rt_arena_init(&writing->arena, (size_t)256 << 20);
    rt_buf_init(&writing->text, RENDERED_MOST);
    rt_tree_init(&writing->tree);
    for (size_t i = 0; i < BATCH_OBJECTS; i++) {
        rt_buf_init(&writing->batch[i], RT_CAMPAIGN_OBJECT_MOST);
        rt_buf_init(&writing->statements[i], RT_STATEMENT_MOST);
    }
    enum rt_status status = rt_bundle_folder_make(folder, &writing->folder, err);
    if (!status)
        status = write_log(writing);
    if (!status)
        status = write_objects(writing);
    if (!status)
        status = write_reports(writing);
    if (!status)
        status = write_keys(writing);
    if (!status)
        status = write_redacted(writing);
    if (!status)
        status = write_manifest(writing);
    struct rt_bundle_sums sums = {report->head.size, writing->wanted_count,
                                  writing->redacted_count, writing->folder.count,
                                  writing->folder.bytes};
    if (!status)
        status = rt_bundle_folder_finish(&writing->folder, err);
    if (!status)
        *ret_sums = sums;
    release(writing);
    return status;
}
