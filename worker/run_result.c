// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "worker/run_state.h"

#define ASK_AGAIN_MS   2000
#define CHASE_MS       60000
#define ROW_ARENA_MOST ((size_t)16 << 20)

// ---- the list of statements without a receipt

static struct run_out *add_out(struct rt_run *run)
{
    if (run->out_count == run->out_capacity) {
        size_t capacity = run->out_capacity ? 2 * run->out_capacity : 64;
        struct run_out *outs = realloc(run->outs, capacity * sizeof *outs);
        if (!outs)
            return NULL;
        run->outs = outs;
        run->out_capacity = capacity;
    }
    struct run_out *out = &run->outs[run->out_count++];
    memset(out, 0, sizeof *out);
    return out;
}

static struct run_out *find_out(struct rt_run *run, const struct rt_digest *digest)
{
    for (size_t i = 0; i < run->out_count; i++)
        if (rt_digest_equal(&run->outs[i].digest, digest))
            return &run->outs[i];
    return NULL;
}

static void count_out(struct run_out *out, int by)
{
    if (out->campaign && out->kind == RT_STATEMENT_RESULT && !out->parked)
        out->campaign->outgoing = (uint32_t)((int)out->campaign->outgoing + by);
}

static void remove_out(struct rt_run *run, struct run_out *out)
{
    count_out(out, -1);
    size_t index = (size_t)(out - run->outs);
    run->out_count--;
    memmove(out, out + 1, (run->out_count - index) * sizeof *out);
}

static int by_time(const void *left, const void *right)
{
    const struct run_out *a = left, *b = right;
    if (a->made_ms != b->made_ms)
        return a->made_ms < b->made_ms ? -1 : 1;
    return rt_digest_compare(&a->digest, &b->digest);
}

static enum rt_status load_out(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct rt_run *run = ctx;
    struct rt_row_out row;
    struct rt_arena arena;
    rt_arena_init(&arena, ROW_ARENA_MOST);
    enum rt_status status = key.size == RT_DIGEST_BYTES
                                ? rt_outbox_read(rt_row_out_schema(), value, &arena, &row)
                                : RT_CORRUPT;
    struct run_out *out = status ? NULL : add_out(run);
    if (out) {
        memcpy(out->digest.bytes, key.data, RT_DIGEST_BYTES);
        out->kind = (enum rt_statement_kind)row.kind;
        out->campaign = run_find_campaign(run, &row.campaign);
        out->unit = row.unit_digest;
        out->fingerprint = row.fingerprint;
        out->made_ms = row.made_ms;
        // What went down with its connections gets new attempts from a new process; what was
        // refused would be refused again.
        bool lost = row.disconnects >= RUN_DISCONNECTS_MOST;
        out->parked = row.parked && !lost && !run->settings->resend_parked;
        out->disconnects = out->parked ? row.disconnects : 0;
        out->stored = true;
        count_out(out, 1);
    }
    rt_arena_release(&arena);
    return status ? status : out ? RT_OK : RT_NO_MEMORY;
}

enum rt_status run_load_outs(struct rt_run *run, struct rt_error *err)
{
    enum rt_status status =
        rt_ledger_each(run->outbox->ledger, RT_TABLE_OUT, rt_bytes(NULL, 0), load_out, run);
    if (status)
        return rt_error_set(err, status, "reading results from the outbox: %s",
                            rt_status_text(status));
    if (run->out_count)
        qsort(run->outs, run->out_count, sizeof *run->outs, by_time);
    return RT_OK;
}

// ---- signing

// Sign, and put the row into the batch; the caller has filled everything but the statement.
static bool put_out(struct rt_run *run, struct run_campaign *campaign,
                    const struct rt_statement *statement, struct rt_row_out *row,
                    struct rt_digest *ret_digest)
{
    struct rt_statement parsed;
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = rt_statement_make(statement, run->home->sign, &text);
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(&text), &parsed, NULL);
    struct run_out *out = status ? NULL : add_out(run);
    if (!out) {
        run_fail(run, status ? status : RT_NO_MEMORY, "cannot sign a %s statement: %s",
                 rt_statement_kind_word(statement->kind), rt_status_text(status));
        rt_buf_release(&text);
        return false;
    }
    rt_statement_digest(&parsed, &out->digest);
    out->kind = statement->kind;
    out->campaign = campaign;
    out->unit = row->unit_digest;
    out->fingerprint = row->fingerprint;
    out->made_ms = run->now_ms;
    count_out(out, 1);
    row->kind = statement->kind;
    row->campaign = campaign->digest;
    row->statement = rt_buf_bytes(&text);
    row->made_ms = run->now_ms;
    rt_outbox_put(run->outbox, RT_TABLE_OUT, rt_key_of(&out->digest), rt_row_out_schema(), row);
    *ret_digest = out->digest;
    rt_buf_release(&text);
    return true;
}

void run_submit(struct rt_run *run, struct run_campaign *campaign,
                const struct rt_statement *statement)
{
    struct rt_row_out row = {.kind = statement->kind};
    struct rt_digest digest;
    if (!put_out(run, campaign, statement, &row, &digest))
        return;
    if (statement->kind == RT_STATEMENT_ACCEPT) {
        campaign->accept = digest;
        campaign->has_accept = true;
    }
    run_save_campaign(run, campaign);
    run->progress = true;
}

static void sign_result(struct rt_run *run, const struct run_unit *unit)
{
    struct rt_buf object;
    struct rt_row_out row = {.unit_digest = unit->digest,
                             .unit_statement = rt_buf_bytes(&unit->statement),
                             .unit = rt_buf_bytes(&unit->object)};
    struct rt_statement statement = {.kind = RT_STATEMENT_RESULT,
                                     .campaign = unit->campaign->digest,
                                     .lab = rt_bytes_str(run->home->config->lab),
                                     .pair_count = 1};
    struct rt_digest digest;
    (void)rt_failpoint(RT_FAILPOINT_WORKER_BEFORE_SIGN);
    rt_buf_init(&object, RT_RESULT_MOST);
    enum rt_status status = run_encode_result(run, unit, &row.fingerprint, &object);
    if (status)
        run_fail(run, status, "cannot write a result: %s", rt_status_text(status));
    row.result = rt_buf_bytes(&object);
    statement.pairs[0].unit = unit->digest;
    rt_sha256(row.result, &statement.pairs[0].result);
    if (!status && put_out(run, unit->campaign, &statement, &row, &digest)) {
        (void)rt_failpoint(RT_FAILPOINT_WORKER_AFTER_SIGN);
        run->results_signed = true;
    }
    rt_buf_release(&object);
}

void run_submit_rating(struct rt_run *run, struct run_campaign *campaign,
                       const struct rt_statement *statement, struct rt_bytes object,
                       const struct rt_digest *fingerprint)
{
    struct rt_row_out row = {.result = object, .fingerprint = *fingerprint};
    struct rt_statement parsed;
    struct rt_digest digest;
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = rt_statement_make(statement, run->home->sign, &text);
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(&text), &parsed, NULL);
    if (!status)
        rt_statement_digest(&parsed, &digest);
    rt_buf_release(&text);
    // After a crash the same file may be found again: the statement waits already.
    if (!status && find_out(run, &digest))
        return;
    if (put_out(run, campaign, statement, &row, &digest))
        run->progress = true;
}

// Only units whose every trial is on disk: this runs right after a commit.
void run_sign_results(struct rt_run *run)
{
    for (size_t i = 0; i < run->unit_count && !run->fatal;) {
        struct run_unit *unit = run->units[i];
        bool over = unit->campaign->stage > RT_STAGE_LEAVING;
        if (unit->done < unit->trial_count || !unit->stored || over ||
            run->out_count >= RUN_OUT_MOST) {
            i++;
            continue;
        }
        sign_result(run, unit);
        if (!run->fatal)
            run_drop_unit(run, i);
        run->progress = true;
    }
}

// Change an item's row: how often it was lost, whether it is parked and why.
static void save_out(struct rt_run *run, struct run_out *out, const char *why)
{
    struct rt_row_out row;
    struct rt_arena arena;
    char text[201];
    rt_arena_init(&arena, ROW_ARENA_MOST);
    if (!rt_outbox_get(run->outbox, RT_TABLE_OUT, rt_key_of(&out->digest), rt_row_out_schema(),
                       &arena, &row)) {
        row.disconnects = out->disconnects;
        row.parked = out->parked;
        snprintf(text, sizeof text, "%s", why);
        if (*why)
            row.why = rt_bytes_str(text);
        rt_outbox_put(run->outbox, RT_TABLE_OUT, rt_key_of(&out->digest), rt_row_out_schema(),
                      &row);
    }
    rt_arena_release(&arena);
}

// ---- ending

static void end_campaign(struct rt_run *run, struct run_campaign *campaign, bool withdraw)
{
    struct rt_statement statement = {
        .kind = withdraw ? RT_STATEMENT_WITHDRAW : RT_STATEMENT_CLOSE,
        .campaign = campaign->digest,
        .lab = rt_bytes_str(run->home->config->lab),
        .reason = rt_bytes_str(*campaign->reason ? campaign->reason : "withdrawn by the lab"),
    };
    enum rt_status status = rt_outbox_results(run->outbox, &campaign->digest, &statement.results,
                                              &statement.root);
    if (status) {
        run_fail(run, status, "reading own results: %s", rt_status_text(status));
        return;
    }
    campaign->stage = withdraw ? RT_STAGE_WITHDRAWING : RT_STAGE_CLOSING;
    rt_log_info(withdraw ? "withdrawing" : "closing", "campaign=%s results=%llu", campaign->name,
                (unsigned long long)statement.results);
    run_submit(run, campaign, &statement);
}

void run_unpark(struct rt_run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->out_count; i++) {
        struct run_out *out = &run->outs[i];
        if (!out->parked)
            continue;
        out->parked = false;
        out->disconnects = 0;
        out->again_ms = 0;
        count_out(out, 1);
        save_out(run, out, "");
        count++;
    }
    rt_log_info("sending again what was parked", "items=%zu", count);
    run->progress |= count > 0;
}

// A result that went down with its connections may be in the log all the same, and then a close
// that does not count it contradicts the log. So before the end it is sent again, once a minute at
// most.
// True while there is such a result.
static bool chase_lost(struct rt_run *run, struct run_campaign *campaign)
{
    bool any = false;
    bool due = !campaign->chased_ms || run->mono_ms - campaign->chased_ms >= CHASE_MS;
    for (size_t i = 0; i < run->out_count; i++) {
        struct run_out *out = &run->outs[i];
        if (out->campaign != campaign || !out->parked || out->disconnects < RUN_DISCONNECTS_MOST)
            continue;
        any = true;
        if (!due)
            continue;
        out->parked = false;
        out->disconnects = 0;
        out->again_ms = 0;
        count_out(out, 1);
        save_out(run, out, "");
    }
    if (any && due) {
        rt_log_info("sending again what was parked: the end has to count it", "campaign=%s",
                    campaign->name);
        campaign->chased_ms = run->mono_ms;
        run->progress = true;
    }
    return any;
}

void run_end_campaigns(struct rt_run *run)
{
    for (size_t i = 0; i < run->campaign_count && !run->fatal; i++) {
        struct run_campaign *campaign = run->campaigns[i];
        bool leaving = campaign->stage == RT_STAGE_LEAVING;
        bool closing =
            campaign->stage == RT_STAGE_ACCEPTED && campaign->state == RT_OFFER_CLOSING;
        if ((!leaving && !closing) || !run->welcomed || !campaign->offered || campaign->units ||
            campaign->outgoing || chase_lost(run, campaign))
            continue;
        end_campaign(run, campaign, leaving);
    }
}

// ---- sending

static bool receipted(const struct rt_run *run, const struct rt_digest *fingerprint)
{
    for (size_t i = 0; i < run->receipted_fingerprint_count; i++)
        if (rt_digest_equal(&run->receipted_fingerprints[i], fingerprint))
            return true;
    return false;
}

// Write the frame of one item into run->frame.
static enum rt_status write_out(struct rt_run *run, const struct run_out *out,
                                struct rt_arena *arena)
{
    struct rt_row_out row;
    struct rt_bytes fingerprint = {NULL, 0};
    enum rt_status status = rt_outbox_get(run->outbox, RT_TABLE_OUT, rt_key_of(&out->digest),
                                          rt_row_out_schema(), arena, &row);
    if (status)
        return status;
    rt_buf_clear(&run->frame);
    if (out->kind != RT_STATEMENT_RESULT) {
        static const struct rt_digest none;
        struct rt_bytes objects[2] = {row.result};
        struct rt_message_submit message = {.statement = row.statement, .objects = objects};
        if (out->kind == RT_STATEMENT_RATING)
            message.objects_count = 1;
        if (message.objects_count && !rt_digest_equal(&row.fingerprint, &none) &&
            !rt_outbox_object(run->outbox, &row.fingerprint, arena, &objects[1]))
            message.objects_count = 2;
        return rt_message_submit_encode(&message, &run->frame, NULL);
    }
    if (!receipted(run, &row.fingerprint))
        status = rt_outbox_object(run->outbox, &row.fingerprint, arena, &fingerprint);
    if (status)
        return status;
    struct rt_result_pair pair = {row.unit_statement, row.unit, row.result};
    struct rt_message_result message = {row.statement, &pair, 1, fingerprint};
    return rt_message_result_encode(&message, &run->frame, NULL);
}

void run_send_outs(struct rt_run *run)
{
    struct rt_arena arena;
    size_t window = 0;
    rt_arena_init(&arena, ROW_ARENA_MOST);
    for (size_t i = 0; i < run->out_count && window < RUN_WINDOW; i++) {
        struct run_out *out = &run->outs[i];
        window += out->sent;
        if (out->sent || !out->stored || out->parked || out->again_ms > run->mono_ms)
            continue;
        rt_arena_clear(&arena);
        enum rt_status status = write_out(run, out, &arena);
        if (status) {
            run_fail(run, status, "reading the outbox: %s", rt_status_text(status));
            break;
        }
        if (!run_send(run, rt_buf_bytes(&run->frame)))
            break;
        out->sent = true;
        window++;
        if (out->kind == RT_STATEMENT_RESULT)
            (void)rt_failpoint(RT_FAILPOINT_WORKER_AFTER_SEND);
    }
    rt_arena_release(&arena);
}

static void park(struct rt_run *run, struct run_out *out, const char *why)
{
    char hex[2 * RT_DIGEST_BYTES + 1];
    rt_hex_encode(out->digest.bytes, RT_DIGEST_BYTES, hex);
    rt_log_error("parked: not sent any more; see `ringtrial-worker status`",
                 "kind=%s statement=%.16s why=%s", rt_statement_kind_word(out->kind), hex,
                 rt_log_quote(why));
    count_out(out, -1);
    out->parked = true;
    save_out(run, out, why);
}

void run_outs_lost(struct rt_run *run)
{
    for (size_t i = 0; i < run->out_count; i++) {
        struct run_out *out = &run->outs[i];
        if (!out->sent)
            continue;
        out->sent = false;
        // The few small statements of a lab are worth any number of attempts; results come back in
        // other units if they must.
        if (++out->disconnects >= RUN_DISCONNECTS_MOST && out->kind == RT_STATEMENT_RESULT)
            park(run, out, "three connections were lost before its receipt came");
        else
            save_out(run, out, "");
    }
}

// ---- receipts and refusals

static enum rt_status strip_receipt(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct rt_run *run = ctx;
    struct rt_row_receipt row;
    struct rt_arena arena;
    rt_arena_init(&arena, ROW_ARENA_MOST);
    enum rt_status status = rt_outbox_read(rt_row_receipt_schema(), value, &arena, &row);
    if (!status && row.unit.size) {
        row.unit_statement = row.unit = row.result = rt_bytes(NULL, 0);
        struct rt_key place = {.size = key.size};
        memcpy(place.bytes, key.data, key.size);
        rt_outbox_put(run->outbox, RT_TABLE_RECEIPT, place, rt_row_receipt_schema(), &row);
    }
    rt_arena_release(&arena);
    return status;
}

// The campaign is over for this lab: nothing will be submitted again, so what is bulky can go.
static void finish_campaign(struct rt_run *run, struct run_campaign *campaign,
                            enum rt_stage stage)
{
    campaign->stage = stage;
    rt_log_info(stage == RT_STAGE_CLOSED ? "campaign closed" : "withdrawn from the campaign",
                "campaign=%s results=%llu", campaign->name,
                (unsigned long long)campaign->results);
    enum rt_status status =
        rt_ledger_each(run->outbox->ledger, RT_TABLE_RECEIPT,
                       rt_bytes(campaign->digest.bytes, RT_DIGEST_BYTES), strip_receipt, run);
    if (status)
        run_fail(run, status, "reading receipts: %s", rt_status_text(status));
}

static void acknowledged(struct rt_run *run, const struct run_out *out)
{
    struct run_campaign *campaign = out->campaign;
    switch (out->kind) {
    case RT_STATEMENT_ACCEPT:
        if (campaign->stage == RT_STAGE_ACCEPTING)
            campaign->stage = RT_STAGE_ACCEPTED;
        break;
    case RT_STATEMENT_RESULT:
        campaign->results++;
        if (!receipted(run, &out->fingerprint) &&
            run->receipted_fingerprint_count < RUN_FINGERPRINTS_MOST)
            run->receipted_fingerprints[run->receipted_fingerprint_count++] = out->fingerprint;
        break;
    case RT_STATEMENT_CLOSE:
        finish_campaign(run, campaign, RT_STAGE_CLOSED);
        break;
    case RT_STATEMENT_WITHDRAW:
        finish_campaign(run, campaign, RT_STAGE_WITHDRAWN);
        break;
    default:
        break;
    }
    run_save_campaign(run, campaign);
}

static enum rt_status store_receipt(struct rt_run *run, struct run_out *out,
                                    const struct rt_message_receipt *receipt)
{
    struct rt_row_out row;
    struct rt_arena arena;
    struct rt_digest leaf_hash;
    struct rt_checkpoint checkpoint;
    rt_arena_init(&arena, ROW_ARENA_MOST);
    enum rt_status status = rt_outbox_get(run->outbox, RT_TABLE_OUT, rt_key_of(&out->digest),
                                          rt_row_out_schema(), &arena, &row);
    if (!status)
        status = rt_evidence_receipt(row.statement, receipt->received_ms, receipt->index,
                                     receipt->proof, &run->log, &leaf_hash, &checkpoint);
    if (!status)
        status = rt_seen_check(&run->seen, &checkpoint);
    if (!status)
        (void)rt_failpoint(RT_FAILPOINT_WORKER_RECEIPT_VERIFIED);
    if (!status) {
        struct rt_row_receipt kept = {
            .kind = row.kind,
            .index = receipt->index,
            .received_ms = receipt->received_ms,
            .proof = receipt->proof,
            .statement = row.statement,
            .unit_statement = row.unit_statement,
            .unit = row.unit,
            .result = row.result,
        };
        struct rt_key key = rt_key_of_number(&row.campaign, receipt->index);
        rt_outbox_put(run->outbox, RT_TABLE_RECEIPT, key, rt_row_receipt_schema(), &kept);
        if (out->kind == RT_STATEMENT_RESULT)
            rt_ledger_put(run->outbox->ledger, RT_TABLE_LEAF, rt_key_bytes(&key),
                          rt_bytes(leaf_hash.bytes, RT_DIGEST_BYTES));
        rt_outbox_del(run->outbox, RT_TABLE_OUT, rt_key_of(&out->digest));
    }
    rt_arena_release(&arena);
    return status;
}

void run_on_receipt(struct rt_run *run, const struct rt_message_receipt *receipt)
{
    struct run_out *out = find_out(run, &receipt->statement);
    if (!out || !out->stored)
        return; // its receipt came before
    enum rt_status status = store_receipt(run, out, receipt);
    if (status == RT_CONFLICT) {
        run_fail(run, status, "a receipt contradicts the log %s this lab has seen",
                 run->log.key.name);
        return;
    }
    if (status) {
        rt_log_error("a receipt does not verify; keeping what it was for", "why=%s",
                     rt_log_quote(rt_status_text(status)));
        run_hang_up(run, "a receipt did not verify");
        return;
    }
    if (out->campaign)
        acknowledged(run, out);
    remove_out(run, out);
}

// Say it once, not once a frame.
static void say_error(struct rt_run *run, enum rt_status status, const char *text)
{
    char line[256];
    snprintf(line, sizeof line, "%s: %s", rt_status_name(status), text);
    if (!strcmp(line, run->peer_error))
        return;
    snprintf(run->peer_error, sizeof run->peer_error, "%s", line);
    rt_log_warn("the coordinator says", "error=%s", rt_log_quote(line));
}

// What a statement that will never be taken means for its campaign.
static void refused(struct rt_run *run, const struct run_out *out, const char *text)
{
    struct run_campaign *campaign = out->campaign;
    if (!campaign || out->kind == RT_STATEMENT_RESULT)
        return;
    snprintf(campaign->held, sizeof campaign->held, "the coordinator refused this lab's %s: %.200s",
             rt_statement_kind_word(out->kind), text);
    if (out->kind == RT_STATEMENT_ACCEPT)
        campaign->stage = RT_STAGE_REFUSED;
    run_save_campaign(run, campaign);
}

void run_on_error(struct rt_run *run, const struct rt_message_error *error)
{
    enum rt_status status = rt_status_of_wire(error->code);
    char text[201];
    snprintf(text, sizeof text, "%.*s", (int)error->text.size, (const char *)error->text.data);
    say_error(run, status, text);
    if (!error->about.size) {
        // It has forgotten us (its store failed and was read again): begin anew.
        if (status == RT_AGAIN && run->greeted)
            run_hang_up(run, "the coordinator asked for a new HELLO");
        else if (!run->welcomed)
            run_hang_up(run, text);
        return;
    }
    struct rt_digest about;
    memcpy(about.bytes, error->about.data, RT_DIGEST_BYTES);
    struct run_out *out = find_out(run, &about);
    run_fetch_failed(run, &about);
    if (!out || out->parked || !out->stored)
        return;
    out->sent = false;
    out->again_ms = run->mono_ms + ASK_AGAIN_MS;
    if (rt_status_retryable(status))
        return;
    // The coordinator may not know the fingerprint after all: once more, with the object.
    if (status == RT_NOT_FOUND && receipted(run, &out->fingerprint)) {
        run->receipted_fingerprint_count = 0;
        return;
    }
    park(run, out, *text ? text : rt_status_text(status));
    refused(run, out, text);
}
