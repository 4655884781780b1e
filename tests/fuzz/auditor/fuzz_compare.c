// SPDX-License-Identifier: Apache-2.0
// Any JSON as the two reports of a comparison: it ends with a comparison whose JSON is whole and
// whose text has no control characters, or with words.
#include <stdlib.h>

#include "auditor/compare_report.h"
#include "common/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_error err = {0};
    struct rt_buf out;
    json_t *json = NULL, *comparison = NULL;
    // Rows are matched all against all.
    if (size > 20000 || rt_json_parse(rt_bytes(data, size), &json, &err))
        return 0;
    rt_buf_init(&out, 64 << 20);
    if (!rt_compare_reports(json, json, "a", "b", &comparison, &err)) {
        rt_compare_print(comparison, &out);
        RT_ASSERT(!rt_buf_ok(&out));
        for (size_t i = 0; i < out.size; i++)
            RT_ASSERT(out.data[i] >= 0x20 || out.data[i] == '\n');
        RT_ASSERT(!rt_json_write(comparison, &out));
    }
    rt_buf_release(&out);
    json_decref(comparison);
    json_decref(json);
    return 0;
}
