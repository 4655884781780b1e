// SPDX-License-Identifier: Apache-2.0
// What two reports say beside their rows: how far model families differ in each, what of the bench
// was covered, and what the logs say of incidents.
#include <math.h>
#include <string.h>

#include "auditor/compare_parts.h"

// ---- families

static const char *family_of(const json_t *report, const char *subject)
{
    const json_t *subjects = json_object_get(json_object_get(report, "factors"), "subjects");
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        const json_t *row = json_array_get(subjects, i);
        if (strcmp(rt_compare_text(row, "id"), subject) != 0)
            continue;
        const char *family = rt_compare_text(row, "family");
        return *family ? family : subject;
    }
    return subject;
}

// Sums of subjects' rates by family: {family: [sum, subjects]}.
static json_t *rates_by_family(const json_t *report)
{
    const json_t *results = json_object_get(report, "results");
    json_t *all = json_object();
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *part = json_array_get(results, i);
        double rate, sum = 0, count = 0;
        if (!json_is_true(json_object_get(part, "primary_rater")) ||
            !rt_compare_number(json_object_get(json_object_get(part, "rate"), "mean"), &rate))
            continue;
        const char *family = family_of(report, rt_compare_text(part, "subject"));
        const json_t *before = json_object_get(all, family);
        rt_compare_number(json_array_get(before, 0), &sum);
        rt_compare_number(json_array_get(before, 1), &count);
        json_object_set_new(all, family, json_pack("[f, f]", sum + rate, count + 1));
    }
    return all;
}

static bool mean_of(const json_t *all, const char *family, double *ret)
{
    double sum, count;
    const json_t *row = json_object_get(all, family);
    if (!rt_compare_number(json_array_get(row, 0), &sum) ||
        !rt_compare_number(json_array_get(row, 1), &count) || count < 1)
        return false;
    *ret = sum / count;
    return isfinite(*ret);
}

// Largest less smallest family mean; null below two families.
static json_t *range_of(json_t *all)
{
    double low = INFINITY, high = -INFINITY, mean;
    const char *family;
    json_t *unused;
    json_object_foreach(all, family, unused)
    {
        if (!mean_of(all, family, &mean))
            continue;
        low = fmin(low, mean);
        high = fmax(high, mean);
    }
    return json_object_size(all) > 1 && isfinite(high - low) ? json_real(high - low) : json_null();
}

json_t *rt_compare_families(const json_t *a, const json_t *b)
{
    json_t *from = rates_by_family(a), *to = rates_by_family(b), *rows = json_array();
    json_t *names = json_object(), *made = NULL;
    const char *family;
    json_t *unused;
    json_object_update(names, from);
    json_object_update(names, to);
    json_object_foreach(names, family, unused)
    {
        double x, y;
        bool in_a = mean_of(from, family, &x), in_b = mean_of(to, family, &y);
        json_array_append_new(rows, json_pack("{s:s, s:o, s:o, s:o}", "family", family, "a",
                                              in_a ? json_real(x) : json_null(), "b",
                                              in_b ? json_real(y) : json_null(), "difference",
                                              in_a && in_b ? json_real(y - x) : json_null()));
    }
    if (json_object_size(names) > 1)
        made = json_pack("{s:O, s:o, s:o}", "rows", rows, "range_a", range_of(from), "range_b",
                         range_of(to));
    json_decref(from);
    json_decref(to);
    json_decref(names);
    json_decref(rows);
    return made;
}

// ---- coverage

// Sums of a matrix row, and how many of its cells were planned and are not all missing.
static void add_group(const json_t *planned, const json_t *missing, double *ret_planned,
                      double *ret_missing, size_t *ret_cells)
{
    for (size_t l = 0; l < json_array_size(planned); l++) {
        double all, lost;
        if (!rt_compare_number(json_array_get(planned, l), &all) ||
            !rt_compare_number(json_array_get(missing, l), &lost))
            continue;
        *ret_planned += all;
        *ret_missing += lost;
        *ret_cells += all > lost;
    }
}

json_t *rt_compare_coverage(const json_t *report)
{
    const json_t *map = json_object_get(json_object_get(report, "missing_map"), "by_scenario");
    const json_t *planned = json_object_get(map, "planned");
    const json_t *missing = json_object_get(map, "missing");
    size_t groups = json_array_size(planned), somewhere = 0, everywhere = 0;
    double all = 0, lost = 0;
    if (!groups)
        return json_null();
    for (size_t g = 0; g < groups; g++) {
        size_t cells = 0, labs = json_array_size(json_array_get(planned, g));
        add_group(json_array_get(planned, g), json_array_get(missing, g), &all, &lost, &cells);
        somewhere += cells > 0;
        everywhere += labs && cells == labs;
    }
    return json_pack("{s:I, s:I, s:I, s:o}", "scenarios", (json_int_t)groups, "with_trials",
                     (json_int_t)somewhere, "at_every_lab", (json_int_t)everywhere,
                     "share_of_planned_trials",
                     all > 0 && isfinite(all) ? json_real((all - lost) / all) : json_null());
}

// ---- incidents

json_t *rt_compare_incidents(const json_t *report)
{
    const json_t *incidents = json_object_get(report, "incidents");
    const char *log = rt_compare_text(json_object_get(report, "provenance"), "checkpoint");
    if (json_is_object(incidents))
        return json_deep_copy(incidents);
    return *log ? json_pack("{s:i}", "logged", 0) : json_null();
}
