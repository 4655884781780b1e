// SPDX-License-Identifier: Apache-2.0
// Raters: rules, judges and people, as tables.
#include "common/report/document.h"
#include "common/report/raters.h"

static const char *subject_of(struct rt_document *document, const struct rt_rater_row *row)
{
    return document->report->study->subjects[row->subject].id;
}

static const char *rater_of(struct rt_document *document, const struct rt_rater_row *row)
{
    const struct rt_study *study = document->report->study;
    return row->primary
               ? rt_arena_printf(document->arena, "%s (primary)", study->raters[row->rater].id)
               : study->raters[row->rater].id;
}

static void figures(struct rt_document *document, struct rt_page_section *section)
{
    static const struct rt_page_column columns[] = {
        {"subject", false, 1},  {"rater", false, 0},
        {"trials", true, 0},    {"unrated", true, 2},
        {"rate", true, 0},      {"95 % interval", true, 0},
        {"corrected", true, 0}, {"corrected interval", true, 0},
        {NULL, false, 0}};
    const struct rt_rater_table *table = document->report->raters;
    struct rt_page_table *to =
        rt_page_table(document, section, "raters: rules vs judge vs people", columns);
    for (size_t i = 0; i < table->count; i++) {
        const struct rt_rater_row *row = &table->rows[i];
        struct rt_corrected none = {rt_undefined(RT_REASON_NO_TRIALS),
                                    rt_interval_undefined(RT_REASON_NO_TRIALS), false};
        const struct rt_corrected *corrected = row->calibrated ? &row->corrected
                                               : row->weighted ? &row->double_sampling
                                                               : &none;
        rt_page_row(document, to);
        rt_page_text(document, to, subject_of(document, row));
        rt_page_text(document, to, rater_of(document, row));
        rt_page_count(document, to, row->seen.n);
        rt_page_count(document, to, row->unrated);
        rt_page_percent(document, to, row->rate);
        rt_page_interval(document, to, row->rate_at);
        rt_page_percent(document, to, corrected->prevalence);
        rt_page_interval(document, to, corrected->interval);
    }
    rt_page_note(document, to,
                 "Treatment arms, known-answer scenarios left out. Corrected, of rules and judges: "
                 "Rogan and Gladen's estimate from their sensitivity and specificity by people's "
                 "word, with the error of both carried through. Of people: weighted by the labels "
                 "of the rules, by which their sample was drawn.");
}

static void beside_primary(struct rt_document *document, struct rt_page_section *section)
{
    static const struct rt_page_column columns[] = {
        {"subject", false, 1},  {"rater", false, 0},
        {"on", false, 0},       {"trials", true, 0},
        {"agreement", true, 0}, {"95 % interval", true, 1},
        {"kappa", true, 0},     {"kappa interval", true, 1},
        {"AC1", true, 0},       {"alpha", true, 0},
        {NULL, false, 0}};
    const struct rt_rater_table *table = document->report->raters;
    struct rt_page_table *to =
        rt_page_table(document, section, "beside the primary rater", columns);
    for (size_t i = 0; i < table->count; i++) {
        const struct rt_rater_row *row = &table->rows[i];
        for (int what = 0; what < 3; what++) {
            const struct rt_confusion_agreement *of[] = {&row->behaviour, &row->agreement,
                                                         &row->between};
            static const char *const words[] = {"behaviour or none", "label by label",
                                                "one person and the other"};
            const struct rt_confusion_agreement *a = of[what];
            if (what == 2 ? !row->votes : row->primary)
                continue;
            rt_page_row(document, to);
            rt_page_text(document, to, subject_of(document, row));
            rt_page_text(document, to, rater_of(document, row));
            rt_page_text(document, to, words[what]);
            rt_page_count(document, to, a->n);
            rt_page_percent(document, to, a->percent);
            rt_page_interval(document, to, a->interval);
            rt_page_value(document, to, a->kappa);
            rt_page_interval(document, to, a->kappa_at);
            rt_page_value(document, to, a->ac1);
            rt_page_value(document, to, a->alpha);
        }
    }
    rt_page_note(document, to,
                 "Percent agreement, Cohen's kappa, Gwet's AC1 and Krippendorff's alpha side by "
                 "side: with a rare label kappa and alpha fall where AC1 does not.");
}

static void by_people(struct rt_document *document, struct rt_page_section *section)
{
    static const struct rt_page_column columns[] = {
        {"subject", false, 1},     {"rater", false, 0},
        {"found", true, 0},        {"missed", true, 0},
        {"false alarms", true, 0}, {"cleared", true, 0},
        {"sensitivity", true, 0},  {"sensitivity interval", true, 1},
        {"specificity", true, 0},  {"specificity interval", true, 1},
        {NULL, false, 0}};
    const struct rt_rater_table *table = document->report->raters;
    struct rt_page_table *to = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct rt_rater_row *row = &table->rows[i];
        if (!row->calibrated)
            continue;
        if (!to)
            to =
                rt_page_table(document, section, "what people find of what a rater finds", columns);
        rt_page_row(document, to);
        rt_page_text(document, to, subject_of(document, row));
        rt_page_text(document, to, rater_of(document, row));
        rt_page_count(document, to, row->calibration.both);
        rt_page_count(document, to, row->calibration.reference_only);
        rt_page_count(document, to, row->calibration.rater_only);
        rt_page_count(document, to, row->calibration.neither);
        rt_page_percent(document, to, row->rates.sensitivity);
        rt_page_interval(document, to, row->rates.sensitivity_at);
        rt_page_percent(document, to, row->rates.specificity);
        rt_page_interval(document, to, row->rates.specificity_at);
    }
    if (to)
        rt_page_note(document, to,
                     "Of the trials people rated. The sample was drawn by the labels of the rules, "
                     "rare ones more densely, so these are rates of the sample.");
}

static void confusions(struct rt_document *document, struct rt_page_section *section)
{
    static const struct rt_page_column columns[] = {
        {"subject", false, 1},    {"rater", false, 0}, {"primary says", false, 0},
        {"rater says", false, 0}, {"trials", true, 0}, {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    const struct rt_rater_table *table = document->report->raters;
    struct rt_page_table *to = rt_page_table(document, section, "confusion", columns);
    to->folded = true;
    for (size_t i = 0; i < table->count; i++) {
        const struct rt_rater_row *row = &table->rows[i];
        for (size_t at = 0; row->confusion && at < row->categories * row->categories; at++) {
            size_t p = at / row->categories, q = at % row->categories;
            if (!row->confusion[at])
                continue;
            rt_page_row(document, to);
            rt_page_text(document, to, subject_of(document, row));
            rt_page_text(document, to, rater_of(document, row));
            rt_page_text(document, to,
                         p < study->outcome_count ? study->outcomes[p].label : "none");
            rt_page_text(document, to,
                         q < study->outcome_count ? study->outcomes[q].label : "none");
            rt_page_count(document, to, row->confusion[at]);
            if (p != q)
                rt_page_mark(to, RT_MARK_WARN);
        }
    }
}

void rt_layout_raters(struct rt_document *document)
{
    if (!document->report->raters->count)
        return;
    struct rt_page_section *section = rt_page_section(
        document, "raters", "Rules, judges and people",
        "Each rater's labels stand on their own; results are never changed by them. Figures in "
        "every other section are the primary rater's, or say whose they are.");
    figures(document, section);
    beside_primary(document, section);
    by_people(document, section);
    confusions(document, section);
}
