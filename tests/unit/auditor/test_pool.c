// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "auditor/pool.h"

#define ITEMS_MOST 1000

struct work {
    size_t first;
    size_t times[ITEMS_MOST], given[ITEMS_MOST], made[ITEMS_MOST];
};

static void do_item(void *ctx, size_t item)
{
    struct work *work = ctx;
    work->times[item]++;
    work->made[item] = work->first + work->given[item] * work->given[item];
}

// Many short runs: each item once, each run's results there when it returns.
static void run_many(struct rt_pool *pool)
{
    static struct work work;
    for (size_t run = 0; run < 500; run++) {
        size_t count = run * 7 % (ITEMS_MOST + 1);
        work = (struct work){.first = run};
        for (size_t i = 0; i < count; i++)
            work.given[i] = i + run;
        rt_pool_run(pool, count, do_item, &work);
        for (size_t i = 0; i < ITEMS_MOST; i++) {
            assert_int_equal(work.times[i], i < count);
            if (i < count)
                assert_int_equal(work.made[i], run + (i + run) * (i + run));
        }
    }
}

static void every_item_is_done_once(void **state)
{
    (void)state;
    struct rt_pool *pool = rt_pool_new();
    run_many(pool);
    rt_pool_free(pool);
}

static void without_threads_as_well(void **state)
{
    (void)state;
    run_many(NULL);
    rt_pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_done_once),
        cmocka_unit_test(without_threads_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
