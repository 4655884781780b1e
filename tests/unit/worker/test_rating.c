// SPDX-License-Identifier: Apache-2.0
// What raters do at a lab: the sample, settling votes, the journal, text that cannot act on a
// terminal.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/time.h"
#include "worker/rating/annotate.h"
#include "worker/rating/journal.h"
#include "worker/rating/sample.h"

static void fill(struct rt_sample_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        items[i] = (struct rt_sample_item){.number = 3 * i,
                                           .label = i % 10 == 0 ? 1
                                                    : i == 5    ? 2
                                                                : 0};
}

static size_t chosen_of(const struct rt_sample_item *items, size_t count, uint32_t label)
{
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        chosen += items[i].chosen && items[i].label == label;
    return chosen;
}

static void test_sample(void **state)
{
    (void)state;
    enum { N = 1000 };
    static struct rt_sample_item items[N], again[N];
    struct rt_digest draw = {{7}}, other = {{8}};
    fill(items, N);
    // 899 of label 0: 5 % is 45; 100 of label 1: 20 at least; the only one of label 2.
    assert_int_equal(rt_sample_choose(&draw, 50000, 20, items, N), 45 + 20 + 1);
    assert_int_equal(chosen_of(items, N, 0), 45);
    assert_int_equal(chosen_of(items, N, 1), 20);
    assert_int_equal(chosen_of(items, N, 2), 1);
    for (size_t i = 1; i < N; i++)
        assert_true(items[i].number > items[i - 1].number);
    // The order they come in changes nothing; another draw does.
    for (size_t i = 0; i < N; i++)
        again[i] = items[N - 1 - i];
    rt_sample_choose(&draw, 50000, 20, again, N);
    for (size_t i = 0; i < N; i++)
        assert_true(again[i].number == items[i].number && again[i].chosen == items[i].chosen);
    rt_sample_choose(&other, 50000, 20, again, N);
    size_t same = 0;
    for (size_t i = 0; i < N; i++)
        same += again[i].chosen && items[i].chosen;
    assert_true(same < 30);
    // A larger share only adds.
    rt_sample_choose(&draw, 200000, 20, again, N);
    for (size_t i = 0; i < N; i++)
        assert_true(!items[i].chosen || again[i].chosen);
    assert_int_not_equal(rt_sample_order(&draw, 3, "alice"), rt_sample_order(&draw, 3, "bob"));
}

static void test_settle(void **state)
{
    (void)state;
    static const struct {
        uint32_t votes[4], per_trial;
        size_t count;
        bool settled;
        enum rt_trial_status status;
        uint32_t label;
    } cases[] = {
        {{0}, 2, 0, false, RT_TRIAL_OK, 0},      {{4}, 1, 1, true, RT_TRIAL_OK, 4},
        {{4}, 2, 1, false, RT_TRIAL_OK, 0},      {{4, 4}, 2, 2, true, RT_TRIAL_OK, 4},
        {{4, 1}, 2, 2, false, RT_TRIAL_OK, 0},   {{4, 1, 1}, 2, 3, true, RT_TRIAL_OK, 1},
        {{4, 1, 4}, 2, 3, true, RT_TRIAL_OK, 4}, {{4, 1, 2}, 2, 3, true, RT_TRIAL_ERROR, 0},
        {{4, 4, 1}, 2, 3, true, RT_TRIAL_OK, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum rt_trial_status status;
        uint32_t label = 0;
        bool settled =
            rt_panel_settle(cases[i].votes, cases[i].count, cases[i].per_trial, &status, &label);
        assert_int_equal(settled, cases[i].settled);
        if (settled) {
            assert_int_equal(status, cases[i].status);
            if (status == RT_TRIAL_OK)
                assert_int_equal(label, cases[i].label);
        }
    }
}

// Lines are found by trial and person however many there are, the first of several.
static void test_journal_of_many(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    char path[] = "/tmp/rt-journal-XXXXXX";
    struct rt_journal journal;
    struct rt_error err = {RT_OK, ""};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < MANY; i++)
        fprintf(file, "{\"trial\":%u,\"by\":\"%s\",\"label\":%u}\n%s", i / 2,
                i % 2 ? "bob" : "ann", i % 4, i % 10 ? "" : "{\"sent\":true}\n");
    fclose(file);
    int64_t began_ms = rt_time_mono_ms();
    assert_int_equal(rt_journal_open(path, 4, &journal, &err), RT_OK);
    assert_int_equal(journal.count, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        const struct rt_journal_line *line =
            rt_journal_find(&journal, i / 2, i % 2 ? "bob" : "ann");
        assert_true(line == &journal.lines[i]);
        assert_int_equal(line->sent, i <= MANY - 10);
    }
    assert_null(rt_journal_find(&journal, MANY, "ann"));
    assert_null(rt_journal_find(&journal, 1, "eve"));
    assert_true(rt_time_mono_ms() - began_ms < 5000); // every line against every other takes longer
    rt_journal_close(&journal);
    assert_int_equal(unlink(path), 0);
}

static void test_journal(void **state)
{
    (void)state;
    char path[] = "/tmp/rt-journal-XXXXXX";
    struct rt_journal journal, second;
    struct rt_error err;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(rt_journal_open(path, 4, &journal, &err), RT_OK);
    assert_int_equal(rt_journal_open(path, 4, &second, &err), RT_BUSY);
    struct rt_journal_line a = {.trial = 7, .by = "alice", .status = RT_TRIAL_OK, .label = 3};
    struct rt_journal_line b = {.trial = 8, .status = RT_TRIAL_ERROR};
    assert_int_equal(rt_journal_add(&journal, &a, &err), RT_OK);
    assert_int_equal(rt_journal_sent(&journal, &err), RT_OK);
    assert_int_equal(rt_journal_add(&journal, &b, &err), RT_OK);
    // A crash in the middle of a line: what was acknowledged is there, the rest is not.
    assert_int_equal(write(journal.fd, "{\"trial\":9,\"la", 14), 14);
    rt_journal_close(&journal);
    assert_int_equal(rt_journal_open(path, 4, &journal, &err), RT_OK);
    assert_int_equal(journal.count, 2);
    assert_true(journal.lines[0].sent && !journal.lines[1].sent);
    assert_int_equal(rt_journal_find(&journal, 7, "alice")->label, 3);
    assert_null(rt_journal_find(&journal, 7, "bob"));
    assert_int_equal(journal.lines[1].status, RT_TRIAL_ERROR);
    assert_int_equal(rt_journal_add(&journal, &a, &err), RT_OK);
    rt_journal_close(&journal);
    assert_int_equal(rt_journal_open(path, 4, &journal, &err), RT_OK);
    assert_int_equal(journal.count, 3);
    // A label that the campaign does not have would be read beyond its list.
    rt_journal_close(&journal);
    assert_int_equal(rt_journal_open(path, 3, &journal, &err), RT_CORRUPT);
    assert_non_null(strstr(err.text, ":1: label 3 is none"));
    assert_int_equal(rt_journal_open(path, 4, &journal, &err), RT_OK);
    assert_int_equal(write(journal.fd, "no line\n", 8), 8);
    rt_journal_close(&journal);
    assert_int_equal(rt_journal_open(path, 4, &journal, &err), RT_CORRUPT);
    unlink(path);
}

// A disk that fills up in the middle of a line: the line is refused with the reason, and what comes
// after it does not run into it.
static void test_journal_on_a_full_disk(void **state)
{
    (void)state;
    char path[] = "/tmp/rt-journal-XXXXXX";
    struct rt_journal journal;
    struct rt_error err = {RT_OK, ""};
    struct rt_journal_line line = {.trial = 7, .by = "alice", .status = RT_TRIAL_OK, .label = 3};
    struct rlimit before, tight;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(rt_journal_open(path, 4, &journal, &err), RT_OK);
    assert_int_equal(rt_journal_add(&journal, &line, &err), RT_OK);
    off_t size = lseek(journal.fd, 0, SEEK_END);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = (struct rlimit){(rlim_t)size + 10, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    line.trial = 8;
    errno = ENOENT; // of something else, earlier
    enum rt_status status = rt_journal_add(&journal, &line, &err);
    off_t after = lseek(journal.fd, 0, SEEK_END);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, RT_IO);
    assert_non_null(strstr(err.text, strerror(EFBIG)));
    assert_int_equal(after, size);
    assert_int_equal(journal.count, 1);
    line.trial = 9;
    assert_int_equal(rt_journal_add(&journal, &line, &err), RT_OK);
    rt_journal_close(&journal);
    assert_int_equal(rt_journal_open(path, 4, &journal, &err), RT_OK);
    assert_int_equal(journal.count, 2);
    assert_int_equal(journal.lines[1].trial, 9);
    rt_journal_close(&journal);
    unlink(path);
}

static void check_text(const char *text, const char *expected)
{
    struct rt_buf out;
    rt_buf_init(&out, 4096);
    rt_annotate_text(rt_bytes_str(text), "", &out);
    assert_string_equal(rt_buf_str(&out), expected);
    rt_buf_release(&out);
}

static void test_terminal_text(void **state)
{
    (void)state;
    check_text("two\nlines\tand more", "two\nlines    and more\n");
    check_text("\x1b[2J\x1b]0;title\x07", "\\u001b[2J\\u001b]0;title\\u0007\n");
    check_text("a\rb\x7f", "a\\u000db\\u007f\n");
    check_text("\xc2\x9b"
               "31m",
               "\\u009b31m\n"); // C1 CSI
    check_text("\xe2\x80\xae"
               "evil\xe2\x80\x8b",
               "\\u202eevil\\u200b\n"); // bidi, zero width
    check_text("\xff\xc3", "\\xff\\xc3\n");
    check_text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_settle),
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_journal_on_a_full_disk),
        cmocka_unit_test(test_journal_of_many),
        cmocka_unit_test(test_terminal_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
