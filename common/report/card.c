// SPDX-License-Identifier: Apache-2.0
// The report as a bench card: one page of Markdown for a repository or a model page, with the
// figures of the campaign and what limits them. Made of the same model as everything else.
#include <string.h>

#include "common/report/render.h"
#include "common/report/words.h"

// Text that others chose: nothing in it is markup.
static void add_text(struct rt_buf *out, const char *text)
{
    for (; text && *text; text++) {
        if (strchr("\\`*_[]<>#|~&", *text))
            rt_buf_add_u8(out, '\\');
        rt_buf_add_u8(out, *text == '\n' || *text == '\r' ? ' ' : (uint8_t)*text);
    }
}

static void add_row(struct rt_buf *out, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!cells[i] && !out->failed)
            out->failed = RT_NO_MEMORY;
        rt_buf_add_str(out, i ? " | " : "| ");
        add_text(out, cells[i]);
    }
    rt_buf_add_str(out, " |\n");
}

static void add_head(struct rt_buf *out, const char *const *names, size_t count)
{
    add_row(out, names, count);
    rt_buf_add_u8(out, '|');
    for (size_t i = 0; i < count; i++)
        rt_buf_add_str(out, i ? " ---: |" : " --- |");
    rt_buf_add_u8(out, '\n');
}

static void add_estimate(const struct rt_report *report, struct rt_buf *out, const char *label,
                         const struct rt_estimate *e)
{
    const char *const cells[] = {label,
                                 rt_words_count(report->arena, e->n),
                                 rt_words_number(report->arena, e->mean),
                                 rt_words_interval(report->arena, e->this_bench),
                                 rt_words_interval(report->arena, e->like_these),
                                 rt_words_interval(report->arena, e->prediction),
                                 rt_words_number(report->arena, e->tau)};
    add_row(out, cells, sizeof cells / sizeof *cells);
}

static void add_margins(const struct rt_report *report, struct rt_buf *out, const char *factor,
                        const struct rt_margin_list *list)
{
    const struct rt_study *study = report->study;
    for (size_t i = 0; i < list->count && list->count > 1; i++) {
        const struct rt_margin *row = &list->rows[i];
        const char *level =
            row->arm != RT_STUDY_NONE ? study->arms[row->arm].id
            : row->phrasing != RT_STUDY_NONE
                ? study->phrasings[row->phrasing].id
                : rt_words_temperature(report->arena, study->temperatures_micro[row->temperature]);
        add_estimate(report, out,
                     rt_arena_printf(report->arena, "%s %s", factor, level ? level : ""),
                     &row->estimate);
    }
}

static void add_part(const struct rt_report *report, const struct rt_report_part *part,
                     struct rt_buf *out)
{
    const struct rt_study *study = report->study;
    const struct rt_study_subject *subject = &study->subjects[part->subject];
    const char *const names[] = {
        "what",     "trials", rt_words_figure(study), "this bench", "scenarios like these",
        "next lab", "tau"};
    rt_buf_add_str(out, "\n## ");
    add_text(out, subject->id);
    rt_buf_add_str(out, subject->synthetic ? " (synthetic subject: no model)\n\n" : "\n\n");
    if (*subject->family || *subject->revision) {
        rt_buf_add_str(out, "Family ");
        add_text(out, *subject->family ? subject->family : "not stated");
        rt_buf_add_str(out, ", revision ");
        add_text(out, *subject->revision ? subject->revision : "not stated");
        rt_buf_add_str(out, ". ");
    }
    rt_buf_add_str(out, "Rated by ");
    add_text(out, study->raters[part->rater].id);
    rt_buf_add_str(out, ".\n\n");
    add_head(out, names, sizeof names / sizeof *names);
    add_estimate(report, out, "all treatment arms", &part->overall);
    add_margins(report, out, "arm", &part->by_arm);
    for (size_t i = 0; i < part->contrasts.count; i++)
        if (part->contrasts.rows[i].temperature == RT_STUDY_NONE)
            add_estimate(report, out,
                         rt_arena_printf(report->arena, "%s - %s",
                                         study->arms[part->contrasts.rows[i].arm].id,
                                         study->arms[part->contrasts.rows[i].reference].id),
                         &part->contrasts.rows[i].effect);
    add_margins(report, out, "phrasing", &part->by_phrasing);
    add_margins(report, out, "temperature", &part->by_temperature);
}

static void add_hypotheses(const struct rt_report *report, struct rt_buf *out)
{
    static const char *const names[] = {"hypothesis",           "claim",   "verdict", "estimate",
                                        "scenarios like these", "next lab"};
    const struct rt_study *study = report->study;
    if (!study->plan.hypothesis_count)
        return;
    rt_buf_add_str(out, "\n## Preregistered hypotheses\n\n");
    add_head(out, names, sizeof names / sizeof *names);
    for (size_t p = 0; p < report->part_count; p++)
        for (size_t i = 0; report->parts[p].primary && i < report->parts[p].hypothesis_count; i++) {
            const struct rt_hypothesis_result *row = &report->parts[p].hypotheses[i];
            const char *const cells[] = {
                row->hypothesis->id,
                rt_arena_printf(report->arena, "%s %.10g",
                                rt_study_claim_text(row->hypothesis->claim),
                                row->hypothesis->threshold),
                rt_verdict_text(row->verdict),
                rt_words_number(report->arena, row->estimate.mean),
                rt_words_interval(report->arena, row->estimate.like_these),
                rt_words_interval(report->arena, row->estimate.prediction)};
            add_row(out, cells, sizeof cells / sizeof *cells);
        }
}

static void add_labs(const struct rt_report *report, struct rt_buf *out)
{
    static const char *const names[] = {"lab", "state", "planned", "received", "missing"};
    const struct rt_study *study = report->study;
    rt_buf_add_str(out, "\n## Who ran it\n\n");
    add_head(out, names, sizeof names / sizeof *names);
    for (size_t l = 0; l < study->lab_count; l++) {
        const struct rt_participation *row = &report->participation[l];
        const struct rt_study_lab *lab = &study->labs[l];
        const char *const cells[] = {lab->id,
                                     rt_arena_printf(report->arena, "%s%s%s",
                                                     rt_study_lab_state_text(lab->state),
                                                     lab->late ? ", joined late" : "",
                                                     lab->quarantined ? ", quarantined" : ""),
                                     rt_words_count(report->arena, row->planned),
                                     rt_words_count(report->arena, row->received),
                                     rt_words_count(report->arena, row->missing)};
        add_row(out, cells, sizeof cells / sizeof *cells);
    }
}

static void add_list(struct rt_buf *out, const char *heading, const struct rt_sentence *rows,
                     size_t count)
{
    if (!count)
        return;
    rt_buf_printf(out, "\n## %s\n\n", heading);
    for (size_t i = 0; i < count; i++) {
        rt_buf_printf(out, "* **%s:** ", rows[i].topic);
        add_text(out, rows[i].text);
        rt_buf_add_u8(out, '\n');
    }
}

enum rt_status rt_report_card(const struct rt_report *report, struct rt_buf *out)
{
    const struct rt_study *study = report->study;
    rt_buf_add_str(out, "# ");
    add_text(out, study->title);
    rt_buf_add_str(out, "\n\n**");
    add_text(out, report->headline);
    rt_buf_add_str(out, "**\n");
    add_list(out, "What was found", report->finding, report->finding_count);
    add_hypotheses(report, out);
    for (size_t p = 0; p < report->part_count; p++)
        if (report->parts[p].primary)
            add_part(report, &report->parts[p], out);
    add_labs(report, out);
    add_list(out, "Deviations from the plan", report->deviations, report->deviation_count);
    rt_buf_add_str(out, "\n## How to read this\n\n"
                        "\"This bench\" holds the scenarios fixed; \"scenarios like these\" speaks "
                        "of others of their kind and is the one to quote; \"next lab\" is where a "
                        "further lab's own figure is expected; tau is how far labs truly differ. ");
    rt_buf_add_str(out, study->plan.registered
                            ? "Only the hypotheses above were registered beforehand.\n"
                            : "Nothing was registered beforehand: all of this is exploratory.\n");
    rt_buf_add_str(out, "\n## Provenance\n\n");
    for (size_t i = 0; i < study->provenance_count; i++) {
        rt_buf_add_str(out, "* ");
        add_text(out, study->provenance[i].name);
        rt_buf_add_str(out, ": ");
        add_text(out, study->provenance[i].value);
        rt_buf_add_u8(out, '\n');
    }
    rt_buf_printf(out, "* cells: %s\n", report->cells_digest);
    return rt_buf_ok(out);
}
