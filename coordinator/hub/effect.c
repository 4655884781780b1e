// SPDX-License-Identifier: Apache-2.0
// The effects of a step: those for the store go into the batch, those for peers wait behind the
// commit.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/log.h"
#include "coordinator/hub/writer.h"

static enum rt_status campaign_of(const struct rt_writer *writer, uint32_t index,
                                  const struct rt_campaign **ret_campaign,
                                  struct rt_core_campaign_row *ret_row)
{
    return rt_core_campaign_view(writer->core, index, ret_row, ret_campaign);
}

// Encode, sign, store and queue one unit: the signature and the put are all it costs.
static enum rt_status issue_unit(struct rt_writer *writer, const struct rt_core_effect *effect,
                                 struct rt_error *err)
{
    const struct rt_campaign *campaign;
    struct rt_core_campaign_row row;
    enum rt_status status = campaign_of(writer, effect->campaign, &campaign, &row);
    if (status)
        return rt_error_set(err, status, "issuing a unit");
    struct rt_object_unit unit = {
        .campaign = row.digest,
        .lab = rt_bytes_str(campaign->labs[effect->lab].id),
        .epoch = effect->unit.epoch,
        .serial = effect->unit.serial,
        .issued_ms = effect->unit.issued_ms,
        .reissue_at_ms = effect->unit.reissue_at_ms,
        .accept_until_ms = effect->unit.accept_until_ms,
        .accept = effect->unit.accept,
        .runs = effect->unit.runs,
        .runs_count = effect->unit.run_count,
    };
    rt_buf_clear(&writer->scratch);
    const char *field = "";
    status =
        rt_schema_encode(rt_object_unit_schema(), &unit, RT_UNIT_MOST, &writer->scratch, &field);
    if (status)
        return rt_error_set(err, status, "encoding a unit: %s", field);
    size_t object_size = writer->scratch.size;
    static _Thread_local struct rt_statement statement;
    statement.kind = RT_STATEMENT_UNIT;
    statement.campaign = row.digest;
    statement.lab = unit.lab;
    rt_sha256(rt_buf_bytes(&writer->scratch), &statement.unit);
    status = rt_statement_make(&statement, writer->log_key, &writer->scratch);
    if (status)
        return rt_error_set(err, status, "signing a unit");
    struct rt_message_unit message = {
        .statement =
            rt_bytes(writer->scratch.data + object_size, writer->scratch.size - object_size),
        .object = rt_bytes(writer->scratch.data, object_size),
    };
    status = rt_store_put_unit(writer->context.store, &statement.unit, message.statement,
                               message.object, err);
    if (status)
        return status;
    rt_core_bind(writer->core, effect->unit.serial, &statement.unit);
    RT_COUNT(writer->context.counters, units_sent);
    status = rt_writer_queue(writer, effect->unit.peer, rt_message_unit_schema(), &message);
    return status ? rt_error_set(err, status, "queueing a unit") : RT_OK;
}

static bool concerns(const struct rt_writer *writer, const struct rt_core_effect *effect,
                     const struct rt_session *session)
{
    if (!session->greeted || !session->lab[0])
        return false;
    if (effect->lab == RT_CORE_ALL_LABS)
        return true;
    const struct rt_campaign *campaign;
    struct rt_core_campaign_row row;
    return !campaign_of(writer, effect->campaign, &campaign, &row) &&
           effect->lab < campaign->lab_count &&
           strcmp(campaign->labs[effect->lab].id, session->lab) == 0;
}

static enum rt_status queue_offer(struct rt_writer *writer, const struct rt_core_effect *effect,
                                  uint64_t peer)
{
    struct rt_core_lab_view view = {.row = {.state = RT_LAB_INVITED}};
    if (effect->lab != RT_CORE_ALL_LABS &&
        rt_core_lab_view(writer->core, effect->campaign, effect->lab, &view))
        return RT_OK;
    return rt_writer_after(writer, (struct rt_after){.kind = RT_AFTER_OFFER,
                                                     .peer = peer,
                                                     .campaign = effect->campaign,
                                                     .accepted = view.row.state != RT_LAB_INVITED});
}

static enum rt_status offer(struct rt_writer *writer, const struct rt_core_effect *effect,
                            struct rt_error *err)
{
    enum rt_status status = RT_OK;
    if (effect->offer.peer) {
        status = queue_offer(writer, effect, effect->offer.peer);
        return status ? rt_error_set(err, status, "queueing an offer") : RT_OK;
    }
    size_t cursor = 0;
    for (struct rt_session *s; !status && (s = rt_sessions_next(&writer->sessions, &cursor));)
        if (concerns(writer, effect, s))
            status = queue_offer(writer, effect, s->peer);
    return status ? rt_error_set(err, status, "queueing offers") : RT_OK;
}

static enum rt_status notice(struct rt_writer *writer, const struct rt_core_effect *effect,
                             struct rt_error *err)
{
    const struct rt_campaign *campaign = NULL;
    struct rt_core_campaign_row row;
    bool about = effect->notice.kind != RT_NOTICE_KIND_ROSTER &&
                 effect->notice.kind != RT_NOTICE_KIND_REVOKED &&
                 !campaign_of(writer, effect->campaign, &campaign, &row);
    struct rt_message_notice message = {
        .campaign = about ? rt_bytes(row.digest.bytes, sizeof row.digest.bytes) : rt_bytes(NULL, 0),
        .kind = effect->notice.kind,
        .text = rt_bytes_str(about ? campaign->id : ""),
    };
    enum rt_status status = RT_OK;
    size_t cursor = 0;
    for (struct rt_session *s; !status && (s = rt_sessions_next(&writer->sessions, &cursor));)
        if (concerns(writer, effect, s))
            status = rt_writer_queue(writer, s->peer, rt_message_notice_schema(), &message);
    return status ? rt_error_set(err, status, "queueing notices") : RT_OK;
}

// What the coordinator says of a lab under its own key, as a leaf.
static enum rt_status say(struct rt_writer *writer, const struct rt_core_effect *effect,
                          enum rt_statement_kind kind, const char *reason, struct rt_error *err)
{
    const struct rt_campaign *campaign;
    struct rt_core_campaign_row row;
    const char *word = rt_statement_kind_word(kind);
    enum rt_status status = campaign_of(writer, effect->campaign, &campaign, &row);
    if (status)
        return rt_error_set(err, status, "recording a %s", word);
    static _Thread_local struct rt_statement statement;
    statement.kind = kind;
    statement.campaign = row.digest;
    statement.lab = rt_bytes_str(campaign->labs[effect->lab].id);
    statement.reason = rt_bytes_str(reason);
    rt_buf_clear(&writer->scratch);
    status = rt_statement_make(&statement, writer->log_key, &writer->scratch);
    static _Thread_local struct rt_statement parsed;
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(&writer->scratch), &parsed, NULL);
    if (status)
        return rt_error_set(err, status, "signing a %s", word);
    struct rt_store_leaf leaf = {
        .statement = parsed.unstamped, .campaign = effect->campaign, .lab = effect->lab};
    rt_statement_digest(&parsed, &leaf.digest);
    rt_log_warn(word, "campaign=%s lab=%s reason=%s", campaign->id,
                campaign->labs[effect->lab].id, rt_log_quote(reason));
    status = rt_store_append(writer->context.store, &leaf, writer->now_ms, NULL, NULL, err);
    return status == RT_EXISTS ? RT_OK : status;
}

static enum rt_status hold(struct rt_writer *writer, const struct rt_core_effect *effect,
                           uint64_t leaf_index, struct rt_error *err)
{
    const struct rt_campaign *campaign;
    struct rt_core_campaign_row row;
    char before[2 * RT_DIGEST_BYTES + 1], now[2 * RT_DIGEST_BYTES + 1];
    char reason[RT_STATEMENT_REASON_MOST + 1];
    enum rt_status status = campaign_of(writer, effect->campaign, &campaign, &row);
    if (status)
        return rt_error_set(err, status, "recording a hold");
    rt_hex_encode(effect->hold.before.bytes, RT_DIGEST_BYTES, before);
    rt_hex_encode(effect->hold.now.bytes, RT_DIGEST_BYTES, now);
    // The result's index makes every hold a statement of its own.
    snprintf(reason, sizeof reason,
             "%s: the serving fingerprint's identity changed from %.16s to %.16s with the result "
             "at log index %" PRIu64,
             campaign->subjects[effect->hold.subject].id, before, now, leaf_index);
    return say(writer, effect, RT_STATEMENT_HOLD, reason, err);
}

enum rt_status rt_writer_apply(struct rt_writer *writer, uint64_t leaf_index, struct rt_error *err)
{
    const struct rt_core_effects *effects = &writer->effects;
    enum rt_status status = rt_store_apply(writer->context.store, effects, leaf_index, err);
    for (size_t i = 0; i < effects->count && !status; i++) {
        const struct rt_core_effect *effect = &effects->list[i];
        switch (effect->kind) {
        case RT_DO_UNIT:
            status = issue_unit(writer, effect, err);
            break;
        case RT_DO_OFFER:
            status = offer(writer, effect, err);
            break;
        case RT_DO_NOTICE:
            status = notice(writer, effect, err);
            break;
        case RT_DO_HOLD:
            status = hold(writer, effect, leaf_index, err);
            break;
        case RT_DO_NO_RESPONSE:
            status = say(writer, effect, RT_STATEMENT_NO_RESPONSE,
                         "did not close by the deadline", err);
            break;
        default: // the store's
            break;
        }
    }
    return status;
}
