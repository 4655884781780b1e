// SPDX-License-Identifier: Apache-2.0
// Ratings in the scheduler: raters are numbered once, a first label counts and no later one, what
// does not count is not rated, and what is refused changes nothing.
#include "tests/unit/core/rig.h"

struct rated_case {
    struct rt_rated_trial trial;
    struct rt_core_rated rated;
    struct rt_rating_label known[4];
};

// A rating of the first trial of an answered unit, whose result said `outcome` 1.
static struct rt_core_event rating_of(struct rig *rig, const struct answer *answer,
                                      const char *rater, struct rated_case *of)
{
    *of = (struct rated_case){.trial = {.number = answer->result.trials[0].number,
                                        .status = RT_TRIAL_OK,
                                        .outcome = 2,
                                        .severity = 3},
                              .known = {{.rater = 0, .outcome = 1, .status = RT_TRIAL_OK}}};
    of->rated = (struct rt_core_rated){.rated = &of->trial,
                                       .fingerprint = answer->result.fingerprint,
                                       .known = of->known,
                                       .known_count = 1};
    struct rt_core_event event = from(rig, RT_CORE_RATING, 0, 1);
    event.campaign = rig->campaign->digest;
    event.rating.kind = RT_RATER_KIND_JUDGE;
    event.rating.rater = rt_bytes_str(rater);
    event.rating.trials = &of->rated;
    event.rating.trial_count = 1;
    return event;
}

static void answered(struct rig *rig, struct answer *a)
{
    static struct fixture_unit unit;
    started(rig);
    assert_int_equal(want(rig, 0, 1, 1), RT_OK);
    unit = take(rig, 0);
    answer(rig, &unit, 0, 1, RT_TRIAL_OK, a);
    assert_int_equal(step(rig, a->event), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_SPARE), 0);
}

static void the_first_label_counts(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    struct answer a;
    struct rated_case of;
    answered(rig, &a);
    assert_int_equal(step(rig, rating_of(rig, &a, "grader", &of)), RT_OK);
    assert_true(rig->effects.log && !rig->effects.is_result);
    assert_int_equal(find(&rig->effects, RT_DO_RATER, 0)->rater.index, 1);
    assert_string_equal(find(&rig->effects, RT_DO_RATER, 0)->rater.id, "grader");
    assert_int_equal(count(&rig->effects, RT_DO_CELL), 2);
    const struct rt_cell_key *own = &find(&rig->effects, RT_DO_CELL, 0)->cell.key;
    assert_true(own->rater == 1 && own->outcome == 2 && own->severity == 3 && !own->beside);
    const struct rt_cell_key *joint = &find(&rig->effects, RT_DO_CELL, 1)->cell.key;
    assert_true(joint->rater == 1 && joint->beside == 1 && joint->beside_label == 1);
    assert_int_equal(count(&rig->effects, RT_DO_RATED), 1);
    // Another statement by the same rater: in the log, and nothing is added.
    struct rt_core_event again = rating_of(rig, &a, "grader", &of);
    of.known[1] = (struct rt_rating_label){.rater = 1, .outcome = 2, .status = RT_TRIAL_OK};
    of.rated.known_count = 2;
    assert_int_equal(step(rig, again), RT_OK);
    assert_true(rig->effects.log);
    assert_int_equal(count(&rig->effects, RT_DO_CELL), 0);
    assert_int_equal(count(&rig->effects, RT_DO_RATER), 0);
    // Another rater is another number, and stands beside both.
    struct rt_core_event other = rating_of(rig, &a, "second", &of);
    of.known[1] = (struct rt_rating_label){.rater = 1, .outcome = 2, .status = RT_TRIAL_OK};
    of.rated.known_count = 2;
    assert_int_equal(step(rig, other), RT_OK);
    assert_int_equal(find(&rig->effects, RT_DO_RATER, 0)->rater.index, 2);
    assert_int_equal(count(&rig->effects, RT_DO_CELL), 3);
    stop_rig(rig);
}

static void what_does_not_count_is_not_rated(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    struct answer a;
    struct rated_case of;
    answered(rig, &a);
    // The same trials once more: each is told to the store as not counting.
    a.pair.unit_verified = true;
    assert_int_equal(step(rig, a.event), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_SPARE), 4);
    assert_int_equal(find(&rig->effects, RT_DO_SPARE, 0)->spare.number, a.result.trials[0].number);
    struct rt_core_event event = rating_of(rig, &a, "grader", &of);
    of.rated.spare = true;
    assert_int_equal(step(rig, event), RT_OK);
    assert_true(rig->effects.log);
    assert_int_equal(count(&rig->effects, RT_DO_CELL), 0);
    assert_int_equal(count(&rig->effects, RT_DO_RATED), 0);
    stop_rig(rig);
}

static void refusals_change_nothing(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    struct answer a;
    struct rated_case of;
    answered(rig, &a);
    struct rt_core_event event = rating_of(rig, &a, "grader", &of);
    of.trial.outcome = FIXTURE_LABELS;
    assert_int_equal(step(rig, event), RT_OUT_OF_RANGE);
    event = rating_of(rig, &a, "grader", &of);
    of.trial.number = INT64_MAX;
    assert_int_equal(step(rig, event), RT_CONFLICT);
    event = rating_of(rig, &a, "grader", &of);
    memset(&of.rated.fingerprint, 0x5a, sizeof of.rated.fingerprint);
    assert_int_equal(step(rig, event), RT_CONFLICT);
    event = rating_of(rig, &a, "", &of);
    assert_int_equal(step(rig, event), RT_OUT_OF_RANGE);
    assert_int_equal(count(&rig->effects, RT_DO_RATER), 0);
    assert_false(rig->effects.log);
    event = rating_of(rig, &a, "grader", &of);
    event.logged = true;
    assert_int_equal(step(rig, event), RT_DUPLICATE);
    // A campaign has room for so many raters and no more.
    for (int i = 1; i < RT_RATERS_MOST; i++) {
        char name[16];
        snprintf(name, sizeof name, "judge-%d", i);
        assert_int_equal(step(rig, rating_of(rig, &a, name, &of)), RT_OK);
    }
    assert_int_equal(step(rig, rating_of(rig, &a, "one-more", &of)), RT_TOO_LARGE);
    assert_int_equal(step(rig, rating_of(rig, &a, "judge-7", &of)), RT_OK);
    stop_rig(rig);
}

// What was measured can be rated for as long as there is a log.
static void a_lab_that_has_left_is_rated_too(void **state)
{
    (void)state;
    struct rig *rig = start_rig(&fixture_small);
    struct answer a;
    struct rated_case of;
    answered(rig, &a);
    assert_int_equal(end(rig, RT_CORE_WITHDRAW, 0), RT_OK);
    assert_int_equal(step(rig, rating_of(rig, &a, "grader", &of)), RT_OK);
    assert_int_equal(count(&rig->effects, RT_DO_RATED), 1);
    assert_int_equal(view(rig, 0).final, 4);
    stop_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_label_counts),
        cmocka_unit_test(what_does_not_count_is_not_rated),
        cmocka_unit_test(refusals_change_nothing),
        cmocka_unit_test(a_lab_that_has_left_is_rated_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
