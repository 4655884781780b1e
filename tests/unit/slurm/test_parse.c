// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/slurm/parse.h"

#define PREFIX "rt-uni-b-b72b4503"

static void queue(void **state)
{
    (void)state;
    struct rt_slurm_queue_row rows[4];
    size_t count = 9;
    const char *text = "12|12|N/A|" PREFIX "-cb7aa32fe8a14e03|RUNNING|9:58\n"
                       "7|7|N/A|somebody|else's|RUNNING|1:00\n"
                       "13|9|3|" PREFIX "-0000000000000001|PENDING|1-02:03:04\n"
                       "14|14|N/A|" PREFIX "-0000000000000002|COMPLETING|UNLIMITED\n";
    assert_int_equal(rt_slurm_queue_read(rt_bytes_str(text), PREFIX, rows, 4, &count), RT_OK);
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].row.id, 12);
    assert_int_equal(rows[0].row.token, 0xcb7aa32fe8a14e03);
    assert_int_equal(rows[0].row.state, RT_SLURM_STATE_RUNNING);
    assert_int_equal(rows[0].row.left_ms, 598000);
    assert_int_equal(rows[0].task, -1);
    assert_int_equal(rows[1].array_id, 9);
    assert_int_equal(rows[1].task, 3);
    assert_int_equal(rows[1].row.left_ms, INT64_C(93784000));
    assert_int_equal(rows[2].row.left_ms, -1);
    assert_int_equal(rows[2].row.state, RT_SLURM_STATE_LEAVING);
    assert_int_equal(rt_slurm_queue_read(rt_bytes_str(text), PREFIX, rows, 2, &count),
                     RT_TOO_LARGE);
    assert_int_equal(rt_slurm_queue_read(rt_bytes_str(""), PREFIX, rows, 4, &count), RT_OK);
    assert_int_equal(count, 0);
}

// A job that is missing from half an answer would be taken for gone.
static void half_an_answer_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "12|12|N/A|" PREFIX "-cb7aa32fe8a14e03|RUNN",
        "slurm_load_jobs error: Unable to contact slurm controller\n",
        "12|12|N/A\n",
        "x|12|N/A|" PREFIX "-cb7aa32fe8a14e03|RUNNING|1\n",
    };
    struct rt_slurm_queue_row rows[4];
    size_t count;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(
            rt_slurm_queue_read(rt_bytes_str(bad[i]), PREFIX, rows, 4, &count), RT_OK);
}

static void small_answers(void **state)
{
    (void)state;
    enum rt_slurm_state said;
    uint64_t id = 0;
    const char *text = "12|CANCELLED by 1000\n13|NODE_FAIL\n14|TIMEOUT\n";
    assert_int_equal(rt_slurm_account_read(rt_bytes_str(text), 12, &said), RT_OK);
    assert_int_equal(said, RT_SLURM_STATE_OVER);
    assert_int_equal(rt_slurm_account_read(rt_bytes_str(text), 13, &said), RT_OK);
    assert_int_equal(said, RT_SLURM_STATE_TAKEN);
    assert_int_equal(rt_slurm_account_read(rt_bytes_str(text), 15, &said), RT_NOT_FOUND);
    assert_int_equal(rt_slurm_submitted_read(rt_bytes_str("123;c1\n"), &id), RT_OK);
    assert_int_equal(id, 123);
    assert_int_equal(rt_slurm_submitted_read(rt_bytes_str("77\n"), &id), RT_OK);
    assert_int_equal(rt_slurm_submitted_read(rt_bytes_str("0\n"), &id), RT_MALFORMED);
    assert_int_equal(rt_slurm_submitted_read(rt_bytes_str("a 77\n"), &id), RT_MALFORMED);
    assert_int_equal(rt_slurm_submitted_read(rt_bytes_str("77\nmore\n"), &id), RT_MALFORMED);
    assert_int_equal(rt_slurm_left_ms(rt_bytes_str("0:05")), 5000);
    assert_int_equal(rt_slurm_left_ms(rt_bytes_str("NOT_SET")), -1);
}

static void where(void **state)
{
    (void)state;
    struct rt_slurm_where where;
    struct rt_buf url;
    rt_buf_init(&url, 100);
    assert_int_equal(rt_slurm_where_read(rt_bytes_str("ringtrial-job 1 2 gpu-17 20005 12\n"),
                                         &where), RT_OK);
    rt_slurm_fill("http://{node}:{port}/v1", &where, &url);
    assert_string_equal(rt_buf_str(&url), "http://gpu-17:20005/v1");
    rt_buf_release(&url);
    static const char *const bad[] = {
        "ringtrial-job 1 2 gpu-17 20005 12",     "ringtrial-job 1 0 gpu-17 20005 12\n",
        "ringtrial-job 2 2 gpu-17 20005 12\n",   "ringtrial-job 1 2 gpu-17 70000 12\n",
        "ringtrial-job 1 2 me@evil 20005 12\n",  "ringtrial-job 1 2 a/b 20005 12\n",
        "ringtrial-job 1 2 -o 20005 12\n",       "ringtrial-job 1 2 gpu-17 20005\n",
        "ringtrial-job 1 2 gpu-17 20005 12 1\n", "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(rt_slurm_where_read(rt_bytes_str(bad[i]), &where), RT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue),
        cmocka_unit_test(half_an_answer_is_none),
        cmocka_unit_test(small_answers),
        cmocka_unit_test(where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
