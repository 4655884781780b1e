// SPDX-License-Identifier: Apache-2.0
// The recount against the rule said plainly: for each trial of a lab the first result in time with
// a final status; failing one, the last error in time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auditor/tally.h"

#define LABS     3
#define TRIALS   40
#define ARRIVALS 600

static uint64_t seed = 88172645463325252u;

static uint32_t below(uint32_t bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) % bound);
}

struct result {
    uint64_t position;
    struct rt_arrival arrival;
    struct rt_facts_cell cell;
};

static struct result random_result(uint64_t index)
{
    struct result result = {
        .position = below(TRIALS),
        .arrival = {.status = (enum rt_trial_status)below(RT_TRIAL_STATUS_COUNT),
                    .index = index,
                    .received_ms = (int64_t)index,
                    .accept_until_ms = (int64_t)index + (int64_t)below(5) - 1},
        .cell = {.lab = below(LABS), .count = 1, .fingerprint = below(2)},
    };
    result.cell.prompt = (uint32_t)(result.position / 8);
    result.cell.status = result.arrival.status;
    result.cell.outcome = result.arrival.status == RT_TRIAL_OK ? below(4) : 0;
    result.cell.same_as = below(2);
    result.cell.score_micro = (int64_t)below(1000) - 500;
    return result;
}

// Which of the results counts for (lab, position), or NULL.
static const struct result *counts(const struct result *results, uint32_t lab, uint64_t position)
{
    const struct result *last = NULL;
    for (size_t i = 0; i < ARRIVALS; i++) {
        const struct result *r = &results[i];
        if (r->cell.lab != lab || r->position != position ||
            r->arrival.received_ms > r->arrival.accept_until_ms)
            continue;
        last = r;
        if (r->arrival.status < RT_TRIAL_ERROR)
            return r;
    }
    return last;
}

static bool same_labels(const struct rt_facts_cell *a, const struct rt_facts_cell *b)
{
    return a->prompt == b->prompt && a->configuration == b->configuration && a->lab == b->lab &&
           a->fingerprint == b->fingerprint && a->outcome == b->outcome &&
           a->severity == b->severity && a->status == b->status;
}

static void recount_is_the_rule(void **state)
{
    (void)state;
    static struct result results[ARRIVALS];
    const uint64_t totals[LABS] = {TRIALS, TRIALS, TRIALS};
    for (int round = 0; round < 50; round++) {
        struct rt_tally tally;
        assert_int_equal(rt_tally_init(&tally, totals, LABS), RT_OK);
        uint64_t late = 0, trials = 0, final = 0, score = 0, expected_score = 0, same = 0,
                 expected_same = 0;
        for (size_t i = 0; i < ARRIVALS; i++) {
            results[i] = random_result(i);
            late += results[i].arrival.received_ms > results[i].arrival.accept_until_ms;
            assert_int_equal(
                rt_tally_add(&tally, results[i].position, &results[i].arrival, &results[i].cell,
                             NULL),
                RT_OK);
        }
        uint64_t counted = 0, said_late = 0, duplicate = 0, retried = 0;
        for (uint32_t l = 0; l < LABS; l++) {
            said_late += tally.labs[l].counters.late;
            duplicate += tally.labs[l].counters.duplicate;
            retried += tally.labs[l].counters.retried;
            counted += tally.labs[l].final + tally.labs[l].tentative;
        }
        rt_tally_finish(&tally);
        for (uint32_t l = 0; l < LABS; l++)
            for (uint64_t p = 0; p < TRIALS; p++) {
                const struct result *r = counts(results, l, p);
                enum rt_standing standing = rt_tally_standing(&tally, l, p);
                assert_int_equal(standing, !r ? RT_STANDING_NONE
                                           : r->arrival.status < RT_TRIAL_ERROR
                                               ? RT_STANDING_FINAL
                                               : RT_STANDING_TENTATIVE);
                if (!r)
                    continue;
                trials++;
                final += standing == RT_STANDING_FINAL;
                expected_score += (uint64_t)r->cell.score_micro;
                expected_same += r->cell.same_as;
                bool found = false;
                for (size_t c = 0; c < tally.cell_count && !found; c++)
                    found = same_labels(&tally.cells[c], &r->cell);
                assert_true(found);
            }
        uint64_t in_cells = 0;
        for (size_t c = 0; c < tally.cell_count; c++) {
            in_cells += tally.cells[c].count;
            score += (uint64_t)tally.cells[c].score_micro;
            same += tally.cells[c].same_as;
            for (size_t d = 0; d < c; d++)
                assert_false(same_labels(&tally.cells[c], &tally.cells[d]));
        }
        assert_int_equal(in_cells, trials);
        assert_int_equal(counted, trials);
        assert_int_equal(score, expected_score);
        assert_int_equal(same, expected_same);
        assert_int_equal(said_late, late);
        // Every arrival is one of these: too late, too many, replaced by a later one, or it counts.
        assert_int_equal(late + duplicate + retried + trials, ARRIVALS);
        assert_true(final <= trials);
        rt_tally_release(&tally);
    }
}

static void what_is_not_the_labs_is_refused(void **state)
{
    (void)state;
    const uint64_t totals[1] = {5};
    struct rt_tally tally;
    struct rt_arrival arrival = {.status = RT_TRIAL_OK};
    struct rt_facts_cell cell = {.count = 1};
    assert_int_equal(rt_tally_init(&tally, totals, 1), RT_OK);
    assert_int_equal(rt_tally_add(&tally, 5, &arrival, &cell, NULL), RT_OUT_OF_RANGE);
    cell.lab = 1;
    assert_int_equal(rt_tally_add(&tally, 0, &arrival, &cell, NULL), RT_OUT_OF_RANGE);
    rt_tally_release(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recount_is_the_rule),
        cmocka_unit_test(what_is_not_the_labs_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
