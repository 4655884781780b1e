// SPDX-License-Identifier: Apache-2.0
// The table is read twice: once for the levels of every factor, which are then put in natural
// order, and once for the counts. So rows may come in any order and nothing is held but the table.
#include "auditor/csv_study.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "auditor/csv_levels.h"
#include "common/base/csv.h"
#include "common/base/text.h"

enum column {
    C_LAB,
    C_SCENARIO,
    C_PHRASING,
    C_TEMPERATURE,
    C_SUBJECT,
    C_ARM,
    C_RATER,
    C_STATUS,
    C_FINGERPRINT,
    C_OUTCOME, // the last one with levels of its own
    C_N,
    C_REPEATED,
    C_SCORE,
    C_BEHAVIOUR,
    C_K,
    C_VALUE,
    C_SEVERITY,
    C_COUNT
};
#define FACTORS (C_OUTCOME + 1)

static const char *const names[C_COUNT + 1] = {"lab",
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
static const char *const defaults[FACTORS] = {NULL,        NULL,    NULL, NULL, "subject",
                                              "treatment", "rater", "ok", "",   ""};

static const struct rt_study_status statuses[] = {
    {"ok", RT_STUDY_COUNTED},        {"not_exposed", RT_STUDY_SILENT},
    {"truncated", RT_STUDY_SILENT},  {"bad_format", RT_STUDY_SILENT},
    {"withheld", RT_STUDY_WITHHELD}, {"error", RT_STUDY_FAILED},
    {"timeout", RT_STUDY_FAILED}};

struct reader {
    const struct rt_csv_reading *reading;
    struct rt_arena *arena;
    struct rt_csv csv;
    int at[C_COUNT];     // column of the table, -1: none
    enum column measure; // C_BEHAVIOUR, C_K, C_OUTCOME, C_VALUE or C_SEVERITY
    double from;         // of C_VALUE and C_SEVERITY
    struct rt_csv_levels levels[FACTORS];
    struct rt_study *study;
};

// One row, understood.
struct row {
    const char *text[FACTORS];
    uint64_t n;
    uint64_t k; // of n, where the measure is C_K; else n or 0
    uint64_t repeated;
    uint64_t severity;
    int64_t score_micro;
    bool counted; // its status lets it show the behaviour
};

static enum rt_status fail(const struct reader *r, struct rt_error *err, const char *format, ...)
    RT_PRINTF(3, 4);

static enum rt_status fail(const struct reader *r, struct rt_error *err, const char *format, ...)
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

static enum rt_status missing_column(const struct reader *r, enum column column,
                                     struct rt_error *err)
{
    const char *given[RT_CSV_COLUMNS_MAX + 1] = {NULL};
    for (size_t i = 0; i < r->csv.columns; i++)
        given[i] = r->csv.fields[i].text;
    const char *closest = rt_did_you_mean(names[column], given);
    if (r->csv.columns == 1 && strpbrk(given[0], ";\t"))
        return fail(r, err, "columns are separated by commas here; save the table so");
    return fail(r, err, "there is no column '%s'%s%s%s", names[column],
                closest ? "; is it the one called '" : "", closest ? closest : "",
                closest ? "'?"
                        : " (a table wants lab, scenario, phrasing, temperature and one of "
                          "outcome, value, severity, behaviour, k)");
}

static enum rt_status choose_measure(struct reader *r, struct rt_error *err)
{
    const struct rt_csv_reading *reading = r->reading;
    if (r->at[C_BEHAVIOUR] >= 0)
        r->measure = C_BEHAVIOUR;
    else if (r->at[C_K] >= 0)
        r->measure = C_K;
    else if (r->at[C_OUTCOME] >= 0 && reading->behaviour.count)
        r->measure = C_OUTCOME;
    else if (r->at[C_VALUE] >= 0)
        r->measure = C_VALUE;
    else if (r->at[C_SEVERITY] >= 0 && reading->severity_from)
        r->measure = C_SEVERITY;
    else if (r->at[C_OUTCOME] >= 0)
        return fail(r, err, "say which outcomes are the behaviour: --behaviour LABEL");
    else if (r->at[C_SEVERITY] >= 0)
        return fail(r, err, "say from which severity on it is the behaviour: --severity-from N");
    else
        return missing_column(r, C_OUTCOME, err);
    if (r->measure == C_K && r->at[C_N] < 0)
        return missing_column(r, C_N, err);
    const char *from = r->measure == C_VALUE      ? reading->value_from
                       : r->measure == C_SEVERITY ? reading->severity_from
                                                  : NULL;
    if (from && rt_parse_double(from, &r->from))
        return rt_error_set(err, RT_USAGE, "'%s' is not a number", from);
    return RT_OK;
}

static enum rt_status read_header(struct reader *r, const char **ret_unused, struct rt_error *err)
{
    bool row = false;
    enum rt_status status = rt_csv_next(&r->csv, &row, err);
    if (status)
        return status;
    if (!row)
        return rt_error_set(err, RT_MALFORMED, "%s: the table is empty", r->csv.name);
    const char *unused = "";
    for (int c = 0; c < C_COUNT; c++)
        r->at[c] = -1;
    for (size_t i = 0; i < r->csv.columns && unused; i++) {
        const char *name = r->csv.fields[i].text;
        int c = 0;
        while (c < C_COUNT && strcmp(names[c], name) != 0)
            c++;
        if (c == C_COUNT)
            unused = rt_arena_printf(r->arena, "%s%s%s", unused, *unused ? ", " : "", name);
        else if (r->at[c] >= 0)
            return fail(r, err, "column '%s' comes twice", name);
        else
            r->at[c] = (int)i;
    }
    if (!unused)
        return RT_NO_MEMORY;
    for (int c = C_LAB; c <= C_TEMPERATURE; c++)
        if (r->at[c] < 0)
            return missing_column(r, (enum column)c, err);
    *ret_unused = unused;
    return choose_measure(r, err);
}

// ---- one row

static enum rt_status number(const struct reader *r, enum column column, uint64_t *ret,
                             struct rt_error *err)
{
    const char *text = r->csv.fields[r->at[column]].text;
    if (rt_parse_u64(text, ret))
        return fail(r, err, "%s '%s' is not a whole number", names[column], text);
    return RT_OK;
}

static enum rt_status find_status(const struct reader *r, const char *text,
                                  enum rt_study_status_kind *ret, struct rt_error *err)
{
    const char *known[sizeof statuses / sizeof *statuses + 1] = {NULL};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        known[i] = statuses[i].label;
        if (strcmp(text, statuses[i].label) == 0) {
            *ret = statuses[i].kind;
            return RT_OK;
        }
    }
    const char *closest = rt_did_you_mean(text, known);
    return fail(r, err, "status '%s' is not known%s%s%s", text, closest ? "; did you mean '" : "",
                closest ? closest : "", closest ? "'?" : "");
}

// Whether this row shows the behaviour, by a column that says so for the row as a whole.
static enum rt_status measure(const struct reader *r, struct row *row, struct rt_error *err)
{
    bool shows = false;
    const char *text = r->csv.fields[r->at[r->measure]].text;
    double value = 0;
    switch (r->measure) {
    case C_BEHAVIOUR:
        if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
            return fail(r, err, "behaviour '%s' is neither 0 nor 1", text);
        shows = *text == '1';
        break;
    case C_K:
        if (number(r, C_K, &row->k, err))
            return RT_MALFORMED;
        return row->k > row->n ? fail(r, err, "k %s is more than n", text) : RT_OK;
    case C_OUTCOME:
        for (size_t i = 0; i < r->reading->behaviour.count; i++)
            shows |= strcmp(text, r->reading->behaviour.items[i]) == 0;
        break;
    default:
        if (rt_parse_double(text, &value))
            return fail(r, err, "%s '%s' is not a number", names[r->measure], text);
        if (r->measure == C_VALUE && !r->reading->value_from && value != 0 && value != 1)
            return fail(r, err,
                        "value '%s' is neither 0 nor 1; say from which value on it is the "
                        "behaviour: --value-from X",
                        text);
        shows = value >= (r->measure == C_VALUE && !r->reading->value_from ? 1 : r->from);
    }
    row->k = shows ? row->n : 0;
    return RT_OK;
}

static enum rt_status understand(const struct reader *r, struct row *row, struct rt_error *err)
{
    *row = (struct row){.n = 1, .counted = true};
    enum rt_status status = RT_OK;
    for (int c = 0; c < FACTORS; c++) {
        row->text[c] = r->at[c] >= 0 ? r->csv.fields[r->at[c]].text : defaults[c];
        if (c < C_FINGERPRINT && !*row->text[c])
            return fail(r, err, "%s is empty", names[c]);
        if (strlen(row->text[c]) > RT_STUDY_LABEL_MAX)
            return fail(r, err, "%s is longer than %d bytes", names[c], RT_STUDY_LABEL_MAX);
        for (const char *p = row->text[c]; *p; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7f)
                return fail(r, err, "%s has a control character or a line break", names[c]);
    }
    enum rt_study_status_kind kind = RT_STUDY_COUNTED;
    if (r->at[C_N] >= 0)
        status = number(r, C_N, &row->n, err);
    if (!status && r->at[C_REPEATED] >= 0)
        status = number(r, C_REPEATED, &row->repeated, err);
    if (!status && row->repeated > row->n)
        status = fail(r, err, "repeated is more than n");
    if (!status && r->at[C_STATUS] >= 0)
        status = find_status(r, row->text[C_STATUS], &kind, err);
    if (!status && r->at[C_SEVERITY] >= 0 && r->measure != C_SEVERITY)
        status = number(r, C_SEVERITY, &row->severity, err);
    if (!status && row->severity > 4)
        status = fail(r, err, "severity is above 4");
    if (!status && r->at[C_SCORE] >= 0 &&
        rt_parse_i64(r->csv.fields[r->at[C_SCORE]].text, &row->score_micro))
        status = fail(r, err, "score_sum_micro is not a whole number");
    row->counted = kind == RT_STUDY_COUNTED;
    if (status || (!row->counted && r->measure != C_BEHAVIOUR))
        return status;
    return measure(r, row, err);
}

// ---- pass one: levels

static enum rt_status collect(struct reader *r, const struct row *row, struct rt_error *err)
{
    int64_t micro;
    for (int c = 0; c < FACTORS; c++) {
        if (!*row->text[c])
            continue;
        struct rt_csv_level *level =
            rt_csv_levels_take(&r->levels[c], row->text[c], RT_STUDY_LEVELS_MAX);
        if (!level)
            return fail(r, err, "more than %d different values of %s", RT_STUDY_LEVELS_MAX,
                        names[c]);
        if (c == C_TEMPERATURE && level->tag < 0) {
            if (rt_parse_micro(row->text[c], &micro) || micro < 0 || micro > 1000000000)
                return fail(r, err,
                            "temperature '%s' is not a number from 0 to 1000 with at most six "
                            "decimals",
                            row->text[c]);
            level->tag = 0;
        }
        if (c != C_OUTCOME || !row->counted || r->measure == C_K || !row->n)
            continue;
        int shows = row->k > 0;
        if (level->tag >= 0 && level->tag != shows)
            return fail(r, err, "outcome '%s' is the behaviour in one row and not in another",
                        row->text[c]);
        level->tag = shows;
    }
    return RT_OK;
}

// ---- between: the factors

static const char *after_equals(const char *pair, char *ret_left, size_t capacity)
{
    const char *equals = strchr(pair, '=');
    if (!equals || (size_t)(equals - pair) >= capacity)
        return NULL;
    memcpy(ret_left, pair, (size_t)(equals - pair));
    ret_left[equals - pair] = 0;
    return equals + 1;
}

// The place in sorted levels of the right side of the pair whose left side is text; RT_STUDY_NONE
// where there is no such pair, or its right side is no level.
static uint32_t partner(const struct rt_csv_levels *levels, const struct rt_text_list *pairs,
                        const char *text)
{
    char left[RT_STUDY_LABEL_MAX + 1];
    for (size_t i = 0; i < pairs->count; i++) {
        const char *right = after_equals(pairs->items[i], left, sizeof left);
        if (!right || strcmp(left, text) != 0)
            continue;
        for (size_t l = 0; l < levels->count; l++)
            if (strcmp(levels->items[l].text, right) == 0)
                return (uint32_t)l;
    }
    return RT_STUDY_NONE;
}

// Every pair a person gave names two levels.
static enum rt_status check_pairs(const struct reader *r, enum column column,
                                  const struct rt_text_list *pairs, const char *option,
                                  struct rt_error *err)
{
    const struct rt_csv_levels *levels = &r->levels[column];
    char left[RT_STUDY_LABEL_MAX + 1];
    for (size_t i = 0; i < pairs->count; i++) {
        const char *right = after_equals(pairs->items[i], left, sizeof left);
        size_t found = 0;
        for (size_t l = 0; right && l < levels->count; l++)
            found += (strcmp(levels->items[l].text, left) == 0) +
                     (strcmp(levels->items[l].text, right) == 0);
        if (found != 2 || strcmp(left, right) == 0)
            return rt_error_set(err, RT_USAGE, "--%s %s does not name two %ss of the table", option,
                                pairs->items[i], names[column]);
    }
    return RT_OK;
}

static enum rt_status check_behaviour(const struct reader *r, struct rt_error *err)
{
    const struct rt_csv_levels *levels = &r->levels[C_OUTCOME];
    for (size_t i = 0; r->measure == C_OUTCOME && i < r->reading->behaviour.count; i++) {
        const char *label = r->reading->behaviour.items[i], *list[65] = {NULL};
        bool found = false;
        for (size_t l = 0; l < levels->count; l++) {
            found |= strcmp(levels->items[l].text, label) == 0;
            if (l < 64)
                list[l] = levels->items[l].text;
        }
        const char *closest = rt_did_you_mean(label, list);
        if (!found)
            return rt_error_set(err, RT_USAGE, "--behaviour %s: no row has that outcome%s%s%s",
                                label, closest ? "; did you mean '" : "", closest ? closest : "",
                                closest ? "'?" : "");
    }
    return RT_OK;
}

static enum rt_status add_level(struct reader *r, enum column column, size_t i)
{
    const struct rt_csv_reading *reading = r->reading;
    const char *text = r->levels[column].items[i].text;
    uint32_t other;
    switch (column) {
    case C_LAB:
        return rt_study_add_lab(r->study, &(struct rt_study_lab){.id = text}, NULL);
    case C_SCENARIO:
        return rt_study_add_scenario(r->study, &(struct rt_study_scenario){.id = text}, NULL);
    case C_PHRASING:
        other = partner(&r->levels[column], &reading->same_as, text);
        return rt_study_add_phrasing(
            r->study, &(struct rt_study_phrasing){.id = text, .same_as = other}, NULL);
    case C_SUBJECT:
        return rt_study_add_subject(r->study, &(struct rt_study_subject){.id = text}, NULL);
    case C_ARM:
        other = partner(&r->levels[column], &reading->inert, text);
        return rt_study_add_arm(
            r->study,
            &(struct rt_study_arm){
                text, other == RT_STUDY_NONE ? RT_STUDY_TREATMENT : RT_STUDY_INERT, other},
            NULL);
    case C_RATER:
        return rt_study_add_rater(
            r->study, text, reading->rater ? strcmp(reading->rater, text) == 0 : i == 0, NULL);
    case C_FINGERPRINT:
        return rt_study_add_fingerprint(r->study, text, NULL, 0, NULL);
    case C_OUTCOME:
        return rt_study_add_outcome(
            r->study, &(struct rt_study_outcome){text, 0, r->levels[column].items[i].tag == 1},
            NULL);
    default:
        return RT_OK;
    }
}

static enum rt_status add_factors(struct reader *r)
{
    enum rt_status status = RT_OK;
    int64_t *micro = rt_arena_array(r->arena, r->levels[C_TEMPERATURE].count + 1, sizeof *micro);
    if (!micro)
        return RT_NO_MEMORY;
    // Where rows say only how many trials showed the behaviour, these two are the outcomes.
    bool plain = r->measure == C_K || r->at[C_OUTCOME] < 0;
    for (int c = 0; c < FACTORS && !status; c++) {
        rt_csv_levels_sort(&r->levels[c]);
        for (size_t i = 0; i < r->levels[c].count && !status; i++) {
            if (c == C_TEMPERATURE)
                status = rt_parse_micro(r->levels[c].items[i].text, &micro[i]);
            else if (c != C_OUTCOME || !plain)
                status = add_level(r, (enum column)c, i);
        }
    }
    if (!status)
        status = rt_study_set_temperatures(r->study, micro, r->levels[C_TEMPERATURE].count);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses && !status; i++)
        status = rt_study_add_status(r->study, &statuses[i], NULL);
    const struct rt_study_outcome both[] = {{"behaviour", 0, true}, {"no behaviour", 0, false}};
    for (size_t i = 0; i < 2 && plain && !status; i++)
        status = rt_study_add_outcome(r->study, &both[i], NULL);
    return status;
}

static enum rt_status make_factors(struct reader *r, struct rt_error *err)
{
    const struct rt_csv_reading *reading = r->reading;
    if (!r->levels[C_LAB].count)
        return rt_error_set(err, RT_MALFORMED, "%s: the table has a header and no rows",
                            r->csv.name);
    enum rt_status status = check_pairs(r, C_ARM, &reading->inert, "inert", err);
    if (!status)
        status = check_pairs(r, C_PHRASING, &reading->same_as, "same-as", err);
    if (!status)
        status = check_behaviour(r, err);
    if (status)
        return status;
    status = add_factors(r);
    if (status)
        return rt_error_set(err, status, "%s: %s", r->csv.name, rt_status_text(status));
    struct rt_study_plan plan = r->study->plan;
    plan.has_sigma_pt = reading->sigma_pt > 0;
    plan.sigma_pt = reading->sigma_pt;
    plan.has_tau_at_most = reading->tau_at_most > 0;
    plan.tau_at_most = reading->tau_at_most;
    if (reading->confidence > 0)
        plan.confidence = reading->confidence;
    if (rt_study_set_plan(r->study, &plan))
        return rt_error_set(err, RT_USAGE,
                            "confidence lies between 0.5 and 1, and sigma-pt and "
                            "tau-at-most between 0 and 1");
    return RT_OK;
}

// ---- pass two: counts

static enum rt_status count(struct reader *r, const struct row *row, struct rt_error *err)
{
    const struct rt_study *study = r->study;
    int64_t micro = 0;
    if (rt_parse_micro(row->text[C_TEMPERATURE], &micro))
        return RT_MALFORMED;
    struct rt_study_cell cell = {.condition = {rt_study_find_subject(study, row->text[C_SUBJECT]),
                                               rt_study_find_arm(study, row->text[C_ARM]),
                                               rt_study_find_scenario(study, row->text[C_SCENARIO]),
                                               rt_study_find_phrasing(study, row->text[C_PHRASING]),
                                               rt_study_find_temperature(study, micro)},
                                 .lab = rt_study_find_lab(study, row->text[C_LAB]),
                                 .rater = rt_study_find_rater(study, row->text[C_RATER]),
                                 .fingerprint =
                                     rt_study_find_fingerprint(study, row->text[C_FINGERPRINT]),
                                 .status = rt_study_find_status(study, row->text[C_STATUS]),
                                 .severity = (uint32_t)row->severity,
                                 .count = row->n,
                                 .repeated = row->repeated,
                                 .score_sum_micro = row->score_micro};
    bool plain = r->measure == C_K || r->at[C_OUTCOME] < 0;
    enum rt_status status = RT_OK;
    if (!plain || !row->counted) {
        cell.outcome = plain ? RT_STUDY_NONE : rt_study_find_outcome(study, row->text[C_OUTCOME]);
        status = rt_study_add_cell(r->study, &cell);
    } else {
        cell.outcome = row->k ? 0 : 1;
        cell.count = row->k ? row->k : row->n;
        cell.repeated = row->repeated < cell.count ? row->repeated : cell.count;
        status = rt_study_add_cell(r->study, &cell);
        struct rt_study_cell rest = cell;
        rest.outcome = 1;
        rest.count = row->n - cell.count;
        rest.repeated = row->repeated - cell.repeated;
        rest.score_sum_micro = 0;
        if (!status && rest.count)
            status = rt_study_add_cell(r->study, &rest);
    }
    return status ? fail(r, err, "%s",
                         status == RT_TOO_LARGE
                             ? "too many combinations of labs, scenarios, phrasings, temperatures, "
                               "arms and subjects"
                             : rt_status_text(status))
                  : RT_OK;
}

static enum rt_status pass(struct reader *r, bool second, struct rt_error *err)
{
    bool more = true;
    struct row row;
    while (true) {
        enum rt_status status = rt_csv_next(&r->csv, &more, err);
        if (status || !more)
            return status;
        status = understand(r, &row, err);
        if (!status)
            status = second ? count(r, &row, err) : collect(r, &row, err);
        if (status)
            return status;
    }
}

static enum rt_status finish(struct reader *r, struct rt_error *err)
{
    r->study->repeats_known = r->at[C_REPEATED] >= 0;
    enum rt_status status = rt_study_seal(r->study);
    if (status == RT_MALFORMED)
        return rt_error_set(err, RT_USAGE,
                            "%s: the raters, inert arms or repeated phrasings given do not fit the "
                            "table",
                            r->csv.name);
    return status ? rt_error_set(err, status, "%s: %s", r->csv.name, rt_status_text(status))
                  : RT_OK;
}

static enum rt_status read_twice(struct reader *r, struct rt_bytes table, const char **ret_unused,
                                 struct rt_error *err)
{
    const char *ignored;
    enum rt_status status = read_header(r, ret_unused, err);
    if (!status)
        status = pass(r, false, err);
    if (!status)
        status = make_factors(r, err);
    if (status)
        return status;
    const char *name = r->csv.name;
    rt_csv_release(&r->csv);
    rt_csv_init(&r->csv, name, table);
    status = read_header(r, &ignored, err);
    if (!status)
        status = pass(r, true, err);
    return status ? status : finish(r, err);
}

enum rt_status rt_csv_study(struct rt_bytes table, const char *name,
                            const struct rt_csv_reading *reading, struct rt_arena *arena,
                            struct rt_study *ret, const char **ret_unused, struct rt_error *err)
{
    struct reader r = {.reading = reading, .arena = arena, .study = ret};
    const char *title = reading->title ? reading->title : "What does this table show?";
    for (int c = 0; c < FACTORS; c++)
        r.levels[c].arena = arena;
    enum rt_status status = rt_study_init(ret, arena, "table", title);
    if (status)
        return rt_error_set(err, status, "%s: %s", name, rt_status_text(status));
    rt_csv_init(&r.csv, name, table);
    status = read_twice(&r, table, ret_unused, err);
    rt_csv_release(&r.csv);
    return status;
}
