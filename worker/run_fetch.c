// SPDX-License-Identifier: Apache-2.0
#include "common/base/log.h"
#include "proto/campaign.h"
#include "worker/run_state.h"

#define ASK_AGAIN_MS 10000
#define CHAIN_MOST   256 // rosters between two trusted ones

void run_fetch_reset(struct rt_run *run)
{
    run->fetch.active = run->fetch.failed = false;
    rt_buf_clear(&run->fetch.bytes);
}

static bool same(const struct rt_run *run, const struct rt_digest *digest)
{
    return run->fetch.active && rt_digest_equal(&run->fetch.digest, digest);
}

void run_fetch_failed(struct rt_run *run, const struct rt_digest *digest)
{
    if (same(run, digest))
        run->fetch.failed = true;
}

// An object's name is its SHA-256; a statement's is that of its signed part.
static bool is_what_was_asked(const struct rt_run *run)
{
    struct rt_statement statement;
    struct rt_digest digest;
    struct rt_bytes bytes = rt_buf_bytes(&run->fetch.bytes);
    rt_sha256(bytes, &digest);
    if (rt_digest_equal(&digest, &run->fetch.digest))
        return true;
    if (rt_statement_parse(bytes, &statement, NULL))
        return false;
    rt_statement_digest(&statement, &digest);
    return rt_digest_equal(&digest, &run->fetch.digest);
}

void run_on_part(struct rt_run *run, const struct rt_message_part *part)
{
    struct run_fetch *fetch = &run->fetch;
    if (!same(run, &part->digest) || part->offset != fetch->bytes.size)
        return; // an answer to a question of an earlier connection
    rt_buf_add_bytes(&fetch->bytes, part->data);
    if (rt_buf_ok(&fetch->bytes) || part->total > fetch->bytes.limit ||
        (part->offset && part->total != fetch->total) ||
        (!part->data.size && part->total != fetch->bytes.size)) {
        rt_log_warn("a document cannot be fetched", "bytes=%llu",
                    (unsigned long long)part->total);
        fetch->failed = true;
        return;
    }
    fetch->total = part->total;
    fetch->asked_ms = 0;
    if (fetch->bytes.size < fetch->total)
        return;
    if (is_what_was_asked(run)) {
        rt_outbox_put_object(run->outbox, &fetch->digest, rt_buf_bytes(&fetch->bytes));
        run_fetch_reset(run);
    } else {
        rt_log_warn("the coordinator sent another document than was asked for", NULL);
        fetch->failed = true;
    }
}

void run_fetch_send(struct rt_run *run)
{
    struct run_fetch *fetch = &run->fetch;
    if (!fetch->active || fetch->failed ||
        (fetch->asked_ms && run->mono_ms - fetch->asked_ms < ASK_AGAIN_MS))
        return;
    struct rt_message_fetch message = {fetch->digest, fetch->bytes.size};
    rt_buf_clear(&run->frame);
    if (!rt_message_fetch_encode(&message, &run->frame, NULL) &&
        run_send(run, rt_buf_bytes(&run->frame)))
        fetch->asked_ms = run->mono_ms;
}

enum rt_status run_need(struct rt_run *run, const struct rt_digest *digest, bool statement,
                        struct rt_arena *arena, struct rt_bytes *ret_bytes)
{
    enum rt_status status = rt_outbox_object(run->outbox, digest, arena, ret_bytes);
    // A statement's bytes hash to something else than its name; they were checked on arrival and
    // their signatures are checked on use.
    if (statement && status == RT_CORRUPT)
        return RT_OK;
    if (status != RT_NOT_FOUND && status != RT_CORRUPT)
        return status;
    if (!run->fetch.active) {
        run_fetch_reset(run);
        run->fetch.active = true;
        run->fetch.digest = *digest;
        run->fetch.asked_ms = 0;
        run->progress = true;
    }
    if (same(run, digest) && run->fetch.failed) {
        run_fetch_reset(run);
        return RT_NOT_FOUND;
    }
    return RT_AGAIN;
}

// ---- rosters

static void trust_name(const struct rt_digest *digest, char ret_name[80])
{
    memcpy(ret_name, "roster:", 7);
    rt_hex_encode(digest->bytes, RT_DIGEST_BYTES, ret_name + 7);
}

static bool trusted(struct rt_run *run, const struct rt_digest *digest)
{
    char name[80];
    struct rt_buf value;
    trust_name(digest, name);
    rt_buf_init(&value, 16);
    bool known = rt_digest_equal(digest, &run->home->invite->roster) ||
                 rt_outbox_meta(run->outbox, name, &value) == RT_OK;
    rt_buf_release(&value);
    return known;
}

static void trust(struct rt_run *run, const struct rt_digest *digest)
{
    char name[80];
    trust_name(digest, name);
    rt_outbox_put_meta(run->outbox, name, rt_bytes_str("1"));
}

static enum rt_status get_roster(struct rt_run *run, const struct rt_digest *digest,
                                 struct rt_arena *arena, struct rt_roster **ret_roster)
{
    struct rt_bytes bytes = {NULL, 0};
    enum rt_status status = run_need(run, digest, false, arena, &bytes);
    return status ? status : rt_roster_decode(bytes, arena, ret_roster);
}

// One step of the chain: next was put in force by the thresholds of current and of its own.
static enum rt_status check_step(struct rt_run *run, const struct rt_roster *current,
                                 const struct rt_roster *next, struct rt_arena *arena)
{
    struct rt_digest name;
    struct rt_bytes leaf = {NULL, 0};
    enum rt_status status = rt_evidence_roster_name(next, &name);
    if (!status)
        status = run_need(run, &name, true, arena, &leaf);
    if (!status)
        status = rt_evidence_roster(leaf, current, next);
    if (!status)
        trust(run, &next->digest);
    return status;
}

enum rt_status run_need_roster(struct rt_run *run, const struct rt_digest *digest,
                               struct rt_arena *arena, struct rt_roster **ret_roster,
                               struct rt_error *err)
{
    struct rt_roster *chain[CHAIN_MOST];
    size_t count = 0;
    struct rt_digest next = *digest;
    enum rt_status status;
    // Back to a roster that is trusted, then forward again, one proved step after another.
    for (;;) {
        if (count == CHAIN_MOST)
            return rt_error_set(err, RT_TOO_LARGE, "more than %d rosters to follow", CHAIN_MOST);
        status = get_roster(run, &next, arena, &chain[count]);
        if (status)
            return rt_error_set(err, status, "a roster cannot be had: %s",
                                rt_status_text(status));
        count++;
        if (trusted(run, &next))
            break;
        if (!chain[count - 1]->has_previous)
            return rt_error_set(err, RT_UNKNOWN_KEY, "its rosters do not lead back to the one "
                                "the invitation names");
        next = chain[count - 1]->previous;
    }
    for (size_t i = count - 1; i-- > 0;) {
        status = check_step(run, chain[i + 1], chain[i], arena);
        if (status)
            return rt_error_set(err, status, "roster version %llu: %s",
                                (unsigned long long)chain[i]->version, rt_status_text(status));
    }
    *ret_roster = chain[0];
    return RT_OK;
}
