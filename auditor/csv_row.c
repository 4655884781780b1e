// SPDX-License-Identifier: Apache-2.0
// The header of a tidy table, and what each row says. Every level's text is looked at once, when it
// first appears.
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "auditor/csv_reader.h"
#include "common/base/text.h"

const char *const rt_csv_names[RT_CSV_COUNT + 1] = {"lab",
                                                    "scenario",
                                                    "phrasing",
                                                    "temperature",
                                                    "subject",
                                                    "arm",
                                                    "rater",
                                                    "status",
                                                    "fingerprint",
                                                    "outcome",
                                                    "n",
                                                    "repeated",
                                                    "score_sum_micro",
                                                    "behaviour",
                                                    "k",
                                                    "value",
                                                    "severity",
                                                    NULL};

// What an optional factor is called where the table has no such column.
static const char *const defaults[RT_CSV_FACTORS] = {NULL,        NULL,    NULL, NULL, "subject",
                                                     "treatment", "rater", "ok", "",   ""};

const struct rt_study_status rt_csv_statuses[RT_CSV_STATUSES] = {
    {"ok", RT_STUDY_COUNTED},        {"not_exposed", RT_STUDY_SILENT},
    {"truncated", RT_STUDY_SILENT},  {"bad_format", RT_STUDY_SILENT},
    {"withheld", RT_STUDY_WITHHELD}, {"error", RT_STUDY_FAILED},
    {"timeout", RT_STUDY_FAILED}};

enum rt_status rt_csv_fail(const struct rt_csv_reader *r, struct rt_error *err, const char *format,
                           ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return rt_error_set(err, RT_MALFORMED, "%s:%" PRIu64 ": %s", r->csv.name, r->csv.row_line,
                        text);
}

// ---- the header

static enum rt_status missing_column(const struct rt_csv_reader *r, enum rt_csv_column column,
                                     struct rt_error *err)
{
    const char *given[RT_CSV_COLUMNS_MAX + 1] = {NULL};
    for (size_t i = 0; i < r->csv.columns; i++)
        given[i] = r->csv.fields[i].text;
    const char *closest = rt_did_you_mean(rt_csv_names[column], given);
    if (r->csv.columns == 1 && strpbrk(given[0], ";\t"))
        return rt_csv_fail(r, err, "columns are separated by commas here; save the table so");
    return rt_csv_fail(r, err, "there is no column '%s'%s%s%s", rt_csv_names[column],
                       closest ? "; is it the one called '" : "", closest ? closest : "",
                       closest ? "'?"
                               : " (a table wants lab, scenario, phrasing, temperature and one of "
                                 "outcome, value, severity, behaviour, k)");
}

static enum rt_status choose_measure(struct rt_csv_reader *r, struct rt_error *err)
{
    const struct rt_csv_reading *reading = r->reading;
    if (r->at[RT_CSV_BEHAVIOUR] >= 0)
        r->measure = RT_CSV_BEHAVIOUR;
    else if (r->at[RT_CSV_K] >= 0)
        r->measure = RT_CSV_K;
    else if (r->at[RT_CSV_OUTCOME] >= 0 && reading->behaviour.count)
        r->measure = RT_CSV_OUTCOME;
    else if (r->at[RT_CSV_VALUE] >= 0)
        r->measure = RT_CSV_VALUE;
    else if (r->at[RT_CSV_SEVERITY] >= 0 && reading->severity_from)
        r->measure = RT_CSV_SEVERITY;
    else if (r->at[RT_CSV_OUTCOME] >= 0)
        return rt_csv_fail(r, err, "say which outcomes are the behaviour: --behaviour LABEL");
    else if (r->at[RT_CSV_SEVERITY] >= 0)
        return rt_csv_fail(r, err,
                           "say from which severity on it is the behaviour: --severity-from N");
    else
        return missing_column(r, RT_CSV_OUTCOME, err);
    if (r->measure == RT_CSV_K && r->at[RT_CSV_N] < 0)
        return missing_column(r, RT_CSV_N, err);
    const char *from = r->measure == RT_CSV_VALUE      ? reading->value_from
                       : r->measure == RT_CSV_SEVERITY ? reading->severity_from
                                                       : NULL;
    if (from && rt_parse_double(from, &r->from))
        return rt_error_set(err, RT_USAGE, "'%s' is not a number", from);
    return RT_OK;
}

enum rt_status rt_csv_header(struct rt_csv_reader *r, const char **ret_unused, struct rt_error *err)
{
    bool row = false;
    enum rt_status status = rt_csv_next(&r->csv, &row, err);
    if (status)
        return status;
    if (!row)
        return rt_error_set(err, RT_MALFORMED, "%s: the table is empty", r->csv.name);
    const char *unused = "";
    for (int c = 0; c < RT_CSV_COUNT; c++)
        r->at[c] = -1;
    for (size_t i = 0; i < r->csv.columns && unused; i++) {
        const char *name = r->csv.fields[i].text;
        int c = 0;
        while (c < RT_CSV_COUNT && strcmp(rt_csv_names[c], name) != 0)
            c++;
        if (c == RT_CSV_COUNT)
            unused = rt_arena_printf(r->arena, "%s%s%s", unused, *unused ? ", " : "", name);
        else if (r->at[c] >= 0)
            return rt_csv_fail(r, err, "column '%s' comes twice", name);
        else
            r->at[c] = (int)i;
    }
    if (!unused)
        return RT_NO_MEMORY;
    for (int c = RT_CSV_LAB; c <= RT_CSV_TEMPERATURE; c++)
        if (r->at[c] < 0)
            return missing_column(r, (enum rt_csv_column)c, err);
    *ret_unused = unused;
    return choose_measure(r, err);
}

// ---- one row

static enum rt_status number(const struct rt_csv_reader *r, enum rt_csv_column column,
                             uint64_t *ret, struct rt_error *err)
{
    const char *text = r->csv.fields[r->at[column]].text;
    if (rt_parse_u64(text, ret))
        return rt_csv_fail(r, err, "%s '%s' is not a whole number", rt_csv_names[column], text);
    return RT_OK;
}

static enum rt_status find_status(const struct rt_csv_reader *r, const char *text, int *ret,
                                  struct rt_error *err)
{
    const char *known[RT_CSV_STATUSES + 1] = {NULL};
    for (int i = 0; i < RT_CSV_STATUSES; i++) {
        known[i] = rt_csv_statuses[i].label;
        *ret = i;
        if (strcmp(text, known[i]) == 0)
            return RT_OK;
    }
    const char *closest = rt_did_you_mean(text, known);
    return rt_csv_fail(r, err, "status '%s' is not known%s%s%s", text,
                       closest ? "; did you mean '" : "", closest ? closest : "",
                       closest ? "'?" : "");
}

static bool is_behaviour(const struct rt_csv_reader *r, const char *label)
{
    for (size_t i = 0; i < r->reading->behaviour.count; i++)
        if (strcmp(label, r->reading->behaviour.items[i]) == 0)
            return true;
    return false;
}

// A level that was not there before: what its text must be, and what it stands for.
static enum rt_status welcome(const struct rt_csv_reader *r, int c, struct rt_csv_level *level,
                              struct rt_error *err)
{
    int64_t micro;
    if (strlen(level->text) > RT_STUDY_LABEL_MAX)
        return rt_csv_fail(r, err, "%s is longer than %d bytes", rt_csv_names[c],
                           RT_STUDY_LABEL_MAX);
    for (const char *p = level->text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return rt_csv_fail(r, err, "%s has a control character or a line break",
                               rt_csv_names[c]);
    if (c == RT_CSV_TEMPERATURE &&
        (rt_parse_micro(level->text, &micro) || micro < 0 || micro > 1000000000))
        return rt_csv_fail(r, err,
                           "temperature '%s' is not a number from 0 to 1000 with at most six "
                           "decimals",
                           level->text);
    if (c == RT_CSV_STATUS)
        return find_status(r, level->text, &level->tag, err);
    if (c == RT_CSV_OUTCOME && r->measure == RT_CSV_OUTCOME)
        level->tag = is_behaviour(r, level->text);
    return RT_OK;
}

static enum rt_status take_level(struct rt_csv_reader *r, int c, uint32_t *ret,
                                 struct rt_error *err)
{
    struct rt_csv_levels *levels = &r->levels[c];
    const char *text = r->at[c] >= 0 ? r->csv.fields[r->at[c]].text : defaults[c];
    *ret = r->last[c];
    if (*ret != RT_STUDY_NONE && (r->at[c] < 0 || strcmp(levels->items[*ret].text, text) == 0))
        return RT_OK;
    *ret = RT_STUDY_NONE;
    if (!*text)
        return c < RT_CSV_FINGERPRINT ? rt_csv_fail(r, err, "%s is empty", rt_csv_names[c]) : RT_OK;
    size_t before = levels->count;
    struct rt_csv_level *level = rt_csv_levels_take(levels, text, RT_STUDY_LEVELS_MAX);
    if (!level)
        return rt_csv_fail(r, err, "more than %d different values of %s", RT_STUDY_LEVELS_MAX,
                           rt_csv_names[c]);
    r->last[c] = *ret = level->number;
    return levels->count > before ? welcome(r, c, level, err) : RT_OK;
}

// Scores are kept in micro-units, so that sums are exact in any order of rows.
static enum rt_status take_value(struct rt_csv_reader *r, double value, const char *text,
                                 struct rt_csv_row *row, struct rt_error *err)
{
    if (!(fabs(value) <= RT_STUDY_SCORE_MAX))
        return rt_csv_fail(r, err, "value '%s' is beyond %.0f", text, RT_STUDY_SCORE_MAX);
    row->value_micro = (int64_t)llround(value * 1e6);
    r->fractions |= value != 0 && value != 1;
    return RT_OK;
}

// Whether this row shows the behaviour, by a column that says so for the row as a whole.
static enum rt_status measure(struct rt_csv_reader *r, struct rt_csv_row *row, struct rt_error *err)
{
    bool shows = false;
    const char *text = r->csv.fields[r->at[r->measure]].text;
    double value = 0;
    switch (r->measure) {
    case RT_CSV_BEHAVIOUR:
        if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
            return rt_csv_fail(r, err, "behaviour '%s' is neither 0 nor 1", text);
        shows = *text == '1';
        break;
    case RT_CSV_K:
        if (number(r, RT_CSV_K, &row->k, err))
            return RT_MALFORMED;
        return row->k > row->n ? rt_csv_fail(r, err, "k %s is more than n", text) : RT_OK;
    case RT_CSV_OUTCOME:
        shows = row->level[RT_CSV_OUTCOME] != RT_STUDY_NONE &&
                r->levels[RT_CSV_OUTCOME].items[row->level[RT_CSV_OUTCOME]].tag == 1;
        break;
    case RT_CSV_SEVERITY:
        shows = (double)row->severity >= r->from;
        break;
    default:
        if (rt_parse_double(text, &value))
            return rt_csv_fail(r, err, "%s '%s' is not a number", rt_csv_names[r->measure], text);
        shows = value >= (r->reading->value_from ? r->from : 1);
        if (!r->reading->value_from && take_value(r, value, text, row, err))
            return RT_MALFORMED;
    }
    row->k = shows ? row->n : 0;
    return RT_OK;
}

// An outcome is the behaviour wherever it stands, or nowhere.
static enum rt_status same_meaning(struct rt_csv_reader *r, const struct rt_csv_row *row,
                                   struct rt_error *err)
{
    uint32_t outcome = row->level[RT_CSV_OUTCOME];
    int shows = row->k > 0;
    // Severities may differ within an outcome, and so may scores.
    if (outcome == RT_STUDY_NONE || !row->n || r->measure == RT_CSV_K ||
        (r->measure == RT_CSV_VALUE && !r->reading->value_from))
        return RT_OK;
    struct rt_csv_level *level = &r->levels[RT_CSV_OUTCOME].items[outcome];
    if (level->tag >= 0 && level->tag != shows)
        return rt_csv_fail(r, err, "outcome '%s' is the behaviour in one row and not in another",
                           level->text);
    level->tag = shows;
    return RT_OK;
}

enum rt_status rt_csv_understand(struct rt_csv_reader *r, struct rt_csv_row *row,
                                 struct rt_error *err)
{
    *row = (struct rt_csv_row){.n = 1};
    enum rt_status status = RT_OK;
    for (int c = 0; c < RT_CSV_FACTORS && !status; c++)
        status = take_level(r, c, &row->level[c], err);
    if (!status && r->at[RT_CSV_N] >= 0)
        status = number(r, RT_CSV_N, &row->n, err);
    if (!status && r->at[RT_CSV_REPEATED] >= 0)
        status = number(r, RT_CSV_REPEATED, &row->repeated, err);
    if (!status && row->repeated > row->n)
        status = rt_csv_fail(r, err, "repeated is more than n");
    if (status)
        return status;
    int kind = r->levels[RT_CSV_STATUS].items[row->level[RT_CSV_STATUS]].tag;
    row->counted = kind < 0 || rt_csv_statuses[kind].kind == RT_STUDY_COUNTED;
    const char *severity =
        r->at[RT_CSV_SEVERITY] < 0 ? "" : r->csv.fields[r->at[RT_CSV_SEVERITY]].text;
    // A trial without a result may leave its severity empty.
    if (r->at[RT_CSV_SEVERITY] >= 0 && (*severity || row->counted))
        status = number(r, RT_CSV_SEVERITY, &row->severity, err);
    if (!status && row->severity > 4)
        status = rt_csv_fail(r, err, "severity is above 4");
    if (!status && r->at[RT_CSV_SCORE] >= 0 &&
        rt_parse_i64(r->csv.fields[r->at[RT_CSV_SCORE]].text, &row->score_micro))
        status = rt_csv_fail(r, err, "score_sum_micro is not a whole number");
    if (status || (!row->counted && r->measure != RT_CSV_BEHAVIOUR))
        return status;
    status = measure(r, row, err);
    return status || !row->counted ? status : same_meaning(r, row, err);
}
