// SPDX-License-Identifier: Apache-2.0
// What the tests of `verify` share: a sample campaign, the leaves of its log, and the claim that an
// attack is caught under one clause, even after the attackers have mended all that they can. Each
// test program has its own.
#ifndef RT_TESTS_AUDITOR_ATTACK_H
#define RT_TESTS_AUDITOR_ATTACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "auditor/verify.h"
#include "tests/unit/auditor/sample/sample.h"

static struct sample sample;
static struct sample_log logged;

static inline int set_up(void **state)
{
    (void)state;
    sample_make(&sample, true);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    sample_release(&sample);
    return 0;
}

// Every attack starts from the honest bundle and its leaves.
static inline int fresh(void **state)
{
    (void)state;
    sample_bundle(&sample);
    sample_log_read(&sample, &logged);
    return 0;
}

static inline int done(void **state)
{
    (void)state;
    sample_log_free(&logged);
    return 0;
}

static inline enum rt_status verdict_with(const struct rt_audit_settings *settings,
                                          enum rt_check check, const char *words, bool wanted)
{
    struct rt_audit *audit = NULL;
    struct rt_error err = {.text = ""};
    assert_int_equal(rt_audit_run(sample.bundle, settings, &audit, &err), RT_OK);
    enum rt_status verdict = rt_checks_verdict(rt_audit_checks(audit));
    bool holds = rt_checks_hold(rt_audit_checks(audit), check);
    const struct rt_check_row *row = &rt_audit_checks(audit)->rows[check];
    bool said = !words;
    for (uint64_t i = 0; i < row->failures && i < RT_CHECK_FINDINGS_MOST && !said; i++)
        said = strstr(row->findings[i].place, words) || strstr(row->findings[i].text, words);
    if (holds != wanted || !said) {
        struct rt_buf text;
        rt_buf_init(&text, (size_t)1 << 20);
        rt_audit_print(audit, &text);
        fprintf(stderr, "%s\n", rt_buf_str(&text));
        rt_buf_release(&text);
    }
    assert_int_equal(holds, wanted);
    assert_true(said);
    rt_audit_free(audit);
    return verdict;
}

// The log is written anew, everything is mended, and still this clause fails and says so.
static inline void caught(enum rt_check check, const char *words)
{
    sample_log_write(&sample, &logged);
    sample_mend(&sample);
    struct rt_audit_settings none = {.policy = NULL};
    assert_int_equal(verdict_with(&none, check, words, false), RT_CHECK_FAILED);
}

static inline size_t first_of(enum rt_statement_kind kind, const char *lab)
{
    size_t index = sample_log_find(&logged, kind, lab, 0);
    assert_true(index < logged.count);
    return index;
}

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, fresh, done)

#endif
