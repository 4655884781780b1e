// SPDX-License-Identifier: Apache-2.0
// Units and receipts as the loop takes them: what is not this lab's, not this campaign's, not
// signed, too late or out of range is not taken; a receipt that does not verify lets nothing go.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "worker/run_state.h"

#define NOW 1700000000000

static char folder[64];
static struct rt_secret_key *log_key, *lab_key, *stranger;
static struct rt_run *run;
static struct run_campaign *campaign;
static struct rt_run_settings settings;

// One lab, one subject at one temperature, two prompts, five replicates: ten trials.
static int64_t temperatures[] = {700000};
static struct rt_subject subjects[] = {
    {.id = "llama", .temperatures_micro = temperatures, .temperature_count = 1}};
static struct rt_campaign_lab members[] = {{"uni-a", 1}};
static struct rt_prompt prompts[2];
static struct rt_configuration configurations[] = {{0, 0, 700000}};
static struct rt_campaign document = {
    .id = "demo",
    .subjects = subjects,
    .subject_count = 1,
    .labs = members,
    .lab_count = 1,
    .design = {.replicates = 5, .replicates_at_zero = 1},
    .unit = {.trials = 8, .attempts = 3},
    .prompts = prompts,
    .prompt_count = 2,
    .configurations = configurations,
    .configuration_count = 1,
};

static int open_run(void **state)
{
    struct rt_error err;
    struct rt_link_settings link;
    struct rt_curve_secret *curve;
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rt-unit-XXXXXX");
    run = calloc(1, sizeof *run);
    if (!mkdtemp(folder) || !run || rt_secret_key_generate(&log_key) ||
        rt_secret_key_generate(&lab_key) || rt_secret_key_generate(&stranger) ||
        rt_curve_generate(&curve))
        return -1;
    run->settings = &settings;
    run->err = calloc(1, sizeof err);
    run->home = calloc(1, sizeof *run->home);
    run->home->config = calloc(1, sizeof *run->home->config);
    run->home->config->lab = "uni-a";
    run->home->sign = lab_key;
    run->home->curve = curve;
    run->units = calloc(RUN_UNITS_MOST, sizeof *run->units);
    run->now_ms = NOW;
    rt_buf_init(&run->frame, RT_PAYLOAD_MOST);
    rt_buf_init(&run->scratch, 1 << 20);
    rt_buf_init(&run->fetch.bytes, 1 << 20);
    rt_arena_init(&run->frame_arena, 1 << 24);
    rt_link_settings_init(&link);
    link.address = "tcp://127.0.0.1:1";
    link.own = curve;
    if (rt_vkey_make("ring.example/log", RT_NOTE_ED25519, rt_secret_key_public(log_key),
                     &run->log.key) ||
        rt_outbox_open(folder, false, &run->outbox, &err) || rt_link_new(&link, &run->link, &err))
        return -1;
    campaign = calloc(1, sizeof *campaign);
    run->campaigns[run->campaign_count++] = campaign;
    campaign->digest = (struct rt_digest){{1}};
    campaign->accept = (struct rt_digest){{2}};
    campaign->has_accept = campaign->planned = campaign->loaded = true;
    campaign->stage = RT_STAGE_ACCEPTED;
    campaign->state = RT_OFFER_STARTED;
    campaign->campaign = &document;
    rt_lab_plan_init(&campaign->plan, &document, 0, &campaign->draw);
    return campaign->plan.count == 10 ? 0 : -1;
}

static int close_run(void **state)
{
    char command[128];
    (void)state;
    while (run->unit_count)
        run_drop_unit(run, 0);
    rt_outbox_free(run->outbox);
    rt_link_free(run->link);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

// What a coordinator would send, with one thing wrong or none.
struct wrong {
    const struct rt_secret_key *key; // who signs; NULL: the log
    const char *lab;                 // in the object
    const char *said_lab;            // in the statement
    uint8_t accept;
    int64_t accept_until_ms;
    uint64_t first, count, serial;
    bool other_object, other_campaign;
};

static void deal(const struct wrong *wrong)
{
    struct rt_unit_run positions = {wrong->first, wrong->count ? wrong->count : 4};
    struct rt_object_unit object = {
        .campaign = campaign->digest,
        .lab = rt_bytes_str(wrong->lab ? wrong->lab : "uni-a"),
        .epoch = 1,
        .serial = wrong->serial,
        .issued_ms = NOW - 5000,
        .reissue_at_ms = NOW - 4000,
        .accept_until_ms = wrong->accept_until_ms ? wrong->accept_until_ms : NOW + 60000,
        .accept = {{wrong->accept ? wrong->accept : 2}},
        .runs = &positions,
        .runs_count = 1,
    };
    if (wrong->other_campaign)
        object.campaign.bytes[9] ^= 1;
    struct rt_statement statement = {
        .kind = RT_STATEMENT_UNIT,
        .campaign = object.campaign,
        .lab = rt_bytes_str(wrong->said_lab ? wrong->said_lab : "uni-a"),
    };
    struct rt_buf bytes, text;
    rt_buf_init(&bytes, 4096);
    rt_buf_init(&text, 4096);
    assert_int_equal(rt_object_unit_encode(&object, &bytes, NULL), RT_OK);
    rt_sha256(rt_buf_bytes(&bytes), &statement.unit);
    if (wrong->other_object)
        statement.unit.bytes[0] ^= 1;
    assert_int_equal(
        rt_statement_make(&statement, wrong->key ? wrong->key : log_key, &text), RT_OK);
    struct rt_message_unit message = {rt_buf_bytes(&text), rt_buf_bytes(&bytes)};
    run_on_unit(run, &message);
    rt_buf_release(&bytes);
    rt_buf_release(&text);
}

static void refused(const struct wrong *wrong)
{
    size_t before = run->unit_count, pending = rt_ledger_pending(run->outbox->ledger);
    deal(wrong);
    assert_int_equal(run->unit_count, before);
    assert_int_equal(rt_ledger_pending(run->outbox->ledger), pending);
    assert_int_equal(run->fatal, RT_OK);
}

static void test_what_is_not_ours_is_not_taken(void **state)
{
    (void)state;
    refused(&(struct wrong){.key = stranger});
    refused(&(struct wrong){.key = lab_key});
    refused(&(struct wrong){.lab = "uni-b"});
    refused(&(struct wrong){.said_lab = "uni-b"});
    refused(&(struct wrong){.accept = 7});
    refused(&(struct wrong){.accept_until_ms = NOW - 1});
    refused(&(struct wrong){.first = 7, .count = 4});
    refused(&(struct wrong){.first = UINT64_C(1) << 40});
    refused(&(struct wrong){.other_object = true});
    campaign->state = RT_OFFER_PAUSED;
    refused(&(struct wrong){0});
    campaign->state = RT_OFFER_STARTED;
    refused(&(struct wrong){.other_campaign = true});
}

static void test_a_unit_is_taken_once(void **state)
{
    (void)state;
    deal(&(struct wrong){.first = 2, .count = 5, .serial = 9});
    assert_int_equal(run->unit_count, 1);
    assert_int_equal(run->units[0]->trial_count, 5);
    assert_int_equal(campaign->remaining, 5);
    for (uint64_t i = 0; i < 5; i++) {
        uint64_t number;
        assert_int_equal(rt_lab_trial(&campaign->plan, &campaign->order, 2 + i, &number), RT_OK);
        assert_true(run->units[0]->trials[i].number == number);
    }
    deal(&(struct wrong){.first = 2, .count = 5, .serial = 9});
    assert_int_equal(run->unit_count, 1);
    assert_true(run->units[0]->fresh && !run->units[0]->stored);
}

// A trial that has a final result here comes back done, in whichever unit it is dealt again.
static void test_finished_trials_are_recalled(void **state)
{
    (void)state;
    uint64_t number;
    assert_int_equal(rt_lab_trial(&campaign->plan, &campaign->order, 8, &number), RT_OK);
    struct rt_trial_result result = {.number = number, .outcome = 1, .tokens_in = 77};
    struct rt_row_trial row = {.result = &result, .result_count = 1, .started_ms = 1,
                               .finished_ms = 2};
    rt_outbox_put(run->outbox, RT_TABLE_FINAL, rt_key_of_number(&campaign->digest, number),
                  rt_row_trial_schema(), &row);
    deal(&(struct wrong){.first = 7, .count = 3, .serial = 10});
    struct run_unit *unit = run->units[run->unit_count - 1];
    assert_int_equal(unit->done, 1);
    assert_int_equal(unit->trials[1].state, RUN_DONE);
    assert_int_equal(unit->trials[1].result.tokens_in, 77);
    assert_int_equal(unit->trials[0].state, RUN_TODO);
}

static void test_a_forged_receipt_lets_nothing_go(void **state)
{
    (void)state;
    struct rt_error err;
    struct rt_statement statement = {.kind = RT_STATEMENT_CLOSE,
                                     .campaign = campaign->digest,
                                     .lab = rt_bytes_str("uni-a")};
    run_submit(run, campaign, &statement);
    assert_int_equal(run->out_count, 1);
    assert_int_equal(rt_outbox_commit(run->outbox, &err), RT_OK);
    run->outs[0].stored = true;
    struct rt_key key = rt_key_of(&run->outs[0].digest);
    struct rt_row_out row;
    struct rt_arena arena;
    rt_arena_init(&arena, 1 << 20);
    assert_int_equal(rt_outbox_get(run->outbox, RT_TABLE_OUT, key, rt_row_out_schema(), &arena,
                                   &row), RT_OK);
    // A log of this one leaf, signed by somebody else and then by the log.
    for (int right = 0; right < 2; right++) {
        struct rt_statement parsed;
        struct rt_buf leaf, note, proof;
        struct rt_digest hash;
        struct rt_proof empty = {0};
        rt_buf_init(&leaf, 1 << 16);
        rt_buf_init(&note, 1 << 16);
        rt_buf_init(&proof, 1 << 16);
        assert_int_equal(rt_statement_parse(row.statement, &parsed, NULL), RT_OK);
        assert_int_equal(rt_statement_leaf(&parsed, NOW, &leaf), RT_OK);
        rt_leaf_hash(rt_buf_bytes(&leaf), &hash);
        struct rt_checkpoint checkpoint = {.origin = "ring.example/log", .size = 1, .root = hash};
        assert_int_equal(rt_checkpoint_sign(&checkpoint, right ? log_key : stranger, &note),
                         RT_OK);
        rt_tlog_proof_format(0, &empty, rt_buf_bytes(&note), &proof);
        struct rt_message_receipt receipt = {.statement = run->outs[0].digest,
                                             .received_ms = NOW,
                                             .proof = rt_buf_bytes(&proof)};
        run_on_receipt(run, &receipt);
        assert_int_equal(run->out_count, right ? 0 : 1);
        assert_int_equal(rt_ledger_has(run->outbox->ledger, RT_TABLE_OUT, rt_key_bytes(&key)),
                         !right);
        rt_buf_release(&leaf);
        rt_buf_release(&note);
        rt_buf_release(&proof);
    }
    assert_int_equal(campaign->stage, RT_STAGE_CLOSED);
    rt_arena_release(&arena);
}

int main(void)
{
    if (rt_crypto_init())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_ours_is_not_taken),
        cmocka_unit_test(test_a_unit_is_taken_once),
        cmocka_unit_test(test_finished_trials_are_recalled),
        cmocka_unit_test(test_a_forged_receipt_lets_nothing_go),
    };
    return cmocka_run_group_tests(tests, open_run, close_run);
}
