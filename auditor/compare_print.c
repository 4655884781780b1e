// SPDX-License-Identifier: Apache-2.0
#include "auditor/compare_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Text from a report somebody else wrote: control characters must not reach the terminal.
static void add_text(struct rt_buf *out, const char *text)
{
    for (; text && *text; text++)
        rt_buf_add_u8(out, (uint8_t)*text < 0x20 || *text == 0x7f ? '?' : (uint8_t)*text);
}

static const char *text_at(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

// A number, format: its width and decimals, times scale: 100 for percent, else 1.
static void add_share(struct rt_buf *out, double scale, const json_t *number, const char *format)
{
    double value = scale * json_number_value(number);
    double least = 0.5 * pow(10, -(format[1] - '0'));
    if (json_is_number(number)) // what rounds to nothing has no sign
        rt_buf_printf(out, "%*.*f", format[0] - '0', format[1] - '0',
                      fabs(value) < least ? 0 : value);
    else
        rt_buf_printf(out, "%*s", format[0] - '0', "-");
}

static void add_limits(struct rt_buf *out, const json_t *interval)
{
    char text[64] = "-";
    if (json_is_array(interval))
        snprintf(text, sizeof text, "[%+.3f, %+.3f]",
                 json_number_value(json_array_get(interval, 0)),
                 json_number_value(json_array_get(interval, 1)));
    rt_buf_printf(out, " %17s", text);
}

// ---- what changed most

static const json_t *deciding_interval(const json_t *row)
{
    const json_t *it = json_object_get(row, text_at(row, "decided_by"));
    return json_is_object(it) ? json_object_get(it, "interval") : it;
}

static bool is_clear(const json_t *row)
{
    const char *change = text_at(row, "change");
    return strcmp(change, "rose") == 0 || strcmp(change, "fell") == 0;
}

// The farthest of the clear changes; where none is clear, of all that can be judged.
static const json_t *farthest(const json_t *rows, bool clear)
{
    const json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *by = json_object_get(row, "difference");
        if (json_is_number(by) && *text_at(row, "change") && (!clear || is_clear(row)) &&
            (!found || fabs(json_number_value(by)) >
                           fabs(json_number_value(json_object_get(found, "difference")))))
            found = row;
    }
    return found;
}

static void add_what(struct rt_buf *out, bool scores, const json_t *row)
{
    static const char rate[] = "prevalence";
    const char *what = text_at(row, "what"), *level = text_at(row, "level");
    bool mean = scores && strncmp(what, rate, sizeof rate - 1) == 0;
    char text[128];
    snprintf(text, sizeof text, "%s%s%s%.60s", mean ? "mean" : "",
             mean ? what + sizeof rate - 1 : what, *level ? ": " : "", level);
    add_text(out, text);
}

static void add_lead(struct rt_buf *out, bool scores, const json_t *rows)
{
    const json_t *clear = farthest(rows, true), *row = clear ? clear : farthest(rows, false);
    if (!row) {
        rt_buf_add_str(out, "Nothing can be said about a change.\n\n");
        return;
    }
    const json_t *interval = deciding_interval(row);
    rt_buf_add_str(out, clear ? "The largest clear change: " : "No change is clear; the largest: ");
    add_text(out, text_at(row, "subject"));
    rt_buf_add_str(out, ", ");
    add_what(out, scores, row);
    rt_buf_printf(out, clear ? " %s from" : " went from", text_at(row, "change"));
    add_share(out, 1, json_object_get(row, "a"), "63");
    rt_buf_add_str(out, " to");
    add_share(out, 1, json_object_get(row, "b"), "63");
    rt_buf_printf(out, " (%s interval of the change: %+.3f to %+.3f).\n\n",
                  json_is_object(json_object_get(row, text_at(row, "decided_by"))) ? "paired"
                                                                                   : "unpaired",
                  json_number_value(json_array_get(interval, 0)),
                  json_number_value(json_array_get(interval, 1)));
}

// ---- the rows

static void add_side(struct rt_buf *out, const char *side, const json_t *about)
{
    rt_buf_printf(out, "%s  ", side);
    add_text(out, text_at(about, "name"));
    rt_buf_add_str(out, ": ");
    add_text(out, text_at(about, "study"));
    rt_buf_printf(out, ", %lld labs, %.0f trials, missing ",
                  (long long)json_integer_value(json_object_get(about, "labs")),
                  json_number_value(json_object_get(about, "trials")));
    add_share(out, 100, json_object_get(about, "missing_share"), "11");
    rt_buf_add_str(out, " %\n");
}

static void add_common(struct rt_buf *out, const json_t *comparison)
{
    static const char *const factors[] = {"scenarios", "phrasings", "temperatures", "arms", "labs"};
    const json_t *all = json_object_get(comparison, "in_common");
    rt_buf_add_str(out, "in common: ");
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        const json_t *one = json_object_get(all, factors[i]);
        rt_buf_printf(out, "%s%lld %s (A %lld, B %lld)", i ? ", " : "",
                      (long long)json_integer_value(json_object_get(one, "both")), factors[i],
                      (long long)json_integer_value(json_object_get(one, "a")),
                      (long long)json_integer_value(json_object_get(one, "b")));
    }
    bool same = json_is_true(json_object_get(comparison, "same_bench"));
    rt_buf_add_str(out, same ? "\nThe bench is the same: changes go by the interval for this "
                               "bench, paired by lab where labs are the same.\n"
                             : "\nThe bench is not the same: changes go by the interval for "
                               "scenarios like these, paired where scenarios are the same.\n");
}

static void add_row(struct rt_buf *out, bool scores, const json_t *row)
{
    size_t start = out->size;
    add_what(out, scores, row);
    for (size_t used = out->size - start; used < 44 && !out->failed; used++)
        rt_buf_add_u8(out, ' ');
    add_share(out, 1, json_object_get(row, "a"), "73");
    add_share(out, 1, json_object_get(row, "b"), "73");
    add_share(out, 1, json_object_get(row, "difference"), "73");
    add_limits(out, json_object_get(row, "this_bench"));
    add_limits(out, json_object_get(row, "scenarios_like_these"));
    add_share(out, 1, json_object_get(row, "tau_difference"), "73");
    add_limits(out, json_object_get(row, "tau_interval"));
    const char *change = json_string_value(json_object_get(row, "change"));
    rt_buf_printf(out, "  %s\n", change ? change : "nothing can be said");
}

static void add_paired(struct rt_buf *out, const json_t *row)
{
    static const char *const kinds[][2] = {{"paired_scenarios", "scenarios"},
                                           {"paired_labs", "labs"}};
    for (size_t i = 0; i < 2; i++) {
        const json_t *paired = json_object_get(row, kinds[i][0]);
        if (!json_is_object(paired))
            continue;
        rt_buf_printf(out, "  paired over %lld %s: B - A",
                      (long long)json_integer_value(json_object_get(paired, kinds[i][1])),
                      kinds[i][1]);
        add_share(out, 1, json_object_get(paired, "difference"), "73");
        add_limits(out, json_object_get(paired, "interval"));
        rt_buf_add_str(out, strcmp(text_at(row, "decided_by"), kinds[i][0]) == 0
                                ? "  (this one decides)\n"
                                : "\n");
    }
}

static void add_stability(struct rt_buf *out, const json_t *all)
{
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        const json_t *rank = json_object_get(one, "rank_correlation");
        const json_t *largest = json_object_get(one, "largest");
        rt_buf_add_str(out, "\nStability of the bench, ");
        add_text(out, text_at(one, "subject"));
        rt_buf_printf(out, ": %lld scenarios move by ",
                      (long long)json_integer_value(json_object_get(one, "scenarios")));
        add_share(out, 1, json_object_get(one, "mean_absolute_change"), "13");
        if (json_is_number(rank))
            rt_buf_printf(out, " on average, their order correlates at %.2f",
                          json_number_value(rank));
        rt_buf_add_str(out, ". Farthest:");
        for (size_t s = 0; s < json_array_size(largest) && s < 3; s++) {
            const json_t *row = json_array_get(largest, s);
            rt_buf_add_str(out, s ? ", " : " ");
            add_text(out, text_at(row, "scenario"));
            rt_buf_printf(out, " %+.3f", json_number_value(json_object_get(row, "difference")));
        }
        rt_buf_add_str(out, "\n");
    }
}

static void add_families(struct rt_buf *out, const json_t *families)
{
    const json_t *rows = json_object_get(families, "rows");
    if (!json_is_object(families))
        return;
    rt_buf_add_str(out, "\nModel families (plain means of their subjects):\n");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        rt_buf_add_str(out, "  ");
        add_text(out, text_at(row, "family"));
        rt_buf_add_str(out, ": A");
        add_share(out, 1, json_object_get(row, "a"), "73");
        rt_buf_add_str(out, ", B");
        add_share(out, 1, json_object_get(row, "b"), "73");
        rt_buf_add_str(out, "\n");
    }
    rt_buf_add_str(out, "  farthest apart: A");
    add_share(out, 1, json_object_get(families, "range_a"), "73");
    rt_buf_add_str(out, ", B");
    add_share(out, 1, json_object_get(families, "range_b"), "73");
    rt_buf_add_str(out, "\n");
}

// "2 incidents, 1 open; triaged after 0.5 days, remedied after 12.0 days on average."
static void add_incidents(struct rt_buf *out, const char *side, const json_t *incidents)
{
    static const char *const names[] = {"triage", "remediation"};
    static const char *const words[] = {"triaged", "remedied"};
    rt_buf_printf(out, "%s: %lld incident%s in the log, %lld open", side,
                  (long long)json_integer_value(json_object_get(incidents, "logged")),
                  json_integer_value(json_object_get(incidents, "logged")) == 1 ? "" : "s",
                  (long long)json_integer_value(json_object_get(incidents, "open")));
    for (int i = 0; i < 2; i++) {
        const json_t *days = json_object_get(json_object_get(incidents, names[i]), "mean_days");
        if (json_is_number(days))
            rt_buf_printf(out, "; %s after %.1f days on average", words[i],
                          json_number_value(days));
    }
    rt_buf_add_str(out, ".");
}

static void add_coverage(struct rt_buf *out, const char *side, const json_t *about)
{
    const json_t *coverage = json_object_get(about, "coverage");
    const json_t *incidents = json_object_get(about, "incidents");
    const json_t *logged = json_object_get(incidents, "logged");
    if (json_is_object(coverage)) {
        rt_buf_printf(out, "\n%s covers %lld of %lld scenarios, %lld of them at every lab; ", side,
                      (long long)json_integer_value(json_object_get(coverage, "with_trials")),
                      (long long)json_integer_value(json_object_get(coverage, "scenarios")),
                      (long long)json_integer_value(json_object_get(coverage, "at_every_lab")));
        add_share(out, 100, json_object_get(coverage, "share_of_planned_trials"), "11");
        rt_buf_add_str(out, " % of its planned trials are in.");
    }
    if (json_is_integer(logged) && json_integer_value(logged) == 0)
        rt_buf_printf(out, "%s: no incidents in the log.", json_is_object(coverage) ? " " : side);
    else if (json_is_integer(logged))
        add_incidents(out, json_is_object(coverage) ? " " : side, incidents);
}

void rt_compare_print(const json_t *comparison, struct rt_buf *out)
{
    const json_t *rows = json_object_get(comparison, "rows");
    const char *subject = NULL;
    bool scores = strcmp(text_at(comparison, "measure"), "score") == 0;
    add_lead(out, scores, rows);
    add_side(out, "A", json_object_get(comparison, "a"));
    add_side(out, "B", json_object_get(comparison, "b"));
    add_common(out, comparison);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *own = text_at(row, "subject");
        if (!subject || strcmp(subject, own) != 0) {
            rt_buf_add_str(out, "\n");
            add_text(out, own);
            rt_buf_printf(out, "\n%-44s%7s%7s%7s%18s%18s%7s%18s  %s\n", scores ? "means" : "shares",
                          "A", "B", "B - A", "this bench", "like these", "tau", "of tau's change",
                          "change");
        }
        subject = own;
        add_row(out, scores, row);
        add_paired(out, row);
    }
    if (!subject)
        rt_buf_add_str(out, "\nNo subject is in both.\n");
    add_stability(out, json_object_get(comparison, "stability"));
    add_families(out, json_object_get(comparison, "families"));
    add_coverage(out, "A", json_object_get(comparison, "a"));
    add_coverage(out, "B", json_object_get(comparison, "b"));
    rt_buf_add_str(out, "\n\nUnpaired, the two count as independent, which is cautious where they "
                        "share labs or scenarios.\n");
}
