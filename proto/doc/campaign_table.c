// SPDX-License-Identifier: Apache-2.0
// campaign.yaml and the compiled campaign, field by field.
#include "proto/doc/bench_doc.h"
#include "proto/doc/campaign_doc.h"

#define TWO   2000000 // millionths
#define ONE   1000000
#define INDEX .most = UINT32_MAX // of something, or RT_NONE

static const char *const design_words[] = {"crossed", "balanced", "adaptive", NULL};
static const char *const seeds_words[] = {"shared", "per-lab", NULL};
static const char *const measure_words[] = {"prevalence", "risk_difference", NULL};
static const char *const claim_words[] = {">", "<", "within", NULL};
static const char *const rater_words[] = {"rules", "judge", "human", NULL};
static const char *const multiplicity_words[] = {"none", "holm", "bh", NULL};
static const char *const transcripts_words[] = {"full", "commit", "escrow", NULL};
static const char *const statistic_words[] = {"tau", NULL};
static const char *const role_words[] = {"treatment", "inert", NULL};

// ---- parts of both

static const struct rt_doc_field subject_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_subject, id), .least = 1},
    {"family", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_subject, family), .least = 1},
    {"revision", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_subject, revision), .most = 128},
    {"weights", RT_DOC_DIGEST, 0, RT_AT(rt_subject, weights), RT_HAS(rt_subject, has_weights),
     .help = "digest of the weights"},
    {"temperatures", RT_DOC_MICROS, RT_DOC_REQUIRED,
     RT_COUNTED(rt_subject, temperatures_micro, temperature_count), .least = 1,
     .most = RT_TEMPERATURES_MOST, .item_least = 0, .item_most = TWO, .help = "0.0 to 2.0"},
};
static const struct rt_doc_table subject_table = {
    .name = "a subject", .size = sizeof(struct rt_subject), RT_DOC_FIELDS(subject_fields)};

static const struct rt_doc_field unit_fields[] = {
    {"trials", RT_DOC_U32, 0, RT_AT(rt_unit_rule, trials), .least = 1, .most = RT_UNIT_TRIALS_MOST,
     .preset = "32"},
    {"attempts", RT_DOC_U32, 0, RT_AT(rt_unit_rule, attempts), .least = 1, .most = 100,
     .preset = "3", .help = "tries of a trial that ends in error or timeout"},
    {"reissue_after", RT_DOC_DURATION, 0, RT_AT(rt_unit_rule, reissue_after_ms), .preset = "30m"},
    {"accept_until", RT_DOC_DURATION, 0, RT_AT(rt_unit_rule, accept_until_ms), .preset = "7d",
     .help = "after issue; later results do not count"},
};
static const struct rt_doc_table unit_table = {
    .name = "unit", .size = sizeof(struct rt_unit_rule), RT_DOC_FIELDS(unit_fields)};

static const struct rt_doc_field disclosure_fields[] = {
    {"class", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_disclosure, class), .least = 1,
     .help = "data class of what is published"},
    {"transcripts", RT_DOC_ENUM, 0, RT_AT(rt_disclosure, transcripts), .words = transcripts_words,
     .preset = "commit", .help = "what labs do with them"},
    {"embargo_until", RT_DOC_DATE, 0, RT_AT(rt_disclosure, embargo_until_ms)},
    {"remediation_window", RT_DOC_DURATION, 0, RT_AT(rt_disclosure, remediation_window_ms)},
};
static const struct rt_doc_table disclosure_table = {
    .name = "disclosure", .size = sizeof(struct rt_disclosure), RT_DOC_FIELDS(disclosure_fields)};

static const struct rt_doc_field approval_fields[] = {
    {"kind", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_approval, kind), .least = 1},
    {"ref", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_approval, ref), .least = 1,
     .most = 256},
    {"digest", RT_DOC_DIGEST, 0, RT_AT(rt_approval, digest), RT_HAS(rt_approval, has_digest)},
};
static const struct rt_doc_table approval_table = {
    .name = "an approval", .size = sizeof(struct rt_approval), RT_DOC_FIELDS(approval_fields)};

// ---- campaign.yaml

static enum rt_status read_runs(struct rt_doc_reader *reader, const struct rt_node *node,
                                void *record)
{
    struct rt_plan *plan = record;
    if (node->kind != RT_NODE_MAP || node->count > RT_LABS_MOST)
        return rt_doc_fail(reader, RT_MALFORMED, node->line,
                           "`run` must map labs to lists of subjects");
    plan->runs = rt_arena_array(reader->arena, node->count, sizeof *plan->runs);
    if (!plan->runs)
        return rt_doc_no_memory(reader);
    for (const struct rt_node *child = node->first; child; child = child->next) {
        struct rt_plan_run *run = &plan->runs[plan->run_count++];
        *run = (struct rt_plan_run){.lab = child->key, .line = child->line};
        if (child->kind != RT_NODE_LIST || child->count == 0 || child->count > RT_SUBJECTS_MOST)
            return rt_doc_fail(reader, RT_MALFORMED, child->line,
                               "`%s` in `run` must be a list of subjects", child->key);
        run->subjects = rt_arena_array(reader->arena, child->count, sizeof *run->subjects);
        if (!run->subjects)
            return rt_doc_no_memory(reader);
        for (const struct rt_node *item = child->first; item; item = item->next) {
            if (item->kind != RT_NODE_SCALAR)
                return rt_doc_fail(reader, RT_MALFORMED, item->line,
                                   "a subject is named by its id");
            run->subjects[run->subject_count++] = item->text;
        }
    }
    return RT_OK;
}

static const struct rt_doc_field design_fields[] = {
    {"kind", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_plan_design, kind), .words = design_words,
     .help = "crossed: every lab runs every trial"},
    {"replicates", RT_DOC_U64, RT_DOC_REQUIRED, RT_AT(rt_plan_design, replicates), .least = 1,
     .most = 1000000000},
    {"replicates_at_zero", RT_DOC_U64, 0, RT_AT(rt_plan_design, replicates_at_zero),
     RT_HAS(rt_plan_design, has_replicates_at_zero), .most = 1000000000,
     .help = "of configurations at temperature 0; as many as the others where absent"},
    {"seeds", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_plan_design, seeds), .words = seeds_words},
    {"labs_per_trial", RT_DOC_U32, 0, RT_AT(rt_plan_design, labs_per_trial), .least = 1,
     .help = "balanced designs"},
    {"half_width", RT_DOC_MICRO, 0, RT_AT(rt_plan_design, half_width_micro), .item_least = 1,
     .item_most = ONE, .help = "adaptive designs"},
    {"ceiling", RT_DOC_U64, 0, RT_AT(rt_plan_design, ceiling), .least = 1,
     .help = "adaptive designs"},
};
static const struct rt_doc_table design_table = {.name = "design",
                                                 .size = sizeof(struct rt_plan_design),
                                                 .line_offset =
                                                     offsetof(struct rt_plan_design, line),
                                                 RT_DOC_FIELDS(design_fields)};

static const struct rt_doc_field original_fields[] = {
    {"estimate", RT_DOC_MICRO, RT_DOC_REQUIRED, RT_AT(rt_plan_hypothesis, original_estimate_micro)},
    {"se", RT_DOC_MICRO, RT_DOC_REQUIRED, RT_AT(rt_plan_hypothesis, original_se_micro),
     .item_least = 1, .item_most = INT64_MAX},
    {"source", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_plan_hypothesis, original_source),
     .most = 256},
};
static const struct rt_doc_table original_table = {
    .name = "original", .size = sizeof(struct rt_plan_hypothesis), RT_DOC_FIELDS(original_fields)};

static const struct rt_doc_field hypothesis_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_NAME, RT_AT(rt_plan_hypothesis, id),
     .least = 1},
    {"primary", RT_DOC_BOOL, 0, RT_AT(rt_plan_hypothesis, primary)},
    {"subject", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_plan_hypothesis, subject),
     .least = 1},
    {"measure", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_plan_hypothesis, measure),
     .words = measure_words},
    {"contrast", RT_DOC_TEXTS, RT_DOC_IS_ID,
     RT_COUNTED(rt_plan_hypothesis, contrast, contrast_count), .least = 2, .most = 2,
     .help = "two arms: the first minus the second"},
    {"arm", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_plan_hypothesis, arm)},
    {"claim", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_plan_hypothesis, claim),
     .least = 1, .most = 32, .help = "\"> 0.05\", \"< 0.02\" or \"within 0.05\""},
    {"margin", RT_DOC_MICRO, 0, RT_AT(rt_plan_hypothesis, margin_micro), .item_least = 0,
     .item_most = ONE},
    {"original", RT_DOC_STRUCT, 0, .offset = 0, RT_HAS(rt_plan_hypothesis, has_original),
     .item = &original_table, .help = "the claim to be replicated"},
};
static const struct rt_doc_table hypothesis_table = {.name = "a hypothesis",
                                                     .size = sizeof(struct rt_plan_hypothesis),
                                                     .line_offset =
                                                         offsetof(struct rt_plan_hypothesis, line),
                                                     RT_DOC_FIELDS(hypothesis_fields)};

static enum rt_status read_statistic(struct rt_doc_reader *reader, const struct rt_node *node,
                                     void *record)
{
    (void)record;
    const char *text = node->kind == RT_NODE_SCALAR ? node->text : "";
    if (strcmp(text, "tau") == 0)
        return RT_OK;
    return rt_doc_fail(reader, RT_MALFORMED, node->line, "`statistic` is `%s`%s", text,
                       rt_doc_suggest(reader, text, statistic_words));
}

#define ANALYSIS(member) RT_AT(rt_plan, campaign.analysis.member)
static const struct rt_doc_field agreement_fields[] = {
    {"statistic", RT_DOC_TEXT, RT_DOC_REQUIRED, .read = read_statistic, .help = "tau"},
    {"at_most", RT_DOC_MICRO, RT_DOC_REQUIRED, ANALYSIS(tau_at_most_micro), .item_least = 0,
     .item_most = ONE, .help = "the upper Q-profile limit of tau is compared with it"},
    {"sigma_pt", RT_DOC_MICRO, RT_DOC_REQUIRED, ANALYSIS(sigma_pt_micro), .item_least = 1,
     .item_most = ONE, .help = "the difference from the others that a lab is allowed"},
};
static const struct rt_doc_table agreement_table = {
    .name = "agreement", .size = sizeof(struct rt_plan), RT_DOC_FIELDS(agreement_fields)};

static const struct rt_doc_field analysis_fields[] = {
    {"behaviour", RT_DOC_TEXTS, RT_DOC_REQUIRED | RT_DOC_IS_ID,
     RT_COUNTED(rt_plan, behaviour, behaviour_count), .least = 1, .most = RT_LABELS_MOST,
     .help = "labels that count as the behaviour"},
    {"primary_rater", RT_DOC_ENUM, 0, ANALYSIS(primary_rater), .words = rater_words,
     .preset = "rules"},
    {"hypotheses", RT_DOC_LIST, 0, RT_COUNTED(rt_plan, hypotheses, hypothesis_count),
     .item = &hypothesis_table, .most = RT_HYPOTHESES_MOST},
    {"agreement", RT_DOC_STRUCT, 0, .offset = 0, RT_HAS(rt_plan, campaign.analysis.has_agreement),
     .item = &agreement_table},
    {"verdict_threshold", RT_DOC_MICRO, RT_DOC_REQUIRED, ANALYSIS(verdict_threshold_micro),
     .item_least = 0, .item_most = ONE},
    {"multiplicity", RT_DOC_ENUM, RT_DOC_REQUIRED, ANALYSIS(multiplicity),
     .words = multiplicity_words},
    {"confidence", RT_DOC_MICRO, RT_DOC_REQUIRED, ANALYSIS(confidence_micro), .item_least = 500000,
     .item_most = 999999, .help = "0.95"},
    {"bootstrap", RT_DOC_U64, 0, ANALYSIS(bootstrap), .most = 100000, .preset = "1999"},
};
static const struct rt_doc_table analysis_table = {.name = "analysis",
                                                   .size = sizeof(struct rt_plan),
                                                   .line_offset =
                                                       offsetof(struct rt_plan, analysis_line),
                                                   RT_DOC_FIELDS(analysis_fields)};

static const struct rt_doc_field plan_fields[] = {
    RT_DOC_FORMAT_FIELD,
    {"campaign", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_plan, campaign.id),
     .least = 1},
    {"title", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_plan, campaign.title),
     .least = 1, .most = 256, .help = "the question"},
    {"bench", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_plan, bench), .least = 1,
     .most = 1024, .help = "the bench's folder, from where this file is"},
    {"subjects", RT_DOC_LIST, RT_DOC_REQUIRED,
     RT_COUNTED(rt_plan, campaign.subjects, campaign.subject_count), .item = &subject_table,
     .least = 1, .most = RT_SUBJECTS_MOST},
    {"labs", RT_DOC_TEXTS, RT_DOC_REQUIRED | RT_DOC_IS_ID | RT_DOC_ALL,
     RT_COUNTED(rt_plan, labs, lab_count), RT_HAS(rt_plan, labs_all), .least = 1,
     .most = RT_LABS_MOST},
    {"run", RT_DOC_MAP, 0, .read = read_runs,
     .help = "lab: [subject, ...]; default: whatever the roster says it serves"},
    {"design", RT_DOC_STRUCT, RT_DOC_REQUIRED, RT_AT(rt_plan, design), .item = &design_table},
    {"phrasings", RT_DOC_TEXTS, RT_DOC_IS_ID | RT_DOC_ALL,
     RT_COUNTED(rt_plan, phrasings, phrasing_count), RT_HAS(rt_plan, phrasings_all), .least = 1,
     .most = RT_SCENARIO_PHRASINGS_MOST},
    {"unit", RT_DOC_STRUCT, 0, RT_AT(rt_plan, campaign.unit), .item = &unit_table},
    {"close_within", RT_DOC_DURATION, 0, RT_AT(rt_plan, campaign.close_within_ms), .preset = "72h",
     .help = "after close, when a lab that said nothing is written down as such"},
    {"analysis", RT_DOC_STRUCT, RT_DOC_REQUIRED, .offset = 0, .item = &analysis_table},
    {"disclosure", RT_DOC_STRUCT, RT_DOC_REQUIRED, RT_AT(rt_plan, campaign.disclosure),
     .item = &disclosure_table},
    {"approvals", RT_DOC_LIST, 0, RT_COUNTED(rt_plan, campaign.approvals, campaign.approval_count),
     .item = &approval_table, .most = 64},
};
const struct rt_doc_table rt_plan_table = {
    .name = "the campaign", .size = sizeof(struct rt_plan), RT_DOC_FIELDS(plan_fields)};

// ---- the object

static const struct rt_doc_field object_arm_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_campaign_arm, id), .least = 1},
    {"role", RT_DOC_ENUM, 0, RT_AT(rt_campaign_arm, role), .words = role_words},
    {"of", RT_DOC_U32, 0, RT_AT(rt_campaign_arm, of), INDEX},
};
static const struct rt_doc_table object_arm_table = {
    .name = "arm", .size = sizeof(struct rt_campaign_arm), RT_DOC_FIELDS(object_arm_fields)};

static const struct rt_doc_field object_phrasing_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_campaign_phrasing, id), .least = 1},
    {"lang", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_campaign_phrasing, lang), .least = 1,
     .most = 35},
    {"same_as", RT_DOC_U32, 0, RT_AT(rt_campaign_phrasing, same_as), INDEX},
};
static const struct rt_doc_table object_phrasing_table = {.name = "phrasing",
                                                          .size =
                                                              sizeof(struct rt_campaign_phrasing),
                                                          RT_DOC_FIELDS(object_phrasing_fields)};

static const struct rt_doc_field object_scenario_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_campaign_scenario, id), .least = 1},
    {"title", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_campaign_scenario, title), .least = 1,
     .most = 256},
    {"class", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_campaign_scenario, class), .least = 1},
    {"digest", RT_DOC_DIGEST, 0, RT_AT(rt_campaign_scenario, digest)},
    {"arms", RT_DOC_LIST, 0, RT_COUNTED(rt_campaign_scenario, arms, arm_count),
     .item = &object_arm_table, .least = 1, .most = RT_SCENARIO_ARMS_MOST},
    {"phrasings", RT_DOC_LIST, 0, RT_COUNTED(rt_campaign_scenario, phrasings, phrasing_count),
     .item = &object_phrasing_table, .least = 1, .most = RT_SCENARIO_PHRASINGS_MOST},
};
static const struct rt_doc_table object_scenario_table = {.name = "scenario",
                                                          .size =
                                                              sizeof(struct rt_campaign_scenario),
                                                          RT_DOC_FIELDS(object_scenario_fields)};

static const struct rt_doc_field object_lab_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_campaign_lab, id), .least = 1},
    {"runs", RT_DOC_U64, 0, RT_AT(rt_campaign_lab, runs), .least = 1, .most = UINT64_MAX},
};
static const struct rt_doc_table object_lab_table = {
    .name = "lab", .size = sizeof(struct rt_campaign_lab), RT_DOC_FIELDS(object_lab_fields)};

static const struct rt_doc_field object_design_fields[] = {
    {"kind", RT_DOC_ENUM, 0, RT_AT(rt_campaign_design, kind), .words = design_words},
    {"replicates", RT_DOC_U64, 0, RT_AT(rt_campaign_design, replicates), .least = 1,
     .most = 1000000000},
    {"replicates_at_zero", RT_DOC_U64, 0, RT_AT(rt_campaign_design, replicates_at_zero),
     .most = 1000000000},
    {"seeds", RT_DOC_ENUM, 0, RT_AT(rt_campaign_design, seeds), .words = seeds_words},
};
static const struct rt_doc_table object_design_table = {.name = "design",
                                                        .size = sizeof(struct rt_campaign_design),
                                                        RT_DOC_FIELDS(object_design_fields)};

static const struct rt_doc_field object_original_fields[] = {
    {"estimate", RT_DOC_MICRO, 0, RT_AT(rt_hypothesis, original_estimate_micro)},
    {"se", RT_DOC_MICRO, 0, RT_AT(rt_hypothesis, original_se_micro), .item_least = 1,
     .item_most = INT64_MAX},
    {"source", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_hypothesis, original_source), .most = 256},
};
static const struct rt_doc_table object_original_table = {.name = "original",
                                                          .size = sizeof(struct rt_hypothesis),
                                                          RT_DOC_FIELDS(object_original_fields)};

static const struct rt_doc_field object_hypothesis_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_IS_NAME, RT_AT(rt_hypothesis, id), .least = 1},
    {"primary", RT_DOC_BOOL, 0, RT_AT(rt_hypothesis, primary)},
    {"subject", RT_DOC_U32, 0, RT_AT(rt_hypothesis, subject)},
    {"measure", RT_DOC_ENUM, 0, RT_AT(rt_hypothesis, measure), .words = measure_words},
    {"arm", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_hypothesis, arm)},
    {"contrast", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_hypothesis, contrast)},
    {"claim", RT_DOC_ENUM, 0, RT_AT(rt_hypothesis, claim), .words = claim_words},
    {"threshold", RT_DOC_MICRO, 0, RT_AT(rt_hypothesis, threshold_micro), .item_least = -ONE,
     .item_most = ONE},
    {"margin", RT_DOC_MICRO, 0, RT_AT(rt_hypothesis, margin_micro), .item_least = 0,
     .item_most = ONE},
    {"original", RT_DOC_STRUCT, 0, .offset = 0, RT_HAS(rt_hypothesis, has_original),
     .item = &object_original_table},
};
static const struct rt_doc_table object_hypothesis_table = {
    .name = "hypothesis",
    .size = sizeof(struct rt_hypothesis),
    RT_DOC_FIELDS(object_hypothesis_fields)};

static const struct rt_doc_field object_agreement_fields[] = {
    {"tau_at_most", RT_DOC_MICRO, 0, RT_AT(rt_analysis, tau_at_most_micro), .item_least = 0,
     .item_most = ONE},
    {"sigma_pt", RT_DOC_MICRO, 0, RT_AT(rt_analysis, sigma_pt_micro), .item_least = 1,
     .item_most = ONE},
};
static const struct rt_doc_table object_agreement_table = {.name = "agreement",
                                                           .size = sizeof(struct rt_analysis),
                                                           RT_DOC_FIELDS(object_agreement_fields)};

static const struct rt_doc_field object_analysis_fields[] = {
    {"behaviour", RT_DOC_U64, 0, RT_AT(rt_analysis, behaviour), .least = 1, .most = UINT64_MAX},
    {"primary_rater", RT_DOC_ENUM, 0, RT_AT(rt_analysis, primary_rater), .words = rater_words},
    {"hypotheses", RT_DOC_LIST, 0, RT_COUNTED(rt_analysis, hypotheses, hypothesis_count),
     .item = &object_hypothesis_table, .most = RT_HYPOTHESES_MOST},
    {"agreement", RT_DOC_STRUCT, 0, .offset = 0, RT_HAS(rt_analysis, has_agreement),
     .item = &object_agreement_table},
    {"verdict_threshold", RT_DOC_MICRO, 0, RT_AT(rt_analysis, verdict_threshold_micro),
     .item_least = 0, .item_most = ONE},
    {"multiplicity", RT_DOC_ENUM, 0, RT_AT(rt_analysis, multiplicity), .words = multiplicity_words},
    {"confidence", RT_DOC_MICRO, 0, RT_AT(rt_analysis, confidence_micro), .item_least = 500000,
     .item_most = 999999},
    {"bootstrap", RT_DOC_U64, 0, RT_AT(rt_analysis, bootstrap), .most = 100000},
};
static const struct rt_doc_table object_analysis_table = {
    .name = "analysis", .size = sizeof(struct rt_analysis), RT_DOC_FIELDS(object_analysis_fields)};

static const struct rt_doc_field campaign_fields[] = {
    {"campaign", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_campaign, id), .least = 1},
    {"title", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_campaign, title), .least = 1, .most = 256},
    {"bench", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_campaign, bench_id), .least = 1},
    {"bench_version", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_campaign, bench_version), .least = 1,
     .most = 64},
    {"bench_digest", RT_DOC_DIGEST, 0, RT_AT(rt_campaign, bench_digest)},
    {"crossed", RT_DOC_BOOL, 0, RT_AT(rt_campaign, crossed)},
    {"roster_digest", RT_DOC_DIGEST, 0, RT_AT(rt_campaign, roster_digest)},
    {"taxonomy", RT_DOC_LIST, 0, RT_COUNTED(rt_campaign, labels, label_count),
     .item = &rt_label_table, .least = 2, .most = RT_LABELS_MOST},
    {"scenarios", RT_DOC_LIST, 0, RT_COUNTED(rt_campaign, scenarios, scenario_count),
     .item = &object_scenario_table, .least = 1, .most = RT_SCENARIOS_MOST},
    {"subjects", RT_DOC_LIST, 0, RT_COUNTED(rt_campaign, subjects, subject_count),
     .item = &subject_table, .least = 1, .most = RT_SUBJECTS_MOST},
    {"labs", RT_DOC_LIST, 0, RT_COUNTED(rt_campaign, labs, lab_count), .item = &object_lab_table,
     .least = 1, .most = RT_LABS_MOST},
    {"design", RT_DOC_STRUCT, 0, RT_AT(rt_campaign, design), .item = &object_design_table},
    {"unit", RT_DOC_STRUCT, 0, RT_AT(rt_campaign, unit), .item = &unit_table},
    {"close_within", RT_DOC_DURATION, 0, RT_AT(rt_campaign, close_within_ms)},
    {"analysis", RT_DOC_STRUCT, 0, RT_AT(rt_campaign, analysis), .item = &object_analysis_table},
    {"disclosure", RT_DOC_STRUCT, 0, RT_AT(rt_campaign, disclosure), .item = &disclosure_table},
    {"approvals", RT_DOC_LIST, 0, RT_COUNTED(rt_campaign, approvals, approval_count),
     .item = &approval_table, .most = 64},
};
const struct rt_doc_table rt_campaign_table = {.name = "the compiled campaign",
                                               .version = 1,
                                               .size = sizeof(struct rt_campaign),
                                               RT_DOC_FIELDS(campaign_fields)};
