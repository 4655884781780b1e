// SPDX-License-Identifier: Apache-2.0
// Replication criteria, equivalence, departures from the plan and the tests for odd labs as tables.
#include "common/report/document.h"

#define EACH_PART(document, part)                                                                  \
    for (const struct rt_report_part *part = (document)->report->parts;                            \
         part < (document)->report->parts + (document)->report->part_count; part++)

// ---- replication of originals

static const char *answer_text(enum rt_answer answer)
{
    return answer == RT_ANSWER_YES ? "yes" : answer == RT_ANSWER_NO ? "no" : "-";
}

// One criterion with one cell a hypothesis.
struct criterion {
    const char *name;
    const char *(*text)(struct rt_arena *arena, const struct rt_claim_check *check);
};

static const char *same_sign(struct rt_arena *arena, const struct rt_claim_check *check)
{
    return rt_arena_printf(arena, "%zu of %zu", check->criteria.labs_same_sign, check->labs);
}

static const char *excluding(struct rt_arena *arena, const struct rt_claim_check *check)
{
    return rt_arena_printf(arena, "%zu of %zu", check->criteria.labs_significant_same_sign,
                           check->labs);
}

static const char *pooled(struct rt_arena *arena, const struct rt_claim_check *check)
{
    const char *mu = rt_words_number(arena, check->criteria.pooled.mu);
    const char *interval = rt_words_interval(arena, check->criteria.pooled.wald);
    return mu && interval ? rt_arena_printf(arena, "%s (%s)", mu, interval) : NULL;
}

static const char *pooled_excludes(struct rt_arena *arena, const struct rt_claim_check *check)
{
    (void)arena;
    return answer_text(check->criteria.pooled_significant_same_sign);
}

static const char *original_inside(struct rt_arena *arena, const struct rt_claim_check *check)
{
    (void)arena;
    return answer_text(check->criteria.original_in_pooled_interval);
}

static const char *predicted(struct rt_arena *arena, const struct rt_claim_check *check)
{
    const char *interval = rt_words_interval(arena, check->criteria.prediction_of_pooled);
    return interval ? rt_arena_printf(arena, "%s (%s)",
                                      answer_text(check->criteria.pooled_in_prediction), interval)
                    : NULL;
}

static const char *p_orig(struct rt_arena *arena, const struct rt_claim_check *check)
{
    return rt_words_p(arena, check->criteria.p_orig);
}

static const char *q_p(struct rt_arena *arena, const struct rt_claim_check *check)
{
    return rt_words_p(arena, check->criteria.q_p);
}

static const char *share(struct rt_arena *arena, const struct rt_claim_check *check)
{
    return rt_words_percent(arena, check->criteria.share_same_sign);
}

static const char *sceptical(struct rt_arena *arena, const struct rt_claim_check *check)
{
    const char *nominal = rt_words_p(arena, check->criteria.sceptical_nominal);
    const char *golden = rt_words_p(arena, check->criteria.sceptical_golden);
    return nominal && golden ? rt_arena_printf(arena, "%s; %s", nominal, golden) : NULL;
}

static const struct criterion criteria[] = {
    {"labs with the original's sign", same_sign},
    {"labs whose interval excludes zero on that side", excluding},
    {"pooled estimate (DerSimonian-Laird)", pooled},
    {"pooled interval excludes zero on that side", pooled_excludes},
    {"original inside the pooled interval", original_inside},
    {"pooled inside what the original predicts", predicted},
    {"p of the difference (Q)", q_p},
    {"P_orig (allows for tau)", p_orig},
    {"share of labs expected on that side", share},
    {"sceptical p: nominal; golden", sceptical},
};

static void criteria_table(struct rt_document *document, struct rt_page_section *section,
                           const struct rt_report_part *part,
                           const struct rt_hypothesis_result *result)
{
    static const struct rt_page_column columns[] = {
        {"criterion", false, 0}, {"result", true, 0}, {NULL, false, 0}};
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(
            document, part,
            rt_arena_printf(document->arena, "%s against the original (%.10g, se %.10g)",
                            result->hypothesis->id, result->hypothesis->original_estimate,
                            result->hypothesis->original_se)),
        columns);
    for (size_t i = 0; i < sizeof criteria / sizeof *criteria; i++) {
        rt_page_row(document, table);
        rt_page_text(document, table, criteria[i].name);
        rt_page_text(document, table, criteria[i].text(document->arena, &result->check));
    }
    rt_page_note(document, table, result->check.sentence);
}

static void checks_table(struct rt_document *document, struct rt_page_section *section,
                         const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"hypothesis", false, 0}, {"at any stopping rule", true, 0},
        {"margin", true, 0},      {"TOST, scenarios like these", true, 0},
        {"equivalent", false, 0}, {"Newcombe", true, 2},
        {NULL, false, 0}};
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(document, part, "Beside the verdicts: stopping and equivalence"), columns);
    for (size_t i = 0; i < part->hypothesis_count; i++) {
        const struct rt_hypothesis_result *row = &part->hypotheses[i];
        const struct rt_claim_check *check = &row->check;
        rt_page_row(document, table);
        rt_page_text(document, table, row->hypothesis->id);
        rt_page_interval(document, table, check->sequence);
        rt_page_text(document, table,
                     check->has_margin
                         ? rt_arena_printf(document->arena, "%.10g", row->hypothesis->margin)
                         : "-");
        rt_page_text(document, table, rt_words_interval(document->arena, check->tost));
        rt_page_text(document, table, !check->has_margin ? "-" : check->equivalent ? "yes" : "no");
        rt_page_text(document, table, rt_words_interval(document->arena, check->newcombe));
    }
    rt_page_note(document, table,
                 "The confidence sequence holds whenever one stops, and takes trials as "
                 "independent, as Newcombe's interval does. Equivalent: the interval of two "
                 "one-sided tests lies inside +- margin.");
}

void rt_layout_replication(struct rt_document *document)
{
    struct rt_page_section *section =
        rt_page_section(document, "replication", "Replication criteria",
                        "Criteria side by side, none of which is the verdict: it follows from the "
                        "intervals above.");
    EACH_PART(document, part)
    {
        for (size_t i = 0; i < part->hypothesis_count; i++)
            if (part->hypotheses[i].check.has_original)
                criteria_table(document, section, part, &part->hypotheses[i]);
        if (part->hypothesis_count)
            checks_table(document, section, part);
    }
    if (!section->table_count)
        document->section_count--;
}

void rt_layout_deviations(struct rt_document *document)
{
    static const struct rt_page_column columns[] = {
        {"about", false, 0}, {"what", false, 0}, {NULL, false, 0}};
    const struct rt_report *report = document->report;
    if (!report->study->plan.registered)
        return;
    struct rt_page_section *section = rt_page_section(
        document, "deviations", "Deviations from the plan",
        "What the log shows that was planned otherwise. Only the hypotheses were registered; every "
        "other figure is exploratory.");
    struct rt_page_table *table = rt_page_table(document, section, "Deviations", columns);
    for (size_t i = 0; i < report->deviation_count; i++) {
        rt_page_row(document, table);
        rt_page_text(document, table, report->deviations[i].topic);
        rt_page_text(document, table, report->deviations[i].text);
    }
    if (!report->deviation_count) {
        rt_page_row(document, table);
        rt_page_text(document, table, "none");
        rt_page_text(document, table, "The log shows nothing that departs from the plan.");
    }
}

// ---- odd labs

void rt_layout_odd_tests(struct rt_document *document, struct rt_page_section *section,
                         const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"test", false, 0}, {"lab", false, 0},     {"statistic", true, 0}, {"critical", true, 1},
        {"p", true, 1},     {"p (Holm)", true, 0}, {"p (BH)", true, 0},    {NULL, false, 0}};
    const struct rt_study *study = document->report->study;
    const struct rt_odd_tests *tests = &part->odd_tests;
    if (!tests->count)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section, rt_page_caption(document, part, "Every test that can point at a lab"),
        columns);
    for (size_t i = 0; i < tests->count; i++) {
        const struct rt_odd_test *row = &tests->rows[i];
        rt_page_row(document, table);
        rt_page_text(document, table, row->test);
        rt_page_text(document, table, row->lab == RT_STUDY_NONE ? "-" : study->labs[row->lab].id);
        rt_page_value(document, table, row->statistic);
        rt_page_value(document, table, row->critical);
        rt_page_p(document, table, row->p);
        rt_page_p(document, table, row->holm);
        rt_page_p(document, table, row->benjamini_hochberg);
        if (row->flagged)
            rt_page_mark_row(table, RT_MARK_WARN);
    }
    rt_page_note(
        document, table,
        rt_arena_printf(document->arena,
                        "%zu of %zu looks stay below %.4g after Holm's adjustment over all "
                        "of them. With few labs these tests miss much and, unadjusted, "
                        "point at somebody often: none of them names a lab here. On 0/1 "
                        "results C and k follow the rate.",
                        tests->flagged, tests->looks, 1 - study->plan.confidence));
    table->folded = true;
}
