// SPDX-License-Identifier: Apache-2.0
// Resampling, reliability over labs, odds ratios, serving stacks and languages as tables.
#include "common/report/document.h"

#define EACH_PART(document, part)                                                                  \
    for (const struct rt_report_part *part = (document)->report->parts;                            \
         part < (document)->report->parts + (document)->report->part_count; part++)

// ---- reliability

struct line {
    const char *name;
    struct rt_value value;
    struct rt_interval interval;
    bool bounded; // has an interval, or a reason for having none
};

static void reliability_table(struct rt_document *document, struct rt_page_section *section,
                              const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"figure", false, 0}, {"value", true, 0}, {"interval", true, 0}, {NULL, false, 0}};
    const struct rt_reliability *r = &part->reliability;
    const struct rt_resampled *b = &part->resampled;
    const struct rt_interval none = rt_interval_undefined(RT_REASON_NOT_REGISTERED);
    const struct line lines[] = {
        {"accordance", part->spread.accord.accordance, b->accordance.interval, true},
        {"concordance", part->spread.accord.concordance, b->concordance.interval, true},
        {"concordance odds ratio", part->spread.accord.odds_ratio, b->odds_ratio.interval, true},
        {"ICC(A,1), absolute agreement", r->icc.a1, r->icc.a1_interval, true},
        {"ICC(C,1), consistency", r->icc.c1, r->icc.c1_interval, true},
        {"Kendall's W", r->kendall.w, none, false},
        {"beta-binomial rho over labs", r->beta_binomial.rho, none, false},
        {"alpha_within, behaviour (ours)", r->behaviour.alpha_within, none, false},
        {"alpha_between, behaviour (ours)", r->behaviour.alpha_between, none, false},
        {"alpha over all trials, behaviour", r->behaviour.alpha_trials, none, false},
        {"alpha_within, severity (ours)", r->severity.alpha_within, none, false},
        {"alpha_between, severity (ours)", r->severity.alpha_between, none, false},
    };
    if (r->labs < 2)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section, rt_page_caption(document, part, "Trials and labs held side by side"),
        columns);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        rt_page_row(document, table);
        rt_page_text(document, table, lines[i].name);
        rt_page_value(document, table, lines[i].value);
        if (lines[i].bounded)
            rt_page_interval(document, table, lines[i].interval);
        else
            rt_page_text(document, table, "");
    }
    if (b->replicates)
        rt_page_note(document, table,
                     rt_arena_printf(document->arena,
                                     "Accordance, concordance and their odds ratio: %zu bootstrap "
                                     "resamples of whole scenarios.",
                                     b->replicates));
    rt_page_note(document, table,
                 "alpha_within and alpha_between are our own construction: 1 - disagreement of two "
                 "trials of one lab, or of two labs, over that by chance. The first is the ceiling "
                 "that sampling noise sets for the second.");
    table->folded = true;
}

static void alpha_note(struct rt_document *document, struct rt_page_section *section,
                       const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {{"coefficient", false, 0},
                                                    {"estimate", true, 0},
                                                    {"bootstrap interval", true, 0},
                                                    {"resamples", true, 1},
                                                    {NULL, false, 0}};
    if (!part->agreement.shown || !part->resampled.replicates)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(document, part, "Krippendorff's alpha, conditions resampled"), columns);
    rt_page_row(document, table);
    rt_page_text(document, table, "alpha, nominal");
    rt_page_value(document, table, part->agreement.alpha);
    rt_page_interval(document, table, part->resampled.alpha.interval);
    rt_page_count(document, table, part->resampled.replicates);
}

void rt_layout_reliability(struct rt_document *document, struct rt_page_section *section,
                           const struct rt_report_part *part)
{
    alpha_note(document, section, part);
    reliability_table(document, section, part);
}

// ---- odds ratios

void rt_layout_odds(struct rt_document *document, struct rt_page_section *section,
                    const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {{"contrast", false, 0},
                                                    {"labs", true, 2},
                                                    {"log odds ratio", true, 0},
                                                    {"interval", true, 0},
                                                    {"next lab", true, 1},
                                                    {"tau", true, 1},
                                                    {"log odds ratio (DL)", true, 3},
                                                    {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    if (!part->odds.count)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(document, part, "Odds ratios per lab, then random effects over labs"),
        columns);
    for (size_t i = 0; i < part->odds.count; i++) {
        const struct rt_odds_row *row = &part->odds.rows[i];
        bool degrees = row->factor == RT_MOVE_TEMPERATURE;
        const char *a =
            degrees ? rt_words_temperature(document->arena, study->temperatures_micro[row->level])
                    : study->phrasings[row->level].id;
        const char *b = degrees ? rt_words_temperature(document->arena,
                                                       study->temperatures_micro[row->reference])
                                : study->phrasings[row->reference].id;
        rt_page_row(document, table);
        rt_page_text(document, table,
                     a && b ? rt_arena_printf(document->arena, "%s%s against %s",
                                              degrees ? "temperature " : "", a, b)
                            : NULL);
        rt_page_count(document, table, row->pooled);
        rt_page_value(document, table, row->reml.mu);
        rt_page_interval(document, table, row->reml.hk);
        rt_page_interval(document, table, row->reml.prediction);
        rt_page_value(document, table, row->reml.tau);
        rt_page_value(document, table, row->dl.mu);
        if (!degrees && study->phrasings[row->level].same_as == row->reference)
            rt_page_mark_row(table, RT_MARK_NULL);
    }
    rt_page_note(document, table,
                 "Mantel-Haenszel over strata with everything else equal; REML with the "
                 "Knapp-Hartung interval. Labs whose ratio is infinite are left out.");
    table->folded = true;
}

// ---- language

void rt_layout_languages(struct rt_document *document, struct rt_page_section *section,
                         const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {{"language", false, 0},
                                                    {"phrasings", true, 1},
                                                    {"scenarios", true, 1},
                                                    {"rate or difference", true, 0},
                                                    {"scenarios like these", true, 0},
                                                    {NULL, false, 0}};
    const struct rt_languages *languages = &part->languages;
    if (!languages->count)
        return;
    struct rt_page_table *table =
        rt_page_table(document, section,
                      rt_page_caption(document, part, "By language (treatment arms)"), columns);
    for (size_t i = 0; i < languages->count; i++) {
        const struct rt_language_row *row = &languages->rows[i];
        rt_page_row(document, table);
        rt_page_text(document, table, row->language);
        rt_page_count(document, table, row->phrasings);
        rt_page_count(document, table, row->scenarios);
        rt_page_value(document, table, row->mean);
        rt_page_interval(document, table, row->like_these);
    }
    for (size_t i = 0; i < languages->pair_count; i++) {
        const struct rt_language_pair *pair = &languages->pairs[i];
        rt_page_row(document, table);
        rt_page_text(document, table,
                     rt_arena_printf(document->arena, "%s - %s", languages->rows[pair->a].language,
                                     languages->rows[pair->b].language));
        rt_page_text(document, table, "");
        rt_page_count(document, table, pair->scenarios);
        rt_page_value(document, table, pair->difference);
        rt_page_interval(document, table, pair->interval);
    }
    rt_page_note(document, table,
                 "Intervals of differences allow for all pairs of languages. A language is as far "
                 "from another as its phrasings are: with one phrasing each the two cannot be told "
                 "apart.");
}

// ---- serving stacks

void rt_layout_stacks(struct rt_document *document, struct rt_page_section *section,
                      const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {{"key", false, 0},
                                                    {"value", false, 0},
                                                    {"labs", true, 0},
                                                    {"mean rate", true, 0},
                                                    {"range", true, 1},
                                                    {"tau within", true, 0},
                                                    {"tau^2 explained", true, 1},
                                                    {"p (between)", true, 3},
                                                    {NULL, false, 0}};
    const struct rt_stacks *stacks = &part->stacks;
    if (!stacks->count)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(document, part, "Do labs disagree, or do their serving stacks?"), columns);
    for (size_t i = 0; i < stacks->count; i++) {
        const struct rt_stack_key *key = &stacks->rows[i];
        for (size_t s = 0; s < key->stratum_count; s++) {
            rt_page_row(document, table);
            rt_page_text(document, table, s ? "" : key->name);
            rt_page_text(document, table, key->strata[s].value);
            rt_page_count(document, table, key->strata[s].labs);
            rt_page_value(document, table, key->strata[s].mean);
            for (size_t blank = 0; s && blank < 4; blank++)
                rt_page_text(document, table, "");
            if (s)
                continue;
            rt_page_value(document, table, key->range);
            rt_page_value(document, table, key->tau_within);
            rt_page_percent(document, table, key->explained);
            rt_page_p(document, table, key->q_p);
        }
    }
    rt_page_note(document, table,
                 rt_arena_printf(document->arena,
                                 "Over all compared labs tau is %s (DerSimonian-Laird). A key that "
                                 "leaves little of it within groups goes with the disagreement; "
                                 "with few labs many keys will, by chance or together, so this "
                                 "names what to try, not the cause.",
                                 rt_words_number(document->arena, stacks->tau)));
    table->folded = true;
}
