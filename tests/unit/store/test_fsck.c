// SPDX-License-Identifier: Apache-2.0
// fsck finds nothing in a good store, and each thing that is wrong in a bad one, by its place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coordinator/store/fsck.h"
#include "proto/statement.h"
#include "tests/unit/core/fixture.h"
#include "tests/unit/store/shelter.h"

#define NOW INT64_C(1789000000000)

struct rig {
    struct shelter shelter;
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_core *core;
    struct rt_core_effects effects;
    struct rt_digest draw;
    struct rt_digest unit, result; // of the first pair
    char found[8192];
};

static struct rt_error err;

static void ok(enum rt_status status)
{
    if (status != RT_OK)
        fprintf(stderr, "%s: %s\n", rt_status_text(status), err.text);
    assert_int_equal(status, RT_OK);
}

static struct rt_digest sign_statement(const struct rt_statement *statement, struct rt_buf *out)
{
    struct rt_digest digest;
    uint8_t signature[RT_SIGNATURE_BYTES] = {1};
    rt_buf_init(out, RT_STATEMENT_MOST);
    ok(rt_statement_build(statement, out));
    rt_sha256(rt_buf_bytes(out), &digest);
    rt_buf_add_str(out, "signed 0123456789abcdef ");
    rt_base64_add(out, signature, sizeof signature);
    rt_buf_add_str(out, "\n");
    return digest;
}

static void step(struct rig *rig, struct rt_core_event *event)
{
    event->time_ms = NOW;
    event->campaign = rig->campaign->digest;
    ok(rt_core_step(rig->core, event, &rig->effects));
    ok(rig->effects.verdict);
}

static void take(struct rig *rig, struct rt_core_event *event, const struct rt_statement *statement)
{
    struct rt_buf text;
    uint64_t index;
    event->digest = sign_statement(statement, &text);
    step(rig, event);
    struct rt_store_leaf leaf = {.statement = rt_buf_bytes(&text),
                                 .digest = event->digest,
                                 .is_result = rig->effects.is_result,
                                 .campaign = rig->effects.campaign,
                                 .lab = rig->effects.lab};
    ok(rt_store_append(rig->shelter.store, &leaf, NOW, &index, NULL, &err));
    ok(rt_store_apply(rig->shelter.store, &rig->effects, index, &err));
    rt_buf_release(&text);
}

static struct rt_core_event from(const struct rig *rig, enum rt_core_event_kind kind)
{
    struct rt_bytes lab = rt_bytes_str(rig->campaign->labs[0].id);
    return (struct rt_core_event){
        .kind = kind, .peer = 1, .lab = lab, .instance = fixture_instance(1), .signer = lab};
}

// The lab is dealt a unit and answers it with trials that end in `status`.
static void one_unit(struct rig *rig, enum rt_trial_status status)
{
    struct rt_core_event event = from(rig, RT_CORE_WANT);
    struct fixture_unit unit;
    struct rt_trial_result trials[RT_UNIT_TRIALS_MOST];
    struct rt_buf text, object;
    event.want.units = 1;
    step(rig, &event);
    fixture_encode_unit(rig->campaign, &rig->effects.list[0], &unit);
    rt_core_bind(rig->core, unit.unit.serial, &unit.digest);
    struct rt_statement statement = {.kind = RT_STATEMENT_UNIT,
                                     .campaign = rig->campaign->digest,
                                     .lab = rt_bytes_str(unit.lab),
                                     .unit = unit.digest};
    sign_statement(&statement, &text);
    ok(rt_store_put_unit(rig->shelter.store, &unit.digest, rt_buf_bytes(&text),
                         rt_bytes(unit.bytes, unit.size), &err));
    rt_buf_release(&text);
    struct rt_object_result result = {.unit = unit.digest,
                                      .software = rt_bytes_str("fsck test"),
                                      .fingerprint = fixture_digest("server"),
                                      .trials = trials};
    result.trials_count = fixture_trials(rig->campaign, 0, &rig->draw, &unit.unit, status, trials);
    rt_buf_init(&object, RT_RESULT_MOST);
    struct rt_core_pair pair = {.unit_digest = unit.digest,
                                .unit = &unit.unit,
                                .result = &result,
                                .fingerprint_given = true};
    rig->unit = unit.digest;
    rig->result = fixture_encode_result(&result, &object);
    ok(rt_store_put_object(rig->shelter.store, &rig->result, rt_buf_bytes(&object), &err));
    rt_buf_release(&object);
    event = from(rig, RT_CORE_RESULT);
    event.result.pairs = &pair;
    event.result.pair_count = 1;
    statement.kind = RT_STATEMENT_RESULT;
    statement.pair_count = 1;
    statement.pairs[0] = (struct rt_statement_pair){unit.digest, rig->result};
    take(rig, &event, &statement);
}

static void fill(struct rig *rig)
{
    struct rt_core_event event = {.kind = RT_CORE_CAMPAIGN};
    struct rt_statement statement = {.campaign = rig->campaign->digest,
                                     .kind = RT_STATEMENT_CAMPAIGN,
                                     .name = rt_bytes_str("fsck"),
                                     .bench = rig->campaign->digest,
                                     .roster = rig->campaign->digest};
    struct rt_store_head head;
    event.campaign_new.campaign = rig->campaign;
    take(rig, &event, &statement);
    rt_store_head(rig->shelter.store, &head);
    event = from(rig, RT_CORE_ACCEPT);
    event.accept.seen_size = head.size;
    statement.kind = RT_STATEMENT_ACCEPT;
    statement.lab = event.lab;
    statement.seen = (struct rt_statement_seen){rt_bytes_str("fsck"), head.size, head.root};
    take(rig, &event, &statement);
    event = from(rig, RT_CORE_HELLO);
    step(rig, &event);
    ok(rt_store_apply(rig->shelter.store, &rig->effects, 0, &err));
    event = (struct rt_core_event){.kind = RT_CORE_STATE};
    event.state.action = statement.action = RT_STATEMENT_ACTION_START;
    event.state.seq = statement.seq = 1;
    ok(rt_store_draw(rig->shelter.store, 0, &event.state.draw));
    rig->draw = event.state.draw;
    statement.kind = RT_STATEMENT_STATE;
    statement.reason = rt_bytes_str("as planned");
    take(rig, &event, &statement);
    one_unit(rig, RT_TRIAL_OK);
    one_unit(rig, RT_TRIAL_ERROR);
}

static struct rig *make_rig(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    rt_arena_init(&rig->arena, 1 << 20);
    rt_core_effects_init(&rig->effects);
    rig->campaign = fixture_campaign(&rig->arena, "fsck", &fixture_small);
    rig->core = rt_core_new(NULL, 1, NOW);
    shelter_make(&rig->shelter);
    ok(rt_store_begin(rig->shelter.store, &err));
    fill(rig);
    ok(rt_store_commit(rig->shelter.store, &err));
    return rig;
}

static void free_rig(struct rig *rig)
{
    rt_core_free(rig->core);
    rt_core_effects_release(&rig->effects);
    rt_arena_release(&rig->arena);
    shelter_remove(&rig->shelter);
    free(rig);
}

static enum rt_status find(void *ctx, const struct rt_digest *digest,
                           const struct rt_campaign **ret_campaign)
{
    struct rig *rig = ctx;
    *ret_campaign = rig->campaign;
    return rt_digest_equal(digest, &rig->campaign->digest) ? RT_OK : RT_NOT_FOUND;
}

static void finding(void *ctx, const char *text)
{
    struct rig *rig = ctx;
    size_t used = strlen(rig->found);
    snprintf(rig->found + used, sizeof rig->found - used, "%s\n", text);
}

static enum rt_status refuse_leaf_three(void *ctx, uint64_t index,
                                        const struct rt_statement *statement)
{
    (void)ctx;
    (void)statement;
    return index == 3 ? RT_BAD_SIGNATURE : RT_OK;
}

static enum rt_status run_fsck(struct rig *rig, struct rt_fsck_report *ret_report)
{
    struct rt_fsck fsck = {.find = find, .finding = finding, .ctx = rig};
    rig->found[0] = 0;
    return rt_store_fsck(rig->shelter.store, &fsck, ret_report, &err);
}

static void a_good_store_is_clean(void **state)
{
    (void)state;
    struct rig *rig = make_rig();
    struct rt_fsck_report report;
    ok(run_fsck(rig, &report));
    assert_string_equal(rig->found, "");
    assert_int_equal(report.leaves, 5);
    assert_int_equal(report.results, 2);
    assert_int_equal(report.trials, 8);
    assert_int_equal(report.counted, 8);
    assert_int_equal(report.objects, 4);
    struct rt_fsck fsck = {
        .find = find, .finding = finding, .verify = refuse_leaf_three, .ctx = rig};
    assert_int_equal(rt_store_fsck(rig->shelter.store, &fsck, &report, &err), RT_CORRUPT);
    assert_string_equal(rig->found, "leaf 3: signature: signature does not verify\n");
    free_rig(rig);
}

// A decision the core never made, written as if it had.
static void expect_after(struct rt_core_effect forged, const char *text)
{
    struct rig *rig = make_rig();
    struct rt_core_effects effects = {.list = &forged, .count = 1};
    struct rt_fsck_report report;
    if (forged.kind == RT_DO_CAMPAIGN)
        forged.campaign_row.digest = rig->campaign->digest;
    ok(rt_store_begin(rig->shelter.store, &err));
    ok(rt_store_apply(rig->shelter.store, &effects, 0, &err));
    ok(rt_store_commit(rig->shelter.store, &err));
    assert_int_equal(run_fsck(rig, &report), RT_CORRUPT);
    if (!strstr(rig->found, text))
        fail_msg("expected '%s', found:\n%s", text, rig->found);
    free_rig(rig);
}

static void forged_decisions_are_found(void **state)
{
    (void)state;
    struct rt_core_effect cell = {.kind = RT_DO_CELL, .cell.sum.count = 1};
    expect_after(cell, "cell of lab 0");
    struct rt_core_effect sum = {.kind = RT_DO_CELL, .cell.sum.tokens_in = 1};
    expect_after(sum, "cell of lab 0");
    struct rt_core_effect bit = {.kind = RT_DO_FINAL, .final = {29, 1}};
    expect_after(bit, "lab lab-aa: bitmap chunk 0");
    struct rt_core_effect error = {.kind = RT_DO_TENTATIVE, .tentative.position = 20};
    error.tentative.value.attempts = 1;
    expect_after(error, "the trial at position 20");
    struct rt_core_effect forgotten = {.kind = RT_DO_TENTATIVE_END, .tentative.position = 5};
    expect_after(forgotten, "trials in error: 3 rows are stored, the log makes 4");
    struct rt_core_effect late = {.kind = RT_DO_COUNTERS, .counters.late = 1};
    expect_after(late, "lab lab-aa: late");
    struct rt_core_effect print = {.kind = RT_DO_FINGERPRINT, .fingerprint.index = 0};
    expect_after(print, "fingerprint 0");
    struct rt_core_effect second = {.kind = RT_DO_FINGERPRINT, .fingerprint.index = 1};
    expect_after(second, "fingerprint 1");
    struct rt_core_effect lab = {.kind = RT_DO_LAB, .lab_row = {.lab = 1, .state = RT_LAB_CLOSED}};
    expect_after(lab, "lab lab-ab: its state");
    struct rt_core_effect campaign = {.kind = RT_DO_CAMPAIGN};
    expect_after(campaign, "campaign fsck: its state");
}

static void damage_is_found_by_its_place(void **state)
{
    (void)state;
    struct rt_fsck_report report;
    struct rig *rig = make_rig();
    rt_store_close(rig->shelter.store);
    assert_true(shelter_flip(&rig->shelter, "fsck test", 0)); // in the result objects
    shelter_open(&rig->shelter, RT_STORE_WRITE);
    char name[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&rig->result, name);
    assert_int_equal(run_fsck(rig, &report), RT_CORRUPT);
    assert_non_null(strstr(rig->found, name));
    assert_non_null(strstr(rig->found, "its bytes have another digest"));
    free_rig(rig);

    // A result leaf whose unit or result is not there, or was of another lab, is named by its
    // index.
    rig = make_rig();
    struct rt_statement statement = {.kind = RT_STATEMENT_RESULT,
                                     .campaign = rig->campaign->digest,
                                     .lab = rt_bytes_str(rig->campaign->labs[1].id),
                                     .pair_count = 1};
    statement.pairs[0] = (struct rt_statement_pair){rig->unit, rig->result};
    struct rt_buf text;
    struct rt_store_leaf leaf = {
        .digest = sign_statement(&statement, &text), .is_result = true, .lab = 1};
    leaf.statement = rt_buf_bytes(&text);
    ok(rt_store_begin(rig->shelter.store, &err));
    ok(rt_store_append(rig->shelter.store, &leaf, NOW, NULL, NULL, &err));
    ok(rt_store_commit(rig->shelter.store, &err));
    rt_buf_release(&text);
    assert_int_equal(run_fsck(rig, &report), RT_CORRUPT);
    assert_non_null(strstr(rig->found, "leaf 5: a result outside the lab's time"));
    assert_non_null(strstr(rig->found, "leaf 5: a unit that is not this lab's"));
    free_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_store_is_clean),
        cmocka_unit_test(forged_decisions_are_found),
        cmocka_unit_test(damage_is_found_by_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
