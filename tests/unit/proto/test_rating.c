// SPDX-License-Identifier: Apache-2.0
// How ratings count: what a label adds, whoever speaks first; which result a rated trial points at.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rating_book.h"

static bool same(const struct rt_rating_cell *a, const struct rt_rating_cell *b)
{
    return a->rater == b->rater && a->outcome == b->outcome && a->severity == b->severity &&
           a->status == b->status && a->beside == b->beside && a->beside_label == b->beside_label;
}

static void test_cells(void **state)
{
    (void)state;
    struct rt_rated_trial rated = {.number = 5, .status = RT_TRIAL_OK, .outcome = 4, .severity = 2};
    struct rt_rating_label known[] = {{0, 1, 0, RT_TRIAL_OK}, {3, 6, 4, RT_TRIAL_OK}};
    struct rt_rating_cell cells[8];
    assert_int_equal(rt_rating_cells(2, &rated, known, 2, cells), 3);
    assert_true(same(&cells[0], &(struct rt_rating_cell){2, 4, 2, RT_TRIAL_OK, 0, 0}));
    assert_true(same(&cells[1], &(struct rt_rating_cell){2, 4, 0, RT_TRIAL_OK, 1, 1}));
    // Rater 3 spoke before: its number is higher, so the cell is under it all the same.
    assert_true(same(&cells[2], &(struct rt_rating_cell){3, 6, 0, RT_TRIAL_OK, 3, 4}));
    // A second label of one rater is a duplicate.
    assert_int_equal(rt_rating_cells(3, &rated, known, 2, cells), 0);
    // Two people: the first one's word against the second's.
    rated.first_vote = 5;
    rated.second_vote = 2;
    assert_int_equal(rt_rating_cells(2, &rated, known, 1, cells), 3);
    assert_true(same(&cells[2], &(struct rt_rating_cell){2, 1, 0, RT_TRIAL_OK, 3, 4}));
}

// The joint cells of two raters do not depend on who was first.
static void test_symmetric(void **state)
{
    (void)state;
    struct rt_rated_trial a = {.status = RT_TRIAL_OK, .outcome = 4}, b = {.status = RT_TRIAL_ERROR};
    struct rt_rating_label rules = {0, 1, 0, RT_TRIAL_OK};
    struct rt_rating_label first[] = {rules, {1, 4, 0, RT_TRIAL_OK}};
    struct rt_rating_label second[] = {rules, {2, 0, 0, RT_TRIAL_ERROR}};
    struct rt_rating_cell one[8], other[8];
    assert_int_equal(rt_rating_cells(2, &b, first, 2, one), 3);
    assert_int_equal(rt_rating_cells(1, &a, second, 2, other), 3);
    assert_true(same(&one[2], &other[2]));
}

static void test_find(void **state)
{
    (void)state;
    struct rt_trial_result trials[] = {{.number = 3, .status = RT_TRIAL_OK},
                                       {.number = 9, .status = RT_TRIAL_ERROR},
                                       {.number = 4, .status = RT_TRIAL_NOT_EXPOSED}};
    memset(&trials[0].transcript, 0xaa, sizeof trials[0].transcript);
    struct rt_object_result result = {.trials = trials, .trials_count = 3};
    const struct rt_object_result *list[] = {&result, &result};
    const struct rt_trial_result *found = NULL;
    struct rt_rated_trial rated = {.number = 3, .transcript = trials[0].transcript};
    size_t at = 9;
    assert_int_equal(rt_rating_find(list, 1, &rated, &at, &found), RT_OK);
    assert_ptr_equal(found, &trials[0]);
    assert_int_equal(at, 0);
    assert_int_equal(rt_rating_find(list, 2, &rated, &at, &found), RT_CONFLICT); // there twice
    memset(&rated.transcript, 0, sizeof rated.transcript); // another transcript
    assert_int_equal(rt_rating_find(list, 1, &rated, &at, &found), RT_CONFLICT);
    rated.number = 4;
    assert_int_equal(rt_rating_find(list, 1, &rated, &at, &found), RT_OK);
    rated.number = 9; // an error is not final
    assert_int_equal(rt_rating_find(list, 1, &rated, &at, &found), RT_CONFLICT);
    rated.number = 5;
    assert_int_equal(rt_rating_find(list, 1, &rated, &at, &found), RT_CONFLICT);
}

static void test_book(void **state)
{
    (void)state;
    struct rt_rating_book book = {.entries = NULL};
    struct rt_rating_label labels[RT_RATERS_MOST];
    for (uint64_t n = 0; n < 5000; n++) {
        assert_int_equal(rt_rating_book_spare(&book, n % 3, n, n + 7), RT_OK);
        for (uint16_t r = 1; r <= n % 3; r++)
            assert_int_equal(
                rt_rating_book_add(&book, n % 3, n, &(struct rt_rating_label){.rater = r}), RT_OK);
    }
    assert_int_equal(rt_rating_book_spare(&book, 1, 4, 11), RT_OK); // again
    assert_int_equal(book.spares, 5000);
    for (uint64_t n = 0; n < 5000; n++) {
        assert_true(rt_rating_book_is_spare(&book, n % 3, n, n + 7));
        assert_false(rt_rating_book_is_spare(&book, n % 3, n, n + 8));
        assert_int_equal(rt_rating_book_labels(&book, n % 3, n, labels), n % 3);
        assert_int_equal(rt_rating_book_labels(&book, n % 3 + 1, n, labels), 0);
    }
    rt_rating_book_release(&book);
}

static void test_object(void **state)
{
    (void)state;
    struct rt_rated_trial trials[] = {{.number = 3, .outcome = 1}, {.number = 9}};
    struct rt_object_rating rating = {.lab = rt_bytes_str("uni-a"),
                                      .rater = rt_bytes_str("people"),
                                      .software = rt_bytes_str("x 1"),
                                      .trials = trials,
                                      .trials_count = 2};
    struct rt_buf out;
    const char *field = "";
    rt_buf_init(&out, RT_RATING_MOST);
    assert_int_equal(rt_object_rating_encode(&rating, &out, &field), RT_OK);
    trials[1].number = 3; // twice
    assert_int_equal(rt_object_rating_encode(&rating, &out, &field), RT_MALFORMED);
    trials[1].number = 9;
    trials[0].status = RT_TRIAL_ERROR; // no answer, and yet a label
    assert_int_equal(rt_object_rating_encode(&rating, &out, &field), RT_MALFORMED);
    trials[0].outcome = 0;
    assert_int_equal(rt_object_rating_encode(&rating, &out, &field), RT_OK);
    trials[0].status = RT_TRIAL_WITHHELD;
    assert_int_equal(rt_object_rating_encode(&rating, &out, &field), RT_MALFORMED);
    rt_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells), cmocka_unit_test(test_symmetric), cmocka_unit_test(test_find),
        cmocka_unit_test(test_book),  cmocka_unit_test(test_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
