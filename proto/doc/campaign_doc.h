// SPDX-License-Identifier: Apache-2.0
// What the files that read campaigns share: campaign.yaml as it is written (the plan), the table of
// the compiled object, and the rules that hold for both. Nothing else includes this.
#ifndef RT_PROTO_DOC_CAMPAIGN_DOC_H
#define RT_PROTO_DOC_CAMPAIGN_DOC_H

#include "proto/campaign.h"
#include "proto/doc/table.h"

struct rt_plan_run {
    const char *lab;
    const char **subjects;
    size_t subject_count;
    uint32_t line;
};

struct rt_plan_hypothesis {
    const char *id, *subject, *arm, *claim;
    bool primary;
    enum rt_measure measure;
    const char **contrast;
    size_t contrast_count;
    int64_t margin_micro;
    bool has_original;
    int64_t original_estimate_micro, original_se_micro;
    const char *original_source;
    uint32_t line;
};

struct rt_plan_design {
    enum rt_design_kind kind;
    uint64_t replicates, replicates_at_zero;
    bool has_replicates_at_zero;
    enum rt_seeds seeds;
    uint32_t labs_per_trial;  // balanced
    int64_t half_width_micro; // adaptive
    uint64_t ceiling;
    uint32_t line;
};

// campaign.yaml. Parts that mean the same in the compiled campaign are read straight into it.
struct rt_plan {
    struct rt_campaign campaign;
    const char *bench;
    bool labs_all, phrasings_all;
    const char **labs;
    size_t lab_count;
    uint32_t labs_line;
    struct rt_plan_run *runs;
    size_t run_count;
    struct rt_plan_design design;
    const char **phrasings;
    size_t phrasing_count;
    const char **behaviour;
    size_t behaviour_count;
    struct rt_plan_hypothesis *hypotheses;
    size_t hypothesis_count;
    uint32_t analysis_line, unit_line;
};

extern const struct rt_doc_table rt_plan_table;     // campaign.yaml
extern const struct rt_doc_table rt_campaign_table; // the object

// Rules that a compiled campaign keeps, whichever way it came to be (campaign.c): references,
// bounds, uniqueness, order, and a lab × subject graph in one piece.
enum rt_status rt_campaign_check(struct rt_doc_reader *reader,
                                 const struct rt_campaign *campaign) RT_WARN_UNUSED;
// Prompts and configurations, in the arena.
enum rt_status rt_campaign_derive(struct rt_doc_reader *reader,
                                  struct rt_campaign *campaign) RT_WARN_UNUSED;

#endif
