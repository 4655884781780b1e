// SPDX-License-Identifier: Apache-2.0
#include "worker/rating/desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "common/crypto/digest_map.h"

#define ROW_MOST ((size_t)8 << 20)

struct reading {
    struct rt_desk *desk;
    struct rt_digest_map leaf_of; // unit digest → log index
};

// ---- which leaf a unit's result is in

static enum rt_status on_receipt(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct reading *reading = ctx;
    struct rt_row_receipt row;
    struct rt_arena arena;
    struct rt_statement *statement = malloc(sizeof *statement);
    (void)key;
    rt_arena_init(&arena, ROW_MOST);
    enum rt_status status = statement ? RT_OK : RT_NO_MEMORY;
    if (!status)
        status = rt_outbox_read(rt_row_receipt_schema(), value, &arena, &row);
    if (!status && row.kind == RT_STATEMENT_RESULT) {
        status = rt_statement_parse(row.statement, statement, NULL);
        for (size_t i = 0; !status && i < statement->pair_count; i++) {
            status = rt_digest_map_put(&reading->leaf_of, &statement->pairs[i].unit, row.index);
            status = status == RT_EXISTS ? RT_OK : status;
        }
    }
    rt_arena_release(&arena);
    free(statement);
    return status;
}

static enum rt_status on_trial(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct reading *reading = ctx;
    struct rt_desk *desk = reading->desk;
    struct rt_row_trial row;
    struct rt_arena arena;
    static const struct rt_digest none;
    (void)key;
    rt_arena_init(&arena, ROW_MOST);
    enum rt_status status = rt_outbox_read(rt_row_trial_schema(), value, &arena, &row);
    const struct rt_digest_entry *leaf =
        status ? NULL : rt_digest_map_find(&reading->leaf_of, &row.unit);
    if (!status && leaf && rt_trial_status_flags(row.result[0].status).denominator &&
        !rt_digest_equal(&row.result[0].transcript, &none)) {
        if (desk->count == desk->room) {
            size_t room = desk->room ? 2 * desk->room : 256;
            struct rt_desk_trial *grown = realloc(desk->trials, room * sizeof *grown);
            if (grown) {
                desk->trials = grown;
                desk->room = room;
            } else {
                status = RT_NO_MEMORY;
            }
        }
        if (!status)
            desk->trials[desk->count++] =
                (struct rt_desk_trial){row.result[0].number, leaf->value, row.result[0]};
    }
    rt_arena_release(&arena);
    return status;
}

static int by_number(const void *left, const void *right)
{
    const struct rt_desk_trial *a = left, *b = right;
    return a->number < b->number ? -1 : a->number > b->number;
}

enum rt_status rt_desk_open(const char *config, const char *campaign, struct rt_desk *ret_desk,
                            struct rt_error *err)
{
    struct rt_desk desk = {.local = NULL};
    enum rt_status status = rt_local_open(config, campaign, RT_LOCAL_DOCUMENTS, &desk.local, err);
    if (status)
        return status;
    struct reading reading = {.desk = &desk};
    struct rt_bytes prefix = rt_bytes(desk.local->digest.bytes, RT_DIGEST_BYTES);
    struct rt_ledger *ledger = desk.local->outbox->ledger;
    rt_digest_map_init(&reading.leaf_of);
    status = rt_ledger_each(ledger, RT_TABLE_RECEIPT, prefix, on_receipt, &reading);
    if (!status)
        status = rt_ledger_each(ledger, RT_TABLE_FINAL, prefix, on_trial, &reading);
    rt_digest_map_release(&reading.leaf_of);
    if (status) {
        rt_error_set(err, status, "%s/outbox.mdb: %s", desk.local->home->state,
                     rt_status_text(status));
        rt_desk_release(&desk);
        return status;
    }
    if (desk.count)
        qsort(desk.trials, desk.count, sizeof *desk.trials, by_number);
    *ret_desk = desk;
    return RT_OK;
}

void rt_desk_release(struct rt_desk *desk)
{
    free(desk->trials);
    rt_local_free(desk->local);
    *desk = (struct rt_desk){.local = NULL};
}

enum rt_status rt_desk_transcript(const struct rt_desk *desk, const struct rt_desk_trial *trial,
                                  struct rt_arena *arena, struct rt_transcript *ret_transcript,
                                  struct rt_error *err)
{
    struct rt_buf object;
    rt_buf_init(&object, RT_VAULT_OBJECT_MOST);
    enum rt_status status =
        rt_ledger_object(desk->local->outbox->ledger, &trial->result.transcript, &object, err);
    struct rt_bytes plain = {NULL, 0};
    if (!status && object.size > RT_TRANSCRIPT_SALT_BYTES)
        plain = rt_arena_bytes(arena, rt_bytes(object.data + RT_TRANSCRIPT_SALT_BYTES,
                                               object.size - RT_TRANSCRIPT_SALT_BYTES));
    rt_buf_release(&object);
    if (status)
        return status;
    status = rt_transcript_decode(plain, arena, ret_transcript, NULL);
    return status ? rt_error_set(err, status, "transcript of trial %llu: %s",
                                 (unsigned long long)trial->number, rt_status_text(status))
                  : RT_OK;
}

// ---- handing in

enum rt_status rt_desk_folder(const char *state, char *ret_path, struct rt_error *err)
{
    enum rt_status status = rt_path_join(ret_path, PATH_MAX, state, "ratings");
    if (status)
        return rt_error_set(err, status, "%s/ratings: %s", state, rt_status_text(status));
    return rt_file_exists(ret_path) ? RT_OK : rt_file_mkdir(ret_path, 0700, err);
}

enum rt_status rt_desk_journal(const struct rt_desk *desk, const char *suffix, char *ret_path,
                               struct rt_error *err)
{
    char folder[PATH_MAX], hex[2 * RT_DIGEST_BYTES + 1], name[NAME_MAX + 1];
    enum rt_status status = rt_desk_folder(desk->local->home->state, folder, err);
    if (status)
        return status;
    rt_hex_encode(desk->local->digest.bytes, RT_DIGEST_BYTES, hex);
    int size = snprintf(name, sizeof name, "%s.%s.%s", desk->local->name, hex, suffix);
    status = size < 0 || (size_t)size >= sizeof name
                 ? RT_TOO_LARGE
                 : rt_path_join(ret_path, PATH_MAX, folder, name);
    return status ? rt_error_set(err, status, "%s: %s", folder, rt_status_text(status)) : RT_OK;
}

static enum rt_status put_file(const char *folder, struct rt_bytes bytes, const char *suffix,
                               struct rt_error *err)
{
    struct rt_digest digest;
    char hex[2 * RT_DIGEST_BYTES + 1], name[2 * RT_DIGEST_BYTES + 16], path[PATH_MAX];
    rt_sha256(bytes, &digest);
    rt_hex_encode(digest.bytes, RT_DIGEST_BYTES, hex);
    snprintf(name, sizeof name, "%s.%s", hex, suffix);
    enum rt_status status = rt_path_join(path, sizeof path, folder, name);
    return status ? rt_error_set(err, status, "%s", folder) : rt_file_write(path, bytes, 0600, err);
}

static int by_trial(const void *left, const void *right)
{
    const struct rt_desk_label *a = left, *b = right;
    return a->trial->number < b->trial->number ? -1 : a->trial->number > b->trial->number;
}

static enum rt_status encode_rating(const struct rt_desk *desk, const struct rt_desk_rater *rater,
                                    const struct rt_desk_label *labels, size_t count,
                                    struct rt_buf *out, struct rt_error *err)
{
    struct rt_rated_trial *trials = calloc(count, sizeof *trials);
    struct rt_object_rating object = {
        .campaign = desk->local->digest,
        .lab = rt_bytes_str(desk->local->home->config->lab),
        .kind = rater->kind,
        .rater = rt_bytes_str(rater->id),
        .rubric = rater->rubric,
        .software = rt_bytes_str("ringtrial-worker " RT_VERSION),
        .rated_ms = rt_time_wall_ms(),
        .trials = trials,
        .trials_count = count,
    };
    const char *field = "";
    if (!trials)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        trials[i] = (struct rt_rated_trial){.number = labels[i].trial->number,
                                            .leaf = labels[i].trial->leaf,
                                            .transcript = labels[i].trial->result.transcript,
                                            .status = labels[i].status,
                                            .outcome = labels[i].outcome,
                                            .severity = labels[i].severity,
                                            .confidence_micro = labels[i].confidence_micro,
                                            .seed = labels[i].seed,
                                            .first_vote = labels[i].first_vote,
                                            .second_vote = labels[i].second_vote};
    if (rater->fingerprint.size)
        rt_sha256(rater->fingerprint, &object.fingerprint);
    enum rt_status status = rt_object_rating_encode(&object, out, &field);
    if (status)
        rt_error_set(err, status, "a rating cannot be written: %s: %s", field,
                     rt_status_text(status));
    free(trials);
    return status;
}

static enum rt_status hand_in_batch(const struct rt_desk *desk, const struct rt_desk_rater *rater,
                                    const struct rt_desk_label *labels, size_t count,
                                    const char *folder, struct rt_error *err)
{
    struct rt_buf bytes;
    rt_buf_init(&bytes, RT_RATING_MOST);
    enum rt_status status = encode_rating(desk, rater, labels, count, &bytes, err);
    // What the rating names is there before it.
    if (!status && rater->fingerprint.size)
        status = put_file(folder, rater->fingerprint, "object", err);
    if (!status)
        status = put_file(folder, rt_buf_bytes(&bytes), "rating", err);
    rt_buf_release(&bytes);
    return status;
}

enum rt_status rt_desk_hand_out(const struct rt_desk *desk, const struct rt_desk_rater *rater,
                                struct rt_desk_label *labels, size_t count, const char *path,
                                struct rt_error *err)
{
    struct rt_buf bytes;
    if (!count || count > RT_RATED_MOST)
        return rt_error_set(err, count ? RT_TOO_LARGE : RT_NOT_FOUND,
                            "a rating holds 1 to %d trials, not %zu", RT_RATED_MOST, count);
    qsort(labels, count, sizeof *labels, by_trial);
    rt_buf_init(&bytes, RT_RATING_MOST);
    enum rt_status status = encode_rating(desk, rater, labels, count, &bytes, err);
    if (!status)
        status = rt_file_write(path, rt_buf_bytes(&bytes), 0644, err);
    rt_buf_release(&bytes);
    return status;
}

enum rt_status rt_desk_hand_in(const struct rt_desk *desk, const struct rt_desk_rater *rater,
                               struct rt_desk_label *labels, size_t count, size_t *ret_files,
                               struct rt_error *err)
{
    char folder[PATH_MAX];
    *ret_files = 0;
    enum rt_status status = rt_desk_folder(desk->local->home->state, folder, err);
    if (count)
        qsort(labels, count, sizeof *labels, by_trial);
    for (size_t first = 0; first < count && !status; first += RT_DESK_BATCH) {
        size_t batch = count - first < RT_DESK_BATCH ? count - first : RT_DESK_BATCH;
        status = hand_in_batch(desk, rater, labels + first, batch, folder, err);
        *ret_files += !status;
    }
    return status;
}
