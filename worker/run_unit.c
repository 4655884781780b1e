// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "worker/run_state.h"

void run_unit_free(struct run_unit *unit)
{
    if (!unit)
        return;
    rt_buf_release(&unit->statement);
    rt_buf_release(&unit->object);
    free(unit->trials);
    free(unit);
}

struct run_unit *run_unit_by_id(struct rt_run *run, uint32_t id)
{
    for (size_t i = 0; i < run->unit_count; i++)
        if (run->units[i]->id == id)
            return run->units[i];
    return NULL;
}

static bool in_hand(const struct rt_run *run, const struct rt_digest *digest)
{
    for (size_t i = 0; i < run->unit_count; i++)
        if (rt_digest_equal(&run->units[i]->digest, digest))
            return true;
    for (size_t i = 0; i < run->out_count; i++)
        if (run->outs[i].kind == RT_STATEMENT_RESULT &&
            rt_digest_equal(&run->outs[i].unit, digest))
            return true;
    return false;
}

static enum rt_status number_trials(struct run_campaign *campaign,
                                    const struct rt_object_unit *object, struct run_unit *unit)
{
    uint64_t count = rt_object_unit_positions(object);
    unit->trials = calloc((size_t)count, sizeof *unit->trials);
    if (!unit->trials)
        return RT_NO_MEMORY;
    for (size_t r = 0; r < object->runs_count; r++)
        for (uint64_t i = 0; i < object->runs[r].count; i++) {
            enum rt_status status =
                rt_lab_trial(&campaign->plan, &campaign->order, object->runs[r].first + i,
                             &unit->trials[unit->trial_count].number);
            if (status)
                return status;
            unit->trial_count++;
        }
    return RT_OK;
}

// What this lab has measured already is not measured again: a trial that came back in another unit
// takes its stored result along.
static enum rt_status recall_trial(struct rt_run *run, const struct run_unit *unit,
                                   struct run_trial *trial)
{
    struct rt_row_trial row;
    rt_arena_clear(&run->frame_arena);
    enum rt_status status = rt_outbox_get(
        run->outbox, RT_TABLE_FINAL, rt_key_of_number(&unit->campaign->digest, trial->number),
        rt_row_trial_schema(), &run->frame_arena, &row);
    if (status == RT_NOT_FOUND)
        status = rt_outbox_get(run->outbox, RT_TABLE_TRIAL,
                               rt_key_of_number(&unit->digest, trial->number),
                               rt_row_trial_schema(), &run->frame_arena, &row);
    if (status)
        return status;
    trial->result = row.result[0];
    trial->fingerprint = row.fingerprint;
    trial->started_ms = row.started_ms;
    trial->finished_ms = row.finished_ms;
    trial->state = RUN_DONE;
    return RT_OK;
}

// Build a unit from its bytes. Positions, deadlines and addressee are checked here; the signature
// was checked on arrival.
static enum rt_status make_unit(struct rt_run *run, const struct rt_digest *digest,
                                struct rt_bytes statement, struct rt_bytes bytes,
                                struct run_unit **ret_unit)
{
    struct rt_object_unit object;
    struct rt_arena arena;
    rt_arena_init(&arena, 1 << 20);
    struct run_unit *unit = calloc(1, sizeof *unit);
    enum rt_status status =
        unit ? rt_object_unit_decode(bytes, &arena, &object, NULL) : RT_NO_MEMORY;
    struct run_campaign *campaign = status ? NULL : run_find_campaign(run, &object.campaign);
    if (!status && (!campaign || !campaign->planned || !campaign->has_accept))
        status = RT_NOT_FOUND;
    if (!status && (!rt_bytes_equal_str(object.lab, run->home->config->lab) ||
                    !rt_digest_equal(&object.accept, &campaign->accept)))
        status = RT_CONFLICT;
    if (unit) {
        rt_buf_init(&unit->statement, RT_UNIT_STATEMENT_MOST);
        rt_buf_init(&unit->object, RT_UNIT_MOST);
    }
    if (!status) {
        rt_buf_add_bytes(&unit->statement, statement);
        rt_buf_add_bytes(&unit->object, bytes);
        unit->id = ++run->next_unit_id;
        unit->digest = *digest;
        unit->campaign = campaign;
        unit->issued_ms = object.issued_ms;
        unit->reissue_at_ms = object.reissue_at_ms;
        unit->accept_until_ms = object.accept_until_ms;
        status = number_trials(campaign, &object, unit);
    }
    rt_arena_release(&arena);
    if (status) {
        run_unit_free(unit);
        return status;
    }
    *ret_unit = unit;
    return RT_OK;
}

static enum rt_status keep_unit(struct rt_run *run, struct run_unit *unit)
{
    for (uint32_t i = 0; i < unit->trial_count; i++) {
        enum rt_status status = recall_trial(run, unit, &unit->trials[i]);
        if (status && status != RT_NOT_FOUND)
            return status;
        unit->done += !status;
    }
    run->units[run->unit_count++] = unit;
    unit->campaign->units++;
    unit->campaign->remaining += unit->trial_count - unit->done;
    return RT_OK;
}

// ---- after a restart

// Rows are kept aside until campaigns are loaded, because a unit's trials follow from the plan.
static enum rt_status load_unit(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct rt_run *run = ctx;
    struct rt_row_unit row;
    struct rt_digest digest;
    struct rt_arena arena;
    if (key.size != RT_DIGEST_BYTES || run->unit_count == RUN_UNITS_MOST)
        return RT_CORRUPT;
    memcpy(digest.bytes, key.data, key.size);
    rt_arena_init(&arena, 1 << 20);
    enum rt_status status = rt_outbox_read(rt_row_unit_schema(), value, &arena, &row);
    struct run_unit *unit = NULL;
    if (!status)
        status = make_unit(run, &digest, row.statement, row.object, &unit);
    if (!status) {
        unit->stored = true;
        unit->taken_ms = row.taken_ms;
        status = keep_unit(run, unit);
    } else if (status == RT_NOT_FOUND || status == RT_CONFLICT) {
        // Its campaign is no longer one of ours: the unit is not, either.
        rt_outbox_del(run->outbox, RT_TABLE_UNIT, rt_key_of(&digest));
        status = RT_OK;
    }
    rt_arena_release(&arena);
    return status;
}

enum rt_status run_load_units(struct rt_run *run, struct rt_error *err)
{
    enum rt_status status =
        rt_ledger_each(run->outbox->ledger, RT_TABLE_UNIT, rt_bytes(NULL, 0), load_unit, run);
    return status ? rt_error_set(err, status, "reading units from the outbox: %s",
                                 rt_status_text(status)) : RT_OK;
}

// ---- taking

static void give_back(struct rt_run *run, const struct rt_digest *digest)
{
    struct rt_digest *grown =
        realloc(run->returns, (run->return_count + 1) * sizeof *run->returns);
    if (!grown)
        return; // what the next HELLO does not list is free anyway
    run->returns = grown;
    run->returns[run->return_count++] = *digest;
}

static enum rt_status check_unit(struct rt_run *run, const struct rt_message_unit *message,
                                 const struct rt_digest *digest, const struct run_unit *unit)
{
    struct rt_evidence_unit expected = {&unit->campaign->digest, run->home->config->lab, digest};
    enum rt_status status = rt_evidence_unit(message->statement, &expected, &run->log.key);
    if (!status && unit->accept_until_ms <= run_server_ms(run))
        status = RT_TOO_LATE;
    return status;
}

void run_on_unit(struct rt_run *run, const struct rt_message_unit *message)
{
    struct rt_digest digest;
    struct run_unit *unit = NULL;
    rt_sha256(message->object, &digest);
    if (in_hand(run, &digest))
        return;
    enum rt_status status = run->unit_count < RUN_UNITS_MOST ? RT_OK : RT_BUSY;
    if (!status)
        status = make_unit(run, &digest, message->statement, message->object, &unit);
    if (!status && unit->campaign->credit)
        unit->campaign->credit--;
    if (!status)
        status = check_unit(run, message, &digest, unit);
    if (!status && (unit->campaign->stage != RT_STAGE_ACCEPTED ||
                    unit->campaign->state != RT_OFFER_STARTED))
        status = RT_CANCELLED;
    if (status) {
        rt_log_warn("unit not taken", "why=%s", rt_log_quote(rt_status_text(status)));
        if (status != RT_BAD_SIGNATURE && status != RT_UNKNOWN_KEY)
            give_back(run, &digest);
        run_unit_free(unit);
        return;
    }
    unit->taken_ms = run->now_ms;
    unit->fresh = true;
    // keep_unit reads rows through the frame's arena: the message ends here.
    struct rt_row_unit row = {rt_buf_bytes(&unit->statement), rt_buf_bytes(&unit->object),
                              unit->taken_ms};
    status = keep_unit(run, unit);
    if (status) {
        run_fail(run, status, "reading the outbox: %s", rt_status_text(status));
        run_unit_free(unit);
        return;
    }
    rt_outbox_put(run->outbox, RT_TABLE_UNIT, rt_key_of(&digest), rt_row_unit_schema(), &row);
    run->units_taken = true;
}

// ---- letting go

void run_drop_unit(struct rt_run *run, size_t index)
{
    struct run_unit *unit = run->units[index];
    unit->campaign->units--;
    unit->campaign->remaining -= unit->trial_count - unit->done;
    rt_outbox_del(run->outbox, RT_TABLE_UNIT, rt_key_of(&unit->digest));
    for (uint32_t i = 0; i < unit->trial_count; i++)
        if (unit->trials[i].state == RUN_DONE &&
            !rt_trial_status_flags(unit->trials[i].result.status).final)
            rt_outbox_del(run->outbox, RT_TABLE_TRIAL,
                          rt_key_of_number(&unit->digest, unit->trials[i].number));
    run_unit_free(unit);
    run->unit_count--;
    memmove(&run->units[index], &run->units[index + 1],
            (run->unit_count - index) * sizeof *run->units);
}

// Why a unit is not to be run any more, or NULL. Trials that have finished stay in the outbox
// whatever becomes of their unit.
static const char *why_return(const struct rt_run *run, const struct run_unit *unit,
                              const struct rt_permit *permit)
{
    const struct run_campaign *campaign = unit->campaign;
    bool started = unit->flying || unit->done;
    if (campaign->state == RT_OFFER_CANCELLED)
        return "the campaign is cancelled";
    if (campaign->stage > RT_STAGE_LEAVING)
        return "this lab is out of the campaign";
    if (unit->accept_until_ms <= run_server_ms(run))
        return "its time is over";
    if (!started && campaign->stage == RT_STAGE_LEAVING)
        return "this lab is leaving";
    if (!started && campaign->state >= RT_OFFER_CLOSING)
        return "the campaign is closing";
    if (unit->flying || rt_permit_yes(*permit) || permit->cause == RT_PERMIT_BUSY)
        return NULL;
    // Policy says no: wait if it says yes again before the trials may go to somebody else.
    if (permit->wait_ms == RT_PERMIT_NEVER && unit->reissue_at_ms <= run_server_ms(run))
        return "policy";
    if (permit->wait_ms != RT_PERMIT_NEVER &&
        run_server_ms(run) + permit->wait_ms > unit->reissue_at_ms)
        return "policy";
    return NULL;
}

void run_return_units(struct rt_run *run)
{
    if (!run->unit_count)
        return;
    const struct rt_permit permits[2] = {run_permit_trial(run, false),
                                         run_permit_trial(run, true)};
    for (size_t i = run->unit_count; i-- > 0;) {
        struct run_unit *unit = run->units[i];
        const struct rt_permit *permit = &permits[unit->campaign->gpus];
        const char *why = unit->done == unit->trial_count ? NULL : why_return(run, unit, permit);
        if (!why && unit->done < unit->trial_count)
            why = run_slurm_why_return(run, unit);
        if (!why)
            continue;
        rt_log_info("unit handed back", "campaign=%s done=%u of=%u why=%s", unit->campaign->name,
                    unit->done, unit->trial_count, rt_log_quote(why));
        run_cancel_unit(run, unit);
        give_back(run, &unit->digest);
        run_drop_unit(run, i);
        run->progress = true;
    }
}
