// SPDX-License-Identifier: Apache-2.0
#include "auditor/compare_report.h"

#include <stdio.h>

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

static void add_share(struct rt_buf *out, const json_t *number, const char *format)
{
    if (json_is_number(number))
        rt_buf_printf(out, "%*.*f", format[0] - '0', format[1] - '0',
                      100 * json_number_value(number));
    else
        rt_buf_printf(out, "%*s", format[0] - '0', "-");
}

static void add_limits(struct rt_buf *out, const json_t *interval)
{
    char text[64] = "-";
    if (json_is_array(interval))
        snprintf(text, sizeof text, "[%+.1f, %+.1f]",
                 100 * json_number_value(json_array_get(interval, 0)),
                 100 * json_number_value(json_array_get(interval, 1)));
    rt_buf_printf(out, "%18s", text);
}

static void add_side(struct rt_buf *out, const char *side, const json_t *about)
{
    rt_buf_printf(out, "%s  ", side);
    add_text(out, text_at(about, "name"));
    rt_buf_add_str(out, ": ");
    add_text(out, text_at(about, "study"));
    rt_buf_printf(out, ", %lld labs, %.0f trials, missing ",
                  (long long)json_integer_value(json_object_get(about, "labs")),
                  json_number_value(json_object_get(about, "trials")));
    add_share(out, json_object_get(about, "missing_share"), "11");
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
                               "bench.\n"
                             : "\nThe bench is not the same: changes go by the interval for "
                               "scenarios like these.\n");
}

static void add_row(struct rt_buf *out, const json_t *row)
{
    char label[128];
    const char *level = text_at(row, "level");
    snprintf(label, sizeof label, "%s%s%.60s", text_at(row, "what"), *level ? ": " : "", level);
    size_t start = out->size;
    add_text(out, label);
    for (size_t used = out->size - start; used < 44 && !out->failed; used++)
        rt_buf_add_u8(out, ' ');
    add_share(out, json_object_get(row, "a"), "71");
    add_share(out, json_object_get(row, "b"), "71");
    add_share(out, json_object_get(row, "difference"), "71");
    add_limits(out, json_object_get(row, "this_bench"));
    add_limits(out, json_object_get(row, "scenarios_like_these"));
    add_share(out, json_object_get(row, "tau_difference"), "71");
    add_limits(out, json_object_get(row, "tau_interval"));
    const char *change = json_string_value(json_object_get(row, "change"));
    rt_buf_printf(out, "  %s\n", change ? change : "nothing can be said");
}

void rt_compare_print(const json_t *comparison, struct rt_buf *out)
{
    const json_t *rows = json_object_get(comparison, "rows");
    const char *subject = NULL;
    add_side(out, "A", json_object_get(comparison, "a"));
    add_side(out, "B", json_object_get(comparison, "b"));
    add_common(out, comparison);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *own = text_at(row, "subject");
        if (!subject || strcmp(subject, own) != 0) {
            rt_buf_add_str(out, "\n");
            add_text(out, own);
            rt_buf_printf(out, "\n%-44s%7s%7s%7s%18s%18s%7s%18s  %s\n", "in percent", "A", "B",
                          "B - A", "this bench", "like these", "tau", "of tau's change", "change");
        }
        subject = own;
        add_row(out, row);
    }
    if (!subject)
        rt_buf_add_str(out, "\nNo subject is in both.\n");
    rt_buf_add_str(out, "\nThe two count as independent, which is cautious where they share labs "
                        "or scenarios.\n");
}
