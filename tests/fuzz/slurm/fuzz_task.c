// SPDX-License-Identifier: Apache-2.0
// What a compute node and the worker leave for one another: a plan that is read is written the
// same, and a result that is taken is a transcript of the trial asked for, replayed and scored.
#include <stdlib.h>

#include "tests/fuzz/engine/small_scenario.h"
#include "worker/slurm/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_plan(struct rt_bytes text)
{
    struct rt_task_plan plan;
    struct rt_arena arena;
    struct rt_buf again;
    rt_arena_init(&arena, (size_t)4 << 20);
    rt_buf_init(&again, RT_TASK_PLAN_MOST);
    if (!rt_task_plan_read(text, &arena, &plan)) {
        rt_task_plan_write(&plan, &again);
        if (rt_buf_ok(&again) || !rt_bytes_equal(rt_buf_bytes(&again), text))
            abort();
    }
    rt_buf_release(&again);
    rt_arena_release(&arena);
}

static void try_result(struct rt_bytes bytes)
{
    struct rt_task_trial trial = {.seed = 7, .temperature_micro = 700000, .try = 1};
    struct rt_exec_done done;
    const char *why = "";
    memset(trial.key.bytes, 0xa5, RT_DIGEST_BYTES);
    const struct rt_task_expected expected = {.trial = &trial,
                                              .scenario = small_scenario(),
                                              .labels = small_labels,
                                              .label_count =
                                                  sizeof small_labels / sizeof *small_labels,
                                              .subject = "s-1",
                                              .now_ms = 1760000000000};
    enum rt_status status = rt_task_result_read(bytes, &expected, &done, &why);
    if (status && !*why)
        abort();
    if (status)
        return;
    if (!done.transcript.size || !done.fingerprint.size || done.finished_ms < done.started_ms)
        abort();
    rt_exec_done_release(&done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_plan(rt_bytes(data, size));
    try_result(rt_bytes(data, size));
    return 0;
}
