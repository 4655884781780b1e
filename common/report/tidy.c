// SPDX-License-Identifier: Apache-2.0
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

static void add_number(struct rt_buf *out, uint64_t number, char after)
{
    char digits[21];
    size_t first = sizeof digits - 1;
    digits[first] = after;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    rt_buf_add(out, digits + first, sizeof digits - first);
}

static void add_squares(struct rt_buf *out, const uint64_t squares[2])
{
    char digits[41];
    size_t first = sizeof digits - 1;
    unsigned __int128 left = ((unsigned __int128)squares[1] << 64) | squares[0];
    digits[first] = '\n';
    do {
        digits[--first] = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left);
    rt_buf_add(out, digits + first, sizeof digits - first);
}

static void add_score(struct rt_buf *out, int64_t score, char after)
{
    if (score < 0)
        rt_buf_add_u8(out, '-');
    add_number(out, score < 0 ? -(uint64_t)score : (uint64_t)score, after);
}

// Bytes of out from start on, seen again: a cell mostly has the condition of the one before it.
struct prefix {
    struct rt_study_condition condition;
    size_t start, size;
    bool known;
};

static void add_condition(const struct rt_study *study, const struct rt_study_condition *c,
                          struct prefix *last, struct rt_buf *out)
{
    char number[32];
    size_t start = out->size;
    if (last->known && memcmp(&last->condition, c, sizeof *c) == 0 && !out->failed) {
        uint8_t *to = rt_buf_extend(out, last->size);
        if (to)
            memcpy(to, out->data + last->start, last->size);
        return;
    }
    add_column(out, study->subjects[c->subject].id);
    add_column(out, study->arms[c->arm].id);
    add_column(out, study->scenarios[c->scenario].id);
    add_column(out, study->phrasings[c->phrasing].id);
    rt_format_micro(study->temperatures_micro[c->temperature], number);
    add_column(out, number);
    *last = (struct prefix){*c, start, out->size - start, true};
}

enum rt_status rt_report_tidy(const struct rt_study *study, struct rt_buf *out)
{
    struct prefix last = {.known = false};
    rt_buf_add_str(out, "subject,arm,scenario,phrasing,temperature,lab,rater,fingerprint,status,"
                        "outcome,severity,behaviour,n,repeated,score_sum_micro");
    rt_buf_add_str(out, study->scores ? ",score_squares_micro2\n" : "\n");
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        bool outcome = cell->outcome != RT_STUDY_NONE;
        bool counted = study->statuses[cell->status].kind == RT_STUDY_COUNTED;
        add_condition(study, &cell->condition, &last, out);
        add_column(out, study->labs[cell->lab].id);
        add_column(out, study->raters[cell->rater].id);
        add_column(out, cell->fingerprint == RT_STUDY_NONE
                            ? ""
                            : study->fingerprints[cell->fingerprint].digest);
        add_column(out, study->statuses[cell->status].label);
        add_column(out, outcome ? study->outcomes[cell->outcome].label : "");
        add_number(out, cell->severity, ',');
        add_number(out, outcome && counted && study->outcomes[cell->outcome].behaviour, ',');
        add_number(out, cell->count, ',');
        add_number(out, cell->repeated, ',');
        add_score(out, cell->score_sum_micro, study->scores ? ',' : '\n');
        if (study->scores)
            add_squares(out, cell->score_squares);
    }
    return rt_buf_ok(out);
}
