// SPDX-License-Identifier: Apache-2.0
// A scenario file. What reads must encode, decode to the same object, and lint without complaint
// from a sanitizer; every template of it expands.
#include "proto/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_scenario *scenario, *back;
    struct rt_error err = {0};
    struct rt_buf object, again, findings;
    const uint8_t salt[RT_SALT_BYTES] = {0};
    rt_arena_init(&arena, (size_t)64 << 20);
    rt_buf_init(&object, (size_t)16 << 20);
    rt_buf_init(&again, (size_t)16 << 20);
    rt_buf_init(&findings, (size_t)16 << 20);
    if (rt_scenario_read(rt_bytes(data, size), "fuzz", &arena, &scenario, NULL, &err)) {
        RT_ASSERT(err.status != RT_OK && err.text[0]);
    } else {
        RT_ASSERT(rt_scenario_encode(scenario, salt, &object) == RT_OK);
        RT_ASSERT(rt_scenario_decode(rt_buf_bytes(&object), &arena, &back) == RT_OK);
        RT_ASSERT(rt_scenario_encode(back, salt, &again) == RT_OK);
        RT_ASSERT(rt_bytes_equal(rt_buf_bytes(&object), rt_buf_bytes(&again)));
        struct rt_scene scene = {.scenario = scenario};
        rt_buf_clear(&again);
        RT_ASSERT(rt_scenario_expand(&scene, scenario->system, RT_EXPAND_TEXT, &again) == RT_OK);
        rt_scenario_lint(scenario, "fuzz", &findings);
    }
    rt_buf_release(&object);
    rt_buf_release(&again);
    rt_buf_release(&findings);
    rt_arena_release(&arena);
    return 0;
}
