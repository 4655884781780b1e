// SPDX-License-Identifier: Apache-2.0
#include "auditor/compare_report.h"

#include <math.h>
#include <stdio.h>

#include "auditor/compare_parts.h"
#include "common/base/json.h"
#include "common/report/render.h"

// ---- reading

const char *rt_compare_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

bool rt_compare_number(const json_t *number, double *ret)
{
    *ret = json_is_number(number) ? json_number_value(number) : 0;
    return json_is_number(number) && isfinite(*ret);
}

// The interval [lower, upper] around an estimate; false where any of the three is missing.
struct figure {
    double estimate, lower, upper;
};

static bool figure_of(const json_t *object, const char *estimate, const char *interval,
                      struct figure *ret)
{
    const json_t *limits = json_object_get(object, interval);
    return rt_compare_number(json_object_get(object, estimate), &ret->estimate) &&
           rt_compare_number(json_array_get(limits, 0), &ret->lower) &&
           rt_compare_number(json_array_get(limits, 1), &ret->upper);
}

// ---- one row

// b - a by the method of variance estimates recovery: each limit moves as far as the two limits it
// depends on, added in squares.
static json_t *recovered(const struct figure *a, const struct figure *b, double *ret_difference)
{
    double difference = b->estimate - a->estimate;
    double below_b = b->estimate - b->lower, above_b = b->upper - b->estimate;
    double below_a = a->estimate - a->lower, above_a = a->upper - a->estimate;
    double lower = difference - sqrt(below_b * below_b + above_a * above_a);
    double upper = difference + sqrt(above_b * above_b + below_a * below_a);
    *ret_difference = difference;
    if (!isfinite(lower) || !isfinite(upper))
        return json_null();
    return json_pack("[f, f]", lower, upper);
}

static json_t *interval_between(const json_t *a, const json_t *b, const char *estimate,
                                const char *interval)
{
    struct figure from, to;
    double unused;
    if (!figure_of(a, estimate, interval, &from) || !figure_of(b, estimate, interval, &to))
        return json_null();
    return recovered(&from, &to, &unused);
}

static json_t *difference_between(const json_t *a, const json_t *b)
{
    double from, to;
    if (!rt_compare_number(a, &from) || !rt_compare_number(b, &to) || !isfinite(to - from))
        return json_null();
    return json_real(to - from);
}

// Whether an interval is there and where it lies: 1 above zero, -1 below, 0 around it.
static bool side_of(const json_t *interval, int *ret)
{
    double lower, upper;
    *ret = 0;
    if (!rt_compare_number(json_array_get(interval, 0), &lower) ||
        !rt_compare_number(json_array_get(interval, 1), &upper))
        return false;
    *ret = lower > 0 ? 1 : upper < 0 ? -1 : 0;
    return true;
}

// deciding may be one of the four, each of which is printed: none of them may gainsay the words.
static json_t *change_of(const json_t *deciding, const json_t *const all[4])
{
    int side, other;
    bool gainsaid = false;
    if (!side_of(deciding, &side))
        return json_null();
    for (int i = 0; i < 4; i++)
        gainsaid |= side_of(all[i], &other) && other;
    return json_string(side > 0   ? "rose"
                       : side < 0 ? "fell"
                       : gainsaid ? "not clear: the intervals differ"
                                  : "no change is clear");
}

static json_t *copy_of(const json_t *number)
{
    double value;
    return rt_compare_number(number, &value) ? json_real(value) : json_null();
}

struct rows {
    json_t *array;
    const char *subject;
    bool same_bench;
    double confidence;
};

// Paired figures of a row: NULL where too little pairs.
struct pairings {
    json_t *scenarios, *labs;
};

static const json_t *interval_in(const json_t *paired)
{
    const json_t *interval = json_object_get(paired, "interval");
    return json_is_array(interval) ? interval : NULL;
}

// The interval that decides: of what is paired where it can be, on the side the bench calls for.
static const json_t *deciding(const struct rows *rows, const struct pairings *paired,
                              const json_t *bench, const json_t *like, const char **ret_name)
{
    const json_t *own = interval_in(rows->same_bench ? paired->labs : paired->scenarios);
    *ret_name = own                ? rows->same_bench ? "paired_labs" : "paired_scenarios"
                : rows->same_bench ? "this_bench"
                                   : "scenarios_like_these";
    return own ? own : rows->same_bench ? bench : like;
}

static void add_row(struct rows *rows, const char *what, const char *level, const json_t *a,
                    const json_t *b, struct pairings paired)
{
    json_t *row = json_object();
    const char *decided;
    json_t *bench = interval_between(a, b, "mean", "this_bench");
    json_t *like = interval_between(a, b, "mean", "scenarios_like_these");
    json_object_set_new(row, "subject", json_string(rows->subject));
    json_object_set_new(row, "what", json_string(what));
    json_object_set_new(row, "level", json_string(level));
    json_object_set_new(row, "a", copy_of(json_object_get(a, "mean")));
    json_object_set_new(row, "b", copy_of(json_object_get(b, "mean")));
    json_object_set_new(row, "difference",
                        difference_between(json_object_get(a, "mean"), json_object_get(b, "mean")));
    const json_t *const all[] = {bench, like, interval_in(paired.labs),
                                 interval_in(paired.scenarios)};
    json_object_set_new(row, "change",
                        change_of(deciding(rows, &paired, bench, like, &decided), all));
    json_object_set_new(row, "decided_by", json_string(decided));
    json_object_set_new(row, "paired_scenarios", paired.scenarios ? paired.scenarios : json_null());
    json_object_set_new(row, "paired_labs", paired.labs ? paired.labs : json_null());
    json_object_set_new(row, "this_bench", bench);
    json_object_set_new(row, "scenarios_like_these", like);
    json_object_set_new(row, "tau_a", copy_of(json_object_get(a, "tau")));
    json_object_set_new(row, "tau_b", copy_of(json_object_get(b, "tau")));
    json_object_set_new(row, "tau_difference",
                        difference_between(json_object_get(a, "tau"), json_object_get(b, "tau")));
    json_object_set_new(row, "tau_interval", interval_between(a, b, "tau", "tau_interval"));
    json_array_append_new(rows->array, row);
}

// ---- all rows of a subject

// Lines of two lists that are about the same levels.
struct list {
    const char *name, *what, *figures;
    const char *levels[3];
};

static const struct list lists[] = {
    {"by_arm", "prevalence by arm", "rate", {"arm"}},
    {"contrasts", "effect", "difference", {"treatment", "inert", "temperature"}},
    {"by_temperature", "prevalence by temperature", "rate", {"temperature"}},
    {"by_phrasing", "prevalence by phrasing", "rate", {"phrasing"}},
};

static bool same_levels(const json_t *a, const json_t *b, const struct list *list)
{
    for (size_t i = 0; i < 3 && list->levels[i]; i++) {
        const json_t *x = json_object_get(a, list->levels[i]);
        const json_t *y = json_object_get(b, list->levels[i]);
        double from, to;
        bool numbers = rt_compare_number(x, &from) && rt_compare_number(y, &to);
        // A line over all temperatures names none.
        bool none = (!x || json_is_null(x)) && (!y || json_is_null(y));
        if (!none && (numbers ? from != to : !json_equal(x, y)))
            return false;
    }
    return true;
}

static void level_text(const json_t *row, const struct list *list, char *ret, size_t size)
{
    size_t used = 0;
    *ret = 0;
    for (size_t i = 0; i < 3 && list->levels[i] && used < size; i++) {
        const json_t *level = json_object_get(row, list->levels[i]);
        char number[32];
        double value;
        const char *text = json_string_value(level);
        if (!text && !rt_compare_number(level, &value))
            continue;
        if (!text)
            rt_json_number(value, number);
        int wrote =
            snprintf(ret + used, size - used, "%s%s", used ? " / " : "", text ? text : number);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void add_list(struct rows *rows, const struct list *list, const json_t *a, const json_t *b)
{
    const json_t *from = json_object_get(a, list->name), *to = json_object_get(b, list->name);
    char level[200];
    for (size_t i = 0; i < json_array_size(from); i++)
        for (size_t j = 0; j < json_array_size(to); j++) {
            const json_t *x = json_array_get(from, i), *y = json_array_get(to, j);
            if (!same_levels(x, y, list))
                continue;
            level_text(x, list, level, sizeof level);
            // A text cut short inside a character is no text any more.
            json_t *whole = json_string(level);
            // The first inert arm over all temperatures is what scenarios and labs have of their
            // own.
            bool own = strcmp(list->name, "contrasts") == 0 && i == 0 && j == 0;
            struct pairings paired = {
                own ? rt_compare_scenarios(a, b, "effect", rows->confidence) : NULL,
                own ? rt_compare_labs(a, b, "on_effect", rows->confidence) : NULL};
            add_row(rows, list->what, whole ? level : "", json_object_get(x, list->figures),
                    json_object_get(y, list->figures), paired);
            json_decref(whole);
            break;
        }
}

static void add_subject(struct rows *rows, const json_t *a, const json_t *b)
{
    struct pairings paired = {rt_compare_scenarios(a, b, "mean", rows->confidence),
                              rt_compare_labs(a, b, "on_rate", rows->confidence)};
    add_row(rows, "prevalence", "", json_object_get(a, "rate"), json_object_get(b, "rate"), paired);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        add_list(rows, &lists[i], a, b);
}

static bool primary(const json_t *result)
{
    return json_is_true(json_object_get(result, "primary_rater"));
}

static size_t primaries(const json_t *results)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(results); i++)
        count += primary(json_array_get(results, i));
    return count;
}

// The higher of both plans' confidence, so that neither report's claim is loosened.
static double confidence_of(const json_t *a, const json_t *b)
{
    double from, to, least = 0.95;
    if (!rt_compare_number(json_object_get(json_object_get(a, "plan"), "confidence"), &from) ||
        !rt_compare_number(json_object_get(json_object_get(b, "plan"), "confidence"), &to))
        return least;
    double most = from > to ? from : to;
    return most >= 0.5 && most < 1 ? most : least;
}

// Subjects with the same id; and where either report has one subject only, that one: a new model.
static json_t *all_rows(const json_t *a, const json_t *b, bool same_bench, json_t *stability)
{
    const json_t *from = json_object_get(a, "results"), *to = json_object_get(b, "results");
    bool one = primaries(from) == 1 && primaries(to) == 1;
    struct rows rows = {json_array(), "", same_bench, confidence_of(a, b)};
    char both[400];
    for (size_t i = 0; i < json_array_size(from); i++)
        for (size_t j = 0; j < json_array_size(to); j++) {
            const json_t *x = json_array_get(from, i), *y = json_array_get(to, j);
            const char *old = rt_compare_text(x, "subject"), *new = rt_compare_text(y, "subject");
            bool same = strcmp(old, new) == 0;
            if (!primary(x) || !primary(y) || (!same && !one))
                continue;
            snprintf(both, sizeof both, "%.150s -> %.150s", old, new);
            rows.subject = same ? old : both;
            add_subject(&rows, x, y);
            json_t *stable = rt_compare_stability(x, y, rows.subject);
            if (stable)
                json_array_append_new(stability, stable);
        }
    return rows.array;
}

// ---- what both are about

static json_t *ids_of(const json_t *rows, const char *member)
{
    json_t *ids = json_object();
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        char number[32];
        double value;
        const char *id = json_string_value(member ? json_object_get(row, member) : row);
        if (!id && !member && rt_compare_number(row, &value)) {
            rt_json_number(value, number);
            id = number;
        }
        if (id)
            json_object_set_new(ids, id, json_true());
    }
    return ids;
}

static json_t *overlap(const json_t *a, const json_t *b, const char *member, bool *ret_same)
{
    json_t *from = ids_of(a, member), *to = ids_of(b, member);
    size_t both = 0;
    const char *id;
    json_t *unused;
    json_object_foreach(from, id, unused) both += json_object_get(to, id) != NULL;
    size_t in_a = json_object_size(from), in_b = json_object_size(to);
    *ret_same = both == in_a && both == in_b;
    json_decref(from);
    json_decref(to);
    return json_pack("{s:I, s:I, s:I, s:b}", "a", (json_int_t)in_a, "b", (json_int_t)in_b, "both",
                     (json_int_t)both, "same", *ret_same);
}

static json_t *in_common(const json_t *a, const json_t *b, bool *ret_same_bench)
{
    static const struct {
        const char *name, *member;
    } factors[] = {
        {"scenarios", "id"}, {"phrasings", "id"}, {"temperatures", NULL}, {"arms", "id"}};
    const json_t *from = json_object_get(a, "factors"), *to = json_object_get(b, "factors");
    json_t *all = json_object();
    bool same;
    *ret_same_bench = true;
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        const char *name = factors[i].name;
        json_object_set_new(all, name,
                            overlap(json_object_get(from, name), json_object_get(to, name),
                                    factors[i].member, &same));
        *ret_same_bench &= same;
    }
    from = json_object_get(json_object_get(a, "participation"), "labs");
    to = json_object_get(json_object_get(b, "participation"), "labs");
    json_object_set_new(all, "labs", overlap(from, to, "lab", &same));
    return all;
}

static json_t *about(const json_t *report, const char *name)
{
    const json_t *participation = json_object_get(report, "participation");
    const json_t *total = json_object_get(participation, "total");
    json_t *row = json_object();
    json_t *called = json_string(name);
    json_object_set_new(row, "name", called ? called : json_string("?"));
    json_object_set_new(row, "study",
                        json_string(rt_compare_text(json_object_get(report, "study"), "id")));
    json_object_set_new(
        row, "labs",
        json_integer((json_int_t)json_array_size(json_object_get(participation, "labs"))));
    json_object_set_new(row, "trials", copy_of(json_object_get(total, "received")));
    json_object_set_new(row, "missing_share", copy_of(json_object_get(total, "missing_share")));
    json_object_set_new(row, "coverage", rt_compare_coverage(report));
    json_object_set_new(row, "incidents", rt_compare_incidents(report));
    return row;
}

static bool has_scores(const json_t *report)
{
    return strcmp(rt_compare_text(json_object_get(report, "study"), "measure"), "score") == 0;
}

enum rt_status rt_compare_reports(const json_t *a, const json_t *b, const char *name_a,
                                  const char *name_b, json_t **ret_comparison, struct rt_error *err)
{
    *ret_comparison = NULL;
    if (strcmp(rt_compare_text(a, "schema"), RT_REPORT_SCHEMA) != 0)
        return rt_error_set(err, RT_MALFORMED, "%s is not a report (%s)", name_a, RT_REPORT_SCHEMA);
    if (strcmp(rt_compare_text(b, "schema"), RT_REPORT_SCHEMA) != 0)
        return rt_error_set(err, RT_MALFORMED, "%s is not a report (%s)", name_b, RT_REPORT_SCHEMA);
    bool same_bench, scores = has_scores(a);
    if (scores != has_scores(b))
        return rt_error_set(err, RT_MALFORMED, "%s has scores and %s has outcomes",
                            scores ? name_a : name_b, scores ? name_b : name_a);
    json_t *to = json_object();
    json_object_set_new(to, "measure", json_string(scores ? "score" : "behaviour"));
    json_object_set_new(to, "schema", json_string(RT_COMPARISON_SCHEMA));
    json_object_set_new(to, "a", about(a, name_a));
    json_object_set_new(to, "b", about(b, name_b));
    json_object_set_new(to, "in_common", in_common(a, b, &same_bench));
    json_object_set_new(to, "same_bench", json_boolean(same_bench));
    json_t *stability = json_array(), *families = rt_compare_families(a, b);
    json_object_set_new(to, "confidence", json_real(confidence_of(a, b)));
    json_object_set_new(to, "rows", all_rows(a, b, same_bench, stability));
    json_object_set_new(to, "stability", stability);
    json_object_set_new(to, "families", families ? families : json_null());
    *ret_comparison = to;
    return to ? RT_OK : RT_NO_MEMORY;
}
