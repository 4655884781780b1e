// SPDX-License-Identifier: Apache-2.0
// What a judge answers: whatever it says, a label comes out that was asked for, or none.
#include <string.h>

#include "engine/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *labels[] = {"deceived", "resisted", "unclear"};
    struct rt_judge judge = {.labels = labels, .label_count = 3};
    char text[4096];
    size_t label = 99;
    uint32_t sure = 0;
    if (size >= sizeof text || memchr(data, 0, size))
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    if (rt_judge_answer(&judge, text, &label, &sure) == RT_OK)
        RT_ASSERT(label < 3 && strstr(text, labels[label]));
    RT_ASSERT(sure <= 1000000);
    return 0;
}
