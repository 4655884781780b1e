// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auditor/csv_study.h"
#include "common/report/render.h"

struct result {
    struct rt_arena arena;
    struct rt_study study;
    const char *unused;
    struct rt_error err;
    enum rt_status status;
};

static struct result *load(const char *text, const struct rt_csv_reading *reading)
{
    struct result *result = calloc(1, sizeof *result);
    rt_arena_init(&result->arena, 64 << 20);
    result->status = rt_csv_study(rt_bytes_str(text), "t.csv", reading, &result->arena,
                                  &result->study, &result->unused, &result->err);
    return result;
}

static void drop(struct result *result)
{
    rt_arena_release(&result->arena);
    free(result);
}

static void fails(const char *text, const struct rt_csv_reading *reading, const char *message)
{
    struct result *result = load(text, reading);
    assert_int_not_equal(result->status, RT_OK);
    if (!strstr(result->err.text, message))
        fail_msg("\"%s\" does not say \"%s\"", result->err.text, message);
    drop(result);
}

static uint64_t total(const struct rt_study *study, bool behaviour)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        if (cell->outcome != RT_STUDY_NONE && study->outcomes[cell->outcome].behaviour == behaviour)
            sum += cell->count;
    }
    return sum;
}

static void every_way_to_say_what_was_seen(void **state)
{
    (void)state;
    const struct rt_csv_reading plain = {0};
    const struct rt_csv_reading label = {.behaviour = {{"resisted", "lied"}, 2}};
    const struct rt_csv_reading severe = {.severity_from = "2"};
    const struct rt_csv_reading above = {.value_from = "0.5"};
    const struct {
        const char *text;
        const struct rt_csv_reading *reading;
        uint64_t yes, no;
    } cases[] = {
        {"lab,scenario,phrasing,temperature,value\na,s,p,0,1\na,s,p,0,0\nb,s,p,0,1\n", &plain, 2,
         1},
        {"lab,scenario,phrasing,temperature,value\na,s,p,0,0.4\na,s,p,0,0.5\n", &above, 1, 1},
        {"n,k,lab,scenario,phrasing,temperature\n10,4,a,s,p,0.70\n5,0,b,s,p,0.7\n", &plain, 4, 11},
        {"lab,scenario,phrasing,temperature,outcome\na,s,p,0,resisted\na,s,p,0,complied\n"
         "a,s,p,0,lied\n",
         &label, 2, 1},
        {"lab,scenario,phrasing,temperature,severity\na,s,p,0,0\na,s,p,0,2\na,s,p,0,4\n", &severe,
         2, 1},
        {"lab,scenario,phrasing,temperature,behaviour,n\na,s,p,0,1,7\na,s,p,0,0,3\n", &plain, 7, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct result *result = load(cases[i].text, cases[i].reading);
        if (result->status)
            fail_msg("case %zu: %s", i, result->err.text);
        assert_int_equal(total(&result->study, true), cases[i].yes);
        assert_int_equal(total(&result->study, false), cases[i].no);
        assert_true(result->study.sealed);
        drop(result);
    }
}

static void faults_say_where_and_what_to_do(void **state)
{
    (void)state;
    const struct rt_csv_reading plain = {0};
    const struct rt_csv_reading wrong = {.behaviour = {{"resistd"}, 1}};
    const struct rt_csv_reading arms = {.inert = {{"other=selff"}, 1}};
    const struct rt_csv_reading severe = {.severity_from = "2"};
    const struct rt_csv_reading number = {.value_from = "half"};
#define HEAD "lab,scenario,phrasing,temperature,"
    fails("", &plain, "t.csv: the table is empty");
    fails(HEAD "value\n", &plain, "t.csv: the table has a header and no rows");
    fails("lab;scenario;value\n", &plain, "separated by commas");
    fails("lab,scenario,phrasing,temprature,value\n", &plain,
          "t.csv:1: there is no column 'temperature'; is it the one called 'temprature'?");
    fails("lab,lab,scenario,phrasing,temperature,value\n", &plain, "column 'lab' comes twice");
    fails(HEAD "x\n", &plain, "there is no column 'outcome'");
    fails(HEAD "outcome\na,s,p,0,x\n", &plain, "--behaviour LABEL");
    fails(HEAD "severity\na,s,p,0,1\n", &plain, "--severity-from N");
    fails(HEAD "outcome\na,s,p,0,resisted\n", &wrong, "did you mean 'resisted'?");
    fails(HEAD "value\na,s,p,0,1\na,s,p,hot,1\n", &plain, "t.csv:3: temperature 'hot'");
    fails(HEAD "value\na,s,p,-1,1\n", &plain, "t.csv:2: temperature '-1'");
    fails(HEAD "value\na,s,p,0,2000000\n", &plain, "t.csv:2: value '2000000' is beyond 1000000");
    fails(HEAD "severity\na,s,p,0,2.5\n", &severe, "severity '2.5' is not a whole number");
    fails(HEAD "severity\na,s,p,0,5\n", &severe, "severity is above 4");
    fails(HEAD "value\na,s,p,0,yes\n", &plain, "t.csv:2: value 'yes' is not a number");
    fails(HEAD "value\n,s,p,0,1\n", &plain, "t.csv:2: lab is empty");
    fails(HEAD "value\n\"a\nb\",s,p,0,1\n", &plain, "line break");
    fails(HEAD "k\na,s,p,0,1\n", &plain, "there is no column 'n'");
    fails(HEAD "k,n\na,s,p,0,4,3\n", &plain, "t.csv:2: k 4 is more than n");
    fails(HEAD "k,n\na,s,p,0,4,-3\n", &plain, "n '-3' is not a whole number");
    fails(HEAD "value,status\na,s,p,0,1,timeot\n", &plain, "did you mean 'timeout'?");
    fails(HEAD "behaviour,outcome\na,s,p,0,1,x\na,s,p,0,0,x\n", &plain,
          "t.csv:3: outcome 'x' is the behaviour in one row and not in another");
    fails(HEAD "value,arm\na,s,p,0,1,self\na,s,p,0,1,other\n", &arms, "--inert other=selff");
    fails(HEAD "value\na,s,p,0,1\n", &number, "'half' is not a number");
    fails(HEAD "value,n\na,s,p,0,1,18446744073709551615\na,s,p,0,1,1\n", &plain, "t.csv:3:");
    fails(HEAD "value,n\na,s,p,0,1,18446744073709551615\na,s,p,0,0.5,1\n", &plain, "scores");
}

static void optional_columns_are_used_and_unknown_ones_listed(void **state)
{
    (void)state;
    const struct rt_csv_reading reading = {
        .inert = {{"other=self"}, 1}, .same_as = {{"p1b=p1"}, 1}, .sigma_pt = 0.03};
    struct result *result = load(HEAD "value,arm,subject,status,host,rater,when\n"
                                      "a,s,p1,0,1,self,m,ok,x,rules,now\n"
                                      "a,s,p1b,1.5,0,other,m,ok,x,rules,now\n"
                                      "b,s,p1,0,,self,m,timeout,x,rules,now\n",
                                 &reading);
    if (result->status)
        fail_msg("%s", result->err.text);
    const struct rt_study *study = &result->study;
    assert_string_equal(result->unused, "host, when");
    assert_int_equal(study->arms[0].role, RT_STUDY_INERT); // "other" sorts first
    assert_int_equal(study->arms[0].inert_of, 1);
    assert_int_equal(study->phrasings[1].same_as, 0);
    assert_int_equal(study->temperatures_micro[1], 1500000);
    assert_int_equal(study->cell_count, 3);
    assert_true(study->plan.has_sigma_pt);
    drop(result);
}

static void report_of(struct result *result, struct rt_buf *json)
{
    struct rt_report report;
    rt_buf_init(json, 64 << 20);
    assert_int_equal(result->status, RT_OK);
    assert_int_equal(rt_report_make(&result->arena, &result->study, &report), RT_OK);
    assert_int_equal(rt_report_json(&report, json), RT_OK);
}

// The order of rows and columns, one row a trial or a cell: all the same study.
static void shape_does_not_matter(void **state)
{
    (void)state;
    const struct rt_csv_reading plain = {0};
    struct result *cells =
        load(HEAD "k,n\na,s1,p,0,1,2\nb,s1,p,0,2,2\na,s2,p,0,0,1\nb,s2,p,0,1,1\n", &plain);
    struct result *trials = load("value,temperature,phrasing,scenario,lab\n"
                                 "1,0.0,p,s2,b\n0,0.0,p,s2,a\n1,0,p,s1,b\n1,0,p,s1,b\n"
                                 "0,0,p,s1,a\n1,0,p,s1,a\n",
                                 &plain);
    struct rt_buf x, y;
    report_of(cells, &x);
    report_of(trials, &y);
    assert_string_equal(rt_buf_str(&x), rt_buf_str(&y));
    rt_buf_release(&x);
    rt_buf_release(&y);
    drop(cells);
    drop(trials);
}

// What we export is a table we read.
static void our_own_cells_come_back(void **state)
{
    (void)state;
    const struct rt_csv_reading plain = {0};
    const struct rt_csv_reading label = {.behaviour = {{"resisted"}, 1}};
    struct result *first = load(HEAD "outcome,severity,status,fingerprint,rater,subject,arm,n\n"
                                     "a,s1,p,0.7,resisted,3,ok,f1,r,m,t,4\n"
                                     "a,s1,p,0.7,complied,0,ok,f1,r,m,t,5\n"
                                     "b,s1,p,0.7,complied,0,ok,f2,r,m,t,6\n"
                                     "b,s1,p,0.7,,0,error,f2,r,m,t,2\n",
                                &label);
    struct rt_buf tidy, again;
    rt_buf_init(&tidy, 1 << 20);
    rt_buf_init(&again, 1 << 20);
    assert_int_equal(first->status, RT_OK);
    assert_int_equal(rt_report_tidy(&first->study, &tidy), RT_OK);
    struct result *second = load(rt_buf_str(&tidy), &plain);
    if (second->status)
        fail_msg("%s", second->err.text);
    assert_string_equal(second->unused, "");
    assert_int_equal(rt_report_tidy(&second->study, &again), RT_OK);
    assert_string_equal(rt_buf_str(&tidy), rt_buf_str(&again));
    rt_buf_release(&tidy);
    rt_buf_release(&again);
    drop(first);
    drop(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_say_what_was_seen),
        cmocka_unit_test(faults_say_where_and_what_to_do),
        cmocka_unit_test(optional_columns_are_used_and_unknown_ones_listed),
        cmocka_unit_test(shape_does_not_matter), cmocka_unit_test(our_own_cells_come_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
