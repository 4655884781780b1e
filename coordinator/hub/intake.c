// SPDX-License-Identifier: Apache-2.0
#include "coordinator/hub/intake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/time.h"
#include "coordinator/hub/serve_object.h"

#define ARENA_MOST    ((size_t)32 << 20)
#define CAMPAIGN_MOST ((size_t)256 << 20)

enum rt_status rt_campaign_holder_new(struct rt_bytes object,
                                      struct rt_campaign_holder **ret_holder)
{
    struct rt_campaign_holder *holder = calloc(1, sizeof *holder);
    if (!holder)
        return RT_NO_MEMORY;
    rt_arena_init(&holder->arena, CAMPAIGN_MOST);
    struct rt_bytes copy = rt_arena_bytes(&holder->arena, object);
    enum rt_status status =
        copy.data ? rt_campaign_decode(copy, &holder->arena, &holder->campaign) : RT_NO_MEMORY;
    if (status) {
        rt_campaign_holder_free(holder);
        return status;
    }
    *ret_holder = holder;
    return RT_OK;
}

void rt_campaign_holder_free(struct rt_campaign_holder *holder)
{
    if (!holder)
        return;
    rt_arena_release(&holder->arena);
    free(holder);
}

void rt_intake_init(struct rt_intake *intake)
{
    memset(intake, 0, sizeof *intake);
    zmq_msg_init(&intake->frame);
    rt_arena_init(&intake->arena, ARENA_MOST);
}

void rt_intake_release(struct rt_intake *intake)
{
    rt_intake_clear(intake);
    zmq_msg_close(&intake->frame);
    rt_arena_release(&intake->arena);
}

// Forget what was found out about the frame, keep the frame.
static void forget(struct rt_intake *intake)
{
    rt_arena_clear(&intake->arena);
    rt_campaign_holder_free(intake->campaign);
    intake->campaign = NULL;
    intake->next_roster = NULL;
    intake->roster = NULL;
    rt_outgoing_free(intake->reply); // not taken: its batch never began
    intake->reply = NULL;
    intake->status = RT_OK;
    intake->answered = intake->hostile = intake->has_about = intake->has_fingerprint = false;
    intake->text[0] = 0;
    intake->pairs = NULL;
    intake->pair_count = 0;
    intake->object_digests = NULL;
    intake->rating = NULL;
    intake->rated = NULL;
}

void rt_intake_clear(struct rt_intake *intake)
{
    zmq_msg_close(&intake->frame);
    zmq_msg_init(&intake->frame);
    forget(intake);
}

void rt_intake_verify_again(struct rt_intake *intake, const struct rt_intake_context *context)
{
    forget(intake);
    rt_intake_verify(intake, context);
}

RT_PRINTF(4, 5)
static void refuse(struct rt_intake *intake, enum rt_status status, bool hostile,
                   const char *format, ...)
{
    intake->status = status;
    intake->hostile = hostile;
    va_list args;
    va_start(args, format);
    vsnprintf(intake->text, sizeof intake->text, format, args);
    va_end(args);
}

// Parse and verify the statement of a RESULT or SUBMIT: form, every signature, and that these
// signers may say this.
static bool check_statement(struct rt_intake *intake, struct rt_bytes text,
                            const struct rt_intake_context *context,
                            struct rt_statement_signer *signers)
{
    struct rt_statement *statement = &intake->statement;
    size_t line = 0;
    enum rt_status status = rt_statement_parse(text, statement, &line);
    if (status) {
        refuse(intake, status, true, "statement line %zu: %s", line, rt_status_text(status));
        RT_COUNT(context->counters, refused_malformed);
        return false;
    }
    rt_statement_digest(statement, &intake->digest);
    intake->about = intake->digest;
    intake->has_about = true;
    if (statement->has_received) {
        refuse(intake, RT_MALFORMED, true, "the `received` line is the coordinator's to write");
        RT_COUNT(context->counters, refused_malformed);
        return false;
    }
    intake->roster = rt_rosters_current(context->rosters);
    struct rt_roster_lookup lookup = {intake->roster, rt_time_wall_ms(), UINT64_MAX};
    status = rt_statement_verify(statement, rt_roster_lookup, &lookup, signers);
    if (status) {
        refuse(intake, status, true, "%s statement: %s", rt_statement_kind_word(statement->kind),
               rt_status_text(status));
        RT_COUNT(context->counters, refused_signature);
        return false;
    }
    return true;
}

static bool permitted(struct rt_intake *intake, const struct rt_intake_context *context,
                      const struct rt_statement_signer *signers)
{
    const struct rt_statement *statement = &intake->statement;
    enum rt_status status =
        rt_statement_permitted(statement, signers, statement->signature_count, 1);
    bool by_lab = rt_statement_rule(statement->kind) == RT_STATEMENT_RULE_LAB;
    // On the local socket a rater's own signature speaks, whoever carries it.
    if (rt_statement_rule(statement->kind) == RT_STATEMENT_RULE_RATER)
        by_lab = !(intake->peer & RT_PEER_ADMIN);
    if (!status && by_lab && !rt_bytes_equal_str(statement->lab, intake->lab))
        status = RT_NOT_PERMITTED;
    if (status) {
        refuse(intake, status, true, "%s statement: this key may not say it",
               rt_statement_kind_word(statement->kind));
        RT_COUNT(context->counters, refused_signature);
    }
    return !status;
}

static bool check_pair(struct rt_intake *intake, size_t i, struct rt_core_pair *ret_pair)
{
    const struct rt_message_result *message = &intake->message.body.result;
    const struct rt_result_pair *pair = &message->pairs[i];
    struct rt_digest unit, result;
    rt_sha256(pair->unit, &unit);
    rt_sha256(pair->result, &result);
    if (!rt_digest_equal(&unit, &intake->statement.pairs[i].unit) ||
        !rt_digest_equal(&result, &intake->statement.pairs[i].result)) {
        refuse(intake, RT_CONFLICT, true,
               "pair %zu: the objects are not the ones the statement names", i);
        return false;
    }
    struct rt_object_unit *unit_object = rt_arena_alloc(&intake->arena, sizeof *unit_object);
    struct rt_object_result *result_object = rt_arena_alloc(&intake->arena, sizeof *result_object);
    if (!unit_object || !result_object) {
        refuse(intake, RT_NO_MEMORY, false, "result too large to take in");
        return false;
    }
    const char *field = "";
    enum rt_status status = rt_object_unit_decode(pair->unit, &intake->arena, unit_object, &field);
    if (!status)
        status = rt_object_result_decode(pair->result, &intake->arena, result_object, &field);
    if (status) {
        refuse(intake, status, true, "pair %zu: %s: %s", i, field, rt_status_text(status));
        return false;
    }
    *ret_pair = (struct rt_core_pair){
        .unit_digest = unit,
        .unit = unit_object,
        .result = result_object,
        .fingerprint_given = intake->has_fingerprint &&
                             rt_digest_equal(&intake->fingerprint, &result_object->fingerprint),
    };
    if (ret_pair->fingerprint_given) {
        ret_pair->parts = intake->parts;
        ret_pair->part_count = intake->part_count;
    }
    return true;
}

static void verify_result(struct rt_intake *intake, const struct rt_intake_context *context)
{
    const struct rt_message_result *message = &intake->message.body.result;
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];
    if (!check_statement(intake, message->statement, context, signers))
        return;
    if (intake->statement.kind != RT_STATEMENT_RESULT) {
        refuse(intake, RT_MALFORMED, true, "RESULT carries a %s statement",
               rt_statement_kind_word(intake->statement.kind));
        return;
    }
    if (!permitted(intake, context, signers))
        return;
    if (message->pairs_count != intake->statement.pair_count) {
        refuse(intake, RT_MALFORMED, true, "%zu pairs for a statement of %zu", message->pairs_count,
               intake->statement.pair_count);
        return;
    }
    if (message->fingerprint.size) {
        struct rt_object_fingerprint *fingerprint =
            rt_arena_alloc(&intake->arena, sizeof *fingerprint);
        const char *field = "";
        enum rt_status status =
            fingerprint ? rt_object_fingerprint_decode(message->fingerprint, &intake->arena,
                                                       fingerprint, &field)
                        : RT_NO_MEMORY;
        if (status) {
            refuse(intake, status, true, "fingerprint: %s: %s", field, rt_status_text(status));
            return;
        }
        rt_sha256(message->fingerprint, &intake->fingerprint);
        intake->has_fingerprint = true;
        intake->parts = rt_arena_array(&intake->arena, RT_PARTS_MOST, sizeof *intake->parts);
        status = intake->parts
                     ? rt_fingerprint_parts(fingerprint, intake->parts, &intake->part_count)
                     : RT_NO_MEMORY;
        if (status) {
            refuse(intake, status, true, "fingerprint: %s", rt_status_text(status));
            return;
        }
    }
    intake->pairs = rt_arena_array(&intake->arena, message->pairs_count, sizeof *intake->pairs);
    for (size_t i = 0; intake->pairs && i < message->pairs_count; i++)
        if (!check_pair(intake, i, &intake->pairs[i]))
            return;
    intake->pair_count = intake->pairs ? message->pairs_count : 0;
    if (!intake->pairs)
        refuse(intake, RT_NO_MEMORY, false, "result too large to take in");
}

static const struct rt_bytes *object_of(const struct rt_intake *intake,
                                        const struct rt_digest *digest)
{
    const struct rt_message_submit *message = &intake->message.body.submit;
    for (size_t i = 0; i < message->objects_count; i++)
        if (rt_digest_equal(&intake->object_digests[i], digest))
            return &message->objects[i];
    return NULL;
}

static void public_keys(const struct rt_statement *statement,
                        const struct rt_statement_signer *signers, struct rt_public_key *ret_keys)
{
    for (size_t i = 0; i < statement->signature_count; i++)
        ret_keys[i] = signers[i].key;
}

// A campaign comes with its object and every scenario it names, and with the board's threshold.
static void verify_campaign(struct rt_intake *intake, const struct rt_intake_context *context,
                            const struct rt_statement_signer *signers)
{
    const struct rt_roster *roster = rt_rosters_current(context->rosters);
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    public_keys(&intake->statement, signers, keys);
    enum rt_status status = rt_roster_threshold(
        roster, "campaign", keys, intake->statement.signature_count, rt_time_wall_ms(), UINT64_MAX);
    if (status) {
        refuse(intake, status, false,
               "the roster's threshold for a campaign is not met; let more of the board sign");
        return;
    }
    const struct rt_bytes *object = object_of(intake, &intake->statement.campaign);
    if (!object) {
        refuse(intake, RT_NOT_FOUND, false, "the campaign object is not in the message");
        return;
    }
    status = rt_campaign_holder_new(*object, &intake->campaign);
    if (status) {
        refuse(intake, status, true, "campaign object: %s", rt_status_text(status));
        return;
    }
    const struct rt_campaign *campaign = intake->campaign->campaign;
    if (!rt_digest_equal(&campaign->roster_digest, &roster->digest) ||
        !rt_digest_equal(&intake->statement.roster, &roster->digest) ||
        !rt_digest_equal(&intake->statement.bench, &campaign->bench_digest) ||
        !rt_bytes_equal_str(intake->statement.name, campaign->id)) {
        refuse(intake, RT_CONFLICT, false,
               "compiled against another roster or bench than the statement or the roster in "
               "force; run `campaign "
               "register` again");
        return;
    }
    for (size_t i = 0; i < campaign->scenario_count; i++)
        if (!object_of(intake, &campaign->scenarios[i].digest)) {
            refuse(intake, RT_NOT_FOUND, false, "the object of scenario %s is not in the message",
                   campaign->scenarios[i].id);
            return;
        }
}

static void verify_roster(struct rt_intake *intake, const struct rt_intake_context *context,
                          const struct rt_statement_signer *signers)
{
    const struct rt_bytes *object = object_of(intake, &intake->statement.roster);
    struct rt_roster *next = NULL;
    enum rt_status status =
        object ? rt_roster_decode(*object, &intake->arena, &next) : RT_NOT_FOUND;
    if (status) {
        refuse(intake, status, true, "roster object: %s", rt_status_text(status));
        return;
    }
    struct rt_public_key keys[RT_STATEMENT_SIGNATURES_MOST];
    public_keys(&intake->statement, signers, keys);
    status = rt_roster_follows(rt_rosters_current(context->rosters), next, keys,
                               intake->statement.signature_count, rt_time_wall_ms(), UINT64_MAX);
    if (!status && next->version != intake->statement.version)
        status = RT_CONFLICT;
    if (status) {
        refuse(intake, status, false, "roster %llu does not follow the one in force: %s",
               (unsigned long long)intake->statement.version, rt_status_text(status));
        return;
    }
    intake->next_roster = next;
}

// The checkpoint an accept says it saw must be one this log really had.
static void verify_seen(struct rt_intake *intake, const struct rt_intake_context *context)
{
    const struct rt_statement_seen *seen = &intake->statement.seen;
    struct rt_view *view = NULL;
    struct rt_digest root;
    enum rt_status status = rt_view_begin(context->store, &view, NULL);
    if (!status)
        status = rt_view_root_at(view, seen->size, &root);
    rt_view_end(view);
    if (!status && !rt_digest_equal(&root, &seen->root))
        status = RT_CONFLICT;
    if (!status &&
        !rt_bytes_equal_str(seen->origin, rt_rosters_current(context->rosters)->log.name))
        status = RT_CONFLICT;
    if (status)
        refuse(intake, status, false, "the checkpoint it saw is not one of this log's");
}

// Another organisation's labels stand under the name the roster has for its key, and no other.
static enum rt_status own_name(const struct rt_intake *intake,
                               const struct rt_intake_context *context,
                               const struct rt_statement_signer *signers)
{
    const struct rt_roster *roster = rt_rosters_current(context->rosters);
    for (size_t i = 0; i < intake->statement.signature_count; i++)
        for (size_t s = 0; signers[i].roles & RT_ROLE_RATER && s < roster->signer_count; s++)
            if (rt_public_key_equal(&roster->signers[s].key, &signers[i].key) &&
                !rt_bytes_equal_str(intake->rating->rater, roster->signers[s].name))
                return RT_NOT_PERMITTED;
    return RT_OK;
}

static void verify_rating(struct rt_intake *intake, const struct rt_intake_context *context,
                          const struct rt_statement_signer *signers)
{
    const struct rt_bytes *object = object_of(intake, &intake->statement.rating);
    char text[200] = "the rating object is not in the message";
    enum rt_status status =
        object ? rt_intake_rating(intake, *object, context->store, text) : RT_NOT_FOUND;
    if (!status && (status = own_name(intake, context, signers)))
        snprintf(text, sizeof text, "this key may rate under its own name alone");
    if (status)
        refuse(intake, status, status == RT_MALFORMED, "%s", text);
}

static void verify_noted(struct rt_intake *intake, const struct rt_intake_context *context,
                         const struct rt_statement_signer *signers)
{
    bool incident = intake->statement.kind == RT_STATEMENT_INCIDENT;
    char text[200] = "";
    enum rt_status status =
        rt_intake_noted(intake, incident ? object_of(intake, &intake->statement.record) : NULL,
                        signers, context->store, text);
    if (status)
        refuse(intake, status, false, "%s", text);
}

static void verify_submit(struct rt_intake *intake, const struct rt_intake_context *context)
{
    const struct rt_message_submit *message = &intake->message.body.submit;
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];
    if (!check_statement(intake, message->statement, context, signers) ||
        !permitted(intake, context, signers))
        return;
    intake->object_digests =
        rt_arena_array(&intake->arena, message->objects_count + 1, sizeof *intake->object_digests);
    if (!intake->object_digests) {
        refuse(intake, RT_NO_MEMORY, false, "submission too large to take in");
        return;
    }
    for (size_t i = 0; i < message->objects_count; i++)
        rt_sha256(message->objects[i], &intake->object_digests[i]);
    switch (intake->statement.kind) {
    case RT_STATEMENT_CAMPAIGN:
        verify_campaign(intake, context, signers);
        break;
    case RT_STATEMENT_ROSTER:
        verify_roster(intake, context, signers);
        break;
    case RT_STATEMENT_ACCEPT:
        verify_seen(intake, context);
        break;
    case RT_STATEMENT_RATING:
        verify_rating(intake, context, signers);
        break;
    case RT_STATEMENT_INCIDENT:
    case RT_STATEMENT_RELEASE:
    case RT_STATEMENT_REVOKE:
        verify_noted(intake, context, signers);
        break;
    case RT_STATEMENT_STATE:
    case RT_STATEMENT_LIFT:
    case RT_STATEMENT_CLOSE:
    case RT_STATEMENT_WITHDRAW:
        break;
    default:
        refuse(intake, RT_NOT_PERMITTED, true, "a %s statement is not submitted",
               rt_statement_kind_word(intake->statement.kind));
    }
}

void rt_intake_verify(struct rt_intake *intake, const struct rt_intake_context *context)
{
    struct rt_bytes payload = rt_bytes(zmq_msg_data(&intake->frame), zmq_msg_size(&intake->frame));
    const char *field = "";
    enum rt_status status =
        payload.size > RT_PAYLOAD_MOST
            ? RT_TOO_LARGE
            : rt_message_decode(payload, &intake->arena, &intake->message, &field);
    if (status) {
        refuse(intake, status, true, "frame of %zu bytes: %s%s%s", payload.size, field,
               field[0] ? ": " : "", rt_status_text(status));
        if (status == RT_TOO_LARGE)
            RT_COUNT(context->counters, refused_oversized);
        else
            RT_COUNT(context->counters, refused_malformed);
        return;
    }
    bool local = intake->peer & RT_PEER_ADMIN;
    switch (intake->message.type) {
    case RT_MESSAGE_RESULT:
        verify_result(intake, context);
        break;
    case RT_MESSAGE_SUBMIT:
        verify_submit(intake, context);
        break;
    case RT_MESSAGE_FETCH:
        rt_serve_object(intake, context);
        break;
    case RT_MESSAGE_ADMIN:
        if (!local)
            refuse(intake, RT_NOT_PERMITTED, true, "ADMIN is answered on the local socket alone");
        break;
    case RT_MESSAGE_HELLO:
    case RT_MESSAGE_WANT:
    case RT_MESSAGE_RETURN:
    case RT_MESSAGE_PULSE:
        if (local)
            refuse(intake, RT_NOT_PERMITTED, false, "the local socket takes ADMIN and SUBMIT");
        break;
    case RT_MESSAGE_ERROR: // a worker's complaint: nothing to answer
        intake->answered = true;
        break;
    default:
        refuse(intake, RT_NOT_PERMITTED, true, "this message is the coordinator's to send");
        RT_COUNT(context->counters, refused_session);
    }
}

enum rt_status rt_intake_verify_unit(const struct rt_result_pair *pair,
                                     const struct rt_digest *unit_digest,
                                     const struct rt_roster *roster)
{
    struct rt_statement statement;
    enum rt_status status = rt_statement_parse(pair->unit_statement, &statement, NULL);
    if (status)
        return status;
    if (statement.kind != RT_STATEMENT_UNIT || !rt_digest_equal(&statement.unit, unit_digest))
        return RT_CONFLICT;
    struct rt_roster_lookup lookup = {roster, rt_time_wall_ms(), UINT64_MAX};
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];
    status = rt_statement_verify(&statement, rt_roster_lookup, &lookup, signers);
    return status ? status
                  : rt_statement_permitted(&statement, signers, statement.signature_count, 1);
}
