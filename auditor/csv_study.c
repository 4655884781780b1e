// SPDX-License-Identifier: Apache-2.0
// The table is read once: rows are added up under level numbers in order of appearance, and the
// levels put in natural order afterwards. So rows may come in any order.
#include "auditor/csv_study.h"

#include "auditor/csv_reader.h"
#include "common/base/text.h"

// ---- the factors

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
static enum rt_status check_pairs(const struct rt_csv_reader *r, enum rt_csv_column column,
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
                                pairs->items[i], rt_csv_names[column]);
    }
    return RT_OK;
}

static enum rt_status check_behaviour(const struct rt_csv_reader *r, struct rt_error *err)
{
    const struct rt_csv_levels *levels = &r->levels[RT_CSV_OUTCOME];
    for (size_t i = 0; r->measure == RT_CSV_OUTCOME && i < r->reading->behaviour.count; i++) {
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

static enum rt_status add_level(struct rt_csv_reader *r, enum rt_csv_column column, size_t i)
{
    const struct rt_csv_reading *reading = r->reading;
    const char *text = r->levels[column].items[i].text;
    uint32_t other;
    switch (column) {
    case RT_CSV_LAB:
        return rt_study_add_lab(r->study, &(struct rt_study_lab){.id = text}, NULL);
    case RT_CSV_SCENARIO:
        return rt_study_add_scenario(r->study, &(struct rt_study_scenario){.id = text}, NULL);
    case RT_CSV_PHRASING:
        other = partner(&r->levels[column], &reading->same_as, text);
        return rt_study_add_phrasing(
            r->study, &(struct rt_study_phrasing){.id = text, .same_as = other}, NULL);
    case RT_CSV_SUBJECT:
        return rt_study_add_subject(r->study, &(struct rt_study_subject){.id = text}, NULL);
    case RT_CSV_ARM:
        other = partner(&r->levels[column], &reading->inert, text);
        return rt_study_add_arm(
            r->study,
            &(struct rt_study_arm){
                text, other == RT_STUDY_NONE ? RT_STUDY_TREATMENT : RT_STUDY_INERT, other},
            NULL);
    case RT_CSV_RATER:
        return rt_study_add_rater(
            r->study, text, reading->rater ? strcmp(reading->rater, text) == 0 : i == 0, NULL);
    case RT_CSV_FINGERPRINT:
        return rt_study_add_fingerprint(r->study, text, NULL, 0, NULL);
    case RT_CSV_OUTCOME:
        return rt_study_add_outcome(
            r->study, &(struct rt_study_outcome){text, 0, r->levels[column].items[i].tag == 1},
            NULL);
    default:
        return RT_OK;
    }
}

// Where rows say only how many trials showed the behaviour, these two are the outcomes.
static bool has_plain_outcomes(const struct rt_csv_reader *r)
{
    return r->measure == RT_CSV_K || r->at[RT_CSV_OUTCOME] < 0 ||
           (r->measure == RT_CSV_VALUE && !r->reading->value_from);
}

static enum rt_status add_factors(struct rt_csv_reader *r)
{
    enum rt_status status = RT_OK;
    int64_t *micro =
        rt_arena_array(r->arena, r->levels[RT_CSV_TEMPERATURE].count + 1, sizeof *micro);
    if (!micro)
        return RT_NO_MEMORY;
    bool plain = has_plain_outcomes(r);
    for (int c = 0; c < RT_CSV_FACTORS && !status; c++) {
        rt_csv_levels_sort(&r->levels[c]);
        for (size_t i = 0; i < r->levels[c].count && !status; i++) {
            if (c == RT_CSV_TEMPERATURE)
                status = rt_parse_micro(r->levels[c].items[i].text, &micro[i]);
            else if (c != RT_CSV_OUTCOME || !plain)
                status = add_level(r, (enum rt_csv_column)c, i);
        }
    }
    if (!status)
        status = rt_study_set_temperatures(r->study, micro, r->levels[RT_CSV_TEMPERATURE].count);
    for (size_t i = 0; i < RT_CSV_STATUSES && !status; i++)
        status = rt_study_add_status(r->study, &rt_csv_statuses[i], NULL);
    const struct rt_study_outcome both[] = {{"behaviour", 0, true}, {"no behaviour", 0, false}};
    for (size_t i = 0; i < 2 && plain && !status; i++)
        status = rt_study_add_outcome(r->study, &both[i], NULL);
    return status;
}

static enum rt_status make_factors(struct rt_csv_reader *r, struct rt_error *err)
{
    const struct rt_csv_reading *reading = r->reading;
    if (!r->levels[RT_CSV_LAB].count)
        return rt_error_set(err, RT_MALFORMED, "%s: the table has a header and no rows",
                            r->csv.name);
    enum rt_status status = check_pairs(r, RT_CSV_ARM, &reading->inert, "inert", err);
    if (!status)
        status = check_pairs(r, RT_CSV_PHRASING, &reading->same_as, "same-as", err);
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
                            "tau-at-most between 0 and %.0f",
                            r->study->scores ? RT_STUDY_SCORE_MAX : 1.0);
    return RT_OK;
}

// ---- the cells

// Where each level, by number of appearance, ended up in the study.
static enum rt_status map_levels(const struct rt_csv_reader *r, int c, uint32_t **ret)
{
    const struct rt_csv_levels *levels = &r->levels[c];
    uint32_t *map = rt_arena_array(r->arena, levels->count + 1, sizeof *map);
    if (!map)
        return RT_NO_MEMORY;
    for (uint32_t i = 0; i < levels->count; i++) {
        const struct rt_csv_level *level = &levels->items[i];
        int64_t micro = 0;
        map[level->number] = c == RT_CSV_STATUS ? rt_study_find_status(r->study, level->text) : i;
        // Two spellings of a temperature are one.
        if (c == RT_CSV_TEMPERATURE && rt_parse_micro(level->text, &micro) == RT_OK)
            map[level->number] = rt_study_find_temperature(r->study, micro);
    }
    *ret = map;
    return RT_OK;
}

static enum rt_status add_cell(struct rt_csv_reader *r, uint32_t *const *maps, bool plain,
                               const struct rt_csv_cell *from)
{
    uint32_t at[RT_CSV_FACTORS];
    for (int c = 0; c < RT_CSV_FACTORS; c++)
        at[c] = from->level[c] == RT_STUDY_NONE ? RT_STUDY_NONE : maps[c][from->level[c]];
    bool counted = r->study->statuses[at[RT_CSV_STATUS]].kind == RT_STUDY_COUNTED;
    struct rt_study_cell cell = {.condition = {at[RT_CSV_SUBJECT], at[RT_CSV_ARM],
                                               at[RT_CSV_SCENARIO], at[RT_CSV_PHRASING],
                                               at[RT_CSV_TEMPERATURE]},
                                 .lab = at[RT_CSV_LAB],
                                 .rater = at[RT_CSV_RATER],
                                 .fingerprint = at[RT_CSV_FINGERPRINT],
                                 .status = at[RT_CSV_STATUS],
                                 .outcome = !plain    ? at[RT_CSV_OUTCOME]
                                            : counted ? !from->shows
                                                      : RT_STUDY_NONE,
                                 .severity = from->severity,
                                 .count = from->n,
                                 .repeated = from->repeated,
                                 .score_sum_micro = from->score_micro};
    if (r->study->scores) {
        cell.outcome = RT_STUDY_NONE;
        memcpy(cell.score_squares, from->squares, sizeof cell.score_squares);
    } else if (r->measure == RT_CSV_VALUE) {
        cell.score_sum_micro = 0;
    }
    return rt_study_add_cell(r->study, &cell);
}

static enum rt_status add_cells(struct rt_csv_reader *r, struct rt_error *err)
{
    uint32_t *maps[RT_CSV_FACTORS];
    bool plain = has_plain_outcomes(r);
    enum rt_status status = RT_OK;
    for (int c = 0; c < RT_CSV_FACTORS && !status; c++)
        status = map_levels(r, c, &maps[c]);
    for (size_t i = 0; i < r->cells.count && !status; i++)
        status = add_cell(r, maps, plain, &r->cells.rows[i]);
    if (!status)
        return RT_OK;
    return rt_error_set(err, status == RT_NO_MEMORY ? status : RT_MALFORMED, "%s: %s", r->csv.name,
                        status == RT_TOO_LARGE ? "too many combinations of labs, scenarios, "
                                                 "phrasings, temperatures, arms and subjects"
                                               : rt_status_text(status));
}

static enum rt_status read_rows(struct rt_csv_reader *r, struct rt_error *err)
{
    bool more = true;
    struct rt_csv_row row;
    while (true) {
        enum rt_status status = rt_csv_next(&r->csv, &more, err);
        if (status || !more)
            return status;
        status = rt_csv_understand(r, &row, err);
        if (status)
            return status;
        status = rt_csv_cells_add(r, &row);
        if (status)
            return rt_csv_fail(r, err, "%s", rt_status_text(status));
    }
}

static enum rt_status finish(struct rt_csv_reader *r, struct rt_error *err)
{
    r->study->repeats_known = r->at[RT_CSV_REPEATED] >= 0;
    enum rt_status status = rt_study_seal(r->study);
    if (status == RT_MALFORMED)
        return rt_error_set(err, RT_USAGE,
                            "%s: the raters, inert arms or repeated phrasings given do not fit the "
                            "table",
                            r->csv.name);
    return status ? rt_error_set(err, status, "%s: %s", r->csv.name, rt_status_text(status))
                  : RT_OK;
}

static enum rt_status read_table(struct rt_csv_reader *r, const char **ret_unused,
                                 struct rt_error *err)
{
    enum rt_status status = rt_csv_header(r, ret_unused, err);
    if (!status)
        status = read_rows(r, err);
    r->study->scores = r->measure == RT_CSV_VALUE && r->fractions;
    if (!status && r->study->scores && r->oversized)
        status = rt_error_set(err, RT_MALFORMED, "%s: a row has more than %d scores", r->csv.name,
                              (int)RT_STUDY_SCORES_MOST);
    if (!status)
        status = make_factors(r, err);
    if (!status)
        status = add_cells(r, err);
    return status ? status : finish(r, err);
}

enum rt_status rt_csv_study(struct rt_bytes table, const char *name,
                            const struct rt_csv_reading *reading, struct rt_arena *arena,
                            struct rt_study *ret, const char **ret_unused, struct rt_error *err)
{
    struct rt_csv_reader r = {.reading = reading, .arena = arena, .study = ret};
    const char *title = reading->title ? reading->title : "What does this table show?";
    r.cells.arena = arena;
    for (int c = 0; c < RT_CSV_FACTORS; c++) {
        r.levels[c].arena = arena;
        r.last[c] = RT_STUDY_NONE;
    }
    enum rt_status status = rt_study_init(ret, arena, "table", title);
    if (status)
        return rt_error_set(err, status, "%s: %s", name, rt_status_text(status));
    rt_csv_init(&r.csv, name, table);
    status = read_table(&r, ret_unused, err);
    rt_csv_release(&r.csv);
    return status;
}
