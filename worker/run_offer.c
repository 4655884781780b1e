// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "worker/run_state.h"

struct run_campaign *run_find_campaign(struct rt_run *run, const struct rt_digest *digest)
{
    for (size_t i = 0; i < run->campaign_count; i++)
        if (rt_digest_equal(&run->campaigns[i]->digest, digest))
            return run->campaigns[i];
    return NULL;
}

static struct run_campaign *add_campaign(struct rt_run *run, const struct rt_digest *digest)
{
    if (run->campaign_count == RUN_CAMPAIGNS_MOST)
        return NULL;
    struct run_campaign *campaign = calloc(1, sizeof *campaign);
    if (!campaign)
        return NULL;
    campaign->digest = *digest;
    rt_buf_init(&campaign->leaf, RT_LEAF_TEXT_MOST);
    rt_buf_init(&campaign->proof, RT_PROOF_TEXT_MOST);
    run->campaigns[run->campaign_count++] = campaign;
    return campaign;
}

void run_campaign_free(struct run_campaign *campaign)
{
    if (!campaign)
        return;
    run_execs_free(campaign);
    rt_buf_release(&campaign->leaf);
    rt_buf_release(&campaign->proof);
    if (campaign->loaded)
        rt_arena_release(&campaign->arena);
    free(campaign->scenarios);
    free(campaign);
}

void run_save_campaign(struct rt_run *run, struct run_campaign *campaign)
{
    struct rt_row_campaign row = {
        .name = rt_bytes_str(campaign->name),
        .state = campaign->state,
        .stage = campaign->stage,
        .leaf = rt_buf_bytes(&campaign->leaf),
        .index = campaign->index,
        .proof = rt_buf_bytes(&campaign->proof),
        .draw = rt_bytes(campaign->draw.bytes, campaign->has_draw ? RT_DIGEST_BYTES : 0),
        .accept = rt_bytes(campaign->accept.bytes, campaign->has_accept ? RT_DIGEST_BYTES : 0),
        .decision = campaign->decision,
        .reason = rt_bytes_str(campaign->reason),
        .held = rt_bytes_str(campaign->held),
        .results = campaign->results,
    };
    rt_outbox_put(run->outbox, RT_TABLE_CAMPAIGN, rt_key_of(&campaign->digest),
                  rt_row_campaign_schema(), &row);
}

static void copy_text(char *out, size_t capacity, struct rt_bytes text)
{
    snprintf(out, capacity, "%.*s", (int)text.size, (const char *)text.data);
}

static enum rt_status load_row(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct rt_run *run = ctx;
    struct rt_row_campaign row;
    struct rt_digest digest;
    if (key.size != RT_DIGEST_BYTES)
        return RT_CORRUPT;
    memcpy(digest.bytes, key.data, key.size);
    rt_arena_clear(&run->frame_arena);
    enum rt_status status =
        rt_outbox_read(rt_row_campaign_schema(), value, &run->frame_arena, &row);
    struct run_campaign *campaign = status ? NULL : add_campaign(run, &digest);
    if (!campaign)
        return status ? status : RT_TOO_LARGE;
    copy_text(campaign->name, sizeof campaign->name, row.name);
    copy_text(campaign->reason, sizeof campaign->reason, row.reason);
    copy_text(campaign->held, sizeof campaign->held, row.held);
    campaign->state = row.state;
    campaign->stage = row.stage;
    campaign->index = row.index;
    campaign->decision = row.decision;
    campaign->results = row.results;
    campaign->has_draw = row.draw.size;
    campaign->has_accept = row.accept.size;
    if (row.draw.size)
        memcpy(campaign->draw.bytes, row.draw.data, row.draw.size);
    if (row.accept.size)
        memcpy(campaign->accept.bytes, row.accept.data, row.accept.size);
    rt_buf_add_bytes(&campaign->leaf, row.leaf);
    rt_buf_add_bytes(&campaign->proof, row.proof);
    status = rt_buf_ok(&campaign->leaf);
    return status ? status : rt_buf_ok(&campaign->proof);
}

enum rt_status run_load_campaigns(struct rt_run *run, struct rt_error *err)
{
    enum rt_status status =
        rt_ledger_each(run->outbox->ledger, RT_TABLE_CAMPAIGN, rt_bytes(NULL, 0), load_row, run);
    return status ? rt_error_set(err, status, "reading campaigns from the outbox: %s",
                                 rt_status_text(status)) : RT_OK;
}

// Say once why nothing happens, and keep it for `status`.
RT_PRINTF(4, 5)
static void hold(struct rt_run *run, struct run_campaign *campaign, enum rt_stage stage,
                 const char *format, ...)
{
    char text[401];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++) // a STR holds no control characters
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    if (!rt_utf8_valid(rt_bytes_str(text)))
        snprintf(text, sizeof text, "refused");
    if (campaign->stage == stage && !strcmp(campaign->held, text))
        return;
    memcpy(campaign->held, text, sizeof text);
    campaign->stage = stage;
    run_save_campaign(run, campaign);
    char hex[2 * RT_DIGEST_BYTES + 1];
    rt_hex_encode(campaign->digest.bytes, RT_DIGEST_BYTES, hex);
    rt_log_warn("campaign held", "campaign=%s digest=%.16s why=%s",
                *campaign->name ? campaign->name : "?", hex, rt_log_quote(text));
}

static bool over(enum rt_stage stage)
{
    return stage >= RT_STAGE_CLOSED;
}

// What the campaign's new state means for a lab that is not in it to the end.
static void settle_state(struct run_campaign *campaign)
{
    if (over(campaign->stage) || campaign->state != RT_OFFER_CLOSED)
        return;
    // A `close` or `withdraw` on its way gets its receipt all the same.
    if (campaign->stage != RT_STAGE_CLOSING && campaign->stage != RT_STAGE_WITHDRAWING)
        campaign->stage = RT_STAGE_ENDED;
}

static enum rt_status take_offer(struct run_campaign *campaign,
                                 const struct rt_message_offer *offer)
{
    if (offer->draw.size && campaign->has_draw &&
        memcmp(campaign->draw.bytes, offer->draw.data, RT_DIGEST_BYTES))
        return RT_CONFLICT;
    if (offer->draw.size) {
        memcpy(campaign->draw.bytes, offer->draw.data, RT_DIGEST_BYTES);
        campaign->has_draw = true;
    }
    campaign->state = offer->state;
    campaign->index = offer->index;
    campaign->offered = true;
    rt_buf_clear(&campaign->leaf);
    rt_buf_clear(&campaign->proof);
    rt_buf_add_bytes(&campaign->leaf, offer->leaf);
    rt_buf_add_bytes(&campaign->proof, offer->proof);
    enum rt_status status = rt_buf_ok(&campaign->leaf);
    return status ? status : rt_buf_ok(&campaign->proof);
}

void run_on_offer(struct rt_run *run, const struct rt_message_offer *offer)
{
    struct rt_checkpoint checkpoint;
    struct rt_digest leaf_hash;
    struct run_campaign *campaign = run_find_campaign(run, &offer->campaign);
    bool known = campaign != NULL;
    if (!campaign)
        campaign = add_campaign(run, &offer->campaign);
    if (!campaign) {
        rt_log_warn("too many campaigns", "most=%d", RUN_CAMPAIGNS_MOST);
        return;
    }
    enum rt_status status = rt_evidence_leaf(offer->leaf, offer->index, offer->proof, &run->log,
                                             &leaf_hash, &checkpoint);
    if (!status && rt_seen_check(&run->seen, &checkpoint)) {
        run_fail(run, RT_CONFLICT, "the log %s has two histories of %llu leaves",
                 run->log.key.name, (unsigned long long)checkpoint.size);
        return;
    }
    if (status) {
        hold(run, campaign, known ? campaign->stage : RT_STAGE_REFUSED,
             "its leaf is not proved to be in the log: %s", rt_status_text(status));
        return;
    }
    campaign->seen = checkpoint;
    enum rt_stage before = campaign->stage;
    status = take_offer(campaign, offer);
    if (status == RT_CONFLICT) {
        run_fail(run, RT_CONFLICT, "the draw of campaign %s has changed after the start",
                 campaign->name);
        return;
    }
    if (campaign->stage == RT_STAGE_REFUSED)
        campaign->stage = RT_STAGE_OFFERED;
    if (offer->accepted && !campaign->has_accept && before == RT_STAGE_OFFERED)
        rt_log_warn("the log has an accept of this lab that this worker did not sign; is another "
                    "worker of it running elsewhere?", NULL);
    settle_state(campaign);
    run_save_campaign(run, campaign);
    if (!known || before != campaign->stage)
        rt_log_info("campaign offered", "state=%s stage=%s",
                    rt_offer_state_words[campaign->state], rt_stage_words[campaign->stage]);
}

void run_on_notice(struct rt_run *run, const struct rt_message_notice *notice)
{
    static const enum rt_offer_state states[] = {
        [RT_NOTICE_KIND_START] = RT_OFFER_STARTED,   [RT_NOTICE_KIND_PAUSE] = RT_OFFER_PAUSED,
        [RT_NOTICE_KIND_RESUME] = RT_OFFER_STARTED,  [RT_NOTICE_KIND_CANCEL] = RT_OFFER_CANCELLED,
        [RT_NOTICE_KIND_CLOSE] = RT_OFFER_CLOSING,
    };
    char text[201];
    copy_text(text, sizeof text, notice->text);
    if (notice->kind == RT_NOTICE_KIND_REVOKED) {
        run_fail(run, RT_REVOKED, "this lab's key was revoked: %s", text);
        return;
    }
    struct run_campaign *campaign = NULL;
    if (notice->campaign.size) {
        struct rt_digest digest;
        memcpy(digest.bytes, notice->campaign.data, RT_DIGEST_BYTES);
        campaign = run_find_campaign(run, &digest);
    }
    rt_log_info("notice", "kind=%s campaign=%s text=%s", rt_notice_kind_words[notice->kind],
                campaign ? campaign->name : "", rt_log_quote(text));
    if (!campaign || notice->kind > RT_NOTICE_KIND_CLOSE)
        return;
    campaign->state = states[notice->kind];
    campaign->credit = 0; // whatever was asked for, the coordinator has let go of
    run_save_campaign(run, campaign);
}

// ---- documents

static enum rt_status load_scenarios(struct rt_run *run, struct run_campaign *campaign,
                                     struct rt_error *err)
{
    size_t count = campaign->campaign->scenario_count;
    const struct rt_scenario **scenarios = calloc(count, sizeof *scenarios);
    if (!scenarios)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++) {
        const struct rt_campaign_scenario *wanted = &campaign->campaign->scenarios[i];
        struct rt_bytes object = {NULL, 0};
        struct rt_scenario *scenario = NULL;
        status = run_need(run, &wanted->digest, false, &campaign->arena, &object);
        if (!status)
            status = rt_scenario_decode(object, &campaign->arena, &scenario);
        if (!status && strcmp(scenario->id, wanted->id))
            status = RT_CONFLICT;
        scenarios[i] = scenario;
        if (status)
            rt_error_set(err, status, "scenario %s: %s", wanted->id, rt_status_text(status));
    }
    if (status) {
        free(scenarios);
        return status;
    }
    campaign->scenarios = scenarios;
    return RT_OK;
}

static enum rt_status check_place(struct rt_run *run, struct run_campaign *campaign,
                                  const struct rt_roster *roster, struct rt_error *err)
{
    const char *lab = run->home->config->lab;
    campaign->lab = rt_campaign_lab(campaign->campaign, lab);
    if (campaign->lab == RT_NONE)
        return rt_error_set(err, RT_NOT_PERMITTED, "lab %s is not among its labs", lab);
    uint32_t index = rt_roster_lab_index(roster, lab);
    const struct rt_public_key *own = rt_secret_key_public(run->home->sign);
    if (index == RT_NONE || !rt_public_key_equal(&roster->labs[index]->sign, own))
        return rt_error_set(err, RT_UNKNOWN_KEY, "its roster (version %llu) has another key for "
                            "lab %s than %s/lab.key", (unsigned long long)roster->version, lab,
                            run->home->keys);
    return RT_OK;
}

static enum rt_status load_documents(struct rt_run *run, struct run_campaign *campaign,
                                     struct rt_error *err)
{
    struct rt_statement statement;
    struct rt_roster *roster = NULL;
    struct rt_bytes object = {NULL, 0};
    enum rt_status status =
        rt_statement_parse(rt_buf_bytes(&campaign->leaf), &statement, NULL);
    if (status || statement.kind != RT_STATEMENT_CAMPAIGN)
        return rt_error_set(err, status ? status : RT_CONFLICT, "its leaf is no campaign");
    copy_text(campaign->name, sizeof campaign->name, statement.name);
    status = run_need_roster(run, &statement.roster, &campaign->arena, &roster, err);
    if (status)
        return status;
    status = rt_evidence_campaign(rt_buf_bytes(&campaign->leaf), campaign->index,
                                  &campaign->digest, roster, &statement);
    if (status)
        return rt_error_set(err, status, "the board's signatures do not stand: %s",
                            rt_status_text(status));
    status = run_need(run, &campaign->digest, false, &campaign->arena, &object);
    if (!status)
        status = rt_campaign_decode(object, &campaign->arena, &campaign->campaign);
    if (!status && (!rt_digest_equal(&campaign->campaign->roster_digest, &roster->digest) ||
                    !rt_digest_equal(&campaign->campaign->bench_digest, &statement.bench) ||
                    strcmp(campaign->campaign->id, campaign->name)))
        status = RT_CONFLICT;
    if (status)
        return rt_error_set(err, status, "its document: %s", rt_status_text(status));
    status = check_place(run, campaign, roster, err);
    return status ? status : load_scenarios(run, campaign, err);
}

// RT_AGAIN while documents are on their way.
static enum rt_status load(struct rt_run *run, struct run_campaign *campaign)
{
    struct rt_error err;
    rt_arena_init(&campaign->arena, (size_t)256 << 20);
    enum rt_status status = load_documents(run, campaign, &err);
    if (!status) {
        campaign->execs = calloc(campaign->campaign->subject_count, sizeof *campaign->execs);
        status = campaign->execs ? RT_OK : rt_error_set(&err, RT_NO_MEMORY, "out of memory");
    }
    if (!status) {
        campaign->loaded = true;
        campaign->gpus = run_campaign_gpus(run, campaign);
        run_save_campaign(run, campaign);
        run->progress = true;
        return RT_OK;
    }
    rt_arena_release(&campaign->arena);
    campaign->campaign = NULL;
    if (status != RT_AGAIN)
        hold(run, campaign,
             campaign->stage == RT_STAGE_OFFERED ? RT_STAGE_REFUSED : campaign->stage, "%s",
             err.text);
    return status;
}

// ---- the lab's word

static size_t list_classes(const struct rt_campaign *campaign, const char **out)
{
    size_t count = 0;
    out[count++] = campaign->disclosure.class;
    for (size_t i = 0; i < campaign->scenario_count; i++) {
        size_t k = 0;
        while (k < count && strcmp(out[k], campaign->scenarios[i].class))
            k++;
        if (k == count && count < 64)
            out[count++] = campaign->scenarios[i].class;
    }
    return count;
}

static struct rt_permit ask_policy(const struct rt_run *run, const struct run_campaign *campaign)
{
    const char *classes[64], *subjects[RT_SUBJECTS_MOST], *roles[RT_PERMIT_ROLES_MOST];
    const struct rt_campaign *document = campaign->campaign;
    size_t subject_count = 0;
    for (uint32_t s = 0; s < document->subject_count; s++)
        if (document->labs[campaign->lab].runs >> s & 1)
            subjects[subject_count++] = document->subjects[s].id;
    struct rt_permit_campaign question = {
        .classes = classes,
        .class_count = list_classes(document, classes),
        .subjects = subjects,
        .subject_count = subject_count,
        .roles = roles,
        .decision = campaign->decision,
        .board_signed = true, // or it would not have been loaded
        .automatic = run->settings->automatic,
    };
    question.role_count = rt_permit_roles(campaign->scenarios, document->scenario_count, roles,
                                          RT_PERMIT_ROLES_MOST, &question.min_context);
    return rt_permit_campaign(run->home->config, &question);
}

static void accept_campaign(struct rt_run *run, struct run_campaign *campaign)
{
    struct rt_statement statement = {
        .kind = RT_STATEMENT_ACCEPT,
        .campaign = campaign->digest,
        .lab = rt_bytes_str(run->home->config->lab),
        .seen = {rt_bytes_str(campaign->seen.origin), campaign->seen.size, campaign->seen.root},
    };
    randombytes_buf(statement.nonce.bytes, sizeof statement.nonce.bytes);
    campaign->held[0] = 0;
    campaign->stage = RT_STAGE_ACCEPTING;
    run_submit(run, campaign, &statement);
    rt_log_info("campaign accepted", "campaign=%s title=%s", campaign->name,
                rt_log_quote(campaign->campaign->title));
}

static void consider_offer(struct rt_run *run, struct run_campaign *campaign)
{
    if (!run->welcomed || !campaign->offered)
        return;
    if (campaign->state > RT_OFFER_PAUSED) {
        campaign->stage = campaign->state == RT_OFFER_CLOSED ? RT_STAGE_ENDED : campaign->stage;
        return;
    }
    struct rt_permit permit = ask_policy(run, campaign);
    if (permit.cause == RT_PERMIT_YES) {
        accept_campaign(run, campaign);
        return;
    }
    if (permit.cause == RT_PERMIT_DECLINED) {
        campaign->stage = RT_STAGE_LEAVING; // says so in the log, so that nobody waits for it
        run_save_campaign(run, campaign);
        return;
    }
    rt_buf_clear(&run->scratch);
    rt_permit_explain(permit, &run->scratch);
    hold(run, campaign, RT_STAGE_OFFERED, "%s", rt_buf_str(&run->scratch));
}

void run_consider(struct rt_run *run)
{
    for (size_t i = 0; i < run->campaign_count && !run->fatal; i++) {
        struct run_campaign *campaign = run->campaigns[i];
        if (over(campaign->stage) || campaign->stage == RT_STAGE_REFUSED || !campaign->leaf.size)
            continue;
        if (!campaign->loaded && load(run, campaign))
            continue;
        if (campaign->has_draw && !campaign->planned) {
            rt_lab_plan_init(&campaign->plan, campaign->campaign, campaign->lab, &campaign->draw);
            memset(&campaign->order, 0, sizeof campaign->order);
            campaign->planned = true;
        }
        if (campaign->stage == RT_STAGE_OFFERED)
            consider_offer(run, campaign);
    }
}

void run_decide(struct rt_run *run, struct run_campaign *campaign, const char *action,
                const char *reason)
{
    if (over(campaign->stage))
        return;
    snprintf(campaign->reason, sizeof campaign->reason, "%s", reason);
    bool before = campaign->stage <= RT_STAGE_REFUSED;
    if (!strcmp(action, "accept"))
        campaign->decision = RT_DECISION_ACCEPT;
    else if (!strcmp(action, "decline"))
        campaign->decision = RT_DECISION_DECLINE;
    if (!before && strcmp(action, "accept") && campaign->stage < RT_STAGE_LEAVING)
        campaign->stage = RT_STAGE_LEAVING;
    else if (before && !strcmp(action, "leave"))
        campaign->decision = RT_DECISION_DECLINE;
    if (before)
        campaign->stage = RT_STAGE_OFFERED;
    rt_log_info("a person decided", "campaign=%s action=%s reason=%s", campaign->name, action,
                rt_log_quote(campaign->reason));
    run_save_campaign(run, campaign);
}
