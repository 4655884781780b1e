// SPDX-License-Identifier: Apache-2.0
// Participation, agreement, labs, sensitivity, fingerprints, method and provenance as tables.
#include <stdio.h>
#include <string.h>

#include "common/report/document.h"

#define EACH_PART(document, part)                                                                  \
    for (const struct rt_report_part *part = (document)->report->parts;                            \
         part < (document)->report->parts + (document)->report->part_count; part++)

// ---- who took part

static const char *state_text(struct rt_document *document, const struct rt_study_lab *lab)
{
    return rt_arena_printf(document->arena, "%s%s%s", rt_study_lab_state_text(lab->state),
                           lab->late ? ", joined late" : "",
                           lab->quarantined ? ", quarantined" : "");
}

static void participation_row(struct rt_document *document, struct rt_page_table *table,
                              const struct rt_participation *row,
                              const struct rt_study_counters *counters)
{
    rt_page_count(document, table, row->planned);
    rt_page_count(document, table, row->received);
    rt_page_count(document, table, row->missing);
    if (row->missing)
        rt_page_mark(table, RT_MARK_WARN);
    rt_page_percent(document, table, row->missing_share);
    rt_page_count(document, table, row->not_returned);
    rt_page_count(document, table, row->failed);
    rt_page_count(document, table, row->withheld);
    rt_page_count(document, table, row->silent);
    rt_page_count(document, table, counters->late);
    rt_page_count(document, table, counters->invalid);
    rt_page_count(document, table, counters->duplicate);
    rt_page_count(document, table, counters->retried);
}

void rt_layout_participation(struct rt_document *document)
{
    static const struct rt_page_column plain[] = {
        {"lab", false, 0},           {"state", false, 1},  {"planned", true, 0},
        {"received", true, 0},       {"missing", true, 0}, {"share", true, 0},
        {"not returned", true, 2},   {"failed", true, 2},  {"withheld", true, 3},
        {"model failures", true, 4}, {"late", true, 3},    {"invalid", true, 3},
        {"duplicate", true, 3},      {"retried", true, 5}, {NULL, false, 0}};
    static const struct rt_page_column with_identity[] = {
        {"lab", false, 0},           {"state", false, 1},  {"model is", false, 1},
        {"planned", true, 0},
        {"received", true, 0},       {"missing", true, 0}, {"share", true, 0},
        {"not returned", true, 2},   {"failed", true, 2},  {"withheld", true, 3},
        {"model failures", true, 4}, {"late", true, 3},    {"invalid", true, 3},
        {"duplicate", true, 3},      {"retried", true, 5}, {NULL, false, 0}};
    const struct rt_report *report = document->report;
    const struct rt_study *study = report->study;
    struct rt_study_counters sum = {0};
    struct rt_page_section *section = rt_page_section(
        document, "participation", "Who took part, and what is missing",
        "Missing = not returned + failed (errors, timeouts) + withheld. Model failures (not "
        "exposed, truncated, badly formatted) are in the denominator. Late, invalid and duplicate "
        "arrivals are counted and never added.");
    const char **identity = rt_layout_identity(document);
    bool known = identity != NULL;
    struct rt_page_table *table = rt_page_table(document, section, "Trials by lab",
                                                known ? with_identity : plain);
    if (known)
        rt_page_note(document, table,
                     "The model is hashed where the lab's weights have the campaign's digest, "
                     "behavioural where its answers passed the test against the reference sample, "
                     "declared where there is the lab's word alone.");
    for (size_t l = 0; l < study->lab_count; l++) {
        const struct rt_study_lab *lab = &study->labs[l];
        rt_page_row(document, table);
        rt_page_text(document, table, lab->id);
        rt_page_text(document, table, state_text(document, lab));
        if (known)
            rt_page_text(document, table, identity[l]);
        participation_row(document, table, &report->participation[l], &lab->counters);
        sum.late += lab->counters.late;
        sum.invalid += lab->counters.invalid;
        sum.duplicate += lab->counters.duplicate;
        sum.retried += lab->counters.retried;
        if (*lab->note)
            rt_page_note(document, table,
                         rt_arena_printf(document->arena, "%s: %s", lab->id, lab->note));
        if (*lab->cause)
            rt_page_note(
                document, table,
                rt_arena_printf(document->arena, "%s, recorded cause: %s", lab->id, lab->cause));
    }
    rt_page_row(document, table);
    rt_page_text(document, table, "all");
    rt_page_text(document, table, "");
    if (known)
        rt_page_text(document, table, "");
    participation_row(document, table, &report->total, &sum);
    if (!document->failed)
        table->rows[table->row_count - 1].strong = true;
    if (!study->plan_known)
        rt_page_note(document, table, "No plan came with the data: planned is what was received.");
    rt_layout_maps(document, section);
}

// ---- agreement

static void headline_rows(struct rt_document *document, struct rt_page_table *table,
                          const struct rt_report_part *part)
{
    const struct rt_estimate *e = &part->overall;
    rt_page_row(document, table);
    const char *about = rt_page_about(document, part);
    rt_page_text(document, table,
                 about && *about ? about : document->report->study->subjects[part->subject].id);
    rt_page_count(document, table, e->labs);
    rt_page_value(document, table, e->mean);
    rt_page_interval(document, table, e->this_bench);
    rt_page_interval(document, table, e->like_these);
    rt_page_interval(document, table, e->prediction);
    rt_page_value(document, table, e->tau);
    rt_page_interval(document, table, e->tau_interval);
    rt_page_value(document, table, part->spread.s_r);
    rt_page_value(document, table, part->spread.s_l);
    rt_page_value(document, table, part->spread.s_rr);
    rt_page_value(document, table, part->spread.accord.accordance);
    rt_page_value(document, table, part->spread.accord.concordance);
}

static void verdict_row(struct rt_document *document, struct rt_page_table *table, const char *name,
                        struct rt_value estimate, struct rt_interval interval)
{
    rt_page_row(document, table);
    rt_page_text(document, table, name);
    rt_page_value(document, table, estimate);
    rt_page_text(document, table, rt_words_interval(document->arena, interval));
}

static void verdict_agreement(struct rt_document *document, struct rt_page_section *section,
                              const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"coefficient", false, 0}, {"value", true, 0}, {"interval", true, 0}, {NULL, false, 0}};
    const struct rt_agreement *a = &part->agreement;
    struct rt_page_table *table = rt_page_table(
        document, section, rt_page_caption(document, part, "Agreement on verdicts"), columns);
    const char *share = rt_words_percent(document->arena, rt_value(a->minority_share));
    char threshold[32];
    snprintf(threshold, sizeof threshold, "%.4g",
             (double)document->report->study->plan.verdict_threshold_micro / 1000000);
    rt_page_note(document, table,
                 rt_arena_printf(document->arena,
                                 "A lab's verdict in a condition: its rate is above or below %s. "
                                 "%zu conditions, %zu verdicts, %zu on the threshold; %s of "
                                 "verdicts are in the minority.",
                                 threshold, a->conditions, a->verdicts.verdicts, a->verdicts.ties,
                                 share ? share : ""));
    if (!a->shown) {
        rt_page_row(document, table);
        rt_page_text(document, table,
                     strcmp(a->reason, "minority_below_10_percent") == 0
                         ? "not shown: under 10 % of verdicts are in the minority"
                         : "not defined: fewer than two labs or no verdicts");
        rt_page_text(document, table, "-");
        rt_page_text(document, table, "-");
        return;
    }
    struct rt_interval none = rt_interval_undefined(RT_REASON_SINGLE_LEVEL);
    verdict_row(document, table, "Krippendorff's alpha", a->alpha, none);
    verdict_row(document, table, "Fleiss' kappa", a->kappa.estimate, a->kappa.interval);
    verdict_row(document, table, "Gwet's AC1", a->ac1.estimate, a->ac1.interval);
    verdict_row(document, table, "agreement (share)", a->percent, none);
    if (rt_value_ok(a->alpha_se))
        rt_page_note(document, table,
                     rt_arena_printf(document->arena, "Jackknife standard error of alpha: %s.",
                                     rt_words_number(document->arena, a->alpha_se)));
}

static void heterogeneity_table(struct rt_document *document, struct rt_page_section *section,
                                const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {
        {"tau^2 (DL)", true, 0}, {"tau^2 (REML)", true, 0}, {"Q", true, 0},
        {"p", true, 0},          {"I^2", true, 0},          {"X^2 over conditions", true, 1},
        {"df", true, 1},         {"p upper", true, 1},      {"p lower", true, 1},
        {NULL, false, 0}};
    const struct rt_heterogeneity *h = &part->heterogeneity;
    struct rt_page_table *table = rt_page_table(
        document, section, rt_page_caption(document, part, "Heterogeneity between labs"), columns);
    rt_page_row(document, table);
    const struct rt_value small[] = {h->tau2_dl, h->tau2_reml};
    for (size_t i = 0; i < 2; i++)
        rt_page_text(document, table,
                     rt_value_ok(small[i])
                         ? rt_arena_printf(document->arena, "%.3g", small[i].number)
                         : "-");
    rt_page_value(document, table, h->q);
    rt_page_p(document, table, h->q_p);
    rt_page_percent(document, table,
                    rt_value_ok(h->i2_percent) ? rt_value(h->i2_percent.number / 100)
                                               : h->i2_percent);
    rt_page_value(document, table, h->conditions.chi2);
    rt_page_count(document, table, h->conditions.df);
    rt_page_p(document, table, h->conditions.p_upper);
    rt_page_p(document, table, h->conditions.p_lower);
    rt_page_note(document, table,
                 "I^2 grows with the number of trials and says little about how "
                 "far labs differ; read tau. X^2 leaves out temperature 0.");
}

void rt_layout_agreement(struct rt_document *document)
{
    static const struct rt_page_column columns[] = {{"subject", false, 0},
                                                    {"labs", true, 3},
                                                    {"rate", true, 0},
                                                    {"this bench", true, 1},
                                                    {"scenarios like these", true, 0},
                                                    {"next lab", true, 1},
                                                    {"tau", true, 0},
                                                    {"tau interval", true, 0},
                                                    {"s_r", true, 2},
                                                    {"s_L", true, 2},
                                                    {"s_R", true, 2},
                                                    {"accordance", true, 3},
                                                    {"concordance", true, 3},
                                                    {NULL, false, 0}};
    struct rt_page_section *section = rt_page_section(
        document, "agreement", "Agreement across labs",
        "tau is how far labs truly differ (standard deviation); the next lab's own figure is "
        "expected inside its interval. s_r is the variation within a lab, s_R within and between.");
    struct rt_page_table *table =
        rt_page_table(document, section,
                      document->report->study->scores ? "Mean score over treatment arms"
                                                      : "Rate of the behaviour over treatment arms",
                      columns);
    EACH_PART(document, part) headline_rows(document, table, part);
    EACH_PART(document, part)
    {
        heterogeneity_table(document, section, part);
        verdict_agreement(document, section, part);
        rt_layout_reliability(document, section, part);
    }
}

// ---- each lab

static void lab_row(struct rt_document *document, struct rt_page_table *table,
                    const struct rt_lab_row *row, bool effects, bool repeats, bool known)
{
    const struct rt_study_lab *lab = &document->report->study->labs[row->lab];
    const struct rt_lab_look *rate = &row->looks[RT_LOOK_RATE];
    const struct rt_lab_look *effect = &row->looks[RT_LOOK_EFFECT];
    rt_page_row(document, table);
    rt_page_text(document, table,
                 rt_arena_printf(document->arena, "%s%s", lab->id,
                                 row->odd        ? " (stands apart)"
                                 : row->compared ? ""
                                                 : " (not compared)"));
    rt_page_count(document, table, row->n);
    rt_page_value(document, table, row->compared ? rate->value : row->estimate.mean);
    rt_page_interval(document, table, row->estimate.this_bench);
    rt_page_interval(document, table, row->estimate.like_these);
    rt_page_value(document, table, rate->z_prime);
    rt_page_p(document, table, rate->p_holm);
    if (effects) {
        rt_page_value(document, table, effect->value);
        rt_page_value(document, table, effect->z_prime);
        rt_page_p(document, table, effect->p_holm);
    }
    rt_page_value(document, table, row->h);
    rt_page_value(document, table, row->k);
    if (repeats)
        rt_page_count(document, table, row->n - row->repeated);
    if (known)
        rt_page_percent(document, table, row->known_share);
    if (row->odd)
        rt_page_mark_row(table, RT_MARK_BAD);
}

static void labs_table(struct rt_document *document, struct rt_page_section *section,
                       const struct rt_report_part *part)
{
    bool effects = part->contrasts.count > 0, known = part->known_n > 0;
    bool repeats = document->report->study->repeats_known;
    struct rt_page_column columns[20] = {{"lab", false, 0},
                                         {"trials", true, 3},
                                         {"rate", true, 0},
                                         {"this lab", true, 1},
                                         {"scenarios like these", true, 2},
                                         {"z'", true, 0},
                                         {"p (Holm)", true, 0}};
    size_t count = 7;
    if (effects) {
        columns[count++] = (struct rt_page_column){"effect", true, 1};
        columns[count++] = (struct rt_page_column){"z' (effect)", true, 1};
        columns[count++] = (struct rt_page_column){"p (Holm, effect)", true, 3};
    }
    columns[count++] = (struct rt_page_column){"h", true, 2};
    columns[count++] = (struct rt_page_column){"k", true, 2};
    if (repeats)
        columns[count++] = (struct rt_page_column){"distinct", true, 4};
    if (known)
        columns[count++] = (struct rt_page_column){"known answers right", true, 3};
    struct rt_page_table *table = rt_page_table(
        document, section, rt_page_caption(document, part, "Each lab against the rest"), columns);
    for (size_t l = 0; l < part->lab_count; l++)
        lab_row(document, table, &part->labs[l], effects, repeats, known);
    if (rt_value_ok(part->h_critical) && rt_value_ok(part->k_critical))
        rt_page_note(
            document, table,
            rt_arena_printf(document->arena,
                            "Mandel's h and k: critical values %s and %s, not adjusted for "
                            "the number of labs and not used to name one.",
                            rt_words_number(document->arena, part->h_critical),
                            rt_words_number(document->arena, part->k_critical)));
    if (document->report->study->plan.has_sigma_pt)
        rt_page_note(document, table,
                     rt_arena_printf(document->arena,
                                     "z' against sigma_pt = %.10g; named at |z'| >= %d with the "
                                     "Holm-adjusted p that allows for sampling noise.",
                                     document->report->study->plan.sigma_pt, RT_REPORT_ODD_Z));
}

static void keys_table(struct rt_document *document, struct rt_page_section *section,
                       const struct rt_report_part *part)
{
    static const struct rt_page_column columns[] = {{"lab", false, 0},
                                                    {"key", false, 0},
                                                    {"its value", false, 0},
                                                    {"other labs", false, 0},
                                                    {NULL, false, 0}};
    if (!part->odd_count)
        return;
    struct rt_page_table *table = rt_page_table(
        document, section,
        rt_page_caption(document, part, "What only a named lab's serving fingerprint has"),
        columns);
    for (size_t l = 0; l < part->lab_count; l++) {
        const struct rt_lab_row *row = &part->labs[l];
        for (size_t i = 0; row->odd && i < row->key_count; i++) {
            rt_page_row(document, table);
            rt_page_text(document, table, document->report->study->labs[l].id);
            rt_page_text(document, table, row->keys[i].name);
            rt_page_text(document, table, row->keys[i].value);
            rt_page_text(document, table, row->keys[i].others);
            if (row->keys[i].canary)
                rt_page_mark_row(table, RT_MARK_BAD);
        }
    }
    if (!table->row_count && section->table_count)
        section->table_count--;
}

void rt_layout_labs(struct rt_document *document)
{
    struct rt_page_section *section = rt_page_section(
        document, "labs", "Each lab against the rest",
        "A lab is named only against a sigma_pt fixed beforehand. Flagged labs stay in every "
        "figure; what would change without them is in the next section.");
    EACH_PART(document, part)
    {
        labs_table(document, section, part);
        rt_layout_odd_tests(document, section, part);
        keys_table(document, section, part);
    }
}

void rt_layout_sensitivity(struct rt_document *document)
{
    static const struct rt_page_column columns[] = {
        {"labs used", false, 0}, {"labs", true, 1}, {"rate", true, 0},
        {"this bench", true, 0}, {"tau", true, 0},  {"tau interval", true, 0},
        {NULL, false, 0}};
    struct rt_page_section *section =
        rt_page_section(document, "sensitivity", "Sensitivity: labs and repeats left out",
                        "How far the headline rests on any one lab, on "
                        "labs under quarantine or late, on weights "
                        "nobody hashed, and on outputs that repeat "
                        "earlier ones.");
    EACH_PART(document, part)
    {
        if (part->without_count < 2)
            continue;
        struct rt_page_table *table = rt_page_table(
            document, section, rt_page_caption(document, part, "Leaving labs out"), columns);
        for (size_t i = 0; i < part->without_count; i++) {
            const struct rt_without *row = &part->without[i];
            rt_page_row(document, table);
            rt_page_text(document, table, row->label);
            rt_page_count(document, table, row->labs);
            rt_page_value(document, table, row->mean);
            rt_page_interval(document, table, row->this_bench);
            rt_page_value(document, table, row->tau);
            rt_page_interval(document, table, row->tau_interval);
            if (i == 0 && !document->failed)
                table->rows[0].strong = true;
            if (row->lab != RT_STUDY_NONE && part->labs[row->lab].odd)
                rt_page_mark_row(table, RT_MARK_BAD);
        }
    }
    if (!section->table_count)
        document->section_count--;
}

void rt_layout_method(struct rt_document *document)
{
    static const struct rt_page_column rules[] = {
        {"figure", false, 0}, {"rule", false, 0}, {NULL, false, 0}};
    static const struct rt_page_column facts[] = {
        {"what", false, 0}, {"value", false, 0}, {NULL, false, 0}};
    const struct rt_report *report = document->report;
    const struct rt_study *study = report->study;
    struct rt_page_section *section = rt_page_section(
        document, "method", "Method and provenance",
        "How figures and words come about. report.json holds every figure unrounded "
        "to 10 digits, and more of them.");
    struct rt_page_table *table = rt_page_table(document, section, "Provenance", facts);
    for (size_t i = 0; i < study->provenance_count; i++) {
        rt_page_row(document, table);
        rt_page_text(document, table, study->provenance[i].name);
        rt_page_text(document, table, study->provenance[i].value);
    }
    rt_page_row(document, table);
    rt_page_text(document, table, "cells");
    rt_page_text(document, table, report->cells_digest);
    table = rt_page_table(document, section, "Rules", rules);
    for (size_t i = 0; i < report->method.count; i++) {
        rt_page_row(document, table);
        rt_page_text(document, table, report->method.rows[i].name);
        rt_page_text(document, table, report->method.rows[i].value);
    }
    table->folded = true;
}
