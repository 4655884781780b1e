// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "common/base/text.h"
#include "common/report/render.h"

static void add_field(struct rt_buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n") && *text != ' ') {
        rt_buf_add_str(out, text);
        return;
    }
    rt_buf_add_u8(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            rt_buf_add_u8(out, '"');
        rt_buf_add_u8(out, (uint8_t)*text);
    }
    rt_buf_add_u8(out, '"');
}

static void add_column(struct rt_buf *out, const char *text)
{
    add_field(out, text);
    rt_buf_add_u8(out, ',');
}

enum rt_status rt_report_tidy(const struct rt_study *study, struct rt_buf *out)
{
    char number[32];
    rt_buf_add_str(out, "subject,arm,scenario,phrasing,temperature,lab,rater,fingerprint,status,"
                        "outcome,severity,behaviour,n,repeated,score_sum_micro\n");
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        const struct rt_study_condition *c = &cell->condition;
        bool outcome = cell->outcome != RT_STUDY_NONE;
        bool counted = study->statuses[cell->status].kind == RT_STUDY_COUNTED;
        add_column(out, study->subjects[c->subject].id);
        add_column(out, study->arms[c->arm].id);
        add_column(out, study->scenarios[c->scenario].id);
        add_column(out, study->phrasings[c->phrasing].id);
        rt_format_micro(study->temperatures_micro[c->temperature], number);
        add_column(out, number);
        add_column(out, study->labs[cell->lab].id);
        add_column(out, study->raters[cell->rater].id);
        add_column(out, cell->fingerprint == RT_STUDY_NONE
                            ? ""
                            : study->fingerprints[cell->fingerprint].digest);
        add_column(out, study->statuses[cell->status].label);
        add_column(out, outcome ? study->outcomes[cell->outcome].label : "");
        rt_buf_printf(out, "%" PRIu32 ",%d,%" PRIu64 ",%" PRIu64 ",%" PRId64 "\n", cell->severity,
                      outcome && counted && study->outcomes[cell->outcome].behaviour, cell->count,
                      cell->repeated, cell->score_sum_micro);
    }
    return rt_buf_ok(out);
}
