// SPDX-License-Identifier: Apache-2.0
// One verified frame becomes one event of the core, and what the core decided goes into the batch.
#include <inttypes.h>

#include "common/base/log.h"
#include "coordinator/hub/serve_object.h"
#include "coordinator/hub/writer.h"

#define REFUSALS_MOST 3 // forged or malformed frames before a connection is cut

static enum rt_status refuse(struct rt_writer *writer, const struct rt_intake *intake,
                             enum rt_status code, const char *text, bool hostile,
                             struct rt_error *err)
{
    rt_log_warn("refused", "lab=%s code=%s text=%s", intake->lab[0] ? intake->lab : "(local)",
                rt_status_name(code), rt_log_quote(text));
    struct rt_session *session =
        rt_sessions_touch(&writer->sessions, intake->peer, intake->lab, writer->now_ms);
    if (hostile && ++session->refusals >= REFUSALS_MOST && !(intake->peer & RT_PEER_ADMIN)) {
        RT_COUNT(writer->context.counters, cut_off);
        writer->ban(writer->ctx, intake->peer);
    }
    enum rt_status status = rt_writer_queue_error(writer, intake->peer, code,
                                                  intake->has_about ? &intake->about : NULL, text);
    return status ? rt_error_set(err, status, "queueing an answer") : RT_OK;
}

static enum rt_status step(struct rt_writer *writer, const struct rt_core_event *event,
                           struct rt_error *err)
{
    enum rt_status status = rt_core_step(writer->core, event, &writer->effects);
    if (status)
        return rt_error_set(err, status, "the scheduler ran out of memory");
    if (writer->effects.wake_ms < writer->wake_ms || event->kind == RT_CORE_TICK)
        writer->wake_ms = writer->effects.wake_ms;
    return RT_OK;
}

enum rt_status rt_writer_tick(struct rt_writer *writer, struct rt_error *err)
{
    struct rt_core_event event = {.kind = RT_CORE_TICK, .time_ms = writer->now_ms};
    enum rt_status status = step(writer, &event, err);
    return status ? status : rt_writer_apply(writer, 0, err);
}

static struct rt_core_event event_of(const struct rt_writer *writer, const struct rt_intake *intake,
                                     const struct rt_session *session, enum rt_core_event_kind kind)
{
    return (struct rt_core_event){
        .kind = kind,
        .time_ms = writer->now_ms,
        .peer = intake->peer,
        .lab = rt_bytes_str(intake->lab),
        .instance = session->instance,
        .digest = intake->digest,
    };
}

// Units of the inventory that this core has not issued itself are looked up in the store.
static enum rt_status held_units(struct rt_writer *writer, const struct rt_message_hello *hello,
                                 struct rt_core_held **ret_held)
{
    struct rt_core_held *held =
        rt_arena_array(&writer->arena, hello->units_count + 1, sizeof *held);
    if (!held)
        return RT_NO_MEMORY;
    struct rt_view *view = rt_store_batch_view(writer->context.store);
    for (size_t i = 0; i < hello->units_count; i++) {
        held[i].digest = hello->units[i];
        if (rt_core_knows_unit(writer->core, &hello->units[i]))
            continue;
        rt_buf_clear(&writer->scratch);
        if (rt_view_object(view, &hello->units[i], &writer->scratch))
            continue;
        struct rt_bytes copy = rt_arena_bytes(&writer->arena, rt_buf_bytes(&writer->scratch));
        struct rt_object_unit *unit = rt_arena_alloc(&writer->arena, sizeof *unit);
        if (!copy.data || !unit)
            return RT_NO_MEMORY;
        if (!rt_object_unit_decode(copy, &writer->arena, unit, NULL))
            held[i].unit = unit;
    }
    *ret_held = held;
    return RT_OK;
}

static enum rt_status hello(struct rt_writer *writer, struct rt_intake *intake,
                            struct rt_session *session, struct rt_error *err)
{
    const struct rt_message_hello *message = &intake->message.body.hello;
    if (message->version_least > RT_PROTOCOL_VERSION || message->version_most < RT_PROTOCOL_VERSION)
        return refuse(writer, intake, RT_UNSUPPORTED,
                      "this coordinator speaks protocol version 1; install a worker that does",
                      false, err);
    session->greeted = true;
    session->instance = message->instance;
    struct rt_core_held *held = NULL;
    enum rt_status status = held_units(writer, message, &held);
    if (status)
        return rt_error_set(err, status, "reading an inventory");
    struct rt_core_event event = event_of(writer, intake, session, RT_CORE_HELLO);
    event.hello.held = held;
    event.hello.held_count = message->units_count;
    status = step(writer, &event, err);
    if (status)
        return status;
    if (writer->effects.verdict)
        return refuse(writer, intake, writer->effects.verdict, "HELLO", false, err);
    rt_log_info("worker connected", "lab=%s software=%.*s units=%zu", intake->lab,
                (int)message->software.size, (const char *)message->software.data,
                message->units_count);
    status = rt_writer_after(
        writer,
        (struct rt_after){.kind = RT_AFTER_WELCOME, .peer = intake->peer, .seen = message->seen});
    return status ? rt_error_set(err, status, "queueing WELCOME") : rt_writer_apply(writer, 0, err);
}

// The small messages of a session: credit, units handed back, progress.
static enum rt_status session_message(struct rt_writer *writer, struct rt_intake *intake,
                                      struct rt_session *session, struct rt_error *err)
{
    struct rt_core_event event = event_of(writer, intake, session, RT_CORE_WANT);
    if (intake->message.type == RT_MESSAGE_WANT) {
        event.campaign = intake->message.body.want.campaign;
        event.want.units = (uint32_t)intake->message.body.want.units;
        event.want.trials = (uint32_t)intake->message.body.want.trials;
    } else if (intake->message.type == RT_MESSAGE_RETURN) {
        event.kind = RT_CORE_RETURN;
        event.give_back.unit = intake->message.body.give_back.unit;
        rt_log_info("unit handed back", "lab=%s reason=%.*s", intake->lab,
                    (int)intake->message.body.give_back.reason.size,
                    (const char *)intake->message.body.give_back.reason.data);
    } else {
        event.kind = RT_CORE_PULSE;
        event.pulse.units = intake->message.body.pulse.units;
        event.pulse.unit_count = intake->message.body.pulse.units_count;
    }
    enum rt_status status = step(writer, &event, err);
    if (status)
        return status;
    if (writer->effects.verdict)
        return refuse(writer, intake, writer->effects.verdict,
                      rt_message_type_word(intake->message.type), false, err);
    return rt_writer_apply(writer, 0, err);
}

// The objects that came with a statement the core took, then the statement itself as a leaf.
static enum rt_status store_objects(struct rt_writer *writer, const struct rt_intake *intake,
                                    struct rt_error *err)
{
    struct rt_store *store = writer->context.store;
    enum rt_status status = RT_OK;
    if (intake->message.type == RT_MESSAGE_SUBMIT) {
        const struct rt_message_submit *submit = &intake->message.body.submit;
        for (size_t i = 0; i < submit->objects_count && !status; i++)
            status =
                rt_store_put_object(store, &intake->object_digests[i], submit->objects[i], err);
        return status;
    }
    const struct rt_message_result *result = &intake->message.body.result;
    for (size_t i = 0; i < result->pairs_count && !status; i++) {
        // Units are stored when issued; one that had to be verified may come from before a restore.
        if (intake->pairs[i].unit_verified)
            status = rt_store_put_unit(store, &intake->pairs[i].unit_digest,
                                       result->pairs[i].unit_statement, result->pairs[i].unit, err);
        if (!status)
            status = rt_store_put_object(store, &intake->statement.pairs[i].result,
                                         result->pairs[i].result, err);
    }
    // One that no pair names is nobody's evidence.
    bool named = false;
    for (size_t i = 0; i < intake->pair_count; i++)
        named = named || intake->pairs[i].fingerprint_given;
    if (!status && named)
        status = rt_store_put_object(store, &intake->fingerprint, result->fingerprint, err);
    return status;
}

static enum rt_status receipt_again(struct rt_writer *writer, const struct rt_intake *intake,
                                    struct rt_error *err)
{
    struct rt_view *view = rt_store_batch_view(writer->context.store);
    struct rt_after item = {.kind = RT_AFTER_RECEIPT,
                            .peer = intake->peer,
                            .statement = intake->digest,
                            .duplicate = true};
    enum rt_status status = rt_view_statement(view, &intake->digest, &item.index);
    rt_buf_clear(&writer->scratch);
    if (!status)
        status = rt_view_leaf(view, item.index, &writer->scratch);
    static _Thread_local struct rt_statement leaf;
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(&writer->scratch), &leaf, NULL);
    item.received_ms = leaf.received_ms;
    if (!status)
        status = rt_writer_after(writer, item);
    return status ? rt_error_set(err, status, "finding the first receipt") : RT_OK;
}

// The verdict of the core on a statement, carried out: a leaf and a receipt, the first receipt
// again, or a refusal.
static enum rt_status conclude(struct rt_writer *writer, struct rt_intake *intake,
                               struct rt_error *err)
{
    struct rt_core_effects *effects = &writer->effects;
    if (effects->verdict == RT_DUPLICATE)
        return receipt_again(writer, intake, err);
    if (effects->verdict) {
        RT_COUNT(writer->context.counters, refused_statement);
        enum rt_status applied = rt_writer_apply(writer, 0, err);
        if (applied)
            return applied;
        char text[200];
        snprintf(text, sizeof text, "%s statement: %s",
                 rt_statement_kind_word(intake->statement.kind), rt_status_text(effects->verdict));
        return refuse(writer, intake, effects->verdict, text, false, err);
    }
    struct rt_after item = {
        .kind = RT_AFTER_RECEIPT, .peer = intake->peer, .statement = intake->digest};
    struct rt_store_leaf leaf = {
        .statement = intake->statement.unstamped,
        .digest = intake->digest,
        .is_result = effects->is_result,
        .campaign = effects->campaign,
        .lab = effects->lab,
    };
    enum rt_status status = store_objects(writer, intake, err);
    if (!status)
        status = rt_store_append(writer->context.store, &leaf, writer->now_ms, &item.index,
                                 &item.received_ms, err);
    if (!status)
        status = rt_writer_apply(writer, item.index, err);
    if (!status && rt_writer_after(writer, item))
        status = rt_error_set(err, RT_NO_MEMORY, "queueing a receipt");
    return status;
}

static bool logged(struct rt_writer *writer, const struct rt_digest *digest)
{
    uint64_t index;
    return rt_view_statement(rt_store_batch_view(writer->context.store), digest, &index) == RT_OK;
}

static enum rt_status result(struct rt_writer *writer, struct rt_intake *intake,
                             struct rt_session *session, struct rt_error *err)
{
    struct rt_core_event event = event_of(writer, intake, session, RT_CORE_RESULT);
    event.campaign = intake->statement.campaign;
    event.signer = intake->statement.lab;
    event.logged = logged(writer, &intake->digest);
    const struct rt_roster *roster = rt_rosters_current(writer->context.rosters);
    for (size_t i = 0; i < intake->pair_count && !event.logged; i++) {
        if (rt_core_knows_unit(writer->core, &intake->pairs[i].unit_digest))
            continue;
        enum rt_status status = rt_intake_verify_unit(&intake->message.body.result.pairs[i],
                                                      &intake->pairs[i].unit_digest, roster);
        if (status) {
            RT_COUNT(writer->context.counters, refused_signature);
            return refuse(writer, intake, status, "this unit was not issued here", true, err);
        }
        intake->pairs[i].unit_verified = true;
    }
    event.result.pairs = intake->pairs;
    event.result.pair_count = intake->pair_count;
    enum rt_status status = step(writer, &event, err);
    if (status)
        return status;
    RT_COUNT(writer->context.counters, results_in);
    return conclude(writer, intake, err);
}

static enum rt_status end_event(struct rt_writer *writer, const struct rt_intake *intake,
                                struct rt_core_event *event)
{
    const struct rt_statement *statement = &intake->statement;
    event->kind = statement->kind == RT_STATEMENT_CLOSE ? RT_CORE_CLOSE : RT_CORE_WITHDRAW;
    event->end.results = statement->results;
    event->end.root = statement->root;
    uint32_t campaign;
    const struct rt_campaign *document = NULL;
    struct rt_core_campaign_row row;
    enum rt_status status = rt_core_find_campaign(writer->core, &statement->campaign, &campaign);
    if (!status)
        status = rt_core_campaign_view(writer->core, campaign, &row, &document);
    if (status)
        return RT_OK; // the core refuses it by itself
    char lab[RT_ID_BYTES + 1];
    snprintf(lab, sizeof lab, "%.*s", (int)statement->lab.size, (const char *)statement->lab.data);
    uint32_t index = rt_campaign_lab(document, lab);
    if (index == RT_NONE)
        return RT_OK;
    return rt_store_lab_results(writer->context.store, campaign, index, &event->end.log_results,
                                &event->end.log_root);
}

// What the store has of each rated trial by now, this batch included.
static enum rt_status rating_event(struct rt_writer *writer, const struct rt_intake *intake,
                                   struct rt_core_event *event)
{
    const struct rt_object_rating *rating = intake->rating;
    struct rt_view *view = rt_store_batch_view(writer->context.store);
    struct rt_core_campaign_row row;
    const struct rt_campaign *campaign = NULL;
    uint32_t c, lab = RT_NONE;
    char id[RT_ID_BYTES + 1];
    event->kind = RT_CORE_RATING;
    event->lab = rating->lab; // a rater's own key may speak of any lab's trials
    event->rating.kind = rating->kind;
    event->rating.rater = rating->rater;
    event->rating.trials = intake->rated;
    event->rating.trial_count = rating->trials_count;
    snprintf(id, sizeof id, "%.*s", (int)rating->lab.size, (const char *)rating->lab.data);
    if (!rt_core_find_campaign(writer->core, &intake->statement.campaign, &c) &&
        !rt_core_campaign_view(writer->core, c, &row, &campaign))
        lab = rt_campaign_lab(campaign, id);
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < rating->trials_count && lab != RT_NONE && !status; i++) {
        struct rt_core_rated *rated = &intake->rated[i];
        size_t count = 0;
        // `known` is this frame's own array, with room for every rater.
        struct rt_rating_label *known = (struct rt_rating_label *)(uintptr_t)rated->known;
        status = rt_view_rated(view, c, lab, rated->rated->number, known + 1, &count);
        rated->known_count = 1 + count;
        if (!status) {
            status = rt_view_spare(view, c, lab, rated->rated->number, rated->rated->leaf);
            rated->spare = status == RT_OK;
            status = status == RT_NOT_FOUND ? RT_OK : status;
        }
    }
    return status;
}

static enum rt_status submit_event(struct rt_writer *writer, const struct rt_intake *intake,
                                   struct rt_core_event *event)
{
    const struct rt_statement *statement = &intake->statement;
    switch (statement->kind) {
    case RT_STATEMENT_CAMPAIGN:
        event->kind = RT_CORE_CAMPAIGN;
        event->campaign_new.campaign = intake->campaign->campaign;
        return RT_OK;
    case RT_STATEMENT_ROSTER:
        event->kind = RT_CORE_ROSTER;
        event->roster.version = statement->version;
        event->roster.roster = statement->roster;
        event->roster.has_previous = statement->has_previous;
        event->roster.previous = statement->previous;
        return RT_OK;
    case RT_STATEMENT_ACCEPT:
        event->kind = RT_CORE_ACCEPT;
        event->accept.seen_size = statement->seen.size;
        return RT_OK;
    case RT_STATEMENT_LIFT:
        event->kind = RT_CORE_LIFT;
        event->lab = statement->lab; // an operator speaks of it
        event->state.seq = statement->seq;
        return RT_OK;
    case RT_STATEMENT_INCIDENT:
        event->kind = RT_CORE_NOTED;
        event->state.seq = statement->seq;
        return RT_OK;
    case RT_STATEMENT_RELEASE:
    case RT_STATEMENT_REVOKE:
        event->kind = RT_CORE_NOTED;
        event->state.seq = 0;
        return RT_OK;
    case RT_STATEMENT_RATING:
        return rating_event(writer, intake, event);
    case RT_STATEMENT_STATE: {
        event->kind = RT_CORE_STATE;
        event->state.action = statement->action;
        event->state.seq = statement->seq;
        uint32_t campaign;
        if (statement->action != RT_STATEMENT_ACTION_START ||
            rt_core_find_campaign(writer->core, &statement->campaign, &campaign))
            return RT_OK;
        return rt_store_draw(writer->context.store, campaign, &event->state.draw);
    }
    default:
        return end_event(writer, intake, event);
    }
}

static enum rt_status submit(struct rt_writer *writer, struct rt_intake *intake,
                             struct rt_session *session, struct rt_error *err)
{
    struct rt_core_event event = event_of(writer, intake, session, RT_CORE_STATE);
    event.campaign = intake->statement.campaign;
    event.signer = intake->statement.lab;
    event.logged = logged(writer, &intake->digest);
    enum rt_status status = submit_event(writer, intake, &event);
    if (status)
        return rt_error_set(err, status, "reading the store for a statement");
    status = step(writer, &event, err);
    if (status)
        return status;
    if (writer->effects.verdict == RT_OK) {
        rt_log_info(
            "statement taken", "kind=%s lab=%s reason=%.*s",
            rt_statement_kind_word(intake->statement.kind),
            intake->lab[0] ? intake->lab : "(operator)",
            intake->statement.kind == RT_STATEMENT_STATE ? (int)intake->statement.reason.size : 0,
            (const char *)intake->statement.reason.data);
        if (event.kind == RT_CORE_CAMPAIGN) { // the core keeps the pointer
            intake->campaign->next = writer->campaigns;
            writer->campaigns = intake->campaign;
            intake->campaign = NULL;
            status = rt_shelf_add_campaign(writer->context.shelf, writer->campaigns->campaign);
        } else if (event.kind == RT_CORE_ROSTER) {
            const struct rt_message_submit *message = &intake->message.body.submit;
            for (size_t i = 0; i < message->objects_count; i++)
                if (rt_digest_equal(&intake->object_digests[i], &intake->statement.roster)) {
                    rt_buf_clear(&writer->next_roster);
                    rt_buf_add_bytes(&writer->next_roster, message->objects[i]);
                }
            status = rt_buf_ok(&writer->next_roster);
        }
        if (status)
            return rt_error_set(err, status, "keeping a document");
    }
    return conclude(writer, intake, err);
}

static enum rt_status admin(struct rt_writer *writer, const struct rt_intake *intake,
                            struct rt_error *err)
{
    struct rt_buf body;
    rt_buf_init(&body, RT_BODY_MOST);
    enum rt_status answer = rt_writer_admin(writer, intake->message.body.admin.request, &body);
    struct rt_message_reply reply = {.status = rt_wire_status(answer), .body = rt_buf_bytes(&body)};
    enum rt_status status =
        rt_writer_queue(writer, intake->peer, rt_message_reply_schema(), &reply);
    rt_buf_release(&body);
    return status ? rt_error_set(err, status, "queueing a reply") : RT_OK;
}

enum rt_status rt_writer_event(struct rt_writer *writer, struct rt_intake *intake,
                               struct rt_error *err)
{
    rt_arena_clear(&writer->arena);
    if (intake->reply) {
        enum rt_status status = rt_writer_after(writer, (struct rt_after){.kind = RT_AFTER_FRAME,
                                                                          .peer = intake->peer,
                                                                          .frame = intake->reply});
        intake->reply = NULL;
        return status ? rt_error_set(err, status, "queueing an answer") : RT_OK;
    }
    if (intake->answered)
        return RT_OK;
    // The leaf will stand behind the roster that is in force now, and is judged by that one.
    if (intake->roster && intake->roster != rt_rosters_current(writer->context.rosters))
        rt_intake_verify_again(intake, &writer->context);
    if (intake->status)
        return refuse(writer, intake, intake->status, intake->text, intake->hostile, err);
    struct rt_session *session =
        rt_sessions_touch(&writer->sessions, intake->peer, intake->lab, writer->now_ms);
    enum rt_message_type type = intake->message.type;
    bool needs_hello = type == RT_MESSAGE_WANT || type == RT_MESSAGE_RETURN ||
                       type == RT_MESSAGE_PULSE || type == RT_MESSAGE_RESULT;
    if (needs_hello && !session->greeted) {
        RT_COUNT(writer->context.counters, refused_session);
        return refuse(writer, intake, RT_AGAIN, "say HELLO first", false, err);
    }
    switch (type) {
    case RT_MESSAGE_HELLO:
        return hello(writer, intake, session, err);
    case RT_MESSAGE_RESULT:
        return result(writer, intake, session, err);
    case RT_MESSAGE_SUBMIT:
        return submit(writer, intake, session, err);
    case RT_MESSAGE_ADMIN:
        return admin(writer, intake, err);
    default:
        return session_message(writer, intake, session, err);
    }
}
