// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tidy table: reading ends with a study or with words, and a study small enough
// makes a report whose renderings are whole.
#include <stdlib.h>
#include <string.h>

#include "auditor/csv_study.h"
#include "common/report/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rt_csv_reading reading = {.behaviour = {{"resisted"}, 1},
                                           // Half of the inputs may be tables of scores.
                                           .value_from = size % 2 ? "0.5" : NULL,
                                           .severity_from = "2",
                                           .sigma_pt = 0.03};
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    struct rt_error err = {0};
    struct rt_buf out;
    const char *unused = NULL;
    rt_arena_init(&arena, 64 << 20);
    rt_buf_init(&out, 16 << 20);
    enum rt_status status =
        rt_csv_study(rt_bytes(data, size), "fuzz.csv", &reading, &arena, &study, &unused, &err);
    RT_ASSERT(!status == !err.text[0]);
    if (!status && rt_study_places(&study) * study.lab_count <= 200) {
        status = rt_report_make(&arena, &study, &report);
        RT_ASSERT(!status);
        RT_ASSERT(!rt_report_json(&report, &out) && !rt_report_html(&report, &out));
        RT_ASSERT(!rt_report_card(&report, &out) && !rt_report_tidy(&study, &out));
        RT_ASSERT(!rt_report_terminal(&report, &(struct rt_report_style){.width = 80}, &out));
    }
    rt_buf_release(&out);
    rt_arena_release(&arena);
    return 0;
}
