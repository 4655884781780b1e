// SPDX-License-Identifier: Apache-2.0
// The scheduler, event by event: who gets what, what is refused, what is asked to be persisted.
#include "tests/unit/core/rig.h"

static void nothing_before_consent(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    assert_int_equal(want(rig, 0, 1, 2), RT_AGAIN); // no HELLO yet
    assert_int_equal(hello(rig, 0, 1, NULL, 0), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_OFFER), 1);
    assert_int_equal(count(&rig->effects, RT_DO_INSTANCE), 1);
    assert_int_equal(want(rig, 0, 1, 2), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 0);
    // Nobody has accepted: the operator alone would choose the draw.
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_START), RT_CONFLICT);
    assert_int_equal(accept_lab(rig, 1), RT_OK);
    assert_int_equal(accept_lab(rig, 1), RT_EXISTS);
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_START), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 0); // lab 0 has not accepted
    // Joining late is fine, and its standing wish is served at once.
    assert_int_equal(accept_lab(rig, 0), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 2);
    stop_rig(rig);
}

static void stale_seq_and_stale_checkpoint(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    struct rt_core_event event = from(rig, RT_CORE_ACCEPT, 0, 0);
    event.accept.seen_size = 0; // a checkpoint from before the campaign's leaf
    assert_int_equal(step(rig, event), RT_CONFLICT);
    started(rig);
    rig->seq--;
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_PAUSE), RT_CONFLICT);
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_PAUSE), RT_OK);
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_PAUSE), RT_CONFLICT);
    stop_rig(rig);
}

static void credit_is_spent(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    started(rig);
    assert_int_equal(want(rig, 0, 1, 3), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 3);
    assert_int_equal(want(rig, 0, 1, 0), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 0);
    assert_int_equal(want(rig, 0, 1, RT_CREDIT_MOST + 1), RT_OUT_OF_RANGE);
    // 5 prompts x (2 replicates x 2 + 2 replicates x 1) = 30 trials, in units of 4.
    assert_int_equal(want(rig, 0, 1, 100), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 5);
    assert_int_equal(view(rig, 0).outstanding, 30);
    assert_int_equal(view(rig, 0).credit, 95);
    stop_rig(rig);
}

static void result_is_counted_once(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    started(rig);
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    struct fixture_unit unit = take(rig, 0);
    struct answer a;
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    assert_int_equal(step(rig, a.event), RT_OK);
    assert_true(rig->effects.log && rig->effects.is_result);
    assert_int_equal(count(&rig->effects, RT_DO_CELL), 4);
    assert_int_equal(count(&rig->effects, RT_DO_FINAL), 1);
    assert_int_equal(find(&rig->effects, RT_DO_FINAL, 0)->final.count, 4);
    assert_int_equal(count(&rig->effects, RT_DO_FINGERPRINT), 1);
    assert_int_equal(view(rig, 0).final, 4);
    assert_int_equal(view(rig, 0).units, 0);
    // The very same statement: its first receipt again.
    a.event.logged = true;
    assert_int_equal(step(rig, a.event), RT_DUPLICATE);
    assert_int_equal(rig->effects.count, 0);
    // Another statement about the same trials: in the log, counted as duplicates.
    a.event.logged = false;
    a.pair.unit_verified = true;
    assert_int_equal(step(rig, a.event), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_CELL), 0);
    assert_int_equal(find(&rig->effects, RT_DO_COUNTERS, 0)->counters.duplicate, 4);
    assert_int_equal(view(rig, 0).final, 4);
    stop_rig(rig);
}

static void bad_results_change_nothing(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    started(rig);
    assert_int_equal(accept_lab(rig, 1), RT_OK);
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    struct fixture_unit unit = take(rig, 0);
    struct answer a;
    struct rt_core_event bad;

    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    bad = a.event;
    bad.campaign = fixture_digest("another campaign");
    assert_int_equal(step(rig, bad), RT_NOT_FOUND);
    bad = a.event;
    bad.signer = rt_bytes_str("lab-ab"); // a statement of lab 1 over lab 0's connection
    assert_int_equal(step(rig, bad), RT_NOT_PERMITTED);
    bad = from(rig, RT_CORE_RESULT, 1, 2); // lab 1 answers lab 0's unit
    bad.result.pairs = &a.pair;
    bad.result.pair_count = 1;
    assert_int_equal(step(rig, bad), RT_NOT_PERMITTED);
    a.pair.unit_digest = fixture_digest("never issued");
    a.result.unit = a.pair.unit_digest;
    assert_int_equal(step(rig, a.event), RT_BAD_SIGNATURE);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    a.result.unit = fixture_digest("another unit");
    assert_int_equal(step(rig, a.event), RT_CONFLICT);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    a.trials[2].number++; // not a trial of this unit, or not in its order
    assert_int_equal(step(rig, a.event), RT_CONFLICT);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    a.result.trials_count--; // one left out
    assert_int_equal(step(rig, a.event), RT_CONFLICT);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    a.result.trials_count++; // one too many
    assert_int_equal(step(rig, a.event), RT_CONFLICT);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    a.trials[0].outcome = FIXTURE_LABELS;
    assert_int_equal(step(rig, a.event), RT_OUT_OF_RANGE);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    a.pair.fingerprint_given = false;
    assert_int_equal(step(rig, a.event), RT_NOT_FOUND);
    assert_false(rig->effects.log);
    assert_int_equal(rig->effects.count, 1);
    assert_int_equal(find(&rig->effects, RT_DO_COUNTERS, 0)->counters.invalid, 1);
    assert_int_equal(view(rig, 0).final, 0);
    assert_int_equal(view(rig, 0).units, 1);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    assert_int_equal(step(rig, a.event), RT_OK);
    stop_rig(rig);
}

static void errors_are_retried_last_and_run_out(void **state)
{
    (void)state;
    struct fixture_shape shape = fixture_small;
    shape.replicates = shape.at_zero = 1;
    shape.prompts = 4; // 8 trials in two units
    struct rig *rig = start_rig(&shape);
    started(rig);
    uint64_t first = 0;
    for (int attempt = 1; attempt <= 3; attempt++) {
        assert_int_equal(want(rig, 0, 1, 1), RT_OK);
        struct fixture_unit unit = take(rig, 0);
        struct answer a;
        if (attempt == 1) {
            first = unit.runs[0].first;
        } else if (attempt == 2) { // the new one comes before the retry
            assert_int_not_equal(unit.runs[0].first, first);
            answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
            assert_int_equal(step(rig, a.event), RT_OK);
            assert_int_equal(want(rig, 0, 1, 1), RT_OK);
            unit = take(rig, 0);
        }
        assert_int_equal(unit.runs[0].first, first);
        answer(rig, &unit, 0, 1, attempt == 2 ? RT_TRIAL_TIMEOUT : RT_TRIAL_ERROR, &a);
        assert_int_equal(step(rig, a.event), RT_OK);
        assert_int_equal(count(&rig->effects, RT_DO_TENTATIVE), 4);
        // From the second on, what counted before is taken back.
        assert_int_equal(count(&rig->effects, RT_DO_CELL), attempt == 1 ? 4 : 8);
        assert_int_equal(view(rig, 0).tentative, 4);
        assert_int_equal(view(rig, 0).exhausted, attempt == 3 ? 4 : 0);
    }
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 0);
    assert_string_equal(view(rig, 0).held, "every trial is done");
    stop_rig(rig);
}

static void late_counts_until_accept_until(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    started(rig);
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    struct fixture_unit one = take(rig, 0);
    rig->now += 10;
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    struct fixture_unit two = take(rig, 0);
    // Overdue: free, and issued again to whoever asks.
    rig->now += fixture_small.reissue_after_ms - 10;
    assert_int_equal(step(rig, (struct rt_core_event){.kind = RT_CORE_TICK}), RT_OK);
    assert_int_equal(find(&rig->effects, RT_DO_COUNTERS, 0)->counters.reissued, 4);
    assert_int_equal(view(rig, 0).units, 1);
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    struct fixture_unit again = take(rig, 0);
    assert_int_equal(again.runs[0].first, one.runs[0].first);
    // The first answer is late but in time; the second copy is then a duplicate.
    struct answer a;
    answer(rig, &one, 0, 1, RT_TRIAL_OK, &a);
    a.pair.unit_verified = true;
    assert_int_equal(step(rig, a.event), RT_OK);
    assert_int_equal(view(rig, 0).final, 4);
    answer(rig, &again, 0, 1, RT_TRIAL_OK, &a);
    assert_int_equal(step(rig, a.event), RT_OK);
    assert_int_equal(find(&rig->effects, RT_DO_COUNTERS, 0)->counters.duplicate, 4);
    // Past accept_until an arrival is logged and never added.
    rig->now = two.unit.accept_until_ms + 1;
    answer(rig, &two, 0, 1, RT_TRIAL_OK, &a);
    a.pair.unit_verified = true;
    assert_int_equal(step(rig, a.event), RT_OK);
    assert_true(rig->effects.log);
    assert_int_equal(find(&rig->effects, RT_DO_COUNTERS, 0)->counters.late, 4);
    assert_int_equal(view(rig, 0).final, 4);
    stop_rig(rig);
}

static void hello_is_a_barrier(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    started(rig);
    assert_int_equal(want(rig, 0, 1, 2), RT_OK);
    struct fixture_unit one = take(rig, 0), two = take(rig, 1);
    struct rt_core_held held = {.digest = two.digest};
    assert_int_equal(hello(rig, 0, 1, &held, 1), RT_OK);
    assert_int_equal(find(&rig->effects, RT_DO_COUNTERS, 0)->counters.reissued, 4);
    assert_int_equal(view(rig, 0).units, 1);
    assert_false(rt_core_knows_unit(rig->core, &one.digest));
    assert_true(rt_core_knows_unit(rig->core, &two.digest));
    // Another instance of the lab does not free what this one holds.
    assert_int_equal(hello(rig, 0, 2, NULL, 0), RT_OK);
    assert_int_equal(view(rig, 0).units, 1);
    // RETURN frees at once, but only what is one's own.
    struct rt_core_event event = from(rig, RT_CORE_RETURN, 0, 2);
    event.give_back.unit = two.digest;
    assert_int_equal(step(rig, event), RT_NOT_PERMITTED);
    event = from(rig, RT_CORE_RETURN, 0, 1);
    event.give_back.unit = two.digest;
    assert_int_equal(step(rig, event), RT_OK);
    assert_int_equal(view(rig, 0).units, 0);
    assert_int_equal(view(rig, 0).outstanding, 0);
    stop_rig(rig);
}

static void pause_close_and_completion(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    started(rig);
    assert_int_equal(accept_lab(rig, 1), RT_OK);
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_PAUSE), RT_OK);
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 0);
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_RESUME), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 1);
    struct fixture_unit unit = take(rig, 0);
    assert_int_equal(end(rig, RT_CORE_CLOSE, 0), RT_CONFLICT); // not asked yet
    assert_int_equal(end(rig, RT_CORE_WITHDRAW, 1), RT_OK);
    assert_int_equal(end(rig, RT_CORE_WITHDRAW, 1), RT_TOO_LATE);
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_CLOSE), RT_OK);
    assert_int_equal(find(&rig->effects, RT_DO_NOTICE, 0)->notice.kind, RT_NOTICE_KIND_CLOSE);
    // What was running may still come in; a count that is not the log's is refused.
    struct answer a;
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
    assert_int_equal(step(rig, a.event), RT_OK);
    struct rt_core_event event = from(rig, RT_CORE_CLOSE, 0, 1);
    event.end.log_results = 1;
    assert_int_equal(step(rig, event), RT_CONFLICT);
    event.end.results = 1;
    event.end.root = fixture_digest("root");
    assert_int_equal(step(rig, event), RT_CONFLICT);
    event.end.log_root = event.end.root;
    assert_int_equal(step(rig, event), RT_OK);
    a.pair.unit_verified = true;
    assert_int_equal(step(rig, a.event), RT_TOO_LATE); // after its own close
    // Lab 2 never answered: the coordinator says so after the deadline.
    assert_true(rig->effects.wake_ms <= rig->now + fixture_small.close_within_ms);
    rig->now += fixture_small.close_within_ms;
    assert_int_equal(step(rig, (struct rt_core_event){.kind = RT_CORE_TICK}), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_NO_RESPONSE), 1);
    assert_int_equal(find(&rig->effects, RT_DO_NO_RESPONSE, 0)->lab, 2);
    struct rt_core_campaign_row row;
    assert_int_equal(rt_core_campaign_view(rig->core, 0, &row, NULL), RT_OK);
    assert_int_equal(row.state, RT_OFFER_CLOSED);
    assert_int_equal(accept_lab(rig, 2), RT_TOO_LATE);
    stop_rig(rig);
}

static void leaving_frees_everything(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    started(rig);
    assert_int_equal(want(rig, 0, 1, 5), RT_OK);
    assert_int_equal(view(rig, 0).units, 5);
    assert_int_equal(end(rig, RT_CORE_WITHDRAW, 0), RT_OK);
    assert_int_equal(view(rig, 0).units, 0);
    assert_int_equal(view(rig, 0).outstanding, 0);
    assert_int_equal(want(rig, 0, 1, 5), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 0);
    stop_rig(rig);
}

static void the_silent_are_forgotten(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    started(rig);
    assert_int_equal(want(rig, 0, 1, 100), RT_OK);
    assert_int_equal(view(rig, 0).credit, 92);
    rig->now += 59000;
    assert_int_equal(step(rig, from(rig, RT_CORE_PULSE, 0, 1)), RT_OK);
    rig->now += 59000;
    assert_int_equal(step(rig, (struct rt_core_event){.kind = RT_CORE_TICK}), RT_OK);
    assert_int_equal(view(rig, 0).instances, 1);
    rig->now += 20000;
    assert_true(rig->effects.wake_ms <= rig->now);
    assert_int_equal(step(rig, (struct rt_core_event){.kind = RT_CORE_TICK}), RT_OK);
    assert_int_equal(view(rig, 0).instances, 0);
    assert_int_equal(view(rig, 0).credit, 0);
    assert_int_equal(step(rig, from(rig, RT_CORE_PULSE, 0, 1)), RT_AGAIN);
    assert_int_equal(hello(rig, 0, 1, NULL, 0), RT_OK);
    assert_int_equal(view(rig, 0).instances, 1);
    stop_rig(rig);
}

// More scattered holes than the ring of freed runs holds: none is forgotten.
static void holes_beyond_the_ring_come_back(void **state)
{
    (void)state;
    struct fixture_shape shape = fixture_small;
    shape.prompts = 1000;
    shape.replicates = shape.at_zero = 3;
    shape.configurations = 1;
    shape.trials = 1;
    struct rig *rig = start_rig(&shape);
    static struct rt_digest units[3072];
    size_t held = 0, back = 0;
    started(rig);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(want(rig, 0, 1, RT_CREDIT_MOST), RT_OK);
        for (size_t u = 0, n = count(&rig->effects, RT_DO_UNIT); u < n; u++)
            units[held++] = take(rig, u).digest;
    }
    assert_int_equal(held, 3000);
    assert_int_equal(want(rig, 0, 1, 0), RT_OK);
    for (size_t u = 0; u < held; u += 2) {
        struct rt_core_event event = from(rig, RT_CORE_RETURN, 0, 1);
        event.give_back.unit = units[u];
        assert_int_equal(step(rig, event), RT_OK);
    }
    assert_int_equal(view(rig, 0).outstanding, 1500);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(want(rig, 0, 1, RT_CREDIT_MOST), RT_OK);
        back += count(&rig->effects, RT_DO_UNIT);
    }
    assert_int_equal(back, 1500);
    assert_int_equal(view(rig, 0).outstanding, 3000);
    stop_rig(rig);
}

// The core counts leaves itself, those that the coordinator signs on its own included.
static void leaves_are_counted(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);                  // 0
    started(rig);                                                 // 1 accept, 2 start
    assert_int_equal(act(rig, RT_STATEMENT_ACTION_CLOSE), RT_OK); // 3
    rig->now += fixture_small.close_within_ms;
    assert_int_equal(step(rig, (struct rt_core_event){.kind = RT_CORE_TICK}), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_NO_RESPONSE), 3); // 4, 5, 6
    struct rt_campaign *other = fixture_campaign(&rig->arena, "other", &fixture_small);
    struct rt_core_event event = {.kind = RT_CORE_CAMPAIGN, .campaign = other->digest};
    event.campaign_new.campaign = other;
    assert_int_equal(step(rig, event), RT_OK);
    assert_int_equal(find(&rig->effects, RT_DO_CAMPAIGN, 0)->campaign_row.leaf_index, 7);
    stop_rig(rig);
}

static void rosters_follow_one_another(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    struct rt_core_event event = {.kind = RT_CORE_ROSTER};
    event.roster.version = 1;
    event.roster.roster = fixture_digest("roster 1");
    assert_int_equal(step(rig, event), RT_OK);
    event.roster.version = 3;
    event.roster.has_previous = true;
    event.roster.previous = event.roster.roster;
    event.roster.roster = fixture_digest("roster 2");
    assert_int_equal(step(rig, event), RT_CONFLICT);
    event.roster.version = 2;
    event.roster.previous = fixture_digest("another");
    assert_int_equal(step(rig, event), RT_CONFLICT);
    event.roster.previous = fixture_digest("roster 1");
    assert_int_equal(step(rig, event), RT_OK);
    // A campaign compiled against an older roster must be compiled again.
    struct rt_campaign *other = fixture_campaign(&rig->arena, "other", &fixture_small);
    struct rt_core_event campaign = {.kind = RT_CORE_CAMPAIGN, .campaign = other->digest};
    campaign.campaign_new.campaign = other;
    other->roster_digest = fixture_digest("roster 1");
    assert_int_equal(step(rig, campaign), RT_CONFLICT);
    other->roster_digest = event.roster.roster;
    assert_int_equal(step(rig, campaign), RT_OK);
    assert_int_equal(step(rig, campaign), RT_EXISTS);
    stop_rig(rig);
}

static void a_billion_trials_cost_what_is_touched(void **state)
{
    (void)state;
    struct fixture_shape shape = fixture_small;
    shape.prompts = 100000;
    shape.replicates = shape.at_zero = 5000; // 10^9 trials a lab
    shape.trials = 32;
    struct rig *rig = start_rig(&shape);
    started(rig);
    assert_int_equal(view(rig, 0).total, 1000000000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(want(rig, 0, 1, 1), RT_OK);
        struct fixture_unit unit = take(rig, 0);
        struct answer a;
        answer(rig, &unit, 0, 1, RT_TRIAL_OK, &a);
        assert_int_equal(step(rig, a.event), RT_OK);
    }
    assert_int_equal(view(rig, 0).final, 32000);
    stop_rig(rig);
}

static void instances_are_bounded_and_forgotten(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    for (uint8_t i = 1; i <= 64; i++)
        assert_int_equal(hello(rig, 0, i, NULL, 0), RT_OK);
    assert_int_equal(hello(rig, 0, 65, NULL, 0), RT_TOO_LARGE);
    assert_int_equal(hello(rig, 1, 65, NULL, 0), RT_OK); // another lab has its own room
    assert_int_equal(step(rig, from(rig, RT_CORE_DISCONNECT, 0, 9)), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_INSTANCE_END), 1);
    assert_int_equal(hello(rig, 0, 66, NULL, 0), RT_OK);
    stop_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_before_consent),
        cmocka_unit_test(stale_seq_and_stale_checkpoint),
        cmocka_unit_test(credit_is_spent),
        cmocka_unit_test(result_is_counted_once),
        cmocka_unit_test(bad_results_change_nothing),
        cmocka_unit_test(errors_are_retried_last_and_run_out),
        cmocka_unit_test(late_counts_until_accept_until),
        cmocka_unit_test(hello_is_a_barrier),
        cmocka_unit_test(pause_close_and_completion),
        cmocka_unit_test(leaving_frees_everything),
        cmocka_unit_test(the_silent_are_forgotten),
        cmocka_unit_test(holes_beyond_the_ring_come_back),
        cmocka_unit_test(leaves_are_counted),
        cmocka_unit_test(rosters_follow_one_another),
        cmocka_unit_test(a_billion_trials_cost_what_is_touched),
        cmocka_unit_test(instances_are_bounded_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
