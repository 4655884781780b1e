// SPDX-License-Identifier: Apache-2.0
// A lab whose instrument changes is held, counted all the same, and goes on when the hold is
// lifted; the same instrument under another fingerprint holds nobody.
#include "tests/unit/core/rig.h"

#include "proto/campaign.h"

static struct rt_fingerprint_part part(const struct rig *rig, uint32_t subject,
                                       const char *instrument)
{
    return (struct rt_fingerprint_part){rt_bytes_str(rig->campaign->subjects[subject].id),
                                        fixture_digest(instrument)};
}

// Take a unit and answer it as served by `parts` under the fingerprint of that name.
static void served(struct rig *rig, const char *fingerprint,
                   const struct rt_fingerprint_part *parts, size_t count, bool given)
{
    struct answer result;
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    struct fixture_unit unit = take(rig, 0);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, &result);
    result.result.fingerprint = fixture_digest(fingerprint);
    result.pair.fingerprint_given = given;
    result.pair.parts = given ? parts : NULL;
    result.pair.part_count = given ? count : 0;
    result.event.digest = unit.digest; // any digest that is new
    assert_int_equal(step(rig, result.event), RT_OK);
    assert_true(rig->effects.log);
}

static enum rt_status lift(struct rig *rig, uint64_t seq)
{
    struct rt_core_event event = from(rig, RT_CORE_LIFT, 0, 1);
    event.state.seq = seq;
    return step(rig, event);
}

static bool held(const struct rig *rig)
{
    const char *why = view(rig, 0).held;
    return why && strncmp(why, "held", 4) == 0;
}

static struct rig *rig_with_subject(void)
{
    static struct rt_subject subject = {.id = "llama-8b"};
    struct rig *rig = start_rig(&fixture_small);
    rig->campaign->subjects = &subject;
    rig->campaign->subject_count = 1;
    started(rig);
    return rig;
}

static void a_change_holds(void **state)
{
    (void)state;
    struct rig *rig = rig_with_subject();
    const struct rt_fingerprint_part one = part(rig, 0, "one"), two = part(rig, 0, "two");
    served(rig, "print-1", &one, 1, true);
    assert_false(held(rig));
    // Another node, the same instrument; and a fingerprint that is known by its digest alone.
    served(rig, "print-2", &one, 1, true);
    served(rig, "print-1", NULL, 0, false);
    assert_false(held(rig));
    assert_int_equal(lift(rig, 100), RT_CONFLICT);

    uint64_t final = view(rig, 0).final;
    served(rig, "print-3", &two, 1, true);
    assert_true(view(rig, 0).final > final); // it counts
    assert_true(held(rig));
    const struct rt_core_effect *effect = find(&rig->effects, RT_DO_HOLD, 0);
    assert_non_null(effect);
    assert_int_equal(count(&rig->effects, RT_DO_HOLD), 1);
    assert_true(rt_digest_equal(&effect->hold.before, &one.identity));
    assert_true(rt_digest_equal(&effect->hold.now, &two.identity));
    assert_int_equal(want(rig, 0, 1, 4), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_UNIT), 0);

    assert_int_equal(lift(rig, 1), RT_CONFLICT); // START had that seq
    assert_int_equal(lift(rig, 100), RT_OK);
    assert_false(held(rig));
    assert_true(count(&rig->effects, RT_DO_UNIT) > 0); // what it asked for while it was held
    stop_rig(rig);
}

static void parts_are_told_apart(void **state)
{
    (void)state;
    struct rig *rig = rig_with_subject();
    const struct rt_fingerprint_part before = part(rig, 0, "one");
    const struct rt_fingerprint_part both[] = {part(rig, 0, "one"), part(rig, 0, "two")};
    served(rig, "print-1", &before, 1, true);
    // One result whose trials two instruments served: the change happened within it.
    served(rig, "print-2", both, 2, true);
    assert_true(held(rig));
    // A held lab may leave.
    assert_int_equal(end(rig, RT_CORE_WITHDRAW, 0), RT_OK);
    stop_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_change_holds),
                                       cmocka_unit_test(parts_are_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
